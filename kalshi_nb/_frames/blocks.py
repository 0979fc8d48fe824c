"""The rows of a rolling frame, cut into blocks so that one more batch never copies them all."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Final, NamedTuple

import polars as pl

from kalshi_nb._frames.joining import one_chunk, without_first
from kalshi_nb._frames.schema import RECEIVED

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Block", "Blocks", "put_in"]

_FAN: Final = 4
"""So many neighbours of one size become one block: a row is copied once a size, and sizes grow by this."""

_SHARE: Final = 4
"""No merged block is larger than this part of all rows: it bounds both the longest merge and what the
oldest block keeps beyond the window."""

_MOST_BLOCKS: Final = 40
"""More blocks than this make every reader slow."""

_ORDER: Final = "\0order"
"""A column that nobody else has."""

_SMALL: Final = 1_024
"""Rows below which merging is always worth it."""


class Block(NamedTuple):
    """Some neighbouring rows in one chunk, with the least and the greatest tick of their received_at.

    Ticks are the column's own integers, whatever its time unit. They are 0 where times do not matter or
    where no row has one.
    """

    df: pl.DataFrame
    oldest: int
    newest: int

    @property
    def height(self) -> int:
        """Rows in all."""
        return self.df.height

    @property
    def size(self) -> int:
        """The power of `_FAN` that the height has reached."""
        return _size(self.df.height)


def _size(height: int) -> int:
    return (height.bit_length() - 1) // 2


def _ticks(df: pl.DataFrame) -> pl.Series:
    return df[RECEIVED].to_physical()


def _block(df: pl.DataFrame, *, timed: bool) -> Block:
    if not timed:
        return Block(df, 0, 0)
    ticks = _ticks(df)
    oldest, newest = ticks.min(), ticks.max()
    if not isinstance(oldest, int) or not isinstance(newest, int):
        return Block(df, 0, 0)
    return Block(df, 0 if ticks.null_count() else oldest, newest)


def _joined(blocks: list[Block]) -> Block:
    return Block(
        one_chunk([each.df for each in blocks]),
        min(each.oldest for each in blocks),
        max(each.newest for each in blocks),
    )


def _merged(blocks: list[Block], most: int) -> list[Block]:
    """Return the same rows in fewer blocks, sizes falling from the oldest to the newest.

    The newest block takes the smaller ones before it, and `_FAN` of a size become one, so that no more than
    `_FAN` - 1 of each size remain; but no block grows past `most` rows, unless it was larger before. What is to
    be one in the end is copied once.
    """
    rest, joining = blocks[:-1], [blocks[-1]]
    first = height = joining[0].height
    while rest:
        size = _size(height)
        if rest[-1].size < size and (rest[-1].size < _size(first) or height + rest[-1].height <= most):
            count = 1
        else:
            equal = rest[1 - _FAN :]
            count = _FAN - 1
            fits = len(equal) == count and all(each.size == size for each in equal)
            if not fits or height + sum(each.height for each in equal) > most:
                break
        height += sum(each.height for each in rest[-count:])
        joining[:0] = rest[-count:]
        del rest[-count:]
    merged = [*rest, _joined(joining) if len(joining) > 1 else joining[0]]
    return merged if len(merged) <= _MOST_BLOCKS else _with_cheapest_joined(merged)


def _with_cheapest_joined(blocks: list[Block]) -> list[Block]:
    """Join the `_FAN` neighbours that are the fewest rows: while a window grows, small ones stay behind."""
    totals = [sum(each.height for each in blocks[at : at + _FAN]) for at in range(len(blocks) - _FAN + 1)]
    at = totals.index(min(totals))
    return [*blocks[:at], _joined(blocks[at : at + _FAN]), *blocks[at + _FAN :]]


def put_in(df: pl.DataFrame, rows: pl.DataFrame, places: list[int]) -> pl.DataFrame:
    """Return `df` with a row of `rows` before each of `places`, in one chunk."""
    order = [pl.Series(_ORDER, range(1, 2 * df.height, 2)), pl.Series(_ORDER, places) * 2]
    both = pl.concat([each.with_columns(by) for each, by in zip((df, rows), order, strict=True)])
    return both.sort(_ORDER, maintain_order=True).drop(_ORDER).rechunk()


class Blocks:
    """Rows in blocks, the first `skip` of them no longer wanted. Never changed: each step makes another.

    Parameters
    ----------
    blocks : tuple of Block
        The rows, oldest first.
    skip : int
        Rows at the front that are out of the window, all within the first block.
    height : int, optional
        Rows in all, where the caller knows.
    """

    __slots__ = ("_blocks", "height", "skip")

    def __init__(self, blocks: tuple[Block, ...] = (), skip: int = 0, height: int | None = None) -> None:
        self._blocks = blocks
        self.skip = skip
        self.height = sum(each.height for each in blocks) if height is None else height
        """Rows in all, the skipped ones counted."""

    @property
    def frames(self) -> list[pl.DataFrame]:
        """The rows as they lie, the skipped ones too."""
        return [each.df for each in self._blocks]

    def __len__(self) -> int:
        return len(self._blocks)

    def ends_with(self, df: pl.DataFrame) -> bool:
        """Return whether `df` itself is the newest block, not merged with others."""
        return bool(self._blocks) and self._blocks[-1].df is df

    def with_block(self, df: pl.DataFrame, *, timed: bool) -> Blocks:
        """Return these rows and those of `df`, which is one chunk and not empty."""
        most = max(_SMALL, (self.height + df.height) // _SHARE)
        blocks = [*self._blocks, _block(df, timed=timed)]
        return Blocks(tuple(_merged(blocks, most)), self.skip)

    def with_rows_at(self, df: pl.DataFrame, places: Sequence[int], *, timed: bool) -> Blocks:
        """Return these rows with a row of `df` before each of `places`; only blocks that get some are copied.

        Parameters
        ----------
        df : polars.DataFrame
            The rows to put in.
        places : sequence of int
            Where, in the order of `df`: none before the one before it, or among the skipped rows.
        timed : bool
            Whether times matter.
        """
        if not self._blocks:
            return self.with_block(df, timed=timed)
        blocks: list[Block] = []
        before = first = 0
        for block in self._blocks:
            after = before + block.height
            last = len(places) if len(blocks) == len(self._blocks) - 1 else bisect_left(places, after)
            if last > first:
                inner = [place - before for place in places[first:last]]
                blocks.append(_block(put_in(block.df, df.slice(first, last - first), inner), timed=timed))
            else:
                blocks.append(block)
            before, first = after, last
        return Blocks(tuple(blocks), self.skip)

    def followed_by(self, df: pl.DataFrame, *, timed: bool) -> Blocks:
        """Return these rows and those of `df` for somebody who only reads: nothing is merged or copied."""
        return Blocks((*self._blocks, _block(df, timed=timed)), self.skip, self.height + df.height)

    def skipping(self, skip: int) -> Blocks:
        """Return the same blocks, the first `skip` of their rows no longer wanted."""
        return self if skip == self.skip else Blocks(self._blocks, skip, self.height)

    def first_since(self, tick: int, start: int) -> int:
        """Return where the first row from `start` on is that was received at or after `tick`.

        A clock that was set back makes older rows follow newer ones: those stay until the newer ones go.
        A row without a time is as good as an old one.
        """
        before = 0
        for block in self._blocks:
            after = before + block.height
            if start < after:
                if block.oldest >= tick:
                    return max(before, start)
                if block.newest >= tick:
                    offset = max(0, start - before)
                    new_enough = (_ticks(block.df).slice(offset) >= tick).fill_null(value=False)
                    if new_enough.any():
                        return before + offset + (new_enough.arg_max() or 0)
            before = after
        return before

    def cut(self, start: int) -> tuple[Blocks, list[pl.DataFrame]]:
        """Return what remains from row `start` on, and the blocks that are wholly before it."""
        dropped = 0
        while dropped < len(self._blocks) and start >= self._blocks[dropped].height:
            start -= self._blocks[dropped].height
            dropped += 1
        kept = Blocks(self._blocks[dropped:], start)
        return kept, [each.df for each in self._blocks[:dropped]]

    def frame(self, columns_of: pl.DataFrame) -> pl.DataFrame:
        """Return the wanted rows as one frame, none of them copied.

        Parameters
        ----------
        columns_of : polars.DataFrame
            Gives the columns where no row remains.
        """
        if not self._blocks:
            return columns_of.clear()
        return without_first(pl.concat(self.frames, rechunk=False), self.skip)
