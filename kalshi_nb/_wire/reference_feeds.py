"""The reference feeds: what indices and underlyings are worth, and which there are."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Final

import msgspec

from kalshi_nb._fixed_point import VALUES
from kalshi_nb._rows.rows import IndexListRow, Row, UnderlyingListRow
from kalshi_nb._wire.family import Body, Conversion, Family, Frame
from kalshi_nb._wire.field_types import Integer, Name, Text
from kalshi_nb._wire.field_values import milliseconds, near
from kalshi_nb._wire.row_making import Plan
from kalshi_nb.errors import WireError

__all__ = [
    "FAMILY",
    "FastIndexListFrame",
    "FastIndexValueFrame",
    "IndexListFrame",
    "IndexValueFrame",
    "UnderlyingListFrame",
    "UnderlyingValueFrame",
]


class WindowAverage(Body, gc=False):
    """An average over a window of ticks."""

    value: str
    window_size: Integer | None = None
    window_start_ts_ms: Integer | None = None
    window_end_ts_exclusive: Integer | None = None


class _Tick(Body, gc=False):
    """What all values have in common: when they came to the exchange is when they were."""

    times: ClassVar[tuple[tuple[str, ...], ...]] = (("received_at",),)


class IndexValue(_Tick, gc=False):
    """One tick of an index; the value itself stands in ``data``, the index provider's own JSON as text."""

    index_id: Name
    received_at: Integer | None = None
    data: Text | None = None
    avg_60s_data: WindowAverage | None = None
    last_60s_windowed_average_15min: WindowAverage | None = None


class IndexValueFrame(Frame, tag="cfbenchmarks_value", gc=False):
    """``cfbenchmarks_value``."""

    sid: Integer
    msg: IndexValue
    seq: Integer | None = None
    sending_ts_ms: Integer | None = None


class FastIndexValue(_Tick, gc=False):
    """One raw tick of an index."""

    index_id: Name
    value_usd: str
    source_ts_ms: Integer | None = None
    received_at: Integer | None = None
    data: Text | None = None


class FastIndexValueFrame(Frame, tag="cfbenchmarks_value_5hz", gc=False):
    """``cfbenchmarks_value_5hz``."""

    sid: Integer
    msg: FastIndexValue
    seq: Integer | None = None
    sending_ts_ms: Integer | None = None


class UnderlyingValue(_Tick, gc=False):
    """One price of an underlying."""

    underlying_ticker: Name
    value_usd: str
    source_ts_ms: Integer | None = None
    received_at: Integer | None = None


class UnderlyingValueFrame(Frame, tag="pyth_value", gc=False):
    """``pyth_value``."""

    sid: Integer
    msg: UnderlyingValue
    seq: Integer | None = None
    sending_ts_ms: Integer | None = None


class IndexList(Body, gc=False):
    """Which indices there are."""

    index_ids: list[Name]


class IndexListFrame(Frame, tag="cfbenchmarks_value_indexlist", gc=False):
    """``cfbenchmarks_value_indexlist``: the answer to the action ``indexlist``."""

    sid: Integer
    msg: IndexList
    id: Integer | None = None
    seq: Integer | None = None


class FastIndexListFrame(IndexListFrame, tag="cfbenchmarks_value_5hz_indexlist", gc=False):
    """``cfbenchmarks_value_5hz_indexlist``."""


class UnderlyingList(Body, gc=False):
    """Which underlyings were seen in the last two hours."""

    underlying_tickers: list[Name]


class UnderlyingListFrame(Frame, tag="pyth_value_underlying_list", gc=False):
    """``pyth_value_underlying_list``: the answer to the action ``underlying_list``."""

    sid: Integer
    msg: UnderlyingList
    id: Integer | None = None
    seq: Integer | None = None


_RENAMED: Final[dict[str, tuple[str, ...]]] = {
    "ts": ("received_at",),
    "value": ("value_usd",),
    "source_ts": ("source_ts_ms",),
}
_FAST: Final = Plan("cfbenchmarks_value_5hz", FastIndexValue, _RENAMED)
_UNDERLYING: Final = Plan("pyth_value", UnderlyingValue, _RENAMED)

# A number keeps its digits as text: no float comes between.
_provided = msgspec.json.Decoder(float_hook=str).decode


def _index_row(frame: IndexValueFrame, received_at: int) -> Row:
    """Return the row of a ``cfbenchmarks_value``.

    The value stands in the provider's own text, which nobody promises: where it is not there, or has more
    decimals than fit, it is None, and the text is kept anyway.
    """
    msg = frame.msg
    value, source_ts = _from_provider(msg.data)
    average, size, start, end = _average(msg.avg_60s_data)
    last, last_size, last_start, last_end = _average(msg.last_60s_windowed_average_15min)
    return (
        near(_moment(msg.received_at) or _moment(frame.sending_ts_ms) or received_at, received_at),
        msg.index_id,
        value,
        average,
        last,
        source_ts,
        size,
        last_size,
        start,
        end,
        last_start,
        last_end,
        msg.data,
        received_at,
        frame.seq,
    )


def _index_list_row(frame: IndexListFrame, received_at: int) -> IndexListRow:
    """Return the row of a list of indices."""
    return IndexListRow(tuple(frame.msg.index_ids), received_at, frame.seq)


def _underlying_list_row(frame: UnderlyingListFrame, received_at: int) -> UnderlyingListRow:
    """Return the row of a list of underlyings."""
    return UnderlyingListRow(tuple(frame.msg.underlying_tickers), received_at, frame.seq)


def _moment(stamp: int | None) -> int | None:
    return milliseconds(stamp) if stamp else None


def _average(average: WindowAverage | None) -> tuple[int | None, int | None, int | None, int | None]:
    if average is None:
        return None, None, None, None
    start, end = average.window_start_ts_ms, average.window_end_ts_exclusive
    return (
        VALUES[average.value] if average.value else None,
        average.window_size,
        _moment(start),
        _moment(end),
    )


def _from_provider(text: str | None) -> tuple[int | None, int | None]:
    try:
        tick = _provided(text or "{}")
    except (msgspec.MsgspecError, RecursionError):
        return None, None
    if not isinstance(tick, dict):
        return None, None
    value, time = tick.get("value"), tick.get("time")
    digits = str(value) if isinstance(value, str | int) else ""
    moment = time if isinstance(time, int) else 0
    return _or_none(lambda: VALUES[digits]), _or_none(lambda: milliseconds(moment))


def _or_none(number: Callable[[], int]) -> int | None:
    try:
        return number()
    except WireError:
        return None


def _indices(frame: IndexListFrame) -> list[str]:
    return frame.msg.index_ids


def _underlyings(frame: UnderlyingListFrame) -> list[str]:
    return frame.msg.underlying_tickers


_INDEX: Final = frozenset({"cfbenchmarks_value"})
_FAST_INDEX: Final = frozenset({"cfbenchmarks_value_5hz"})
_PYTH: Final = frozenset({"pyth_value"})

FAMILY: Final = Family(
    {
        IndexValueFrame: Conversion(_INDEX, _index_row),
        FastIndexValueFrame: Conversion(_FAST_INDEX, _FAST.row),
        UnderlyingValueFrame: Conversion(_PYTH, _UNDERLYING.row),
        IndexListFrame: Conversion(_INDEX, _index_list_row, catalog=_indices),
        FastIndexListFrame: Conversion(_FAST_INDEX, _index_list_row, catalog=_indices),
        UnderlyingListFrame: Conversion(_PYTH, _underlying_list_row, catalog=_underlyings),
    },
    decimals=frozenset({"value", "value_usd"}),
    nested=frozenset({"avg_60s_data", "last_60s_windowed_average_15min"}),
)
