"""Handles by what they were asked for: the same question gives the same handle."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Generic, TypeVar

__all__ = ["Closer", "Ending", "Handles"]

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

Closer = Callable[[], None]


class Handles(Generic[K, V]):
    """Open handles, and those being opened.

    To open one takes the network, and may take seconds; the lock is never held meanwhile. Whoever asks first for
    something reserves it, lets go of the lock, and opens it; whoever asks for the same waits for that and then looks
    again, so a refusal is met by each with a try of his own; whoever asks for anything else waits for nobody.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()  # a finalizer may run in the middle of it, on the same thread
        self._open: dict[K, V] = {}
        self._opening: dict[K, threading.Event] = {}

    def get(self, keys: Sequence[K], make: Callable[[list[K]], Mapping[K, V]]) -> list[V]:
        """Return the handles of some keys, made where there are none.

        Parameters
        ----------
        keys : sequence
            What is asked for.
        make : callable
            Given the keys that nobody has open or is opening, opens them together; what it raises goes to its caller.
        """
        while True:
            with self._lock:
                missing = [each for each in keys if each not in self._open]
                if not missing:
                    return [self._open[each] for each in keys]
                others = {self._opening[each] for each in missing if each in self._opening}
                ours = [each for each in missing if each not in self._opening]
                done = threading.Event()
                self._opening.update(dict.fromkeys(ours, done))
            if ours:
                self._make(ours, make, done)
            for each in others:
                each.wait()

    def _make(self, keys: list[K], make: Callable[[list[K]], Mapping[K, V]], done: threading.Event) -> None:
        try:
            made = make(keys)
            with self._lock:
                self._open.update(made)
        finally:
            with self._lock:
                for each in keys:
                    self._opening.pop(each, None)
            done.set()

    def discard(self, key: K) -> None:
        """Forget a handle that was closed."""
        with self._lock:
            self._open.pop(key, None)

    def __len__(self) -> int:
        return len(self._open)

    def forget(self) -> list[V]:
        """Forget all handles, and return them: from now on whoever asks is told why there are none."""
        with self._lock:
            found = list(self._open.values())
            self._open.clear()
            return found


class Ending:
    """What is to be undone when a handle ends, whichever of the two becomes known first.

    A handle is attached before its rows are asked for, so that it misses none; so it may end before the interest
    that it would release is there.
    """

    def __init__(self, closers: Iterable[Closer] = ()) -> None:
        self._closers: list[Closer] | None = list(closers)
        self._lock = threading.RLock()  # a finalizer may run in the middle of it, on the same thread

    def add(self, close: Closer) -> None:
        """Have `close` called at the end; at once when that is over."""
        with self._lock:
            if self._closers is not None:
                self._closers.append(close)
                return
        close()

    def __call__(self) -> None:
        with self._lock:
            closers, self._closers = self._closers or [], None
        for close in closers:
            close()
