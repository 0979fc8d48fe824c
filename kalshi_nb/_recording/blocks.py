"""Bytes of a segment to blocks of lines that a mark stands over; what is damaged is passed over, and said.

A block is right or is not handed out. After something that cannot be read the next frame is looked for by the number
that every frame of zstd begins with, since a plain reader would stop there and hide all that follows.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Final, NamedTuple, Protocol

from kalshi_nb._recording.marks import find_mark, is_end
from kalshi_nb._recording.segment import WINDOW_LOG
from kalshi_nb._recording.zstd import DecompressionParameter, ZstdDecompressor, ZstdError

__all__ = ["Block", "Blocks", "Source"]

_MAGIC: Final = b"\x28\xb5\x2f\xfd"
_CHUNK: Final = 64 << 10
_OUT: Final = 1 << 20
_LONGEST: Final = 256 << 20
"""Bytes without a mark that no writer makes: what comes of a damaged frame, perhaps without end."""

_SEARCH: Final = 1 << 20
_OPTIONS: Final[dict[int, int]] = {DecompressionParameter.window_log_max: WINDOW_LOG + 2}


class Source(Protocol):
    """Bytes that can be read from any place on."""

    @property
    def size(self) -> int:
        """How many there are."""
        ...

    def read(self, offset: int, size: int) -> bytes:
        """Return so many bytes, fewer at the end."""
        ...


class Block(NamedTuple):
    """Lines under one mark.

    Attributes
    ----------
    text : bytes
        The lines, each with its newline.
    lines : int
        How many they are.
    missing : int
        Lines before these that cannot be read.
    missing_bytes : int
        About how many bytes of the file they take.
    frame : int
        Where in the file their frame begins.
    """

    text: bytes
    lines: int
    missing: int
    missing_bytes: int
    frame: int


class Blocks:
    """The blocks between two offsets of a file, the first of which is that of a frame.

    Parameters
    ----------
    source : Source
        The file.
    begin, end : int
        The offsets.
    lines : int
        The lines of the segment before them.

    Attributes
    ----------
    lines : int
        The lines of the segment up to the newest block.
    ended : bool
        Whether the last line of a segment in good order was met.
    pending : int
        Whole lines after the newest block that no mark stands over, or one that they do not agree with.
    ends : int
        Where in the file to go on after the newest whole frame.
    """

    def __init__(self, source: Source, begin: int, end: int, lines: int = 0) -> None:
        self._source, self._begin, self._end = source, begin, end
        self.lines = lines
        self.ended = False
        self.pending = 0
        self.ends = begin
        self._looked = 0  # before this line, of those not handed out yet, there is no mark
        self._good = begin  # the file is read up to about here

    @property
    def missing_bytes(self) -> int:
        """About how many bytes after the newest block cannot be read."""
        return 0 if self.ended else self._end - self._good

    def __iter__(self) -> Iterator[Block]:
        """Return the blocks, once."""
        at: int | None = self._begin
        while at is not None and not self.ended:
            begins = self._next_frame(at)
            at = None if begins is None else (yield from self._frame(begins))
            self.ends = self.ends if at is None else at

    def _next_frame(self, at: int) -> int | None:
        """Return where the next frame begins, from an offset on."""
        size = len(_MAGIC)
        while at < self._end:
            text = self._source.read(at, min(size, self._end - at))
            found = text.find(_MAGIC)
            if found >= 0:
                return at + found
            at += max(1, len(text) - len(_MAGIC) + 1)
            size = _SEARCH
        return None

    def _frame(self, begins: int, careful: int | None = None) -> Generator[Block, None, int]:
        """Return the blocks of a frame, and in the end where to go on.

        What is wrong in a piece hides all that comes of it. So a frame that cannot be read to its end is read once
        more, byte by byte from the last piece on; blocks that were handed out before are known by their lines.
        """
        decompressor = ZstdDecompressor(options=_OPTIONS)
        text, fed, last = b"", begins, begins
        self._looked = 0
        try:
            while not decompressor.eof:
                chunk = b""
                if decompressor.needs_input:
                    last = fed
                    step = _CHUNK if careful is None else min(_CHUNK, careful - fed) if fed < careful else 1
                    chunk = self._source.read(fed, min(step, self._end - fed))
                    if not chunk:  # torn, or damaged so that it takes what follows for its own
                        break
                    fed += len(chunk)
                out = decompressor.decompress(chunk, _OUT)
                if out:
                    text = yield from self._marked(text + out, begins, fed)
                if len(text) > _LONGEST:
                    break
        except ZstdError:
            pass
        if decompressor.eof:
            ends = fed - len(decompressor.unused_data)
            if not text and self._good > begins:
                self._good = ends
            return ends
        if careful is None:
            return (yield from self._frame(begins, careful=max(begins, last - _CHUNK)))
        self.pending = max(self.pending, len(text.splitlines()))
        return begins + len(_MAGIC)

    def _marked(self, text: bytes, frame: int, fed: int) -> Generator[Block, None, bytes]:
        """Return the blocks of a text that begins after a mark, and in the end what no mark stands over."""
        looked, self._looked = self._looked, 0
        while (mark := find_mark(text, looked)) is not None:
            looked = 0
            content, text = text[: mark.begins], text[mark.ends :]
            missing = mark.lines - mark.over - self.lines
            if mark.good and mark.lines == self.lines:
                self._good = fed  # handed out before, and now known to the byte
            if not mark.good:  # of its lines nothing is handed out
                self.pending = max(self.pending, content.count(b"\n"), 1)
                continue
            if missing < 0:
                continue
            skipped = max(0, frame - self._good) if missing else 0
            self.lines, self._good, self.pending = mark.lines, fed, 0
            self.ended = is_end(content, content.rfind(b"\n", 0, -1) + 1)
            yield Block(content, mark.over, missing, skipped, frame)
        self._looked = text.rfind(b"\n") + 1  # a mark that began before would have been found
        return text
