"""Which pipelines there are, without keeping alive those that nobody holds."""

from __future__ import annotations

import threading
import weakref
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

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

    def add(self, delivery: _D, *, strongly: bool) -> None:
        """Add a delivery; one that is not held `strongly` disappears when nobody else holds it."""
        holder = (lambda: delivery) if strongly else weakref.ref(delivery)
        with self._lock:
            self._holders = (*self._holders, holder)

    def discard(self, delivery: _D) -> None:
        """Forget a delivery, and those that are gone."""
        with self._lock:
            self._holders = tuple(
                holder for holder in self._holders if (held := holder()) is not None and held is not delivery
            )

    def all(self) -> list[_D]:
        """Return those that are still there."""
        held = [holder() for holder in self._holders]
        alive = [each for each in held if each is not None]
        if len(alive) < len(held):
            with self._lock:
                self._holders = tuple(holder for holder in self._holders if holder() is not None)
        return alive

    def channels(self) -> dict[str, bool]:
        """Return the channels that a pipeline listens to, which may rest just now; true where all emit frames."""
        found: dict[str, bool] = {}
        for each in self.all():
            if each.pipeline.state != "closed":
                channel = each.pipeline.channel
                found[channel] = found.get(channel, True) and each.kind == "frames"
        return found
