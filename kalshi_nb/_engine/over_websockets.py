"""Connections by ``websockets``, the transport that is always there.

``recv()`` costs a future, a coroutine and, for a message a packet, one more turn of the event loop with its
system call. So whole messages are taken where the library has finished with them, in ``process_event``, which
a connection class of one's own (``create_connection=``) may extend, and those of one read are handed over
together at its end; frames that are pieces of a message, and messages that came before anybody read, take the
library's usual way. Should a later version not call that method any more, every message would come by
``recv()``, slower but right.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import (
    ConnectionClosed,
    InvalidHandshake,
    InvalidProxy,
    InvalidProxyStatus,
    InvalidStatus,
    InvalidURI,
    ProxyError,
)
from websockets.frames import CloseCode, Frame, Opcode

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
    not_read,
)

__all__ = ["WebSocketsConnection", "open_connection"]

_TEXT: Final = Opcode.TEXT
_BINARY: Final = Opcode.BINARY
_DATA: Final = frozenset({Opcode.TEXT, Opcode.BINARY, Opcode.CONT})

# Frames that may wait for recv(). Hardly any do, so the number makes no measurable difference; it bounds the
# memory of messages in pieces.
_MOST_FRAMES: Final = 1024


async def open_connection(
    url: str,
    headers: Mapping[str, str],
    *,
    route: Route,
    timeout: float,  # noqa: ASYNC109  # the library's own, which closes what it opened
) -> WebSocketsConnection:
    """Return an open connection to `url`, its handshake carrying `headers`.

    Raises
    ------
    Refused, WrongProtocol, ProxyFailed
        As their names say.
    OSError, TimeoutError
        When nobody answers, or not within `timeout` seconds.
    """
    trusting = route.trusting(url)
    options: dict[str, Any] = {} if trusting is None else {"ssl": trusting}
    try:
        connection = await _Connect(
            url,
            additional_headers=headers,
            create_connection=_Straight,
            # Inflating costs 1.2 µs a message, a fifth more than this transport takes without; it saves time on
            # slow lines only.
            compression=None,
            proxy=route.proxy_to(url),
            open_timeout=timeout,
            ping_interval=PING_INTERVAL,
            ping_timeout=PING_TIMEOUT,
            close_timeout=CLOSE_TIMEOUT,
            max_size=LARGEST_MESSAGE,
            max_queue=_MOST_FRAMES,
            logger=SILENT,
            **options,
        )
    except InvalidStatus as refusal:
        response = refusal.response
        raise Refused(response.status_code, response.headers, bytes(response.body or b"")) from None
    except InvalidProxyStatus as refusal:
        raise ProxyFailed(str(refusal), refusal.response.status_code) from None
    except InvalidProxy as broken:
        raise ProxyFailed(broken.msg) from None  # its own text shows the whole address, a password included
    except ProxyError as broken:
        raise ProxyFailed(str(broken)) from None
    except (InvalidHandshake, InvalidURI) as broken:
        raise WrongProtocol(str(broken)) from None
    assert isinstance(connection, _Straight)
    return WebSocketsConnection(connection)


class _Connect(connect):
    """The library's own dialling, less redirects: they would carry a valid signature to somebody else."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        """Follow none."""
        return exc


class _Reader(NamedTuple):
    """What messages are handed to; see :class:`kalshi_nb._engine.transport.Connection`."""

    take: Take
    now: Now


class _Straight(ClientConnection):
    """A connection that hands whole messages over at once.

    Attributes
    ----------
    reader : Reader or None
        Where messages go; None before anybody reads, and after a fault.
    came : list of bytes
        The messages of the read that is being taken in.
    waiting : int
        Messages on the library's usual way; while there are any, the next ones have to stand behind them.
    fault : Exception or None
        What the reader raised.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.reader: _Reader | None = None
        self.came: list[bytes] = []
        self.waiting = 0
        self.fault: Exception | None = None

    def data_received(self, data: bytes) -> None:
        """Take in what one read of the socket brought, all of it under one stamp of time."""
        reader = self.reader
        if reader is None:
            super().data_received(data)
            return
        try:
            at = reader.now()
            super().data_received(data)
            if self.came:
                reader.take(self.came, at)
        except Exception as fault:  # noqa: BLE001  # raised where the connection is read; here, asyncio would log it
            self.give_up(fault)
        finally:
            self.came.clear()

    def process_event(self, event: Any) -> None:
        """Take up what came: the answer to the handshake, or one frame."""
        if (
            self.reader is not None
            and not self.waiting
            and event.fin
            and (event.opcode is _TEXT or event.opcode is _BINARY)  # in a set, Python would compute their hashes
        ):
            self.came.append(event.data)
        elif self.fault is None:
            if type(event) is Frame:
                if event.fin and event.opcode in _DATA:
                    self.waiting += 1
                elif event.opcode is Opcode.PING and self.transport.get_write_buffer_size() > MOST_UNSENT:
                    self.give_up(not_read())  # the library has answered it already, and keeps what is not taken
                    return
                elif event.opcode is Opcode.CLOSE:  # by itself, the library would wait for the next ping to be due
                    self.loop.call_later(CLOSE_TIMEOUT, self.transport.abort)
            super().process_event(event)

    def give_up(self, fault: Exception) -> None:
        """Take nothing any more."""
        self.reader, self.fault = None, self.fault or fault
        self.transport.abort()


class WebSocketsConnection:
    """An open connection; see :class:`kalshi_nb._engine.transport.Connection`.

    Parameters
    ----------
    connection : ClientConnection
        The library's own.
    """

    def __init__(self, connection: _Straight) -> None:
        self._connection = connection

    @property
    def headers(self) -> Mapping[str, str]:
        """Headers of the answer to the handshake."""
        response = self._connection.response
        assert response is not None
        return response.headers

    @property
    def local_port(self) -> int | None:
        """The port on this side, None where it is not known any more."""
        address = self._connection.local_address
        return int(address[1]) if address else None

    async def read(self, take: Take, now: Now) -> None:
        """Hand over every message until the connection is lost."""
        connection = self._connection
        connection.reader = _Reader(take, now)
        try:
            while True:
                data = await connection.recv(decode=False)
                connection.waiting -= 1
                take([data], now())
        except ConnectionClosed as closed:
            raise connection.fault or _how_it_ended(closed) from None

    async def send(self, data: bytes) -> None:
        """Send one text message."""
        try:
            await self._connection.send(data, text=True)
        except ConnectionClosed as closed:
            raise _how_it_ended(closed) from None

    async def close(self) -> None:
        """Say goodbye and wait a moment for the answer."""
        await self._connection.close()

    def abort(self) -> None:
        """Drop the connection now."""
        self._connection.transport.abort()


def _how_it_ended(closed: ConnectionClosed) -> ConnectionLost:
    if closed.rcvd is not None:
        code = None if closed.rcvd.code == CloseCode.NO_STATUS_RCVD else int(closed.rcvd.code)
        return closed_by_peer(code, closed.rcvd.reason)
    if closed.sent is not None and closed.sent.code != CloseCode.NORMAL_CLOSURE:
        return ConnectionLost(f"this end closed it with code {int(closed.sent.code)} ({closed.sent.reason})")
    return ConnectionLost("it broke off without a close frame")
