"""Arguments that several commands take."""

from __future__ import annotations

import argparse
from typing import TypeAlias

__all__ = ["Parsers", "seconds"]

Parsers: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001  # it has no public name
"""Where a command adds its own parser: what ``add_subparsers()`` returns."""

_LONGEST = 3600.0


def seconds(text: str) -> float:
    """Return a number of seconds, more than 0 and at most an hour.

    Raises
    ------
    argparse.ArgumentTypeError
        When `text` is none.
    """
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= _LONGEST:
        raise argparse.ArgumentTypeError(f"pass seconds above 0 and up to {_LONGEST:g}, not {text!r}")
    return value
