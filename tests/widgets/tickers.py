"""A frame of tickers that a test fills, over everything that a feed's own has: rows, facts, gaps, a clock."""

import datetime as dt

import polars as pl

from kalshi_nb._frames.rolling import RollingFrame
from kalshi_nb._frames.schema import schema
from kalshi_nb._markets.registry import MarketRegistry
from kalshi_nb._widgets.sources import FeedSource, FrameSource
from kalshi_nb._widgets.view_errors import ViewErrors
from tests.feed.list_engine import BASE_US, ListEngine

SCHEMA = schema("ticker", exact=False)


class Tickers:
    """The rows of some markets, told one by one; the clock stands unless it is moved."""

    def __init__(self, rows=100_000):
        self.engine = ListEngine()
        self.engine.state = "connected"
        self.clock = self.engine.clock
        self.markets = MarketRegistry()
        self.errors = ViewErrors()
        self.store = RollingFrame(SCHEMA, rows=rows, clock=self.clock)
        feed = FeedSource(self.engine, self.markets, lambda: "", self.errors)
        self.source = FrameSource(feed, self.store, channel="ticker", name="tickers", market_tickers=None)

    def tell(self, *rows):
        """Append rows: a ticker, its bid, ask and last price, its volume; each may be missing but the first."""
        moment = dt.datetime.fromtimestamp(self.clock.us / 1e6, dt.UTC)
        named = [
            dict(zip(("market_ticker", "yes_bid", "yes_ask", "price", "volume", "open_interest"), row, strict=False))
            for row in rows
        ]
        made = [dict.fromkeys(SCHEMA) | {"ts": moment, "received_at": moment} | row for row in named]
        self.store.append(pl.DataFrame(made, schema=SCHEMA, orient="row"))

    def many(self, count, volume=float):
        """Append a row for each of so many markets."""
        self.tell(*((f"KXM-{i:04}", 0.4, 0.42, 0.41, volume(i), 10.0) for i in range(count)))

    def fact(self, ticker, at=BASE_US, **facts):
        """Say something of a market."""
        self.markets.update(ticker, at, facts)

    def wait(self, seconds):
        """Move the clock on."""
        self.clock.us += round(seconds * 1e6)
