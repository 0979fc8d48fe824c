"""The columns of a frame: as a user gives them, and whether a batch has them that is to be added to it."""

from __future__ import annotations

from typing import Any, Final

import polars as pl

from kalshi_nb._redaction import printable, shown
from kalshi_nb.errors import ConfigurationError

__all__ = ["Columns", "checked_schema"]

_FORM: Final = "Give names and polars dtypes, such as schema={'ts': pl.Datetime('us', 'UTC'), 'price': pl.Float64}."
_MOST_SAID: Final = 200
"""Characters of what polars says."""


def checked_schema(given: Any) -> pl.Schema:
    """Return names and dtypes as a user gave them.

    Raises
    ------
    ConfigurationError
        When they are none that a frame can have; it says what polars has against them.
    """
    try:
        schema = pl.Schema(given)
        pl.DataFrame(schema=schema)  # which looks at the names, too
    except (TypeError, ValueError, pl.exceptions.PolarsError) as problem:
        reason = printable(str(problem).partition("\n")[0][:_MOST_SAID].rstrip("."))
        raise ConfigurationError(f"schema={shown(given)}: {reason}. {_FORM}") from None
    if not schema:
        raise ConfigurationError(f"schema={shown(given)} names no column. {_FORM}")
    return schema


class Columns:
    """Names and dtypes of a frame, in their order.

    Parameters
    ----------
    schema : polars.Schema
        The frame's.
    """

    def __init__(self, schema: pl.Schema) -> None:
        self.schema = schema
        self._alike = pl.DataFrame(schema=schema) if all(map(_is_compared, schema.dtypes())) else None

    def fit(self, df: pl.DataFrame) -> bool:
        """Return whether names and dtypes are those of `df`, in their order."""
        if self._alike is None:
            return df.columns == self.schema.names() and df.dtypes == self.schema.dtypes()
        # polars compares them itself, at a twentieth of what it costs to ask for a frame's Enums.
        try:
            df.vstack(self._alike)
        except pl.exceptions.PolarsError:
            return False
        return True

    def difference(self, found: pl.Schema) -> str:
        """Return what is wrong with a batch that has the columns `found`."""
        expected = self.schema
        parts = [f"{name} is missing" for name in expected if name not in found]
        parts += [f"{name} is new" for name in found if name not in expected]
        parts += [
            f"{name} is {found[name]} instead of {dtype}"
            for name, dtype in expected.items()
            if name in found and found[name] != dtype
        ]
        return (
            f"A batch does not have the columns of the rolling frame: {'; '.join(parts)}. "
            "The node before rolling_frame() must return the same columns every time; "
            "select and cast them there, or begin a new rolling_frame()."
        )


def _is_compared(dtype: pl.DataType) -> bool:
    """Return whether polars lays no columns but its own below one of this dtype; it does with some others."""
    return not (dtype.is_nested() or dtype.is_decimal() or dtype in (pl.Null, pl.Object))
