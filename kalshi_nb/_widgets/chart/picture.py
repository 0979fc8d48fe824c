"""What a price chart shows at one moment, as plain data."""

from __future__ import annotations

import struct
from collections.abc import Hashable, Iterable, Sequence
from itertools import takewhile
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from kalshi_nb._widgets.ladder.picture import Fill, Market

__all__ = ["Candle", "ChartPicture", "Line", "Point", "Span", "Stretch", "Traded", "change", "column"]


class Traded(NamedTuple):
    """A trade: epoch seconds, YES dollars, contracts."""

    at: float
    price: float
    size: float


class Stretch(NamedTuple):
    """Best bid and ask from a moment on: epoch seconds, YES dollars; None where a side is empty or not known."""

    at: float
    bid: float | None
    ask: float | None


class Point(NamedTuple):
    """What a market is held to be worth from a moment on: epoch seconds, YES dollars; None where nobody can say."""

    at: float
    price: float | None


class Line(NamedTuple):
    """One of several markets.

    Attributes
    ----------
    ticker, words : str
        The market, and what it stands for: its strike, where that is known.
    is_mid : bool
        Whether its points are mids of tight books, each of which stands until the next, and not prices of trades.
    points : tuple of Point
        Oldest first.
    """

    ticker: str
    words: str
    is_mid: bool
    points: tuple[Point, ...]


class Candle(NamedTuple):
    """The trades of one interval: its beginning in epoch seconds, YES dollars, contracts, and whether that is all."""

    start: float
    open: float
    high: float
    low: float
    close: float
    volume: float
    complete: bool


class Span(NamedTuple):
    """A gap in the data, in epoch seconds; `to` is None while it is open."""

    since: float
    to: float | None


class ChartPicture(NamedTuple):
    """All that a chart shows, of one moment and never changed afterwards.

    Attributes
    ----------
    version : hashable
        Differs whenever anything that is shown does, but for the time.
    status : str
        ``"connecting"``, ``"live"``, ``"stale"`` or ``"closed"``.
    clock : float
        When it was taken by the feed's clock, epoch seconds.
    market : Market
        The market; of several what they are in a word, as its ticker.
    seconds : float or None
        How much of the past is shown; None for all there is.
    every : float
        Seconds of a candle.
    trades : tuple of Traded
        Oldest first; of very many the first, last, highest and lowest of each stretch of time.
    candles : tuple of Candle
        Oldest first; where none were asked for they say what was traded when.
    quotes : tuple of Stretch
        Oldest first; of very many the last of each stretch of time.
    gaps : tuple of Span
        Oldest first.
    traded : float
        Contracts that were traded in all of the window.
    changes : int
        Rows that ever came.
    decimals : int
        Decimals of a cent that prices have.
    note : str
        What is the matter; may be empty.
    lines : tuple of Line
        The markets, where there are several; then there are no trades, candles and quotes.
    marks : tuple of (float, str)
        When the market was opened, halted, closed or decided, in epoch seconds and a word, as far as that is known.
    fills : tuple of Fill
        One's own, oldest first, as a ladder has them.
    """

    version: Hashable
    status: str
    clock: float
    market: Market
    seconds: float | None
    every: float
    trades: tuple[Traded, ...]
    candles: tuple[Candle, ...]
    quotes: tuple[Stretch, ...]
    gaps: tuple[Span, ...]
    traded: float
    changes: int
    decimals: int = 0
    note: str = ""
    lines: tuple[Line, ...] = ()
    marks: tuple[tuple[float, str], ...] = ()
    fills: tuple[Fill, ...] = ()

    def body(self) -> dict[str, Any]:
        """Return what the browser is sent of it."""
        return self._head() | {
            "trades": columns(self.trades),
            "candles": columns(self.candles),
            "quotes": columns(self.quotes),
            "lines": [[*each[:3], columns(each.points)] for each in self.lines],
        }

    def delta(self, before: ChartPicture) -> dict[str, Any] | None:
        """Return what makes it of the one before; None where that was of other markets."""
        if [each[:3] for each in before.lines] != [each[:3] for each in self.lines]:
            return None
        rows: dict[str, Any] = {
            "trades": change(before.trades, self.trades),
            "candles": change(before.candles, self.candles),
            "quotes": change(before.quotes, self.quotes),
        }
        lines = [change(old.points, new.points) for old, new in zip(before.lines, self.lines, strict=True)]
        if any(lines):
            rows["lines"] = lines
        was = before._head()
        head = {name: value for name, value in self._head().items() if value != was[name]}
        return {"clock": self.clock, **head} | {name: value for name, value in rows.items() if value is not None}

    def _head(self) -> dict[str, Any]:
        """Return all but the points."""
        of = {"title": self.market.ticker} if self.lines else {"market": self.market._asdict()}
        return of | {
            "clock": self.clock,
            "seconds": self.seconds,
            "every": self.every,
            "gaps": [list(each) for each in self.gaps],
            "traded": self.traded,
            "decimals": self.decimals,
            "note": self.note,
            "marks": [list(each) for each in self.marks],
            "fills": [list(each) for each in self.fills],
        }


def change(before: Sequence[tuple[Any, ...]], after: Sequence[tuple[Any, ...]]) -> list[Any] | None:
    """Return what makes one list of points of another, most of which it is.

    Returns
    -------
    list or None
        ``[columns, left out, kept, columns]``: points that come first, how many of the old ones go, how many of those
        behind them stay, and points that come last. None where the two are alike.
    """
    if before == after:
        return None
    places = {each: place for place, each in reversed(list(enumerate(before)))}
    ahead = next((i for i, each in enumerate(after) if each in places), len(after))
    gone = places[after[ahead]] if ahead < len(after) else len(before)
    kept = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(before[gone:], after[ahead:], strict=False)))
    return [columns(after[:ahead]), gone, kept, columns(after[ahead + kept :])]


def columns(rows: Iterable[tuple[Any, ...]]) -> list[memoryview]:
    """Return rows of numbers as they travel, column by column."""
    return [column(each) for each in zip(*rows, strict=True)]


def column(values: Iterable[float | None]) -> memoryview:
    """Return numbers as they travel: 64-bit floats, little-endian, NaN where there is none."""
    numbers = [float("nan") if each is None else float(each) for each in values]
    return memoryview(struct.pack(f"<{len(numbers)}d", *numbers))
