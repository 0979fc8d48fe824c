"""The few things that are asked of a disk, so that it can be said in one place when something is on it to stay."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from kalshi_nb.errors import KalshiError, RecordingError

__all__ = ["create", "cut", "refusals", "sync", "sync_folder", "whole_file", "write"]

_FLAGS: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)


@contextlib.contextmanager
def refusals(what: str) -> Iterator[None]:
    """Raise what a disk refuses, such as a name that is too long or a folder of somebody else's, as one error.

    Parameters
    ----------
    what : str
        What cannot be done, as the beginning of a sentence: ``"night cannot be read"``.

    Raises
    ------
    RecordingError
        Saying so, and why.
    """
    try:
        yield
    except KalshiError:
        raise
    except OSError as refusal:
        raise RecordingError(f"{what}: {refusal.strerror or refusal}. Name another place.") from refusal


def create(path: Path) -> int:
    """Return a descriptor of a new file; one of that name must not be there."""
    return os.open(path, _FLAGS, 0o644)


def write(descriptor: int, data: bytes) -> int:
    """Write all of `data`, or raise; return its size.

    A full disk takes a part first, without a word, and says so when it is asked for the rest.
    """
    left = memoryview(data)
    while left:
        left = left[os.write(descriptor, left) :]
    return len(data)


def sync(descriptor: int) -> None:
    """Return when what was written is on the disk."""
    if sys.platform == "linux":
        os.fdatasync(descriptor)
    else:
        os.fsync(descriptor)


def cut(descriptor: int, size: int) -> None:
    """Take away what stands after `size` bytes."""
    os.ftruncate(descriptor, size)
    os.lseek(descriptor, size, os.SEEK_SET)


def sync_folder(folder: Path) -> None:
    """Return when the names in a folder are on the disk."""
    if sys.platform == "win32":  # which cannot, and need not
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def whole_file(path: Path, data: bytes) -> None:
    """Write a file that is there whole or not at all."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    part.unlink(missing_ok=True)
    descriptor = create(part)
    try:
        write(descriptor, data)
        sync(descriptor)
    except BaseException:
        os.close(descriptor)
        part.unlink(missing_ok=True)
        raise
    os.close(descriptor)
    part.replace(path)
    sync_folder(path.parent)
