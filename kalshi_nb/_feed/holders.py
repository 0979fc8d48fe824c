"""Who asked for a handle that all who ask the same share, so that the end of one `with` closes it for nobody else."""

from __future__ import annotations

import threading
import warnings

from kalshi_nb._feed.cells import Run, cells, frames_inside
from kalshi_nb.errors import HandleWarning

__all__ = ["Holders"]


class Holders:
    """Those who asked for one handle and have not left it.

    Each call counts, but for those of a cell's earlier runs: their place takes its newest run.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._calls: list[Run | None] = []

    def add(self) -> None:
        """Take note of a call that asked for the handle."""
        run = cells.run()
        with self._lock:
            if run is not None and run.key is not None:
                self._calls = [each for each in self._calls if each is None or each.key != run.key or each is run]
            self._calls.append(run)

    def leave(self, what: str) -> bool:
        """Take note that a ``with`` ends; return whether nobody else holds the handle, and warn otherwise.

        Parameters
        ----------
        what : str
            What it is called, at the beginning of a sentence.
        """
        run = cells.run()
        with self._lock:
            if self._calls:
                # Its own call, where it is known, else any: they are counted.
                del self._calls[self._calls.index(run) if run in self._calls else -1]
            left = len(self._calls)
        if left:
            warnings.warn(
                f"{what} stays open at the end of this `with`: it was asked for elsewhere, too, and the same call "
                "gives the same handle. Its close() closes it for all.",
                HandleWarning,
                stacklevel=frames_inside(),
            )
        return not left
