"""A recording as a programme of the server: played once, and each client gets of it what it asked for.

It is no `Playback`, which sends a file to the letter. Here a client has a session as with the live market: sids and
numbers of its own, answers to its commands, and books as they stand at the moment at which it asks. Who reads the
recording stands outside of this room, and hands over plain data.
"""

from __future__ import annotations

import asyncio
import json
import threading
from decimal import Decimal
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from kalshi_nb.sim import _frames
from kalshi_nb.sim._attendance import Attendance
from kalshi_nb.sim._channels import BOOK, FEEDS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kalshi_nb.sim._connection import Connection

__all__ = ["Book", "Loss", "Message", "Recorded", "ReplayedMarket"]

_QUIET: Final = 0.5
"""Seconds without a command after the first subscription, after which the playing begins: clients ask one by one."""
_LONGEST_QUIET: Final = 5.0
_TOGETHER: Final = 64
"""Reads that are due together before clients are heard again."""
_BACKLOG: Final = 10_000
"""Frames that may wait for a client at full speed before it is waited for."""


class Message(NamedTuple):
    """One message of the exchange's; what a client's frame is made of.

    Attributes
    ----------
    channel, kind : str
        Its channel, and the type of its frame.
    ticker : str or None
        What it is about, as a filter would name it.
    text : str
        Its ``msg``, as it came.
    sending_ts_ms : int or None
        Likewise.
    """

    channel: str
    kind: str
    ticker: str | None
    text: str
    sending_ts_ms: int | None

    def body(self, *, use_yes_price: bool) -> str:
        """Return the text of its ``msg``; recorded prices of the NO side are those of the NO leg."""
        if not use_yes_price or self.channel != BOOK:
            return self.text
        message = json.loads(self.text)
        if message.get("side") == "no":
            message["price_dollars"] = str(1 - Decimal(message["price_dollars"]))
        return json.dumps(message, separators=(",", ":"))


class Loss(NamedTuple):
    """Something is missing here: so many frames, 0 where all came, of these markets, None for any."""

    channel: str
    frames: int
    tickers: frozenset[str] | None


class Book(NamedTuple):
    """A book: levels ascend, in 1/10000 dollar and 1/100 contract; `clock` None where it is not known."""

    market_id: str
    clock: int | None
    yes: Sequence[tuple[int, int]]
    no: Sequence[tuple[int, int]]


class Recorded(Protocol):
    """What is played."""

    @property
    def channels(self) -> Mapping[str, frozenset[str] | None]:
        """What was recorded, by channel; None for all of it."""
        ...

    @property
    def market_ids(self) -> Mapping[str, str]:
        """The uuids of markets, as far as they came."""
        ...

    def next_at(self) -> int | None:
        """Return when the next thing came, in microseconds; None behind the last one."""
        ...

    def take(self) -> Sequence[Message | Loss]:
        """Return what came then, in its order, and go on: books stand as after it."""
        ...

    def book(self, ticker: str) -> Book | None:
        """Return a book as it stands after all that was taken, None where the recording does not know it then."""
        ...


class _Floor:
    """The markets of a recording, at the moment that is played; see `kalshi_nb.sim._floor.Floor`."""

    prefers_yes_prices = False

    def __init__(self, recorded: Recorded) -> None:
        self.now_us = 0
        self._recorded = recorded
        self._is_stamped = False
        self._newest: dict[str, str] = {}
        self._seen: dict[str, set[str]] = {channel: set() for channel in recorded.channels}

    @property
    def tickers(self) -> set[str]:
        return set(self._newest).union(*(names or () for names in self._recorded.channels.values()))

    def hear(self, message: Message) -> None:
        """Take note of a message, whoever gets it."""
        self._is_stamped = message.sending_ts_ms is not None
        if message.ticker is None:
            return
        if message.channel in FEEDS:
            self._seen[message.channel].add(message.ticker)
        elif message.channel == "ticker":
            self._newest[message.ticker] = message.text

    def has_channel(self, channel: str) -> bool:
        # A channel that was not recorded is unknown here: to acknowledge it would say that nothing happens on it.
        return channel in self._recorded.channels

    def names_of(self, channel: str) -> set[str]:
        return self._seen[channel].union(self._recorded.channels[channel] or ())

    def take_missing(self, channel: str, wanted: set[str]) -> list[str]:
        names = self._recorded.channels[channel]
        if names is None or channel in FEEDS:
            return []
        missing = sorted(wanted - names)
        wanted &= names
        return missing

    def take_excess(self, held: set[str], wanted: set[str]) -> list[str]:  # noqa: ARG002  # there is room for all
        return []

    def ignores_request(self) -> bool:
        return False

    def tickers_of(self, market_ids: tuple[str, ...]) -> set[str]:
        asked = {each.lower() for each in market_ids}
        return {ticker for ticker, market_id in self._recorded.market_ids.items() if market_id in asked}

    def ids_of(self, tickers: set[str]) -> list[str]:
        known = self._recorded.market_ids
        return [known[ticker] for ticker in tickers if ticker in known]

    def snapshot_body(self, ticker: str, *, use_yes_price: bool) -> str | None:
        book = self._recorded.book(ticker)
        if book is None:
            return None
        return _frames.snapshot_body(
            ticker, book.market_id, book.clock, book.yes, book.no, use_yes_price=use_yes_price
        )

    def ticker_body(self, ticker: str) -> str | None:
        return self._newest.get(ticker)

    def sending_ts_ms(self) -> int | None:
        return self.now_us // 1000 if self._is_stamped else None


class ReplayedMarket:
    """Plays a recording to every connection that is subscribed to something of it.

    The pace is kept against an anchor, and not by sleeping from one step to the next: what is late goes out at once,
    and lateness does not add up.

    Parameters
    ----------
    recorded : Recorded
        What is played.
    speed : float or None
        Seconds of the recording a second; None for as fast as the slowest client takes it.
    held : bool
        Whether it stands until `begin`; else it begins when somebody has subscribed, and for half a second nobody
        has sent a command.

    Attributes
    ----------
    finished : threading.Event
        Set when all has been handed to the network, and where the recording could not be read to its end.
    problem : Exception or None
        What ended it too early.
    """

    def __init__(self, recorded: Recorded, speed: float | None, *, held: bool) -> None:
        self.finished = threading.Event()
        self.problem: Exception | None = None
        self._recorded = recorded
        self._speed = speed
        self._held = held
        self._floor = _Floor(recorded)
        self._attendance = Attendance(self._floor)
        self._begun = asyncio.Event()
        self._beginning: asyncio.TimerHandle | None = None
        self._first_heard: float | None = None

    async def run(self) -> None:
        """Play, once; whoever is connected stays afterwards, and hears nothing more."""
        await self._begun.wait()
        try:
            await self._play()
        except Exception as problem:  # noqa: BLE001  # a disk's; whoever serves it says so
            self.problem = problem
            await self._end_connections()
        self.finished.set()

    def begin(self) -> None:
        """Play, from now on; on the server's thread."""
        self._begun.set()

    async def attend(self, connection: Connection) -> None:
        """Answer a client's commands for as long as it stays."""
        await self._attendance.attend(connection, self._answered)

    def forget(self, connection: Connection) -> None:
        """Send nothing more to a connection."""
        self._attendance.forget(connection)

    def _answered(self) -> None:
        """Begin soon, where somebody is subscribed: clients ask for one thing after the other."""
        if self._held or self._begun.is_set():
            return
        sessions = self._attendance.sessions().values()
        if not any(each.is_open(channel) for each in sessions for channel in self._recorded.channels):
            return
        loop = asyncio.get_running_loop()
        if self._first_heard is None:
            self._first_heard = loop.time()
        if self._beginning is not None:
            self._beginning.cancel()
        at = min(loop.time() + _QUIET, self._first_heard + _LONGEST_QUIET)
        self._beginning = loop.call_at(at, self._begun.set)

    async def _play(self) -> None:
        loop = asyncio.get_running_loop()
        began, first = loop.time(), self._recorded.next_at() or 0
        count = 0
        while (at := self._recorded.next_at()) is not None:
            if self._speed is None:
                await self._wait_for_room(_BACKLOG)
            else:
                early = began + (at - first) / 1e6 / self._speed - loop.time()
                if early > 0:
                    await asyncio.sleep(early)
            count += 1
            if count % _TOGETHER == 0:
                await asyncio.sleep(0)
            self._tell(at)
        await self._wait_for_room(0)

    async def _wait_for_room(self, backlog: int) -> None:
        # Whoever is gone is no session any more, so that nobody waits for him.
        while any(each.backlog > backlog for each in self._attendance.sessions()):  # noqa: ASYNC110  # of any of many
            await asyncio.sleep(0.001)

    def _tell(self, at: int) -> None:
        # Once this is taken the books are those after it. Nobody can ask in between, since all of this is one turn of
        # the loop; and whoever waits for a snapshot gets it behind the changes that are in it.
        told = self._recorded.take()
        self._floor.now_us = at
        sessions = list(self._attendance.sessions().values())
        for each in told:
            if isinstance(each, Message):
                self._floor.hear(each)
                for session in sessions:
                    session.publish(each)
            else:
                for session in sessions:
                    session.lose(*each)
        for session in sessions:
            session.send_due()

    async def _end_connections(self) -> None:
        for connection in self._attendance.sessions():
            await connection.close(1011, "the recording cannot be read any further")
