"""Rows of several files that come mixed, kept until each can be written: in memory, and beyond a bound on the disk."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

import polars as pl

__all__ = ["Gathered"]

Key = tuple[str, int]
"""What rows go into: a channel's file of a UTC day, since 1970."""

_MOST: Final = 64 << 20
"""Bytes of frames that are kept in memory."""


class Gathered:
    """Frames by what they go into, those of each in the order in which they came.

    Parameters
    ----------
    aside : callable
        Returns a path to write to, another one each time; whoever made it removes it.
    most : int, optional
        Bytes of frames that are kept in memory; where they are more, all go to the disk.

    Attributes
    ----------
    rows : dict
        How many rows there are of each.
    """

    def __init__(self, aside: Callable[[], Path], most: int = _MOST) -> None:
        self._aside = aside
        self._most = most
        self._size = 0
        self._here: dict[Key, list[pl.DataFrame]] = {}
        self._there: dict[Key, list[Path]] = {}
        self.rows: dict[Key, int] = {}

    def add(self, key: Key, frame: pl.DataFrame) -> None:
        """Take the next rows of one of them."""
        self._here.setdefault(key, []).append(frame)
        self.rows[key] = self.rows.get(key, 0) + frame.height
        self._size += int(frame.estimated_size())
        if self._size > self._most:
            self._put_aside()

    def frame(self, key: Key) -> pl.LazyFrame:
        """Return all rows of one of them."""
        there = [pl.scan_ipc(each, glob=False, hive_partitioning=False) for each in self._there.get(key, [])]
        return pl.concat([*there, *(each.lazy() for each in self._here.get(key, []))])

    def _put_aside(self) -> None:
        for key, frames in self._here.items():
            path = self._aside()
            pl.concat(frames).write_ipc(path)
            self._there.setdefault(key, []).append(path)
        self._here.clear()
        self._size = 0
