"""Moments as users write them: a datetime, a date, text as ISO 8601 has it, or seconds since 1970; UTC unless said."""

from __future__ import annotations

import datetime as dt
from email.utils import parsedate_to_datetime
from typing import Any, Final

from kalshi_nb._redaction import shown
from kalshi_nb._usage import real
from kalshi_nb.errors import ConfigurationError

__all__ = ["Moment", "datetime_of", "moment_us", "said_at"]

Moment = dt.datetime | dt.date | str | float
"""What users may write."""

_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_LAST_S: Final = 4_102_444_800  # the year 2100: later numbers are milliseconds, or nonsense
_FIRST: Final = dt.datetime.min.replace(tzinfo=dt.UTC)
_LAST: Final = dt.datetime.max.replace(tzinfo=dt.UTC)
_US: Final = dt.timedelta(microseconds=1)


def moment_us(name: str, value: Any) -> int:
    """Return a moment in microseconds since 1970.

    Parameters
    ----------
    name : str
        What the user calls it.
    value : datetime, date, str or real number
        A datetime; a date, for its midnight; text such as ``"2026-11-28T06:30:00Z"`` or ``"2026-11-28 06:30"``; or
        seconds since 1970. What names no zone is UTC.

    Raises
    ------
    ConfigurationError
        When it is none of these; it shows the form.
    """
    moment: dt.datetime | None = None
    if isinstance(value, dt.datetime):
        moment = value if value == value else None  # noqa: PLR0124  # pandas' NaT is a datetime, and is none
    elif isinstance(value, dt.date):
        moment = dt.datetime.combine(value, dt.time())
    elif isinstance(value, str) and len(value) <= 40:
        try:
            moment = dt.datetime.fromisoformat(value.strip())
        except ValueError:
            moment = None
    elif 0 <= (seconds := real(value)) <= _LAST_S:
        return round(seconds * 1e6)
    if moment is None:
        is_finer = _LAST_S < real(value) <= _LAST_S * 1e9
        raise ConfigurationError(
            f'{name}={shown(value)}: give a moment, as "2026-11-28T06:30:00Z" (UTC unless it says otherwise), a '
            "datetime, a date, or seconds since 1970."
            f"{' The number looks like milliseconds, or finer: divide it.' if is_finer else ''}"
        )
    aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=dt.UTC)
    return (aware - _EPOCH) // _US


def datetime_of(us: int) -> dt.datetime:
    """Return a moment as a datetime in UTC; one that no calendar has as the first or the last that it has.

    A computer's clock may be set to anything, and whoever asks how things are is not to be told by an OverflowError.
    """
    try:
        return _EPOCH + us * _US
    except OverflowError:
        return _LAST if us > 0 else _FIRST


def said_at(text: str | None) -> float | None:
    """Return the moment that a header of HTTP names, in seconds since 1970; None where it is none.

    The other end may write what it likes: two such headers in one, a day of twenty digits, nothing.
    """
    try:
        return parsedate_to_datetime(text).timestamp() if text else None
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
