"""What a segment says of itself: its first line, marks over what was written, and its last line.

A mark ``{"mark":k,"n":n,"crc":c}`` stands after `n` lines, the k-th of the segment being the last of them, and `c` is
the CRC-32 of these lines and of k. Lines that no mark stands over were never said to be kept, and are not read.
"""

from __future__ import annotations

import os
import platform
import re
import socket
import time
from typing import Final, NamedTuple
from zlib import crc32

import msgspec

from kalshi_nb._recording.cutting import find_line, lines_in
from kalshi_nb._recording.kept import Kept
from kalshi_nb._version import __version__

__all__ = [
    "FORMAT",
    "After",
    "First",
    "Mark",
    "end_line",
    "find_mark",
    "first_line",
    "is_end",
    "mark_over",
    "read_first",
]

FORMAT: Final = 1
"""The number of the format; it goes up when a reader of this version would read something wrong."""

_BEGINS: Final = b'{"mark":'
_END: Final = b'{"end":'
_MARK: Final = re.compile(rb'\{"mark":(\d{1,18}),"n":(\d{1,18}),"crc":(\d{1,10})\}')


class After(msgspec.Struct):
    """The segment before, and how many of its lines were kept; None where another run wrote it."""

    segment: int
    lines: int | None


class First(msgspec.Struct):
    """The first line: which segment this is, by which clocks, and what its recorder was asked for.

    `t` is the market's time, `wall` and `monotonic` are the computer's two clocks at the same moment. There is nothing
    else in it, and no credentials. `kept` is left out where nobody says it, as nobody did before it
    was there.
    """

    kalshi_nb: int
    segment: int = 0
    after: After | None = None
    t: int = 0
    wall: int = 0
    monotonic: int = 0
    host: str = ""
    pid: int = 0
    kit: str = ""
    python: str = ""
    kept: Kept | msgspec.UnsetType = msgspec.UNSET


class Mark(NamedTuple):
    """A mark, and where it stands in the text that it was found in."""

    lines: int
    good: bool
    begins: int
    ends: int
    over: int = 0
    """The lines that it stands over, where it is good."""


def first_line(segment: int, after: After | None, at: int, kept: Kept | None = None) -> bytes:
    """Return the first line of a segment that begins now, at a microsecond of the market's."""
    first = First(
        FORMAT,
        segment,
        after,
        at,
        time.time_ns() // 1000,
        time.monotonic_ns() // 1000,
        socket.gethostname(),
        os.getpid(),
        __version__,
        platform.python_version(),
        msgspec.UNSET if kept is None else kept,
    )
    return msgspec.json.encode(first) + b"\n"


def read_first(line: bytes) -> First | None:
    """Return what a first line says, None where this is none."""
    try:
        return msgspec.json.decode(line, type=First)
    except msgspec.DecodeError:
        return None


def end_line(at: int) -> bytes:
    """Return the line after which a segment was closed in good order."""
    return b'{"end":%d}\n' % at


def is_end(text: bytes, begin: int = 0) -> bool:
    """Tell whether such a line begins there."""
    return text.startswith(_END, begin)


def mark_over(text: bytes | bytearray, lines: int, over: int) -> bytes:
    """Return the mark that stands after `text`.

    Parameters
    ----------
    text : bytes or bytearray
        Whole lines, all since the last mark.
    lines : int
        The lines of the segment up to here, marks left out.
    over : int
        The lines of `text`.
    """
    return b'{"mark":%d,"n":%d,"crc":%d}\n' % (lines, over, _sum(text, lines))


def find_mark(text: bytes, looked: int = 0) -> Mark | None:
    """Return the first mark in a text that begins with a line, None where no whole one is there.

    Parameters
    ----------
    text : bytes
        The text.
    looked : int
        Before the line that begins there is no whole mark.
    """
    # A piece ends with its mark, and so does nearly every text: one that stands over all before it is the first.
    place = text.rfind(b"\n", 0, -1) + 1
    if text.startswith(_BEGINS, place) and text.endswith(b"\n"):
        mark = _mark_at(text, place, len(text))
        if mark.good:
            return mark
    place = find_line(text, _BEGINS, looked)
    ends = text.find(b"\n", place) + 1 if place >= 0 else 0
    return _mark_at(text, place, ends) if ends else None


def _mark_at(text: bytes, place: int, ends: int) -> Mark:
    """Return the mark that is the line from one place to another, good only if it stands over all before it."""
    said = _MARK.fullmatch(text, place, ends - 1)
    if said is None:
        return Mark(0, good=False, begins=place, ends=ends)
    lines, count, total = map(int, said.groups())
    content = memoryview(text)[:place]
    good = count > 0 and lines_in(text, place) == count and _sum(content, lines) == total
    return Mark(lines, good, place, ends, count)


def _sum(text: bytes | bytearray | memoryview, lines: int) -> int:
    return crc32(b"%d" % lines, crc32(text))
