"""The trades that came last, which prove whether those fetched for a gap are all."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NamedTuple

from kalshi_nb._rows.channels import position
from kalshi_nb._rows.gaps import GapRow
from kalshi_nb._rows.steering import ResetRow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kalshi_nb._rows.rows import Row

__all__ = ["MOST_RECENT", "Anchor", "RecentTrades"]

MOST_RECENT: Final = 20_000

_TIME: Final = position("trade", "ts")
_ID: Final = position("trade", "trade_id")
_RECEIVED: Final = position("trade", "received_at")


class Anchor(NamedTuple):
    """A trade that came over the socket: when it was made, its id, and when it was received, in microseconds."""

    at: int
    trade_id: str
    received_at: int


class RecentTrades:
    """The newest 20,000 trades that came over the socket, of whatever markets somebody wanted.

    One thread at a time learns, whoever takes the rows from the engine; any reads: a deque takes a row, or is copied,
    in one step.
    """

    def __init__(self) -> None:
        self._rows: deque[Row] = deque(maxlen=MOST_RECENT)
        self.on_gap: Callable[[], None] = lambda: None
        """Called where a gap stands among the rows, on the thread that learns; must neither wait nor raise."""

    def learn(self, rows: Sequence[Row]) -> None:
        """Take up some rows of trades, in their order."""
        keep = self._rows.append
        for row in rows:
            if type(row) is tuple:
                keep(row)
            elif isinstance(row, GapRow):
                self.on_gap()
            elif isinstance(row, ResetRow):
                self._rows.clear()

    def ids(self) -> set[str]:
        """Return the ids of all of them."""
        return {row[_ID] for row in list(self._rows)}

    def around(self, opened_at: int, closed_at: int) -> tuple[Anchor | None, Anchor | None]:
        """Return the last trade received before a gap was seen, and the first one after it was over; None for none."""
        before = after = None
        for row in list(self._rows):
            if row[_RECEIVED] < opened_at:
                before = row
            elif row[_RECEIVED] > closed_at:
                after = row
                break
        return _anchor(before), _anchor(after)


def _anchor(row: Row | None) -> Anchor | None:
    return None if row is None else Anchor(row[_TIME], row[_ID], row[_RECEIVED])
