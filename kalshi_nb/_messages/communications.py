"""Requests for quotes, quotes, and batches of both, as the channel ``communications`` announces them."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from kalshi_nb._messages.message import TypedMessage

__all__ = [
    "BatchQuote",
    "BatchQuoteAccepted",
    "BatchQuoteCreated",
    "BatchQuoteExecuted",
    "BatchRfq",
    "Leg",
    "QuoteAccepted",
    "QuoteCreated",
    "QuoteExecuted",
    "RfqBatchBestQuotes",
    "RfqBatchCreated",
    "RfqBatchDeleted",
    "RfqBatchExecuted",
    "RfqCreated",
    "RfqDeleted",
]


class Leg(TypedMessage, frozen=True, gc=False):
    """One of the markets that a combined market is made of; `yes_settlement_value` is in dollars."""

    market_ticker: str
    event_ticker: str | None = None
    side: Literal["yes", "no"] | None = None
    yes_settlement_value: float | None = None


class BatchRfq(TypedMessage, frozen=True):
    """One request of a batch; bids and `target_cost` are dollars, `leg_indices` count from 0 in its legs."""

    market_ticker: str
    rfq_id: str | None = None
    event_ticker: str | None = None
    contracts: float | None = None
    target_cost: float | None = None
    yes_bid: float | None = None
    no_bid: float | None = None
    yes_contracts_offered: float | None = None
    no_contracts_offered: float | None = None
    mve_collection_ticker: str | None = None
    leg_indices: tuple[int, ...] = ()


class BatchQuote(TypedMessage, frozen=True, gc=False):
    """One quote of a batch; bids and `target_cost` are dollars."""

    quote_id: str
    rfq_id: str
    market_ticker: str
    event_ticker: str | None = None
    yes_bid: float | None = None
    no_bid: float | None = None
    contracts_accepted: float | None = None
    yes_contracts_offered: float | None = None
    no_contracts_offered: float | None = None
    target_cost: float | None = None


class RfqCreated(TypedMessage, frozen=True):
    """Somebody asks for quotes: for so many `contracts`, or for `target_cost` dollars."""

    ts: dt.datetime
    market_ticker: str
    rfq_id: str
    contracts: float | None
    target_cost: float | None
    rfq_creator_id: str | None
    event_ticker: str | None
    mve_collection_ticker: str | None
    mve_selected_legs: tuple[Leg, ...]
    received_at: dt.datetime
    seq: int | None


class RfqDeleted(TypedMessage, frozen=True, gc=False):
    """A request for quotes is gone."""

    ts: dt.datetime
    market_ticker: str
    rfq_id: str
    contracts: float | None
    target_cost: float | None
    rfq_creator_id: str | None
    event_ticker: str | None
    received_at: dt.datetime
    seq: int | None


class QuoteCreated(TypedMessage, frozen=True, gc=False):
    """A quote, sent to its two parties; bids are dollars."""

    ts: dt.datetime
    market_ticker: str
    rfq_id: str
    yes_bid: float | None
    no_bid: float | None
    target_cost: float | None
    quote_id: str
    yes_contracts_offered: float | None
    no_contracts_offered: float | None
    rfq_creator_id: str | None
    quote_creator_id: str | None
    event_ticker: str | None
    subaccount: int | None
    received_at: dt.datetime
    seq: int | None


class QuoteAccepted(TypedMessage, frozen=True, gc=False):
    """A quote was accepted; `ts` is when the exchange sent this."""

    ts: dt.datetime
    market_ticker: str
    rfq_id: str
    yes_bid: float | None
    no_bid: float | None
    target_cost: float | None
    quote_id: str
    accepted_side: Literal["yes", "no"] | None
    contracts_accepted: float | None
    yes_contracts_offered: float | None
    no_contracts_offered: float | None
    rfq_creator_id: str | None
    quote_creator_id: str | None
    event_ticker: str | None
    subaccount: int | None
    received_at: dt.datetime
    seq: int | None


class QuoteExecuted(TypedMessage, frozen=True, gc=False):
    """A quote was executed; `order_id` and `client_order_id` are those of your order."""

    ts: dt.datetime
    market_ticker: str
    rfq_id: str
    quote_id: str
    rfq_creator_id: str | None
    quote_creator_id: str | None
    order_id: str | None
    client_order_id: str | None
    subaccount: int | None
    rfq_batch_id: str | None
    received_at: dt.datetime
    seq: int | None


class RfqBatchCreated(TypedMessage, frozen=True):
    """Several requests at once, each of some of the `legs`."""

    ts: dt.datetime
    rfq_batch_id: str
    rfq_creator_id: str | None
    legs: tuple[Leg, ...]
    rfqs: tuple[BatchRfq, ...]
    received_at: dt.datetime
    seq: int | None


class RfqBatchDeleted(TypedMessage, frozen=True):
    """A batch of requests is gone."""

    ts: dt.datetime
    rfq_batch_id: str
    rfq_creator_id: str | None
    rfq_ids: tuple[str, ...]
    received_at: dt.datetime
    seq: int | None


class BatchQuoteCreated(TypedMessage, frozen=True):
    """Quotes for the requests of a batch, sent to their maker."""

    ts: dt.datetime
    rfq_batch_id: str
    batch_quote_id: str
    quote_creator_id: str | None
    quotes: tuple[BatchQuote, ...]
    subaccount: int | None
    received_at: dt.datetime
    seq: int | None


class RfqBatchBestQuotes(TypedMessage, frozen=True):
    """The best quotes of a batch, sent to its creator; one with a lower `version` is older."""

    ts: dt.datetime
    rfq_batch_id: str
    client_batch_id: str | None
    version: int | None
    yes_complete: bool | None
    no_complete: bool | None
    rfqs: tuple[BatchRfq, ...]
    subaccount: int | None
    received_at: dt.datetime
    seq: int | None


class BatchQuoteAccepted(TypedMessage, frozen=True):
    """Quotes of a batch were accepted, sent to their maker; `quotes` are those that won."""

    ts: dt.datetime
    rfq_batch_id: str
    batch_quote_id: str
    accepted_side: Literal["yes", "no"] | None
    rfq_creator_id: str | None
    quote_creator_id: str | None
    quotes: tuple[BatchQuote, ...]
    subaccount: int | None
    received_at: dt.datetime
    seq: int | None


class RfqBatchExecuted(TypedMessage, frozen=True):
    """A batch was executed, sent to its creator."""

    ts: dt.datetime
    rfq_batch_id: str
    client_batch_id: str | None
    rfq_creator_id: str | None
    executed_rfq_ids: tuple[str, ...]
    failed_rfq_ids: tuple[str, ...]
    close_reason: str | None
    subaccount: int | None
    received_at: dt.datetime
    seq: int | None


class BatchQuoteExecuted(TypedMessage, frozen=True):
    """A batch was executed, sent to the maker of its quotes."""

    ts: dt.datetime
    rfq_batch_id: str
    batch_quote_id: str
    rfq_creator_id: str | None
    executed_rfq_ids: tuple[str, ...]
    failed_rfq_ids: tuple[str, ...]
    close_reason: str | None
    subaccount: int | None
    received_at: dt.datetime
    seq: int | None


CommunicationMessage = (
    RfqCreated
    | RfqDeleted
    | QuoteCreated
    | QuoteAccepted
    | QuoteExecuted
    | RfqBatchCreated
    | RfqBatchDeleted
    | BatchQuoteCreated
    | RfqBatchBestQuotes
    | BatchQuoteAccepted
    | RfqBatchExecuted
    | BatchQuoteExecuted
)
