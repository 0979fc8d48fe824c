"""Rows of a market as points in time, no more of them than a chart has room for.

Of very many rows each stretch of time keeps a few. Stretches have a length that is a power of two microseconds, and
begin where it divides the time since 1970: so what one more row changes is the newest of them, and all others are as
they were sent already.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kalshi_nb._widgets.chart.picture import Point, Stretch, Traded
from kalshi_nb._widgets.lists import steady_reading

if TYPE_CHECKING:
    import polars as pl

    from kalshi_nb._widgets.sources import FrameSource

__all__ = ["MOST", "mids_of", "power_of_two", "quotes_of", "rows_of", "since", "timed", "trades_of"]

MOST: Final = 600
"""Rows that are points each; of more, each stretch of time keeps at most four."""
_STRETCHES: Final = 150
_TIGHT: Final = 0.1 + 1e-9
"""Dollars between bid and ask, up to which their mid is what a market is held to be worth."""


def power_of_two(least: float) -> int:
    """Return the smallest power of two that is not less."""
    return 1 << max(0, int(-(-least // 1)) - 1).bit_length()


def rows_of(source: FrameSource | None, market_ticker: str) -> tuple[int, pl.DataFrame | None]:
    """Return how many rows a frame ever had, and those that it has of one market."""
    import polars as pl  # noqa: PLC0415  # loads when it is needed

    if source is None:
        return 0, None
    total, df = steady_reading(source)
    if source.market_tickers is None or len(source.market_tickers) > 1:
        df = df.filter(pl.col("market_ticker") == market_ticker)
    return total, df


def timed(df: pl.DataFrame | None) -> pl.DataFrame | None:
    """Return rows by time, which is their ``tick`` in microseconds."""
    import polars as pl  # noqa: PLC0415  # as above

    if df is None:
        return None
    tick = pl.col("ts").dt.cast_time_unit("us").to_physical().alias("tick")
    return df.with_columns(tick).sort("tick", maintain_order=True)


def since(df: pl.DataFrame, begins: int | None) -> pl.DataFrame:
    """Return the rows from a moment on, in microseconds; all of them where there is none."""
    return df if begins is None else df.filter(df["tick"] >= begins)


def trades_of(df: pl.DataFrame, begins: int | None) -> tuple[Traded, ...]:
    """Return trades; of very many the first, last, lowest and highest of each stretch of time."""
    import polars as pl  # noqa: PLC0415  # as above

    shown = since(df, begins)
    if shown.height > MOST:
        shown = _in_stretches(df, shown)
        price = pl.col("yes_price")
        places = (
            shown.with_row_index("place")
            .group_by("stretch")
            .agg(
                pl.col("place").first().alias("first"),
                pl.col("place").last().alias("last"),
                pl.col("place").get(price.arg_min()).alias("low"),
                pl.col("place").get(price.arg_max()).alias("high"),
            )
        )
        shown = shown[sorted({int(each) for name in ("first", "last", "low", "high") for each in places[name]})]
    rows = shown.select(pl.col("tick") / 1e6, pl.col("yes_price").cast(float), pl.col("count").cast(float))
    return tuple(Traded(*each) for each in rows.drop_nulls().iter_rows())


def quotes_of(df: pl.DataFrame | None, begins: int | None) -> tuple[Stretch, ...]:
    """Return best bids and asks; of very many the last of each stretch of time."""
    import polars as pl  # noqa: PLC0415  # as above

    if df is None or df.is_empty():
        return ()
    shown = since(df, begins)
    if shown.height > MOST:
        shown = _in_stretches(df, shown).group_by("stretch", maintain_order=True).last()
    rows = shown.select(pl.col("tick") / 1e6, pl.col("bid").cast(float), pl.col("ask").cast(float))
    return tuple(Stretch(*each) for each in rows.iter_rows())


def mids_of(df: pl.DataFrame | None, begins: int | None) -> tuple[Point, ...]:
    """Return the mids of tight books, and None from where a book is not tight, or has one side only, each once."""
    found: list[Point] = []
    for at, bid, ask in quotes_of(df, begins):
        is_tight = bid is not None and ask is not None and 0 <= ask - bid <= _TIGHT
        mid = round((bid + ask) / 2, 6) if is_tight else None  # type: ignore[operator]  # neither is None then
        if not found or found[-1].price != mid:
            found.append(Point(at, mid))
    return tuple(found)


def _in_stretches(df: pl.DataFrame, shown: pl.DataFrame) -> pl.DataFrame:
    """Return the rows that are shown with the stretch that each is in, and all others of the first stretch."""
    first, last = int(shown["tick"][0]), int(shown["tick"][-1])
    long = power_of_two((last - first) / _STRETCHES)
    df = since(df, first // long * long)
    return df.with_columns((df["tick"] // long).alias("stretch"))
