"""``kalshi-nb sim``: runs the simulated exchange as a server that any client can use, until Ctrl-C."""

from __future__ import annotations

import argparse
import threading
from pathlib import Path
from typing import Final

from kalshi_nb._cli.arguments import Parsers, length
from kalshi_nb._cli.keys import write_key

__all__ = ["add", "run"]

_EXAMPLES: Final = """\
examples:
  kalshi-nb sim --port 8765 --key-file sim.pem
  kalshi-nb sim --seed 7 --for 10m --key-file sim.pem
"""
_INTERRUPTED: Final = 130


def add(parsers: Parsers) -> argparse.ArgumentParser:
    """Add the command and its arguments."""
    parser = parsers.add_parser(
        "sim",
        help="run the simulated exchange as a server",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--port", type=int, default=0, help="the port on this computer (any that is free)")
    parser.add_argument("--seed", type=int, default=1, help="which market it is (1)")
    parser.add_argument("--key-file", type=Path, required=True, help="where to write the private key to sign with")
    parser.add_argument("--for", dest="seconds", type=length, metavar="TIME", help="how long: 90s, 8h (until Ctrl-C)")
    return parser


def run(arguments: argparse.Namespace) -> int:
    """Serve; return 0, or 130 after Ctrl-C."""
    from kalshi_nb.sim import Exchange  # noqa: PLC0415  # --help needs none of it

    with Exchange(seed=arguments.seed, port=arguments.port) as exchange:
        write_key(arguments.key_file, exchange.private_key)
        print(
            f"{exchange.url}\nKALSHI_API_KEY_ID={exchange.key_id}\nKALSHI_PRIVATE_KEY_PATH={arguments.key_file}",
            flush=True,
        )
        try:
            threading.Event().wait(arguments.seconds)
        except KeyboardInterrupt:
            return _INTERRUPTED
    return 0
