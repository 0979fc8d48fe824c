"""The seam: all that the rooms above know of an engine.

An engine takes in what an exchange sends, or sent once, and hands it up as plain data: rows, gaps, counts, and ladders
that are read in place. Above this module nobody knows whether there is a socket behind it, a recording, or a list in
a test; and nothing below it knows who reads. There are two ways across:

* **rows** go up by :meth:`Engine.take`, one list a channel, in the order in which they were received, whatever
  connection they came over. A plain tuple is a row in the channel's layout (:mod:`kalshi_nb._rows`). A named tuple is
  something else that stands at its place among them: a gap, a whole book, or a row that steers the frames above
  (:mod:`kalshi_nb._rows.steering`): a reset, a step of the clock, rows put in later.
* **demand** goes down by :meth:`Engine.want` and :meth:`Engine.release`.

Everything else is read: :meth:`Engine.status`, :attr:`Engine.gaps`, :meth:`Engine.rejects`, :meth:`Engine.ladder`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from kalshi_nb._clock import Clock
from kalshi_nb._rows.gaps import GapLog
from kalshi_nb._rows.heard import Heard
from kalshi_nb._rows.ladders import LadderReading
from kalshi_nb._rows.rejects import Reject
from kalshi_nb._rows.rows import Row
from kalshi_nb._rows.wanted import Wanted
from kalshi_nb._session.extension import BUILT, COMPILED

__all__ = [
    "BUILT",
    "COMPILED",
    "ChannelStatus",
    "ClockStep",
    "Engine",
    "EngineState",
    "EngineStatus",
    "Interest",
    "LadderReading",
    "LinkStatus",
    "Tap",
    "WaitForRoom",
]

EngineState = Literal["connecting", "connected", "reconnecting", "refused", "closed"]

WaitForRoom = Callable[[float], bool]
"""Blocks for at most so many seconds until whoever reads has room for more rows; returns whether there is."""


class Interest(Protocol):
    """What somebody wants of one channel, as an engine keeps it until it is released."""

    @property
    def channel(self) -> str:
        """The channel of the exchange."""
        ...

    @property
    def wanted(self) -> Wanted:
        """The tickers, or all of them; an empty set, of books alone, takes those that are wanted by others."""
        ...

    @property
    def connections(self) -> frozenset[int]:
        """The numbers, from 1, of the connections that it comes over now."""
        ...


@dataclass(frozen=True, slots=True)
class LinkStatus:
    """How one connection is doing.

    Attributes
    ----------
    number : int
        Which of the feed's it is, from 1.
    state : str
        ``connecting``, ``connected``, ``reconnecting``, ``refused`` (the credentials, at the last attempts) or
        ``closed``.
    reconnects : int
        Connections made after the first.
    last_error : str or None
        Its newest trouble.
    next_attempt_at : float or None
        When it is dialed again, in seconds of the computer's monotonic clock; None where it need not be.
    """

    number: int
    state: EngineState
    reconnects: int = 0
    last_error: str | None = None
    next_attempt_at: float | None = None


@dataclass(frozen=True, slots=True)
class ChannelStatus:
    """How one wanted channel is doing.

    Attributes
    ----------
    markets : int or None
        How many tickers the exchange has acknowledged; None for all.
    received_at : int
        When its newest message was received, microseconds; 0 before the first.
    messages : int
        How many were received.
    seq : int or None
        The sequence number of the newest; None where there are none, or several connections count each its own.
    vain_repairs : int
        Repairs of books in a row that did not hold, where that is more than one.
    """

    markets: int | None
    received_at: int = 0
    messages: int = 0
    seq: int | None = None
    vain_repairs: int = 0


@dataclass(frozen=True, slots=True)
class ClockStep:
    """The computer's clock was set while the engine ran.

    Attributes
    ----------
    at : int
        The clock's time right after, microseconds.
    by : int
        By how many microseconds it moved; below zero: back.
    """

    at: int
    by: int


@dataclass(frozen=True, slots=True)
class EngineStatus:
    """How an engine is doing at one moment.

    Attributes
    ----------
    state : str
        That of all links; ``refused`` and ``closed`` only where all of them are, ``connected`` only where all are.
    links : tuple of LinkStatus
        One a connection.
    channels : dict of str to ChannelStatus
        The channels that somebody wants.
    messages, messages_per_second : int, float
        Frames received in all, and over the last 5 s.
    lag_p50, lag_p99 : float or None
        Receive time less the exchange's time stamp, in seconds.
    lag_grows : bool
        Whether the lag has grown for 30 s on end.
    duplicates, rejected : int
        Frames with an old sequence number, and frames that were set aside, or lost a field that could not be read.
    clock_skew : float or None
        Seconds by which this computer's clock is ahead of the exchange's.
    clock_steps : tuple of ClockStep
        The newest times that this computer's clock was set.
    troubles : tuple of (float, str)
        Recent troubles, each with its moment in seconds of the computer's monotonic clock.
    faults : int
        How often a thread of the engine ended unexpectedly and was begun anew; anything but 0 is a bug.
    """

    state: EngineState
    links: tuple[LinkStatus, ...] = ()
    channels: Mapping[str, ChannelStatus] = field(default_factory=dict)
    messages: int = 0
    messages_per_second: float = 0.0
    lag_p50: float | None = None
    lag_p99: float | None = None
    lag_grows: bool = False
    duplicates: int = 0
    rejected: int = 0
    clock_skew: float | None = None
    clock_steps: tuple[ClockStep, ...] = ()
    troubles: tuple[tuple[float, str], ...] = ()
    faults: int = 0

    @property
    def last_error(self) -> str | None:
        """The newest trouble."""
        return max(self.troubles)[1] if self.troubles else None


Tap = Callable[[Heard], None]
"""Who hears all that comes and is sent, before it means anything: a recorder. Called on the engine's own thread, which
must not wait. What it is handed may be kept. One that raises is taken off and reported."""


class Engine(Protocol):
    """What takes in an exchange's messages, as the rooms above know it.

    All of it may be called from any thread but the engine's own, and only :meth:`start`, :meth:`want`,
    :meth:`catalog`, :meth:`reconnect` (a moment) and :meth:`close` wait.
    """

    @property
    def url(self) -> str:
        """Where the data comes from, for people."""
        ...

    @property
    def clock(self) -> Clock:
        """The market's time, by which rows, gaps and statuses are stamped."""
        ...

    @property
    def is_manual(self) -> bool:
        """Whether that time goes on only where somebody moves it: then nothing is on its way in between."""
        ...

    @property
    def gaps(self) -> GapLog:
        """Every gap, of all connections."""
        ...

    @property
    def state(self) -> EngineState:
        """The state of :meth:`status`, without the rest."""
        ...

    def steady(self, at: int | None = None) -> int:
        """Return where a microsecond of :attr:`clock` lies on a timeline that never goes back.

        Parameters
        ----------
        at : int, optional
            By the clock as it is set now; its present time where it is left out.
        """
        ...

    def status(self) -> EngineStatus:
        """Return how it is doing."""
        ...

    def rejects(self) -> list[Reject]:
        """Return the newest frames that were set aside, oldest first."""
        ...

    def start(self, timeout: float, wait_for_room: WaitForRoom) -> None:
        """Begin, and wait at most `timeout` seconds until there is something to ask.

        Parameters
        ----------
        timeout : float
            Seconds.
        wait_for_room : callable
            For an engine that could bring more than its readers can take, such as a replay at full speed.

        Raises
        ------
        CredentialsError, LinkError
            When there is nothing at the other end, or it refuses. The engine has ended then.
        """
        ...

    def close(self) -> None:
        """End within about 2 s; what it holds can still be read. Idempotent, from any thread but its own."""
        ...

    def reconnect(self) -> int:
        """Dial at once what waits for its next attempt; return how many connections that are, 0 where all is well.

        Raises
        ------
        FeedClosedError
            When the engine has ended.
        """
        ...

    def want(
        self, channel: str, wanted: Sequence[Wanted], *, timeout: float, rows: str | None = None
    ) -> list[Interest]:
        """Ask for several things of one channel together, and wait for the word on them while there is a connection.

        Parameters
        ----------
        channel : str
            A channel of the exchange.
        wanted : sequence of frozenset of str or All
            Each becomes an interest, which is released by itself.
        timeout : float
            Seconds to wait for the exchange's word.
        rows : str, optional
            Whose rows are made for these interests: the channel's own, ``quotes``, or, when None, none.

        Raises
        ------
        SubscriptionError
            When the exchange refused, or did not answer in time; nothing is wanted then.
        FeedClosedError
            When the engine has ended.
        """
        ...

    def release(self, *interests: Interest) -> None:
        """Want these no more; does not wait, and does nothing for those that were released."""
        ...

    def catalog(self, channel: str, timeout: float) -> list[str] | None:
        """Ask a reference feed what it has; None where there is no connection to ask by.

        Raises
        ------
        SubscriptionError, FeedClosedError
            As :meth:`want`.
        """
        ...

    def take(self, channel: str) -> list[Row]:
        """Take all rows of a channel, or all quotes, that are pending; called by one thread at a time."""
        ...

    def pending(self) -> Sequence[str]:
        """Return the channels, quotes among them, of which rows can be taken now."""
        ...

    def watch(self, channels: Sequence[str], wake: Callable[[], None]) -> bool:
        """Have `wake` called when a row of one of some channels comes, once, and instead of what was asked before.

        Called by whoever takes, one thread at a time. `wake` is called on the engine's thread, after the row can be
        taken, and must neither wait nor raise; once too often does no harm.

        Parameters
        ----------
        channels : sequence of str
            As :meth:`take` has them; an empty one forgets what was asked before.
        wake : callable
            What to call.

        Returns
        -------
        bool
            Whether rows of one of them are pending already; `wake` is not called then.
        """
        ...

    def on_read(self, wake: Callable[[], None]) -> None:
        """Have `wake` called once, after what comes next was taken in, and instead of what was asked before.

        For whoever shows ladders, which are read in place: while nothing comes, nothing can have changed. `wake` is
        called on the engine's thread and must neither wait nor raise; once too often does no harm.
        """
        ...

    def put(self, channel: str, rows: Sequence[Row]) -> None:
        """Have rows that were fetched later, such as trades lost in a gap, enter the frames at their place."""
        ...

    def tell_books(self, market_tickers: Collection[str]) -> None:
        """Have a :class:`BookRow` of each of these books that is live put among the rows, soon, at its place there.

        What is before it among the deltas is in the book, and what is after it is not. Does not wait.
        """
        ...

    def renew(self, market_tickers: Collection[str]) -> None:
        """Have books made anew that are not what the exchange has: each is a gap, and stale until it is repaired.

        Does not wait.
        """
        ...

    def ladder(self, market_ticker: str) -> LadderReading | None:
        """Return a wanted market's ladder, to be read in place; None where nobody wants it."""
        ...

    def applied(self, up_to: Mapping[int, int]) -> bool:
        """Tell whether all has been taken in, so that a clock that is moved by hand may go on.

        Parameters
        ----------
        up_to : mapping of int to int
            How many data messages the other end has sent, by this side's port of the connection. Ports that are not
            the engine's are left out.
        """
        ...

    def tap(self, tap: Tap) -> Callable[[], None]:
        """Let `tap` hear everything from now on, a checkpoint first; returns what takes it off."""
        ...

    def checkpoint(self) -> None:
        """Have every tap hear, soon, how all subscriptions and books stand between two reads; does not wait."""
        ...
