"""One's own fills, positions, orders and order groups."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from kalshi_nb._messages.message import TypedMessage

__all__ = ["Fill", "MarketPosition", "OrderGroupUpdate", "UserOrder"]


class Fill(TypedMessage, frozen=True, gc=False):
    """One execution of an order of yours.

    `yes_price` is a YES price whichever side was bought; `outcome_side` says which. `fee_cost` is in dollars.
    `post_position` is the net position after it, in contracts, long YES above zero.
    """

    ts: dt.datetime
    market_ticker: str
    outcome_side: Literal["yes", "no"] | None
    yes_price: float
    count: float
    fee_cost: float | None
    post_position: float | None
    is_taker: bool | None
    book_side: Literal["bid", "ask"] | None
    order_id: str
    client_order_id: str | None
    trade_id: str
    exchange_index: int | None
    subaccount: int | None
    received_at: dt.datetime


class MarketPosition(TypedMessage, frozen=True, gc=False):
    """What you hold in one market: `position` and `volume` in contracts, the rest in dollars.

    `ts` is when the exchange sent it.
    """

    ts: dt.datetime
    market_ticker: str
    position: float
    position_cost: float | None
    realized_pnl: float | None
    fees_paid: float | None
    position_fee_cost: float | None
    volume: float | None
    subaccount: int | None
    user_id: str | None
    received_at: dt.datetime


class UserOrder(TypedMessage, frozen=True, gc=False):
    """How one of your orders stands.

    Counts are contracts, costs and fees dollars. `ts` is when it was last changed, else when it was made.
    """

    ts: dt.datetime
    market_ticker: str
    order_id: str
    status: str | None
    outcome_side: Literal["yes", "no"] | None
    yes_price: float | None
    remaining_count: float | None
    fill_count: float | None
    initial_count: float | None
    book_side: Literal["bid", "ask"] | None
    client_order_id: str | None
    last_update_reason: str | None
    taker_fill_cost: float | None
    maker_fill_cost: float | None
    taker_fees: float | None
    maker_fees: float | None
    order_group_id: str | None
    self_trade_prevention_type: str | None
    created_ts: dt.datetime | None
    last_updated_ts: dt.datetime | None
    expiration_ts: dt.datetime | None
    exchange_index: int | None
    subaccount_number: int | None
    user_id: str | None
    received_at: dt.datetime


class OrderGroupUpdate(TypedMessage, frozen=True, gc=False):
    """Something that happened to one of your order groups, named by `event_type`."""

    ts: dt.datetime
    event_type: str
    order_group_id: str
    contracts_limit: float | None
    received_at: dt.datetime
    seq: int | None


AccountMessage = Fill | MarketPosition | UserOrder | OrderGroupUpdate
