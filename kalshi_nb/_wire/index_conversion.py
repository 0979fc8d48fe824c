"""Frames of the reference feeds to rows: what indices and underlyings are worth."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from kalshi_nb._fixed_point import VALUES
from kalshi_nb._rows.rows import IndexListRow, Row, UnderlyingListRow
from kalshi_nb._wire.field_values import milliseconds
from kalshi_nb._wire.index_frames import (
    FastIndexValue,
    FastIndexValueFrame,
    IndexListFrame,
    IndexValueFrame,
    UnderlyingListFrame,
    UnderlyingValue,
    UnderlyingValueFrame,
    WindowAverage,
)
from kalshi_nb._wire.row_making import Plan
from kalshi_nb.errors import WireError

__all__ = ["fast_index_row", "index_list_row", "index_row", "underlying_list_row", "underlying_row"]

_RENAMED: Final[dict[str, tuple[str, ...]]] = {
    "ts": ("received_at",),
    "value": ("value_usd",),
    "source_ts": ("source_ts_ms",),
}
_FAST: Final = Plan("cfbenchmarks_value_5hz", FastIndexValue, _RENAMED)
_UNDERLYING: Final = Plan("pyth_value", UnderlyingValue, _RENAMED)


# A number keeps its digits as text: no float comes between.
_provided = msgspec.json.Decoder(float_hook=str).decode


def index_row(frame: IndexValueFrame, received_at: int) -> Row:
    """Return the row of a ``cfbenchmarks_value``.

    The value stands in the provider's own text, which nobody promises: where it is not there, or has more
    decimals than fit, it is None, and the text is kept anyway.
    """
    msg = frame.msg
    value, source_ts = _from_provider(msg.data)
    average, size, start, end = _average(msg.avg_60s_data)
    last, last_size, last_start, last_end = _average(msg.last_60s_windowed_average_15min)
    return (
        milliseconds(msg.received_at) if msg.received_at else None,
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


def fast_index_row(frame: FastIndexValueFrame, received_at: int) -> Row:
    """Return the row of a ``cfbenchmarks_value_5hz``."""
    return _FAST.row(frame, received_at)


def underlying_row(frame: UnderlyingValueFrame, received_at: int) -> Row:
    """Return the row of a ``pyth_value``."""
    return _UNDERLYING.row(frame, received_at)


def index_list_row(frame: IndexListFrame, received_at: int) -> IndexListRow:
    """Return the row of a list of indices."""
    return IndexListRow(tuple(frame.msg.index_ids), received_at, frame.seq)


def underlying_list_row(frame: UnderlyingListFrame, received_at: int) -> UnderlyingListRow:
    """Return the row of a list of underlyings."""
    return UnderlyingListRow(tuple(frame.msg.underlying_tickers), received_at, frame.seq)


def _average(average: WindowAverage | None) -> tuple[int | None, int | None, int | None, int | None]:
    if average is None:
        return None, None, None, None
    start, end = average.window_start_ts_ms, average.window_end_ts_exclusive
    return (
        VALUES[average.value] if average.value else None,
        average.window_size,
        milliseconds(start) if start else None,
        milliseconds(end) if end else None,
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
