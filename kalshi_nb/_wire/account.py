"""One's own account: fills, positions, orders, order groups.

Fields that the specification calls deprecated are read only where nothing newer says the same.
"""

from __future__ import annotations

from typing import Final

import msgspec

from kalshi_nb._rows.rows import Row
from kalshi_nb._wire.family import Conversion, Family, Frame
from kalshi_nb._wire.field_types import BookSide, Integer, Outcome
from kalshi_nb._wire.row_making import Plan

__all__ = ["FAMILY", "FillFrame", "MarketPositionFrame", "OrderGroupFrame", "UserOrderFrame"]


class Fill(msgspec.Struct, gc=False):
    """One execution of an own order."""

    trade_id: str
    order_id: str
    market_ticker: str
    yes_price_dollars: str
    count_fp: str
    outcome_side: Outcome | None = None
    book_side: BookSide | None = None
    fee_cost: str | None = None
    post_position_fp: str | None = None
    is_taker: bool | None = None
    client_order_id: str | None = None
    exchange_index: Integer | None = None
    subaccount: Integer | None = None
    ts_ms: Integer | None = None
    ts: Integer | str | None = None


class FillFrame(Frame, tag="fill", gc=False):
    """``fill``; has no sequence number."""

    sid: Integer
    msg: Fill
    seq: Integer | None = None
    sending_ts_ms: Integer | None = None


class MarketPosition(msgspec.Struct, gc=False):
    """What one holds in one market, and what it cost."""

    market_ticker: str
    position_fp: str
    position_cost_dollars: str | None = None
    realized_pnl_dollars: str | None = None
    fees_paid_dollars: str | None = None
    position_fee_cost_dollars: str | None = None
    volume_fp: str | None = None
    user_id: str | None = None
    subaccount: Integer | None = None


class MarketPositionFrame(Frame, tag="market_position", gc=False):
    """``market_position``, on the channel ``market_positions``; has no sequence number."""

    sid: Integer
    msg: MarketPosition
    seq: Integer | None = None
    sending_ts_ms: Integer | None = None


class UserOrder(msgspec.Struct, gc=False):
    """How one order stands; the market is called ``ticker`` here and nowhere else."""

    order_id: str
    ticker: str
    status: str | None = None
    outcome_side: Outcome | None = None
    book_side: BookSide | None = None
    yes_price_dollars: str | None = None
    fill_count_fp: str | None = None
    remaining_count_fp: str | None = None
    initial_count_fp: str | None = None
    taker_fill_cost_dollars: str | None = None
    maker_fill_cost_dollars: str | None = None
    taker_fees_dollars: str | None = None
    maker_fees_dollars: str | None = None
    client_order_id: str | None = None
    order_group_id: str | None = None
    self_trade_prevention_type: str | None = None
    last_update_reason: str | None = None
    created_ts_ms: Integer | None = None
    created_time: str | None = None
    last_updated_ts_ms: Integer | None = None
    last_update_time: str | None = None
    expiration_ts_ms: Integer | None = None
    expiration_time: str | None = None
    exchange_index: Integer | None = None
    subaccount_number: Integer | None = None
    user_id: str | None = None


class UserOrderFrame(Frame, tag="user_order", gc=False):
    """``user_order``, on the channel ``user_orders``; has no sequence number."""

    sid: Integer
    msg: UserOrder
    seq: Integer | None = None
    sending_ts_ms: Integer | None = None


class OrderGroup(msgspec.Struct, gc=False):
    """Something that happened to an order group."""

    event_type: str
    order_group_id: str
    contracts_limit_fp: str | None = None
    ts_ms: Integer | None = None


class OrderGroupFrame(Frame, tag="order_group_updates", gc=False):
    """``order_group_updates``."""

    sid: Integer
    msg: OrderGroup
    seq: Integer | None = None
    sending_ts_ms: Integer | None = None


_FILL: Final = Plan("fill", Fill, {"ts": ("ts_ms",)})
_POSITION: Final = Plan("market_positions", MarketPosition)
_CREATED: Final = ("created_ts_ms", "created_time")
_UPDATED: Final = ("last_updated_ts_ms", "last_update_time")
_ORDER: Final = Plan(
    "user_orders",
    UserOrder,
    {
        "ts": _UPDATED + _CREATED,
        "market_ticker": ("ticker",),
        "created_ts": _CREATED,
        "last_updated_ts": _UPDATED,
        "expiration_ts": ("expiration_ts_ms", "expiration_time"),
    },
)
_GROUP: Final = Plan("order_group_updates", OrderGroup, {"ts": ("ts_ms",)})


def _fill_row(frame: FillFrame, received_at: int) -> Row:
    """Return the row of a ``fill``; its deprecated ``ts`` is in seconds."""
    msg = frame.msg
    if msg.ts_ms is None and isinstance(msg.ts, int):
        msg.ts_ms = msg.ts * 1000
    if msg.book_side is None and msg.outcome_side is not None:
        msg.book_side = "bid" if msg.outcome_side == "yes" else "ask"
    return _FILL.row(frame, received_at)


FAMILY: Final = Family(
    {
        FillFrame: Conversion(frozenset({"fill"}), _fill_row),
        MarketPositionFrame: Conversion(frozenset({"market_positions"}), _POSITION.row),
        UserOrderFrame: Conversion(frozenset({"user_orders"}), _ORDER.row),
        OrderGroupFrame: Conversion(frozenset({"order_group_updates"}), _GROUP.row),
    },
    decimals=frozenset({"fee_cost"}),
)
