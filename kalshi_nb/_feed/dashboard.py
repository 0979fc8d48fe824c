"""What dashboards are made of: books and frames of their own, opened for the panels that show them.

A dashboard lets go of what it does not show any more, and a handle that somebody else asked for must not end with
that, nor take a panel along when it is closed. So dashboards share books and frames among themselves alone, and count
who needs each.
"""

from __future__ import annotations

import contextlib
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from kalshi_nb._feed.demand import check_ticker
from kalshi_nb._feed.frames import FrameRequest
from kalshi_nb._feed.handles import Ending, Handles
from kalshi_nb._widgets.scene import FIRST_SECONDS
from kalshi_nb._widgets.showing import Views
from kalshi_nb.errors import WaitTimeoutError

if TYPE_CHECKING:
    from kalshi_nb._feed.book import Book
    from kalshi_nb._feed.frame import Frame
    from kalshi_nb._feed.frames import Frames
    from kalshi_nb._feed.open_books import OpenBooks
    from kalshi_nb._widgets.dashboard.scene import Opened
    from kalshi_nb._widgets.dashboard.view import DashboardView
    from kalshi_nb._widgets.sources import FeedSource
    from kalshi_nb._widgets.status.source import HealthSource

__all__ = ["Dashboards"]

_MOST_MARKETS: Final = 2_000


class Dashboards:
    """The dashboards of one feed, and what they hold.

    Parameters
    ----------
    frames : Frames
        Opens frames.
    books : OpenBooks
        Opens books.
    source : FeedSource
        The feed, as far as views may know it.
    health : HealthSource
        What views of the feed itself are made of.
    """

    def __init__(self, frames: Frames, books: OpenBooks, source: FeedSource, health: HealthSource) -> None:
        self.feed = source
        self._health = health
        self._frames = frames
        self._books = books
        self._views = Views(("dashboard",), errors=source.errors)
        self._handles: Handles[tuple[str, str | None], Book | Frame] = Handles()
        self._users: Counter[tuple[str, str | None]] = Counter()
        self._lock = threading.RLock()

    def open(self, market_ticker: str | None, panels: object, options: dict[str, Any]) -> DashboardView:
        """Return the dashboard that was asked for; the same one while it is open."""
        ticker = None
        if market_ticker is not None:
            ticker = check_ticker(market_ticker, "dashboard()", "others are picked above it.")
        given = options | {"market_ticker": ticker, "panels": panels}
        view: DashboardView = self._views.get(self, given)  # type: ignore[assignment]  # of the kind that was asked for
        wanted = ticker or (self.first_market() if view.market_ticker is None else None)
        if wanted is not None and wanted != view.market_ticker:
            view.choose(wanted)
        return view

    def close(self) -> None:
        """Close all of them."""
        self._views.close()

    # What a dashboard asks for -------------------------------------------------------------------------

    def market_tickers(self) -> list[str]:
        """Return markets that can be chosen, as far as they are known."""
        return self.feed.market_tickers(_MOST_MARKETS)

    def first_market(self) -> str | None:
        """Return the market whose book was opened first: that one somebody looks at; any other would be arbitrary."""
        return self._books.first()

    def head(self, market_ticker: str) -> Opened:
        """Open what the head of a market is made of.

        Raises
        ------
        SubscriptionError
            When the exchange knows no such market, as far as it says so within half a second.
        """
        return self._opened(_head, ("book", market_ticker), ("trade", market_ticker))

    def open_panel(self, panel: str, market_ticker: str | None) -> Opened | None:
        """Open what a panel is made of."""
        if panel == "event":
            return self._event(market_ticker or "")
        make, handles = _MADE_OF.get(panel, (lambda: self._health, ()))
        ticker = None if panel in _OF_NO_MARKET else market_ticker
        return self._opened(make, *((each, ticker) for each in handles))

    def _event(self, market_ticker: str) -> Opened | None:
        """Hold the event of a market; None where nobody has said which one that is."""
        from kalshi_nb._widgets.dashboard.scene import Opened  # noqa: PLC0415  # only where there is one

        event_ticker = self.feed.facts(market_ticker).event_ticker
        if event_ticker is None:
            return None
        presenter = self._books.events.presenter(event_ticker)
        presenter.hold()
        return Opened(presenter, Ending([presenter.let_go]))

    def _opened(self, make: Callable[..., Any], *keys: tuple[str, str | None]) -> Opened:
        """Hold some books and frames, and return what is made of them."""
        from kalshi_nb._widgets.dashboard.scene import Opened  # noqa: PLC0415  # only where there is one

        ending = Ending()
        try:
            return Opened(make(*(self._held(key, ending) for key in keys)), ending)
        except BaseException:
            ending()
            raise

    def _held(self, key: tuple[str, str | None], ending: Ending) -> Book | Frame:
        with self._lock:
            self._users[key] += 1
        ending.add(lambda: self._let_go(key))
        (handle,) = self._handles.get([key], lambda _: {key: self._make(*key)})
        return handle

    def _let_go(self, key: tuple[str, str | None]) -> None:
        with self._lock:
            self._users[key] -= 1
            if self._users[key]:
                return
            del self._users[key]
            handle = dict(self._handles.items()).get(key)
            self._handles.discard(key)
        if handle is not None:
            handle.close()

    def _make(self, what: str, market_ticker: str | None) -> Book | Frame:
        if what == "book" and market_ticker is not None:
            return self._books.apart(market_ticker)
        tickers = None if market_ticker is None else frozenset({market_ticker})
        return self._frames.open(FrameRequest(what, tickers, None, None, holder="dashboard"))


def _head(book: Any, trades: Any) -> Any:
    """Return what makes the head of a market that there is; one that does not exist is acknowledged, too."""
    from kalshi_nb._widgets.dashboard.heads import MarketHead  # noqa: PLC0415  # only where there is one

    with contextlib.suppress(WaitTimeoutError):  # it may come later; a market that there is not is raised at once
        book.wait(FIRST_SECONDS)
    return MarketHead(_presenter(book), _source(trades))


def _presenter(book: Any) -> Any:
    return book._presenter  # noqa: SLF001  # what views of a book are made of


def _source(frame: Any, *_others: Any) -> Any:
    return frame._source  # noqa: SLF001  # what views of a frame are made of


_OF_NO_MARKET: Final = ("board", "account")
_MADE_OF: Final[Mapping[str, tuple[Callable[..., Any], tuple[str, ...]]]] = {
    "ladder": (_presenter, ("book",)),
    "depth": (_presenter, ("book",)),
    "chart": (_source, ("trade", "quotes")),
    "tape": (_source, ("trade",)),
    "board": (_source, ("ticker",)),
    "account": (_source, ("market_positions", "user_orders", "fill")),
}
"""What a panel's views are made of, and the handles that are held for it; of those after the first, views learn from
the feed. All other panels are of the feed itself."""
