"""Arguments that several commands take, and what they tell of a long question."""

from __future__ import annotations

import argparse
import datetime as dt
import sys
from collections.abc import Callable
from typing import Any, NoReturn, TypeAlias

from kalshi_nb._cli.printing import tell
from kalshi_nb._durations import duration_us
from kalshi_nb._redaction import could_be_key, shown
from kalshi_nb.errors import ConfigurationError

__all__ = ["Parser", "Parsers", "length", "moment", "seconds", "telling"]


class Parser(argparse.ArgumentParser):
    """A parser that repeats what it does not understand only where that cannot be a private key."""

    _holds_key = False

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse the arguments, all of them; every other way of doing so comes by here."""
        given = sys.argv[1:] if args is None else list(args)
        self._holds_key = any(map(could_be_key, given))
        return super().parse_known_args(args, namespace)

    def error(self, message: str) -> NoReturn:
        """Print what is wrong and how the command is used, and end the program with 2."""
        if self._holds_key:
            message = "an argument that is not understood could be a private key, and so is not shown"
        super().error(message)


Parsers: TypeAlias = "argparse._SubParsersAction[Parser]"  # noqa: SLF001  # it has no public name
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
        raise argparse.ArgumentTypeError(f"pass seconds above 0 and up to {_LONGEST:g}, not {shown(text)}")
    return value


def length(text: str) -> float:
    """Return a length of time in seconds: ``90s``, ``8h``, ``2d``, or seconds.

    Raises
    ------
    argparse.ArgumentTypeError
        When `text` is none.
    """
    try:
        return duration_us("a length of time", float(text) if text.replace(".", "", 1).isdigit() else text) / 1e6
    except ConfigurationError as problem:
        raise argparse.ArgumentTypeError(
            f"pass a length of time such as 90s, 8h or 2d, not {shown(text)}"
        ) from problem


def moment(text: str | None) -> float | str | None:
    """Return seconds where it is a number, else the text."""
    try:
        return None if text is None else float(text)
    except ValueError:
        return text


def telling() -> Callable[[int, dt.datetime | None], None] | None:
    """Return what tells a terminal how far a long question is, on standard error; None where there is none."""
    return _tell if sys.stderr.isatty() else None


def _tell(rows: int, reached: dt.datetime | None) -> None:
    told = "" if reached is None else f", at {reached:%Y-%m-%d %H:%M:%S} UTC"
    tell(f"\r{rows:,} rows{told}   ", end="")
