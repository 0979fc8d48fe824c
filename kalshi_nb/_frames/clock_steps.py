"""How far the times of a frame's older rows are off, since the computer's clock was set after them."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kalshi_nb._frames.blocks import Blocks

__all__ = ["ClockSteps"]

_MOST_ERAS: Final = 256
"""A clock that is set more often within one window is a broken one: the oldest eras become one then."""


class _Era(NamedTuple):
    """Neighbouring rows between two steps of the clock."""

    end: int
    """Where the rows after it begin, counted from the first row of the blocks."""
    off: int
    """By how much the clock was set since, in microseconds."""


class ClockSteps:
    """The steps of the clock within a frame, oldest first. Never changed: each step makes another.

    The age of a row is the time that passed since it was received, and that is the clock's present time less
    ``received_at`` less all by which the clock was set in between. Rows since the last step have nothing to
    be corrected, and where there was no step there is nothing here at all.

    Parameters
    ----------
    eras : tuple
        The rows before each step; none for a clock that was not set.
    gone_until : int or None
        Until when rows were forgotten that are not too old for the frame, in microseconds of the clock as it is set
        now; None where there are none.
    """

    __slots__ = ("_eras", "_gone_until")

    def __init__(self, eras: tuple[_Era, ...] = (), gone_until: int | None = None) -> None:
        self._eras = eras
        self._gone_until = gone_until

    def __bool__(self) -> bool:
        return bool(self._eras)

    def stepped(self, height: int, by: int) -> ClockSteps:
        """Return this with a step after the rows that are there.

        Parameters
        ----------
        height : int
            How many rows lie in the blocks.
        by : int
            How far the clock was set, in microseconds.
        """
        eras = [each._replace(off=each.off + by) for each in self._eras]
        if height > (eras[-1].end if eras else 0):
            eras.append(_Era(height, by))
        if len(eras) > _MOST_ERAS:
            del eras[0]  # its rows are taken to be of the next
        gone_until = self._gone_until
        return ClockSteps(tuple(eras), None if gone_until is None else gone_until + by)

    def without(self, dropped: int) -> ClockSteps:
        """Return this when the first `dropped` rows are out of the blocks."""
        if not dropped or not self._eras:
            return self
        kept = tuple(each._replace(end=each.end - dropped) for each in self._eras if each.end > dropped)
        return ClockSteps(kept, self._gone_until)

    def with_rows_at(self, places: Sequence[int]) -> ClockSteps:
        """Return this when a row was put in before each of `places`, which rise."""
        return ClockSteps(
            tuple(each._replace(end=each.end + bisect_left(places, each.end)) for each in self._eras),
            self._gone_until,
        )

    def first_since(self, blocks: Blocks, since_us: int, tick: Callable[[int], int], start: int) -> int:
        """Return where the first row from `start` on is that is young enough.

        Parameters
        ----------
        blocks : Blocks
            The rows.
        since_us : int
            The clock's present time less the span of the window, in microseconds.
        tick : callable
            Turns microseconds into the unit of received_at.
        start : int
            Where to begin.
        """
        for era in self._eras:
            if start < era.end:
                start = blocks.first_since(tick(since_us - era.off), start)
                if start < era.end:
                    return start
                start = era.end  # the first row of a later era has to be looked for with that one's own times
        return blocks.first_since(tick(since_us), start)

    @property
    def gone_until(self) -> int | None:
        """Until when rows were forgotten that are not too old, by the clock as it is set now; None for none."""
        return self._gone_until

    def off(self, row: int) -> int:
        """Return by how much the clock was set since a row was received, in microseconds."""
        return next((each.off for each in self._eras if row < each.end), 0)
