"""``connect()``: one line from a cell to a running feed, and the same feed when the cell runs again."""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final, cast

from kalshi_nb._auth import Credentials, Secret
from kalshi_nb._clock import Clock, WallClock
from kalshi_nb._engine.live import LiveEngine
from kalshi_nb._engine.transport import checked
from kalshi_nb._environments import ENVIRONMENTS, SIMULATED, url_of
from kalshi_nb._feed.feed import Feed
from kalshi_nb._feed.options import DEFAULT_OPTIONS, Options
from kalshi_nb._feed.registry import opened, registry
from kalshi_nb._threads import refuse_on
from kalshi_nb.errors import ClockWarning, ConfigurationError, FeedOptionsError, UnknownEnvironmentError

if TYPE_CHECKING:
    from kalshi_nb.sim import Exchange

__all__ = ["connect"]

ENVIRONMENT_VARIABLE: Final = "KALSHI_ENV"
WORST_CLOCK: Final = 10.0
"""Seconds a clock may be off; the exchange was seen to refuse signatures from about 15 s on."""


MOST_CONNECTIONS: Final = 200
"""What the exchange allows one user, unless the usage tier says otherwise."""


def connect(
    where: str | Exchange | None = None,
    *,
    key_id: str | None = None,
    private_key: Any = None,
    timeout: float = 10.0,
    flush_interval: float = DEFAULT_OPTIONS.flush_interval,
    max_pending_rows: int = DEFAULT_OPTIONS.max_pending_rows,
    connections: int = DEFAULT_OPTIONS.connections,
    transport: str = DEFAULT_OPTIONS.transport,
    new: bool = False,
) -> Feed:
    """Connect to an exchange and return its feed, which runs on threads of its own.

    Parameters
    ----------
    where : str or kalshi_nb.sim.Exchange, optional
        ``"sim"`` (a simulated exchange in this process: no key, no network), ``"demo"``, ``"prod"``, a
        WebSocket address, or a simulated exchange. The environment variable ``KALSHI_ENV`` when None.
    key_id : str, optional
        The API key's id; ``KALSHI_API_KEY_ID`` or ``KALSHI_KEY_ID`` in the environment when None.
    private_key : str, path, bytes or key object, optional
        A PEM file's path, its text, or a key of the cryptography package (RSA or Ed25519);
        ``KALSHI_PRIVATE_KEY_PATH`` or ``KALSHI_PRIVATE_KEY`` in the environment when None. It is read again
        at every connection, so a rotated key is taken up.
    timeout : float
        Seconds to wait for the first handshake.
    flush_interval : float
        Seconds between two batches on their way to frames and pipelines.
    max_pending_rows : int
        Rows that may wait for slow pipelines of yours; past it the oldest go, counted in ``health()``.
    connections : int
        How many connections to keep, 1 to 200. The markets of books, deltas and quotes are spread over them, as
        Kalshi advises where there are many; each other channel comes whole over one of them. It is one feed all
        the same, and a connection that is lost concerns its own markets alone.
    transport : str
        The library that speaks WebSocket: ``"websockets"``, or ``"picows"``, which takes two to three times as many
        messages a second and comes by ``pip install 'kalshi-nb[speed]'``.
    new : bool
        Make a feed of its own even if one with the same address and key is running.

    Returns
    -------
    Feed
        The running feed when one with the same address, key id and key exists, so that a cell can be run
        again; else a new one.

    Raises
    ------
    UnknownEnvironmentError
        When there is no such place.
    CredentialsError
        When key id or private key are missing or cannot be used.
    AuthenticationError, HandshakeError, UnreachableError
        When the first handshake was refused, or nobody answered.
    FeedOptionsError
        When the running feed has other options.
    MissingPackageError
        When the package of `transport` is not installed.

    Notes
    -----
    Source: Kalshi's "Quick start: WebSockets" page.
    """
    private_key = Secret(private_key)  # from here on, no traceback can show it
    refuse_on("io", "pipeline", "user", "display", doing="connect()", instead="Call it in a cell")
    options = _options(timeout, flush_interval, max_pending_rows, connections, transport)
    feed = None
    while feed is None:  # a simulated exchange that ends just now is followed by another
        target = _target(where, key_id, private_key)
        make = partial(_open, target, options, timeout)
        feed = registry.get(object() if new else target.key, target.exchange, make, embedded=target.embedded)
    _same_options(feed.options, options)
    skew = feed.clock_skew
    if skew is not None and abs(skew) > WORST_CLOCK:
        warnings.warn(
            f"This computer's clock is {abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} the exchange's. "
            "Switch on automatic time (NTP): Kalshi refuses signatures that are too far off.",
            ClockWarning,
            stacklevel=2,
        )
    return feed


@dataclass(frozen=True)
class _Target:
    """Where to connect, with what, and under which key to remember it."""

    key: object
    url: str
    credentials: Credentials
    clock: Clock
    exchange: Exchange | None
    embedded: bool = False


def _target(where: str | Exchange | None, key_id: str | None, private_key: Secret) -> _Target:
    place = os.environ.get(ENVIRONMENT_VARIABLE) if where is None else where
    if place is None or place == "":
        raise UnknownEnvironmentError(
            f"Say where to connect: connect('sim') for a simulated exchange (no key, no network), 'demo' or 'prod' "
            f"for Kalshi; or set {ENVIRONMENT_VARIABLE}."
        )
    if place == SIMULATED:
        _refuse_key(key_id, private_key)
        from kalshi_nb.sim._running import embedded  # noqa: PLC0415  # a server nobody needs who connects to Kalshi

        return replace(_simulated(embedded(), key_id, private_key), embedded=True)
    if hasattr(place, "attach"):
        return _simulated(cast("Exchange", place), key_id, private_key)
    if not isinstance(place, str):
        raise UnknownEnvironmentError(
            f"connect() takes {', '.join(map(repr, (SIMULATED, *ENVIRONMENTS)))}, a WebSocket address or a simulated "
            f"exchange, not a {type(place).__name__}."
        )
    url = url_of(place)
    credentials = Credentials(key_id, private_key)
    signer = credentials.signer()
    return _Target((url, signer.key_id, signer.fingerprint()), url, credentials, WallClock(), None)


def _refuse_key(key_id: str | None, private_key: Secret) -> None:
    if private_key.reveal() is not None or key_id is not None:
        raise ConfigurationError(
            "A simulated exchange brings its own key; leave key_id and private_key out, or give its address, "
            "connect(exchange.url, key_id=…, private_key=…), to sign with a key of yours."
        )


def _simulated(exchange: Exchange, key_id: str | None, private_key: Secret) -> _Target:
    _refuse_key(key_id, private_key)
    credentials = Credentials(exchange.key_id, Secret(exchange.private_key), environ={})
    clock: Clock = exchange if exchange.clock == "manual" else WallClock()
    return _Target((exchange.url, exchange.key_id), exchange.url, credentials, clock, exchange)


def _open(target: _Target, options: Options, timeout: float) -> Feed:
    engine = LiveEngine(
        target.url,
        target.credentials,
        clock=target.clock,
        connections=options.connections,
        transport=options.transport,
    )
    feed = Feed(
        engine,
        options=options,
        exchange=target.exchange,
        on_close=partial(registry.drop, embedded=target.embedded),
    )
    return opened(feed, timeout)


def _options(
    timeout: float, flush_interval: float, max_pending_rows: int, connections: int, transport: str
) -> Options:
    for name, value in (("timeout", timeout), ("flush_interval", flush_interval)):
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 3600:
            raise ConfigurationError(
                f"{name} is {value!r}; pass seconds, such as {10.0 if name == 'timeout' else 0.05}."
            )
    if isinstance(max_pending_rows, bool) or not isinstance(max_pending_rows, int) or max_pending_rows < 1:
        raise ConfigurationError(
            f"max_pending_rows is {max_pending_rows!r}; pass a number of rows, such as 1_000_000."
        )
    if isinstance(connections, bool) or not isinstance(connections, int) or not 1 <= connections <= MOST_CONNECTIONS:
        raise ConfigurationError(
            f"connections is {connections!r}; pass how many to keep, 1 to {MOST_CONNECTIONS}: more than that "
            "Kalshi allows nobody by default."
        )
    return Options(
        flush_interval=flush_interval,
        max_pending_rows=max_pending_rows,
        connections=connections,
        transport=checked(transport),
    )


def _same_options(running: Options, asked: Options) -> None:
    if running == asked:
        return
    differ = ", ".join(
        f"{name} is {getattr(running, name)!r} there and {getattr(asked, name)!r} here"
        for name in ("flush_interval", "max_pending_rows", "connections", "transport")
        if getattr(running, name) != getattr(asked, name)
    )
    raise FeedOptionsError(
        f"A feed with this address and key is running with other options: {differ}. Close it first (feed.close()), "
        "or pass new=True for one beside it."
    )
