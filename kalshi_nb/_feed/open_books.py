"""The books of a feed that somebody has: one a market, however often it is asked for."""

from __future__ import annotations

import weakref
from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING

from kalshi_nb._feed.book import Book
from kalshi_nb._feed.event_views import EventViews
from kalshi_nb._feed.handles import Ending, Handles

if TYPE_CHECKING:
    from kalshi_nb._engine.port import Engine, LadderReading
    from kalshi_nb._feed.demand import Demand, Held
    from kalshi_nb._feed.standing import FeedStanding
    from kalshi_nb._widgets.sources import FeedSource

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
    source : FeedSource
        What their views are made of.

    Attributes
    ----------
    events : EventViews
        The books that views of events keep, for as long as they are open.
    """

    def __init__(self, engine: Engine, demand: Demand, standing: FeedStanding, source: FeedSource) -> None:
        self._source = source
        self._engine = engine
        self._demand = demand
        self._standing = standing
        self._handles: Handles[str, Book] = Handles()
        self._apart: weakref.WeakValueDictionary[int, Book] = weakref.WeakValueDictionary()
        self.events = EventViews(demand, source)

    def __len__(self) -> int:
        return len(self._handles)

    def get(self, market_tickers: Iterable[str]) -> list[Book]:
        """Return the books of some markets, those that are not open yet asked for together."""
        books = self._handles.get(sorted(market_tickers), self._open)
        for each in books:
            each.held()
        return books

    def first(self) -> str | None:
        """Return the market whose book was opened first, of those that are open."""
        return next((ticker for ticker, _ in self._handles.items()), None)

    def apart(self, market_ticker: str) -> Book:
        """Return a book of the caller's own, which nobody else's ``close()`` ends."""
        ((ladder, held),) = self._demand.ladders([market_ticker], is_views=True)
        book = self._book(ladder, Ending([held.release]))
        self._apart[id(book)] = book
        return book

    def nbytes(self) -> dict[str, int]:
        """Return about how many bytes each holds, by ticker."""
        return {ticker: book.nbytes for ticker, book in self._handles.items()}

    def statuses(self) -> list[str]:
        """Return what each may be trusted for."""
        shared = {ticker: book.status for ticker, book in self._handles.items()}
        others = [reference() for reference in self._apart.valuerefs()]  # copied at once: they come and go
        apart = {book.market_ticker: book.status for book in others if book is not None and book.status != "closed"}
        return list((apart | shared).values())

    def shut(self) -> None:
        """Close all of them, and open no more."""
        self._handles.shut()

    def loosen(self) -> None:
        """Leave them to those who hold them: the feed is gone, and nobody can ask for one again."""
        self._handles.loosen(lambda book: book._release)  # noqa: SLF001  # made here

    def _open(self, market_tickers: list[str]) -> dict[str, Book]:
        return {
            ladder.market_ticker: self._book(ladder, self._release(ladder.market_ticker, held))
            for ladder, held in self._demand.ladders(market_tickers)
        }

    def _release(self, market_ticker: str, held: Held) -> Ending:
        return Ending([lambda: self._handles.discard(market_ticker), held.release])

    def _book(self, ladder: LadderReading, release: Ending) -> Book:
        return Book(
            ladder,
            clock=self._engine.clock,
            release=release,
            on_read=self._source.watch,
            standing=self._standing,
            facts=partial(self._source.facts, ladder.market_ticker),
            last=partial(self._source.last, ladder.market_ticker),
            orders=partial(self._source.own_orders, ladder.market_ticker),
            fills=partial(self._source.own_fills, ladder.market_ticker),
        )
