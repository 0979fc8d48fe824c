"""What has just become different about a market: told at the foot of its ladder for some seconds."""

from __future__ import annotations

from typing import Final, NamedTuple

from kalshi_nb._widgets import numbers

__all__ = ["NEWS_SECONDS", "News"]

NEWS_SECONDS: Final = 10.0
"""How long a change is told."""

_CENT: Final = 100

_Ticks = tuple[tuple[int, int, int], ...]


class _Seen(NamedTuple):
    """What was known at the last look, and until when its change is told: seconds of the market's time."""

    ticks: _Ticks | None = None
    close_time: float | None = None
    ticks_until: float = 0.0
    close_until: float = 0.0


class News:
    """Remembers a market's grid and its time to close, and says for ten seconds when one of them is another.

    What becomes known for the first time is no news. A change is told from the look that found it: where nobody looked
    for an hour, whoever looks then has not heard of it either.
    """

    # Two threads may look at once. What is remembered is one tuple, replaced whole: both find the same change, and
    # whichever is second sets what the first has set.

    def __init__(self) -> None:
        self._seen = _Seen()

    def of(self, ticks: _Ticks | None, close_time: float | None, now: float) -> str:
        """Return what there is to tell now, or nothing.

        Parameters
        ----------
        ticks : tuple of (int, int, int) or None
            The grid of prices: start, end and step of each range, in 1/10000 dollar.
        close_time : float or None
            When trading ends, epoch seconds.
        now : float
            The moment, by the market's time.
        """
        was = self._seen
        seen = _Seen(
            was.ticks if ticks is None else ticks,
            was.close_time if close_time is None else close_time,
            now + NEWS_SECONDS if _differ(was.ticks, ticks) else was.ticks_until,
            now + NEWS_SECONDS if _differ(was.close_time, close_time) else was.close_until,
        )
        self._seen = seen
        told = []
        if seen.ticks and now < seen.ticks_until:
            told.append(_tick(seen.ticks))
        if seen.close_time is not None and now < seen.close_until:
            told.append(f"now closes {numbers.moment(seen.close_time)}")
        return "; ".join(told)


def _differ(was: object, now: object) -> bool:
    """Whether both are known, and not the same."""
    return was is not None and now is not None and was != now


def _tick(ticks: _Ticks) -> str:
    steps = sorted({step for *_, step in ticks})
    finest, coarsest = steps[0] / _CENT, steps[-1] / _CENT
    if len(steps) == 1:
        return f"tick is now {finest:g}¢"
    return f"ticks are now {finest:g}¢ to {coarsest:g}¢"
