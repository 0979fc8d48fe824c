"""What answers say of markets and events, for the registry that views read titles, strikes and times from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from kalshi_nb._fixed_point import COST_PARTS, DOLLAR
from kalshi_nb._rest.bodies import micro_dollars
from kalshi_nb._rest.frames import time_us
from kalshi_nb._rows.market_facts import PHASES, PriceRange
from kalshi_nb.errors import RestBodyError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kalshi_nb._markets.registry import MarketRegistry
    from kalshi_nb._rest.bodies import Event, Market, Number

__all__ = ["learn_events", "learn_markets"]

_UNIT = COST_PARTS // DOLLAR
"""The registry has prices in 1/10000 dollar."""


def learn_markets(registry: MarketRegistry, markets: Iterable[Market], at: int) -> None:
    """Have a registry take up what was answered of markets at a moment of the exchange's time."""
    for each in markets:
        facts = {
            "title": each.title or None,
            "subtitle": each.yes_sub_title or None,
            "strike_type": each.strike_type or None,
            "floor_strike": each.floor_strike,
            "cap_strike": each.cap_strike,
            "event_ticker": each.event_ticker or None,
            "open_time": time_us(each.open_time),
            "close_time": time_us(each.close_time),
            "price_level_structure": each.price_level_structure or None,
            "price_ranges": _ranges(each),
            "status": each.status if each.status in PHASES else None,
            "result": each.result or None,
            "settlement_value": _price(each.settlement_value_dollars),
            "settled_at": time_us(each.settlement_ts),
        }
        registry.update(each.ticker, at, facts)


def learn_events(registry: MarketRegistry, events: Iterable[Event], at: int) -> None:
    """Have a registry take up what was answered of events."""
    for each in events:
        facts: dict[str, Any] = {
            "title": each.title or None,
            "subtitle": each.sub_title or None,
            "series_ticker": each.series_ticker or None,
            "mutually_exclusive": each.mutually_exclusive,
        }
        registry.update_event(each.event_ticker, at, facts)


def _price(value: Number) -> int | None:
    """Return a price in 1/10000 dollar; None for one that is finer, and for what is none."""
    try:
        micros = micro_dollars(value)
    except RestBodyError:
        return None
    return None if micros is None or micros % _UNIT else micros // _UNIT


def _ranges(market: Market) -> tuple[PriceRange, ...] | None:
    """Return a grid of prices; None for one that makes no sense, or is finer than views have room for."""
    ends = [(_price(each.start), _price(each.end), _price(each.step)) for each in market.price_ranges or ()]
    if not ends or any(None in each for each in ends):
        return None
    found = tuple(PriceRange(*cast("tuple[int, int, int]", each)) for each in ends)
    return found if all(0 <= each.start < each.end and each.step > 0 for each in found) else None
