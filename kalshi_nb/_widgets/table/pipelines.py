"""Frames that are no feed's own, such as those of pipelines: what their views are made of."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

from kalshi_nb._frames.polars_threads import refuse_without_polars
from kalshi_nb._frames.reading import store_of

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl

    from kalshi_nb._frames.reading import FrameReading

__all__ = ["PipelineSource"]


class PipelineSource:
    """A frame that a pipeline fills, or nobody, as far as its views may know it.

    Its rows stay; the handle may go, and what it says of itself with it.

    Parameters
    ----------
    frame : FrameReading
        The handle, which is not held.
    """

    def __init__(self, frame: FrameReading) -> None:
        self._store = store_of(frame)
        self._frame = weakref.ref(frame)
        self._title = frame._title()  # noqa: SLF001  # what it is called is for whoever shows it
        self._said = repr(frame)

    @property
    def df(self) -> pl.DataFrame:
        """The rows of the window."""
        refuse_without_polars("showing rows")
        return self._store.glimpse()

    @property
    def total(self) -> int:
        """How many rows ever came."""
        return self._store.total

    @property
    def title(self) -> str:
        """What the frame is called."""
        return self._title

    @property
    def status(self) -> str:
        """``connecting`` while there is no row, ``live``, ``stale`` while the feed's link is gone, or ``closed``."""
        frame = self._frame()
        if frame is None or frame._trouble():  # noqa: SLF001  # as above
            return "closed"
        standing = frame._standing()  # noqa: SLF001  # as above
        if standing is not None and (standing.ended() is not None or standing.link()):
            return "closed" if standing.ended() is not None else "stale"
        return "live" if self.total else "connecting"

    @property
    def note(self) -> str:
        """What keeps rows from coming."""
        frame = self._frame()
        return "" if frame is None else frame._trouble() or frame._remark()  # noqa: SLF001  # as above

    @property
    def now(self) -> float:
        """The time that the window goes by, epoch seconds."""
        return self._store.now_us() / 1e6

    def described(self) -> str:
        """Return what the handle says of itself, or said last."""
        frame = self._frame()
        if frame is not None:
            self._said = repr(frame)
        return self._said

    def watch(self, wake: Callable[[], None]) -> None:
        """Have nothing called: a pipeline's frame is looked at in each round."""
