"""A rolling frame in which a row takes the place of the earlier one with the same key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import polars as pl

from kalshi_nb._frames.blocks import Blocks
from kalshi_nb._frames.clock_steps import ClockSteps
from kalshi_nb._frames.rolling import RollingFrame, View
from kalshi_nb.errors import ConfigurationError, PipelineError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["KeyedFrame", "key_columns"]

_PLACE: Final = "\0place"
"""A column that nobody else has."""

_MOST_CHUNKS: Final = 16


def key_columns(by: object) -> tuple[str, ...] | None:
    """Return the columns of a key as a user gave them, None where he gave none.

    Raises
    ------
    ConfigurationError
        When they are no names.
    """
    if by is None:
        return None
    names = (by,) if isinstance(by, str) else by
    if isinstance(names, (list, tuple)) and names and all(isinstance(each, str) and each for each in names):
        return tuple(names)
    raise ConfigurationError(
        "by= names the columns in which a row is like the one whose place it takes: by='market_ticker', or "
        "by=['market_ticker', 'start']."
    )


class KeyedFrame(RollingFrame):
    """The newest rows of a stream of frames, one for each key, in the order in which the keys came first.

    It is written in place, so that rows do not wait to be taken in; whoever reads has one moment all the same, since
    what is shown is replaced whole. `total` counts keys and not rows: whoever waits for three bars means that.

    Parameters
    ----------
    schema : polars.Schema or None
        As for `RollingFrame`.
    by : sequence of str
        The columns of the key; nulls are a value like any other.
    **options
        As for `RollingFrame`.
    """

    def __init__(self, schema: pl.Schema | None, *, by: Sequence[str], **options: Any) -> None:
        super().__init__(schema, **options)
        self._by = list(by)

    def append(self, df: pl.DataFrame) -> None:
        """Put rows in the places of those of the same key, and the others at the end.

        Raises
        ------
        PipelineError
            When the columns are not those of the frame, or a column of the key is missing. Nothing is changed then.
        """
        missing = [each for each in self._by if each not in df.columns]
        if missing:
            raise PipelineError(
                f"rolling_frame(by={self._by}) misses {' and '.join(missing)} among {', '.join(df.columns)}: keep "
                "it in the node before."
            )
        with self._writing:
            df = self._fitting(df)
            if df.height == 0:
                return
            view = self._state.view
            # At the place of the first row of each key, as what the last one says.
            rows = df.group_by(self._by, maintain_order=True).last().select(df.columns)
            merged, new = self._merged(view.df, rows)
            self._show(self._within(view, merged))
            self._total += new
        self._waiters.tell(self._total)

    def step(self, by: int) -> None:
        """Do nothing: rows that are written anew lie in no order of time that a step could be put into."""

    def _merged(self, old: pl.DataFrame, rows: pl.DataFrame) -> tuple[pl.DataFrame, int]:
        """Return `old` with `rows` in it, and how many of these are new."""
        places = old.select(self._by).with_row_index(_PLACE)
        found = rows.select(self._by).join(places, on=self._by, how="left", nulls_equal=True, maintain_order="left")
        taken = found[_PLACE].cast(pl.Int64)
        new = taken.null_count()
        if new == rows.height:
            return self._joined(old, rows), new
        # What is before the first row that changes is not touched: mostly the last few rows do.
        first: int = taken.min()  # type: ignore[assignment]  # there is one that is not null
        order = (taken - first).fill_null(pl.Series(range(old.height, old.height + rows.height)))
        behind = old.slice(first).with_row_index(_PLACE).with_columns(pl.col(_PLACE).cast(pl.Int64))
        kept = behind.filter(~pl.col(_PLACE).is_in(order.implode()))
        both = pl.concat([kept, rows.select(order.alias(_PLACE), pl.all())])
        return self._joined(old.slice(0, first), both.sort(_PLACE, maintain_order=True).drop(_PLACE)), new

    @staticmethod
    def _joined(head: pl.DataFrame, tail: pl.DataFrame) -> pl.DataFrame:
        df = head.vstack(tail.rechunk())
        return df.rechunk() if df.n_chunks() > _MOST_CHUNKS else df

    def _within(self, view: View, df: pl.DataFrame) -> View:
        blocks = Blocks().with_block(df, timed=self._span_us is not None)
        start = self._start(blocks, ClockSteps())
        folded = view.folded
        if start:
            if not self._keyless(df.columns):
                folded = folded.with_frames([df.slice(0, start)])
            df = df.slice(start)
            blocks = Blocks().with_block(df, timed=self._span_us is not None) if df.height else Blocks()
        return View(df, blocks, folded, ClockSteps(gone_until=view.steps.gone_until))
