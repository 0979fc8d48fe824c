"""The last row of each market, order or index among the rows that have left a window."""

from __future__ import annotations

from typing import Final, NamedTuple

import polars as pl

from kalshi_nb._frames.schema import RECEIVED

__all__ = ["DEFAULT_KEYS", "LastRows", "Law", "moments"]

DEFAULT_KEYS: Final = 100_000
"""Rows kept beside a window, unless it is told otherwise."""

_FEWEST: Final = 4_096
_MOST_FRAMES: Final = 64


def moments() -> pl.Expr:
    """Return when rows were, as polars works it out: their ``ts``, or when they were received."""
    return pl.coalesce("ts", RECEIVED)


class Law(NamedTuple):
    """What is kept of the rows that left a window.

    Attributes
    ----------
    key : tuple of str
        The columns that tell one market, order or index from another. A row whose first of them is null is
        about none.
    most : int
        How many rows. Past it those go first that are about what has ended, then the oldest.
    ended : tuple of str and frozenset of str, or None
        A column, and what it says of what has ended, such as an order that was canceled; None where nothing does.
    """

    key: tuple[str, ...]
    most: int = DEFAULT_KEYS
    ended: tuple[str, frozenset[str]] | None = None


class LastRows:
    """One row a market, and frames that were let go of since, not looked at yet.

    Frames are looked at together once they hold as many rows as there are markets, so that each row costs
    the same however many markets there are. Never changed: each step makes another.

    Parameters
    ----------
    law : Law
        What is kept.
    folded : polars.DataFrame, optional
        The last rows found so far.
    waiting : tuple of polars.DataFrame
        Frames that were not looked at yet.
    timed : bool
        Whether the last row is the one with the latest moment, wherever it lies; otherwise it is that which
        lies last.
    dropped : int
        How many rows went because there were too many.

    Attributes
    ----------
    dropped : int
        See above.
    """

    __slots__ = ("_folded", "_law", "_timed", "_waiting", "dropped")

    def __init__(
        self,
        law: Law,
        folded: pl.DataFrame | None = None,
        waiting: tuple[pl.DataFrame, ...] = (),
        *,
        timed: bool = False,
        dropped: int = 0,
    ) -> None:
        self._law = law
        self.dropped = dropped
        self._folded = folded
        self._waiting = waiting
        self._timed = timed

    @property
    def nbytes(self) -> int:
        """About how many bytes all of it takes."""
        return int(sum(each.estimated_size() for each in (*self._known(), *self._waiting)))

    def by_time(self) -> LastRows:
        """Return this for rows that do not lie in the order of their arrival any more."""
        return LastRows(self._law, self._folded, self._waiting, timed=True, dropped=self.dropped)

    def cleared(self) -> LastRows:
        """Return this without any row; what went before is still counted."""
        return LastRows(self._law, dropped=self.dropped)

    def with_frames(self, frames: list[pl.DataFrame]) -> LastRows:
        """Return this with the frames that are after it."""
        if not frames:
            return self
        waiting = (*self._waiting, *frames)
        markets = 0 if self._folded is None else self._folded.height
        rows = sum(each.height for each in waiting)
        if rows < max(_FEWEST, markets) and len(waiting) < _MOST_FRAMES:
            return LastRows(self._law, self._folded, waiting, timed=self._timed, dropped=self.dropped)
        folded = self._last([*self._known(), *waiting])
        excess = max(0, folded.height - self._law.most)
        if excess:
            folded = self._without(folded, excess)
        return LastRows(self._law, folded, timed=self._timed, dropped=self.dropped + excess)

    def _without(self, folded: pl.DataFrame, excess: int) -> pl.DataFrame:
        """Return the rows without some: those of what has ended go first, and of these and the others the oldest."""
        column, words = self._law.ended or ("", frozenset())
        if column not in folded.columns:
            return folded.slice(excess)
        ended = folded[column].is_in(sorted(words)).fill_null(value=False)
        gone = ended.arg_true().append((~ended).arg_true()).head(excess)
        return folded.filter(~pl.int_range(pl.len(), dtype=pl.UInt32).is_in(gone.implode()))

    def _last(self, frames: list[pl.DataFrame]) -> pl.DataFrame:
        named = pl.concat(frames, rechunk=False).filter(pl.col(self._law.key[0]).is_not_null())
        if self._timed:
            named = named.sort(moments(), maintain_order=True)
        return named.unique(self._law.key, keep="last", maintain_order=True)

    def _known(self) -> list[pl.DataFrame]:
        return [] if self._folded is None else [self._folded]

    def latest(self, then: list[pl.DataFrame], *, empty: pl.DataFrame) -> pl.DataFrame:
        """Return the last row of each market, `then` being the rows after all of these."""
        frames = [*self._known(), *self._waiting, *then]
        return self._last(frames) if frames else empty
