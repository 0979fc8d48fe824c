"""Frames of the reference feeds, and the lists of what they offer."""

from __future__ import annotations

import msgspec

from kalshi_nb._wire.field_types import Integer

__all__ = [
    "FastIndexListFrame",
    "FastIndexValueFrame",
    "IndexListFrame",
    "IndexValueFrame",
    "UnderlyingListFrame",
    "UnderlyingValueFrame",
]


class WindowAverage(msgspec.Struct, gc=False):
    """An average over a window of ticks."""

    value: str
    window_size: Integer | None = None
    window_start_ts_ms: Integer | None = None
    window_end_ts_exclusive: Integer | None = None


class IndexValue(msgspec.Struct, gc=False):
    """One tick of an index; the value itself stands in ``data``, the index provider's own JSON as text."""

    index_id: str
    received_at: Integer | None = None
    data: str | None = None
    avg_60s_data: WindowAverage | None = None
    last_60s_windowed_average_15min: WindowAverage | None = None


class IndexValueFrame(msgspec.Struct, tag="cfbenchmarks_value", gc=False):
    """``cfbenchmarks_value``."""

    sid: Integer
    msg: IndexValue
    seq: Integer | None = None
    sending_ts_ms: Integer | None = None


class FastIndexValue(msgspec.Struct, gc=False):
    """One raw tick of an index."""

    index_id: str
    value_usd: str
    source_ts_ms: Integer | None = None
    received_at: Integer | None = None
    data: str | None = None


class FastIndexValueFrame(msgspec.Struct, tag="cfbenchmarks_value_5hz", gc=False):
    """``cfbenchmarks_value_5hz``."""

    sid: Integer
    msg: FastIndexValue
    seq: Integer | None = None
    sending_ts_ms: Integer | None = None


class UnderlyingValue(msgspec.Struct, gc=False):
    """One price of an underlying."""

    underlying_ticker: str
    value_usd: str
    source_ts_ms: Integer | None = None
    received_at: Integer | None = None


class UnderlyingValueFrame(msgspec.Struct, tag="pyth_value", gc=False):
    """``pyth_value``."""

    sid: Integer
    msg: UnderlyingValue
    seq: Integer | None = None
    sending_ts_ms: Integer | None = None


class IndexList(msgspec.Struct, gc=False):
    """Which indices there are."""

    index_ids: list[str]


class IndexListFrame(msgspec.Struct, tag="cfbenchmarks_value_indexlist", gc=False):
    """``cfbenchmarks_value_indexlist``: the answer to the action ``indexlist``."""

    sid: Integer
    msg: IndexList
    id: Integer | None = None
    seq: Integer | None = None


class FastIndexListFrame(IndexListFrame, tag="cfbenchmarks_value_5hz_indexlist", gc=False):
    """``cfbenchmarks_value_5hz_indexlist``."""


class UnderlyingList(msgspec.Struct, gc=False):
    """Which underlyings were seen in the last two hours."""

    underlying_tickers: list[str]


class UnderlyingListFrame(msgspec.Struct, tag="pyth_value_underlying_list", gc=False):
    """``pyth_value_underlying_list``: the answer to the action ``underlying_list``."""

    sid: Integer
    msg: UnderlyingList
    id: Integer | None = None
    seq: Integer | None = None
