"""When to dial again after a connection was lost or refused: for ever, except with refused credentials."""

from __future__ import annotations

from random import Random
from typing import Final

from kalshi_nb._session.backoff import Backoff

__all__ = ["Reconnecting"]

MOST_REFUSALS: Final = 3
"""Refusals (401 or 403) in a row after which the credentials themselves must be wrong."""

REFUSAL_WAIT: Final = 2.0
"""Seconds between two refusals, at least."""

QUIET_ENOUGH: Final = 30.0
"""Seconds a connection must hold to count as good when its markets are silent."""

_REFUSED: Final = (401, 403)


class Reconnecting:
    """Decides how long to wait before each new attempt.

    A server that accepts and closes at once is an outage like any other, so the delays begin anew only
    after data came, or after the connection held for 30 s.

    Parameters
    ----------
    random : random.Random
        The source of the jitter.
    """

    def __init__(self, random: Random) -> None:
        self._backoff = Backoff(random)
        self._refusals = 0

    def delay(self, *, status: int | None = None, retry_after: float | None = None) -> float | None:
        """Return seconds to wait before the next attempt, or None to give up.

        Parameters
        ----------
        status : int, optional
            The HTTP status of a refused handshake.
        retry_after : float, optional
            Seconds that the server asked for (with 429 and 503).
        """
        at_least = retry_after or 0.0
        if status in _REFUSED:
            self._refusals += 1
            if self._refusals >= MOST_REFUSALS:
                return None
            # A moment's trouble of the exchange's key service must not look like credentials refused for good.
            at_least = max(at_least, REFUSAL_WAIT)
        else:
            self._refusals = 0
        return self._backoff.next(at_least=at_least)

    def accepted(self) -> None:
        """Take note of a handshake that was accepted: the credentials are right."""
        self._refusals = 0

    def reset(self) -> None:
        """Begin the delays anew, after data or after a connection that held long enough."""
        self._backoff.reset()
