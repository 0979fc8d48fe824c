"""What is wanted of one channel, and how far the exchange has acknowledged it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from collections.abc import Set as AbstractSet
from itertools import islice
from random import Random
from typing import Final, Literal

from kalshi_nb._rows.channel import Channel
from kalshi_nb._rows.channels import BOOKS
from kalshi_nb._rows.wanted import ALL, Params, Wanted
from kalshi_nb._rows.words import LONGEST_NAME
from kalshi_nb._session.backoff import Backoff
from kalshi_nb._session.requests import CATALOG, Command, Request

__all__ = ["Aim", "Membership"]

HELD: Final = 30.0
"""Seconds a subscription must hold to count as good; its first snapshots alone may be what overflowed it."""

PATIENCE: Final = 2.0
"""Seconds that those who ask later wait for the answer to an earlier command."""

MOST_STRANGERS: Final = 10_000
"""Markets that nobody wants and that an answer lists all the same, of which so many are known at once."""

Aim = Literal["nothing", "some", "all"]


class Membership:
    """What is wanted of one channel, what was acknowledged, and the command that brings the two closer.

    Attributes
    ----------
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
    asked_at : float
        When the newest request that waits for an answer was made, in seconds.
    given_up : bool
        Whether the exchange refused the channel, so that asking again on this connection is vain.
    since : float or None
        Since when the newest sid was there, in seconds, until its end has been answered by a delay.
    """

    # Ten thousand books are ten thousand requests, opened and closed one by one as often as together. So nothing here
    # is made anew of all requests when one changes: how each market stands, wanted or not and sent or not, is kept by
    # `_weigh` for the markets that a change is about, and what a step needs of them is there when it is asked for.

    __slots__ = (
        "_asking",
        "_backoff",
        "_books",
        "_channel",
        "_concerned",
        "_everything",
        "_extra",
        "_filtered",
        "_listens",
        "_missing",
        "_naming",
        "_pending",
        "_requests",
        "_sought",
        "_unnamed",
        "_wanted",
        "all_markets",
        "asked_at",
        "doubtful",
        "given_up",
        "in_flight",
        "last_command",
        "listing",
        "market_tickers",
        "refused",
        "renewing",
        "retry_at",
        "rows_wanted",
        "since",
        "whole",
    )

    def __init__(self, channel: str, traits: Channel, random: Random) -> None:
        self._channel = channel
        self._books = channel == BOOKS
        self._filtered = traits.filtered
        self._backoff = Backoff(random)
        # Dictionaries without values are sets that keep the order in which things were put in.
        self._requests: dict[Request, None] = {}
        self._pending: dict[Request, None] = {}
        self._everything: dict[Request, None] = {}
        self._asking: dict[Request, None] = {}
        self._naming: dict[str, dict[Request, None]] = {}
        self._listens: Counter[str | None] = Counter()
        self._sought: set[str] = set()
        self._unnamed: set[str] = set()
        self.rows_wanted = False
        self.refused: set[str] = set()
        self.whole = False
        self.asked_at = 0.0
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
        self._missing: dict[str, None] = dict.fromkeys(sorted(self._sought))
        self._extra: dict[str, None] = {}
        self._concerned: frozenset[Request] = frozenset()
        self._wanted: frozenset[str] | None = None

    def begin(self, now: float, *, answers: bool = True) -> None:
        """Take up that there is a sid; one that answers no command ends no delay."""
        self.since = now
        if answers:
            self.retry_at = None

    def disconnect(self) -> None:
        """Forget what belonged to the connection that is gone."""
        self.end()
        self.given_up = False

    # What is wanted -----------------------------------------------------------------------------------

    @property
    def requests(self) -> Collection[Request]:
        """Everything that somebody wants, oldest first."""
        return self._requests.keys()

    def add(self, requests: Sequence[Request]) -> None:
        """Take up requests; what was refused before is asked for again."""
        touched: list[str] = []
        for request in requests:
            self._requests[request] = self._pending[request] = None
            self._listens[request.listens] += 1
            if request.listens == CATALOG:
                self._asking[request] = None
            if isinstance(request.wanted, frozenset):
                tickers = sorted(request.wanted)  # so that a run can be repeated
                for ticker in tickers:
                    self._naming.setdefault(ticker, {})[request] = None
                touched += tickers
            else:
                self._everything[request] = None
        self.given_up = False
        self.retry_at = None  # whoever asks anew does not wait for the retry of what others asked
        self.refused.difference_update(touched)
        self._weigh(touched)

    def remove(self, requests: Iterable[Request]) -> None:
        """Forget requests; those that are not there, too."""
        touched: list[str] = []
        for request in requests:
            if request not in self._requests:
                continue
            for each in (self._requests, self._pending, self._everything, self._asking):
                each.pop(request, None)
            self._listens[request.listens] -= 1
            for ticker in request.wanted if isinstance(request.wanted, frozenset) else ():
                naming = self._naming[ticker]
                del naming[request]
                if not naming:
                    del self._naming[ticker]
                    touched.append(ticker)
        if self._books:
            self._unnamed.update(touched)
        self._weigh(touched)

    def release(self, requests: Iterable[Request]) -> None:
        """Forget requests that were taken back; with the last of them, that there were too many markets."""
        self.remove(requests)
        self.whole = self.whole and bool(self._requests)

    def _weigh(self, market_tickers: Iterable[str]) -> None:
        """Write down anew how some markets stand."""
        self._wanted = None
        for ticker in market_tickers:
            wanted = ticker in self._naming and ticker not in self.refused
            sent = ticker in self.market_tickers
            if wanted:
                self._sought.add(ticker)
            else:
                self._sought.discard(ticker)
            if wanted and not sent:
                self._missing[ticker] = None
            else:
                self._missing.pop(ticker, None)
            if sent and not wanted:
                self._extra[ticker] = None
            else:
                self._extra.pop(ticker, None)

    def take_unnamed(self) -> list[str]:
        """Return the books that nobody names any more, each once."""
        gone = sorted(each for each in self._unnamed if each not in self._naming)
        self._unnamed.clear()
        return gone

    def naming(self, market_ticker: str) -> Collection[Request]:
        """Return the requests that name a market; of ten thousand, each snapshot concerns a few."""
        return self._naming.get(market_ticker, {}).keys()

    @property
    def pending(self) -> list[Request]:
        """The requests that have no outcome yet, oldest first."""
        return list(self._pending)

    def some_pending(self, most: int) -> list[Request]:
        """Return at most so many of them, and others the next time, where there are more."""
        some = list(islice(self._pending, most))
        if len(some) < len(self._pending):
            for request in some:
                del self._pending[request]
                self._pending[request] = None
        return some

    def ended(self, request: Request) -> None:
        """Take up that a request has its outcome."""
        self._pending.pop(request, None)

    @property
    def aim(self) -> Aim:
        """Whether all markets are wanted, some or none: what `wanted` is, without a set of ten thousand."""
        # The exchange has one subscription a channel, filtered or not, and none becomes the other without a hole. So
        # one that has all markets keeps them until nothing is wanted or it ends: whoever named some takes those of it.
        if self._everything:
            return "all"
        if not self._naming:
            # Whoever only asks for the catalog needs a subscription to ask by, and nothing on it.
            if self.asks_for_catalog:
                return "all" if self.all_markets else "some"
            return "nothing"
        if not self._filtered:
            return "all"
        if not self._sought:
            return "nothing"
        return "all" if self.whole or self.all_markets else "some"

    @property
    def wanted(self) -> Wanted | None:
        """The union of what is asked for, less what was refused; None for nothing."""
        aim = self.aim
        if aim == "some":
            if self._wanted is None:
                self._wanted = frozenset(self._sought)
            return self._wanted
        return ALL if aim == "all" else None

    @property
    def missing(self) -> Collection[str]:
        """Markets that are wanted and not acknowledged, in the order in which they were asked for."""
        return self._missing.keys()

    def is_missing(self, market_ticker: str) -> bool:
        """Tell whether a market is one of them."""
        return market_ticker in self._missing

    @property
    def extra(self) -> Collection[str]:
        """Markets that are acknowledged and not wanted any more, likewise."""
        return self._extra.keys()

    @property
    def asks_for_catalog(self) -> bool:
        """Whether somebody waits for the list of what a reference feed has."""
        return any(request.outcome is None for request in self._asking)

    def is_listened_to(self, rows: str) -> bool:
        """Tell whether some request takes these rows."""
        return self._listens[rows] > 0

    @property
    def takes_rows(self) -> bool:
        """Whether anybody takes the channel's rows."""
        return self.rows_wanted or self.is_listened_to(self._channel)

    @property
    def params(self) -> Params:
        """What to tell the exchange beside the markets, when it is asked for all of them."""
        for request in self._everything:
            if not isinstance(request.wanted, frozenset) and request.wanted.params:
                return request.wanted.params
        return ()

    # Commands -----------------------------------------------------------------------------------------

    def sent(self, command: Command) -> None:
        """Take up that a command which changes membership is under way."""
        self.in_flight = command
        if command.kind == "unsubscribe" and not self._books:  # books say by themselves that they are stale meanwhile
            self._concerned = frozenset(self._requests)

    @property
    def anybody_loses(self) -> bool:
        """Whether somebody who takes rows now did so when the end of the sid was asked for.

        Whoever closed all there was and asked again meanwhile misses nothing that he was promised.
        """
        return self.rows_wanted or any(each in self._requests for each in self._concerned if each.listens != CATALOG)

    def outlasts_patience(self, command: Command, now: float) -> bool:
        """Tell whether the answer to a command is awaited no longer, since somebody else has asked meanwhile.

        Who asks waits as long as answers may take; who asks behind him does not wait for an answer that may be lost.
        The next command asks for both. Markets of an unanswered ``delete_markets`` would be in doubt, so that is
        awaited.
        """
        asks = command.kind in ("subscribe", "add_markets")
        return asks and self.asked_at > command.sent_at and now - command.sent_at >= PATIENCE

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

    def acknowledge(self, market_tickers: Iterable[object]) -> set[str]:
        """Take up that the exchange sends these markets; return those of them that it did not send before.

        An answer lists all markets of a subscription, however few of them were added: what is known of it is left out
        first. What is no text, or longer than any name, names no market. Of those that nobody wants so many are taken
        as are ended in some time; an answer after that lists the others again.
        """
        there, refused = self.market_tickers, self.refused
        named = (each for each in market_tickers if isinstance(each, str) and len(each) <= LONGEST_NAME)
        new = {each for each in named if each not in there and each not in refused}
        strangers = [each for each in new if each not in self._naming]
        if len(strangers) > (room := max(0, MOST_STRANGERS - len(self._extra))):
            new.difference_update(sorted(strangers)[room:])
        self.market_tickers |= new
        self._weigh(sorted(new))
        return new

    def not_on(self, market_tickers: Sequence[object]) -> list[str]:
        """Return the markets that are wanted and acknowledged, and not on the exchange's list of what it sends."""
        if len(market_tickers) >= len(self.market_tickers):
            return []  # all that is on it was acknowledged, so there is nothing else
        listed = {each for each in market_tickers if isinstance(each, str)}
        return sorted(each for each in self.market_tickers if each not in listed and each in self._naming)

    def acknowledge_all(self) -> None:
        """Take up that the exchange sends all markets."""
        self.all_markets = True

    def refuse(self, market_tickers: AbstractSet[str], command: Command | None = None) -> None:
        """Take up that the exchange does not send these markets, those of them that it was asked for."""
        asked = frozenset((command and command.market_tickers) or ())
        known = (self._naming, self.market_tickers, asked)
        self.refused.update(each for each in market_tickers if any(each in some for some in known))
        self.deleted(market_tickers)

    def deleted(self, market_tickers: AbstractSet[str]) -> None:
        """Take up that the exchange sends these markets no more."""
        self.market_tickers -= market_tickers
        self._weigh(sorted(market_tickers))

    def doubt(self, market_tickers: Iterable[str]) -> None:
        """Take up that nobody knows whether these are sent any more, and have that ended by a new subscription."""
        self.doubtful.update(market_tickers)
        self.renew()

    def is_leaving(self, market_ticker: str) -> bool:
        """Tell whether the command under way ends an acknowledged market, or one before may have ended it."""
        command = self.in_flight
        if command is None or command.kind not in ("delete_markets", "unsubscribe"):
            return market_ticker in self.doubtful
        ending = self.market_tickers if command.market_tickers is None else command.market_tickers
        return market_ticker in ending or market_ticker in self.doubtful

    def is_staying(self, market_ticker: str) -> bool:
        """Tell whether a market is acknowledged and goes on being sent."""
        sent = market_ticker in self.market_tickers and not self.renewing
        return sent and not self.is_leaving(market_ticker)

    @property
    def is_sent(self) -> bool:
        """Whether the exchange has acknowledged anything."""
        return self.all_markets or bool(self.market_tickers)

    @property
    def complete(self) -> bool:
        """Whether the exchange has acknowledged all that is wanted."""
        return self.all_markets or self.aim != "some" or not self._missing
