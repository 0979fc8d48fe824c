"""Who hears everything that an engine receives, as it came."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from kalshi_nb._engine.port import Tap

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
        self._order = 0
        self._lock = threading.Lock()

    def add(self, tap: Tap) -> Callable[[], None]:
        """Let `tap` hear everything from now on; return what takes it off, once."""
        with self._lock:
            self.every = (*self.every, tap)
        return lambda: self._remove(tap)

    def read(self, connection: int, messages: Sequence[bytes], received_at: int) -> None:
        """Pass on what one read brought."""
        order, self._order = self._order, self._order + len(messages)
        for tap in self.every:
            try:
                tap.read(connection, messages, received_at, order)
            except BaseException as bug:  # noqa: BLE001  # whoever listens must not hurt the feed
                self._failed(tap, bug)

    def event(self, connection: int, kind: str, text: str, at: int) -> None:
        """Pass on an event."""
        for tap in self.every:
            try:
                tap.event(connection, kind, text, at)
            except BaseException as bug:  # noqa: BLE001  # as above
                self._failed(tap, bug)

    def _failed(self, tap: Tap, bug: BaseException) -> None:
        self._remove(tap)
        self._report(f"a recorder failed and hears no more: {type(bug).__name__}: {bug}")

    def _remove(self, tap: Tap) -> None:
        with self._lock:
            self.every = tuple(each for each in self.every if each is not tap)
