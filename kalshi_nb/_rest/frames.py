"""Answers as polars frames: prices in dollars, times in UTC, null where the exchange said nothing.

Every frame has its whole schema also when it is empty, and begins with what people look at.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from kalshi_nb._fixed_point import CONTRACT, COST_PARTS
from kalshi_nb._rest.bodies import counts, micro_dollars

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from kalshi_nb._rest.bodies import Event, Market, Number, Series

__all__ = ["MARKETS", "event_frame", "market_frame", "series_frame", "time_us"]

_TIME: Final = pl.Datetime("us", "UTC")
_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_US: Final = dt.timedelta(microseconds=1)

MARKETS: Final[dict[str, Any]] = {
    "market_ticker": pl.String,
    "title": pl.String,
    "subtitle": pl.String,
    "yes_bid": pl.Float64,
    "yes_ask": pl.Float64,
    "price": pl.Float64,
    "volume": pl.Float64,
    "close_time": _TIME,
    "status": pl.String,
    "spread": pl.Float64,
    "mid": pl.Float64,
    "yes_bid_size": pl.Float64,
    "yes_ask_size": pl.Float64,
    "volume_24h": pl.Float64,
    "open_interest": pl.Float64,
    "event_ticker": pl.String,
    "series_ticker": pl.String,
    "market_type": pl.String,
    "open_time": _TIME,
    "created_time": _TIME,
    "updated_time": _TIME,
    "expected_expiration_time": _TIME,
    "settlement_time": _TIME,
    "result": pl.String,
    "settlement_value": pl.Float64,
    "strike_type": pl.String,
    "floor_strike": pl.Float64,
    "cap_strike": pl.Float64,
    "can_close_early": pl.Boolean,
    "price_level_structure": pl.String,
    "is_multivariate": pl.Boolean,
    "rules": pl.String,
}
"""The columns of markets."""

_EVENTS: Final[dict[str, Any]] = {
    "event_ticker": pl.String,
    "title": pl.String,
    "subtitle": pl.String,
    "series_ticker": pl.String,
    "mutually_exclusive": pl.Boolean,
    "strike_date": _TIME,
    "strike_period": pl.String,
}

_SERIES: Final[dict[str, Any]] = {
    "series_ticker": pl.String,
    "title": pl.String,
    "category": pl.String,
    "tags": pl.List(pl.String),
    "frequency": pl.String,
    "fee_type": pl.String,
    "fee_multiplier": pl.Float64,
    "contract_url": pl.String,
}


def market_frame(markets: Iterable[Market], series_of: Mapping[str, str | None]) -> pl.DataFrame:
    """Return markets as a frame, those that close first in front.

    Parameters
    ----------
    markets : iterable of Market
        As they were answered.
    series_of : mapping of str to str
        The series of each event, as far as it is known: a market does not say, and its ticker does not tell.

    Raises
    ------
    RestBodyError
        When a price has to be rounded.
    """
    found = _frame((_market(each, series_of.get(each.event_ticker or "")) for each in markets), MARKETS)
    # Of one event by its strikes: what has no floor is below all others.
    order = ("close_time", "event_ticker", "floor_strike", "cap_strike", "market_ticker")
    return found.sort(order, nulls_last=[True, True, False, True, True])


def event_frame(events: Iterable[Event]) -> pl.DataFrame:
    """Return events as a frame, by ticker."""
    rows = (
        (
            each.event_ticker,
            each.title,
            each.sub_title,
            each.series_ticker,
            each.mutually_exclusive,
            time_us(each.strike_date),
            each.strike_period,
        )
        for each in events
    )
    return _frame(rows, _EVENTS).sort("event_ticker")


def series_frame(series: Iterable[Series]) -> pl.DataFrame:
    """Return series as a frame, by ticker."""
    rows = (
        (
            each.ticker,
            each.title,
            each.category,
            each.tags or [],
            each.frequency,
            each.fee_type,
            each.fee_multiplier,
            each.contract_url,
        )
        for each in series
    )
    return _frame(rows, _SERIES).sort("series_ticker")


def time_us(text: str | None) -> int | None:
    """Return a time of an answer in microseconds since 1970; None for none, and for what is no time.

    >>> time_us("2026-06-15T15:48:42.60323Z"), time_us("soon")
    (1781538522603230, None)
    """
    try:
        moment = dt.datetime.fromisoformat(text or "")
    except ValueError:
        return None
    aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=dt.UTC)
    return (aware - _EPOCH) // _US


def _market(market: Market, series_ticker: str | None) -> Sequence[Any]:
    bid, ask = micro_dollars(market.yes_bid_dollars), micro_dollars(market.yes_ask_dollars)
    # So the exchange writes that there is none; at 0 and at 1 dollar nobody can quote.
    bid = bid or None
    ask = ask if ask is not None and 0 < ask < COST_PARTS else None
    spread = mid = None
    if bid is not None and ask is not None:
        spread, mid = (ask - bid) / COST_PARTS, (ask + bid) / (2 * COST_PARTS)
    return (
        market.ticker,
        market.title,
        market.yes_sub_title,
        _dollars(bid),
        _dollars(ask),
        _dollars(micro_dollars(market.last_price_dollars) or None),
        _contracts(market.volume_fp),
        time_us(market.close_time),
        market.status,
        spread,
        mid,
        None if bid is None else _contracts(market.yes_bid_size_fp),
        None if ask is None else _contracts(market.yes_ask_size_fp),
        _contracts(market.volume_24h_fp),
        _contracts(market.open_interest_fp),
        market.event_ticker,
        series_ticker,
        market.market_type,
        time_us(market.open_time),
        time_us(market.created_time),
        time_us(market.updated_time),
        time_us(market.expected_expiration_time),
        time_us(market.settlement_ts),
        market.result or None,
        _dollars(micro_dollars(market.settlement_value_dollars)),
        market.strike_type,
        market.floor_strike,
        market.cap_strike,
        market.can_close_early,
        market.price_level_structure,
        market.mve_collection_ticker is not None,
        market.rules_primary,
    )


def _dollars(micros: int | None) -> float | None:
    return None if micros is None else micros / COST_PARTS


def _contracts(value: Number) -> float | None:
    units = counts(value)
    return None if units is None else units / CONTRACT


def _frame(rows: Iterable[Sequence[Any]], schema: dict[str, Any]) -> pl.DataFrame:
    columns = list(zip(*rows, strict=True)) or [()] * len(schema)
    return pl.DataFrame(
        [
            # Times are integers until here, and text that is none at all is null by now.
            pl.Series(name, values, dtype=pl.Int64 if dtype == _TIME else dtype, strict=True).cast(dtype)
            for (name, dtype), values in zip(schema.items(), columns, strict=True)
        ]
    )
