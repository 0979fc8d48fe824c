"""``python -m kalshi_nb demo``: the whole way, from a socket to a Parquet file, without key or network."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one of the commands and return the exit status."""
    parser = argparse.ArgumentParser(prog="kalshi-nb", description="Live Kalshi markets as polars frames.")
    commands = parser.add_subparsers(dest="command", required=True)
    demo = commands.add_parser("demo", help="stream a simulated exchange for a few seconds and print what came")
    demo.add_argument("--seconds", type=_seconds, default=10.0, help="how long to stream (10)")
    demo.add_argument("--output", type=Path, default=Path("output"), help="folder for the Parquet file (output)")
    chosen = parser.parse_args(arguments)

    from kalshi_nb._demo import run  # noqa: PLC0415  # --help needs none of it

    return run(chosen.seconds, chosen.output)


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 < value <= 3600:
        raise argparse.ArgumentTypeError("pass seconds between 0 and 3600")
    return value


if __name__ == "__main__":
    raise SystemExit(main())
