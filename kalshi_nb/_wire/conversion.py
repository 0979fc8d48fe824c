"""Typed frames to rows: where wire strings become integers, once.

Each function returns a row in the layout of :mod:`kalshi_nb._wire.rows` or raises
:class:`~kalshi_nb.errors.WireError` when a value means nothing.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from kalshi_nb._fixed_point import COUNTS, DOLLAR, PRICES
from kalshi_nb._wire.frames import (
    Delta,
    EventFrame,
    FeeUpdateFrame,
    Levels,
    LifecycleFrame,
    Ticker,
    TradeFrame,
)
from kalshi_nb._wire.rows import EventRow, FeeUpdateRow, Row
from kalshi_nb.errors import WireError

__all__ = [
    "delta_row",
    "event_row",
    "fee_update_row",
    "level_price",
    "levels",
    "lifecycle_row",
    "ticker_row",
    "trade_row",
]

_LAST_MS: Final = 4_102_444_800_000  # the year 2100: later stamps are nonsense, and would overflow further up
_encode = msgspec.json.Encoder().encode


def level_price(text: str) -> int:
    """Return a level's price in 1/10000 dollar; real prices lie strictly between 0 and 1 dollar."""
    price = PRICES[text]
    if not 0 < price < DOLLAR:
        raise WireError(f"a level at {text!r} dollars")
    return price


def levels(side: Levels | None) -> dict[int, int]:
    """Return a snapshot's side as price to size; a missing side is an empty side."""
    found: dict[int, int] = {}
    for price, size in side or ():
        count = COUNTS[size]
        if count < 0:
            raise WireError(f"a level of {size!r} contracts")
        if count:
            key = level_price(price)
            found[key] = found.get(key, 0) + count
    return found


def _milliseconds(stamp: int) -> int:
    if not 0 < stamp < _LAST_MS:
        raise WireError(f"a time stamp of {stamp} ms")
    return stamp * 1000


def _stamp(ts_ms: int | None, ts: int | str | None) -> int | None:
    """Return microseconds; the deprecated ``ts`` counts only where ``ts_ms`` is missing."""
    if ts_ms is not None:
        return _milliseconds(ts_ms)
    if ts is None:
        return None
    if isinstance(ts, int):
        return _milliseconds(ts * 1000)
    try:
        moment = datetime.fromisoformat(ts)
    except ValueError:
        raise WireError(f"a time stamp of {ts[:40]!r}") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    whole = moment.replace(microsecond=0).timestamp()
    return _milliseconds(int(whole) * 1000) + moment.microsecond


def _seconds(stamp: int | None) -> int | None:
    return None if stamp is None else _milliseconds(stamp * 1000)


def _price(text: str | None) -> int | None:
    """Return a price, or None for the empty text of old tickers."""
    return PRICES[text] if text else None


def _count(text: str | None) -> int | None:
    return COUNTS[text] if text else None


def delta_row(msg: Delta, price: int, delta: int, received_at: int, seq: int) -> Row:
    """Return the row of an ``orderbook_delta`` whose numbers the ladder already needed."""
    return (
        _stamp(msg.ts_ms, msg.ts),
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
    return (
        _stamp(msg.ts_ms, msg.ts),
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
    price, bid, ask = _price(msg.price_dollars), _price(msg.yes_bid_dollars), _price(msg.yes_ask_dollars)
    bid_size, ask_size = _count(msg.yes_bid_size_fp), _count(msg.yes_ask_size_fp)
    if not bid and not bid_size:
        bid = bid_size = None
    if (ask is None or ask >= DOLLAR) and not ask_size:
        ask = ask_size = None
    return (
        _stamp(msg.ts_ms, msg.ts),
        msg.market_ticker,
        price or None,
        bid,
        ask,
        COUNTS[msg.volume_fp],
        COUNTS[msg.open_interest_fp],
        bid_size,
        ask_size,
        _count(msg.last_trade_size_fp),
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
        None if frame.sending_ts_ms is None else _milliseconds(frame.sending_ts_ms),
        msg.market_ticker,
        msg.event_type,
        msg.result,
        _price(msg.settlement_value),
        _seconds(msg.close_ts),
        msg.is_deactivated,
        event_ticker if isinstance(event_ticker, str) else None,
        _seconds(msg.open_ts),
        _seconds(msg.determination_ts),
        _seconds(msg.settled_ts),
        msg.price_level_structure,
        _metadata(more) if more else None,
        received_at,
        frame.seq,
    )


def _metadata(more: dict[str, Any]) -> str:
    try:
        return _encode(more).decode()
    except (RecursionError, OverflowError, msgspec.MsgspecError) as refusal:
        raise WireError(f"metadata that cannot be kept: {refusal}") from None


def event_row(frame: EventFrame, received_at: int) -> EventRow:
    """Return the row of an ``event_lifecycle``."""
    msg = frame.msg
    return EventRow(
        event_ticker=msg.event_ticker,
        series_ticker=msg.series_ticker,
        title=msg.title,
        subtitle=msg.subtitle,
        collateral_return_type=msg.collateral_return_type,
        strike_date=_seconds(msg.strike_date),
        strike_period=msg.strike_period,
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
