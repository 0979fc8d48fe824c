"""What a ladder view is handed: one market's levels at one moment, in dollars and contracts."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["LadderPicture", "Level"]

Level = tuple[float, float]
"""A price in dollars and a size in contracts."""


class LadderPicture(NamedTuple):
    """All that a ladder shows, of one moment and never changed afterwards.

    Attributes
    ----------
    version : int
        Moves whenever levels, status or reason do. A view sends nothing for a version that it has sent.
    status : str
        ``"connecting"``, ``"live"``, ``"stale"``, ``"unknown"`` (no such market) or ``"closed"``.
    status_since : float
        Since when the status holds: epoch seconds by this computer's clock, which ages are counted against.
    asks, bids : tuple of (float, float)
        Price in YES dollars and size in contracts, best first. A missing side is empty.
    changed_at : float or None
        When the newest change was received, in epoch seconds; None where there was none yet. It is the feed's
        own time: the exchange gives a snapshot none.
    price_decimals : int
        Decimals of a price: 2 where prices are whole cents, up to 4.
    note : str
        Free text for the foot of the ladder, such as a gap's reason. May be empty.
    """

    version: int
    status: str
    status_since: float
    asks: tuple[Level, ...] = ()
    bids: tuple[Level, ...] = ()
    changed_at: float | None = None
    price_decimals: int = 2
    note: str = ""
