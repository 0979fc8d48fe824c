"""What the user is to be told at the next call in a cell, and the last thing that went wrong."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from kalshi_nb._streams.pipeline import ERRORS_IN_A_ROW, Failure

if TYPE_CHECKING:
    from kalshi_nb._streams.pipeline import Pipeline

__all__ = ["Notices"]

_MOST: Final = 20


class Notices:
    """Failures, counted and kept, and the texts that tell of them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._texts: dict[str, None] = {}
        self._untold = 0
        self.errors = 0
        """How many errors there were in users' pipelines."""
        self.kit_errors = 0
        """How many there were in the kit's own."""
        self.last_error: Failure | None = None
        """The last of all of them."""

    def of_pipeline(self, pipeline: Pipeline, failure: Failure) -> None:
        """Count a failure and, when it is the first of a row or detached its pipeline, have it told."""
        with self._lock:
            self.last_error = failure
            if pipeline.kit:
                self.kit_errors += 1
                return
            self.errors += 1
            if pipeline.state == "detached":
                self._tell(
                    f"your pipeline {failure}; it was detached after {ERRORS_IN_A_ROW} errors in a row. "
                    "Repair it and attach it anew; .last_error.traceback of the pipeline has the details"
                )
            elif pipeline.is_first_error:
                self._tell(f"your pipeline {failure}; it goes on with the next batch")

    def of_kit(self, failure: Failure) -> None:
        """Count a failure of the kit itself."""
        with self._lock:
            self.kit_errors += 1
            self.last_error = failure

    def _tell(self, text: str) -> None:
        if text not in self._texts and len(self._texts) >= _MOST:
            self._untold += 1
        else:
            self._texts[text] = None

    def take(self) -> list[str]:
        """Return what has not been told yet, and forget it."""
        with self._lock:
            texts, untold = list(self._texts), self._untold
            self._texts, self._untold = {}, 0
        if untold:
            texts.append(f"your pipelines raised {untold} more errors; .last_error of each has its last")
        return texts
