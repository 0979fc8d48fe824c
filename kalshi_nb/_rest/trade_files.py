"""Trades of a long window: as one frame, or, where they may be more than fit into memory, as files of Parquet."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import polars as pl

from kalshi_nb._frames.files import reason_of
from kalshi_nb._frames.marks import BACKFILLED
from kalshi_nb._frames.schema import frame_of, schema
from kalshi_nb._moments import datetime_of
from kalshi_nb._rest.trades import MARKET, TIME, TRADE_ID
from kalshi_nb.errors import ConfigurationError, FileError, RestError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kalshi_nb._rest.discovery import Progress
    from kalshi_nb._rest.trades import TradeHistory
    from kalshi_nb._rows.rows import Row

__all__ = ["collected", "kept_in", "pages_of", "written_to"]

_FILE_ROWS: Final = 100_000
"""Rows of a file, which is also what is in memory at a time."""


def collected(
    history: TradeHistory, tickers: Sequence[str | None], since: int, until: int, progress: Progress | None
) -> pl.DataFrame:
    """Return the trades of a window, oldest first.

    Parameters
    ----------
    history : TradeHistory
        Fetches them.
    tickers : sequence of str or None
        Of which markets; None is all.
    since, until : int
        From when to when, microseconds since 1970.
    progress : callable or None
        Called after each page with the number of rows so far, and the time reached.

    Raises
    ------
    RestError
        When the exchange does not answer; what had come is in its ``partial``, and so it is after Ctrl-C.
    """
    rows: list[Row] = []
    with kept_in(rows, tickers):
        for page in pages_of(history, tickers, since, until, progress):
            rows += page
    return _frame(rows)


@contextmanager
def kept_in(rows: list[Row], tickers: Sequence[str | None]) -> Iterator[None]:
    """Put what has come of trades into the error that ends this, Ctrl-C's too, and say so.

    Parameters
    ----------
    rows : list of tuple
        Where they come, market by market and the newest first.
    tickers : sequence of str or None
        The markets, in their order.
    """
    try:
        yield
    except (RestError, KeyboardInterrupt) as stopped:
        last = rows[-1] if rows else ()
        vars(stopped).update(partial=_frame(rows))
        if last:
            several = (
                "" if len(tickers) == 1 else f" of {last[MARKET]}, {tickers.index(last[MARKET]) + 1} of {len(tickers)}"
            )
            stopped.add_note(
                f"{len(rows):,} trades had come, back to {datetime_of(last[TIME]):%Y-%m-%d %H:%M:%S} UTC{several}: "
                "they are in the error's .partial. Ask for those before with until="
                + (", and for the markets behind it." if several else ".")
            )
        raise


def written_to(
    folder: Path,
    history: TradeHistory,
    tickers: Sequence[str | None],
    since: int,
    until: int,
    progress: Progress | None,
) -> pl.LazyFrame:
    """Write the trades of a window to files of 100,000 rows, and return them as one frame that is read when asked.

    Each file has the trades between two moments, oldest first, and is called by the first; read in the order of their
    names, they are those of a market in order. Parameters as for :func:`collected`.

    Raises
    ------
    FileError
        When the folder cannot be written to.
    ConfigurationError
        When it has files in it.
    RestError
        As there; the files that were written stay, and so they do after Ctrl-C.
    """
    files = 0
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise ConfigurationError(
                f"{str(folder)!r} has files in it: name a folder that is empty, or is not there yet."
            )
        for ticker in tickers:
            rows: list[Row] = []
            try:
                for page in pages_of(history, [ticker], since, until, progress):
                    rows += page
                    if len(rows) >= _FILE_ROWS:
                        files += _write(folder, ticker, rows)
                        rows = []
            finally:
                files += _write(folder, ticker, rows)  # also of what was broken off
    except (RestError, KeyboardInterrupt) as stopped:
        written = f"{files:,} {'file' if files == 1 else 'files'}"
        stopped.add_note(
            f"{written} had been written to {str(folder)!r}, newest trades first, and can be read. Ask for the trades "
            "before them with until=."
        )
        raise
    except OSError as refusal:
        raise FileError(f"The trades cannot be written to {str(folder)!r}: {reason_of(refusal)}.") from refusal
    if not files:
        return _frame([]).lazy()
    return pl.scan_parquet(sorted(folder.rglob("*.parquet")), glob=False)


def pages_of(
    history: TradeHistory, tickers: Sequence[str | None], since: int, until: int, progress: Progress | None
) -> Iterator[list[Row]]:
    """Yield the trades of several markets, market by market, and tell of progress; parameters as for `collected`."""
    count = 0
    for ticker in tickers:
        for page in history.pages(ticker, since, until):
            count += len(page)
            yield page
            if progress is not None and page:
                progress(count, datetime_of(page[-1][TIME]))


def _frame(rows: list[Row]) -> pl.DataFrame:
    if not rows:
        return pl.DataFrame(schema=schema("trade", late=True))
    rows.sort(key=lambda row: (row[TIME], row[TRADE_ID]))
    return frame_of("trade", rows).with_columns(pl.lit(value=True).alias(BACKFILLED))


def _write(folder: Path, ticker: str | None, rows: list[Row]) -> int:
    """Write a file, where there is anything for one; return how many were written."""
    if not rows:
        return 0
    frame = _frame(rows)
    place = folder / (ticker or "all")
    place.mkdir(exist_ok=True)
    path = place / f"{frame['ts'][0]:%Y%m%dT%H%M%S.%f}Z.parquet"
    unfinished = path.with_suffix(".part")
    frame.write_parquet(unfinished, compression="zstd")
    unfinished.rename(path)
    return 1
