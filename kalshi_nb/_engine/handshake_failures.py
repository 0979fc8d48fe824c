"""What a handshake that failed is called, and what to do about it: decided here, and nowhere else.

Whoever dials again has to know one thing about a failure: are the credentials refused, or is it an outage like
any other? A status alone does not say it. The exchange refuses keys with 401 and JSON of its own; a 403 with a page,
or with nothing, comes from what stands in front of it (a content network, a firewall, a company's proxy), which says
so to every key for as long as it is in trouble. So :class:`AuthenticationError` is for the first kind alone, and
whatever is of another kind is an outage.

==================================================  ==========================================================
what came                                            what it is
==================================================  ==========================================================
401 in any form but a page                           the credentials are refused
401 whose words name the time stamp                  the clock is off
403 with the exchange's JSON (``error`` or ``code``)  the credentials are refused
401 or 403 with a page; 403 with anything else       an outage: something in front of the exchange
any other status; 101 without an upgrade             an outage
no HTTP, no TLS, nobody, a proxy, a time-out         an outage
==================================================  ==========================================================
"""

from __future__ import annotations

import html
import json
import math
import re
import ssl
import time
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from kalshi_nb._engine.transport import ProxyFailed, Refused, Route, WrongProtocol, is_loopback, plain_address
from kalshi_nb._environments import PATH, path_of
from kalshi_nb._moments import said_at
from kalshi_nb._rows.foreign import plain_text
from kalshi_nb.errors import (
    AuthenticationError,
    ClockSkewError,
    HandshakeError,
    KalshiError,
    MissingPackageError,
    UnreachableError,
)

__all__ = ["LONGEST_WAIT", "failure"]

LONGEST_WAIT: Final = 300.0
"""Seconds that a Retry-After is believed: past that, to ask once more costs nobody anything."""

_LARGEST_BODY: Final = 20_000
_KEPT: Final = 2_000
_DETAIL: Final = 100
_TITLE: Final = re.compile(r"<title[^>]*>(.{0,500}?)</title", re.IGNORECASE | re.DOTALL)

_SELF_SIGNED: Final = (18, 19, 20, 21)
_EXPIRED: Final = 10
_NOT_YET: Final = 9
_OTHER_HOST: Final = (62, 64)
_NO_TLS: Final = frozenset(
    {"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG", "HTTP_REQUEST", "UNKNOWN_PROTOCOL"}
)
_ASKS_WHO: Final = (
    "Put user name and password into its address: HTTPS_PROXY=http://user:password@host:port in the environment, or "
    "connect(…, proxy='http://user:password@host:port')."
)


def failure(problem: Exception, url: str, route: Route, timeout: float) -> KalshiError:
    """Return what `problem`, met while `url` was dialed, is called, with the next step to take.

    Parameters
    ----------
    problem : Exception
        What the transport raised: an error of its seam, of the system, or anything else.
    url : str
        Where the exchange is.
    route : Route
        By what means it was to be reached.
    timeout : float
        Seconds that the handshake had.
    """
    try:
        return _failure(problem, url, route, timeout)
    except Exception as surprise:  # noqa: BLE001  # what the other end wrote is read there
        return _unforeseen(surprise, url)


def _failure(problem: Exception, url: str, route: Route, timeout: float) -> KalshiError:  # noqa: PLR0911  # one a kind
    if isinstance(problem, KalshiError):
        return problem
    if isinstance(problem, Refused):
        return _refused(problem, url)
    if isinstance(problem, ProxyFailed):
        return _by_proxy(problem, url, route)
    if isinstance(problem, WrongProtocol):
        return _no_websocket(problem, url)
    if isinstance(problem, TimeoutError):
        return UnreachableError(
            f"{plain_address(url)} did not answer within {timeout:g} s. Check the network, and whether the exchange "
            "is up."
        )
    if isinstance(problem, ssl.SSLError):
        return _by_tls(problem, url)
    if isinstance(problem, OSError):
        return _unreachable(problem, url, route)
    if isinstance(problem, ImportError):
        return MissingPackageError(
            f"A package is missing that this connection needs: {plain_text(str(problem))}. A SOCKS proxy needs "
            "pip install python-socks."
        )
    if isinstance(problem, ValueError):  # a UnicodeError, too: names are looked up as IDNA
        return UnreachableError(
            f"There can be no host of the name {_host(url)!r}: {plain_text(str(problem))}. Check the address."
        )
    return _unforeseen(problem, url)


def _unforeseen(problem: Exception, url: str) -> HandshakeError:
    return HandshakeError(
        f"{plain_address(url)} could not be connected to: {type(problem).__name__}: {plain_text(str(problem))}. "
        "Nobody thought of that; please report it.",
        status=0,
    )


# The other end answered by HTTP -----------------------------------------------------------------------------


def _refused(refusal: Refused, url: str) -> HandshakeError:
    status, text = refusal.status, refusal.body[:_LARGEST_BODY].decode("utf-8", "replace").strip()
    parsed, body = _parsed(text), plain_text(text[:_KEPT], _KEPT, lines=True)
    detail = _detail(text, parsed)
    if _credentials_refused(status, text, parsed):
        kind, message = _unauthorised(status, detail, url)
        return kind(message, status=status, body=body)
    said = f" ({detail})" if detail else ""
    did = "refused the connection" if status >= 400 else "opened no WebSocket but answered"
    return HandshakeError(
        f"{_host(url)} {did} with HTTP {status}{said}. {_step(refusal, url)}",
        status=status,
        body=body,
        retry_after=_seconds(refusal.headers),
    )


def _credentials_refused(status: int, text: str, parsed: Any) -> bool:
    """Tell whether the exchange itself refuses the credentials; see the head of this module."""
    if status == 401:
        return not _is_page(text)
    if status != 403 or not isinstance(parsed, dict):
        return False
    return isinstance(parsed.get("error"), dict) or isinstance(parsed.get("code"), str)


def _step(refusal: Refused, url: str) -> str:  # noqa: PLR0911  # one a kind
    status = refusal.status
    if status in (401, 403):
        return (
            "That is not how Kalshi refuses a key: something in front of it (a firewall, a company's proxy, a content "
            "network) does not let this connection through. Try again later, or from another network."
        )
    if status == 407:
        return f"A proxy on the way wants to know who you are. {_ASKS_WHO}"
    if status == 429:
        return (
            "Too many connections or attempts; wait a little, and close feeds you no longer need: every kernel that "
            "connects with this key counts."
        )
    if status == 451:
        return "It may not be reached from where you are, for legal reasons."
    if status in (301, 302, 303, 307, 308):
        place = plain_text(_header(refusal.headers, "Location") or "nowhere")
        return f"It points to {place!r}, which is not followed with a signature in hand. Check the address."
    if status >= 500:
        return "The exchange is down or in maintenance (Thursdays 03:00 to 05:00 New York time); try again later."
    if status in (404, 405, 410):
        path = path_of(url)
        known = "" if path == PATH else f", and the path: it is {plain_text(path)!r} here, and {PATH!r} at Kalshi"
        return f"There is no WebSocket at this place. Check the address{known}."
    return "Check the address."


def _unauthorised(status: int, detail: str, url: str) -> tuple[type[AuthenticationError], str]:
    host = _host(url)
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


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):  # no JSON, or nested without end
        return None


def _is_page(text: str) -> bool:
    return text.startswith("<")


def _detail(text: str, parsed: Any) -> str:
    """Return the telling part of an error body, which comes in several shapes; of a page, its title."""
    if _is_page(text):
        title = _TITLE.search(text)
        words = "" if title is None else " ".join(html.unescape(title[1]).split())
        return f"a web page: {plain_text(words, _DETAIL)!r}" if words else "a web page"
    if parsed is None:
        return plain_text(text, _DETAIL)
    error = parsed.get("error", parsed) if isinstance(parsed, dict) else parsed
    if isinstance(error, dict):
        for name in ("details", "code", "message", "msg"):
            if error.get(name):
                return plain_text(str(error[name]), _DETAIL)
    return plain_text(str(error), _DETAIL)


def _header(headers: Mapping[str, str], name: str) -> str | None:
    try:
        found = headers.get(name)
        return found if isinstance(found, str) else None  # one of the libraries has objects where it is not ASCII
    except Exception:  # noqa: BLE001  # there twice, which one of the libraries takes for an error
        return None


def _seconds(headers: Mapping[str, str]) -> float | None:
    """Return how long a Retry-After asks to wait, at most :data:`LONGEST_WAIT`; None where it says nothing.

    It comes in two forms, seconds and a date; the latter is by the clock of the other end, which stands beside it.
    """
    text = _header(headers, "Retry-After")
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        moment = said_at(text)
        if moment is None:
            return None
        seconds = moment - (said_at(_header(headers, "Date")) or time.time())
    return min(seconds, LONGEST_WAIT) if math.isfinite(seconds) and seconds > 0 else None


# It did not --------------------------------------------------------------------------------------------------


def _no_websocket(broken: WrongProtocol, url: str) -> HandshakeError:
    also = " If it speaks TLS, the address begins with wss://." if urlsplit(url).scheme == "ws" else ""
    return HandshakeError(
        f"{plain_address(url)} answered, but not as a WebSocket server: {broken}. Check the address.{also}", status=0
    )


def _by_proxy(failed: ProxyFailed, url: str, route: Route) -> UnreachableError:
    proxy = _proxy(url, route)
    if failed.status == 407:
        return UnreachableError(f"The proxy {proxy} wants to know who you are (HTTP 407). {_ASKS_WHO}")
    if failed.status is not None:
        step = f"Check that it may connect to {_host(url)}, or go without it: connect(…, proxy=False)."
        return UnreachableError(f"The proxy {proxy} made no way to {_host(url)}: HTTP {failed.status}. {step}")
    return UnreachableError(
        f"The proxy {proxy} made no way to {_host(url)}: {failed}. Check its address, in HTTPS_PROXY or "
        "connect(…, proxy=…): http://host:port, https://… or socks5://…; proxy=False goes without."
    )


def _by_tls(problem: ssl.SSLError, url: str) -> KalshiError:
    host, reason = _host(url), plain_text(getattr(problem, "reason", "") or str(problem) or type(problem).__name__)
    if isinstance(problem, ssl.SSLCertVerificationError):
        return UnreachableError(_certificate(problem, host))
    if reason in _NO_TLS:
        return HandshakeError(
            f"{host} answered, but not with TLS ({reason}). Check host and port; an exchange on this computer that "
            "is not encrypted has an address that begins with ws://.",
            status=0,
        )
    if isinstance(problem, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return UnreachableError(_broken_off(url))
    return UnreachableError(
        f"{host} and this computer found no common way to encrypt: {reason}. Check host and port, and the SSL "
        "context, where you passed one."
    )


def _certificate(problem: ssl.SSLCertVerificationError, host: str) -> str:
    said = plain_text(getattr(problem, "verify_message", "") or str(problem))
    code = getattr(problem, "verify_code", 0)
    if code in _SELF_SIGNED:
        return (
            f"Nobody whom this computer trusts has signed the certificate of {host} ({said}). An exchange of your "
            "own, or a company's proxy, signs by itself: name the file of its authority in the environment, "
            "SSL_CERT_FILE=ca.pem, or pass connect(…, ssl=ssl.create_default_context(cafile='ca.pem'))."
        )
    if code == _EXPIRED:
        return (
            f"The certificate of {host} has expired ({said}). If this computer's date is right, whoever runs the host "
            "has to renew it."
        )
    if code == _NOT_YET:
        return f"The certificate of {host} is not valid yet ({said}). Check this computer's date."
    if code in _OTHER_HOST:
        return f"The certificate of {host} is one for another host ({said}). Check the spelling of the address."
    return f"The certificate of {host} was not accepted: {said}. Check the address, and the SSL context you passed."


def _unreachable(problem: OSError, url: str, route: Route) -> UnreachableError:
    reason = plain_text(problem.strerror or str(problem) or type(problem).__name__)
    proxy = _proxy(url, route)
    if proxy is not None:
        return UnreachableError(
            f"Nobody answers at the proxy {proxy}: {reason}. Check HTTPS_PROXY and connect(…, proxy=…); proxy=False "
            "goes without."
        )
    if isinstance(problem, ConnectionResetError | ConnectionAbortedError | BrokenPipeError):
        return UnreachableError(_broken_off(url))
    if is_loopback(url):
        step = "Start the exchange there first, or use connect('sim'), which brings its own."
    else:
        step = "Check the network, the name of the host, and proxy settings."
    return UnreachableError(f"Nobody answers at {_host(url)}: {reason}. {step}")


def _broken_off(url: str) -> str:
    encrypted = urlsplit(url).scheme == "wss"
    other = "a port without TLS does so (ws:// on this computer)" if encrypted else "a port with TLS does so (wss://)"
    return f"{_host(url)} broke off the handshake. Check host and port: {other}. Or try again later."


def _host(url: str) -> str:
    """Return host and port of an address, less the name and password that may stand before them."""
    return plain_text(urlsplit(url).netloc.rpartition("@")[2])


def _proxy(url: str, route: Route) -> str | None:
    try:
        proxy = route.proxy_to(url)
        return None if proxy is None else _host(proxy) or "without a host"
    except Exception:  # noqa: BLE001  # an address that is none: then nobody got as far as a proxy
        return None
