"""The simulated exchange over REST: plain GETs on the port of its WebSocket, answered from the same markets."""

from __future__ import annotations

import re
from email.utils import formatdate
from http import HTTPStatus
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import unquote

from websockets.datastructures import Headers
from websockets.http11 import Response

from kalshi_nb.sim import _rest_bodies as bodies
from kalshi_nb.sim._authenticate import Verdict
from kalshi_nb.sim._catalogue import EVENTS
from kalshi_nb.sim._rest_catalogue import SERIES, combos
from kalshi_nb.sim._rest_faults import COST, RestTrouble
from kalshi_nb.sim._rest_history import History
from kalshi_nb.sim._rest_portfolio import Portfolio
from kalshi_nb.sim._rest_queries import NotAnswered, Query, cursor_of, key_of, not_found

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from kalshi_nb.sim._authenticate import Keyring
    from kalshi_nb.sim._calendar import Listing
    from kalshi_nb.sim._market import ListedEvent
    from kalshi_nb.sim._venue import Venue

__all__ = ["PREFIX", "Rest"]

PREFIX: Final = "/trade-api/v2"
"""What every path begins with, also in what a client signs."""

_MARKET_STATUS: Final = {
    "unopened": {"initialized"},
    "open": {"active"},
    "paused": {"inactive"},
    "closed": {"closed", "determined", "disputed", "amended"},
    "settled": {"finalized"},
}
_EVENT_STATUS: Final = ("unopened", "open", "closed", "settled")
_SIGNED: Final = ("KALSHI-ACCESS-KEY", "KALSHI-ACCESS-TIMESTAMP", "KALSHI-ACCESS-SIGNATURE")
_MOST_BOOKS: Final = 100
_LONGEST_TICKER: Final = 200

_GOES_WITH: Final[dict[str, tuple[str, ...]]] = {
    "created": ("", "unopened", "open"),
    "close": ("", "closed"),
    "settled": ("", "settled"),
    "updated": ("",),
}
"""With which status each window of times can be asked for."""


class _Route(NamedTuple):
    """One path and who answers it."""

    path: re.Pattern[str]
    operation: str
    answer: Callable[..., dict[str, Any]]
    is_signed: bool = False


class Rest:
    """Answers GETs; on the server's thread alone.

    Parameters
    ----------
    venue : Venue
        The markets.
    keyring : Keyring
        Whose signatures count.

    Attributes
    ----------
    trouble : RestTrouble
        What goes wrong.
    """

    def __init__(self, venue: Venue, keyring: Keyring) -> None:
        self.trouble = RestTrouble()
        self._venue = venue
        self._keyring = keyring
        self._history = History(venue, lambda: self.trouble)
        account = Portfolio(venue, self._history, self._page)
        self._routes = [
            _route("/exchange/status", "GetExchangeStatus", lambda _: bodies.OPEN),
            _route("/exchange/schedule", "GetExchangeSchedule", lambda _: {"schedule": bodies.SCHEDULE}),
            _route("/account/limits", "GetAccountLimits", lambda _: bodies.LIMITS, is_signed=True),
            _route(
                "/account/endpoint_costs", "GetEndpointCosts", lambda _: {"default_cost": COST, "endpoint_costs": []}
            ),
            _route("/series", "GetSeriesList", self._series_list),
            _route("/series/{}", "GetSeries", self._series),
            _route("/search/tags_by_categories", "GetTagsByCategories", self._tags),
            _route("/events", "GetEvents", self._events),
            _route("/events/{}", "GetEvent", self._event),
            _route("/markets", "GetMarkets", self._markets),
            _route("/markets/trades", "GetTrades", self._trades),
            _route("/markets/candlesticks", "BatchGetMarketCandlesticks", self._history.of_markets),
            _route("/markets/orderbooks", "GetMarketOrderbooks", self._books),
            _route("/markets/{}", "GetMarket", self._market),
            _route("/markets/{}/orderbook", "GetMarketOrderbook", self._book),
            _route("/series/{}/markets/{}/candlesticks", "GetMarketCandlesticks", self._history.of_market),
            _route("/series/{}/events/{}/candlesticks", "GetEventCandlesticks", self._history.of_event),
            _route("/historical/cutoff", "GetHistoricalCutoff", self._history.cutoff),
            _route("/historical/trades", "GetHistoricalTrades", self._moved_trades),
            _route("/historical/markets", "GetHistoricalMarkets", self._moved_markets),
            _route("/historical/markets/{}", "GetHistoricalMarket", self._moved_market),
            _route("/historical/markets/{}/candlesticks", "GetHistoricalCandlesticks", self._history.of_moved_market),
            _route("/historical/orders", "GetHistoricalOrders", account.moved_orders, is_signed=True),
            _route("/historical/fills", "GetFillsHistorical", account.moved_fills, is_signed=True),
            _route("/portfolio/orders", "GetOrders", account.orders, is_signed=True),
            _route("/portfolio/orders/{}", "GetOrder", account.order, is_signed=True),
            _route("/portfolio/fills", "GetFills", account.fills, is_signed=True),
            _route("/portfolio/positions", "GetPositions", account.positions, is_signed=True),
            _route("/portfolio/balance", "GetBalance", account.balance, is_signed=True),
        ]

    def respond(self, target: str, headers: Mapping[str, str], closed_with: Verdict | None) -> Response:
        """Answer a GET.

        Parameters
        ----------
        target : str
            Path and query.
        headers : mapping of str to str
            The request's.
        closed_with : Verdict or None
            What everything is answered with while the exchange is in maintenance.
        """
        path, _, text = target.partition("?")
        if closed_with is not None:
            if path == f"{PREFIX}/exchange/status":
                return self._response(closed_with.status, bodies.body(bodies.CLOSED))
            return self._refuse(closed_with)
        refusal = self.trouble.verdict()
        if refusal is not None:
            return self._refuse(refusal)
        now_us = self._venue.now_us()
        kept = self.trouble.cached(target, now_us)
        if kept is not None:
            return self._response(HTTPStatus.OK, kept[0], age=kept[1])
        try:
            found, is_private = self._answer(path, text, headers)
        except NotAnswered as wrong:
            return self._refuse(wrong.verdict)
        answer = bodies.body(found)
        if not is_private:
            self.trouble.keep(target, now_us, answer)
        return self._response(HTTPStatus.OK, answer)

    def _answer(self, path: str, text: str, headers: Mapping[str, str]) -> tuple[dict[str, Any], bool]:
        """Return an answer, and whether it is only for whoever has the key."""
        for route in self._routes:
            match = route.path.fullmatch(path.removeprefix(PREFIX))
            if match is not None:
                self._judge(path, headers, is_needed=route.is_signed)
                return route.answer(Query(route.operation, text), *map(unquote, match.groups())), route.is_signed
        raise not_found()

    def _judge(self, path: str, headers: Mapping[str, str], *, is_needed: bool) -> None:
        """Refuse a wrong signature wherever there is one, and none where one is needed."""
        if is_needed or any(headers.get(name) for name in _SIGNED):
            verdict = self._keyring.verdict(headers, path)
            if verdict is not None:
                wrong = NotAnswered(HTTPStatus.UNAUTHORIZED, {})
                wrong.verdict = verdict
                raise wrong

    def _refuse(self, verdict: Verdict) -> Response:
        return self._response(verdict.status, verdict.body.encode(), verdict.retry_after)

    def _response(
        self, status: int, body: bytes, retry_after: float | None = None, *, age: int | None = None
    ) -> Response:
        kind = "text/html" if body.startswith(b"<") else "application/json"
        is_torn = status == HTTPStatus.OK and self.trouble.is_torn
        headers = Headers(
            {
                "Content-Type": kind,
                "Content-Length": str(len(body)),
                "Connection": "close",
                "Date": formatdate(self._venue.now_us() // 1_000_000, usegmt=True),
            }
        )
        if status == HTTPStatus.OK:
            headers["Cache-Control"] = "public, max-age=15"
        if age is not None:
            headers["Age"] = str(age)
        if retry_after is not None:
            headers["Retry-After"] = f"{retry_after:g}"
        # Where an answer breaks off on the way its length is that of the whole.
        return Response(status, HTTPStatus(status).phrase, headers, body[: len(body) // 2] if is_torn else body)

    # Series and events --------------------------------------------------------------------------------

    def _series_list(self, query: Query) -> dict[str, Any]:
        category, tags = query.text("category"), query.listed("tags")
        with_volume = query.flag("include_volume")
        found = [
            bodies.series_object(each, self._volume(each.ticker) if with_volume else None)
            for each in SERIES.values()
            if category in ("", each.category) and (tags is None or tags & set(each.tags))
        ]
        return {"series": found}

    def _series(self, query: Query, ticker: str) -> dict[str, Any]:
        series = SERIES.get(ticker)
        if series is None:
            raise not_found()
        return {"series": bodies.series_object(series, self._volume(ticker) if query.flag("include_volume") else None)}

    def _volume(self, series_ticker: str) -> int:
        listings = self._venue.listings.values()
        return sum(
            self._venue.quote(each.market.ticker).volume
            for each in listings
            if each.market.series_ticker == series_ticker
        )

    def _tags(self, _: Query) -> dict[str, Any]:
        found: dict[str, list[str]] = {}
        for each in SERIES.values():
            found.setdefault(each.category, []).extend(each.tags)
        return {"tags_by_categories": found}

    def _events(self, query: Query) -> dict[str, Any]:
        status, series = query.status(_EVENT_STATUS), query.text("series_ticker")
        tickers, is_nested = query.listed("tickers"), query.flag("with_nested_markets")
        closes = query.times_us("close")
        keyed = [
            ((0, each.ticker), each)
            for each in (*EVENTS.values(), *self._history.past_events())
            if series in ("", each.series_ticker)
            and (tickers is None or each.ticker in tickers)
            and status in ("", self._event_status(each))
            and (closes is None or any(closes[0] <= one.close_us <= closes[1] for one in self._members(each)))
        ]
        # Which order it is nobody says; this one is as good as any.
        page, cursor = self._page(query, sorted(keyed, reverse=True), 200, 200, least=1)
        return {"events": [self._event_object(each, is_nested=is_nested) for each in page], "cursor": cursor}

    def _event(self, query: Query, ticker: str) -> dict[str, Any]:
        event = EVENTS.get(ticker) or next((e for e in self._history.past_events() if e.ticker == ticker), None)
        is_nested, is_bare = query.flag("with_nested_markets"), query.flag("exclude_markets")
        if is_nested and is_bare:
            raise query.refuse("with_nested_markets and exclude_markets cannot be used together")
        if event is None:
            raise not_found()
        markets = [] if is_nested or is_bare else [self._market_object(each) for each in self._members(event)]
        return {"event": self._event_object(event, is_nested=is_nested), "markets": markets}

    def _event_object(self, event: ListedEvent, *, is_nested: bool) -> dict[str, Any]:
        found = bodies.event_object(event, SERIES[event.series_ticker].category)
        if is_nested and self._event_status(event) != "settled":  # of what is all over there is no such key
            found["markets"] = [self._market_object(each) for each in self._members(event)]
        return found

    def _members(self, event: ListedEvent) -> list[Listing]:
        listings = (self._venue.listings if event.ticker in EVENTS else self._venue.past.listings).values()
        return [each for each in listings if each.event is event]

    def _event_status(self, event: ListedEvent) -> str:
        found = {bodies.status_of(each, self._venue.now_us()) for each in self._members(event)}
        if found & {"active", "inactive"}:
            return "open"
        if found == {"finalized"}:
            return "settled"
        return "unopened" if found == {"initialized"} else "closed"

    # Markets ------------------------------------------------------------------------------------------

    def _markets(self, query: Query) -> dict[str, Any]:
        status, mve = query.status(_MARKET_STATUS), query.choice("mve_filter", "only", "exclude")
        windows = {what: window for what in _GOES_WITH if (window := query.times_us(what)) is not None}
        self._check_together(query, windows, status, mve)
        by_close = "close" in windows
        keyed = [
            ((each.close_us if by_close else bodies.created_us(each), each.market.ticker), each)
            for each in self._all_listings()
            if self._is_asked_for(query, each, status, mve)
            and all(least <= self._moment(each, what) <= most for what, (least, most) in windows.items())
        ]
        page, cursor = self._page(query, sorted(keyed, key=lambda each: each[0], reverse=True), 100, 1_000)
        return {"markets": [self._market_object(each) for each in page], "cursor": cursor}

    def _check_together(self, query: Query, windows: Iterable[str], status: str, mve: str) -> None:
        for what in windows:
            if status not in _GOES_WITH[what]:
                raise query.refuse(f"{what} timestamp filters cannot be used with status {status}")
            if what == "updated" and mve != "exclude":
                raise query.refuse("updated timestamp filters need mve_filter=exclude")

    def _all_listings(self) -> list[Listing]:
        listings = self._history.live_listings()
        return [*combos(self.trouble.combos, listings[0]), *listings]

    def _is_asked_for(self, query: Query, listing: Listing, status: str, mve: str) -> bool:
        market, tickers = listing.market, query.listed("tickers")
        return (
            query.text("event_ticker") in ("", market.event_ticker)
            and query.text("series_ticker") in ("", market.series_ticker)
            and (tickers is None or market.ticker in tickers)
            and (not status or bodies.status_of(listing, self._venue.now_us()) in _MARKET_STATUS[status])
            and (not mve or bodies.is_multivariate(listing) == (mve == "only"))
        )

    @staticmethod
    def _moment(listing: Listing, what: str) -> int:
        times = {
            "created": bodies.created_us(listing),
            "close": listing.close_us,
            "settled": -1 if listing.settled_us is None else listing.settled_us,
            "updated": max(bodies.created_us(listing), listing.determined_us or 0, listing.settled_us or 0),
        }
        return times[what]

    def _market(self, _: Query, ticker: str) -> dict[str, Any]:
        return {"market": self._market_object(self._history.live_listing(ticker))}

    def _listing(self, ticker: str) -> Listing:
        listing = self._venue.listings.get(ticker)
        if listing is None:
            raise not_found()
        return listing

    def _market_object(self, listing: Listing) -> dict[str, Any]:
        is_traded = listing.market.ticker in self._venue.listings
        quote = self._venue.quote(listing.market.ticker) if is_traded else bodies.NOBODY
        return bodies.market_object(listing, quote, self._venue.now_us())

    # Books and trades ---------------------------------------------------------------------------------

    def _book(self, query: Query, ticker: str) -> dict[str, Any]:
        depth = query.number("depth", 0, 100)
        return {"orderbook_fp": self._book_object(self._listing(ticker).market.ticker, depth)}

    def _books(self, query: Query) -> dict[str, Any]:
        tickers = query.several("tickers")
        if not 1 <= len(tickers) <= _MOST_BOOKS or any(len(each) > _LONGEST_TICKER for each in tickers):
            raise query.refuse("tickers must name 1 to 100 markets")
        known = [each for each in dict.fromkeys(tickers) if each in self._venue.listings]
        return {"orderbooks": [{"ticker": each, "orderbook_fp": self._book_object(each, 0)} for each in known]}

    def _book_object(self, ticker: str, depth: int) -> dict[str, Any]:
        return bodies.book_object(self._venue.levels(ticker, "yes"), self._venue.levels(ticker, "no"), depth)

    def _trades(self, query: Query) -> dict[str, Any]:
        return self._trades_page(query, is_historical=False)

    def _moved_trades(self, query: Query) -> dict[str, Any]:
        return self._trades_page(query, is_historical=True)

    def _trades_page(self, query: Query, *, is_historical: bool) -> dict[str, Any]:
        keyed = self._history.trades(query, is_historical=is_historical)
        page, cursor = self._page(query, keyed, 100, 1_000)
        return {"trades": [bodies.trade_object(each) for each in page], "cursor": cursor}

    def _moved_markets(self, query: Query) -> dict[str, Any]:
        query.choice("mve_filter", "exclude")
        keyed = [((bodies.created_us(each), each.market.ticker), each) for each in self._history.moved_listings(query)]
        page, cursor = self._page(query, keyed, 100, 1_000)
        return {"markets": [self._market_object(each) for each in page], "cursor": cursor}

    def _moved_market(self, _: Query, ticker: str) -> dict[str, Any]:
        return {"market": self._market_object(self._history.moved_listing(ticker))}

    # Pages --------------------------------------------------------------------------------------------

    def _page(
        self, query: Query, keyed: Iterable[tuple[tuple[int, str], Any]], default: int, most: int, *, least: int = 0
    ) -> tuple[list[Any], str]:
        """Return one page of rows whose keys fall, and the cursor for the next, empty where there is none."""
        limit = query.number("limit", default, most, least=least) or default
        asked = query.text("cursor")
        behind = key_of(asked)
        rows = list(islice((each for each in keyed if behind is None or each[0] < behind), limit + 1))
        if self.trouble.cursors == "empty_page" and behind is not None and not asked.endswith("_"):
            # The same place by another name, and nothing on the way there.
            return [], cursor_of(behind) + "_"
        is_last = len(rows) <= limit
        rows = rows[:limit]
        right = "" if is_last else cursor_of(rows[-1][0])
        return [row for _, row in rows], self.trouble.cursor(asked, right)


def _route(path: str, operation: str, answer: Callable[..., dict[str, Any]], *, is_signed: bool = False) -> _Route:
    return _Route(re.compile(path.replace("{}", "([^/]+)")), operation, answer, is_signed)
