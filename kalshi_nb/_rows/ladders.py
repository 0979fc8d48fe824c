"""What a ladder says to those who read it."""

from __future__ import annotations

from typing import Literal, NamedTuple, Protocol

__all__ = ["LadderReading", "Levels", "Status", "Top"]

Status = Literal["connecting", "live", "stale", "unknown", "closed"]
Levels = list[tuple[int, int]]
"""Prices in 1/10000 dollar and sizes in 1/100 contract, best first."""


class Top(NamedTuple):
    """Best YES bid and best NO bid of one moment, in 1/10000 dollar and 1/100 contract; 0 is none."""

    yes: int
    yes_size: int
    no: int
    no_size: int


class LadderReading(Protocol):
    """The resting YES bids and NO bids of one market, to be read from any thread and changed by nobody who reads.

    Prices are in 1/10000 dollar, NO prices in the NO leg; sizes are in 1/100 contract; moments in microseconds of
    the feed's clock. Each member is whole by itself. Who needs several of one moment compares `version` before and
    after, and reads again where it moved.
    """

    @property
    def market_ticker(self) -> str:
        """The market."""
        ...

    @property
    def live(self) -> bool:
        """Whether the ladder is right: it has its snapshot, and no gap since."""
        ...

    @property
    def status(self) -> Status:
        """What the ladder may be trusted for."""
        ...

    @property
    def status_since(self) -> int:
        """Since when `status` holds."""
        ...

    @property
    def reason(self) -> str:
        """Why it has this status, such as ``sequence`` or ``error_10``; empty where there is nothing to say."""
        ...

    @property
    def changed_at(self) -> int:
        """When the newest change of a level was received; 0 before the first."""
        ...

    @property
    def version(self) -> int:
        """Moves at each change, after it; negative while a snapshot is being laid in."""
        ...

    @property
    def best_yes(self) -> int:
        """The highest price of the YES bids, 0 when there are none."""
        ...

    @property
    def best_no(self) -> int:
        """The highest price of the NO bids, in the NO leg, 0 when there are none."""
        ...

    def top(self) -> Top:
        """Return best prices and sizes of one moment."""
        ...

    def levels(self) -> tuple[Levels, Levels]:
        """Return all YES bids and all NO bids of one moment, best first."""
        ...
