"""What the simulated exchange has dealt since it began: every trade with its time, the newest of them kept."""

from __future__ import annotations

from collections import deque
from itertools import takewhile
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kalshi_nb.sim._events import Trade

__all__ = ["Dealt", "TradeLedger"]

_MOST: Final = 200_000
"""Fourteen hours at the pace of a live market."""


class Dealt(NamedTuple):
    """One trade, by what puts it in order: its time, microseconds since 1970, and its id."""

    time_us: int
    trade_id: str
    trade: Trade


class TradeLedger:
    """The trades of an exchange, in the order of their times; of more than 200,000 the oldest go."""

    def __init__(self) -> None:
        self._dealt: deque[Dealt] = deque(maxlen=_MOST)

    def note(self, trade: Trade, time_us: int) -> None:
        """Take up a trade; none is older than the one before."""
        self._dealt.append(Dealt(time_us, trade.trade_id, trade))

    def newest_first(self, least_us: int) -> Iterator[Dealt]:
        """Yield trades by time and id, falling, down to and with a time.

        Those of one microsecond are put in order here, since a taker who goes through several levels makes several.
        """
        same: list[Dealt] = []
        for each in takewhile(lambda dealt: dealt.time_us >= least_us, reversed(self._dealt)):
            if same and each.time_us != same[0].time_us:
                yield from sorted(same, reverse=True, key=lambda dealt: dealt.trade_id)
                same.clear()
            same.append(each)
        yield from sorted(same, reverse=True, key=lambda dealt: dealt.trade_id)
