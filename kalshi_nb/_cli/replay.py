"""``kalshi-nb replay``: prints or serves the messages of a recording, at the pace at which they came or another."""

from __future__ import annotations

import argparse
import contextlib
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from kalshi_nb._cli.arguments import Parsers, length, moment
from kalshi_nb._cli.keys import write_key
from kalshi_nb._cli.printing import tell
from kalshi_nb._waiting import SLICE, Deadline
from kalshi_nb.errors import ConfigurationError, WaitTimeoutError

if TYPE_CHECKING:
    from kalshi_nb.sim._replay_server import ReplayServer

__all__ = ["add", "run"]

_EXAMPLES: Final = """\
examples:
  kalshi-nb replay night --speed max --from 2026-11-28T06:00 \\
      --until 2026-11-28T06:05 > frames.jsonl
  kalshi-nb replay night --serve --port 8765 --speed 10

with --serve it is an exchange for any client, at
ws://127.0.0.1:PORT/trade-api/ws/v2. It plays once, from when the first client
has subscribed, and stays until Ctrl-C. Each client gets the channels and
markets that it asks for; handshakes are taken with any key, or with --key-file
only with the one that is written there.
"""
_INTERRUPTED: Final = 130
_LOOK: Final = 0.5


def add(parsers: Parsers) -> argparse.ArgumentParser:
    """Add the command and its arguments."""
    parser = parsers.add_parser(
        "replay",
        help="print or serve the messages of a recording at their pace",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "recording",
        help="the folder that was recorded into, or one of its segments, here or at an address (s3://…)",
    )
    parser.add_argument(
        "--speed", default="1", help="how fast: 1 is as it came, 10 is ten times that, max as fast as it goes (1)"
    )
    parser.add_argument("--from", dest="start", help="from when, as 2026-11-28T06:00 (UTC) or seconds since 1970")
    parser.add_argument("--until", dest="end", help="until when, likewise")
    parser.add_argument("--serve", action="store_true", help="be an exchange of it on this computer, for any client")
    parser.add_argument("--port", type=int, help="with --serve: the port (any that is free)")
    parser.add_argument(
        "--key-file", type=Path, help="with --serve: where to write the one key to sign with (any key)"
    )
    parser.add_argument(
        "--for", dest="seconds", type=length, metavar="TIME", help="with --serve: how long: 90s, 8h (until Ctrl-C)"
    )
    return parser


def run(arguments: argparse.Namespace) -> int:
    """Print every message, a line each, as it came, or serve them; return 0, or 130 after Ctrl-C."""
    if arguments.serve:
        return _serve(arguments)
    for option in ("port", "key_file", "seconds"):
        if getattr(arguments, option) is not None:
            name = {"key_file": "--key-file", "seconds": "--for"}.get(option, f"--{option}")
            raise ConfigurationError(f"{name} says something about a server: add --serve, or leave it out.")
    return _print(arguments)


def _print(arguments: argparse.Namespace) -> int:
    from kalshi_nb._feed.replay import replay  # noqa: PLC0415  # --help needs none of it
    from kalshi_nb._rows.heard import Heard, Read  # noqa: PLC0415  # as above

    speed = moment(arguments.speed)
    options = {"start": moment(arguments.start), "end": moment(arguments.end), "paused": True}
    with replay(arguments.recording, speed, **options) as feed:  # type: ignore[arg-type]
        out, refusals = sys.stdout.buffer, list[OSError]()

        def show(heard: Heard) -> None:
            if refusals or not isinstance(heard, Read):
                return
            try:
                out.writelines(each if each.endswith(b"\n") else each + b"\n" for each in heard.messages)
                out.flush()
            except OSError as refusal:  # on the engine's thread, which would go on without whoever prints
                refusals.append(refusal)

        feed._engine.tap(show)  # noqa: SLF001  # what a recorder does, too
        feed.replaying.resume()  # type: ignore[union-attr]  # it is one
        is_played = False
        while not (is_played or refusals):
            with contextlib.suppress(WaitTimeoutError):
                feed.replaying.wait(SLICE)  # type: ignore[union-attr]  # as above
                is_played = True
    if refusals:
        raise refusals[0]
    return 0


def _serve(arguments: argparse.Namespace) -> int:
    from kalshi_nb._feed.serving import serve  # noqa: PLC0415  # --help needs none of it

    with serve(
        arguments.recording,
        moment(arguments.speed),  # type: ignore[arg-type]  # looked at there
        start=moment(arguments.start),
        end=moment(arguments.end),
        port=arguments.port or 0,
        anyone=arguments.key_file is None,
    ) as server:
        print(server.url, flush=True)
        if arguments.key_file is not None:
            write_key(arguments.key_file, server.private_key)
            print(
                f"KALSHI_API_KEY_ID={server.key_id}\nKALSHI_PRIVATE_KEY_PATH={arguments.key_file}",
                flush=True,
            )
        try:
            return _wait(server, arguments.seconds)
        except KeyboardInterrupt:
            return _INTERRUPTED


def _wait(server: ReplayServer, seconds: float | None) -> int:
    """Stay until the time is up, and say when all was played."""
    deadline = Deadline(seconds)
    if server.wait(seconds):
        tell("played to the end; clients stay connected until Ctrl-C")
    while not deadline.is_over:
        time.sleep(deadline.left(_LOOK) or 0.0)
    return 0
