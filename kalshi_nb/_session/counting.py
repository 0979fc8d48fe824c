"""How far one subscription has counted, and the rows it has made: the part that every message moves."""

from __future__ import annotations

from typing import Final

from kalshi_nb._rows.channel import Channel
from kalshi_nb._rows.gaps import Gap, OldNumbers
from kalshi_nb._rows.rows import Row

__all__ = ["Counting"]

_NONE: Final = (0, -1)


class Counting:
    """The numbers of one subscription.

    Parameters
    ----------
    traits : Channel
        What sets the channel apart.
    rows : list of tuple
        Where its rows go.

    Attributes
    ----------
    sid : int or None
        The exchange's number for the subscription on this connection; None while there is none.
    seq : int or None
        The last sequence number seen; None while the first one sets it.
    sequenced : bool
        Whether the channel's messages have numbers.
    unnumbered, unnumbered_after : Gap or None, int or None
        The newest gap of a frame whose number could not be read, and after which number that came.
    old : OldNumbers
        The old numbers that were received in a row.
    passed_over : tuple of int
        The first and the last of the numbers that the newest jump passed over and that may yet come; the last is
        before the first where there are none.
    messages, messages_before : int
        Data frames received, now and when the session last looked for channels gone quiet.
    received_at : int
        When the newest of them was received, in microseconds; 0 before the first.
    exchange_ms : int or None
        The exchange's own stamp of the newest that has one, in milliseconds.
    listening : bool
        Whether rows are made.
    rows : list of tuple
        Rows made and not yet taken; see :meth:`kalshi_nb._session.session.Session.rows` for who else has it in hand.
    """

    # What happens seldom goes by the methods. What every message moves (`seq`, `messages`, `received_at`,
    # `exchange_ms` and the end of `rows`) is written in place by the receiver and by the compiled straight line: four
    # calls a message would be a tenth of all that a delta costs. Both run on the thread of the connections, so
    # they never meet. Other threads read these fields one by one, for figures that may be a message old, and take from
    # `rows` as Session.rows says. With slots, an access is no look-up in a dictionary.
    __slots__ = (
        "_from_one",
        "exchange_ms",
        "listening",
        "messages",
        "messages_before",
        "old",
        "passed_over",
        "received_at",
        "rows",
        "seq",
        "sequenced",
        "sid",
        "unnumbered",
        "unnumbered_after",
    )

    def __init__(self, traits: Channel, rows: list[Row]) -> None:
        self.sequenced = traits.sequenced
        self._from_one = traits.from_one
        self.rows = rows
        self.listening = False
        self.messages = 0
        self.messages_before = 0
        self.received_at = 0
        self.exchange_ms: int | None = None
        self.end()

    def end(self) -> None:
        """Forget the sid and its numbers."""
        self.sid: int | None = None
        self.seq: int | None = None
        self.old = OldNumbers()
        self.passed_over: tuple[int, int] = _NONE
        self.unnumbered: Gap | None = None
        self.unnumbered_after: int | None = None

    def begin(self, sid: int) -> None:
        """Start counting under a new sid."""
        self.sid = sid
        self.seq = 0 if self._from_one else None

    def join(self, sid: int, seq: int | None) -> None:
        """Count on under a sid that was there before anybody here knew of it; `seq` is the last number, if known."""
        self.begin(sid)
        if seq is not None:
            self.seq = seq

    @property
    def due(self) -> int | None:
        """The number that is to be next; None where any may be."""
        return None if self.seq is None else self.seq + 1

    def miss(self, gap: Gap) -> None:
        """Take note of the gap of a frame whose number could not be read."""
        self.unnumbered, self.unnumbered_after = gap, self.seq

    @property
    def missed(self) -> Gap | None:
        """That gap, while no number has been counted since: numbers that are missing then are its own."""
        return self.unnumbered if self.unnumbered_after == self.seq else None

    def comes_late(self, seq: int) -> bool:
        """Tell of an old number whether the newest jump passed over it, so that nobody has had it; once of each."""
        first, last = self.passed_over
        if not first <= seq <= last:
            return False
        self.passed_over = seq + 1, last
        return True

    def begins_anew(self) -> bool:
        """Take note of an old number; return whether so many came in a row that the exchange counts anew."""
        return self.old.another(self.seq)

    def went_quiet(self) -> bool:
        """Tell whether no data was received since this was last asked."""
        quiet = self.messages == self.messages_before
        self.messages_before = self.messages
        return quiet
