"""Whole books over REST, and whether a kept book ever was one of them.

The exchange's answer has neither a number nor a time, and may have lain in a cache for 15 seconds. So it is compared
with every state that a kept book has had since some moment before: with one of them it agrees, or it does not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from kalshi_nb._rest.bodies import counts, prices
from kalshi_nb._rows.channels import BOOKS, position
from kalshi_nb._rows.gaps import GapRow
from kalshi_nb._rows.rows import SnapshotRow
from kalshi_nb._rows.steering import BookRow

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kalshi_nb._rest.client import RestClient
    from kalshi_nb._rows.rows import Row

__all__ = ["MOST_BOOKS", "Course", "Levels", "orderbooks"]

MOST_BOOKS: Final = 100
"""Books of one question, as many as the exchange takes."""

Levels = dict[tuple[str, int], int]
"""The levels of both sides: by side and price, in 1/10000 dollar of its leg, the size in 1/100 contract."""

_SIDE, _PRICE, _DELTA = (position(BOOKS, name) for name in ("side", "price", "delta"))


class Sides(msgspec.Struct):
    """Both sides of a book, NO in NO prices; pairs of price and size."""

    yes_dollars: list[tuple[str, str]] | None = None
    no_dollars: list[tuple[str, str]] | None = None


class Book(msgspec.Struct):
    """One book."""

    ticker: str
    orderbook_fp: Sides


class BooksBody(msgspec.Struct):
    """Several books."""

    orderbooks: list[Book] | None


def orderbooks(client: RestClient, market_tickers: Sequence[str], *, besides: int | None = None) -> dict[str, Levels]:
    """Ask for up to 100 books; those that the exchange does not know are not there.

    Errors are those of :meth:`RestClient.get`.

    Parameters
    ----------
    client : RestClient
        Asks.
    market_tickers : sequence of str
        The markets.
    besides : int, optional
        A number that means nothing, by which this is another question to a cache.
    """
    params = {"tickers": list(market_tickers), "at": None if besides is None else str(besides)}
    body = client.get("/markets/orderbooks", BooksBody, params).body
    return {each.ticker: _levels(each.orderbook_fp) for each in body.orderbooks or ()}


def _levels(sides: Sides) -> Levels:
    return {
        (side, prices(price) or 0): counts(size) or 0
        for side, pairs in (("yes", sides.yes_dollars), ("no", sides.no_dollars))
        for price, size in pairs or ()
    }


class Course:
    """What a kept book has been, from the moment at which it was told whole."""

    def __init__(self) -> None:
        self._began: Levels | None = None
        self._changes: list[tuple[tuple[str, int], int] | Levels | None] = []

    @property
    def has_begun(self) -> bool:
        """Whether it is known how the book stood."""
        return self._began is not None

    def hear(self, row: Row) -> None:
        """Take up one row of the market, in their order; what is before the book was told is in it."""
        if isinstance(row, BookRow):
            if self._began is None:
                self._began = _whole(row)
        elif self._began is None:
            return
        elif isinstance(row, SnapshotRow):
            self._changes.append(_whole(row))
        elif isinstance(row, GapRow):
            self._changes.append(None)
        elif type(row) is tuple:
            self._changes.append(((row[_SIDE], row[_PRICE]), row[_DELTA]))

    def differing(self, other: Mapping[tuple[str, int], int]) -> int | None:
        """Return in how many levels the book differs from another now, 0 where it ever did in none.

        None where nobody can say: a gap was there, and it was not told whole since.
        """
        state: Levels | None = None if self._began is None else dict(self._began)
        wrong = None if state is None else _wrong(state, other)
        if wrong == 0:
            return 0
        for change in self._changes:
            if change is None:
                state = wrong = None
            elif isinstance(change, dict):
                state, wrong = dict(change), _wrong(change, other)
            elif state is not None and wrong is not None:
                level, delta = change
                wrong -= state.get(level, 0) != other.get(level, 0)
                state[level] = state.get(level, 0) + delta
                wrong += state[level] != other.get(level, 0)
            if wrong == 0:
                return 0
        return wrong


def _whole(row: BookRow | SnapshotRow) -> Levels:
    return {(side, price): size for side, pairs in (("yes", row.yes), ("no", row.no)) for price, size in pairs}


def _wrong(state: Mapping[tuple[str, int], int], other: Mapping[tuple[str, int], int]) -> int:
    return sum(state.get(level, 0) != other.get(level, 0) for level in state.keys() | other.keys())
