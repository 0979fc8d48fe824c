"""One market's two sides, in integers, with the best prices kept.

Written by one thread, read by any. There are two of them with the same behaviour: :class:`PlainLadder` here, and
the compiled one of :mod:`kalshi_nb._session._compiled`, which takes a quarter of the memory
and is used where it was built.
"""

from __future__ import annotations

import sys
import time
from typing import Final, Protocol

from kalshi_nb._fixed_point import DOLLAR, LARGEST
from kalshi_nb._rows.ladders import Levels, Status, Top

__all__ = ["MOST_CONTRACTS", "Ladder", "PlainLadder", "Watcher"]

MOST_CONTRACTS: Final = LARGEST
"""The largest size of a level, in 1/100 contract."""

_LAYING: Final = -1
_NUMBERS: Final = 2 * sys.getsizeof(1_000)
"""What a price and its size take beside their place in a dictionary."""
_new: Final = tuple.__new__  # half the time of a named tuple's own


class Watcher(Protocol):
    """Who is told of every change of a ladder, on the thread that made it."""

    def __call__(self, ladder: Ladder, at: int, /, *, by_delta: bool) -> None:
        """Take note that `ladder` changed at `at` (microseconds), by one level or as a whole."""
        ...


class Ladder(Protocol):
    """The resting YES bids and NO bids of one market.

    Prices are in 1/10000 dollar, NO prices in the NO leg; sizes are in 1/100 contract; moments in microseconds.

    Attributes
    ----------
    market_ticker : str
        The market.
    live : bool
        Whether deltas are taken: there was a snapshot, and no gap since.
    status : str
        What the book may be trusted for; see :data:`Status`.
    status_since : int
        Since when.
    reason : str
        Why it is stale, where it is; what it was, where it is closed.
    crossed : bool
        Whether the exchange, asked for it, sent a book whose best bid is not below its best ask.
    changed_at : int
        When the newest change was received; 0 before the first.
    version : int
        Moves at each change.
    watcher : Watcher or None
        Told of each change; None costs a comparison a change.
    """

    market_ticker: str
    live: bool
    status: Status
    status_since: int
    reason: str
    crossed: bool
    changed_at: int
    version: int
    watcher: Watcher | None

    def replace(self, yes: dict[int, int], no: dict[int, int], received_at: int, /) -> None:
        """Lay in a snapshot: both sides whole, price to size, whatever was there before."""
        ...

    def apply(self, side: str, price: int, delta: int, received_at: int, /) -> bool:
        """Add `delta` to one level.

        Returns False, and changes nothing, when that would leave less than none, or more than
        :data:`MOST_CONTRACTS`.
        """
        ...

    def set_status(self, status: Status, at: int, /, reason: str = "") -> None:
        """Say what the book may be trusted for from `at` on."""
        ...

    def set_crossed(self, crossed: bool, /) -> None:
        """Say whether the book is crossed by the exchange's own word."""
        ...

    @property
    def nbytes(self) -> int:
        """About how many bytes the levels take."""
        ...

    @property
    def best_yes(self) -> int:
        """The highest price of the YES bids, 0 when there are none, from any thread."""
        ...

    @property
    def best_no(self) -> int:
        """The highest price of the NO bids, in the NO leg, 0 when there are none, from any thread."""
        ...

    @property
    def is_crossed(self) -> bool:
        """Whether somebody pays as much for YES as somebody else takes for it, or more; on the thread that writes."""
        ...

    def top(self) -> Top:
        """Return best prices and sizes of one moment, from any thread."""
        ...

    def levels(self) -> tuple[Levels, Levels]:
        """Return all YES bids and all NO bids of one moment, best first, from any thread."""
        ...


class PlainLadder:
    """A :class:`Ladder` of two dictionaries.

    Attributes
    ----------
    yes, no : dict of int to int
        Price to size.
    """

    # One thread writes, any thread reads, there is no lock, and a reader must see both sides as they were at one
    # moment. A delta is one operation of one dictionary, then the best price is named, then `version` moves. So while
    # `version` stands still at most one level of one side has changed, and whatever a reader has copied of the two
    # sides is the book just before that delta or just after it. A best price that was taken away and has no successor
    # yet shows by having no size. A snapshot changes both sides, so `version` is negative while it is laid in, and one
    # more than before after it. Whoever finds it negative, or moved, lets the writer have its turn and reads again;
    # the writer never waits for anybody.

    __slots__ = (
        "_best_no",
        "_best_yes",
        "changed_at",
        "crossed",
        "live",
        "market_ticker",
        "no",
        "reason",
        "status",
        "status_since",
        "version",
        "watcher",
        "yes",
    )

    def __init__(self, market_ticker: str) -> None:
        self.market_ticker = market_ticker
        self.yes: dict[int, int] = {}
        self.no: dict[int, int] = {}
        self._best_yes = 0
        self._best_no = 0
        self.live = False
        self.status: Status = "connecting"
        self.status_since = 0
        self.reason = ""
        self.crossed = False
        self.changed_at = 0
        self.version = 0
        self.watcher: Watcher | None = None

    def replace(self, yes: dict[int, int], no: dict[int, int], received_at: int, /) -> None:
        """Lay in a snapshot; see :class:`Ladder`."""
        version = self.version
        self.version = _LAYING
        self.yes = yes
        self.no = no
        self._best_yes = max(yes, default=0)
        self._best_no = max(no, default=0)
        self.changed_at = received_at
        self.version = version + 1
        if self.watcher is not None:
            self.watcher(self, received_at, by_delta=False)

    def apply(self, side: str, price: int, delta: int, received_at: int, /) -> bool:  # noqa: C901, PLR0912  # no call is cheaper
        """Add `delta` to one level; see :class:`Ladder`."""
        # max() of two numbers would cost a tenth of all this.
        if side == "yes":
            levels = self.yes
            if price in levels:
                size = levels[price] + delta
                if 0 < size <= MOST_CONTRACTS:
                    levels[price] = size
                elif size:
                    return False
                else:
                    del levels[price]
                    if price == self._best_yes:
                        self._best_yes = max(levels) if levels else 0
            elif 0 < delta <= MOST_CONTRACTS:
                levels[price] = delta
                if price > self._best_yes:  # noqa: PLR1730  # as said above
                    self._best_yes = price
            elif delta:
                return False
        else:
            levels = self.no
            if price in levels:
                size = levels[price] + delta
                if 0 < size <= MOST_CONTRACTS:
                    levels[price] = size
                elif size:
                    return False
                else:
                    del levels[price]
                    if price == self._best_no:
                        self._best_no = max(levels) if levels else 0
            elif 0 < delta <= MOST_CONTRACTS:
                levels[price] = delta
                if price > self._best_no:  # noqa: PLR1730  # as said above
                    self._best_no = price
            elif delta:
                return False
        self.changed_at = received_at
        self.version += 1
        if self.watcher is not None:
            self.watcher(self, received_at, by_delta=True)
        return True

    def set_status(self, status: Status, at: int, /, reason: str = "") -> None:
        """Say what the book may be trusted for from `at` on."""
        self.live = status == "live"
        if status != self.status:
            self.status_since = at
        self.status = status
        self.reason = reason
        self.version += 1
        if self.watcher is not None:
            self.watcher(self, at, by_delta=False)

    def set_crossed(self, crossed: bool, /) -> None:
        """Say whether the book is crossed by the exchange's own word."""
        if crossed != self.crossed:
            self.crossed = crossed
            self.version += 1

    @property
    def nbytes(self) -> int:
        """About how many bytes the levels take; see :class:`Ladder`."""
        return sys.getsizeof(self.yes) + sys.getsizeof(self.no) + _NUMBERS * (len(self.yes) + len(self.no))

    @property
    def best_yes(self) -> int:
        """The best YES price; see :class:`Ladder`."""
        return self.top().yes

    @property
    def best_no(self) -> int:
        """The best NO price; see :class:`Ladder`."""
        return self.top().no

    @property
    def is_crossed(self) -> bool:
        """Whether bid and ask are crossed; see :class:`Ladder`."""
        return self._best_yes + self._best_no >= DOLLAR  # an empty side has 0, and no price is a whole dollar

    def top(self) -> Top:
        """Return best prices and sizes of one moment, from any thread."""
        while True:
            version = self.version
            if version >= 0:
                best_yes, best_no = self._best_yes, self._best_no
                # There is no level at 0, so an empty side has no size.
                yes_size, no_size = self.yes.get(best_yes, 0), self.no.get(best_no, 0)
                # A best price without a size is a level just taken away, its successor not yet named.
                whole = (not best_yes or yes_size) and (not best_no or no_size)
                if whole and version == self.version:
                    return _new(Top, (best_yes, yes_size, best_no, no_size))
            time.sleep(0)

    def levels(self) -> tuple[Levels, Levels]:
        """Return all YES bids and all NO bids of one moment, best first, from any thread."""
        while True:
            version = self.version
            if version >= 0:
                yes, no = self.yes.copy(), self.no.copy()
                if version == self.version:
                    return sorted(yes.items(), reverse=True), sorted(no.items(), reverse=True)
            time.sleep(0)
