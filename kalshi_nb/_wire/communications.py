"""The channel ``communications``: requests for quotes, quotes, and batches of both.

All its messages become rows of one layout; which message one was stands in the column ``event``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, ClassVar, Final

import msgspec

from kalshi_nb._fixed_point import COSTS, COUNTS, PRICES
from kalshi_nb._rows.rows import Row
from kalshi_nb._wire.family import Body, Conversion, Family, Frame
from kalshi_nb._wire.field_types import Integer, Name, OutcomeOrNone, ShortText
from kalshi_nb._wire.row_making import Plan

__all__ = ["FAMILY", "CommunicationFrame"]


class _Message(Body, gc=False):
    """What all of these stand by, also where they are nested.

    Bids, how much is asked for, how much was taken, and which requests it was about.
    """

    firm: ClassVar[frozenset[str]] = frozenset(
        {
            "contracts_fp",
            "target_cost_dollars",
            "rfq_target_cost_dollars",
            "yes_bid_dollars",
            "no_bid_dollars",
            "contracts_accepted_fp",
            "rfqs",
            "quotes",
            "id",
            "rfq_id",
            "rfq_ids",
            "executed_rfq_ids",
            "failed_rfq_ids",
        }
    )
    times: ClassVar[tuple[tuple[str, ...], ...]] = (
        ("created_ts", "deleted_ts", "accepted_ts", "executed_ts", "updated_ts"),
    )


class Leg(_Message, gc=False, omit_defaults=True):
    """One of the markets that a combined market is made of."""

    market_ticker: Name
    event_ticker: ShortText | None = None
    side: OutcomeOrNone | None = None
    yes_settlement_value_dollars: str | None = None


class BatchRfq(_Message, gc=False, omit_defaults=True):
    """One request of a batch, as announced (``id``) or with its best quotes (``rfq_id``)."""

    market_ticker: Name
    id: ShortText | None = None
    rfq_id: ShortText | None = None
    event_ticker: ShortText | None = None
    contracts_fp: str | None = None
    target_cost_dollars: str | None = None
    yes_bid_dollars: str | None = None
    no_bid_dollars: str | None = None
    yes_contracts_offered_fp: str | None = None
    no_contracts_offered_fp: str | None = None
    rfq_target_cost_dollars: str | None = None
    mve_collection_ticker: ShortText | None = None
    leg_indices: list[Integer] | None = None


class BatchQuote(_Message, gc=False, omit_defaults=True):
    """One quote of a batch."""

    quote_id: Name
    rfq_id: Name
    market_ticker: Name
    event_ticker: ShortText | None = None
    yes_bid_dollars: str | None = None
    no_bid_dollars: str | None = None
    contracts_accepted_fp: str | None = None
    yes_contracts_offered_fp: str | None = None
    no_contracts_offered_fp: str | None = None
    rfq_target_cost_dollars: str | None = None


class RfqCreated(_Message, gc=False):
    """Somebody asks for quotes, for so many contracts or so many dollars."""

    id: Name
    market_ticker: Name
    creator_id: ShortText | None = None
    event_ticker: ShortText | None = None
    contracts_fp: str | None = None
    target_cost_dollars: str | None = None
    created_ts: str | None = None
    mve_collection_ticker: ShortText | None = None
    mve_selected_legs: list[Leg] | None = None


class RfqDeleted(_Message, gc=False):
    """A request for quotes is gone."""

    id: Name
    market_ticker: Name
    creator_id: ShortText | None = None
    event_ticker: ShortText | None = None
    contracts_fp: str | None = None
    target_cost_dollars: str | None = None
    deleted_ts: str | None = None


class QuoteCreated(_Message, gc=False):
    """A quote, sent to the two parties."""

    quote_id: Name
    rfq_id: Name
    market_ticker: Name
    quote_creator_id: ShortText | None = None
    rfq_creator_id: ShortText | None = None
    event_ticker: ShortText | None = None
    yes_bid_dollars: str | None = None
    no_bid_dollars: str | None = None
    yes_contracts_offered_fp: str | None = None
    no_contracts_offered_fp: str | None = None
    rfq_target_cost_dollars: str | None = None
    created_ts: str | None = None
    subaccount: Integer | None = None


class QuoteAccepted(_Message, gc=False):
    """A quote was accepted; it has no time of its own."""

    quote_id: Name
    rfq_id: Name
    market_ticker: Name
    quote_creator_id: ShortText | None = None
    rfq_creator_id: ShortText | None = None
    event_ticker: ShortText | None = None
    yes_bid_dollars: str | None = None
    no_bid_dollars: str | None = None
    accepted_side: OutcomeOrNone | None = None
    contracts_accepted_fp: str | None = None
    yes_contracts_offered_fp: str | None = None
    no_contracts_offered_fp: str | None = None
    rfq_target_cost_dollars: str | None = None
    subaccount: Integer | None = None


class QuoteExecuted(_Message, gc=False):
    """A quote was executed; each party gets its own order's ids."""

    quote_id: Name
    rfq_id: Name
    market_ticker: Name
    order_id: ShortText | None = None
    client_order_id: ShortText | None = None
    quote_creator_id: ShortText | None = None
    rfq_creator_id: ShortText | None = None
    executed_ts: str | None = None
    subaccount: Integer | None = None
    rfq_batch_id: ShortText | None = None


class RfqBatchCreated(_Message, gc=False):
    """Several requests at once; their children are announced here and nowhere else."""

    id: Name
    creator_id: ShortText | None = None
    created_ts: str | None = None
    legs: list[Leg] | None = None
    rfqs: list[BatchRfq] | None = None


class RfqBatchDeleted(_Message, gc=False):
    """A batch of requests is gone."""

    id: Name
    creator_id: ShortText | None = None
    rfq_ids: list[str] | None = None
    deleted_ts: str | None = None


class BatchQuoteCreated(_Message, gc=False):
    """Quotes for the children of a batch, sent to their maker."""

    batch_quote_id: Name
    rfq_batch_id: Name
    quote_creator_id: ShortText | None = None
    created_ts: str | None = None
    quotes: list[BatchQuote] | None = None
    subaccount: Integer | None = None


class RfqBatchBestQuotes(_Message, gc=False):
    """The best quotes of a batch, sent to its creator; a lower ``version`` is older."""

    rfq_batch_id: Name
    client_batch_id: ShortText | None = None
    version: Integer | None = None
    updated_ts: str | None = None
    yes_complete: bool | None = None
    no_complete: bool | None = None
    rfqs: list[BatchRfq] | None = None
    subaccount: Integer | None = None


class BatchQuoteAccepted(_Message, gc=False):
    """Quotes of a batch were accepted, sent to their maker."""

    batch_quote_id: Name
    rfq_batch_id: Name
    quote_creator_id: ShortText | None = None
    rfq_creator_id: ShortText | None = None
    accepted_side: OutcomeOrNone | None = None
    accepted_ts: str | None = None
    quotes: list[BatchQuote] | None = None
    subaccount: Integer | None = None


class RfqBatchExecuted(_Message, gc=False):
    """A batch was executed, sent to its creator."""

    rfq_batch_id: Name
    client_batch_id: ShortText | None = None
    rfq_creator_id: ShortText | None = None
    executed_rfq_ids: list[str] | None = None
    failed_rfq_ids: list[str] | None = None
    executed_ts: str | None = None
    close_reason: ShortText | None = None
    subaccount: Integer | None = None


class BatchQuoteExecuted(_Message, gc=False):
    """A batch was executed, sent to the maker of its quotes."""

    batch_quote_id: Name
    rfq_batch_id: Name
    rfq_creator_id: ShortText | None = None
    executed_rfq_ids: list[str] | None = None
    failed_rfq_ids: list[str] | None = None
    executed_ts: str | None = None
    close_reason: ShortText | None = None
    subaccount: Integer | None = None


class CommunicationFrame(Frame):
    """What the frames of this channel have in common; each has a ``msg`` of its own kind."""

    sid: Integer
    msg: Any
    seq: Integer | None = None
    sending_ts_ms: Integer | None = None


class RfqCreatedFrame(CommunicationFrame, tag="rfq_created"):
    """``rfq_created``."""

    msg: RfqCreated


class RfqDeletedFrame(CommunicationFrame, tag="rfq_deleted"):
    """``rfq_deleted``."""

    msg: RfqDeleted


class QuoteCreatedFrame(CommunicationFrame, tag="quote_created"):
    """``quote_created``."""

    msg: QuoteCreated


class QuoteAcceptedFrame(CommunicationFrame, tag="quote_accepted"):
    """``quote_accepted``."""

    msg: QuoteAccepted


class QuoteExecutedFrame(CommunicationFrame, tag="quote_executed"):
    """``quote_executed``."""

    msg: QuoteExecuted


class RfqBatchCreatedFrame(CommunicationFrame, tag="rfq_batch_created"):
    """``rfq_batch_created``."""

    msg: RfqBatchCreated


class RfqBatchDeletedFrame(CommunicationFrame, tag="rfq_batch_deleted"):
    """``rfq_batch_deleted``."""

    msg: RfqBatchDeleted


class BatchQuoteCreatedFrame(CommunicationFrame, tag="batch_quote_created"):
    """``batch_quote_created``."""

    msg: BatchQuoteCreated


class RfqBatchBestQuotesFrame(CommunicationFrame, tag="rfq_batch_best_quotes"):
    """``rfq_batch_best_quotes``."""

    msg: RfqBatchBestQuotes


class BatchQuoteAcceptedFrame(CommunicationFrame, tag="batch_quote_accepted"):
    """``batch_quote_accepted``."""

    msg: BatchQuoteAccepted


class RfqBatchExecutedFrame(CommunicationFrame, tag="rfq_batch_executed"):
    """``rfq_batch_executed``."""

    msg: RfqBatchExecuted


class BatchQuoteExecutedFrame(CommunicationFrame, tag="batch_quote_executed"):
    """``batch_quote_executed``."""

    msg: BatchQuoteExecuted


_FRAMES: Final[tuple[type[CommunicationFrame], ...]] = (
    RfqCreatedFrame,
    RfqDeletedFrame,
    QuoteCreatedFrame,
    QuoteAcceptedFrame,
    QuoteExecutedFrame,
    RfqBatchCreatedFrame,
    RfqBatchDeletedFrame,
    BatchQuoteCreatedFrame,
    RfqBatchBestQuotesFrame,
    BatchQuoteAcceptedFrame,
    RfqBatchExecutedFrame,
    BatchQuoteExecutedFrame,
)

_RENAMED: Final[dict[str, tuple[str, ...]]] = {
    "ts": _Message.times[0],
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


_PLANS: Final = {kind: _plan(kind) for kind in _FRAMES}
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


def _row(frame: CommunicationFrame, received_at: int) -> Row:
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


_CONVERSION: Final = Conversion(frozenset({"communications"}), _row)

FAMILY: Final = Family(
    dict.fromkeys(_FRAMES, _CONVERSION),
    nested=frozenset({"legs", "mve_selected_legs", "quotes", "rfqs"}),
)
