"""A LazyFrame of what is made block by block."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator

import polars as pl
from polars.io.plugins import register_io_source

from kalshi_nb._frames.polars_threads import refuse_without_polars

__all__ = ["block_source"]


def block_source(blocks: Callable[[], Iterator[pl.DataFrame]], columns: pl.Schema) -> pl.LazyFrame:
    """Return a LazyFrame that reads block by block, and stops where no more rows are wanted.

    Raises
    ------
    ForkedError
        In a process in which polars cannot work, since whoever collects it there would wait for ever.
    """
    refuse_without_polars("reading a recording")

    def read(
        with_columns: list[str] | None, predicate: pl.Expr | None, n_rows: int | None, _batch_size: int | None
    ) -> Iterator[pl.DataFrame]:
        left, made = n_rows, blocks()
        try:
            for block in made:
                found = block if predicate is None else block.filter(predicate)
                found = found if with_columns is None else found.select(with_columns)
                if left is not None:
                    found = found.head(left)
                    left -= found.height
                yield found
                if left == 0:
                    return
        finally:
            if isinstance(made, Generator):  # here, and not on whatever thread collects garbage
                made.close()

    return register_io_source(read, schema=columns, validate_schema=True, is_pure=True)
