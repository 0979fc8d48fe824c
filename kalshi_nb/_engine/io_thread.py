"""The thread ``kalshi-io`` with its event loop: kept going whatever ends it, until its end is wanted.

Other threads reach it in one way: they append a function to a queue and wake the loop, which runs all that are there,
in their order. The queue outlives loops, so what was posted while one ended is run by the next, once: a function
leaves the queue before it runs. Whoever waits for an answer does so in short pieces, and looks whether the thread has
ended.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import Any, Final, TypeVar

from kalshi_nb._engine.refusals import closed_error
from kalshi_nb._logging import log
from kalshi_nb._rows.foreign import plain_text
from kalshi_nb._threads import set_role

__all__ = ["IoThread"]

T = TypeVar("T")

JOIN: Final = 2.0
PAUSE: Final = 0.5
"""Seconds before a loop that ended is begun anew."""

_LOOK: Final = 0.25


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

    Attributes
    ----------
    faults : int
        How many loops ended unexpectedly.
    fault : (float, str) or None
        The newest of these, with its moment on the monotonic clock.
    """

    def __init__(
        self, live: Callable[[], Awaitable[None]], interrupted: Callable[[], None], end: Callable[[], None]
    ) -> None:
        self.faults = 0
        self.fault: tuple[float, str] | None = None
        self._live = live
        self._interrupted = interrupted
        self._end = end
        self._closing = threading.Event()
        self._posted: deque[Callable[[], object]] = deque()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._main: asyncio.Task[None] | None = None
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

    def _run_loop(self) -> bool:
        """Run one loop to its end; return whether another is to follow."""
        try:
            with asyncio.Runner() as runner:
                runner.run(self._main_task())
        except asyncio.CancelledError:
            return not self.closing
        except BaseException as bug:  # noqa: BLE001  # what ends a loop must reach health(), and the next loop begins
            self._report(bug)
            return True
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


def _complain(_: asyncio.AbstractEventLoop, about: dict[str, Any]) -> None:
    """Pass on what a library had nobody to raise to; by itself, the loop would call handlers of the user's here."""
    problem = about.get("exception")
    log(logging.WARNING, plain_text(f"the network thread: {about.get('message')}: {problem!r}"))
