"""What a type checker makes of code that uses the kit; `make types` and `make pyright` read it, nobody runs it."""

from __future__ import annotations

from typing import assert_type

import polars as pl

import kalshi_nb as kn
from kalshi_nb.messages import Trade

MARKET = "KXHIGHNY-26NOV22-B52.5"


def frames() -> None:
    feed = kn.connect("sim")
    assert_type(feed, kn.Feed)
    trades = feed.trades(MARKET, since="2h")
    assert_type(trades, kn.Frame)
    assert_type(trades.df, pl.DataFrame)
    assert_type(trades.wait(rows=10), kn.Frame)
    assert_type(feed.book(MARKET), kn.Book)
    assert_type(feed.book(MARKET).top, kn.Top)
    assert_type(feed.books([MARKET]), kn.Books)
    assert_type(feed.gaps, pl.DataFrame)
    assert_type(feed.health(), kn.Health)
    assert_type(feed.markets("KXHIGHNY"), pl.DataFrame)
    assert_type(feed.picker("weather").market_ticker, str | None)
    feed.close()


def callbacks() -> None:
    feed = kn.connect("sim")

    @feed.on("trade")
    def heard(trade: Trade) -> None:
        assert_type(trade.yes_price, float)

    heard(next(iter(())))
    feed.when(lambda top: top.ask is not None and top.ask < 0.3, print, MARKET)


async def awaited() -> None:
    async with kn.connect_async("sim") as feed:
        assert_type(feed, kn.Feed)
        found = await feed.rest.markets("KXHIGHNY")
        assert_type(found, pl.DataFrame)


def nights() -> None:
    recording = kn.open_recording("night")
    assert_type(recording.trades(), pl.LazyFrame)
    assert_type(recording.candles("1m"), pl.LazyFrame)
    again = kn.replay("night", speed="max")
    assert_type(again, kn.Feed)
    exchange = kn.sim.Exchange(seed=7, clock="manual")
    exchange.advance(60)
    assert_type(exchange.now_us(), int)
