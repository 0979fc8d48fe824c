"""What markets there are: series, events and markets as frames, and tickers by words."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

from kalshi_nb._frames.polars_threads import refuse_without_polars
from kalshi_nb._moments import datetime_of
from kalshi_nb._redaction import shown
from kalshi_nb._rest.bodies import EventsBody, MarketBody, MarketsBody, SeriesListBody, TagsBody, ThereBody
from kalshi_nb._rest.client import segment
from kalshi_nb._rest.facts import learn_events, learn_markets
from kalshi_nb._rest.filters import MarketQuestion, checked_status, market_filter, text_of
from kalshi_nb._rest.frames import event_frame, market_frame, series_frame, time_us
from kalshi_nb._rest.pages import InTurn, Page, Walk
from kalshi_nb._rest.search import Found, markets_by_words, series_by_words
from kalshi_nb._rest.series_table import SeriesTable, folder_for
from kalshi_nb._rows.tickers import hint, no_ticker
from kalshi_nb._usage import check_called, flag, iterated, whole
from kalshi_nb.errors import ConfigurationError, KalshiError, MarketTickerError, RestError, RestNotFoundError

if TYPE_CHECKING:
    import polars as pl

    from kalshi_nb._markets.registry import MarketRegistry
    from kalshi_nb._rest.bodies import Event, Market
    from kalshi_nb._rest.client import Answer, Params, RestClient
    from kalshi_nb._rest.search import FoundSeries

__all__ = ["Discovery", "Progress", "check_progress", "keep"]

Row = TypeVar("Row")
Progress = Callable[[int, "dt.datetime | None"], Any]
"""Called after each page with how many rows came, and the oldest time that was reached."""

_MOST_MARKETS: Final = 1_000
_MOST_EVENTS: Final = 200
"""Rows of a page, as many as the exchange takes."""

_NAMED: Final = 8
"""So many markets an error names."""
_MOST_NAMED: Final = 100
"""So many tickers are asked for in one question: an address has its length."""
_LEAST_DASHES: Final = 2
"""The ticker of a market has series, event and outcome."""
_SHORT: Final = 3.0
"""Seconds for what one can do without."""

_SERIES_LOOKED_AT: Final = 8
"""Of so many series the open markets are asked for, one request each, where somebody searches."""


class Discovery:
    """What markets there are on one exchange.

    Parameters
    ----------
    client : RestClient or None
        Asks; None where there is nobody to ask, as in a recording.
    registry : MarketRegistry
        Learns what is answered, so that views show it.
    now_us : callable
        The time, as far as the exchange's own is known here.
    """

    def __init__(self, client: RestClient | None, registry: MarketRegistry, now_us: Callable[[], int]) -> None:
        self._client = client
        self._registry = registry
        self._now_us = now_us
        self._table: SeriesTable | None = None
        self._answers_at_once = True

    def close(self) -> None:
        """End the client."""
        if self._client is not None:
            self._client.close()

    def now_us(self) -> int:
        """Return the time, as far as the exchange's own is known here, in microseconds."""
        return self._now_us()

    @property
    def client(self) -> RestClient:
        """Who asks.

        Raises
        ------
        ConfigurationError
            When there is nobody.
        """
        if self._client is None:
            raise ConfigurationError(
                "This feed has no exchange to ask: it plays a recording. kalshi_nb.markets('prod', …) asks Kalshi, "
                "and so do kalshi_nb.candles('prod', …) and kalshi_nb.history('prod', …), the trades of a window."
            )
        return self._client

    # Lists --------------------------------------------------------------------------------------------

    def series(self, category: str | None = None, tags: str | Iterable[str] | None = None) -> pl.DataFrame:
        """Return the series; see :meth:`kalshi_nb.Feed.series`."""
        refuse_without_polars("series()")
        if category is not None and not (isinstance(category, str) and category.strip()):
            raise ConfigurationError(f"category={shown(category)}: pass one as text, such as 'Climate and Weather'.")
        listed = None if tags is None else ",".join(_tags(tags))
        body = self.client.get("/series", SeriesListBody, {"category": category, "tags": listed}).body
        if not body.series and category is not None:
            self._check_category(category)
        return series_frame(body.series or [])

    def _check_category(self, category: str) -> None:
        """Refuse a category that does not exist: the exchange answers that there is nothing in it."""
        known = self.client.get("/search/tags_by_categories", TagsBody).body.tags_by_categories
        if known and category not in known:
            meant = {each.casefold(): each for each in known}.get(category.casefold())
            raise ConfigurationError(
                f"There is no category {shown(category)}. "
                + (f"Did you mean {meant!r}?" if meant else f"There are {', '.join(map(repr, sorted(known)))}.")
            )

    def events(
        self,
        series: str | None = None,
        status: str | None = "open",
        limit: int | None = None,
        cursor: str = "",
        progress: Progress | None = None,
    ) -> pl.DataFrame:
        """Return the events; see :meth:`kalshi_nb.Feed.events`."""
        refuse_without_polars("events()")
        check_progress(progress)
        if checked_status(status) == "paused":
            raise ConfigurationError("No event is paused, only markets are; ask for 'open' ones.")
        walk = self._event_walk({"series_ticker": text_of("series", series), "status": status}, _cursor(cursor))
        found = self._collected(walk, event_frame, _limit(limit), progress, lambda _: None)
        if found.is_empty() and not cursor:
            self._refuse_other("series", series, "event")
        return found

    def markets(
        self,
        question: MarketQuestion,
        limit: int | None = None,
        cursor: str = "",
        progress: Progress | None = None,
    ) -> pl.DataFrame:
        """Return the markets; see :meth:`kalshi_nb.Feed.markets`."""
        refuse_without_polars("markets()")
        check_progress(progress)
        wanted = market_filter(question, self._now_us())

        named, begin = wanted.tickers or [], _cursor(cursor)
        seen: set[str] = set()

        def keeps(market: Market) -> bool:  # for a while a market stands in both tiers
            is_new = market.ticker not in seen
            seen.add(market.ticker)
            return is_new and wanted.keeps(market)

        def live(tickers: list[str], at: str) -> Walk[Market]:
            return self._market_walk("/markets", {**wanted.params, "tickers": ",".join(tickers) or None}, at)

        def moved(tickers: list[str], at: str) -> Walk[Market]:
            left = [each for each in tickers if each not in seen]
            if tickers and not left:
                return Walk(lambda _: Page([], None), name=lambda row: row.ticker)
            return self._market_walk("/historical/markets", {**wanted.moved, "tickers": ",".join(left) or None}, at)

        parts = [named[at : at + _MOST_NAMED] for at in range(0, len(named), _MOST_NAMED)] or [[]]
        walks = [partial(live, each) for each in parts]
        if wanted.moved:
            walks += [partial(moved, each) for each in parts]
        walk = InTurn(walks, begin) if len(walks) > 1 else walks[0](begin)

        def frame(rows: list[Market]) -> pl.DataFrame:
            return market_frame(rows, self._series_of(rows, wanted.series))

        found = self._collected(
            walk, frame, _limit(limit), progress, lambda row: time_us(row.created_time), keeps=keeps
        )
        if found.is_empty() and not cursor:
            self._refuse_other("series", question.series)
            self._refuse_other("event", question.event)
        return found

    def _refuse_other(self, name: str, ticker: str | None, what: str = "market") -> None:
        """Refuse what is the ticker of something else, or of nothing: the exchange answers that nothing is in it."""
        if ticker is None:
            return
        bare = ticker.strip()
        told = hint(bare) if bare.upper() != bare else ""
        if not told and name == "series" and bare.count("-") and self._members(bare):
            told = f"{shown(bare)} is an event: write event={shown(bare)}."
        if not told and bare.count("-") > 1 and self._members(bare, as_market=True):
            told = f"{shown(bare)} is a market: feed.market({shown(bare)}) asks for it, tickers= for several."
        if not told and name == "event" and not bare.count("-") and self._members(bare, as_series=True):
            told = f"{shown(bare)} is a series: write series={shown(bare)}."
        if not told and self._is_unknown("/series/" if name == "series" else "/events/", bare):
            told = f"The exchange knows no such {name}; feed.search('…') finds markets by words, and their {name}."
        if told:
            raise MarketTickerError(f"There is no {what} in {name}={shown(bare)}. {told}")

    def _is_unknown(self, path: str, ticker: str) -> bool:
        """Tell whether the exchange says that it has no such series or event; it may, where nothing is said soon."""
        if self._client is None or not self._answers_at_once:
            return False
        try:
            self._client.get(path + segment(ticker), ThereBody, tries=1, timeout=_SHORT)
        except RestNotFoundError:
            return True
        except KalshiError:
            self._answers_at_once = False
        return False

    def market(self, ticker: str) -> pl.DataFrame:
        """Return one market; see :meth:`kalshi_nb.Feed.market`."""
        refuse_without_polars("market()")
        path = f"/markets/{segment(ticker)}"
        if problem := no_ticker(ticker.strip()):
            raise MarketTickerError(problem)
        try:
            answer = self._market_of_either_tier(path)
        except RestNotFoundError as unknown:
            if ticker.strip().upper() == ticker.strip():
                self.refuse_unknown([ticker.strip()])
            if told := hint(ticker.strip()):
                unknown.args = (f"{unknown.args[0]} {told}", *unknown.args[1:])
            raise
        market = answer.body.market
        learn_markets(self._registry, [market], self._at(answer.at))
        return market_frame([market], self._series_of([market], None))

    def _market_of_either_tier(self, path: str) -> Answer[MarketBody]:
        try:
            return self.client.get(path, MarketBody)
        except RestNotFoundError:
            with suppress(RestNotFoundError):  # or the first says more
                return self.client.get(f"/historical{path}", MarketBody)
            raise

    def refuse_events(self, market_tickers: Collection[str]) -> None:
        """Refuse the ticker of an event where those of markets belong, and name its markets.

        A single one that looks like it and is unknown is asked for, once and not for long: where there is no answer,
        nothing is refused or asked any more, and the exchange's socket says what it says of such a market.

        Raises
        ------
        MarketTickerError
            When one is an event's.
        """
        for ticker in market_tickers:
            if ticker.count("-") == 1 and not self._registry.get(ticker).version:
                members = [each.market_ticker for each in self._registry.markets_of(ticker)]
                if not members and len(market_tickers) == 1:
                    members = self._members(ticker)
                _refuse_event(ticker, members)

    def refuse_unknown(self, market_tickers: Collection[str]) -> None:
        """Say of tickers that no market has what they are, where they are an event's or a series', or written small.

        Raises
        ------
        MarketTickerError
            When one is.
        """
        for ticker in list(market_tickers)[:_NAMED]:
            if ticker.upper() != ticker:
                raise MarketTickerError(f"There is no market {shown(ticker)}. {hint(ticker)}")
            if ticker.count("-") < _LEAST_DASHES:
                _refuse_event(ticker, self._members(ticker))
            if "-" not in ticker and self._members(ticker, as_series=True):
                raise MarketTickerError(
                    f"{shown(ticker)} is a series. feed.markets({shown(ticker)}) lists its markets, and "
                    f"feed.markets({shown(ticker)})['market_ticker'] are their tickers."
                )

    def _members(self, ticker: str, *, as_series: bool = False, as_market: bool = False) -> list[str]:
        """Return the markets of an event, or of a series, or the market itself; none where that is not told soon."""
        if self._client is None or not self._answers_at_once:
            return []
        name = "series_ticker" if as_series else "tickers" if as_market else "event_ticker"
        params: Params = {name: ticker, "limit": _MOST_MARKETS}
        try:
            answer = self._client.get("/markets", MarketsBody, params, tries=1, timeout=_SHORT)
        except KalshiError:
            self._answers_at_once = False
            return []
        found = answer.body.markets or []
        learn_markets(self._registry, found, self._at(answer.at))
        return sorted(each.ticker for each in found)

    # Words --------------------------------------------------------------------------------------------

    def search(self, query: str, status: str | None = "open", limit: int = 50, *, cache: bool = True) -> pl.DataFrame:
        """Return the markets that words name; see :meth:`kalshi_nb.Feed.search`."""
        refuse_without_polars("search()")
        if not isinstance(query, str) or not query.strip():
            raise ConfigurationError("search() takes words, such as feed.search('high temp new york').")
        checked_status(status)
        if self._table is None:
            self._table = SeriesTable(self.client, folder_for(self.client.base))
        table = self._table.get(cache=flag("cache", cache))
        chosen = series_by_words(table, query, _SERIES_LOOKED_AT)
        found: list[Found] = []
        for series in chosen:
            of_event = "open" if status == "paused" else status  # only markets are paused
            params = {"series_ticker": series.ticker, "status": of_event, "with_nested_markets": "true"}
            over: dict[str | None, Event] = {}
            for page in self._event_walk(params, ""):
                found += [Found(series, event, market) for event in page for market in event.markets or ()]
                over |= {event.event_ticker: event for event in page if event.markets is None}
            if over:  # in an event that is over the exchange nests no markets
                found += self._found_over(series, over)
        return markets_by_words(found, query, status, whole("limit", limit, "pass a number of rows, such as 50"))

    # Inside -------------------------------------------------------------------------------------------

    def _found_over(self, series: FoundSeries, over: dict[str | None, Event]) -> Iterator[Found]:
        """Yield the newest markets of events that are over, of either tier."""
        left = set(over)
        for path, status in (("/markets", "settled"), ("/historical/markets", None)):
            if not left:
                return
            page = self._market_page(path, {"series_ticker": series.ticker, "status": status})
            for market in page.rows:
                if market.event_ticker in left:
                    yield Found(series, over[market.event_ticker], market)
            left -= {market.event_ticker for market in page.rows}

    def _market_walk(self, path: str, params: dict[str, Any], cursor: str) -> Walk[Market]:
        def fetch(at: str) -> Page[Market]:
            return self._market_page(path, {**params, "cursor": at or None})

        return Walk(fetch, name=lambda row: row.ticker, cursor=cursor)

    def _market_page(self, path: str, params: dict[str, Any]) -> Page[Market]:
        answer = self.client.get(path, MarketsBody, {**params, "limit": _MOST_MARKETS})
        page = Page(answer.body.markets, answer.body.cursor)
        learn_markets(self._registry, page.rows, self._at(answer.at))
        return page

    def _event_walk(self, params: dict[str, Any], cursor: str) -> Walk[Event]:
        def fetch(at: str) -> Page[Event]:
            answer = self.client.get("/events", EventsBody, {**params, "limit": _MOST_EVENTS, "cursor": at or None})
            page = Page(answer.body.events, answer.body.cursor)
            learn_events(self._registry, page.rows, self._at(answer.at))
            for event in page.rows:
                learn_markets(self._registry, event.markets or (), self._at(answer.at))
            return page

        return Walk(fetch, name=lambda row: row.event_ticker, cursor=cursor)

    def _at(self, said: int | None) -> int:
        return self._now_us() if said is None else said

    def _series_of(self, markets: Iterable[Market], named: str | None) -> dict[str, str | None]:
        """Return the series of the events of markets: the one that was asked for, or what is known of the event."""
        events = {each.event_ticker for each in markets if each.event_ticker is not None}
        return {each: named or self._registry.event(each).series_ticker for each in events}

    def _collected(
        self,
        walk: Walk[Row] | InTurn[Row],
        frame: Callable[[list[Row]], pl.DataFrame],
        limit: int | None,
        progress: Progress | None,
        time_of: Callable[[Row], int | None],
        keeps: Callable[[Row], bool] = lambda _: True,
    ) -> pl.DataFrame:
        """Walk to the end, or to a limit. What had come when it was interrupted, or failed, is in the error."""
        rows: list[Row] = []
        oldest: int | None = None
        try:
            for page in walk:
                rows += filter(keeps, page)
                times = [at for row in page if (at := time_of(row)) is not None]
                oldest = min([*times, *([] if oldest is None else [oldest])], default=None)
                if progress is not None:
                    progress(len(rows), None if oldest is None else datetime_of(oldest))
                if limit is not None and len(rows) >= limit:
                    break
        except (RestError, KeyboardInterrupt) as stopped:
            keep(stopped, frame(rows), walk.cursor)
            raise
        return frame(rows[:limit])


def check_progress(progress: object) -> None:
    """Refuse what cannot be called after each page, before the first is asked for; ConfigurationError where it is."""
    check_called("progress", progress, "pass a function of the rows so far and the time reached, such as print")


def _refuse_event(ticker: str, members: Sequence[str]) -> None:
    if members and ticker not in members:
        named = ", ".join(map(repr, members[:_NAMED])) + (", …" if len(members) > _NAMED else "")
        raise MarketTickerError(
            f"{shown(ticker)} is an event. Its markets are {named}; feed.event({shown(ticker)}) shows "
            f"them beside each other, and feed.markets(event={shown(ticker)}) lists them."
        )


def _tags(tags: object) -> list[str]:
    several = iterated(tags)
    found = [] if several is None else list(several)
    if not found or not all(isinstance(each, str) and each.strip() for each in found):
        raise ConfigurationError(f"tags={shown(tags)}: pass one as text, such as 'NYC', or a list of them.")
    return [str(each) for each in found]


def _cursor(cursor: object) -> str:
    if not isinstance(cursor, str):
        raise ConfigurationError(
            f"cursor={shown(cursor)}: pass that of an error, cursor=error.cursor, or leave it out."
        )
    return cursor


def keep(stopped: BaseException, partial: pl.DataFrame, cursor: str | None = None) -> None:
    """Put what came into the error that ended it, Ctrl-C's too, and say so; a cursor says where to go on."""
    vars(stopped).update(partial=partial, cursor=cursor or "")
    if partial.height:
        goes_on = "" if cursor is None else f", and cursor={cursor!r} goes on there"
        stopped.add_note(f"{partial.height:,} rows had come: they are in the error's .partial{goes_on}.")


def _limit(limit: int | None) -> int | None:
    return None if limit is None else whole("limit", limit, "pass a number of rows, such as 1_000")
