"""Segment after segment, without threads: whatever a disk does, what was kept stays, and what was not is said."""

from __future__ import annotations

import contextlib
import errno
import shutil
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from kalshi_nb._recording import disk
from kalshi_nb._recording.joining import Joined
from kalshi_nb._recording.kept import Kept
from kalshi_nb._recording.layout import ABOUT, moment, read_name
from kalshi_nb._recording.lock import FolderLock
from kalshi_nb._recording.marks import FORMAT, After
from kalshi_nb._recording.segment import Limits, Segment
from kalshi_nb._recording.unwritten import Note, Unwritten, count_of, unwritten
from kalshi_nb._rows.heard import LOSSES, Checkpoint, Event, Heard, Read
from kalshi_nb._version import __version__
from kalshi_nb.errors import RecordingError

__all__ = ["LEVEL", "Writer"]

LEVEL: Final = 6

_UNKEPT: Final = 8 << 20
"""Raw bytes that may stand in a segment before they are flushed, however short the time."""

_OFTEN: Final = 50
"""A checkpoint is asked for when so many times its size was written since the last one."""

_LEAST: Final = 1 << 20
"""Raw bytes between checkpoints at least."""

_PATIENCE_US: Final = 10_000_000
"""How long a segment that is due to end waits for the checkpoint that the next one is to begin with."""

_WHY: Final = {
    errno.ENOSPC: ("the disk is full", "Make room"),
    errno.EDQUOT: ("the disk's quota is used up", "Make room"),
    errno.EFBIG: ("files must not grow as large here", "Raise the limit"),
    errno.EROFS: ("the disk is read-only", "Make it writable"),
    errno.EACCES: ("the folder must not be written", "Make it writable"),
    errno.EPERM: ("the folder must not be written", "Make it writable"),
    errno.EEXIST: ("there is a file in place of a folder", "Move it"),
    errno.ENOTDIR: ("there is a file in place of a folder", "Move it"),
    errno.ENOENT: ("the folder is not there any more", "Make it again"),
}


class Writer:
    """Writes one recording.

    Parameters
    ----------
    folder : Path
        Its folder, which is made where it is missing; what other runs wrote there stays as it is.
    ask_checkpoint : callable
        Called when a checkpoint is needed soon; the next one that is kept is the answer.
    about : mapping
        Plain data for ``recording.json``; no credentials.
    limits : Limits
        How much goes into one of each.
    kept : Kept, optional
        What each segment is to say that the recorder was asked for.

    Attributes
    ----------
    trouble : str or None
        Why nothing is written now, and what to do about it.
    level : int
        How hard to compress.
    kept_until, kept_messages : int
        The time of the newest item that is on the disk to stay, and how many messages are.
    raw, lost : int
        Bytes of lines, and messages that could not be kept.
    over : int
        The number of the newest segment into which nothing comes any more, under its last name; 0 before the first.
    on_over : callable
        Called when there is one more; it must not wait.

    Raises
    ------
    RecordingInUseError
        When somebody else writes there.
    RecordingError
        When the folder cannot be written.
    """

    def __init__(
        self,
        folder: Path,
        ask_checkpoint: Callable[[], None],
        about: Mapping[str, Any],
        limits: Limits,
        kept: Kept | None = None,
    ) -> None:
        self.folder = folder
        self.trouble: str | None = None
        self.level = LEVEL
        self.kept_until = self.kept_messages = self.raw = self.lost = 0
        self.free = 0
        self._ask, self._about, self._limits, self._to_keep = ask_checkpoint, about, limits, kept
        self._segment: Segment | None = None
        self._sealed_size = 0
        self._unkept: list[Heard | Joined] = []
        self._added = 0  # how many of these stand in the segment
        self._last_at = 0
        self._unkept_raw = 0
        self._losing: tuple[int, int, str] | None = None  # since when, messages, why
        self._asked = False
        self._due_since: int | None = None
        self._point_raw, self._point_size = 0, 0
        self._lock: FolderLock | None = None
        self._note, self._why = Unwritten(folder), ""
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._enter()
            self._number = max((each[0] for each in map(read_name, _files(folder)) if each), default=0)
        except RecordingError:
            raise
        except OSError as refusal:
            if self._lock is not None:
                self._lock.release()
            why, remedy = _reason(refusal)
            if refusal.errno == errno.ENOENT:
                why, remedy = "no folder can be made there", "Make it yourself"
            raise RecordingError(f"{folder} cannot be recorded into: {why}. {remedy}, or name another.") from refusal
        self._after = After(self._number, None) if self._number else None
        left = self._note.take_over()
        if left is not None and left.segment == self._number:  # an earlier run could not say it in a segment
            self._losing = left.since, left.messages, left.why
        self.over = self._number
        self.on_over: Callable[[], None] = lambda: None

    @property
    def written(self) -> int:
        """Bytes of all segments of this run."""
        segment = self._segment
        return self._sealed_size + (segment.size if segment is not None else 0)

    @property
    def unkept(self) -> bool:
        """Whether something was taken that is not on the disk to stay."""
        return bool(self._unkept) or self._losing is not None

    def keep(self, item: Heard | Joined) -> None:
        """Take an item; it is kept when :meth:`flush` says so, or is in `lost` one day. Raises nothing of a disk's."""
        self._unkept.append(item)
        self._last_at = item.at
        if self.trouble is not None:
            return
        try:
            self._add(item)
            if self._unkept_raw >= _UNKEPT:
                self._flush()
        except OSError as refusal:
            self._failed(refusal)

    def flush(self) -> bool:
        """Return whether all that was taken is on the disk to stay, or counted as lost there."""
        if self.trouble is not None:
            return self._again()
        try:
            self._flush()
        except OSError as refusal:
            self._failed(refusal)
        return self.trouble is None

    def close(self) -> bool:
        """Seal the segment and let go of the folder; return whether nothing was left out."""
        done = self.flush()
        if done and self._segment is not None:
            try:
                self._seal()
            except OSError as refusal:
                self._failed(refusal)
        if self._unkept:
            self._lose(f"{self._why}, and was so when the recorder was closed", len(self._unkept))
        if self._losing is None:
            self._note.remove()
        else:
            self._note.say(Note(self._number, *self._losing, ended=True))
        if self._lock is not None:
            self._lock.release()
            self._lock = None
        return self.trouble is None

    def broken(self, bug: Exception) -> None:
        """Go on after a bug: in another segment, and without what may have caused it."""
        self._failed(OSError(f"a bug of the recorder, {type(bug).__name__}: {bug}"), poisoned=True)

    def forget(self) -> None:
        """Let go of what belongs to the parent of this process, without a word to the disk."""
        if self._lock is not None:
            self._lock.forget()

    def _enter(self) -> None:
        """Hold the folder, and have it say what it is."""
        if self._lock is None or not self._lock.in_place(self.folder):
            if self._lock is not None:
                self._lock.release()
            self._lock = FolderLock(self.folder)
        self.free = shutil.disk_usage(self.folder).free
        if not (self.folder / ABOUT).exists():
            created = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
            said = {"kalshi_nb": FORMAT, "kit": __version__, "created": created, **self._about}
            disk.whole_file(self.folder / ABOUT, msgspec.json.format(msgspec.json.encode(said)) + b"\n")
        self._note.reserve()

    def _add(self, item: Heard | Joined) -> None:
        segment = self._segment
        if segment is not None and self._is_over(segment, item):
            self._seal()
            segment = None
        if segment is None:
            segment = self._begin(item.at)
            if not isinstance(item, Checkpoint):
                self._ask_checkpoint()
        segment.level = self.level
        before = segment.raw
        segment.add(item)
        self._added += 1
        size = segment.raw - before
        self.raw += size
        self._unkept_raw += size
        if isinstance(item, Checkpoint):
            self._asked = False
            self._point_raw, self._point_size = segment.raw, size
        elif isinstance(item, Event) and item.kind in LOSSES:
            self._ask_checkpoint(again=True)
        elif segment.raw - self._point_raw >= max(_LEAST, _OFTEN * self._point_size):
            self._ask_checkpoint()

    def _is_over(self, segment: Segment, item: Heard | Joined) -> bool:
        """Whether this item belongs into the next segment, which begins with a checkpoint where one comes in time."""
        if segment.compressed < self._limits.segment and item.at // 3_600_000_000 == segment.hour:
            return False
        if self._due_since is None:
            self._due_since = item.at
            self._ask_checkpoint(again=True)
        late = abs(item.at - self._due_since) > _PATIENCE_US or segment.compressed > self._limits.segment * 17 // 16
        return isinstance(item, Checkpoint) or late

    def _begin(self, at: int) -> Segment:
        segment = Segment(self.folder, self._number + 1, self._after, at, self.level, self._limits, self._to_keep)
        self._number += 1
        self._segment, self._due_since, self._point_raw = segment, None, 0
        if self._losing is not None:
            since, messages, why = self._losing
            segment.add(unwritten(at, messages, since, why))
            self._ask_checkpoint(again=True)
        return segment

    def _begin_anew(self) -> None:
        """Begin a segment with all that the last one was not given to keep."""
        if not self._unkept:
            self._begin(self._last_at)
        for item in list(self._unkept):
            self._add(item)

    def _flush(self) -> None:
        if self._segment is not None:
            self._segment.flush()
            self._kept()
            self.free = shutil.disk_usage(self.folder).free

    def _seal(self) -> None:
        segment = self._segment
        if segment is not None:
            segment.finish()
            self._kept()
            self._leave(segment)
            segment.rename()
            self._say_over()

    def _say_over(self) -> None:
        self.over = self._number
        self.on_over()

    def _kept(self) -> None:
        """Take note that all that was added is on the disk to stay."""
        items, self._unkept = self._unkept[: self._added], self._unkept[self._added :]
        self.kept_messages += _messages(items)
        if items:
            self.kept_until = items[-1].at
        self._losing = None
        self._note.clear()
        self._added = self._unkept_raw = 0

    def _leave(self, segment: Segment) -> None:
        self._segment = None
        self._sealed_size += segment.kept_size
        if not segment.kept_size:
            self._number -= 1  # its file is no more
        else:
            self._after = After(segment.number, segment.kept_lines)

    def _again(self) -> bool:
        """Try anew, in another segment, what the disk refused."""
        try:
            self._enter()
            if self.unkept:
                self._begin_anew()
                self._flush()
        except OSError as refusal:
            self._failed(refusal)
            return False
        self.trouble = None
        return True

    def _failed(self, refusal: OSError, *, poisoned: bool = False) -> None:
        segment = self._segment
        certain = True
        if segment is not None:
            certain = segment.abandon()
            self._leave(segment)
        self._say_over()
        why, remedy = _reason(refusal)
        if refusal.errno == errno.ENOENT and self.folder.is_dir():
            why, remedy = (
                "what was written into is not there any more",
                "Leave the files of a recording where they are",
            )
        if poisoned:
            self._lose(why, len(self._unkept))
        elif not certain:  # one may have been written in part
            self._lose(why, self._added + 1)
        self._added = self._unkept_raw = 0
        self._why = why
        self._note_down()
        if self.trouble is None or why not in self.trouble:
            self.trouble = (
                f"nothing is written since {moment(self.kept_until) if self.kept_until else 'the beginning'}: {why} "
                f"({self.folder}). {remedy}; the recording goes on by itself then, and what it cannot hold until "
                "then will be missing"
            )

    def _note_down(self) -> None:
        """Write down what will be missing if nothing can be written any more."""
        since, messages, why = self._losing or (self._unkept[0].at if self._unkept else 0, 0, self._why)
        if self.unkept:
            self._note.say(Note(self._number, since, messages + _missing(self._unkept), why))

    def _lose(self, why: str, count: int) -> None:
        """Give up the first of what was taken, and remember to say so."""
        items, self._unkept = self._unkept[:count], self._unkept[count:]
        if items:
            since, before, _ = self._losing or (items[0].at, 0, "")
            self._losing = since, before + _missing(items), why
            self.lost += _messages(items)

    def _ask_checkpoint(self, *, again: bool = False) -> None:
        if not self._asked or again:
            self._asked = True
            with contextlib.suppress(Exception):  # what has ended has nothing to tell, and what it has is kept
                self._ask()


def _messages(items: Iterable[Heard | Joined]) -> int:
    return sum(
        each.messages if isinstance(each, Joined) else len(each.messages)
        for each in items
        if isinstance(each, (Joined, Read))
    )


def _missing(items: Iterable[Heard | Joined]) -> int:
    """Return how many messages are missing without these, of which some may say that others are."""
    items = list(items)
    return _messages(items) + sum(count_of(each) for each in items if isinstance(each, Event))


def _files(folder: Path) -> list[str]:
    return [each.name for each in folder.glob("*/*.jsonl.zst*")]


def _reason(refusal: OSError) -> tuple[str, str]:
    if isinstance(refusal, RecordingError):
        return str(refusal).removesuffix("."), "Have it ended"
    known = _WHY.get(refusal.errno or 0)
    return known or (refusal.strerror or str(refusal), "Have a look at the disk")
