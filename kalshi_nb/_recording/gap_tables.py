"""The gaps of one segment, as an export has them beside its rows.

A segment is exported by itself, and a gap goes on beyond it: then each segment that it reaches into has it, the first
without its end. :func:`joined` makes one row of those again.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

import polars as pl

from kalshi_nb._frames.gaps import GAP_SCHEMA, gap_frame
from kalshi_nb._rows.channels import traits_of

if TYPE_CHECKING:
    from kalshi_nb._rows.gaps import Gap

__all__ = ["COLUMNS", "joined", "tables_of"]

COLUMNS: Final = pl.Schema({name: kind for name, kind in GAP_SCHEMA.items() if name != "channel"})
"""Of a channel's table: which channel it is says its path."""

_SAME: Final = ("channel", "market_ticker", "opened_at", "reason", "seq_from", "connection")


def tables_of(
    gaps: Iterable[Gap],
    channels: Iterable[str],
    market_tickers: Iterable[str] | None,
    span: tuple[int | None, int | None],
) -> dict[str, pl.DataFrame]:
    """Return the gaps of channels, a table each, in the order in which they were opened; quotes have those of books.

    Parameters
    ----------
    gaps : iterable of Gap
        All there are; of two that are the same the later is taken.
    channels : iterable of str
        Of which channels.
    market_tickers : iterable of str, optional
        Leave out gaps of other markets alone.
    span : tuple of int or None
        Leave out those that lie outside, in microseconds.
    """
    (first, last), some = span, None if market_tickers is None else {*market_tickers}
    found = [
        each
        for each in gaps
        if (some is None or each.market_ticker is None or each.market_ticker in some)
        and (last is None or each.opened_at <= last)
        and (first is None or each.closed_at is None or each.closed_at >= first)
    ]
    whole = joined(gap_frame(found).lazy()).collect()
    sources = dict.fromkeys(traits_of(each).source or each for each in channels)
    return {each: whole.filter(channel=each).select(list(COLUMNS)) for each in sources}


def joined(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Return one row a gap, the last that is known of it, by when it was opened."""
    return rows.unique(_SAME, keep="last", maintain_order=True).sort("opened_at", maintain_order=True)
