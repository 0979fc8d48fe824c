"""Gaps in the data as a polars frame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl

from kalshi_nb._rows.gaps import Gap

__all__ = ["GAP_SCHEMA", "gap_frame"]

_TIME: Final = pl.Datetime("us", "UTC")

GAP_SCHEMA: Final = pl.Schema(
    {
        "channel": pl.String(),
        "market_ticker": pl.String(),
        "opened_at": _TIME,
        "closed_at": _TIME,
        "reason": pl.String(),
        "seq_from": pl.Int64(),
        "seq_to": pl.Int64(),
        "repaired_by": pl.String(),
        "connection": pl.Int64(),
    }
)


def gap_frame(gaps: Sequence[Gap]) -> pl.DataFrame:
    """Return one row a gap, in the order given."""
    return pl.DataFrame(
        [pl.Series(name, [getattr(gap, name) for gap in gaps], dtype=dtype) for name, dtype in GAP_SCHEMA.items()]
    )
