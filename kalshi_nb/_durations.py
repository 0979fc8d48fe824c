"""Lengths of time as users write them: ``"1s"``, ``"5m"``, ``"1h30m"`` as polars does, a timedelta, or seconds."""

from __future__ import annotations

import datetime as dt
import numbers
import re
from typing import Final

from kalshi_nb._redaction import shown
from kalshi_nb.errors import ConfigurationError

__all__ = ["duration_us", "written"]

_UNITS: Final = {
    "w": 604_800_000_000,
    "d": 86_400_000_000,
    "h": 3_600_000_000,
    "m": 60_000_000,
    "s": 1_000_000,
    "ms": 1_000,
    "us": 1,
}
"""Microseconds by polars' words; its months, quarters and years are no fixed length, and its nanoseconds too short."""

_PART: Final = re.compile(r"(\d+)(us|ms|s|m|h|d|w)", re.ASCII)
_WHOLE: Final = re.compile(rf"(?:{_PART.pattern})+", re.ASCII)
_LONGEST_US: Final = 100 * 366 * _UNITS["d"]
_LONGEST_TEXT: Final = 60


def duration_us(name: str, value: object) -> int:
    """Return a length of time in microseconds, 1 at least.

    Parameters
    ----------
    name : str
        What the user calls it.
    value : str, timedelta or real number
        Text of whole numbers and units (``us``, ``ms``, ``s``, ``m``, ``h``, ``d``, ``w``), as polars has them; a
        ``timedelta``; or seconds.

    Raises
    ------
    ConfigurationError
        When it is none of these, less than a microsecond, or longer than 100 years; it shows the form.
    """
    if isinstance(value, str):
        found = _of_text(value)
    elif isinstance(value, dt.timedelta):
        found = value // dt.timedelta(microseconds=1)
    else:
        found = _of_number(value)
    if not 1 <= found <= _LONGEST_US:
        raise ConfigurationError(
            f'{name}={shown(value)}: give a length of time above zero, as "1s", "5m", "1h30m" or "1d" (units us, ms, '
            "s, m, h, d, w), a timedelta, or a number of seconds."
        )
    return found


def _of_text(text: str) -> int:
    if len(text) > _LONGEST_TEXT or not _WHOLE.fullmatch(text):
        return 0
    return sum(int(number) * _UNITS[unit] for number, unit in _PART.findall(text))


def _of_number(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        return 0
    try:
        seconds = float(value)
    except OverflowError:  # a whole number that no float is as large as
        return 0
    return round(seconds * 1_000_000) if 0 < seconds <= _LONGEST_US / 1_000_000 else 0


def written(us: int) -> str:
    """Return a length of time as `duration_us` reads it."""
    parts = []
    for unit, length in _UNITS.items():
        number, us = divmod(us, length)
        if number:
            parts.append(f"{number}{unit}")
    return "".join(parts) or "0s"
