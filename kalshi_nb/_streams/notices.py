"""What the user is to be warned of at the next call in a cell, and the last thing that went wrong."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from kalshi_nb._streams.failures import Failure

if TYPE_CHECKING:
    from kalshi_nb._clock import Clock
    from kalshi_nb._streams.pipeline import Pipeline

__all__ = ["ERRORS_IN_A_ROW", "Notices"]

ERRORS_IN_A_ROW: Final = 10
"""After so many errors without one success between them a user's pipeline is detached."""

_MOST: Final = 20


class Notices:
    """Failures, counted and kept, and the texts that warn of them.

    Both threads of the pipelines write here and any thread reads. What belongs together, the count, the last
    error and the texts, changes under one lock; the lock is never held while code of the user's runs, since
    the failure was made, and its exception asked for its text, before. Whoever reads a count alone takes no
    lock: an int is replaced whole. `take` swaps the texts for none, so each is handed out once, whichever
    thread asks.

    Parameters
    ----------
    clock : Clock
        For the times of failures.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._texts: dict[str, None] = {}
        self._left_out = 0
        self.errors = 0
        """How many errors there were in users' pipelines."""
        self.kit_errors = 0
        """How many there were in the kit's own."""
        self.last_error: Failure | None = None
        """The last of all of them."""

    def failure(self, error: BaseException, pipeline: Pipeline | None = None) -> Failure:
        """Return what is kept of an exception that was raised just now.

        Parameters
        ----------
        error : BaseException
            What was raised.
        pipeline : Pipeline, optional
            Where; None for the kit itself.
        """
        name, channel = ("kalshi_nb", "") if pipeline is None else (pipeline.name, pipeline.channel)
        return Failure.of(error, pipeline=name, channel=channel, now_us=self._clock.now_us())

    def of_pipeline(self, failure: Failure, *, detached: bool, first: bool) -> None:
        """Count a failure of a user's pipeline, and warn of it where it says something new.

        Parameters
        ----------
        failure : Failure
            What was raised.
        detached : bool
            Whether it was the last that the pipeline was allowed.
        first : bool
            Whether it came after a success, or was the first of all.
        """
        with self._lock:
            self.last_error = failure
            self.errors += 1
            if detached:
                self._warn(
                    f"your pipeline {failure}; it was detached after {ERRORS_IN_A_ROW} errors in a row. "
                    "Repair it and attach it anew; .last_error.traceback of the pipeline has the details"
                )
            elif first:
                self._warn(f"your pipeline {failure}; it goes on with the next batch")

    def of_kit(self, failure: Failure) -> None:
        """Count a failure of the kit itself."""
        with self._lock:
            self.kit_errors += 1
            self.last_error = failure

    def kit_failed(self, error: BaseException) -> None:
        """Count an exception that was raised in the kit itself just now."""
        self.of_kit(self.failure(error))

    def _warn(self, text: str) -> None:
        if text not in self._texts and len(self._texts) >= _MOST:
            self._left_out += 1
        else:
            self._texts[text] = None

    def take(self) -> list[str]:
        """Return what the user was not warned of yet, and forget it."""
        with self._lock:
            texts, left_out = list(self._texts), self._left_out
            self._texts, self._left_out = {}, 0
        if left_out:
            texts.append(f"your pipelines raised {left_out} more errors; .last_error of each has its last")
        return texts
