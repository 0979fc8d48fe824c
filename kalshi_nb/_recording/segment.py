"""One segment while it is written: lines under marks, in frames of zstd, with an index at the end."""

from __future__ import annotations

import contextlib
import errno
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kalshi_nb._recording import disk
from kalshi_nb._recording.index import IndexBuilder, pack
from kalshi_nb._recording.joining import Joined
from kalshi_nb._recording.kept import Kept
from kalshi_nb._recording.layout import PART, name_of
from kalshi_nb._recording.lines import encode
from kalshi_nb._recording.marks import After, end_line, first_line, mark_over
from kalshi_nb._recording.zstd import CompressionParameter, ZstdCompressor
from kalshi_nb._rows.heard import Checkpoint, Heard

__all__ = ["LIMITS", "LOW", "WINDOW_LOG", "Limits", "Segment"]

WINDOW_LOG: Final = 21
"""How far back zstd looks, as a power of two: farther than a frame is long, and what a reader has to have room for."""

LOW: Final = 1
"""How hard to compress where much comes: a ninth larger than at level 6, for less than a fifth of its CPU time."""

_HELD: Final = 1 << 20
"""Compressed bytes that are kept back at most until they are written."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much goes into one of each.

    Attributes
    ----------
    piece : int
        Raw bytes under one mark, compressed in one go while they are in the cache; at the low level as many as a frame
        has.
    frame, frame_us : int
        Raw bytes of a frame, and its length in microseconds: what one damaged byte can cost.
    segment : int
        Compressed bytes of a segment; it also ends with the hour.
    """

    piece: int = 256 << 10
    frame: int = 1 << 20
    frame_us: int = 600_000_000
    segment: int = 64 << 20


LIMITS: Final = Limits()


class Segment:
    """A new segment.

    Nothing that it is handed is kept before :meth:`flush` returns. After any error it can only be abandoned.

    Parameters
    ----------
    folder : Path
        The recording's.
    number : int
        Its number in the recording.
    after : After or None
        What it goes on after.
    at : int
        The time of the first item.
    level : int
        How hard to compress; it may be set, and counts from the next frame on.
    limits : Limits
        How much goes into one of each.
    kept : Kept, optional
        What it is to say that its recorder was asked for.

    Raises
    ------
    OSError
        When it cannot be created.
    """

    def __init__(
        self,
        folder: Path,
        number: int,
        after: After | None,
        at: int,
        level: int,
        limits: Limits,
        kept: Kept | None = None,
    ) -> None:
        self.number = number
        self.level = level
        self.path = folder / name_of(at, number)
        self.hour = at // 3_600_000_000
        self.raw = 0
        self.size = self.kept_size = 0
        self.lines = self.kept_lines = 0
        self._limits = limits
        self._at = at
        self._builder = IndexBuilder()
        self._lines: list[bytes] = [first_line(number, after, at, kept)]
        self._waiting, self._count = len(self._lines[0]), 1
        self._out: list[bytes] = []
        self._held = 0
        self._frame_raw, self._frame_began = 0, at
        self._compressor, self._compressing = _compressor(level), level
        self.path.parent.mkdir(exist_ok=True)  # never the recording's own, which may be a disk that is gone
        self._part = self.path.with_name(self.path.name + PART)
        self._part.unlink(missing_ok=True)  # nothing in it was ever kept, or it would have a number before this one
        self._descriptor = disk.create(self._part)
        try:
            found = os.fstat(self._descriptor)
            self._identity = found.st_dev, found.st_ino
            disk.sync_folder(self.path.parent)
            disk.sync_folder(folder)
        except BaseException:
            self.abandon()
            raise

    @property
    def compressed(self) -> int:
        """Bytes of the file, those that are still to be written among them."""
        return self.size + self._held

    def add(self, item: Heard | Joined) -> None:
        """Take an item; some of what was taken before may be written now.

        Raises
        ------
        OSError
            When the disk refuses.
        """
        if isinstance(item, Checkpoint) and self._frame_raw + self._waiting > self._limits.piece:
            self._end_frame()  # who seeks begins with a frame
        lines = encode(item)
        self._builder.add(item)
        self._at = item.at
        self._lines += lines
        size = sum(map(len, lines))
        self._waiting += size
        # Joined lines are known by number: counting holds the interpreter while the feed waits for it.
        self._count += item.messages + 1 if isinstance(item, Joined) else sum(each.count(b"\n") for each in lines)
        self.raw += size
        # Each call of zstd gives the interpreter away, and where much comes it takes milliseconds to have it back:
        # there a piece is as large as a frame, and one call compresses it and ends it.
        if self._waiting >= (self._limits.piece if self._compressing > LOW else self._limits.frame):
            if (
                self._frame_raw + self._waiting >= self._limits.frame
                or abs(self._at - self._frame_began) >= self._limits.frame_us
                or self.level != self._compressing
            ):
                self._end_frame()
            else:
                self._compress()

    def flush(self) -> None:
        """Return when all that was added is on the disk to stay.

        Raises
        ------
        OSError
            When the disk refuses, or the file is not in its folder any more.
        """
        self._compress()
        if abs(self._at - self._frame_began) >= self._limits.frame_us:
            self._end_frame()
        if self._frame_raw:
            self._put(self._compressor.flush(ZstdCompressor.FLUSH_BLOCK))
        self._write()
        disk.sync(self._descriptor)
        self._keep()

    def finish(self) -> None:
        """Close it in good order, with its last line and the index; all that was added is on the disk to stay then.

        Raises
        ------
        OSError
            When the disk refuses.
        """
        self._lines.append(end_line(self._at))
        self._waiting += len(self._lines[-1])
        self._count += 1
        self._end_frame()
        self._put(pack(self._builder.done(ended=True)))
        self._write()
        os.fsync(self._descriptor)
        self._keep()
        self._close()

    def rename(self) -> None:
        """Give it, when it is finished, its final name.

        Raises
        ------
        OSError
            When the disk refuses; it is as good under the name that it has.
        """
        self._part.rename(self.path)
        disk.sync_folder(self.path.parent)

    def abandon(self) -> bool:
        """Leave it as it was when it was last flushed; never raises.

        Returns
        -------
        bool
            Whether that is so for certain. Otherwise something that was never said to be kept may stand in it.
        """
        try:
            if self._descriptor >= 0 and self.size != self.kept_size:
                disk.cut(self._descriptor, self.kept_size)
            certain = True
        except OSError:
            certain = self._part_is_gone()
        self._close()
        if not self.kept_size:
            with contextlib.suppress(OSError):
                self._part.unlink()
        return certain

    def _compress(self, *, ends: bool = False) -> None:
        """Put a mark over what waits, and compress both; where it `ends`, so does the frame."""
        if not self._lines:
            return
        # To bytes the mark would be added in a second copy, and whoever copies holds the interpreter meanwhile.
        text = bytearray().join(self._lines)
        self.lines += self._count
        text += mark_over(text, self.lines, self._count)
        self._lines, self._waiting, self._count = [], 0, 0
        self._put(self._compressor.compress(text, ZstdCompressor.FLUSH_FRAME if ends else ZstdCompressor.CONTINUE))
        self._frame_raw += len(text)

    def _end_frame(self) -> None:
        if self._lines:
            self._compress(ends=True)
        else:
            self._put(self._compressor.flush(ZstdCompressor.FLUSH_FRAME))
        self._builder.end_frame(self.size + self._held, raw=self._frame_raw, lines=self.lines)
        self._frame_raw, self._frame_began = 0, self._at
        if self.level != self._compressing:
            self._compressor, self._compressing = _compressor(self.level), self.level

    def _put(self, compressed: bytes) -> None:
        self._out.append(compressed)
        self._held += len(compressed)
        if self._held > _HELD:
            self._write()

    def _write(self) -> None:
        data = b"".join(self._out)
        self._out, self._held = [], 0
        self.size += len(data)  # first: a part of it may be written before the disk refuses
        disk.write(self._descriptor, data)

    def _keep(self) -> None:
        if self._part_is_gone():
            raise FileNotFoundError(errno.ENOENT, "the file is not there any more", str(self._part))
        self.kept_size, self.kept_lines = self.size, self.lines

    def _part_is_gone(self) -> bool:
        """Whether the file has no name any more, or not this one; a removed file can be written without complaint."""
        try:
            found = self._part.stat()
        except FileNotFoundError:
            return True
        except OSError:
            return False
        return (found.st_dev, found.st_ino) != self._identity

    def _close(self) -> None:
        if self._descriptor >= 0:
            with contextlib.suppress(OSError):
                os.close(self._descriptor)
            self._descriptor = -1


def _compressor(level: int) -> ZstdCompressor:
    return ZstdCompressor(
        options={
            CompressionParameter.compression_level: level,
            CompressionParameter.window_log: WINDOW_LOG,
            CompressionParameter.checksum_flag: 1,
        }
    )
