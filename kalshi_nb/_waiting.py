"""How long somebody waits, and what may end it before that.

One law for all waits. A wait ends at once when nothing can come any more, as an error that says what is the matter:
the feed or the handle is closed, there is no such market, or the process was forked from the one that has the threads.
Everything else may be over in a moment, so it lasts to the time-out and is named in that. Who gives no time-out is
not left waiting for credentials that the exchange refuses, either.
"""

from __future__ import annotations

import math
import threading
import time
from typing import TYPE_CHECKING, Final, Protocol

from kalshi_nb._durations import seconds

if TYPE_CHECKING:
    from kalshi_nb.errors import KalshiError

__all__ = ["FORKED", "SLICE", "Deadline", "Standing"]

SLICE: Final = 0.25
"""Seconds that the wait of a command or a replay lasts in one piece: polars has a handler of SIGINT of its own, behind
which a thread that waits in one piece may hear nothing of Ctrl-C."""

FORKED: Final = "the feed's threads stayed with the process that this one was forked from"


class Standing(Protocol):
    """How the feed stands that brings what is waited for."""

    def ended(self) -> KalshiError | None:
        """Return why nothing new can come for good; None while it can."""
        ...

    def refused(self) -> KalshiError | None:
        """Return what the exchange says where it refuses the credentials."""
        ...

    def link(self) -> str:
        """Say in a sentence what is the matter with the connection; nothing while there is one."""
        ...

    def stillness(self) -> str:
        """Say in a sentence that the feed's recording stands, and what moves it; nothing while anything may come."""
        ...


class Deadline:
    """Until when somebody waits.

    Parameters
    ----------
    timeout : float or None
        Seconds from now; None for as long as it takes.

    Raises
    ------
    ConfigurationError
        When it is no length of time.
    """

    def __init__(self, timeout: float | None) -> None:
        self._seconds = math.inf
        if timeout is not None:
            advice = "give seconds, 0 or more, or None to wait for as long as it takes"
            self._seconds = seconds("timeout", timeout, advice, or_none=True)
        self._at = time.monotonic() + self._seconds

    @property
    def is_endless(self) -> bool:
        """Whether there is none."""
        return math.isinf(self._seconds)

    @property
    def is_over(self) -> bool:
        """Whether the time is up."""
        return time.monotonic() >= self._at

    def left(self, most: float = math.inf) -> float | None:
        """Return how many seconds are left, `most` at most, as locks and conditions take them."""
        left = min(most, max(0.0, self._at - time.monotonic()))
        return None if left > threading.TIMEOUT_MAX else left

    def __str__(self) -> str:
        return f"{self._seconds:g} s"
