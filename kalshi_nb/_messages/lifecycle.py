"""What happens to markets and events."""

from __future__ import annotations

import datetime as dt

from kalshi_nb._messages.message import TypedMessage

__all__ = ["EventFeeUpdate", "EventLifecycle", "MarketLifecycle"]


class MarketLifecycle(TypedMessage, frozen=True, gc=False):
    """Something that happened to a market, named by `event_type`; fields of other happenings are None.

    `metadata` and `price_ranges` are JSON text. Both lifecycle channels send it, each for markets of its own.
    """

    ts: dt.datetime
    market_ticker: str
    event_type: str
    result: str | None
    settlement_value: float | None
    close_ts: dt.datetime | None
    is_deactivated: bool | None
    event_ticker: str | None
    open_ts: dt.datetime | None
    determination_ts: dt.datetime | None
    settled_ts: dt.datetime | None
    price_level_structure: str | None
    metadata: str | None
    price_ranges: str | None
    exchange_index: int | None
    received_at: dt.datetime
    seq: int | None


class EventLifecycle(TypedMessage, frozen=True, gc=False):
    """A new event, on either lifecycle channel."""

    ts: dt.datetime
    event_ticker: str
    series_ticker: str | None
    title: str | None
    subtitle: str | None
    collateral_return_type: str | None
    strike_date: dt.datetime | None
    strike_period: str | None
    received_at: dt.datetime
    seq: int | None
    exchange_index: int | None = None


class EventFeeUpdate(TypedMessage, frozen=True, gc=False):
    """Another fee for an event, on the channel ``market_lifecycle_v2``; None is an override cleared."""

    ts: dt.datetime
    event_ticker: str
    fee_type_override: str | None
    fee_multiplier_override: float | None
    received_at: dt.datetime
    seq: int | None


LifecycleMessage = MarketLifecycle | EventLifecycle | EventFeeUpdate
