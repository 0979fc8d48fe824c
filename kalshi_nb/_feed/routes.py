"""The way to the exchange: whom to trust and which proxy is between, looked at before anything is dialed."""

from __future__ import annotations

import os
import re
import ssl
from importlib.util import find_spec
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from kalshi_nb._feed.options import ProxyAddress
from kalshi_nb._redaction import Secret, could_be_key, masked, shown
from kalshi_nb.errors import ConfigurationError, MissingPackageError

__all__ = ["check_environments_proxy", "checked_proxy", "checked_ssl", "context_of"]

_SSL_STEP = "pass an ssl.SSLContext, or the path of a PEM file with the certificates to trust"
_PROXY_STEP = "Write it as 'http://host:3128' (or https://, socks5://), pass proxy=False for none, or leave it out."
_QUERY = re.compile(r"([?#;]).*", re.DOTALL)
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def checked_ssl(given: Secret) -> ssl.SSLContext | str | None:
    """Return what `connect(ssl=…)` was given: a context, a file's whole path, or None.

    Raises
    ------
    ConfigurationError
        When it is none of these.
    """
    if given.reveal() is None or isinstance(given.reveal(), ssl.SSLContext):
        context: ssl.SSLContext | None = given.reveal()
        if context is not None and context.protocol is ssl.PROTOCOL_TLS_SERVER:
            raise ConfigurationError(
                "ssl is the context of a server; make a client's with ssl.create_default_context(cafile='ca.pem')."
            )
        return context
    if isinstance(given.reveal(), bool):
        raise ConfigurationError(
            f"ssl is {given.reveal()!r}; whom to trust is decided by certificates: {_SSL_STEP}, or leave it out."
        )
    if not isinstance(given.reveal(), str | os.PathLike):
        raise ConfigurationError(f"ssl is {shown(given)}; {_SSL_STEP}.")
    path = _existing(given)
    if path is None:
        raise ConfigurationError(f"There is no file of certificates {_path_shown(given)}; {_SSL_STEP}.")
    return str(path)


def context_of(trusted: ssl.SSLContext | str | None) -> ssl.SSLContext | None:
    """Return the context for what :func:`checked_ssl` returned.

    Raises
    ------
    ConfigurationError
        When the file holds no certificates.
    """
    if not isinstance(trusted, str):
        return trusted
    try:
        return ssl.create_default_context(
            cafile=None if Path(trusted).is_dir() else trusted, capath=trusted if Path(trusted).is_dir() else None
        )
    except OSError as refusal:  # ssl.SSLError is one
        raise ConfigurationError(
            f"{trusted!r} holds no certificates that can be read ({refusal.strerror or refusal}); {_SSL_STEP}."
        ) from None


def checked_proxy(given: Secret) -> ProxyAddress | Literal[False] | None:
    """Return what `connect(proxy=…)` was given: an address, False for none, None for the environment's.

    Raises
    ------
    ConfigurationError
        When it is no address of a proxy.
    MissingPackageError
        When it needs a package that is not installed.
    """
    if given.reveal() is False:
        return False
    if given.reveal() is None or given.reveal() is True:
        return None
    problem = _proxy_problem(given)
    if problem:
        raise ConfigurationError(f"proxy is {_address_shown(given)}: {problem}. {_PROXY_STEP}")
    if given.reveal().startswith("socks") and find_spec("python_socks") is None:
        raise MissingPackageError(
            "A SOCKS proxy needs the package python-socks: pip install 'python-socks[asyncio]', or use an HTTP proxy."
        )
    return ProxyAddress(given.reveal().strip())


def check_environments_proxy(url: str) -> None:
    """Refuse a proxy of the environment's that cannot be one, before it is used on the way to `url`.

    Raises
    ------
    ConfigurationError
        When the proxy that would be used is no address of one; it names the variable.
    """
    if urlsplit(url).hostname in _LOOPBACK:
        return
    from websockets.proxy import get_proxy  # noqa: PLC0415  # loads when there is something to dial
    from websockets.uri import parse_uri  # noqa: PLC0415  # as above

    found = Secret(get_proxy(parse_uri(url)))
    problem = "" if found.reveal() is None else _proxy_problem(found)
    if problem:
        names = [name for name in os.environ if name.lower().endswith("_proxy") and os.environ[name] == found.reveal()]
        where = " or ".join(names) or "The proxy of this computer's settings"
        raise ConfigurationError(f"{where} is {_address_shown(found)}: {problem}. {_PROXY_STEP}")


def _proxy_problem(given: Secret) -> str:
    """Say what is wrong with a proxy's address, empty where nothing is; never raises with a password at hand."""
    from websockets.exceptions import InvalidProxy  # noqa: PLC0415  # loads when there is something to dial
    from websockets.proxy import parse_proxy  # noqa: PLC0415  # as above

    address = given.reveal()
    if not isinstance(address, str):
        return "it is no address"
    address = address.strip()
    if not address.isprintable() or " " in address:
        return "there are blanks, line breaks or control characters in it"
    if "://" not in address:
        return "it does not say how to speak to it, by http:// or another beginning"
    try:
        parts = urlsplit(address)
        parse_proxy(address)
    except (InvalidProxy, ValueError) as broken:  # UnicodeError is one
        unread = "its host, port, user's name or password cannot be read"
        return str(broken.msg) if isinstance(broken, InvalidProxy) else unread
    if could_be_key(masked(address)):
        return "its host has no name for one"  # and is shown wherever it does not answer
    return "its port must be a number from 1 to 65535" if parts.port == 0 else ""


def _address_shown(given: Secret) -> str:
    if not isinstance(given.reveal(), str):
        return shown(given)
    # No proxy's address has a query, and whoever writes one may have put a token there.
    return shown(_QUERY.sub(r"\1…", masked(given.reveal())))


def _path_shown(given: Secret) -> str:
    text = os.fsdecode(given.reveal())
    return "of that name (not shown, since it could be a key)" if could_be_key(text) else shown(text)


def _existing(given: Secret) -> Path | None:
    try:
        path = Path(os.fsdecode(given.reveal())).expanduser()
        return path.resolve() if path.exists() else None
    except (OSError, ValueError, RuntimeError):  # the text of a certificate is no path
        return None
