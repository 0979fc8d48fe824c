"""Who hears everything that an engine receives, as it came."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable

from kalshi_nb._engine.port import Tap
from kalshi_nb._rows.heard import Heard

__all__ = ["Taps"]


class Taps:
    """The taps of an engine.

    The engine's own thread calls them. `every` is replaced whole, never changed, so a tap may come or go, on any
    thread, while the others are being called; the hot path looks whether it is empty. Whoever replaces it holds the
    lock, or of two that come at once one would be lost.

    Parameters
    ----------
    report : callable
        Called with a sentence when a tap raised, and was taken off.

    Attributes
    ----------
    every : tuple of Tap
        Those there are.
    """

    def __init__(self, report: Callable[[str], None]) -> None:
        self.every: tuple[Tap, ...] = ()
        self._report = report
        self._lock = threading.Lock()

    def add(self, tap: Tap, first: Iterable[Heard] = ()) -> Callable[[], None]:
        """Let `tap` hear everything from now on, and some things `first`; return what takes it off, once."""
        with self._lock:
            self.every = (*self.every, tap)
        self._tell(tap, first)
        return lambda: self._remove(tap)

    def hear(self, heard: Heard) -> None:
        """Pass on what was heard."""
        for tap in self.every:
            self._tell(tap, (heard,))

    def _tell(self, tap: Tap, heard: Iterable[Heard]) -> None:
        try:
            for each in heard:
                tap(each)
        except BaseException as bug:  # noqa: BLE001  # whoever listens must not hurt the feed
            self._failed(tap, bug)

    def _failed(self, tap: Tap, bug: BaseException) -> None:
        self._remove(tap)
        self._report(f"a recorder failed and hears no more: {type(bug).__name__}: {bug}")

    def _remove(self, tap: Tap) -> None:
        with self._lock:
            self.every = tuple(each for each in self.every if each is not tap)
