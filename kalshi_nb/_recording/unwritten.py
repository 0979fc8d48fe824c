"""A note beside the segments of what could not be written, for a disk that stays full until the end.

Its room is taken while there is some, and it is written in place: a full disk takes that. Once a segment says the
same, the note is blank; after a recording that ended well there is none.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

from kalshi_nb._recording import disk
from kalshi_nb._recording.layout import UNWRITTEN, moment
from kalshi_nb._rows.heard import Event

__all__ = ["Note", "Unwritten", "count_of", "note_in", "unwritten"]

_SIZE: Final = 4096
"""Bytes of the note, one block of most disks."""

_BLANK: Final = b"{}"


class Note(msgspec.Struct, frozen=True):
    """What could not be written.

    Attributes
    ----------
    segment : int
        After which segment; 0 where there is none.
    since : int
        The time of the first item of it, in microseconds.
    messages : int
        How many messages.
    why : str
        Why, in words.
    ended : bool
        Whether that is all: the recorder was closed then. Otherwise it was killed, and more may have come.
    """

    segment: int
    since: int
    messages: int
    why: str
    ended: bool = False

    def event(self) -> Event:
        """Return what the recording says there, or would have said."""
        said = unwritten(self.since, self.messages, self.since, self.why)
        return said if self.ended else said._replace(text=f"at least {said.text}")


def unwritten(at: int, messages: int, since: int, why: str) -> Event:
    """Return what a recording says of messages that are not in it."""
    return Event(at, 0, "dropped", f"{messages:,} messages since {moment(since)}: {why}")


def count_of(event: Event) -> int:
    """Return how many messages it says are not in the recording."""
    if event.kind != "dropped":
        return 0
    count = event.text.partition(" ")[0].replace(",", "")
    return int(count) if count.isdecimal() else 0


class Unwritten:
    """The note of one recording, as its writer has it. Nothing is raised: who has no disk has nobody to tell.

    Parameters
    ----------
    folder : Path
        The recording's.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / UNWRITTEN
        self._said: Note | None = None

    def reserve(self) -> None:
        """Take the room that the note may need one day."""
        if not self._path.exists():
            self._write(_BLANK)

    def say(self, note: Note) -> None:
        """Have it say so, in place of what it said."""
        if note != self._said and self._write(msgspec.json.encode(note)):
            self._said = note

    def take_over(self) -> Note | None:
        """Return what an earlier run left in it, None where that is nothing."""
        with contextlib.suppress(OSError):
            self._said = _note_of(self._path.read_bytes())
        return self._said

    def clear(self) -> None:
        """Blank it: a segment says it all."""
        if self._said is not None and self._write(_BLANK):
            self._said = None

    def remove(self) -> None:
        """Take it away: there was nothing, or a segment says it all."""
        with contextlib.suppress(OSError):
            self._path.unlink()

    def _write(self, text: bytes) -> bool:
        whole = text.ljust(_SIZE - 1)[: _SIZE - 1] + b"\n"
        try:
            _write_in_place(self._path, whole)
        except OSError:
            # Some disks write nothing in place; what is removed makes room there.
            with contextlib.suppress(OSError):
                self._path.unlink(missing_ok=True)
                disk.whole_file(self._path, text + b"\n")
                return True
            return False
        return True


def _write_in_place(path: Path, data: bytes) -> None:
    descriptor = os.open(
        path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0), 0o644
    )
    try:
        disk.write(descriptor, data)
        if data.strip() != _BLANK:
            disk.sync(descriptor)
    finally:
        os.close(descriptor)


def note_in(folder: str, open_file: Callable[[str], BinaryIO]) -> Note | None:
    """Return the note in the folder of a recording, None where there is none, or a blank one."""
    try:
        with open_file(f"{folder}/{UNWRITTEN}") as opened:
            return _note_of(opened.read(_SIZE))
    except Exception:  # noqa: BLE001  # a store has errors of its own for what is not there
        return None


def _note_of(data: bytes) -> Note | None:
    try:
        return msgspec.json.decode(data, type=Note)
    except msgspec.DecodeError:
        return None
