"""What a ladder view is handed: one market's levels at one moment, in dollars and contracts."""

from __future__ import annotations

from typing import NamedTuple, Protocol

__all__ = ["LadderPicture", "LadderSource", "Level"]

Level = tuple[float, float]
"""A price in dollars and a size in contracts."""


class LadderPicture(NamedTuple):
    """All that a ladder shows, of one moment and never changed afterwards.

    Attributes
    ----------
    version : int
        Differs from the one before whenever anything else in here does. Views send nothing for a version they
        sent.
    status : str
        ``"connecting"``, ``"live"``, ``"stale"``, ``"unknown"`` (no such market) or ``"closed"``.
    status_since : float
        Since when the status holds: epoch seconds by this computer's clock, which ages are counted against.
    asks, bids : tuple of (float, float)
        Price in YES dollars and size in contracts, best first. A missing side is empty.
    as_of : float or None
        The exchange's time of the newest change, in epoch seconds. None where there was none yet.
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
    as_of: float | None = None
    price_decimals: int = 2
    note: str = ""


class LadderSource(Protocol):
    """Anything that a ladder can be shown of, such as a kept order book."""

    @property
    def market_ticker(self) -> str:
        """The market, by Kalshi's name."""
        ...

    def ladder_picture(self, levels: int) -> LadderPicture:
        """Return the best `levels` of each side, now.

        Called on the display thread up to ten times a second, and on the main thread when a ladder is shown.
        It must be whole (never half a change), quick, and never wait for the network or for the main thread.
        """
        ...
