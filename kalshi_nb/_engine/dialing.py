"""One handshake: signed now, and its refusal said in words that help."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from kalshi_nb._auth import Credentials
from kalshi_nb._engine.transport import Connection, ProxyFailed, Refused, Route, WrongProtocol, is_loopback
from kalshi_nb._environments import path_of
from kalshi_nb._offload import off_loop
from kalshi_nb.errors import (
    AuthenticationError,
    ClockSkewError,
    HandshakeError,
    LinkError,
    UnreachableError,
)

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
        When the exchange refused the handshake.
    UnreachableError
        When nobody answered within `timeout` seconds.
    """
    # Elsewhere: its file may lie on a disk that hangs, and all connections of a feed share this loop.
    signer = await off_loop(credentials.signer, "kalshi-key")
    headers = signer.headers(path_of(url))
    try:
        return await _open(route, url, headers, timeout)
    except Refused as refusal:
        raise _refused(refusal, url) from None
    except ProxyFailed as failure:
        raise UnreachableError(f"{failure}. Check the proxy settings, HTTPS_PROXY and its like.") from None
    except WrongProtocol as broken:
        raise HandshakeError(
            f"{url} answered, but not as a WebSocket server: {broken}. Check the address.", status=0
        ) from None
    except TimeoutError:
        raise UnreachableError(
            f"{url} did not answer within {timeout:g} s. Check the network, and whether the exchange is up."
        ) from None
    except OSError as failure:
        raise _unreachable(failure, url) from None


async def _open(route: Route, url: str, headers: Mapping[str, str], seconds: float) -> Connection:
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


def _unreachable(failure: OSError, url: str) -> LinkError:
    host = urlsplit(url).netloc
    reason = failure.strerror or str(failure) or type(failure).__name__
    if is_loopback(url):
        step = "Start the exchange there first, or use connect('sim'), which brings its own."
    else:
        step = "Check the network, the name of the host, and proxy settings."
    return UnreachableError(f"Nobody answers at {host}: {reason}. {step}")


def _refused(refusal: Refused, url: str) -> HandshakeError:
    status = refusal.status
    body = refusal.body[:2000].decode("utf-8", "replace").strip()
    detail = _detail(body)
    if status in (401, 403):
        kind, message = _unauthorised(status, detail, url)
        return kind(message, status=status, body=body)
    retry_after = _seconds(refusal.headers.get("Retry-After"))
    if status == 429:
        step = "Too many connections or attempts; wait a little, and close feeds you no longer need."
    elif status >= 500:
        step = "The exchange is down or in maintenance (Thursdays 03:00 to 05:00 New York time); try again later."
    else:
        step = "Check the address."
    said = f" ({detail})" if detail else ""
    return HandshakeError(
        f"{urlsplit(url).netloc} refused the connection with HTTP {status}{said}. {step}",
        status=status,
        body=body,
        retry_after=retry_after,
    )


def _unauthorised(status: int, detail: str, url: str) -> tuple[type[AuthenticationError], str]:
    host = urlsplit(url).netloc
    if "timestamp" in detail:
        return ClockSkewError, (
            f"{host} refused the signature: its timestamp expired. This computer's clock is off; switch on "
            "automatic time (NTP), then connect again."
        )
    if "NOT_FOUND" in detail:
        step = (
            "There is no such key id there. Demo and production have separate keys: check that key id and "
            "environment belong together."
        )
    elif "SIGNATURE" in detail.upper():
        step = (
            "The private key does not belong to this key id. Check that both come from the same API key, and "
            "from the same environment (demo or production)."
        )
    else:
        step = "Check key id, private key and environment."
    said = f" ({detail})" if detail else ""
    return AuthenticationError, f"{host} refused the credentials with HTTP {status}{said}. {step}"


def _detail(body: str) -> str:
    """Return the telling part of an error body, which comes in several shapes."""
    try:
        parsed = json.loads(body)
    except ValueError:
        return body[:100]
    error = parsed.get("error", parsed) if isinstance(parsed, dict) else parsed
    if isinstance(error, dict):
        for name in ("details", "code", "message", "msg"):
            if error.get(name):
                return str(error[name])[:100]
    return str(error)[:100]


def _seconds(text: str | None) -> float | None:
    """Return a Retry-After in seconds; its other form, a date, is rare enough to be ignored."""
    try:
        return max(0.0, min(float(text), 3600.0)) if text else None
    except ValueError:
        return None
