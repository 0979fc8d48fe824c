"""Which cell is running, so that what an earlier run of it attached can be replaced."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final, NamedTuple

from kalshi_nb._shell import shell

__all__ = ["Cell", "frames_inside", "this_cell"]

_PACKAGE: Final = str(Path(__file__).parent.parent) + os.sep


class Cell(NamedTuple):
    """One run of one place in a notebook.

    Attributes
    ----------
    place : tuple of str and int
        The cell's source, by the name IPython compiles it under, and the line.
    run : int
        IPython's execution count.
    """

    place: tuple[str, int]
    run: int


def this_cell() -> Cell | None:
    """Return the cell that this call comes from; None in a plain script."""
    running = shell()
    if running is None:
        return None
    frame = sys._getframe(frames_inside() - 1)  # noqa: SLF001  # the only way to know the caller, as warnings do it
    # A function defined in one cell and called from another belongs to the run of the calling one.
    return Cell((frame.f_code.co_filename, frame.f_lineno), int(running.execution_count))


def frames_inside() -> int:
    """Return how many calls up the caller's caller is outside this package: the ``stacklevel`` of a warning."""
    frame = sys._getframe(1)  # noqa: SLF001  # as above
    depth = 1
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame, depth = frame.f_back, depth + 1
    return depth
