"""What the simulated exchange remembers since it began: every trade, and the best prices whenever they moved."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from itertools import takewhile
from typing import TYPE_CHECKING, Final, NamedTuple

from kalshi_nb.sim._market import WHOLE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kalshi_nb.sim._book import RestingBook
    from kalshi_nb.sim._events import Delta, Trade

__all__ = ["Dealt", "InterestLedger", "QuoteLedger", "Quoted", "TradeLedger"]

_MOST: Final = 200_000
"""Fourteen hours at the pace of a live market."""


class Dealt(NamedTuple):
    """One trade, by what puts it in order: its time, microseconds since 1970, and its id."""

    time_us: int
    trade_id: str
    trade: Trade


class Quoted(NamedTuple):
    """The best prices of YES from a moment on; 0 where nobody bids, 10000 where nobody asks."""

    time_us: int
    yes_bid: int
    yes_ask: int


class TradeLedger:
    """The trades of an exchange, in the order of their times; of more than 200,000 the oldest go."""

    def __init__(self) -> None:
        self._dealt: deque[Dealt] = deque(maxlen=_MOST)

    def note(self, trade: Trade, time_us: int) -> None:
        """Take up a trade; none is older than the one before."""
        self._dealt.append(Dealt(time_us, trade.trade_id, trade))

    def dealt(self) -> list[Dealt]:
        """Return all of them, in the order they were made; from any thread, since it takes one step."""
        return list(self._dealt)

    def newest_first(self, least_us: int) -> Iterator[Dealt]:
        """Yield trades by time and id, falling, down to and with a time.

        Those of one microsecond are put in order here, since a taker who goes through several levels makes several.
        """
        same: list[Dealt] = []
        for each in takewhile(lambda dealt: dealt.time_us >= least_us, reversed(self._dealt)):
            if same and each.time_us != same[0].time_us:
                yield from sorted(same, reverse=True, key=lambda dealt: dealt.trade_id)
                same.clear()
            same.append(each)
        yield from sorted(same, reverse=True, key=lambda dealt: dealt.trade_id)

    def of(self, ticker: str, least_us: int, most_us: int) -> list[Dealt]:
        """Return one market's trades in the order they were made, from `least_us` to `most_us`, both with."""
        found = [
            each
            for each in takewhile(lambda dealt: dealt.time_us >= least_us, reversed(self._dealt))
            if each.time_us <= most_us and each.trade.market.ticker == ticker
        ]
        return found[::-1]


class InterestLedger:
    """How much was held of one market, whenever that changed.

    Parameters
    ----------
    held : int
        How much at the beginning.
    begin_us : int
        When that is.
    """

    def __init__(self, held: int, begin_us: int) -> None:
        self._held: deque[tuple[int, int]] = deque([(begin_us, held)], maxlen=_MOST)

    def note(self, held: int, time_us: int) -> None:
        """Take up what is held after a trade."""
        if held != self._held[-1][1]:
            self._held.append((time_us, held))

    def at(self) -> Callable[[int], int]:
        """Return what tells how much was held at a moment; before all that is remembered, the first of it."""
        held = list(self._held)
        times = [time_us for time_us, _ in held]
        return lambda time_us: held[max(0, bisect_right(times, time_us) - 1)][1]


class QuoteLedger:
    """The best prices of one market whenever they moved, made of its changes as clients make them.

    The market itself is ahead of what is told of it: an action that changes three levels is told in three changes, and
    between these the best prices are others than after them.

    Parameters
    ----------
    book : RestingBook
        How it begins.
    begin_us : int
        When.
    """

    def __init__(self, book: RestingBook, begin_us: int) -> None:
        self._sides = {"yes": dict(book.levels("yes")), "no": dict(book.levels("no"))}
        self._best = {side: max(levels, default=0) for side, levels in self._sides.items()}
        self._quoted: deque[Quoted] = deque(maxlen=_MOST)
        self._note(begin_us)

    def note(self, delta: Delta, time_us: int) -> None:
        """Take up a change."""
        levels = self._sides[delta.side]
        left = levels.get(delta.price, 0) + delta.quantity
        best = self._best[delta.side]
        if left > 0:
            levels[delta.price] = left
            if delta.price <= best:
                return
            self._best[delta.side] = delta.price
        else:
            levels.pop(delta.price, None)
            if delta.price != best:
                return
            self._best[delta.side] = max(levels, default=0)
        self._note(time_us)

    def _note(self, time_us: int) -> None:
        self._quoted.append(Quoted(time_us, self._best["yes"], WHOLE - self._best["no"]))

    def since(self, least_us: int) -> list[Quoted]:
        """Return what was so at `least_us`, as far as it is remembered, and each change behind it, ascending."""
        found: list[Quoted] = []
        for each in reversed(self._quoted):
            found.append(each)
            if each.time_us <= least_us:
                break
        return found[::-1]
