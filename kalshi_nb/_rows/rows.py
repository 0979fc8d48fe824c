"""How one message lies in a row: names, order and meaning, with integers inside.

A row is a plain tuple, one value a column, made once by the session on the reader's thread and never
changed. Units of the integers, by kind:

========  =====================================================================
kind      value
========  =====================================================================
time      microseconds since 1970-01-01 UTC
price     1/10000 dollar
count     1/100 contract
cost      1/1000000 dollar: costs, fees, profits
value     1/100000000 dollar: values of indices and underlyings
dollars   whole dollars
integer   as it is
market    a market ticker, str
name      another name that many rows share, str: of an index, of an underlying
outcome   "yes" or "no"
book      "bid" or "ask"
flag      bool
text      str
json      str, JSON as text, its decimals as the exchange wrote them
========  =====================================================================

Every value may be None, which is "none", as the exchange writes a missing bid, ask or last price.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from kalshi_nb._rows.channels import CHANNELS
from kalshi_nb._rows.layouts import LAYOUTS, Column, Kind

__all__ = [
    "CHANNELS",
    "LAYOUTS",
    "Column",
    "EventRow",
    "FeeUpdateRow",
    "IndexListRow",
    "Kind",
    "Row",
    "SnapshotRow",
    "UnderlyingListRow",
    "position",
]

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


class EventRow(NamedTuple):
    """``event_lifecycle``, on both lifecycle channels; `strike_date` is a time like all others."""

    event_ticker: str
    series_ticker: str | None
    title: str | None
    subtitle: str | None
    collateral_return_type: str | None
    strike_date: int | None
    strike_period: str | None
    received_at: int
    seq: int | None
    exchange_index: int | None = None


class FeeUpdateRow(NamedTuple):
    """``event_fee_update``, on ``market_lifecycle_v2``; None is an override that was cleared."""

    event_ticker: str
    fee_type_override: str | None
    fee_multiplier_override: float | None
    received_at: int
    seq: int | None


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


def position(channel: str, column: str) -> int:
    """Return where `column` stands in a row of `channel`."""
    return [each.name for each in LAYOUTS[channel]].index(column)
