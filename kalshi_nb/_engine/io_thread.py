"""The thread ``kalshi-io`` with its event loop: kept going whatever ends it, until its end is wanted.

Other threads reach it in one way: they append a function to a queue and wake the loop, which runs all that are there,
in their order. The queue outlives loops, so what was posted while one ended is run by the next, once: a function
leaves the queue before it runs. Whoever waits for an answer does so in short pieces, and looks whether the thread has
ended.

Who sleeps for what the loop takes in is woken when the loop has done all that is due, a moment before it sleeps itself
(`before_sleep`). Sooner, the interpreter would be the loop's yet, and who was woken had to sleep once more.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import selectors
import sys
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import TYPE_CHECKING, Any, Final, TypeVar

from kalshi_nb._engine.refusals import closed_error
from kalshi_nb._logging import log
from kalshi_nb._rows.foreign import plain_text
from kalshi_nb._threads import set_role

if TYPE_CHECKING:
    from selectors import SelectorKey

__all__ = ["IoThread"]

T = TypeVar("T")

JOIN: Final = 2.0
PAUSE: Final = 0.5
"""Seconds before a loop that ended is begun anew."""

_LOOK: Final = 0.25

_REST: Final = 0.00125
"""Seconds between two reads of a busy loop. Half of it passes before a message is read, on the mean."""

_LONGEST: Final = 3.2
"""So many times as long is a rest where messages come so thick that being woken costs more than the few that came …"""

_THICKLY: Final = 5_000
_MORE: Final = 0.44
"""… which begins at so many a second, and grows by so many times for each thousand more …"""

_TOGETHER: Final = 100
"""… but no rest is longer than so many take to come: they pay for being woken, and a socket holds only so much."""

_LATELY: Final = 0.9
"""How much each read before counts of the next, where it is asked how many come."""

_THICK: Final = 1.5
"""A loop is busy while something comes within so many rests."""

_SELECTS: Final = sys.platform != "win32"
"""Whether the loop waits by a selector. The loop of Windows, which does not, is left as it is."""


class IoThread:
    """One thread, and one event loop at a time on it.

    Parameters
    ----------
    live : callable
        Returns what the loop runs; when that returns, the thread ends.
    interrupted : callable
        Called on the thread after a loop ended although `live` had not.
    end : callable
        Called on the thread at its end.
    longest_rest : float
        Seconds that the loop may let pass between two reads where much comes.

    Attributes
    ----------
    faults : int
        How many loops ended unexpectedly.
    fault : (float, str) or None
        The newest of these, with its moment on the monotonic clock.
    """

    def __init__(
        self,
        live: Callable[[], Awaitable[None]],
        interrupted: Callable[[], None],
        end: Callable[[], None],
        *,
        longest_rest: float = _REST,
    ) -> None:
        self.faults = 0
        self.fault: tuple[float, str] | None = None
        self._live = live
        self._interrupted = interrupted
        self._end = end
        self._rest, self._longest_rest = min(_REST, longest_rest), longest_rest
        self._closing = threading.Event()
        self._posted: deque[Callable[[], object]] = deque()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._main: asyncio.Task[None] | None = None
        self._selector: _Selector | None = None
        self._thread = threading.Thread(target=self._run, name="kalshi-io", daemon=True)

    @property
    def closing(self) -> bool:
        """Whether its end is wanted."""
        return self._closing.is_set()

    @property
    def is_alive(self) -> bool:
        """Whether it runs."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Start the thread; once."""
        self._thread.start()

    def close(self) -> None:
        """End the thread and wait for it, at most 2 s, unless it is this one; idempotent."""
        self._closing.set()
        loop, main = self._loop, self._main
        if loop is not None and main is not None:
            with contextlib.suppress(RuntimeError):  # the loop ended by itself a moment ago
                loop.call_soon_threadsafe(self._cancel, main)
        if self._thread.ident is not None and threading.current_thread() is not self._thread:
            self._thread.join(JOIN)

    @staticmethod
    def _cancel(main: asyncio.Task[None]) -> None:
        """Cancel what the loop runs, once: a second time would cut its farewells short, and leave sockets open."""
        if not main.cancelling():
            main.cancel()

    def call(self, function: Callable[[], T]) -> T:
        """Run `function` on the thread and return what it returns.

        Raises
        ------
        FeedClosedError
            When the thread has ended.
        """
        answer: Future[T] = Future()

        def run() -> None:
            try:
                answer.set_result(function())
            except BaseException as problem:  # noqa: BLE001  # raised again where it was asked for
                answer.set_exception(problem)

        self.post(run)
        while True:
            try:
                return answer.result(_LOOK)
            except FutureTimeoutError:
                if answer.done():
                    raise
                if self.closing or not self.is_alive:
                    raise closed_error() from None

    def post(self, function: Callable[[], object]) -> None:
        """Have `function`, which must not raise, run on the thread; does not wait.

        Raises
        ------
        FeedClosedError
            When the thread has ended.
        """
        if self.closing or not self.is_alive:
            raise closed_error()
        self._posted.append(function)
        loop = self._loop
        if loop is not None:
            with contextlib.suppress(RuntimeError):  # it ended a moment ago; the next begins with what was posted
                loop.call_soon_threadsafe(self._run_posted)

    # On the thread ------------------------------------------------------------------------------------

    def _run(self) -> None:
        set_role("io")
        try:
            while not self.closing and self._run_loop():
                self._loop = self._main = None
                self._recover()
                self._closing.wait(PAUSE)
        finally:
            self._end()

    def _recover(self) -> None:
        try:
            self._interrupted()
        except BaseException as bug:  # noqa: BLE001  # as in the loop: it is reported, and the next loop begins
            self._report(bug)

    def _report(self, bug: BaseException) -> None:
        self.faults += 1
        self.fault = (time.monotonic(), f"the network thread ended: {type(bug).__name__}: {bug}; begun anew")

    def before_sleep(self, function: Callable[[], object], messages: int = 0) -> None:
        """Have `function`, which must not raise, run before the loop sleeps, once however often; on the thread only.

        Without a loop that can say when it sleeps it runs at once.

        Parameters
        ----------
        function : callable
            What to run.
        messages : int
            How many messages the loop took in for it: by them it knows how thick they come.
        """
        selector = self._selector
        if selector is None:
            function()
        else:
            selector.due = function
            selector.came += messages

    def _new_loop(self) -> asyncio.AbstractEventLoop:
        if not _SELECTS:
            return asyncio.new_event_loop()
        self._selector = _Selector(self._rest, self._longest_rest)
        return asyncio.SelectorEventLoop(self._selector)

    def _run_loop(self) -> bool:
        """Run one loop to its end; return whether another is to follow."""
        try:
            with asyncio.Runner(loop_factory=self._new_loop) as runner:
                runner.run(self._main_task())
        except asyncio.CancelledError:
            return not self.closing
        except BaseException as bug:  # noqa: BLE001  # what ends a loop must reach health(), and the next loop begins
            self._report(bug)
            return True
        finally:
            selector, self._selector = self._selector, None
            if selector is not None:
                selector.do_what_is_due()
        return False

    async def _main_task(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._loop.set_exception_handler(_complain)
        self._main = asyncio.current_task()
        self._run_posted()
        if not self.closing:  # before there was a loop to be told
            await self._live()

    def _run_posted(self) -> None:
        # Only what is there now: what one of these posts waits for a call of its own, so that the socket has its turn.
        for _ in range(len(self._posted)):
            if self._posted:  # one of them may have raised, and ended this loop, while the next one runs the rest
                self._posted.popleft()()


class _Selector(selectors.DefaultSelector):
    """What a loop waits by. Before it waits, it does what is `due`.

    And where packets come thick it rests for a moment before it looks for the next ones, so that all of that moment
    are read together: to be woken costs a thread as much as twenty messages do, and whoever waits for rows is woken
    by it. One that comes alone is read at once; and what is there already is read without a rest, so that a feed that
    lags is read as fast as it can be.

    Parameters
    ----------
    rest : float
        Seconds from one read to the next that it looks for.
    longest : float
        How many it may be at most where they come thicker than thick.

    Attributes
    ----------
    came : int
        Messages that were taken in since the last read began.
    """

    due: Callable[[], object] | None = None

    def __init__(self, rest: float, longest: float) -> None:
        super().__init__()
        self.came = 0
        self._shortest, self._longest = rest, longest
        self._rest = rest
        self._read_at = 0.0
        self._is_busy = False
        self._messages = self._seconds = 0.0  # of the last reads, the newest of them most

    def select(self, timeout: float | None = None) -> list[tuple[SelectorKey, int]]:
        """Do what is due, and wait until something comes."""
        if self.due is not None:
            self.do_what_is_due()
        if timeout is not None and timeout <= 0:  # the loop has something else to do
            return super().select(timeout)
        found = super().select(0) if self._is_busy else []
        if not found:
            found = super().select(self._rested(timeout) if self._is_busy else timeout)
        now = time.monotonic()
        since = now - self._read_at
        self._is_busy = since < _THICK * self._rest
        self._read_at = now
        came, self.came = self.came, 0
        if self._is_busy:
            self._messages = _LATELY * self._messages + came
            self._seconds = _LATELY * self._seconds + since
            self._rest = min(self._longest, rest_at(self._messages / self._seconds, self._shortest))
        else:
            self._messages = self._seconds = 0.0
            self._rest = self._shortest
        return found

    def _rested(self, timeout: float | None) -> float | None:
        """Rest, and return what is left of a time-out."""
        left = self._read_at + self._rest - time.monotonic()
        if timeout is not None:
            left = min(left, timeout)
        if left <= 0:
            return timeout
        time.sleep(left)
        return None if timeout is None else timeout - left

    def do_what_is_due(self) -> None:
        """Do it, once."""
        due, self.due = self.due, None
        if due is not None:
            due()


def rest_at(rate: float, rest: float = _REST) -> float:
    """Return how long to rest where so many messages come a second, and where few do it is `rest`."""
    if rate <= _THICKLY:
        return rest
    times = min(_LONGEST, 1 + _MORE * (rate - _THICKLY) / 1_000)
    return max(rest, min(times * rest, _TOGETHER / rate))


def _complain(_: asyncio.AbstractEventLoop, about: dict[str, Any]) -> None:
    """Pass on what a library had nobody to raise to; by itself, the loop would call handlers of the user's here."""
    problem = about.get("exception")
    log(logging.WARNING, plain_text(f"the network thread: {about.get('message')}: {problem!r}"))
