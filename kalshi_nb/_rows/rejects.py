"""Frames that were set aside, kept to be looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["MOST_REJECTS", "Reject"]

MOST_REJECTS: Final = 100
"""How many of the newest are kept."""


@dataclass(frozen=True, slots=True)
class Reject:
    """A frame that was set aside.

    Attributes
    ----------
    received_at : int
        When it came, in microseconds.
    reason : str
        Why it was set aside.
    data : bytes
        The first 2,000 bytes of it.
    """

    received_at: int
    reason: str
    data: bytes
