"""All markets' events in one order of time, made only as far as they are asked for."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

from kalshi_nb.sim._catalogue import CATALOGUE
from kalshi_nb.sim._flow import MarketFlow

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kalshi_nb.sim._events import Event

__all__ = ["Tape"]


class Tape:
    """The one course that the markets of a seed take, however its time is cut into steps.

    Parameters
    ----------
    seed : int
        The same seed gives the same tape.

    Attributes
    ----------
    flows : dict of str to MarketFlow
        Every market by ticker, as it is after the events taken so far.
    """

    def __init__(self, seed: int) -> None:
        self.flows = {market.ticker: MarketFlow(seed, market, temper) for market, temper in CATALOGUE}
        self._order = list(self.flows.values())
        self.reorder()

    def reorder(self) -> None:
        """Look anew when each market's next event comes, after something was done to one from outside."""
        # Ties go to the market that stands first in the catalogue.
        self._due = [(flow.next_at, number) for number, flow in enumerate(self._order)]
        heapq.heapify(self._due)

    @property
    def next_at(self) -> int:
        """When the next event comes, microseconds since the tape began."""
        return self._due[0][0]

    def until(self, end: int) -> Iterator[Event]:
        """Yield the events up to and with `end`; what is yielded has happened."""
        while self._due[0][0] <= end:
            number = self._due[0][1]
            flow = self._order[number]
            yield from flow.step()
            heapq.heapreplace(self._due, (flow.next_at, number))
