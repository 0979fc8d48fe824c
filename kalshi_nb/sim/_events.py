"""What happens on the simulated exchange, before it is put into frames.

Times are microseconds since the tape began, prices integers of 1/10000 dollar, quantities of 1/100 contract, costs
of 1/1000000 dollar.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from kalshi_nb.sim._market import Market, Side

__all__ = [
    "Delta",
    "Event",
    "Fill",
    "Lifecycle",
    "OrderState",
    "OrderUpdate",
    "PositionUpdate",
    "Quote",
    "Ticker",
    "Trade",
]


class Delta(NamedTuple):
    """One level of one side changed by `quantity`; `clock` numbers the action that did it.

    `order` is the client's id of the account's own order, where that was the action.
    """

    at: int
    market: Market
    clock: int
    side: Side
    price: int
    quantity: int
    order: str | None = None


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
    """A market was paused, resumed, determined or settled, or its close was put off.

    `put_off` says how far, as a share of what can be.
    """

    at: int
    market: Market
    event_type: str
    is_deactivated: bool | None = None
    put_off: float | None = None
    result: str | None = None
    settlement_value: int | None = None


class OrderState(NamedTuple):
    """One order of the account's at one moment; `price` is that of `side`."""

    order_id: str
    client_order_id: str
    side: Side
    price: int
    initial: int
    filled: int
    remaining: int
    status: str
    created_at: int
    maker_cost: int = 0
    taker_cost: int = 0
    taker_fees: int = 0


class OrderUpdate(NamedTuple):
    """An order of the account's was made, filled or ended."""

    at: int
    market: Market
    user_id: str
    order: OrderState
    reason: str | None


class Fill(NamedTuple):
    """`quantity` of an order of the account's was filled in a trade; `position` is what the account has after it."""

    at: int
    market: Market
    order: OrderState
    trade_id: str
    yes_price: int
    quantity: int
    is_taker: bool
    fee: int
    position: int


class PositionUpdate(NamedTuple):
    """What the account has in a market; positive is YES."""

    at: int
    market: Market
    user_id: str
    position: int
    cost: int
    realized: int
    fees: int
    volume: int


Event = Delta | Trade | Ticker | Lifecycle | OrderUpdate | Fill | PositionUpdate
