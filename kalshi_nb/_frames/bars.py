"""Trades as bars: open, high, low, close and volume of each market and interval that had a trade."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import polars as pl

from kalshi_nb._fixed_point import CONTRACT
from kalshi_nb._frames.schema import MARKET, RECEIVED, TIME
from kalshi_nb.errors import PipelineError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["BAR_KEY", "Bar", "bar_frame", "bar_schema", "bars_in", "bars_of", "missing_columns", "times_of"]

BAR_KEY: Final = (MARKET, "start")
"""What tells one bar from another."""

_NEEDED: Final = ("ts", MARKET, "yes_price", "count")
_PRICES: Final = ("open", "high", "low", "close")
_QUOTES: Final = tuple(f"{side}_{each}" for side in ("yes_bid", "yes_ask") for each in _PRICES)


class Bar(NamedTuple):
    """What is known of one market's trades in one interval.

    Attributes
    ----------
    market_ticker : str
        The market.
    start : int
        When the interval begins, in microseconds.
    open, high, low, close : float or Decimal
        Dollars.
    volume : int
        Hundredths of contracts: of floats, many small counts add up to what is no count.
    trades : int
        How many.
    first, last : int
        When the first and the last of them were, in microseconds.
    """

    market_ticker: str
    start: int
    open: Any
    high: Any
    low: Any
    close: Any
    volume: int
    trades: int
    first: int
    last: int

    def joined(self, later: Bar) -> Bar:
        """Return this bar with the trades of another of the same interval, which came after it.

        What is open and close goes by the exchange's time, and of trades of one time by the order in which they came.
        """
        return Bar(
            self.market_ticker,
            self.start,
            later.open if later.first < self.first else self.open,
            max(self.high, later.high),
            min(self.low, later.low),
            later.close if later.last >= self.last else self.close,
            self.volume + later.volume,
            self.trades + later.trades,
            min(self.first, later.first),
            max(self.last, later.last),
        )


def missing_columns(names: Iterable[str]) -> list[str]:
    """Return the columns that bars are made of and that are not among `names`."""
    there = set(names)
    return [each for each in _NEEDED if each not in there]


def times_of(df: pl.DataFrame) -> pl.DataFrame:
    """Return when rows were received, or else had their time, and when they had their time: microseconds."""
    received = pl.col(RECEIVED if RECEIVED in df.columns else "ts")
    times = ((RECEIVED, received), ("ts", pl.col("ts")))
    return df.select(each.dt.cast_time_unit("us").to_physical().alias(name) for name, each in times)


def bar_schema(trades: pl.Schema) -> pl.Schema:
    """Return names and dtypes of the bars of trades that have a schema."""
    price, count = trades["yes_price"], trades["count"]
    return pl.Schema(
        {
            MARKET: pl.String(),
            "start": TIME,
            "end": TIME,
            **dict.fromkeys(_PRICES, price),
            "volume": count,
            "trades": pl.Int64(),
            **dict.fromkeys(_QUOTES, price),
            "open_interest": count,
            "complete": pl.Boolean(),
        }
    )


def bars_of(trades: pl.DataFrame, every_us: int) -> list[Bar]:
    """Return the bars of some trades, one a market and interval, by start.

    Raises
    ------
    PipelineError
        When a column that bars are made of is missing.
    """
    missing = missing_columns(trades.columns)
    if missing:
        raise PipelineError(
            f"bars() takes trades and misses {' and '.join(missing)}: begin with feed.stream('trade'), and keep the "
            f"columns {', '.join(_NEEDED)} in the nodes before."
        )
    return [Bar(*each) for each in bars_in(trades.lazy(), every_us).collect().iter_rows()]


def bars_in(trades: pl.LazyFrame, every_us: int) -> pl.LazyFrame:
    """Return the fields of :class:`Bar` of some trades, one row a market and interval, by start."""
    tick = pl.col("ts").dt.cast_time_unit("us").to_physical()
    return (
        trades.select(tick.alias("tick"), MARKET, "yes_price", "count")
        .drop_nulls()
        .sort("tick", maintain_order=True)
        .group_by(MARKET, (pl.col("tick") // every_us * every_us).alias("start"), maintain_order=True)
        .agg(
            pl.col("yes_price").first().alias("open"),
            pl.col("yes_price").max().alias("high"),
            pl.col("yes_price").min().alias("low"),
            pl.col("yes_price").last().alias("close"),
            (pl.col("count").cast(pl.Float64) * CONTRACT).round().cast(pl.Int64).sum().alias("volume"),
            pl.len().cast(pl.Int64).alias("trades"),
            pl.col("tick").first().alias("first"),
            pl.col("tick").last().alias("last"),
        )
        .sort("start", MARKET)
    )


def bar_frame(bars: Iterable[tuple[Bar, bool]], every_us: int, schema: pl.Schema) -> pl.DataFrame:
    """Return bars, each with whether it is complete, as a frame of `schema`."""
    rows = list(bars)
    plain = [each for each, _ in rows]
    volume = pl.Series([each.volume for each in plain], dtype=pl.Int64())
    counts = schema["volume"]
    values: dict[str, Any] = {
        MARKET: [each.market_ticker for each in plain],
        "start": pl.Series([each.start for each in plain], dtype=pl.Int64()).cast(TIME),
        "end": pl.Series([each.start + every_us for each in plain], dtype=pl.Int64()).cast(TIME),
        **{name: [getattr(each, name) for each in plain] for name in _PRICES},
        "volume": [each / CONTRACT for each in volume]
        if counts == pl.Float64()
        else (volume.cast(pl.Decimal(38, 2)) / CONTRACT).cast(counts),
        "trades": [each.trades for each in plain],
        "complete": [complete for _, complete in rows],
    }
    return pl.DataFrame(
        [pl.Series(name, values.get(name, [None] * len(rows)), dtype=dtype) for name, dtype in schema.items()]
    )
