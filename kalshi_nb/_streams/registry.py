"""Which pipelines there are, without keeping alive those that nobody holds."""

from __future__ import annotations

import threading
import weakref
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from kalshi_nb._streams.pipeline import Pipeline

__all__ = ["Registry"]


class Registry:
    """Pipelines in the order they were added, each held strongly or weakly.

    Reading takes no lock: each change makes another tuple.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._holders: tuple[Callable[[], Pipeline | None], ...] = ()

    def add(self, pipeline: Pipeline, *, strongly: bool) -> None:
        """Add a pipeline; one that is not held `strongly` disappears when nobody else holds it."""
        holder = (lambda: pipeline) if strongly else weakref.ref(pipeline)
        with self._lock:
            self._holders = (*self._holders, holder)

    def discard(self, pipeline: Pipeline) -> None:
        """Forget a pipeline, and those that are gone."""
        with self._lock:
            self._holders = tuple(
                holder for holder in self._holders if (held := holder()) is not None and held is not pipeline
            )

    def all(self) -> list[Pipeline]:
        """Return those that are still there."""
        held = [holder() for holder in self._holders]
        alive = [each for each in held if each is not None]
        if len(alive) < len(held):
            with self._lock:
                self._holders = tuple(holder for holder in self._holders if holder() is not None)
        return alive

    def channels(self) -> set[str]:
        """Return the channels that a running pipeline listens to."""
        return {each.channel for each in self.all() if each.state == "running"}
