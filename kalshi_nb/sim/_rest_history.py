"""What was, over REST: trades, candlesticks, and the tier into which what is long over has moved."""

from __future__ import annotations

from http import HTTPStatus
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from kalshi_nb.sim import _rest_bodies as bodies
from kalshi_nb.sim._rest_candles import INTERVALS, Candle, candle_object, candles, ends_between
from kalshi_nb.sim._rest_ledger import Dealt, Quoted
from kalshi_nb.sim._rest_queries import FAR_US, NotAnswered, Query, not_found

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kalshi_nb.sim._calendar import Listing
    from kalshi_nb.sim._market import ListedEvent
    from kalshi_nb.sim._rest_faults import RestTrouble
    from kalshi_nb.sim._venue import Venue

__all__ = ["History"]

_SECOND: Final = 1_000_000
_DAY: Final = 24 * 3_600 * _SECOND
_CUTOFF: Final = 60 * _DAY
"""What is older is in the historical tier, from the midnight on at which it became so."""
_OVERLAP: Final = 2 * _DAY
"""What has moved can for a while be had in the live tier, too."""
_MOST_CANDLES: Final = 5_000
_MOST_CANDLES_IN_ALL: Final = 10_000
_MOST_TICKERS: Final = 100


class History:
    """Answers about the past; on the server's thread alone.

    Parameters
    ----------
    venue : Venue
        The markets.
    trouble : callable
        Returns what goes wrong just now: after how long a trade can be seen, and how far back the live tier reaches.
    """

    def __init__(self, venue: Venue, trouble: Callable[[], RestTrouble]) -> None:
        self._venue = venue
        self._trouble = trouble

    # The two tiers ------------------------------------------------------------------------------------

    @property
    def cutoff_us(self) -> int:
        """What was settled, or traded, before this moment is in the historical tier."""
        return self._cutoff_us(_CUTOFF)

    @property
    def orders_cutoff_us(self) -> int:
        """The same of one's own orders, by when they ended."""
        return self._cutoff_us(_CUTOFF // 4)

    @property
    def overlap_us(self) -> int:
        """For how long what has moved can be had in the live tier, too."""
        told = self._trouble().live_tier_us
        return _OVERLAP if told is None else told // (_CUTOFF // _OVERLAP)

    def _cutoff_us(self, ago: int) -> int:
        told = self._trouble().live_tier_us
        if told is not None:
            return max(0, self._venue.now_us() - told)
        return max(0, self._venue.now_us() - ago) // _DAY * _DAY

    def cutoff(self, _: Query) -> dict[str, Any]:
        """Answer ``/historical/cutoff``."""
        told = bodies.time_text(self.cutoff_us)
        return {
            "market_settled_ts": told,
            "trades_created_ts": told,
            "orders_updated_ts": bodies.time_text(self.orders_cutoff_us),
            "market_positions_last_updated_ts": told,
        }

    def past_events(self) -> list[ListedEvent]:
        """Return the events that were over before the tape began; these have no tiers."""
        return list({each.event.ticker: each.event for each in self._venue.past.listings.values()}.values())

    def live_listings(self) -> list[Listing]:
        """Return the markets of the live tier: those of the tape, and those that were settled since the cutoff."""
        past, cutoff_us = self._venue.past, self.cutoff_us
        return [
            *(each for each in self._venue.listings.values() if not self._has_moved(each)),
            *(each for ticker, each in past.listings.items() if past.settled_us(ticker) >= cutoff_us),
        ]

    def live_listing(self, ticker: str) -> Listing:
        """Return a market of the live tier.

        Raises
        ------
        NotAnswered
            When there is none of that name.
        """
        found = self._venue.listings.get(ticker) or self._venue.past.listings.get(ticker)
        if found is None or self._has_moved(found):
            raise not_found()
        return found

    def _has_moved(self, listing: Listing) -> bool:
        settled_us = listing.settled_us
        return settled_us is not None and settled_us < self.cutoff_us

    def moved_listings(self, query: Query) -> list[Listing]:
        """Return the markets of the historical tier that are asked for, newest first."""
        tickers, event, series = query.listed("tickers"), query.text("event_ticker"), query.text("series_ticker")
        if sum(map(bool, (tickers, event, series))) > 1:
            raise query.refuse("only one of tickers, event_ticker, and series_ticker may be supplied")
        found = [
            each
            for each in (*self._venue.listings.values(), *self._venue.past.listings.values())
            if self._has_moved(each)
            and (tickers is None or each.market.ticker in tickers)
            and event in ("", each.market.event_ticker)
            and series in ("", each.market.series_ticker)
        ]
        return sorted(found, key=lambda each: (bodies.created_us(each), each.market.ticker), reverse=True)

    def moved_listing(self, ticker: str) -> Listing:
        """Return a market of the historical tier.

        Raises
        ------
        NotAnswered
            When there is none of that name; by a word of its own.
        """
        found = self._venue.past.listings.get(ticker) or self._venue.listings.get(ticker)
        if found is None or not self._has_moved(found):
            raise not_found("failed_to_get_market_by_ticker:_not_found")
        return found

    # Trades -------------------------------------------------------------------------------------------

    def trades(self, query: Query, *, is_historical: bool) -> Iterator[tuple[tuple[int, str], Dealt]]:
        """Yield the trades that are asked for with their keys, newest first; none that is to be seen only later."""
        ticker, block = query.text("ticker"), query.choice("is_block_trade", "true", "false")
        least, most = query.times_us("") or (0, FAR_US)
        most = min(most, self._venue.now_us() - self._trouble().late_us, query.behind_us())
        if is_historical:
            most = min(most, self.cutoff_us - 1)
        else:
            least = max(least, self.cutoff_us - self.overlap_us)
        if block == "true":
            return
        now = (
            each
            for each in (self._venue.ledger.newest_first(least) if most >= self._venue.past.start_us else ())
            if each.time_us <= most and ticker in ("", each.trade.market.ticker)
        )
        for each in chain(now, self._venue.past.trades_newest_first(ticker, least, most)):
            yield (each.time_us, each.trade_id), each

    # Candlesticks -------------------------------------------------------------------------------------

    def of_market(self, query: Query, _: str, ticker: str) -> dict[str, Any]:
        """Answer ``/series/{}/markets/{}/candlesticks``; by which series it is asked nobody looks."""
        ends, interval = self._ends(query)
        self._refuse_many(len(ends), _MOST_CANDLES)
        return self._answer(self.live_listing(ticker), ends, interval, is_historical=False)

    def of_moved_market(self, query: Query, ticker: str) -> dict[str, Any]:
        """Answer ``/historical/markets/{}/candlesticks``."""
        ends, interval = self._ends(query)
        self._refuse_many(len(ends), _MOST_CANDLES)
        return self._answer(self.moved_listing(ticker), ends, interval, is_historical=True)

    def of_markets(self, query: Query) -> dict[str, Any]:
        """Answer ``/markets/candlesticks``; what is unknown is left out, what was quiet has none."""
        tickers = [each for each in query.text("market_tickers").split(",") if each]
        ends, interval = self._ends(query)
        if not 1 <= len(tickers) <= _MOST_TICKERS:
            raise query.refuse("market_tickers must name 1 to 100 markets")
        total = len(tickers) * len(ends)
        if total > _MOST_CANDLES_IN_ALL:
            raise _too_many(f"requested candlesticks across all markets: {total}", _MOST_CANDLES_IN_ALL)
        answers = []
        for ticker in dict.fromkeys(tickers):
            try:
                found = self._answer(self.live_listing(ticker), ends, interval, is_historical=False)
            except NotAnswered:
                continue
            answers.append({"market_ticker": ticker, "candlesticks": found["candlesticks"]})
        return {"markets": answers}

    def of_event(self, query: Query, _: str, event_ticker: str) -> dict[str, Any]:
        """Answer ``/series/{}/events/{}/candlesticks``: what is too much is cut, and said up to where it goes."""
        ends, interval = self._ends(query)
        listings = [each for each in self.live_listings() if each.market.event_ticker == event_ticker]
        if not listings:
            raise not_found()
        ends = ends[: _MOST_CANDLES // len(listings)]
        return {
            "market_tickers": [each.market.ticker for each in listings],
            "market_candlesticks": [
                self._answer(each, ends, interval, is_historical=False)["candlesticks"] for each in listings
            ],
            "adjusted_end_ts": ends[-1] if ends else 0,
        }

    @staticmethod
    def _ends(query: Query) -> tuple[list[int], int]:
        start, end = query.needed("start_ts"), query.needed("end_ts")
        interval = query.needed("period_interval")
        if interval not in INTERVALS:
            raise query.invalid("period_interval", "oneof")
        if end < start:
            raise query.refuse("end_ts must not be before start_ts")
        if (end - start) // (interval * 60) > _MOST_CANDLES_IN_ALL:
            return list(range((end - start) // (interval * 60))), interval  # so many are asked for, and refused
        return ends_between(start, end, interval), interval

    @staticmethod
    def _refuse_many(count: int, most: int) -> None:
        if count > most:
            raise _too_many(f"requested time range with candlesticks: {count}", most)

    def _answer(self, listing: Listing, ends: list[int], interval: int, *, is_historical: bool) -> dict[str, Any]:
        ticker = listing.market.ticker
        found = self._candles(ticker, ends, interval) if ends else []
        return {
            "ticker": ticker,
            "candlesticks": [candle_object(each, is_historical=is_historical) for each in found],
        }

    def _candles(self, ticker: str, ends: list[int], interval: int) -> list[Candle]:
        venue, past = self._venue, self._venue.past
        # A day of New York is at most an hour longer.
        begin_us = max(0, ends[0] - interval * 60 - 3_600) * _SECOND
        end_us = min(ends[-1] * _SECOND, venue.now_us())
        seen_us = min(end_us, venue.now_us() - self._trouble().late_us)
        trades = [*past.trades(ticker, begin_us, seen_us)]
        standing = past.quote_at(ticker, begin_us)
        quotes: list[Quoted] = [*([standing] if standing else []), *past.quotes(ticker, begin_us + 1, end_us)]
        if ticker in venue.quotes and end_us >= past.start_us:
            trades += venue.ledger.of(ticker, begin_us, seen_us)
            quotes += (each for each in venue.quotes[ticker].since(begin_us) if each.time_us <= end_us)
        return candles(ends, interval, trades, quotes, self._interest(ticker, seen_us))

    def _interest(self, ticker: str, seen_us: int) -> Callable[[int], int]:
        """Return what tells how much was held at a moment, by the trades that can be seen."""
        venue, past = self._venue, self._venue.past
        if ticker not in venue.interests:
            return lambda at_us: past.open_interest(ticker, at_us, 1_000_000)
        held = venue.interests[ticker].at()
        begun = held(past.start_us)

        def interest(at_us: int) -> int:
            if at_us < past.start_us:
                return past.open_interest(ticker, at_us, begun)
            return held(min(at_us, seen_us))

        return interest


def _too_many(told: str, most: int) -> NotAnswered:
    details = f"{told}, max candlesticks: {most}"
    return NotAnswered(
        HTTPStatus.BAD_REQUEST, {"error": {"code": "bad_request", "message": "bad request", "details": details}}
    )
