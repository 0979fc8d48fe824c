"""The demo: a simulated exchange, a few seconds of its markets, and everything a feed keeps of them."""

from __future__ import annotations

import time
from pathlib import Path

import polars as pl

from kalshi_nb._feed.connect import connect
from kalshi_nb._feed.feed import Feed

__all__ = ["run"]

_BOOKS = 4


def run(seconds: float, output: Path) -> int:
    """Stream for `seconds`, print frames, a book, gaps and health, and write a Parquet file into `output`."""
    with connect("sim", new=True) as feed:
        print(f"A simulated exchange at {feed.url}; connected.\n")
        tickers, trades = feed.tickers(), feed.trades()
        # The initial ticker rows name the markets; the liveliest of them are worth a book.
        tickers.wait(rows=_BOOKS)
        markets = tickers.latest().sort("volume", descending=True)["market_ticker"].cast(pl.String)
        books = feed.books(markets.head(_BOOKS).to_list()).wait()
        deltas = feed.deltas(list(books))
        _watch(feed, seconds, tickers=tickers, trades=trades, deltas=deltas)

        pl.Config.set_tbl_cols(8).set_tbl_rows(8).set_tbl_hide_dataframe_shape(active=True)
        pl.Config.set_fmt_str_lengths(32).set_tbl_width_chars(140)
        print("\nTickers, the last row of each market (dollars and contracts):")
        print(tickers.latest().sort("volume", descending=True).select(pl.nth(range(7))).head(8))
        print(f"\nTrades, the newest of {trades.total:,}:")
        print(trades.df.tail(6).select(pl.nth(range(6))))
        book = next(iter(books.values()))
        print(f"\n{book!r}")
        print(book.depth(6))
        print("\nGaps (none is what you want to see):")
        print(feed.gaps)
        print("\nHealth:")
        print(feed.health())
        path = trades.write_parquet(output / "trades.parquet")
        print(f"\n{len(trades):,} trades written to {path}")
    return 0


def _watch(feed: Feed, seconds: float, **frames: object) -> None:
    """Print a line of rates a second."""
    before = {name: frame.total for name, frame in frames.items()}  # type: ignore[attr-defined]
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        time.sleep(min(1.0, left))
        now = {name: frame.total for name, frame in frames.items()}  # type: ignore[attr-defined]
        rates = "   ".join(f"{name} {now[name] - before[name]:>5,}/s" for name in now)
        health = feed.health()
        lag = "     -" if health.lag_p50 is None else f"{health.lag_p50 * 1000:6.1f} ms"
        print(f"{health.messages:>8,} messages   {rates}   lag {lag}", flush=True)
        before = now
