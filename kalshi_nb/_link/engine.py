"""The engine: one thread with one event loop that keeps one session connected.

Everything below the seam happens on this thread. Other threads ask by posting a function to its loop, and
read three things in place: ladders (by version), rows (by slicing) and counters.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from random import Random
from typing import Final, Literal, TypeVar

from kalshi_nb._auth import Credentials
from kalshi_nb._clock import Clock
from kalshi_nb._ladder import Ladder
from kalshi_nb._link.answers import TAKEN, Answers, first_refusal
from kalshi_nb._link.dialing import clock_skew, dial
from kalshi_nb._link.metering import Meter
from kalshi_nb._link.refusals import closed_error, subscription_error
from kalshi_nb._link.transport import Connection, ConnectionLost, TransportName, hang_up
from kalshi_nb._session.quotes import QUOTES
from kalshi_nb._session.reconnecting import QUIET_ENOUGH, Reconnecting
from kalshi_nb._session.requests import Outcome, Request, Wanted
from kalshi_nb._session.session import Reconnect, Session
from kalshi_nb._threads import refuse_on, set_role
from kalshi_nb._wire.rows import Row
from kalshi_nb.errors import ClockSkewError, FeedClosedError, KalshiError, UnreachableError

__all__ = ["Engine", "LinkState"]

LinkState = Literal["connecting", "connected", "reconnecting", "refused", "closed"]
T = TypeVar("T")

TICK: Final = 0.1
JOIN: Final = 2.0
REDIAL_TIMEOUT: Final = 10.0


class Engine:
    """A session kept connected on the thread ``kalshi-io``.

    Parameters
    ----------
    url : str
        Where the exchange is.
    credentials : Credentials
        Read and signed with afresh at every handshake.
    clock : Clock
        The market's time, for ``received_at``.
    random : random.Random, optional
        The source of jitter.
    transport : str
        The library that speaks WebSocket: ``websockets`` or ``picows``.

    Attributes
    ----------
    state : str
        ``connecting``, ``connected``, ``reconnecting``, ``refused`` or ``closed``.
    reconnects : int
        Connections made after the first.
    last_error : str or None
        The newest trouble with the connection.
    failed_at : float
        When the newest trouble came, in seconds on the computer's monotonic clock.
    clock_skew : float or None
        Seconds by which this computer's clock is ahead of the exchange's.
    """

    def __init__(
        self,
        url: str,
        credentials: Credentials,
        *,
        clock: Clock,
        random: Random | None = None,
        transport: TransportName = "websockets",
    ) -> None:
        self.url = url
        self.state: LinkState = "connecting"
        self.reconnects = 0
        self.failed_at = 0.0
        self.last_error: str | None = None
        self.clock_skew: float | None = None
        self._before = 0
        self._credentials = credentials
        self._clock = clock
        self._transport: TransportName = transport
        jitter = random or Random()  # noqa: S311  # jitter, not a secret
        self.session = Session(now_us=clock.now_us, monotonic=time.monotonic, random=jitter)
        self.meter = Meter(self.session)
        self._reconnecting = Reconnecting(jitter)
        self._started: Future[None] = Future()
        self._answers = Answers()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._main: asyncio.Task[None] | None = None
        self._wake: asyncio.Event | None = None
        self._connection: Connection | None = None
        self._timeout = REDIAL_TIMEOUT
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="kalshi-io", daemon=True)

    @property
    def frames_received(self) -> int:
        """Frames received and applied on the present connection."""
        return self.session.messages - self._before

    # From other threads ---------------------------------------------------------------------------------

    def start(self, timeout: float) -> None:
        """Dial, and wait for the first handshake at most `timeout` seconds.

        Raises
        ------
        CredentialsError, HandshakeError, UnreachableError
            As :func:`kalshi_nb._link.dialing.dial`; the thread has ended then.
        """
        self._timeout = timeout
        self._thread.start()
        try:
            self._started.result(timeout + 1.0)
        except FutureTimeoutError:
            self.close()
            raise UnreachableError(f"{self.url} did not answer within {timeout:g} s.") from None
        except BaseException:
            self.close()
            raise

    def want(self, channel: str, wanted: Wanted, *, timeout: float, listen: str | None = None) -> Request:
        """Ask for `wanted` of `channel`, and wait for the exchange's word when the link is up; as `want_each`."""
        return self.want_each(channel, [wanted], listen=listen, timeout=timeout)[0]

    def want_each(
        self, channel: str, wanted: Sequence[Wanted], *, timeout: float, listen: str | None = None
    ) -> list[Request]:
        """Ask for several things of one channel together; each is let go by itself later.

        Rows are made from then on of what `listen` names: the channel itself, quotes, or nothing.

        Raises
        ------
        SubscriptionError
            When the exchange refused, or did not answer within `timeout` seconds.
        FeedClosedError
            When the engine was closed or given up.
        """
        refuse_on("io", doing="A subscription", instead="Subscribe from the notebook, before the data flows")
        requests = [Request(channel, each, listen) for each in wanted]
        try:
            outcome = first_refusal(self._call(lambda: self._want(requests)), timeout)
        except BaseException:
            self.release(*requests)  # interrupted: nobody holds the wishes any more
            raise
        if outcome is not TAKEN and outcome.code is not None:
            self.release(*requests)
            raise subscription_error(channel, outcome)
        return requests

    def release(self, *requests: Request) -> None:
        """Take wishes for one channel back; does not wait."""
        with contextlib.suppress(FeedClosedError):
            self._post(lambda: self._release(requests))

    def take(self, channel: str) -> list[Row]:
        """Take all rows of `channel`, or all quotes, that are pending."""
        if channel != QUOTES and channel not in self.session.subscriptions:
            return []
        rows = self.session.rows(channel)
        # Each of the two steps is atomic, and the session only ever appends.
        taken = rows[: len(rows)]
        del rows[: len(taken)]
        return taken

    def ladder(self, market_ticker: str) -> Ladder | None:
        """Return a market's ladder, None when nobody wants it."""
        return self.session.ladder(market_ticker)

    def local_port(self) -> int | None:
        """Return this side's port of the present connection, None while there is none."""
        connection = self._connection
        return None if connection is None else connection.local_port

    def close(self) -> None:
        """End the thread; idempotent, waits at most 2 s."""
        self._closing = True
        loop, main = self._loop, self._main
        if loop is not None and main is not None:
            with contextlib.suppress(RuntimeError):  # the loop ended by itself a moment ago
                loop.call_soon_threadsafe(main.cancel)
        if self._thread.ident is not None and threading.current_thread() is not self._thread:
            self._thread.join(JOIN)
        if self.state != "refused":
            self.state = "closed"

    # On the io thread -----------------------------------------------------------------------------------

    def _run(self) -> None:
        set_role("io")
        try:
            with asyncio.Runner() as runner:
                runner.run(self._live())
        except asyncio.CancelledError:
            pass
        except BaseException as bug:  # noqa: BLE001  # the thread's last words must reach health()
            self._fail(f"the network thread ended: {type(bug).__name__}: {bug}")
            if not self._started.done():
                self._started.set_exception(bug)
        finally:
            self._end()

    def _end(self) -> None:
        if self.state != "refused":
            self.state = "closed"
        self.session.close()
        if not self._started.done():
            self._started.set_exception(FeedClosedError("The feed was closed before it was connected."))
        self._answers.let_go(closed_error())

    async def _live(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._main = asyncio.current_task()
        self._wake = asyncio.Event()
        while not self._closing:  # closed before there was a loop to be told
            delay: float | None
            try:
                connection = await dial(self.url, self._credentials, timeout=self._timeout, transport=self._transport)
            except KalshiError as problem:
                delay = self._failed(problem)
            except Exception as surprise:
                if not self._started.done():
                    raise
                # Whatever answers at a reconnect, the feed goes on.
                delay = self._failed(UnreachableError(f"{self.url}: {type(surprise).__name__}: {surprise}"))
            else:
                await self._serve(connection)
                delay = self._reconnecting.delay()
            if delay is None:
                return
            await asyncio.sleep(delay)

    def _failed(self, problem: KalshiError) -> float | None:
        """Take up a failed attempt; return seconds until the next, or None for none."""
        if not self._started.done():
            self._started.set_exception(problem)
            return None
        self._fail(str(problem))
        # A clock that is off is set right by itself, as on a laptop that wakes; keys are not.
        status = None if isinstance(problem, ClockSkewError) else getattr(problem, "status", None)
        delay = self._reconnecting.delay(status=status, retry_after=getattr(problem, "retry_after", None))
        if delay is None:
            self.state = "refused"
        return delay

    async def _serve(self, connection: Connection) -> None:
        """Keep one connection until it is lost."""
        again = self._started.done()
        self._reconnecting.accepted()
        self._before = self.session.messages
        self._connection = connection
        self.clock_skew = clock_skew(connection)
        self._timeout = REDIAL_TIMEOUT
        self.state = "connected"
        self.session.connected()
        self._react()
        self.reconnects += again
        if not again:
            self._started.set_result(None)
        tasks = [asyncio.create_task(task(connection)) for task in (self._send, self._tick)]
        for each in tasks:
            each.add_done_callback(lambda ended: self._look_after(ended, connection))
        try:
            await self._read(connection)
        except ConnectionLost as closed:
            self._fail(f"connection lost: {closed}")
        except Exception as bug:  # noqa: BLE001  # whatever the exchange sends, the feed goes on
            self._fail(f"connecting anew: {type(bug).__name__}: {bug}")
        finally:
            self._connection = None
            self.state = "reconnecting"
            for each in tasks:
                each.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            if self._closing:
                self.session.close()  # a wanted end is no hole in the data
            else:
                self.session.disconnected()
            self._answers.let_go(closed_error() if self._closing else None)
            await hang_up(connection)

    def _fail(self, text: str) -> None:
        self.last_error, self.failed_at = text, time.monotonic()

    def _look_after(self, ended: asyncio.Task[None], connection: Connection) -> None:
        """Give the connection up when a task beside the reader failed: without it, nothing would be repaired."""
        bug = None if ended.cancelled() else ended.exception()
        if bug is not None and not isinstance(bug, ConnectionLost):
            self._fail(f"connecting anew: {type(bug).__name__}: {bug}")
            connection.abort()

    async def _read(self, connection: Connection) -> None:
        """Take every message into the session as it comes, until the connection is lost."""
        receive, now_us = self.session.receive, self._clock.now_us
        events, outgoing = self.session.events, self.session.outgoing

        def take(data: bytes) -> None:
            receive(data, now_us())
            if events or outgoing:
                self._react()

        await connection.read(take)

    async def _send(self, connection: Connection) -> None:
        """Send commands as they come; apart from the reader, so that a full socket never stops reading."""
        assert self._wake is not None
        outgoing = self.session.outgoing
        while True:
            while outgoing:
                await connection.send(outgoing.popleft())
            self._wake.clear()
            await self._wake.wait()

    async def _tick(self, _: Connection) -> None:
        since, data = time.monotonic(), self.session.data_messages
        while True:
            await asyncio.sleep(TICK)
            now = time.monotonic()
            self.session.tick()
            self.meter.sample(now)
            if self.session.data_messages != data or now - since >= QUIET_ENOUGH:
                self._reconnecting.came()
            self._react()

    def _react(self) -> None:
        """Pass on what the session has to say."""
        while self.session.events:
            event = self.session.events.popleft()
            if isinstance(event, Reconnect):
                self._fail(f"connecting anew: {event.reason}")
                if self._connection is not None:
                    self._connection.abort()
            else:
                self._answers.came(event)
        if self.session.outgoing and self._wake is not None:
            self._wake.set()

    def _want(self, requests: Sequence[Request]) -> list[Future[Outcome]]:
        if self._closing:
            raise closed_error()
        futures = self._answers.expect(requests)
        self.session.want_together(requests)
        if self.state != "connected":
            self._answers.let_go()
        self._react()
        return futures

    def _release(self, requests: Sequence[Request]) -> None:
        self._answers.forget(requests)
        self.session.release(*requests)
        self._react()

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
