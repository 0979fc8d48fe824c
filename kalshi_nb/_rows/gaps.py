"""Holes in the data, kept as data."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final, NamedTuple

__all__ = ["Gap", "GapLog", "GapRow"]

MOST_GAPS: Final = 10_000


@dataclass(slots=True)
class Gap:
    """One hole in one channel.

    Attributes
    ----------
    channel : str
        The channel that has it.
    market_ticker : str or None
        The market, None for all of the subscription's.
    opened_at : int
        When it was seen, in microseconds.
    closed_at : int or None
        When it ended: for books when all of them were right again, elsewhere when data went on.
    reason : str
        ``sequence``, ``rejected``, ``negative_level``, ``no_book``, ``error_10``, ``error_25``,
        ``unsubscribed`` (by the exchange), ``resubscribed`` (by the kit, to change a filter) or
        ``connection_lost``.
    seq_from, seq_to : int or None
        The sequence numbers that are missing or doubtful, both included.
    repaired_by : str or None
        ``get_snapshot``, ``resubscribe`` or ``reconnect``; None while, or where, nothing repaired it.
    connection : int
        Which of the feed's connections has it, from 1.
    """

    channel: str
    market_ticker: str | None
    opened_at: int
    closed_at: int | None
    reason: str
    seq_from: int | None
    seq_to: int | None
    repaired_by: str | None = None
    connection: int = 1


class GapRow(NamedTuple):
    """Stands among a channel's rows where a hole was seen; `market_ticker` None is a hole of all of them."""

    market_ticker: str | None
    opened_at: int
    reason: str


class GapLog:
    """The newest gaps, bounded; older ones are dropped and counted.

    Attributes
    ----------
    dropped : int
        Gaps that left the log.
    """

    def __init__(self, most: int = MOST_GAPS) -> None:
        self._gaps: deque[Gap] = deque(maxlen=most)
        self._sealed = False
        self.dropped = 0

    def seal(self) -> None:
        """Take no more gaps: whoever closes a feed makes no hole by it."""
        self._sealed = True

    def open(self, gap: Gap) -> Gap:
        """Add `gap`, unless the log is sealed, and return it."""
        if self._sealed:
            return gap
        if len(self._gaps) == self._gaps.maxlen:
            self.dropped += 1
        self._gaps.append(gap)
        return gap

    def __len__(self) -> int:
        return len(self._gaps)

    def snapshot(self) -> list[Gap]:
        """Return the gaps of this moment, oldest first; callable from any thread."""
        return list(self._gaps)  # one step, as far as other threads can see
