"""Messages that were set aside, or lost a field, kept to be looked at."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

from kalshi_nb._moments import datetime_of

__all__ = ["MOST_REJECTS", "Reject"]

MOST_REJECTS: Final = 100
"""How many of the newest are kept."""

_SHOWN: Final = 80


@dataclass(frozen=True, slots=True)
class Reject:
    """A message that could not be read, or not wholly.

    Attributes
    ----------
    received_us : int
        When it came, in microseconds since 1970-01-01 UTC.
    reason : str
        Why it was set aside, or what is wrong with which field.
    data : bytes
        The first 2,000 bytes of it.
    fields : tuple of str
        The fields that could not be read and are null in its row, which stands; empty where all of it was set aside.
    """

    received_us: int
    reason: str
    data: bytes
    fields: tuple[str, ...] = ()

    @property
    def received_at(self) -> dt.datetime:
        """When it came, UTC."""
        return datetime_of(self.received_us)

    def __repr__(self) -> str:
        return f"<Reject {self.received_at:%Y-%m-%d %H:%M:%S.%f} UTC, {self.reason}: {self.data[:_SHOWN]!r}>"
