"""When rows are taken from the engine, and which of two threads takes them."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final, NamedTuple

from kalshi_nb._rows.channels import NEVER_DROPPED
from kalshi_nb._threads import set_role
from kalshi_nb._wakeup import Waiters, Wakeup

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Protocol

    class Make(Protocol):
        """Makes a turn: takes all rows that are pending and brings them where they are wanted."""

        def __call__(self, turn: int, *, asked: bool, ending: bool) -> Made:
            """Make the turn of a number, which somebody `asked` for or not."""
            ...


__all__ = ["Made", "Turns", "rest_after"]

_REST: Final = 8
"""A rest is so many times as long as the CPU time of the turn before it, so that turns of few rows take at most an
eighth of a core or so."""

_REST_OF_NOBODY: Final = 150
"""The same where nobody waits for the rows: frames that nobody reads are filled now and then."""

_FIRST_REST: Final = 0.001
"""Seconds that a rest lasts at most in the beginning."""

_USUAL: Final = 8
"""What is usual goes by so many turns. No rest is longer than usual: one turn in which blocks were joined, or garbage
collected, is soon made good by the others."""

_HELD: Final = 10.0
"""Seconds after which a hold ends by itself, when nobody asked for a turn."""

_MANY: Final = 100
"""Of a turn of so many rows, half of the time is the rows' own; no rest spares that."""

_UNRESTING: Final = tuple(NEVER_DROPPED)
"""Channels whose rows end any rest: those of one's own account."""


class Made(NamedTuple):
    """What a turn came to.

    Attributes
    ----------
    rows : int
        How many rows there were.
    awaited : bool
        Whether somebody waits for rows of these channels, so that the next ones are to come soon.
    """

    rows: int
    awaited: bool


def rest_after(times: int, spent: float, rows: int) -> float:
    """Return how long to rest after `spent` seconds of CPU time for so many rows."""
    return times * spent * _MANY / (_MANY + rows)


class Turns:
    """The turns of one feed: in each all rows that are pending are taken, as soon as there is one.

    After a turn comes a rest, in proportion to the CPU time that it took, at most `flush_interval`: a quiet feed is
    heard at once, a busy one is taken in large batches, and the share of a core that all this takes is bounded
    whatever comes. Where nobody waits for the rows, since they go into frames that nobody reads just now, the rest is
    a multiple of that, until somebody does (`hurry`). Rows of one's own account end any rest. The code of users is no
    part of a turn.

    Who takes the rows is the leader. It is the thread of the users' pipelines while that has nothing else to do, since
    a callback hears of a row a whole hop sooner where the thread that calls it was the one that was woken. Before that
    thread runs code of a user's it resigns, and the pipeline thread leads, so that whatever that code does, the feed's
    frames are filled. Turns are made one at a time under `_making`, by whoever, in the order of the rows.

    The leader sleeps on its `Wakeup`, and the engine is told which channels may ring it (`watch`): all of them while
    it waits, those of one's own account while it rests. `watch` says whether rows are there already, and it is asked
    after the last turn has taken what there was, so none is overslept; a ring too many makes a look that finds
    nothing. The engine keeps one watch, so `_leading` guards who leads together with the watch: nobody but the leader
    watches, and who resigns watches for the pipeline thread in the same breath.

    A turn is numbered by whoever asks for one: `ask` raises `_asked_turn` and waits until `_done_turn` has reached it.
    The pipeline thread makes those, and reads the number before it takes a row, so all that was pending when somebody
    asked is part of the turn that answers. Nothing is decided by `is_stopping` alone: the thread makes one more turn
    after it, and ends by itself. `hold` leaves all turns to those who ask: under a clock moved by hand a batch is a
    step of it.

    Parameters
    ----------
    make : callable
        Makes a turn; see `Make`.
    watch : callable
        Given channels and a function, has that called once when a row of one of them comes; returns whether some are
        pending already, and it will not be. See :meth:`kalshi_nb._engine.port.Engine.watch`.
    channels : sequence of str
        Which channels there are.
    failed : callable
        Called with what `make` lets through.
    flush_interval : float
        Seconds that a rest lasts at most.
    """

    def __init__(
        self,
        make: Make,
        watch: Callable[[Sequence[str], Callable[[], None]], bool],
        channels: Sequence[str],
        failed: Callable[[BaseException], None],
        *,
        flush_interval: float,
    ) -> None:
        self._make = make
        self._watch = watch
        self._channels = tuple(channels)
        self._failed = failed
        self._flush_interval = flush_interval
        self._changed = threading.RLock()
        self._making = threading.Lock()
        self._leading = threading.Lock()
        self._wakeup = self._leader = Wakeup()
        self._waiters = Waiters()
        self._thread: threading.Thread | None = None
        self._is_busy = False
        self._rested = 0.0
        self._nobody_waited = self._hurried = False
        self._usual_rest = _FIRST_REST
        self._held_until = 0.0
        self._asked_turn = 0
        self._done_turn = 0
        self._ended = False
        self.is_stopping = False
        """Whether the last turn is about to be made, or was."""

    def start(self) -> None:
        """Start the pipeline thread, once."""
        with self._changed:
            if self._thread is None and not self.is_stopping:
                self._thread = threading.Thread(target=self._run, name="kalshi-pipeline", daemon=True)
                self._thread.start()

    def stop(self, timeout: float) -> bool:
        """Make a last turn, and wait until the thread has ended, unless it is this one; return whether it has."""
        with self._changed:
            self.is_stopping = True
        self._wakeup.ring()
        thread = self._thread
        if thread is None or thread is threading.current_thread():
            return True
        thread.join(timeout)
        return not thread.is_alive()

    def ask(self, timeout: float | None) -> int | None:
        """Ask for a turn and wait until it is over; return its number, None where it is not within `timeout`."""
        with self._changed:
            self._asked_turn += 1
            turn = self._asked_turn
            if self._held_until:
                self._held_until = time.monotonic() + _HELD
        self._wakeup.ring()
        over = self._thread is None or self._waiters.wait_for(lambda: self._done_turn >= turn or self._ended, timeout)
        return turn if over else None

    def hold(self) -> None:
        """Leave the turns to those who ask for one until `let_go`.

        Whoever holds may be broken off by Ctrl-C before he lets go, at any step. So it ends by itself, too, when
        nobody has asked for a turn for 10 s.
        """
        self._held_until = time.monotonic() + _HELD

    def let_go(self) -> None:
        """Make turns without being asked again, however often they were held."""
        self._held_until = 0.0
        self._leader.ring()

    def hurry(self) -> None:
        """End a rest that is long because nobody waited, or the one after this turn: somebody waits from now on."""
        self._hurried = True  # first: who makes a turn looks at it when the rest after it is set
        if self._nobody_waited:
            self._nobody_waited = False
            self._rested = 0.0
            self._leader.ring()

    def lead(self, wakeup: Wakeup, timeout: float | None) -> None:
        """Be the leader for one sleep of at most so many seconds, and make a turn if it is time for one.

        Parameters
        ----------
        wakeup : Wakeup
            What the caller sleeps on; one thread alone calls this, and `resign`.
        timeout : float or None
            Seconds; None for as long as it takes.
        """
        self._leader = wakeup
        if self._is_held():
            wakeup.sleep(_least(timeout, self._flush_interval))
        elif self._is_time(wakeup, timeout):
            self._take(None)

    def resign(self) -> None:
        """Leave the lead to the pipeline thread, where it is not there yet."""
        if self._leader is self._wakeup:
            return
        with self._leading:
            self._leader = self._wakeup
            arrived = self._watch(self._channels, self._wakeup.ring)
        if arrived:
            self._wakeup.ring()

    def _run(self) -> None:
        set_role("pipeline")
        while not self._ended:
            self._sleep()
            with self._changed:
                turn, ending = self._asked_turn, self.is_stopping
            self._take(turn, ending=ending)
            with self._changed:
                self._ended = ending
            self._waiters.tell()

    def _take(self, turn: int | None, *, ending: bool = False) -> None:
        """Make a turn that answers all who asked up to a number, or nobody."""
        with self._making:
            turn = self._done_turn if turn is None else turn
            self._hurried = False  # whoever came before this waits already, as far as `make` sees
            began, made = time.thread_time(), Made(0, awaited=True)
            try:
                made = self._make(turn, asked=turn > self._done_turn, ending=ending)
            except BaseException as error:  # noqa: BLE001  # the feed's threads outlive every mistake
                self._failed(error)
            self._rested = time.monotonic() + self._rest_after(time.thread_time() - began, made)
            if self._hurried and self._nobody_waited:
                self._nobody_waited, self._rested = False, 0.0
            self._done_turn = turn

    def _rest_after(self, spent: float, made: Made) -> float:
        self._nobody_waited = not made.awaited
        if self._nobody_waited:
            return min(self._flush_interval, _REST_OF_NOBODY * spent)
        rest = min(self._flush_interval, rest_after(_REST, spent, made.rows))
        usual = self._usual_rest
        self._usual_rest += (min(rest, 2 * usual) - usual) / _USUAL
        return min(rest, usual)

    def _sleep(self) -> None:
        """Sleep until it is time for the pipeline thread to make a turn."""
        while not self._is_asked():
            if self._is_held():
                self._wakeup.sleep(self._flush_interval)
            elif self._leader is not self._wakeup:
                self._wakeup.sleep(None)  # who leads rings when that ends
            elif self._is_time(self._wakeup, self._flush_interval):
                return

    def _is_time(self, wakeup: Wakeup, timeout: float | None) -> bool:
        """Return at once whether the leader is to make a turn; or sleep once, and return False."""
        # Each time a thread is woken costs as much as the rows that come alone. So where rows come one by one the rest
        # passes while they are waited for, and where they come all the time nothing is waited for but its end.
        rest = self._rested - time.monotonic()
        if self._is_busy and rest > 0:
            if self._has_rows(_UNRESTING, wakeup):
                return True
            wakeup.sleep(_least(timeout, rest))
            return False
        if self._has_rows(self._channels, wakeup):
            self._is_busy = self._is_busy or rest > 0
            return rest <= 0
        self._is_busy = False
        wakeup.sleep(timeout)
        return False

    def _has_rows(self, channels: Sequence[str], wakeup: Wakeup) -> bool:
        """Return whether some are pending; where none are, they will ring the leader."""
        with self._leading:
            return self._leader is wakeup and self._watch(channels, wakeup.ring)

    def _is_asked(self) -> bool:
        return self.is_stopping or self._asked_turn > self._done_turn

    def _is_held(self) -> bool:
        return self._held_until > 0 and time.monotonic() < self._held_until


def _least(timeout: float | None, seconds: float) -> float:
    return seconds if timeout is None else min(timeout, seconds)
