"""Row 8: a tick of a rolling frame, 500 new rows in and ``.df`` out, against a rebuild from a list of dicts."""

import json
import sys
import time

import polars as pl

from kalshi_nb._clock import WallClock
from kalshi_nb._frames.batch import Batch
from kalshi_nb._frames.rolling import RollingFrame
from kalshi_nb._frames.schema import schema

NEW = 500
BEGIN = 1_795_000_000_000_000


def rows(first, count):
    """Rows of trades in the kit's own layout, as its decoder makes them."""
    return [
        (
            BEGIN + number * 131,
            f"KXBENCH-26NOV22-T{number % 500}",
            100 * (1 + number % 98),
            100 * (1 + number % 977),
            "yes" if number % 3 else "no",
            "bid" if number % 3 else "ask",
            10_000 - 100 * (1 + number % 98),
            False,
            f"{number:08x}-0000-4000-8000-000000000000",
            BEGIN + number * 131 + 40_000,
            number,
        )
        for number in range(first, first + count)
    ]


def dicts(first, count):
    """The same as the list that a notebook without the kit keeps: each message as ``json.loads`` gave it."""
    return [
        {
            "trade_id": trade_id,
            "market_ticker": ticker,
            "yes_price_dollars": f"{price / 10_000:.4f}",
            "no_price_dollars": f"{no_price / 10_000:.4f}",
            "count_fp": f"{count / 100:.2f}",
            "taker_side": side,
            "taker_outcome_side": side,
            "taker_book_side": book_side,
            "is_block_trade": block,
            "ts": ts // 1_000_000,
            "ts_ms": ts // 1_000,
        }
        for ts, ticker, price, count, side, book_side, no_price, block, trade_id, _, _ in rows(first, count)
    ]


class Window:
    """A rolling frame that is full, fed in ticks."""

    def __init__(self, size):
        self.frame = RollingFrame(schema("trade"), rows=size, clock=WallClock())
        self.given = 0
        while self.given < size + 20 * NEW:
            self.tick(min(50_000, size))
        for _ in range(40):
            self.tick(NEW)

    def tick(self, count=NEW):
        """Return the seconds that one tick takes, from rows to the frame that the user gets."""
        new = rows(self.given, count)
        self.given += count
        began = time.perf_counter()
        self.frame.append(Batch("trade", new).df())
        df = self.frame.df
        taken = time.perf_counter() - began
        assert df.height <= self.frame.window.rows
        return taken


def main():
    options = json.loads(sys.argv[1])
    middle, small, large = options["sizes"]
    windows = {size: Window(size) for size in (middle, small, large)}
    kept = dicts(0, middle)
    ticks = {size: [] for size in windows}
    rebuilds = []
    for _ in range(options["rounds"]):
        for size, window in windows.items():
            taken = sorted(window.tick() for _ in range(50))
            ticks[size].append(sum(taken) / len(taken))  # the mean, so that merging of blocks is counted
        del kept[:NEW]
        kept += dicts(len(kept), NEW)
        began = time.perf_counter()
        df = pl.DataFrame(kept)
        rebuilds.append(time.perf_counter() - began)
        assert df.height == middle
    wrong = {}
    for size, window in windows.items():
        df = window.frame.df
        if df.height != size or df["seq"].to_list() != list(range(window.given - size, window.given)):
            wrong[f"window of {size}"] = [df.height, size]
    print(json.dumps({"ticks": list(ticks.values()), "rebuilds": rebuilds, "wrong": wrong}))


if __name__ == "__main__":
    main()
