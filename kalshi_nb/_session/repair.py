"""The repair of one subscription: its open gaps, the books without a valid snapshot, and the step that was taken."""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Iterable
from random import Random
from typing import Final, cast

from kalshi_nb._rows.gaps import Gap, RepairedBy
from kalshi_nb._session.backoff import Backoff

__all__ = ["Repair", "RepairStep"]

SNAPSHOT_WAIT: Final = 3.0
"""Seconds a snapshot may take after it was asked for; about 0.08 was measured."""

RESUBSCRIBE_WAIT: Final = 8.0
"""Seconds that unsubscribe, subscribe and the snapshots may take together."""

MOST_ROUNDS: Final = 5
"""Rounds of ``get_snapshot`` that new gaps may spoil before the next step is taken."""

LONGEST_WAIT: Final = 60.0

SETTLE_WAIT: Final = 0.5
"""Seconds a request for a book waits for its snapshot after the acknowledgement."""

CALM: Final = 30.0
"""Seconds without a repair after which the next one begins at once again."""

MOST_UNREADABLE: Final = 3
"""Snapshots of one market that may be unreadable in a row before it is left stale on this connection."""


class RepairStep(enum.Enum):
    """How far a repair went; the value is what a gap says that it was repaired by."""

    NONE = None
    """No repair: at most, first snapshots are awaited."""
    SNAPSHOT = "get_snapshot"
    """Snapshots were asked for on the same sid."""
    RESUBSCRIBE = "resubscribe"
    """The subscription is ended and made anew."""
    RECONNECT = "reconnect"
    """A new connection was asked for."""


class Repair:
    """The repair of one subscription.

    Moments are in seconds on the session's own clock.

    Attributes
    ----------
    open_gaps : list of Gap
        Gaps that are not over.
    step : RepairStep
        The step that is being tried.
    outside : RepairStep
        What mends the open gaps when first snapshots are laid in without a step of the repair: a subscription or a
        connection that was made anew for another reason.
    awaiting : set of str
        Books that have no valid snapshot.
    requested : set of str
        Those of them that the present round asked for.
    unreadable : Counter of str
        Snapshots in a row that could not be read, by market.
    rounds : int
        How many times snapshots were asked for.
    ask_at : float or None
        When the next repair begins, where the last ones were too close together.
    deadline : float or None
        When the present step has had its time.
    settle_by : float
        Until when a request waits for first snapshots.
    repaired_at : float or None
        When the last repair ended.
    """

    __slots__ = (
        "_backoff",
        "ask_at",
        "awaiting",
        "deadline",
        "open_gaps",
        "outside",
        "repaired_at",
        "requested",
        "rounds",
        "settle_by",
        "step",
        "unreadable",
    )

    def __init__(self, random: Random) -> None:
        self._backoff = Backoff(random)
        self.open_gaps: list[Gap] = []
        self.outside = RepairStep.NONE
        self.repaired_at: float | None = None
        self.unreadable: Counter[str] = Counter()
        self.disconnect()

    # The sid and the connection -----------------------------------------------------------------------

    def end(self) -> None:
        """Forget what the sid was to send; the step, and the time it has, stay."""
        self.awaiting: set[str] = set()
        self.requested: set[str] = set()
        self.ask_at: float | None = None
        self.settle_by = 0.0
        self.rounds = 0

    def disconnect(self) -> None:
        """Forget what belonged to the connection that is gone."""
        self.end()
        self.break_off()

    def break_off(self) -> None:
        """Take no further step."""
        self.step = RepairStep.NONE
        self.rounds = 0
        self.deadline: float | None = None
        self.ask_at = None

    # Gaps ---------------------------------------------------------------------------------------------

    def add_gap(self, gap: Gap) -> None:
        """Take up a gap that is not over yet."""
        self.open_gaps.append(gap)

    def close_gaps(self, at: int, steady: int, repaired_by: RepairedBy | None) -> None:
        """Take up that all gaps are over; as :meth:`kalshi_nb._rows.gaps.Gap.close`."""
        for gap in self.open_gaps:
            gap.close(at, steady, repaired_by)
        self.open_gaps.clear()

    def mended_from_outside(self, step: RepairStep) -> None:
        """Take up that the gaps will be mended by what is done for another reason: a new sid, or a new connection."""
        self.outside = step

    # Snapshots ----------------------------------------------------------------------------------------

    def wait_for(self, market_tickers: Iterable[str]) -> None:
        """Wait for the snapshots of markets."""
        self.awaiting.update(market_tickers)

    def expect_first(self, market_tickers: Iterable[str], now: float) -> None:
        """Wait for the snapshots that the exchange sends by itself, of markets just acknowledged."""
        self.wait_for(market_tickers)
        self.settle_by = now + SETTLE_WAIT
        if self.step in (RepairStep.NONE, RepairStep.RESUBSCRIBE):
            self.deadline = max(self.deadline or 0.0, now + SNAPSHOT_WAIT)

    def settles(self, market_tickers: frozenset[str], now: float) -> bool:
        """Tell whether the first snapshots of some of these markets are still waited for."""
        return now < self.settle_by and not market_tickers.isdisjoint(self.awaiting)

    def ask(self, now: float) -> list[str]:
        """Begin a round of ``get_snapshot``; return the markets to ask for."""
        wanted = sorted(self.awaiting)
        self.ask_at = None
        self.requested = set(wanted)
        self.rounds += 1
        self.deadline = now + SNAPSHOT_WAIT
        return wanted

    def received(self, market_ticker: str) -> bool:
        """Take up a valid snapshot; return whether it was waited for."""
        self.unreadable.pop(market_ticker, None)
        waited = market_ticker in self.awaiting or market_ticker in self.requested
        if waited:
            self.drop([market_ticker])
        return waited

    def received_unreadable(self, market_ticker: str) -> bool:
        """Take up a snapshot that could not be read; return whether another one is worth asking for."""
        self.unreadable[market_ticker] += 1
        self.requested.discard(market_ticker)
        if self.readable(market_ticker):
            return True
        self.awaiting.discard(market_ticker)
        return False

    def readable(self, market_ticker: str) -> bool:
        """Tell whether a market's snapshots are worth asking for."""
        return self.unreadable[market_ticker] < MOST_UNREADABLE

    def drop(self, market_tickers: Iterable[str]) -> None:
        """Wait no more for the snapshots of markets."""
        for ticker in market_tickers:
            self.awaiting.discard(ticker)
            self.requested.discard(ticker)

    # Steps --------------------------------------------------------------------------------------------

    def distrust(self, market_tickers: set[str], *, all_markets: bool) -> bool:
        """Take up that snapshots are missing, of all books or of some more; return whether a repair is to begin."""
        self.awaiting = market_tickers if all_markets else self.awaiting | market_tickers
        return self.step is RepairStep.NONE and bool(self.awaiting)

    def begin(self, now: float) -> bool:
        """Begin a repair; return whether at once, and not after a delay, which grows while they are close together."""
        self.step = RepairStep.SNAPSHOT
        self.rounds = 0
        if self.repaired_at is None or now - self.repaired_at >= CALM:
            self._backoff.reset()
        delay = self._backoff.next()
        if delay:
            self.ask_at = now + delay
            self.deadline = None
        return not delay

    def ask_due(self, now: float) -> bool:
        """Tell whether a delayed repair is to begin."""
        return self.ask_at is not None and now >= self.ask_at

    def overdue(self, now: float) -> bool:
        """Tell whether the present step has had its time."""
        if self.ask_at is not None or self.deadline is None:
            return False
        return bool(self.awaiting or self.step is RepairStep.RESUBSCRIBE) and now >= self.deadline

    def ask_more_rarely(self, now: float) -> None:
        """Give first snapshots that do not come ever more time before they are asked for again."""
        self.deadline = now + min(LONGEST_WAIT, SNAPSHOT_WAIT * 2.0 ** min(self.rounds, 10))

    def resubscribe(self, now: float) -> None:
        """Take the second step."""
        self.step = RepairStep.RESUBSCRIBE
        self.deadline = now + RESUBSCRIBE_WAIT

    def reconnect(self) -> None:
        """Take the last step."""
        self.step = RepairStep.RECONNECT
        self.deadline = None

    @property
    def spoilt(self) -> bool:
        """Whether a round of ``get_snapshot`` is over, and gaps that were seen meanwhile have left books without."""
        asked = self.step is RepairStep.SNAPSHOT and self.ask_at is None
        return asked and bool(self.awaiting) and not self.requested

    @property
    def another_round(self) -> bool:
        """Whether a round more is worth it."""
        return self.rounds < MOST_ROUNDS

    def finish(self, now: float) -> RepairedBy | None:
        """Take up that every book is right; return what made it so."""
        mended = self.outside if self.step is RepairStep.NONE else self.step
        if self.step is not RepairStep.NONE:
            self.repaired_at = now
        self.break_off()
        self.outside = RepairStep.NONE
        return cast("RepairedBy | None", mended.value)
