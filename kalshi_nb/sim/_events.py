"""What happens on the simulated exchange, before it is put into frames.

Times are microseconds since the tape began, prices integers of 1/10000 dollar, quantities of 1/100 contract.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from kalshi_nb.sim._market import Market, Side

__all__ = ["Delta", "Event", "Lifecycle", "Quote", "Ticker", "Trade"]


class Delta(NamedTuple):
    """One level of one side changed by `quantity`; `clock` numbers the action that did it."""

    at: int
    market: Market
    clock: int
    side: Side
    price: int
    quantity: int


class Trade(NamedTuple):
    """`quantity` changed hands at `yes_price`; `taker` says which outcome the taker bought."""

    at: int
    market: Market
    trade_id: str
    yes_price: int
    quantity: int
    taker: Side


class Quote(NamedTuple):
    """What a ticker message says of a market; 0 is "none" for the bid and the last price, 10000 for the ask."""

    price: int
    yes_bid: int
    yes_ask: int
    volume: int
    open_interest: int
    yes_bid_size: int
    yes_ask_size: int
    last_trade_size: int


class Ticker(NamedTuple):
    """A market's quote has changed since its last ticker."""

    at: int
    market: Market
    quote: Quote


class Lifecycle(NamedTuple):
    """A market was paused, resumed, or got another closing time (`closes_at`, as `at` is)."""

    at: int
    market: Market
    event_type: str
    is_deactivated: bool | None = None
    closes_at: int | None = None


Event = Delta | Trade | Ticker | Lifecycle
