"""Trades that were made before, over REST: newest first, page by page, from both tiers, each trade once.

What was traded some sixty days ago moves from one list to another, and for a while stands in both. A window that goes
across is asked of both; and what is empty in one is asked of the other, too, before anybody says that nothing was
traded.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from kalshi_nb._rest.bodies import CutoffBody, TradesBody, contract_price, matched
from kalshi_nb._rest.frames import time_us
from kalshi_nb._rest.pages import Page, Walk
from kalshi_nb._rows.channels import LAYOUTS
from kalshi_nb.errors import RestBodyError

if TYPE_CHECKING:
    from collections.abc import Callable

    from kalshi_nb._rest.bodies import Trade
    from kalshi_nb._rest.client import RestClient
    from kalshi_nb._rows.rows import Row

__all__ = ["MARKET", "MOST_TRADES", "TIME", "TRADE_ID", "TradeHistory"]

MOST_TRADES: Final = 1_000
"""Rows of a page, as many as the exchange takes."""

_NAMES: Final = [each.name for each in LAYOUTS["trade"]]
TIME: Final = _NAMES.index("ts")
MARKET: Final = _NAMES.index("market_ticker")
TRADE_ID: Final = _NAMES.index("trade_id")

_SECOND: Final = 1_000_000
_DAY: Final = 24 * 3_600 * _SECOND
_CUTOFF_LASTS: Final = 3_600 * _SECOND
"""The cutoff moves at midnight; who asks so long after has it asked for anew."""
_LONGEST_OVERLAP: Final = 31 * _DAY
"""So long after the cutoff a trade may stand in both lists; 18 days have been seen."""


class TradeHistory:
    """The trades of one exchange.

    Parameters
    ----------
    client : RestClient
        Asks.
    now_us : callable
        The time.

    Attributes
    ----------
    rejected : int
        Trades without a time, a price or a count that could be read, which are left out. Whoever hands on what was
        fetched says so, or does not call it all.
    """

    def __init__(self, client: RestClient, now_us: Callable[[], int]) -> None:
        self._client = client
        self._now_us = now_us
        self._cutoff: tuple[int, int] | None = None
        self.rejected = 0

    def told(self, before: int = 0) -> str:
        """Say how many trades could not be read beyond so many; nothing where all could."""
        count = self.rejected - before
        if not count:
            return ""
        trades, are = ("trade", "is") if count == 1 else ("trades", "are")
        return (
            f"{count:,} {trades} had no time, price or count that can be read and be right, or no market that was "
            f"asked for, and {are} left out. Where it stays so, "
            "the exchange has changed its answers, and a newer version of this package may know them."
        )

    def cutoff(self) -> int:
        """Return before which moment trades are in the historical tier, microseconds since 1970."""
        now = self._now_us()
        if self._cutoff is None or not 0 <= now - self._cutoff[0] < _CUTOFF_LASTS:
            told = time_us(self._client.get("/historical/cutoff", CutoffBody).body.trades_created_ts)
            self._cutoff = now, now if told is None else told  # unsaid, anything may be in either
        return self._cutoff[1]

    def pages(self, market_ticker: str | None, since: int, until: int) -> Iterator[list[Row]]:
        """Yield the trades of a window, newest first; a page may be empty.

        Parameters
        ----------
        market_ticker : str or None
            Of one market; of all when None.
        since, until : int
            From when to when, both with, microseconds since 1970.

        Raises
        ------
        RestError
            When the exchange does not answer.
        """
        # The exchange cuts windows at whole seconds, and nobody is sure on which side: asked for is a second more.
        window = {"ticker": market_ticker, "min_ts": max(0, since // _SECOND - 1), "max_ts": until // _SECOND + 1}
        cutoff = self.cutoff()
        twice: set[str] = set()
        found = False
        for rows in self._walk("/markets/trades", window, since, until):
            found = found or bool(rows)
            twice.update(row[TRADE_ID] for row in rows if row[TIME] < cutoff + _LONGEST_OVERLAP)
            yield rows
        if since < cutoff or not found:
            for rows in self._walk("/historical/trades", window, since, until):
                # One that is younger than those that stand in both belongs to the first list, and was there if it is.
                until_twice = cutoff + _LONGEST_OVERLAP
                yield [row for row in rows if row[TRADE_ID] not in twice and (not found or row[TIME] < until_twice)]

    def _walk(self, path: str, window: dict[str, str | int | None], since: int, until: int) -> Iterator[list[Row]]:
        def fetch(cursor: str) -> Page[Trade]:
            params = {**window, "limit": MOST_TRADES, "cursor": cursor or None}
            body = self._client.get(path, TradesBody, params).body
            return Page(body.trades, body.cursor)

        for trades in Walk(fetch, name=lambda each: each.trade_id, order=_order):
            rows = [row for each in trades if (row := self._row(each, window["ticker"])) is not None]
            yield [row for row in rows if since <= row[TIME] <= until]
            if rows and rows[-1][TIME] < since - _SECOND:
                return  # and so are all that come after it, of which there may be no end

    def _row(self, trade: Trade, market_ticker: str | int | None) -> Row | None:
        """Return a trade as a row of the socket, not received and without a number.

        None where it cannot be read, where what it says cannot be, as on the socket, or where it is of another market.
        """
        at = time_us(trade.created_time)
        try:
            price, no_price = contract_price(trade.yes_price_dollars), contract_price(trade.no_price_dollars)
            count = matched(trade.count_fp)
        except RestBodyError:
            price = count = no_price = None
        if (
            at is None
            or price is None
            or count is None
            or not (trade.ticker and trade.trade_id)
            or market_ticker not in (None, trade.ticker)
        ):
            self.rejected += 1
            return None
        outcome = trade.taker_outcome_side if trade.taker_outcome_side in _BOOK_SIDES else None
        side = trade.taker_book_side if trade.taker_book_side in _BOOK_SIDES.values() else _BOOK_SIDES.get(outcome)
        values = {
            "ts": at,
            "market_ticker": trade.ticker,
            "yes_price": price,
            "count": count,
            "taker_outcome_side": outcome,
            "taker_book_side": side,
            "no_price": no_price,
            "is_block_trade": trade.is_block_trade,
            "trade_id": trade.trade_id,
        }
        return tuple(values.get(name) for name in _NAMES)


_BOOK_SIDES: Final[dict[str | None, str]] = {"yes": "bid", "no": "ask"}
"""What a taker of each outcome is on the book."""


def _order(trade: Trade) -> int | None:
    return time_us(trade.created_time)
