"""What a feed's views are handed, and what its status strip shows of it: plain data of one moment."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from kalshi_nb._rows.gaps import Gap
    from kalshi_nb._widgets.gaps.words import GapLine

__all__ = ["ChannelLine", "ChannelReading", "FeedReading", "Piece", "State", "StatusPicture"]


class ChannelReading(NamedTuple):
    """How one wanted channel is doing.

    Attributes
    ----------
    name : str
        The channel.
    markets : int or None
        How many markets the exchange has acknowledged; None for all.
    age : float or None
        Seconds since its last message; None before the first.
    messages : int
        How many were received.
    seq : int or None
        The number of the newest, where there is one.
    """

    name: str
    markets: int | None
    age: float | None
    messages: int
    seq: int | None


class FeedReading(NamedTuple):
    """How a feed is doing at one moment.

    Attributes
    ----------
    state : str
        ``connecting``, ``connected``, ``reconnecting``, ``refused``, ``closed`` or ``forked``.
    url : str
        Where the exchange is.
    now : float
        The moment by the feed's clock, epoch seconds.
    steady : int
        The same on the timeline that never goes back, microseconds, by which lengths of time go.
    began : float
        When the feed was made, epoch seconds.
    uptime : float
        Seconds since.
    messages : int
        Received in all.
    rate : float
        Messages a second, over the last 5 s.
    lag_p50, lag_p99 : float or None
        Receive time less the exchange's stamp, seconds.
    lag_grows : bool
        Whether it has grown for 30 s on end.
    channels : tuple of ChannelReading
        Those that somebody wants.
    books, stale_books : int
        Books that are open, and those of them that are as they were before a gap.
    gaps : sequence of Gap
        The newest, oldest first, as they stand in the feed's log.
    gaps_dropped : int
        Older ones that the log has dropped.
    dropped_rows : int
        Rows that slow pipelines did not take in time.
    memory : int or None
        Bytes that this process has in memory; None where nobody can say.
    last_error, last_error_at : str or None, float or None
        The newest trouble, and when it came by the feed's clock, epoch seconds.
    warnings : tuple of str
        What somebody should look at.
    views : tuple of str
        The views that are open on the feed and on what it handed out, in words.
    origin : str
        In a word, what is to be said of its data: ``"simulated"``, ``"demo"``; of real data nothing.
    """

    state: str
    url: str
    now: float
    steady: int
    began: float
    uptime: float
    messages: int = 0
    rate: float = 0.0
    lag_p50: float | None = None
    lag_p99: float | None = None
    lag_grows: bool = False
    channels: tuple[ChannelReading, ...] = ()
    books: int = 0
    stale_books: int = 0
    gaps: Sequence[Gap] = ()
    gaps_dropped: int = 0
    dropped_rows: int = 0
    memory: int | None = None
    last_error: str | None = None
    last_error_at: float | None = None
    warnings: tuple[str, ...] = ()
    views: tuple[str, ...] = ()
    origin: str = ""

    @property
    def status(self) -> str:
        """What its views may be trusted for, in the words of every view.

        That the link is lost is what they are there to say, and is no older for it: so then, too, they are live.
        """
        if self.state in ("closed", "forked"):
            return "closed"
        return "connecting" if self.state == "connecting" else "live"


class State(NamedTuple):
    """What is worst: a glyph, words, and the tone of both (``"dim"``, ``"live"``, ``"warn"`` or ``"bad"``)."""

    glyph: str
    words: str
    tone: str


class Piece(NamedTuple):
    """One thing that the strip says.

    Attributes
    ----------
    name : str
        What it is about.
    words : str
        What it says.
    tone : str
        ``"warn"`` where it is not as it should be, else nothing.
    at : float or None
        A moment that belongs behind the words, epoch seconds.
    """

    name: str
    words: str
    tone: str = ""
    at: float | None = None


class ChannelLine(NamedTuple):
    """A channel in words: its name, which markets, how old its last message is, rate, number and gaps."""

    name: str
    markets: str
    age: str
    rate: str
    seq: str
    gaps: str


class StatusPicture(NamedTuple):
    """All that the status strip shows, in words; never changed afterwards.

    Attributes
    ----------
    version : hashable
        Differs whenever anything that is shown does.
    status : str
        As every view has it.
    clock : float
        When it was taken, by the feed's own clock, epoch seconds.
    title : str
        Whose it is.
    state : State
        What is worst now.
    pieces : tuple of Piece
        What follows it.
    channels : tuple of ChannelLine
        A row a channel.
    gaps : tuple of GapLine
        The newest, newest first.
    gap_count : int
        How many there are in all.
    last_error, last_error_at : str, float or None
        The newest trouble, or nothing, and when it came, epoch seconds.
    warnings : tuple of str
        As in `FeedReading`.
    views : str
        Which other views are open.
    changes : int
        Counts messages.
    """

    version: Hashable
    status: str
    clock: float
    title: str
    state: State
    pieces: tuple[Piece, ...]
    channels: tuple[ChannelLine, ...]
    gaps: tuple[GapLine, ...]
    gap_count: int
    last_error: str
    last_error_at: float | None
    warnings: tuple[str, ...]
    views: str
    changes: int

    def body(self) -> dict[str, Any]:
        """Return it as the browser is sent it."""
        return {
            "title": self.title,
            "clock": self.clock,
            "note": "",
            "state": list(self.state),
            "pieces": [list(each) for each in self.pieces],
            "channels": [list(each) for each in self.channels],
            "gaps": [list(each) for each in self.gaps],
            "gap_count": self.gap_count,
            "last_error": self.last_error,
            "last_error_at": self.last_error_at,
            "warnings": list(self.warnings),
            "views": self.views,
        }
