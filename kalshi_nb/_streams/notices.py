"""What the user is to be warned of at the next call in a cell, and the last thing that went wrong."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any, Final

from kalshi_nb._logging import log
from kalshi_nb._streams.failures import Failure

if TYPE_CHECKING:
    from collections.abc import Callable

    from kalshi_nb._clock import Clock
    from kalshi_nb._streams.pipeline import Pipeline

__all__ = ["ERRORS_IN_A_ROW", "Notices"]

ERRORS_IN_A_ROW: Final = 10
"""After so many errors without one success between them a user's pipeline rests."""

_MOST: Final = 20
_MOST_SAID: Final = 1_000


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
        # What was said already, with the pipeline's name and channel: its next error is no news, as long as it is the
        # same; of one that is attached anew it is.
        self._said: dict[str, tuple[str, str]] = {}
        self._left_out = 0
        self.errors = 0
        """How many errors there were in users' pipelines."""
        self.kit_errors = 0
        """How many there were in the kit's own."""
        self.last_error: Failure | None = None
        """The last of all of them."""

    def failure(
        self,
        error: BaseException,
        pipeline: Pipeline | None = None,
        function: Callable[..., Any] | None = None,
    ) -> Failure:
        """Return what is kept of an exception that was raised just now.

        Parameters
        ----------
        error : BaseException
            What was raised.
        pipeline : Pipeline, optional
            Where; None for the kit itself.
        function : callable, optional
            The user's that was called, where one was.
        """
        name, channel = ("kalshi_nb", "") if pipeline is None else (pipeline.name, pipeline.channel)
        return Failure.of(error, pipeline=name, channel=channel, now_us=self._clock.now_us(), function=function)

    def of_pipeline(self, failure: Failure, *, rests: float, first: bool) -> None:
        """Count a failure of a user's pipeline, and warn of it where it says something new.

        Parameters
        ----------
        failure : Failure
            What was raised.
        rests : float
            How many seconds the pipeline rests for, as it did not before; 0 where it goes on, or rested already.
        first : bool
            Whether it came after a success, or was the first of all.
        """
        text = ""
        if rests:
            text = (
                f"your pipeline {failure.placed}; after {ERRORS_IN_A_ROW} errors in a row it rests for {rests:g} s, "
                "is tried again then, and rests ever longer while that fails. .failed of the pipeline has what it "
                "raised at, .last_error.traceback the details"
            )
        elif first:
            text = f"your pipeline {failure.placed}; it goes on with the next batch"
        with self._lock:
            self.last_error = failure
            self.errors += 1
            if text:
                self._warn(text, failure.pipeline, failure.channel)
        if rests:
            log(logging.ERROR, text)

    def recovered(self, pipeline: Pipeline, dropped: int) -> None:
        """Have the logger told that a pipeline that rested goes on, and how many rows it never had."""
        lost = f"; {dropped:,} rows were dropped meanwhile" if dropped else ""
        log(logging.INFO, f"your pipeline {pipeline.name!r} on {pipeline.channel} goes on after its rest{lost}")

    def dropped(self, pipeline: Pipeline, rows: int) -> None:
        """Have the logger told that rows were dropped before a pipeline that is too slow."""
        log(
            logging.WARNING,
            f"your pipeline {pipeline.name!r} on {pipeline.channel} is too slow: so many rows waited that {rows:,} of "
            "them were dropped, and more may be; .dropped and .gaps of the pipeline say how many in all",
        )

    def filled(self, pipeline: Pipeline, most: int) -> None:
        """Say that no more rows of the account can wait for a pipeline that rests."""
        text = (
            f"your pipeline {pipeline.name!r} on {pipeline.channel} is full: {most:,} rows wait for the end of its "
            "rest, and the oldest of them go from now on. Repair it, or close it"
        )
        with self._lock:
            self._warn(text, pipeline.name, pipeline.channel)
        log(logging.ERROR, text)

    def of_kit(self, failure: Failure) -> None:
        """Count a failure of the kit itself."""
        with self._lock:
            self.kit_errors += 1
            self.last_error = failure

    def kit_failed(self, error: BaseException) -> None:
        """Count an exception that was raised in the kit itself just now."""
        self.of_kit(self.failure(error))

    def attached(self, name: str, channel: str) -> None:
        """Take note that a pipeline is attached: what was said of one of its name may be said again."""
        with self._lock:
            self._said = {text: of for text, of in self._said.items() if of != (name, channel)}

    def _warn(self, text: str, name: str, channel: str) -> None:
        if text in self._said:
            return
        if len(self._texts) >= _MOST:
            self._left_out += 1
            return
        self._texts[text] = None
        self._said[text] = (name, channel)
        while len(self._said) > _MOST_SAID:
            del self._said[next(iter(self._said))]

    def take(self) -> list[str]:
        """Return what the user was not warned of yet, and forget it."""
        with self._lock:
            texts, left_out = list(self._texts), self._left_out
            self._texts, self._left_out = {}, 0
        if left_out:
            texts.append(f"your pipelines raised {left_out} more errors; .last_error of each has its last")
        return texts
