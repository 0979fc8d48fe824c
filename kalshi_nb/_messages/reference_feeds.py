"""Values of indices and underlyings, and the lists of those there are."""

from __future__ import annotations

import datetime as dt

from kalshi_nb._messages.message import TypedMessage

__all__ = ["IndexList", "IndexTick", "IndexValue", "UnderlyingList", "UnderlyingValue"]


class IndexValue(TypedMessage, frozen=True, gc=False):
    """One tick of an index, in dollars, with its averages.

    `ts` is when the exchange received it, `source_ts` when the provider made it. `value` and `source_ts` are
    read from `data`, the provider's own JSON, and None where they cannot be.
    """

    ts: dt.datetime
    index_id: str
    value: float | None
    avg_60s: float | None
    last_60s_windowed_average_15min: float | None
    source_ts: dt.datetime | None
    avg_60s_window_size: int | None
    last_60s_windowed_average_15min_window_size: int | None
    avg_60s_window_start_ts: dt.datetime | None
    avg_60s_window_end_ts: dt.datetime | None
    last_60s_windowed_average_15min_window_start_ts: dt.datetime | None
    last_60s_windowed_average_15min_window_end_ts: dt.datetime | None
    data: str | None
    received_at: dt.datetime
    seq: int | None


class IndexTick(TypedMessage, frozen=True, gc=False):
    """One raw tick of an index, up to five a second, in dollars; times as in `IndexValue`."""

    ts: dt.datetime
    index_id: str
    value: float
    source_ts: dt.datetime | None
    data: str | None
    received_at: dt.datetime
    seq: int | None


class UnderlyingValue(TypedMessage, frozen=True, gc=False):
    """One price of an underlying, in dollars; times as in `IndexValue`."""

    ts: dt.datetime
    underlying_ticker: str
    value: float
    source_ts: dt.datetime | None
    received_at: dt.datetime
    seq: int | None


class IndexList(TypedMessage, frozen=True):
    """Which indices there are."""

    index_ids: tuple[str, ...]
    received_at: dt.datetime
    seq: int | None


class UnderlyingList(TypedMessage, frozen=True):
    """Which underlyings were seen lately."""

    underlying_tickers: tuple[str, ...]
    received_at: dt.datetime
    seq: int | None


ReferenceMessage = IndexValue | IndexTick | UnderlyingValue | IndexList | UnderlyingList
