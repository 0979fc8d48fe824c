"""Several frames as one, in one chunk, and what is left of one."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING

import polars as pl

from kalshi_nb._threads import forks

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["one_chunk", "without_first"]


def one_chunk(frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Return frames of the same columns as one frame, in one chunk."""
    if not forks():
        return frames[0].rechunk() if len(frames) == 1 else pl.concat(frames, rechunk=True)
    # polars joins frames on threads of its own. They stayed with the parent, so a forked child that wants to read what
    # it has would wait for them for ever; frame by frame, and column by column, nobody is waited for.
    apart = reduce(pl.DataFrame.vstack, frames)
    return pl.DataFrame([each.rechunk() for each in apart.get_columns()])


def without_first(df: pl.DataFrame, rows: int) -> pl.DataFrame:
    """Return a frame without its first rows, as it is where there are none of those: each step of polars costs."""
    return df.slice(rows) if rows else df
