"""How long to wait before trying again: the first time not at all, then full jitter under a growing ceiling."""

from __future__ import annotations

from random import Random
from typing import Final

__all__ = ["Backoff"]

FIRST_CEILING: Final = 0.5
LAST_CEILING: Final = 30.0


class Backoff:
    """Delays between attempts, in seconds.

    The first delay is zero; each later one is drawn evenly between zero and a ceiling that doubles from
    0.5 s to 30 s, so that many clients of one broken server do not come back at the same moment.

    Parameters
    ----------
    random : random.Random
        Where the jitter comes from; a seeded one makes a run repeatable.
    """

    def __init__(self, random: Random) -> None:
        self._random = random
        self._attempts = 0

    @property
    def attempts(self) -> int:
        """Delays handed out since the last :meth:`reset`."""
        return self._attempts

    def next(self, *, at_least: float = 0.0, last: float = LAST_CEILING) -> float:
        """Return the next delay.

        Parameters
        ----------
        at_least : float
            Seconds that it is never shorter than, such as a server's Retry-After.
        last : float
            Where the ceiling ends, in seconds.
        """
        attempt, self._attempts = self._attempts, self._attempts + 1
        if attempt == 0:
            return at_least
        ceiling = min(last, FIRST_CEILING * 2.0 ** min(attempt - 1, 16))
        return max(at_least, self._random.uniform(0.0, ceiling))

    def reset(self) -> None:
        """Begin anew: data came, so the trouble is over."""
        self._attempts = 0
