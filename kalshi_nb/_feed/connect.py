"""``connect()``: one line from a cell to a running feed, and the same feed when the cell runs again."""

from __future__ import annotations

import os
import ssl as _ssl
import warnings
from collections.abc import Generator
from dataclasses import dataclass, replace
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, NoReturn

from kalshi_nb._auth import Credentials
from kalshi_nb._clock import Clock, WallClock
from kalshi_nb._engine.live import LiveEngine
from kalshi_nb._engine.transport import checked
from kalshi_nb._environments import rest_of
from kalshi_nb._feed.asked import Asked, asked_for, whereabouts
from kalshi_nb._feed.attempt import Attempt
from kalshi_nb._feed.feed import Feed
from kalshi_nb._feed.options import DEFAULT_OPTIONS, Options, ProxyAddress
from kalshi_nb._feed.registry import opened, registry
from kalshi_nb._feed.routes import check_environments_proxy, context_of
from kalshi_nb._foreign_names import corrected_in_secret
from kalshi_nb._offload import off_loop
from kalshi_nb._redaction import Secret
from kalshi_nb._rest.client import RestClient
from kalshi_nb._threads import refuse_on
from kalshi_nb._usage import setter
from kalshi_nb.errors import ClockWarning, ConfigurationError, FeedOptionsError, NoSuchAttributeError, UsageError

if TYPE_CHECKING:
    from kalshi_nb.sim import Exchange

__all__ = ["Connecting", "connect", "connect_async"]

WORST_CLOCK: Final = 10.0
"""Seconds a clock may be off; the exchange was seen to refuse signatures from about 15 s on."""


@corrected_in_secret
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
    ssl: _ssl.SSLContext | str | os.PathLike[str] | None = None,
    proxy: str | bool | None = None,
    backfill: bool | None = DEFAULT_OPTIONS.backfill,
    new: bool = False,
) -> Feed:
    """Connect to an exchange and return its feed, which runs on threads of its own.

    Parameters
    ----------
    where : str or kalshi_nb.sim.Exchange, optional
        ``"sim"`` (a simulated exchange in this process: no key, no network), ``"demo"``, ``"prod"``, a
        WebSocket address, or a simulated exchange. The environment variable ``KALSHI_ENV`` when None. A user name
        and a password in an address are sent as HTTP asks for it, and shown nowhere.
        With ``KALSHI_NB_CLOCK=manual`` in the environment the clock of ``"sim"`` is moved by hand, as tests want it:
        :meth:`Feed.run` moves it, and ``feed.exchange.advance()``.
    key_id : str, optional
        The API key's id; ``KALSHI_API_KEY_ID`` or ``KALSHI_KEY_ID`` in the environment when None.
    private_key : str, path, bytes or key object, optional
        A PEM file's path, its text, or a key of the cryptography package (RSA or Ed25519);
        ``KALSHI_PRIVATE_KEY_PATH`` or ``KALSHI_PRIVATE_KEY`` in the environment when None. It is read again
        at every connection, so a rotated key is taken up; what can be read once, such as a pipe, is kept.
    timeout : float
        Seconds to wait for the first handshake.
    flush_interval : float
        Seconds that rows wait at most on their way to frames and pipelines. Those of a quiet feed go on at once; the
        busier it is, the more of them are taken together.
    max_pending_rows : int
        Rows that may wait for slow pipelines of yours; past it the oldest go, counted in ``health()``.
    connections : int
        How many connections to keep, 1 to 200. The markets of books, deltas and quotes are spread over them, as
        Kalshi advises where there are many; each other channel comes whole over one of them. It is one feed all
        the same, and a connection that is lost concerns its own markets alone.
    transport : str
        The library that speaks WebSocket: ``"websockets"``, or ``"picows"``, which takes two to three times as many
        messages a second and comes by ``pip install 'kalshi-nb[speed]'``.
    ssl : ssl.SSLContext or path, optional
        Whom to trust behind ``wss://``: a context, or the file of PEM certificates of whoever signs there, such as a
        company's own authority. Those whom this computer trusts, and the file in ``SSL_CERT_FILE``, when None.
    proxy : str or bool, optional
        The proxy on the way, ``"http://user:password@host:3128"``, https:// or socks5://; False for none; what the
        environment says (``HTTPS_PROXY`` and its like), but for this computer itself, when None.
    backfill : bool, optional
        Fetch the trades that were missed in a gap over REST, and have them enter the frames at their place. Such a gap
        has ``repaired_by`` "rest" once the trades on either side of it prove that these are all. When None: yes, but
        not where a simulated exchange's clock is moved by hand.
    new : bool
        Make a feed of its own even if one with the same address and key is running. It is yours: keep it, and close it
        when you are done. One that nobody holds any more, nor a frame, a book, a callback or a recorder of, is ended.

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
    ConfigurationError
        When another argument cannot work, or the proxy that the environment names.

    Notes
    -----
    What the environment does not say of ``KALSHI_ENV``, key id and key is taken from the nearest ``.env`` file, from
    the working directory up to the root of its project; nothing of it enters the environment.

    The first handshake is waited for here, `timeout` at most, also where this is called in a coroutine: there,
    :func:`kalshi_nb.connect_async` leaves the event loop free meanwhile. ``async with kn.connect(…) as feed`` works
    all the same, and leaves it free at the end.

    Source: Kalshi's "Quick start: WebSockets" page.
    """
    given = Secret(dict(locals()))  # from here on, no traceback can show any of it
    del where, key_id, private_key, timeout, flush_interval, max_pending_rows, connections, transport, ssl, proxy
    del backfill, new
    refuse_on("io", "pipeline", "user", "display", doing="connect()", instead="Call it in a cell")
    attempt = Attempt()
    try:
        feed = _feed_for(asked_for(given), attempt)
        _warn_of_clock(feed)
        return feed  # noqa: TRY300  # Ctrl-C between this and an else: would find nobody who ends it
    except BaseException:
        attempt.undo()
        raise


@corrected_in_secret
def connect_async(
    where: str | Exchange | None = None,
    *,
    key_id: str | None = None,
    private_key: Any = None,
    timeout: float = 10.0,
    flush_interval: float = DEFAULT_OPTIONS.flush_interval,
    max_pending_rows: int = DEFAULT_OPTIONS.max_pending_rows,
    connections: int = DEFAULT_OPTIONS.connections,
    transport: str = DEFAULT_OPTIONS.transport,
    ssl: _ssl.SSLContext | str | os.PathLike[str] | None = None,
    proxy: str | bool | None = None,
    backfill: bool | None = DEFAULT_OPTIONS.backfill,
    new: bool = False,
) -> Connecting:
    """Connect as :func:`connect` does, and leave the event loop free meanwhile.

    To be awaited, or entered with ``async with``, which also closes the feed at its end. The feed is the same as
    ever, and so is the registry: awaited twice, it gives the same one. A task that is cancelled while it waits leaves
    nothing behind.

    Parameters and errors as for :func:`connect`; what cannot work whatever the exchange says is raised by the call
    itself.

    Returns
    -------
    Connecting
        Gives the feed when it is awaited or entered.

    Examples
    --------
    >>> import asyncio
    >>> import kalshi_nb as kn
    >>> async def main():
    ...     async with kn.connect_async("sim") as feed:
    ...         return feed.state
    >>> asyncio.run(main())
    'connected'
    """
    given = Secret(dict(locals()))  # from here on, no traceback can show any of it
    del where, key_id, private_key, timeout, flush_interval, max_pending_rows, connections, transport, ssl, proxy
    del backfill, new
    refuse_on("io", "pipeline", "user", "display", doing="connect_async()", instead="Call it in a coroutine of yours")
    return Connecting(asked_for(given))


class Connecting:
    """A feed that is about to be: ``await`` it, or enter it with ``async with``. Made by :func:`connect_async`.

    Parameters
    ----------
    asked : Asked
        What the feed is to be.
    """

    __setattr__ = setter(instead="await it first, feed = await connect_async(…)")

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self._entered: list[Feed] = []

    def __await__(self) -> Generator[Any, None, Feed]:
        return self._connect().__await__()

    async def __aenter__(self) -> Feed:
        self._entered.append(feed := await self._connect())
        return feed

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._entered.pop().__aexit__(kind, error, trace)

    def __getattr__(self, name: str) -> NoReturn:
        # What connect_async() gives is no feed yet, and many a hand writes connect_async("sim").trades().
        told = ": write feed = await kalshi_nb.connect_async(…), and then feed." + name if hasattr(Feed, name) else ""
        raise NoSuchAttributeError(f"This is no feed before it was awaited, and has no {name!r}{told}.")

    def __enter__(self) -> NoReturn:
        raise UsageError(
            "connect_async() is for code that awaits: write async with kalshi_nb.connect_async(…) as feed, or feed = "
            "await kalshi_nb.connect_async(…). Where there is no event loop: with kalshi_nb.connect(…) as feed."
        )

    def __exit__(self, *_: object) -> None:
        """Never get here: `__enter__` raises."""

    async def _connect(self) -> Feed:
        attempt = Attempt()
        try:
            feed = await off_loop(partial(_feed_unless_given_up, self._asked, attempt), "kalshi-connecting")
            _warn_of_clock(feed)
            return feed  # noqa: TRY300  # as in connect()
        except BaseException:
            attempt.give_up()
            raise

    def __repr__(self) -> str:
        return "<Connecting: await it, or use async with>"


def _feed_unless_given_up(asked: Asked, attempt: Attempt) -> Feed:
    """Connect on a thread of its own; whoever waited may be gone in the end, at any moment."""
    try:
        feed = _feed_for(asked, attempt)
        attempt.check()
        return feed  # noqa: TRY300  # as in connect()
    except BaseException:
        attempt.undo()
        raise


def _feed_for(asked: Asked, attempt: Attempt) -> Feed:
    options = replace(asked.options, transport=checked(asked.options.transport))
    feed = None
    while feed is None:  # a simulated exchange that ends just now is followed by another
        target = _target(asked, attempt)
        feed = registry.get(
            object() if asked.new else target.key,
            target.exchange,
            partial(_open, target, options, asked.timeout, attempt),
            embedded=target.embedded,
            is_given_up=lambda: attempt.is_given_up,
        )
    difference = feed.options.difference(options)
    if difference:
        raise FeedOptionsError(
            f"A feed with this address and key is running with other options: {difference}. Close it first "
            "(feed.close()), or pass new=True for one beside it."
        )
    return feed


def _warn_of_clock(feed: Feed) -> None:
    skew = feed.clock_skew
    if skew is not None and abs(skew) > WORST_CLOCK:
        warnings.warn(
            f"This computer's clock is {abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} the exchange's. "
            "Switch on automatic time (NTP): Kalshi refuses signatures that are too far off.",
            ClockWarning,
            stacklevel=3,
        )


@dataclass(frozen=True)
class _Target:
    """Where to connect, with what, and under which key to remember it."""

    key: object
    url: str
    credentials: Credentials
    clock: Clock
    exchange: Exchange | None
    embedded: bool = False


def _target(asked: Asked, attempt: Attempt) -> _Target:
    where = whereabouts(asked.where)
    if where.embedded:
        _refuse_key(asked)
        from kalshi_nb.sim._running import embedded  # noqa: PLC0415  # a server nobody needs who connects to Kalshi

        attempt.started = embedded()
        return replace(_simulated(attempt.started, asked), embedded=True)
    if where.exchange is not None:
        return _simulated(where.exchange, asked)
    assert where.place is not None
    url = where.place.url
    if asked.options.proxy is None:
        check_environments_proxy(url)
    credentials = Credentials(asked.key_id, asked.private_key, login=where.place.login)
    signer = credentials.signer()
    return _Target((url, signer.key_id, signer.fingerprint()), url, credentials, WallClock(), None)


def _refuse_key(asked: Asked) -> None:
    if asked.private_key.reveal() is not None or asked.key_id.reveal() is not None:
        raise ConfigurationError(
            "A simulated exchange brings its own key; leave key_id and private_key out, or give its address, "
            "connect(exchange.url, key_id=…, private_key=…), to sign with a key of yours."
        )


def _simulated(exchange: Exchange, asked: Asked) -> _Target:
    _refuse_key(asked)
    credentials = Credentials(exchange.key_id, Secret(exchange.private_key), environ={})
    clock: Clock = exchange if exchange.clock == "manual" else WallClock()
    return _Target((exchange.url, exchange.key_id), exchange.url, credentials, clock, exchange)


def _open(target: _Target, options: Options, timeout: float, attempt: Attempt) -> Feed:
    context = context_of(options.ssl)
    proxy = options.proxy.url if isinstance(options.proxy, ProxyAddress) else options.proxy
    engine = LiveEngine(
        target.url,
        target.credentials,
        clock=target.clock,
        connections=options.connections,
        transport=options.transport,
        ssl=context,
        proxy=proxy,
        longest_rest=options.flush_interval,
    )
    feed = Feed(
        engine,
        options=options,
        exchange=target.exchange,
        rest=RestClient(
            rest_of(target.url),
            credentials=target.credentials,
            verify=context,
            proxy=proxy,
        ),
        on_close=partial(registry.drop, embedded=target.embedded),
    )
    attempt.begin(feed)
    return opened(feed, timeout, embedded=target.embedded)
