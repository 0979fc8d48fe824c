"""Handles that all who ask the same share: the end of one `with` closes them for nobody else."""

from __future__ import annotations

import threading
import warnings
from collections import Counter

from kalshi_nb._feed.cells import Run, cells, frames_inside
from kalshi_nb._usage import Closing
from kalshi_nb.errors import HandleWarning

__all__ = ["Holders", "Shared"]


class Holders:
    """Those who asked for one handle and have not left it.

    Each call counts, but for those of a cell's earlier runs: their place takes its newest run.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._calls: Counter[Run | None] = Counter()  # bounded: a loop may ask a million times

    def add(self) -> None:
        """Take note of a call that asked for the handle."""
        run = cells.run()
        with self._lock:
            if run is not None and run.key is not None:
                for each in [each for each in self._calls if each is not None and each.key == run.key]:
                    if each is not run:
                        del self._calls[each]
            self._calls[run] += 1

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
                self._calls -= Counter([run if run in self._calls else next(reversed(self._calls))])
            left = self._calls.total()
        if left:
            warnings.warn(
                f"{what} stays open at the end of this `with`: it was asked for elsewhere, too, and the same call "
                "gives the same handle. Its close() closes it for all.",
                HandleWarning,
                stacklevel=frames_inside(),
            )
        return not left


class Shared(Closing):
    """A handle that a ``with`` closes at its end, unless somebody else asked for it, too; then it says so."""

    _holders: Holders
    _is_closed: bool

    def held(self) -> None:
        """Take note that somebody asked for the handle, which is the same for all who ask the same."""
        self._holders.add()

    def _called(self) -> str:
        """Return what it is called, at the beginning of a sentence."""
        raise NotImplementedError

    def __exit__(self, *_raised: object) -> None:
        if self._is_closed or self._holders.leave(self._called()):
            self.close()
