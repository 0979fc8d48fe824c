"""What the kept books of one event's markets look like, as the picture that the panel, the text and the HTML show."""

from __future__ import annotations

import math
import threading
import time
from typing import TYPE_CHECKING, Any, Final

from kalshi_nb._fixed_point import CONTRACT, DOLLAR
from kalshi_nb._rows.ladders import EndedLadder
from kalshi_nb._widgets.event.picture import EventPicture, Leg

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from kalshi_nb._rows.ladders import LadderReading
    from kalshi_nb._rows.market_facts import MarketFacts
    from kalshi_nb._widgets.sources import FeedSource

__all__ = ["EventPresenter", "Hold"]

Hold = tuple["Mapping[str, LadderReading]", "Callable[[], object]"]
"""Ladders by market ticker, and what lets go of them."""

_NOTHING: Final = (0, 0, 0, 0)


class EventPresenter:
    """Makes pictures of the markets of one event, and keeps their books while views show it.

    The first view to come has the books opened, in the cell that asks for it; the last to go lets go of them. What is
    shown after that is how they were then. Pictures are made by several threads, as a ladder's are: the books are read
    in place, each of one moment.

    Parameters
    ----------
    event_ticker : str
        The event.
    market_tickers : sequence of str
        Its markets.
    feed : FeedSource
        Tells what is known of them.
    open_books : callable
        Given the tickers, opens their books; returns these and what lets go of them.
    are_all : bool
        Whether they are all markets of the event that were known, so that more of them are news.
    """

    def __init__(
        self,
        event_ticker: str,
        market_tickers: Sequence[str],
        feed: FeedSource,
        open_books: Callable[[list[str]], Hold],
        *,
        are_all: bool = False,
    ) -> None:
        self.event_ticker = event_ticker
        self.market_tickers = tuple(market_tickers)
        self._feed = feed
        self._open_books = open_books
        self._are_all = are_all
        self._ladders: Mapping[str, LadderReading] = {}
        self._let_go: Callable[[], object] | None = None
        self._views = 0
        self._lock = threading.RLock()  # a view may be dropped in the middle of it, on the same thread
        self._decimals = 0
        self.is_over = False

    def hold(self) -> None:
        """Have the books kept for one view more; what the exchange refuses is raised here."""
        with self._lock:
            self._views += 1
            if self._views > 1:
                return
        try:
            # Of a market that is decided the exchange has no book any more.
            open_now = [each for each in self.market_tickers if not _is_decided(self._feed.facts(each))]
            if open_now:
                self._ladders, self._let_go = self._open_books(open_now)
        except BaseException:
            with self._lock:
                self._views -= 1
            raise

    def let_go(self) -> None:
        """Have them kept for one view fewer; after the last one they stay as they are now."""
        with self._lock:
            self._views -= 1
            if self._views > 0 or self.is_over:
                return
            self.is_over = True
        now = self._feed.clock.now_us()
        self._ladders = {ticker: EndedLadder(ladder, now) for ticker, ladder in self._ladders.items()}
        if self._let_go is not None and not self._feed.over():
            self._let_go()

    def watch(self, wake: Callable[[], None]) -> None:
        """Have `wake` called once, from any thread, when there may be news."""
        self._feed.watch(wake)

    def picture(self) -> EventPicture:
        """Return the markets as they are now; from any thread, without waiting for another."""
        now = self._feed.clock.now_us()
        ladders = self._ladders
        facts = [self._feed.facts(each) for each in self.market_tickers]
        read = [_read(ladders.get(each.market_ticker)) for each in facts]
        legs = [self._leg(each, found, now) for each, found in zip(facts, read, strict=True)]
        self._see_decimals(facts, legs)
        event = self._feed.event(self.event_ticker)
        told = [each for each in facts if each.event_title]
        exclusive = event.mutually_exclusive
        if exclusive is None:
            exclusive = next((each.mutually_exclusive for each in facts if each.mutually_exclusive is not None), None)
        ordered = tuple(sorted(legs, key=lambda leg: (leg.is_decided, leg.strike)))
        status = self._status(ordered)
        note = self._note(ordered, status)
        title = event.title or (told[0].event_title if told else None)
        changed = max((each[_CHANGED] for each in read), default=0)
        since = [each[_SINCE] for leg, each in zip(legs, read, strict=True) if leg.status == status]
        bare = tuple(leg._replace(since=0.0) for leg in ordered)
        return EventPicture(
            version=(bare, status, note, title, event.subtitle, exclusive, self._decimals),
            status=status,
            status_since=min((leg.since for leg in ordered if leg.status == status), default=time.time()),
            clock=now / 1e6,
            event_ticker=self.event_ticker,
            title=title,
            subtitle=event.subtitle,
            exclusive=exclusive,
            legs=ordered,
            decimals=self._decimals,
            note=note,
            changed_at=changed / 1e6 if changed else None,
            changes=sum(abs(each[_VERSION]) for each in read),
            told_since=min((now, *since)) / 1e6,
        )

    def _leg(self, facts: MarketFacts, read: tuple[Any, ...], now: int) -> Leg:
        yes, yes_size, no, no_size, status, since, *_ = read
        decided = _is_decided(facts)
        paid = facts.settlement_value
        last = self._feed.last(facts.market_ticker)
        return Leg(
            ticker=facts.market_ticker,
            words=facts.subtitle or self._rest(facts.market_ticker) or facts.title or facts.market_ticker,
            strike=_strike(facts),
            status="closed" if self._feed.over() else "live" if decided else status,
            since=time.time() - max(0, now - since) / 1e6,
            phase=facts.phase(now),
            result=facts.result,
            settlement=None if paid is None else paid / DOLLAR,
            close_time=None if facts.close_time is None else facts.close_time / 1e6,
            bid=yes / DOLLAR if yes else None,
            bid_size=yes_size / CONTRACT if yes else None,
            ask=(DOLLAR - no) / DOLLAR if no else None,
            ask_size=no_size / CONTRACT if no else None,
            last=None if last is None else last.price,
        )

    def _rest(self, market_ticker: str) -> str:
        """Return what a market's ticker says beside its event's."""
        return market_ticker.removeprefix(self.event_ticker).lstrip("-")

    def _see_decimals(self, facts: Iterable[MarketFacts], legs: Iterable[Leg]) -> None:
        """Learn how many decimals of a cent there are, never fewer again: columns that come and go would jump."""
        prices = [round(each * DOLLAR) for leg in legs for each in (leg.bid, leg.ask) if each is not None]
        prices += [step for each in facts for *_, step in each.price_ranges or ()]
        for price in prices:
            needed = 2 if price % 10 else 1 if price % 100 else 0
            self._decimals = max(self._decimals, needed)

    def _status(self, legs: Sequence[Leg]) -> str:
        if self._feed.over() or self.is_over:
            return "closed"
        found = {leg.status for leg in legs if not leg.is_decided}
        if not found:
            return "live"
        return next(each for each in ("live", "stale", "connecting", "closed", "unknown") if each in found)

    def _note(self, legs: Sequence[Leg], status: str) -> str:
        """Say what is amiss, the worst of it."""
        if status == "closed":
            return ""
        if self._feed.note:
            return self._feed.note
        unknown = [leg.ticker for leg in legs if leg.status == "unknown"]
        if unknown:
            return f"no such market: {', '.join(unknown[:2])}{' …' if len(unknown) > 2 else ''}"
        stale = sum(leg.status == "stale" for leg in legs)
        if stale:
            return f"{stale} of {len(legs)} books stale: messages were lost, asking again"
        if self._are_all:
            more = len(self._feed.markets_of(self.event_ticker)) - len(legs)
            if more > 0:
                return f"{more} more {'market' if more == 1 else 'markets'} since; run the cell anew"
        return ""


_SINCE: Final = 5
_VERSION: Final = 6
_CHANGED: Final = 7


def _read(ladder: LadderReading | None) -> tuple[Any, ...]:
    """Return best prices and sizes, status, since when, version and last change of one moment."""
    if ladder is None:
        return (*_NOTHING, "unknown", 0, 0, 0)
    while True:
        version = ladder.version
        found = (*ladder.top(), ladder.status, ladder.status_since, version, ladder.changed_at)
        if version == ladder.version:
            return found


def _is_decided(facts: MarketFacts) -> bool:
    return facts.status in ("determined", "disputed", "amended", "finalized")


def _strike(facts: MarketFacts) -> tuple[Any, ...]:
    """Return what a market is put in order by: its strike, and its name where there is none."""
    low, high = facts.floor_strike, facts.cap_strike
    if low is None and high is None:
        return (1, 0.0, 0.0, facts.market_ticker)
    return (0, -math.inf if low is None else low, math.inf if high is None else high, facts.market_ticker)
