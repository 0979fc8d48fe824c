"""The thread that the simulated exchange lives on: its event loop, its socket, its clients."""

from __future__ import annotations

import asyncio
import atexit
import errno
import logging
import os
import socket
import threading
import weakref
from collections import deque
from concurrent.futures import CancelledError, Future
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.http11 import Response

from kalshi_nb.errors import PortInUseError, SimulationError
from kalshi_nb.sim._authenticate import PATH, Verdict
from kalshi_nb.sim._connection import Connection
from kalshi_nb.sim._rest import PREFIX
from kalshi_nb.sim._shown import shown

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from websockets.http11 import Request

    from kalshi_nb.sim._authenticate import Keyring
    from kalshi_nb.sim._rest import Rest

__all__ = ["HOST", "Programme", "ServerThread", "listen"]

HOST: Final = "127.0.0.1"
_ANSWER_WITHIN: Final = 10.0
_LARGEST_COMMAND: Final = 1 << 24
_JOIN_WITHIN: Final = 2.0
_FAREWELL: Final = 0.5

_Result = TypeVar("_Result")

# websockets reports clients that hang up in the middle of a handshake; nobody who runs a notebook wants that.
_log = logging.getLogger("kalshi_nb.sim")
_log.addHandler(logging.NullHandler())
_log.setLevel(logging.INFO)  # below it, the library writes down every header: key ids and signatures

_running: weakref.WeakSet[ServerThread] = weakref.WeakSet()


class _Accepted(ServerConnection):
    """A client's socket, remembered from the first byte on: some never come as far as a WebSocket."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        _accepted.add(self)


_accepted: weakref.WeakSet[_Accepted] = weakref.WeakSet()


class Programme(Protocol):
    """What a server serves: a live market or a recording."""

    async def run(self) -> None:
        """Live, until cancelled."""
        ...

    async def attend(self, connection: Connection) -> None:
        """Serve one client, until it is gone."""
        ...

    def forget(self, connection: Connection) -> None:
        """Send nothing more to a connection that is being cut."""
        ...


def listen(port: int) -> socket.socket:
    """Open the listening socket, at once and on the caller's thread, so that errors are raised to him.

    Raises
    ------
    PortInUseError
        Somebody else listens there.
    SimulationError
        The port cannot be had for another reason.
    """
    if isinstance(port, bool) or not isinstance(port, int) or not 0 <= port <= 65_535:
        raise SimulationError(f"port={shown(port)} is no port; pass 0 for a free one, or 1024 to 65535.")
    try:
        return socket.create_server((HOST, port), backlog=128)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise PortInUseError(
                f"Port {port} on {HOST} is taken, perhaps by an exchange of yours that is still open: "
                "close() that one, or pass port=0 for a free port."
            ) from error
        raise SimulationError(
            f"Port {port} on {HOST} cannot be opened: {error.strerror}. Pass port=0 for a free port."
        ) from error


class ServerThread:
    """A WebSocket server on a daemon thread of its own.

    Parameters
    ----------
    listener : socket
        Where it listens; the thread closes it.
    programme : Programme
        What it serves.
    keyring : Keyring
        Who may come in.
    compression : bool
        Whether permessage-deflate is accepted where a client offers it.

    Attributes
    ----------
    connections : dict of int to Connection
        The live connections by the port of the client's socket.
    refusals : deque of Verdict
        What the next handshakes are answered with instead of being judged.
    closed_with : Verdict or None
        What every handshake is answered with while the exchange is in maintenance.
    most_connections : int or None
        How many connections there may be before handshakes are answered with 429; None for any number.
    greetings : deque of int or None
        How the next connections end as soon as they are open: by a close code, or None for without a word.
    prepare : callable
        Called with each new connection before anything is sent on it.
    rest : Rest or None
        What answers plain GETs; nothing, where a recording is served.
    """

    def __init__(self, listener: socket.socket, programme: Programme, keyring: Keyring, *, compression: bool) -> None:
        self.connections: dict[int, Connection] = {}
        self.refusals: deque[Verdict] = deque()
        self.closed_with: Verdict | None = None
        self.most_connections: int | None = None
        self.greetings: deque[int | None] = deque()
        self.rest: Rest | None = None
        self.prepare: Callable[[Connection], None] = lambda _: None
        self._listener = listener
        self._programme = programme
        self._keyring = keyring
        self._compression = compression
        self._pid = os.getpid()
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._asked: set[Future[object]] = set()
        self._ready: Future[None] = Future()
        self._closed = False
        self._closing = threading.Lock()
        self._thread = threading.Thread(target=self._live, name="kalshi-sim", daemon=True)

    def start(self) -> None:
        """Start the thread and wait until it accepts clients."""
        _running.add(self)
        self._thread.start()
        self._ready.result(_ANSWER_WITHIN)

    @property
    def is_closed(self) -> bool:
        """Whether it is closed, or belongs to another process."""
        return self._closed or os.getpid() != self._pid

    def call(self, function: Callable[[], _Result]) -> _Result:
        """Run a function on the server's thread and return what it returns.

        Raises
        ------
        SimulationError
            The exchange is closed, belongs to the process that this one was forked from, or hangs.
        """
        if os.getpid() != self._pid:
            raise SimulationError(
                "This exchange belongs to the process that this one was forked from; make a new Exchange here."
            )
        if self._closed:
            raise SimulationError("The exchange is closed; make a new Exchange.")
        answer: Future[_Result] = Future()
        self._asked.add(answer)  # type: ignore[arg-type]
        try:
            self._loop.call_soon_threadsafe(_answer, answer, function)
            return answer.result(_ANSWER_WITHIN)
        except (CancelledError, RuntimeError) as error:
            if isinstance(error, RuntimeError) and not self._closed:
                raise
            raise SimulationError("The exchange was closed meanwhile; make a new Exchange.") from error
        except TimeoutError as error:
            raise SimulationError(
                f"The exchange did not answer within {_ANSWER_WITHIN:.0f} s; close() it and make a new one."
            ) from error
        finally:
            self._asked.discard(answer)

    def close(self) -> None:
        """Stop serving, close every connection, end the thread. In a forked child: nothing."""
        if os.getpid() != self._pid:
            return
        with self._closing:
            if self._closed:
                return
            self._closed = True
            self._loop.call_soon_threadsafe(self._stop.set)
            if threading.current_thread() is not self._thread:
                self._thread.join(_JOIN_WITHIN)

    def leave_to_parent(self) -> None:
        """Let go of the listening socket, which a forked child must not keep open."""
        self._listener.close()

    def cut(self, connection: Connection) -> None:
        """Count a connection among the living no more; on the server's thread."""
        self.connections.pop(connection.port, None)
        self._programme.forget(connection)

    def spawn(self, connection: Connection, code: int, reason: str = "") -> None:
        """Begin to close a connection, and wait for no answer; on the server's thread."""
        task = self._loop.create_task(connection.close(code, reason))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # -- on the thread -----------------------------------------------------------------------------------

    def _live(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._serve())
        except BaseException as error:
            if self._ready.done():
                raise
            self._ready.set_exception(error)
        finally:
            self._closed = True
            for answer in list(self._asked):
                answer.cancel()
            self._loop.run_until_complete(self._end_tasks())
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            asyncio.set_event_loop(None)
            self._loop.close()
            self._listener.close()

    async def _serve(self) -> None:
        server = await serve(
            self._attend,
            sock=self._listener,
            process_request=self._judge,
            compression="deflate" if self._compression else None,
            server_header=None,
            ping_interval=None,
            close_timeout=1,
            max_size=_LARGEST_COMMAND,
            logger=_log,
            create_connection=_Accepted,
        )
        running = asyncio.create_task(self._programme.run())
        self._ready.set_result(None)
        stopping = asyncio.create_task(self._stop.wait())
        # A market that fails must not look like a quiet one: its error ends the exchange, loudly.
        await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if running.done() and running.exception() is None:
            await stopping  # a market whose clock is moved by hand has nothing to do by itself
        running.cancel()
        stopping.cancel()
        server.close()
        ended = asyncio.create_task(server.wait_closed())
        await asyncio.wait({ended}, timeout=_FAREWELL)
        for connection in list(self.connections.values()):
            connection.drop()
        await asyncio.wait({ended}, timeout=_FAREWELL)
        outcome = await asyncio.gather(running, stopping, return_exceptions=True)
        for error in outcome:
            if isinstance(error, Exception):
                raise error

    async def _end_tasks(self) -> None:
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        for accepted in [each for each in list(_accepted) if each.loop is self._loop]:
            accepted.transport.abort()
        await asyncio.sleep(0)  # an aborted transport closes its socket in the loop's next turn

    def _judge(self, _: ServerConnection, request: Request) -> Response | Awaitable[Response] | None:
        if self.rest is not None and request.path.startswith(f"{PREFIX}/"):
            answer = self.rest.respond(request.path, _plain(request.headers), self.closed_with)
            return asyncio.sleep(delay, answer) if (delay := self.rest.trouble.delay) else answer
        if request.path.partition("?")[0] != PATH:
            return _http(Verdict(HTTPStatus.NOT_FOUND, '{"error":{"code":"not_found","message":"not found"}}'))
        if self.closed_with is not None:
            return _http(self.closed_with)
        if self.most_connections is not None and len(self.connections) >= self.most_connections:
            return _http(Verdict(HTTPStatus.TOO_MANY_REQUESTS, '{"error":"too many requests"}'))
        verdict = self.refusals.popleft() if self.refusals else self._keyring.verdict(_plain(request.headers))
        return None if verdict is None else _http(verdict)

    async def _attend(self, websocket: ServerConnection) -> None:
        connection = Connection(websocket)
        if self.greetings:
            code = self.greetings.popleft()
            if code is None:
                connection.drop()
            else:
                await connection.close(code)
            return
        self.prepare(connection)
        self.connections[connection.port] = connection
        work = asyncio.create_task(connection.work())
        try:
            await self._programme.attend(connection)
        finally:
            if self.connections.get(connection.port) is connection:
                del self.connections[connection.port]
            work.cancel()
            await asyncio.wait({work})


def _answer(answer: Future[_Result], function: Callable[[], _Result]) -> None:
    if not answer.set_running_or_notify_cancel():
        return
    try:
        answer.set_result(function())
    except BaseException as error:  # noqa: BLE001 - raised again on the thread that asked
        answer.set_exception(error)


def _plain(headers: Headers) -> Headers:
    """Return headers of which each has one value, the last one sent."""
    return Headers({name: headers.get_all(name)[-1] for name in headers})


def _http(verdict: Verdict) -> Response:
    body = verdict.body.encode()
    headers = Headers({"Content-Type": "application/json", "Content-Length": str(len(body)), "Connection": "close"})
    if verdict.retry_after is not None:
        headers["Retry-After"] = f"{verdict.retry_after:g}"
    return Response(verdict.status, HTTPStatus(verdict.status).phrase, headers, body)


def close_all() -> None:
    """Close every exchange of this process; what happens at the interpreter's exit."""
    for each in list(_running):
        each.close()


def _after_fork() -> None:
    for each in list(_running):
        each.leave_to_parent()


atexit.register(close_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
