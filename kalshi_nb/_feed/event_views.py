"""Views of events: which markets one has, whose books they keep, and the view that there is of them already."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakValueDictionary

from kalshi_nb._feed.demand import check_tickers
from kalshi_nb._feed.handles import Ending
from kalshi_nb._redaction import shown
from kalshi_nb._rows.tickers import no_ticker
from kalshi_nb._widgets.event.presenter import EventPresenter
from kalshi_nb._widgets.showing import Views
from kalshi_nb.errors import MarketTickerError

if TYPE_CHECKING:
    from kalshi_nb._feed.demand import Demand, MarketTickers
    from kalshi_nb._widgets.event.presenter import Hold
    from kalshi_nb._widgets.sources import FeedSource
    from kalshi_nb._widgets.view import LiveView

__all__ = ["EventViews"]

_EXAMPLE: Final = "'KXHIGHNY-26NOV22'"


class EventViews:
    """The views of a feed's events: the same question gives the same view, until that is closed.

    Each keeps the books of its markets by itself, whoever else has them or lets go of them.

    Parameters
    ----------
    demand : Demand
        Asks the exchange for books.
    source : FeedSource
        What views are made of.
    """

    def __init__(self, demand: Demand, source: FeedSource) -> None:
        self._demand = demand
        self._source = source
        self._views = Views(("event",), errors=source.errors)
        # Views of one event share its presenter, and with it the books; nobody but they hold it.
        self._presenters: WeakValueDictionary[tuple[str, frozenset[str]], EventPresenter] = WeakValueDictionary()

    def get(self, event_ticker: object, market_tickers: MarketTickers, options: dict[str, Any]) -> LiveView:
        """Return the view of an event's markets; see :meth:`kalshi_nb.Feed.event`, which this is."""
        return self._views.get(self.presenter(event_ticker, market_tickers), options)

    def presenter(self, event_ticker: object, market_tickers: MarketTickers = None) -> EventPresenter:
        """Return what views of an event's markets are made of; no book is asked for until it is held.

        Raises
        ------
        MarketTickerError
            When no market of the event is known and none is named, or a ticker is none.
        """
        event = self._checked(event_ticker)
        named = check_tickers(market_tickers)
        tickers = self._known(event) if named is None else self._of_event(event, named)
        found = self._presenters.get((event, tickers))
        if found is None or found.is_over:
            opened = partial(_open_books, self._demand)
            found = EventPresenter(event, sorted(tickers), self._source, opened, are_all=named is None)
            self._presenters[event, tickers] = found
        return found

    def _checked(self, event_ticker: object) -> str:
        """Return an event's ticker, or raise with what to write in place of what was given."""
        event = event_ticker.strip() if isinstance(event_ticker, str) else ""
        if not event or no_ticker(event):
            raise MarketTickerError(
                f"event() takes one event's ticker as text, such as {_EXAMPLE}, not {shown(event_ticker)}."
            )
        return event

    def _known(self, event: str) -> frozenset[str]:
        """Return the markets of an event that the feed has heard of."""
        known = frozenset(each.market_ticker for each in self._source.markets_of(event))
        if known:
            return known
        owner = self._source.facts(event).event_ticker
        if owner is not None:
            raise MarketTickerError(
                f"{shown(event)} is a market of the event {shown(owner)}: write event({shown(owner)})."
            )
        upper = event.upper()
        if upper != event:
            raise MarketTickerError(f"No event {shown(event)} is known. Tickers are upper case: {shown(upper)}.")
        raise MarketTickerError(
            f"The feed has heard of no market of an event {shown(event)} yet. Name them: event({shown(event)}, "
            f"market_tickers=[{shown(event + '-…')}, …]). Of markets that are created or change from now on it hears "
            "while it has their lifecycle: feed.lifecycle()."
        )

    def _of_event(self, event: str, named: frozenset[str]) -> frozenset[str]:
        """Return markets that were named, unless one is known to belong to another event."""
        for ticker in sorted(named):
            owner = self._source.facts(ticker).event_ticker
            if owner not in (None, event):
                raise MarketTickerError(
                    f"{shown(ticker)} is no market of {shown(event)}: its event is {shown(owner)}."
                )
        return named


def _open_books(demand: Demand, market_tickers: list[str]) -> Hold:
    """Ask for books; a function, since what holds it must not hold the views."""
    found = demand.ladders(market_tickers, is_views=True)
    return {ladder.market_ticker: ladder for ladder, _ in found}, Ending([held.release for _, held in found])
