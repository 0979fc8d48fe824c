"""Live order books: the kept ladder of a market, in dollars and contracts."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from kalshi_nb._clock import Clock
from kalshi_nb._engine.port import LadderReading
from kalshi_nb._fixed_point import CONTRACT, DOLLAR
from kalshi_nb._rows.ladders import Levels as IntegerLevels
from kalshi_nb._rows.tickers import hint
from kalshi_nb._threads import refuse_on
from kalshi_nb._widgets.ladder.presenter import LadderPresenter
from kalshi_nb.errors import ConfigurationError, SubscriptionError, WaitTimeoutError

if TYPE_CHECKING:
    import polars as pl

    from kalshi_nb._widgets.ladder.view import LadderView

__all__ = ["Book", "Books", "Top"]

_POLL: Final = 0.005
_SHOWN: Final = 10  # levels a side in a cell

_BIDS: Final[tuple[float | None, ...]] = (None, *(price / DOLLAR for price in range(1, DOLLAR + 1)))
"""Dollars by the best YES bid as a ladder has it; there, 0 is none."""
_ASKS: Final[tuple[float | None, ...]] = (None, *((DOLLAR - price) / DOLLAR for price in range(1, DOLLAR + 1)))
"""YES dollars by the best NO bid."""


class Top(NamedTuple):
    """Best prices of one moment: YES dollars and contracts; None where a side is empty."""

    bid: float | None
    bid_size: float | None
    ask: float | None
    ask_size: float | None


class Book:
    """One market's live order book.

    Kalshi keeps two ladders of bids, YES and NO. A YES ask at 0.53 is a NO bid at 0.47, so ``ask`` here is one
    dollar less the best NO bid. Every reading is of one moment, from any thread. Made by
    :meth:`kalshi_nb.Feed.book`; as a cell's last expression it shows a ladder that moves.
    """

    def __init__(
        self,
        ladder: LadderReading,
        *,
        clock: Clock,
        on_read: Callable[[Callable[[], None]], None],
        link_down: Callable[[], str],
        release: Callable[[], None],
    ) -> None:
        self._ladder = ladder
        self._clock = clock
        self._on_read = on_read
        self._link_down = link_down
        self._release: Callable[[], None] | None = release
        self._view: LadderView | None = None

    @property
    def market_ticker(self) -> str:
        """The market."""
        return self._ladder.market_ticker

    @property
    def status(self) -> str:
        """What the book may be trusted for.

        ``"connecting"``: no snapshot yet. ``"live"``: right. ``"stale"``: as it was before a gap in the data;
        it is being repaired. ``"unknown"``: acknowledged, but there is no such market. ``"closed"``: nothing
        moves it any more.
        """
        return self._ladder.status

    @property
    def top(self) -> Top:
        """Best bid and ask with their sizes, all of one moment."""
        yes, yes_size, no, no_size = self._ladder.top()
        return Top(
            _BIDS[yes],
            yes_size / CONTRACT if yes else None,
            _ASKS[no],
            no_size / CONTRACT if no else None,
        )

    @property
    def best_bid(self) -> float | None:
        """The highest price somebody pays for YES, in dollars."""
        return _BIDS[self._ladder.best_yes]

    @property
    def best_ask(self) -> float | None:
        """The lowest price somebody takes for YES, in dollars."""
        return _ASKS[self._ladder.best_no]

    @property
    def mid(self) -> float | None:
        """Halfway between best bid and best ask, in dollars; None when a side is empty."""
        yes, _, no, _ = self._ladder.top()
        return _mid(yes, no)

    @property
    def spread(self) -> float | None:
        """Best ask less best bid, in dollars; None when a side is empty."""
        yes, _, no, _ = self._ladder.top()
        return _spread(yes, no)

    @property
    def crossed(self) -> bool:
        """Whether the best bid is at or above the best ask, and the exchange said so itself.

        A book that is crossed for a second is asked for anew, once. Where the exchange's own is like that, this one is
        right, and live; but no such spread is one to trade on.
        """
        yes, _, no, _ = self._ladder.top()
        return self._ladder.crossed and bool(yes and no) and yes + no >= DOLLAR

    @property
    def imbalance(self) -> float | None:
        """(bid size - ask size) / (bid size + ask size) at the best prices, -1 to 1; None when a side is empty."""
        yes, yes_size, no, no_size = self._ladder.top()
        return (yes_size - no_size) / (yes_size + no_size) if yes and no else None

    @property
    def as_of(self) -> datetime | None:
        """When the newest change was received, UTC; None before the first snapshot."""
        changed = self._ladder.changed_at
        return datetime.fromtimestamp(changed / 1e6, UTC) if changed else None

    def levels(self, side: str) -> list[tuple[float, float]]:
        """Return all bids of one side, best first.

        Parameters
        ----------
        side : str
            ``"yes"``: YES bids in YES dollars. ``"no"``: NO bids in NO dollars.

        Returns
        -------
        list of (float, float)
            Price in dollars and size in contracts.

        Raises
        ------
        ConfigurationError
            When `side` is neither.
        """
        if side not in ("yes", "no"):
            raise ConfigurationError(f"side is {side!r}; it is 'yes' or 'no'. Asks for YES are the bids for NO.")
        yes, no = self._ladder.levels()
        return [(price / DOLLAR, size / CONTRACT) for price, size in (yes if side == "yes" else no)]

    def depth(self, levels: int = 10) -> pl.DataFrame:
        """Return the best levels of both sides as a frame.

        Parameters
        ----------
        levels : int
            Rows, at most.

        Returns
        -------
        polars.DataFrame
            ``level`` (1 is best), ``bid_size``, ``bid``, ``ask``, ``ask_size``, ``spread``, ``mid``: YES dollars and
            contracts; null where one side has fewer levels than the other.
        """
        import polars as pl  # noqa: PLC0415  # importing a feed does not need it yet

        if isinstance(levels, bool) or not isinstance(levels, int) or levels < 1:
            raise ConfigurationError(f"levels is {levels!r}; pass how many rows you want, such as 10.")
        yes, no = self._ladder.levels()
        rows = min(levels, max(len(yes), len(no)))
        bids, asks = _padded(yes, rows), _padded(no, rows)
        return pl.DataFrame(
            {
                "level": range(1, rows + 1),
                "bid_size": [size / CONTRACT if size else None for _, size in bids],
                "bid": [price / DOLLAR if price else None for price, _ in bids],
                "ask": [(DOLLAR - price) / DOLLAR if price else None for price, _ in asks],
                "ask_size": [size / CONTRACT if size else None for _, size in asks],
                "spread": [_spread(yes, no) for (yes, _), (no, _) in zip(bids, asks, strict=True)],
                "mid": [_mid(yes, no) for (yes, _), (no, _) in zip(bids, asks, strict=True)],
            },
            schema={
                "level": pl.Int64,
                "bid_size": pl.Float64,
                "bid": pl.Float64,
                "ask": pl.Float64,
                "ask_size": pl.Float64,
                "spread": pl.Float64,
                "mid": pl.Float64,
            },
        )

    def wait(self, timeout: float = 10.0) -> Book:
        """Wait until the book is live, and return it.

        Parameters
        ----------
        timeout : float
            Seconds.

        Raises
        ------
        WaitTimeoutError
            When it is not live by then.
        SubscriptionError
            When the exchange knows no such market.
        """
        refuse_on("io", "pipeline", doing="book.wait()", instead="Call it in a cell")
        until = time.monotonic() + timeout
        while True:
            status = self._ladder.status
            if status == "live":
                return self
            if status == "unknown":
                raise SubscriptionError(
                    f"The exchange knows no market {self.market_ticker!r}. "
                    + (hint(self.market_ticker) or "Check the ticker; a settled market is gone from the feed."),
                    channel="orderbook_delta",
                    code=0,
                    market_tickers=(self.market_ticker,),
                )
            if status == "closed" or time.monotonic() >= until:
                raise WaitTimeoutError(self._still(timeout))
            time.sleep(_POLL)

    def close(self) -> None:
        """Let the book go: the exchange stops sending it, unless another handle wants it; idempotent."""
        if self._release is not None:
            self._release()  # broken off by Ctrl-C, it is called again by the next close
            self._release = None
        if self._view is not None:
            self._view.close()
            self._view = None

    def _still(self, timeout: float) -> str:
        why = {
            "connecting": "no snapshot of it came",
            "stale": f"its data has a gap ({self._ladder.reason}) that is not repaired yet",
            "closed": "it was closed; ask the feed for it again",
        }.get(self._ladder.status, "it is not live")
        link = self._link_down()
        return f"{self.market_ticker} is not live after {timeout:g} s: {why}. {link or 'Look at feed.health().'}"

    @cached_property
    def _presenter(self) -> LadderPresenter:
        """What makes pictures of the ladder; one, since it remembers how many decimals there were."""
        return LadderPresenter(self.market_ticker, self._ladder, self._clock, self._on_read)

    def __repr__(self) -> str:
        from kalshi_nb._widgets.ladder.text import ladder_text  # noqa: PLC0415  # only when it is looked at

        line = ladder_text(self.market_ticker, self._presenter.picture(1)).splitlines()[0]
        return f"{line}  (crossed: so the exchange says itself)" if self.crossed else line

    def _repr_mimebundle_(self, **_kinds: Any) -> dict[str, Any]:
        """Show a ladder that moves, where the front end can; else a table, else text."""
        from kalshi_nb._widgets.ladder.view import LadderView  # noqa: PLC0415  # widgets load when one is shown

        if self._view is None:
            self._view = LadderView(self._presenter, levels=_SHOWN)
        return self._view.mimebundle()


def _mid(yes: int, no: int) -> float | None:
    return (yes + DOLLAR - no) / (2 * DOLLAR) if yes and no else None


def _spread(yes: int, no: int) -> float | None:
    # Of integers: of two floats, 0.48 less 0.46 is not 0.02.
    return (DOLLAR - no - yes) / DOLLAR if yes and no else None


def _spread_and_mid(top: Top) -> tuple[float | None, float | None]:
    if top.bid is None or top.ask is None:
        return None, None
    yes, no = round(top.bid * DOLLAR), DOLLAR - round(top.ask * DOLLAR)
    return _spread(yes, no), _mid(yes, no)


def _padded(levels: IntegerLevels, rows: int) -> IntegerLevels:
    return levels[:rows] + [(0, 0)] * (rows - len(levels))


class Books(Mapping[str, Book]):
    """Several live books by market ticker; made by :meth:`kalshi_nb.Feed.books`."""

    def __init__(self, books: Iterable[Book]) -> None:
        self._books = {book.market_ticker: book for book in books}

    def __getitem__(self, market_ticker: str) -> Book:
        return self._books[market_ticker]

    def __iter__(self) -> Iterator[str]:
        return iter(self._books)

    def __len__(self) -> int:
        return len(self._books)

    def wait(self, timeout: float = 10.0) -> Books:
        """Wait until every book is live, `timeout` seconds for all of them together; return them."""
        until = time.monotonic() + timeout
        for book in self._books.values():
            book.wait(max(0.0, until - time.monotonic()))
        return self

    def close(self) -> None:
        """Let all of them go."""
        for book in self._books.values():
            book.close()

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

    def _repr_html_(self) -> str:
        return self.df._repr_html_()
