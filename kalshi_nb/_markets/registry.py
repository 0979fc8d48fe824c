"""The registry of what is known of markets and events: many sources write, anybody reads.

**Threads.** Lifecycle messages are read by whoever takes the rows of their channels from the engine: the pipeline
thread or, while it is idle, the users' thread, one of them at a time. That thread has the rows in their order, reads
them before it brings them to frames and callbacks (so a callback finds here what the message it was called for says),
and unlike the io thread it may take its time over nested JSON: what every market's creation costs must not be paid
where the books of others wait. A simulated exchange calls from its own thread, REST will from its own. So every method
takes one lock, holds it for a few dictionary accesses, and calls nobody meanwhile; the collector may run then, and
nothing that it finalizes comes here. What is handed out is frozen.

**Order.** The sources are not one after another: a message may wait in the engine while an answer that was made after
it is read. Each fact therefore has the exchange's time at which it was said, and the newest wins, fact by fact;
of two of the same millisecond, which is as fine as messages tell it, the one that came later.
"""

from __future__ import annotations

import threading
from array import array
from collections import OrderedDict
from dataclasses import fields, replace
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from kalshi_nb._markets.last_trades import LastTrades
from kalshi_nb._markets.marks import OwnMarks
from kalshi_nb._markets.recent_trades import RecentTrades
from kalshi_nb._rows.market_facts import EventFacts, MarketFacts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kalshi_nb._rows.market_facts import Phase
    from kalshi_nb._rows.rows import Row

__all__ = ["MOST_EVENTS", "MOST_MARKETS", "MarketRegistry"]

MOST_MARKETS: Final = 100_000
MOST_EVENTS: Final = 20_000

_LONGEST: Final = 1_000
"""Characters of a text that are kept: the memory is bounded in bytes, too, and no real title comes near."""

_OF_EVENT: Final = {"title": "event_title", "mutually_exclusive": "mutually_exclusive"}
"""What a market's record repeats of its event's, and under which name."""

_Facts = TypeVar("_Facts", EventFacts, MarketFacts)


class _Known(Generic[_Facts]):
    """One record, and the millisecond at which each of its facts was said."""

    __slots__ = ("facts", "said")

    def __init__(self, facts: _Facts, number: int) -> None:
        self.facts: _Facts = facts
        self.said = array("q", bytes(8 * number))


class MarketRegistry:
    """What is known of the markets and events of one feed; bounded, and safe to use from any thread.

    Parameters
    ----------
    most_markets, most_events : int
        How many records are kept. Of more, those of markets that are paid out go first, then those that nobody
        wrote or read for the longest time.
    """

    def __init__(self, most_markets: int = MOST_MARKETS, most_events: int = MOST_EVENTS) -> None:
        self._most_markets = most_markets
        self._most_events = most_events
        self._lock = threading.Lock()
        self._version = 0
        self._dropped = 0
        self._dropped_events = 0
        self._running: OrderedDict[str, _Known[MarketFacts]] = OrderedDict()
        self._over: OrderedDict[str, _Known[MarketFacts]] = OrderedDict()
        self._events: OrderedDict[str, _Known[EventFacts]] = OrderedDict()
        self._members: dict[str, set[str]] = {}
        self.last_trades = LastTrades()
        """What was traded last."""
        self.recent_trades = RecentTrades()
        """The trades that came last."""
        self.own_marks = OwnMarks()
        """One's own orders and fills."""

    def learn_trades(self, rows: Sequence[Row]) -> None:
        """Take up some rows of trades, in their order; one thread at a time."""
        self.last_trades.learn(rows)
        self.recent_trades.learn(rows)

    @property
    def version(self) -> int:
        """A number that grows whenever a fact changes; who has seen this one has nothing to read."""
        return self._version

    @property
    def dropped(self) -> int:
        """Records of markets that went to make room."""
        return self._dropped

    @property
    def dropped_events(self) -> int:
        """Records of events that went to make room."""
        return self._dropped_events

    def __len__(self) -> int:
        with self._lock:
            return len(self._running) + len(self._over)

    # Writing ------------------------------------------------------------------------------------------

    def update(self, market_ticker: str, at: int, facts: Mapping[str, Any]) -> None:
        """Take up what was said of a market.

        Parameters
        ----------
        market_ticker : str
            Of which.
        at : int
            When it was said, in microseconds of the exchange's time.
        facts : mapping of str to value
            By the names of :class:`MarketFacts`; None says nothing, and takes nothing back. What is the event's
            goes to :meth:`update_event`.
        """
        with self._lock:
            known = self._running.get(market_ticker) or self._over.get(market_ticker)
            if known is None:
                known = _Known(MarketFacts(market_ticker=market_ticker), len(_MARKET_PLACES))
            changes = _news(known, _MARKET_PLACES, at, facts)
            event_ticker = changes.get("event_ticker", known.facts.event_ticker)
            if "event_ticker" in changes:
                self._leave_event(known.facts)
                changes |= self._of_event(changes["event_ticker"])
            if changes or not known.facts.version:
                known.facts = replace(known.facts, **changes, version=self._next_version())
            if event_ticker is not None:
                self._members.setdefault(event_ticker, set()).add(market_ticker)
            self._keep(market_ticker, known)

    def update_event(self, event_ticker: str, at: int, facts: Mapping[str, Any]) -> None:
        """Take up what was said of an event, also in the records of its markets.

        Parameters
        ----------
        event_ticker, at, facts
            As for :meth:`update`; the names are those of :class:`EventFacts`.
        """
        with self._lock:
            known = self._events.get(event_ticker)
            if known is None:
                known = _Known(EventFacts(event_ticker=event_ticker), len(_EVENT_PLACES))
            changes = _news(known, _EVENT_PLACES, at, facts)
            if changes or not known.facts.version:
                known.facts = replace(known.facts, **changes, version=self._next_version())
            self._events[event_ticker] = known
            self._events.move_to_end(event_ticker)
            while len(self._events) > self._most_events:
                self._events.popitem(last=False)
                self._dropped_events += 1
            repeated = {_OF_EVENT[name]: value for name, value in changes.items() if name in _OF_EVENT}
            if repeated:
                for ticker in self._members.get(event_ticker, ()):
                    market = self._running.get(ticker) or self._over[ticker]
                    market.facts = replace(market.facts, **repeated, version=self._next_version())

    def _next_version(self) -> int:
        self._version += 1
        return self._version

    def _of_event(self, event_ticker: str) -> dict[str, Any]:
        event = self._events.get(event_ticker)
        return {
            repeated: None if event is None else getattr(event.facts, name) for name, repeated in _OF_EVENT.items()
        }

    def _leave_event(self, facts: MarketFacts) -> None:
        if facts.event_ticker is not None:
            members = self._members[facts.event_ticker]
            members.discard(facts.market_ticker)
            if not members:
                del self._members[facts.event_ticker]

    def _keep(self, market_ticker: str, known: _Known[MarketFacts]) -> None:
        mine, other = self._running, self._over
        if known.facts.status == "finalized":
            mine, other = other, mine
        other.pop(market_ticker, None)
        mine[market_ticker] = known
        mine.move_to_end(market_ticker)
        while len(self._running) + len(self._over) > self._most_markets:
            _, gone = (self._over or self._running).popitem(last=False)
            self._leave_event(gone.facts)
            self._dropped += 1

    # Reading ------------------------------------------------------------------------------------------

    def get(self, market_ticker: str) -> MarketFacts:
        """Return what is known of a market now: a record of Nones, but for the ticker, where nothing is."""
        with self._lock:
            for kept in (self._running, self._over):
                known = kept.get(market_ticker)
                if known is not None:
                    kept.move_to_end(market_ticker)  # what a view shows is the last to go
                    return known.facts
        return MarketFacts(market_ticker=market_ticker)

    def phase(self, market_ticker: str, now_us: int) -> Phase | None:
        """Return how far a market has come; see :meth:`MarketFacts.phase`."""
        return self.get(market_ticker).phase(now_us)

    def event(self, event_ticker: str) -> EventFacts:
        """Return what is known of an event now: a record of Nones, but for the ticker, where nothing is."""
        with self._lock:
            known = self._events.get(event_ticker)
            if known is not None:
                self._events.move_to_end(event_ticker)
                return known.facts
        return EventFacts(event_ticker=event_ticker)

    def tickers(self, most: int) -> list[str]:
        """Return tickers of markets that are not paid out, those that were read or written last first."""
        with self._lock:
            return list(islice(reversed(self._running), most))

    def markets_of(self, event_ticker: str) -> list[MarketFacts]:
        """Return the markets that are known to belong to an event, all of one moment, by ticker."""
        with self._lock:
            members = sorted(self._members.get(event_ticker, ()))
            return [(self._running.get(ticker) or self._over[ticker]).facts for ticker in members]


def _places(record: type[EventFacts | MarketFacts], *others: str) -> dict[str, int]:
    """Return where the time of each fact is noted; `others` are no facts that anybody says."""
    names = (each.name for each in fields(record) if each.name not in others)
    return {name: place for place, name in enumerate(names)}


_MARKET_PLACES: Final = _places(MarketFacts, "market_ticker", "version", *_OF_EVENT.values())
_EVENT_PLACES: Final = _places(EventFacts, "event_ticker", "version")


def _news(known: _Known[_Facts], places: Mapping[str, int], at: int, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return those facts that are newer than what is known and say something else; note when each was said."""
    millisecond = at // 1_000
    news: dict[str, Any] = {}
    for name, value in facts.items():
        place = places[name]
        if value is None or millisecond < known.said[place]:
            continue
        known.said[place] = millisecond
        kept = value[:_LONGEST] if isinstance(value, str) else value
        if getattr(known.facts, name) != kept:
            news[name] = kept
    return news
