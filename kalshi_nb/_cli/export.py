"""``kalshi-nb export``: a recording as Parquet, Arrow, CSV or NDJSON files."""

from __future__ import annotations

import argparse
import dataclasses
import json
from typing import Final

from kalshi_nb._cli.arguments import Parsers, moment
from kalshi_nb.errors import ConfigurationError

__all__ = ["add", "run"]

_EXAMPLES: Final = """\
examples:
  kalshi-nb export night tables
  kalshi-nb export night --out trades-csv --format csv --channel trade \\
      --from 2026-11-28T06:00 --until 2026-11-28T07:00
"""


def add(parsers: Parsers) -> argparse.ArgumentParser:
    """Add the command and its arguments."""
    parser = parsers.add_parser(
        "export",
        help="make typed files of a recording",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "recording",
        help="the folder that was recorded into, or one of its segments, here or at an address (s3://…)",
    )
    parser.add_argument("out", nargs="?", help="the folder for the files, or its address (s3://…)")
    parser.add_argument("--out", dest="named_out", metavar="OUT", help="the same, as other commands have it")
    parser.add_argument(
        "--format",
        default="parquet",
        choices=("parquet", "arrow", "csv", "ndjson"),
        help="what files to make (parquet)",
    )
    parser.add_argument("--channel", action="append", help="a channel, or quotes; again for more (all recorded)")
    parser.add_argument("--market", action="append", help="a market ticker; again for more (all)")
    parser.add_argument("--from", dest="start", help="from when, as 2026-11-28T06:00 (UTC) or seconds since 1970")
    parser.add_argument("--until", dest="end", help="until when, likewise")
    parser.add_argument("--json", action="store_true", help="print what was written as JSON, and nothing else")
    parser.add_argument("--quiet", action="store_true", help="say nothing of how far it is")
    return parser


def run(arguments: argparse.Namespace) -> int:
    """Export, and say on stderr how far it is; return 0."""
    out = _out(arguments)
    from kalshi_nb._recording.export import said  # noqa: PLC0415  # --help needs none of it
    from kalshi_nb._recording.recording import open_recording  # noqa: PLC0415  # as above

    report = open_recording(arguments.recording).export(
        out,
        arguments.format,
        channels=arguments.channel,
        market_tickers=arguments.market,
        start=moment(arguments.start),
        end=moment(arguments.end),
        progress=not (arguments.json or arguments.quiet),
    )
    print(json.dumps(dataclasses.asdict(report)) if arguments.json else said(report))
    return 0


def _out(arguments: argparse.Namespace) -> str:
    """Return where the files are to go, however that was said."""
    if arguments.out is not None and arguments.named_out is not None:
        raise ConfigurationError(
            f"The files go to one place, and two are named: leave {arguments.out!r} or --out out."
        )
    out: str | None = arguments.named_out if arguments.out is None else arguments.out
    if out is None:
        raise ConfigurationError(
            f"Name a folder for the files, which is made where it is missing: "
            f"kalshi-nb export {arguments.recording} tables."
        )
    return out
