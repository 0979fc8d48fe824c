"""``kalshi-nb markets``: finds markets by words, or lists those of a series or an event; it needs no key."""

from __future__ import annotations

import argparse
import datetime as dt
import json
from typing import TYPE_CHECKING, Any, Final

from kalshi_nb._cli.arguments import Parsers
from kalshi_nb._cli.printing import tell
from kalshi_nb._terminal import width as terminal_width
from kalshi_nb.errors import ConfigurationError

if TYPE_CHECKING:
    import polars as pl

    from kalshi_nb._rest.discovery import Discovery

__all__ = ["add", "run"]

_EXAMPLES: Final = """\
examples:
  kalshi-nb markets "weather new york" --env sim
  kalshi-nb markets --series KXHIGHNY --env prod --json
"""
_LIMIT: Final = 50
_NOTHING: Final = "-"
_SHORTEST: Final = 4
"""Characters of a title below which a line is rather broken by the terminal."""


def add(parsers: Parsers) -> argparse.ArgumentParser:
    """Add the command and its arguments."""
    parser = parsers.add_parser(
        "markets",
        help="find markets by words, without a key",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("words", nargs="*", help="of titles, tickers, categories and tags, best first")
    parser.add_argument("--env", help="sim, demo, prod or an address (KALSHI_ENV)")
    parser.add_argument("--series", help="list those of a series, such as KXHIGHNY, in place of words")
    parser.add_argument("--event", help="list those of an event, such as KXHIGHNY-26NOV28")
    parser.add_argument("--status", default="open", help="unopened, open, paused, closed, settled or all (open)")
    parser.add_argument("--limit", type=int, default=_LIMIT, help=f"how many at most ({_LIMIT})")
    parser.add_argument("--no-cache", action="store_true", help="ask for the table of all series anew")
    parser.add_argument("--json", action="store_true", help="print all that is known of them as JSON")
    return parser


def run(arguments: argparse.Namespace) -> int:
    """Print what was found; return 0, or 1 where nothing was."""
    from kalshi_nb._feed.public_data import discovery_at  # noqa: PLC0415  # --help needs none of it

    with discovery_at(arguments.env) as discovery:
        found = _found(discovery, arguments)
    if arguments.json:
        print(json.dumps(found.to_dicts(), default=_iso))
    else:
        for line in _lines(found):
            print(line)
    if found.is_empty():
        tell("kalshi-nb markets: there is no such market; try fewer words, or --status all")
    return 1 if found.is_empty() else 0


def _found(discovery: Discovery, arguments: argparse.Namespace) -> pl.DataFrame:
    from kalshi_nb._rest.filters import MarketQuestion  # noqa: PLC0415  # as above

    status = None if arguments.status == "all" else arguments.status
    if not arguments.words:
        question = MarketQuestion(arguments.series, arguments.event, status=status)
        return discovery.markets(question, arguments.limit)
    if arguments.series or arguments.event:
        raise ConfigurationError("Words are searched in all series; pass words, or --series and --event, not both.")
    return discovery.search(" ".join(arguments.words), status, arguments.limit, cache=not arguments.no_cache)


def _lines(found: pl.DataFrame) -> list[str]:
    from kalshi_nb._rows.foreign import plain_text  # noqa: PLC0415  # as above

    names = [plain_text(ticker) for ticker in found["market_ticker"]]
    width = max(map(len, names), default=0)
    columns = terminal_width()
    lines = []
    for name, row in zip(names, found.iter_rows(named=True), strict=True):
        prices = f"{_price(row['yes_bid']):>6} {_price(row['yes_ask']):>6}"
        closes = f"{row['close_time']:%Y-%m-%d %H:%M}" if row["close_time"] is not None else f"{_NOTHING:<16}"
        line = f"{name:<{width}}  {prices}  {closes}  "
        room = None if columns is None else columns - len(line)
        lines.append(line + _title(plain_text(row["title"] or ""), plain_text(row["subtitle"] or ""), room))
    head = f"{'market':<{width}}  {'bid':>6} {'ask':>6}  {'closes (UTC)':<16}  title"
    return [head, *lines] if lines else []


def _title(title: str, subtitle: str, room: int | None) -> str:
    """Return both in so many characters, where there are enough: an event's markets differ by the second alone."""
    whole = " · ".join(each for each in (title, subtitle) if each)
    left = len(whole) if room is None else room - len(whole) + len(title)
    if room is None or len(whole) <= room or left < _SHORTEST:
        return whole
    return whole.replace(title, f"{title[: left - 1].rstrip()}…", 1)


def _price(dollars: float | None) -> str:
    """Return dollars with the decimals that they have, two at least."""
    if dollars is None:
        return _NOTHING
    text = f"{dollars:.4f}".rstrip("0")
    return text.ljust(text.index(".") + 3, "0")


def _iso(value: Any) -> str:
    return value.isoformat() if isinstance(value, dt.datetime) else str(value)
