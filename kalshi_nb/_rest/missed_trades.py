"""Trades that the socket did not bring, and the proof that those which were fetched are all of them.

The exchange shows a trade over REST up to some twenty seconds after it was made, and what it answers may lie in a
cache. So trades that were fetched for a gap are all that was missed only if those on either side of it, which the
socket brought, are among them. Until then nothing is proven, whatever was found.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from kalshi_nb._rest.trades import MARKET, TIME, TRADE_ID

if TYPE_CHECKING:
    from kalshi_nb._markets.recent_trades import Anchor
    from kalshi_nb._rest.trades import TradeHistory
    from kalshi_nb._rows.rows import Row

__all__ = ["MARGIN", "MS", "UNKNOWN", "Fetched", "fetch", "in_order"]

MS: Final = 1_000
"""What the socket tells to the millisecond is told over REST to the microsecond."""
MARGIN: Final = 1_000_000
UNKNOWN: Final = 60_000_000
"""So long before a gap was seen it began at most, where nobody knows any trade before it."""
_FEW_MARKETS: Final = 8
"""Of more markets the trades of the whole exchange are fetched: for a gap of a minute that is one question."""


@dataclass(frozen=True)
class Fetched:
    """The trades of a window, as the exchange told them.

    Attributes
    ----------
    rows : list of tuple
        All of them, in no order.
    untold : str
        What is to be said of those that could not be read; with some of them nothing is proven.
    """

    rows: list[Row]
    untold: str = ""

    @cached_property
    def ids(self) -> frozenset[str]:
        """What names them."""
        return frozenset(row[TRADE_ID] for row in self.rows)

    def proves(self, *anchors: Anchor | None) -> bool:
        """Tell whether trades that are known to have been made are among them; None for one that nobody knows."""
        return not self.untold and all(each is None or each.trade_id in self.ids for each in anchors)

    def missed(
        self, known: Collection[str], spans: Iterable[tuple[int, int]], wanted: frozenset[str] | None = None
    ) -> list[Row]:
        """Return those that nobody has, by time and id.

        Parameters
        ----------
        known : collection of str
            The ids of those that somebody has.
        spans : iterable of (int, int)
            From when to when, the end without, in microseconds.
        wanted : frozenset of str, optional
            Leave out those of other markets.
        """
        between = list(spans)
        return in_order(
            row
            for row in self.rows
            if row[TRADE_ID] not in known
            and (wanted is None or row[MARKET] in wanted)
            and any(begin <= row[TIME] < end for begin, end in between)
        )


def in_order(rows: Iterable[Row]) -> list[Row]:
    """Return trades by time and id."""
    return sorted(rows, key=lambda row: (row[TIME], row[TRADE_ID]))


def fetch(
    history: TradeHistory,
    wanted: frozenset[str] | None,
    since: int,
    until: int,
    on_page: Callable[[list[Row]], bool],
) -> Fetched | None:
    """Return the trades of a window, market by market where they are few.

    Parameters
    ----------
    history : TradeHistory
        Asks.
    wanted : frozenset of str or None
        Of which markets at least; None for all.
    since, until : int
        From when to when, both with, microseconds since 1970.
    on_page : callable
        Called with each page; returns whether to go on. Where it does not, None is returned.

    Raises
    ------
    RestError
        When the exchange does not answer.
    """
    several = wanted if wanted is not None and len(wanted) <= _FEW_MARKETS else None
    rows: list[Row] = []
    rejected = history.rejected
    for ticker in [None] if several is None else sorted(several):
        for page in history.pages(ticker, since, until):
            rows += page
            if not on_page(page):
                return None
    return Fetched(rows, history.told(rejected))
