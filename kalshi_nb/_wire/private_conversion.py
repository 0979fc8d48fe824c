"""Frames about one's own account to rows."""

from __future__ import annotations

from typing import Final

from kalshi_nb._rows.rows import Row
from kalshi_nb._wire.private_frames import (
    Fill,
    FillFrame,
    MarketPosition,
    MarketPositionFrame,
    OrderGroup,
    OrderGroupFrame,
    UserOrder,
    UserOrderFrame,
)
from kalshi_nb._wire.row_making import Plan

__all__ = ["fill_row", "market_position_row", "order_group_row", "user_order_row"]

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


def fill_row(frame: FillFrame, received_at: int) -> Row:
    """Return the row of a ``fill``; its deprecated ``ts`` is in seconds."""
    msg = frame.msg
    if msg.ts_ms is None and isinstance(msg.ts, int):
        msg.ts_ms = msg.ts * 1000
    if msg.book_side is None and msg.outcome_side is not None:
        msg.book_side = "bid" if msg.outcome_side == "yes" else "ask"
    return _FILL.row(frame, received_at)


def market_position_row(frame: MarketPositionFrame, received_at: int) -> Row:
    """Return the row of a ``market_position``, whose only time is that of sending."""
    return _POSITION.row(frame, received_at)


def user_order_row(frame: UserOrderFrame, received_at: int) -> Row:
    """Return the row of a ``user_order``; its time is that of the last change, else of the creation."""
    return _ORDER.row(frame, received_at)


def order_group_row(frame: OrderGroupFrame, received_at: int) -> Row:
    """Return the row of an ``order_group_updates``."""
    return _GROUP.row(frame, received_at)
