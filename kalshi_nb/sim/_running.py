"""Exchanges that a cell can ask for again and again."""

from __future__ import annotations

import inspect
import os
import threading
from datetime import datetime
from typing import Any, Final, get_args

from kalshi_nb.errors import SimulationError
from kalshi_nb.sim._arguments import ClockName
from kalshi_nb.sim._exchange import Exchange
from kalshi_nb.sim._shown import shown

__all__ = ["embedded", "exchange"]

_CLOCK: Final = "KALSHI_NB_CLOCK"
"""The environment variable that says which clock the exchange of ``connect("sim")`` has."""
_running: Final[list[tuple[dict[str, Any], Exchange]]] = []
"""Those that run, each with all its options."""
_lock = threading.Lock()


def exchange(**options: Any) -> Exchange:
    """Return the running exchange that was made with these options, or start it.

    The same call gives the same exchange, so that a cell can be run again; `Exchange` itself starts a new one
    every time.

    Parameters
    ----------
    **options
        As for `Exchange`.

    Raises
    ------
    SimulationError
        When one with other options runs, also that of ``connect("sim")``: whoever is connected to it would stay there.
        The message names what differs. Beside that of ``connect("sim")`` there may be one with another clock.

    Examples
    --------
    >>> import kalshi_nb as kn
    >>> exchange = kn.sim.exchange(seed=7, clock="manual")
    >>> exchange is kn.sim.exchange(seed=7, clock="manual")
    True
    >>> exchange.close()
    """
    asked = _all(options)
    with _lock:
        running = _still_running()
        for made, each in running:
            if made == asked:
                return each
        for made, each in running:
            if made != _embedded() or asked | {"clock": made["clock"]} != made:
                raise SimulationError(_told(options, asked, made, each))
        return _start(asked)


def embedded() -> Exchange:
    """Return the exchange of ``connect("sim")``: one without options, whatever else runs.

    Its clock is the wall's, or what the environment says, so that a notebook's one line serves a person and a test.
    """
    asked = _embedded()
    if asked["clock"] not in get_args(ClockName):
        allowed = " or ".join(map(repr, get_args(ClockName)))
        raise SimulationError(f"{_CLOCK}={shown(asked['clock'])} in the environment is no clock; set it to {allowed}.")
    with _lock:
        return next((each for made, each in _still_running() if made == asked), None) or _start(asked)


def _embedded() -> dict[str, Any]:
    return _all({"clock": os.environ.get(_CLOCK) or "wall"})


def _all(options: dict[str, Any]) -> dict[str, Any]:
    """Return all options of an exchange, those that were not given too."""
    bound = inspect.signature(Exchange).bind(**options)
    bound.apply_defaults()
    return bound.arguments


def _still_running() -> list[tuple[dict[str, Any], Exchange]]:
    _running[:] = [(made, each) for made, each in _running if not each.closed]
    return _running


def _start(options: dict[str, Any]) -> Exchange:
    found = Exchange(**options)
    _running.append((options, found))
    return found


def _told(options: dict[str, Any], asked: dict[str, Any], made: dict[str, Any], other: Exchange) -> str:
    differ = ", ".join(
        f"{name} is {_said(made[name])} there and {_said(value)} here"
        for name, value in asked.items()
        if made[name] != value
    )
    wanted = ", ".join(f"{name}={_said(value)}" for name, value in options.items())
    return (
        f"An exchange with other options runs at {other.url}: {differ}. Close it first (its close(), or that of the "
        f"feed that connect('sim') gave), or start one beside it: kalshi_nb.sim.Exchange({wanted})."
    )


def _said(value: object) -> str:
    return repr(value) if isinstance(value, datetime) else shown(value)


def _forget() -> None:
    """Begin empty in a forked child: the servers stayed with the parent."""
    global _lock  # noqa: PLW0603  # the parent may have held it at the moment of the fork
    _running.clear()
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
