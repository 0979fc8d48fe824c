"""The exchange's own time: the wall's, or one that is moved by hand. Both satisfy `kalshi_nb._clock.Clock`."""

from __future__ import annotations

import time

__all__ = ["ManualTime", "WallTime"]


class WallTime:
    """The computer's clock, moved so that the exchange's time began at `start_us`; None for no move."""

    def __init__(self, start_us: int | None = None) -> None:
        self._ahead_us = 0 if start_us is None else start_us - time.time_ns() // 1000

    def now_us(self) -> int:
        """Return microseconds since 1970-01-01 UTC."""
        return time.time_ns() // 1000 + self._ahead_us


class ManualTime:
    """A clock that stands still until it is set."""

    def __init__(self, start_us: int) -> None:
        self._now_us = start_us

    def now_us(self) -> int:
        """Return microseconds since 1970-01-01 UTC."""
        return self._now_us

    def set(self, now_us: int) -> None:
        """Set the time."""
        self._now_us = now_us
