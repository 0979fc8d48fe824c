"""When to dial again after a connection was lost or refused: for ever."""

from __future__ import annotations

from random import Random
from typing import Final

from kalshi_nb._session.backoff import Backoff

__all__ = ["Reconnecting"]

MOST_REFUSALS: Final = 3
"""Refusals of the credentials in a row after which the credentials themselves are likely to be wrong."""

REFUSAL_WAIT: Final = 2.0
"""Seconds between two refusals, at least."""

REFUSAL_CEILING: Final = 300.0
"""The longest delay after a refusal, in seconds."""

QUIET_ENOUGH: Final = 30.0
"""Seconds a connection must hold to count as good when its markets are silent."""


class Reconnecting:
    """Decides how long to wait before each new attempt.

    A server that accepts and closes at once is an outage like any other, so the delays begin anew only after data
    was received, or after the connection held for 30 s. Refused credentials are one, too: a key may be renewed, and
    a service that knows the keys may be in trouble for a while. So they are tried again, ever more rarely, and it is
    said that they are refused.

    Parameters
    ----------
    random : random.Random
        The source of the jitter.
    """

    def __init__(self, random: Random) -> None:
        self._backoff = Backoff(random)
        self._refusals = 0

    @property
    def refused(self) -> bool:
        """Whether the credentials were refused at the last attempts, three or more in a row."""
        return self._refusals >= MOST_REFUSALS

    def delay(self, *, refused: bool = False, retry_after: float | None = None) -> float:
        """Return seconds to wait before the next attempt.

        Parameters
        ----------
        refused : bool
            Whether the last one ended because the credentials were refused.
        retry_after : float, optional
            Seconds that the server asked for (with 429 and 503).
        """
        at_least = retry_after or 0.0
        if not refused:
            self._refusals = 0
            return self._backoff.next(at_least=at_least)
        self._refusals += 1
        # A moment's trouble of the exchange's key service must not look like credentials refused for good.
        return self._backoff.next(at_least=max(at_least, REFUSAL_WAIT), last=REFUSAL_CEILING)

    def accepted(self) -> None:
        """Take note of a handshake that was accepted: the credentials are right."""
        self._refusals = 0

    def reset(self) -> None:
        """Begin the delays anew, after data or after a connection that held long enough."""
        self._backoff.reset()
