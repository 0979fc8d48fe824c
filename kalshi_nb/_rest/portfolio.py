"""One's own account, as it is: orders, fills and positions in the rows of the channels that tell of their changes.

REST tells less than the socket does. What it does not tell is null: when a row was received, what one held after a
fill, what a position's own fees were, and how much of it was traded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from kalshi_nb._rest.bodies import Number, contract_price, counts, matched, micro_dollars, quoted
from kalshi_nb._rest.client import segment
from kalshi_nb._rest.frames import time_us
from kalshi_nb._rest.pages import Page, Walk
from kalshi_nb._rows.channels import LAYOUTS, position
from kalshi_nb._wire.field_types import Integer
from kalshi_nb._wire.field_values import AHEAD, FIRST
from kalshi_nb.errors import RestBodyError, RestNotFoundError

if TYPE_CHECKING:
    from kalshi_nb._rest.client import Params, RestClient
    from kalshi_nb._rows.rows import Row

__all__ = ["FILLS", "ORDERS", "POSITIONS", "FetchedRows", "Portfolio"]

ORDERS: Final = "user_orders"
FILLS: Final = "fill"
POSITIONS: Final = "market_positions"

_MOST: Final = 200
"""Orders, or fills, of a page, as many as the exchange gives."""
_MOST_POSITIONS: Final = 1_000
_SECOND: Final = 1_000_000
_STAYS: Final = 24 * 3_600 * _SECOND
"""What was so short a time ago is in the live tier: it moves after two weeks at the earliest."""
_OPPOSITE: Final = {"yes": "no", "no": "yes"}
_BOOK_SIDE: Final = {"yes": "bid", "no": "ask"}


class Deed(msgspec.Struct, kw_only=True):
    """What orders and fills both say of what is bought."""

    side: str | None = None
    action: str | None = None
    outcome_side: str | None = None
    book_side: str | None = None

    def bought(self) -> str | None:
        """Return the outcome; by the older names to sell YES is to buy NO."""
        if self.outcome_side in _OPPOSITE:
            return self.outcome_side
        side = self.side if self.side in _OPPOSITE else None
        return _OPPOSITE[side] if side is not None and (self.action or "").startswith("sell") else side

    def book(self) -> str | None:
        """Return the side of the book."""
        if self.book_side in ("bid", "ask"):
            return self.book_side
        return _BOOK_SIDE.get(self.bought() or "")


class Order(Deed, kw_only=True):
    """An order."""

    order_id: str
    ticker: str
    status: str | None = None
    yes_price_dollars: Number = None
    fill_count_fp: Number = None
    remaining_count_fp: Number = None
    initial_count_fp: Number = None
    taker_fill_cost_dollars: Number = None
    maker_fill_cost_dollars: Number = None
    taker_fees_dollars: Number = None
    maker_fees_dollars: Number = None
    client_order_id: str | None = None
    order_group_id: str | None = None
    self_trade_prevention_type: str | None = None
    created_time: str | None = None
    last_update_time: str | None = None
    expiration_time: str | None = None
    exchange_index: Integer | None = None
    subaccount_number: Integer | None = None
    user_id: str | None = None


class Fill(Deed, kw_only=True):
    """A fill; prices of YES, by their name of now and the one before it."""

    trade_id: str | None = None
    fill_id: str | None = None
    order_id: str
    ticker: str | None = None
    market_ticker: str | None = None
    yes_price_dollars: Number = None
    yes_price_fixed: Number = None
    count_fp: Number = None
    fee_cost: Number = None
    is_taker: bool | None = None
    client_order_id: str | None = None
    created_time: str | None = None
    ts: Integer | None = None
    exchange_index: Integer | None = None
    subaccount_number: Integer | None = None


class Position(msgspec.Struct, kw_only=True):
    """What is held in one market."""

    ticker: str
    position_fp: Number = None
    market_exposure_dollars: Number = None
    realized_pnl_dollars: Number = None
    fees_paid_dollars: Number = None
    last_updated_ts: str | None = None


class OrdersBody(msgspec.Struct):
    """A page of orders."""

    orders: list[Order] | None
    cursor: str | None = None


class OrderBody(msgspec.Struct):
    """One order."""

    order: Order


class FillsBody(msgspec.Struct):
    """A page of fills."""

    fills: list[Fill] | None
    cursor: str | None = None


class PositionsBody(msgspec.Struct):
    """A page of positions."""

    market_positions: list[Position] | None
    cursor: str | None = None


class FetchedRows(NamedTuple):
    """Some rows of a channel, and when that was so by the exchange's clock, in microseconds since 1970."""

    rows: list[Row]
    at: int


class Portfolio:
    """Asks for one's own account, page by page.

    Every method may raise what :meth:`RestClient.get` raises, and PagingError where pages lead in a circle; the pages
    before that have been given by then. RestBodyError of rows that mean nothing comes when all others were given.

    Parameters
    ----------
    client : RestClient
        Asks, with a key.
    now_us : callable
        The time where an answer does not say its own.
    """

    def __init__(self, client: RestClient, now_us: Callable[[], int]) -> None:
        self._client = client
        self._now_us = now_us

    def orders(self, ticker: str | None, status: str, since_us: int | None = None) -> Iterator[FetchedRows]:
        """Yield the orders of a status, in all markets or in one: all of them, or those made since a moment.

        Those that ended long ago are not among them; `moved_orders` has these.
        """
        params: Params = {"ticker": ticker, "status": status, "min_ts": _seconds(since_us), "limit": _MOST}
        return self._walk("/portfolio/orders", params, _ORDER_LIST)

    def moved_orders(self, ticker: str | None, since_us: int | None = None) -> Iterator[FetchedRows]:
        """Yield the orders that have moved to the historical tier, which is of such as ended some weeks ago."""
        return self._moved("/historical/orders", ticker, since_us, _ORDER_LIST)

    def order(self, order_id: str) -> FetchedRows:
        """Return one order; no row where the exchange does not know it any more."""
        try:
            answer = self._client.get(f"/portfolio/orders/{segment(order_id)}", OrderBody)
        except RestNotFoundError:
            return FetchedRows([], self._now_us())
        at = self._at(answer.at)
        return FetchedRows([_order_row(answer.body.order, at)], at)

    def fills(self, ticker: str | None, since_us: int | None = None) -> Iterator[FetchedRows]:
        """Yield the fills, in all markets or in one, since a moment or all, the newest first, from both tiers.

        For a while a fill stands in both, and is yielded twice.
        """
        params: Params = {"ticker": ticker, "min_ts": _seconds(since_us), "limit": _MOST}
        yield from self._walk("/portfolio/fills", params, _FILL_LIST)
        yield from self._moved("/historical/fills", ticker, since_us, _FILL_LIST)

    def positions(self, ticker: str | None) -> Iterator[FetchedRows]:
        """Yield the positions of the primary account, in all markets or in one."""
        return self._walk("/portfolio/positions", {"ticker": ticker, "limit": _MOST_POSITIONS}, _POSITION_LIST)

    def _moved(self, path: str, ticker: str | None, since_us: int | None, kind: _List) -> Iterator[FetchedRows]:
        """Walk over a list of the historical tier, where anything that is asked for may have moved there."""
        if since_us is not None and self._now_us() - since_us < _STAYS:
            return
        try:
            # That tier takes no beginning: what is older than was asked for is news to nobody, and does no harm.
            yield from self._walk(path, {"ticker": ticker, "limit": _MOST}, kind)
        except RestNotFoundError:
            return  # an exchange without such a tier has moved nothing

    def _walk(self, path: str, params: Params, kind: _List) -> Iterator[FetchedRows]:
        at = 0

        def fetch(cursor: str) -> Page[Any]:
            nonlocal at
            answer = self._client.get(path, kind.body, {**params, "cursor": cursor or None})
            at = self._at(answer.at)
            return Page(kind.rows_of(answer.body), answer.body.cursor)

        odd, first = 0, ""  # of pages without end no more is kept than is said
        for page in Walk(fetch, name=kind.name):
            rows: list[Row] = []
            for each in page:
                try:
                    rows.append(kind.row_of(each, at))
                except RestBodyError as problem:
                    odd, first = odd + 1, first or str(problem)
            yield FetchedRows(rows, at)
        if odd:
            raise RestBodyError(f"GET {path}: rows are left out that mean nothing, {odd:,} in all. {first}")

    def _at(self, said: int | None) -> int:
        return self._now_us() if said is None else said


def flat(ticker: str, at: int) -> Row:
    """Return the row of a position that the exchange does not list any more: nothing is held there."""
    return _row(POSITIONS, {"ts": at, "market_ticker": ticker, "position": 0, "position_cost": 0, "subaccount": 0})


def of(row: Row, channel: str, column: str) -> Any:
    """Return one value of a row."""
    return row[position(channel, column)]


def _seconds(moment_us: int | None) -> int | None:
    return None if moment_us is None else max(0, moment_us // _SECOND)


def _row(channel: str, found: dict[str, Any]) -> Row:
    return tuple([found.get(each.name) for each in LAYOUTS[channel]])


def _when(said: int | None, at: int) -> int:
    """Return when something happened: when it is said to have, unless that cannot be; then, when it was answered."""
    return said if said is not None and FIRST <= said < at + AHEAD else at


def _market(ticker: str | None) -> str:
    if not ticker:
        raise RestBodyError("One does not say of which market it is.")
    return ticker


def _order_row(order: Order, at: int) -> Row:
    created, updated = time_us(order.created_time), time_us(order.last_update_time)
    return _row(
        ORDERS,
        {
            "ts": _when(updated or created, at),
            "market_ticker": _market(order.ticker),
            "order_id": order.order_id,
            "status": order.status,
            "outcome_side": order.bought(),
            "yes_price": contract_price(order.yes_price_dollars),
            "remaining_count": quoted(order.remaining_count_fp),
            "fill_count": quoted(order.fill_count_fp),
            "initial_count": quoted(order.initial_count_fp),
            "book_side": order.book(),
            "client_order_id": order.client_order_id,
            "taker_fill_cost": micro_dollars(order.taker_fill_cost_dollars),
            "maker_fill_cost": micro_dollars(order.maker_fill_cost_dollars),
            "taker_fees": micro_dollars(order.taker_fees_dollars),
            "maker_fees": micro_dollars(order.maker_fees_dollars),
            "order_group_id": order.order_group_id,
            "self_trade_prevention_type": order.self_trade_prevention_type,
            "created_ts": created,
            "last_updated_ts": updated,
            "expiration_ts": time_us(order.expiration_time),
            "exchange_index": order.exchange_index,
            "subaccount_number": order.subaccount_number,
            "user_id": order.user_id,
        },
    )


def _fill_row(fill: Fill, at: int) -> Row:
    price = fill.yes_price_fixed if fill.yes_price_dollars is None else fill.yes_price_dollars
    return _row(
        FILLS,
        {
            "ts": _when(time_us(fill.created_time) or (fill.ts or 0) * _SECOND, at),
            "market_ticker": _market(fill.ticker or fill.market_ticker),
            "outcome_side": fill.bought(),
            "yes_price": contract_price(price),
            "count": matched(fill.count_fp),
            "fee_cost": micro_dollars(fill.fee_cost),
            "is_taker": fill.is_taker,
            "book_side": fill.book(),
            "order_id": fill.order_id,
            "client_order_id": fill.client_order_id,
            "trade_id": fill.trade_id or fill.fill_id,
            "exchange_index": fill.exchange_index,
            "subaccount": fill.subaccount_number,
        },
    )


def _position_row(held: Position, at: int) -> Row:
    return _row(
        POSITIONS,
        {
            "ts": _when(time_us(held.last_updated_ts), at),
            "market_ticker": _market(held.ticker),
            "position": counts(held.position_fp),
            "position_cost": micro_dollars(held.market_exposure_dollars),
            "realized_pnl": micro_dollars(held.realized_pnl_dollars),
            "fees_paid": micro_dollars(held.fees_paid_dollars),
            "subaccount": 0,
        },
    )


class _List(NamedTuple):
    """One of the lists, whichever tier it is in: how a page is read, what names a row, and what becomes of it."""

    body: type[OrdersBody | FillsBody | PositionsBody]
    rows_of: Callable[[Any], list[Any] | None]
    name: Callable[[Any], str]
    row_of: Callable[[Any, int], Row]


_ORDER_LIST: Final = _List(OrdersBody, lambda body: body.orders, lambda row: row.order_id, _order_row)
_FILL_LIST: Final = _List(
    FillsBody, lambda body: body.fills, lambda row: f"{row.trade_id or row.fill_id}:{row.order_id}", _fill_row
)
_POSITION_LIST: Final = _List(PositionsBody, lambda body: body.market_positions, lambda row: row.ticker, _position_row)
