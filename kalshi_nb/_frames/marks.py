"""What is said of rows beside what they say: which follow a gap, and which were fetched later."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kalshi_nb._rows.gaps import GapRow

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from kalshi_nb._rows.rows import Row

__all__ = ["BACKFILLED", "GAP", "GapMarks", "is_backfilled"]

MOST_MARKETS: Final = 100_000

GAP: Final = "gap"
"""The column that says where rows may be missing."""

BACKFILLED: Final = "backfilled"
"""The column that says which rows were fetched, after their time."""


def is_backfilled(df: pl.DataFrame) -> bool:
    """Tell whether a frame has rows, and all of them say that they were fetched."""
    return BACKFILLED in df.columns and df.height > 0 and bool(df[BACKFILLED].all())


class GapMarks:
    """Finds the rows of a channel that come first in their market after a gap.

    The market of a lost row is not known, so after a gap that names no market each market's next row is one. So many
    markets are remembered that had theirs; one that is forgotten is marked again, which says too much and never too
    little.

    Parameters
    ----------
    most : int
        How many markets are remembered, of those that had their row and of those that a gap named, each.
    """

    def __init__(self, most: int = MOST_MARKETS) -> None:
        self._most = most
        self._any = 0
        # In the order in which they came, so that the oldest can be forgotten.
        self._followed: dict[str | None, None] = {}
        self._named: dict[str | None, int] = {}

    def of(self, rows: Sequence[Row], market_at: int | None) -> list[int]:
        """Return for each plain row the mark of the gap that it follows, 0 for none.

        Call it with all rows of the channel, in their order.

        `market_at` is where a row says what it is about; None where rows are about nothing that has a name.
        """
        marks = []
        for row in rows:
            if type(row) is tuple:
                marks.append(self._is_first(None if market_at is None else row[market_at]))
            elif isinstance(row, GapRow):
                self._gap(row)
        return marks

    def forget(self) -> None:
        """Begin anew: no row to come follows a gap that was before."""
        self._any = 0
        self._followed.clear()
        self._named.clear()

    def _gap(self, row: GapRow) -> None:
        if row.market_ticker is not None:
            self._named[row.market_ticker] = row.mark
            if len(self._named) > self._most:
                # A gap of all markets is one of each that was named.
                self._gap(row._replace(market_ticker=None))
            return
        self._any = row.mark
        self._followed.clear()
        self._named.clear()

    def _is_first(self, ticker: str | None) -> int:
        if ticker in self._named:
            mark = self._named.pop(ticker)
            self._follow(ticker)
            return mark
        if not self._any or ticker in self._followed:
            return 0
        self._follow(ticker)
        return self._any

    def _follow(self, ticker: str | None) -> None:
        if not self._any:
            return  # nobody asks who had his row
        self._followed[ticker] = None
        if len(self._followed) > self._most:
            del self._followed[next(iter(self._followed))]
