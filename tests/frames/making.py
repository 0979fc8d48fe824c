"""Rows as the engine makes them, and a clock that stands still until it is moved."""

from __future__ import annotations

import polars as pl

BASE_US = 1_760_000_000_000_000


class HandClock:
    def __init__(self, now_us=BASE_US):
        self.us = now_us

    def now_us(self):
        return self.us


def trade(number, market="KXA-1", *, price=4700, count=100, received_us=None):
    at = BASE_US + number if received_us is None else received_us
    return (at, market, price, count, "yes", "bid", 10_000 - price, False, f"id-{number}", at, number)


def delta(number, market="KXA-1", *, side="yes", price=4700, change=100):
    at = BASE_US + number
    return (at, market, side, price, change, None, None, None, at, number)


SMALL = pl.Schema({"market_ticker": pl.String(), "n": pl.Int64(), "received_at": pl.Datetime("us", "UTC")})


def small(*rows):
    """Rows of (market, number, received_us) as a frame."""
    columns = list(zip(*rows, strict=True)) if rows else [[], [], []]
    return pl.DataFrame(
        [pl.Series(name, each, dtype=dtype) for (name, dtype), each in zip(SMALL.items(), columns, strict=True)]
    )
