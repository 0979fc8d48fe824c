"""The time of the market, and a timeline beside it that never goes back.

``received_at`` is the computer's clock, which people and programs set: it steps back by a second, or forward by an
hour. What follows what must not depend on that. So the engine reads a steady clock beside it, notices each step, and
writes it down among the rows (:class:`kalshi_nb._rows.steering.ClockStepRow`): whoever has the rows can tell how old
one is by summing up the steps behind it, and rows in between cost nothing.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Final, NamedTuple

from kalshi_nb._clock import Clock, WallClock
from kalshi_nb._engine.port import ClockStep

__all__ = ["Timeline"]

SMALLEST_STEP: Final = 250_000
"""Microseconds that the two clocks may move apart between two looks; a step back shows by itself, however small."""

_MOST_STEPS: Final = 20
_MOST_READINGS: Final = 50
_ONE_MOMENT: Final = 1_000  # microseconds
_DRIFT: Final = 50_000
"""Nanoseconds by which the clock may part from the cheapest steady one before both are looked at closely."""

# One that counts while the computer sleeps: what was received before the night is old in the morning.
_STEADY: Final = getattr(time, "CLOCK_BOOTTIME", getattr(time, "CLOCK_MONOTONIC", None))


class _Set(NamedTuple):
    """How the clock is set.

    Attributes
    ----------
    offset : int
        What it is ahead of the steady one, microseconds.
    stepped : int
        The sum of its steps so far, microseconds.
    """

    offset: int
    stepped: int


def _steady_us() -> int:
    return (time.monotonic_ns() if _STEADY is None else time.clock_gettime_ns(_STEADY)) // 1000


class Timeline:
    """A clock with a steady one beside it.

    `stamp` is called on one thread, many thousand times a second; all else from any. What the others read is one pair,
    replaced whole: what the clock is ahead of the steady one, and the sum of its steps. It is replaced before the step
    is reported, so whoever meets the step among the rows finds the clock as it is set after it.

    Parameters
    ----------
    clock : Clock
        The market's. Only the computer's own is watched: one that is moved by hand is steady by nature.
    on_step : callable
        Called with each step, on the thread that calls `stamp`, before the first stamp after it is handed out.
    steady_us : callable
        The steady clock, in microseconds.

    Attributes
    ----------
    steps : deque of ClockStep
        The newest steps.
    """

    def __init__(
        self, clock: Clock, on_step: Callable[[ClockStep], None], steady_us: Callable[[], int] = _steady_us
    ) -> None:
        self.steps: deque[ClockStep] = deque(maxlen=_MOST_STEPS)
        self._clock = clock
        self._on_step = on_step
        self._steady_us = steady_us
        self._watched = isinstance(clock, WallClock)
        self._last = clock.now_us()
        self._set = _Set(self._last - steady_us(), 0)
        # Most looks are by the clock that costs least to read, though it stands still while the computer sleeps.
        self._quick_ns = time.monotonic_ns if steady_us is _steady_us else lambda: steady_us() * 1000
        self._quick_offset = self._last * 1000 - self._quick_ns()
        if not self._watched:
            self.stamp = clock.now_us  # type: ignore[method-assign]  # nothing to look after, and no call between

    def now_us(self) -> int:
        """Return the market's time, as far as its steps have been noticed."""
        return self._steady_us() + self._set.offset if self._watched else self._clock.now_us()

    @property
    def is_manual(self) -> bool:
        """Whether it is moved by hand."""
        return not self._watched

    @property
    def stepped(self) -> int:
        """The sum of all steps, microseconds."""
        return self._set.stepped

    def steady(self, at: int | None = None) -> int:
        """Return where a stamp made since the last step, or the present, lies on the timeline that never goes back."""
        if at is not None or not self._watched:
            return (self._clock.now_us() if at is None else at) - self._set.stepped
        now = self._set
        return self._steady_us() + now.offset - now.stepped

    def stamp(self) -> int:
        """Return the market's time in microseconds, and take note if the clock was set since the last call."""
        now = self._clock.now_us()
        if now < self._last or not -_DRIFT < now * 1000 - self._quick_ns() - self._quick_offset < _DRIFT:
            now = self._look()
        self._last = now
        return now

    def _look(self) -> int:
        """Return the time after a closer look at both clocks."""
        before = self._set
        now, offset = self._read_together()
        self._quick_offset = self._clock.now_us() * 1000 - self._quick_ns()
        by = offset - before.offset
        if now >= self._last and -SMALLEST_STEP < by < SMALLEST_STEP:
            # Two clocks drift by parts in a million, and one may be slewed: that is no step, however long it goes on.
            self._set = _Set(offset, before.stepped)
            return now
        self._set = _Set(offset, before.stepped + by)
        self._last = now
        step = ClockStep(now, by)
        self.steps.append(step)
        self._on_step(step)
        return now

    def _read_together(self) -> tuple[int, int]:
        """Return the time and what it is ahead of the steady clock, both read at one moment.

        Between two readings this thread may have been stopped for long, on a computer that has other things to do;
        that must not look like a step.
        """
        for _ in range(_MOST_READINGS):
            before = self._steady_us()
            now = self._clock.now_us()
            after = self._steady_us()
            if after - before < _ONE_MOMENT:
                break
        return now, now - (before + after) // 2
