"""The engine: one thread with one event loop that keeps a feed's connections.

Everything below the seam happens on this thread. Other threads ask by posting a function to its loop, and
read three things in place: ladders (by version), rows (by slicing) and counters.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Final, TypeVar

from kalshi_nb._auth import Credentials
from kalshi_nb._clock import Clock
from kalshi_nb._engine.link import Link, LinkState
from kalshi_nb._engine.placement import Placement
from kalshi_nb._engine.refusals import closed_error, subscription_error
from kalshi_nb._engine.transport import TransportName
from kalshi_nb._rows.channels import BOOKS
from kalshi_nb._rows.gaps import GapLog
from kalshi_nb._rows.rows import Row
from kalshi_nb._rows.wanted import Wanted
from kalshi_nb._session.ladder import Ladder
from kalshi_nb._session.requests import Outcome, Request
from kalshi_nb._threads import refuse_on, set_role
from kalshi_nb._wire.codes import FULL
from kalshi_nb.errors import FeedClosedError, UnreachableError

__all__ = ["Engine", "LinkState", "Wish"]

T = TypeVar("T")

JOIN: Final = 2.0


@dataclass(eq=False, slots=True)
class Wish:
    """What somebody wants of one channel, and the requests it became: one a connection that is to send some of it.

    Attributes
    ----------
    channel : str
        The channel.
    wanted : frozenset of str, or ALL
        What is asked for; an empty set takes what the channel receives for others.
    listen : str or None
        Whose rows are made: the channel's own, quotes (of books), or none.
    """

    channel: str
    wanted: Wanted
    listen: str | None
    parts: list[_Part] = field(default_factory=list)


@dataclass(eq=False, slots=True)
class _Part:
    wish: Wish
    home: int
    request: Request
    answer: Future[Outcome]

    def outcome(self, until: float, timeout: float) -> Outcome:
        try:
            return self.answer.result(max(0.0, until - time.monotonic()))
        except FutureTimeoutError:
            return Outcome(0, f"no answer within {timeout:g} s")


class Engine:
    """Sessions kept connected on the thread ``kalshi-io``.

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

    Attributes
    ----------
    links : tuple of Link
        The connections.
    gaps : GapLog
        Every hole, of all of them.
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
    ) -> None:
        self.url = url
        self.gaps = GapLog()
        self._rows: dict[str, list[Row]] = defaultdict(list)
        jitter = random or Random()  # noqa: S311  # jitter, not a secret
        self.links = tuple(
            Link(
                url,
                credentials,
                clock=clock,
                random=jitter,
                gaps=self.gaps,
                number=number,
                alone=connections == 1,
                rows=self._rows,
                transport=transport,
            )
            for number in range(1, connections + 1)
        )
        self._placement = Placement(connections)
        self._fault: str | None = None
        self._faulty_at = 0.0
        self._timeout = 0.0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._main: asyncio.Task[None] | None = None
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="kalshi-io", daemon=True)

    # How it is doing ------------------------------------------------------------------------------------

    @property
    def state(self) -> LinkState:
        """The state of all links, or of the one that is worst off."""
        states = {each.state for each in self.links}
        for state in ("refused", "closed", "reconnecting", "connecting"):
            if state in states:
                return state
        return "connected"

    @property
    def trouble(self) -> tuple[float, str] | None:
        """The newest trouble with any connection, and when it came, in seconds on the monotonic clock."""
        troubles = [(each.failed_at, each.last_error) for each in self.links if each.last_error is not None]
        if self._fault is not None:
            troubles.append((self._faulty_at, self._fault))
        return max(troubles, default=None)

    @property
    def last_error(self) -> str | None:
        """The newest trouble with any connection."""
        trouble = self.trouble
        return None if trouble is None else trouble[1]

    @property
    def reconnects(self) -> int:
        """Connections made after the first ones."""
        return sum(each.reconnects for each in self.links)

    @property
    def clock_skew(self) -> float | None:
        """Seconds by which this computer's clock is ahead of the exchange's."""
        return self.links[0].clock_skew

    def homes(self, channel: str, market_tickers: Iterable[str] | None) -> frozenset[int]:
        """Return the numbers, from 1, of the connections that these markets (None: all) of a channel come over."""
        return frozenset(home + 1 for home in self._placement.homes(channel, market_tickers))

    # From other threads ---------------------------------------------------------------------------------

    def start(self, timeout: float) -> None:
        """Dial, and wait for the first handshake of every connection at most `timeout` seconds.

        Raises
        ------
        CredentialsError, HandshakeError, UnreachableError
            As :func:`kalshi_nb._engine.dialing.dial`; the thread has ended then.
        """
        self._timeout = timeout
        self._thread.start()
        until = time.monotonic() + timeout + 1.0
        try:
            for each in self.links:
                each.started.result(max(0.0, until - time.monotonic()))
        except FutureTimeoutError:
            self.close()
            raise UnreachableError(f"{self.url} did not answer within {timeout:g} s.") from None
        except BaseException:
            self.close()
            raise

    def want(self, channel: str, wanted: Wanted, *, timeout: float, listen: str | None = None) -> Wish:
        """Ask for `wanted` of `channel`, and wait for the exchange's word when the link is up; as `want_each`."""
        return self.want_each(channel, [wanted], listen=listen, timeout=timeout)[0]

    def want_each(
        self, channel: str, wanted: Sequence[Wanted], *, timeout: float, listen: str | None = None
    ) -> list[Wish]:
        """Ask for several things of one channel together; each is let go by itself later.

        Rows are made from then on of what `listen` names: the channel itself, quotes, or nothing. Markets that
        one connection has no more room for are asked for over another.

        Raises
        ------
        SubscriptionError
            When the exchange refused, or did not answer within `timeout` seconds.
        FeedClosedError
            When the engine was closed or given up.
        """
        refuse_on("io", doing="A subscription", instead="Subscribe from the notebook, before the data flows")
        wishes = [Wish(channel, each, listen) for each in wanted]
        try:
            self._await(self._call(lambda: self._want(wishes)), timeout)
        except BaseException:
            self.release(*wishes)  # refused or interrupted: nobody holds the wishes any more
            raise
        return wishes

    def _await(self, parts: Iterable[_Part], timeout: float) -> None:
        """Wait until the exchange has taken all `parts`, asking another connection for what one refuses."""
        until = time.monotonic() + timeout
        waiting = deque(parts)
        while waiting:
            part = waiting.popleft()
            outcome = part.outcome(until, timeout)
            if outcome.code is None:
                continue
            moved = self._call(partial(self._elsewhere, part, outcome)) if outcome.code == FULL else []
            if not moved:
                raise subscription_error(part.wish.channel, outcome)
            waiting.extend(moved)

    def release(self, *wishes: Wish) -> None:
        """Take wishes back; does not wait."""
        with contextlib.suppress(FeedClosedError):
            self._post(lambda: self._release(wishes))

    def take(self, channel: str) -> list[Row]:
        """Take all rows of `channel`, or all quotes, that are pending, in the order they were received."""
        # All links run on one thread and append to one list a channel, so rows stand in their order there. Each of
        # the two steps is atomic, and the sessions only ever append: nothing is lost, and nothing taken twice. The
        # whole argument stands at Session.rows.
        rows = self._rows.get(channel, [])
        taken = rows[: len(rows)]
        del rows[: len(taken)]
        return taken

    def ladder(self, market_ticker: str) -> Ladder | None:
        """Return a market's ladder, None when nobody wants it."""
        for each in self.links:
            found = each.session.ladder(market_ticker)
            if found is not None:
                return found
        return None

    def close(self) -> None:
        """End the thread; idempotent, waits at most 2 s."""
        self._closing = True
        for each in self.links:
            each.close()
        loop, main = self._loop, self._main
        if loop is not None and main is not None:
            with contextlib.suppress(RuntimeError):  # the loop ended by itself a moment ago
                loop.call_soon_threadsafe(main.cancel)
        if self._thread.ident is not None and threading.current_thread() is not self._thread:
            self._thread.join(JOIN)
        for each in self.links:
            if each.state != "refused":
                each.state = "closed"

    # On the io thread -----------------------------------------------------------------------------------

    def _run(self) -> None:
        set_role("io")
        try:
            with asyncio.Runner() as runner:
                runner.run(self._live())
        except asyncio.CancelledError:
            pass
        except BaseException as bug:  # noqa: BLE001  # the thread's last words must reach health()
            self._fault, self._faulty_at = f"the network thread ended: {type(bug).__name__}: {bug}", time.monotonic()
        finally:
            for each in self.links:
                each.end()

    async def _live(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._main = asyncio.current_task()
        if self._closing:  # before there was a loop to be told
            return
        lives = [asyncio.create_task(each.live(self._timeout)) for each in self.links]
        try:
            await asyncio.gather(*lives)
        finally:
            # The first to end must not cut the others' farewells short.
            for each in lives:
                if not each.cancelling():
                    each.cancel()
            await asyncio.wait(lives)

    def _want(self, wishes: Sequence[Wish]) -> list[_Part]:
        """Ask for new wishes, all of one channel."""
        if self._closing:
            raise closed_error()
        shares: list[tuple[Wish, int, Wanted]] = []
        for wish in wishes:
            shares += [(wish, home, wanted) for home, wanted in self._shares(wish)]
        return self._ask(shares)

    def _shares(self, wish: Wish) -> Iterable[tuple[int, Wanted]]:
        """Return what each connection is to send of a wish."""
        if wish.channel != BOOKS or not isinstance(wish.wanted, frozenset):
            return [(self._placement.home(wish.channel), wish.wanted)]
        if not wish.wanted:
            return [(home, wish.wanted) for home in range(len(self.links))]
        return self._placement.place(wish.wanted).items()

    def _ask(self, shares: Iterable[tuple[Wish, int, Wanted]]) -> list[_Part]:
        by_home: dict[int, list[tuple[Wish, Request]]] = defaultdict(list)
        for wish, home, wanted in shares:
            by_home[home].append((wish, Request(wish.channel, wanted, wish.listen)))
        asked = []
        for home, pairs in by_home.items():
            answers = self.links[home].want([request for _, request in pairs])
            asked += [
                _Part(wish, home, request, answer) for (wish, request), answer in zip(pairs, answers, strict=True)
            ]
        for part in asked:
            part.wish.parts.append(part)
        return asked

    def _elsewhere(self, part: _Part, outcome: Outcome) -> list[_Part]:
        """Ask other connections for what one has no room for; nothing is asked where no other has any."""
        wish, wanted = part.wish, part.request.wanted
        if wish.channel != BOOKS or not isinstance(wanted, frozenset):
            return []
        refused = wanted.intersection(outcome.market_tickers) or wanted
        moved = self._placement.move(refused, part.home)
        if moved is None:
            return []
        wish.parts.remove(part)
        # The refusal ended the whole request, so what was not refused is asked for again where it was.
        rest = [(part.home, wanted - refused)] if wanted - refused else []
        return self._ask((wish, home, share) for home, share in [*rest, *moved.items()])

    def _release(self, wishes: Sequence[Wish]) -> None:
        by_home: dict[tuple[int, str], list[Request]] = defaultdict(list)
        for wish in wishes:
            for part in wish.parts:
                by_home[part.home, wish.channel].append(part.request)
            if wish.channel == BOOKS and isinstance(wish.wanted, frozenset) and wish.parts:
                self._placement.release(wish.wanted)
            wish.parts = []
        for (home, _), requests in by_home.items():
            self.links[home].release(requests)

    def _call(self, function: Callable[[], T]) -> T:
        """Run `function` on the io thread and return what it returns."""
        answer: Future[T] = Future()

        def run() -> None:
            try:
                answer.set_result(function())
            except BaseException as problem:  # noqa: BLE001  # raised again where it was asked for
                answer.set_exception(problem)

        self._post(run)
        while True:
            try:
                return answer.result(0.25)
            except FutureTimeoutError:
                if answer.done():
                    raise
                self._refuse_closed()

    def _post(self, function: Callable[[], None]) -> None:
        self._refuse_closed()
        assert self._loop is not None
        try:
            self._loop.call_soon_threadsafe(function)
        except RuntimeError:
            raise closed_error() from None

    def _refuse_closed(self) -> None:
        if self.state == "refused":
            raise FeedClosedError(
                f"The exchange refused the credentials again and again: {self.last_error} Then connect() again."
            )
        if self.state == "closed" or not self._thread.is_alive():
            raise closed_error()
