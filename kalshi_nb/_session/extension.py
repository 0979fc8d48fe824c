"""The compiled part, where it was built, and what stands in for it elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from kalshi_nb._extensions import WANTED, found
from kalshi_nb._rows.channels import LAYOUTS
from kalshi_nb._session.ladder import Ladder, PlainLadder

if TYPE_CHECKING:
    from kalshi_nb._session._compiled import StraightLine
    from kalshi_nb._session._row_columns import RowColumns

__all__ = ["BUILT", "COMPILED", "ladders", "row_columns", "straight_line"]

_extension: Final[Any] = found("kalshi_nb._session._compiled")
_columns: Final[Any] = found("kalshi_nb._session._row_columns")
_frames: Final[Any] = found("kalshi_nb._session._straight_frames")
_rows: Final[Any] = found("kalshi_nb._session._straight_rows")

BUILT: Final = None not in (_extension, _columns, _frames, _rows)
"""Whether the compiled part is there."""

COMPILED: Final = BUILT and WANTED
"""Whether it is used where nobody says otherwise."""


def ladders(*, compiled: bool = COMPILED) -> Callable[[str], Ladder]:
    """Return what makes the ladder of a market."""
    return _extension.CompiledLadder if compiled else PlainLadder


def straight_line(rows: Mapping[str, object]) -> type[StraightLine]:
    """Return the class that takes in what reads brought; the ladders of its session are compiled, too.

    Parameters
    ----------
    rows : mapping of str to list or RowColumns
        What it is to put the rows of each channel into.
    """
    into_columns = any(type(each) is _columns.RowColumns for each in rows.values())
    line: type[StraightLine] = _rows.StraightRows if into_columns else _frames.StraightFrames
    return line


COLUMNS: Final = frozenset({"orderbook_delta", "ticker", "trade"})
"""The channels whose rows can be columns from the beginning: those that come by the thousand a second."""


def row_columns(channels: Iterable[str], *, compiled: bool = COMPILED) -> dict[str, RowColumns]:
    """Return what takes the rows of some channels as columns: of those that can be had so."""
    if not compiled:
        return {}
    return {each: _columns.RowColumns([kind for _, kind in LAYOUTS[each]]) for each in channels if each in COLUMNS}
