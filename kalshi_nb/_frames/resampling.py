"""Rows at even steps of time: what stood at each, carried on from the last row before it."""

from __future__ import annotations

from typing import Final, NamedTuple

import polars as pl

from kalshi_nb._durations import written
from kalshi_nb._redaction import shown
from kalshi_nb._usage import meant
from kalshi_nb.errors import ConfigurationError, PipelineError

__all__ = ["Asked", "resampled", "widened"]

_MOST_CELLS: Final = 10_000_000
_THERE: Final = "\0there"
"""A column that nobody else has."""


class Asked(NamedTuple):
    """What is to be resampled, and how.

    Attributes
    ----------
    every_us : int
        The step, in microseconds.
    subject : str
        The column that says what a row is about, the market.
    title : str
        What the frame is called.
    call : str
        What the user called.
    """

    every_us: int
    subject: str
    title: str
    call: str


def resampled(df: pl.DataFrame, asked: Asked) -> pl.DataFrame:
    """Return one row a market and step: its last row at or before that moment, from its first row on.

    Raises
    ------
    PipelineError
        When ``ts`` or the market is no column of the frame.
    ConfigurationError
        When the steps are too many.
    """
    found = _grid(df, asked).filter(pl.col(_THERE).is_not_null())
    return found.select(df.columns)


def widened(df: pl.DataFrame, value: object, asked: Asked) -> pl.DataFrame:
    """Return one row a step and one column a market, with `value` as it stood then, null before the first row.

    Raises
    ------
    PipelineError, ConfigurationError
        As `resampled`; a ConfigurationError, too, when `value` is no column that has values.
    """
    columns = [each for each in df.columns if each not in ("ts", asked.subject)]
    if not isinstance(value, str) or value not in columns:
        raise ConfigurationError(
            f"wide({shown(value)}): {asked.title} has the columns {', '.join(columns)}.{meant(value, columns)}"
        )
    grid = _grid(df.select("ts", asked.subject, value) if set(df.columns) >= {"ts", asked.subject} else df, asked)
    markets = sorted(df[asked.subject].drop_nulls().unique().to_list())
    if not grid.height:
        return pl.DataFrame(schema={"ts": grid.schema["ts"], **dict.fromkeys(markets, df.schema[value])})
    wide = grid.pivot(on=asked.subject, index="ts", values=value, maintain_order=True)
    return wide.select("ts", *markets)


def _grid(df: pl.DataFrame, asked: Asked) -> pl.DataFrame:
    """Return a row for each step and each market, null where the market had none yet, by step and market."""
    missing = [each for each in ("ts", asked.subject) if each not in df.columns]
    if missing or not isinstance(df.schema["ts"], pl.Datetime):
        raise PipelineError(
            f"{asked.call} goes by the columns ts, a Datetime, and {asked.subject}; {asked.title} has "
            f"{', '.join(df.columns) or 'no columns'}. Keep them in the node before."
        )
    time = pl.Datetime("us", df.schema["ts"].time_zone)
    rows = (
        df.filter(pl.col("ts").is_not_null() & pl.col(asked.subject).is_not_null())
        .with_columns(pl.col("ts").cast(time), pl.lit(value=True).alias(_THERE))
        .sort("ts", maintain_order=True)
    )
    markets = rows.select(pl.col(asked.subject).unique().sort())
    ticks = rows["ts"].to_physical()
    steps = range(0)
    if ticks.len():
        first, last = -(-ticks[0] // asked.every_us), ticks[-1] // asked.every_us
        steps = range(first, last + 1)
    if len(steps) * markets.height > _MOST_CELLS:
        raise ConfigurationError(
            f"{asked.call}: {len(steps):,} steps of {written(asked.every_us)} for {markets.height:,} markets are more "
            f"than {_MOST_CELLS:,} rows; give a longer every=, or fewer markets."
        )
    every = pl.select((pl.int_range(steps.start, steps.stop) * asked.every_us).alias("ts").cast(time))
    # Both sides are in order of ts within each market, which polars cannot see for itself.
    return every.join(markets, how="cross").join_asof(
        rows, on="ts", by=asked.subject, strategy="backward", check_sortedness=False
    )
