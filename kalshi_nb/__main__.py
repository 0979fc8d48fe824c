"""The commands of ``kalshi-nb``.

``demo`` goes the whole way, from a socket to a Parquet file, without key or network; ``doctor`` looks at key,
environment, clock, handshake and one subscription, and says what is wrong.
"""

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
    doctor = commands.add_parser("doctor", help="look at everything a feed needs and say what is wrong")
    doctor.add_argument("where", nargs="?", help="sim, demo, prod or an address (KALSHI_ENV)")
    doctor.add_argument("--key-id", help="the API key's id (KALSHI_API_KEY_ID)")
    doctor.add_argument("--private-key", metavar="PATH", type=Path, help="its PEM file (KALSHI_PRIVATE_KEY_PATH)")
    doctor.add_argument("--timeout", type=_seconds, default=10.0, help="seconds to wait for an answer (10)")
    chosen = parser.parse_args(arguments)
    if chosen.command == "doctor":
        return _examine(chosen)

    from kalshi_nb._cli.demo import run  # noqa: PLC0415  # --help needs none of it

    return run(chosen.seconds, chosen.output)


def _examine(chosen: argparse.Namespace) -> int:
    from kalshi_nb._feed.doctor import doctor  # noqa: PLC0415  # --help needs none of it

    report = doctor(chosen.where, key_id=chosen.key_id, private_key=chosen.private_key, timeout=chosen.timeout)
    print(report)  # noqa: T201  # this is what the command is for
    return 0 if report.ok else 1


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 < value <= 3600:
        raise argparse.ArgumentTypeError("pass seconds between 0 and 3600")
    return value


if __name__ == "__main__":
    raise SystemExit(main())
