"""One handshake: signed now, and whatever goes wrong with it one of the errors that users know."""

from __future__ import annotations

import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from kalshi_nb._auth import Credentials
from kalshi_nb._engine.handshake_failures import failure
from kalshi_nb._engine.transport import Connection, Refused, Route
from kalshi_nb._environments import path_of
from kalshi_nb._offload import off_loop
from kalshi_nb._sealed import sealed, without
from kalshi_nb.errors import KalshiError

__all__ = ["clock_skew", "dial"]


async def dial(
    url: str,
    credentials: Credentials,
    *,
    timeout: float,  # noqa: ASYNC109  # the libraries' own, which close what they opened
    route: Route,
) -> Connection:
    """Return an open connection to `url`, its handshake signed at this moment.

    Raises
    ------
    CredentialsError
        When the credentials cannot be read.
    AuthenticationError, HandshakeError
        When the exchange refused the handshake, or answered with something else.
    UnreachableError
        When nobody answered within `timeout` seconds, or no way leads there.
    """
    # Elsewhere: its file may lie on a disk that hangs, and all connections of a feed share this loop.
    signer = await off_loop(credentials.signer, "kalshi-key")
    headers = sealed(signer.headers(path_of(url)))
    found = await _attempt(url, headers, timeout, route)
    if isinstance(found, KalshiError):
        # Here and not where it was caught: so it carries no frame of the libraries, which hold what was sent, with it.
        raise found
    return found


async def _attempt(url: str, headers: Mapping[str, str], seconds: float, route: Route) -> Connection | KalshiError:
    try:
        return await _open(url, headers, seconds, route)
    except Refused as refusal:
        refusal.body = without(refusal.body, headers)
        return failure(refusal, url, route, seconds)
    except Exception as problem:  # noqa: BLE001  # the other end may write what it likes, and the libraries fail at it
        return failure(problem, url, route, seconds)


async def _open(url: str, headers: Mapping[str, str], seconds: float, route: Route) -> Connection:
    # Each is loaded when it is used: one is optional, and whoever has it may never need the other.
    if route.transport == "picows":
        from kalshi_nb._engine import over_picows  # noqa: PLC0415  # as said above

        return await over_picows.open_connection(url, headers, route=route, timeout=seconds)
    from kalshi_nb._engine import over_websockets  # noqa: PLC0415  # as said above

    return await over_websockets.open_connection(url, headers, route=route, timeout=seconds)


def clock_skew(connection: Connection) -> float | None:
    """Return by how many seconds this computer's clock is ahead of the server's, None where it did not say."""
    try:
        stamp = connection.headers.get("Date")
        return time.time() - parsedate_to_datetime(stamp).timestamp() if stamp else None
    except Exception:  # noqa: BLE001  # two such headers, a day of twenty digits: the other end may write what it likes
        return None
