"""What a view of an account is handed: positions, orders and fills at one moment, in dollars and contracts."""

from __future__ import annotations

import time
from collections.abc import Hashable
from typing import Any, Final, NamedTuple

__all__ = ["CHANNELS", "AccountPicture", "Deal", "Holding", "Name", "Section", "Total", "Working"]

CHANNELS: Final = {"positions": "market_positions", "orders": "user_orders", "fills": "fill"}
"""The sections of the view in their order, and the channels that they are of."""


class Name(NamedTuple):
    """What a market is called: its ticker and, where they are known, its question and what YES stands for in it."""

    ticker: str
    title: str | None = None
    subtitle: str | None = None


class Holding(NamedTuple):
    """What is held in one market.

    Attributes
    ----------
    market : Name
        Of which.
    size : float or None
        Contracts: YES above zero, NO below. None, as every amount here, where amounts are not to be seen.
    average : float or None
        What one contract cost, in dollars.
    mark : float or None
        What one would bring now, in dollars of the side that is held; None where nobody knows.
    by : str
        What the mark is: ``"bid"``, the best one in a book that the feed keeps, or ``"last"``, the newest trade.
    unrealized : float or None
        What all of it would bring less what it cost, in dollars.
    realized, fees : float or None
        What was won, and paid in fees, in dollars.
    side : str
        ``"yes"``, ``"no"`` or ``"flat"``.
    """

    market: Name
    size: float | None
    average: float | None
    mark: float | None
    by: str
    unrealized: float | None
    realized: float | None
    fees: float | None
    side: str


class Working(NamedTuple):
    """One order: what it buys at which dollars of that side, contracts left of how many, its status, since when.

    `is_over` where it rests no more; `is_doubtful` where its end may have been missed in a gap.
    """

    market: Name
    side: str | None
    price: float | None
    left: float | None
    initial: float | None
    status: str
    at: float
    is_over: bool
    is_doubtful: bool


class Deal(NamedTuple):
    """One fill: what was bought at which dollars of that side, contracts, maker or taker, the fee in dollars, when."""

    market: Name
    side: str | None
    price: float | None
    size: float | None
    is_taker: bool | None
    fee: float | None
    at: float


class Total(NamedTuple):
    """Dollars of all positions together; the unrealized of those alone that have a mark, `marked` of `held`."""

    unrealized: float | None
    realized: float | None
    fees: float | None
    marked: int
    held: int


class Section(NamedTuple):
    """Some rows, and how many more there are."""

    rows: tuple[Any, ...] = ()
    more: int = 0


class AccountPicture(NamedTuple):
    """All that is shown of an account, of one moment and never changed afterwards.

    Attributes
    ----------
    version : hashable
        Differs whenever anything that is shown does, but for ages.
    status : str
        ``"connecting"``, ``"live"``, ``"stale"`` or ``"closed"``.
    status_since : float
        Since when, epoch seconds by this computer's clock.
    clock : float
        When it was taken by the feed's clock, epoch seconds.
    title : str
        What it is of.
    note : str
        What to say of the link.
    sections : dict
        By their names, keys of `CHANNELS`, those that somebody hears of.
    total : Total or None
        Of the positions.
    changes : int
        Counts rows that came.
    told_since : float or None
        Since when by the feed's own clock, which is what texts tell, as of a replay; as `status_since` where None.
    is_masked : bool
        Whether all of it is left out: it may be stored where it goes.
    is_hidden : bool
        Whether amounts are left out: others see the screen.
    """

    version: Hashable
    status: str
    status_since: float
    clock: float
    title: str
    note: str = ""
    sections: dict[str, Section] = {}  # noqa: RUF012  # never changed
    total: Total | None = None
    changes: int = 0
    is_masked: bool = False
    is_hidden: bool = False
    told_since: float | None = None

    def masked(self) -> AccountPicture:
        """Return which sections there are, and nothing of what is in them."""
        return self._replace(sections=dict.fromkeys(self.sections, Section()), total=None, changes=0, is_masked=True)

    def hidden(self) -> AccountPicture:
        """Return it without amounts: markets, sides, and what everybody sees are left."""
        kept = {
            name: section._replace(rows=tuple(map(_hidden, section.rows))) for name, section in self.sections.items()
        }
        return self._replace(sections=kept, total=None, is_hidden=True)

    def body(self) -> dict[str, Any]:
        """Return it as the browser is sent it."""
        return {
            "title": self.title,
            "clock": self.clock,
            "age": max(0.0, time.time() - self.status_since),
            "note": self.note,
            "masked": self.is_masked,
            "hidden": self.is_hidden,
            "markets": {
                row.market.ticker: row.market[1:] for section in self.sections.values() for row in section.rows
            },
            "sections": {
                name: {"rows": [_sent(row) for row in section.rows], "more": section.more}
                for name, section in self.sections.items()
            },
            "total": None if self.total is None else self.total._asdict(),
        }


def _hidden(row: Any) -> Any:
    amounts = {
        Holding: ("size", "average", "unrealized", "realized", "fees"),
        Working: ("left", "initial"),
        Deal: ("size", "fee"),
    }[type(row)]
    return row._replace(**dict.fromkeys(amounts))


def _sent(row: Any) -> dict[str, Any]:
    return {**row._asdict(), "market": row.market.ticker}
