"""The trades that came last, which prove whether those fetched for a gap are all."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from operator import itemgetter
from typing import TYPE_CHECKING, Final, NamedTuple

from kalshi_nb._rows.channels import position
from kalshi_nb._rows.gaps import GapRow
from kalshi_nb._rows.steering import ResetRow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kalshi_nb._rows.rows import Row

__all__ = ["MOST_RECENT", "Anchor", "RecentTrades"]

MOST_RECENT: Final = 20_000
"""Rows, and no span of time: a burst of trades shall cost no more memory than a quiet night does.

They have to reach from before a gap to the moment at which somebody looks, a quarter of a second after the first trade
behind it was taken in: what is needed of them later is kept with the gap then. So they do for 40,000 trades a second,
which is more than a feed takes in."""

_TOGETHER: Final = 1_000
"""So many rows become three objects of plain bytes: a tenth of their memory, and nothing that keeps apart what is free
of Python's."""

_TIME: Final = position("trade", "ts")
_ID: Final = position("trade", "trade_id")
_RECEIVED: Final = position("trade", "received_at")
_TIME_OF, _ID_OF, _RECEIVED_OF = (itemgetter(each) for each in (_TIME, _ID, _RECEIVED))
_OWN_ONLY: Final = frozenset({tuple})


class Anchor(NamedTuple):
    """A trade that came over the socket: when it was made, its id, and when it was received, in microseconds."""

    at: int
    trade_id: str
    received_at: int


class _Packed(NamedTuple):
    """Some trades, as little as is needed of them; the ids are lines of a text."""

    at: array[int]
    ids: str
    received_at: array[int]

    def anchors(self) -> Iterator[Anchor]:
        """Return them in the order in which they came."""
        return map(Anchor, self.at, self.ids.split("\n"), self.received_at)


class RecentTrades:
    """The newest 20,000 trades that came over the socket, of whatever markets somebody wanted.

    One thread at a time learns, whoever takes the rows from the engine; any reads. All hangs on one attribute: what is
    packed, which nobody changes, and a list of what is not, which only grows and is copied in one step. When it is
    packed, both are replaced at once, so whoever has read the attribute has each trade once.
    """

    def __init__(self) -> None:
        self._kept: tuple[tuple[_Packed, ...], list[Row]] = (), []
        self.on_gap: Callable[[], None] = lambda: None
        """Called where a gap stands among the rows, on the thread that learns; must neither wait nor raise."""

    def learn(self, rows: Sequence[Row]) -> None:
        """Take up some rows of trades, in their order."""
        if set(map(type, rows)) <= _OWN_ONLY:
            self._keep(rows)
            return
        for row in rows:
            if type(row) is tuple:
                self._keep((row,))
            elif isinstance(row, GapRow):
                self.on_gap()
            elif isinstance(row, ResetRow):
                self._kept = (), []

    def _keep(self, rows: Sequence[Row]) -> None:
        newest = self._kept[1]
        done = 0
        while len(newest) + len(rows) - done >= _TOGETHER:
            room = _TOGETHER - len(newest)
            newest.extend(rows[done : done + room])
            newest, done = self._pack(), done + room
        newest.extend(rows[done:] if done else rows)

    def _pack(self) -> list[Row]:
        packed, rows = self._kept
        ids = "\n".join(map(_ID_OF, rows))
        if ids.count("\n") >= len(rows):
            # An id of two lines is none that the exchange gives a trade again over REST.
            rows = [row for row in rows if "\n" not in row[_ID]]
            ids = "\n".join(map(_ID_OF, rows))
        if rows:
            packed = (*packed, _Packed(array("q", map(_TIME_OF, rows)), ids, array("q", map(_RECEIVED_OF, rows))))
        self._kept = packed[-(MOST_RECENT // _TOGETHER) :], []
        return self._kept[1]

    def _all(self) -> Iterator[Anchor]:
        packed, newest = self._kept
        rows = list(newest)
        for each in packed:
            yield from each.anchors()
        for row in rows:
            yield Anchor(row[_TIME], row[_ID], row[_RECEIVED])

    def ids(self, since: int, until: int) -> set[str]:
        """Return the ids of those that were made from one moment on and before another, in microseconds."""
        return {each.trade_id for each in self._all() if since <= each.at < until}

    def around(self, opened_at: int, closed_at: int) -> tuple[Anchor | None, Anchor | None]:
        """Return the last trade received before a gap was seen, and the first one after it was over; None for none."""
        before = after = None
        for each in self._all():
            if each.received_at < opened_at:
                before = each
            elif each.received_at > closed_at:
                after = each
                break
        return before, after
