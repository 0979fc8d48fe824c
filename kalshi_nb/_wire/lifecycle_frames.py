"""Frames of the two lifecycle channels: what happens to markets and events."""

from __future__ import annotations

from typing import Any

import msgspec

from kalshi_nb._wire.field_types import Integer

__all__ = ["EventFrame", "FeeUpdateFrame", "LifecycleFrame", "MultivariateLifecycleFrame"]


class Lifecycle(msgspec.Struct, gc=False):
    """One change in a market's life; which fields are there depends on ``event_type``."""

    market_ticker: str
    event_type: str
    exchange_index: Integer | None = None
    open_ts: Integer | None = None
    close_ts: Integer | None = None
    determination_ts: Integer | None = None
    settled_ts: Integer | None = None
    result: str | None = None
    settlement_value: str | None = None
    is_deactivated: bool | None = None
    price_level_structure: str | None = None
    price_ranges: list[dict[str, str]] | None = None
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


class MultivariateLifecycleFrame(LifecycleFrame, tag="multivariate_market_lifecycle"):
    """``multivariate_market_lifecycle``: the same for markets that combine others."""


class Event(msgspec.Struct, gc=False):
    """A new event."""

    event_ticker: str
    exchange_index: Integer | None = None
    series_ticker: str | None = None
    title: str | None = None
    subtitle: str | None = None
    collateral_return_type: str | None = None
    strike_date: Integer | None = None
    strike_period: str | None = None


class EventFrame(msgspec.Struct, tag="event_lifecycle", gc=False):
    """``event_lifecycle``, on both lifecycle channels."""

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
