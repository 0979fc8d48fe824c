"""A row that came alone as a frame, with as few steps as that can be done in.

Where rows come one by one each is a frame before the next one comes, and whoever waits for it waits for that, too: on
a thread that has slept since the last row every step costs several times what it does in a loop. So for each layout it
is worked out once what is to be done with a row, by the same constructors below polars' public face that
:mod:`kalshi_nb._frames.series` has, and tried on rows whose outcome is known. Where anything is not as it should be,
nothing is made here, and the way of many rows is taken.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import polars as pl

from kalshi_nb._frames.series import straight_constructors

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Make = Callable[[Sequence[Any]], pl.DataFrame]

__all__ = ["Column", "one_row"]

_SHARED: Final = 1_024
"""So many values of columns that often have the same one are kept as they were made."""

_TRIALS: Final[dict[type[pl.DataType], tuple[Any, ...]]] = {
    pl.Int64: (7, None),
    pl.Float64: (0.47, None),
    pl.String: ("é", None),
    pl.Boolean: (True, None),
}


class Column(NamedTuple):
    """What a column of a layout is made of.

    Attributes
    ----------
    name : str
        Its name.
    base : polars data type
        What a value is taken in as: Int64, Float64, String or Boolean.
    dtype : polars.DataType
        What the column is.
    parts : int
        Of how many parts one is, where a value is an integer that counts them; 0 where it is not.
    shared : bool
        Whether the same values come again and again.
    """

    name: str
    base: type[pl.DataType]
    dtype: pl.DataType
    parts: int = 0
    shared: bool = False

    def publicly(self, value: Any) -> pl.Series:
        """Return a value as a column by what polars has in public."""
        if self.parts:
            return pl.Series(self.name, [None if value is None else value / self.parts], dtype=pl.Float64)
        return pl.Series(self.name, [value], dtype=self.base).cast(self.dtype)

    def trials(self) -> tuple[Any, ...]:
        """Return values to try it on."""
        if isinstance(self.dtype, pl.Enum):
            return (*self.dtype.categories.to_list(), None)
        return _TRIALS[pl.Int64 if self.parts else self.base]


def one_row(columns: Sequence[Column]) -> Make | None:
    """Return what makes a frame of one row of these columns, None where it cannot be done straight."""
    try:
        make = _make(columns)
        return make if make is not None and all(_is_right(make, columns, at) for at in range(3)) else None
    except Exception:  # noqa: BLE001  # another polars: whatever it raises, it has no such way
        return None


def _make(columns: Sequence[Column]) -> Make | None:
    makers = [maker for maker in map(_maker, columns) if maker is not None]
    if len(makers) < len(columns):
        return None
    construct, wrap = type(pl.DataFrame()._df), pl.DataFrame._from_pydf  # noqa: SLF001  # as in `series`

    def make(row: Sequence[Any]) -> pl.DataFrame:
        return wrap(construct([maker(value) for maker, value in zip(makers, row, strict=True)]))

    return make


def _maker(column: Column) -> Callable[[Any], Any] | None:
    """Return what makes polars' own inner series of one value."""
    name, base, dtype, parts, shared = column
    construct = straight_constructors()[pl.Float64 if parts else base]
    if construct is None:
        return None
    if parts:
        divisor = float(parts)
        return lambda value: construct(name, (None if value is None else value / divisor,), True)
    if base == dtype:
        make = lambda value: construct(name, (value,), True)  # noqa: E731
    else:
        make = lambda value: construct(name, (value,), True).cast(dtype, True, False)  # noqa: E731
    # Frames that share a column share nothing that can be changed: polars copies what it is told to change.
    return lru_cache(_SHARED, typed=True)(make) if shared else make


def _is_right(make: Make, columns: Sequence[Column], at: int) -> bool:
    row = [trials[at % len(trials)] for trials in map(Column.trials, columns)]
    expected = pl.DataFrame([column.publicly(value) for column, value in zip(columns, row, strict=True)])
    made = make(row)
    return made.schema == expected.schema and made.equals(expected)
