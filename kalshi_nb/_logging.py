"""The logger ``kalshi_nb``, which is written to from a thread of its own.

A handler is code of the user: it may wait for a disk, a network or a lock. So no thread that data passes through calls
one. They put a record into a bounded queue, and the thread ``kalshi-log``, which begins with the first record, hands
it to the handlers. Where the queue is full records are counted instead, and the next one says how many. Only where no
thread can begin, as at the interpreter's end, it is whoever tells that calls them.

With no handler configured Python prints warnings to standard error. In a plain script that is right: nobody would hear
of them otherwise. In a notebook it would land below whatever cell runs, so there such records go nowhere, and the
feed's own ``health().warnings``, reprs and warnings at the next call tell of the same.
"""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import queue
import threading
import time
from typing import Final

from kalshi_nb._shell import shell

__all__ = ["log", "settle"]

_LOGGER: Final = logging.getLogger("kalshi_nb")
_MOST: Final = 10_000
_FAREWELL: Final = 1.0
"""Seconds that the end of the process waits for handlers at most."""


class _Writer:
    """Hands records to the handlers on a daemon thread."""

    def __init__(self) -> None:
        self._records: queue.Queue[logging.LogRecord] = queue.Queue(_MOST)
        self._lock = threading.RLock()  # a handler may have something to tell, too
        self._thread: threading.Thread | None = None
        self._left_out = 0

    def put(self, level: int, text: str) -> None:
        left_out = f" ({self._left_out:,} records before this one were left out)" if self._left_out else ""
        record = _LOGGER.makeRecord(_LOGGER.name, level, "(kalshi_nb)", 0, text + left_out, (), None)
        try:
            self._records.put_nowait(record)
        except queue.Full:
            self._left_out += 1
            return
        self._left_out = 0
        if self._thread is None:
            with self._lock:
                if self._thread is None:
                    self._begin()

    def _begin(self) -> None:
        thread = threading.Thread(target=self._run, name="kalshi-log", daemon=True)
        try:
            thread.start()
        except RuntimeError:
            # From Python 3.12 on no thread begins once the interpreter ends. Whoever tells then, tells it himself:
            # there is no data any more that would wait for him.
            with contextlib.suppress(queue.Empty):
                while True:
                    self._hand_over(self._records.get_nowait())
        else:
            self._thread = thread

    def settle(self, timeout: float) -> bool:
        until = time.monotonic() + timeout
        while self._records.unfinished_tasks and time.monotonic() < until:
            time.sleep(0.002)
        return not self._records.unfinished_tasks

    def _run(self) -> None:
        while True:
            self._hand_over(self._records.get())

    def _hand_over(self, record: logging.LogRecord) -> None:
        try:
            if _LOGGER.hasHandlers() or shell() is None:
                _LOGGER.handle(record)
        except BaseException:  # noqa: BLE001, S110  # logging has its own way to tell of a handler that fails
            pass
        finally:
            self._records.task_done()


_writer = _Writer()


def _begin_anew() -> None:
    global _writer  # noqa: PLW0603  # a forked child has the queue, but not the thread
    _writer = _Writer()


if hasattr(os, "register_at_fork"):  # not on Windows, which has no fork
    os.register_at_fork(after_in_child=_begin_anew)
atexit.register(lambda: settle(_FAREWELL))


def log(level: int, text: str) -> None:
    """Have the handlers of the logger ``kalshi_nb`` told; never waits, callable from any thread.

    Parameters
    ----------
    level : int
        Of :mod:`logging`: ``INFO`` for what is well again, ``WARNING`` for what is not as it was, ``ERROR`` for what
        needs somebody.
    text : str
        A whole sentence without a full stop; what a peer said in it is escaped already.
    """
    if _LOGGER.isEnabledFor(level):
        _writer.put(level, text)


def settle(timeout: float = 1.0) -> bool:
    """Wait until the handlers have had all records; return whether they have after `timeout` seconds."""
    return _writer.settle(timeout)
