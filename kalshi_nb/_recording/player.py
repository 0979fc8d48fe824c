"""Plays a recording: hands it to an offline engine, one thing after the other, at a pace.

The pace is kept against an anchor, a moment of the recording and the moment at which it was due, and not by sleeping
from one item to the next: what is late is told at once, and lateness does not add up. The anchor is set anew whenever
the pace changes.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Final, Literal, Protocol

from kalshi_nb._clock import Clock
from kalshi_nb._redaction import shown
from kalshi_nb._rows.heard import Checkpoint, Heard, Read
from kalshi_nb._threads import set_role
from kalshi_nb._usage import real
from kalshi_nb._waiting import SLICE, Deadline
from kalshi_nb.errors import ConfigurationError

__all__ = ["Follower", "Pace", "Player", "pace"]

Pace = float | Literal["max"]

_FASTEST: Final = 1e6

_ROOM_EVERY: Final = 20_000
"""Messages between two looks whether there is room for more, at full speed."""

_TOGETHER: Final = 200
"""Items told while the lock is held once; whoever wants to pause waits for these."""


def pace(speed: object) -> Pace:
    """Return a speed as it may be: seconds a second above zero, or ``"max"``."""
    if isinstance(speed, str) and speed == "max":
        return "max"
    if 0 < (found := real(speed)) <= _FASTEST:
        return found
    raise ConfigurationError(
        f'speed={shown(speed)}: give seconds of the recording a second, such as 1 or 10, or "max". To stand still, '
        "pass paused=True, or call feed.replaying.pause()."
    )


class Told(Protocol):
    """The engine that is told."""

    def hear(self, heard: Heard) -> None:
        """Take up what came next."""
        ...

    def reset(self) -> None:
        """Forget what was told."""
        ...

    def drop_rows(self) -> None:
        """Let go of rows that nobody is to see."""
        ...


class Follower(Protocol):
    """The feed above the engine, as whoever moves its clock knows it."""

    def flush(self, timeout: float) -> None:
        """Wait until all that was told can be read."""
        ...

    def hold(self) -> None:
        """Deliver only when `flush` asks for it."""
        ...


class PlayClock:
    """The market's time while a recording is played: where the playing is.

    Attributes
    ----------
    us : int
        Where it stands, in microseconds; while it runs, where it stood at the anchor.
    """

    def __init__(self, us: int) -> None:
        self.us = us
        self._speed = 0.0
        self._since = 0.0
        self._until = us

    def now_us(self) -> int:
        """Return the moment of the recording."""
        if not self._speed:
            return self.us
        return min(self.us + int((time.monotonic() - self._since) * self._speed * 1e6), self._until)

    def run(self, speed: float, until: int) -> None:
        """Go on from here at a speed, at most until a moment."""
        self._since, self._until, self._speed = time.monotonic(), until, speed

    def stand(self, us: int | None = None) -> None:
        """Stand still, here or at a moment."""
        self.us = self.now_us() if us is None else us
        self._speed = 0.0

    def due_in(self, us: int) -> float:
        """Return the seconds until a moment of the recording; below zero where it is over."""
        return (us - self.us) / 1e6 / self._speed - (time.monotonic() - self._since)


class Player:
    """Plays to one engine.

    Parameters
    ----------
    items : callable
        Returns what was recorded; given a microsecond, from the checkpoint before it on.
    first, last : int
        The earliest and the latest time that is played.
    speed : float or "max"
        Seconds of the recording a second; ``"max"``: as fast as whoever reads takes it.
    is_manual : bool
        Whether it goes on only by :meth:`advance` and :meth:`step`.
    paused : bool
        Whether it begins standing.

    Attributes
    ----------
    clock : Clock
        Where the playing is.
    """

    # One condition guards all: the thread that plays holds it while it tells some items, and lets go of it while it
    # waits. So whoever pauses, seeks or steps does so between two items, on his own thread, and when he has let go, it
    # is done. `hear` calls nobody who could want the condition: what it wakes takes rows later.

    def __init__(
        self,
        items: Callable[[int | None], Iterator[Heard]],
        *,
        first: int,
        last: int,
        speed: Pace,
        is_manual: bool,
        paused: bool,
    ) -> None:
        self.first, self.last = first, last
        self.is_manual = is_manual
        self._clock = PlayClock(first)
        self.clock: Clock = self._clock
        self._items = items
        self._speed = speed
        self._paused = paused
        self._state = threading.Condition(threading.RLock())
        self._coming: Iterator[Heard] = iter(())
        self._next: Heard | None = None
        self._closed = False
        self._late = 0.0
        self._begun = False
        self._problem: BaseException | None = None
        self._thread = threading.Thread(target=self._play, name="kalshi-replay", daemon=True)
        self._engine: Told | None = None
        self._wait_for_room: Callable[[float], bool] = lambda _: True
        self._follower: Follower | None = None

    def begin(self, engine: Told, wait_for_room: Callable[[float], bool]) -> None:
        """Stand at the beginning, and play on unless it is to stand; called once."""
        self._engine, self._wait_for_room = engine, wait_for_room
        with self._state:
            self._go_to(self.first)
            self._anchor()
        if not self.is_manual:
            self._thread.start()

    def attach(self, follower: Follower) -> None:
        """Deliver to a feed; by hand where the clock is moved by hand."""
        self._follower = follower
        if self.is_manual:
            follower.hold()

    def close(self) -> None:
        """End it; what was told stays."""
        with self._state:
            self._closed = True
            self._clock.stand()
            self._state.notify_all()
        if self._thread.ident is not None and threading.current_thread() is not self._thread:
            self._thread.join(2.0)

    # How it is doing ----------------------------------------------------------------------------------

    @property
    def speed(self) -> Pace:
        """Seconds of the recording a second, or ``"max"``."""
        return self._speed

    @property
    def paused(self) -> bool:
        """Whether it stands until it is told to go on."""
        return self._paused

    @property
    def finished(self) -> bool:
        """Whether all of it has been told."""
        return self._next is None

    @property
    def late(self) -> float:
        """Seconds by which the newest item came later than it was due."""
        return self._late

    @property
    def problem(self) -> BaseException | None:
        """What ended it too early, such as a segment that went away."""
        return self._problem

    # From other threads -------------------------------------------------------------------------------

    def set_speed(self, speed: Pace) -> None:
        """Play on at another speed."""
        speed = pace(speed)
        with self._state:
            self._speed = speed
            self._anchor()

    def pause(self) -> None:
        """Stand still."""
        with self._state:
            self._paused = True
            self._anchor()

    def resume(self) -> None:
        """Play on."""
        with self._state:
            self._paused = False
            self._anchor()

    def seek(self, at: int) -> None:
        """Stand at a moment: books as they were then, frames empty."""
        with self._state:
            self._go_to(max(self.first, min(at, self.last)))
            self._anchor()
        self._flush()

    def step(self, messages: int) -> int:
        """Tell so many messages more, and stand; return how many there were."""
        with self._state:
            self._paused = True
            told = 0
            while told < messages and self._next is not None:
                heard = self._next
                if isinstance(heard, Read) and len(heard.messages) > messages - told:
                    some = messages - told
                    self._next = heard._replace(messages=heard.messages[some:])
                    self._tell(heard._replace(messages=heard.messages[:some]))
                    told += some
                    continue
                told += len(heard.messages) if isinstance(heard, Read) else 0
                self._tell(heard)
                self._take_next()
            self._anchor()
        self._flush()
        return told

    def advance(self, us: int) -> None:
        """Tell all of the next so many microseconds, and stand there."""
        with self._state:
            until = min(self._clock.now_us() + us, self.last)
            while self._next is not None and self._next.at <= until:
                self._tell(self._next)
                self._take_next()
            self._clock.stand(until)
        self._flush()

    def wait(self, timeout: float | None) -> bool:
        """Wait until all has been told and can be read; return whether it was."""
        deadline, done = Deadline(timeout), False
        with self._state:
            while not done:
                done = self._state.wait_for(lambda: self._next is None or self._closed, deadline.left(SLICE))
                if deadline.is_over:
                    break
        if done:
            self._flush()
        return done

    def _flush(self) -> None:
        if self._follower is not None and not self._closed:
            self._follower.flush(30.0)

    # With the condition held --------------------------------------------------------------------------

    def _go_to(self, at: int) -> None:
        """Stand right before what came after a moment, without a word of what was before."""
        assert self._engine is not None
        if self._begun:
            self._engine.reset()
        self._coming = self._items(at)
        self._take_next()
        count = 0
        while self._next is not None and (self._next.at < at or isinstance(self._next, Checkpoint)):
            self._tell(self._next)
            self._take_next()
            count += 1
            if not count % 1_000:
                self._engine.drop_rows()
        self._engine.drop_rows()
        self._begun = True
        self._clock.stand(at)

    def _take_next(self) -> None:
        """Look at what comes next."""
        try:
            self._next = next(self._coming, None)
        except Exception as problem:  # noqa: BLE001  # a disk's; the replay ends there, and says so
            self._problem, self._next = problem, None
        if self._next is not None and self._next.at > self.last:
            self._next = None
        if self._next is None:
            self._state.notify_all()

    def _tell(self, heard: Heard) -> None:
        assert self._engine is not None
        self._engine.hear(heard)

    def _anchor(self) -> None:
        """Take the present as the beginning of the pace."""
        self._clock.stand()
        if not (self._paused or self._closed or self.is_manual or self._speed == "max" or self._next is None):
            self._clock.run(self._speed, self.last)
        self._state.notify_all()

    # On the thread that plays -------------------------------------------------------------------------

    def _play(self) -> None:
        set_role("io")  # rows come from here: whoever waits for data on this thread waits for ever
        unseen = 0
        while True:
            with self._state:
                self._state.wait_for(lambda: self._closed or not (self._paused or self._next is None))
                if self._closed:
                    return
                if self._speed == "max":
                    unseen += self._tell_some()
                else:
                    self._tell_due()
            if unseen >= _ROOM_EVERY:
                unseen = 0
                while not self._closed and not self._wait_for_room(0.5):
                    pass

    def _tell_some(self) -> int:
        """Tell some items, whatever time it is; return how many messages they had."""
        count = 0
        for _ in range(_TOGETHER):
            heard = self._next
            if heard is None or count >= _ROOM_EVERY:
                break
            self._tell(heard)
            self._clock.stand(max(heard.at, self._clock.us))
            count += len(heard.messages) if isinstance(heard, Read) else 0
            self._take_next()
        return count

    def _tell_due(self) -> None:
        """Tell what is due, or wait until something is."""
        for _ in range(_TOGETHER):
            heard = self._next
            if heard is None:
                self._anchor()
                return
            rest = self._clock.due_in(heard.at)
            if rest > 0:
                self._state.wait(min(rest, 1.0))
                return
            self._late = -rest
            self._tell(heard)
            self._take_next()
