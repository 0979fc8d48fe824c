"""Rows of several files, gathered in memory and beyond a bound on the disk: each has its own, in their order."""

from itertools import count

import polars as pl

from kalshi_nb._recording.gathering import Gathered

TRADES, TICKERS = ("trade", 20_000), ("ticker", 20_000)


def frame(first, rows=100):
    return pl.DataFrame({"number": range(first, first + rows), "market_ticker": ["KXA-1"] * rows})


def gathered(tmp_path, most):
    numbers, paths = count(), []

    def aside():
        paths.append(tmp_path / f"{next(numbers)}.rows")
        return paths[-1]

    made = Gathered(aside, most)
    for first in range(0, 2_000, 100):
        made.add(TRADES, frame(first))
        if first % 500 == 0:
            made.add(TICKERS, frame(first, 7))
    return made, paths


def test_what_is_put_aside_comes_back_in_its_place(tmp_path):
    small, none = gathered(tmp_path, 1 << 30)
    large, paths = gathered(tmp_path, 6_000)
    assert none == []
    assert len(paths) > 4
    assert small.rows == large.rows == {TRADES: 2_000, TICKERS: 28}
    for key in (TRADES, TICKERS):
        assert large.frame(key).collect().equals(small.frame(key).collect())
    assert large.frame(TRADES).collect()["number"].to_list() == list(range(2_000))
