"""Candlesticks over REST: of the very trades and best prices that the socket tells of, and of those before."""

from __future__ import annotations

from bisect import bisect_right
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from kalshi_nb.sim import _frames
from kalshi_nb.sim._market import WHOLE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kalshi_nb.sim._rest_ledger import Dealt, Quoted

__all__ = ["INTERVALS", "Candle", "candle_object", "candles", "ends_between"]

INTERVALS: Final = (1, 60, 1_440)
"""Minutes that a candle may last."""
_DAY: Final = 1_440
_SECOND: Final = 1_000_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Candle(NamedTuple):
    """One period: its end, what was traded in it, and the best prices in it, the one it began with among them.

    `trades` may be empty; `quotes` are those that came within the period, or, where none did, the one that stood.
    """

    end_us: int
    trades: Sequence[Dealt]
    quotes: Sequence[Quoted]
    previous: int | None
    open_interest: int


def ends_between(start_s: int, end_s: int, interval: int) -> list[int]:
    """Return the ends of all periods between two moments, both with, in seconds; days are those of New York."""
    if interval != _DAY:
        step = interval * 60
        return list(range(-(-start_s // step) * step, end_s + 1, step))
    first = (_EPOCH + timedelta(seconds=start_s)).date() - timedelta(days=1)
    days = (end_s - start_s) // 86_400 + 3
    found = (_midnight_in_new_york(first + timedelta(days=day)) for day in range(days))
    return [each for each in found if start_s <= each <= end_s]


def _midnight_in_new_york(day: Any) -> int:
    """Return when a day begins there, in seconds since 1970: five hours behind, four in summer.

    Summer is from the second Sunday in March to the first in November, from 2 o'clock on, so that the day that it
    begins on begins in winter, and the other way round.
    """
    march, november = datetime(day.year, 3, 8, tzinfo=UTC), datetime(day.year, 11, 1, tzinfo=UTC)
    begins = march + timedelta(days=(6 - march.weekday()) % 7)
    ends = november + timedelta(days=(6 - november.weekday()) % 7)
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    behind = 4 if begins < midnight <= ends else 5
    return int((midnight - _EPOCH).total_seconds()) + behind * 3_600


def candles(
    ends: Sequence[int],
    interval: int,
    trades: Sequence[Dealt],
    quotes: Sequence[Quoted],
    interest: Callable[[int], int],
) -> list[Candle]:
    """Return a candle for each period in which something moved.

    Parameters
    ----------
    ends : list of int
        When the periods end, ascending, in seconds.
    interval : int
        Minutes that one lasts.
    trades, quotes : list
        All of the market from the beginning of the first period on, ascending, and the best prices that stood then,
        and the trade before it, where there was one.
    interest : callable
        Tells what was held at a moment, in microseconds.
    """
    traded = [each.time_us for each in trades]
    quoted = [each.time_us for each in quotes]
    found: list[Candle] = []
    for end_s in ends:
        end_us = end_s * _SECOND
        begin_us = _begin(end_s, interval) * _SECOND
        # The end is in the period, the beginning is not.
        first, last = bisect_right(traded, begin_us), bisect_right(traded, end_us)
        low, high = bisect_right(quoted, begin_us), bisect_right(quoted, end_us)
        if first == last and low == high:
            continue
        within = quotes[low:high] or quotes[max(0, low - 1) : low]
        previous = trades[first - 1].trade.yes_price if first else None
        found.append(Candle(end_us, trades[first:last], within, previous, interest(end_us)))
    return found


def _begin(end_s: int, interval: int) -> int:
    if interval != _DAY:
        return end_s - interval * 60
    day = (_EPOCH + timedelta(seconds=end_s)).date() - timedelta(days=1)
    return _midnight_in_new_york(day)


def candle_object(candle: Candle, *, is_historical: bool) -> dict[str, Any]:
    """Write a candle; in the historical tier by other names, and with every key there."""
    dollars, contracts = ("", "") if is_historical else ("_dollars", "_fp")
    prices = [each.trade.yes_price for each in candle.trades]
    volume = sum(each.trade.quantity for each in candle.trades)
    price: dict[str, Any] = {}
    if prices:
        worth = sum(each.trade.yes_price * each.trade.quantity for each in candle.trades)
        price = {**_ohlc(prices, dollars), f"mean{dollars}": _dollars(round(worth / volume))}
    elif is_historical:
        price = dict.fromkeys(("open", "high", "low", "close", "mean"))
    if candle.previous is not None:
        price[f"previous{dollars}"] = _dollars(candle.previous)
    elif is_historical:
        price["previous"] = None
    # Where nobody bids there is no bid to be the lowest; only where nobody does all the time is it none.
    bids = [each.yes_bid for each in candle.quotes if each.yes_bid] or [0]
    asks = [each.yes_ask for each in candle.quotes if each.yes_ask < WHOLE] or [WHOLE]
    return {
        "end_period_ts": candle.end_us // _SECOND,
        "price": price,
        "yes_bid": _ohlc(bids, dollars),
        "yes_ask": _ohlc(asks, dollars),
        f"volume{contracts}": _contracts(volume),
        f"open_interest{contracts}": _contracts(candle.open_interest),
    }


def _ohlc(values: Sequence[int], suffix: str) -> dict[str, Any]:
    found = {"open": values[0], "high": max(values), "low": min(values), "close": values[-1]}
    return {f"{name}{suffix}": _dollars(value) for name, value in found.items()}


def _dollars(price: int) -> str:
    return _frames.dollars(price).strip('"')


def _contracts(count: int) -> str:
    return _frames.contracts(count).strip('"')
