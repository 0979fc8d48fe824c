"""One's own account: fills, positions, orders, order groups.

Fields that the specification calls deprecated are read only where nothing newer says the same.
"""

from __future__ import annotations

from typing import ClassVar, Final

from kalshi_nb._rows.channels import position
from kalshi_nb._rows.rows import Row
from kalshi_nb._wire.family import Body, Conversion, Family, Frame
from kalshi_nb._wire.field_types import BookSideOrNone, Integer, Name, OutcomeOrNone, ShortText
from kalshi_nb._wire.field_values import CONTRACT_PRICES, MATCHED_COUNTS, QUOTED_COUNTS
from kalshi_nb._wire.row_making import Plan

__all__ = ["FAMILY", "FillFrame", "MarketPositionFrame", "OrderGroupFrame", "UserOrderFrame"]


class Fill(Body, gc=False):
    """One execution of an own order."""

    trade_id: Name
    order_id: Name
    market_ticker: Name
    yes_price_dollars: str
    count_fp: str
    outcome_side: OutcomeOrNone | None = None
    book_side: BookSideOrNone | None = None
    fee_cost: str | None = None
    post_position_fp: str | None = None
    is_taker: bool | None = None
    client_order_id: ShortText | None = None
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


class MarketPosition(Body, gc=False):
    """What one holds in one market, and what it cost.

    Each subaccount has positions of its own, so without that number nobody would know whose it is.
    """

    firm: ClassVar[frozenset[str]] = frozenset({"subaccount"})

    market_ticker: Name
    position_fp: str
    position_cost_dollars: str | None = None
    realized_pnl_dollars: str | None = None
    fees_paid_dollars: str | None = None
    position_fee_cost_dollars: str | None = None
    volume_fp: str | None = None
    user_id: ShortText | None = None
    subaccount: Integer | None = None


class MarketPositionFrame(Frame, tag="market_position", gc=False):
    """``market_position``, on the channel ``market_positions``; has no sequence number."""

    sid: Integer
    msg: MarketPosition
    seq: Integer | None = None
    sending_ts_ms: Integer | None = None


class UserOrder(Body, gc=False):
    """How one order stands; the market is called ``ticker`` here and nowhere else."""

    firm: ClassVar[frozenset[str]] = frozenset(
        {"yes_price_dollars", "fill_count_fp", "remaining_count_fp", "initial_count_fp"}
    )
    times: ClassVar[tuple[tuple[str, ...], ...]] = (
        ("last_updated_ts_ms", "last_update_time"),
        ("created_ts_ms", "created_time"),
    )

    order_id: Name
    ticker: Name
    status: ShortText | None = None
    outcome_side: OutcomeOrNone | None = None
    book_side: BookSideOrNone | None = None
    yes_price_dollars: str | None = None
    fill_count_fp: str | None = None
    remaining_count_fp: str | None = None
    initial_count_fp: str | None = None
    taker_fill_cost_dollars: str | None = None
    maker_fill_cost_dollars: str | None = None
    taker_fees_dollars: str | None = None
    maker_fees_dollars: str | None = None
    client_order_id: ShortText | None = None
    order_group_id: ShortText | None = None
    self_trade_prevention_type: ShortText | None = None
    last_update_reason: ShortText | None = None
    created_ts_ms: Integer | None = None
    created_time: str | None = None
    last_updated_ts_ms: Integer | None = None
    last_update_time: str | None = None
    expiration_ts_ms: Integer | None = None
    expiration_time: str | None = None
    exchange_index: Integer | None = None
    subaccount_number: Integer | None = None
    user_id: ShortText | None = None


class UserOrderFrame(Frame, tag="user_order", gc=False):
    """``user_order``, on the channel ``user_orders``; has no sequence number."""

    sid: Integer
    msg: UserOrder
    seq: Integer | None = None
    sending_ts_ms: Integer | None = None


class OrderGroup(Body, gc=False):
    """Something that happened to an order group."""

    event_type: Name
    order_group_id: Name
    contracts_limit_fp: str | None = None
    ts_ms: Integer | None = None


class OrderGroupFrame(Frame, tag="order_group_updates", gc=False):
    """``order_group_updates``."""

    sid: Integer
    msg: OrderGroup
    seq: Integer | None = None
    sending_ts_ms: Integer | None = None


_FILL: Final = Plan(
    "fill",
    Fill,
    {"ts": ("ts_ms", "ts")},
    numbers={"yes_price_dollars": CONTRACT_PRICES, "count_fp": MATCHED_COUNTS},
)
_POSITION: Final = Plan("market_positions", MarketPosition, numbers={"volume_fp": QUOTED_COUNTS})
_UPDATED, _CREATED = UserOrder.times
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
    numbers={
        "yes_price_dollars": CONTRACT_PRICES,
        **dict.fromkeys(("fill_count_fp", "remaining_count_fp", "initial_count_fp"), QUOTED_COUNTS),
    },
)
_GROUP: Final = Plan("order_group_updates", OrderGroup, {"ts": ("ts_ms",)})

_BOOK_SIDE: Final = position("fill", "book_side")


def _fill_row(frame: FillFrame, received_at: int) -> Row:
    """Return the row of a ``fill``; a side missing from older frames follows from the outcome."""
    row, outcome = _FILL.row(frame, received_at), frame.msg.outcome_side
    if row[_BOOK_SIDE] is None and outcome:
        side = "bid" if outcome == "yes" else "ask"
        return (*row[:_BOOK_SIDE], side, *row[_BOOK_SIDE + 1 :])
    return row


FAMILY: Final = Family(
    {
        FillFrame: Conversion(frozenset({"fill"}), _fill_row),
        MarketPositionFrame: Conversion(frozenset({"market_positions"}), _POSITION.row),
        UserOrderFrame: Conversion(frozenset({"user_orders"}), _ORDER.row),
        OrderGroupFrame: Conversion(frozenset({"order_group_updates"}), _GROUP.row),
    },
    decimals=frozenset({"fee_cost"}),
)
