"""Which markets of which channel: brings what the exchange sends towards what is wanted.

One command a channel is under way at a time, and the next one follows from the difference between what is
wanted and what was acknowledged. So answers may come in any order, a lost answer is asked for again, and
there is no order of calls that has to be right.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any, Final

from kalshi_nb._redaction import has_bytes
from kalshi_nb._rows.channels import BOOKS
from kalshi_nb._rows.gaps import GapReason
from kalshi_nb._session.books import Books
from kalshi_nb._session.liveness import Liveness
from kalshi_nb._session.membership import PATIENCE
from kalshi_nb._session.repair import RepairStep
from kalshi_nb._session.requests import CATALOG, Command, Outcome, Request
from kalshi_nb._session.state import SessionState
from kalshi_nb._session.subscription import Subscription
from kalshi_nb._wire.codes import AGAIN, FULL, TERMINAL
from kalshi_nb._wire.commands import LARGEST_LIST
from kalshi_nb._wire.control import ErrorFrame, OkFrame, SubscribedFrame, UnsubscribedFrame

__all__ = ["Reconciler"]

REPLY_WAIT: Final = 10.0
"""Seconds after which an unanswered command counts as lost."""

LOOKED_AT: Final = 1_000
"""Requests without an outcome that are looked at ten times a second."""

_NO_SUCH_SID: Final = 7
_ENDED_BY: Final[dict[int, GapReason]] = {10: "error_10", 25: "error_25"}


class Reconciler:
    """The commands of a session and their answers."""

    def __init__(self, state: SessionState, books: Books, liveness: Liveness) -> None:
        self._state = state
        self._books = books
        self._liveness = liveness

    # What is wanted -----------------------------------------------------------------------------------

    def want(self, requests: Sequence[Request]) -> None:
        """Add requests for one channel, together; their outcomes come as events."""
        subscription = self._state.subscription(requests[0].channel)
        now = self._state.monotonic()
        for request in requests:
            request.since = now
        subscription.membership.add(requests)
        subscription.update_listening()
        if subscription.channel == BOOKS:
            named = frozenset[str]().union(*(each.wanted for each in requests if isinstance(each.wanted, frozenset)))
            self._books.open(subscription, named)
        self._state.settle(subscription, requests)
        if any(request.outcome is None for request in requests):
            subscription.membership.asked_at = now
        self.reconcile(subscription)

    def release(self, requests: Sequence[Request]) -> None:
        """Take requests for one channel back; markets that nobody else wants are let go."""
        subscription = self._state.subscription(requests[0].channel)
        subscription.membership.release(requests)
        subscription.update_listening()
        self.reconcile(subscription)

    def reconcile(self, subscription: Subscription) -> None:
        """Send the next command that brings what is sent closer to what is wanted, if one is due."""
        self._forget_unwanted(subscription)
        membership, sid = subscription.membership, subscription.counting.sid
        aim = membership.aim
        if aim == "nothing" and sid is None and membership.in_flight is None:
            self._state.close_gaps(subscription, self._state.now_us(), None)  # nobody waits for data to go on
        if not self._state.connected or not membership.may_send(self._state.monotonic()):
            return
        if sid is None:
            if aim != "nothing":
                self._send(subscription, "subscribe", _first(membership.missing) if aim == "some" else None)
            return
        self._ask_for_catalog(subscription)
        if aim == "nothing" or membership.renewing or (aim == "all") != membership.all_markets:
            # The end of a filter is a new subscription, too: what a filtered subscribe does to an
            # unfiltered one is not documented. Deleting the last market might turn it into all markets.
            self._send(subscription, "unsubscribe")
        elif aim == "some" and membership.missing:
            self._send(subscription, "add_markets", _first(membership.missing))
        elif aim == "some" and membership.extra:
            self._send(subscription, "delete_markets", _first(membership.extra))

    def _send(self, subscription: Subscription, kind: str, market_tickers: tuple[str, ...] | None = None) -> None:
        try:
            command = self._state.send(subscription, kind, market_tickers)
        except UnicodeEncodeError:
            # It would be met again at each new connection, and end that. So whoever named it has it no more.
            self._refuse_unsendable(subscription, market_tickers or ())
            self.reconcile(subscription)
        else:
            subscription.membership.sent(command)

    def _ask_for_catalog(self, subscription: Subscription) -> None:
        membership = subscription.membership
        if membership.listing is None and membership.asks_for_catalog:
            membership.asked(self._state.send(subscription, "catalog", ()))

    def tick(self, subscription: Subscription) -> None:
        """Look after an answer that does not come, and a retry that is due."""
        membership, now = subscription.membership, self._state.monotonic()
        command = membership.in_flight
        if command is not None and now - command.sent_at >= REPLY_WAIT:
            self._state.answered(command.number)
            membership.answered(command)
            if command.kind == "delete_markets":
                # Whether it was done is not known, and a market that is sent no more would look live for ever.
                membership.doubt(command.market_tickers or ())
            self._state.complain(f"{subscription.channel}: no answer to {command.kind} in {REPLY_WAIT:.0f} s")
            # Whoever asked since has not been unanswered yet: what he wants is in the next command.
            self._refuse(subscription, Outcome(0, "no answer", said_by="nobody"), keep=True, until=command.sent_at)
            self._later(subscription)
        elif command is not None and membership.outlasts_patience(command, now):
            self._state.answered(command.number)
            membership.answered(command)
            self._state.complain(
                f"{subscription.channel}: no answer to {command.kind} in {PATIENCE:.0f} s; asked again"
            )
        listing = membership.listing
        if listing is not None and now - listing.sent_at >= REPLY_WAIT:
            self._state.answered(listing.number)
            membership.listed()
        self._state.settle(subscription, membership.some_pending(LOOKED_AT))
        self.reconcile(subscription)

    # Answers ------------------------------------------------------------------------------------------

    def subscribed(self, frame: SubscribedFrame) -> None:
        """Take up a new sid.

        It may answer a subscribe that was given up, while the next one is under way: the sid is right then, but
        the markets are those of the first, which only an ``ok`` will tell.
        """
        sid = frame.msg.sid
        subscription = self._state.subscriptions.get(frame.msg.channel)
        if subscription is None or sid in self._state.by_sid:
            self._state.unrequested += 1
            return
        if subscription.counting.sid is not None:
            self._ended(subscription, "unsubscribed")  # the new sid says that the old one is gone
        command = subscription.membership.in_flight
        if command is not None and frame.id not in (None, command.number):
            command = None
        if command is not None:  # a subscribe: without a sid there is nothing else to be under way
            self._state.answered(command.number)
            subscription.membership.subscribed(command)
        # One that answers nothing may be said a thousand times a second, and each has commands follow.
        subscription.begin(sid, self._state.monotonic(), answers=command is not None)
        self._state.by_sid[sid] = subscription
        if command is not None:
            self._acknowledge(subscription, command.market_tickers)
        self.reconcile(subscription)
        membership = subscription.membership
        if subscription.channel != BOOKS and membership.in_flight is None and membership.retry_at is None:
            # From here on all of it comes again, though it may be long before there is something. Nothing brought back
            # what was lost until now. Books are another matter: each is right again when its snapshot has come.
            self._state.close_gaps(subscription, self._state.now_us(), None)

    def ok(self, frame: OkFrame) -> None:
        """Take up an acknowledged change, or the list of subscriptions."""
        command, owner = self._state.answered(frame.id)
        if command is not None and command.kind == "list":
            if isinstance(frame.msg, list):
                self._listed(command.sids, frame.msg)
            return
        subscription = owner or (self._state.by_sid.get(frame.sid) if frame.sid is not None else None)
        if subscription is None:
            return
        if command is None:  # the answer to a command that was given up, or somebody else's in a recording
            self._acknowledge(subscription, _markets(frame) or ())
        else:
            subscription.membership.answered(command)
            self._changed(subscription, command, frame)
        self.reconcile(subscription)

    def _changed(self, subscription: Subscription, command: Command, frame: OkFrame) -> None:
        if command.kind == "subscribe":
            self._merged(subscription, command, frame)
        elif command.kind == "add_markets":
            self._added(subscription, command, frame)
        elif command.kind == "delete_markets":
            gone = set(command.market_tickers or ())
            subscription.membership.deleted(gone)
            if subscription.channel == BOOKS:
                self._books.deleted(subscription, gone)
            listed = _markets(frame)
            if listed is not None:
                self._believe_what_is_missing(subscription, listed)

    def unsubscribed(self, frame: UnsubscribedFrame) -> None:
        """Forget an ended sid, and subscribe again where something is still wanted."""
        _, owner = self._state.answered(frame.id)
        subscription = self._state.by_sid.pop(frame.sid, None)
        if subscription is None:
            return
        if owner is None or subscription.membership.aim == "nothing":
            self._ended(subscription, "unsubscribed")
        else:
            if subscription.channel == BOOKS:
                self._books.lost(subscription, "resubscribing")
            elif subscription.membership.is_sent and subscription.membership.anybody_loses:
                self._open_gap(subscription, "resubscribed")
            self._state.forget(subscription)
            subscription.end()
        self.reconcile(subscription)

    def catalog(self, subscription: Subscription, number: int | None, names: Sequence[str]) -> None:
        """Take up the list of what a reference feed has, the answer to the command of this number."""
        self._state.answered(number)
        subscription.membership.listed()
        for request in subscription.membership.pending:
            if request.listens == CATALOG:
                request.catalog = tuple(names)
                self._state.end(subscription, request, Outcome())
        self.reconcile(subscription)

    def error(self, frame: ErrorFrame) -> None:
        """Take up a refused command or an ended subscription."""
        code, text = frame.msg.code, frame.msg.msg
        command, owner = self._state.answered(frame.id)
        if code in TERMINAL and frame.sid is not None and frame.sid in self._state.by_sid:
            subscription = self._state.by_sid[frame.sid]
            self._state.complain(f"{subscription.channel}: error {code} {text}")
            self._ended(subscription, _ENDED_BY[code])
            return
        named = tuple(frame.msg.market_tickers or ([frame.msg.market_ticker] if frame.msg.market_ticker else ()))
        if command is None and named:
            command, owner = self._acknowledged(frame.id)
        if command is None or owner is None:
            scope = self._state.by_sid.get(frame.sid) if frame.sid is not None else None
            self._state.complain(f"{'' if scope is None else f'{scope.channel}: '}error {code} {text}")
            if scope is not None:
                self._liveness.doubt()
            return
        self._state.complain(f"{owner.channel}: error {code} {text}")
        if code == FULL and owner.channel != BOOKS and not owner.membership.whole:
            # More markets than one subscription takes: so all of them, and whoever named some gets those.
            owner.membership.take_whole()
            owner.membership.answered(command)
        else:
            refused = self._refused if command.kind != "catalog" or code == _NO_SUCH_SID else self._refuse_catalog
            refused(owner, command, Outcome(code, text, named))
        self.reconcile(owner)

    # Consequences -------------------------------------------------------------------------------------

    def _acknowledged(self, number: int | None) -> tuple[Command | None, Subscription | None]:
        """Return the acknowledged ``subscribe`` with this number: single tickers may be refused after it."""
        for subscription in self._state.subscriptions.values():
            command = subscription.membership.last_command
            if command is not None and command.number == number:
                return command, subscription
        return None, None

    def _refused(self, subscription: Subscription, command: Command, outcome: Outcome) -> None:
        membership = subscription.membership
        if outcome.market_tickers:
            # The rest of the list may have been taken: its acknowledgement, if it comes, carries the same
            # id, so the command stays under way until then.
            named = set(outcome.market_tickers)
            membership.refuse(named, command)
            if subscription.channel == BOOKS:
                self._books.refused(subscription, named, outcome.code or 0)
            if membership.in_flight is command:
                self._keep_waiting(subscription, command)
            self._refuse(subscription, outcome)
            return
        membership.answered(command)
        if outcome.code == _NO_SUCH_SID and subscription.counting.sid is not None:
            self._ended(subscription, "unsubscribed")
        elif command.kind == "look":
            pass  # the book is what it was
        elif command.kind == "get_snapshot":
            # First snapshots are asked for again in time, and later steps wait theirs.
            if subscription.repair.step is RepairStep.SNAPSHOT:
                self._books.escalate(subscription)
        elif outcome.code in AGAIN or command.kind in ("delete_markets", "unsubscribe"):
            self._put_off(subscription, outcome)
            self._later(subscription)
        elif command.kind == "add_markets":
            # The exchange did not say which; the subscription itself goes on without all of them.
            self._refused(subscription, command, replace(outcome, market_tickers=command.market_tickers or ()))
        else:
            membership.give_up()
            self._refuse(subscription, outcome)

    def _refuse_unsendable(self, subscription: Subscription, market_tickers: Iterable[str]) -> None:
        """Refuse the requests for those of some markets whose names cannot be sent, and these alone."""
        named = tuple(each for each in market_tickers if not has_bytes(each))
        subscription.membership.refuse(frozenset(named))
        if subscription.channel == BOOKS:
            self._books.refused(subscription, named, 0)
        self._refuse(subscription, Outcome(0, "no text that can be sent", named, said_by="kit"))

    def _put_off(self, subscription: Subscription, outcome: Outcome) -> None:
        """Have whoever waits know what the exchange said, although it is asked again."""
        for request in subscription.membership.pending:
            request.put_off = outcome

    def _refuse_catalog(self, subscription: Subscription, _: Command, outcome: Outcome) -> None:
        if outcome.code in AGAIN:
            self._put_off(subscription, outcome)
            return  # asked for again once the answer is overdue
        membership = subscription.membership
        membership.listed()
        ended = [each for each in membership.pending if each.listens == CATALOG]
        membership.remove(ended)
        for request in ended:
            self._state.end(subscription, request, outcome)

    def _keep_waiting(self, subscription: Subscription, command: Command) -> None:
        rest = set(command.market_tickers or ()) - subscription.membership.refused
        if not rest or command.kind != "subscribe":
            subscription.membership.answered(command)
            return
        self._state.commands[command.number] = command
        self._state.owners[command.number] = subscription

    def _refuse(
        self, subscription: Subscription, outcome: Outcome, *, keep: bool = False, until: float = float("inf")
    ) -> None:
        """End every unanswered request that `outcome` concerns; what was refused is no longer wanted, unless kept.

        Concerned are those that stand since `until` at the latest.
        """
        membership, named = subscription.membership, outcome.market_tickers
        naming = dict.fromkeys(request for ticker in named for request in membership.naming(ticker))
        unanswered = [each for each in naming if each.outcome is None] if named else membership.pending
        concerned = [each for each in unanswered if each.since <= until]
        for request in concerned:
            self._state.end(subscription, request, outcome)
        if not keep:
            membership.remove(concerned)
        subscription.update_listening()

    def _acknowledge(self, subscription: Subscription, market_tickers: Sequence[object] | None) -> None:
        if market_tickers is None:
            subscription.membership.acknowledge_all()
            self._state.settle(subscription, subscription.membership.pending)
            return
        new = subscription.membership.acknowledge(market_tickers)
        if subscription.channel == BOOKS:
            self._books.expect(subscription, new)
        self._state.settle_naming(subscription, new)

    def _added(self, subscription: Subscription, command: Command, frame: OkFrame) -> None:
        """Believe the list that the exchange says it sends: a book that is not on it would stand still."""
        listed = _markets(frame)
        if listed is None or command.market_tickers is None:
            self._acknowledge(subscription, command.market_tickers)
            return
        self._acknowledge(subscription, listed)
        self._believe_what_is_missing(subscription, listed)
        membership = subscription.membership
        if any(membership.is_missing(each) for each in command.market_tickers):
            self._later(subscription)

    def _believe_what_is_missing(self, subscription: Subscription, listed: Sequence[object]) -> None:
        """Take up that markets are sent no more, since the list of what is sent lacks them, and ask for them again."""
        gone = subscription.membership.not_on(listed)
        if not gone:
            return
        for ticker in gone:
            self._state.open_gap(subscription, "unsubscribed", subscription.counting.due, None, ticker)
        if subscription.channel == BOOKS:
            self._books.dropped(subscription, gone)
        subscription.membership.deleted(frozenset(gone))
        self._later(subscription)

    def _merged(self, subscription: Subscription, command: Command, frame: OkFrame) -> None:
        """Our subscribe met a subscription that we did not know of: no snapshots will come by themselves."""
        if frame.sid is None:
            self._later(subscription)
            return
        if subscription.counting.sid != frame.sid:
            if subscription.counting.sid is not None:
                self._ended(subscription, "unsubscribed")
            subscription.join(frame.sid, frame.seq, self._state.monotonic())
            self._state.by_sid[frame.sid] = subscription
        self._added(subscription, command, frame)
        if subscription.channel == BOOKS and subscription.repair.awaiting:
            self._books.ask(subscription)

    def _listed(self, ours: frozenset[int], listed: list[Any]) -> None:
        """Compare the exchange's list of subscriptions with ours."""
        theirs = [each.get("sid") for each in listed if isinstance(each, dict)]
        for sid, subscription in list(self._state.by_sid.items()):
            if sid in ours and sid not in theirs:
                self._ended(subscription, "unsubscribed")
                self.reconcile(subscription)

    def _ended(self, subscription: Subscription, reason: GapReason) -> None:
        """Take up the end of a subscription: a gap, and a new try, where it is still wanted."""
        sid = subscription.counting.sid
        assert sid is not None
        self._state.by_sid.pop(sid, None)
        wanted = subscription.membership.aim != "nothing"
        if wanted:
            self._open_gap(subscription, reason)
            subscription.repair.mended_from_outside(RepairStep.RESUBSCRIBE)
            if subscription.channel == BOOKS:
                self._books.lost(subscription, reason)
        else:
            self._state.close_gaps(subscription, self._state.now_us(), None)
        subscription.repair.break_off()
        self._state.forget(subscription)
        subscription.end()
        if wanted:
            self._later(subscription)

    def _open_gap(self, subscription: Subscription, reason: GapReason) -> None:
        self._state.open_gap(subscription, reason, subscription.counting.due, None)

    def _later(self, subscription: Subscription) -> None:
        """Try again after a delay."""
        subscription.membership.retry(self._state.monotonic())

    def _forget_unwanted(self, subscription: Subscription) -> None:
        if subscription.channel != BOOKS:
            return
        dropped = [each for each in subscription.membership.take_unnamed() if each in self._state.ladders]
        if dropped:
            self._books.forget(subscription, dropped)


def _first(market_tickers: Iterable[str]) -> tuple[str, ...]:
    """Return as many tickers as one command takes."""
    return tuple(sorted(islice(market_tickers, LARGEST_LIST)))


def _markets(frame: OkFrame) -> list[object] | None:
    """Return what an ``ok`` lists as its markets, None where it lists nothing."""
    listed = frame.msg.get("market_tickers") if isinstance(frame.msg, dict) else None
    return listed if isinstance(listed, list) else None
