"""What an exchange is told: looked at before anything begins, and refused in a sentence."""

from __future__ import annotations

import math
import time
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from kalshi_nb.errors import SimulationError
from kalshi_nb.sim._shown import shown

__all__ = ["LATEST_US", "ClockName", "one_of", "span_us", "start_us"]

ClockName = Literal["wall", "manual"]

_MANUAL_START: Final = datetime(2026, 11, 22, 15, tzinfo=UTC)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
LATEST_US: Final = (datetime(9000, 1, 1, tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)


def one_of(name: str, value: object, allowed: tuple[str, ...]) -> None:
    """Refuse what is not allowed."""
    if value not in allowed:
        raise SimulationError(f"{name}={shown(value)} is unknown; pass {' or '.join(map(repr, allowed))}.")


def start_us(start: datetime | None, clock: ClockName) -> int:
    """Return when a tape begins, in microseconds since 1970."""
    if start is None:
        if clock == "wall":
            return time.time_ns() // 1000
        start = _MANUAL_START
    if not isinstance(start, datetime) or start.tzinfo is None:
        raise SimulationError(
            f"start={shown(start)} names no instant; pass a datetime with a time zone, such as tzinfo=UTC."
        )
    begins = (start - _EPOCH) // timedelta(microseconds=1)
    if not 0 <= begins < LATEST_US:
        raise SimulationError(f"start={start} is too far away; pass one between 1970 and 9000.")
    return begins


def span_us(seconds: float) -> int:
    """Return a length of time in microseconds."""
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        raise SimulationError(f"advance({shown(seconds)}) is no length of time; pass seconds.")
    if not math.isfinite(seconds) or seconds < 0:
        raise SimulationError(f"advance({shown(seconds)}) is no length of time; pass seconds, 0 or more.")
    return round(seconds * 1_000_000)
