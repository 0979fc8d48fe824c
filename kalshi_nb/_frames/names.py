"""Names that many rows share, such as market tickers: each is kept once, however many rows have it.

A column of text has 16 bytes a row that say where the text lies, and the text itself. The exchange writes the same few
thousand names for ever, so rows of all frames point to one piece of memory that has each of them once. It is a
column of plain text all the same.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final, NamedTuple

import polars as pl

from kalshi_nb._frames.series import series

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["SHARED_NAMES", "SharedNames"]

_FEWEST: Final = 256
"""Fewer rows than this are not worth looking anything up for."""

_MOST: Final = 200_000
"""So many names are remembered; a broken sender could invent new ones for ever."""


class _Known(NamedTuple):
    """Some names, and where in the column `texts` each stands. Never changed: more names make another."""

    places: Mapping[str | None, int | None]
    texts: pl.Series


def _known(names: Sequence[str]) -> _Known:
    places: dict[str | None, int | None] = {name: at for at, name in enumerate(names)}
    return _Known({**places, None: None}, pl.Series("", names, dtype=pl.String))


class SharedNames:
    """Makes columns of names that share their text.

    Any thread may ask. What is known is replaced whole, by one assignment, so no lock is needed to read it: places and
    texts always belong together. The lock is for those who add to it.

    Parameters
    ----------
    most : int
        Most names to remember; past it, remembering begins anew.
    """

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._known = _known([])
        self._rows_missed = 0
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._known.texts)

    def column(self, name: str, values: Sequence[str | None]) -> pl.Series:
        """Return a column of text."""
        known = self._known
        if len(values) >= _FEWEST:
            try:
                places = [known.places[each] for each in values]
            except KeyError:
                self._learn(known, values)
            else:
                # By its index, and not by gather(), which plans a query first: that takes twenty times as long.
                return known.texts[series(name, places, pl.UInt32)].alias(name)
        return series(name, values, pl.String)

    def _learn(self, known: _Known, values: Sequence[str | None]) -> None:
        """Remember new names, from the next time on.

        To make the column anew costs as much as there are names in it. So it is done when as many rows have gone
        without it since it was made: however many names there are, and in whatever order they come, that costs a row
        no more than its own making.
        """
        with self._lock:
            if known is not self._known:
                return  # somebody else has just learnt
            self._rows_missed += len(values)
            if self._rows_missed < len(known.texts):
                return
            new = {each: None for each in values if each is not None and each not in known.places}
            names = [*known.texts.to_list(), *new]
            self._known = _known(names if len(names) <= self._most else list(new)[: self._most])
            self._rows_missed = 0


SHARED_NAMES: Final = SharedNames()
"""Those of this process."""
