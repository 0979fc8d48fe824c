"""What is printed where somebody looks at a terminal: in its width there, and as long as it is everywhere else.

A terminal breaks a long line wherever its width ends, amid a ticker or a number. A file, a pipe and a notebook have no
width, and who searches them by line wants each line whole.
"""

from __future__ import annotations

import shutil
import sys
import textwrap

__all__ = ["hanging", "width"]


def width() -> int | None:
    """Return how many columns the terminal has that standard output goes to, None where that is no terminal."""
    output = sys.stdout
    if output is None or not output.isatty():  # a program without a console has None there
        return None
    return shutil.get_terminal_size().columns


def hanging(head: str, text: str) -> str:
    """Return both on one line, or with the rest of the text on lines of its own below where it begins.

    Parameters
    ----------
    head : str
        What stands before the text, blanks and all.
    text : str
        What is broken between words alone: an address that is longer than a line stays whole.
    """
    columns = width()
    room = 0 if columns is None else columns - len(head)
    if room < len(head) or len(text) <= room:
        return f"{head}{text}"
    lines = textwrap.wrap(text, room, break_long_words=False, break_on_hyphens=False)
    return head + f"\n{' ' * len(head)}".join(lines)
