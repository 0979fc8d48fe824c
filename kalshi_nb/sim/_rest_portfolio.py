"""What the account has, over REST: its orders, fills, positions and balance, as the socket told of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from kalshi_nb.sim._account_frames import costs
from kalshi_nb.sim._frames import contracts, dollars, rfc3339
from kalshi_nb.sim._market import WHOLE
from kalshi_nb.sim._rest_queries import FAR_US, not_found

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from kalshi_nb.sim._account_ledger import KeptFill, KeptOrder, KeptPosition
    from kalshi_nb.sim._events import Fill, PositionUpdate
    from kalshi_nb.sim._rest_history import History
    from kalshi_nb.sim._rest_queries import Query
    from kalshi_nb.sim._venue import Venue

    Page = Callable[..., tuple[list[Any], str]]

__all__ = ["Portfolio"]

_BEGINS_WITH: Final = 10_000 * 1_000_000
"""What the account has in the beginning, 1/1000000 dollar."""
_CENT: Final = 10_000
_MOST_EVENTS: Final = 10
_STATUS: Final = ("resting", "canceled", "executed")


class Portfolio:
    """Answers about the account; on the server's thread alone, and only to whoever signs.

    Parameters
    ----------
    venue : Venue
        The markets, and what was told of the account.
    history : History
        Knows what is in which tier.
    page : callable
        Cuts rows into pages.
    """

    def __init__(self, venue: Venue, history: History, page: Page) -> None:
        self._venue = venue
        self._history = history
        self._page = page

    def orders(self, query: Query) -> dict[str, Any]:
        """Answer ``/portfolio/orders``: the newest first, by when they were made."""
        least, most = query.times_us("") or (0, FAR_US)
        return self._orders(query, query.status(_STATUS), least, most, self._is_live)

    def moved_orders(self, query: Query) -> dict[str, Any]:
        """Answer ``/historical/orders``: those that ended before the cutoff, whatever beginning and status is sent."""
        _, most = query.times_us("") or (0, FAR_US)
        return self._orders(query, "", 0, most, self._has_moved)

    def _is_live(self, order: KeptOrder) -> bool:
        since = self._history.orders_cutoff_us - self._history.overlap_us
        return order.update.order.status == "resting" or order.updated_us >= since

    def _has_moved(self, order: KeptOrder) -> bool:
        return order.update.order.status != "resting" and order.updated_us < self._history.orders_cutoff_us

    def _orders(
        self, query: Query, status: str, least: int, most: int, is_there: Callable[[KeptOrder], bool]
    ) -> dict[str, Any]:
        keyed = sorted(
            (
                ((each.created_us, order_id), each)
                for order_id, each in self._venue.account.orders.items()
                if self._is_asked_for(query, each.update.market.ticker, each.update.market.event_ticker)
                and status in ("", each.update.order.status)
                and least <= each.created_us <= most
                and is_there(each)
            ),
            reverse=True,
        )
        page, cursor = self._page(query, keyed, 100, 200, least=1)
        return {"orders": [_order_object(each) for each in page], "cursor": cursor}

    def order(self, _: Query, order_id: str) -> dict[str, Any]:
        """Answer ``/portfolio/orders/{order_id}``."""
        found = self._venue.account.orders.get(order_id)
        if found is None or not self._is_live(found):
            raise not_found()
        return {"order": _order_object(found)}

    def fills(self, query: Query) -> dict[str, Any]:
        """Answer ``/portfolio/fills``: the newest first."""
        least, most = query.times_us("") or (0, FAR_US)
        return self._fills(query, max(least, self._history.cutoff_us - self._history.overlap_us), most)

    def moved_fills(self, query: Query) -> dict[str, Any]:
        """Answer ``/historical/fills``: those before the cutoff; it looks at no beginning."""
        _, most = query.times_us("") or (0, FAR_US)
        return self._fills(query, 0, min(most, self._history.cutoff_us - 1))

    def _fills(self, query: Query, least: int, most: int) -> dict[str, Any]:
        order_id = query.text("order_id")
        keyed = sorted(
            (
                ((each.time_us, each.fill.trade_id), each)
                for each in self._venue.account.fills
                if self._is_asked_for(query, each.fill.market.ticker, "")
                and order_id in ("", each.fill.order.order_id)
                and least <= each.time_us <= most
            ),
            key=lambda each: each[0],
            reverse=True,
        )
        page, cursor = self._page(query, keyed, 100, 200, least=1)
        return {"fills": [_fill_object(each) for each in page], "cursor": cursor}

    def positions(self, query: Query) -> dict[str, Any]:
        """Answer ``/portfolio/positions``: those of markets that are not paid out, and what they are by event."""
        counted = query.listed("count_filter") or set()
        if counted - {"position", "total_traded"}:
            raise query.refuse("count_filter takes position and total_traded")
        keyed = sorted(
            (
                ((0, ticker), each)
                for ticker, each in self._venue.account.positions.items()
                if self._is_asked_for(query, ticker, each.update.market.event_ticker)
                and self._venue.listings[ticker].status != "finalized"
                and ("position" not in counted or each.update.position)
            ),
            reverse=True,
        )
        page, cursor = self._page(query, keyed, 100, 1_000, least=1)
        return {
            "market_positions": [self._position_object(each) for each in page],
            "event_positions": [_event_object(event, held) for event, held in _by_event(page).items()],
            "cursor": cursor,
        }

    def balance(self, _: Query) -> dict[str, Any]:
        """Answer ``/portfolio/balance``: what can be spent, and what is held, in cents."""
        account = self._venue.account
        held = [each.update for each in account.positions.values()]
        resting = [each.update.order for each in account.orders.values() if each.update.order.status == "resting"]
        spent = sum(each.cost + each.fees - each.realized for each in held)
        reserved = sum(each.remaining * each.price for each in resting)
        return {
            "balance": (_BEGINS_WITH - spent - reserved) // _CENT,
            "portfolio_value": sum(map(self._worth, held)) // _CENT,
            "updated_ts": account.updated_us // 1_000_000,
        }

    def _worth(self, held: PositionUpdate) -> int:
        """Return what the best bid for it would bring."""
        quote = self._venue.quote(held.market.ticker)
        return held.position * quote.yes_bid if held.position > 0 else -held.position * (WHOLE - quote.yes_ask)

    @staticmethod
    def _is_asked_for(query: Query, ticker: str, event_ticker: str) -> bool:
        events = query.listed("event_ticker")
        if events is not None and len(events) > _MOST_EVENTS:
            raise query.refuse("event_ticker must name at most 10 events")
        return (
            query.text("ticker") in ("", ticker)
            and (events is None or not event_ticker or event_ticker in events)
            and query.text("subaccount") in ("", "0")
        )

    def _position_object(self, held: KeptPosition) -> dict[str, Any]:
        update = held.update
        orders = self._venue.account.orders.values()
        return {
            "ticker": update.market.ticker,
            "position_fp": _text(contracts(update.position)),
            "market_exposure_dollars": _text(costs(update.cost)),
            "realized_pnl_dollars": _text(costs(update.realized)),
            "fees_paid_dollars": _text(costs(update.fees)),
            "total_traded_dollars": _text(costs(self._traded(update.market.ticker))),
            "resting_orders_count": sum(
                each.update.market is update.market and each.update.order.status == "resting" for each in orders
            ),
            "last_updated_ts": _text(rfc3339(held.time_us)),
        }

    def _traded(self, ticker: str) -> int:
        return sum(_paid(each.fill) for each in self._venue.account.fills if each.fill.market.ticker == ticker)


def _paid(fill: Fill) -> int:
    return fill.quantity * (fill.yes_price if fill.order.side == "yes" else WHOLE - fill.yes_price)


def _text(written: str) -> str:
    return written.strip('"')


def _sides(side: str) -> dict[str, str]:
    """Return what is bought, by the old names and by the new."""
    return {"side": side, "action": "buy", "outcome_side": side, "book_side": "bid" if side == "yes" else "ask"}


def _prices(yes_price: int) -> dict[str, str]:
    return {"yes_price_dollars": _text(dollars(yes_price)), "no_price_dollars": _text(dollars(WHOLE - yes_price))}


def _order_object(found: KeptOrder) -> dict[str, Any]:
    update, order = found.update, found.update.order
    return {
        "order_id": order.order_id,
        "user_id": update.user_id,
        "client_order_id": order.client_order_id,
        "ticker": update.market.ticker,
        **_sides(order.side),
        **_prices(order.price if order.side == "yes" else WHOLE - order.price),
        "type": "limit",
        "status": order.status,
        "fill_count_fp": _text(contracts(order.filled)),
        "remaining_count_fp": _text(contracts(order.remaining)),
        "initial_count_fp": _text(contracts(order.initial)),
        "taker_fill_cost_dollars": _text(costs(order.taker_cost)),
        "maker_fill_cost_dollars": _text(costs(order.maker_cost)),
        "taker_fees_dollars": _text(costs(order.taker_fees)),
        "maker_fees_dollars": _text(costs(0)),
        "created_time": _text(rfc3339(found.created_us)),
        "last_update_time": _text(rfc3339(found.updated_us)),
        "expiration_time": None,
        "self_trade_prevention_type": None,
        "cancel_order_on_pause": False,
        "subaccount_number": 0,
        "exchange_index": 0,
    }


def _fill_object(found: KeptFill) -> dict[str, Any]:
    fill = found.fill
    return {
        "fill_id": fill.trade_id,
        "trade_id": fill.trade_id,
        "order_id": fill.order.order_id,
        "client_order_id": fill.order.client_order_id,
        "ticker": fill.market.ticker,
        "market_ticker": fill.market.ticker,
        **_sides(fill.order.side),
        **_prices(fill.yes_price),
        "count_fp": _text(contracts(fill.quantity)),
        "is_taker": fill.is_taker,
        "fee_cost": _text(costs(fill.fee)),
        "created_time": _text(rfc3339(found.time_us)),
        "ts": found.time_us // 1_000_000,
        "subaccount_number": 0,
        "exchange_index": 0,
    }


def _by_event(page: Iterable[KeptPosition]) -> dict[str, list[PositionUpdate]]:
    found: dict[str, list[PositionUpdate]] = {}
    for each in page:
        found.setdefault(each.update.market.event_ticker, []).append(each.update)
    return found


def _event_object(event_ticker: str, held: list[PositionUpdate]) -> dict[str, Any]:
    cost = _text(costs(sum(each.cost for each in held)))
    return {
        "event_ticker": event_ticker,
        "event_exposure_dollars": cost,
        "total_cost_dollars": cost,
        "total_cost_shares_fp": _text(contracts(sum(abs(each.position) for each in held))),
        "realized_pnl_dollars": _text(costs(sum(each.realized for each in held))),
        "fees_paid_dollars": _text(costs(sum(each.fees for each in held))),
    }
