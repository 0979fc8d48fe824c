"""The repair of one subscription: its open gaps, the books without a valid snapshot, and the step that was taken."""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Iterable
from random import Random
from typing import Final, cast

from kalshi_nb._rows.gaps import Gap, GapReason, RepairedBy
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
"""Seconds without a repair after which the next one begins at once again, whatever became of the last ones."""

MOST_OPEN: Final = 1_000
"""Gaps that may be open at once before the next one stands for all that follow it."""

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
    CHECKPOINT = "checkpoint"
    """Never a step: a recording says how the books stood after the gap."""


class Repair:
    """The repair of one subscription.

    Moments are in seconds on the session's own clock.

    Attributes
    ----------
    open_gaps : list of Gap
        Gaps that are not over.
    rest : Gap or None
        That of them, where there are too many, which stands for all that came after it.
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
    outage : Gap or None
        The gap that the loss of the connection is, until there is a new one.
    is_delayed_by_nonsense : bool
        Whether the repair that waits for its moment is one of a market whose messages mean nothing.
    believes_some : bool
        Whether a book may be live: false from a gap of all of them to the first snapshot after it.
    is_current : bool
        Whether the snapshots that the present round asked for were asked for after the newest gap, so that what
        answers it is the present whatever its number.
    """

    __slots__ = (
        "_backoff",
        "_held_by_snapshot",
        "_messages_then",
        "_moment",
        "_nonsense",
        "_nonsense_at",
        "_rests_until",
        "_unnumbered",
        "ask_at",
        "awaiting",
        "believes_some",
        "deadline",
        "is_current",
        "is_delayed_by_nonsense",
        "open_gaps",
        "outage",
        "outside",
        "repaired_at",
        "requested",
        "rest",
        "rounds",
        "settle_by",
        "step",
        "unreadable",
    )

    def __init__(self, random: Random) -> None:
        self._backoff = Backoff(random)
        self._nonsense = Backoff(random)
        self._nonsense_at: float | None = None
        self._rests_until = 0.0
        self._messages_then: int | None = None
        self._held_by_snapshot = False
        self._moment: tuple[int | None, dict[tuple[GapReason, str | None], Gap]] = (None, {})
        self.outage: Gap | None = None
        self.open_gaps: list[Gap] = []
        self._unnumbered: dict[tuple[GapReason, str | None], Gap] = {}  # those of them without numbers
        self.rest: Gap | None = None
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
        self.is_current = False
        self.believes_some = True

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
        self.is_delayed_by_nonsense = False
        self.believes_some = True

    # Gaps ---------------------------------------------------------------------------------------------

    def add_gap(self, gap: Gap) -> None:
        """Take up a gap that is not over yet."""
        self.open_gaps.append(gap)
        if gap.seq_from is None:
            self._unnumbered[gap.reason, gap.market_ticker] = gap

    @property
    def has_too_many_gaps(self) -> bool:
        """Whether so many are open that the next one stands for all that follow it."""
        return len(self.open_gaps) >= MOST_OPEN

    def take_gaps(self) -> list[Gap]:
        """Return all gaps, since they are over."""
        gaps, self.open_gaps = self.open_gaps, []
        self._unnumbered = {}
        self.rest = None
        return gaps

    def of_moment(self, at: int) -> dict[tuple[GapReason, str | None], Gap]:
        """Return the gaps without numbers that were seen at a moment, over or not, by their reason and market.

        Only those of the newest moment are known; whoever opens one puts it in.
        """
        if self._moment[0] != at:
            self._moment = at, {}
        return self._moment[1]

    def unnumbered(self, reason: GapReason, market_ticker: str | None, at: int) -> Gap | None:
        """Return the gap without numbers that says this, where one is open or was seen at the moment `at`."""
        said = reason, market_ticker
        for gap in (self._unnumbered.get(said), self.of_moment(at).get(said)):
            if gap is not None and gap.seq_from is None:  # it may have got some since
                return gap
        return None

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
        self.is_delayed_by_nonsense = False
        self.is_current = True
        self.requested = set(wanted)
        self.rounds += 1
        self.deadline = now + SNAPSHOT_WAIT
        return wanted

    def ask_besides(self, market_tickers: Iterable[str], now: float) -> None:
        """Take up that some more are asked for, beside those of the present round."""
        self.is_current = self.is_current or not self.requested
        self.requested.update(market_tickers)
        self.deadline = max(self.deadline or 0.0, now + SNAPSHOT_WAIT)

    def received(self, market_ticker: str, now: float) -> bool:
        """Take up a valid snapshot; return whether it was waited for.

        While snapshots keep coming, the others have time: those of ten thousand books are seconds apart.
        """
        self.unreadable.pop(market_ticker, None)
        self.believes_some = True
        waited = market_ticker in self.awaiting or market_ticker in self.requested
        if waited:
            self.drop((market_ticker,))
            if self.deadline is not None:
                self.deadline = max(self.deadline, now + SNAPSHOT_WAIT)
        return waited

    def received_old(self, market_ticker: str) -> None:
        """Take up an answer that is older than the newest gap: it is no answer any more."""
        self.requested.discard(market_ticker)

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
        return self.unreadable.get(market_ticker, 0) < MOST_UNREADABLE

    def drop(self, market_tickers: Iterable[str]) -> None:
        """Wait no more for the snapshots of markets."""
        for ticker in market_tickers:
            self.awaiting.discard(ticker)
            self.requested.discard(ticker)

    # Steps --------------------------------------------------------------------------------------------

    def distrust(self, market_tickers: set[str], *, all_markets: bool) -> bool:
        """Take up that snapshots are missing, of all books or of some more; return whether a repair is to begin."""
        self.is_current = False
        if all_markets:
            self.awaiting = market_tickers
            self.believes_some = False
        else:
            self.awaiting |= market_tickers
        return (self.step is RepairStep.NONE or (all_markets and self.is_delayed_by_nonsense)) and bool(self.awaiting)

    def begin(self, now: float, messages: int, *, nonsense: bool) -> bool:
        """Begin a repair, `messages` having been received in all; return whether at once, and not after a delay.

        A repair that held earns the next one at once, however soon that is: losses are the line's doing, and books
        that wait are of no use to anybody. Delays grow where repairs do not help. So with every one that its first
        step did not end; with every one after which the next gap came before any data, for where the answer itself is
        a gap each question would bring the next one; and, apart from these, where messages of a market mean nothing,
        since its snapshot ends that only until the next of them.
        """
        if self.step is RepairStep.NONE:
            held = self._held_by_snapshot and self._went_on(messages)
            if held or self.repaired_at is None or now - self.repaired_at >= CALM:
                self._backoff.reset()
            self._rests_until = now + self._backoff.next()
        ask_at = self._rests_until
        if nonsense:
            ask_at = max(ask_at, now + self._rest_from_nonsense(now))
        self.step = RepairStep.SNAPSHOT
        self.rounds = 0
        self.is_delayed_by_nonsense = ask_at > max(now, self._rests_until)
        if ask_at > now:
            self.ask_at = ask_at
            self.deadline = None
        return ask_at <= now

    def _went_on(self, messages: int) -> bool:
        """Tell whether data was received since the last repair ended, before what begins the next one."""
        return self._messages_then is not None and messages > self._messages_then

    def in_vain(self, messages: int, now: float) -> int:
        """Return how many repairs in a row did not hold, `messages` having been received in all; 0 for less than two.

        Read from other threads: a count that is a moment old.
        """
        at, count = self.repaired_at, self._backoff.attempts
        if self.step is RepairStep.NONE and (at is None or now - at >= CALM or self._went_on(messages)):
            return 0
        return count if count > 1 else 0

    def _rest_from_nonsense(self, now: float) -> float:
        if self._nonsense_at is None or now - self._nonsense_at >= 2 * CALM:
            self._nonsense.reset()
        self._nonsense_at = now
        return self._nonsense.next()

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

    def finish(self, now: float, messages: int) -> RepairedBy | None:
        """Take up that every book is right, with so many messages received in all; return what made it so."""
        mended = self.outside if self.step is RepairStep.NONE else self.step
        if self.step is not RepairStep.NONE:
            self.repaired_at = now
            self._messages_then = messages
            self._held_by_snapshot = self.step is RepairStep.SNAPSHOT
        self.break_off()
        self.outside = RepairStep.NONE
        return cast("RepairedBy | None", mended.value)
