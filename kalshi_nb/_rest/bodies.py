"""The exchange's answers, as far as anybody here reads them.

Every field may be missing, and fields that are not here are passed over: keys come and go every few weeks. The list
that an answer is about may be null, but not missing: of a page that has none, nobody could say that there is nothing.
Names are those of the bodies. Money is text of up to six decimals, and becomes an exact integer of 1/1000000 dollar.

Source: ``Series``, ``Event``, ``Market`` and ``Trade`` of Kalshi's REST specification, 3.34.
"""

from __future__ import annotations

import msgspec

from kalshi_nb._fixed_point import COSTS, COUNTS, PRICES
from kalshi_nb._wire.field_types import Integer
from kalshi_nb._wire.field_values import CONTRACT_PRICES, MATCHED_COUNTS, QUOTED_COUNTS
from kalshi_nb.errors import RestBodyError, WireError

__all__ = [
    "Candle",
    "CandlesBody",
    "CutoffBody",
    "Event",
    "EventBody",
    "EventsBody",
    "LimitsBody",
    "Market",
    "MarketBody",
    "MarketCandles",
    "MarketsBody",
    "MarketsCandlesBody",
    "Number",
    "Prices",
    "Series",
    "SeriesListBody",
    "TagsBody",
    "Trade",
    "TradesBody",
    "contract_price",
    "counts",
    "matched",
    "micro_dollars",
    "prices",
    "quoted",
]

Number = str | int | float | None
"""Money or contracts: text, as the exchange writes it; a number is taken, too, where it is exact."""


class Range(msgspec.Struct):
    """A band of prices with one tick."""

    start: Number = None
    end: Number = None
    step: Number = None


class Market(msgspec.Struct, kw_only=True):
    """A market."""

    ticker: str
    event_ticker: str | None = None
    market_type: str | None = None
    title: str | None = None
    yes_sub_title: str | None = None
    no_sub_title: str | None = None
    created_time: str | None = None
    updated_time: str | None = None
    open_time: str | None = None
    close_time: str | None = None
    expected_expiration_time: str | None = None
    settlement_ts: str | None = None
    status: str | None = None
    result: str | None = None
    yes_bid_dollars: Number = None
    yes_ask_dollars: Number = None
    yes_bid_size_fp: Number = None
    yes_ask_size_fp: Number = None
    last_price_dollars: Number = None
    volume_fp: Number = None
    volume_24h_fp: Number = None
    open_interest_fp: Number = None
    settlement_value_dollars: Number = None
    can_close_early: bool | None = None
    strike_type: str | None = None
    floor_strike: float | None = None
    cap_strike: float | None = None
    rules_primary: str | None = None
    price_level_structure: str | None = None
    price_ranges: list[Range] | None = None
    mve_collection_ticker: str | None = None


class Event(msgspec.Struct, kw_only=True):
    """An event; `markets` where they were asked for and it has any that are not over."""

    event_ticker: str
    series_ticker: str | None = None
    title: str | None = None
    sub_title: str | None = None
    mutually_exclusive: bool | None = None
    strike_date: str | None = None
    strike_period: str | None = None
    markets: list[Market] | None = None


class Series(msgspec.Struct, kw_only=True):
    """A series."""

    ticker: str
    title: str | None = None
    category: str | None = None
    categories: list[str] | None = None
    tags: list[str] | None = None
    frequency: str | None = None
    fee_type: str | None = None
    fee_multiplier: float | None = None
    contract_url: str | None = None


class Trade(msgspec.Struct, kw_only=True):
    """A trade."""

    trade_id: str
    ticker: str | None = None
    count_fp: Number = None
    yes_price_dollars: Number = None
    no_price_dollars: Number = None
    taker_outcome_side: str | None = None
    taker_book_side: str | None = None
    is_block_trade: bool | None = None
    created_time: str | None = None


class SeriesListBody(msgspec.Struct):
    """All series."""

    series: list[Series] | None


class EventsBody(msgspec.Struct):
    """A page of events."""

    events: list[Event] | None
    cursor: str | None = None


class EventBody(msgspec.Struct):
    """One event."""

    event: Event
    markets: list[Market] | None = None


class ThereBody(msgspec.Struct):
    """Something that is there, whatever is said of it."""


class MarketsBody(msgspec.Struct):
    """A page of markets."""

    markets: list[Market] | None
    cursor: str | None = None


class MarketBody(msgspec.Struct):
    """One market."""

    market: Market


class TradesBody(msgspec.Struct):
    """A page of trades."""

    trades: list[Trade] | None
    cursor: str | None = None


class Prices(msgspec.Struct, kw_only=True):
    """Open, high, low and close of a candle's prices; those of the historical tier have shorter names."""

    open_dollars: Number = None
    high_dollars: Number = None
    low_dollars: Number = None
    close_dollars: Number = None
    open: Number = None
    high: Number = None
    low: Number = None
    close: Number = None


class Candle(msgspec.Struct, kw_only=True):
    """A candlestick, of either tier."""

    end_period_ts: Integer
    price: Prices | None = None
    yes_bid: Prices | None = None
    yes_ask: Prices | None = None
    volume_fp: Number = None
    open_interest_fp: Number = None
    volume: Number = None
    open_interest: Number = None


class CandlesBody(msgspec.Struct):
    """The candles of one market."""

    candlesticks: list[Candle] | None


class MarketCandles(msgspec.Struct):
    """The candles of one market of several."""

    market_ticker: str
    candlesticks: list[Candle] | None


class MarketsCandlesBody(msgspec.Struct):
    """The candles of several markets."""

    markets: list[MarketCandles] | None


class CutoffBody(msgspec.Struct):
    """Before when what has happened is in the historical tier."""

    market_settled_ts: str | None = None
    trades_created_ts: str | None = None


class TagsBody(msgspec.Struct):
    """All categories, with their tags."""

    tags_by_categories: dict[str, list[str] | None] | None = None


class Rate(msgspec.Struct):
    """A budget of tokens."""

    refill_rate: float = 0.0


class LimitsBody(msgspec.Struct):
    """How much one's key is allowed."""

    read: Rate


def micro_dollars(value: Number) -> int | None:
    """Return money in 1/1000000 dollar; None for none.

    >>> micro_dollars("0.4700"), micro_dollars("0.123456"), micro_dollars(None)
    (470000, 123456, None)

    Raises
    ------
    RestBodyError
        When it is no number, or would have to be rounded.
    """
    return _exact(value, COSTS)


def counts(value: Number) -> int | None:
    """Return contracts in 1/100; None for none. Errors as of :func:`micro_dollars`."""
    return _exact(value, COUNTS)


def prices(value: Number) -> int | None:
    """Return a price in 1/10000 dollar; None for none. Errors as of :func:`micro_dollars`."""
    return _exact(value, PRICES)


def contract_price(value: Number) -> int | None:
    """Return the price of a contract in 1/10000 dollar, from 0 to 1 dollar; as :func:`prices`."""
    return _exact(value, CONTRACT_PRICES)


def matched(value: Number) -> int | None:
    """Return contracts that changed hands in 1/100, more than none; as :func:`counts`."""
    return _exact(value, MATCHED_COUNTS)


def quoted(value: Number) -> int | None:
    """Return contracts that rest or were filled in 1/100, none or more; as :func:`counts`."""
    return _exact(value, QUOTED_COUNTS)


def _exact(value: Number, units: dict[str, int]) -> int | None:
    if value is None or value == "":
        return None
    try:
        return units[value if isinstance(value, str) else repr(value)]
    except WireError as problem:
        raise RestBodyError(
            f"A number in the answer cannot be taken exactly: {problem}. Nothing is rounded here; please report it."
        ) from problem
