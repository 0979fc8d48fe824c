"""A sleep that other threads can end, and those who wait for what other threads do."""

from __future__ import annotations

import threading
import time
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from kalshi_nb._extensions import WANTED, found

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["PlainWakeup", "Waiters", "Wakeup"]


class PlainWakeup:
    """What one thread sleeps on and any other rings.

    It is a lock: held while nobody rang, released by a ring, taken again by whoever sleeps. That is one call into the
    operating system for each of both, a fraction of what a condition takes. A ring while nobody sleeps ends the next
    sleep at once; several are one.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lock.acquire()

    def ring(self) -> None:
        """End the present sleep, or the next; callable from any thread, never waits."""
        with suppress(RuntimeError):  # rung already
            self._lock.release()

    def sleep(self, timeout: float | None) -> bool:
        """Sleep for at most `timeout` seconds, None for as long as it takes; return whether a ring ended it."""
        return self._lock.acquire(timeout=-1 if timeout is None else min(max(0.0, timeout), threading.TIMEOUT_MAX))


_extension: Final[Any] = found("kalshi_nb._ringing") if WANTED else None

if TYPE_CHECKING or _extension is None:  # noqa: SIM108  # a name that annotations may use
    Wakeup = PlainWakeup
else:
    Wakeup = _extension.Wakeup


class Waiters:
    """Threads of users that wait for what the kit's threads do.

    Ctrl-C may end a wait between any two of its steps. With a condition it would end it now and then between taking
    the lock and letting it go, and the kit's threads, which need that lock to tell, would stand still for ever. So
    each who waits has a wakeup of its own, and who tells takes no lock: the list is copied, and changed, in one step.
    """

    def __init__(self) -> None:
        self._waiting: deque[tuple[int, Wakeup]] = deque()

    def any_before(self, reached: int) -> bool:
        """Return whether somebody waits for so much or less."""
        return bool(self._waiting) and any(mark <= reached for mark, _ in list(self._waiting))

    def wait_for(self, condition: Callable[[], bool], timeout: float | None, *, mark: int = 0) -> bool:
        """Wait until something is so, and return whether it is after `timeout` seconds.

        Parameters
        ----------
        condition : callable
            Looks whether it is so; it stays so once it is.
        timeout : float or None
            Seconds; None for as long as it takes.
        mark : int
            Not to be told before this is reached; see `tell`.
        """
        until = None if timeout is None else time.monotonic() + timeout
        entry = (mark, Wakeup())
        self._waiting.append(entry)
        try:
            while not condition():
                left = None if until is None else min(until - time.monotonic(), threading.TIMEOUT_MAX)
                if left is not None and left <= 0:
                    return condition()
                entry[1].sleep(left)
            return True
        finally:
            with suppress(ValueError):
                self._waiting.remove(entry)

    def tell(self, reached: int = 0) -> None:
        """Have those look again whose mark has been reached; callable from any thread, never waits."""
        if self._waiting:
            for mark, wakeup in list(self._waiting):
                if mark <= reached:
                    wakeup.ring()
