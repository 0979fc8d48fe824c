"""The offline engine: told again what an engine heard, it makes the same rows, books and gaps.

It has no thread and no time of its own. Whoever has a recording hands over one thing after the other by
:meth:`OfflineEngine.hear`, and takes rows in between; whoever plays one does that on a thread, at a pace
(:mod:`kalshi_nb._recording.replay`). Nothing can be asked for that was not recorded, and nothing is ever sent.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from kalshi_nb._clock import Clock
from kalshi_nb._engine.port import (
    ChannelStatus,
    ClockStep,
    EngineState,
    EngineStatus,
    Interest,
    LadderReading,
    LinkStatus,
    Tap,
    WaitForRoom,
)
from kalshi_nb._engine.refusals import not_recorded
from kalshi_nb._engine.row_lists import RowLists
from kalshi_nb._engine.taps import Taps
from kalshi_nb._rows.channels import BOOKS, ROWS
from kalshi_nb._rows.gaps import MOST_GAPS, GapLog
from kalshi_nb._rows.heard import LOSSES, Checkpoint, Event, Heard, Read, Sent
from kalshi_nb._rows.rejects import MOST_REJECTS, Reject
from kalshi_nb._rows.steering import ClockStepRow, ResetRow
from kalshi_nb._rows.wanted import ALL, Wanted
from kalshi_nb._session.extension import COMPILED, row_columns
from kalshi_nb._session.recorded import RecordedSession
from kalshi_nb.errors import FeedClosedError

__all__ = ["OfflineEngine", "Recorded"]


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a recording has, as far as an engine has to know before it hears it.

    Attributes
    ----------
    name : str
        What it is called, for people.
    channels : mapping of str to frozenset of str or All
        What was subscribed to, by channel.
    homes : mapping of str to int
        Over which connection each book came.
    connections : int
        How many there were.
    """

    name: str
    channels: Mapping[str, Wanted]
    homes: Mapping[str, int]
    connections: int = 1


@dataclass(eq=False, slots=True)
class OfflineInterest:
    """What somebody wants of a recording."""

    channel: str
    wanted: Wanted
    rows: str | None
    connections: frozenset[int]


class Player(Protocol):
    """Who tells an engine what was recorded, on a thread of its own."""

    @property
    def clock(self) -> Clock:
        """The market's time, as far as it was told."""
        ...

    def begin(self, engine: OfflineEngine, wait_for_room: WaitForRoom, /) -> None:
        """Tell the engine, from now on."""
        ...

    def close(self) -> None:
        """Tell it nothing more."""
        ...


class _Told:
    """The clock of what is told: it stands at the newest moment of it."""

    def __init__(self) -> None:
        self.us = 0

    def now_us(self) -> int:
        return self.us


class OfflineEngine(RowLists):
    """Sessions that are told again what theirs once heard; see :class:`kalshi_nb._engine.port.Engine`.

    Parameters
    ----------
    recorded : Recorded
        What can be asked for.
    player : Player, optional
        Who tells it, from when it is started to when it is closed; without one whoever holds it does.
    most_gaps : int
        How many gaps are kept.
    columns : iterable of str, optional
        Channels whose rows are columns from the beginning, as far as they can be, for :meth:`take_columns`. They have
        nothing but plain rows.
    compiled : bool, optional
        Whether the compiled part does what it can.

    Attributes
    ----------
    url : str
        Where the data comes from, for people.
    clock : Clock
        The market's time.
    gaps : GapLog
        Every gap so far.
    """

    # `hear` is called by one thread, rows are taken by another, and things are asked for by any. Rows and ladders are
    # read as those of the live engine: lists of which one thread appends at the end and one takes from the beginning,
    # and ladders by their version. What is wanted changes while a lock is held that `hear` holds, too: a session is
    # changed by one thread at a time.

    def __init__(
        self,
        recorded: Recorded,
        player: Player | None = None,
        *,
        most_gaps: int = MOST_GAPS,
        columns: Iterable[str] = (),
        compiled: bool = COMPILED,
    ) -> None:
        super().__init__()
        self._columns = row_columns(columns, compiled=compiled)
        self._rows.update(self._columns)  # type: ignore[arg-type]  # they take rows as a list does
        self.url = recorded.name
        self.gaps = GapLog(most_gaps)
        self._recorded = recorded
        self._told = _Told()
        self._player = player
        self.clock: Clock = self._told if player is None else player.clock
        self._lock = threading.RLock()
        self._sessions = {
            number: RecordedSession(
                now_us=self._told.now_us,
                steady=self.steady,
                gaps=self.gaps,
                rows=self._rows,
                connection=number,
                alone=recorded.connections == 1,
                compiled=compiled,
            )
            for number in range(1, recorded.connections + 1)
        }
        self._listened: Counter[str] = Counter()
        self._requests: dict[OfflineInterest, list[tuple[int, Any]]] = {}
        self._taps = Taps(lambda text: self._reported.append((time.monotonic(), text)))
        self._reported: list[tuple[float, str]] = []
        self._stepped = 0
        self._steps: list[ClockStep] = []
        self._state: EngineState = "connecting"

    # What it is told ----------------------------------------------------------------------------------

    def hear(self, heard: Heard) -> None:
        """Take up what came next; one thread at a time."""
        with self._lock:
            self._told.us = heard.at
            if isinstance(heard, Read):
                self._session(heard.connection).receive(heard.messages, heard.at)
                self._session(heard.connection).events.clear()
            elif isinstance(heard, Sent):
                self._session(heard.connection).sent(heard.command)
            elif isinstance(heard, Checkpoint):
                self._checkpoint(heard)
            else:
                self._event(heard)
        if self._taps.every:
            self._taps.hear(heard)
        self._arrived()

    def _session(self, connection: int) -> RecordedSession:
        return self._sessions[connection]

    def _checkpoint(self, stood: Checkpoint) -> None:
        for number, session in self._sessions.items():
            if number in stood.connected and not session.is_connected:
                session.connected()
            elif number not in stood.connected and session.is_connected:
                session.disconnected()
            session.restore(
                [each for each in stood.subscriptions if each.connection == number],
                [each for each in stood.books if each.connection == number],
            )

    def _event(self, event: Event) -> None:
        if event.kind == "connected":
            self._session(event.connection).connected()
        elif event.kind == "lost":
            self._session(event.connection).disconnected()
        elif event.kind == "released":
            self._session(event.connection).released(event.text)
        elif event.kind == "clock":
            self._step(int(event.text.split()[0]), event.at)
        elif event.kind == "not_recorded":
            self._lose(event.kind, {})  # what there was is known: it ended in good order
        elif event.kind in LOSSES:
            self._lose(event.kind, self._recorded.channels)  # a loss is called as the gap that it is

    def _lose(self, reason: Any, doubtful: Mapping[str, Wanted]) -> None:
        """Have all sessions lose something; it may be how channels began that are `doubtful`."""
        for each in self._sessions.values():
            each.lose_some(reason, doubtful)

    def _step(self, by: int, at: int) -> None:
        self._stepped += by
        self._steps.append(ClockStep(at, by))
        for rows in self._rows.values():
            rows.append(ClockStepRow(by))

    def reset(self) -> None:
        """Forget what was told, and have frames do so: what comes next is a checkpoint of another moment."""
        with self._lock:
            for session in self._sessions.values():
                session.forget()
            self.gaps.clear()
            for rows in self._rows.values():
                rows.append(ResetRow())
        self._arrived()

    def take_columns(self, channel: str) -> list[tuple[Any, list[Any] | None]] | None:
        """Take all rows of `channel` that are pending, column by column; None where they are not kept so.

        Returns
        -------
        list of (Values, list or None) or None
            For each column its values, as Arrow's; where they are places in a list of names, that list.
        """
        kept = self._columns.get(channel)
        return None if kept is None else kept.take()

    def drop_rows(self) -> None:
        """Let go of the rows made so far, which nobody is to see; a reset among them stays."""
        for rows in self._rows.values():
            kept = [each for each in rows if type(each) is ResetRow][:1]
            rows[:] = kept

    # How it is doing ----------------------------------------------------------------------------------

    @property
    def state(self) -> EngineState:
        """``connected`` while it is open, whatever the recorded connections were."""
        return self._state

    def steady(self, at: int | None = None) -> int:
        """Return where a microsecond of the recording lies on a timeline that never goes back."""
        return (self.clock.now_us() if at is None else at) - self._stepped

    def status(self) -> EngineStatus:
        """Return how it is doing."""
        sessions = list(self._sessions.values())
        return EngineStatus(
            state=self._state,
            links=tuple(LinkStatus(number, self._link_state(each)) for number, each in self._sessions.items()),
            channels=self._channels(),
            messages=sum(each.messages for each in sessions),
            duplicates=sum(each.duplicates for each in sessions),
            rejected=sum(each.rejected for each in sessions),
            clock_steps=tuple(self._steps[-20:]),
            troubles=tuple(self._reported),
        )

    def _link_state(self, session: RecordedSession) -> EngineState:
        if self._state != "connected" or session.is_connected:
            return self._state
        return "reconnecting"

    def _channels(self) -> dict[str, ChannelStatus]:
        found: dict[str, ChannelStatus] = {}
        for session in self._sessions.values():
            for channel, each in list(session.subscriptions.items()):
                before = found.get(channel, ChannelStatus(0))
                markets = None if each.all_markets or before.markets is None else len(each.market_tickers)
                found[channel] = ChannelStatus(
                    None if markets is None or before.markets is None else before.markets + markets,
                    max(before.received_at, each.received_at),
                    before.messages + each.messages,
                    each.seq if channel not in found else None,
                )
        return found

    def acknowledged(self, channel: str) -> Wanted | None:
        """Return for which markets the exchange sends a channel at the moment that was told last; None for none."""
        found = [each.subscriptions[channel] for each in self._sessions.values() if channel in each.subscriptions]
        if any(each.all_markets for each in found):
            return ALL
        return frozenset[str]().union(*(each.market_tickers for each in found)) or None

    def rejects(self) -> list[Reject]:
        """Return the newest frames that were set aside, oldest first."""
        found = [each for session in self._sessions.values() for each in session.rejects.copy()]
        return sorted(found, key=lambda each: each.received_us)[-MOST_REJECTS:]

    def applied(self, up_to: Mapping[int, int]) -> bool:  # noqa: ARG002  # nobody sends anything
        """Tell that nothing is on its way."""
        return True

    # From other threads -------------------------------------------------------------------------------

    def start(self, timeout: float, wait_for_room: WaitForRoom) -> None:  # noqa: ARG002  # nobody has to answer
        """Begin to be told."""
        self._state = "connected"
        if self._player is not None:
            self._player.begin(self, wait_for_room)

    def close(self) -> None:
        """End; what it holds can still be read."""
        if self._state == "closed":
            return
        self._state = "closed"
        if self._player is not None:
            self._player.close()
        with self._lock:
            self.gaps.seal()
            for each in self._sessions.values():
                each.close()
        self._arrived()

    def reconnect(self) -> int:
        """Return 0: there is nothing to dial."""
        return 0

    def want(
        self,
        channel: str,
        wanted: Sequence[Wanted],
        *,
        timeout: float,  # noqa: ARG002  # there is nobody to answer
        rows: str | None = None,
    ) -> list[Interest]:
        """Ask for what was recorded.

        Raises
        ------
        SubscriptionError
            When it was not; the message says what was.
        FeedClosedError
            When the engine has ended.
        """
        if self._state == "closed":
            raise FeedClosedError("The replay is closed; what it holds can be read. kn.replay() again for more.")
        for each in wanted:
            self._check(channel, each)
        return [self._want(channel, each, rows) for each in wanted]

    def _check(self, channel: str, wanted: Wanted) -> None:
        """Refuse what nobody recorded."""
        recorded = self._recorded.channels.get(channel)
        if recorded is None:
            raise not_recorded(self.url, channel, (), sorted(self._recorded.channels))
        if isinstance(recorded, frozenset) and isinstance(wanted, frozenset) and not wanted <= recorded:
            raise not_recorded(self.url, channel, sorted(wanted - recorded), sorted(recorded))

    def _want(self, channel: str, wanted: Wanted, rows: str | None) -> OfflineInterest:
        interest = OfflineInterest(channel, wanted, rows, frozenset(self._sessions))
        with self._lock:
            self._requests[interest] = []
            if channel == BOOKS and isinstance(wanted, frozenset):
                for ticker in sorted(wanted):
                    home = self._recorded.homes.get(ticker, 1)
                    self._requests[interest].append((home, self._sessions[home].want(BOOKS, frozenset([ticker]))))
            if rows is not None:
                self._listened[rows] += 1
                self._listen(rows, on=True)
        return interest

    def _listen(self, rows: str, *, on: bool) -> None:
        if rows in ROWS:
            for session in self._sessions.values():
                session.listen(rows, on=on)

    def release(self, *interests: Interest) -> None:
        """Want these no more."""
        with self._lock:
            for each in interests:
                requests = self._requests.pop(each, None)  # type: ignore[call-overload]
                if requests is None:
                    continue
                for home, request in requests:
                    self._sessions[home].release(request)
                rows = each.rows  # type: ignore[attr-defined]
                if rows is not None:
                    self._listened[rows] -= 1
                    if not self._listened[rows]:
                        self._listen(rows, on=False)

    def catalog(self, channel: str, timeout: float) -> list[str] | None:  # noqa: ARG002  # nothing is waited for
        """Return what of a reference feed was recorded by name."""
        recorded = self._recorded.channels.get(channel)
        return sorted(recorded) if isinstance(recorded, frozenset) else None

    def ladder(self, market_ticker: str) -> LadderReading | None:
        """Return a market's ladder, None when nobody wants it."""
        return self._sessions[self._recorded.homes.get(market_ticker, 1)].ladder(market_ticker)

    def ladders(self) -> Iterator[LadderReading]:
        """Return the ladders there are, by market."""
        found = [each for session in self._sessions.values() for each in session.ladders()]
        return iter(sorted(found, key=lambda each: each.market_ticker))

    @property
    def is_manual(self) -> bool:
        """Whether the clock is moved by hand: by whoever plays."""
        return True

    def tell_books(self, market_tickers: Collection[str]) -> None:
        """Do nothing: there is no exchange whose books a recording's could be compared with."""

    def renew(self, market_tickers: Collection[str]) -> None:
        """Do nothing, as `tell_books`."""

    def tap(self, tap: Tap) -> Callable[[], None]:
        """Let `tap` hear everything from now on; what is told begins with a checkpoint by itself."""
        return self._taps.add(tap)

    def checkpoint(self) -> None:
        """Do nothing: a recording has its own."""
