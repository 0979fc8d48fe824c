"""The entry of ``kalshi-nb``: collects the commands, reads the arguments, runs the one that was named."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, Protocol

from kalshi_nb._cli import demo, doctor
from kalshi_nb._cli.arguments import Parser

if TYPE_CHECKING:
    from kalshi_nb._cli.arguments import Parsers

__all__ = ["COMMANDS", "Command", "main"]


class Command(Protocol):
    """A command, as a module has it.

    What ``add`` needs is imported at the module's head, what ``run`` needs inside ``run``: every command's module
    is loaded whenever one of them runs, and ``--help`` loads no data frames.
    """

    def add(self, parsers: Parsers, /) -> argparse.ArgumentParser:
        """Add the command's name, help and arguments; return its parser."""
        ...

    def run(self, arguments: argparse.Namespace, /) -> int:
        """Do it, and return the exit status: 0, or 1 where it found that something is wrong."""
        ...


COMMANDS: Final[tuple[Command, ...]] = (demo, doctor)
"""In the order that ``--help`` lists them."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one of the commands.

    Parameters
    ----------
    arguments : sequence of str or None
        What follows the program's name; None takes the process's own.

    Returns
    -------
    int
        The exit status of the command.

    Raises
    ------
    SystemExit
        With 0 after ``--help``, and with 2 where the arguments cannot be understood.
    """
    parser = Parser(prog="kalshi-nb", description="Live Kalshi markets as polars frames.")
    parsers = parser.add_subparsers(dest="command", required=True)
    for command in COMMANDS:
        command.add(parsers).set_defaults(run=command.run)
    chosen = parser.parse_args(arguments)
    status: int = chosen.run(chosen)
    return status
