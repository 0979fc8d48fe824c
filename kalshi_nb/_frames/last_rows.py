"""The last row of each market, order or index among the rows that have left a window."""

from __future__ import annotations

from typing import Final

import polars as pl

from kalshi_nb._frames.schema import RECEIVED

__all__ = ["LastRows", "moments"]

_FEWEST: Final = 4_096
_MOST_FRAMES: Final = 64


def moments() -> pl.Expr:
    """Return when rows were, as polars works it out: their ``ts``, or when they were received."""
    return pl.coalesce("ts", RECEIVED)


class LastRows:
    """One row a market, and frames that were let go of since, not looked at yet.

    Frames are looked at together once they hold as many rows as there are markets, so that each row costs
    the same however many markets there are. Never changed: each step makes another.

    Parameters
    ----------
    key : tuple of str
        The columns that tell one market, order or index from another. A row whose first of them is null is
        about none.
    folded : polars.DataFrame, optional
        The last rows found so far.
    waiting : tuple of polars.DataFrame
        Frames that were not looked at yet.
    timed : bool
        Whether the last row is the one with the latest moment, wherever it lies; otherwise it is that which
        lies last.
    """

    __slots__ = ("_folded", "_key", "_timed", "_waiting")

    def __init__(
        self,
        key: tuple[str, ...],
        folded: pl.DataFrame | None = None,
        waiting: tuple[pl.DataFrame, ...] = (),
        *,
        timed: bool = False,
    ) -> None:
        self._key = key
        self._folded = folded
        self._waiting = waiting
        self._timed = timed

    @property
    def nbytes(self) -> int:
        """About how many bytes all of it takes."""
        return int(sum(each.estimated_size() for each in (*self._known(), *self._waiting)))

    def by_time(self) -> LastRows:
        """Return this for rows that do not lie in the order of their arrival any more."""
        return LastRows(self._key, self._folded, self._waiting, timed=True)

    def with_frames(self, frames: list[pl.DataFrame]) -> LastRows:
        """Return this with the frames that are after it."""
        if not frames:
            return self
        waiting = (*self._waiting, *frames)
        markets = 0 if self._folded is None else self._folded.height
        rows = sum(each.height for each in waiting)
        if rows < max(_FEWEST, markets) and len(waiting) < _MOST_FRAMES:
            return LastRows(self._key, self._folded, waiting, timed=self._timed)
        return LastRows(self._key, self._last([*self._known(), *waiting]), timed=self._timed)

    def _last(self, frames: list[pl.DataFrame]) -> pl.DataFrame:
        named = pl.concat(frames, rechunk=False).filter(pl.col(self._key[0]).is_not_null())
        if self._timed:
            named = named.sort(moments(), maintain_order=True)
        return named.unique(self._key, keep="last", maintain_order=True)

    def _known(self) -> list[pl.DataFrame]:
        return [] if self._folded is None else [self._folded]

    def latest(self, then: list[pl.DataFrame], *, empty: pl.DataFrame) -> pl.DataFrame:
        """Return the last row of each market, `then` being the rows after all of these."""
        frames = [*self._known(), *self._waiting, *then]
        return self._last(frames) if frames else empty
