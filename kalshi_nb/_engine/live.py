"""The live engine: one thread with one event loop that keeps a feed's connections.

Everything below the seam happens on that thread. Other threads ask by posting a function to it, and read three things
in place. Rows: whoever makes them only ever appends to a channel's list, one thread takes a slice from its front and
deletes that, and each of these steps is atomic. Ladders: by their version. Counters: an integer at a time, each right
by itself, though two of them may be of different moments.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import defaultdict, deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import TimeoutError as FutureTimeoutError
from functools import partial
from random import Random
from ssl import SSLContext
from typing import cast

from kalshi_nb._auth import Credentials
from kalshi_nb._clock import Clock
from kalshi_nb._engine.gap_records import GapRecords
from kalshi_nb._engine.interests import LiveInterest, Part
from kalshi_nb._engine.io_thread import IoThread
from kalshi_nb._engine.link import Link
from kalshi_nb._engine.placement import Placement
from kalshi_nb._engine.port import ClockStep, EngineState, EngineStatus, Interest, LadderReading, Tap, WaitForRoom
from kalshi_nb._engine.refusals import closed_error, subscription_error
from kalshi_nb._engine.row_lists import RowLists
from kalshi_nb._engine.status import state_of, status_of
from kalshi_nb._engine.taps import Taps
from kalshi_nb._engine.timeline import Timeline
from kalshi_nb._engine.transport import Route, TransportName, plain_address
from kalshi_nb._rows.channels import BOOKS
from kalshi_nb._rows.gaps import GapLog
from kalshi_nb._rows.heard import BookState, Checkpoint, Event, Heard, Sent, SubscriptionState
from kalshi_nb._rows.rejects import MOST_REJECTS, Reject
from kalshi_nb._rows.steering import BookRow, ClockStepRow
from kalshi_nb._rows.wanted import Wanted
from kalshi_nb._session.requests import CATALOG, Outcome, Request
from kalshi_nb._threads import refuse_on
from kalshi_nb._wire.codes import FULL
from kalshi_nb.errors import FeedClosedError, UnreachableError

__all__ = ["LiveEngine"]

_GRACE = 1.0
"""Seconds beyond the first handshake's own time-out before it counts as unanswered."""

SLICE = 1_000
"""How much of what is wanted, or released, together is taken up in one go; the socket has its turn in between."""


class LiveEngine(RowLists):
    """Sessions kept connected on the thread ``kalshi-io``; see :class:`kalshi_nb._engine.port.Engine`.

    Parameters
    ----------
    url : str
        Where the exchange is.
    credentials : Credentials
        Read and signed with afresh at every handshake.
    clock : Clock
        The market's time, for ``received_at``.
    connections : int
        How many connections to keep; books are spread over them by market.
    random : random.Random, optional
        The source of jitter.
    transport : str
        The library that speaks WebSocket: ``websockets`` or ``picows``.
    ssl : ssl.SSLContext, optional
        Whom to trust behind ``wss://``; those whom this computer trusts, and ``SSL_CERT_FILE``, when None.
    proxy : str or bool, optional
        The address of a proxy; False for none; what the environment says (``HTTPS_PROXY`` and its like) when None.
    longest_rest : float
        Seconds that may pass between two reads of the sockets where much comes; they are four milliseconds at most.

    Attributes
    ----------
    url : str
        Where the exchange is, as it may be shown: without a password.
    clock : Timeline
        The market's time, and a timeline beside it that never goes back.
    gaps : GapLog
        Every gap, of all connections.
    links : tuple of Link
        The connections.
    """

    def __init__(
        self,
        url: str,
        credentials: Credentials,
        *,
        clock: Clock,
        connections: int = 1,
        random: Random | None = None,
        transport: TransportName = "websockets",
        ssl: SSLContext | None = None,
        proxy: str | bool | None = None,
        longest_rest: float = 1.0,
    ) -> None:
        self.url = plain_address(url)
        self.gaps = GapLog(listener=GapRecords())
        self.clock = Timeline(clock, self._stepped)
        super().__init__()
        self._taps = Taps(self._report)
        self._reported: deque[tuple[float, str]] = deque(maxlen=1)
        route = Route(transport, ssl, proxy)
        jitter = random or Random()  # noqa: S311  # jitter, not a secret
        self.links = tuple(
            Link(
                url,
                credentials,
                timeline=self.clock,
                random=jitter,
                gaps=self.gaps,
                rows=self._rows,
                taps=self._taps,
                arrived=self._came,
                number=number,
                alone=connections == 1,
                route=route,
            )
            for number in range(1, connections + 1)
        )
        self._placement = Placement(connections)
        self._released: deque[LiveInterest] = deque()
        self._release_is_posted = False
        self._timeout = 0.0
        # A clock that is moved by hand waits for what it has sent, so nothing else comes while this rests.
        rest = 0.0 if self.clock.is_manual else longest_rest
        self._io = IoThread(self._live, self._interrupted, self._end, longest_rest=rest)

    # How it is doing ----------------------------------------------------------------------------------

    @property
    def state(self) -> EngineState:
        """The state of all links."""
        return "closed" if self._io.closing else state_of(self.links)

    @property
    def is_manual(self) -> bool:
        """Whether the clock is moved by hand."""
        return self.clock.is_manual

    def steady(self, at: int | None = None) -> int:
        """Return where a microsecond of the clock, or the present, lies on a timeline that never goes back."""
        return self.clock.steady(at)

    def status(self) -> EngineStatus:
        """Return how it is doing."""
        fault = self._io.fault
        return status_of(
            self.state,
            self.links,
            clock_steps=tuple(self.clock.steps),
            faults=self._io.faults,
            troubles=(*self._reported, *((fault,) if fault is not None else ())),
        )

    def rejects(self) -> list[Reject]:
        """Return the newest frames that were set aside, oldest first."""
        found = [each for link in self.links for each in link.session.rejects.copy()]
        return sorted(found, key=lambda each: each.received_us)[-MOST_REJECTS:]

    def applied(self, up_to: Mapping[int, int]) -> bool:
        """Tell whether all messages that were sent to these ports of ours have been taken in."""
        for link in self.links:
            port = link.local_port()
            if port is not None and link.frames_received < up_to.get(port, 0):
                return False
        return True

    # From other threads -------------------------------------------------------------------------------

    def start(self, timeout: float, wait_for_room: WaitForRoom | None = None) -> None:  # noqa: ARG002  # lines do not wait
        """Dial, and wait for the first handshake of every connection at most `timeout` seconds.

        Raises
        ------
        CredentialsError, HandshakeError, UnreachableError
            As :func:`kalshi_nb._engine.dialing.dial`; the thread has ended then.
        """
        self._timeout = timeout
        try:
            self._io.start()
            until = time.monotonic() + timeout + _GRACE
            for each in self.links:
                each.started.result(max(0.0, until - time.monotonic()))
        except FutureTimeoutError:
            self.close()
            raise UnreachableError(f"{self.url} did not answer within {timeout:g} s.") from None
        except BaseException:
            self.close()
            raise

    def want(
        self, channel: str, wanted: Sequence[Wanted], *, timeout: float, rows: str | None = None
    ) -> list[Interest]:
        """Ask for several things of one channel together, and wait for the word on them while there is a connection.

        Markets that one connection has no more room for are asked for over another. For the rest see
        :meth:`kalshi_nb._engine.port.Engine.want`.
        """
        refuse_on("io", doing="A subscription", instead="Subscribe from the notebook, before the data flows")
        self._refuse_refused()
        interests = [LiveInterest(channel, each, rows) for each in wanted]
        try:
            while self._released:  # by whoever asks now, too: what he let go before is let go before
                self._io.call(self._release_some)
            parts: list[Part] = []
            for start in range(0, len(interests), SLICE):
                parts += self._io.call(partial(self._want, interests[start : start + SLICE]))
            self._await(parts, timeout)
        except BaseException:
            self.release(*interests)  # refused or interrupted: nobody holds them any more
            raise
        return list(interests)

    def _await(self, parts: Iterable[Part], timeout: float) -> None:
        """Wait until the exchange has taken all `parts`, asking another connection for what one refuses.

        An answer is about a hundred markets at most, and the next question follows it. So the time counts from the
        newest answer: those of ten thousand markets may take longer together than any of them may.
        """
        until = time.monotonic() + timeout
        waiting = deque(parts)
        while waiting:
            part = waiting.popleft()
            outcome = part.outcome(until, timeout)
            if outcome.code is None:
                until = time.monotonic() + timeout
                continue
            moved = self._io.call(partial(self._elsewhere, part, outcome)) if outcome.code == FULL else []
            if not moved:
                raise subscription_error(part.interest.channel, outcome)
            waiting.extend(moved)

    def release(self, *interests: Interest) -> None:
        """Want these no more; does not wait.

        Ten thousand books are closed by ten thousand calls. So these gather, and one call on the engine's thread takes
        up all that are there by then, some at a time.
        """
        # The mark is taken back before anything is taken: what is added after that is either taken, or posted anew by
        # whoever added it. Two who see no mark at once post twice, and the second call finds nothing.
        self._released.extend(cast("tuple[LiveInterest, ...]", interests))
        if not self._release_is_posted:
            self._post_release()

    def _post_release(self) -> None:
        self._release_is_posted = True
        with contextlib.suppress(FeedClosedError):
            self._io.post(self._release_some)

    def catalog(self, channel: str, timeout: float) -> list[str] | None:
        """Ask a reference feed what it has; None where there is no connection to ask by."""
        (asked,) = cast("list[LiveInterest]", self.want(channel, [frozenset()], rows=CATALOG, timeout=timeout))
        catalog = asked.parts[0].request.catalog
        self.release(asked)
        return None if catalog is None else list(catalog)

    def ladder(self, market_ticker: str) -> LadderReading | None:
        """Return a market's ladder, None when nobody wants it."""
        for each in self.links:
            found = each.session.ladder(market_ticker)
            if found is not None:
                return found
        return None

    def tell_books(self, market_tickers: Collection[str]) -> None:
        """Have a row of each of these books that is live put among the deltas, at its place; does not wait."""
        with contextlib.suppress(FeedClosedError):
            self._io.post(partial(self._tell_books, tuple(market_tickers)))

    def renew(self, market_tickers: Collection[str]) -> None:
        """Have books made anew that are not what the exchange has; does not wait."""
        with contextlib.suppress(FeedClosedError):
            self._io.post(partial(self._renew, tuple(market_tickers)))

    def tap(self, tap: Tap) -> Callable[[], None]:
        """Let `tap` hear everything from now on, a checkpoint first; returns what takes it off."""
        if not self._io.is_alive:
            return self._taps.add(tap, self._standing())
        return self._io.call(lambda: self._taps.add(tap, self._standing()))

    def checkpoint(self) -> None:
        """Have every tap hear, soon, how all subscriptions and books stand; does not wait."""
        with contextlib.suppress(FeedClosedError):
            self._io.post(self._take_stock)

    def close(self) -> None:
        """End the thread; idempotent, waits at most 2 s."""
        for each in self.links:
            each.close()
        self._io.close()

    def reconnect(self) -> int:
        """Dial at once over every connection that waits for its next attempt; return how many those are."""
        refuse_on("io", doing="reconnect()", instead="Call it from the notebook")
        return self._io.call(lambda: sum(each.hurry() for each in self.links))

    def _refuse_refused(self) -> None:
        if state_of(self.links) == "refused":
            raise FeedClosedError(
                f"The exchange refuses the credentials: {self.status().last_error} Then connect() again."
            )

    def _report(self, text: str) -> None:
        self._reported.append((time.monotonic(), text))

    # On the io thread ---------------------------------------------------------------------------------

    async def _live(self) -> None:
        """Keep all links, each by itself, until the end is wanted or none is left."""
        lives = [asyncio.create_task(each.live(self._timeout)) for each in self.links]
        try:
            await asyncio.gather(*lives)
        finally:
            # The first to end must not cut the others' farewells short.
            for each in lives:
                if not each.cancelling():
                    each.cancel()
            await asyncio.wait(lives)

    def _interrupted(self) -> None:
        for each in self.links:
            each.interrupted()

    def _end(self) -> None:
        for each in self.links:
            each.end()

    def _came(self, messages: int) -> None:
        self._io.before_sleep(self._arrived, messages)

    def _stepped(self, step: ClockStep) -> None:
        """Write down among all rows that the clock was set: what follows is stamped by another clock, as it were."""
        for rows in self._rows.values():
            rows.append(ClockStepRow(step.by))
        self._arrived()
        self._taps.hear(Event(step.at, 0, "clock", f"{step.by:+} us"))

    def _tell_books(self, market_tickers: Sequence[str]) -> None:
        # Between two reads all that was taken in is in the ladders and among the rows.
        for ticker in market_tickers:
            ladder = self.ladder(ticker)
            if ladder is not None and ladder.live:
                self._rows[BOOKS].append(BookRow(ticker, *map(tuple, ladder.levels())))
        self._arrived()

    def _renew(self, market_tickers: Sequence[str]) -> None:
        for link in self.links:
            link.renew(market_tickers)

    def _take_stock(self) -> None:
        for each in self._standing():
            self._taps.hear(each)

    def _standing(self) -> list[Heard]:
        """Return how all stands, and the commands that are not answered yet as if they were sent now."""
        at = self.clock.stamp()
        sessions = [(each.number, each.session) for each in self.links]
        subscriptions: list[SubscriptionState] = []
        books: list[BookState] = []
        for _, session in sessions:
            some, kept = session.standing()
            subscriptions += some
            books += kept
        connected = tuple(number for number, session in sessions if session.is_connected)
        unanswered = [Sent(at, number, each) for number, session in sessions for each in session.unanswered()]
        return [Checkpoint(at, connected, tuple(subscriptions), tuple(books)), *unanswered]

    def _want(self, interests: Sequence[LiveInterest]) -> list[Part]:
        """Ask for new interests, all of one channel."""
        if self._io.closing:
            raise closed_error()
        shares: list[tuple[LiveInterest, int, Wanted]] = []
        for interest in interests:
            if interest.is_released:  # by whoever was interrupted before this was asked for
                continue
            shares += [(interest, home, wanted) for home, wanted in self._shares(interest)]
        return self._ask(shares)

    def _shares(self, interest: LiveInterest) -> Iterable[tuple[int, Wanted]]:
        """Return what each connection is to send of an interest."""
        if interest.channel != BOOKS or not isinstance(interest.wanted, frozenset):
            return [(self._placement.home(interest.channel), interest.wanted)]
        if not interest.wanted:
            return [(home, interest.wanted) for home in range(len(self.links))]
        return self._placement.place(interest.wanted).items()

    def _ask(self, shares: Iterable[tuple[LiveInterest, int, Wanted]]) -> list[Part]:
        by_home: dict[int, list[tuple[LiveInterest, Request]]] = defaultdict(list)
        for interest, home, wanted in shares:
            by_home[home].append((interest, Request(interest.channel, wanted, interest.rows)))
        asked = []
        for home, pairs in by_home.items():
            answers = self.links[home].want([request for _, request in pairs])
            asked += [
                Part(interest, home, request, answer)
                for (interest, request), answer in zip(pairs, answers, strict=True)
            ]
        for part in asked:
            part.interest.parts.append(part)
        return asked

    def _elsewhere(self, part: Part, outcome: Outcome) -> list[Part]:
        """Ask other connections for what one has no room for; nothing is asked where no other has any."""
        interest, wanted = part.interest, part.request.wanted
        if interest.channel != BOOKS or not isinstance(wanted, frozenset) or interest.is_released:
            return []
        refused = wanted.intersection(outcome.market_tickers) or wanted
        moved = self._placement.move(refused, part.home)
        if moved is None:
            return []
        interest.parts.remove(part)
        # The refusal ended the whole request, so what was not refused is asked for again where it was.
        rest = [(part.home, wanted - refused)] if wanted - refused else []
        return self._ask((interest, home, share) for home, share in [*rest, *moved.items()])

    def _release_some(self) -> None:
        """Release some of those that wait for it, and see to the others later."""
        self._release_is_posted = False
        some = [self._released.popleft() for _ in range(min(SLICE, len(self._released)))]
        if some:
            self._release(some)
        if self._released:
            self._post_release()

    def _release(self, interests: Sequence[LiveInterest]) -> None:
        by_home: dict[tuple[int, str], list[Request]] = defaultdict(list)
        for interest in interests:
            for part in interest.parts:
                by_home[part.home, interest.channel].append(part.request)
            if interest.channel == BOOKS and isinstance(interest.wanted, frozenset) and interest.parts:
                self._placement.release(interest.wanted)
            interest.parts = []
            interest.is_released = True
        for (home, _), requests in by_home.items():
            self.links[home].release(requests)
