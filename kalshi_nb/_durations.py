"""Lengths of time as users write them: ``"1s"``, ``"5m"``, ``"1h30m"`` as polars does, a timedelta, or seconds."""

from __future__ import annotations

import datetime as dt
import math
import re
from typing import Final, TypeAlias

from kalshi_nb._redaction import shown
from kalshi_nb._usage import real
from kalshi_nb.errors import ConfigurationError

__all__ = ["Duration", "duration_us", "seconds", "written"]

Duration: TypeAlias = str | dt.timedelta | float
"""What a user may pass as a length of time; a number is one of seconds."""

_UNITS: Final = {
    "w": 604_800_000_000,
    "d": 86_400_000_000,
    "h": 3_600_000_000,
    "m": 60_000_000,
    "s": 1_000_000,
    "ms": 1_000,
    "us": 1,
    "min": 60_000_000,
}
"""Microseconds by polars' words; its months, quarters and years are no fixed length, and its nanoseconds too short.

``min`` is pandas' word for ``m``.
"""

_PART: Final = re.compile(r"(\d+)(us|ms|min|s|m|h|d|w)", re.ASCII)
_WHOLE: Final = re.compile(rf"(?:{_PART.pattern})+", re.ASCII)
_LONGEST_US: Final = 100 * 366 * _UNITS["d"]
_LONGEST_TEXT: Final = 60
_NONE: Final = -1
"""What is no length of time has this one."""


def duration_us(name: str, value: object) -> int:
    """Return a length of time in microseconds, 1 at least.

    Parameters
    ----------
    name : str
        What the user calls it.
    value : str, timedelta or real number
        Text of whole numbers and units (``us``, ``ms``, ``s``, ``m`` or ``min``, ``h``, ``d``, ``w``); a
        ``timedelta``; or seconds.

    Raises
    ------
    ConfigurationError
        When it is none of these, less than a microsecond, or longer than 100 years; it shows the form.
    """
    found = _of_words(value) if isinstance(value, str | dt.timedelta) else _of_number(value)
    if not 1 <= found <= _LONGEST_US:
        raise ConfigurationError(
            f'{name}={shown(value)}: give a length of time above zero, as "1s", "5m", "1h30m" or "1d" (units us, ms, '
            "s, m or min, h, d, w), a timedelta, or a number of seconds."
        )
    return found


def seconds(name: str, value: object, advice: str, *, most: float = math.inf, or_none: bool = False) -> float:
    """Return a length of time in seconds, above 0, or from 0 on where `or_none`.

    Parameters
    ----------
    name : str
        What the user calls it.
    value : str, timedelta or real number
        As for :func:`duration_us`; whatever Python knows as a real number is one of seconds.
    advice : str
        What to do instead, without a full stop.
    most : float
        The largest that will do.
    or_none : bool
        Whether no time at all will do, too.

    Raises
    ------
    ConfigurationError
        When it is none, or out of range.
    """
    number = _of_words(value) / 1_000_000 if isinstance(value, str | dt.timedelta) else real(value)
    if not (0 < number <= most or (or_none and number == 0)):
        raise ConfigurationError(f"{name}={shown(value)}: {advice}.")
    return number


def _of_words(value: str | dt.timedelta) -> int:
    return _of_text(value) if isinstance(value, str) else value // dt.timedelta(microseconds=1)


def _of_text(text: str) -> int:
    if len(text) > _LONGEST_TEXT or not _WHOLE.fullmatch(text):
        return _NONE
    return sum(int(number) * _UNITS[unit] for number, unit in _PART.findall(text))


def _of_number(value: object) -> int:
    number = real(value)
    return round(number * 1_000_000) if 0 < number <= _LONGEST_US / 1_000_000 else _NONE


def written(us: int) -> str:
    """Return a length of time as `duration_us` reads it."""
    parts = []
    for unit, length in _UNITS.items():
        number, us = divmod(us, length)
        if number:
            parts.append(f"{number}{unit}")
    return "".join(parts) or "0s"
