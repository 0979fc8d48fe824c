"""Which rows follow a gap."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kalshi_nb._rows.gaps import GapRow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kalshi_nb._rows.rows import Row

__all__ = ["GAP", "GapMarks"]

GAP: Final = "gap"
"""The column that says where rows may be missing."""


class GapMarks:
    """Finds the rows of a channel that come first in their market after a gap.

    The market of a lost row is not known, so after a gap that names no market each market's next row is one.
    """

    def __init__(self) -> None:
        self._any = False
        self._followed: set[str | None] = set()
        self._named: set[str | None] = set()

    def of(self, rows: Sequence[Row], market_at: int | None) -> list[bool]:
        """Return one flag for each plain row; call it with all rows of the channel, in their order.

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
        self._any = False
        self._followed.clear()
        self._named.clear()

    def _gap(self, row: GapRow) -> None:
        if row.market_ticker is not None:
            self._named.add(row.market_ticker)
            return
        self._any = True
        self._followed.clear()
        self._named.clear()

    def _is_first(self, ticker: str | None) -> bool:
        if ticker in self._named:
            self._named.discard(ticker)
            self._followed.add(ticker)
            return True
        if not self._any or ticker in self._followed:
            return False
        self._followed.add(ticker)
        return True
