"""One market's life: makers who quote around a wandering fair value, takers, pauses, a close.

Everything is drawn from one pseudo-random source a market, in the order of the market's own time, and nothing
else has a say: neither the other markets, nor clients, nor in what steps the time is taken.
"""

from __future__ import annotations

import math
import random
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

from kalshi_nb.sim._account import Desk
from kalshi_nb.sim._book import RestingBook
from kalshi_nb.sim._events import Delta, Event, Lifecycle, Quote, Ticker, Trade
from kalshi_nb.sim._market import GRIDS, WHOLE, opposite

if TYPE_CHECKING:
    from kalshi_nb.sim._account import OwnOrder
    from kalshi_nb.sim._market import Market, Side, Temper

__all__ = ["MarketFlow"]

_NEVER: Final = 1 << 62
_SECOND: Final = 1_000_000
_BURST_ACTIONS: Final = 6
"""Mean number of actions of a burst; with it nine inter-arrivals in ten are short."""
_BURST_GAP: Final = 800
"""Mean time between two actions of a burst, microseconds."""
_REFILL_ACTIONS: Final = 40
"""Length of the burst that fills an emptied book again."""
_LIFECYCLE_PAUSE: Final = 480 * _SECOND
"""Mean time between two lifecycle messages of a market."""
_MOST_COUNT: Final = 200_000
"""Contracts in the largest order."""
_SWEPT_LEVELS: Final = 3
"""How many levels one taker goes through at most."""
_CERTAIN: Final = 150
"""How far from 0 or 1 dollar the fair value comes when the outcome is nearly known."""


class _SecondHalf(NamedTuple):
    """The order that a re-quote has taken away and will put back."""

    side: Side
    price: int
    quantity: int


class MarketFlow:
    """The book, the totals and the next event of one market.

    Parameters
    ----------
    seed : int
        The exchange's seed.
    market : Market
        Whose life it is.
    temper : Temper
        How it behaves.
    """

    def __init__(self, seed: int, market: Market, temper: Temper) -> None:
        self.market = market
        self.book = RestingBook(GRIDS[market.price_level_structure])
        self._grid = GRIDS[market.price_level_structure]
        self._temper = temper
        self._random = random.Random(f"{seed}:{market.ticker}:flow")
        self.desk = Desk(seed, market, self._grid, is_open=temper.has_account)
        self.clock = self._random.randrange(10_000, 1_000_000)
        self._fair = temper.anchor
        self._second_half: _SecondHalf | None = None
        self._resumes = False
        self._act_at = self._pause()
        self._actions_left = 0
        self._lifecycle_at = self._wait(_LIFECYCLE_PAUSE)
        self._ticker_at = _NEVER
        self._last_ticker_at = -_SECOND
        self._price = 0 if temper.fresh else self._grid.floor(temper.anchor)
        self._volume = 0 if temper.fresh else self._random.randrange(2_000_000, 90_000_000)
        self._open_interest = self._volume * 2 // 5
        self._last_size = 0 if temper.fresh else self._count(2.83, 1.76, 0)
        for side in ("yes", "no"):
            self._fill(side)
        self._told = self.quote()

    @property
    def next_at(self) -> int:
        """When this market's next event comes; never before the last one."""
        return min(self._act_at, self._lifecycle_at, self._ticker_at)

    def quote(self) -> Quote:
        """Return what a ticker would say now."""
        bid, against = self.book.best("yes"), self.book.best("no")
        return Quote(
            self._price,
            bid,
            WHOLE - against,
            self._volume,
            self._open_interest,
            self.book.count_at("yes", bid),
            self.book.count_at("no", against),
            self._last_size,
        )

    def step(self) -> list[Event]:
        """Let what comes next come, and return it; may be nothing."""
        at = self.next_at
        if at == self._lifecycle_at:
            return self._live(at)
        if at == self._ticker_at:
            return self._tell(at)
        events = self._resume(at) if self._resumes else self._act(at)
        if events and self._ticker_at == _NEVER:
            self._ticker_at = max(at + 1_000, self._last_ticker_at + _SECOND)
        return events

    @property
    def value(self) -> int:
        """The last price, by which an outcome is known; of a market that nobody traded, its highest bid."""
        return self._price or self.book.best("yes")

    def approach(self, outcome: Side, span: int) -> None:
        """Let the fair value go to one end, more or less within `span` microseconds."""
        anchor = WHOLE - _CERTAIN if outcome == "yes" else _CERTAIN
        self._temper = replace(self._temper, anchor=anchor, return_in=max(3, span // self._temper.pause // 4))

    def close(self) -> None:
        """Let nobody trade any more: the book stays as it is, and nothing is said but of what was before."""
        self._act_at = self._lifecycle_at = _NEVER
        self._second_half = None

    def determine(self, at: int, result: Side) -> list[Event]:
        """Cancel what rests, and tell how it came out."""
        events = self._clear(at, "CloseCancel")
        if events:
            self._ticker_at = max(at + 1_000, self._last_ticker_at + _SECOND)
        value = WHOLE if result == "yes" else 0
        return [*events, Lifecycle(at, self.market, "determined", result=result, settlement_value=value)]

    def settle(self, at: int, value: int) -> list[Event]:
        """Pay."""
        return [Lifecycle(at, self.market, "settled"), *self.desk.settled(at, value)]

    # -- tickers and lifecycle ---------------------------------------------------------------------------

    def _tell(self, at: int) -> list[Event]:
        self._ticker_at = _NEVER
        quote = self.quote()
        if quote == self._told:
            return []
        self._told = quote
        self._last_ticker_at = at
        return [Ticker(at, self.market, quote)]

    def _live(self, at: int) -> list[Event]:
        self._lifecycle_at = at + 30 * _SECOND + self._wait(_LIFECYCLE_PAUSE)
        if self._resumes or self._random.random() < 0.5:
            put_off = (self._random.randrange(2, 48) - 2) / 45
            return [Lifecycle(at, self.market, "close_date_updated", put_off=put_off)]
        self._resumes = True
        self._act_at = at + self._random.randrange(3 * _SECOND, 9 * _SECOND)
        return [Lifecycle(at, self.market, "deactivated", is_deactivated=True)]

    def _resume(self, at: int) -> list[Event]:
        # Whoever quoted before the pause has been cancelled: the book is empty when trading goes on.
        self._resumes = False
        self._second_half = None
        self._actions_left = _REFILL_ACTIONS
        self._act_at = at + 1 + self._wait(30_000)
        events = self._clear(at, "HaltCancel")
        events.append(Lifecycle(at, self.market, "activated", is_deactivated=False))
        return events

    def _clear(self, at: int, reason: str) -> list[Event]:
        self.clock += 1
        events: list[Event] = [
            Delta(at, self.market, self.clock, side, price, -count)
            for side in ("yes", "no")
            for price, count in self.book.clear(side)
        ]
        return events + self.desk.canceled(at, self.book.touched(), reason)

    # -- what makers and takers do -----------------------------------------------------------------------

    def _act(self, at: int) -> list[Event]:
        if self._second_half is not None:
            events = self._finish_requote(at)
        else:
            if self._actions_left == 0:
                self._actions_left = 1 + self._wait(_BURST_ACTIONS - 1)
                self._move_fair()
            events = self._choose(at)
        if self._second_half is not None:
            self._act_at = at + self._random.randrange(400, 700)
            return events
        self._actions_left -= 1
        self._act_at = at + 1 + (self._wait(_BURST_GAP) if self._actions_left else self._pause())
        return events

    def _choose(self, at: int) -> list[Event]:
        side: Side = "yes" if self._random.random() < 0.5 else "no"
        best, aim = self.book.best(side), self._aim(side)
        roll = self._random.random()
        if best > aim:
            return self._requote(at, side, best, aim) if aim and roll < 0.7 else self._cancel(at, side, best)
        if best < aim and roll < 0.8:
            return self._add(at, side, aim)
        if self._random.randrange(1000) < self._temper.trade_share:
            return self._trade(at)
        if not best or self._wants_more(side):
            return self._add(at, side, self._somewhere(side)) if aim else []
        price = self._resting_price(side)
        return self._requote(at, side, price, price) if roll < 0.35 else self._cancel(at, side, price)

    def _add(self, at: int, side: Side, wish: int) -> list[Event]:
        price = self.book.highest_allowed(side, wish)
        if not price:
            return []
        return self._rest(at, side, price, self._order_count())

    def _rest(self, at: int, side: Side, price: int, count: int) -> list[Event]:
        """Put an order into the book, the account's perhaps."""
        # Only where others rest already, in whose orders its own can stay when this one is cancelled.
        joins = self.book.count_at(side, price) > 0
        own = self.desk.make(at, side, price, count, self.book.best(side)) if joins else None
        self.book.add(side, price, count, own)
        delta = self._delta(at, side, price, count, own)
        return [delta] if own is None else [delta, *self.desk.made(at, own)]

    def _cancel(self, at: int, side: Side, price: int) -> list[Event]:
        count = self.book.cancel(side, price, self._random.randrange(1 << 16))
        touched = self.book.touched()
        ours = touched[0][0] if touched and touched[0][1] == count else None
        delta = self._delta(at, side, price, -count, ours)
        return [delta, *self.desk.canceled(at, touched)]

    def _requote(self, at: int, side: Side, price: int, wish: int) -> list[Event]:
        events = self._cancel(at, side, price)
        moved = self._grid.below(wish, self._random.choice((0, 0, 1, 2))) or wish
        self._second_half = _SecondHalf(side, moved, self._removed(events))
        return events

    def _finish_requote(self, at: int) -> list[Event]:
        assert self._second_half is not None
        side, wish, count = self._second_half
        self._second_half = None
        price = self.book.highest_allowed(side, wish)
        return self._rest(at, side, price, count) if price else []

    def _trade(self, at: int) -> list[Event]:
        # The taker leans to where the fair value is against the middle, as one who knows more would.
        middle = (self.book.best("yes") + WHOLE - self.book.best("no")) // 2
        lean = min(max((self._fair - middle) / 1000, -0.3), 0.3)
        taker: Side = "yes" if self._random.random() < 0.5 + lean else "no"
        side = opposite(taker)
        left = self._count(3.2, 1.76, self._temper.fractional_trades)
        deltas: list[Delta] = []
        trades: list[Trade] = []
        fills: list[tuple[OwnOrder, Trade, int]] = []
        self.clock += 1
        while left and (price := self.book.best(side)) and len(trades) < _SWEPT_LEVELS:
            count = self.book.take(side, price, left)
            left -= count
            deltas.append(Delta(at, self.market, self.clock, side, price, -count))
            trades.append(self._book_trade(at, taker, price, count))
            fills += ((order, trades[-1], filled) for order, filled in self.book.touched())
        if fills:
            return [*deltas, *trades, *self.desk.filled(at, fills, is_taker=False)]
        own = self.desk.take(at, taker, trades) if trades else None
        if own is None:
            return [*deltas, *trades]
        ours = [each._replace(order=own.client_order_id) for each in deltas]
        fills = [(own, each, each.quantity) for each in trades]
        return [*ours, *trades, *self.desk.filled(at, fills, is_taker=True)]

    def _book_trade(self, at: int, taker: Side, price: int, count: int) -> Trade:
        self._price = price if taker == "no" else WHOLE - price
        self._volume += count
        self._last_size = count
        roll = self._random.random()
        if roll < 0.5:
            self._open_interest += count
        elif roll < 0.8:
            self._open_interest = max(0, self._open_interest - count)
        trade_id = str(uuid.UUID(int=self._random.getrandbits(128), version=4))
        return Trade(at, self.market, trade_id, self._price, count, taker)

    # -- where and how much ------------------------------------------------------------------------------

    def _fill(self, side: Side) -> None:
        while self._wants_more(side) and self._aim(side):
            price = self.book.highest_allowed(side, self._somewhere(side))
            if not price:
                return
            count = self._order_count()
            self.book.add(side, price, count, self.desk.make(-1, side, price, count, self._aim(side)))

    def _wants_more(self, side: Side) -> bool:
        """Say whether a side is to grow; orders are bounded too, since a cheap side has few prices."""
        room = self._grid.count_below(self._aim(side), self._temper.levels)
        orders = self.book.order_count(side)
        if orders >= 2 * room:
            return False
        lean = 0.75 if self.book.level_count(side) < room * 3 // 4 else 0.4
        return self._random.random() < lean or orders < room // 2

    def _aim(self, side: Side) -> int:
        """Return the price a side's makers would have as their best, 0 for none."""
        fair = self._fair if side == "yes" else WHOLE - self._fair
        return self._grid.floor(fair - self._temper.spread // 2)

    def _somewhere(self, side: Side) -> int:
        """Return a price at or under the aim, nearer ones more often."""
        aim = self._aim(side)
        steps = int(self._random.expovariate(1 / self._temper.levels))
        return self._grid.below(aim, steps) or aim

    def _resting_price(self, side: Side) -> int:
        """Return a level to take from; the far ones go when the market has moved away from them."""
        prices = self.book.prices(side)
        if self._random.random() < 0.25:
            return prices[0]
        return prices[-1 - min(len(prices) - 1, int(self._random.expovariate(1 / 5)))]

    def _move_fair(self) -> None:
        temper = self._temper
        drift = int((temper.anchor - self._fair) / temper.return_in)
        moved = self._fair + drift + round(self._random.gauss(0, temper.wander))
        self._fair = min(max(moved, 20), WHOLE - 20)

    def _order_count(self) -> int:
        return self._count(3.25, 2.2, 15)

    def _count(self, middle: float, width: float, fractional: int) -> int:
        """Draw a count: log-normal contracts, `fractional` in a hundred of them not whole."""
        contracts = min(int(math.exp(self._random.gauss(middle, width))), _MOST_COUNT)
        if self._random.randrange(100) < fractional:
            return contracts * 100 + self._random.randrange(1, 100)
        return max(contracts, 1) * 100

    def _delta(self, at: int, side: Side, price: int, count: int, own: OwnOrder | None = None) -> Delta:
        self.clock += 1
        name = None if own is None else own.client_order_id
        return Delta(at, self.market, self.clock, side, price, count, name)

    @staticmethod
    def _removed(events: list[Event]) -> int:
        first = events[0]
        assert isinstance(first, Delta)
        return -first.quantity

    def _wait(self, mean: int) -> int:
        return int(self._random.expovariate(1 / mean))

    def _pause(self) -> int:
        return 2_000 + self._wait(self._temper.pause)
