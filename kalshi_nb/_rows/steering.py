"""Rows that say what to do with the rows around them.

They stand anywhere among the rows of a channel, and their place is their order: what is before one is applied
before it, what is after one is applied after it. They are no messages and no rows of a frame.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from kalshi_nb._rows.rows import Row

__all__ = ["STEERING", "BookRow", "ClockStepRow", "DroppedRows", "LateRows", "ResetRow", "SteeringRow"]

_NONE: Final[Mapping[str | None, int]] = MappingProxyType({})


class ResetRow(NamedTuple):
    """What is before it is forgotten: frames are empty, and begin anew with what is after it.

    A replay that seeks puts one into every channel.
    """


class ClockStepRow(NamedTuple):
    """The computer's clock was set between the rows before it and those after it.

    Attributes
    ----------
    by : int
        How far, in microseconds; negative where it was set back.
    """

    by: int


class LateRows(NamedTuple):
    """Rows of the channel that were fetched after their time, to repair a gap.

    Attributes
    ----------
    rows : tuple of tuple
        The channel's own rows. They enter the feed's frames where their ``ts`` belongs, and reach those streams,
        messages and callbacks alone that ask for them.
    """

    rows: tuple[Row, ...]


class DroppedRows(NamedTuple):
    """Rows stood here that went, because those for whom they were are too slow.

    Attributes
    ----------
    opened_at : int or None
        When the first of them was received, in microseconds of the market's time, where one says so.
    rows : mapping of str or None to int
        How many of the channel's own rows went, by what they were about.
    others : mapping of str or None to int
        How many other messages went.
    late : mapping of str or None to int
        How many rows went that had been fetched.
    number : int or None
        By which those that missed them know what of their losses this tells of, since each counted its own when the
        rows went; None where nobody did.
    """

    opened_at: int | None
    rows: Mapping[str | None, int]
    others: Mapping[str | None, int]
    number: int | None = None
    late: Mapping[str | None, int] = _NONE

    def behind(self, before: DroppedRows | None) -> DroppedRows:
        """Return what went `before` it and what this says, as one."""
        if before is None:
            return self
        rows, others = Counter(before.rows) + Counter(self.rows), Counter(before.others) + Counter(self.others)
        late = Counter(before.late) + Counter(self.late)
        return self._replace(opened_at=before.opened_at, rows=rows, others=others, late=late)

    def about(self, market_tickers: Iterable[str] | None, *, others: bool, late: bool = False) -> int:
        """Return how many went that were about some markets, None for all.

        With `others` other messages, too, and with `late` rows that had been fetched.
        """
        counts = (self.rows, *([self.others] if others else []), *([self.late] if late else []))
        if market_tickers is None:
            return sum(sum(each.values()) for each in counts)
        return sum(each.get(ticker, 0) for each in counts for ticker in market_tickers)


class BookRow(NamedTuple):
    """How a kept book stood here, for whoever compares books; no frame takes note of it.

    Attributes
    ----------
    market_ticker : str
        The market.
    yes, no : tuple of pairs
        Prices and sizes of the bids of both sides, as :class:`kalshi_nb._rows.rows.SnapshotRow` has them.
    """

    market_ticker: str
    yes: tuple[tuple[int, int], ...]
    no: tuple[tuple[int, int], ...]


SteeringRow = ResetRow | ClockStepRow | LateRows | DroppedRows | BookRow

STEERING: Final = frozenset({ResetRow, ClockStepRow, LateRows, DroppedRows, BookRow})
"""Their types: a batch without one of them is passed on as it is."""
