"""The entry of ``kalshi-nb``: collects the commands, reads the arguments, runs the one that was named."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, Protocol

from kalshi_nb._cli import demo, doctor, export, history, info, markets, record, repair, replay, sim
from kalshi_nb._cli.arguments import Parser
from kalshi_nb._cli.printing import give_up_printing, have_streams, print_whatever_comes, tell
from kalshi_nb._version import __version__
from kalshi_nb.errors import KalshiError

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


_INTERRUPTED: Final = 130
_NOBODY_READS: Final = 141
"""What shells say of a program that a signal ended: 128 and the number of SIGINT, of SIGPIPE."""

COMMANDS: Final[tuple[Command, ...]] = (demo, markets, history, record, info, repair, export, replay, sim, doctor)
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
        The exit status of the command: 0, or 1 where it found that something is wrong; 2 where it could not do what
        was asked, after one line that says why; 130 after Ctrl-C, and 141 where nobody reads what it prints.

    Raises
    ------
    SystemExit
        With 0 after ``--help`` and ``--version``, and with 2 where there are no arguments, or none that can be
        understood.
    """
    have_streams()
    parser = Parser(
        prog="kalshi-nb",
        description="Live Kalshi markets as polars frames.",
        epilog="kalshi-nb COMMAND --help says what a command takes; kalshi-nb demo shows it all, without a key.",
    )
    parser.add_argument("--version", action="version", version=f"kalshi_nb {__version__}")
    parsers = parser.add_subparsers(dest="command", required=True, title="commands", metavar="COMMAND")
    for command in COMMANDS:
        command.add(parsers).set_defaults(run=command.run)
    print_whatever_comes()
    if not (sys.argv[1:] if arguments is None else arguments):
        parser.print_help(sys.stderr)  # whoever types the name alone wants to know what there is
        parser.exit(2)
    try:
        return _done(parser, arguments)
    finally:
        give_up_printing(only_refused=True)


def _done(parser: Parser, arguments: Sequence[str] | None) -> int:
    name = parser.prog
    try:
        try:
            chosen = parser.parse_args(arguments)
        finally:
            sys.stdout.flush()  # what --help printed, which ends here
        name = f"{parser.prog} {chosen.command}"
        status: int = chosen.run(chosen)
        sys.stdout.flush()  # here, where it can still be said that nobody reads
    except BrokenPipeError:
        give_up_printing()
        return _NOBODY_READS
    except (KalshiError, OSError) as problem:
        tell(f"{name}: {' '.join(str(problem).split())}")
        return 2
    except KeyboardInterrupt:
        tell(f"{parser.prog}: interrupted")
        return _INTERRUPTED
    return status
