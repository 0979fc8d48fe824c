"""Handles by what they were asked for: the same question gives the same handle."""

from __future__ import annotations

import sys
import threading
import weakref
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Generic, Protocol, TypeVar

from kalshi_nb.errors import FeedClosedError

__all__ = ["Closer", "Ending", "Handles", "Reservation"]

_LOOK: Final = 0.25  # seconds between two looks whether somebody is still at it

Closer = Callable[[], object]


class _Handle(Protocol):
    """What can be closed, more than once."""

    def close(self) -> None:
        """Close it."""
        ...


K = TypeVar("K", bound=Hashable)
V = TypeVar("V", bound=_Handle)


@dataclass(eq=False)
class Reservation:
    """Somebody opens something, and others wait for that.

    Ctrl-C may come between any two steps of whoever opens, also where he would say that it is over. So nobody believes
    a reservation for ever: one whose owner is no longer in the midst of opening is void.

    Attributes
    ----------
    inside : function
        The owner is in the midst of it while a call of this one is on his stack.
    owner : Thread
        Who opens.
    over : Event
        Set when it is open, or will not be.
    """

    inside: Any
    owner: threading.Thread = field(default_factory=threading.current_thread)
    over: threading.Event = field(default_factory=threading.Event)

    @property
    def is_void(self) -> bool:
        """Whether nobody is at it any more: its owner left it, or asks for the same again himself."""
        return self.owner is threading.current_thread() or not self._is_at_it()

    def wait(self, is_given_up: Callable[[], bool] = lambda: False) -> None:
        """Wait until it is over, or void, or nobody waits any more."""
        while not self.over.wait(_LOOK) and not self.is_void and not is_given_up():
            pass

    def _is_at_it(self) -> bool:
        frame = sys._current_frames().get(self.owner.ident or 0)  # noqa: SLF001  # the only way to see another's stack
        while frame is not None and frame.f_code is not self.inside.__code__:
            frame = frame.f_back
        return frame is not None


class Handles(Generic[K, V]):
    """Open handles, and those being opened.

    To open one takes the network, and may take seconds; the lock is never held meanwhile. Whoever asks first for
    something reserves it, lets go of the lock, and opens it; whoever asks for the same waits for that and then looks
    again, so a refusal is met by each with a try of his own; whoever asks for anything else waits for nobody.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()  # a finalizer may run in the middle of it, on the same thread
        self._open: dict[K, V] = {}
        self._opening: dict[K, Reservation] = {}
        self._is_shut = False

    def get(self, keys: Sequence[K], make: Callable[[list[K]], Mapping[K, V]]) -> list[V]:
        """Return the handles of some keys, made where there are none.

        Parameters
        ----------
        keys : sequence
            What is asked for.
        make : callable
            Given the keys that nobody has open or is opening, opens them together; what it raises goes to its caller.

        Raises
        ------
        FeedClosedError
            When what it made came after :meth:`shut`; it is closed then.
        """
        while True:
            mine = Reservation(Handles.get)
            with self._lock:
                missing = [each for each in keys if each not in self._open]
                if not missing:
                    return [self._open[each] for each in keys]
                others = {each: found for each in missing if (found := self._reserved(each)) is not None}
                ours = [each for each in missing if each not in others]
                self._opening.update(dict.fromkeys(ours, mine))
            if ours:
                self._make(ours, make, mine)
            for each in set(others.values()):
                each.wait()

    def _reserved(self, key: K) -> Reservation | None:
        found = self._opening.get(key)
        return None if found is None or found.is_void else found

    def _make(self, keys: list[K], make: Callable[[list[K]], Mapping[K, V]], mine: Reservation) -> None:
        made: Mapping[K, V] = {}
        kept = False
        try:
            made = make(keys)
            kept = self._keep(keys, made)
        finally:
            if not kept:
                for handle in made.values():
                    handle.close()
            with self._lock:
                for each in keys:
                    if self._opening.get(each) is mine:
                        del self._opening[each]
            mine.over.set()

    def _keep(self, keys: list[K], made: Mapping[K, V]) -> bool:
        with self._lock:
            if self._is_shut:
                raise FeedClosedError("The feed was closed meanwhile; connect() again for new data.")
            if not made.keys() >= set(keys):
                raise LookupError(f"{sorted(map(str, set(keys) - made.keys()))} could not be opened")
            self._open.update(made)
            return True

    def discard(self, key: K) -> None:
        """Forget a handle that was closed."""
        with self._lock:
            self._open.pop(key, None)

    def __len__(self) -> int:
        return len(self._open)

    def items(self) -> list[tuple[K, V]]:
        """Return what is open now."""
        return list(self._open.items())

    def shut(self) -> list[V]:
        """Forget all handles, and return them: from now on whoever asks is told why there are none."""
        with self._lock:
            self._is_shut = True
            found = list(self._open.values())
            self._open.clear()
            return found

    def loosen(self, ending_of: Callable[[V], Closer | None]) -> None:
        """Hold the handles no more, as :meth:`shut`: each ends when nobody else holds it, by what `ending_of` returns.

        That may not know the handle.
        """
        for handle in self.shut():
            ending = ending_of(handle)
            if ending is not None:
                weakref.finalize(handle, ending).atexit = False


class Ending:
    """What is to be undone when a handle ends, whichever of the two becomes known first.

    A handle is attached before its rows are asked for, so that it misses none; so it may end before the interest
    that it would release is there. Each closer may be called twice: one that Ctrl-C broke off is called again when
    somebody closes again, and the others behind it are not forgotten.

    Parameters
    ----------
    closers : iterable of callable
        The first of them.
    """

    def __init__(self, closers: Iterable[Closer] = ()) -> None:
        self._closers: list[Closer] = list(closers)
        self._is_over = False
        self._lock = threading.RLock()  # a finalizer may run in the middle of it, on the same thread

    def add(self, close: Closer) -> None:
        """Have `close` called at the end; at once when that is over."""
        with self._lock:
            self._closers.append(close)
            over = self._is_over
        if over:
            self()

    def __call__(self) -> None:
        problem: Exception | None = None
        self._is_over = True
        while True:
            with self._lock:
                if not self._closers:
                    break
                close = self._closers[0]
            try:
                close()
            except Exception as raised:  # noqa: BLE001  # the others have their turn first
                problem = problem or raised
            with self._lock:
                if self._closers and self._closers[0] is close:
                    del self._closers[0]
        if problem is not None:
            raise problem
