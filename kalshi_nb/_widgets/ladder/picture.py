"""What a ladder view is handed: one market's levels at one moment, in dollars and contracts."""

from __future__ import annotations

import time
from collections.abc import Hashable
from typing import Any, NamedTuple

from kalshi_nb._widgets.chances import denied

__all__ = ["Fill", "LadderPicture", "Last", "Level", "Market", "Order"]

Level = tuple[float, float]
"""A price in dollars and a size in contracts."""

Order = tuple[str, float, float]
"""A resting order of one's own: what it buys (``"yes"`` is a bid, ``"no"`` an ask), YES dollars, contracts left."""

Fill = tuple[str, float, float, float]
"""A fill of one's own: what was bought, YES dollars, contracts, epoch seconds."""


class Last(NamedTuple):
    """The newest trade: YES dollars, contracts, the taker's side (``"yes"`` or ``"no"``), epoch seconds."""

    price: float
    size: float
    taker: str | None
    at: float


class Market(NamedTuple):
    """What a market is, as far as it is known; all but the ticker may be None.

    Attributes
    ----------
    ticker, title, subtitle : str
        Its name and what is asked.
    phase : str
        ``"initialized"``, ``"active"``, ``"inactive"``, ``"closed"``, ``"determined"``, ``"disputed"``,
        ``"amended"`` or ``"finalized"``.
    open_time, close_time, settled_at : float
        When trading begins and ends, and when it was paid: epoch seconds by the exchange's clock.
    result : str
        ``"yes"``, ``"no"``, ``"scalar"`` or another word of the exchange's.
    settlement : float
        What a YES contract pays, dollars.
    """

    ticker: str
    title: str | None = None
    subtitle: str | None = None
    phase: str | None = None
    open_time: float | None = None
    close_time: float | None = None
    settled_at: float | None = None
    result: str | None = None
    settlement: float | None = None

    @property
    def is_decided(self) -> bool:
        """Whether what it pays is known, or was and is looked at again."""
        return self.phase in ("determined", "disputed", "amended", "finalized")


class LadderPicture(NamedTuple):
    """All that a ladder shows, of one moment and never changed afterwards.

    Attributes
    ----------
    version : hashable
        Differs whenever anything that is shown does, but for ages. A view sends nothing for a version it has sent.
    status : str
        ``"connecting"``, ``"live"``, ``"stale"``, ``"unknown"`` (no such market) or ``"closed"``.
    status_since : float
        Since when the status holds: epoch seconds by this computer's clock, which ages are counted against.
    clock : float
        When it was taken by the feed's own clock, epoch seconds: what `changed_at` and the market's times are by.
    market : Market
        What the market is.
    asks, bids : tuple of (float, float)
        Price in YES dollars and size in contracts, best first. A missing side is empty.
    changed_at : float or None
        When the newest change was received, in epoch seconds; None where there was none yet. It is the feed's
        own time: the exchange gives a snapshot none.
    decimals : int
        Decimals of a cent that prices have: 0 where they are whole cents, up to 2.
    note : str
        Free text for the foot of the ladder, such as a gap's reason. May be empty.
    ticks : tuple of (int, int, int) or None
        The grid of prices: ranges of start, end and step in 1/10000 dollar; None where it is not known.
    last : Last or None
        The newest trade.
    orders, fills : tuple
        One's own.
    changes : int
        Counts the changes of the ladder.
    told_since : float or None
        Since when by the feed's own clock, which is what texts tell, as of a replay; as `status_since` where None.
    touch : tuple of Level or None, or None
        The best bid and ask of the book where the levels are not its own, but merged ones.
    is_no : bool
        Whether all of it is of the NO leg.
    """

    version: Hashable
    status: str
    status_since: float
    clock: float
    market: Market
    asks: tuple[Level, ...] = ()
    bids: tuple[Level, ...] = ()
    changed_at: float | None = None
    decimals: int = 0
    note: str = ""
    ticks: tuple[tuple[int, int, int], ...] | None = None
    last: Last | None = None
    orders: tuple[Order, ...] = ()
    fills: tuple[Fill, ...] = ()
    changes: int = 0
    touch: tuple[Level | None, Level | None] | None = None
    is_no: bool = False
    told_since: float | None = None

    @property
    def best_levels(self) -> tuple[Level | None, Level | None]:
        """The best bid and the best ask of the book; None where a side is missing."""
        if self.touch is not None:
            return self.touch
        return self.bids[0] if self.bids else None, self.asks[0] if self.asks else None

    @property
    def mid(self) -> float | None:
        """Halfway between best bid and best ask, in dollars; None where a side is missing."""
        bid, ask = self.best_levels
        return None if bid is None or ask is None else (ask[0] + bid[0]) / 2

    @property
    def spread(self) -> float | None:
        """Best ask less best bid, in dollars on the market's own grid; None where a side is missing."""
        bid, ask = self.best_levels
        return None if bid is None or ask is None else round(ask[0] - bid[0], 4)

    @property
    def imbalance(self) -> float | None:
        """(bid - ask) / (bid + ask) of the contracts at the best prices, -1 to 1; None where a side is missing."""
        bid, ask = self.best_levels
        if bid is None or ask is None:
            return None
        both = bid[1] + ask[1]
        return (bid[1] - ask[1]) / both if both else None

    @property
    def probability(self) -> tuple[float, str] | None:
        """What YES is held to be worth, and of what kind that is: ``"mid"``, ``"last"`` or, once known, ``"paid"``.

        The mid where both sides are there and no more than 10 cents apart; else the last trade, unless a bid above it
        or an ask below it denies that; else nothing. A one-sided or wide book has no middle at which anybody would
        deal.
        """
        if self.market.is_decided and self.market.settlement is not None:
            return self.market.settlement, "paid"
        mid, spread = self.mid, self.spread
        if mid is not None and spread is not None and 0 <= spread <= 0.1:
            return mid, "mid"
        bid, ask = (None if level is None else level[0] for level in self.best_levels)
        return None if self.last is None or denied(self.last.price, bid, ask) else (self.last.price, "last")

    def best(self, levels: int) -> LadderPicture:
        """Return the same with so many levels a side, at most."""
        return self._replace(asks=self.asks[:levels], bids=self.bids[:levels])

    def mirrored(self) -> LadderPicture:
        """Return the same for the NO leg: a YES ask at 60 cents is a NO bid at 40."""
        market = self.market
        if market.settlement is not None:
            market = market._replace(settlement=_other(market.settlement))
        last = None if self.last is None else self.last._replace(price=_other(self.last.price))
        bid, ask = (None if level is None else (_other(level[0]), level[1]) for level in self.best_levels[::-1])
        return self._replace(
            market=market,
            asks=tuple((_other(price), size) for price, size in self.bids),
            bids=tuple((_other(price), size) for price, size in self.asks),
            last=last,
            orders=tuple((bought, _other(price), left) for bought, price, left in self.orders),
            fills=tuple((bought, _other(price), count, at) for bought, price, count, at in self.fills),
            touch=None if self.touch is None else (bid, ask),
            is_no=not self.is_no,
        )

    def body(self) -> dict[str, Any]:
        """Return it as the browser is sent it, prices of the YES leg whatever is shown."""
        return {
            "market": self.market._asdict(),
            "clock": self.clock,
            "age": max(0.0, time.time() - self.status_since),
            "note": self.note,
            "decimals": self.decimals,
            "ticks": None if self.ticks is None else [list(each) for each in self.ticks],
            "bids": [list(level) for level in self.bids],
            "asks": [list(level) for level in self.asks],
            "last": None if self.last is None else self.last._asdict(),
            "orders": [list(order) for order in self.orders],
            "fills": [list(fill) for fill in self.fills],
            "changed": self.changed_at,
            "version": self.changes,
            **({} if self.touch is None else {"touch": list(self.touch)}),
        }


def _other(price: float) -> float:
    """Return the price of the other leg: a dollar less, on a grid of hundredths of a cent."""
    return round(1 - price, 4)
