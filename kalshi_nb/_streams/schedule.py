"""What a thread of the feed has to do later, such as letting a throttle's last value through."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
import weakref
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Guard", "Schedule"]


class Guard(Protocol):
    """Makes a call under care: whatever is raised is counted and goes no further."""

    def run(self, call: Callable[[], None]) -> None:
        """Make the call."""
        ...


class Schedule:
    """Calls that are due at some moment, made by the thread that asks for them.

    Both the guard and the object of the method are held weakly: who is gone by then is not called. Calls may
    be added from any thread, and by a call that is being made; they are made by one thread only, outside the
    lock, so that whatever a call does, another thread can go on adding.

    Parameters
    ----------
    wake : callable, optional
        Called after each addition, for a thread that sleeps until the next call is due.
    """

    def __init__(self, wake: Callable[[], None] = lambda: None) -> None:
        self._wake = wake
        self._lock = threading.RLock()
        self._order = itertools.count()
        self._calls: list[tuple[float, int, weakref.ref[Guard], weakref.WeakMethod[Callable[[], None]]]] = []

    @staticmethod
    def now() -> float:
        """Return the time that `call_at` goes by, in seconds of a clock that is never set."""
        return time.monotonic()

    def call_at(self, due: float, guard: Guard, method: Callable[[], None]) -> None:
        """Have a bound method called at `due`.

        Parameters
        ----------
        due : float
            When, in the seconds of `now`.
        guard : Guard
            Makes the call.
        method : callable
            The bound method.
        """
        with self._lock:
            entry = (due, next(self._order), weakref.ref(guard), weakref.WeakMethod(method))
            heapq.heappush(self._calls, entry)
        self._wake()

    def seconds_left(self) -> float | None:
        """Return how long it is until the next call, 0 where one is due, None where there is none."""
        if not self._calls:
            return None
        with self._lock:
            return max(0.0, self._calls[0][0] - self.now()) if self._calls else None

    def run_due(self, *, all_of_them: bool = False) -> bool:
        """Make the calls that are due; with `all_of_them` those that are not yet, too; return whether any was."""
        if not self._calls:
            return False
        until = float("inf") if all_of_them else self.now()
        due = []
        with self._lock:
            while self._calls and self._calls[0][0] <= until:
                due.append(heapq.heappop(self._calls))
        for _, _, guard_reference, method_reference in due:
            guard, method = guard_reference(), method_reference()
            if guard is not None and method is not None:
                guard.run(method)
        return bool(due)
