"""``kalshi-nb info``: what is in a recording, and what of it cannot be read."""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections import Counter
from datetime import datetime
from typing import Final

from kalshi_nb._cli.arguments import Parsers
from kalshi_nb._sizes import size
from kalshi_nb._terminal import hanging

__all__ = ["add", "run"]

_EXAMPLES: Final = """\
examples:
  kalshi-nb info night
  kalshi-nb info --json \\
      night/2026-11-28/20261128T054000.123456Z-000001.jsonl.zst.part
"""
_HOLES: Final = 3


def add(parsers: Parsers) -> argparse.ArgumentParser:
    """Add the command and its arguments."""
    parser = parsers.add_parser(
        "info",
        help="say what is in a recording",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "recording",
        help="the folder that was recorded into, or one of its segments, here or at an address (s3://…)",
    )
    parser.add_argument("--json", action="store_true", help="print it as JSON")
    parser.add_argument("--strict", action="store_true", help="end with 3 where a gap, a damage or a loss is found")
    return parser


def run(arguments: argparse.Namespace) -> int:
    """Print what is there; return 0, or 3 with --strict where something is missing."""
    from kalshi_nb._recording.recording import open_recording  # noqa: PLC0415  # --help needs none of it

    recording = open_recording(arguments.recording)
    info, gaps = recording.info(), recording.gaps().collect()
    if arguments.json:
        print(json.dumps({**dataclasses.asdict(info), "gaps": gaps.height}, default=str))
    else:
        for name, value in dataclasses.asdict(info).items():
            print(hanging(f"{name.replace('_', ' '):<10}  ", _text(name, value)))
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in sorted(Counter(gaps["reason"]).items()))
        repaired = gaps.filter(repaired_by="rest").height
        fetched = f"; {repaired:,} repaired over REST" if repaired else ""
        print(hanging(f"{'gaps':<10}  ", f"{gaps.height:,}: {reasons}{fetched}" if reasons else "none"))
    lost = gaps.height or info.damages or info.losses
    return _HOLES if arguments.strict and lost else 0


def _text(name: str, value: object) -> str:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S} UTC"
    if isinstance(value, int) and name.endswith("_bytes"):
        return size(value)
    if isinstance(value, dict):
        return ", ".join(f"{name} {_few(each)}" for name, each in value.items()) or "none"
    if isinstance(value, list):
        return "; ".join(map(str, value)) or "none"
    return f"{value:,}" if isinstance(value, int) else "none" if value is None else str(value)


def _few(value: object) -> str:
    if value is None:
        return "all"
    if isinstance(value, list):
        return f"{len(value):,}" if len(value) > 4 else " ".join(value)
    return f"{value:,}" if isinstance(value, int) else str(value)
