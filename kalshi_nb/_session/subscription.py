"""One channel on the wire: what is wanted, what the exchange has acknowledged, and how far it counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from random import Random
from typing import NamedTuple

from kalshi_nb._rows.channels import BOOKS, traits_of
from kalshi_nb._rows.gaps import Gap
from kalshi_nb._rows.rows import Row
from kalshi_nb._rows.wanted import ALL, Params, Wanted
from kalshi_nb._session.backoff import Backoff
from kalshi_nb._session.requests import OFFERED, Command, Request

__all__ = ["Subscription"]


class _Union(NamedTuple):
    """What all wishes come to; made anew only when they change, since ten thousand are looked at ten times a second.

    `named` are the markets, `everything` says whether somebody wants all of them, `asking` are the wishes for a list.
    """

    named: frozenset[str]
    everything: bool
    asking: tuple[Request, ...]


class Subscription:
    """One channel's subscription; outlives connections, while its sid does not.

    Attributes
    ----------
    sid : int or None
        The exchange's number for it on this connection; None while there is none.
    seq : int or None
        The last sequence number seen; None while the first one sets it.
    old, old_after : int
        How many old numbers came in a row, and after which one.
    all_markets : bool
        Whether the exchange sends all markets.
    market_tickers : set of str
        What the exchange has acknowledged otherwise.
    in_flight : Command or None
        The command that changes membership; one at a time.
    listing : Command or None
        The command that asks a reference feed what it has.
    awaiting : set of str
        Books that have no valid snapshot.
    doubtful : set of str
        Markets of a ``delete_markets`` that got no answer: nobody knows whether they are sent.
    unreadable : Counter of str
        Snapshots in a row that could not be read, by market.
    ask_at : float or None
        When the next repair begins, where the last ones were too close together.
    settle_by : float
        Until when a wish waits for first snapshots, on the session's own clock.
    step : int
        How far the repair of the books went: 0 waiting for first snapshots, 1 ``get_snapshot``,
        2 unsubscribe and subscribe, 3 reconnect.
    renew : bool
        Whether the subscription is to be ended and made anew.
    whole : bool
        Whether more markets were named than one subscription takes, so that all are taken.
    given_up : bool
        Whether the exchange refused the channel, so that asking again on this connection is vain.
    since : float or None
        Since when the newest sid was there, in seconds, until its end has been answered by a delay.
    last_command : Command or None
        The newest ``subscribe`` that was acknowledged: refusals of single tickers may come after it.
    repairs, repaired_at : Backoff, float or None
        How long to wait between repairs, and when the last one ended.
    repair : str or None
        What mends the open gaps when first snapshots come: ``resubscribe`` or ``reconnect``.
    rows : list of tuple
        Rows made and not yet taken; appended to by the session only.
    heard, listening : bool
        Whether rows are made without any wish for them, and whether they are made at all.
    messages, messages_before : int
        Data frames received, now and when the session last looked for channels gone quiet.
    """

    # More than thirty attributes: without slots, each access would be a look-up in a dictionary of its own.
    __slots__ = (
        "_naming",
        "_union",
        "all_markets",
        "ask_at",
        "awaiting",
        "backoff",
        "channel",
        "deadline",
        "doubtful",
        "exchange_ms",
        "given_up",
        "heard",
        "in_flight",
        "last_command",
        "listening",
        "listing",
        "market_tickers",
        "messages",
        "messages_before",
        "old",
        "old_after",
        "open_gaps",
        "received_at",
        "refused",
        "renew",
        "repair",
        "repaired_at",
        "repairs",
        "requested",
        "requests",
        "retry_at",
        "rounds",
        "rows",
        "seq",
        "sequenced",
        "settle_by",
        "sid",
        "since",
        "step",
        "traits",
        "unreadable",
        "whole",
    )

    def __init__(self, channel: str, random: Random) -> None:
        self.channel = channel
        self.backoff = Backoff(random)
        self.requests: list[Request] = []
        self._union: _Union | None = None
        self._naming: dict[str, list[Request]] | None = None
        self.heard = False
        self.whole = False
        self.refused: set[str] = set()
        self.rows: list[Row] = []
        self.listening = False
        self.messages = 0
        self.messages_before = 0
        self.received_at = 0
        self.exchange_ms: int | None = None
        self.open_gaps: list[Gap] = []
        self.traits = traits_of(channel)
        self.sequenced = self.traits.sequenced
        self.repair: str | None = None
        self.repairs = Backoff(random)
        self.repaired_at: float | None = None
        self.unreadable: Counter[str] = Counter()
        self.since: float | None = None
        self.last_command: Command | None = None
        self.disconnect()

    def disconnect(self) -> None:
        """Forget what belonged to the connection that is gone."""
        self.sid: int | None = None
        self.seq: int | None = None
        self.old = 0
        self.old_after: int | None = None
        self.all_markets = False
        self.market_tickers: set[str] = set()
        self.in_flight: Command | None = None
        self.listing: Command | None = None
        self.retry_at: float | None = None
        self.given_up = False
        self.awaiting: set[str] = set()
        self.requested: set[str] = set()
        self.doubtful: set[str] = set()
        self.ask_at: float | None = None
        self.settle_by = 0.0
        self.rounds = 0
        self.step = 0
        self.renew = False
        self.deadline: float | None = None

    def end(self) -> None:
        """Forget the sid, which the exchange has ended; what is wanted, and the repair's step, stay."""
        step, deadline, refused = self.step, self.deadline, self.given_up
        self.disconnect()
        self.step, self.deadline, self.given_up = step, deadline, refused

    def begin(self, sid: int, now: float) -> None:
        """Start counting under a new sid."""
        self.sid = sid
        self.since = now
        self.seq = 0 if self.traits.from_one else None
        self.retry_at = None

    def add(self, requests: Sequence[Request]) -> None:
        """Take up wishes."""
        self.requests.extend(requests)
        self._union = None
        if self._naming is not None:
            for request in requests:
                self._index(request, self._naming)

    def remove(self, requests: Iterable[Request]) -> None:
        """Forget wishes; those that are not there, too."""
        gone = {id(each) for each in requests}
        if gone:
            self.requests = [each for each in self.requests if id(each) not in gone]
            self._union = self._naming = None

    @property
    def _together(self) -> _Union:
        if self._union is None:
            sets = [each.wanted for each in self.requests if isinstance(each.wanted, frozenset)]
            asking = tuple(each for each in self.requests if each.listens == OFFERED)
            self._union = _Union(frozenset[str]().union(*sets), len(sets) < len(self.requests), asking)
        return self._union

    @property
    def named(self) -> frozenset[str]:
        """All markets that some wish names, refused ones included."""
        return self._together.named

    def naming(self, market_ticker: str) -> Sequence[Request]:
        """Return the wishes that name a market; of ten thousand, each snapshot concerns a few."""
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
        """The union of what is asked for, less what was refused; None for nothing."""
        if self._together.everything:
            return ALL
        union = self._together.named
        if not union:
            # Whoever takes what comes gets everything once nobody names anything; only books have to be named.
            # Whoever only asks what there is needs a subscription to ask by, and nothing on it.
            if self.channel != BOOKS and len(self._together.asking) < len(self.requests):
                return ALL
            return frozenset() if self.asks_for_list else None
        if not self.traits.filtered:
            return ALL
        union -= self.refused
        if not union:
            return None
        return ALL if self.whole else union

    def heed(self) -> None:
        """Make rows if somebody takes them, after a change of who is there."""
        self.listening = self.heard or any(request.listens == self.channel for request in self.requests)

    @property
    def asks_for_list(self) -> bool:
        """Whether somebody waits for the list of what a reference feed has."""
        return any(request.outcome is None for request in self._together.asking)

    @property
    def params(self) -> Params:
        """What to tell the exchange beside the markets, when it is asked for all of them."""
        for request in self.requests:
            if not isinstance(request.wanted, frozenset) and request.wanted.params:
                return request.wanted.params
        return ()

    @property
    def leaving(self) -> AbstractSet[str]:
        """Acknowledged markets that the command under way ends, or may have ended."""
        command = self.in_flight
        if command is None or command.kind not in ("delete_markets", "unsubscribe"):
            return frozenset(self.doubtful)
        return self.doubtful.union(self.market_tickers if command.market_tickers is None else command.market_tickers)

    @property
    def complete(self) -> bool:
        """Whether the exchange has acknowledged all that is wanted."""
        wanted = self.wanted
        return self.all_markets or not isinstance(wanted, frozenset) or wanted <= self.market_tickers

    def satisfies(self, request: Request, now: float) -> bool:
        """Tell whether the exchange has acknowledged all that `request` asks for.

        A book's wish ends with its snapshot, a moment after the acknowledgement: a market that does not exist
        may be acknowledged first and refused then. It does not wait for long.
        """
        if self.sid is None:
            return not request.wanted if isinstance(request.wanted, frozenset) else False
        if request.wanted and self.in_flight is not None and self.in_flight.kind == "unsubscribe":
            return False  # what was acknowledged is about to end
        if self.all_markets:
            return True
        if not isinstance(request.wanted, frozenset):
            return False
        if now < self.settle_by and not request.wanted.isdisjoint(self.awaiting):
            return False
        return not request.wanted - self.market_tickers - self.refused
