"""Several live order books at once: a mapping by ticker, a frame of their best prices, small ladders side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, NoReturn

from kalshi_nb._feed.book import Book, Top
from kalshi_nb._fixed_point import DOLLAR
from kalshi_nb._foreign_names import corrected_methods
from kalshi_nb._redaction import shown
from kalshi_nb._threads import refuse_on
from kalshi_nb._usage import Blocking, Closing, Made, not_copied, setter
from kalshi_nb._waiting import Deadline
from kalshi_nb._widgets.showing import Views, displayed
from kalshi_nb.errors import HandleClosedError, NoSuchBookError

if TYPE_CHECKING:
    import polars as pl

    from kalshi_nb._widgets.ladder.presenter import LadderPresenter
    from kalshi_nb._widgets.view import LiveView, ViewWidget

__all__ = ["Books"]

BOOKS_VIEWS: Final = ("books",)
"""The kinds of views that show several books."""


@displayed
@corrected_methods
class Books(Made, Closing, Blocking, Mapping[str, Book]):
    """Several live books by market ticker; made by :meth:`kalshi_nb.Feed.books`.

    As a cell's last expression they show small ladders side by side, in one view that moves. At the end of a ``with``
    each is closed that was not asked for elsewhere, too.
    """

    __setattr__ = setter(instead="ask for other books, such as feed.books(['KXHIGHNY-26NOV22-B52.5', …])")

    _asked_by = "feed.books(['KXHIGHNY-26NOV22-B52.5', …])"

    @classmethod
    def _can_be_made_of(cls, first: Any) -> bool:
        return isinstance(first, list) and bool(first) and all(isinstance(each, Book) for each in first)

    def __init__(self, books: list[Book]) -> None:
        self._books = {book.market_ticker: book for book in books}
        standing = [book._standing for book in self._books.values()]  # noqa: SLF001  # the books are one feed's
        errors = standing[0].view_errors if standing and standing[0] is not None else None
        self._views = Views(BOOKS_VIEWS, errors=errors)
        for book in self._books.values():
            book._held_by(self)  # noqa: SLF001  # its part of it

    def __getitem__(self, market_ticker: str) -> Book:
        try:
            return self._books[market_ticker]
        except (KeyError, TypeError):
            raise NoSuchBookError(
                f"There is no book of {shown(market_ticker)} among these {len(self._books)}: ask for it with "
                "feed.book(), or go through them with books.items()."
            ) from None

    def __reduce__(self) -> NoReturn:
        raise not_copied(self, "pass on .df, a polars DataFrame")

    def __iter__(self) -> Iterator[str]:
        return iter(self._books)

    def __len__(self) -> int:
        return len(self._books)

    def wait(self, timeout: float | None = 10.0) -> Books:
        """Wait until every book is live, `timeout` seconds for all of them together; return them.

        Parameters and errors as for :meth:`Book.wait`.
        """
        refuse_on("io", "pipeline", doing="books.wait()", instead="Call it in a cell")
        deadline = Deadline(timeout)
        for book in self._books.values():
            book._wait(deadline)  # noqa: SLF001  # they wait together
        return self

    def close(self) -> None:
        """Let all of them go."""
        for book in self._books.values():
            book.close()
        self._views.close()

    def __exit__(self, *_raised: object) -> None:
        for book in self._books.values():
            book.__exit__()  # some may be others', too
        self._views.close()

    def _one_closed(self) -> None:
        """End the views with the last of the books; what has one that moves goes on."""
        if self._is_still:
            self._views.close()

    @property
    def df(self) -> pl.DataFrame:
        """Best bid and ask of every book now, with spread and mid: one row a market, with its status."""
        import polars as pl  # noqa: PLC0415  # importing a feed does not need it yet

        tops = [(book.market_ticker, book.status, book.top) for book in self._books.values()]
        rows = [(ticker, status, *top, *_spread_and_mid(top)) for ticker, status, top in tops]
        schema = {
            "market_ticker": pl.String(),
            "status": pl.String(),
            "bid": pl.Float64(),
            "bid_size": pl.Float64(),
            "ask": pl.Float64(),
            "ask_size": pl.Float64(),
            "spread": pl.Float64(),
            "mid": pl.Float64(),
        }
        return pl.DataFrame(rows, schema=schema, orient="row")

    def __repr__(self) -> str:
        return "\n".join(repr(book) for book in self._books.values()) or "Books()"

    def widget(self, **options: Any) -> ViewWidget:
        """Return the ladders as one widget, to be put together with others.

        Parameters
        ----------
        **options
            ``levels``, rows a side, 1 to 20, 5 unless told; ``side``, ``unit`` and all else that
            :func:`kalshi_nb.show` takes. Twelve books at most are shown, and the others named.

        Returns
        -------
        anywidget.AnyWidget
            The same one for the same options, until it is closed; it moves until all the books are closed.

        Raises
        ------
        HandleClosedError
            When all of the books are closed: what they had is shown by ``books`` itself.
        UsageError
            When there is no such option; the nearest is named.
        ConfigurationError
            When a value will not do.
        """
        if all(book.status == "closed" for book in self._books.values()):
            raise HandleClosedError(
                "These books are closed, and nothing moves a widget of them; show them as they are."
            )
        return self._live_view(**options).widget

    def _live_view(self, **options: Any) -> LiveView:
        """Return the view with these options, a still one where nothing moves any of the books any more."""
        presenters = tuple(_presenter(book) for book in self._books.values())
        if self._is_still:
            return Views(BOOKS_VIEWS).get(presenters, options | {"renderer": "html"})
        return self._views.get(presenters, options)

    @property
    def _is_still(self) -> bool:
        return all(book._is_still for book in self._books.values())  # noqa: SLF001  # as for their own views


def _presenter(book: Book) -> LadderPresenter:
    """Return what makes pictures of a book, as its own view has it."""
    return book._shown_by()  # noqa: SLF001  # as for its own view


def _spread_and_mid(top: Top) -> tuple[float | None, float | None]:
    if top.bid is None or top.ask is None:
        return None, None
    # Of integers: of two floats, 0.48 less 0.46 is not 0.02.
    bid, ask = round(top.bid * DOLLAR), round(top.ask * DOLLAR)
    return (ask - bid) / DOLLAR, (ask + bid) / (2 * DOLLAR)
