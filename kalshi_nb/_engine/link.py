"""One connection to the exchange, kept: dialed, served, lost and dialed again, with one session.

All of it happens on the loop of the engine that the link belongs to. Other threads read three things in
place: ladders (by version), rows (by slicing) and counters.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from random import Random
from typing import Final

from kalshi_nb._auth import Credentials
from kalshi_nb._engine.answers import Answers
from kalshi_nb._engine.dialing import clock_skew, dial
from kalshi_nb._engine.handshake_failures import failure
from kalshi_nb._engine.metering import Meter
from kalshi_nb._engine.outages import Outages
from kalshi_nb._engine.port import EngineState, LinkStatus
from kalshi_nb._engine.refusals import closed_error
from kalshi_nb._engine.taps import Taps
from kalshi_nb._engine.timeline import Timeline
from kalshi_nb._engine.transport import Connection, ConnectionLost, Route, hang_up, plain_address
from kalshi_nb._rows.foreign import plain_text
from kalshi_nb._rows.gaps import GapLog
from kalshi_nb._rows.heard import Event, Read, Sent
from kalshi_nb._rows.rows import Row
from kalshi_nb._session.reconnecting import QUIET_ENOUGH, Reconnecting
from kalshi_nb._session.requests import Outcome, Request
from kalshi_nb._session.session import Reconnect, Session
from kalshi_nb.errors import AuthenticationError, ClockSkewError, FeedClosedError

__all__ = ["Link"]

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
    timeline : Timeline
        The market's time, for ``received_at``.
    random : random.Random
        The source of jitter.
    gaps : GapLog
        Where gaps are written down, shared by all links of a feed.
    rows : dict of str to list of tuple
        Where rows go, one list a channel, shared by all links of a feed: so that rows of several connections lie in
        the order in which they were received, whatever the clock said.
    taps : Taps
        Who hears everything as it comes.
    arrived : callable
        Called when rows may have come, with the number of messages that were taken in.
    number : int
        Which of the feed's connections this is, from 1.
    alone : bool
        Whether it is the only one.
    route : Route
        By what means the exchange is reached.

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
    next_attempt_at : float or None
        When it is dialed again, in seconds on the computer's monotonic clock; None where it need not be.
    """

    def __init__(
        self,
        url: str,
        credentials: Credentials,
        *,
        timeline: Timeline,
        random: Random,
        gaps: GapLog,
        rows: dict[str, list[Row]],
        taps: Taps,
        arrived: Callable[[int], None],
        number: int,
        alone: bool,
        route: Route,
    ) -> None:
        self.url = url
        self.number = number
        self.state: EngineState = "connecting"
        self.started: Future[None] = Future()
        self.reconnects = 0
        self.failed_at = 0.0
        self.last_error: str | None = None
        self.clock_skew: float | None = None
        self.next_attempt_at: float | None = None
        self._before = 0
        self._received_at = 0
        self._credentials = credentials
        self._timeline = timeline
        self._taps = taps
        self._arrived = arrived
        self._route = route
        self.session = Session(
            now_us=self._now_us,
            monotonic=time.monotonic,
            steady=timeline.steady,
            random=random,
            gaps=gaps,
            rows=rows,
            connection=number,
            alone=alone,
        )
        self.meter = Meter(self.session)
        self._reconnecting = Reconnecting(random)
        self._outages = Outages(number, plain_address(url))
        self._answers = Answers()
        self._wake: asyncio.Event | None = None
        self._hurry: asyncio.Event | None = None
        self._connection: Connection | None = None
        self._closing = False

    def __repr__(self) -> str:
        return f"<Link {self.number} to {plain_address(self.url)} {self.state}>"

    # From other threads -------------------------------------------------------------------------------

    def status(self) -> LinkStatus:
        """Return how the connection is doing."""
        return LinkStatus(self.number, self.state, self.reconnects, self.last_error, self.next_attempt_at)

    @property
    def frames_received(self) -> int:
        """Frames received and applied on the present connection."""
        return self.session.messages - self._before

    def local_port(self) -> int | None:
        """Return this side's port of the present connection, None while there is none."""
        connection = self._connection
        return None if connection is None else connection.local_port

    # On the io thread ---------------------------------------------------------------------------------

    def want(self, requests: Sequence[Request]) -> list[Future[Outcome]]:
        """Ask for several things of one channel; the futures are done when the exchange has answered."""
        futures = self._answers.expect(requests)
        self.session.want_together(requests)
        if self.state != "connected":
            self._answers.let_go()
        self._react()
        return futures

    def release(self, requests: Sequence[Request]) -> None:
        """Want these, all of one channel, no more."""
        self._answers.forget(requests)
        self.session.release(*requests)
        channel = requests[0].channel
        if self.session.subscriptions[channel].wanted is None:
            self._taps.hear(Event(self._timeline.stamp(), self.number, "released", channel))
        self._react()

    def renew(self, market_tickers: Sequence[str]) -> None:
        """Have those of these books that come over this connection made anew."""
        self.session.renew(market_tickers)
        self._react()

    def hurry(self) -> bool:
        """Dial at once where the next attempt is waited for; return whether it was."""
        if self.next_attempt_at is None or self._hurry is None:
            return False
        self._hurry.set()
        return True

    def close(self) -> None:
        """Say that the end is wanted, so that it is no gap in the data."""
        self._closing = True

    def end(self) -> None:
        """Take up the end: no answer will come, and nothing is missing after it. Idempotent."""
        self.state = "closed"
        self.session.close()
        if not self.started.done():
            self.started.set_exception(FeedClosedError("The feed was closed before it was connected."))
        self._answers.let_go(closed_error())

    async def live(self, patience: float) -> None:
        """Keep connected until the end is wanted; return then, or when the first handshake failed.

        The first handshake may take `patience` seconds. Nothing that the other end sends or does gets out of here:
        it is the trouble of this connection, which is dialed again.
        """
        self._wake, self._hurry = asyncio.Event(), asyncio.Event()
        while not self._closing:  # closed before there was a loop to be told
            try:
                delay: float | None = await self._attempt(patience)
            except Exception as surprise:  # noqa: BLE001  # whatever it is, this connection goes on, and so do others
                delay = self._failed(surprise)
            if delay is None:
                return
            patience = REDIAL_TIMEOUT
            await self._rest(delay)

    async def _rest(self, delay: float) -> None:
        """Wait until the next attempt is due, or somebody wants it at once."""
        assert self._hurry is not None
        self._hurry.clear()
        self.next_attempt_at = time.monotonic() + delay
        try:
            async with asyncio.timeout(delay):
                await self._hurry.wait()
        except TimeoutError:
            pass
        finally:
            self.next_attempt_at = None

    def interrupted(self) -> None:
        """Take up that the loop ended under a connection, which was not wanted."""
        self._lost()

    async def _attempt(self, patience: float) -> float:
        """Dial, and serve the connection to its end; return seconds until the next attempt."""
        connection = await dial(self.url, self._credentials, timeout=patience, route=self._route)
        await self._serve(connection)
        return self._reconnecting.delay()

    def _failed(self, problem: Exception) -> float | None:
        """Take up a failed attempt; return seconds until the next, or None for none."""
        problem = failure(problem, self.url, self._route, REDIAL_TIMEOUT)
        self._fail(str(problem))
        if not self.started.done():
            self.started.set_exception(problem)
            return None
        # A clock that is off is set right by itself, as on a laptop that wakes; keys are not.
        refused = isinstance(problem, AuthenticationError) and not isinstance(problem, ClockSkewError)
        delay = self._reconnecting.delay(refused=refused, retry_after=getattr(problem, "retry_after", None))
        self.state = "refused" if self._reconnecting.refused else "reconnecting"
        if self._reconnecting.refused:
            self._outages.refused(str(problem))
        return delay

    async def _serve(self, connection: Connection) -> None:
        """Keep one connection until it is lost."""
        tasks: list[asyncio.Task[None]] = []
        try:
            self._begin(connection)
            tasks += [asyncio.create_task(task(connection)) for task in (self._send, self._tick)]
            for each in tasks:
                each.add_done_callback(lambda ended: self._look_after(ended, connection))
            await self._read(connection)
        except ConnectionLost as closed:
            self._fail(f"connection lost: {closed}")
        except Exception as bug:  # noqa: BLE001  # whatever the exchange sends, the feed goes on
            self._fail(f"connecting anew: {type(bug).__name__}: {plain_text(str(bug))}")
        finally:
            self._lost()
            for each in tasks:
                each.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await hang_up(connection)

    def _begin(self, connection: Connection) -> None:
        """Take up a new connection."""
        again = self.started.done()
        self._reconnecting.accepted()
        self._before = self.session.messages
        self._connection = connection
        self.clock_skew = clock_skew(connection)
        self.state = "connected"
        self._outages.connected()
        self._taps.hear(Event(self._timeline.stamp(), self.number, "connected", plain_address(self.url)))
        self.session.connected()
        self._react()
        self.reconnects += again
        if not again:
            self.started.set_result(None)

    def _lost(self) -> None:
        """Take up the end of a connection, where there is one: a gap, unless it was wanted."""
        if self._connection is None:
            return
        self._connection = None
        self._received_at = 0  # where the read that broke off was not taken in to its end
        self.state = "reconnecting"
        self._taps.hear(Event(self._timeline.stamp(), self.number, "lost", self.last_error or ""))
        if self._closing:
            self.session.close()  # a wanted end is no gap in the data
        else:
            self.session.disconnected()
            self._outages.lost(self.last_error or "no cause was given")
        self._answers.let_go(closed_error() if self._closing else None)
        self._arrived(0)

    def _fail(self, text: str) -> None:
        self.last_error, self.failed_at = text, time.monotonic()

    def _look_after(self, ended: asyncio.Task[None], connection: Connection) -> None:
        """Give the connection up when a task beside the reader failed: without it, nothing would be repaired."""
        bug = None if ended.cancelled() else ended.exception()
        if bug is not None and not isinstance(bug, ConnectionLost):
            self._fail(f"connecting anew: {type(bug).__name__}: {plain_text(str(bug))}")
            connection.abort()

    async def _read(self, connection: Connection) -> None:
        """Take every message into the session as it comes, until the connection is lost."""
        receive, events, outgoing = self.session.receive, self.session.events, self.session.outgoing
        taps, number, arrived = self._taps, self.number, self._arrived

        def take(messages: Sequence[bytes], received_at: int) -> None:
            self._received_at = received_at
            if taps.every:
                taps.hear(Read(received_at, number, tuple(map(bytes, messages))))
            receive(messages, received_at)
            self._received_at = 0
            arrived(len(messages))
            if events or outgoing:
                self._react()

        await connection.read(take, self._timeline.stamp)

    def _now_us(self) -> int:
        """Return the session's time: while a read is taken in, the moment at which its bytes came.

        A gap is as old as the message that showed it, so that times never go back from one row to the next.
        """
        return self._received_at or self._timeline.stamp()

    async def _send(self, connection: Connection) -> None:
        """Send commands as they come; apart from the reader, so that a full socket never stops reading."""
        assert self._wake is not None
        outgoing = self.session.outgoing
        while True:
            while outgoing:
                command = outgoing.popleft()
                if self._taps.every:
                    self._taps.hear(Sent(self._timeline.stamp(), self.number, command))
                await connection.send(command)
            self._wake.clear()
            await self._wake.wait()

    async def _tick(self, _: Connection) -> None:
        since, data = time.monotonic(), self.session.data_messages
        while True:
            await asyncio.sleep(TICK)
            now = time.monotonic()
            self._timeline.stamp()  # a quiet line, too, takes note when the clock is set
            self.session.tick()
            self.meter.sample(now)
            if self.session.data_messages != data or now - since >= QUIET_ENOUGH:
                self._reconnecting.reset()
                self._outages.proved()
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
                self._answers.answered(event)
        if self.session.outgoing and self._wake is not None:
            self._wake.set()
        self._arrived(0)
