"""Typed frames to rows: where wire strings become integers, once.

Each function returns a row in the layout of :mod:`kalshi_nb._rows.rows` or raises
:class:`~kalshi_nb.errors.WireError` when a value means nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from kalshi_nb._fixed_point import COUNTS, DOLLAR, LARGEST, PRICES, FixedPoint
from kalshi_nb._rows.rows import EventRow, FeeUpdateRow, Row
from kalshi_nb._wire.communication_conversion import communication_row
from kalshi_nb._wire.communication_frames import COMMUNICATION_FRAMES
from kalshi_nb._wire.field_types import Levels
from kalshi_nb._wire.field_values import LAST_MS, json_text, milliseconds, price_or_none, seconds, stamp
from kalshi_nb._wire.frames import Delta, Ticker, TickerFrame, TradeFrame
from kalshi_nb._wire.index_conversion import (
    fast_index_row,
    index_list_row,
    index_row,
    underlying_list_row,
    underlying_row,
)
from kalshi_nb._wire.index_frames import (
    FastIndexListFrame,
    FastIndexValueFrame,
    IndexListFrame,
    IndexValueFrame,
    UnderlyingListFrame,
    UnderlyingValueFrame,
)
from kalshi_nb._wire.lifecycle_frames import EventFrame, FeeUpdateFrame, LifecycleFrame, MultivariateLifecycleFrame
from kalshi_nb._wire.private_conversion import fill_row, market_position_row, order_group_row, user_order_row
from kalshi_nb._wire.private_frames import FillFrame, MarketPositionFrame, OrderGroupFrame, UserOrderFrame
from kalshi_nb.errors import WireError

__all__ = [
    "CONVERSIONS",
    "LEVEL_PRICES",
    "Conversion",
    "delta_row",
    "event_row",
    "fee_update_row",
    "levels",
    "lifecycle_row",
    "ticker_row",
    "trade_row",
]


class _LevelPrices(FixedPoint):
    """Prices of levels in 1/10000 dollar; real ones lie strictly between 0 and 1 dollar, and no other is taken."""

    def __missing__(self, text: str) -> int:
        price = super().__missing__(text)
        if not 0 < price < DOLLAR:
            self.pop(text, None)
            raise WireError(f"a level at {text!r} dollars")
        return price


LEVEL_PRICES: Final = _LevelPrices(4)
"""Strings of levels' prices to 1/10000 dollar; looking one up that is not between 0 and 1 dollar is refused."""


def levels(side: Levels | None) -> dict[int, int]:
    """Return a snapshot's side as price to size; a missing side is an empty side."""
    found: dict[int, int] = {}
    for price, size in side or ():
        count = COUNTS[size]
        if count < 0:
            raise WireError(f"a level of {size!r} contracts")
        if count:
            key = LEVEL_PRICES[price]
            found[key] = found.get(key, 0) + count
            if found[key] > LARGEST:
                raise WireError(f"more contracts at {price!r} dollars than can be counted")
    return found


def delta_row(msg: Delta, price: int, delta: int, received_at: int, seq: int) -> Row:
    """Return the row of an ``orderbook_delta`` whose numbers the ladder already needed."""
    ms = msg.ts_ms
    return (
        ms * 1000 if ms is not None and 0 < ms < LAST_MS else stamp(ms, msg.ts),
        msg.market_ticker,
        msg.side,
        price,
        delta,
        msg.client_order_id,
        received_at,
        seq,
    )


def trade_row(frame: TradeFrame, received_at: int) -> Row:
    """Return the row of a ``trade``; sides missing from older frames follow from ``taker_side``."""
    msg = frame.msg
    outcome = msg.taker_outcome_side or msg.taker_side
    book = msg.taker_book_side
    if book is None and outcome is not None:
        book = "bid" if outcome == "yes" else "ask"
    ms = msg.ts_ms
    return (
        ms * 1000 if ms is not None and 0 < ms < LAST_MS else stamp(ms, msg.ts),
        msg.market_ticker,
        PRICES[msg.yes_price_dollars],
        COUNTS[msg.count_fp],
        outcome,
        book,
        PRICES[msg.no_price_dollars],
        msg.is_block_trade,
        msg.trade_id,
        received_at,
        frame.seq,
    )


def ticker_row(msg: Ticker, received_at: int) -> Row:
    """Return the row of a ``ticker``.

    No bid is written ``"0.0000"``, no ask ``"1.0000"``, both with size ``"0.00"``, and a market that never
    traded has the price ``"0.0000"``: all of them are None here.
    """
    # Conditions stand here instead of calls: a ticker has nine numbers, and one message in ten is a ticker.
    price = PRICES[msg.price_dollars] if msg.price_dollars else None
    bid = PRICES[msg.yes_bid_dollars] if msg.yes_bid_dollars else None
    ask = PRICES[msg.yes_ask_dollars] if msg.yes_ask_dollars else None
    bid_size = COUNTS[msg.yes_bid_size_fp] if msg.yes_bid_size_fp else None
    ask_size = COUNTS[msg.yes_ask_size_fp] if msg.yes_ask_size_fp else None
    if not bid and not bid_size:
        bid = bid_size = None
    if (ask is None or ask >= DOLLAR) and not ask_size:
        ask = ask_size = None
    ms = msg.ts_ms
    return (
        ms * 1000 if ms is not None and 0 < ms < LAST_MS else stamp(ms, msg.ts),
        msg.market_ticker,
        price or None,
        bid,
        ask,
        COUNTS[msg.volume_fp],
        COUNTS[msg.open_interest_fp],
        bid_size,
        ask_size,
        COUNTS[msg.last_trade_size_fp] if msg.last_trade_size_fp else None,
        msg.dollar_volume,
        msg.dollar_open_interest,
        received_at,
    )


def lifecycle_row(frame: LifecycleFrame, received_at: int) -> Row:
    """Return the row of a ``market_lifecycle_v2``; what has no column of its own is JSON in ``metadata``."""
    msg = frame.msg
    more = dict(msg.additional_metadata or {})
    for name in ("strike_type", "floor_strike", "cap_strike", "custom_strike", "yes_sub_title"):
        value = getattr(msg, name)
        if value is not None:
            more[name] = value
    event_ticker = more.get("event_ticker")
    return (
        None if frame.sending_ts_ms is None else milliseconds(frame.sending_ts_ms),
        msg.market_ticker,
        msg.event_type,
        msg.result,
        price_or_none(msg.settlement_value),
        seconds(msg.close_ts),
        msg.is_deactivated,
        event_ticker if isinstance(event_ticker, str) else None,
        seconds(msg.open_ts),
        seconds(msg.determination_ts),
        seconds(msg.settled_ts),
        msg.price_level_structure,
        json_text(more) if more else None,
        json_text(msg.price_ranges) if msg.price_ranges else None,
        msg.exchange_index,
        received_at,
        frame.seq,
    )


def event_row(frame: EventFrame, received_at: int) -> EventRow:
    """Return the row of an ``event_lifecycle``."""
    msg = frame.msg
    return EventRow(
        event_ticker=msg.event_ticker,
        series_ticker=msg.series_ticker,
        title=msg.title,
        subtitle=msg.subtitle,
        collateral_return_type=msg.collateral_return_type,
        strike_date=seconds(msg.strike_date),
        strike_period=msg.strike_period,
        exchange_index=msg.exchange_index,
        received_at=received_at,
        seq=frame.seq,
    )


def fee_update_row(frame: FeeUpdateFrame, received_at: int) -> FeeUpdateRow:
    """Return the row of an ``event_fee_update``."""
    msg = frame.msg
    return FeeUpdateRow(
        event_ticker=msg.event_ticker,
        fee_type_override=msg.fee_type_override,
        fee_multiplier_override=msg.fee_multiplier_override,
        received_at=received_at,
        seq=frame.seq,
    )


class Conversion(NamedTuple):
    """On which channels a frame may come, and what makes its row."""

    channels: frozenset[str]
    row: Callable[[Any, int], Row]


def _on(row: Callable[[Any, int], Row], *channels: str) -> Conversion:
    return Conversion(frozenset(channels), row)


_LIFECYCLES: Final = ("market_lifecycle_v2", "multivariate_market_lifecycle")

CONVERSIONS: Final[dict[type, Conversion]] = {
    TickerFrame: _on(lambda frame, received_at: ticker_row(frame.msg, received_at), "ticker"),
    TradeFrame: _on(trade_row, "trade"),
    LifecycleFrame: _on(lifecycle_row, "market_lifecycle_v2"),
    MultivariateLifecycleFrame: _on(lifecycle_row, "multivariate_market_lifecycle"),
    EventFrame: _on(event_row, *_LIFECYCLES),
    FeeUpdateFrame: _on(fee_update_row, *_LIFECYCLES),
    FillFrame: _on(fill_row, "fill"),
    MarketPositionFrame: _on(market_position_row, "market_positions"),
    UserOrderFrame: _on(user_order_row, "user_orders"),
    OrderGroupFrame: _on(order_group_row, "order_group_updates"),
    IndexValueFrame: _on(index_row, "cfbenchmarks_value"),
    FastIndexValueFrame: _on(fast_index_row, "cfbenchmarks_value_5hz"),
    UnderlyingValueFrame: _on(underlying_row, "pyth_value"),
    IndexListFrame: _on(index_list_row, "cfbenchmarks_value"),
    FastIndexListFrame: _on(index_list_row, "cfbenchmarks_value_5hz"),
    UnderlyingListFrame: _on(underlying_list_row, "pyth_value"),
    **{kind: _on(communication_row, "communications") for kind in COMMUNICATION_FRAMES},
}
"""Every frame with data but those of books, which go through the ladders."""
