"""What the parts of a session share: subscriptions, commands under way, ladders, gaps and rejects."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import count
from random import Random
from typing import Final

from kalshi_nb._rows.channels import BOOKS
from kalshi_nb._rows.foreign import plain_text
from kalshi_nb._rows.gaps import Gap, GapLog, GapReason, GapRow, RepairedBy
from kalshi_nb._rows.rejects import MOST_REJECTS, Reject
from kalshi_nb._rows.rows import Row
from kalshi_nb._session.ladder import Ladder, Watcher
from kalshi_nb._session.repair import RepairStep
from kalshi_nb._session.requests import CATALOG, Command, Outcome, Request
from kalshi_nb._session.subscription import Subscription
from kalshi_nb._wire import commands

__all__ = ["Event", "Reconnect", "SessionState"]

MOST_REJECTED_BYTES: Final = 2_000

MOST_TYPES: Final = 100
"""Types of messages that nobody knows and that are remembered."""

_LONGEST_TYPE: Final = 100


@dataclass(frozen=True, slots=True)
class Reconnect:
    """The session asks for a new connection."""

    reason: str


Event = Request | Reconnect


class SessionState:
    """Shared state; see :class:`kalshi_nb._session.session.Session` for its meaning."""

    def __init__(
        self,
        *,
        now_us: Callable[[], int],
        steady: Callable[[int], int],
        monotonic: Callable[[], float],
        random: Random,
        gaps: GapLog,
        connection: int,
        alone: bool,
        rows: dict[str, list[Row]],
        ladder_of: Callable[[str], Ladder],
    ) -> None:
        self.now_us = now_us
        self.steady = steady
        self.monotonic = monotonic
        self.random = random
        self.connected = False
        self.subscriptions: dict[str, Subscription] = {}
        self.by_sid: dict[int, Subscription] = {}
        self.commands: dict[int, Command] = {}
        self.owners: dict[int, Subscription] = {}
        self.ladder_of = ladder_of
        self.ladders: dict[str, Ladder] = {}
        self.watcher: Watcher | None = None
        self.gaps = gaps
        self.connection = connection
        self.alone = alone
        self.rows = rows
        self.rejects: deque[Reject] = deque(maxlen=MOST_REJECTS)
        self.outgoing: deque[bytes] = deque()
        self.events: deque[Event] = deque()
        self.messages = 0
        self.rejected = 0
        self.duplicates = 0
        self.unrequested = 0
        self.last_error: tuple[float, str] | None = None
        self._heard: set[str] = set()
        self._numbers = count(1)

    def subscription(self, channel: str) -> Subscription:
        """Return the subscription of `channel`, made when there is none."""
        found = self.subscriptions.get(channel)
        if found is None:
            found = self.subscriptions[channel] = Subscription(channel, self.random, self.rows_of(channel))
        return found

    def rows_of(self, channel: str) -> list[Row]:
        """Return the list that rows of `channel`, or quotes, are appended to; it is never replaced by another."""
        return self.rows.setdefault(channel, [])

    def send(
        self, subscription: Subscription | None, kind: str, market_tickers: tuple[str, ...] | None = None
    ) -> Command:
        """Queue one command and remember it by its number.

        Raises
        ------
        UnicodeEncodeError
            When a ticker is no text that can be sent; nothing is queued then.
        """
        number = next(self._numbers)
        encoded = _encode(number, subscription, kind, market_tickers)
        sids = frozenset(self.by_sid) if subscription is None else frozenset[int]()
        command = Command(number, kind, market_tickers, self.monotonic(), sids)  # type: ignore[arg-type]
        self.commands[number] = command
        if subscription is not None:
            self.owners[number] = subscription
        self.outgoing.append(encoded)
        return command

    def unanswered(self) -> list[bytes]:
        """Return the commands that were sent and not answered, as they were sent."""
        return [
            _encode(each.number, self.owners.get(each.number), each.kind, each.market_tickers)
            for each in self.commands.values()
        ]

    def answered(self, number: int | None) -> tuple[Command | None, Subscription | None]:
        """Take the command with this number off the list of those under way."""
        if number is None:
            return None, None
        return self.commands.pop(number, None), self.owners.pop(number, None)

    def forget(self, subscription: Subscription, kind: str | None = None) -> None:
        """Expect no answers any more to commands (of one kind, or all) about `subscription`."""
        for number in [number for number, owner in self.owners.items() if owner is subscription]:
            if kind is None or self.commands[number].kind == kind:
                self.answered(number)

    def end(self, subscription: Subscription, request: Request, outcome: Outcome) -> None:
        """Write down, and pass on, how `request`, which has no outcome yet, ended."""
        request.outcome = outcome
        subscription.membership.ended(request)
        self.events.append(request)

    def settle(self, subscription: Subscription, requests: Iterable[Request]) -> None:
        """End those of some requests that are fulfilled."""
        now = self.monotonic()
        for request in requests:
            if request.outcome is not None or request.listens == CATALOG:
                continue  # a request for the catalog ends with the catalog
            if subscription.satisfies(request, now):
                self.end(subscription, request, Outcome())

    def settle_naming(self, subscription: Subscription, market_tickers: Iterable[str]) -> None:
        """End those that are fulfilled and name some markets, where nothing else has changed.

        Of ten thousand requests, a snapshot and an answer concern a few. To look at every one again each time would be
        most of the work, and would grow with the square of them.
        """
        naming = subscription.membership.naming
        concerned = dict.fromkeys(request for ticker in market_tickers for request in naming(ticker))
        self.settle(subscription, concerned)

    def complain(self, text: str) -> None:
        """Keep the exchange's newest complaint."""
        self.last_error = (self.monotonic(), text)

    def reject(self, received_at: int, reason: str, data: bytes, fields: tuple[str, ...] = ()) -> None:
        """Count a frame that means nothing, or of which `fields` do, and keep the beginning of it."""
        self.rejected += 1
        self.rejects.append(Reject(received_at, plain_text(reason), bytes(data[:MOST_REJECTED_BYTES]), fields))

    def hears_first_of(self, kind: str) -> bool:
        """Take note of a message of a type that nobody knows; return whether it is the first of its type.

        Whoever invents more types than are remembered has none of them taken for a new one any more.
        """
        kind = kind[:_LONGEST_TYPE]
        if kind in self._heard or len(self._heard) >= MOST_TYPES:
            return False
        self._heard.add(kind)
        return True

    def open_gap(
        self,
        subscription: Subscription,
        reason: GapReason,
        seq_from: int | None,
        seq_to: int | None,
        market_ticker: str | None = None,
    ) -> Gap:
        """Write down a gap that is not over yet, mark its place among the rows, and return it.

        One without numbers says nothing new while another that says the same is open, and is that one. So it is where
        the other was of the same moment, which goes on then: whoever knows gaps by what they say would take the two
        for one.

        Where nothing but nonsense comes, nothing ends them. So from a number of open ones on, the next is one of all
        markets, from its first number on, and stands for all that follow; of these, only the rows tell each.
        """
        at = self.now_us()
        repair = subscription.repair
        is_rest = repair.has_too_many_gaps and reason != "connection_lost"  # which is one an outage
        if is_rest and repair.rest is not None:
            self._mark(subscription, reason, market_ticker, at)
            return repair.rest
        if is_rest:
            market_ticker = seq_to = None
        known = repair.unnumbered(reason, market_ticker, at) if seq_from is None else None
        if known is not None:
            if known.closed_at is not None:
                self.gaps.reopen(known)
                repair.add_gap(known)
                self._mark(subscription, reason, market_ticker, at)
            if is_rest:
                repair.rest = known
            return known
        gap = Gap(
            subscription.channel,
            market_ticker,
            at,
            None,
            reason,
            seq_from,
            seq_to,
            connection=self.connection,
            opened=self.steady(at),
        )
        repair.add_gap(self.gaps.open(gap))
        if seq_from is None:
            repair.of_moment(at)[reason, market_ticker] = gap
        if is_rest:
            repair.rest = gap
        self._mark(subscription, reason, market_ticker, at)
        return gap

    def lose(self, subscription: Subscription) -> None:
        """Write down that a channel that is wanted has no connection; one loss is one gap.

        Somebody may close what he has and ask for it again, however often, before there is a new connection.
        """
        repair = subscription.repair
        if repair.outage is None:
            repair.outage = self.open_gap(subscription, "connection_lost", subscription.counting.due, None)
        else:
            self.gaps.reopen(repair.outage)
            repair.add_gap(repair.outage)
            self._mark(subscription, repair.outage.reason, None, self.now_us())
        repair.mended_from_outside(RepairStep.RECONNECT)

    def _mark(self, subscription: Subscription, reason: GapReason, market_ticker: str | None, at: int) -> None:
        """Mark the place of a gap among the rows."""
        if subscription.counting.listening:
            concerned = self._concerned(subscription, market_ticker)
            subscription.counting.rows.extend([GapRow(each, at, reason, self.steady(at)) for each in concerned])

    def _concerned(self, subscription: Subscription, market_ticker: str | None) -> Iterable[str | None]:
        """Return what the rows are to say of whom a gap concerns.

        Books are spread over the connections of a feed, and their rows stand in one list. So a gap of all books of
        one of several connections is said of each by name: those of the other connections have none.
        """
        if market_ticker is not None or self.alone or subscription.channel != BOOKS:
            return [market_ticker]
        wanted = subscription.membership.wanted
        return sorted(wanted) if isinstance(wanted, frozenset) else []

    def close_gaps(self, subscription: Subscription, at: int, repaired_by: RepairedBy | None) -> None:
        """Write down that the gaps of `subscription` are over since `at`, a stamp made just now."""
        if subscription.repair.open_gaps:
            self.gaps.close(subscription.repair.take_gaps(), at, self.steady(at), repaired_by)


def _encode(
    number: int, subscription: Subscription | None, kind: str, market_tickers: tuple[str, ...] | None
) -> bytes:
    if subscription is None:
        return commands.list_subscriptions(number)
    if kind == "subscribe":
        return commands.subscribe(number, subscription.channel, market_tickers, subscription.membership.params)
    sid = subscription.counting.sid
    assert sid is not None
    if kind == "unsubscribe":
        return commands.unsubscribe(number, sid)
    assert market_tickers is not None
    kind = "get_snapshot" if kind == "look" else kind
    return commands.update_subscription(number, sid, kind, market_tickers, channel=subscription.channel)
