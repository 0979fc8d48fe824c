"""``kalshi-nb demo``: the whole way, from a socket to a Parquet file, without key or network.

A simulated exchange, a few seconds of its markets, and everything a feed keeps of them.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from kalshi_nb._cli.arguments import Parsers, seconds
from kalshi_nb._terminal import width
from kalshi_nb.errors import FileError

if TYPE_CHECKING:
    from kalshi_nb._feed.feed import Feed
    from kalshi_nb._feed.frame import Frame

__all__ = ["add", "run"]

_BOOKS: Final = 4
_WIDE: Final = 120
"""Columns of a terminal that the widest of the tables take."""


def add(parsers: Parsers) -> argparse.ArgumentParser:
    """Add the command and its arguments."""
    parser = parsers.add_parser("demo", help="stream a simulated exchange for a few seconds and print what came")
    parser.add_argument("--seconds", type=seconds, default=10.0, help="how long to stream (10)")
    parser.add_argument("--output", type=Path, default=Path("output"), help="folder for the Parquet file (output)")
    return parser


def run(arguments: argparse.Namespace) -> int:
    """Stream for so many seconds, print frames, a book, gaps and health, and write a Parquet file."""
    import polars as pl  # noqa: PLC0415  # --help needs none of it

    from kalshi_nb._feed.connect import connect  # noqa: PLC0415  # --help needs none of it
    from kalshi_nb._widgets.options import options  # noqa: PLC0415  # --help needs none of it

    _check_folder(arguments.output)
    with connect("sim", new=True) as feed:
        print(f"A simulated exchange at {feed.url}; connected.\n")
        tickers, trades = feed.tickers(), feed.trades()
        # The initial ticker rows name the markets; the liveliest of them are worth a book.
        tickers.wait(rows=_BOOKS)
        markets = tickers.latest().sort("volume", descending=True)["market_ticker"].cast(pl.String)
        books = feed.books(markets.head(_BOOKS).to_list()).wait()
        deltas = feed.deltas(list(books))
        _watch(feed, arguments.seconds, tickers=tickers, trades=trades, deltas=deltas)

        pl.Config.set_tbl_cols(8).set_tbl_rows(8).set_tbl_hide_dataframe_shape(active=True)
        pl.Config.set_fmt_str_lengths(32).set_tbl_width_chars(140)
        if not _writes("┌╞═╡│…", sys.stdout.encoding):
            pl.Config.set_tbl_formatting("ASCII_FULL_CONDENSED").set_tbl_hide_column_data_types(active=True)
        narrow = (width() or _WIDE) < _WIDE  # there the columns that fit, since a broken table cannot be read
        quoted = pl.nth(1, 2, 3, 4, 5) if narrow else pl.nth(range(7))
        traded = [pl.col("ts").dt.time().alias("time (UTC)"), pl.nth(1, 2, 3)] if narrow else [pl.nth(range(6))]
        print("\nTickers, the last row of each market (dollars and contracts):")
        print(tickers.latest().sort("volume", descending=True).select(quoted).head(8))
        print(f"\nTrades, the newest of {trades.total:,}:")
        print(trades.df.tail(6).select(traded))
        book = next(iter(books.values()))
        with options(unit="cents" if _writes("¢", sys.stdout.encoding) else "dollars"):
            print(f"\n{book!r}")
        print(book.depth(6))
        print("\nGaps (none is what you want to see):")
        print(feed.gaps.select("channel", "reason", "seq_from", "seq_to", "repaired_by") if narrow else feed.gaps)
        print("\nHealth:")
        print(feed.health())
        path = trades.write_parquet(arguments.output / "trades.parquet")
        print(f"\n{len(trades):,} trades written to {path}")
    return 0


def _check_folder(folder: Path) -> None:
    """Refuse a folder that nothing can be written into, before anything is waited for.

    Raises
    ------
    FileError
        Saying why.
    """
    existing = folder
    while not existing.exists() and existing != existing.parent:
        existing = existing.parent
    if not existing.is_dir():
        raise FileError(f"--output {folder}: {existing} is no folder; name one, and trades.parquet is written there.")
    if not os.access(existing, os.W_OK | os.X_OK):
        raise FileError(f"--output {folder}: nothing may be written into {existing}; name another folder.")


def _writes(characters: str, encoding: str | None) -> bool:
    """Tell whether a console has the characters that frames or prices are written with; one of Windows may not."""
    try:
        characters.encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _watch(feed: Feed, duration: float, **frames: Frame) -> None:
    """Print a line of rates a second, for `duration` seconds."""
    before = {name: frame.total for name, frame in frames.items()}
    end = time.monotonic() + duration
    while (left := end - time.monotonic()) > 0:
        time.sleep(min(1.0, left))
        now = {name: frame.total for name, frame in frames.items()}
        rates = "  ".join(f"{name} {now[name] - before[name]:>4,}/s" for name in now)
        health = feed.health()
        lag = "     -" if health.lag_p50 is None else f"{health.lag_p50 * 1000:6.1f} ms"
        print(f"{health.messages:>7,} messages  {rates}  lag {lag}", flush=True)
        before = now
