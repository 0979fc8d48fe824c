"""The exchange's frames as typed structs, with the fields this kit uses.

Source: Kalshi's AsyncAPI specification and recorded frames; ``docs/protocol.md`` says what differs between
the two. Unknown fields are ignored. Fields that were ever seen missing are optional here.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import msgspec

__all__ = [
    "LARGEST_INTEGER",
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

LARGEST_INTEGER: Final = 2**53
"""Largest integer that is taken, either way; no real one comes near, and larger ones fit no column."""

Integer = Annotated[int, msgspec.Meta(ge=-LARGEST_INTEGER, le=LARGEST_INTEGER)]
Outcome = Literal["yes", "no"]
Levels = list[tuple[str, str]]


class Delta(msgspec.Struct, gc=False):
    """One level's signed change."""

    market_ticker: str
    price_dollars: str
    delta_fp: str
    side: Outcome
    ts_ms: Integer | None = None
    ts: str | Integer | None = None
    client_order_id: str | None = None


class DeltaFrame(msgspec.Struct, tag="orderbook_delta", gc=False):
    """``orderbook_delta``."""

    sid: Integer
    seq: Integer
    msg: Delta


class Snapshot(msgspec.Struct, gc=False):
    """A whole book; a side without levels is absent on the wire."""

    market_ticker: str
    market_id: str | None = None
    yes_dollars_fp: Levels | None = None
    no_dollars_fp: Levels | None = None


class SnapshotFrame(msgspec.Struct, tag="orderbook_snapshot", gc=False):
    """``orderbook_snapshot``; carries an ``id`` when it answers ``get_snapshot``."""

    sid: Integer
    seq: Integer
    msg: Snapshot
    id: Integer | None = None


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
    dollar_volume: Integer | None = None
    dollar_open_interest: Integer | None = None
    ts_ms: Integer | None = None
    ts: Integer | str | None = None


class TickerFrame(msgspec.Struct, tag="ticker", gc=False):
    """``ticker``; has no sequence number."""

    sid: Integer
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
    ts_ms: Integer | None = None
    ts: Integer | str | None = None


class TradeFrame(msgspec.Struct, tag="trade", gc=False):
    """``trade``."""

    sid: Integer
    msg: Trade
    seq: Integer | None = None


class Lifecycle(msgspec.Struct, gc=False):
    """One change in a market's life; which fields are there depends on ``event_type``."""

    market_ticker: str
    event_type: str
    open_ts: Integer | None = None
    close_ts: Integer | None = None
    determination_ts: Integer | None = None
    settled_ts: Integer | None = None
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

    sid: Integer
    msg: Lifecycle
    seq: Integer | None = None
    sending_ts_ms: Integer | None = None


class Event(msgspec.Struct, gc=False):
    """A new event."""

    event_ticker: str
    series_ticker: str | None = None
    title: str | None = None
    subtitle: str | None = None
    collateral_return_type: str | None = None
    strike_date: Integer | None = None
    strike_period: str | None = None


class EventFrame(msgspec.Struct, tag="event_lifecycle", gc=False):
    """``event_lifecycle``."""

    sid: Integer
    msg: Event
    seq: Integer | None = None


class FeeUpdate(msgspec.Struct, gc=False):
    """A change of an event's fees; None clears the override."""

    event_ticker: str
    fee_type_override: str | None = None
    fee_multiplier_override: float | None = None


class FeeUpdateFrame(msgspec.Struct, tag="event_fee_update", gc=False):
    """``event_fee_update``."""

    sid: Integer
    msg: FeeUpdate
    seq: Integer | None = None


class Subscribed(msgspec.Struct, gc=False):
    """Which channel got which sid."""

    channel: str
    sid: Integer


class SubscribedFrame(msgspec.Struct, tag="subscribed", gc=False):
    """``subscribed``: the first subscription of a channel on this connection."""

    msg: Subscribed
    id: Integer | None = None


class OkFrame(msgspec.Struct, tag="ok"):
    """``ok``: a merged subscription, an update, or the list of subscriptions (then ``msg`` is an array).

    It takes a sequence number on channels that have them.
    """

    id: Integer | None = None
    sid: Integer | None = None
    seq: Integer | None = None
    msg: Any = None


class UnsubscribedFrame(msgspec.Struct, tag="unsubscribed", gc=False):
    """``unsubscribed``: the sid is gone."""

    sid: Integer
    id: Integer | None = None
    seq: Integer | None = None


class ErrorBody(msgspec.Struct, gc=False):
    """What went wrong."""

    code: Integer = 0
    msg: str = ""
    market_ticker: str | None = None
    market_tickers: list[str] | None = None


class ErrorFrame(msgspec.Struct, tag="error", gc=False):
    """``error``: the answer to a command (``id``), or the end of a subscription (``sid``)."""

    msg: ErrorBody
    id: Integer | None = None
    sid: Integer | None = None
    seq: Integer | None = None


class UnknownFrame(msgspec.Struct):
    """A well-formed frame of a type that this version does not know."""

    type: str
    sid: Integer | None = None
    seq: Integer | None = None


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
