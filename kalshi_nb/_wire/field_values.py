"""One field's value on the wire to one column's value in a row: exact, or refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from math import isfinite
from typing import Any, Final

import msgspec

from kalshi_nb._fixed_point import COSTS, COUNTS, DOLLAR, LARGEST, PRICES, VALUES, FixedPoint
from kalshi_nb._rows.columns import Column, Kind
from kalshi_nb.errors import WireError

__all__ = [
    "AHEAD",
    "CONTRACT_PRICES",
    "FIRST",
    "MATCHED_COUNTS",
    "QUOTED_COUNTS",
    "FarTime",
    "converter",
    "json_text",
    "milliseconds",
    "near",
    "price_or_none",
    "seconds",
    "sent_at",
    "stamp",
]

LAST_MS: Final = 4_102_444_800_000  # the year 2100: a message's own later stamps are nonsense
_CALENDAR_MS: Final = 253_402_300_799_999  # other times may lie far ahead: orders say "never" by the calendar's end

FIRST: Final = 1_609_459_200_000_000
"""The earliest time that a message can have, in microseconds: the beginning of 2021, the year Kalshi opened."""

AHEAD: Final = 7 * 86_400_000_000
"""Microseconds by which the time of a message may lie after it was received."""

_LONGEST_JSON: Final = 100_000
"""Characters of the longest JSON that a row keeps."""

_encode = msgspec.json.Encoder().encode


class FarTime(WireError):  # noqa: N818  # an odd field, and never raised at a user
    """A message's own time that is far from when it was received; its row stands by that instead.

    A message says when it was sent, so that the receipt follows by seconds. Allowed is any time since Kalshi opened,
    in 2021, for somebody may play an old day again, and up to a week after the receipt, for clocks may be set wrongly.
    Beyond that it is a wrong unit or nonsense, and one row of 1970 or 2099 would stretch all that goes by time. Other
    times, such as when a market closes or an order expires, may lie anywhere.
    """


class _Within(FixedPoint):
    """Decimals that mean something only between two bounds, and are refused outside; it costs what a look-up does."""

    __slots__ = ("_least", "_most_units", "_what")

    def __init__(self, decimals: int, what: str, least: int, most: int = LARGEST) -> None:
        super().__init__(decimals)
        self._what = what
        self._least = least
        self._most_units = most

    def __missing__(self, text: str) -> int:
        units = super().__missing__(text)
        if not self._least <= units <= self._most_units:
            self.pop(text, None)
            raise WireError(self._what.format(text[:40]))
        return units


MATCHED_COUNTS: Final = _Within(2, "a match of {!r} contracts", 1)
"""Contracts that changed hands: more than none."""

CONTRACT_PRICES: Final = _Within(4, "a price of {!r} dollars", 0, DOLLAR)
"""Prices of contracts: from 0 to 1 dollar."""

QUOTED_COUNTS: Final = _Within(2, "{!r} contracts", 0)
"""Contracts that rest, were traded or are open: none or more."""


def milliseconds(stamp: int, last: int = LAST_MS) -> int:
    """Return milliseconds as microseconds."""
    if not 0 < stamp < last:
        raise WireError(f"a time stamp of {stamp} ms")
    return stamp * 1000


def seconds(stamp: int | None) -> int | None:
    """Return seconds as microseconds, and 0, by which a time that there is not may be written, as None."""
    return milliseconds(stamp * 1000, _CALENDAR_MS) if stamp else None


def stamp(ts_ms: int | None, ts: int | str | None, last: int = LAST_MS) -> int | None:
    """Return microseconds; the deprecated ``ts`` counts only where ``ts_ms`` is missing."""
    if ts_ms is not None:
        return milliseconds(ts_ms, last)
    if ts is None:
        return None
    if isinstance(ts, int):
        return milliseconds(ts * 1000, last)
    try:
        moment = datetime.fromisoformat(ts)
    except ValueError:
        raise WireError(f"a time stamp of {ts[:40]!r}") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    whole = moment.replace(microsecond=0).timestamp()
    return milliseconds(int(whole) * 1000, last) + moment.microsecond


def near(at: int, received_at: int) -> int:
    """Return the time of a message, both in microseconds, or refuse it as far from when it was received."""
    # A computer whose own clock was never set cannot judge.
    if at >= FIRST and (at < received_at + AHEAD or received_at < FIRST):
        return at
    days = (at - received_at) / 86_400e6
    raise FarTime(f"a time {abs(days):,.0f} days {'ahead of' if days > 0 else 'before'} when it was received")


def sent_at(ts_ms: int | None, ts: int | str | None, received_at: int) -> int:
    """Return when a message was sent, in microseconds: when it was received, where it does not say."""
    at = stamp(ts_ms, ts)
    return received_at if at is None else near(at, received_at)


def price_or_none(text: str | None) -> int | None:
    """Return a price, or None for the empty text of old tickers."""
    return PRICES[text] if text else None


def json_text(value: Any) -> str:
    """Return `value` as JSON; what cannot be kept is refused."""
    try:
        text = _encode(value).decode()
    except (RecursionError, OverflowError, msgspec.MsgspecError) as refusal:
        raise WireError(f"metadata that cannot be kept: {refusal}") from None
    if len(text) > _LONGEST_JSON:
        raise WireError(f"metadata of {len(text):,} characters")
    return text


def _number(known: FixedPoint, *, needed: bool) -> Callable[[str], int | None]:
    return known.__getitem__ if needed else lambda text: known[text] if text else None


def _time(last: int, *, in_seconds: bool) -> Callable[[int | str], int | None]:
    def convert(value: int | str) -> int | None:
        # A zero, or an empty text, is how a time that there is not may be written.
        if not value:
            return None
        if in_seconds or isinstance(value, str):
            return stamp(None, value, last)
        return milliseconds(value, last)

    return convert


def _same(value: Any) -> Any:
    return value


def _finite(value: float) -> float:
    if not isfinite(value):
        raise WireError(f"a number that is {value}")
    return value


def _word(value: str) -> str | None:
    return value or None


_NUMBERS: Final[dict[Kind, FixedPoint]] = {"price": PRICES, "count": COUNTS, "cost": COSTS, "value": VALUES}
_OTHERS: Final[dict[Kind, Callable[[Any], Any]]] = {
    "outcome": _word,
    "book": _word,
    "number": _finite,
    "json": json_text,
}
_IN_SECONDS: Final = frozenset({"ts", "strike_date"})


def converter(
    column: Column, field: str = "", number: FixedPoint | None = None, *, needed: bool = False
) -> Callable[[Any], Any]:
    """Return what makes a column's value of a field's.

    Parameters
    ----------
    column : Column
        The column. ``ts`` is when something happened, which is never far ahead; other times may be.
    field : str
        The field's name: integer times are in milliseconds, but for those in ``ts`` and ``strike_date``.
    number : FixedPoint, optional
        What reads its decimals, where that is not told by the kind of the column alone.
    needed : bool
        Whether there is no row without it: an empty text, which elsewhere is none, is refused then.
    """
    if column.kind == "time":
        return _time(LAST_MS if column.name == "ts" else _CALENDAR_MS, in_seconds=field in _IN_SECONDS)
    known = _NUMBERS.get(column.kind) if number is None else number
    if known is not None:
        return _number(known, needed=needed)
    return _OTHERS.get(column.kind, _same)
