"""Gaps of trades, forced one after the other: in the end the frame is what the exchange dealt, row by row."""

import random
import time
from dataclasses import asdict, dataclass

import polars as pl

import kalshi_nb as kn

TROUBLE = (
    {},
    {"late": 2.0},
    {"cache": 3.0},
    {"tokens": 120},
    {"cursors": "repeated"},
    {"refuse": 4, "refusal": "text"},
)
"""What goes wrong over REST, each for a part of the gaps: nothing, trades that are seen late, old answers, too many
requests, and pages that lead in a circle."""


@dataclass(frozen=True)
class Backfilled:
    """What came of it.

    Attributes
    ----------
    gaps, repaired : int
        Of trades; those that are proven to be repaired.
    rows, fetched : int
        In the frame; those that were fetched.
    missing, doubled, wrong : int
        Trades of the exchange's that are not in the frame, are there twice, or have another price, count or side.
    """

    seed: int
    gaps: int
    repaired: int
    rows: int
    fetched: int
    missing: int
    doubled: int
    wrong: int

    def record(self):
        return asdict(self)


def some_gaps(seed, count, *, speed=20.0):
    """Force gaps of up to a minute of the market's time, and compare the frame with the exchange's ledger."""
    chance = random.Random(seed)
    with kn.sim.Exchange(seed=seed, speed=speed) as exchange, kn.connect(exchange, new=True) as feed:
        trades = feed.trades(rows=1_000_000)
        trades.wait(rows=100, timeout=60)
        for number in range(count):
            if number % 10 == 0:
                exchange.faults.rest(**TROUBLE[number // 10 % len(TROUBLE)])
            before = len(feed.gaps.filter(channel="trade"))
            refusals = chance.randrange(4)
            if refusals:
                exchange.faults.refuse_handshakes(503, count=refusals)
            exchange.faults.drop_connections(inside_a_frame=chance.random() < 0.3)
            _until(lambda before=before: _over(feed) > before, 60)
            time.sleep(chance.uniform(0.3, 1.0))
        exchange.faults.rest()
        _until(lambda: not feed._parts.backfill.pending, 120)
        feed.flush()
        gaps = feed.gaps.filter(channel="trade")
        return _compared(seed, exchange, trades.df, gaps, feed._parts.backfill.fetched)


def _over(feed):
    return feed.gaps.filter(pl.col("channel") == "trade", pl.col("closed_at").is_not_null()).height


def _until(condition, timeout):
    end = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"not within {timeout} s")
        time.sleep(0.05)


def _compared(seed, exchange, df, gaps, fetched):
    first, last = (int(df["ts"].dt.epoch("us")[at]) for at in (0, -1))
    dealt = {
        each.trade_id: (each.trade.yes_price / 10_000, each.trade.quantity / 100, each.trade.taker)
        for each in exchange._programme.venue.ledger.dealt()
        if first <= each.time_us < last - 1_000
    }
    told = {
        name: (price, size, side)
        for name, price, size, side in df.select("trade_id", "yes_price", "count", "taker_outcome_side").iter_rows()
    }
    return Backfilled(
        seed,
        gaps.height,
        gaps.filter(repaired_by="rest").height,
        df.height,
        fetched,
        len(dealt.keys() - told.keys()),
        df.height - df["trade_id"].n_unique(),
        sum(told[name] != value for name, value in dealt.items() if name in told),
    )
