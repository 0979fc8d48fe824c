"""The last row of each market, order or index among the rows that have left a window."""

from __future__ import annotations

from typing import Final

import polars as pl

__all__ = ["LastRows"]

_FEWEST: Final = 4_096
_MOST_FRAMES: Final = 64


class LastRows:
    """One row a market, and frames that were let go of since, not looked at yet.

    Frames are looked at together once they hold as many rows as there are markets, so that each row costs
    the same however many markets there are. Never changed: each step makes another.

    Parameters
    ----------
    key
        The columns that tell one market, order or index from another. A row whose first of them is null is
        about none.
    """

    __slots__ = ("_folded", "_key", "_waiting")

    def __init__(
        self, key: tuple[str, ...], folded: pl.DataFrame | None = None, waiting: tuple[pl.DataFrame, ...] = ()
    ) -> None:
        self._key = key
        self._folded = folded
        self._waiting = waiting

    def with_frames(self, frames: list[pl.DataFrame]) -> LastRows:
        """Return this with the frames that came after it."""
        if not frames:
            return self
        waiting = (*self._waiting, *frames)
        markets = 0 if self._folded is None else self._folded.height
        rows = sum(each.height for each in waiting)
        if rows < max(_FEWEST, markets) and len(waiting) < _MOST_FRAMES:
            return LastRows(self._key, self._folded, waiting)
        return LastRows(self._key, self._last([*self._known(), *waiting]))

    def _last(self, frames: list[pl.DataFrame]) -> pl.DataFrame:
        named = pl.concat(frames, rechunk=False).filter(pl.col(self._key[0]).is_not_null())
        return named.unique(self._key, keep="last", maintain_order=True)

    def _known(self) -> list[pl.DataFrame]:
        return [] if self._folded is None else [self._folded]

    def latest(self, then: list[pl.DataFrame], *, empty: pl.DataFrame) -> pl.DataFrame:
        """Return the last row of each market, `then` being the rows that came after all of these."""
        frames = [*self._known(), *self._waiting, *then]
        return self._last(frames) if frames else empty
