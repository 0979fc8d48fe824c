"""Books: right, or marked as not to be trusted, and then repaired.

A gap in the numbers makes every book of the subscription stale at once, since the lost frame's market is unknown;
where the market is known, its book alone. The repair goes up one step each time the one before did not answer in time:

1. ``get_snapshot`` for all of them on the same sid, which leaves the subscription as it is;
2. unsubscribe, await ``unsubscribed``, subscribe;
3. a new connection.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final

from kalshi_nb._rows.gaps import Gap, GapReason
from kalshi_nb._rows.ladders import Status
from kalshi_nb._rows.rows import SnapshotRow
from kalshi_nb._session.crossings import Crossings
from kalshi_nb._session.ladder import Ladder
from kalshi_nb._session.repair import RepairStep
from kalshi_nb._session.state import Reconnect, SessionState
from kalshi_nb._session.subscription import Subscription
from kalshi_nb._wire.books import SnapshotFrame, levels
from kalshi_nb._wire.commands import LARGEST_LIST

__all__ = ["Books"]

_TOO_MANY: Final = 26
_NONSENSE: Final = ("rejected", "negative_level")
"""Why one market's messages mean nothing, although none of them is missing."""


class Books:
    """The ladders of a session and their repair."""

    def __init__(self, state: SessionState, crossings: Crossings) -> None:
        self._state = state
        self._crossings = crossings

    def open(self, subscription: Subscription, market_tickers: Iterable[str]) -> None:
        """Make the ladders of markets just wanted; one let go a moment ago may still be subscribed to."""
        now = self._state.now_us()
        new = [ticker for ticker in sorted(market_tickers) if ticker not in self._state.ladders]
        for ticker in new:
            ladder = self._state.ladders[ticker] = self._state.ladder_of(ticker)
            ladder.status_since = now
            ladder.watcher = self._state.watcher
        again = [ticker for ticker in new if subscription.membership.is_staying(ticker)]
        for ticker in again:
            # Its deltas go on coming, and are no gap: it is a book of which the snapshot was thrown away.
            self._state.ladders[ticker].set_status("stale", now, "let go and wanted again")
        subscription.repair.wait_for(again)
        if again and subscription.repair.step is RepairStep.NONE:
            subscription.repair.ask_besides(again, self._state.monotonic())
            self._send(subscription, again)

    def expect(self, subscription: Subscription, market_tickers: Iterable[str]) -> None:
        """Wait for the first snapshots of markets just acknowledged."""
        ladders = self._state.ladders
        new = [ticker for ticker in market_tickers if ticker in ladders and not ladders[ticker].live]
        subscription.repair.expect_first(new, self._state.monotonic())
        self._finish(subscription)

    def ask(self, subscription: Subscription) -> None:
        """Ask for the snapshots of all books that have none."""
        wanted = subscription.repair.ask(self._state.monotonic())
        self._state.forget(subscription, "get_snapshot")
        self._send(subscription, wanted)

    def _send(self, subscription: Subscription, market_tickers: list[str]) -> None:
        for start in range(0, len(market_tickers), LARGEST_LIST):
            self._state.send(subscription, "get_snapshot", tuple(market_tickers[start : start + LARGEST_LIST]))

    def snapshot(self, subscription: Subscription, frame: SnapshotFrame, received_at: int) -> SnapshotRow | None:
        """Lay in a snapshot; return its row when somebody listens."""
        msg = frame.msg
        ticker = msg.market_ticker
        yes, no = levels(msg.yes_dollars_fp), levels(msg.no_dollars_fp)
        membership, repair = subscription.membership, subscription.repair
        ladder = self._state.ladders.get(ticker)
        # An answer to get_snapshot may be about a market that is sent no more: it would seem live for ever.
        wanted = frame.id is None or ticker in repair.requested or ticker in membership.market_tickers
        if ladder is None or not wanted or membership.is_leaving(ticker):
            self._state.unrequested += 1  # let go of a moment ago
        else:
            ladder.replace(yes, no, received_at)
            nobody = not yes and not no and msg.market_id == ""
            ladder.set_status("unknown" if nobody else "live", received_at)
            self._crossings.laid(ladder)
            if repair.received(ticker, self._state.monotonic()):
                self._finish(subscription)
            self._state.settle_naming(subscription, (ticker,))
        if not subscription.counting.listening:
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
        membership = subscription.membership
        ladder = self._state.ladders.get(market_ticker)
        if ladder is None:
            # A market let go of a moment ago; no book of ours can be wrong by it.
            self._state.unrequested += 1
        elif (
            ladder.status == "unknown"
            and market_ticker in membership.market_tickers
            and not membership.is_leaving(market_ticker)
        ):
            ladder.set_status("live", self._state.now_us())
            return ladder
        elif ladder.status == "connecting" and market_ticker in subscription.repair.awaiting:
            ladder.set_status("stale", self._state.now_us(), "no_book")  # one gap, not one a delta
            self.open_gap(subscription, "no_book", seq, seq, market_ticker)
        return None

    def open_gap(
        self,
        subscription: Subscription,
        reason: GapReason,
        seq_from: int | None,
        seq_to: int | None,
        market_ticker: str | None = None,
    ) -> Gap:
        """Distrust every book of the subscription, and begin its repair unless one is under way; return the gap.

        Where the market is known, the count is whole and it alone is in doubt.
        """
        gap = self._state.open_gap(subscription, reason, seq_from, seq_to, market_ticker)
        missing = self._distrust(subscription, reason, market_ticker)
        repair = subscription.repair
        begins = repair.distrust(missing, all_markets=market_ticker is None)
        nonsense = market_ticker is not None and reason in _NONSENSE
        if begins and repair.begin(self._state.monotonic(), subscription.counting.messages, nonsense=nonsense):
            self.ask(subscription)
        self._finish(subscription)
        return gap

    def old_snapshot(self, subscription: Subscription, frame: SnapshotFrame) -> bool:
        """Take up a snapshot whose number is not above the last; return whether it is the present all the same.

        Either the line said something twice, or the exchange counts anew. Its answer to what was asked for after the
        newest gap can only be the present, so the count goes on from there. Any other answer was overtaken by a gap.
        What was not asked for is the frame before, said twice, or it is a gap: nobody knows what else was said under
        numbers that were used before. While nothing is believed anyway, it is not another one.
        """
        repair, ticker = subscription.repair, frame.msg.market_ticker
        command = None if frame.id is None else self._state.commands.get(frame.id)
        if command is not None and command.kind == "get_snapshot" and ticker in repair.requested:
            if repair.is_current:
                subscription.counting.seq = frame.seq
                return True
            repair.received_old(ticker)
            self._finish(subscription)
        elif frame.id is None and repair.believes_some and not self._says_again(subscription, frame):
            self.open_gap(subscription, "sequence", subscription.counting.due, None)
        self._state.duplicates += 1
        return False

    def _says_again(self, subscription: Subscription, frame: SnapshotFrame) -> bool:
        """Tell whether a snapshot is the newest frame once more: its number, and what its book holds."""
        if frame.seq != subscription.counting.seq:
            return False
        ladder = self._state.ladders.get(frame.msg.market_ticker)
        sides = levels(frame.msg.yes_dollars_fp), levels(frame.msg.no_dollars_fp)
        return ladder is None or tuple(map(dict, ladder.levels())) == sides

    def unreadable(self, subscription: Subscription, market_ticker: str, seq: int) -> None:
        """Take up a snapshot whose values mean nothing: after some of them the market is left alone, stale."""
        ladder = self._state.ladders.get(market_ticker)
        if ladder is None:
            self._state.unrequested += 1  # let go of a moment ago, or never wanted: its name may be nonsense, too
            return
        if subscription.repair.received_unreadable(market_ticker):
            self.open_gap(subscription, "rejected", seq, seq, market_ticker)
            return
        ladder.set_status("stale", self._state.now_us(), "unreadable")
        self._finish(subscription)

    def lost(self, subscription: Subscription, reason: str) -> None:
        """Distrust the books of a subscription that has ended."""
        self._distrust(subscription, reason)

    def refused(self, subscription: Subscription, market_tickers: Collection[str], code: int) -> None:
        """Mark markets that the exchange will not send: there are none such, or too many."""
        for ticker in market_tickers:
            if ticker in self._state.ladders:
                status: Status = "stale" if code == _TOO_MANY else "unknown"
                self._state.ladders[ticker].set_status(status, self._state.now_us(), f"error_{code}")
        subscription.repair.drop(market_tickers)
        self._finish(subscription)

    def deleted(self, subscription: Subscription, market_tickers: Collection[str]) -> None:
        """Take up that markets are sent no more.

        One that is wanted again by now has no book until it is added: while a market leaves, nothing makes its
        book live.
        """
        subscription.repair.drop(market_tickers)
        self._finish(subscription)

    def dropped(self, subscription: Subscription, market_tickers: Collection[str]) -> None:
        """Distrust the books of markets that the exchange ceased to send; they come when they are added again."""
        for ticker in market_tickers:
            self._state.ladders[ticker].set_status("stale", self._state.now_us(), "unsubscribed")
        subscription.repair.drop(market_tickers)

    def forget(self, subscription: Subscription, market_tickers: Collection[str]) -> None:
        """Drop the books of markets that nobody wants any more."""
        for ticker in market_tickers:
            self._end(self._state.ladders.pop(ticker))
        subscription.repair.drop(market_tickers)
        self._finish(subscription)

    def close(self) -> None:
        """Say of every book that nothing will move it any more."""
        for ladder in self._state.ladders.values():
            self._end(ladder)

    def _end(self, ladder: Ladder) -> None:
        """Say that nothing will move a book any more, and what it was: not every one ever was a book."""
        was = ladder.reason if ladder.status == "closed" else ladder.status
        ladder.set_status("closed", self._state.now_us(), was)

    def escalate(self, subscription: Subscription) -> None:
        """Take the next step of the repair."""
        repair, now = subscription.repair, self._state.monotonic()
        if repair.step is RepairStep.NONE:
            # First snapshots that do not come hold nobody up but their own books: ask again, ever more rarely.
            self.ask(subscription)
            repair.ask_more_rarely(now)
        elif repair.step is RepairStep.SNAPSHOT:
            repair.resubscribe(now)
            subscription.membership.renew()
        else:
            repair.reconnect()
            self._state.events.append(Reconnect("books could not be repaired on this connection"))

    def tick(self, subscription: Subscription) -> None:
        """Take the next step when the present one had its time."""
        now = self._state.monotonic()
        if subscription.repair.ask_due(now):
            self.ask(subscription)
        elif subscription.repair.overdue(now):
            self.escalate(subscription)

    def _distrust(self, subscription: Subscription, reason: str, market_ticker: str | None = None) -> set[str]:
        """Mark every book of the subscription, or one, as stale; return the markets whose snapshots are missing.

        The acknowledgement of a market may have been lost, so a live book counts without it. A market that is
        leaving has no snapshot to come, and one whose snapshots cannot be read is not asked for again.
        """
        now, membership, ladders = self._state.now_us(), subscription.membership, self._state.ladders
        missing = set()
        for ticker in ladders if market_ticker is None else (market_ticker,):
            ladder = ladders.get(ticker)
            if ladder is None or not (ladder.live or ticker in membership.market_tickers):
                continue
            if ladder.status != "connecting":
                ladder.set_status("stale", now, reason)
            if subscription.repair.readable(ticker) and not membership.is_leaving(ticker):
                missing.add(ticker)
        return missing

    def _finish(self, subscription: Subscription) -> None:
        """End the repair when every book is right, or begin a new round when gaps spoilt this one."""
        repair, sid = subscription.repair, subscription.counting.sid
        if repair.awaiting:
            if repair.spoilt and sid is not None:
                if repair.another_round:
                    self.ask(subscription)
                else:
                    self.escalate(subscription)
            return
        if sid is None or (repair.step is not RepairStep.SNAPSHOT and not subscription.membership.complete):
            return  # books whose markets are still to be asked for are not right yet
        repaired_by = repair.finish(self._state.monotonic(), subscription.counting.messages)
        self._state.close_gaps(subscription, self._state.now_us(), repaired_by)
        self._state.forget(subscription, "get_snapshot")
