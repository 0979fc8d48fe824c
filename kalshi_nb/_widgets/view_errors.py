"""The views of one feed: which are open, and what they raised; handed by the feed to all that it shows."""

from __future__ import annotations

import weakref
from typing import Protocol

from kalshi_nb._redaction import printable

__all__ = ["ViewErrors"]


class _View(Protocol):
    """A view, as far as it is told of."""

    @property
    def kind(self) -> str:
        """Which kind of view it is."""
        ...

    @property
    def words(self) -> str:
        """What it is."""
        ...

    @property
    def is_on_show(self) -> bool:
        """Whether a page may show it now."""
        ...


class ViewErrors:
    """Which views are open, and how often they raised; one a feed, since the display thread is the process's.

    What is raised the display thread alone writes, any thread reads. It is kept as text: with its traceback it would
    keep the view alive.

    Attributes
    ----------
    count : int
        How often.
    last : str
        What was raised last, as text; empty where nothing was.
    """

    def __init__(self) -> None:
        self.count = 0
        self.last = ""
        # By identity, each entry put and taken in one step: views are opened and dropped by any thread.
        self._open: dict[int, weakref.ref[_View]] = {}

    def opened(self, view: _View) -> None:
        """Take note of a view, until it is dropped."""
        key = id(view)
        self._open[key] = weakref.ref(view, lambda gone: self._forget(key, gone))

    def _forget(self, key: int, gone: weakref.ref[_View]) -> None:
        if self._open.get(key) is gone:
            del self._open[key]

    def views(self) -> list[str]:
        """Return the views that are open, in words, but for those that only say how the feed is doing."""
        found = [reference() for reference in list(self._open.values())]
        return [each.words for each in found if each is not None and each.is_on_show and each.kind != "status"]

    def told(self) -> list[str]:
        """Say what somebody should look at, a sentence or none."""
        return [f"{self.count} errors while showing what this feed has, the last {self.last}"] if self.count else []

    def note(self, error: BaseException) -> None:
        """Count what a view raised."""
        self.last = printable(repr(error))  # first, so that whoever sees the count finds it
        self.count += 1
