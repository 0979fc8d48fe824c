"""What the parts of a session share: subscriptions, commands under way, ladders, gaps and rejects."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from random import Random
from typing import Final

from kalshi_nb._rows.gaps import Gap, GapLog, GapRow
from kalshi_nb._rows.rejects import MOST_REJECTS, Reject
from kalshi_nb._session.ladder import Ladder, Watcher
from kalshi_nb._session.requests import OFFERED, Command, Outcome, Request
from kalshi_nb._session.subscription import Subscription
from kalshi_nb._wire import commands

__all__ = ["Event", "Reconnect", "SessionState"]

MOST_REJECTED_BYTES: Final = 2_000


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
        monotonic: Callable[[], float],
        random: Random,
        gaps: GapLog,
        connection: int,
        ladder_of: Callable[[str], Ladder],
    ) -> None:
        self.now_us = now_us
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
        self.rejects: deque[Reject] = deque(maxlen=MOST_REJECTS)
        self.outgoing: deque[bytes] = deque()
        self.events: deque[Event] = deque()
        self.messages = 0
        self.rejected = 0
        self.duplicates = 0
        self.unrequested = 0
        self.last_error: tuple[float, str] | None = None
        self._numbers = count(1)

    def subscription(self, channel: str) -> Subscription:
        """Return the subscription of `channel`, made when there is none."""
        found = self.subscriptions.get(channel)
        if found is None:
            found = self.subscriptions[channel] = Subscription(channel, self.random)
        return found

    def send(
        self, subscription: Subscription | None, kind: str, market_tickers: tuple[str, ...] | None = None
    ) -> Command:
        """Queue one command and remember it by its number."""
        number = next(self._numbers)
        sids = frozenset(self.by_sid) if subscription is None else frozenset[int]()
        command = Command(number, kind, market_tickers, self.monotonic(), sids)  # type: ignore[arg-type]
        self.commands[number] = command
        if subscription is None:
            data = commands.list_subscriptions(number)
        else:
            self.owners[number] = subscription
            data = _encode(number, subscription, kind, market_tickers)
        self.outgoing.append(data)
        return command

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

    def end(self, request: Request, outcome: Outcome) -> None:
        """Tell how `request`, which has no outcome yet, ended."""
        request.outcome = outcome
        self.events.append(request)

    def settle(self, subscription: Subscription, market_ticker: str | None = None) -> None:
        """Tell the wishes that are fulfilled; only those for one market, where nothing else has changed.

        With hundreds of books, to look at every wish again at each snapshot would be most of the work.
        """
        now = self.monotonic()
        for request in subscription.requests if market_ticker is None else subscription.naming(market_ticker):
            if request.outcome is not None or request.listens == OFFERED:
                continue  # a wish for a list ends with the list
            if subscription.satisfies(request, now):
                self.end(request, Outcome())

    def complain(self, text: str) -> None:
        """Keep the exchange's newest complaint."""
        self.last_error = (self.monotonic(), text)

    def reject(self, received_at: int, reason: str, data: bytes) -> None:
        """Count a frame that means nothing, and keep the beginning of it."""
        self.rejected += 1
        self.rejects.append(Reject(received_at, reason, bytes(data[:MOST_REJECTED_BYTES])))

    def open_gap(
        self,
        subscription: Subscription,
        reason: str,
        seq_from: int | None,
        seq_to: int | None,
        market_ticker: str | None = None,
    ) -> Gap:
        """Write down a hole that is not over yet."""
        gap = Gap(
            subscription.channel,
            market_ticker,
            self.now_us(),
            None,
            reason,
            seq_from,
            seq_to,
            connection=self.connection,
        )
        subscription.open_gaps.append(self.gaps.open(gap))
        if subscription.listening:
            subscription.rows.append(GapRow(market_ticker, gap.opened_at, reason))
        return gap

    def close_gaps(self, subscription: Subscription, at: int, repaired_by: str | None) -> None:
        """Write down that the holes of `subscription` are over."""
        for gap in subscription.open_gaps:
            gap.closed_at = max(at, gap.opened_at)  # a frame's stamp is older than the hole it shows
            gap.repaired_by = repaired_by
        subscription.open_gaps.clear()


def _encode(number: int, subscription: Subscription, kind: str, market_tickers: tuple[str, ...] | None) -> bytes:
    if kind == "subscribe":
        return commands.subscribe(number, subscription.channel, market_tickers, subscription.params)
    assert subscription.sid is not None
    if kind == "unsubscribe":
        return commands.unsubscribe(number, subscription.sid)
    assert market_tickers is not None
    return commands.update_subscription(number, subscription.sid, kind, market_tickers, channel=subscription.channel)
