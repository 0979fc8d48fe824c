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
    """A kept ladder, as it is read in place, from any thread.

    `version` moves at each change: whoever needs several of these of one moment reads it before and after.
    """

    @property
    def market_ticker(self) -> str:
        """The market."""
        ...

    @property
    def live(self) -> bool:
        """Whether the levels are right."""
        ...

    @property
    def status(self) -> Status:
        """What the levels may be trusted for."""
        ...

    @property
    def status_since(self) -> int:
        """Since when, microseconds."""
        ...

    @property
    def reason(self) -> str:
        """Why it is stale, where it is."""
        ...

    @property
    def crossed(self) -> bool:
        """Whether the exchange, asked for it, sent a book whose best bid is not below its best ask."""
        ...

    @property
    def changed_at(self) -> int:
        """When the newest change was received, microseconds; 0 before the first."""
        ...

    @property
    def version(self) -> int:
        """Moves at each change; below zero while a whole book is being laid in."""
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
