"""``kalshi-nb record``: keeps every byte of an exchange in a folder, until Ctrl-C or for a while."""

from __future__ import annotations

import argparse
import dataclasses
import json
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from kalshi_nb._cli.arguments import Parsers, length
from kalshi_nb._cli.printing import tell
from kalshi_nb._sizes import size
from kalshi_nb._waiting import SLICE, Deadline
from kalshi_nb.errors import ConfigurationError

if TYPE_CHECKING:
    from kalshi_nb._feed.feed import Feed
    from kalshi_nb._recording.following import FollowingExport
    from kalshi_nb._recording.recorder import Recorder

__all__ = ["add", "run"]

_EXAMPLES: Final = """\
examples:
  kalshi-nb record night --env sim --for 60s --export tables
  kalshi-nb record night --channel trade --channel orderbook_delta \\
      --market KXHIGHNY-26NOV28-B52.5 --env demo
"""
_LINE_EVERY: Final = 10.0
_ENDING: Final = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))
_SIGNALLED: Final = 128
_INTERRUPTED: Final = 130
_FAILED: Final = 1


def add(parsers: Parsers) -> argparse.ArgumentParser:
    """Add the command and its arguments."""
    parser = parsers.add_parser(
        "record",
        help="keep every byte of an exchange in a folder",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", help="the folder to record into; a recording that is there goes on")
    parser.add_argument("--env", help="sim, demo, prod or an address (KALSHI_ENV)")
    parser.add_argument(
        "--channel",
        action="append",
        help="a channel; again for more (trade, ticker, and books of the markets that are named)",
    )
    parser.add_argument("--market", action="append", help="a market ticker; again for more (all; books need names)")
    parser.add_argument(
        "--for", dest="seconds", type=length, metavar="TIME", help="for how long: 90s, 8h, 2d (until Ctrl-C)"
    )
    parser.add_argument(
        "--export",
        metavar="OUT",
        help="export meanwhile: each segment that is over (an hour, or 64 MB) becomes files in this folder or address",
    )
    parser.add_argument("--json", action="store_true", help="print what was kept as JSON")
    return parser


def run(arguments: argparse.Namespace) -> int:
    """Record, and seal what was recorded whatever ends it; return 0, or 128 and a signal's number.

    That is 130 after Ctrl-C, 143 after SIGTERM, and 129 after SIGHUP, of a terminal that was closed. Where it would be
    0 and something was not kept, or not exported, it is 1.
    """
    from kalshi_nb._feed.connect import connect  # noqa: PLC0415  # --help needs none of it

    with _signalled() as signals, connect(arguments.env, new=True) as feed:
        with _recorder(feed, arguments) as recorder:
            tell(f"recording {', '.join(recorder.channels)} into {arguments.folder}; Ctrl-C seals it")
            export = recorder.export(arguments.export, follow=True) if arguments.export is not None else None
            status = _wait(feed, arguments.seconds, signals)
            if export is not None:
                tell(f"exporting what is left into {export.out}; Ctrl-C leaves it for another time")
        _say(recorder, export, as_json=arguments.json)
    kept = recorder.status
    failed = kept.trouble is not None or kept.dropped > 0 or (export is not None and export.trouble is not None)
    return status or _FAILED if failed else status


def _recorder(feed: Feed, arguments: argparse.Namespace) -> Recorder:
    markets = arguments.market
    channels = arguments.channel
    if channels is None:
        markets = markets or (list(feed.exchange.market_tickers) if feed.exchange is not None else None)
        channels = ["trade", "ticker", "orderbook_delta"] if markets else ["trade", "ticker"]
    elif "orderbook_delta" in channels and not markets:
        if feed.exchange is None:
            raise ConfigurationError("Books are recorded by name: add --market TICKER, once for each.")
        markets = list(feed.exchange.market_tickers)
    return feed.record(arguments.folder, channels, markets)


@contextmanager
def _signalled() -> Iterator[list[int]]:
    """Give a list that the numbers of signals come into which otherwise end a process at once."""
    came: list[int] = []
    before: dict[int, Any] = {}
    if threading.current_thread() is threading.main_thread():
        for number in _ENDING:
            if number == signal.SIGTERM or signal.getsignal(number) is not signal.SIG_IGN:  # nohup: to outlive it
                before[number] = signal.signal(number, lambda which, _: came.append(which))
    try:
        yield came
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)


def _wait(feed: Feed, seconds: float | None, signals: list[int]) -> int:
    deadline, line_at = Deadline(seconds), time.monotonic() + _LINE_EVERY
    try:
        while not deadline.is_over:
            if not signals:
                time.sleep(deadline.left(SLICE) or 0.0)
            if signals:
                return _SIGNALLED + signals[0]
            if time.monotonic() < line_at and not deadline.is_over:
                continue
            line_at = time.monotonic() + _LINE_EVERY
            for line in (*feed.health().recordings, *feed.health().warnings):
                tell(line)
    except KeyboardInterrupt:
        return _INTERRUPTED
    return 0


def _say(recorder: Recorder, export: FollowingExport | None, *, as_json: bool) -> None:
    status = recorder.status
    kept: dict[str, Any] = {
        "folder": str(recorder.folder),
        "messages": status.messages,
        "durable_messages": status.durable_messages,
        "dropped": status.dropped,
        "raw_bytes": status.raw_bytes,
        "written_bytes": status.written_bytes,
        "trouble": status.trouble,
    }
    if as_json:
        if export is not None:
            report = None if export.report is None else dataclasses.asdict(export.report)
            kept["export"] = {"out": export.out, "trouble": export.trouble, "report": report}
        print(json.dumps(kept))
        return
    print(
        f"{kept['folder']}: {kept['durable_messages']:,} of {kept['messages']:,} messages kept, "
        f"{size(kept['written_bytes'])} for {size(kept['raw_bytes'])}"
        + (f"; {kept['dropped']:,} dropped" if kept["dropped"] else "")
        + (f"; {kept['trouble']}" if kept["trouble"] else "")
    )
    if export is not None:
        print(export.line())
