"""Quotes as rows: best bid and ask of one market, made by the kit from a kept book.

In YES prices. `ts` and `seq` are those of the message that moved the quote. A snapshot carries no time, and what
became stale did so without a message: their `ts` is when they were received, or when it became so.
The columns stand in the table of channels, with all others.
"""

from __future__ import annotations

from typing import NamedTuple

from kalshi_nb._rows.channels import QUOTES
from kalshi_nb._rows.rows import Row

__all__ = ["QUOTES", "PresentQuoteRow"]


class PresentQuoteRow(NamedTuple):
    """Stands among the rows where somebody more began to listen.

    It is for whoever has had no quote of the market yet; to all others it says nothing new.

    Attributes
    ----------
    market_ticker : str
        The market.
    row : tuple
        The quote as it was then.
    """

    market_ticker: str
    row: Row
