"""Pipelines that were gone as soon as they were there, since nobody kept what the feed gave him."""

from __future__ import annotations

import time
import weakref
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from kalshi_nb._streams.pipeline import Pipeline
    from kalshi_nb._streams.source import Source

__all__ = ["Unheld"]

_AT_ONCE: Final = 0.5
"""Seconds that a statement may take which makes a pipeline and does not keep it."""


class Unheld:
    """What is to be said of them: the newest of each channel, until somebody was told and attaches another.

    One that somebody held for a while, or closed, or to which anything came, did what it was for. A finalizer notes
    the others, amid anything and on any thread; so it writes to a dictionary, and takes no lock.
    """

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}
        self._told: set[str] = set()

    def begin(self, pipeline: Pipeline, source: Source) -> None:
        """Take note of a new pipeline, which goes with its source."""
        if pipeline.channel in self._told:
            self._told.discard(pipeline.channel)
            self._texts.pop(pipeline.channel, None)
        weakref.finalize(source, _gone, self._texts, pipeline, time.monotonic()).atexit = False

    def tell(self) -> list[str]:
        """Return what is to be said."""
        texts = dict(self._texts)
        self._told.update(texts)
        return list(texts.values())


def _gone(texts: dict[str, str], pipeline: Pipeline, began: float) -> None:
    if pipeline.state == "closed" or pipeline.batches or time.monotonic() - began > _AT_ONCE:
        return
    where = f", attached in {pipeline.origin}," if pipeline.origin else ""
    texts[pipeline.channel] = (
        f"a pipeline on {pipeline.channel}{where} was gone as soon as it was there, since nobody held it: keep in a "
        "variable what stream() or its last node gives, or end it with .sink(function)"
    )
