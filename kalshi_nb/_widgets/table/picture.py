"""What a table is handed: the last rows of a frame at one moment, each cell as it is written."""

from __future__ import annotations

import datetime as dt
from collections.abc import Hashable
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl

__all__ = ["RowsSource", "TablePicture", "table_picture"]

_MOST_COLUMNS: Final = 40
_LONGEST: Final = 200
"""Characters of a cell."""


class RowsSource(Protocol):
    """What a table is made of: a `FrameSource`, or what stands in for one where no feed's frame is shown."""

    @property
    def df(self) -> pl.DataFrame:
        """The rows."""
        ...

    @property
    def total(self) -> int:
        """How many ever came."""
        ...

    @property
    def title(self) -> str:
        """What they are of."""
        ...

    @property
    def status(self) -> str:
        """How far they may be trusted."""
        ...

    @property
    def note(self) -> str:
        """What to say below them; may be empty."""
        ...

    @property
    def now(self) -> float:
        """The time by the clock that they are stamped by, epoch seconds."""
        ...

    def described(self) -> str:
        """Return what the handle says of itself in a line."""
        ...

    def watch(self, wake: Callable[[], None]) -> None:
        """Have `wake` called once when there may be news."""
        ...


class TablePicture(NamedTuple):
    """All that a table shows, of one moment and never changed afterwards.

    Attributes
    ----------
    version : hashable
        Differs whenever anything that is shown does.
    status : str
        ``"connecting"``, ``"live"``, ``"stale"`` or ``"closed"``.
    clock : float
        When it was taken, epoch seconds by the rows' clock.
    columns : tuple of (str, str)
        The name of each, and on which side its words stand, ``"left"`` or ``"right"``.
    rows : tuple of tuple of str
        The last rows, newest last, a text a column.
    total : int
        How many rows ever came.
    note : str
        What to say below them.
    changes : int
        Counts changes.
    """

    version: Hashable
    status: str
    clock: float
    columns: tuple[tuple[str, str], ...]
    rows: tuple[tuple[str, ...], ...]
    total: int
    note: str = ""
    changes: int = 0


def table_picture(source: RowsSource, most: int) -> TablePicture:
    """Return the last rows of a frame as they are now.

    Parameters
    ----------
    source : RowsSource
        The frame.
    most : int
        Rows at most.
    """
    # First the number, then the rows: where one comes between, the next picture has another number and is drawn.
    total, status, note = source.total, source.status, source.note
    df = source.df
    shown = df.select(df.columns[:_MOST_COLUMNS]).tail(most)
    return TablePicture(
        version=(total, status, note),
        status=status,
        clock=source.now,
        columns=tuple(
            (name, "right" if dtype.is_numeric() else "left")
            for name, dtype in zip(shown.columns, shown.dtypes, strict=True)
        ),
        rows=tuple(tuple(map(_written, row)) for row in shown.iter_rows()),
        total=max(total, shown.height),
        note=note,
        changes=total,
    )


def _written(value: Any) -> str:
    """Return a cell as text, a moment to the millisecond."""
    if value is None:
        return "\N{EN DASH}"
    if isinstance(value, dt.datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}.{value.microsecond // 1000:03}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = f"{value:.10g}" if isinstance(value, float) else str(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
