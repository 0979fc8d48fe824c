"""Books: right, or marked as not to be trusted, and then repaired.

A hole makes every book of the subscription stale at once, since the lost frame's market is unknown. The
repair goes up one step each time the step before did not answer in time:

1. ``get_snapshot`` for all of them on the same sid, which leaves the subscription as it is;
2. unsubscribe, await ``unsubscribed``, subscribe;
3. a new connection.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from kalshi_nb._rows.ladders import Status
from kalshi_nb._rows.rows import SnapshotRow
from kalshi_nb._session.ladder import Ladder
from kalshi_nb._session.state import Reconnect, SessionState
from kalshi_nb._session.subscription import Subscription
from kalshi_nb._wire.books import SnapshotFrame, levels
from kalshi_nb._wire.commands import LARGEST_LIST

__all__ = ["Books"]

SNAPSHOT_WAIT: Final = 3.0
"""Seconds a snapshot may take after it was asked for; about 0.08 was measured."""

RESUBSCRIBE_WAIT: Final = 8.0
"""Seconds that unsubscribe, subscribe and the snapshots may take together."""

MOST_ROUNDS: Final = 5
"""Rounds of ``get_snapshot`` that new holes may spoil before the next step is taken."""

LONGEST_WAIT: Final = 60.0

SETTLE_WAIT: Final = 0.5
"""Seconds a wish for a book waits for its snapshot after the acknowledgement."""

CALM: Final = 30.0
"""Seconds without a repair after which the next one begins at once again."""

MOST_UNREADABLE: Final = 3
"""Snapshots of one market that may be unreadable in a row before it is left stale on this connection."""

_TOO_MANY: Final = 26


class Books:
    """The ladders of a session and their repair."""

    def __init__(self, state: SessionState) -> None:
        self._state = state

    def open(self, subscription: Subscription, market_tickers: Iterable[str]) -> None:
        """Make the ladders of markets just wanted; one let go a moment ago may still be subscribed to."""
        new = [ticker for ticker in sorted(market_tickers) if ticker not in self._state.ladders]
        for ticker in new:
            ladder = self._state.ladders[ticker] = self._state.ladder_of(ticker)
            ladder.status_since = self._state.now_us()
            ladder.watcher = self._state.watcher
        there = frozenset[str]() if subscription.renew else subscription.market_tickers - subscription.leaving
        again = [ticker for ticker in new if ticker in there]
        for ticker in again:
            # Its deltas go on coming, and are no hole: it is a book of which the snapshot was thrown away.
            self._state.ladders[ticker].set_status("stale", self._state.now_us(), "let go and wanted again")
        subscription.awaiting.update(again)
        if again and subscription.step == 0:
            self.ask(subscription)

    def expect(self, subscription: Subscription, market_tickers: Iterable[str]) -> None:
        """Wait for the first snapshots of markets just acknowledged."""
        ladders = self._state.ladders
        new = [ticker for ticker in market_tickers if ticker in ladders and not ladders[ticker].live]
        subscription.awaiting.update(new)
        subscription.settle_by = self._state.monotonic() + SETTLE_WAIT
        if subscription.step in (0, 2):
            subscription.deadline = max(subscription.deadline or 0.0, self._state.monotonic() + SNAPSHOT_WAIT)
        self._finish(subscription)

    def ask(self, subscription: Subscription) -> None:
        """Ask for the snapshots of all books that have none."""
        wanted = sorted(subscription.awaiting)
        subscription.ask_at = None
        subscription.requested = set(wanted)
        subscription.rounds += 1
        self._state.forget(subscription, "get_snapshot")
        for start in range(0, len(wanted), LARGEST_LIST):
            self._state.send(subscription, "get_snapshot", tuple(wanted[start : start + LARGEST_LIST]))
        subscription.deadline = self._state.monotonic() + SNAPSHOT_WAIT

    def snapshot(self, subscription: Subscription, frame: SnapshotFrame, received_at: int) -> SnapshotRow | None:
        """Lay in a snapshot; return its row when somebody listens."""
        msg = frame.msg
        ticker = msg.market_ticker
        yes, no = levels(msg.yes_dollars_fp), levels(msg.no_dollars_fp)
        ladder = self._state.ladders.get(ticker)
        # An answer to get_snapshot may be about a market that is sent no more: it would seem live for ever.
        wanted = frame.id is None or ticker in subscription.requested or ticker in subscription.market_tickers
        if ladder is None or not wanted or ticker in subscription.leaving:
            self._state.unrequested += 1  # let go of a moment ago
        else:
            ladder.replace(yes, no, received_at)
            nobody = not yes and not no and msg.market_id == ""
            ladder.set_status("unknown" if nobody else "live", received_at)
            subscription.unreadable.pop(ticker, None)
            if ticker in subscription.awaiting or ticker in subscription.requested:
                subscription.awaiting.discard(ticker)
                subscription.requested.discard(ticker)
                self._finish(subscription)
            self._state.settle(subscription, ticker)
        if not subscription.listening:
            return None
        return SnapshotRow(
            received_at=received_at,
            seq=frame.seq,
            market_ticker=ticker,
            yes=tuple(sorted(yes.items(), reverse=True)),
            no=tuple(sorted(no.items(), reverse=True)),
        )

    def delta_without_book(self, subscription: Subscription, market_ticker: str, seq: int) -> Ladder | None:
        """Take up a delta whose book is not live; return the ladder when it may be applied after all."""
        ladder = self._state.ladders.get(market_ticker)
        if ladder is None:
            # A market let go of a moment ago; no book of ours can be wrong by it.
            self._state.unrequested += 1
        elif (
            ladder.status == "unknown"
            and market_ticker in subscription.market_tickers
            and market_ticker not in subscription.leaving
        ):
            ladder.set_status("live", self._state.now_us())
            return ladder
        elif ladder.status == "connecting" and market_ticker in subscription.awaiting:
            ladder.set_status("stale", self._state.now_us(), "no_book")  # one hole, not one a delta
            self.hole(subscription, "no_book", seq, seq, market_ticker)
        return None

    def hole(
        self,
        subscription: Subscription,
        reason: str,
        seq_from: int | None,
        seq_to: int | None,
        market_ticker: str | None = None,
    ) -> None:
        """Distrust every book of the subscription, and begin its repair unless one is under way.

        Where the market is known, the count is whole and it alone is in doubt.
        """
        self._state.open_gap(subscription, reason, seq_from, seq_to, market_ticker)
        missing = self._distrust(subscription, reason, market_ticker)
        subscription.awaiting = missing if market_ticker is None else subscription.awaiting | missing
        if subscription.step == 0 and subscription.awaiting:
            subscription.step = 1
            subscription.rounds = 0
            self._begin(subscription)
        self._finish(subscription)

    def unreadable(self, subscription: Subscription, market_ticker: str, seq: int) -> None:
        """Take up a snapshot whose values mean nothing: after some of them the market is left alone, stale."""
        ladder = self._state.ladders.get(market_ticker)
        if ladder is None:
            self._state.unrequested += 1  # let go of a moment ago, or never wanted: its name may be nonsense, too
            return
        subscription.unreadable[market_ticker] += 1
        subscription.requested.discard(market_ticker)
        if subscription.unreadable[market_ticker] < MOST_UNREADABLE:
            self.hole(subscription, "rejected", seq, seq, market_ticker)
            return
        ladder.set_status("stale", self._state.now_us(), "unreadable")
        subscription.awaiting.discard(market_ticker)
        self._finish(subscription)

    def _begin(self, subscription: Subscription) -> None:
        """Begin a repair at once, or, where one has ended only just now, after a delay that grows."""
        now = self._state.monotonic()
        if subscription.repaired_at is None or now - subscription.repaired_at >= CALM:
            subscription.repairs.reset()
        delay = subscription.repairs.next()
        if delay:
            subscription.ask_at = now + delay
            subscription.deadline = None
        else:
            self.ask(subscription)

    def lost(self, subscription: Subscription, reason: str) -> None:
        """Distrust the books of a subscription that has ended."""
        self._distrust(subscription, reason)

    def ended(self, subscription: Subscription) -> None:
        """Break off a repair: its subscription is gone."""
        subscription.step = 0
        subscription.rounds = 0
        subscription.deadline = None
        subscription.ask_at = None

    def refused(self, subscription: Subscription, market_tickers: Iterable[str], code: int) -> None:
        """Mark markets that the exchange will not send: there are none such, or too many."""
        for ticker in market_tickers:
            if ticker in self._state.ladders:
                status: Status = "stale" if code == _TOO_MANY else "unknown"
                self._state.ladders[ticker].set_status(status, self._state.now_us(), f"error_{code}")
            subscription.awaiting.discard(ticker)
            subscription.requested.discard(ticker)
        self._finish(subscription)

    def deleted(self, subscription: Subscription, market_tickers: Iterable[str]) -> None:
        """Take up that markets are sent no more.

        One that is wanted again by now has no book until it is added: while a market leaves, nothing makes its
        book live.
        """
        for ticker in market_tickers:
            subscription.awaiting.discard(ticker)
            subscription.requested.discard(ticker)
        self._finish(subscription)

    def forget(self, subscription: Subscription, market_tickers: Iterable[str]) -> None:
        """Drop the books of markets that nobody wants any more."""
        for ticker in market_tickers:
            self._state.ladders.pop(ticker).set_status("closed", self._state.now_us())
            subscription.awaiting.discard(ticker)
            subscription.requested.discard(ticker)
        self._finish(subscription)

    def close(self) -> None:
        """Say of every book that nothing will move it any more."""
        for ladder in self._state.ladders.values():
            ladder.set_status("closed", self._state.now_us())

    def escalate(self, subscription: Subscription) -> None:
        """Take the next step of the repair."""
        now = self._state.monotonic()
        if subscription.step == 0:
            # First snapshots that do not come hold nobody up but their own books: ask again, ever more rarely.
            self.ask(subscription)
            subscription.deadline = now + min(LONGEST_WAIT, SNAPSHOT_WAIT * 2.0 ** min(subscription.rounds, 10))
        elif subscription.step == 1:
            subscription.step = 2
            subscription.deadline = now + RESUBSCRIBE_WAIT
            subscription.renew = True
        else:
            subscription.step = 3
            subscription.deadline = None
            self._state.events.append(Reconnect("books could not be repaired on this connection"))

    def tick(self, subscription: Subscription) -> None:
        """Take the next step when the present one had its time."""
        if subscription.ask_at is not None:
            if self._state.monotonic() >= subscription.ask_at:
                self.ask(subscription)
            return
        if subscription.deadline is None or not (subscription.awaiting or subscription.step == 2):
            return
        if self._state.monotonic() >= subscription.deadline:
            self.escalate(subscription)

    def _distrust(self, subscription: Subscription, reason: str, market_ticker: str | None = None) -> set[str]:
        """Mark every book of the subscription, or one, as stale; return the markets whose snapshots are missing.

        The acknowledgement of a market may have been lost, so a live book counts without it. A market that is
        leaving has no snapshot to come, and one whose snapshots cannot be read is not asked for again.
        """
        now, leaving = self._state.now_us(), subscription.leaving
        missing = set()
        for ticker, ladder in self._state.ladders.items():
            if market_ticker not in (None, ticker) or not (ladder.live or ticker in subscription.market_tickers):
                continue
            if ladder.status != "connecting":
                ladder.set_status("stale", now, reason)
            if ticker not in leaving and subscription.unreadable[ticker] < MOST_UNREADABLE:
                missing.add(ticker)
        return missing

    def _finish(self, subscription: Subscription) -> None:
        """End the repair when every book is right, or begin a new round when holes spoilt this one."""
        if subscription.awaiting:
            waits = subscription.ask_at is not None or subscription.sid is None
            if subscription.step == 1 and not subscription.requested and not waits:
                if subscription.rounds < MOST_ROUNDS:
                    self.ask(subscription)
                else:
                    self.escalate(subscription)
            return
        if subscription.sid is None or (subscription.step != 1 and not subscription.complete):
            return  # books whose markets are still to be asked for are not right yet
        how = {0: subscription.repair, 1: "get_snapshot", 2: "resubscribe"}.get(subscription.step, "reconnect")
        self._state.close_gaps(subscription, self._state.now_us(), how)
        self._state.forget(subscription, "get_snapshot")
        if subscription.step:
            subscription.repaired_at = self._state.monotonic()
        self.ended(subscription)
        subscription.repair = None
