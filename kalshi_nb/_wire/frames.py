"""The exchange's frames as typed structs, with the fields this kit uses: market data, answers, and all together.

Source: Kalshi's AsyncAPI specification and recorded frames; ``docs/protocol.md`` says what differs between
the two. Unknown fields are ignored. Fields that were ever seen missing are optional here.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from kalshi_nb._wire.communication_frames import (
    BatchQuoteAcceptedFrame,
    BatchQuoteCreatedFrame,
    BatchQuoteExecutedFrame,
    QuoteAcceptedFrame,
    QuoteCreatedFrame,
    QuoteExecutedFrame,
    RfqBatchBestQuotesFrame,
    RfqBatchCreatedFrame,
    RfqBatchDeletedFrame,
    RfqBatchExecutedFrame,
    RfqCreatedFrame,
    RfqDeletedFrame,
)
from kalshi_nb._wire.field_types import LARGEST_INTEGER, Integer, Levels, Outcome
from kalshi_nb._wire.index_frames import (
    FastIndexListFrame,
    FastIndexValueFrame,
    IndexListFrame,
    IndexValueFrame,
    UnderlyingListFrame,
    UnderlyingValueFrame,
)
from kalshi_nb._wire.lifecycle_frames import EventFrame, FeeUpdateFrame, LifecycleFrame, MultivariateLifecycleFrame
from kalshi_nb._wire.private_frames import FillFrame, MarketPositionFrame, OrderGroupFrame, UserOrderFrame

__all__ = [
    "LARGEST_INTEGER",
    "ControlFrame",
    "DeltaFrame",
    "ErrorFrame",
    "Frame",
    "Levels",
    "OkFrame",
    "SnapshotFrame",
    "SubscribedFrame",
    "TickerFrame",
    "TradeFrame",
    "UnknownFrame",
    "UnsubscribedFrame",
    "WireFrame",
]


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
    | MultivariateLifecycleFrame
    | EventFrame
    | FeeUpdateFrame
    | FillFrame
    | MarketPositionFrame
    | UserOrderFrame
    | OrderGroupFrame
    | RfqCreatedFrame
    | RfqDeletedFrame
    | QuoteCreatedFrame
    | QuoteAcceptedFrame
    | QuoteExecutedFrame
    | RfqBatchCreatedFrame
    | RfqBatchDeletedFrame
    | BatchQuoteCreatedFrame
    | RfqBatchBestQuotesFrame
    | BatchQuoteAcceptedFrame
    | RfqBatchExecutedFrame
    | BatchQuoteExecutedFrame
    | IndexValueFrame
    | FastIndexValueFrame
    | UnderlyingValueFrame
    | IndexListFrame
    | FastIndexListFrame
    | UnderlyingListFrame
    | SubscribedFrame
    | OkFrame
    | UnsubscribedFrame
    | ErrorFrame
)
Frame = WireFrame | UnknownFrame
