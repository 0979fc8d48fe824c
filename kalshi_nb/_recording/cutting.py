"""Lines of a recording cut into frames: what is done for every message, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from kalshi_nb._extensions import WANTED, found

if TYPE_CHECKING:
    from collections.abc import Callable

    Cut = Callable[[bytes, int, tuple[bytes, ...], bool], tuple[list[bytes], int]]

__all__ = [
    "COMPILED",
    "find_line",
    "frames_in",
    "lines_in",
    "plain_find_line",
    "plain_frames_in",
    "plain_lines_in",
]


def plain_frames_in(text: bytes, begin: int, own: tuple[bytes, ...], newline: bool, /) -> tuple[list[bytes], int]:
    """Return the frames at the beginning of some lines, and where the first line begins that is none.

    Parameters
    ----------
    text : bytes
        Whole lines, each with its newline.
    begin : int
        Where in the text to begin.
    own : tuple of bytes
        What lines begin with that are no frames.
    newline : bool
        Whether the newline of a line is its frame's own.

    Raises
    ------
    ValueError
        When the last line has no newline.
    """
    frames = []
    while begin < len(text) and not text.startswith(own, begin):
        end = text.find(b"\n", begin)
        if end < 0:
            raise ValueError("a line without an end")
        frames.append(text[begin : end + newline])
        begin = end + 1
    return frames, begin


def plain_lines_in(text: bytes, end: int, /) -> int:
    """Return how many lines end before a place in a text."""
    return text.count(b"\n", 0, end)


def plain_find_line(text: bytes, begins: bytes, looked: int, /) -> int:
    """Return where the first line is that begins so, -1 without one; `looked` is where a line begins."""
    if text.startswith(begins, looked):
        return looked
    found = text.find(b"\n" + begins, looked)
    return found + 1 if found >= 0 else -1


_extension: Final[Any] = found("kalshi_nb._recording._cutting")

COMPILED: Final = _extension is not None
"""Whether the compiled way is there."""

frames_in: Final[Cut] = _extension.frames_in if COMPILED and WANTED else plain_frames_in
lines_in: Final[Callable[[bytes, int], int]] = _extension.lines_in if COMPILED and WANTED else plain_lines_in
find_line: Final[Callable[[bytes, bytes, int], int]] = _extension.find_line if COMPILED and WANTED else plain_find_line
