"""Which of a feed's connections sends what.

Books are by far the most of the traffic and have to be named, so they are spread market by market. Every other
channel lives whole on one connection: somebody may want all of its markets, and two connections that both
send one market would send everything about it twice.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Final

from kalshi_nb._rows.channels import BOOKS, CHANNELS

__all__ = ["Placement"]

_ORDER: Final = {channel: position for position, channel in enumerate(CHANNELS)}


class Placement:
    """Where each market's book comes from, and where each other channel does.

    A market stays where it is for as long as anybody wants it: its deltas keep their order, and a second
    interest finds its book.

    Parameters
    ----------
    connections : int
        How many there are; they are numbered from 0.
    """

    def __init__(self, connections: int) -> None:
        self._homes: dict[str, int] = {}
        self._interests: Counter[str] = Counter()
        self._load = [0] * connections
        self._room: dict[int, int] = {}

    def home(self, channel: str) -> int:
        """Return the connection of a channel that lives whole on one."""
        return _ORDER[channel] % len(self._load)

    def homes(self, channel: str, market_tickers: Iterable[str] | None) -> frozenset[int]:
        """Return the connections that markets of a channel (None: all of them) come from."""
        if channel != BOOKS:
            return frozenset({self.home(channel)})
        if market_tickers is None:
            return frozenset(range(len(self._load)))
        return frozenset(self._homes[each] for each in market_tickers if each in self._homes)

    def place(self, market_tickers: Iterable[str]) -> dict[int, frozenset[str]]:
        """Want the books of some markets once more; return which connection is to send which."""
        for each in sorted(market_tickers):
            self._interests[each] += 1
            if each not in self._homes:
                self._settle(each, self._emptiest())
        return self._by_home(market_tickers)

    def release(self, market_tickers: Iterable[str]) -> None:
        """Want the books of some markets once less."""
        for each in market_tickers:
            self._interests[each] -= 1
            if not self._interests[each]:
                del self._interests[each]
                self._load[self._homes.pop(each)] -= 1

    def move(self, market_tickers: Iterable[str], refused_by: int) -> dict[int, frozenset[str]] | None:
        """Find other connections for markets that one has no more room for; None when no other has any."""
        tickers = sorted(market_tickers)
        staying = [each for each in tickers if self._homes[each] == refused_by]
        if staying:
            self._room[refused_by] = self._load[refused_by] - len(staying)
        for each in staying:
            home = self._emptiest()
            if self._is_full(home):
                return None
            self._load[refused_by] -= 1
            self._settle(each, home)
        return self._by_home(tickers)

    def _settle(self, ticker: str, home: int) -> None:
        self._homes[ticker] = home
        self._load[home] += 1

    def _emptiest(self) -> int:
        """Return the connection with the fewest markets, one with room if there is any."""
        return min(range(len(self._load)), key=lambda each: (self._is_full(each), self._load[each]))

    def _is_full(self, connection: int) -> bool:
        return self._load[connection] >= self._room.get(connection, self._load[connection] + 1)

    def _by_home(self, market_tickers: Iterable[str]) -> dict[int, frozenset[str]]:
        found: dict[int, set[str]] = defaultdict(set)
        for each in market_tickers:
            found[self._homes[each]].add(each)
        return {home: frozenset(found[home]) for home in sorted(found)}
