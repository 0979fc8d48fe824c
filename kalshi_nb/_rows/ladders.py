"""What a ladder says to those who read it."""

from __future__ import annotations

from typing import Literal, NamedTuple

__all__ = ["Levels", "Status", "Top"]

Status = Literal["connecting", "live", "stale", "unknown", "closed"]
Levels = list[tuple[int, int]]
"""Prices in 1/10000 dollar and sizes in 1/100 contract, best first."""


class Top(NamedTuple):
    """Best YES bid and best NO bid of one moment, in 1/10000 dollar and 1/100 contract; 0 is none."""

    yes: int
    yes_size: int
    no: int
    no_size: int
