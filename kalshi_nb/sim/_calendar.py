"""When markets close, are determined and are paid out: by the exchange's own clock, whatever the tape does.

A tape can be late, when a computer slept or trading stands still; a close is an hour on the clock. Nothing is sent
when it comes, as on the real exchange: only that nobody trades any more.
"""

from __future__ import annotations

import heapq
import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from kalshi_nb.sim._catalogue import CATALOGUE, EVENTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kalshi_nb.sim._events import Lifecycle
    from kalshi_nb.sim._market import ListedEvent, Market, Side

__all__ = ["NEVER_US", "Calendar", "Due", "Listing"]

NEVER_US: Final = 1 << 62
_SECOND: Final = 1_000_000

_APPROACH: Final = 4
"""In the last such part of the time until the first close prices go where it will end."""
_WAIT: Final = 12
"""The result is told such a part of that time after the close, and paid as much later."""

Act = Literal["approach", "close", "determine", "settle"]


class Due(NamedTuple):
    """Something that the clock makes happen to an event's markets, or, a close, to one of them."""

    at_us: int
    number: int
    act: Act
    subject: str


@dataclass(slots=True)
class Listing:
    """How one market stands; times are microseconds since 1970."""

    market: Market
    event: ListedEvent
    open_us: int
    close_us: int
    status: str = "active"
    result: Side | None = None
    settlement_value: int | None = None
    determined_us: int | None = None
    settled_us: int | None = None

    def facts(self) -> dict[str, Any]:
        """Return all that there is to know of it but what the clock says, as plain data."""
        market = self.market
        return {
            "market_ticker": market.ticker,
            "title": market.title,
            "subtitle": market.subtitle,
            "strike_type": market.strike_type,
            "floor_strike": market.floor_strike,
            "cap_strike": market.cap_strike,
            "event_ticker": market.event_ticker,
            "open_time": self.open_us,
            "close_time": self.close_us,
            "price_level_structure": market.price_level_structure,
            "price_ranges": market.price_ranges,
            "status": self.status,
            "result": self.result,
            "settlement_value": self.settlement_value,
            "determined_at": self.determined_us,
            "settled_at": self.settled_us,
        }


class Calendar:
    """The times of all markets.

    Parameters
    ----------
    start_us : int
        When the exchange begins.
    closes_in : float
        Seconds until the first event closes; the others follow in proportion.

    Attributes
    ----------
    listings : dict of str to Listing
        Every market by ticker.
    approach_us : int
        How long before its close an event's prices begin to go where it will end.
    """

    def __init__(self, start_us: int, closes_in: float) -> None:
        self.listings: dict[str, Listing] = {}
        self.approach_us = math.ceil(closes_in / _APPROACH * _SECOND)
        self._wait_us = math.ceil(closes_in / _WAIT) * _SECOND
        self._due: list[Due] = []
        self._numbers = itertools.count()
        for event in EVENTS.values():
            # Whole seconds: frames tell no other times of closing.
            close_us = math.ceil(start_us / _SECOND + closes_in * event.closes_after) * _SECOND
            self._add(close_us - self.approach_us, "approach", event.ticker)
            self._add(close_us + self._wait_us, "determine", event.ticker)
            self._add(close_us + 2 * self._wait_us, "settle", event.ticker)
            for market, _ in CATALOGUE:
                if market.event_ticker == event.ticker:
                    self._add(close_us, "close", market.ticker)
                    open_us = max(0, start_us // _SECOND - event.open_for) * _SECOND
                    self.listings[market.ticker] = Listing(market, event, open_us, close_us)
        self._planned = {ticker: listing.close_us for ticker, listing in self.listings.items()}

    def _add(self, at_us: int, act: Act, subject: str) -> None:
        heapq.heappush(self._due, Due(at_us, next(self._numbers), act, subject))

    @property
    def next_us(self) -> int:
        """When the clock makes something happen next."""
        return self._due[0].at_us if self._due else NEVER_US

    def take(self, at_us: int) -> Iterator[Due]:
        """Yield what is due at a moment; a close that was put off is passed over."""
        while self._due and self._due[0].at_us <= at_us:
            due = heapq.heappop(self._due)
            if due.act != "close" or due.at_us == self.listings[due.subject].close_us:
                yield due

    def markets_of(self, event_ticker: str) -> list[Listing]:
        """Return the markets of an event, in the catalogue's order."""
        return [each for each in self.listings.values() if each.market.event_ticker == event_ticker]

    def put_off(self, ticker: str, share: float) -> int:
        """Put a market's close off, by up to half of the wait for its result and never back; return when it is."""
        listing = self.listings[ticker]
        later_us = self._planned[ticker] + int(share * self._wait_us / 2) // _SECOND * _SECOND
        if later_us > listing.close_us:
            listing.close_us = later_us
            self._add(later_us, "close", ticker)
        return listing.close_us

    def note(self, event: Lifecycle, at_us: int) -> None:
        """Take up what happened to a market."""
        listing = self.listings[event.market.ticker]
        if event.event_type == "determined":
            listing.status, listing.determined_us = "determined", at_us
            listing.result = "yes" if event.result == "yes" else "no"
            listing.settlement_value = event.settlement_value
        elif event.event_type == "settled":
            listing.status, listing.settled_us = "finalized", at_us
        elif event.is_deactivated is not None:
            listing.status = "inactive" if event.is_deactivated else "active"
