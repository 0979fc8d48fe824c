"""The compiled part, where it was built, and what stands in for it elsewhere."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

from kalshi_nb._session.ladder import Ladder, PlainLadder

if TYPE_CHECKING:
    from kalshi_nb._session._compiled import StraightLine

__all__ = ["BUILT", "COMPILED", "NO_EXTENSIONS", "ladders", "straight_line"]

NO_EXTENSIONS: Final = "KALSHI_NB_NO_EXTENSIONS"
"""The variable of the environment that has everything done in Python, if it is set to anything."""


def found(name: str) -> ModuleType | None:
    """Return a compiled module, None where it was not built, or not for this interpreter."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


_extension: Final[Any] = found("kalshi_nb._session._compiled")

BUILT: Final = _extension is not None
"""Whether the compiled part is there."""

COMPILED: Final = BUILT and not os.environ.get(NO_EXTENSIONS)
"""Whether it is used where nobody says otherwise."""


def ladders(*, compiled: bool = COMPILED) -> Callable[[str], Ladder]:
    """Return what makes the ladder of a market."""
    return _extension.CompiledLadder if compiled else PlainLadder


def straight_line() -> type[StraightLine]:
    """Return the class that takes in what reads brought; the ladders of its session are compiled, too."""
    line: type[StraightLine] = _extension.StraightLine
    return line
