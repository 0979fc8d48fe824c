"""A feed as its own views may know it: readings of how it is doing, and what earlier ones said."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from kalshi_nb._widgets.status.picture import FeedReading

__all__ = ["MOST_RATES", "Course", "HealthSource"]

MOST_RATES: Final = 12
"""Rates that the sparkline shows."""

_STEP: Final = 1_000_000
_WINDOW: Final = 5_000_000
"""Microseconds between two samples, and over which a channel's rate goes."""


class Course(NamedTuple):
    """What the readings of the last seconds come to.

    Attributes
    ----------
    rates : tuple of float
        The feed's messages a second, one each second that somebody looked, oldest first.
    of_channels : dict of str to float
        Each channel's messages a second; those are missing of which there are no two readings yet.
    """

    rates: tuple[float, ...]
    of_channels: dict[str, float]


class _Sample(NamedTuple):
    steady: int
    rate: float
    messages: dict[str, int]


class HealthSource:
    """How a feed is doing, for its views; one a feed, since it remembers.

    It samples when it is read, once a second of the feed's own time: what nobody looks at costs nothing.

    Parameters
    ----------
    read : callable
        Returns how the feed is doing now, from any thread, without waiting; must not hold the feed.
    watch : callable
        Given a function, has it called once, from any thread, when there may be news.
    """

    def __init__(
        self, read: Callable[[], FeedReading], watch: Callable[[Callable[[], None]], None] = lambda _: None
    ) -> None:
        self.watch = watch
        self._read = read
        self._last: FeedReading | None = None
        self._samples: deque[_Sample] = deque(maxlen=MOST_RATES)
        self._lock = threading.Lock()

    def read(self) -> tuple[FeedReading, Course]:
        """Return how the feed is doing, and how it did until now."""
        reading = self._last or self._read()
        with self._lock:
            self._sample(reading)
            return reading, self._course(reading)

    def end(self) -> None:
        """Stand still at what is so now: the feed is closed."""
        if self._last is None:
            self._last = self._read()._replace(views=())

    def _sample(self, reading: FeedReading) -> None:
        if self._samples and reading.steady - self._samples[-1].steady < _STEP:
            return
        messages = {each.name: each.messages for each in reading.channels}
        self._samples.append(_Sample(reading.steady, reading.rate, messages))

    def _course(self, reading: FeedReading) -> Course:
        rates: dict[str, float] = {}
        old = next((each for each in self._samples if reading.steady - each.steady <= _WINDOW), self._samples[-1])
        seconds = (reading.steady - old.steady) / 1e6
        for each in reading.channels:
            # A connection that is made anew goes on counting; a channel asked for anew begins again.
            before = old.messages.get(each.name)
            if before is not None and seconds > 0 and each.messages >= before:
                rates[each.name] = (each.messages - before) / seconds
        return Course(tuple(each.rate for each in self._samples), rates)
