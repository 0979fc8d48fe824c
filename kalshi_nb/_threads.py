"""Which of the kit's threads this is, and in which process: a call that would wait for ever can say so."""

from __future__ import annotations

import os
import threading
from typing import Final, Literal

from kalshi_nb.errors import WrongThreadError

__all__ = ["FEED_ROLES", "Role", "forks", "refuse_on", "role", "set_role"]

Role = Literal["io", "pipeline", "user", "display", "recorder", "export"]

FEED_ROLES: Final[tuple[Role, ...]] = ("io", "pipeline", "user")
"""The threads that new data passes through: whoever waits for data on one of them waits for ever."""

_DUTIES: Final[dict[Role, str]] = {
    "io": "the feed's network thread",
    "pipeline": "the feed's own frame thread",
    "user": "the thread that runs your pipelines and callbacks",
    "display": "the thread that updates the widgets",
    "recorder": "the thread that writes a recording",
    "export": "the thread that exports a recording while it goes on",
}

_current = threading.local()


def set_role(role: Role | None) -> None:
    """Mark the thread this is called on; None makes it an ordinary thread again."""
    _current.role = role


def role() -> Role | None:
    """Return the kit's role of the thread this is called on, None for the main thread and any other."""
    here: Role | None = getattr(_current, "role", None)
    return here


def refuse_on(*roles: Role, doing: str, instead: str) -> None:
    """Refuse a call on those of the kit's threads that it would block for ever.

    Parameters
    ----------
    *roles : str
        The threads on which the call cannot work.
    doing : str
        The call, as its user wrote it: ``"trades.wait()"``.
    instead : str
        What to do, as a whole sentence without its full stop.

    Raises
    ------
    WrongThreadError
        When this thread has one of `roles`.
    """
    here = role()
    if here is not None and here in roles:
        raise WrongThreadError(f"{doing} was called on {_DUTIES[here]}, which would then wait for itself. {instead}.")


_forks = 0


def forks() -> int:
    """Return how many forks lie behind this process: what was begun before the last of them has no threads here."""
    return _forks


def _forked() -> None:
    global _forks  # noqa: PLW0603  # there is one process
    _forks += 1
    set_role(None)  # forked by a callback, perhaps; here this thread is the main one


if hasattr(os, "register_at_fork"):  # not on Windows, which has no fork
    os.register_at_fork(after_in_child=_forked)
