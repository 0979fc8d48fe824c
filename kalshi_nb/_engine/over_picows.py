"""Connections by ``picows``, the optional faster transport: its parser is compiled and calls back a frame.

The plain interface is used, not ``picows.websockets``: the latter queues each message for a ``recv()``, which
for a message a packet costs one more turn of the event loop. What the plain one leaves to its user is done
here: joining the pieces of a message, bounding what they hold, pings that may take longer to answer than the
time between two of them, waiting while the other end reads nothing, and finding a proxy.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from email import message_from_bytes
from typing import Final, cast

import picows
from picows import WSCloseCode, WSFrame, WSHandshakeError, WSListener, WSMsgType, WSParsedURL, WSTransport
from picows.version import __version__
from python_socks import ProxyError

from kalshi_nb._engine import over_websockets
from kalshi_nb._engine.transport import (
    CLOSE_TIMEOUT,
    LARGEST_MESSAGE,
    MOST_UNSENT,
    PING_INTERVAL,
    PING_TIMEOUT,
    SILENT,
    ConnectionLost,
    Now,
    ProxyFailed,
    Refused,
    Route,
    Take,
    WrongProtocol,
    closed_by_peer,
    hang_up,
    not_read,
)

__all__ = ["PicowsConnection", "open_connection"]

READ_BUFFER: Final = 2**20
"""Bytes to read at once, to begin with: the library doubles them until a read no longer fills them.

So 64 KiB to 4 MiB, and receive buffers of the kernel from 128 KiB to 4 MiB, come to the same speed, with a cell at
work and without."""

_TEXT: Final = WSMsgType.TEXT
_LARGEST_CONTROL: Final = 125
"""Bytes that a ping, a pong or a close carries at most (RFC 6455, 5.5).

What is larger is data, or breaks the protocol."""
_CLOSELY: Final = 16
"""Frames that are looked at closely: so many of a read, and again after each lot that is handed over.

To ask a frame for its type and its reserved bits costs as much as all else that is done here for it. So in a flood,
with hundreds of frames a read, those between are taken for what large frames are. A frame that the protocol forbids is
refused for certain in a read of up to so many, and soon wherever they go on; where one slips by, its bytes are read as
any other message's."""
_AT_ONCE: Final = 128
"""Messages to hand over before the read is taken in to its end: a whole read of a megabyte would fall out of the
processor's cache before it is looked at, which costs a tenth of all."""

_PROXY_STATUS: Final = re.compile(r"status ([0-9]{3})")
_STATUS: Final = re.compile(rb"HTTP/[0-9.]+ ([0-9]{3})\b")
_SWITCHING: Final = 101
_TELLING: Final = (401, 403)
_LEAVE: Final = 1.0
_LEAST_PIECE: Final = 64  # what an empty piece costs all the same


async def open_connection(
    url: str,
    headers: Mapping[str, str],
    *,
    route: Route,
    timeout: float,  # noqa: ASYNC109  # the library's own, which closes what it opened
) -> PicowsConnection:
    """Return an open connection to `url`, its handshake carrying `headers`.

    Raises
    ------
    Refused, WrongProtocol, ProxyFailed
        As their names say.
    OSError, TimeoutError
        When nobody answers, or not within `timeout` seconds.
    """
    sockets: list[socket.socket] = []

    async def connected(where: WSParsedURL) -> socket.socket:
        sockets.append(await _connected(where.host, where.port))
        return sockets[0]

    async with _left_behind(sockets), asyncio.timeout(timeout):
        try:
            _, listener = await picows.ws_connect(
                PicowsConnection,
                url,
                extra_headers={**headers, "User-Agent": f"picows/{__version__}"},
                socket_factory=connected,
                ssl_context=route.trusting(url),
                proxy=_known_here(route.proxy_to(url)),
                max_redirects=0,  # they would carry a valid signature to somebody else
                websocket_handshake_timeout=None,
                max_frame_size=LARGEST_MESSAGE,
                read_buffer_init_size=READ_BUFFER,
                enable_auto_pong=False,  # every frame has to show, or the last one of a read might not
                logger_name=SILENT,
            )
        except WSHandshakeError as problem:
            raise await _whole(_refusal(problem), url, headers, route, timeout) from None
        except ProxyError as problem:
            status = _PROXY_STATUS.search(str(problem))
            raise ProxyFailed(str(problem), None if status is None else int(status[1])) from None
        except picows.WSInvalidURL as problem:
            raise WrongProtocol(str(problem)) from None
        if not isinstance(listener, PicowsConnection):
            raise WrongProtocol("it hung up before it had answered the handshake")
        listener.refuse_what_nobody_asked_for()
        return listener


@contextlib.asynccontextmanager
async def _left_behind(sockets: list[socket.socket]) -> AsyncIterator[None]:
    """Close the sockets of a handshake that came to nothing; the library leaves one open that was broken off."""
    try:
        yield
    except BaseException:
        for each in sockets:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LEAVE):
                while any(each.fileno() != -1 for each in sockets):  # noqa: ASYNC110  # nobody tells
                    await asyncio.sleep(0.001)
        for each in sockets:
            each.close()
        raise


def _known_here(proxy: str | None) -> str | None:
    """Return a proxy's address as this library calls its kinds; it asks the proxy for names in any case."""
    kind, mark, rest = (proxy or "").partition("://")
    return f"{kind[:-1]}{mark}{rest}" if kind in ("socks5h", "socks4a") else proxy


async def _connected(host: str, port: int) -> socket.socket:
    """Return a socket connected to the first of the host's addresses that answers."""
    loop = asyncio.get_running_loop()
    problem: OSError | None = None
    for family, kind, number, _, address in await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        found = socket.socket(family, kind, number)
        found.setblocking(False)
        try:
            await loop.sock_connect(found, address)
        except OSError as failure:
            found.close()
            problem = failure
        except BaseException:
            found.close()
            raise
        else:
            return found
    raise problem or OSError(f"{host} has no address")


def _refusal(problem: WSHandshakeError) -> Exception:
    """Return what a failed handshake was; read from its head, since the library knows registered codes only."""
    head = problem.raw_header or b""
    status = _STATUS.match(head)
    if status is None or int(status[1]) == _SWITCHING:
        return WrongProtocol(str(problem))
    return Refused(int(status[1]), message_from_bytes(head.partition(b"\r\n")[2]), problem.raw_body or b"")


async def _whole(refusal: Exception, url: str, headers: Mapping[str, str], route: Route, seconds: float) -> Exception:
    """Return a refusal with all of its body, of which the library reads no more than came with its head.

    What is wrong with a signature stands in there, so the other library asks once more, and reads it all; but not
    where it is a page, which is none of the exchange's.
    """
    if not isinstance(refusal, Refused) or refusal.status not in _TELLING or refusal.body.startswith(b"<"):
        return refusal
    if refusal.headers.get("Content-Length") == str(len(refusal.body)):
        return refusal
    try:
        accepted = await over_websockets.open_connection(url, headers, route=route, timeout=seconds)
    except Refused as whole:
        return whole
    except (WrongProtocol, ProxyFailed, OSError, TimeoutError):
        return refusal
    await hang_up(accepted)
    return refusal


class PicowsConnection(WSListener):
    """An open connection; see :class:`kalshi_nb._engine.transport.Connection`."""

    __slots__ = (
        "_answered",
        "_early",
        "_fault",
        "_held",
        "_pieces",
        "_pings",
        "_take_up",
        "_transport",
        "_writable",
        "local_port",
        "on_ws_frame",
    )

    def __init__(self) -> None:
        self.local_port: int | None = None
        self._early: list[bytes] = []
        self._take_up: Callable[[bytes], None] = self._early.append
        self._hear(self._before_reading)
        self._pieces: list[bytes] = []
        self._held = 0
        self._fault: Exception | None = None
        self._answered = asyncio.Event()
        self._transport: WSTransport
        self._writable = asyncio.Event()
        self._writable.set()
        self._pings: asyncio.Task[None] | None = None

    # What the library calls ---------------------------------------------------------------------------

    def on_ws_connected(self, transport: WSTransport) -> None:
        """Begin with pings."""
        self._transport = transport
        # Asked for now: later, other threads want to know, and the library answers only its own.
        address = transport.underlying_transport.get_extra_info("sockname")
        self.local_port = int(address[1]) if address else None
        self._pings = asyncio.get_running_loop().create_task(self._ping())

    def _hear(self, function: Callable[[WSTransport, WSFrame], None]) -> None:
        """Have `function` called a frame: it stands where the library looks for a method, and binds what it needs."""
        self.on_ws_frame = function  # type: ignore[assignment, method-assign]

    def _before_reading(self, transport: WSTransport, frame: WSFrame) -> None:  # noqa: ARG002  # the library's signature
        """Keep what comes before anybody reads."""
        if frame.msg_type is _TEXT and frame.fin and not self._pieces and not _reserved(frame):
            self._early.append(frame.get_payload_as_bytes())
        else:
            self._other(frame)

    def _reading(self, take: Take, now: Now) -> Callable[[WSTransport, WSFrame], None]:
        """Return what takes a frame: it gathers whole messages, and hands those of one read over together."""
        pieces, other, give_up = self._pieces, self._other, self._give_up
        messages: list[bytes] = []
        text, gather, closely, control = _TEXT, messages.append, _CLOSELY, _LARGEST_CONTROL
        came = 0

        def hand_over() -> None:
            if messages:
                take(messages, came)
                messages.clear()

        def on_ws_frame(_: WSTransport, frame: WSFrame) -> None:
            nonlocal came
            try:
                if not came:
                    came = now()
                data = frame.get_payload_as_bytes()
                if (
                    frame.fin
                    and not pieces
                    and (
                        (len(messages) >= closely and len(data) > control)
                        or (frame.msg_type is text and not (frame.rsv1 or frame.rsv2 or frame.rsv3))
                    )
                ):
                    gather(data)
                    if len(messages) == _AT_ONCE:
                        hand_over()
                else:
                    hand_over()  # first: it may be the end
                    other(frame)
                if frame.last_in_buffer:
                    hand_over()
                    came = 0
            except Exception as fault:  # noqa: BLE001  # raised where the connection is read
                give_up(fault)

        self._take_up = gather
        return on_ws_frame

    def on_ws_disconnected(self, transport: WSTransport) -> None:  # noqa: ARG002  # the library's signature
        """Stop pinging, and let go of whoever waits to send."""
        self._writable.set()
        if self._pings is not None:
            self._pings.cancel()

    def pause_writing(self) -> None:
        """Take note that the other end does not keep up with reading."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """Take note that it does again."""
        self._writable.set()

    def _other(self, frame: WSFrame) -> None:
        kind = frame.msg_type
        if _reserved(frame):
            self._give_up(ConnectionLost("bits are set in its frames that only extensions may set"))
        elif kind is WSMsgType.PONG:
            self._answered.set()
        elif kind is WSMsgType.PING:
            self._answer(frame.get_payload_as_bytes())
        elif kind is WSMsgType.CLOSE:
            self._hear(_nowhere)
            self._transport.send_close(WSCloseCode.OK)
            self._transport.disconnect()
        elif (kind is WSMsgType.CONTINUATION) != bool(self._pieces):
            self._give_up(ConnectionLost("the pieces of its messages are mixed up"))
        else:
            self._join(frame)

    def _answer(self, ping: bytes) -> None:
        if self._transport.underlying_transport.get_write_buffer_size() > MOST_UNSENT:
            self._give_up(not_read())
        else:
            self._transport.send_pong(ping)

    def _join(self, frame: WSFrame) -> None:
        """Take up a message in one binary frame, or a piece of one."""
        self._pieces.append(frame.get_payload_as_bytes())
        self._held += max(_LEAST_PIECE, frame.payload_size)
        if self._held > LARGEST_MESSAGE:
            self._give_up(ConnectionLost(f"a message in pieces of more than {LARGEST_MESSAGE:,} bytes"))
        elif frame.fin:
            whole = b"".join(self._pieces)
            self._pieces.clear()
            self._held = 0
            self._take_up(whole)

    def _give_up(self, fault: Exception) -> None:
        self._fault = self._fault or fault
        self._hear(_nowhere)
        self.abort()

    # What the engine calls ----------------------------------------------------------------------------

    def refuse_what_nobody_asked_for(self) -> None:
        """Look whether the answer to the handshake takes up an offer that was never made; this library does not.

        Raises
        ------
        WrongProtocol
            When it does: what comes would be compressed, or something else than this end can read.
        """
        for name in ("Sec-WebSocket-Extensions", "Sec-WebSocket-Protocol"):
            if name in self.headers:
                self._hear(_nowhere)
                self.abort()
                raise WrongProtocol(f"it took up what nobody had offered, {name}: {self.headers[name]}")

    @property
    def headers(self) -> Mapping[str, str]:
        """Headers of the answer to the handshake."""
        return self._transport.response.headers

    async def read(self, take: Take, now: Now) -> None:
        """Hand over every message until the connection is lost."""
        if self._early:
            take(self._early, now())
        if self._fault is None:
            self._hear(self._reading(take, now))
        try:
            await self._transport.wait_disconnected()
        except Exception as problem:  # noqa: BLE001  # the library's own account of what it could not read
            raise self._fault or ConnectionLost(f"{type(problem).__name__}: {problem}") from None
        raise self._fault or self._how_it_ended()

    async def send(self, data: bytes) -> None:
        """Send one text message."""
        await self._writable.wait()
        self._transport.send(_TEXT, data)

    async def close(self) -> None:
        """Say goodbye and wait a moment for the answer."""
        self._transport.send_close(WSCloseCode.OK)
        with contextlib.suppress(Exception):
            async with asyncio.timeout(CLOSE_TIMEOUT):
                await self._transport.wait_disconnected()

    def abort(self) -> None:
        """Drop the connection now."""
        self._transport.disconnect(graceful=False)

    async def _ping(self) -> None:
        """Ask at intervals whether the other end is still there, and drop the connection when it is not."""
        while True:
            await asyncio.sleep(PING_INTERVAL)
            self._answered.clear()
            self._transport.send_ping()
            try:
                async with asyncio.timeout(PING_TIMEOUT):
                    await self._answered.wait()
            except TimeoutError:
                self._give_up(ConnectionLost(f"no answer to a ping within {PING_TIMEOUT:g} s"))
                return

    def _how_it_ended(self) -> ConnectionLost:
        handshake = self._transport.close_handshake
        if handshake is None or handshake.recv is None:
            return ConnectionLost("it broke off without a close frame")
        return closed_by_peer(cast("int", handshake.recv.code), handshake.recv.reason or "")


def _reserved(frame: WSFrame) -> bool:
    """Tell whether a bit is set that no extension, since none is offered, gives a meaning to."""
    return frame.rsv1 or frame.rsv2 or frame.rsv3


def _nowhere(_: WSTransport, __: WSFrame) -> None:
    """Take what came after the end."""
