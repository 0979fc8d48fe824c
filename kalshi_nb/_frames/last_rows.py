"""The last row of each market among the rows that have left a window."""

from __future__ import annotations

from typing import Final

import polars as pl

from kalshi_nb._frames.schema import MARKET

__all__ = ["LastRows"]

_FEWEST: Final = 4_096
_MOST_FRAMES: Final = 64


def _last(frames: list[pl.DataFrame]) -> pl.DataFrame:
    return pl.concat(frames, rechunk=False).unique(MARKET, keep="last", maintain_order=True)


class LastRows:
    """One row a market, and frames that were let go of since, not looked at yet.

    Frames are looked at together once they hold as many rows as there are markets, so that each row costs
    the same however many markets there are. Never changed: each step makes another.
    """

    __slots__ = ("_folded", "_waiting")

    def __init__(self, folded: pl.DataFrame | None = None, waiting: tuple[pl.DataFrame, ...] = ()) -> None:
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
            return LastRows(self._folded, waiting)
        return LastRows(_last([*self._known(), *waiting]))

    def _known(self) -> list[pl.DataFrame]:
        return [] if self._folded is None else [self._folded]

    def latest(self, then: list[pl.DataFrame], *, empty: pl.DataFrame) -> pl.DataFrame:
        """Return the last row of each market, `then` being the rows that came after all of these."""
        frames = [*self._known(), *self._waiting, *then]
        return _last(frames) if frames else empty
