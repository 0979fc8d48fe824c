"""One connection to the exchange, kept: dialed, served, lost and dialed again, with one session.

All of it happens on the loop of the engine that the link belongs to. Other threads read three things in
place: ladders (by version), rows (by slicing) and counters.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from concurrent.futures import Future
from random import Random
from typing import Final, Literal

from kalshi_nb._auth import Credentials
from kalshi_nb._clock import Clock
from kalshi_nb._engine.answers import Answers
from kalshi_nb._engine.dialing import clock_skew, dial
from kalshi_nb._engine.metering import Meter
from kalshi_nb._engine.refusals import closed_error
from kalshi_nb._engine.transport import Connection, ConnectionLost, TransportName, hang_up
from kalshi_nb._rows.gaps import GapLog
from kalshi_nb._rows.rows import Row
from kalshi_nb._session.reconnecting import QUIET_ENOUGH, Reconnecting
from kalshi_nb._session.requests import Outcome, Request
from kalshi_nb._session.session import Reconnect, Session
from kalshi_nb.errors import ClockSkewError, FeedClosedError, KalshiError, UnreachableError

__all__ = ["Link", "LinkState"]

LinkState = Literal["connecting", "connected", "reconnecting", "refused", "closed"]

TICK: Final = 0.1
REDIAL_TIMEOUT: Final = 10.0


class Link:
    """A session kept connected, with sids, gaps and a backoff of its own.

    Parameters
    ----------
    url : str
        Where the exchange is.
    credentials : Credentials
        Read and signed with afresh at every handshake.
    clock : Clock
        The market's time, for ``received_at``.
    random : random.Random
        The source of jitter.
    gaps : GapLog
        Where holes are written down, shared by all links of a feed.
    number : int
        Which of the feed's connections this is, from 1.
    alone : bool
        Whether it is the only one.
    rows : dict of str to list
        Where rows go, a list a channel, shared by all links of a feed.
    transport : str
        The library that speaks WebSocket: ``websockets`` or ``picows``.

    Attributes
    ----------
    state : str
        ``connecting``, ``connected``, ``reconnecting``, ``refused`` or ``closed``.
    started : Future
        Done with the first handshake, or with what refused it.
    reconnects : int
        Connections made after the first.
    last_error, failed_at : str or None, float
        The newest trouble with the connection, and when it came, in seconds on the computer's monotonic clock.
    clock_skew : float or None
        Seconds by which this computer's clock is ahead of the exchange's.
    """

    def __init__(
        self,
        url: str,
        credentials: Credentials,
        *,
        clock: Clock,
        random: Random,
        gaps: GapLog,
        number: int,
        alone: bool,
        rows: dict[str, list[Row]],
        transport: TransportName,
    ) -> None:
        self.url = url
        self.state: LinkState = "connecting"
        self.started: Future[None] = Future()
        self.reconnects = 0
        self.failed_at = 0.0
        self.last_error: str | None = None
        self.clock_skew: float | None = None
        self._before = 0
        self._came = 0
        self._credentials = credentials
        self._clock = clock
        self._transport: TransportName = transport
        self.session = Session(
            now_us=self._now_us,
            monotonic=time.monotonic,
            random=random,
            gaps=gaps,
            connection=number,
            alone=alone,
            rows=rows,
        )
        self.meter = Meter(self.session)
        self._reconnecting = Reconnecting(random)
        self._answers = Answers()
        self._wake: asyncio.Event | None = None
        self._connection: Connection | None = None
        self._closing = False

    def __repr__(self) -> str:
        return f"<Link {self.url} {self.state}>"

    # From other threads ---------------------------------------------------------------------------------

    @property
    def frames_received(self) -> int:
        """Frames received and applied on the present connection."""
        return self.session.messages - self._before

    def local_port(self) -> int | None:
        """Return this side's port of the present connection, None while there is none."""
        connection = self._connection
        return None if connection is None else connection.local_port

    # On the io thread -----------------------------------------------------------------------------------

    def want(self, requests: Sequence[Request]) -> list[Future[Outcome]]:
        """Ask for several things of one channel; the futures are done when the exchange has answered."""
        futures = self._answers.expect(requests)
        self.session.want_together(requests)
        if self.state != "connected":
            self._answers.let_go()
        self._react()
        return futures

    def release(self, requests: Sequence[Request]) -> None:
        """Take wishes for one channel back."""
        self._answers.forget(requests)
        self.session.release(*requests)
        self._react()

    def close(self) -> None:
        """Say that the end is wanted, so that it is no hole in the data."""
        self._closing = True

    def end(self) -> None:
        """Take up the end: no answer will come, and nothing is missing after it. Idempotent."""
        if self.state != "refused":
            self.state = "closed"
        self.session.close()
        if not self.started.done():
            self.started.set_exception(FeedClosedError("The feed was closed before it was connected."))
        self._answers.let_go(closed_error())

    async def live(self, patience: float) -> None:
        """Keep connected until the end is wanted, or the exchange takes the credentials no more.

        The first handshake may take `patience` seconds.
        """
        self._wake = asyncio.Event()
        try:
            while not self._closing:  # closed before there was a loop to be told
                delay = await self._attempt(patience)
                if delay is None:
                    return
                patience = REDIAL_TIMEOUT
                await asyncio.sleep(delay)
        except Exception as bug:
            self._fail(f"the network thread ended: {type(bug).__name__}: {bug}")
            if not self.started.done():
                self.started.set_exception(bug)
            raise
        finally:
            self.end()

    async def _attempt(self, patience: float) -> float | None:
        """Dial, and serve the connection to its end; return seconds until the next attempt, None for none."""
        try:
            connection = await dial(self.url, self._credentials, timeout=patience, transport=self._transport)
        except KalshiError as problem:
            return self._failed(problem)
        except Exception as surprise:
            if not self.started.done():
                raise
            # Whatever answers at a reconnect, the feed goes on.
            return self._failed(UnreachableError(f"{self.url}: {type(surprise).__name__}: {surprise}"))
        await self._serve(connection)
        return self._reconnecting.delay()

    def _failed(self, problem: KalshiError) -> float | None:
        """Take up a failed attempt; return seconds until the next, or None for none."""
        if not self.started.done():
            self.started.set_exception(problem)
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
        again = self.started.done()
        self._reconnecting.accepted()
        self._before = self.session.messages
        self._connection = connection
        self.clock_skew = clock_skew(connection)
        self.state = "connected"
        self.session.connected()
        self._react()
        self.reconnects += again
        if not again:
            self.started.set_result(None)
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
            self._came = 0  # where the read that broke off was not taken in to its end
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
        receive, events, outgoing = self.session.receive, self.session.events, self.session.outgoing

        def take(messages: Sequence[bytes], came: int) -> None:
            self._came = came
            receive(messages, came)
            self._came = 0
            if events or outgoing:
                self._react()

        await connection.read(take, self._clock.now_us)

    def _now_us(self) -> int:
        """Return the session's time: while a read is taken in, the moment at which its bytes came.

        A hole is as old as the message that showed it, so that times never go back from one row to the next.
        """
        return self._came or self._clock.now_us()

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
                self._reconnecting.reset()
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
