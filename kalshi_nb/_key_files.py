"""Reading the small files that keys are kept in, wherever they lie: in time, and once where they can be read once.

A disk on the network may hang for minutes, and a named pipe waits for its writer. So the read happens on a thread of
its own, one a path, and whoever asks waits for it only so long. What is no regular file, such as the pipe of a shell's
``<(…)``, gives what it has once; that is kept for as long as this process lives.
"""

from __future__ import annotations

import errno
import os
import stat
import time
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from typing import Final

from kalshi_nb._offload import offloaded
from kalshi_nb._redaction import Secret

__all__ = ["MOST_BYTES", "PATIENCE", "read"]

MOST_BYTES: Final = 2**18
"""A key of 16,384 bits takes 13 KB as text; whatever is much larger is something else."""

PATIENCE: Final = 5.0
"""Seconds that a file may take."""

_PAUSE: Final = 0.02
_NOT_BLOCKING: Final = getattr(os, "O_NONBLOCK", 0)  # a pipe without a writer is opened at once, and asked again

_pending: dict[str, Future[Secret]] = {}
_kept: dict[tuple[str, int, int], Secret] = {}


def read(path: Path, patience: float | None = None) -> Secret:
    """Return the bytes of a file, waiting :data:`PATIENCE` seconds for them unless told otherwise.

    Raises
    ------
    TimeoutError
        When it did not answer within `patience` seconds. The read goes on, and the next who asks waits for the same.
    OSError
        When it cannot be read, or is no small file.
    """
    name, patience = str(path), PATIENCE if patience is None else patience
    fresh: Future[Secret] = Future()
    reading = _pending.setdefault(name, fresh)  # in one step, so that no lock has to be held or survive a fork
    if reading is fresh:
        try:
            offloaded(partial(_answer, fresh, path, patience), "kalshi-key")
        except BaseException:
            _pending.pop(name, None)
            raise
    return reading.result(patience + _PAUSE)


def _answer(answer: Future[Secret], path: Path, patience: float) -> None:
    try:
        content = _read(path, time.monotonic() + patience)
    except BaseException as problem:  # noqa: BLE001  # raised again where it is waited for
        _pending.pop(str(path), None)
        answer.set_exception(problem)
    else:
        _pending.pop(str(path), None)
        answer.set_result(content)


def _read(path: Path, until: float) -> Secret:
    about = os.stat(path)  # noqa: PTH116  # beside fstat() below
    place = (str(path), about.st_dev, about.st_ino)
    if place in _kept:
        return _kept[place]
    descriptor = os.open(path, os.O_RDONLY | _NOT_BLOCKING)
    try:
        is_regular = stat.S_ISREG(os.fstat(descriptor).st_mode)
        content = _content(descriptor, until, stat.S_ISFIFO(about.st_mode))
    finally:
        os.close(descriptor)
    if not is_regular:
        _kept[place] = content
    return content


def _content(descriptor: int, until: float, is_pipe: bool) -> Secret:
    """Read to the end; a pipe has come to its end only when something came before."""
    parts = bytearray()
    try:
        while not _is_over(descriptor, parts, until, is_pipe):
            pass
        return Secret(bytes(parts))
    finally:
        parts.clear()  # a traceback that prints local variables finds nothing


def _is_over(descriptor: int, parts: bytearray, until: float, is_pipe: bool) -> bool:
    """Read on, or wait a moment; return whether that was the end."""
    before = len(parts)
    try:
        parts += os.read(descriptor, MOST_BYTES)
        ended = len(parts) == before and (before > 0 or not is_pipe)
    except BlockingIOError:  # a writer is there, and has nothing to say just now
        ended = False
    if len(parts) > MOST_BYTES:
        raise OSError(errno.EFBIG, f"it has more than {MOST_BYTES:,} bytes, so it is no key")
    if ended or time.monotonic() <= until:
        if not ended and len(parts) == before:
            time.sleep(_PAUSE)
        return ended
    if parts:
        return True  # somebody holds the pipe open, and has said what there is
    raise TimeoutError


def _forget_pending() -> None:
    """Begin anew in a forked child: the threads stayed with the parent."""
    _pending.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_pending)
