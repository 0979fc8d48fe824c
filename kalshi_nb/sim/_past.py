"""What the markets did in the ninety days before the exchange began.

Nobody could wait for a tape of ninety days to be wound, so the past is made by the hour, when somebody asks for that
hour, from the seed alone: the same hour is always the same, whatever was asked before. It joins on to the tape where
that begins, is ten times as quiet, and has no books, which no exchange remembers either; what it has are trades, and
the best prices whenever they moved.
"""

from __future__ import annotations

import math
import random
import uuid
from bisect import bisect_right
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from kalshi_nb.sim._calendar import Listing
from kalshi_nb.sim._catalogue import TODAY, weather
from kalshi_nb.sim._events import Trade
from kalshi_nb.sim._market import GRIDS, WHOLE
from kalshi_nb.sim._rest_ledger import Dealt, Quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kalshi_nb.sim._market import Market, Side, Temper

__all__ = ["DAYS", "Past"]

DAYS: Final = 90
_SECOND: Final = 1_000_000
_MINUTE: Final = 60 * _SECOND
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR
_KEPT_HOURS: Final = 512
"""Hours of one market each that are kept, in case they are asked for again."""
_QUIETER: Final = 0.1
"""How many trades there were for one that the tape has."""
_BURST: Final = 6
"""Actions of a burst on the tape, of which a share are trades."""
_MOVES: Final = 20
"""How often the best prices move in an hour."""
_JOINS: Final = 12 * _HOUR
"""So long before the tape begins the past has come near to where that begins."""
_HOURLY: Final = 10
"""How much farther the fair value is away from its way after an hour than after a burst."""
_WEATHER: Final = "KXHIGHNY"
_WEATHER_LIFE: Final = 36 * _HOUR
_PAID_AFTER: Final = 30 * _MINUTE
"""After its close a market's result is told, and paid as much later."""
_LEAST_FAIR: Final = 20


@dataclass(frozen=True, slots=True)
class _Course:
    """Where one market's price came from, and where it went."""

    market: Market
    temper: Temper
    open_us: int
    end_us: int
    outcome: Side | None

    def fair(self, at_us: int) -> float:
        """Return the fair value, but for what the hours and minutes add to it."""
        if self.outcome is None:
            return self.temper.anchor
        share = (at_us - self.open_us) / (self.end_us - self.open_us)
        return self.temper.anchor + ((WHOLE if self.outcome == "yes" else 0) - self.temper.anchor) * share**3


class _Hour(NamedTuple):
    """One hour of one market, ascending: what was traded, and the best prices from each moment on."""

    trades: tuple[Dealt, ...]
    quotes: tuple[Quoted, ...]


class Past:
    """The ninety days before an exchange began.

    Parameters
    ----------
    seed : int
        The same seed gives the same past.
    start_us : int
        When the exchange began, microseconds since 1970.
    markets : iterable of (Listing, Temper)
        Those of the tape, as they are when it begins.
    speed : float
        How fast the tape runs: so many times more was traded, too.

    Attributes
    ----------
    listings : dict of str to Listing
        The markets that were over before the tape began, by ticker.
    start_us : int
        When the tape began.
    """

    def __init__(self, seed: int, start_us: int, markets: Iterable[tuple[Listing, Temper]], speed: float) -> None:
        self.start_us = start_us
        self._seed = seed
        self._speed = speed
        self._first_us = max(0, start_us - DAYS * _DAY)
        self._markets = tuple(markets)
        # As planned: a close may be put off before somebody asks.
        self._closes_us = max(each.close_us for each, _ in self._markets if each.market.series_ticker == _WEATHER)
        self._hour = lru_cache(_KEPT_HOURS)(self._made)

    @cached_property
    def listings(self) -> dict[str, Listing]:
        """The markets that were over before the tape began, by ticker.

        Made when somebody asks, as everything here is: most who start an exchange never do.
        """
        return {each.market.ticker: each for each, _ in self._over}

    @cached_property
    def _over(self) -> list[tuple[Listing, Temper]]:
        found = (self._weather(days, self._closes_us - days * _DAY) for days in range(1, DAYS + 1))
        return [each for markets in found for each in markets]

    def _weather(self, days: int, close_us: int) -> Iterator[tuple[Listing, Temper]]:
        """Yield the markets about the weather of so many days ago, which are over and paid."""
        close_us = min(close_us, self.start_us - 3 * _PAID_AFTER) // _SECOND * _SECOND
        open_us = close_us - _WEATHER_LIFE
        if open_us < 0:
            return
        chance = random.Random(f"{self._seed}:{days}:weather")
        event, markets = weather(TODAY - timedelta(days=days), 48 + days // 4 + chance.randrange(-4, 5))
        weights = [temper.anchor for _, temper in markets]
        won = chance.choices(range(len(markets)), weights)[0]
        for number, (market, temper) in enumerate(markets):
            result: Side = "yes" if number == won else "no"
            value = WHOLE if result == "yes" else 0
            told_us, paid_us = close_us + _PAID_AFTER, close_us + 2 * _PAID_AFTER
            yield Listing(market, event, open_us, close_us, "finalized", result, value, told_us, paid_us), temper

    @cached_property
    def _courses(self) -> dict[str, _Course]:
        found: dict[str, _Course] = {}
        for each, temper in self._over:
            open_us = max(self._first_us, each.open_us)
            found[each.market.ticker] = _Course(each.market, temper, open_us, each.close_us, each.result)
        for each, temper in self._markets:
            open_us = max(self._first_us, each.open_us)
            found[each.market.ticker] = _Course(each.market, temper, open_us, self.start_us, None)
        return found

    def settled_us(self, ticker: str) -> int:
        """Return when a market that is over was paid."""
        settled_us = self.listings[ticker].settled_us
        assert settled_us is not None
        return settled_us

    def trades_newest_first(self, ticker: str, least_us: int, most_us: int) -> Iterator[Dealt]:
        """Yield trades by time and id, falling, from `most_us` down to `least_us`, both with.

        Parameters
        ----------
        ticker : str
            Of one market, of all where it is empty.
        least_us, most_us : int
            From when to when.
        """
        courses = self._courses.values() if not ticker else [self._courses[ticker]] if ticker in self._courses else []
        most_us = min(most_us, max((each.end_us - 1 for each in courses), default=0))
        least_us = max(least_us, min((each.open_us for each in courses), default=0))
        for hour in range(most_us // _HOUR, least_us // _HOUR - 1, -1):
            running = [each for each in courses if each.open_us < (hour + 1) * _HOUR and each.end_us > hour * _HOUR]
            found = [dealt for each in running for dealt in self._hour(each.market.ticker, hour).trades]
            found.sort(key=lambda dealt: (dealt.time_us, dealt.trade_id), reverse=True)
            yield from (each for each in found if least_us <= each.time_us <= most_us)

    def trades(self, ticker: str, least_us: int, most_us: int) -> Iterator[Dealt]:
        """Yield one market's trades, ascending, from `least_us` to `most_us`, both with."""
        for hour in self._hours(ticker, least_us, most_us):
            yield from (each for each in self._hour(ticker, hour).trades if least_us <= each.time_us <= most_us)

    def quotes(self, ticker: str, least_us: int, most_us: int) -> Iterator[Quoted]:
        """Yield the best prices of one market, and from when on they were so, ascending; both ends with."""
        for hour in self._hours(ticker, least_us, most_us):
            yield from (each for each in self._hour(ticker, hour).quotes if least_us <= each.time_us <= most_us)

    def quote_at(self, ticker: str, at_us: int) -> Quoted | None:
        """Return the best prices that stood at a moment; None before the market was open."""
        course = self._courses.get(ticker)
        if course is None or at_us < course.open_us:
            return None
        at_us = min(at_us, course.end_us - 1)
        for hour in (at_us // _HOUR, at_us // _HOUR - 1):
            found = self._hour(ticker, hour).quotes
            count = bisect_right(found, at_us, key=lambda each: each.time_us)
            if count:
                return found[count - 1]
        return None

    def open_interest(self, ticker: str, at_us: int, last: int) -> int:
        """Return how much was held at a moment, of what is held in the end."""
        course = self._courses[ticker]
        share = (at_us - course.open_us) / max(1, course.end_us - course.open_us)
        return int(last * min(1.0, max(0.0, share)))

    def _hours(self, ticker: str, least_us: int, most_us: int) -> range:
        course = self._courses.get(ticker)
        if course is None:
            return range(0)
        return range(max(least_us, course.open_us) // _HOUR, min(most_us, course.end_us - 1) // _HOUR + 1)

    # One hour -----------------------------------------------------------------------------------------

    def _made(self, ticker: str, hour: int) -> _Hour:
        course = self._courses[ticker]
        chance = random.Random(f"{self._seed}:{ticker}:{hour}:past")
        quotes = tuple(self._quotes(course, hour, chance))
        return _Hour(tuple(self._trades(course, hour, chance, quotes)), quotes)

    def _away(self, course: _Course, hour: int) -> float:
        """Return how far from its way the fair value is when an hour begins."""
        away = random.Random(f"{self._seed}:{course.market.ticker}:{hour}:away").gauss(
            0, course.temper.wander * _HOURLY
        )
        return away * min(1.0, max(0.0, (course.end_us - hour * _HOUR) / _JOINS))

    def _quotes(self, course: _Course, hour: int, chance: random.Random) -> Iterator[Quoted]:
        begin, end = self._away(course, hour), self._away(course, hour + 1)
        last: tuple[int, int] | None = None
        first_us = max(hour * _HOUR, course.open_us)
        left_us = min((hour + 1) * _HOUR, course.end_us) - first_us
        # Never on a full minute, where one could not say which of two it is in.
        moments = sorted(int(chance.random() * left_us) for _ in range(_poisson(chance, _MOVES * left_us / _HOUR)))
        for moment in (0, *moments):
            at_us = first_us + moment + (not moment % _MINUTE)
            away = begin + (end - begin) * (at_us % _HOUR) / _HOUR + chance.gauss(0, course.temper.wander)
            fair = round(course.fair(at_us) + away)
            best = self._best(course, min(max(fair, _LEAST_FAIR), WHOLE - _LEAST_FAIR))
            if best != last:
                last = best
                yield Quoted(at_us, *best)

    @staticmethod
    def _best(course: _Course, fair: int) -> tuple[int, int]:
        """Return the best bid, and the best ask, of YES, that makers would have at a fair value."""
        grid, half = GRIDS[course.market.price_level_structure], course.temper.spread // 2
        return grid.floor(fair - half), WHOLE - grid.floor(WHOLE - fair - half)

    def _trades(
        self, course: _Course, hour: int, chance: random.Random, quotes: tuple[Quoted, ...]
    ) -> Iterator[Dealt]:
        temper = course.temper
        bursts = 3_600 * _SECOND / temper.pause
        mean = 0.0 if temper.fresh else _BURST * bursts * temper.trade_share / 1_000 * _QUIETER * self._speed
        if not quotes:
            return
        first_us = max(hour * _HOUR, course.open_us, quotes[0].time_us + 1)
        last_us = min((hour + 1) * _HOUR, course.end_us) - 1
        share = max(0, last_us - first_us) / _HOUR
        for at_us in sorted(chance.randrange(first_us, last_us) for _ in range(_poisson(chance, mean * share))):
            standing = quotes[bisect_right(quotes, at_us, key=lambda each: each.time_us) - 1]
            taker: Side = "yes" if chance.random() < 0.5 else "no"
            price = standing.yes_ask if taker == "yes" else standing.yes_bid
            contracts = max(1, min(20_000, int(math.exp(chance.gauss(3.2, 1.76)))))
            trade_id = str(uuid.UUID(int=chance.getrandbits(128), version=4))
            if 0 < price < WHOLE:
                yield Dealt(at_us, trade_id, Trade(0, course.market, trade_id, price, contracts * 100, taker))


def _poisson(chance: random.Random, mean: float) -> int:
    """Draw how often something happens that happens `mean` times on average."""
    if mean > 50:  # near enough, and drawn in one go
        return max(0, round(chance.gauss(mean, math.sqrt(mean))))
    count, left = 0, chance.expovariate(1.0) if mean else math.inf
    while left < mean:
        count += 1
        left += chance.expovariate(1.0)
    return count
