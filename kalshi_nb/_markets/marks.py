"""One's own resting orders and newest fills in each market, as far as somebody on the feed wanted to hear of them."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final, NamedTuple

from kalshi_nb._rows.channels import position
from kalshi_nb._rows.gaps import GapRow
from kalshi_nb._rows.steering import LateRows, ResetRow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from kalshi_nb._rows.rows import Row

__all__ = ["MOST_FILLS", "MOST_MARKETS_FILLED", "MOST_ORDERS", "OwnFill", "OwnMarks", "OwnOrder"]

MOST_ORDERS: Final = 10_000
MOST_FILLS: Final = 20
"""A market."""
MOST_MARKETS_FILLED: Final = 10_000

_ORDER: Final = position("user_orders", "order_id")
_ORDER_MARKET: Final = position("user_orders", "market_ticker")
_STATUS: Final = position("user_orders", "status")
_OUTCOME, _SIDE, _PRICE, _LEFT, _HEARD, _CHANGED = (
    position("user_orders", name)
    for name in ("outcome_side", "book_side", "yes_price", "remaining_count", "received_at", "ts")
)
_OVER: Final = ("executed", "canceled")
"""What an order is that never rests again."""
_FILL_MARKET: Final = position("fill", "market_ticker")
_FILLED: Final = tuple(position("fill", name) for name in ("outcome_side", "yes_price", "count", "ts"))
_MILLI: Final = 1_000
_BOUGHT: Final = {"bid": "yes", "ask": "no"}
"""What rests on a side buys; to sell YES is to buy NO."""


class OwnOrder(NamedTuple):
    """One resting order: what it buys, YES price in 1/10000 dollar, 1/100 contracts left, when heard, when changed.

    Both times are microseconds since 1970.
    """

    outcome: str
    price: int
    left: int
    heard_at: int
    changed_at: int = 0


_Placed = tuple[str, OwnOrder | None]
"""The market of an order, and the order where it rests."""


class OwnFill(NamedTuple):
    """One fill: what was bought, YES price in 1/10000 dollar, 1/100 contracts, microseconds since 1970."""

    outcome: str
    price: int
    size: int
    at: int


class OwnMarks:
    """What of one's own a ladder marks; bounded: of more, those go that were seen first.

    One thread at a time learns, whoever takes the rows from the engine; any reads. All of a market is one value that
    is replaced and never changed, so a reader has what stood before a batch or what stands after it. Nothing is
    subscribed to for this.

    An order rests until somebody says that it does not. Where that may have been missed, at a gap, the orders of the
    market are forgotten, until they are fetched: one that is not marked may still be there, but one that is marked is.

    Parameters
    ----------
    most_orders : int
        How many orders are kept, and how many of those that ended.
    most_fills : int
        How many fills are kept of a market.
    most_markets : int
        Of how many markets fills are kept.
    """

    def __init__(
        self,
        most_orders: int = MOST_ORDERS,
        most_fills: int = MOST_FILLS,
        most_markets: int = MOST_MARKETS_FILLED,
    ) -> None:
        self._most_orders = most_orders
        self._most_fills = most_fills
        self._most_markets = most_markets
        self._market_of: dict[str, str] = {}
        self._orders: dict[str, Mapping[str, OwnOrder]] = {}
        self._ended: dict[str, None] = {}
        self._fills: dict[str, tuple[OwnFill, ...]] = {}
        self._wake: Callable[[], None] | None = None

    def on_news(self, wake: Callable[[], None]) -> None:
        """Have `wake` called once, by whoever learns, when something more is known; it replaces the one before."""
        self._wake = wake

    def learn_orders(self, rows: Sequence[Row], at: int = 0) -> None:
        """Take up some rows of orders, in their order.

        Parameters
        ----------
        rows : sequence
            Rows of orders, those that were fetched and gaps among them. What was fetched tells how an order was at the
            answer: what was heard of it since says more, and none that ended is marked again.
        at : int
            When they are taken up, in microseconds of the market's time: that is when of what was fetched is heard.
        """
        newest: dict[str, _Placed] = {}
        for row in rows:
            if type(row) is tuple:
                found = _resting(row)
                newest[row[_ORDER]] = (row[_ORDER_MARKET], found)
                self._note_end(row[_ORDER], is_over=found is None)
            elif isinstance(row, LateRows):
                for each in row.rows:
                    self._take_fetched(each, at, newest)
            elif isinstance(row, ResetRow):
                newest = {}
                self._forget(None)
                self._ended = {}
            elif isinstance(row, GapRow):
                ticker = row.market_ticker
                newest = {
                    order_id: placed
                    for order_id, placed in newest.items()
                    if ticker is not None and placed[0] != ticker
                }
                self._forget(ticker)
        self._set(newest)
        excess = len(self._market_of) - self._most_orders
        if excess > 0:
            self._set({order_id: (market, None) for order_id, market in islice(self._market_of.items(), excess)})
        excess = len(self._ended) - self._most_orders
        if excess > 0:
            self._ended = dict.fromkeys(islice(self._ended, excess, None))
        self._tell()

    def _note_end(self, order_id: str, *, is_over: bool) -> None:
        """Keep in mind that an order is over: what was asked before its end may be answered after it."""
        self._ended.pop(order_id, None)
        if is_over:
            self._ended[order_id] = None

    def _take_fetched(self, row: Row, at: int, newest: dict[str, _Placed]) -> None:
        """Take up an order as REST tells of it, where that is newer than what is known."""
        order_id, found = row[_ORDER], _resting(row, at)
        if row[_STATUS] in _OVER:
            newest[order_id] = (row[_ORDER_MARKET], None)
            self._note_end(order_id, is_over=True)
        elif found is not None and order_id not in self._ended:
            placed = newest.get(order_id)
            stood = placed[1] if placed else self._orders.get(row[_ORDER_MARKET], {}).get(order_id)
            # The socket tells to the millisecond.
            if stood is None or found.changed_at // _MILLI > stood.changed_at // _MILLI:
                newest[order_id] = (row[_ORDER_MARKET], found)
            elif found.changed_at // _MILLI == stood.changed_at // _MILLI:
                newest[order_id] = (row[_ORDER_MARKET], stood._replace(heard_at=max(at, stood.heard_at)))

    def learn_fills(self, rows: Sequence[Row]) -> None:
        """Take up some rows of fills; those that were fetched later stand where their time belongs."""
        found: dict[str, list[OwnFill]] = {}
        for row in rows:
            if type(row) is tuple:
                _add(found, (row,))
            elif isinstance(row, LateRows):
                _add(found, self._lacking(row.rows, found))
            elif isinstance(row, ResetRow):
                found = {}
                self._fills = {}
        for market, fills in found.items():
            kept = sorted((*self._fills.get(market, ()), *fills), key=lambda each: each.at)
            self._fills[market] = tuple(kept[-self._most_fills :])
        excess = len(self._fills) - self._most_markets
        if excess > 0:
            self._fills = dict(islice(self._fills.items(), excess, None))
        self._tell()

    def _lacking(self, rows: Iterable[Row], found: Mapping[str, list[OwnFill]]) -> list[Row]:
        """Return fetched fills that are not marked yet, nor found just now: what was told is so to the millisecond."""
        marked = (*self._fills.items(), *found.items())
        known = {(market, each._replace(at=each.at // _MILLI)) for market, fills in marked for each in fills}
        return [row for row in rows if (row[_FILL_MARKET], _fill(row, _MILLI)) not in known]

    def orders(self, market_ticker: str) -> tuple[OwnOrder, ...]:
        """Return one's own resting orders in a market, the one first that was heard of first."""
        return tuple(self._orders.get(market_ticker, {}).values())

    def markets(self) -> list[str]:
        """Return the markets in which orders of one's own rest."""
        return [market for market, orders in list(self._orders.items()) if orders]

    def fills(self, market_ticker: str) -> tuple[OwnFill, ...]:
        """Return one's own newest fills in a market, the oldest of them first."""
        return self._fills.get(market_ticker, ())

    def _tell(self) -> None:
        wake, self._wake = self._wake, None
        if wake is not None:
            wake()

    def _forget(self, market_ticker: str | None) -> None:
        """Forget the orders of a market, or all of them."""
        if market_ticker is None:
            self._market_of = {}
            self._orders = {}
        else:
            for order_id in self._orders.pop(market_ticker, {}):
                del self._market_of[order_id]

    def _set(self, changes: Mapping[str, tuple[str, OwnOrder | None]]) -> None:
        """Put some orders in their markets or, where they rest no more, take them out: each market copied once."""
        copies: dict[str, dict[str, OwnOrder]] = {}
        for order_id, (market, order) in changes.items():
            if order is None and order_id not in self._market_of:
                continue
            if market not in copies:
                copies[market] = dict(self._orders.get(market, {}))
            if order is None:
                copies[market].pop(order_id, None)
                del self._market_of[order_id]
            else:
                copies[market][order_id] = order
                self._market_of[order_id] = market
        for market, orders in copies.items():
            if orders:
                self._orders[market] = orders
            else:
                self._orders.pop(market, None)


def _resting(row: Row, heard_at: int | None = None) -> OwnOrder | None:
    """Return an order where it is told that it rests, at which price and side, and how much of it."""
    outcome = _BOUGHT.get(row[_SIDE], row[_OUTCOME])
    price, left = row[_PRICE], row[_LEFT]
    if row[_STATUS] != "resting" or not left or left < 0 or outcome is None or price is None:
        return None
    return OwnOrder(outcome, price, left, row[_HEARD] if heard_at is None else heard_at, row[_CHANGED] or 0)


def _fill(row: Row, per: int = 1) -> OwnFill:
    outcome, price, size, at = (row[each] for each in _FILLED)
    return OwnFill(outcome, price, size, at // per)


def _add(found: dict[str, list[OwnFill]], rows: Iterable[Row]) -> None:
    for row in rows:
        fill = _fill(row)
        if fill.outcome is not None:
            found.setdefault(row[_FILL_MARKET], []).append(fill)
