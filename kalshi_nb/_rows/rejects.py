"""Messages that were set aside, or lost a field, kept to be looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["MOST_REJECTS", "Reject"]

MOST_REJECTS: Final = 100
"""How many of the newest are kept."""


@dataclass(frozen=True, slots=True)
class Reject:
    """A message that could not be read, or not wholly.

    Attributes
    ----------
    received_at : int
        When it came, in microseconds.
    reason : str
        Why it was set aside, or what is wrong with which field.
    data : bytes
        The first 2,000 bytes of it.
    fields : tuple of str
        The fields that could not be read and are null in its row, which stands; empty where all of it was set aside.
    """

    received_at: int
    reason: str
    data: bytes
    fields: tuple[str, ...] = ()
