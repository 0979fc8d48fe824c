"""What an exchange is asked for, checked: each error says what is taken instead."""

from __future__ import annotations

import math
import re
import time
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from kalshi_nb.errors import SimulationError
from kalshi_nb.sim._shown import shown

__all__ = [
    "LATEST_US",
    "ClockName",
    "begin_us",
    "check_choice",
    "check_flag",
    "check_number",
    "check_whole",
    "span_us_of",
]

ClockName = Literal["wall", "manual"]

_MANUAL_START: Final = datetime(2026, 11, 22, 15, tzinfo=UTC)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

_UNITS: Final = {"ms": 0.001, "s": 1, "m": 60, "min": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_PART: Final = re.compile(r"(\d+)(ms|min|s|m|h|d|w)", re.ASCII)
_SPAN: Final = re.compile(rf"(?:{_PART.pattern}){{1,9}}", re.ASCII)

LATEST_US: Final = (datetime(9000, 1, 1, tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)
"""The end of the calendar."""


def check_whole(name: str, value: object) -> None:
    """Refuse what is no whole number."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise SimulationError(f"{name}={shown(value)} makes no tape; pass a whole number.")


def check_flag(name: str, value: object) -> None:
    """Refuse what is neither True nor False; ``"no"`` would count as true."""
    if not isinstance(value, bool):
        raise SimulationError(f"{name}={shown(value)} is no answer; pass True or False.")


def check_choice(name: str, value: object, allowed: tuple[str, ...]) -> None:
    """Refuse what is none of several words."""
    if not isinstance(value, str) or value not in allowed:
        raise SimulationError(f"{name}={shown(value)} is unknown; pass {' or '.join(map(repr, allowed))}.")


def check_number(name: str, value: object, least: float, most: float, what: str) -> None:
    """Refuse what is no number between two others; `what` says what it is to be, and what to pass."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise SimulationError(f"{name}={shown(value)} is no {what} from {least} to {most}.")


def begin_us(start: datetime | None, *, is_manual: bool) -> int:
    """Return when the tape begins, in microseconds since 1970: now, or by a manual clock a fixed Sunday.

    Raises
    ------
    SimulationError
        `start` is no instant, or outside the calendar.
    """
    if start is None:
        if not is_manual:
            return time.time_ns() // 1000
        start = _MANUAL_START
    if not isinstance(start, datetime) or start.tzinfo is None:
        raise SimulationError(
            f"start={shown(start)} names no instant; pass a datetime with a time zone, such as tzinfo=UTC."
        )
    start_us = (start - _EPOCH) // timedelta(microseconds=1)
    if not 0 <= start_us < LATEST_US:
        raise SimulationError(f"start={start} is too far away; pass one between 1970 and 9000.")
    return start_us


def span_us_of(seconds: str | timedelta | float) -> int:
    """Return a length of time in microseconds.

    Raises
    ------
    SimulationError
        It is none.
    """
    found: object = seconds
    if isinstance(seconds, timedelta):
        found = seconds.total_seconds()
    elif isinstance(seconds, str) and _SPAN.fullmatch(seconds):
        found = sum(int(number) * _UNITS[unit] for number, unit in _PART.findall(seconds))
    if isinstance(found, bool) or not isinstance(found, int | float) or not 0 <= found < math.inf:
        raise SimulationError(
            f'advance({shown(seconds)}) is no length of time; pass seconds, 0 or more, or a text such as "1m".'
        )
    return round(min(found, LATEST_US) * 1_000_000)  # of more there is no calendar, and no float of microseconds
