"""The exchange's frames as typed structs, with the fields this kit uses.

Source: Kalshi's AsyncAPI specification and recorded frames; ``docs/protocol.md`` says what differs between
the two. Unknown fields are ignored. Fields that were ever seen missing are optional here.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

__all__ = [
    "ControlFrame",
    "DeltaFrame",
    "ErrorFrame",
    "EventFrame",
    "FeeUpdateFrame",
    "Frame",
    "LifecycleFrame",
    "OkFrame",
    "SnapshotFrame",
    "SubscribedFrame",
    "TickerFrame",
    "TradeFrame",
    "UnknownFrame",
    "UnsubscribedFrame",
]

Outcome = Literal["yes", "no"]
Levels = list[tuple[str, str]]


class Delta(msgspec.Struct, gc=False):
    """One level's signed change."""

    market_ticker: str
    price_dollars: str
    delta_fp: str
    side: Outcome
    ts_ms: int | None = None
    ts: str | int | None = None
    client_order_id: str | None = None


class DeltaFrame(msgspec.Struct, tag="orderbook_delta", gc=False):
    """``orderbook_delta``."""

    sid: int
    seq: int
    msg: Delta


class Snapshot(msgspec.Struct, gc=False):
    """A whole book; a side without levels is absent on the wire."""

    market_ticker: str
    market_id: str | None = None
    yes_dollars_fp: Levels | None = None
    no_dollars_fp: Levels | None = None


class SnapshotFrame(msgspec.Struct, tag="orderbook_snapshot", gc=False):
    """``orderbook_snapshot``; carries an ``id`` when it answers ``get_snapshot``."""

    sid: int
    seq: int
    msg: Snapshot
    id: int | None = None


class Ticker(msgspec.Struct, gc=False):
    """One market's whole ticker row."""

    market_ticker: str
    price_dollars: str
    yes_bid_dollars: str
    yes_ask_dollars: str
    volume_fp: str
    open_interest_fp: str
    yes_bid_size_fp: str | None = None
    yes_ask_size_fp: str | None = None
    last_trade_size_fp: str | None = None
    dollar_volume: int | None = None
    dollar_open_interest: int | None = None
    ts_ms: int | None = None
    ts: int | str | None = None


class TickerFrame(msgspec.Struct, tag="ticker", gc=False):
    """``ticker``; has no sequence number."""

    sid: int
    msg: Ticker


class Trade(msgspec.Struct, gc=False):
    """One match."""

    trade_id: str
    market_ticker: str
    yes_price_dollars: str
    no_price_dollars: str
    count_fp: str
    taker_outcome_side: Outcome | None = None
    taker_book_side: Literal["bid", "ask"] | None = None
    taker_side: Outcome | None = None
    is_block_trade: bool | None = None
    ts_ms: int | None = None
    ts: int | str | None = None


class TradeFrame(msgspec.Struct, tag="trade", gc=False):
    """``trade``."""

    sid: int
    msg: Trade
    seq: int | None = None


class Lifecycle(msgspec.Struct, gc=False):
    """One change in a market's life; which fields are there depends on ``event_type``."""

    market_ticker: str
    event_type: str
    open_ts: int | None = None
    close_ts: int | None = None
    determination_ts: int | None = None
    settled_ts: int | None = None
    result: str | None = None
    settlement_value: str | None = None
    is_deactivated: bool | None = None
    price_level_structure: str | None = None
    additional_metadata: dict[str, Any] | None = None
    strike_type: str | None = None
    floor_strike: float | None = None
    cap_strike: float | None = None
    custom_strike: Any = None
    yes_sub_title: str | None = None


class LifecycleFrame(msgspec.Struct, tag="market_lifecycle_v2"):
    """``market_lifecycle_v2``, ``metadata_updated`` included."""

    sid: int
    msg: Lifecycle
    seq: int | None = None
    sending_ts_ms: int | None = None


class Event(msgspec.Struct, gc=False):
    """A new event."""

    event_ticker: str
    series_ticker: str | None = None
    title: str | None = None
    subtitle: str | None = None
    collateral_return_type: str | None = None
    strike_date: int | None = None
    strike_period: str | None = None


class EventFrame(msgspec.Struct, tag="event_lifecycle", gc=False):
    """``event_lifecycle``."""

    sid: int
    msg: Event
    seq: int | None = None


class FeeUpdate(msgspec.Struct, gc=False):
    """A change of an event's fees; None clears the override."""

    event_ticker: str
    fee_type_override: str | None = None
    fee_multiplier_override: float | None = None


class FeeUpdateFrame(msgspec.Struct, tag="event_fee_update", gc=False):
    """``event_fee_update``."""

    sid: int
    msg: FeeUpdate
    seq: int | None = None


class Subscribed(msgspec.Struct, gc=False):
    """Which channel got which sid."""

    channel: str
    sid: int


class SubscribedFrame(msgspec.Struct, tag="subscribed", gc=False):
    """``subscribed``: the first subscription of a channel on this connection."""

    msg: Subscribed
    id: int | None = None


class OkFrame(msgspec.Struct, tag="ok"):
    """``ok``: a merged subscription, an update, or the list of subscriptions (then ``msg`` is an array).

    It takes a sequence number on channels that have them.
    """

    id: int | None = None
    sid: int | None = None
    seq: int | None = None
    msg: Any = None


class UnsubscribedFrame(msgspec.Struct, tag="unsubscribed", gc=False):
    """``unsubscribed``: the sid is gone."""

    sid: int
    id: int | None = None
    seq: int | None = None


class ErrorBody(msgspec.Struct, gc=False):
    """What went wrong."""

    code: int = 0
    msg: str = ""
    market_ticker: str | None = None
    market_tickers: list[str] | None = None


class ErrorFrame(msgspec.Struct, tag="error", gc=False):
    """``error``: the answer to a command (``id``), or the end of a subscription (``sid``)."""

    msg: ErrorBody
    id: int | None = None
    sid: int | None = None
    seq: int | None = None


class UnknownFrame(msgspec.Struct):
    """A well-formed frame of a type that this version does not know."""

    type: str
    sid: int | None = None
    seq: int | None = None


ControlFrame = SubscribedFrame | OkFrame | UnsubscribedFrame | ErrorFrame
WireFrame = (
    DeltaFrame
    | SnapshotFrame
    | TickerFrame
    | TradeFrame
    | LifecycleFrame
    | EventFrame
    | FeeUpdateFrame
    | SubscribedFrame
    | OkFrame
    | UnsubscribedFrame
    | ErrorFrame
)
Frame = WireFrame | UnknownFrame
