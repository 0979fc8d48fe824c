"""Messages as ``feed.messages()`` and ``feed.on()`` give them: numbers and times, not wire strings.

Fields are named as the columns of the frames. Prices are dollars, counts are contracts, both floats made
by one division from exact integers; times are in UTC. None is what the exchange writes as "none".
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from typing import Any, Final, Literal

import msgspec

from kalshi_nb._wire.rows import LAYOUTS, EventRow, FeeUpdateRow, Kind, Row, SnapshotRow

__all__ = [
    "EventFeeUpdate",
    "EventLifecycle",
    "MarketLifecycle",
    "Message",
    "OrderbookDelta",
    "OrderbookSnapshot",
    "Ticker",
    "Trade",
    "from_row",
    "from_rows",
]


class Trade(msgspec.Struct, frozen=True, gc=False):
    """One public trade."""

    ts: dt.datetime
    market_ticker: str
    yes_price: float
    count: float
    taker_outcome_side: Literal["yes", "no"] | None
    taker_book_side: Literal["bid", "ask"] | None
    no_price: float
    is_block_trade: bool | None
    trade_id: str
    received_at: dt.datetime
    seq: int | None


class Ticker(msgspec.Struct, frozen=True, gc=False):
    """One market's last price, best bid and ask, volume and open interest.

    `dollar_volume` and `dollar_open_interest` are whole dollars.
    """

    ts: dt.datetime
    market_ticker: str
    price: float | None
    yes_bid: float | None
    yes_ask: float | None
    volume: float | None
    open_interest: float | None
    yes_bid_size: float | None
    yes_ask_size: float | None
    last_trade_size: float | None
    dollar_volume: int | None
    dollar_open_interest: int | None
    received_at: dt.datetime


class OrderbookDelta(msgspec.Struct, frozen=True, gc=False):
    """A change of one level: `delta` contracts more, or fewer where it is negative.

    `price` is a price of `side`: a NO price where `side` is ``"no"``.
    """

    ts: dt.datetime | None
    market_ticker: str
    side: Literal["yes", "no"]
    price: float
    delta: float
    client_order_id: str | None
    received_at: dt.datetime
    seq: int | None


class OrderbookSnapshot(msgspec.Struct, frozen=True):
    """A whole book: the resting bids of each side as pairs of price and count, best first.

    Those of `no` are in NO prices.
    """

    received_at: dt.datetime
    seq: int | None
    market_ticker: str
    yes: tuple[tuple[float, float], ...]
    no: tuple[tuple[float, float], ...]


class MarketLifecycle(msgspec.Struct, frozen=True, gc=False):
    """Something that happened to a market, named by `event_type`; fields of other happenings are None.

    `metadata` is JSON text.
    """

    ts: dt.datetime | None
    market_ticker: str
    event_type: str
    result: str | None
    settlement_value: float | None
    close_ts: dt.datetime | None
    is_deactivated: bool | None
    event_ticker: str | None
    open_ts: dt.datetime | None
    determination_ts: dt.datetime | None
    settled_ts: dt.datetime | None
    price_level_structure: str | None
    metadata: str | None
    received_at: dt.datetime
    seq: int | None


class EventLifecycle(msgspec.Struct, frozen=True, gc=False):
    """A new event, on the channel ``market_lifecycle_v2``."""

    event_ticker: str
    series_ticker: str | None
    title: str | None
    subtitle: str | None
    collateral_return_type: str | None
    strike_date: dt.datetime | None
    strike_period: str | None
    received_at: dt.datetime
    seq: int | None


class EventFeeUpdate(msgspec.Struct, frozen=True, gc=False):
    """Another fee for an event, on the channel ``market_lifecycle_v2``; None is an override cleared."""

    event_ticker: str
    fee_type_override: str | None
    fee_multiplier_override: float | None
    received_at: dt.datetime
    seq: int | None


Message = Trade | Ticker | OrderbookDelta | OrderbookSnapshot | MarketLifecycle | EventLifecycle | EventFeeUpdate

_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)

_TYPES: Final[dict[str, type[Message]]] = {
    "trade": Trade,
    "ticker": Ticker,
    "orderbook_delta": OrderbookDelta,
    "market_lifecycle_v2": MarketLifecycle,
}


def _time(microseconds: int) -> dt.datetime:
    return _EPOCH + dt.timedelta(microseconds=microseconds)


def _dollars(price: int) -> float:
    return price / 10_000


def _contracts(count: int) -> float:
    return count / 100


_CONVERSIONS: Final[dict[Kind, Callable[[int], Any]]] = {
    "time": _time,
    "price": _dollars,
    "count": _contracts,
}

# Where in a row of each channel something has to be converted, and how.
_CONVERTED: Final[dict[str, tuple[tuple[int, Callable[[int], Any]], ...]]] = {
    channel: tuple((at, _CONVERSIONS[each.kind]) for at, each in enumerate(layout) if each.kind in _CONVERSIONS)
    for channel, layout in LAYOUTS.items()
}


def _levels(pairs: tuple[tuple[int, int], ...]) -> tuple[tuple[float, float], ...]:
    return tuple((_dollars(price), _contracts(count)) for price, count in pairs)


def _other(row: Row) -> Message:
    if isinstance(row, SnapshotRow):
        return OrderbookSnapshot(_time(row.received_at), row.seq, row.market_ticker, _levels(row.yes), _levels(row.no))
    if isinstance(row, EventRow):
        strike_date = None if row.strike_date is None else _time(row.strike_date)
        return EventLifecycle(*row[:5], strike_date, row.strike_period, _time(row.received_at), row.seq)
    if isinstance(row, FeeUpdateRow):
        return EventFeeUpdate(*row[:3], _time(row.received_at), row.seq)
    raise TypeError(f"{type(row).__name__} is not a row that kalshi_nb._wire.rows defines")


def from_row(channel: str, row: Row) -> Message:
    """Return the message that a row of `channel` holds."""
    if type(row) is not tuple:
        return _other(row)
    values = list(row)
    for at, convert in _CONVERTED[channel]:
        value = values[at]
        if value is not None:
            values[at] = convert(value)
    return _TYPES[channel](*values)


def from_rows(channel: str, rows: Iterable[Row]) -> list[Message]:
    """Return the messages of some rows, in their order."""
    return [from_row(channel, row) for row in rows]
