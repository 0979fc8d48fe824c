"""What the view of gaps shows: a lane a channel of the last hour, and a row a gap."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from kalshi_nb._widgets.gaps.words import GapLine
    from kalshi_nb._widgets.status.picture import State

__all__ = ["GapSpan", "GapsPicture", "Lane"]


class GapSpan(NamedTuple):
    """A stretch of a lane, of one gap or of several that lie too close to be told apart.

    Attributes
    ----------
    begins : float
        Epoch seconds by the feed's clock.
    ends : float or None
        Likewise; None while it is open.
    number : int
        Of how many gaps.
    lasted : str
        How long it lasted, in words; empty while it is open.
    """

    begins: float
    ends: float | None
    number: int
    lasted: str


class Lane(NamedTuple):
    """A channel's hour.

    Attributes
    ----------
    channel : str
        The channel.
    spans : tuple of GapSpan
        Its gaps of the hour, oldest first.
    """

    channel: str
    spans: tuple[GapSpan, ...]


class GapsPicture(NamedTuple):
    """All that the view of gaps shows, of one moment and never changed afterwards.

    Attributes
    ----------
    version : hashable
        Differs whenever anything that is shown does, but for the time that goes on.
    status : str
        As every view has it.
    clock : float
        When it was taken by the feed's own clock, epoch seconds.
    title : str
        Whose gaps these are.
    state : State
        How the feed is.
    began : float
        Since when the feed is there, epoch seconds.
    lanes : tuple of Lane
        The channels that are wanted, or had a gap in the hour.
    gaps : tuple of GapLine
        The newest, newest first.
    gap_count, open_count : int
        How many there are in all, and how many of these are open.
    summary : str
        The same in words.
    rows : int
        How many rows there is room for.
    changes : int
        Counts messages.
    """

    version: Hashable
    status: str
    clock: float
    title: str
    state: State
    began: float
    lanes: tuple[Lane, ...]
    gaps: tuple[GapLine, ...]
    gap_count: int
    open_count: int
    summary: str
    rows: int
    changes: int

    def body(self) -> dict[str, Any]:
        """Return it as the browser is sent it."""
        return {
            "title": self.title,
            "clock": self.clock,
            "note": "",
            "state": list(self.state),
            "began": self.began,
            "lanes": [[lane.channel, [list(each) for each in lane.spans]] for lane in self.lanes],
            "gaps": [list(each) for each in self.gaps],
            "gap_count": self.gap_count,
            "summary": self.summary,
            "rows": self.rows,
        }
