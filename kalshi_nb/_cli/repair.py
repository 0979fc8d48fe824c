"""``kalshi-nb repair``: the trades that a recording lacks are fetched, and kept beside it; it needs no key."""

from __future__ import annotations

import argparse
import dataclasses
import json
from typing import Final

from kalshi_nb._cli.arguments import Parsers, telling
from kalshi_nb._cli.printing import tell
from kalshi_nb.errors import RestError

__all__ = ["add", "run"]

_EXAMPLES: Final = """\
examples:
  kalshi-nb repair night
  kalshi-nb repair night --env prod --json
"""


def add(parsers: Parsers) -> argparse.ArgumentParser:
    """Add the command and its arguments."""
    parser = parsers.add_parser(
        "repair",
        help="fetch the trades that a recording lacks",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("recording", help="the folder that was recorded into")
    parser.add_argument("--env", help="demo, prod or an address (the exchange that was recorded)")
    parser.add_argument("--json", action="store_true", help="print what was done as JSON, and nothing else")
    parser.add_argument("--quiet", action="store_true", help="do not tell how far it has come")
    return parser


def run(arguments: argparse.Namespace) -> int:
    """Fetch, and say what is repaired; return 0, or 1 where a gap of trades is left."""
    from kalshi_nb._recording.recording import open_recording  # noqa: PLC0415  # --help needs none of it

    told = None if arguments.json or arguments.quiet else telling()
    try:
        report = open_recording(arguments.recording).repair(arguments.env, progress=told)
    except (RestError, KeyboardInterrupt) as stopped:
        kept = " ".join(getattr(stopped, "__notes__", ()))  # what is kept, and how to go on
        if isinstance(stopped, RestError):
            tell(f"kalshi-nb repair: {stopped} {kept}".rstrip())
            return 2
        if kept:
            tell(f"kalshi-nb repair: {kept}")
        raise
    print(json.dumps(dataclasses.asdict(report)) if arguments.json else report)
    return 1 if report.left else 0
