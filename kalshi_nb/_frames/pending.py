"""Rows that a rolling frame has, but that are not columns of it yet.

To make columns, and to join them to others, costs the same for five rows as for five hundred. So what comes
in small parts waits, until somebody reads or until enough has come, and is paid for once.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from kalshi_nb._frames.joining import one_chunk
from kalshi_nb._frames.marks import BACKFILLED, GAP
from kalshi_nb._frames.schema import frame_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kalshi_nb._rows.rows import Row

__all__ = ["Part", "PlainRows", "joined", "nbytes_of"]


class PlainRows(NamedTuple):
    """Some rows of one channel as the engine made them."""

    channel: str
    rows: Sequence[Row]
    exact: bool
    marks: Sequence[bool] | None
    """Which of them follow a gap, where the frame has a column that says so."""
    late: bool | None = None
    """Whether they were fetched, where the frame has a column that says so."""

    @property
    def height(self) -> int:
        """How many rows there are."""
        return len(self.rows)


Part = pl.DataFrame | PlainRows
"""What comes at once, or was read before: rows, or a frame of few chunks."""


def nbytes_of(part: Part) -> int:
    """Return about how many bytes a part takes: its rows are as large as the first of them."""
    if isinstance(part, pl.DataFrame):
        return int(part.estimated_size())
    return part.height * sum(map(sys.getsizeof, (part.rows[0], *part.rows[0]))) if part.rows else 0


def joined(parts: Sequence[Part]) -> pl.DataFrame:
    """Return all rows of one or more parts as one frame of one chunk, in their order."""
    frames: list[pl.DataFrame] = []
    rows: list[PlainRows] = []
    for part in parts:
        if isinstance(part, PlainRows):
            rows.append(part)
            continue
        if rows:
            frames.append(_framed(rows))
            rows = []
        frames.append(part)
    if rows:
        frames.append(_framed(rows))
    stacked = frames[0]
    for frame in frames[1:]:
        stacked = stacked.vstack(frame)  # a tenth of what concat() takes for so few
    return one_chunk([stacked]) if len(frames) > 1 and stacked.n_chunks() > 1 else stacked


def _framed(parts: Sequence[PlainRows]) -> pl.DataFrame:
    first = parts[0]
    frame = frame_of(first.channel, [row for each in parts for row in each.rows], first.exact)
    if first.late is not None:
        late = [each.late for each in parts for _ in each.rows]
        frame = frame.with_columns(pl.Series(BACKFILLED, late, dtype=pl.Boolean()))
    if first.marks is not None:
        frame = frame.with_columns(pl.Series(GAP, _flags(parts), dtype=pl.Boolean()))
    return frame


def _flags(parts: Iterable[PlainRows]) -> list[bool]:
    return [mark for each in parts for mark in each.marks or ()]
