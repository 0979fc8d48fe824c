"""What an event panel is handed: the markets of one event at one moment, in dollars and contracts, with their sums."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from typing import Any, Final, NamedTuple

from kalshi_nb._widgets.chances import denied

__all__ = ["SORTS", "EventPicture", "Leg", "Sums", "Total"]

SORTS: Final = ("strike", "probability")
"""What the markets can be put in order by; those that are decided stand at the end in any case."""

_DECIDED: Final = ("determined", "disputed", "amended", "finalized")
_WIDEST: Final = 0.1  # dollars between bid and ask, up to which their middle is a chance


class Leg(NamedTuple):
    """One market of the event.

    Attributes
    ----------
    ticker : str
        The market.
    words : str
        What YES stands for in the event; the rest of its ticker where nobody said.
    strike : tuple
        What the markets are put in order by.
    status : str
        What its book may be trusted for: ``"connecting"``, ``"live"``, ``"stale"``, ``"unknown"`` or ``"closed"``.
    since : float
        Since when, epoch seconds by this computer's clock.
    phase, result : str or None
        How far the market has come, and how it ended.
    settlement : float or None
        What a YES contract pays, dollars.
    close_time : float or None
        When trading ends, epoch seconds by the exchange's clock.
    bid, bid_size, ask, ask_size, last : float or None
        YES dollars and contracts; None where a side is empty, and where no trade was seen.
    """

    ticker: str
    words: str
    strike: tuple[Any, ...] = ()
    status: str = "live"
    since: float = 0.0
    phase: str | None = None
    result: str | None = None
    settlement: float | None = None
    close_time: float | None = None
    bid: float | None = None
    bid_size: float | None = None
    ask: float | None = None
    ask_size: float | None = None
    last: float | None = None

    @property
    def is_decided(self) -> bool:
        """Whether its result was told, so that it has left the sums."""
        return self.phase in _DECIDED

    @property
    def mid(self) -> float | None:
        """Halfway between bid and ask, in dollars, exact to half of 1/10000; None where a side is missing."""
        return None if self.bid is None or self.ask is None else round((self.bid + self.ask) / 2, 5)

    @property
    def chance(self) -> tuple[float, str] | None:
        """What YES is held to be worth and of what kind that is: ``"paid"``, ``"mid"``, ``"last"``; None if unknown.

        The mid where both sides are there and no more than 10 cents apart, else the last trade, unless a bid above it
        or an ask below it denies that.
        """
        if self.is_decided:
            return None if self.settlement is None else (self.settlement, "paid")
        mid = self.mid
        if mid is not None and 0 <= round((self.ask or 0) - (self.bid or 0), 4) <= _WIDEST:
            return mid, "mid"
        return None if self.last is None or denied(self.last, self.bid, self.ask) else (self.last, "last")


class Total(NamedTuple):
    """A sum over the markets that are not decided: dollars, and how many of them had something to add."""

    dollars: float
    markets: int


class Sums(NamedTuple):
    """What the markets that are not decided add up to, and how many there are."""

    mid: Total
    bid: Total
    ask: Total
    markets: int


class EventPicture(NamedTuple):
    """All that an event panel shows, of one moment and never changed afterwards.

    Attributes
    ----------
    version : hashable
        Differs whenever anything that is shown does, but for ages.
    status : str
        ``"connecting"``, ``"live"`` while any book is, ``"stale"``, ``"unknown"`` or ``"closed"``.
    status_since : float
        Since when: epoch seconds by this computer's clock.
    clock : float
        When it was taken by the feed's own clock, epoch seconds.
    event_ticker : str
        The event.
    title, subtitle : str or None
        What is asked.
    exclusive : bool or None
        Whether one of the markets at most is YES in the end; None where nobody said.
    legs : tuple of Leg
        The markets by strike, those that are decided at the end.
    decimals : int
        Decimals of a cent that prices have.
    note : str
        What is amiss.
    changed_at : float or None
        When the newest change of any book was received.
    changes : int
        Counts changes.
    told_since : float or None
        Since when by the feed's own clock, which is what texts tell, as of a replay; as `status_since` where None.
    current : str or None
        The market among them that is shown beside, in a dashboard's text.
    """

    version: Hashable
    status: str
    status_since: float
    clock: float
    event_ticker: str
    title: str | None = None
    subtitle: str | None = None
    exclusive: bool | None = None
    legs: tuple[Leg, ...] = ()
    decimals: int = 0
    note: str = ""
    changed_at: float | None = None
    changes: int = 0
    told_since: float | None = None
    current: str | None = None

    @property
    def open(self) -> tuple[Leg, ...]:
        """The markets whose result was not told yet."""
        return tuple(leg for leg in self.legs if not leg.is_decided)

    @property
    def sums(self) -> Sums | None:
        """What bids, asks and mids add up to; None where the markets do not exclude each other, or nobody said so."""
        legs = self.open
        if not self.exclusive or not legs:
            return None
        return Sums(
            _total(legs, lambda leg: leg.mid),
            _total(legs, lambda leg: leg.bid),
            _total(legs, lambda leg: leg.ask),
            len(legs),
        )

    @property
    def unnormalised(self) -> str:
        """Why the mids cannot be put in proportion to their sum, in words; nothing where they can."""
        if not self.exclusive:
            return "not normalised: the markets are not known to exclude each other"
        if not self.open:
            return "not normalised: every market is decided"
        if any(leg.result == "yes" for leg in self.legs if leg.is_decided):
            return "not normalised: one market is decided YES"
        lacking = [leg.words for leg in self.open if leg.mid is None]
        if lacking:
            more = f" and {len(lacking) - 1} more" if len(lacking) > 1 else ""
            return f"not normalised: {lacking[0]}{more} without both sides"
        return ""

    def shares(self) -> dict[str, float]:
        """Return each open market's mid in proportion to the sum of all mids; nothing where that cannot be said."""
        sums = self.sums
        if sums is None or not sums.mid.dollars or self.unnormalised:
            return {}
        return {leg.ticker: leg.mid / sums.mid.dollars for leg in self.open if leg.mid is not None}

    def ordered(self, sort: str) -> tuple[Leg, ...]:
        """Return the markets by ``"strike"``, or by ``"probability"``, the likeliest first and the unknown last."""
        if sort == "strike":
            return self.legs
        return tuple(
            sorted(self.legs, key=lambda leg: (leg.is_decided, leg.chance is None, -(leg.chance or (0, ""))[0]))
        )

    def body(self, *, normalise: bool) -> dict[str, Any]:
        """Return it as the browser is sent it."""
        sums = self.sums
        shares = self.shares() if normalise else {}
        return {
            "market": self._market(),
            "clock": self.clock,
            "age": max(0.0, time.time() - self.status_since),
            "note": self.note,
            "decimals": self.decimals,
            "changed": self.changed_at,
            "exclusive": self.exclusive,
            "sums": None if sums is None else sums._asdict(),
            "unnormalised": self.unnormalised if normalise else None,
            "legs": [_leg(leg, shares.get(leg.ticker)) for leg in self.legs],
        }

    def _market(self) -> dict[str, Any]:
        """Return the event in the place of a market, as far as its markets agree: the card tells of one."""
        told: dict[str, Any] = {"ticker": self.event_ticker, "title": self.title, "subtitle": self.subtitle}
        legs = self.open
        if legs:
            phases = {leg.phase for leg in legs}
            closes = {leg.close_time for leg in legs}
            told["phase"] = phases.pop() if len(phases) == 1 else "active"
            # While some are open, so is the event.
            told["close_time"] = None if None in closes else max(each for each in closes if each is not None)
            return told
        won = [leg for leg in self.legs if leg.result == "yes"]
        if self.exclusive and len(won) == 1:
            told |= {"phase": won[0].phase, "result": won[0].words, "settlement": won[0].settlement}
        elif self.legs and all(leg.phase == "finalized" for leg in self.legs):
            told["phase"] = "finalized"  # each by itself: there is no one result
        return told


def _total(legs: tuple[Leg, ...], price: Callable[[Leg], float | None]) -> Total:
    found = [each for leg in legs if (each := price(leg)) is not None]
    return Total(round(sum(found), 5), len(found))


def _leg(leg: Leg, share: float | None) -> dict[str, Any]:
    """Return a market as it travels, without what is not known of it."""
    told = leg._asdict()
    for name in ("strike", "since", "close_time"):
        del told[name]
    told |= {
        "chance": leg.chance,
        "over": leg.is_decided or None,
        "age": max(0.0, time.time() - leg.since) if leg.status == "stale" else None,
        "share": share,
    }
    return {name: value for name, value in told.items() if value is not None}
