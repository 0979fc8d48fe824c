"""Small ladders side by side: what they are asked for, and their widget in the browser."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from kalshi_nb._widgets.assets import bundle
from kalshi_nb._widgets.books.text import books_html, books_text
from kalshi_nb._widgets.kinds import KINDS
from kalshi_nb._widgets.options import Choice, Number, Option, resolved
from kalshi_nb._widgets.view import LiveView, ViewWidget

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from kalshi_nb._widgets.ladder.picture import LadderPicture
    from kalshi_nb._widgets.ladder.presenter import LadderPresenter

__all__ = ["MOST_BOOKS", "BooksPicture", "BooksScene", "BooksView", "BooksWidget"]

MOST_BOOKS: Final = 12
"""Ladders in one view: more of them nobody watches, and each costs its levels in every message."""

_NAMED: Final = 3
"""Books that are named where they are not shown."""

OPTIONS: Final[Mapping[str, Option]] = {
    "levels": Number(1, 20, 5, True, "small ladders have so many levels a side, from", 5),
    "side": Choice(("yes", "no"), "yes"),
}
"""What it takes beside the options of every view."""


class BooksPicture(NamedTuple):
    """All that is shown of several books at one moment.

    Attributes
    ----------
    books : tuple of LadderPicture
        Those that are shown.
    more : str
        Words for those that are not; may be empty.
    """

    books: tuple[LadderPicture, ...]
    more: str

    @property
    def version(self) -> Hashable:
        """Differs whenever anything that is shown does."""
        return tuple((each.version, each.status, each.note) for each in self.books)

    @property
    def status(self) -> str:
        """``live`` where any book is; else what the first is that is not over, else ``closed``."""
        words = [each.status for each in self.books]
        return "live" if "live" in words else next((word for word in words if word != "closed"), "closed")

    @property
    def changes(self) -> int:
        """Counts the changes of all."""
        return sum(each.changes for each in self.books)


class BooksScene:
    """Several books with the options that they are shown with.

    Parameters
    ----------
    presenters : tuple of LadderPresenter
        One a book, all of one feed.
    options : mapping
        Every option by name, checked.
    """

    kind = "books"

    def __init__(self, presenters: tuple[LadderPresenter, ...], options: Mapping[str, Any]) -> None:
        self._presenters = presenters
        self.options = options

    @property
    def title(self) -> str:
        """How many there are."""
        count = len(self._presenters)
        return f"{count} book" if count == 1 else f"{count} books"

    def watch(self, wake: Callable[[], None]) -> None:
        """Have `wake` called once when there may be news: what one feed brings, it brings for all of its books."""
        if self._presenters:
            self._presenters[0].watch(wake)

    def take(self) -> BooksPicture:
        """Return the best levels of each, as anybody may see them."""
        levels = self.options["levels"]
        shown = [each.picture(levels)._replace(orders=(), fills=()) for each in self._presenters[:MOST_BOOKS]]
        left = [each.market_ticker for each in self._presenters[MOST_BOOKS:]]
        words = ", ".join(left[:_NAMED]) + ("" if len(left) <= _NAMED else ", …")
        return BooksPicture(tuple(shown), f"{len(left)} more not shown: {words}" if left else "")

    def body(self, picture: BooksPicture) -> dict[str, Any]:
        """Return what the browser is sent of a picture."""
        clock = {"clock": picture.books[0].clock} if picture.books else {}
        books = [{"status": each.status, **each.body()} for each in picture.books]
        since = min((each.status_since for each in picture.books), default=time.time())
        age = max(0.0, time.time() - since)
        return {"title": self.title, "age": age, "note": "", "more": picture.more, "books": books, **clock}

    def delta(self, before: BooksPicture, picture: BooksPicture) -> None:
        """Return None: they always travel whole."""

    def heard(self, words: Mapping[str, Any]) -> None:
        """Take up nothing: all that can be done to them is done in the browser."""

    def text(self, picture: BooksPicture) -> str:
        """Return a line for each book."""
        return books_text(picture.books, picture.more, side=self.options["side"], unit=self.options["unit"])

    def html(self, picture: BooksPicture, note: str = "") -> str:
        """Return a table with a row for each book."""
        side, unit = self.options["side"], self.options["unit"]
        return books_html(picture.books, picture.more, side=side, unit=unit, note=note)


class BooksWidget(ViewWidget):
    """Several books in the browser. Made and fed by `BooksView`."""

    _esm = bundle("books").text


class BooksView(LiveView):
    """Live ladders of several books of one feed."""

    widget_class = BooksWidget

    @staticmethod
    def of(presenters: tuple[LadderPresenter, ...], given: Mapping[str, Any]) -> BooksScene:
        """Return the scene of some books with the options that it was given; the errors are those of `resolved`."""
        return BooksScene(presenters, resolved("A view of books", OPTIONS, given, KINDS[BooksScene.kind].hz))
