"""Frames of the channel ``communications`` to rows of one layout, told apart by the column ``event``."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

import msgspec

from kalshi_nb._fixed_point import COSTS, COUNTS, PRICES
from kalshi_nb._rows.rows import Row
from kalshi_nb._wire.communication_frames import COMMUNICATION_FRAMES, BatchQuote, BatchRfq, CommunicationFrame, Leg
from kalshi_nb._wire.row_making import Plan

__all__ = ["communication_row"]

_RENAMED: Final[dict[str, tuple[str, ...]]] = {
    "ts": ("created_ts", "deleted_ts", "accepted_ts", "executed_ts", "updated_ts"),
    "rfq_creator_id": ("rfq_creator_id", "creator_id"),
    "target_cost": ("target_cost_dollars", "rfq_target_cost_dollars"),
}
# What "id" is the id of depends on the message.
_ID: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "rfq_created": {"rfq_id": ("id",)},
    "rfq_deleted": {"rfq_id": ("id",)},
    "rfq_batch_created": {"rfq_batch_id": ("id",)},
    "rfq_batch_deleted": {"rfq_batch_id": ("id",)},
}


def _plan(kind: type[CommunicationFrame]) -> Plan:
    event = str(kind.__struct_config__.tag)
    message = next(each.type for each in msgspec.structs.fields(kind) if each.name == "msg")
    return Plan("communications", message, _RENAMED | _ID.get(event, {}), {"event": event})


_PLANS: Final = {kind: _plan(kind) for kind in COMMUNICATION_FRAMES}
_NESTED: Final[dict[type, tuple[tuple[str, Callable[[str], int]], ...]]] = {
    kind: tuple(
        (
            field,
            COUNTS.__getitem__
            if field.endswith("_fp")
            else COSTS.__getitem__
            if "cost" in field
            else PRICES.__getitem__,
        )
        for field in kind.__struct_fields__
        if field.endswith(("_fp", "_dollars"))
    )
    for kind in (Leg, BatchRfq, BatchQuote)
}


def communication_row(frame: CommunicationFrame, received_at: int) -> Row:
    """Return the row of any message of the channel.

    What is nested stays JSON, with its decimals as the exchange wrote them, once they are known to be numbers.
    """
    msg = frame.msg
    for field in ("mve_selected_legs", "legs", "rfqs", "quotes"):
        _check(getattr(msg, field, None) or ())
    return _PLANS[type(frame)].row(frame, received_at)


def _check(nested: Iterable[Any]) -> None:
    for each in nested:
        for field, number in _NESTED[type(each)]:
            text = getattr(each, field)
            if text:
                number(text)
