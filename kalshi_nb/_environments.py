"""Where the exchange is, by name.

The hosts are those of Kalshi's "Quick start: WebSockets" page; the path is also what a handshake signs.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from kalshi_nb.errors import UnknownEnvironmentError

__all__ = ["ENVIRONMENTS", "PATH", "SIMULATED", "path_of", "url_of"]

PATH: Final = "/trade-api/ws/v2"
SIMULATED: Final = "sim"
ENVIRONMENTS: Final[dict[str, str]] = {
    "prod": "wss://external-api-ws.kalshi.com" + PATH,
    "demo": "wss://external-api-ws.demo.kalshi.co" + PATH,
}
_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")


def url_of(where: str) -> str:
    """Return the WebSocket address of an environment's name, or `where` itself when it is one.

    Raises
    ------
    UnknownEnvironmentError
        When `where` is neither a known name nor a ``wss://`` address (``ws://`` only on this computer:
        over a network it would show every signature to anyone on the way).
    """
    if where in ENVIRONMENTS:
        return ENVIRONMENTS[where]
    try:
        parts = urlsplit(where)
    except ValueError as broken:  # such as a bracket that never closes
        raise UnknownEnvironmentError(f"{where!r} is not an address: {broken}.") from None
    if parts.scheme == "wss" and parts.hostname:
        return where
    if parts.scheme == "ws" and parts.hostname in _LOOPBACK:
        return where
    if parts.scheme == "ws" and parts.hostname:
        raise UnknownEnvironmentError(
            f"{where!r} is not encrypted, and would show your signatures to the network; use wss://, "
            "or ws:// only for an exchange on this computer (127.0.0.1)."
        )
    raise UnknownEnvironmentError(
        f"There is no environment {where!r}. Use 'sim' (a simulated exchange: no key, no network), "
        "'demo', 'prod', or a WebSocket address such as 'wss://host/trade-api/ws/v2'."
    )


def path_of(url: str) -> str:
    """Return the part of `url` that a handshake signs: the path, without host and query."""
    return urlsplit(url).path or "/"
