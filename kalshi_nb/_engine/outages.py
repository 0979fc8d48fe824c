"""What the log says of one connection: the beginning and the end of an outage, once each.

Between them lie attempts, dozens of them where an exchange is away for an hour, and, where a server accepts and closes
at once, as many connections. None of those is news. So a connection is the end of an outage only when it has proved
good: data came, or it held for a while.
"""

from __future__ import annotations

import logging
import time

from kalshi_nb._logging import log

__all__ = ["Outages"]


class Outages:
    """The story of one connection, as it goes to the logger ``kalshi_nb``.

    Parameters
    ----------
    number : int
        Which of the feed's connections, from 1.
    where : str
        The address, as it may be shown.
    """

    def __init__(self, number: int, where: str) -> None:
        self._name = f"connection {number} to {where}"
        self._began: float | None = None
        self._connected = False
        self._refused = False

    def connected(self) -> None:
        """Take note of a connection; the first one is news."""
        if not self._connected:
            self._connected = True
            log(logging.INFO, f"{self._name}: connected")

    def proved(self) -> None:
        """Take note that the present connection is a good one: it ends an outage, where there is one."""
        if self._began is not None:
            log(logging.INFO, f"{self._name}: connected again, after {time.monotonic() - self._began:.1f} s")
            self._began = None
            self._refused = False

    def lost(self, cause: str) -> None:
        """Take note that the connection is gone: the beginning of an outage, unless there is one."""
        if self._began is None:
            self._began = time.monotonic()
            log(logging.WARNING, f"{self._name}: {cause}; dialed again until it is there")

    def refused(self, cause: str) -> None:
        """Take note that the credentials are refused; once an outage."""
        if not self._refused:
            self._refused = True
            log(logging.ERROR, f"{self._name}: the credentials are refused, and tried again ever more rarely: {cause}")
