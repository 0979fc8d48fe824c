"""A sleep that other threads can end."""

from __future__ import annotations

import threading
from contextlib import suppress

__all__ = ["Wakeup"]


class Wakeup:
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
        return self._lock.acquire(timeout=-1 if timeout is None else max(0.0, timeout))
