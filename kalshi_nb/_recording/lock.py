"""One writer a folder: a lock that the system lets go of when its holder dies, and that says who holds it."""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import weakref
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from kalshi_nb._recording.layout import LOCK
from kalshi_nb.errors import RecordingInUseError

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

__all__ = ["FolderLock", "is_held"]


_RECORDING: Final = (
    "{folder} is being recorded into by {by}. Close that recorder first, or record into another folder."
)


class _Holder(msgspec.Struct):
    pid: int = 0
    host: str = ""
    since: str = ""


class FolderLock:
    """The lock of a folder, held from now on.

    Parameters
    ----------
    folder : Path
        An existing folder.
    busy : str, optional
        What to say where somebody else holds it, with ``{folder}`` and ``{by}``.
    of : Path, optional
        The folder that this names, where it is another.

    Raises
    ------
    RecordingInUseError
        When somebody else holds it; the message says who.
    OSError
        When the folder cannot be written.
    """

    def __init__(self, folder: Path, busy: str = _RECORDING, of: Path | None = None) -> None:
        self._descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o644)
        if not _take(self._descriptor):
            os.lseek(self._descriptor, 0, os.SEEK_SET)  # not pread and pwrite, which Windows has not
            said = os.read(self._descriptor, 1_000)
            self.forget()
            raise RecordingInUseError(busy.format(folder=of or folder, by=_who(said)))
        holder = _Holder(os.getpid(), socket.gethostname(), f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC")
        try:
            os.ftruncate(self._descriptor, 0)
            os.lseek(self._descriptor, 0, os.SEEK_SET)
            os.write(self._descriptor, msgspec.json.encode(holder) + b"\n")
        except OSError:
            self.forget()
            raise
        _held.add(self)

    def in_place(self, folder: Path) -> bool:
        """Whether what is held is still the lock of that folder, and not of one that was removed."""
        try:
            found, held = (folder / LOCK).stat(), os.fstat(self._descriptor)
        except OSError:
            return False
        return (found.st_dev, found.st_ino) == (held.st_dev, held.st_ino)

    def release(self) -> None:
        """Let go of it, also where a child of this process has its file open; idempotent."""
        if self._descriptor >= 0:
            _let_go(self._descriptor)
        self.forget()

    def forget(self) -> None:
        """Close the file in a child of whoever holds the lock, who goes on holding it."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
        _held.discard(self)


def is_held(folder: Path) -> bool:
    """Tell whether somebody holds the lock of a folder."""
    try:
        descriptor = os.open(folder / LOCK, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
    except OSError:
        return False
    try:
        if _take(descriptor):
            _let_go(descriptor)
            return False
    except OSError:
        return False  # no lock can be had here, so nobody has one
    finally:
        os.close(descriptor)
    return True


_held: weakref.WeakSet[FolderLock] = weakref.WeakSet()


def _forked() -> None:
    # A child would hold its parent's locks for as long as it lives.
    for each in list(_held):
        each.forget()


if hasattr(os, "register_at_fork"):  # not on Windows, which has no fork
    os.register_at_fork(after_in_child=_forked)


if sys.platform == "win32":

    def _take(descriptor: int) -> bool:
        os.lseek(descriptor, 1 << 20, os.SEEK_SET)  # beyond the text, which others may read
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _let_go(descriptor: int) -> None:
        os.lseek(descriptor, 1 << 20, os.SEEK_SET)
        with contextlib.suppress(OSError):
            msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)

else:

    def _take(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _let_go(descriptor: int) -> None:
        with contextlib.suppress(OSError):  # its disk is gone
            fcntl.flock(descriptor, fcntl.LOCK_UN)


def _who(said: bytes) -> str:
    try:
        holder = msgspec.json.decode(said, type=_Holder)
    except msgspec.DecodeError:
        return "another process"
    if holder.host == socket.gethostname() and holder.pid == os.getpid():
        return f"this process, since {holder.since}"
    return f"process {holder.pid} on {holder.host}, since {holder.since}"
