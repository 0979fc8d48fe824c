"""The rows that an engine has made and nobody has taken yet, and who is woken for them.

One thread appends, one thread at a time takes a slice from a list's front and deletes that; each step of this is
atomic.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from kalshi_nb._rows.channels import ROWS
from kalshi_nb._rows.rows import Row
from kalshi_nb._rows.steering import LateRows

__all__ = ["RowLists"]


class RowLists:
    """The part of an engine that hands up rows; see :class:`kalshi_nb._engine.port.Engine`."""

    def __init__(self) -> None:
        # All from the beginning, so that whoever looks through them needs no copy: the lists change, this does not.
        self._rows: dict[str, list[Row]] = {channel: [] for channel in ROWS}
        self._watched: tuple[list[Row], ...] = ()
        self._watchable: dict[tuple[str, ...], tuple[list[Row], ...]] = {}  # whoever takes asks for the same few
        self._wake: Callable[[], None] = lambda: None
        self._on_read: Callable[[], None] | None = None

    def take(self, channel: str) -> list[Row]:
        """Take all rows of `channel`, or all quotes, that are pending, in the order they were received."""
        rows = self._rows[channel]
        taken = rows[: len(rows)]
        del rows[: len(taken)]
        return taken

    def pending(self) -> Sequence[str]:
        """Return the channels of which rows can be taken now."""
        return [channel for channel, rows in self._rows.items() if rows]

    def watch(self, channels: Sequence[str], wake: Callable[[], None]) -> bool:
        """Have `wake` called once when a row of one of `channels` comes; return whether some are pending already."""
        # In this order, here and in `_arrived`: rows that come before the look are seen by it, rows that come after it
        # find what is watched.
        self._wake = wake
        asked = tuple(channels)
        watched = self._watchable.get(asked)
        if watched is None:
            watched = self._watchable[asked] = tuple([self._rows[each] for each in asked])
        self._watched = watched
        for rows in watched:
            if rows:
                self._watched = ()
                return True
        return False

    def on_read(self, wake: Callable[[], None]) -> None:
        """Have `wake` called once, after what comes next was taken in."""
        self._on_read = wake

    def _arrived(self) -> None:
        """Wake whoever waits for rows, where there are any, or for anything to come."""
        for rows in self._watched:
            if rows:
                self._watched = ()
                self._wake()
                break
        on_read = self._on_read
        if on_read is not None:
            self._on_read = None
            on_read()

    def put(self, channel: str, rows: Sequence[Row]) -> None:
        """Have rows that were fetched later enter the frames at their place."""
        self._rows[channel].append(LateRows(tuple(rows)))
        self._arrived()
