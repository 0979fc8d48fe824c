"""Rows of the engine to messages."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from typing import Any, Final

import msgspec

from kalshi_nb._fixed_point import COST_PARTS, COSTS, COUNTS, PRICES, VALUE_PARTS, contracts, dollars
from kalshi_nb._messages import communications as said
from kalshi_nb._messages import indices, lifecycle, market, private
from kalshi_nb._messages.quote import Quote, quote_of
from kalshi_nb._rows.quotes import QUOTES
from kalshi_nb._rows.rows import (
    LAYOUTS,
    EventRow,
    FeeUpdateRow,
    IndexListRow,
    Kind,
    Row,
    SnapshotRow,
    UnderlyingListRow,
    position,
)

__all__ = ["Message", "from_row", "from_rows"]

Message = (
    market.Trade
    | market.Ticker
    | market.OrderbookDelta
    | market.OrderbookSnapshot
    | lifecycle.MarketLifecycle
    | lifecycle.EventLifecycle
    | lifecycle.EventFeeUpdate
    | private.Fill
    | private.MarketPosition
    | private.UserOrder
    | private.OrderGroupUpdate
    | said.RfqCreated
    | said.RfqDeleted
    | said.QuoteCreated
    | said.QuoteAccepted
    | said.QuoteExecuted
    | said.RfqBatchCreated
    | said.RfqBatchDeleted
    | said.BatchQuoteCreated
    | said.RfqBatchBestQuotes
    | said.BatchQuoteAccepted
    | said.RfqBatchExecuted
    | said.BatchQuoteExecuted
    | indices.IndexValue
    | indices.IndexTick
    | indices.UnderlyingValue
    | indices.IndexList
    | indices.UnderlyingList
    | Quote
)

_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)

# Channels of one kind of message, whose fields are the columns.
_TYPES: Final[dict[str, type[Message]]] = {
    "trade": market.Trade,
    "ticker": market.Ticker,
    "orderbook_delta": market.OrderbookDelta,
    "fill": private.Fill,
    "market_positions": private.MarketPosition,
    "user_orders": private.UserOrder,
    "order_group_updates": private.OrderGroupUpdate,
    "market_lifecycle_v2": lifecycle.MarketLifecycle,
    "multivariate_market_lifecycle": lifecycle.MarketLifecycle,
    "cfbenchmarks_value": indices.IndexValue,
    "cfbenchmarks_value_5hz": indices.IndexTick,
    "pyth_value": indices.UnderlyingValue,
}
_SAID: Final[dict[str, type[Any]]] = {
    "rfq_created": said.RfqCreated,
    "rfq_deleted": said.RfqDeleted,
    "quote_created": said.QuoteCreated,
    "quote_accepted": said.QuoteAccepted,
    "quote_executed": said.QuoteExecuted,
    "rfq_batch_created": said.RfqBatchCreated,
    "rfq_batch_deleted": said.RfqBatchDeleted,
    "batch_quote_created": said.BatchQuoteCreated,
    "rfq_batch_best_quotes": said.RfqBatchBestQuotes,
    "batch_quote_accepted": said.BatchQuoteAccepted,
    "rfq_batch_executed": said.RfqBatchExecuted,
    "batch_quote_executed": said.BatchQuoteExecuted,
}
_NESTED: Final[dict[str, type]] = {
    "mve_selected_legs": said.Leg,
    "legs": said.Leg,
    "rfqs": said.BatchRfq,
    "quotes": said.BatchQuote,
}


def _time(microseconds: int) -> dt.datetime:
    return _EPOCH + dt.timedelta(microseconds=microseconds)


_CONVERSIONS: Final[dict[Kind, Callable[[int], Any]]] = {
    "time": _time,
    "price": dollars,
    "count": contracts,
    "cost": lambda units: units / COST_PARTS,
    "value": lambda units: units / VALUE_PARTS,
}

# Where in a row of each channel something has to be converted, and how.
_CONVERTED: Final[dict[str, tuple[tuple[int, Callable[[int], Any]], ...]]] = {
    channel: tuple((at, _CONVERSIONS[each.kind]) for at, each in enumerate(layout) if each.kind in _CONVERSIONS)
    for channel, layout in LAYOUTS.items()
}
_EVENT_AT: Final = position("communications", "event")
_SAID_AT: Final = {
    event: tuple((name, position("communications", name)) for name in kind.__struct_fields__)
    for event, kind in _SAID.items()
}


def _levels(pairs: tuple[tuple[int, int], ...]) -> tuple[tuple[float, float], ...]:
    return tuple((dollars(price), contracts(count)) for price, count in pairs)


def _other(row: Row) -> Message:
    if isinstance(row, SnapshotRow):
        levels = _levels(row.yes), _levels(row.no)
        return market.OrderbookSnapshot(_time(row.received_at), row.seq, row.market_ticker, *levels)
    if isinstance(row, EventRow):
        strike_date = None if row.strike_date is None else _time(row.strike_date)
        return lifecycle.EventLifecycle(
            *row[:5], strike_date, row.strike_period, _time(row.received_at), row.seq, row.exchange_index
        )
    if isinstance(row, FeeUpdateRow):
        return lifecycle.EventFeeUpdate(*row[:3], _time(row.received_at), row.seq)
    if isinstance(row, IndexListRow):
        return indices.IndexList(row.index_ids, _time(row.received_at), row.seq)
    if isinstance(row, UnderlyingListRow):
        return indices.UnderlyingList(row.underlying_tickers, _time(row.received_at), row.seq)
    raise TypeError(f"{type(row).__name__} is not a row that kalshi_nb._rows.rows defines")


def _nested(text: str | None, name: str) -> tuple[Any, ...]:
    """Return what a column with JSON holds, numbers as numbers."""
    found = msgspec.json.decode(text) if text else []
    kind = _NESTED.get(name)
    return tuple(found if kind is None else (kind(**_named(each)) for each in found))


def _named(found: dict[str, Any]) -> dict[str, Any]:
    named: dict[str, Any] = {}
    for name, value in found.items():
        if name.endswith("_fp"):
            named[name.removesuffix("_fp")] = contracts(COUNTS[value]) if value else None
        elif name in ("target_cost_dollars", "rfq_target_cost_dollars"):
            named["target_cost"] = COSTS[value] / COST_PARTS if value else None
        elif name.endswith("_dollars"):
            named[name.removesuffix("_dollars")] = dollars(PRICES[value]) if value else None
        elif name == "leg_indices":
            named[name] = tuple(value)
        else:
            named["rfq_id" if name == "id" else name] = value
    return named


def _said(event: str, values: list[Any]) -> Message:
    fields = (
        _nested(values[at], name) if name in _NESTED or name.endswith("rfq_ids") else values[at]
        for name, at in _SAID_AT[event]
    )
    found: Message = _SAID[event](*fields)
    return found


def from_row(channel: str, row: Row) -> Message:
    """Return the message that a row of `channel`, or of ``quotes``, holds."""
    if type(row) is not tuple:
        return _other(row)
    if channel == QUOTES:
        return quote_of(row)
    values = list(row)
    for at, convert in _CONVERTED[channel]:
        value = values[at]
        if value is not None:
            values[at] = convert(value)
    if channel == "communications":
        return _said(values[_EVENT_AT], values)
    return _TYPES[channel](*values)


def from_rows(channel: str, rows: Iterable[Row]) -> list[Message]:
    """Return the messages of some rows, in their order."""
    return [from_row(channel, row) for row in rows]
