"""The books of a feed that somebody has: one a market, however often it is asked for."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING

from kalshi_nb._feed.book import Book
from kalshi_nb._feed.handles import Ending, Handles
from kalshi_nb._fixed_point import CONTRACT, DOLLAR
from kalshi_nb._widgets.ladder.picture import Last

if TYPE_CHECKING:
    from kalshi_nb._engine.port import Engine, LadderReading
    from kalshi_nb._feed.demand import Demand, Held
    from kalshi_nb._feed.standing import FeedStanding
    from kalshi_nb._markets.last_trades import LastTrades
    from kalshi_nb._markets.registry import MarketRegistry

__all__ = ["OpenBooks"]


class OpenBooks:
    """Opens books, and keeps those that are open.

    Parameters
    ----------
    engine : Engine
        Brings the data.
    demand : Demand
        Asks the exchange for what they need.
    standing : FeedStanding
        Tells how the feed stands.
    markets : MarketRegistry
        Knows what markets are, for those who show them.
    """

    def __init__(self, engine: Engine, demand: Demand, standing: FeedStanding, markets: MarketRegistry) -> None:
        self._markets = markets
        self._engine = engine
        self._demand = demand
        self._standing = standing
        self._handles: Handles[str, Book] = Handles()

    def __len__(self) -> int:
        return len(self._handles)

    def get(self, market_tickers: Iterable[str]) -> list[Book]:
        """Return the books of some markets, those that are not open yet asked for together."""
        return self._handles.get(sorted(market_tickers), self._open)

    def nbytes(self) -> dict[str, int]:
        """Return about how many bytes each holds, by ticker."""
        return {ticker: book.nbytes for ticker, book in self._handles.items()}

    def shut(self) -> None:
        """Close all of them, and open no more."""
        self._handles.shut()

    def _open(self, market_tickers: list[str]) -> dict[str, Book]:
        return {
            ladder.market_ticker: self._book(ladder, held) for ladder, held in self._demand.ladders(market_tickers)
        }

    def _book(self, ladder: LadderReading, held: Held) -> Book:
        release = Ending([lambda: self._handles.discard(ladder.market_ticker), held.release])
        return Book(
            ladder,
            clock=self._engine.clock,
            release=release,
            on_read=self._engine.on_read,
            standing=self._standing,
            facts=partial(self._markets.get, ladder.market_ticker),
            last=partial(_last, self._markets.last_trades, ladder.market_ticker),
        )


def _last(trades: LastTrades, market_ticker: str) -> Last | None:
    """Return a market's newest trade as it is shown, in dollars, contracts and seconds."""
    trade = trades.get(market_ticker)
    if trade is None:
        return None
    return Last(trade.price / DOLLAR, trade.size / CONTRACT, trade.taker, trade.at / 1e6)
