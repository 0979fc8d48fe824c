"""Quotes as ``feed.messages("quotes")`` and ``feed.on("quotes")`` give them."""

from __future__ import annotations

import datetime as dt

from kalshi_nb._messages.message import TypedMessage

__all__ = ["Quote"]


class Quote(TypedMessage, frozen=True, gc=False):
    """Best bid and best ask of one market, in YES prices, with the contracts that rest there.

    A side without orders is None. All but `ts`, `market_ticker`, `received_at` and `status` is None where `status`
    is not ``"live"``: the book is not to be trusted then.
    """

    ts: dt.datetime
    market_ticker: str
    bid: float | None
    bid_size: float | None
    ask: float | None
    ask_size: float | None
    mid: float | None
    spread: float | None
    received_at: dt.datetime
    seq: int | None
    status: str
