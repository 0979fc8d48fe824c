"""Books whose best bid is not below their best ask: looked at once, and then said."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Final

from kalshi_nb._rows.channels import BOOKS
from kalshi_nb._session.ladder import Ladder
from kalshi_nb._session.requests import Command
from kalshi_nb._session.state import SessionState
from kalshi_nb._session.subscription import Subscription
from kalshi_nb._wire.commands import LARGEST_LIST

__all__ = ["CROSSED", "LOOK_PAUSE", "Crossings"]

CROSSED: Final = 1.0
"""Seconds that a book is crossed before it is looked at; between two messages of a match, for a moment, it may be."""

LOOK_PAUSE: Final = 60.0
"""Seconds between two looks at one market, whatever it does meanwhile."""

LOOK_WAIT: Final = 10.0
"""Seconds after which nobody answers any more."""

MOST_EXAMINED: Final = 2_000
"""Books that are examined ten times a second; with more of them, each is examined more rarely."""


class Crossings:
    """Watches for crossed books.

    No exchange that matches orders keeps a crossed book, so either the kept one is wrong although no number is
    missing, or the exchange is in an odd state. One fresh snapshot tells: it replaces the book, and a book that is
    crossed by the exchange's own word is live, and says so.

    Parameters
    ----------
    state : SessionState
        Shared state.
    """

    def __init__(self, state: SessionState) -> None:
        self._state = state
        self._round: Iterator[Ladder] = iter(())
        self._since: dict[str, float] = {}
        self._asked: set[str] = set()
        self._said: set[str] = set()
        self._looked_at: dict[str, float] = {}
        self._looks: list[Command] = []

    def disconnected(self) -> None:
        """Expect no answer any more."""
        self._since.clear()
        self._asked.clear()
        self._looks.clear()

    def laid(self, ladder: Ladder) -> None:
        """Take up that a snapshot was laid in: the exchange's own word."""
        ticker = ladder.market_ticker
        if ticker in self._asked or ticker in self._said:
            self._asked.discard(ticker)
            self._say(ladder, crossed=ladder.is_crossed)

    def tick(self) -> None:
        """Let time pass."""
        now = self._state.monotonic()
        for command in [each for each in self._looks if now - each.sent_at >= LOOK_WAIT]:
            self._looks.remove(command)
            self._state.answered(command.number)
        self._take_back()
        self._examine(now)
        self._look(now)

    def _take_back(self) -> None:
        for ticker in list(self._said):
            ladder = self._state.ladders.get(ticker)
            if ladder is None:
                self._said.discard(ticker)
            elif ladder.live and not ladder.is_crossed:
                self._say(ladder, crossed=False)

    def _examine(self, now: float) -> None:
        """Examine some books, of a list that is made anew when it is at its end; and those that were found."""
        ladders = self._state.ladders
        some = list(islice(self._round, MOST_EXAMINED))
        if len(some) < MOST_EXAMINED:
            self._round = iter(list(ladders.values()))
            some += islice(self._round, MOST_EXAMINED - len(some))
            self._looked_at = {each: at for each, at in self._looked_at.items() if now - at < LOOK_PAUSE}
        # All but a few are left out by the first word: of ten thousand books, that is all that may be done with each.
        for ladder in [each for each in some if each.is_crossed]:
            if ladder.live and ladder.market_ticker not in self._said:
                self._since.setdefault(ladder.market_ticker, now)
        for ticker in list(self._since):
            found = ladders.get(ticker)
            if found is None or not (found.live and found.is_crossed) or ticker in self._said:
                del self._since[ticker]

    def _look(self, now: float) -> None:
        """Ask for one snapshot of each book that has been crossed for long enough."""
        subscription = self._state.subscriptions.get(BOOKS)
        if subscription is None or subscription.counting.sid is None or not self._since:
            return
        due = [each for each, since in self._since.items() if self._is_due(subscription, each, now - since)]
        for start in range(0, len(due), LARGEST_LIST):
            some = tuple(sorted(due[start : start + LARGEST_LIST]))
            self._looks.append(self._state.send(subscription, "look", some))
            self._asked.update(some)
            self._looked_at.update(dict.fromkeys(some, now))

    def _is_due(self, subscription: Subscription, ticker: str, held: float) -> bool:
        if held < CROSSED or ticker in self._looked_at:
            return False
        membership = subscription.membership
        return ticker in membership.market_tickers and not membership.is_leaving(ticker)

    def _say(self, ladder: Ladder, *, crossed: bool) -> None:
        (self._said.add if crossed else self._said.discard)(ladder.market_ticker)
        ladder.set_crossed(crossed)
