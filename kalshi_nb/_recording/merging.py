"""Trades that were fetched later, put among those of the recording, block by block.

Those that were recorded stay in the order in which they were received. A fetched one stands where its ``ts`` belongs:
before the first that was made after it, as in a frame that is live.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

import polars as pl

from kalshi_nb._frames.blocks import put_in
from kalshi_nb._frames.marks import BACKFILLED
from kalshi_nb._frames.schema import frame_of, schema
from kalshi_nb._rest.missed_trades import in_order

if TYPE_CHECKING:
    from kalshi_nb._recording.backfilled import PieceFile

__all__ = ["CHANNEL", "merged"]

CHANNEL: Final = "trade"
"""All that can be fetched later."""
_TICK: Final = pl.col("ts").dt.epoch("us")


def merged(
    blocks: Iterable[tuple[str, pl.DataFrame]], files: Sequence[PieceFile], first: int | None, last: int | None
) -> Iterator[tuple[str, pl.DataFrame]]:
    """Return blocks of rows, by channel, those of trades with what was fetched among them.

    Parameters
    ----------
    blocks : iterable of (str, DataFrame)
        What was recorded.
    files : sequence of PieceFile
        What was fetched, by time.
    first, last : int or None
        Leave out fetched trades that were made before or after, in microseconds.
    """
    waiting = _Waiting(files, first, last)
    for channel, block in blocks:
        if channel != CHANNEL:
            yield channel, block
            continue
        marked = block.with_columns(pl.lit(value=False).alias(BACKFILLED))
        # A trade may have come after one that was made later: what is behind that one is behind both. What waits still
        # after a block is behind all of it, whatever comes.
        peaks = marked.select(_TICK.cum_max()).to_series()
        for late in waiting.before(peaks[0]):
            yield channel, late
        within = [*waiting.before(peaks[-1])]
        if within:
            late = pl.concat(within)
            places = peaks.search_sorted(late.select(_TICK).to_series(), side="right")
            marked = put_in(marked, late, places.to_list())
        yield channel, marked
    for late in waiting.before(None):
        yield CHANNEL, late


class _Waiting:
    """What was fetched and has not found its place yet; a file is read when its time has come."""

    def __init__(self, files: Sequence[PieceFile], first: int | None, last: int | None) -> None:
        self._files = deque(files)
        self._first, self._last = first, last
        self._rows = pl.DataFrame(schema=schema(CHANNEL, late=True))

    def before(self, moment: int | None) -> Iterator[pl.DataFrame]:
        """Yield those that were made before a moment, in microseconds, and let go of them; all where it is None."""
        while True:
            rows = self._rows
            due = rows if moment is None else rows.filter(moment > _TICK)
            self._rows = rows.slice(due.height)
            if due.height:
                yield due
            if self._rows.height or not self._files or (moment is not None and self._files[0].piece.since >= moment):
                return
            self._rows = self._next()

    def _next(self) -> pl.DataFrame:
        """Return the rows of the next file, with those of files of the same millisecond."""
        file = self._files.popleft()
        rows, until = file.trades(), file.piece.until
        while self._files and self._files[0].piece.since < until:
            file = self._files.popleft()
            rows, until = in_order([*rows, *file.trades()]), max(until, file.piece.until)
        if not rows:
            return self._rows
        made = frame_of(CHANNEL, rows).with_columns(pl.lit(value=True).alias(BACKFILLED))
        made = made if self._first is None else made.filter(self._first <= _TICK)
        return made if self._last is None else made.filter(self._last >= _TICK)
