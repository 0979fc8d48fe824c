"""Quotes as rows: best bid and ask of one market, made by the kit from a kept book."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

from kalshi_nb._rows.rows import Kind, Row

__all__ = ["LAYOUT", "QUOTES", "PresentQuoteRow", "QuoteColumn", "QuoteKind"]

QUOTES: Final = "quotes"
"""What the rows go by where channels are named; the exchange has none of that name."""

QuoteKind = Kind | Literal["midpoint"]


class QuoteColumn(NamedTuple):
    """One column's name and kind; a ``midpoint`` is in 1/20000 dollar, as half of a sum of two prices is."""

    name: str
    kind: QuoteKind


LAYOUT: Final[tuple[QuoteColumn, ...]] = (
    QuoteColumn("ts", "time"),
    QuoteColumn("market_ticker", "market"),
    QuoteColumn("bid", "price"),
    QuoteColumn("bid_size", "count"),
    QuoteColumn("ask", "price"),
    QuoteColumn("ask_size", "count"),
    QuoteColumn("mid", "midpoint"),
    QuoteColumn("spread", "price"),
    QuoteColumn("received_at", "time"),
    QuoteColumn("seq", "integer"),
    QuoteColumn("status", "text"),
)
"""In YES prices. `ts` and `seq` are those of the message that moved the quote; a snapshot carries no `ts`, and
what became stale did so without a message."""


class PresentQuoteRow(NamedTuple):
    """Stands among the rows where somebody more began to listen: `row` is the quote as it was then.

    It is for whoever has had no quote of the market yet; to all others it says nothing new.
    """

    market_ticker: str
    row: Row
