"""The orders that rest in one market: two sides of bids, each a ladder of levels.

Prices are integers of 1/10000 dollar, counts integers of 1/100 contract. A level is the sum of its orders;
orders of one price stand in the order they came.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kalshi_nb.sim._market import WHOLE, opposite

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kalshi_nb.sim._account import OwnOrder
    from kalshi_nb.sim._market import PriceGrid, Side

__all__ = ["RestingBook"]


class _Resting:
    """What is left of one order, and the account's order whose remaining count is a part of it, if any."""

    __slots__ = ("count", "own")

    def __init__(self, count: int, own: OwnOrder | None) -> None:
        self.count = count
        self.own = own


class RestingBook:
    """Both sides of one market; never crossed, never negative."""

    __slots__ = ("_grid", "_sides", "_touched")

    def __init__(self, grid: PriceGrid) -> None:
        self._grid = grid
        self._sides: dict[Side, dict[int, list[_Resting]]] = {"yes": {}, "no": {}}
        self._touched: list[tuple[OwnOrder, int]] = []

    def best(self, side: Side) -> int:
        """Return the highest bid of a side, 0 where it has none."""
        return max(self._sides[side], default=0)

    def count_at(self, side: Side, price: int) -> int:
        """Return what rests at a price."""
        return sum(each.count for each in self._sides[side].get(price, ()))

    def prices(self, side: Side) -> list[int]:
        """Return the prices of a side's levels, ascending."""
        return sorted(self._sides[side])

    def levels(self, side: Side) -> list[tuple[int, int]]:
        """Return a side as (price, count), ascending, so the best comes last."""
        return [(price, self.count_at(side, price)) for price in sorted(self._sides[side])]

    def level_count(self, side: Side) -> int:
        """Return how many levels a side has."""
        return len(self._sides[side])

    def order_count(self, side: Side) -> int:
        """Return how many orders rest on a side."""
        return sum(map(len, self._sides[side].values()))

    def highest_allowed(self, side: Side, price: int) -> int:
        """Return the highest price of the grid, at most `price`, that does not cross the other side.

        Returns
        -------
        int
            0 where every price of the grid would cross.
        """
        best_against = self.best(opposite(side))
        limit = WHOLE - best_against - 1 if best_against else WHOLE - 1
        return self._grid.floor(min(price, limit))

    def add(self, side: Side, price: int, count: int, own: OwnOrder | None = None) -> None:
        """Rest an order at a price that `highest_allowed` gave; `own` is set where it is the account's."""
        self._sides[side].setdefault(price, []).append(_Resting(count, own))

    def cancel(self, side: Side, price: int, pick: int) -> int:
        """Take one order of a level away, the one at `pick` modulo their number; return its count."""
        orders = self._sides[side][price]
        order = orders.pop(pick % len(orders))
        self._move(order, orders)
        if not orders:
            del self._sides[side][price]
        return order.count

    def take(self, side: Side, price: int, count: int) -> int:
        """Let a taker have at most `count` from a level, oldest orders first; return what there was."""
        orders = self._sides[side][price]
        left = count
        while orders and left:
            filled = min(left, orders[0].count)
            left -= filled
            self._fill(orders[0], filled)
            orders[0].count -= filled
            if not orders[0].count:
                orders.pop(0)
        if not orders:
            del self._sides[side][price]
        return count - left

    def clear(self, side: Side) -> list[tuple[int, int]]:
        """Cancel everything on a side; return the levels that were there, best first."""
        levels = self.levels(side)[::-1]
        for orders in self._sides[side].values():
            for order in orders:
                self._move(order, ())
        self._sides[side].clear()
        return levels

    def touched(self) -> list[tuple[OwnOrder, int]]:
        """Return the account's orders that were taken from or cancelled since this was asked last, and by how much."""
        touched, self._touched = self._touched, []
        return touched

    def _move(self, gone: _Resting, others: Iterable[_Resting]) -> None:
        """Let the account's part of an order that is cancelled stay in another of its level, if that is large enough.

        So what everybody sees is the same with the account and without it, and the account's orders are not as
        short-lived as those of the makers, who quote anew all the time.
        """
        own = gone.own
        if own is None:
            return
        for other in others:
            if other.own is None and other.count >= own.remaining:
                other.own = own
                return
        self._touched.append((own, own.remaining))

    def _fill(self, order: _Resting, count: int) -> None:
        own = order.own
        if own is None:
            return
        part = min(count, own.remaining)
        self._touched.append((own, part))
        if part == own.remaining:
            order.own = None
