"""What the logger is told of gaps: a record for each, and one for many that come together."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Sequence
from typing import Final, NamedTuple

from kalshi_nb._logging import log
from kalshi_nb._rows.gaps import Gap

__all__ = ["PAUSE", "GapRecords"]

PAUSE: Final = 1.0
"""Seconds from one record to the next of the same kind; what comes in between is told by one."""

_NAMED: Final = 3
_LONGEST: Final = 60


class _Kind(NamedTuple):
    """What one record is about: gaps of one channel and connection, all with one reason or all with one end."""

    channel: str
    connection: int
    opened: bool
    why: str | None


class GapRecords:
    """Makes records of gaps, as a :class:`kalshi_nb._rows.gaps.GapListener`.

    The first of a kind is told at once. A gap a millisecond, or one of each of ten thousand books, must not become as
    many records, nor work for the thread of the connections: those that follow soon are kept for a while, and told
    together.
    """

    # All of it runs on the thread of the connections. What waits is told by a timer of its loop; where a loop ends
    # before, with the next gap, or never: then what they say stands in the log of gaps all the same.

    def __init__(self) -> None:
        self._told_at: dict[_Kind, float] = {}
        self._waiting: defaultdict[_Kind, list[Gap]] = defaultdict(list)
        self._is_set = False

    def opened(self, gap: Gap) -> None:
        """Tell of a gap."""
        self._take(_Kind(gap.channel, gap.connection, True, gap.reason), [gap])

    def closed(self, gaps: Sequence[Gap]) -> None:
        """Tell that gaps are over."""
        first = gaps[0]
        self._take(_Kind(first.channel, first.connection, False, first.repaired_by), gaps)

    def _take(self, kind: _Kind, gaps: Sequence[Gap]) -> None:
        now = time.monotonic()
        self._waiting[kind].extend(gaps)
        if now - self._told_at.get(kind, -PAUSE) >= PAUSE:
            self._tell(kind, now)
        elif not self._is_set:
            try:
                asyncio.get_running_loop().call_later(PAUSE, self._tell_all)
            except RuntimeError:  # between two loops, or after the last
                self._tell_all()
            else:
                self._is_set = True

    def _tell_all(self) -> None:
        self._is_set = False
        now = time.monotonic()
        for kind in list(self._waiting):
            self._tell(kind, now)
        self._told_at = {kind: at for kind, at in self._told_at.items() if now - at < PAUSE}

    def _tell(self, kind: _Kind, now: float) -> None:
        self._told_at[kind] = now
        gaps = self._waiting.pop(kind)
        if kind.opened:
            log(logging.WARNING, _opened(kind, gaps))
        else:
            log(logging.INFO, _over(kind, gaps))


def _opened(kind: _Kind, gaps: Sequence[Gap]) -> str:
    missing = f", numbers {_numbers(gaps[0])}" if len(gaps) == 1 and gaps[0].seq_from is not None else ""
    return f"{_subject(kind, gaps)}: {kind.why}{missing}"


def _over(kind: _Kind, gaps: Sequence[Gap]) -> str:
    lasted = max((each.closed or each.opened) - each.opened for each in gaps) / 1e6
    end = f"repaired by {kind.why}" if kind.why else "nothing brought back what is missing"
    are = "is" if len(gaps) == 1 else "are"
    reasons = sorted({each.reason for each in gaps})
    return f"{_subject(kind, gaps)} {are} over after {lasted:.3f} s: {end} ({', '.join(reasons)})"


def _subject(kind: _Kind, gaps: Sequence[Gap]) -> str:
    """Return how many gaps there are, where, and of whom."""
    number = "gap" if len(gaps) == 1 else f"{len(gaps):,} gaps"
    return f"{number} in {kind.channel} of {_markets(gaps)} (connection {kind.connection})"


def _markets(gaps: Sequence[Gap]) -> str:
    tickers = list(dict.fromkeys(each.market_ticker for each in gaps))
    # A ticker may be what a frame that means nothing said.
    named = ["all markets" if each is None else ascii(each[:_LONGEST])[1:-1] for each in tickers[:_NAMED]]
    more = f" and {len(tickers) - _NAMED:,} more" if len(tickers) > _NAMED else ""
    return ", ".join(named) + more


def _numbers(gap: Gap) -> str:
    if gap.seq_to is None:
        return f"from {gap.seq_from} on"
    return str(gap.seq_from) if gap.seq_from == gap.seq_to else f"{gap.seq_from} to {gap.seq_to}"
