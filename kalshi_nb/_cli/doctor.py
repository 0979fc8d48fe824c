"""``kalshi-nb doctor``: looks at everything a feed needs, prints what it found, and says so by its exit status."""

from __future__ import annotations

import argparse

from kalshi_nb._cli.arguments import Parsers, seconds
from kalshi_nb._environments import SIMULATED
from kalshi_nb._settings import ENVIRONMENT_VARIABLE, Settings

__all__ = ["add", "run"]


def add(parsers: Parsers) -> argparse.ArgumentParser:
    """Add the command and its arguments."""
    parser = parsers.add_parser("doctor", help="look at everything a feed needs and say what is wrong")
    parser.add_argument("where", nargs="?", help="sim, demo, prod or an address (KALSHI_ENV)")
    parser.add_argument("--env", help="the same, as other commands have it")
    parser.add_argument("--key-id", help="the API key's id (KALSHI_API_KEY_ID)")
    parser.add_argument("--private-key", metavar="PATH", help="its PEM file (KALSHI_PRIVATE_KEY_PATH)")
    parser.add_argument("--ca-file", metavar="PATH", help="certificates of whoever signs there (SSL_CERT_FILE)")
    parser.add_argument("--proxy", metavar="URL", help="the proxy on the way, or 'none' (HTTPS_PROXY)")
    parser.add_argument("--timeout", type=seconds, default=10.0, help="seconds to wait for an answer (10)")
    parser.add_argument("--rest", action="store_true", help="look at REST, too: its clock, the key, its rate")
    return parser


def run(arguments: argparse.Namespace) -> int:
    """Print the report; return 0 where a feed would work now, else 1."""
    from kalshi_nb._feed.doctor import doctor  # noqa: PLC0415  # --help needs none of it

    where = arguments.env if arguments.where is None else arguments.where
    if where is None and Settings().find(ENVIRONMENT_VARIABLE) is None:
        where = SIMULATED
        print(
            "No place is named, so this looks at the simulated exchange;\n"
            f"for another: kalshi-nb doctor demo, or prod, or set {ENVIRONMENT_VARIABLE}.\n"
        )
    report = doctor(
        where,
        key_id=arguments.key_id,
        private_key=arguments.private_key,
        timeout=arguments.timeout,
        ssl=arguments.ca_file,
        proxy=False if arguments.proxy == "none" else arguments.proxy,
        rest=arguments.rest,
    )
    print(report)
    return 0 if report.ok else 1
