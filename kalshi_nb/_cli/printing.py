"""Where commands print: what a console cannot show, a stream that is closed or full, a pipe that nobody reads."""

from __future__ import annotations

import contextlib
import io
import os
import sys

__all__ = ["give_up_printing", "have_streams", "print_whatever_comes", "tell"]

_STANDARD_ERROR = 2


def tell(text: str, end: str = "\n") -> None:
    """Print a line on standard error, or nothing where that takes none: what a command does goes on without it.

    A recording is not to end because the log that its lines go into is on a disk that is full, or because the
    terminal was closed.
    """
    with contextlib.suppress(OSError):
        print(text, end=end, file=sys.stderr, flush=True)


def have_streams() -> None:
    """Have what is printed go nowhere where a command was begun with its output closed (``>&-``).

    The numbers of these streams are taken as well: a file that came to have one of them, such as a segment of a
    recording, would get what any library prints.
    """
    while (taken := os.open(os.devnull, os.O_RDWR)) <= _STANDARD_ERROR:
        pass
    os.close(taken)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115  # until the process ends


def print_whatever_comes() -> None:
    """Have what a console cannot show printed as a question mark, in place of an error amid a line."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def give_up_printing(*, only_refused: bool = False) -> None:
    """Let what is still to be printed go nowhere, also what the interpreter prints at its end.

    Parameters
    ----------
    only_refused : bool
        Only of a stream that does not take what is waiting; the interpreter would say so, and end with 120.
    """
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and not (only_refused and _takes_all(stream)):
            os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def _takes_all(stream: io.TextIOWrapper) -> bool:
    try:
        stream.flush()
    except OSError:
        return False
    return True
