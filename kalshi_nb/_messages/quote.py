"""Quotes as ``feed.messages("quotes")`` and ``feed.on("quotes")`` give them."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

import msgspec

from kalshi_nb._rows.quotes import LAYOUT, QuoteKind
from kalshi_nb._rows.rows import Row

__all__ = ["Quote", "quote_of"]

_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_PARTS: Final[dict[QuoteKind, int]] = {"price": 10_000, "midpoint": 20_000, "count": 100}


class Quote(msgspec.Struct, frozen=True, gc=False):
    """Best bid and best ask of one market, in YES prices, with the contracts that rest there.

    A side without orders is None. All but `market_ticker`, `received_at` and `status` is None where `status`
    is not ``"live"``: the book is not to be trusted then.
    """

    ts: dt.datetime | None
    market_ticker: str
    bid: float | None
    bid_size: float | None
    ask: float | None
    ask_size: float | None
    mid: float | None
    spread: float | None
    received_at: dt.datetime
    seq: int | None
    status: str


def _value(value: Any, kind: QuoteKind) -> Any:
    if value is None:
        return None
    if kind == "time":
        return _EPOCH + dt.timedelta(microseconds=value)
    parts = _PARTS.get(kind)
    return value if parts is None else value / parts


def quote_of(row: Row) -> Quote:
    """Return the quote that a row holds."""
    return Quote(*(_value(value, each.kind) for value, each in zip(row, LAYOUT, strict=True)))
