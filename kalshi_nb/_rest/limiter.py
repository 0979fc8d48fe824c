"""How many requests a second the exchange is asked: as many as it is said to take, and fewer when it says so.

The limits are not the same for everybody, nor from one hour to the next: an address that is shared with others gets a
part of what is written. So the rate is halved whenever the exchange says that it is too high, and comes back by a
tenth after each ten seconds in which it did not.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ANONYMOUS", "HISTORICAL", "Limiter", "share_of"]

ANONYMOUS: Final = 5.0
"""Requests a second without a key. Measured ones lie between 5 and 17, by address."""
HISTORICAL: Final = 4.0
"""Requests a second to the historical tier, whatever a key is allowed: of more it refuses the rest."""

_COST: Final = 10
"""Tokens that a request costs unless the exchange says otherwise."""
_SHARE: Final = 0.8
"""Of one's own budget, which other programs with the same key draw on, too."""
_LEAST: Final = 0.2
_QUIET: Final = 10.0
_BACK: Final = 1.1
_BURST: Final = 1.0
"""Seconds whose budget may be used at once."""


def share_of(tokens: float) -> float:
    """Return the requests a second to make with a budget of so many tokens a second.

    >>> share_of(200)
    16.0
    """
    return tokens * _SHARE / _COST


class Limiter:
    """Says how long to wait before a request; for any number of threads.

    Parameters
    ----------
    most : float
        Requests a second that are never exceeded.
    now : callable
        A clock that is never set, in seconds.
    """

    def __init__(self, most: float, now: Callable[[], float]) -> None:
        self._lock = threading.Lock()
        self._now = now
        self._most = self._rate = most
        self._due = now() - _BURST
        self._quiet_since = now()

    @property
    def rate(self) -> float:
        """Requests a second just now."""
        return self._rate

    def set_most(self, most: float) -> None:
        """Take up another limit; where nothing was refused, it is the rate from now on."""
        with self._lock:
            self._rate = most if self._rate == self._most else min(self._rate, most)
            self._most = most

    def reserve(self) -> float:
        """Take the next place in the line, and return the seconds until it is due."""
        with self._lock:
            now = self._now()
            begin = max(self._due, now - _BURST + 1 / self._rate if self._rate > 1 / _BURST else now)
            self._due = begin + 1 / self._rate
            return max(0.0, begin - now)

    def refused(self) -> None:
        """Take up that the exchange found them too many."""
        with self._lock:
            self._quiet_since = self._now()
            self._rate = max(_LEAST, self._rate / 2)
            self._due = max(self._due, self._quiet_since + 1 / self._rate)

    def answered(self) -> None:
        """Take up that it did not."""
        with self._lock:
            now = self._now()
            if self._rate < self._most and now - self._quiet_since >= _QUIET:
                self._rate = min(self._most, self._rate * _BACK)
                self._quiet_since = now
