"""Where the exchange is: by name, or by an address that is looked at before anything is dialed.

The hosts are those of Kalshi's "Quick start: WebSockets" page; the path is also what a handshake signs.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final, NoReturn
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

from kalshi_nb._redaction import Secret, could_be_key, masked, shown
from kalshi_nb.errors import UnknownEnvironmentError

__all__ = [
    "ENVIRONMENTS",
    "PATH",
    "SIMULATED",
    "Place",
    "is_here",
    "named",
    "origin_of",
    "path_of",
    "place_of",
    "rest_of",
]

PATH: Final = "/trade-api/ws/v2"
SIMULATED: Final = "sim"
ENVIRONMENTS: Final[dict[str, str]] = {
    "prod": "wss://external-api-ws.kalshi.com" + PATH,
    "demo": "wss://external-api-ws.demo.kalshi.co" + PATH,
}
_REST_PATH: Final = "/trade-api/v2"
_REST: Final = {
    ENVIRONMENTS["prod"]: "https://external-api.kalshi.com" + _REST_PATH,
    ENVIRONMENTS["demo"]: "https://external-api.demo.kalshi.co" + _REST_PATH,
}
"""REST has hosts of its own; at any other address it is beside the WebSocket, as on Kalshi's shared hosts."""
_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")
_ALSO_CALLED: Final = {
    "production": "prod",
    "live": "prod",
    "real": "prod",
    "main": "prod",
    "kalshi": "prod",
    "sandbox": "demo",
    "test": "demo",
    "testing": "demo",
    "staging": "demo",
    "paper": "demo",
    "dev": "demo",
    "development": "demo",
    "simulated": "sim",
    "simulation": "sim",
    "simulator": "sim",
    "fake": "sim",
    "mock": "sim",
    "local": "sim",
}
_WAYS: Final = (
    "Use 'sim' (a simulated exchange: no key, no network), 'demo', 'prod', or a WebSocket address such as "
    "'wss://host/trade-api/ws/v2'."
)
_LONGEST: Final = 2_000
_LONGEST_NAME: Final = 253
_LABEL: Final = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)", re.IGNORECASE)
_LIKE_A_HOST: Final = re.compile(r"[\w.-]+\.[a-z]{2,}(?::\d+)?(?:/.*)?|localhost(?::\d+)?(?:/.*)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Place:
    """Where to connect.

    Attributes
    ----------
    url : str
        The address without the user name and the password that may have stood in it, so that nothing that shows or
        writes down the address can show these.
    login : Secret or None
        Holds ``user:password``.
    """

    url: str
    login: Secret | None = None


def origin_of(url: str) -> str:
    """Return in a word what an address says of the data that comes from there; nothing where it is the real thing."""
    host = urlsplit(url).hostname or ""
    if host == urlsplit(ENVIRONMENTS["demo"]).hostname:
        return "demo"
    return "local" if host in _LOOPBACK else ""


def named(where: str) -> str:
    """Return an environment's name as it is written here, where it is one but for case, blanks or quotes."""
    bare = where.strip()
    name = bare.strip("\"'").lower()
    return name if name in (SIMULATED, *ENVIRONMENTS) else bare


def place_of(where: str | Secret, origin: str = "") -> Place:
    """Return the place that is meant by an environment's name or a WebSocket address.

    Parameters
    ----------
    where : str or Secret
        A name or an address, or what holds it.
    origin : str
        Where that was said, such as ``"KALSHI_ENV"``; empty where it was passed.

    Raises
    ------
    UnknownEnvironmentError
        When `where` is neither a known name nor a ``wss://`` address (``ws://`` only on this computer:
        over a network it would show every signature to anyone on the way), or no address that can be dialed.
    """
    held = where if isinstance(where, Secret) else Secret(where)
    del where  # from here on, no traceback can show a password in it
    place, problem = _looked_at(held, origin)
    if place is None:
        raise UnknownEnvironmentError(problem)
    return place


def path_of(url: str) -> str:
    """Return the part of `url` that a handshake signs: the path, without host and query."""
    return urlsplit(url).path or "/"


def rest_of(url: str) -> str:
    """Return where REST is, of an exchange whose WebSocket has this address.

    >>> rest_of(ENVIRONMENTS["demo"]), rest_of("ws://127.0.0.1:8765/trade-api/ws/v2")
    ('https://external-api.demo.kalshi.co/trade-api/v2', 'http://127.0.0.1:8765/trade-api/v2')
    """
    if url in _REST:
        return _REST[url]
    parts = urlsplit(url)
    before = parts.path.removesuffix(PATH).rstrip("/")
    return urlunsplit(({"ws": "http"}.get(parts.scheme, "https"), parts.netloc, before + _REST_PATH, "", ""))


def is_here(url: str) -> bool:
    """Tell whether an address is on this computer."""
    return urlsplit(url).hostname in _LOOPBACK


class _NoPlace(Exception):  # noqa: N818  # never leaves this module: its traceback would show what was said
    """What was said is no place, for the reason in the message."""


def _looked_at(held: Secret, origin: str) -> tuple[Place | None, str]:
    """Return the place, or None and what is wrong; never raises with a password at hand."""
    try:
        return _place(named(held.reveal()), origin), ""
    except _NoPlace as problem:
        return None, str(problem)


def _place(where: str, origin: str) -> Place:
    if where in ENVIRONMENTS:
        return Place(ENVIRONMENTS[where])
    said = _said(where, origin)
    if could_be_key(masked(where)):
        # An address is shown in many places later on: what could be a key in it must not get that far.
        raise _NoPlace(f"There is no environment {said}. {_WAYS}")
    parts = _parts(where, said)
    if parts.scheme not in ("ws", "wss"):
        _refuse_name(where, parts, said)
    _check_host(parts, said)
    login = _login(parts, said)
    if parts.scheme == "ws" and parts.hostname not in _LOOPBACK:
        raise _NoPlace(
            f"{said} is not encrypted, and would show your signatures to the network; use wss://, "
            "or ws:// only for an exchange on this computer (127.0.0.1)."
        )
    # The scheme comes back in lower case; otherwise the address stays letter for letter what was passed.
    return Place(urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2])), login)


def _said(where: str, origin: str) -> str:
    """Return how an error names what was said: never a password in it, and where it comes from."""
    return f"{shown(masked(where))}{f' (from {origin})' if origin else ''}"


def _not_an_address(said: str, reason: str) -> NoReturn:
    raise _NoPlace(f"{said} is not an address: {reason}. A WebSocket address looks like 'wss://host/trade-api/ws/v2'.")


def _parts(where: str, said: str) -> SplitResult:
    # Looked at first, since the standard library takes some of these out without a word.
    if len(where) > _LONGEST:
        _not_an_address(said, f"it has more than {_LONGEST:,} characters")
    if ":" in where and (" " in where or not where.isprintable()):
        _not_an_address(said, "there are blanks, line breaks or control characters in it")
    try:
        return urlsplit(where)
    except ValueError:  # such as a bracket that never closes
        _not_an_address(said, "its host cannot be read; only an address of IPv6 stands in brackets, ws://[::1]:8765/")


def _refuse_name(where: str, parts: SplitResult, said: str) -> NoReturn:
    """Say what else there is than a name that is none."""
    meant = _ALSO_CALLED.get(where.lower()) or next(
        iter(get_close_matches(where.lower(), (SIMULATED, *ENVIRONMENTS), n=1)), None
    )
    hint = ""
    if meant is not None:
        hint = f" Did you mean {meant!r}?"
    elif parts.scheme in ("http", "https") and parts.netloc:
        hint = " A feed's address begins with wss://, and with ws:// on this computer only."
    elif _LIKE_A_HOST.fullmatch(where):
        hint = f" Did you mean {'wss://' + where!r}?"
    raise _NoPlace(f"There is no environment {said}.{hint} {_WAYS}")


def _check_host(parts: SplitResult, said: str) -> None:
    behind = parts.netloc.rpartition("@")[2]
    if "[" not in behind and behind.count(":") > 1:
        _not_an_address(said, "an address of IPv6 stands in brackets, ws://[::1]:8765/")
    host = parts.hostname
    if not host:
        _not_an_address(said, "it names no host")
    if parts.fragment:
        _not_an_address(said, "a WebSocket's address has no part behind a #")
    if not (parts.path + parts.query).isascii():
        _not_an_address(said, "its path has letters that must be percent-encoded")
    try:
        port = parts.port
    except ValueError:
        port = 0
    if port == 0 or behind.endswith(":"):
        _not_an_address(said, "its port, behind the colon, must be a number from 1 to 65535")
    try:
        ipaddress.ip_address(host)
    except ValueError:
        _check_name(host, said, bracketed="[" in parts.netloc)


def _check_name(host: str, said: str, *, bracketed: bool) -> None:
    if bracketed:
        _not_an_address(said, "an address of IPv6 stands in brackets, and nothing else does, ws://[::1]:8765/")
    try:
        name = host.removesuffix(".") if host.isascii() else host.encode("idna").decode().removesuffix(".")
    except UnicodeError:
        _not_an_address(said, "its host's name cannot be one")
    if len(name) > _LONGEST_NAME or not all(_LABEL.fullmatch(label) for label in name.split(".")):
        _not_an_address(said, "a host's name has parts of 1 to 63 letters, digits and hyphens, with dots between them")


def _login(parts: SplitResult, said: str) -> Secret | None:
    user, mark, _ = parts.netloc.rpartition("@")
    if not mark:
        return None
    name, colon, _ = user.partition(":")
    if "@" in user or not name or not colon:
        _not_an_address(said, "before the @ stand a user's name, a colon and a password, percent-encoded")
    login = Secret(unquote(user))
    if login.reveal().isprintable():
        return login
    _not_an_address(said, "its user's name or password has characters that cannot be sent")
