"""Recordings with holes: of a line that loses messages and is cut."""

import datetime as dt

import kalshi_nb as kn
from tests.engine.conftest import wait_until

CHANNELS = ("trade", "ticker", "orderbook_delta")


def some_nights(folder, *, hours=(15, 18)):
    """Record two runs over the end of an hour each, on a line that loses messages and is cut."""
    for number, hour in enumerate(hours):
        start = dt.datetime(2026, 11, 22, hour, 59, 20, tzinfo=dt.UTC)
        with (
            kn.sim.Exchange(seed=3, clock="manual", start=start, speed=0.3) as exchange,
            kn.connect(exchange, new=True) as feed,
            feed.record(folder, list(CHANNELS), list(exchange.market_tickers)[:3]),
        ):
            exchange.faults.plan(number, drop=0.03)
            exchange.advance(30)
            exchange.faults.drop_connections()
            # It comes back by the wall's clock, however long that takes; there are to be messages as the hour ends.
            wait_until(lambda: feed.health().reconnects == 1 and feed.state == "connected", timeout=60)
            exchange.advance(30)
            exchange.faults.clear()
            exchange.advance(10)
