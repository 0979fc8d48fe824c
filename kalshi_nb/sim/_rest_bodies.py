"""What the simulated exchange answers over REST: objects with Kalshi's names, and their text.

Numbers of money and contracts are strings, keys stand in alphabetical order, and no newline ends a body. Nothing is
shared with the client's reading.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from kalshi_nb.sim import _frames
from kalshi_nb.sim._market import WHOLE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kalshi_nb.sim._calendar import Listing
    from kalshi_nb.sim._events import Quote
    from kalshi_nb.sim._market import ListedEvent
    from kalshi_nb.sim._rest_catalogue import ListedSeries
    from kalshi_nb.sim._rest_ledger import Dealt

__all__ = [
    "CLOSED",
    "LIMITS",
    "NOBODY",
    "OPEN",
    "SCHEDULE",
    "body",
    "book_object",
    "created_us",
    "event_object",
    "is_multivariate",
    "market_object",
    "series_object",
    "status_of",
    "time_text",
    "trade_object",
]

_MADE_BEFORE_US: Final = 1_626_661_347
"""So long before it opens a market is made; all those of an event at one moment."""
_WEEK_US: Final = 7 * 24 * 3_600 * 1_000_000

NOBODY: Final[tuple[int, ...]] = (0, 0, WHOLE, 0, 0, 0, 0, 0)
"""The quote of a market that nobody traded and in which nobody quotes."""

_ALL_DAY: Final = [{"open_time": "00:00", "close_time": "24:00"}]
_DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
SCHEDULE: Final[dict[str, Any]] = {
    "standard_hours": [
        {"start_time": "2021-07-01T00:00:00Z", "end_time": "2099-01-01T00:00:00Z", **dict.fromkeys(_DAYS, _ALL_DAY)}
    ],
    "maintenance_windows": [],
}
"""When it is open, in the time of New York: always, since nobody maintains it."""

OPEN: Final[dict[str, Any]] = {"exchange_active": True, "trading_active": True}
CLOSED: Final[dict[str, Any]] = dict.fromkeys(OPEN, False)
LIMITS: Final[dict[str, Any]] = {
    "usage_tier": "basic",
    "read": {"refill_rate": 200, "bucket_capacity": 200},
    "write": {"refill_rate": 100, "bucket_capacity": 100},
}


def body(found: dict[str, Any]) -> bytes:
    """Write an answer."""
    return json.dumps(found, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _plain(text: str) -> str:
    return text.strip('"')


def _dollars(price: int) -> str:
    return _plain(_frames.dollars(price))


def _contracts(count: int) -> str:
    return _plain(_frames.contracts(count))


def time_text(time_us: int) -> str:
    """Write a moment."""
    return _plain(_frames.rfc3339(time_us))


def is_multivariate(listing: Listing) -> bool:
    """Tell whether a market combines others."""
    return listing.market.series_ticker.startswith("KXMVE")


def created_us(listing: Listing) -> int:
    """Return when a market was made."""
    return max(0, listing.open_us - _MADE_BEFORE_US)


def status_of(listing: Listing, now_us: int) -> str:
    """Return how far a market has come, in the words of answers."""
    if listing.status in ("active", "inactive") and now_us >= listing.close_us:
        return "closed"
    return "initialized" if now_us < listing.open_us else listing.status


def market_object(listing: Listing, quote: Quote | tuple[int, ...], now_us: int) -> dict[str, Any]:
    """Return one market as it is now."""
    market = listing.market
    price, bid, ask, volume, open_interest, bid_size, ask_size, _ = quote
    made_us = created_us(listing)
    later_us = listing.close_us + _WEEK_US
    found: dict[str, Any] = {
        "ticker": market.ticker,
        "event_ticker": market.event_ticker,
        "market_type": "binary",
        "title": market.title,
        "yes_sub_title": market.subtitle,
        "no_sub_title": market.subtitle,
        "created_time": time_text(made_us),
        "updated_time": time_text(max(made_us + 126, listing.determined_us or 0, listing.settled_us or 0)),
        "open_time": time_text(listing.open_us),
        "close_time": time_text(listing.close_us),
        "expected_expiration_time": time_text(listing.close_us),
        "expiration_time": time_text(later_us),
        "latest_expiration_time": time_text(later_us),
        "settlement_timer_seconds": 300,
        "status": status_of(listing, now_us),
        "yes_bid_dollars": _dollars(bid),
        "yes_bid_size_fp": _contracts(bid_size),
        "yes_ask_dollars": _dollars(ask),
        "yes_ask_size_fp": _contracts(ask_size),
        "no_bid_dollars": _dollars(WHOLE - ask),
        "no_ask_dollars": _dollars(WHOLE - bid),
        "last_price_dollars": _dollars(price),
        "volume_fp": _contracts(volume),
        "volume_24h_fp": _contracts(volume),
        "open_interest_fp": _contracts(open_interest),
        "result": listing.result or "",
        "can_close_early": True,
        "notional_value_dollars": _dollars(WHOLE),
        "previous_yes_bid_dollars": _dollars(0),
        "previous_yes_ask_dollars": _dollars(0),
        "previous_price_dollars": _dollars(0),
        "settlement_bounds_type": "default",
        "expiration_value": "",
        "occurrence_datetime": None,
        "strike_type": market.strike_type,
        "rules_primary": f"If so, the market resolves to Yes: {market.title}",
        "rules_secondary": "",
        "price_level_structure": market.price_level_structure,
        "price_ranges": [
            {"start": _dollars(start), "end": _dollars(end), "step": _dollars(step)}
            for start, end, step in market.price_ranges
        ],
        "exchange_index": 0,
    }
    for name, strike in (("floor_strike", market.floor_strike), ("cap_strike", market.cap_strike)):
        if strike is not None:
            found[name] = int(strike) if strike == int(strike) else strike
    if listing.settlement_value is not None:
        found["settlement_value_dollars"] = _dollars(listing.settlement_value)
    if listing.settled_us is not None:
        found["settlement_ts"] = time_text(listing.settled_us)
    if is_multivariate(listing):
        found["mve_collection_ticker"] = "KXMVESPORTS-R"
        found["mve_selected_legs"] = []
    return found


def event_object(event: ListedEvent, category: str) -> dict[str, Any]:
    """Return one event, without its markets."""
    return {
        "event_ticker": event.ticker,
        "series_ticker": event.series_ticker,
        "title": event.title,
        "sub_title": event.subtitle,
        "collateral_return_type": "MECNET" if event.mutually_exclusive else "",
        "mutually_exclusive": event.mutually_exclusive,
        "category": category,
        "settlement_sources": None,
        "exchange_index": 0,
    }


def series_object(series: ListedSeries, volume: int | None) -> dict[str, Any]:
    """Return one series; `volume` in 1/100 contract where that was asked for."""
    found: dict[str, Any] = {
        "ticker": series.ticker,
        "frequency": series.frequency,
        "title": series.title,
        "category": series.category,
        "categories": [series.category],
        "tags": list(series.tags),
        "settlement_sources": None,
        "contract_url": "",
        "contract_terms_url": "",
        "fee_type": "quadratic",
        "fee_multiplier": 1,
        "additional_prohibitions": None,
    }
    if volume is not None:
        found["volume_fp"] = _contracts(volume)
    return found


def trade_object(dealt: Dealt) -> dict[str, Any]:
    """Return one trade."""
    trade = dealt.trade
    return {
        "trade_id": trade.trade_id,
        "ticker": trade.market.ticker,
        "count_fp": _contracts(trade.quantity),
        "yes_price_dollars": _dollars(trade.yes_price),
        "no_price_dollars": _dollars(WHOLE - trade.yes_price),
        "taker_side": trade.taker,
        "taker_outcome_side": trade.taker,
        "taker_book_side": "bid" if trade.taker == "yes" else "ask",
        "is_block_trade": False,
        "created_time": time_text(dealt.time_us),
    }


def book_object(yes: Sequence[tuple[int, int]], no: Sequence[tuple[int, int]], depth: int) -> dict[str, Any]:
    """Return a book: both sides ascending, best last; the best `depth` levels of each, all where it is 0."""
    sides = {"yes_dollars": yes, "no_dollars": no}
    return {
        name: [[_dollars(price), _contracts(count)] for price, count in (levels[-depth:] if depth else levels)]
        for name, levels in sides.items()
    }
