"""A session that is told again, from a recording: what came, and which commands were sent.

It goes the same way through subscriptions, books and gaps as the session that was recorded, by the same code. All that
differs: its own commands go nowhere. In their place stand those that were sent then, so that the answers, which are
among what came, are answers to something, and so that what was done when its time was up is done here, too. What was
wanted, or let go, is known by the command that says so: a moment later, where that could not be sent at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from random import Random
from typing import Any, Final

from kalshi_nb._rows.channels import BOOKS
from kalshi_nb._rows.gaps import GapLog, GapReason
from kalshi_nb._rows.heard import BookState, SubscriptionState
from kalshi_nb._rows.rows import Row
from kalshi_nb._rows.wanted import All, Wanted
from kalshi_nb._session.reconciler import LOOKED_AT, REPLY_WAIT
from kalshi_nb._session.repair import RepairStep
from kalshi_nb._session.requests import Command, Outcome, Request
from kalshi_nb._session.session import Session
from kalshi_nb._session.state import SessionState
from kalshi_nb._session.subscription import Subscription
from kalshi_nb._wire.books import DeltaFrame, SnapshotFrame
from kalshi_nb._wire.commands import LARGEST_LIST
from kalshi_nb._wire.decode import CONVERSIONS, REFUSED, typed
from kalshi_nb._wire.sent import CommandSent, command_sent

__all__ = ["RecordedSession"]

_TICK: Final = 0.1
_CHANGES: Final = frozenset({"subscribe", "add_markets", "delete_markets", "unsubscribe"})
_OF_BOOKS: Final = frozenset({BOOKS})


def _channels_of(kind: type) -> AbstractSet[str]:
    """Return the channels that a kind of message may be of; none of what is an answer."""
    if kind in (DeltaFrame, SnapshotFrame):
        return _OF_BOOKS
    return frozenset(CONVERSIONS[kind].channels) if kind in CONVERSIONS else frozenset()


class _State(SessionState):
    """A state whose own commands are not sent, and are not waited for."""

    def send(
        self,
        subscription: Subscription | None,  # noqa: ARG002  # as where they are sent
        kind: str,
        market_tickers: tuple[str, ...] | None = None,
    ) -> Command:
        """Return the command that would be sent here."""
        return Command(0, kind, market_tickers, self.monotonic(), frozenset())  # type: ignore[arg-type]


class RecordedSession(Session):
    """One connection of a recording; fed by :attr:`receive`, :meth:`sent` and what happened to it.

    Parameters
    ----------
    now_us : callable
        The moment that is told of, in microseconds.
    steady : callable
        As for :class:`Session`.
    gaps, rows, connection, alone, compiled :
        As for :class:`Session`.
    """

    def __init__(
        self,
        *,
        now_us: Callable[[], int],
        steady: Callable[[int], int] = int,
        gaps: GapLog | None = None,
        rows: dict[str, list[Row]] | None = None,
        connection: int = 1,
        alone: bool = True,
        **options: Any,
    ) -> None:
        super().__init__(
            now_us=now_us,
            steady=steady,
            monotonic=lambda: now_us() / 1e6,
            random=Random(0),  # noqa: S311  # nothing is ever delayed by it
            gaps=gaps,
            connection=connection,
            alone=alone,
            rows=rows,
            state_of=_State,
            **options,
        )
        self._wanted: dict[str, dict[str | All, Request]] = {}
        self._looked_at = 0.0
        self._nameless: dict[str, Wanted] = {}
        take = self.receive

        def receive(messages: Sequence[bytes], received_at: int, /) -> None:
            self._let_time_pass()
            if self._nameless:
                self._adopt(messages)
            take(messages, received_at)

        self.receive = receive

    def _let_time_pass(self) -> None:
        """End, as often as a connection ticks, what waited for long enough: a refusal ends what waits still."""
        now = self._state.monotonic()
        if abs(now - self._looked_at) < _TICK:
            return
        self._looked_at = now
        for subscription in self._state.subscriptions.values():
            command = subscription.membership.in_flight
            if command is not None and now - command.sent_at >= REPLY_WAIT:
                self._give_up(subscription)
                for request in subscription.membership.pending:
                    self._state.end(subscription, request, Outcome(0, "no answer"))
            self._state.settle(subscription, subscription.membership.some_pending(LOOKED_AT))

    def disconnected(self) -> None:
        """Take up the loss of the connection."""
        self._let_time_pass()
        super().disconnected()

    def sent(self, data: bytes) -> None:
        """Take up a command that was sent then."""
        self._let_time_pass()
        said = command_sent(data)
        if said is None:
            return
        if said.kind == "list":
            self._state.commands[said.number] = Command(
                said.number, "list", (), self._state.monotonic(), frozenset(self._state.by_sid)
            )
            return
        if said.channel is not None:
            subscription = self._state.subscription(said.channel)
        elif said.sid in self._state.by_sid:
            subscription = self._state.by_sid[said.sid]
        else:
            return
        self._aim(subscription.channel, said)
        if subscription.channel == BOOKS:
            self._repair(subscription, said)
        # An unsubscribe names no market since it ends them all.
        tickers = None if isinstance(said.wanted, All) or said.kind == "unsubscribe" else tuple(sorted(said.wanted))
        command = Command(said.number, said.kind, tickers, self._state.monotonic(), frozenset())  # type: ignore[arg-type]
        if said.kind in _CHANGES:
            self._give_up(subscription)
            subscription.membership.sent(command)
        self._state.commands[said.number] = command
        self._state.owners[said.number] = subscription
        self.events.clear()

    def _repair(self, subscription: Subscription, said: CommandSent) -> None:
        """Take the step of the repair that a command shows to have been taken, whose time was up."""
        repair, named = subscription.repair, frozenset[str]() if isinstance(said.wanted, All) else said.wanted
        if said.kind == "get_snapshot" and not named <= repair.requested and not named.isdisjoint(repair.awaiting):
            self._books.ask(subscription)
        elif said.kind == "unsubscribe" and repair.step is RepairStep.SNAPSHOT and self._wanted.get(BOOKS):
            repair.resubscribe(self._state.monotonic())

    def _give_up(self, subscription: Subscription) -> None:
        """Expect no answer any more to the command before: one is under way at a time."""
        before = subscription.membership.in_flight
        if before is not None and self._state.commands.get(before.number) is before:
            self._state.answered(before.number)
            if before.kind == "delete_markets":
                subscription.membership.doubt(before.market_tickers or ())

    def _aim(self, channel: str, said: CommandSent) -> None:
        """Want what a command shows to have been wanted."""
        wanted = self._wanted.setdefault(channel, {})
        if said.kind == "delete_markets" and not isinstance(said.wanted, All):
            self._let_go(channel, said.wanted)
        elif said.kind in ("subscribe", "add_markets"):
            self._want(channel, [said.wanted] if isinstance(said.wanted, All) else sorted(said.wanted))
            if said.kind == "subscribe" and not wanted:
                self.want(channel, frozenset())  # only asked what there is
            if isinstance(said.wanted, frozenset) and 0 < len(said.wanted) < LARGEST_LIST:
                # That was all that was missing, so what is neither sent nor named was let go meanwhile.
                membership = self._state.subscription(channel).membership
                rest = {each for each in wanted if isinstance(each, str)} - said.wanted - membership.market_tickers
                self._let_go(channel, rest - membership.refused)

    def _let_go(self, channel: str, market_tickers: AbstractSet[str]) -> None:
        wanted = self._wanted.setdefault(channel, {})
        gone = [wanted.pop(each) for each in sorted(market_tickers) if each in wanted]
        if gone:
            self.release(*gone)
        if channel == BOOKS:
            self._doubt(market_tickers)

    def _want(self, channel: str, some: Iterable[str | All]) -> None:
        wanted, there = self._wanted.setdefault(channel, {}), self._state.subscription(channel).membership.requests
        new = {
            each: Request(channel, each if isinstance(each, All) else frozenset([each]))
            for each in some
            if wanted.get(each) not in there  # what was refused is not there any more
        }
        if new:
            wanted.update(new)
            self.want_together(list(new.values()))

    def released(self, channel: str) -> None:
        """Take up that nobody wanted anything of a channel any more."""
        wanted = self._wanted.pop(channel, {})
        if wanted:
            self.release(*wanted.values())
        if channel == BOOKS:
            self._doubt(self._state.ladders)

    def _doubt(self, market_tickers: Iterable[str]) -> None:
        """Distrust books that somebody wants although the recording has them no more."""
        for ticker in market_tickers:
            if ticker in self._state.ladders:
                self._state.ladders[ticker].set_status("stale", self._state.now_us(), "not_recorded")

    def forget(self) -> None:
        """Know nothing any more of what was told; what is told next begins with a checkpoint."""
        at = self._state.now_us()
        self._nameless.clear()
        for subscription in self._state.subscriptions.values():
            self._state.close_gaps(subscription, at, None)
            subscription.repair.outage = None
        self._forget_sids()
        for ladder in self._state.ladders.values():
            ladder.set_status("connecting", at)

    def lose_some(self, reason: GapReason, recorded: Mapping[str, Wanted]) -> None:
        """Take up that something is missing here, of any channel; books are right again by their next snapshots.

        What is missing may be how a channel was begun. So a number that nobody knows here is, until the next
        checkpoint says more, that of a channel which was recorded and has none: messages name their channel. Whether
        anything of it was sent by then nobody knows, so it has a gap.
        """
        for channel, wanted in recorded.items():
            subscription = self._state.subscription(channel)
            if subscription.sid is None:
                self._nameless[channel] = wanted
                if not subscription.repair.open_gaps:
                    self._state.open_gap(subscription, reason, None, None)
        for subscription in self._state.subscriptions.values():
            if subscription.sid is None:
                continue
            self._state.open_gap(subscription, reason, subscription.counting.due, None)
            if subscription.channel == BOOKS:
                self._books.lost(subscription, reason)
                subscription.repair.break_off()
                subscription.repair.wait_for(
                    ticker for ticker, ladder in self._state.ladders.items() if ladder.status == "stale"
                )
            elif subscription.counting.sequenced:
                subscription.counting.seq = None  # the next number says nothing that is not said

    def _adopt(self, messages: Sequence[bytes]) -> None:
        """Take numbers that nobody knows for those of the channels that messages name."""
        for data in messages:
            try:
                frame: Any = typed(data)
            except REFUSED:
                continue
            channel = next((each for each in self._nameless if each in _channels_of(type(frame))), None)
            if channel is None or frame.sid in self._state.by_sid:
                continue
            wanted, subscription = self._nameless.pop(channel), self._state.subscription(channel)
            self._state.connected = True  # since when cannot be read, nor what was done then
            seq = getattr(frame, "seq", None)
            self._want(channel, [wanted] if isinstance(wanted, All) else sorted(wanted))
            subscription.join(frame.sid, None if seq is None else seq - 1, self._state.monotonic())
            self._state.by_sid[frame.sid] = subscription
            if isinstance(wanted, All):
                subscription.membership.acknowledge_all()
            else:
                subscription.membership.acknowledge(wanted)
            self.events.clear()

    def restore(self, subscriptions: Iterable[SubscriptionState], books: Iterable[BookState]) -> None:
        """Stand as the session stood that was recorded, by what a checkpoint says of this connection.

        What is right already stays as it is: after a checkpoint in the midst of what is told nothing has changed.
        """
        for channel in self._nameless:
            self._state.close_gaps(self._state.subscription(channel), self._state.now_us(), None)
        self._nameless.clear()
        there = {each.channel: each for each in subscriptions}
        another = any(channel not in there or there[channel].sid != sid for channel, sid in self._sids())
        if another:
            self._forget_sids()  # another run, or another connection: each counts its sids from 1
        for each in there.values():
            self._restore(each)
        kept = {each.market_ticker: each for each in books}
        self._let_go(BOOKS, {each for each in self._wanted.get(BOOKS, ()) if isinstance(each, str)} - kept.keys())
        if BOOKS in there:
            self._restore_books(self._state.subscription(BOOKS), kept.values())
        for channel in [*self._wanted]:
            if channel not in there and (another or not self._waits(self._state.subscription(channel))):
                self.released(channel)
        self.events.clear()

    def _waits(self, subscription: Subscription) -> bool:
        """Tell whether a channel that has no sid is to have one: it was asked for, or will be again."""
        membership, gaps = subscription.membership, subscription.repair.open_gaps
        if membership.in_flight is not None and membership.in_flight.number in self._state.commands:
            return True
        return subscription.sid is None and (bool(gaps) or membership.retry_at is not None or membership.given_up)

    def _sids(self) -> list[tuple[str, int]]:
        """Return the channels that have a number here, each with it."""
        return [(each.channel, each.sid) for each in self._state.subscriptions.values() if each.sid is not None]

    def _forget_sids(self) -> None:
        self._state.by_sid.clear()
        self._state.commands.clear()
        self._state.owners.clear()
        for each in self._state.subscriptions.values():
            each.disconnect()

    def _restore(self, stood: SubscriptionState) -> None:
        subscription = self._state.subscription(stood.channel)
        if stood.market_tickers is None:
            self._want(stood.channel, [All()])
        else:
            self._want(stood.channel, stood.market_tickers)
        assert stood.sid is not None
        if subscription.sid is None:
            subscription.join(stood.sid, stood.seq, self._state.monotonic())
            self._state.by_sid[stood.sid] = subscription
        elif stood.seq is not None:
            subscription.counting.seq = stood.seq
        if stood.market_tickers is None:
            subscription.membership.acknowledge_all()
        else:
            subscription.membership.deleted(subscription.market_tickers.difference(stood.market_tickers))
            subscription.membership.acknowledge(stood.market_tickers)

    def _restore_books(self, subscription: Subscription, books: Iterable[BookState]) -> None:
        at, ladders = self._state.now_us(), self._state.ladders
        self._want(BOOKS, [each.market_ticker for each in books])
        mended = False
        for each in books:
            ladder = ladders[each.market_ticker]
            if ladder.live and each.status == "live":
                continue
            ladder.replace(dict(each.yes), dict(each.no), each.changed_at)
            ladder.set_status(each.status, at, each.reason)
            if each.status in ("live", "unknown"):
                mended = True
                subscription.repair.received(each.market_ticker, self._state.monotonic())
        if mended and not subscription.repair.awaiting:
            self._state.close_gaps(subscription, at, RepairStep.CHECKPOINT.value)
