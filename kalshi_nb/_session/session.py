"""The session: everything that is known of the exchange's side, without any I/O.

Bytes go in by :attr:`Session.receive`, commands come out of :attr:`Session.outgoing`, what somebody waits
for comes out of :attr:`Session.events`, and time passes by :meth:`Session.tick`. Clocks and the random
source are injected, so that every run can be repeated.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Sequence
from random import Random

from kalshi_nb._rows.channels import BOOKS
from kalshi_nb._rows.gaps import GapLog
from kalshi_nb._rows.heard import BookState, SubscriptionState
from kalshi_nb._rows.quotes import QUOTES
from kalshi_nb._rows.rejects import Reject
from kalshi_nb._rows.rows import Row
from kalshi_nb._rows.wanted import Wanted
from kalshi_nb._session.books import Books
from kalshi_nb._session.checkpoints import books_of, subscriptions_of
from kalshi_nb._session.crossings import Crossings
from kalshi_nb._session.extension import COMPILED, ladders
from kalshi_nb._session.ladder import Ladder
from kalshi_nb._session.liveness import Liveness
from kalshi_nb._session.quotes import Quotes
from kalshi_nb._session.receiver import Receiver
from kalshi_nb._session.reconciler import Reconciler
from kalshi_nb._session.requests import Request
from kalshi_nb._session.state import Event, Reconnect, SessionState
from kalshi_nb._session.subscription import Subscription

__all__ = ["Reconnect", "Session"]


class Session:
    """One exchange as seen over one connection at a time.

    Parameters
    ----------
    now_us : callable
        The market's clock, in microseconds: stamps gaps and statuses. It may be set back.
    steady : callable
        Given a stamp of that clock made just now, returns its moment on a timeline that never goes back, in
        microseconds: by it gaps are put in order. Without one the clock is taken to be steady.
    monotonic : callable
        The protocol's own clock, in seconds: time-outs and retries.
    random : random.Random
        The source of jitter.
    gaps : GapLog, optional
        Where gaps are written down: one log for all connections of a feed, or one of its own.
    connection : int
        Which of the feed's connections this is, from 1.
    alone : bool
        Whether it is the only one. Otherwise a gap of all its books is said of each by name among the rows, since the
        books of other connections, whose rows stand in the same list, have none.
    rows : dict of str to list, optional
        Where rows go, a list a channel: one mapping for all connections of a feed, or one of its own. Lists that are
        missing are added.
    compiled : bool
        Whether the compiled part does what it can, rather than Python all.
    state_of : type
        Of which kind its state is: one whose commands are sent, unless told.

    Attributes
    ----------
    receive : callable
        Takes the frames that one read of the connection brought, as bytes, and the microsecond of that read.
    outgoing : deque of bytes
        Commands to be sent, oldest first.
    events : deque of Request or Reconnect
        Requests that ended, and the request for a new connection.
    """

    def __init__(
        self,
        *,
        now_us: Callable[[], int],
        steady: Callable[[int], int] = int,
        monotonic: Callable[[], float],
        random: Random,
        gaps: GapLog | None = None,
        connection: int = 1,
        alone: bool = True,
        rows: dict[str, list[Row]] | None = None,
        compiled: bool = COMPILED,
        state_of: type[SessionState] = SessionState,
    ) -> None:
        self._state = state_of(
            now_us=now_us,
            steady=steady,
            monotonic=monotonic,
            random=random,
            gaps=GapLog() if gaps is None else gaps,
            connection=connection,
            alone=alone,
            rows=defaultdict(list) if rows is None else rows,
            ladder_of=ladders(compiled=compiled),
        )
        self._crossings = Crossings(self._state)
        self._books = Books(self._state, self._crossings)
        self._quotes = Quotes(self._state)
        self._liveness = Liveness(self._state)
        self._reconciler = Reconciler(self._state, self._books, self._liveness)
        self.receive = Receiver(self._state, self._books, self._reconciler).bind(compiled=compiled)
        self.outgoing: deque[bytes] = self._state.outgoing
        self.events: deque[Event] = self._state.events
        self._lost = False
        self._quotes_wanted = False

    # What is wanted -----------------------------------------------------------------------------------

    def want(self, channel: str, wanted: Wanted, *, listens: str | None = None) -> Request:
        """Ask for tickers (or ALL, or an empty set: what it receives for others) of `channel`; as `want_together`."""
        request = Request(channel, wanted, listens)
        self.want_together([request])
        return request

    def want_together(self, requests: Sequence[Request]) -> None:
        """Ask for several things of one channel at once.

        After the loss of a connection that is a gap from the beginning: nothing is received until there is a new one.
        """
        listened = self._state.watcher is not None
        self._reconciler.want(requests)
        subscription = self._state.subscription(requests[0].channel)
        if self._lost and subscription.membership.aim != "nothing" and not subscription.repair.open_gaps:
            self._state.lose(subscription)
        self._update_listening(subscription)
        for request in requests:
            if listened and request.listens == QUOTES and isinstance(request.wanted, frozenset):
                self._quotes.repeat(request.wanted)

    def release(self, *requests: Request) -> None:
        """Take requests for one channel back; nothing happens for those taken back before."""
        self._reconciler.release(requests)
        self._update_listening(self._state.subscription(requests[0].channel))

    def _update_listening(self, subscription: Subscription) -> None:
        """Make rows, and quotes, if somebody takes them."""
        subscription.update_listening()
        if subscription.channel == BOOKS:
            self._quotes.listen(on=self._quotes_wanted or subscription.membership.is_listened_to(QUOTES))

    def listen(self, channel: str, *, on: bool) -> None:
        """Make rows of `channel` (or quotes) although no request asks for them, or only for requests."""
        subscription = self._state.subscription(BOOKS if channel == QUOTES else channel)
        if channel == QUOTES:
            self._quotes_wanted = on
        else:
            subscription.membership.rows_wanted = on
        self._update_listening(subscription)

    def renew(self, market_tickers: Iterable[str]) -> None:
        """Distrust live books that are known to be wrong although nothing was missed, and repair them."""
        subscription = self._state.subscriptions.get(BOOKS)
        if subscription is None or not self._state.connected:
            return
        for ticker in market_tickers:
            ladder = self._state.ladders.get(ticker)
            if ladder is not None and ladder.live:
                self._books.open_gap(subscription, "differs", None, None, ticker)

    # The connection -----------------------------------------------------------------------------------

    def connected(self) -> None:
        """Take up a new connection: everything wanted is asked for again."""
        self._state.connected = True
        self._lost = False
        self._liveness.connected()
        for subscription in self._state.subscriptions.values():
            subscription.repair.outage = None
            self._reconciler.reconcile(subscription)

    def disconnected(self) -> None:
        """Take up the loss of the connection: nothing is forgotten but what belonged to it."""
        state = self._state
        if not state.connected:
            return
        state.connected = False
        self._lost = True
        state.by_sid.clear()
        state.commands.clear()
        state.owners.clear()
        state.outgoing.clear()
        self._liveness.disconnected()
        self._crossings.disconnected()
        for subscription in state.subscriptions.values():
            if subscription.membership.aim != "nothing":
                state.lose(subscription)
                if subscription.channel == BOOKS:
                    self._books.lost(subscription, "connection_lost")
            subscription.disconnect()

    def close(self) -> None:
        """Take up the end: every book is closed, nothing is missing after it, and no gap stays open."""
        state = self._state
        state.connected = False
        for subscription in state.subscriptions.values():
            state.close_gaps(subscription, state.now_us(), None)
        self._books.close()

    def tick(self) -> None:
        """Let time pass: time-outs, retries, repair, and the question whether the exchange is still there."""
        if not self._state.connected:
            return
        for subscription in list(self._state.subscriptions.values()):
            self._reconciler.tick(subscription)
            self._books.tick(subscription)
        self._crossings.tick()
        self._liveness.tick()

    # What there is ------------------------------------------------------------------------------------

    def ladder(self, market_ticker: str) -> Ladder | None:
        """Return a market's ladder, None when nobody wants it."""
        return self._state.ladders.get(market_ticker)

    def ladders(self) -> list[Ladder]:
        """Return all ladders there are."""
        return list(self._state.ladders.values())

    def rows(self, channel: str) -> list[Row]:
        """Return the list that rows of `channel`, or quotes, are appended to.

        Another thread may take from it while this one appends, without a lock. The list is the same one as long as
        the session lives. The session only ever appends at its end, one row or some at a time; whoever takes first
        copies a beginning, ``rows[: len(rows)]``, and then deletes just as many, ``del rows[: len(taken)]``. Each of
        these is one operation of a list, during which no other thread runs; so what is appended in between stands
        behind all that was copied, and is neither lost nor taken twice. Only one thread may take at a time. Where
        several sessions share the list they run on one thread, and rows stand in the order in which they were made.
        """
        return self._state.rows_of(channel)

    @property
    def is_connected(self) -> bool:
        """Whether there is a connection."""
        return self._state.connected

    def standing(self) -> tuple[list[SubscriptionState], list[BookState]]:
        """Return what the exchange sends, and the books that are kept, as they stand now."""
        return subscriptions_of(self._state), books_of(self._state)

    def unanswered(self) -> list[bytes]:
        """Return the commands that were sent and not answered, as they were sent."""
        return self._state.unanswered()

    @property
    def subscriptions(self) -> dict[str, Subscription]:
        """Subscriptions by channel."""
        return self._state.subscriptions

    @property
    def gaps(self) -> GapLog:
        """The gaps that are kept, newest last."""
        return self._state.gaps

    @property
    def rejects(self) -> deque[Reject]:
        """The newest frames that were set aside."""
        return self._state.rejects

    @property
    def messages(self) -> int:
        """Frames received."""
        return self._state.messages

    @property
    def data_messages(self) -> int:
        """Frames received that carried data of a channel."""
        return sum(each.counting.messages for each in self._state.subscriptions.values())

    @property
    def rejected(self) -> int:
        """Frames set aside."""
        return self._state.rejected

    @property
    def duplicates(self) -> int:
        """Frames with an old sequence number, not applied."""
        return self._state.duplicates

    @property
    def unrequested(self) -> int:
        """Frames of subscriptions or markets that nobody asked for, or that were let go."""
        return self._state.unrequested

    @property
    def last_error(self) -> str | None:
        """The exchange's newest complaint."""
        return None if self.complaint is None else self.complaint[1]

    @property
    def complaint(self) -> tuple[float, str] | None:
        """The exchange's newest complaint, and when it was received, on the protocol's clock, in seconds."""
        return self._state.last_error
