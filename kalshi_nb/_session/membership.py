"""What is wanted of one channel, and how far the exchange has acknowledged it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from random import Random
from typing import Final, NamedTuple

from kalshi_nb._rows.channel import Channel
from kalshi_nb._rows.wanted import ALL, Params, Wanted
from kalshi_nb._session.backoff import Backoff
from kalshi_nb._session.requests import CATALOG, Command, Request

__all__ = ["Membership"]

HELD: Final = 30.0
"""Seconds a subscription must hold to count as good; its first snapshots alone may be what overflowed it."""


class _Union(NamedTuple):
    """What all requests come to; made anew only when they change, since ten thousand are looked at ten times a second.

    `named` are the markets, `everything` says whether somebody wants all of them, `asking` are the requests for the
    catalog.
    """

    named: frozenset[str]
    everything: bool
    asking: tuple[Request, ...]


class Membership:
    """What is wanted of one channel, what was acknowledged, and the command that brings the two closer.

    Attributes
    ----------
    requests : list of Request
        Everything that somebody wants.
    rows_wanted : bool
        Whether rows are to be made although no request takes them.
    refused : set of str
        Markets that the exchange does not send.
    whole : bool
        Whether more markets were named than one subscription takes, so that all are taken.
    all_markets : bool
        Whether the exchange sends all markets.
    market_tickers : set of str
        What the exchange has acknowledged otherwise.
    doubtful : set of str
        Markets of a ``delete_markets`` that got no answer: nobody knows whether they are sent.
    in_flight : Command or None
        The command that changes membership; one at a time.
    listing : Command or None
        The command that asks a reference feed for its catalog.
    last_command : Command or None
        The newest ``subscribe`` that was acknowledged: refusals of single tickers may follow it.
    renewing : bool
        Whether the subscription is to be ended and made anew.
    retry_at : float or None
        When the next command may be sent, on the session's own clock, in seconds; None for at once.
    given_up : bool
        Whether the exchange refused the channel, so that asking again on this connection is vain.
    since : float or None
        Since when the newest sid was there, in seconds, until its end has been answered by a delay.
    """

    __slots__ = (
        "_backoff",
        "_channel",
        "_filtered",
        "_naming",
        "_union",
        "all_markets",
        "doubtful",
        "given_up",
        "in_flight",
        "last_command",
        "listing",
        "market_tickers",
        "refused",
        "renewing",
        "requests",
        "retry_at",
        "rows_wanted",
        "since",
        "whole",
    )

    def __init__(self, channel: str, traits: Channel, random: Random) -> None:
        self._channel = channel
        self._filtered = traits.filtered
        self._backoff = Backoff(random)
        self._union: _Union | None = None
        self._naming: dict[str, list[Request]] | None = None
        self.requests: list[Request] = []
        self.rows_wanted = False
        self.refused: set[str] = set()
        self.whole = False
        self.since: float | None = None
        self.last_command: Command | None = None
        self.disconnect()

    # The sid and the connection -----------------------------------------------------------------------

    def end(self) -> None:
        """Forget what was acknowledged: the exchange has ended the sid. What is wanted stays."""
        self.all_markets = False
        self.market_tickers: set[str] = set()
        self.doubtful: set[str] = set()
        self.in_flight: Command | None = None
        self.listing: Command | None = None
        self.renewing = False
        self.retry_at: float | None = None

    def begin(self, now: float) -> None:
        """Take up that there is a sid."""
        self.since = now
        self.retry_at = None

    def disconnect(self) -> None:
        """Forget what belonged to the connection that is gone."""
        self.end()
        self.given_up = False

    # What is wanted -----------------------------------------------------------------------------------

    def add(self, requests: Sequence[Request]) -> None:
        """Take up requests; what was refused before is asked for again."""
        self.requests.extend(requests)
        self._union = None
        if self._naming is not None:
            for request in requests:
                self._index(request, self._naming)
        self.given_up = False
        self.retry_at = None  # whoever asks anew does not wait for the retry of what others asked
        self.refused.difference_update(*(each.wanted for each in requests if isinstance(each.wanted, frozenset)))

    def remove(self, requests: Iterable[Request]) -> None:
        """Forget requests; those that are not there, too."""
        gone = {id(each) for each in requests}
        if gone:
            self.requests = [each for each in self.requests if id(each) not in gone]
            self._union = self._naming = None

    def release(self, requests: Iterable[Request]) -> None:
        """Forget requests that were taken back; with the last of them, that there were too many markets."""
        self.remove(requests)
        self.whole = self.whole and bool(self.requests)

    @property
    def _together(self) -> _Union:
        if self._union is None:
            sets = [each.wanted for each in self.requests if isinstance(each.wanted, frozenset)]
            asking = tuple(each for each in self.requests if each.listens == CATALOG)
            self._union = _Union(frozenset[str]().union(*sets), len(sets) < len(self.requests), asking)
        return self._union

    @property
    def named(self) -> frozenset[str]:
        """All markets that some request names, refused ones included."""
        return self._together.named

    def naming(self, market_ticker: str) -> Sequence[Request]:
        """Return the requests that name a market; of ten thousand, each snapshot concerns a few."""
        if self._naming is None:
            self._naming = {}
            for request in self.requests:
                self._index(request, self._naming)
        return self._naming.get(market_ticker, ())

    @staticmethod
    def _index(request: Request, naming: dict[str, list[Request]]) -> None:
        for ticker in request.wanted if isinstance(request.wanted, frozenset) else ():
            naming.setdefault(ticker, []).append(request)

    @property
    def wanted(self) -> Wanted | None:
        """The union of what is asked for, less what was refused; None for nothing.

        The exchange has one subscription a channel, filtered or not, and none becomes the other without a hole. So one
        that has all markets keeps them until nothing is wanted or it ends: whoever named some takes those of it.
        """
        together = self._together
        if together.everything:
            return ALL
        if not together.named:
            # Whoever only asks for the catalog needs a subscription to ask by, and nothing on it.
            return (ALL if self.all_markets else frozenset()) if self.asks_for_catalog else None
        if not self._filtered:
            return ALL
        union = together.named - self.refused
        if not union:
            return None
        return ALL if self.whole or self.all_markets else union

    @property
    def asks_for_catalog(self) -> bool:
        """Whether somebody waits for the list of what a reference feed has."""
        return any(request.outcome is None for request in self._together.asking)

    @property
    def takes_rows(self) -> bool:
        """Whether anybody takes the channel's rows."""
        return self.rows_wanted or any(request.listens == self._channel for request in self.requests)

    @property
    def params(self) -> Params:
        """What to tell the exchange beside the markets, when it is asked for all of them."""
        for request in self.requests:
            if not isinstance(request.wanted, frozenset) and request.wanted.params:
                return request.wanted.params
        return ()

    # Commands -----------------------------------------------------------------------------------------

    def sent(self, command: Command) -> None:
        """Take up that a command which changes membership is under way."""
        self.in_flight = command

    def answered(self, command: Command) -> None:
        """Take up that a command is under way no more."""
        if self.in_flight is command:
            self.in_flight = None

    def subscribed(self, command: Command) -> None:
        """Take up that a ``subscribe`` was acknowledged, and remember it."""
        self.answered(command)
        self.last_command = command

    def asked(self, command: Command) -> None:
        """Take up that the question for the catalog is under way."""
        self.listing = command

    def listed(self) -> None:
        """Take up that it is under way no more: answered, refused, or lost."""
        self.listing = None

    def may_send(self, now: float) -> bool:
        """Tell whether the next command may be sent at `now`, in seconds."""
        waits = self.in_flight is not None or self.given_up
        return not waits and (self.retry_at is None or now >= self.retry_at)

    def retry(self, now: float) -> None:
        """Send nothing for a delay, which grows until a subscription has held for a while."""
        if self.since is not None and now - self.since >= HELD:
            self._backoff.reset()
        self.since = None
        self.retry_at = now + self._backoff.next()

    def give_up(self) -> None:
        """Send nothing more on this connection, until somebody asks again."""
        self.given_up = True

    def renew(self) -> None:
        """Have the subscription ended and made anew."""
        self.renewing = True

    def take_whole(self) -> None:
        """Take all markets from now on, since more were named than one subscription takes."""
        self.whole = True

    # Answers ------------------------------------------------------------------------------------------

    def acknowledge(self, market_tickers: Iterable[str]) -> set[str]:
        """Take up that the exchange sends these markets; return them, less what it refused."""
        taken = set(market_tickers) - self.refused
        self.market_tickers |= taken
        return taken

    def acknowledge_all(self) -> None:
        """Take up that the exchange sends all markets."""
        self.all_markets = True

    def refuse(self, market_tickers: AbstractSet[str]) -> None:
        """Take up that the exchange does not send these markets."""
        self.refused |= market_tickers
        self.market_tickers -= market_tickers

    def deleted(self, market_tickers: AbstractSet[str]) -> None:
        """Take up that the exchange sends these markets no more."""
        self.market_tickers -= market_tickers

    def doubt(self, market_tickers: Iterable[str]) -> None:
        """Take up that nobody knows whether these are sent any more, and have that ended by a new subscription."""
        self.doubtful.update(market_tickers)
        self.renew()

    @property
    def leaving(self) -> AbstractSet[str]:
        """Acknowledged markets that the command under way ends, or may have ended."""
        command = self.in_flight
        if command is None or command.kind not in ("delete_markets", "unsubscribe"):
            return frozenset(self.doubtful)
        return self.doubtful.union(self.market_tickers if command.market_tickers is None else command.market_tickers)

    @property
    def staying(self) -> AbstractSet[str]:
        """Acknowledged markets that go on being sent."""
        return frozenset[str]() if self.renewing else self.market_tickers - self.leaving

    @property
    def complete(self) -> bool:
        """Whether the exchange has acknowledged all that is wanted."""
        wanted = self.wanted
        return self.all_markets or not isinstance(wanted, frozenset) or wanted <= self.market_tickers
