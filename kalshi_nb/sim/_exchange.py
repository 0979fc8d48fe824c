"""The public handle of the simulated exchange."""

from __future__ import annotations

import threading
import uuid
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NoReturn, Self, get_args

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kalshi_nb.errors import NoSuchAttributeError, SimulationError, UsageError
from kalshi_nb.sim._announcements import announcement
from kalshi_nb.sim._arguments import (
    LATEST_US,
    ClockName,
    begin_us,
    check_choice,
    check_flag,
    check_number,
    check_whole,
    span_us_of,
)
from kalshi_nb.sim._authenticate import PATH, Keyring
from kalshi_nb.sim._catalogue import CATALOGUE
from kalshi_nb.sim._clocks import ManualTime, WallTime
from kalshi_nb.sim._faults import Faults
from kalshi_nb.sim._followers import Followers
from kalshi_nb.sim._live import LiveMarket
from kalshi_nb.sim._playback import Playback, Recording
from kalshi_nb.sim._rest import PREFIX, Rest
from kalshi_nb.sim._server import HOST, ServerThread, listen
from kalshi_nb.sim._venue import CLOSES_IN, Era, UnknownMarkets, Venue

if TYPE_CHECKING:
    import os
    from datetime import datetime

    from kalshi_nb.sim._authenticate import PublicKey
    from kalshi_nb.sim._followers import Follower
    from kalshi_nb.sim._market import Market
    from kalshi_nb.sim._server import Programme

__all__ = ["Exchange"]

_STEP_US: Final = 250_000
_YEAR: Final = 365 * 24 * 3_600


class Exchange:
    """A simulated Kalshi: a real WebSocket server on 127.0.0.1, with a market of its own.

    It serves at once, on a thread of its own, and takes any client that speaks Kalshi's WebSocket protocol and
    signs its handshake with a key the exchange knows. On ``orderbook_delta``, ``ticker``, ``trade`` and
    ``market_lifecycle_v2`` its market speaks: about 75 book changes and four trades a second in twelve markets of four
    events, which close, are determined and are paid out. It has one account, whoever connects: ``fill``,
    ``user_orders`` and ``market_positions`` tell of it. On the other channels nothing comes but what `publish` sends.
    At `rest_url` it answers plain GETs about the same markets, as Kalshi's REST interface does.

    Parameters
    ----------
    seed : int
        The same seed gives the same tape: the same events at the same times after `start`.
    clock : {"wall", "manual"}
        ``"wall"``: the market lives in real time. ``"manual"``: it stands still until `advance`.
    port : int
        Where it listens; 0 takes a free port.
    era : {"2026-10", "captures"}
        ``"2026-10"``: every frame ends with ``sending_ts_ms`` and books carry ``clock``, as Kalshi's newest
        specification has it. ``"captures"``: neither, as in every public capture up to September 2026.
    compression : bool
        Whether permessage-deflate is accepted from clients that offer it.
    start : datetime, optional
        When the tape begins, with a time zone. Now unless given; with the manual clock 2026-11-22 15:00 UTC.
    unknown_markets : {"empty", "error"}
        How a book of a market that does not exist is answered, both ways being on record of Kalshi:
        acknowledged with an empty snapshot whose ``market_id`` is ``""``, or error 28 for these and a
        subscription for the others.
    speed : float
        How many seconds of the tape pass in one second of the clock, 0.01 to 1,000: with 20 about 2,000 messages each.
    closes_in : float
        Seconds of the clock until the first event closes, 1 to 31,536,000; six hours unless given. The others follow
        after 1.5, 2 and 160 times as long. No frame is sent when a market closes; a twelfth of `closes_in` after the
        planned close it is ``determined`` by its last prices, and as much later ``settled``.

    Raises
    ------
    PortInUseError
        Somebody else listens on `port`.
    SimulationError
        An argument cannot work; the message says which does.

    Examples
    --------
    >>> from kalshi_nb.sim import Exchange
    >>> with Exchange(seed=7, clock="manual") as exchange:
    ...     before = exchange.now_us()
    ...     exchange.advance(1.5)
    ...     exchange.now_us() - before
    1500000
    """

    def __init__(
        self,
        seed: int = 7,
        clock: ClockName = "wall",
        port: int = 0,
        era: Era = "2026-10",
        compression: bool = True,
        start: datetime | None = None,
        *,
        unknown_markets: UnknownMarkets = "empty",
        speed: float = 1.0,
        closes_in: float = CLOSES_IN,
    ) -> None:
        check_whole("seed", seed)
        check_choice("clock", clock, get_args(ClockName))
        check_choice("era", era, get_args(Era))
        check_choice("unknown_markets", unknown_markets, get_args(UnknownMarkets))
        check_number("speed", speed, 0.01, 1000, "pace for a market; pass a number")
        check_number("closes_in", closes_in, 1, _YEAR, "time until a close; pass seconds")
        start_us = begin_us(start, is_manual=clock == "manual")
        source = ManualTime(start_us) if clock == "manual" else WallTime(start_us)
        venue = Venue(
            seed, start_us, source.now_us, era=era, unknown_markets=unknown_markets, speed=speed, closes_in=closes_in
        )
        self._tickers = venue.tickers
        self._markets = tuple(sorted((market for market, _ in CATALOGUE), key=lambda each: each.ticker))
        self._frames: int | None = None
        self._serve(LiveMarket(venue, source), source, port, compression=compression)

    @classmethod
    def from_frames(cls, path: str | os.PathLike[str], *, port: int = 0, compression: bool = True) -> Self:
        """Serve a recorded file, frame by frame as it was on the wire.

        Handshakes are judged as ever. After its first ``subscribe`` each client gets every frame from the
        beginning, as fast as it takes them; no command is answered, and after the last frame the exchange is
        silent.

        Parameters
        ----------
        path : str or path
            A JSON-lines file. A line is a frame, sent with its newline, or an object
            ``{"recv_ts_ns": …, "raw": "…"}`` whose ``raw`` is sent as it is; blank lines are passed over.
        port, compression
            As for `Exchange`.

        Returns
        -------
        Exchange
            Its `frames` says how many there are, its `market_tickers` which markets they name.

        Raises
        ------
        SimulationError
            The file cannot be read, is empty, or holds something else.
        PortInUseError
            Somebody else listens on `port`.
        """
        recording = Recording(path)
        exchange = cls.__new__(cls)
        exchange._play(recording, port, compression=compression)  # noqa: SLF001 - this very class's
        return exchange

    def _play(self, recording: Recording, port: int, *, compression: bool) -> None:
        self._tickers = recording.market_tickers
        self._markets = ()
        self._frames = len(recording.frames)
        self._serve(Playback(recording), WallTime(), port, compression=compression)

    def _serve(
        self, programme: Programme, time_source: WallTime | ManualTime, port: int, *, compression: bool
    ) -> None:
        check_flag("compression", compression)
        self._programme = programme
        self._time = time_source
        self._key_id = str(uuid.uuid4())
        self._private_key = Ed25519PrivateKey.generate()
        self._keyring = Keyring()
        self._keyring.add(self._key_id, self._private_key.public_key())
        self._advancing = threading.Lock()
        listener = listen(port)
        self._url = f"ws://{HOST}:{listener.getsockname()[1]}{PATH}"
        self._server = ServerThread(listener, programme, self._keyring, compression=compression)
        self._followers = Followers(self._server.connections)
        self._faults = Faults(self._server, programme)
        if isinstance(programme, LiveMarket):
            programme.on_change = self._followers.learn
            self._server.rest = Rest(programme.venue, self._keyring)
        self._server.start()

    @property
    def url(self) -> str:
        """Where to connect: ``ws://127.0.0.1:PORT/trade-api/ws/v2``."""
        return self._url

    @property
    def rest_url(self) -> str:
        """Where the same markets answer plain GETs: ``http://127.0.0.1:PORT/trade-api/v2``."""
        return self._url.replace("ws://", "http://").removesuffix(PATH) + PREFIX

    @property
    def key_id(self) -> str:
        """The id of the key that every exchange makes for itself."""
        return self._key_id

    @property
    def private_key(self) -> Ed25519PrivateKey:
        """The private half of that key; it opens nothing but this exchange."""
        return self._private_key

    @property
    def market_tickers(self) -> tuple[str, ...]:
        """The tickers of all markets, sorted."""
        return self._tickers

    @property
    def markets(self) -> tuple[Market, ...]:
        """All markets, sorted by ticker; empty where a recording is served."""
        return self._markets

    @property
    def frames(self) -> int | None:
        """How many frames the recording has; None where a live market is served."""
        return self._frames

    @property
    def clock(self) -> str:
        """``"wall"`` or ``"manual"``."""
        return "manual" if isinstance(self._time, ManualTime) else "wall"

    @property
    def closed(self) -> bool:
        """Whether it serves no more."""
        return self._server.is_closed

    @property
    def faults(self) -> Faults:
        """Trouble on demand."""
        return self._faults

    def now_us(self) -> int:
        """Return the exchange's time, microseconds since 1970-01-01 UTC."""
        return self._time.now_us()

    def add_key(self, key_id: str, public_key: PublicKey) -> None:
        """Let handshakes in that are signed with another key.

        Parameters
        ----------
        key_id : str
            The id that the client sends; an id that is known already gets the new key.
        public_key : RSAPublicKey or Ed25519PublicKey
            The public half, an object of ``cryptography``.

        Raises
        ------
        SimulationError
            The key is of another kind, or the id no text.
        """
        self._keyring.add(key_id, public_key)

    def attach(self, follower: Follower) -> None:
        """Let `advance` wait for a client of this process; see `Follower`."""
        self._followers.attach(follower)
        programme = self._programme
        if isinstance(programme, LiveMarket) and hasattr(follower, "learn") and not self.closed:
            # On the server's thread, so that it comes in order with what changes from now on.
            with suppress(SimulationError):  # closed in between, which whoever connects finds out by himself
                self._server.call(lambda: follower.learn(*programme.facts()))

    def detach(self, follower: Follower) -> None:
        """Let `advance` wait for it no more."""
        self._followers.detach(follower)

    def advance(self, seconds: str | timedelta | float) -> None:
        """Let time pass: send exactly the events of the window, and wait until all followers have applied them.

        The window is walked in steps of at most 0.25 s, and each follower has applied a step, and made it readable as
        one batch, before the next begins. What comes does not depend on how a span of time is cut into calls.

        Parameters
        ----------
        seconds : str, timedelta or float
            How much time: ``"1m"``, a timedelta, or seconds, to the microsecond; 0 only waits for the followers.

        Raises
        ------
        SimulationError
            The clock is not ``"manual"``, `seconds` is no length of time, or a follower did not keep up within 10 s.
        """
        programme, clock = self._programme, self._time
        if not isinstance(programme, LiveMarket) or not isinstance(clock, ManualTime):
            raise SimulationError(
                'advance() needs a clock that is moved by hand; make the exchange with Exchange(clock="manual").'
            )
        span_us = span_us_of(seconds)
        self._followers.check()
        with self._advancing:
            now_us = clock.now_us()
            end_us = now_us + span_us
            if end_us > LATEST_US:
                raise SimulationError("The exchange has no calendar after the year 9000; advance by less.")
            with self._followers.holding() as flush_step:
                while now_us < end_us:
                    now_us = min(now_us + _STEP_US, end_us)
                    self._server.call(partial(programme.advance_to, now_us))
                    self._followers.await_applied()
                    flush_step()
                self._server.call(lambda: None)
                self._followers.await_applied()
                self._followers.flush()

    def publish(
        self,
        channel: str,
        type: str,  # noqa: A002 - Kalshi's word
        msg: dict[str, Any] | None = None,
        *,
        own: bool = True,
        check: bool = True,
    ) -> int:
        """Send a message to those who are subscribed to a channel: the market itself makes no quotes or indices.

        The frame gets the subscription's ``sid``, and the next ``seq`` where the channel has them. A
        subscription to some markets (indices, underlyings) gets only messages about those. Nothing is waited
        for: with the manual clock, ``advance(0)`` returns once all followers have applied it.

        Parameters
        ----------
        channel : str
            The channel, such as ``"user_orders"``.
        type : str
            The type of the message, such as ``"user_order"``.
        msg : dict
            Its fields, sent in the order they have here, as they are.
        own : bool
            Whether it is about a request for quotes of the clients' own; others do not reach those who
            subscribed with ``user_filter`` "self".
        check : bool
            Whether to refuse a fill, an order or a position without what it stands by, such as its market.

        Returns
        -------
        int
            To how many connections it was sent.

        Raises
        ------
        SimulationError
            There is no such channel, the message is none that JSON can hold or lacks what it stands by, or a recording
            is served.

        Examples
        --------
        >>> from kalshi_nb.sim import Exchange
        >>> with Exchange(seed=7, clock="manual") as exchange:
        ...     exchange.publish("order_group_updates", "order_group_updates", {"event_type": "deleted"})
        0
        """
        programme = self._programme
        if not isinstance(programme, LiveMarket):
            raise SimulationError("A recording is played as it is; use Exchange() to publish messages of your own.")
        announced = announcement(channel, type, msg, own=own, check=check)
        return self._server.call(lambda: programme.announce(announced))

    def close(self) -> None:
        """Stop: every connection ends, the thread too, the port is free. Closing again does nothing.

        A forked child's copy does nothing either: the exchange is its parent's.
        """
        self._server.close()

    def __enter__(self) -> Self:
        return self

    def __await__(self) -> NoReturn:
        raise UsageError("An Exchange is not awaited: it serves since it was made. Write it without await.")

    def __exit__(self, *raised: object) -> None:
        self.close()

    def __setattr__(self, name: str, value: object) -> None:
        """Refuse to set anything: what an exchange is made with are arguments."""
        if not name.startswith("_"):
            raise NoSuchAttributeError(
                f"Exchange has no {name!r} to be set: make another, such as Exchange(speed=20); faults are .faults."
            )
        super().__setattr__(name, value)

    def __repr__(self) -> str:
        closed = ", closed" if self._server.is_closed else ""
        return f"<Exchange {self._url}, clock={self.clock!r}, {len(self._tickers)} markets{closed}>"

    def __reduce__(self) -> NoReturn:
        raise SimulationError(
            "An exchange is a running server, not to be copied or pickled; hand on its url and a key instead."
        )
