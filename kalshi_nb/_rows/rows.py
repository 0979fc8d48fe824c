"""How one message lies in a row, with integers inside.

A plain row is a tuple, one value a column of its channel (see :mod:`kalshi_nb._rows.columns`), made once by the
session on the thread that reads and never changed. A channel's other messages are the named tuples below.
"""

from __future__ import annotations

from typing import Any, NamedTuple

__all__ = ["IndexListRow", "Row", "SnapshotRow", "UnderlyingListRow"]

Row = tuple[Any, ...]


class SnapshotRow(NamedTuple):
    """A whole book, on ``orderbook_delta`` among the deltas.

    `yes` and `no` are the resting bids of each side as pairs of price and count, best (highest) first;
    those of `no` in NO prices.
    """

    received_at: int
    seq: int | None
    market_ticker: str
    yes: tuple[tuple[int, int], ...]
    no: tuple[tuple[int, int], ...]


class IndexListRow(NamedTuple):
    """Which indices there are, on ``cfbenchmarks_value`` and ``cfbenchmarks_value_5hz``."""

    index_ids: tuple[str, ...]
    received_at: int
    seq: int | None


class UnderlyingListRow(NamedTuple):
    """Which underlyings were seen lately, on ``pyth_value``."""

    underlying_tickers: tuple[str, ...]
    received_at: int
    seq: int | None
