"""Series from Python values, and frames from Series, without what ``pl.Series`` spends on finding out what they are.

That constructor takes some 20 microseconds whatever it is given, most of it looking for kinds of input that a column
of ours never is, and a frame has a dozen columns: half a millisecond before a row that came alone can be read. Below
it polars has a constructor for each dtype, which takes one. It is not of polars' public face and may change with any
release; so once, before the first use, each is tried on values whose outcome is known, and where anything is not as
it should be the public way is taken for good. The same goes for a frame of some Series.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Make = Callable[[str, Sequence[Any]], pl.Series]
    Construct = Callable[[str, Sequence[Any], bool], Any]  # the last says whether to be strict

__all__ = ["frame", "series", "straight_constructors", "straight_frame", "straight_ways"]

_TRIALS: dict[type[pl.DataType], tuple[str, tuple[Any, ...], Any]] = {
    pl.Int64: ("new_opt_i64", (1, None, -(2**62)), "1"),
    pl.UInt32: ("new_opt_u32", (1, None, 2**32 - 1), "1"),
    pl.Float64: ("new_opt_f64", (0.47, None, -1e300), "0.47"),
    pl.String: ("new_str", ("KXA-1", None, "é"), 1),
    pl.Boolean: ("new_opt_bool", (True, None, False), "yes"),
}
"""For each dtype the constructor below, values to try it on, and one that it must refuse."""


@cache
def straight_constructors() -> dict[type[pl.DataType], Construct | None]:
    """Return polars' own inner constructor of each dtype, None for one that cannot be trusted."""
    return {dtype: _straight(dtype, *trial) for dtype, trial in _TRIALS.items()}


@cache
def straight_ways() -> dict[type[pl.DataType], Make]:
    """Return what makes a Series of each dtype; the public way where no other can be trusted."""
    return {
        dtype: _public(dtype) if construct is None else _wrapping(construct)
        for dtype, construct in straight_constructors().items()
    }


def _public(dtype: type[pl.DataType]) -> Make:
    return lambda name, values: pl.Series(name, values, dtype=dtype)


def _wrapping(construct: Construct) -> Make:
    wrap = pl.Series._from_pyseries  # noqa: SLF001  # that is what all this is about

    def make(name: str, values: Sequence[Any]) -> pl.Series:
        made: pl.Series = wrap(construct(name, values, True))
        return made

    return make


def _straight(dtype: type[pl.DataType], name: str, values: tuple[Any, ...], wrong: object) -> Construct | None:
    try:
        construct: Construct = getattr(type(pl.Series()._s), name)  # noqa: SLF001  # that is what all this is about
        make = _wrapping(construct)
        expected = pl.Series("tried", values, dtype=dtype)
        for each in (values, list(values)):
            made = make("tried", each)
            if made.name != "tried" or made.dtype != dtype or made.to_list() != expected.to_list():
                return None
        try:
            make("tried", (wrong,))
        except Exception:  # noqa: BLE001  # whichever it is, the value was refused
            return construct
    except Exception:  # noqa: BLE001, S110  # another polars: whatever it raises, it has no such way
        pass
    return None


def series(name: str, values: Sequence[Any], dtype: type[pl.DataType]) -> pl.Series:
    """Return a Series as ``pl.Series(name, values, dtype=dtype)`` does.

    Parameters
    ----------
    name : str
        The column's name.
    values : list or tuple
        Of the dtype, or None.
    dtype : polars data type
        Int64, UInt32, Float64, String or Boolean.

    Raises
    ------
    TypeError
        When a value is of another type.
    """
    return straight_ways()[dtype](name, values)


@cache
def straight_frame() -> Callable[[Sequence[pl.Series]], pl.DataFrame]:
    """Return what makes a frame of some Series; the public way where no other can be trusted."""
    return _straight_frame() or pl.DataFrame


def _straight_frame() -> Callable[[Sequence[pl.Series]], pl.DataFrame] | None:
    try:
        construct = type(pl.DataFrame()._df)  # noqa: SLF001  # as above
        wrap = pl.DataFrame._from_pydf  # noqa: SLF001  # as above

        def make(columns: Sequence[pl.Series]) -> pl.DataFrame:
            return wrap(construct([each._s for each in columns]))  # noqa: SLF001  # that is what all this is about

        tried = [pl.Series("one", [1, None]), pl.Series("other", ["x", "y"])]
        made = make(tried)
        if made.schema != pl.DataFrame(tried).schema or not made.equals(pl.DataFrame(tried)):
            return None
        try:
            make([tried[0], tried[1][:1]])
        except Exception:  # noqa: BLE001  # whichever it is, columns of two lengths were refused
            return make
    except Exception:  # noqa: BLE001, S110  # another polars: whatever it raises, it has no such way
        pass
    return None


def frame(columns: Sequence[pl.Series]) -> pl.DataFrame:
    """Return columns of one length, each with its name, as a frame, as ``pl.DataFrame(columns)`` does."""
    return straight_frame()(columns)
