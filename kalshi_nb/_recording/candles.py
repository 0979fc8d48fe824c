"""Candles of recorded trades and quotes."""

from __future__ import annotations

from typing import Final

import polars as pl

from kalshi_nb._fixed_point import CONTRACT
from kalshi_nb._frames.bars import bar_schema, bars_in
from kalshi_nb._frames.schema import MARKET, RECEIVED, TIME, schema
from kalshi_nb._rows.channels import BOOKS

__all__ = ["CANDLE_SCHEMA", "candles_of"]

CANDLE_SCHEMA: Final = bar_schema(schema("trade"))

_KEY: Final = (MARKET, "start")


def candles_of(
    trades: pl.LazyFrame, quotes: pl.LazyFrame, gaps: pl.DataFrame, every_us: int, reach: tuple[int, int]
) -> pl.DataFrame:
    """Return one row a market and interval in which a trade or a quote moved, by start and market.

    Parameters
    ----------
    trades, quotes : polars.LazyFrame
        As a recording has them.
    gaps : polars.DataFrame
        What may be missing of them.
    every_us : int
        The interval, in microseconds.
    reach : (int, int)
        From when to when there is anything, in microseconds.
    """
    traded = bars_in(trades, every_us).drop("first", "last").with_columns(pl.col("volume") / CONTRACT)
    sides = [(side, column) for side, column in (("yes_bid", "bid"), ("yes_ask", "ask"))]
    quoted = (
        quotes.filter(pl.col("status") == "live")
        .with_columns((pl.col(RECEIVED).dt.epoch("us") // every_us * every_us).alias("start"))
        .group_by(_KEY, maintain_order=True)
        .agg(
            getattr(pl.col(column).drop_nulls(), how)().alias(f"{side}_{name}")
            for side, column in sides
            for name, how in (("open", "first"), ("high", "max"), ("low", "min"), ("close", "last"))
        )
    )
    joined = traded.join(quoted, on=_KEY, how="full", coalesce=True)
    everywhere, somewhere = _doubtful(gaps, every_us, reach)
    within = (pl.col("start") >= reach[0]) & (pl.col("start") + every_us <= reach[1])
    complete = within & ~pl.col("start").is_in(everywhere) & pl.col("doubtful").is_null()
    return (
        joined.join(somewhere.lazy(), on=_KEY, how="left")
        .with_columns(
            complete.alias("complete"),
            pl.col("volume").fill_null(0.0),
            pl.col("trades").fill_null(0),
            pl.lit(None, CANDLE_SCHEMA["open_interest"]).alias("open_interest"),
            (pl.col("start") + every_us).cast(TIME).alias("end"),
            pl.col("start").alias("tick"),
        )
        .with_columns(pl.col("start").cast(TIME))
        .sort("tick", MARKET)
        .select([pl.col(name).cast(dtype) for name, dtype in CANDLE_SCHEMA.items()])
        .collect()
    )


def _doubtful(gaps: pl.DataFrame, every_us: int, reach: tuple[int, int]) -> tuple[list[int], pl.DataFrame]:
    """Return the intervals in which anything may be missing, and those in which something of one market may."""
    everywhere: set[int] = set()
    somewhere: set[tuple[str, int]] = set()
    repaired = (pl.col("channel") == "trade") & (pl.col("repaired_by") == "rest").fill_null(value=False)
    found = gaps.filter(pl.col("channel").is_in(["trade", BOOKS]) & ~repaired).select(
        MARKET, pl.col("opened_at").dt.epoch("us"), pl.col("closed_at").dt.epoch("us").fill_null(reach[1])
    )
    for ticker, opened, closed in found.iter_rows():
        starts = range(opened // every_us * every_us, closed + 1, every_us)
        if ticker is None:
            everywhere.update(starts)
        else:
            somewhere.update((ticker, each) for each in starts)
    pairs = pl.DataFrame(sorted(somewhere), schema={MARKET: pl.String, "start": pl.Int64}, orient="row")
    return sorted(everywhere), pairs.with_columns(doubtful=True)
