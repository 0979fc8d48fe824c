"""One field's value on the wire to one column's value in a row: exact, or refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from kalshi_nb._fixed_point import COSTS, COUNTS, PRICES, VALUES, FixedPoint
from kalshi_nb._rows.columns import Kind
from kalshi_nb.errors import WireError

__all__ = ["LAST_MS", "converter", "json_text", "milliseconds", "price_or_none", "seconds", "stamp"]

LAST_MS: Final = 4_102_444_800_000  # the year 2100: later stamps are nonsense, and would overflow further up
_LAST_EXPIRY_MS: Final = 253_402_300_799_999  # orders may say "never" by the end of the calendar
_encode = msgspec.json.Encoder().encode


def milliseconds(stamp: int, last: int = LAST_MS) -> int:
    """Return milliseconds as microseconds."""
    if not 0 < stamp < last:
        raise WireError(f"a time stamp of {stamp} ms")
    return stamp * 1000


def seconds(stamp: int | None) -> int | None:
    """Return seconds as microseconds."""
    return None if stamp is None else milliseconds(stamp * 1000)


def stamp(ts_ms: int | None, ts: int | str | None) -> int | None:
    """Return microseconds; the deprecated ``ts`` counts only where ``ts_ms`` is missing."""
    if ts_ms is not None:
        return milliseconds(ts_ms)
    if ts is None:
        return None
    if isinstance(ts, int):
        return milliseconds(ts * 1000)
    try:
        moment = datetime.fromisoformat(ts)
    except ValueError:
        raise WireError(f"a time stamp of {ts[:40]!r}") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    whole = moment.replace(microsecond=0).timestamp()
    return milliseconds(int(whole) * 1000) + moment.microsecond


def price_or_none(text: str | None) -> int | None:
    """Return a price, or None for the empty text of old tickers."""
    return PRICES[text] if text else None


def json_text(value: Any) -> str:
    """Return `value` as JSON; what cannot be kept is refused."""
    try:
        return _encode(value).decode()
    except (RecursionError, OverflowError, msgspec.MsgspecError) as refusal:
        raise WireError(f"metadata that cannot be kept: {refusal}") from None


def _number(known: FixedPoint) -> Callable[[str], int | None]:
    return lambda text: known[text] if text else None


def _time(value: int | str) -> int | None:
    # A zero, or an empty text, is how a time that there is not may be written.
    if not value:
        return None
    return milliseconds(value) if isinstance(value, int) else stamp(None, value)


def _expiry(value: int | str) -> int | None:
    return milliseconds(value, _LAST_EXPIRY_MS) if value and isinstance(value, int) else _time(value)


def _same(value: Any) -> Any:
    return value


_CONVERTERS: Final[dict[Kind, Callable[[Any], Any]]] = {
    "price": _number(PRICES),
    "count": _number(COUNTS),
    "cost": _number(COSTS),
    "value": _number(VALUES),
    "time": _time,
    "json": json_text,
}


def converter(kind: Kind, column: str) -> Callable[[Any], Any]:
    """Return what makes a column's value of a field's; integer times are in milliseconds."""
    if kind == "time" and column.startswith("expiration"):
        return _expiry
    return _CONVERTERS.get(kind, _same)
