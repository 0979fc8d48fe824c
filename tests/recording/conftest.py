"""A night of a simulated market, recorded, and what the feed had when it ended."""

from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest

import kalshi_nb as kn


@dataclass
class Night:
    """What stood in the frames and books of the feed that was recorded."""

    folder: Path
    markets: list[str]
    frames: dict[str, pl.DataFrame]
    levels: dict[str, tuple]
    tops: dict[str, tuple]


def markets_of(exchange):
    return list(exchange.market_tickers)[:5]


def frames_of(feed, markets):
    return {
        "trade": feed.trades(),
        "ticker": feed.tickers(),
        "orderbook_delta": feed.deltas(markets),
        "quotes": feed.quotes(markets),
    }


def levels_of(book):
    return (book.levels("yes"), book.levels("no"))


@pytest.fixture(scope="session")
def night(tmp_path_factory):
    folder = tmp_path_factory.mktemp("recordings") / "night"
    with kn.sim.Exchange(seed=7, clock="manual") as exchange, kn.connect(exchange, new=True) as feed:
        markets = markets_of(exchange)
        feed.books(markets)
        recorder = feed.record(folder)
        frames = frames_of(feed, markets)
        books = feed.books(markets)
        for _ in range(6):
            exchange.advance(20)
        assert recorder.close()
        return Night(
            folder,
            markets,
            {channel: frame.df for channel, frame in frames.items()},
            {ticker: levels_of(book) for ticker, book in books.items()},
            {ticker: book.top for ticker, book in books.items()},
        )
