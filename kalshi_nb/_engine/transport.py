"""The seam between the engine and the library that speaks WebSocket for it.

Two libraries can: ``websockets``, always there, and ``picows``, the optional faster one. Whatever opens a
connection gives back a :class:`Connection` or raises one of the errors below, so that nothing above knows
which of the two is at work.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from typing import Any, Final, Literal, Protocol, get_args
from urllib.parse import urlsplit

from kalshi_nb.errors import ConfigurationError, MissingPackageError

__all__ = [
    "CLOSE_TIMEOUT",
    "LARGEST_MESSAGE",
    "LOOPBACK",
    "PING_INTERVAL",
    "PING_TIMEOUT",
    "TRANSPORTS",
    "Connection",
    "ConnectionLost",
    "Now",
    "Refused",
    "Take",
    "TransportName",
    "WrongProtocol",
    "checked",
    "hang_up",
    "is_loopback",
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

_HANG_UP: Final = 1.0
LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")

Take = Callable[[Sequence[bytes], int], None]
"""Takes what one read of the socket brought, or a part of it, as whole messages in their order (bytes or bytearrays),
and the microsecond of that read."""

Now = Callable[[], int]
"""Returns the microsecond it is."""


class ConnectionLost(Exception):  # noqa: N818  # an event of the seam; no user ever sees it
    """An open connection ended, for the reason in the message."""


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
            f"transport is {transport!r}; pass one of {', '.join(map(repr, TRANSPORTS))}: 'websockets' is always "
            "there, 'picows' is faster."
        )
    if transport == "picows" and find_spec("picows") is None:
        raise MissingPackageError(
            "transport='picows' needs the package picows: pip install 'kalshi-nb[speed]', or leave transport out."
        )
    return transport


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
