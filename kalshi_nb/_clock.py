"""What time it is: the wall's, or the simulated exchange's when its clock is moved by hand."""

from __future__ import annotations

from time import time_ns
from typing import Protocol

__all__ = ["Clock", "WallClock"]


class Clock(Protocol):
    """Anything that tells the time of the market."""

    def now_us(self) -> int:
        """Return microseconds since 1970-01-01 UTC."""
        ...


class WallClock:
    """The computer's own clock."""

    def now_us(self) -> int:
        """Return microseconds since 1970-01-01 UTC."""
        return time_ns() // 1000
