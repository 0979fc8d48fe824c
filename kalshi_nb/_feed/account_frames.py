"""The part of a feed that gives rolling frames of one's own account."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kalshi_nb._feed.channel_frames import ChannelFrames
from kalshi_nb._feed.demand import MarketTickers

if TYPE_CHECKING:
    from kalshi_nb._feed.frame import Frame

__all__ = ["AccountFrames"]


class AccountFrames(ChannelFrames):
    """A running feed whose channels of one's own fills, orders and positions have methods, too."""

    def fills(
        self,
        market_tickers: MarketTickers = None,
        *,
        rows: int | None = None,
        seconds: float | None = None,
        exact: bool = False,
        gaps: bool = False,
    ) -> Frame:
        """Return a rolling frame of your fills: one row for each execution of an order of yours.

        Parameters, errors and units as for :meth:`trades`. However slow a pipeline of yours is, rows of fills
        are never dropped before it.

        Returns
        -------
        Frame
            Columns ``ts, market_ticker, outcome_side, yes_price, count, fee_cost, post_position, is_taker,
            book_side, order_id, client_order_id, trade_id, exchange_index, subaccount, received_at``.
            ``yes_price`` is a YES price also where ``outcome_side`` is "no"; ``fee_cost`` has six decimals;
            ``post_position`` is the net position, long YES above zero.

        Notes
        -----
        Source: Kalshi's channel ``fill``. It has no sequence numbers, so a lost row cannot be seen, and `gaps`
        marks what follows lost connections and ended subscriptions only. It begins when you subscribe: earlier
        fills are not sent.
        """
        return self._frame("fill", market_tickers, rows, seconds, exact=exact, gaps=gaps)

    def orders(
        self,
        market_tickers: MarketTickers = None,
        *,
        rows: int | None = None,
        seconds: float | None = None,
        exact: bool = False,
        gaps: bool = False,
    ) -> Frame:
        """Return a rolling frame of your orders: one row whenever one is made, filled, changed or ended.

        Parameters, errors and units as for :meth:`trades`; rows are never dropped, as for :meth:`fills`.

        Returns
        -------
        Frame
            Columns ``ts, market_ticker, order_id, status, outcome_side, yes_price, remaining_count,
            fill_count`` and more: counts, costs and fees (six decimals), times and ids.
            ``.latest()`` is the present state of each order.

        Notes
        -----
        Source: Kalshi's channel ``user_orders``. It has no sequence numbers (see :meth:`fills` for what that does
        to `gaps`), and orders that do not change are not sent.
        """
        return self._frame("user_orders", market_tickers, rows, seconds, exact=exact, gaps=gaps)

    def positions(
        self,
        market_tickers: MarketTickers = None,
        *,
        rows: int | None = None,
        seconds: float | None = None,
        exact: bool = False,
        gaps: bool = False,
    ) -> Frame:
        """Return a rolling frame of your positions: one row whenever one changes.

        Parameters, errors and units as for :meth:`trades`; rows are never dropped, as for :meth:`fills`.

        Returns
        -------
        Frame
            Columns ``ts, market_ticker, position, position_cost, realized_pnl, fees_paid,
            position_fee_cost, volume, subaccount, user_id, received_at``. ``position`` is net, in contracts;
            what is dollars has six decimals; ``ts`` is when the exchange sent it. ``.latest()`` is the
            present state of each market, and of each subaccount where there are several.

        Notes
        -----
        Source: Kalshi's channel ``market_positions``. It has no sequence numbers (see :meth:`fills` for what that
        does to `gaps`), and positions that do not change are not sent.
        """
        return self._frame("market_positions", market_tickers, rows, seconds, exact=exact, gaps=gaps)

    def order_groups(
        self, *, rows: int | None = None, seconds: float | None = None, exact: bool = False, gaps: bool = False
    ) -> Frame:
        """Return a rolling frame of what happens to your order groups.

        `rows`, `seconds`, `exact`, `gaps` and errors as for :meth:`trades`; ``gap`` is true on the first row
        after a hole.

        Returns
        -------
        Frame
            Columns ``ts, event_type, order_group_id, contracts_limit, received_at, seq``; ``event_type`` is
            "created", "triggered", "reset", "deleted" or "limit_updated". ``.latest()`` is the last row of
            each group.

        Notes
        -----
        Source: Kalshi's channel ``order_group_updates``.
        """
        return self._frame("order_group_updates", None, rows, seconds, exact=exact, gaps=gaps)
