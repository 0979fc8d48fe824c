"""``kalshi-nb history``: the trades of a window, or candles, into a file or folder; it needs no key."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from kalshi_nb._cli.arguments import Parsers, telling
from kalshi_nb._cli.printing import tell
from kalshi_nb.errors import ConfigurationError, RestError

if TYPE_CHECKING:
    import polars as pl

__all__ = ["add", "run"]

_EXAMPLES: Final = """\
examples:
  kalshi-nb history KXHIGHNY-26NOV22-B52.5 --since 24h --out trades --env sim
  kalshi-nb history KXHIGHNY-26NOV22-B52.5 --candles 1h --since 7d \\
      --out candles.parquet --env sim
"""
_FORMATS: Final = (".parquet", ".csv")
_SINCE: Final = "24h"


def add(parsers: Parsers) -> argparse.ArgumentParser:
    """Add the command and its arguments."""
    parser = parsers.add_parser(
        "history",
        help="fetch trades or candles of the past, without a key",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("market", nargs="+", help="tickers of markets, or ALL for the trades of all")
    parser.add_argument("--env", help="sim, demo, prod or an address (KALSHI_ENV)")
    parser.add_argument("--since", help=f"so long ago, such as 7d, or a moment ({_SINCE})")
    parser.add_argument("--until", help="as --since: so long ago, or a moment, such as 2026-11-28T18:00 (now)")
    parser.add_argument("--candles", metavar="INTERVAL", help="1m, 1h or 1d: candles in place of trades")
    parser.add_argument("--filled", action="store_true", help="also candles in which nothing moved")
    parser.add_argument(
        "--out", type=Path, required=True, help="of trades a new folder of Parquet, of candles a .parquet or .csv file"
    )
    parser.add_argument("--quiet", action="store_true", help="do not tell how far it has come")
    return parser


def run(arguments: argparse.Namespace) -> int:
    """Fetch, write, and say what was written; return 0, or 1 where there was nothing."""
    from kalshi_nb._feed.public_data import candles, history  # noqa: PLC0415  # --help needs none of it

    told = None if arguments.quiet else telling()
    tickers = None if arguments.market == ["ALL"] else arguments.market
    window = arguments.env, tickers, arguments.since or _SINCE, arguments.until
    unsaid = "" if arguments.since else f" of the last {_SINCE}"
    if arguments.candles is None:
        if arguments.out.suffix.lower() in _FORMATS:
            raise ConfigurationError(
                f"--out {str(arguments.out)!r}: trades go into a folder of files, not into one; name it without "
                f"{arguments.out.suffix}. Candles (--candles 1h) go into one file."
            )
        with _saying(lambda stopped: " ".join(getattr(stopped, "__notes__", ()))):
            found = history(*window, out=arguments.out, progress=told).lazy()
        rows = int(found.select("ts").collect().height)
        print(f"{rows:,} trades{unsaid} in {arguments.out}")
        return 0 if rows else 1
    if arguments.out.suffix not in _FORMATS:
        raise ConfigurationError(
            f"--out {str(arguments.out)!r}: candles go into one file; end its name with {' or '.join(_FORMATS)}."
        )
    with _saying(lambda stopped: _kept(stopped, arguments.out)):
        where, markets, since, until = window
        frame = candles(where, markets, arguments.candles, since, until, filled=arguments.filled, progress=told)
    _write(frame, arguments.out)
    print(f"{frame.height:,} candles{unsaid} in {arguments.out}")
    return 0 if frame.height else 1


@contextmanager
def _saying(kept: Callable[[BaseException], str]) -> Iterator[None]:
    """Say what is kept of what an error or Ctrl-C breaks off."""
    try:
        yield
    except (RestError, KeyboardInterrupt) as stopped:
        if text := kept(stopped):
            tell(f"kalshi-nb history: {text}")
        raise


def _kept(stopped: BaseException, out: Path) -> str:
    """Write the candles that had come, and say so; nothing where there are none."""
    partial: pl.DataFrame | None = getattr(stopped, "partial", None)
    if partial is None or partial.is_empty():
        return ""
    _write(partial, out)
    return f"{partial.height:,} candles had come, and are in {out}."


def _write(frame: pl.DataFrame, out: Path) -> None:
    if out.suffix == ".csv":
        frame.write_csv(out)
    else:
        frame.write_parquet(out)
