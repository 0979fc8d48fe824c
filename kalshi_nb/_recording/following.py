"""An export that follows a recording: each segment becomes files as soon as nothing more comes into it."""

from __future__ import annotations

import logging
import os
import threading
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Final, Literal, Self

from kalshi_nb._frames.addresses import told
from kalshi_nb._logging import log
from kalshi_nb._recording.export import ExportReport, Job, said
from kalshi_nb._recording.recording import Recording
from kalshi_nb._threads import forks, set_role
from kalshi_nb._usage import setter
from kalshi_nb.errors import RecordingWarning

__all__ = ["FollowingExport"]

_FIRST_RETRY: Final = 1.0
_LAST_RETRY: Final = 60.0
"""Seconds until what failed is tried again: twice as long each time, up to so many."""

State = Literal["waiting", "exporting", "retrying", "closed", "failed"]


class FollowingExport:
    """Exports a recording while it goes on; made by ``recorder.export(out, follow=True)``.

    It works on a thread of its own, ``kalshi-export``, and reads nothing but segments that are over: those that were
    sealed, and those that a kill or a full disk ended. When the recorder is closed the last one is exported, too. What
    was exported before, also by an earlier run, is not exported again.

    What fails is warned of once, stands in :attr:`trouble` and in ``feed.health().warnings``, and is tried again, ever
    more rarely up to once a minute. The recording itself is not concerned.

    Parameters
    ----------
    folder : Path
        What is recorded.
    over : callable
        Returns the number of the newest segment that is over, 0 before the first.
    job : Job
        What to write.
    """

    __setattr__ = setter("folder", "job", instead="close it, and follow anew with recorder.export(…, follow=True)")

    def __init__(self, folder: Path, over: Callable[[], int], job: Job) -> None:
        self.folder = folder
        self.job = job
        self._over = over
        self._report: ExportReport | None = None
        self._exported = 0  # the newest segment of which all is done
        self._trouble: str | None = None
        self._busy = False
        self._retry, self._retry_at = _FIRST_RETRY, 0.0
        self._ring = threading.Event()
        self._closing = self._ended = False
        self._forks = forks()
        self._thread = threading.Thread(target=self._run, name="kalshi-export", daemon=True)
        self._thread.start()

    @property
    def out(self) -> str:
        """Where to."""
        return told(self.job.out)

    @property
    def state(self) -> State:
        """``"waiting"`` for a segment, ``"exporting"``, ``"retrying"`` after a failure, ``"closed"`` or ``"failed"``.

        ``"failed"``: it was closed, and the last attempt failed.
        """
        if self._ended:
            return "closed" if self._trouble is None else "failed"
        if self._busy:
            return "exporting"
        return "waiting" if self._trouble is None else "retrying"

    @property
    def trouble(self) -> str | None:
        """What failed last, and what becomes of it; None where all is well."""
        return self._trouble

    @property
    def report(self) -> ExportReport | None:
        """What is there, in all: rows by channel, files, segments; None before the first segment."""
        return self._report

    def __repr__(self) -> str:
        return f"<FollowingExport {self.folder} to {self.line()}>"

    def line(self) -> str:
        """Return in a line how it is doing."""
        done = f"{self.out}: nothing yet" if self._report is None else said(self._report, new=False)
        trouble = f"; {self._trouble}" if self._trouble else ""
        return f"{done}, {self.state}{trouble}"

    def wake(self) -> None:
        """Have it look whether a segment is over; never waits."""
        self._ring.set()

    def close(self, timeout: float | None = None) -> bool:
        """Export what is over, and end; return whether all of that is exported. Idempotent.

        While the recorder goes on its newest segment is not over; whoever closes the recorder closes this, too.

        Parameters
        ----------
        timeout : float, optional
            Seconds to wait at most. What is not done then goes on, unless the process ends; then whoever exports
            next goes on from there.
        """
        if self._forks != forks():
            return False
        self._closing = True
        self._ring.set()
        self._thread.join(timeout)
        return self._ended and self._trouble is None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    def warn(self, stacklevel: int) -> None:
        """Warn where it was closed and is not done."""
        text = self._trouble
        if text is None and not self._ended:
            text = f"what is left for {self.out} is being exported still; wait for it with the export's own close()"
        if text is not None:
            warnings.warn(f"Export of {self.folder}: {text}", RecordingWarning, stacklevel=stacklevel)

    def _run(self) -> None:
        set_role("export")
        while not self._closing:
            self._turn()
            left = None if self._trouble is None else max(0.0, self._retry_at - time.monotonic())
            self._ring.wait(left)
            self._ring.clear()
        self._turn(last=True)
        self._ended = True

    def _turn(self, *, last: bool = False) -> None:
        """Export what is over and was not exported, unless it is too early to try that again."""
        over = self._over()
        if over <= self._exported or (self._trouble is not None and not last and time.monotonic() < self._retry_at):
            return
        self._busy = True
        try:
            recording = Recording(os.fspath(self.folder), {}, through=over)
            self._report = recording._run(self.job, self.job.channels or ())  # noqa: SLF001  # of this room
        except Exception as failure:  # noqa: BLE001  # a thread that ends in silence exports nothing
            self._failed(failure, last=last)
        else:
            self._exported = over
            self._recovered()
        finally:
            self._busy = False

    def _failed(self, failure: Exception, *, last: bool) -> None:
        why = (str(failure).partition("\n")[0] or type(failure).__name__).rstrip(".")
        again = "export the recording again" if last else "it is tried again by itself"
        is_news = self._trouble is None
        self._retry_at = time.monotonic() + self._retry
        self._retry = min(2 * self._retry, _LAST_RETRY)
        self._trouble = f"nothing more is exported into {self.out}: {why}; {again}, and the recording has it all"
        if is_news or last:
            log(logging.WARNING, self._trouble)

    def _recovered(self) -> None:
        if self._trouble is not None:
            log(logging.INFO, f"the export into {self.out} goes on")
        self._trouble, self._retry = None, _FIRST_RETRY
