"""The one account of the simulated exchange: what it has resting, what was filled, what it has of it.

It does nothing to the market. Makers and takers come and go on the tape as they would without it, and now and then one
of their orders is the account's: what rests of it is part of the book from the beginning, a taker who takes it fills
it, and all that is told of orders, fills and positions is told of trades and changes that everybody sees.

A desk is the account in one market. It draws from a source of its own, in the order of that market's own time.
"""

from __future__ import annotations

import random
import uuid
from typing import TYPE_CHECKING, Final

from kalshi_nb.sim._events import Fill, OrderState, OrderUpdate, PositionUpdate
from kalshi_nb.sim._market import WHOLE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kalshi_nb.sim._events import Event, Trade
    from kalshi_nb.sim._market import Market, PriceGrid, Side

__all__ = ["Desk", "OwnOrder", "taker_fee"]

_SECOND: Final = 1_000_000
_USERS: Final = uuid.UUID("0f6a5b1c-94a7-4d0e-8c57-3c1f2a9b6d42")

_MOST_POSITION: Final = 50_000
"""Where it has so much of one side it makes no more orders for it; in 1/100 contract, as all counts."""
_MADE: Final = (500, 30_000)
"""The least and the most that an order which is made to rest is for."""
_TAKEN: Final = (100, 10_000)
"""The least and the most that an order which is filled at once is for."""
_NEAR: Final = 3
"""So many ticks below the best an order rests at most, so that it has a chance."""
_BETWEEN_MADE: Final = 5 * _SECOND
_BETWEEN_TAKEN: Final = 45 * _SECOND
"""Mean times between two orders."""
_FEE_UNIT: Final = 100
"""Fees are rounded up to 1/10000 dollar; costs are in 1/1000000."""


def taker_fee(count: int, yes_price: int) -> int:
    """Return the fee of a fill: 7 % of contracts x price x (1 - price), rounded up to 1/10000 dollar.

    >>> taker_fee(552, 1_700), taker_fee(116, 1_600), taker_fee(100, 5_200)
    (54600, 11000, 17500)

    Returns
    -------
    int
        1/1000000 dollar; the three above are fees that captures show.
    """
    return -(-7 * count * yes_price * (WHOLE - yes_price) // (WHOLE * WHOLE)) * _FEE_UNIT


class OwnOrder:
    """One order of the account's, from its making to its end."""

    __slots__ = ("_made", "maker_cost", "remaining", "status", "taker_cost", "taker_fees")

    def __init__(self, made: OrderState) -> None:
        self._made = made
        self.remaining = made.initial
        self.status = "resting"
        self.maker_cost = self.taker_cost = self.taker_fees = 0

    @property
    def side(self) -> Side:
        """Which outcome it buys."""
        return self._made.side

    @property
    def price(self) -> int:
        """What it pays at most for one contract of its side."""
        return self._made.price

    @property
    def client_order_id(self) -> str:
        """The id that its owner gave it."""
        return self._made.client_order_id

    def state(self) -> OrderState:
        """Return how it is now."""
        return self._made._replace(
            filled=self._made.initial - self.remaining,
            remaining=0 if self.status == "canceled" else self.remaining,
            status=self.status,
            maker_cost=self.maker_cost,
            taker_cost=self.taker_cost,
            taker_fees=self.taker_fees,
        )


class Desk:
    """The account in one market.

    Parameters
    ----------
    seed : int
        The exchange's seed.
    market : Market
        Which.
    grid : PriceGrid
        Its prices.
    is_open : bool
        Whether the account trades there.

    Attributes
    ----------
    resting : list of OwnOrder
        What of it rests in the book.
    position, cost, realized, fees, volume : int
        What it has (YES above zero), what that cost, what was won by now, what was paid for it, what was traded:
        1/100 contract, and 1/1000000 dollar.
    """

    def __init__(self, seed: int, market: Market, grid: PriceGrid, *, is_open: bool) -> None:
        self.resting: list[OwnOrder] = []
        self.position = self.cost = self.realized = self.fees = self.volume = 0
        self._market = market
        self._grid = grid
        self._is_open = is_open
        self._random = random.Random(f"{seed}:{market.ticker}:account")
        self._user_id = str(uuid.uuid5(_USERS, str(seed)))
        self._number = 0
        self._makes_at = -(1 << 62)
        self._takes_at = self._wait(_BETWEEN_TAKEN // 4)

    # Which orders are its own -------------------------------------------------------------------------

    def make(self, at: int, side: Side, price: int, count: int, touch: int) -> OwnOrder | None:
        """Return the account's order where one that comes to rest is its own.

        Parameters
        ----------
        at : int
            When; before 0 for what rests when the tape begins.
        side, price, count : str, int, int
            What comes to rest.
        touch : int
            The best price of that side.
        """
        least, most = _MADE
        if (
            not self._is_open
            or at < self._makes_at
            or not least <= count <= most
            or price < self._grid.below(touch, _NEAR)
            or any(each.side == side for each in self.resting)
            or self._has_enough(side)
        ):
            return None
        if at >= 0:
            self._makes_at = at + self._wait(_BETWEEN_MADE)
        order = self._order(at, side, price, count)
        self.resting.append(order)
        return order

    def take(self, at: int, taker: Side, trades: Sequence[Trade]) -> OwnOrder | None:
        """Return the account's order where one that was filled at once, by some trades, is its own."""
        least, most = _TAKEN
        count = sum(each.quantity for each in trades)
        if not self._is_open or at < self._takes_at or not least <= count <= most or self._has_enough(taker):
            return None
        self._takes_at = at + self._wait(_BETWEEN_TAKEN)
        worst = max(each.yes_price if taker == "yes" else WHOLE - each.yes_price for each in trades)
        return self._order(at, taker, worst, count)

    def _has_enough(self, side: Side) -> bool:
        return (self.position if side == "yes" else -self.position) >= _MOST_POSITION

    def _order(self, at: int, side: Side, price: int, count: int) -> OwnOrder:
        self._number += 1
        order_id = str(uuid.UUID(int=self._random.getrandbits(128), version=4))
        name = f"{self._market.ticker}-{self._number}"
        created_at = at if at >= 0 else at - self._random.randrange(60, 3_600) * _SECOND
        return OwnOrder(OrderState(order_id, name, side, price, count, 0, count, "resting", created_at))

    def _wait(self, mean: int) -> int:
        return int(self._random.expovariate(1 / mean))

    # What becomes of them -----------------------------------------------------------------------------

    def made(self, at: int, order: OwnOrder) -> list[Event]:
        """Tell of an order that came to rest."""
        return [self._told(at, order, None)]

    def canceled(self, at: int, touched: Iterable[tuple[OwnOrder, int]], reason: str | None = None) -> list[Event]:
        """Take up that orders were taken out of the book, and tell of it."""
        events: list[Event] = []
        for order, _ in touched:
            order.status = "canceled"
            self.resting.remove(order)
            events.append(self._told(at, order, reason))
        return events

    def filled(self, at: int, fills: Sequence[tuple[OwnOrder, Trade, int]], *, is_taker: bool) -> list[Event]:
        """Take up that orders were filled, each by so much of a trade, and tell of it: fills, orders, the position."""
        events: list[Event] = []
        orders: dict[int, OwnOrder] = {}
        for order, trade, count in fills:
            fee = taker_fee(count, trade.yes_price) if is_taker else 0
            cost = count * (trade.yes_price if order.side == "yes" else WHOLE - trade.yes_price)
            order.remaining -= count
            if is_taker:
                order.taker_cost += cost
                order.taker_fees += fee
            else:
                order.maker_cost += cost
            if not order.remaining:
                order.status = "executed"
                if not is_taker:
                    self.resting.remove(order)
            self._buy(order.side, count, cost)
            self.fees += fee
            self.volume += count
            state, price = order.state(), trade.yes_price
            events.append(Fill(at, self._market, state, trade.trade_id, price, count, is_taker, fee, self.position))
            orders[id(order)] = order
        events += (self._told(at, order, "Trade") for order in orders.values())
        events.append(self._has(at))
        return events

    def settled(self, at: int, value: int) -> list[Event]:
        """Take up that one YES paid `value`, and tell of it where there was a position."""
        if not self.position:
            return []
        each = value if self.position > 0 else WHOLE - value
        self.realized += abs(self.position) * each - self.cost
        self.position = self.cost = 0
        return [self._has(at)]

    def _buy(self, side: Side, count: int, cost: int) -> None:
        """Add to the position, or close of it what the other side bought is worth: a YES and a NO make a dollar."""
        signed = count if side == "yes" else -count
        closed = min(count, abs(self.position)) if self.position * signed < 0 else 0
        if closed:
            released = self.cost * closed // abs(self.position)
            paid = cost * closed // count
            self.realized += closed * WHOLE - paid - released
            self.cost -= released
            cost -= paid
        self.cost += cost
        self.position += signed

    def _told(self, at: int, order: OwnOrder, reason: str | None) -> OrderUpdate:
        return OrderUpdate(at, self._market, self._user_id, order.state(), reason)

    def _has(self, at: int) -> PositionUpdate:
        return PositionUpdate(
            at, self._market, self._user_id, self.position, self.cost, self.realized, self.fees, self.volume
        )
