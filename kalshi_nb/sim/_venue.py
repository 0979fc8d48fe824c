"""The trading floor: the tape in exchange time, and what its markets look like on the wire right now."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final, Literal

from kalshi_nb.sim import _frames
from kalshi_nb.sim._account_ledger import AccountLedger
from kalshi_nb.sim._calendar import Calendar
from kalshi_nb.sim._catalogue import CATALOGUE, EVENTS
from kalshi_nb.sim._channels import BOOK, CHANNELS, FEEDS
from kalshi_nb.sim._events import Delta, Lifecycle, OrderUpdate, Trade
from kalshi_nb.sim._past import Past
from kalshi_nb.sim._publication import Publication
from kalshi_nb.sim._rest_ledger import InterestLedger, QuoteLedger, TradeLedger
from kalshi_nb.sim._tape import Tape

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from kalshi_nb.sim._calendar import Due, Listing
    from kalshi_nb.sim._events import Event, Quote
    from kalshi_nb.sim._market import Side

__all__ = ["CLOSES_IN", "Era", "UnknownMarkets", "Venue"]

Era = Literal["2026-10", "captures"]
UnknownMarkets = Literal["empty", "error"]

CLOSES_IN: Final = 6 * 3_600.0
"""Seconds until the first market closes, unless told: longer than people sit before one notebook."""

_HALF: Final = 5_000
"""The price at which YES and NO are as likely."""


class Venue:
    """The markets of one exchange.

    Parameters
    ----------
    seed : int
        What the tape is made from.
    start_us : int
        The exchange time at which the tape begins, microseconds.
    now_us : callable
        The exchange's clock.
    era : {"2026-10", "captures"}
        Whether frames carry ``sending_ts_ms`` and books ``clock``.
    unknown_markets : {"empty", "error"}
        How a book of a market that does not exist is answered.
    speed : float
        How many seconds of the tape pass in one of the clock's.
    closes_in : float
        Seconds, of the clock's, until the first market closes.

    Attributes
    ----------
    snapshots_to_lose : int
        How many of the next requests for a snapshot stay unanswered.
    prefers_yes_prices : bool
        What ``use_yes_price`` is for a subscribe that does not say.
    announced : dict of str to set of str
        By channel of the reference feeds, what was ever announced there.
    ledger : TradeLedger
        The trades since it began.
    quotes : dict of str to QuoteLedger
        The best prices since it began, by ticker.
    interests : dict of str to InterestLedger
        How much was held since it began, by ticker.
    past : Past
        What was before.
    account : AccountLedger
        What was told of the account since then.
    """

    def __init__(
        self,
        seed: int,
        start_us: int,
        now_us: Callable[[], int],
        *,
        era: Era,
        unknown_markets: UnknownMarkets,
        speed: float = 1.0,
        closes_in: float = CLOSES_IN,
    ) -> None:
        self.unknown_markets = unknown_markets
        self.snapshots_to_lose = 0
        self.prefers_yes_prices = False
        self.most_markets: int | None = None
        self.announced: dict[str, set[str]] = {channel: set() for channel in FEEDS}
        self.ledger = TradeLedger()
        self.account = AccountLedger()
        self._is_new_era = era == "2026-10"
        self._now_us = now_us
        self._tape = Tape(seed)
        self._calendar = Calendar(start_us, closes_in)
        self._created_us: dict[str, int] = {}
        self._changed: set[str] = set()
        self._origin_us = start_us
        self._speed = speed
        self.quotes = {ticker: QuoteLedger(flow.book, start_us) for ticker, flow in self._tape.flows.items()}
        self.interests = {
            ticker: InterestLedger(flow.quote().open_interest, start_us) for ticker, flow in self._tape.flows.items()
        }
        listings = self._calendar.listings
        self.past = Past(seed, start_us, ((listings[market.ticker], temper) for market, temper in CATALOGUE), speed)
        self._by_id = {flow.market.market_id: flow.market.ticker for flow in self._tape.flows.values()}
        self.tickers = tuple(sorted(self._tape.flows))
        for flow in self._tape.flows.values():
            for order in flow.desk.resting:
                state = order.state()
                created_us = self._created_us[state.order_id] = self._time_us(state.created_at)
                for made in flow.desk.made(state.created_at, order):
                    self.account.note(made, created_us, created_us)

    def set_era(self, era: Era) -> None:
        """Write frames as they were written in another time."""
        self._is_new_era = era == "2026-10"

    @property
    def next_us(self) -> int:
        """The exchange time at which something happens next."""
        return min(self.tape_next_us, self._calendar.next_us)

    @property
    def tape_next_us(self) -> int:
        """The exchange time of the tape's next event."""
        return self._origin_us + math.ceil(self._tape.next_at / self._speed)

    def postpone(self, micros: int) -> None:
        """Let everything on the tape that has not happened yet happen later; the calendar's times stay."""
        self._origin_us += micros

    def publish(self, until_us: int, *, stamped_us: int | None) -> Iterator[Publication]:
        """Yield what happens up to and with `until_us`.

        Parameters
        ----------
        until_us : int
            Exchange time.
        stamped_us : int or None
            What the frames give as their time of sending; None for each event's own time.
        """
        # A close is only ever put off, so what is next in the calendar stays next while the tape goes on to there.
        while (due_us := self._calendar.next_us) <= until_us:
            yield from self._trade(due_us - 1, stamped_us)
            for due in self._calendar.take(due_us):
                for event in self._act(due):
                    yield self._publication(event, due_us, stamped_us)
            self._tape.reorder()
        yield from self._trade(until_us, stamped_us)

    def _trade(self, until_us: int, stamped_us: int | None) -> Iterator[Publication]:
        for event in self._tape.until(math.floor((until_us - self._origin_us) * self._speed)):
            yield self._publication(event, self._time_us(event.at), stamped_us)

    def _publication(self, event: Event, time_us: int, stamped_us: int | None) -> Publication:
        other_us = None
        if isinstance(event, Delta):
            self.quotes[event.market.ticker].note(event, time_us)
        elif isinstance(event, Lifecycle):
            self._changed.add(event.market.ticker)
            self._calendar.note(event, time_us)
            if event.put_off is not None:
                other_us = self._calendar.put_off(event.market.ticker, event.put_off)
        elif isinstance(event, Trade):
            self.ledger.note(event, time_us)
            self.interests[event.market.ticker].note(self.quote(event.market.ticker).open_interest, time_us)
        elif isinstance(event, OrderUpdate):
            order = event.order
            # Noted, since the tape may be late by another time when the order is told of again.
            other_us = self._created_us.setdefault(order.order_id, self._time_us(order.created_at))
            if order.status != "resting":
                del self._created_us[order.order_id]
        self.account.note(event, time_us, other_us)
        sending_us = time_us if stamped_us is None else stamped_us
        return Publication(event, time_us, sending_us, other_us, is_new_era=self._is_new_era)

    def _act(self, due: Due) -> Iterator[Event]:
        """Do what the clock makes happen, and yield what is told of it."""
        at = math.floor((due.at_us - self._origin_us) * self._speed)
        if due.act == "close":
            self._tape.flows[due.subject].close()
            return
        span = math.ceil(self._calendar.approach_us * self._speed)
        outcomes = self._outcomes(due.subject) if due.act != "settle" else {}
        for listing in self._calendar.markets_of(due.subject):
            flow = self._tape.flows[listing.market.ticker]
            if due.act == "approach":
                flow.approach(outcomes[flow.market.ticker], span)
            elif due.act == "determine":
                yield from flow.determine(at, outcomes[flow.market.ticker])
            elif listing.settlement_value is not None:
                yield from flow.settle(at, listing.settlement_value)

    def _outcomes(self, event_ticker: str) -> dict[str, Side]:
        """Return how an event would come out by the last prices: one YES where its markets exclude each other."""
        flows = [self._tape.flows[each.market.ticker] for each in self._calendar.markets_of(event_ticker)]
        if not EVENTS[event_ticker].mutually_exclusive:
            return {flow.market.ticker: "yes" if flow.value >= _HALF else "no" for flow in flows}
        first = max(flows, key=lambda flow: flow.value)
        return {flow.market.ticker: "yes" if flow is first else "no" for flow in flows}

    def facts(self, tickers: set[str] | None = None) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Return what events and markets are, some or all, as plain data."""
        listings = [each for ticker, each in self._calendar.listings.items() if tickers is None or ticker in tickers]
        events = {each.event.ticker: each.event for each in listings}
        return [
            {
                "event_ticker": event.ticker,
                "title": event.title,
                "subtitle": event.subtitle,
                "series_ticker": event.series_ticker,
                "mutually_exclusive": event.mutually_exclusive,
            }
            for event in events.values()
        ], [each.facts() for each in listings]

    @property
    def listings(self) -> Mapping[str, Listing]:
        """How every market stands, by ticker."""
        return self._calendar.listings

    def now_us(self) -> int:
        """Return the exchange's time, microseconds since 1970."""
        return self._now_us()

    def quote(self, ticker: str) -> Quote:
        """Return the top of a known market's book and its totals as they are now."""
        return self._tape.flows[ticker].quote()

    def levels(self, ticker: str, side: Side) -> list[tuple[int, int]]:
        """Return one side of a known market's book as (price, count), ascending."""
        return self._tape.flows[ticker].book.levels(side)

    def take_changed(self) -> set[str]:
        """Return the markets of which something changed since this was asked last."""
        changed, self._changed = self._changed, set()
        return changed

    def _time_us(self, at: int) -> int:
        """Return the exchange time at which the tape is at `at`."""
        return self._origin_us + math.ceil(at / self._speed)

    def sending_ts_ms(self) -> int | None:
        """Return what a frame sent now carries as its time of sending, if any."""
        return self._now_us() // 1000 if self._is_new_era else None

    def has_channel(self, channel: str) -> bool:
        """Say whether there is such a channel."""
        return channel in CHANNELS

    def names_of(self, channel: str) -> set[str]:
        """Return what was ever announced on a reference feed."""
        return self.announced[channel]

    def ignores_request(self) -> bool:
        """Say whether a request for a snapshot stays unanswered, and count it."""
        if not self.snapshots_to_lose:
            return False
        self.snapshots_to_lose -= 1
        return True

    def take_missing(self, channel: str, wanted: set[str]) -> list[str]:
        """Take out the tickers of no market, where the exchange is to answer them with an error."""
        if channel != BOOK or self.unknown_markets == "empty":
            return []
        missing = sorted(ticker for ticker in wanted if not self.is_known(ticker))
        wanted.difference_update(missing)
        return missing

    def take_excess(self, held: set[str], wanted: set[str]) -> list[str]:
        """Take out the tickers for which a subscription that holds some already has no more room."""
        new = sorted(wanted - held)
        excess = [] if self.most_markets is None else new[max(0, self.most_markets - len(held)) :]
        wanted.difference_update(excess)
        return excess

    def is_known(self, ticker: str) -> bool:
        """Say whether there is such a market."""
        return ticker in self._tape.flows

    def tickers_of(self, market_ids: tuple[str, ...]) -> set[str]:
        """Return the tickers of uuids; those of no market are passed over."""
        return {self._by_id[each] for each in map(str.lower, market_ids) if each in self._by_id}

    def ids_of(self, tickers: set[str]) -> list[str]:
        """Return the uuids of known tickers."""
        return [self._tape.flows[ticker].market.market_id for ticker in tickers if self.is_known(ticker)]

    def snapshot_body(self, ticker: str, *, use_yes_price: bool) -> str:
        """Return a market's whole book as it is now; an unknown market's is empty and has no uuid."""
        flow = self._tape.flows.get(ticker)
        if flow is None:
            clock = 0 if self._is_new_era else None
            return _frames.snapshot_body(ticker, "", clock, (), (), use_yes_price=use_yes_price)
        return _frames.snapshot_body(
            ticker,
            flow.market.market_id,
            flow.clock if self._is_new_era else None,
            flow.book.levels("yes"),
            flow.book.levels("no"),
            use_yes_price=use_yes_price,
        )

    def ticker_body(self, ticker: str) -> str | None:
        """Return a market's ticker as it would be now; None for an unknown market."""
        flow = self._tape.flows.get(ticker)
        return None if flow is None else _frames.ticker_body(flow.market, flow.quote(), self._now_us())
