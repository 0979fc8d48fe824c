"""The seam between the engine and the library that speaks WebSocket for it.

Two libraries can: ``websockets``, always there, and ``picows``, the optional faster one. Whatever opens a
connection gives back a :class:`Connection` or raises one of the errors below, so that nothing above knows
which of the two is at work.

Neither library logs anything: at the level DEBUG both write every header of a handshake, the signature among them, and
a handler is code of the user's, which has no place on the thread of the data. What there is to say is raised, and
said by the logger ``kalshi_nb``.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from ssl import SSLContext
from typing import Any, Final, Literal, Protocol, get_args
from urllib.parse import urlsplit

from kalshi_nb._redaction import shown
from kalshi_nb._rows.foreign import plain_text
from kalshi_nb.errors import ConfigurationError, MissingPackageError

__all__ = [
    "CLOSE_TIMEOUT",
    "LARGEST_MESSAGE",
    "LOOPBACK",
    "MOST_UNSENT",
    "PING_INTERVAL",
    "PING_TIMEOUT",
    "SILENT",
    "TRANSPORTS",
    "Connection",
    "ConnectionLost",
    "Now",
    "ProxyFailed",
    "Refused",
    "Route",
    "Take",
    "TransportName",
    "WrongProtocol",
    "checked",
    "closed_by_peer",
    "hang_up",
    "is_loopback",
    "not_read",
    "plain_address",
]

TransportName = Literal["websockets", "picows"]
TRANSPORTS: Final[tuple[TransportName, ...]] = get_args(TransportName)

LARGEST_MESSAGE: Final = 64 * 2**20
"""Bytes one message may have: an ``ok`` carries every ticker of its subscription."""

PING_INTERVAL: Final = 10.0
"""Seconds between an answered ping and the next."""

PING_TIMEOUT: Final = 15.0
"""Seconds the other end has to answer one."""

CLOSE_TIMEOUT: Final = 0.5
"""Seconds the other end has to answer a close frame."""

MOST_UNSENT: Final = 2**20
"""Bytes of answers to pings, and of commands, that may wait for the other end to read.

Commands wait before they are as many as that; so past it there is somebody who asks without end and never listens."""

SILENT: Final = logging.Logger("kalshi_nb.transport", logging.CRITICAL + 1)  # noqa: LOG001  # as said below
"""The logger of both libraries: it belongs to no tree, and says nothing whatever the levels are."""

_HANG_UP: Final = 1.0
_LONGEST: Final = 500
_LIMIT: Final = re.compile(
    r"\b(limit|too many|exceed|another|other (session|connection)|duplicate|replaced|supersede)", re.IGNORECASE
)
_LIMIT_STEP: Final = (
    "Kalshi counts the connections of a user, those of all kernels and programs (200, unless the usage tier says "
    "otherwise); close what you no longer need"
)
LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")

Take = Callable[[Sequence[bytes], int], None]
"""Takes what one read of the socket brought, or a part of it, as whole messages in their order (bytes or bytearrays),
and the microsecond of that read."""

Now = Callable[[], int]
"""Returns the microsecond it is."""


class ConnectionLost(Exception):  # noqa: N818  # an event of the seam; no user ever sees it
    """An open connection ended, for the reason in the message; what the other end said in it is made plain."""

    def __init__(self, text: str) -> None:
        super().__init__(plain_text(text, _LONGEST))


class Refused(Exception):  # noqa: N818  # as above; dialling says it in words that help
    """The other end answered the handshake, with something else than a WebSocket.

    Attributes
    ----------
    status : int
        The HTTP status.
    headers : mapping of str to str
        Found whatever the case of their names.
    body : bytes
        What stood below the headers.
    """

    def __init__(self, status: int, headers: Any, body: bytes) -> None:
        super().__init__(f"HTTP {status}")
        self.status = status
        self.headers: Mapping[str, str] = headers
        self.body = body


class WrongProtocol(Exception):  # noqa: N818  # as above
    """What the other end said is no answer to a handshake."""

    def __init__(self, text: str) -> None:
        super().__init__(plain_text(text, _LONGEST))


class ProxyFailed(Exception):  # noqa: N818  # as above
    """The proxy on the way made no way to the other end.

    Attributes
    ----------
    status : int or None
        The HTTP status that it answered with, where it did.
    """

    def __init__(self, text: str, status: int | None = None) -> None:
        super().__init__(plain_text(text, _LONGEST))
        self.status = status


@dataclass(frozen=True, slots=True)
class Route:
    """By what means an address is reached.

    Attributes
    ----------
    transport : str
        The library that speaks WebSocket: ``websockets`` or ``picows``.
    ssl : ssl.SSLContext or None
        Whom to trust behind ``wss://``; None for those whom this computer trusts, and ``SSL_CERT_FILE``.
    proxy : str, bool or None
        The address of a proxy, which may hold a password and is never shown; False for none; None or True for what
        the environment says, where the other end is not on this computer.
    """

    transport: TransportName = "websockets"
    ssl: SSLContext | None = field(default=None, repr=False)
    proxy: str | bool | None = field(default=None, repr=False)

    def proxy_to(self, url: str) -> str | None:
        """Return the address of the proxy by which `url` is reached, None for none.

        Raises
        ------
        WrongProtocol
            When `url` is no address of a WebSocket.
        """
        if isinstance(self.proxy, str):
            return self.proxy
        if self.proxy is False or is_loopback(url):
            return None
        from websockets.exceptions import InvalidURI  # noqa: PLC0415  # loads when there is something to dial
        from websockets.proxy import get_proxy  # noqa: PLC0415  # as above
        from websockets.uri import parse_uri  # noqa: PLC0415  # as above

        try:
            return get_proxy(parse_uri(url))
        except InvalidURI as broken:
            raise WrongProtocol(str(broken)) from None

    def trusting(self, url: str) -> SSLContext | None:
        """Return whom to trust at `url`; None where it is not encrypted, too."""
        return self.ssl if urlsplit(url).scheme == "wss" else None


class Connection(Protocol):
    """One open connection."""

    @property
    def headers(self) -> Mapping[str, str]:
        """Headers of the answer to the handshake, found whatever the case of their names."""
        ...

    @property
    def local_port(self) -> int | None:
        """The port on this side, None where it is not known any more."""
        ...

    async def read(self, take: Take, now: Now) -> None:
        """Hand over every message, whole and in order, until the connection is lost.

        Messages come straight from the library's own callback, many between two turns of the event loop, and
        those of one read of the socket come together, under one stamp of time: that is when their bytes came. Who
        takes them must not keep the sequence, which is used again.

        Raises
        ------
        ConnectionLost
            When either end closed, or the link broke.
        Exception
            Whatever `take` or `now` raised; nothing is handed over after that.
        """
        ...

    async def send(self, data: bytes) -> None:
        """Send one text message; waits while the other end reads nothing."""
        ...

    async def close(self) -> None:
        """Say goodbye and wait a moment for the answer."""
        ...

    def abort(self) -> None:
        """Drop the connection now."""
        ...


def checked(transport: str) -> TransportName:
    """Return the name of a transport that can be used.

    Raises
    ------
    ConfigurationError
        When there is no such transport.
    MissingPackageError
        When its package is not installed.
    """
    if transport not in TRANSPORTS:
        raise ConfigurationError(
            f"transport is {shown(transport)}; pass one of {', '.join(map(repr, TRANSPORTS))}: 'websockets' is always "
            "there, 'picows' is faster."
        )
    if transport == "picows" and find_spec("picows") is None:
        raise MissingPackageError(
            "transport='picows' needs the package picows: pip install 'kalshi-nb[speed]', or leave transport out."
        )
    return transport


def closed_by_peer(code: int | None, reason: str) -> ConnectionLost:
    """Return the end of a connection that the other end closed by a close frame.

    What the exchange does when a user has too many connections is written nowhere. Where its words sound like it, they
    are followed by what is known, and what helps.
    """
    said = f" ({plain_text(reason)})" if reason else ""
    step = f". {_LIMIT_STEP}" if _LIMIT.search(reason) else ""
    return ConnectionLost(f"the exchange closed it {f'with code {code:d}' if code else 'without a code'}{said}{step}")


def not_read() -> ConnectionLost:
    """Return the end of a connection whose other end reads nothing, and asks for ever more answers."""
    return ConnectionLost(f"the other end reads nothing, and more than {MOST_UNSENT:,} bytes wait for it")


def plain_address(url: str) -> str:
    """Return an address as it may be shown: less the name and password that may stand in it, and made plain."""
    scheme, mark, rest = url.partition("://")
    place, slash, path = rest.partition("/")
    return plain_text(f"{scheme}{mark}{place.rpartition('@')[2]}{slash}{path.partition('?')[0]}")


def is_loopback(url: str) -> bool:
    """Tell whether `url` is on this computer."""
    return urlsplit(url).hostname in LOOPBACK


async def hang_up(connection: Connection) -> None:
    """Close politely, but not for longer than a server that reads nothing any more deserves."""
    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_HANG_UP):
                await connection.close()
    finally:
        # Where the task itself is being cancelled, Python before 3.11.5 lets a time-out come out as that.
        connection.abort()
