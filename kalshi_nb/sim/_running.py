"""Exchanges that a cell can ask for again and again."""

from __future__ import annotations

import os
import threading
from typing import Any, Final

from kalshi_nb.sim._exchange import Exchange

__all__ = ["exchange"]

_running: Final[dict[object, Exchange]] = {}
_lock = threading.Lock()


def exchange(**options: Any) -> Exchange:
    """Return the running exchange that was made with these options, or start it.

    The same call gives the same exchange, so that a cell can be run again; `Exchange` itself starts a new one
    every time.

    Parameters
    ----------
    **options
        As for `Exchange`.

    Examples
    --------
    >>> import kalshi_nb as kn
    >>> exchange = kn.sim.exchange(seed=7, clock="manual")
    >>> exchange is kn.sim.exchange(seed=7, clock="manual")
    True
    >>> exchange.close()
    """
    key = tuple(sorted(options.items()))
    with _lock:
        found = _running.get(key)
        if found is None or found.closed:
            found = _running[key] = Exchange(**options)
        return found


def _forget() -> None:
    """Begin empty in a forked child: the servers stayed with the parent."""
    global _lock  # noqa: PLW0603  # the parent may have held it at the moment of the fork
    _running.clear()
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
