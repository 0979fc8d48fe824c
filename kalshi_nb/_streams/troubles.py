"""What is not as it should be with a user's pipeline, in words."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kalshi_nb._streams.progress import Progress

__all__ = ["keys_dropped", "remark_on", "resting", "troubles_of", "troubles_of_listener"]

_SLOW: Final = 10.0
"""Seconds that one batch may take while other rows wait."""


def resting(progress: Progress) -> str:
    """Say when a pipeline at rest is tried again, and what it raised."""
    seconds = progress.rest.seconds_left()
    when = f"in {seconds:.0f} s" if seconds >= 1 else "with what comes next"
    last = "" if progress.last_error is None else f", the last: {progress.last_error.short}"
    return f"tried again {when} after {progress.errors_in_a_row} errors in a row{last}"


def remark_on(progress: Progress) -> str:
    """Say to whoever looks at a frame below a pipeline that rests why no rows come; nothing otherwise."""
    return f"its pipeline rests, {resting(progress)}" if progress.state == "resting" else ""


def keys_dropped(name: str, count: int) -> str:
    """Say that ``latest()`` of a frame does not know of everything any more."""
    return (
        f"latest() of {name} let {count:,} last rows go, of what ended or changed longest ago; a frame keeps as many "
        "beside its window as latest_keys says"
    )


def troubles_of(name: str, channel: str, progress: Progress, pending_rows: int) -> Iterator[str]:
    """Say what somebody should look at, a sentence each.

    Parameters
    ----------
    name, channel : str
        The pipeline's, and what it listens to.
    progress : Progress
        How it is doing.
    pending_rows : int
        How many rows wait for all pipelines of the user's.
    """
    name = f"your pipeline {name!r} on {channel}"
    if progress.state == "resting":
        parts = [f"{name} rests, {resting(progress)}"]
        if progress.losses.rows:
            parts.append(f"{progress.losses.rows:,} rows were dropped so far")
        if progress.full:
            parts.append(f"it is full: {progress.waiting:,} rows wait, and the oldest go")
        elif progress.waiting:
            parts.append(f"{progress.waiting:,} rows wait for that")
        yield "; ".join(parts)
    began = progress.began  # read once: the thread that delivers sets it to None
    behind = max(progress.took, 0.0 if began is None else time.monotonic() - began)
    if pending_rows and behind >= _SLOW:
        yield f"{name} is slow: its last batch took {behind:.0f} s, and {pending_rows:,} rows wait for your pipelines"


def troubles_of_listener(name: str, channel: str, dropped: int, waiting: int, untouched: float) -> Iterator[str]:
    """Say what is wrong with a listener, a sentence.

    Parameters
    ----------
    name, channel : str
        The pipeline's, and what it listens to.
    dropped : int
        How many messages went before it took them.
    waiting : int
        How many wait for it.
    untouched : float
        For how many seconds the oldest of these has waited.
    """
    parts = []
    if dropped:
        parts.append(f"is slow: {dropped:,} messages went before it took them")
    if waiting and untouched >= _SLOW:
        parts.append(f"has taken nothing for {untouched:.0f} s, and {waiting:,} messages wait for it")
    if parts:
        yield f"your listener {name!r} on {channel} {', and '.join(parts)}"
