"""What a board is handed: the present row of each of its markets at one moment, in dollars, contracts and seconds."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    import polars as pl

__all__ = ["COLUMNS", "NUMBERS", "STATES", "BoardPicture", "Named"]

NUMBERS: Final = ("bid", "ask", "last", "volume", "open_interest", "closes", "state")
"""What is known of a market in numbers: YES dollars, contracts, epoch seconds, and a place in `STATES`."""

COLUMNS: Final = (
    "market",
    "prob",
    "bid",
    "ask",
    "spread",
    "last",
    "volume",
    "open_interest",
    "change",
    "trend",
    "closes",
)
"""What a board can show of a market, in the order in which it does."""

STATES: Final = (
    "active",
    "initialized",
    "inactive",
    "closed",
    "determined",
    "disputed",
    "amended",
    "finalized",
    "stale",
)
"""How a market stands: how far it has come, or that messages of it were lost."""


class Named(NamedTuple):
    """What a market is called.

    Attributes
    ----------
    ticker : str
        Its name.
    title, subtitle : str
        The question, and what YES stands for; empty where that is not known.
    """

    ticker: str
    title: str = ""
    subtitle: str = ""


class BoardPicture(NamedTuple):
    """All that a board shows, of one moment and never changed afterwards.

    Attributes
    ----------
    version : hashable
        Differs whenever anything that is shown does.
    status : str
        ``"connecting"``, ``"live"``, ``"stale"`` or ``"closed"``.
    clock : float
        When it was taken by the feed's clock, epoch seconds.
    order : int
        Counts how often the rows were chosen anew or named anew; between two pictures of one number a row's place is
        its market's.
    names : tuple of Named
        The rows' markets.
    values : polars.DataFrame
        A row each, columns `NUMBERS`, 64-bit floats; null is "none", or "not known".
    total : int
        How many markets there are to choose from that are not over.
    sort : str
        By which column they were chosen, with ``-`` in front the largest first.
    filter : str
        Words that each of them has.
    note : str
        What to say below it.
    changes : int
        Counts changes.
    mine : frozenset of str or None
        One's own markets, with a position or with resting orders; None where nobody hears of these.
    is_mine : bool
        Whether the rows are of one's own markets alone.
    """

    version: Hashable
    status: str
    clock: float
    order: int
    names: tuple[Named, ...]
    values: pl.DataFrame
    total: int
    sort: str
    filter: str
    note: str = ""
    changes: int = 0
    mine: frozenset[str] | None = None
    is_mine: bool = False
