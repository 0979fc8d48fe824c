"""Walks over lists that come in pages, which the exchange's cursors do not always lead to an end.

A cursor is the key of the last row that was read. So rows that are new at the head neither shift a walk nor double it,
and one can go on hours later. But a page can be empty and go on; a cursor was seen to come back for ever; and one that
is no cursor is taken, and leads to the beginning. Whoever trusts them may walk in a circle, and never know.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, Generic, TypeVar

from kalshi_nb.errors import PagingError

__all__ = ["InTurn", "Page", "Walk"]

Row = TypeVar("Row")

_MOST_EMPTY: Final = 100
"""Empty pages in a row; real ones are single."""

_LONGEST_CURSOR: Final = 4_000
"""Characters of the longest cursor that is asked with; real ones have about a hundred."""


class Page(Generic[Row]):
    """One page.

    Parameters
    ----------
    rows : list
        Its rows.
    cursor : str or None
        Where the next one is; nothing where this is the last.
    """

    __slots__ = ("cursor", "rows")

    def __init__(self, rows: list[Row] | None, cursor: str | None) -> None:
        self.rows = rows or []
        self.cursor = cursor or ""


class Walk(Generic[Row]):
    """All pages of one list, one after the other: iterate over it for the new rows of each.

    It can be left and gone on with, also by another walk that begins at its `cursor`.

    Parameters
    ----------
    fetch : callable
        Returns the page at a cursor; the first is at ``""``.
    name : callable
        Returns what names a row in the whole list.
    order : callable, optional
        Returns that of a row by which the list falls, where it is known to; None of a row that does not say.
    cursor : str
        Where to begin.

    Attributes
    ----------
    cursor : str
        Where it goes on.
    rows, pages : int
        How many it has had.
    is_over : bool
        Whether there is nothing more.
    """

    def __init__(
        self,
        fetch: Callable[[str], Page[Row]],
        *,
        name: Callable[[Row], str],
        order: Callable[[Row], Any] | None = None,
        cursor: str = "",
    ) -> None:
        self.cursor = cursor
        self.rows = self.pages = 0
        self.is_over = False
        self._fetch = fetch
        self._name = name
        self._order = order
        self._last: Any = None
        self._has_fallen = False
        self._seen: set[str] = set()
        self._cursors = {cursor} if cursor else set()
        self._empty = 0
        self._is_repeated = False

    def __iter__(self) -> Iterator[list[Row]]:
        while not self.is_over:
            # Only now, so that whoever needs no more has what came: a page is right, also where it names a wrong next.
            self._check()
            page = self._fetch(self.cursor)
            new = self._new(page.rows)
            self._go_on(page)
            yield new

    def _new(self, rows: list[Row]) -> list[Row]:
        """Return the rows that did not come before.

        Raises
        ------
        PagingError
            When the page begins anew.
        """
        named: dict[str, Row] = {}
        for row in rows:
            named.setdefault(self._name(row), row)  # it may stand twice on one page, too
        new = [row for name, row in named.items() if name not in self._seen]
        self.rows += len(new)
        if rows and not new:
            raise PagingError(f"Page {self.pages + 1} has only rows that came before: the cursor leads back. {_STEP}")
        if self._order is not None:
            before = self._last
            for row in rows:
                at = self._order(row)
                if at is None:  # it does not say
                    continue
                if self._last is not None and at > self._last:
                    raise PagingError(f"Page {self.pages + 1} is not older than the one before it. {_STEP}")
                self._last = at
            self._has_fallen = self._last != before
        return new

    def _go_on(self, page: Page[Row]) -> None:
        names = set(map(self._name, page.rows))
        if self._order is None or not self._has_fallen:
            self._seen |= names
        elif names:
            self._seen = names  # of a list that falls only what is as old can come again unseen; it may be endless
        self.pages += 1
        self._empty = 0 if page.rows else self._empty + 1
        self.is_over = not page.cursor
        self._is_repeated = page.cursor in self._cursors
        self._cursors.add(page.cursor)
        self.cursor = page.cursor

    def _check(self) -> None:
        if self._is_repeated:
            raise PagingError(f"Page {self.pages} names a page that came before as the next. {_STEP}")
        if len(self.cursor) > _LONGEST_CURSOR:
            raise PagingError(f"Page {self.pages} names no next page that could be asked for. {_STEP}")
        if self._empty > _MOST_EMPTY:
            raise PagingError(f"{self._empty} empty pages came one after the other, and no end. {_STEP}")


class InTurn(Generic[Row]):
    """Several walks, one after the other, as one: its cursor says in which of them it goes on, and where.

    Parameters
    ----------
    walks : sequence of callable
        Each returns a walk that begins at a cursor.
    cursor : str
        Where to begin, as this says it.
    """

    def __init__(self, walks: Sequence[Callable[[str], Walk[Row]]], cursor: str = "") -> None:
        self._walks = walks
        number, _, inner = cursor.partition(":")
        # One that does not say in which walk is of the first.
        self._number, self._inner = (int(number), inner) if number.isdecimal() else (0, cursor)

    @property
    def cursor(self) -> str:
        """Where it goes on; nothing where it is over."""
        return f"{self._number}:{self._inner}" if self._number < len(self._walks) else ""

    def __iter__(self) -> Iterator[list[Row]]:
        while self._number < len(self._walks):
            walk = self._walks[self._number](self._inner)
            for page in walk:
                self._inner = walk.cursor
                if walk.is_over:
                    self._number += 1
                yield page


_STEP: Final = "The exchange's pages lead in a circle. Try again, or ask for less, such as one series."
