"""Which pipelines there are, without keeping alive those that nobody holds."""

from __future__ import annotations

import threading
import weakref
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from kalshi_nb._streams.delivery import Delivery

__all__ = ["Registry"]

_D = TypeVar("_D", bound="Delivery")


class Registry(Generic[_D]):
    """Deliveries in the order they were added, each held strongly or weakly.

    Cells add and discard while the threads that deliver read, and the collector may discard in the middle of
    either. So nothing is changed in place: each change makes another tuple under a lock, which the same
    thread may take again, and reading takes no lock, since it takes whichever tuple is there. A delivery
    that was read may have been discarded since; its state says so.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._holders: tuple[Callable[[], _D | None], ...] = ()
        self._by_channel: dict[str, tuple[Callable[[], _D | None], ...]] = {}

    def add(self, delivery: _D, *, strongly: bool) -> None:
        """Add a delivery; one that is not held `strongly` disappears when nobody else holds it."""
        holder = (lambda: delivery) if strongly else weakref.ref(delivery)
        with self._lock:
            self._hold((*self._holders, holder))

    def discard(self, delivery: _D) -> None:
        """Forget a delivery, and those that are gone."""
        with self._lock:
            self._hold([holder for holder in self._holders if holder() is not delivery])

    def all(self) -> list[_D]:
        """Return those that are still there."""
        return self._alive(self._holders)

    def of(self, channel: str) -> list[_D]:
        """Return those that are still there and listen to a channel."""
        holders = self._by_channel.get(channel)
        return self._alive(holders) if holders else []

    def _alive(self, holders: tuple[Callable[[], _D | None], ...]) -> list[_D]:
        alive = [held for holder in holders if (held := holder()) is not None]
        if len(alive) < len(holders):
            with self._lock:
                self._hold(self._holders)
        return alive

    def _hold(self, holders: Iterable[Callable[[], _D | None]]) -> None:
        """Hold these from now on, less those that are gone; under the lock."""
        alive = [(holder, held) for holder in holders if (held := holder()) is not None]
        by_channel: dict[str, tuple[Callable[[], _D | None], ...]] = {}
        for holder, held in alive:
            channel = held.label.channel
            by_channel[channel] = (*by_channel.get(channel, ()), holder)
        self._holders = tuple(holder for holder, _ in alive)
        self._by_channel = by_channel
