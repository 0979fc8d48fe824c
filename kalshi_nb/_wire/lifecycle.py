"""The two lifecycle channels: what happens to markets and events."""

from __future__ import annotations

from typing import Any, ClassVar, Final

from kalshi_nb._rows.rows import Row
from kalshi_nb._wire.family import Body, Conversion, Family, Frame
from kalshi_nb._wire.field_types import Integer, Name, ShortText, Text
from kalshi_nb._wire.field_values import json_text, milliseconds, near, price_or_none, seconds
from kalshi_nb._wire.row_making import Plan

__all__ = [
    "FAMILY",
    "EventFrame",
    "FeeUpdateFrame",
    "LifecycleFrame",
    "MultivariateLifecycleFrame",
    "lifecycle_row",
]

_PLAIN: Final = "market_lifecycle_v2"
_MULTIVARIATE: Final = "multivariate_market_lifecycle"


class Lifecycle(Body, gc=False):
    """One change in a market's life; which fields are there depends on ``event_type``."""

    times: ClassVar[tuple[tuple[str, ...], ...]] = ()

    market_ticker: Name
    event_type: Name
    exchange_index: Integer | None = None
    open_ts: Integer | None = None
    close_ts: Integer | None = None
    determination_ts: Integer | None = None
    settled_ts: Integer | None = None
    result: ShortText | None = None
    settlement_value: str | None = None
    is_deactivated: bool | None = None
    price_level_structure: ShortText | None = None
    price_ranges: list[dict[str, str]] | None = None
    additional_metadata: dict[str, Any] | None = None
    strike_type: ShortText | None = None
    floor_strike: float | None = None
    cap_strike: float | None = None
    custom_strike: Any = None
    yes_sub_title: Text | None = None


class LifecycleFrame(Frame, tag="market_lifecycle_v2"):
    """``market_lifecycle_v2``, ``metadata_updated`` included."""

    sid: Integer
    msg: Lifecycle
    seq: Integer | None = None
    sending_ts_ms: Integer | None = None


class MultivariateLifecycleFrame(LifecycleFrame, tag="multivariate_market_lifecycle"):
    """``multivariate_market_lifecycle``: the same for markets that combine others."""


class Event(Body, gc=False):
    """A new event."""

    event_ticker: Name
    exchange_index: Integer | None = None
    series_ticker: ShortText | None = None
    title: Text | None = None
    subtitle: Text | None = None
    collateral_return_type: ShortText | None = None
    strike_date: Integer | None = None
    strike_period: ShortText | None = None


class EventFrame(Frame, tag="event_lifecycle", gc=False):
    """``event_lifecycle``, on both lifecycle channels."""

    sid: Integer
    msg: Event
    seq: Integer | None = None
    sending_ts_ms: Integer | None = None


class FeeUpdate(Body, gc=False):
    """A change of an event's fees; None clears the override, so what cannot be read must not become None."""

    firm: ClassVar[frozenset[str]] = frozenset({"fee_type_override", "fee_multiplier_override"})

    event_ticker: Name
    fee_type_override: ShortText | None = None
    fee_multiplier_override: float | None = None


class FeeUpdateFrame(Frame, tag="event_fee_update", gc=False):
    """``event_fee_update``."""

    sid: Integer
    msg: FeeUpdate
    seq: Integer | None = None
    sending_ts_ms: Integer | None = None


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
        near(milliseconds(frame.sending_ts_ms), received_at) if frame.sending_ts_ms else received_at,
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
        *_NOTHING_OF_AN_EVENT,
        msg.exchange_index,
        received_at,
        frame.seq,
    )


_NOTHING_OF_AN_EVENT: Final = (None,) * 8
"""The columns that only events have values in."""

_EVENT: Final = Plan(_PLAIN, Event, constant={"event_type": "event_lifecycle"})
_FEE_UPDATE: Final = Plan(_PLAIN, FeeUpdate, constant={"event_type": "event_fee_update"})

FAMILY: Final = Family(
    {
        LifecycleFrame: Conversion(frozenset({_PLAIN}), lifecycle_row),
        MultivariateLifecycleFrame: Conversion(frozenset({_MULTIVARIATE}), lifecycle_row),
        EventFrame: Conversion(frozenset({_PLAIN, _MULTIVARIATE}), _EVENT.row),
        FeeUpdateFrame: Conversion(frozenset({_PLAIN, _MULTIVARIATE}), _FEE_UPDATE.row),
    },
    decimals=frozenset({"settlement_value", "start", "end", "step"}),
    nested=frozenset({"price_ranges"}),
)
