"""What the rows of a market look like over time: the picture that the chart, the text and the HTML show."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from kalshi_nb._fixed_point import CONTRACT
from kalshi_nb._widgets import numbers
from kalshi_nb._widgets.chart.picture import Candle, ChartPicture, Span, Stretch, Traded
from kalshi_nb._widgets.chart.points import power_of_two, quotes_of, rows_of, since, timed, trades_of
from kalshi_nb._widgets.lists import market_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import polars as pl

    from kalshi_nb._rows.gaps import Gap
    from kalshi_nb._widgets.sources import FeedSource, FrameSource

__all__ = ["ChartPresenter", "marks_of", "spans_of"]

_MOST_CANDLES: Final = 500
_MOST_GAPS: Final = 50
_CHANNELS: Final = ("trade", "quotes")
_TURNS: Final = {"activated": "open", "deactivated": "halted"}
"""What of a market's life is told by messages alone."""


class _Read(NamedTuple):
    """What was made of the rows that there were, and of which."""

    seen: tuple[Any, ...]
    trades: tuple[Traded, ...] = ()
    candles: tuple[Candle, ...] = ()
    quotes: tuple[Stretch, ...] = ()
    traded: float = 0.0
    every: int = 1_000_000


class ChartPresenter:
    """Makes pictures of one market's prices, for whoever shows them; from any thread.

    Parameters
    ----------
    source : FrameSource
        A frame of the trades, or of the quotes, of one market. The other of the two is shown along where somebody has
        it open.
    seconds : float or None
        How much of the past; None for all that the frame has.
    every : int or None
        Microseconds of a candle; None for trades as a line.
    """

    def __init__(self, source: FrameSource, *, seconds: float | None, every: int | None) -> None:
        self._source = source
        self._seconds = seconds
        self._every = every
        self._lock = threading.Lock()  # a cell and the display thread may read at once
        self._read = _Read(())
        self._decimals = 0

    @property
    def title(self) -> str:
        """The market's ticker."""
        return self._source.title

    def watch(self, wake: Callable[[], None]) -> None:
        """Have `wake` called once when there may be news."""
        self._source.watch(wake)

    def show_last(self, seconds: float | None) -> None:
        """Have so much of the past shown from now on; None for all that the frame has."""
        self._seconds = seconds

    def picture(self) -> ChartPicture:
        """Return the prices of now, without waiting for any."""
        source = self._source
        now = source.feed.clock.now_us()
        begins = None if self._seconds is None else now - round(self._seconds * 1e6)
        spans = spans_of(self._source, begins)
        with self._lock:
            read = self._read = self._reading(begins, spans)
            shown = (*(each.price for each in read.trades[-1:]), *(p for q in read.quotes[-1:] for p in q[1:] if p))
            self._decimals = max(self._decimals, *map(numbers.needed, shown), 0)
            decimals = self._decimals
        market, status = market_of(source.feed, self.title), source.status
        note = source.feed.note if status == "stale" else ""
        marks = marks_of(source.feed, self.title, begins, now)
        fills = tuple(each for each in source.feed.own_fills(self.title) if begins is None or each[3] * 1e6 >= begins)
        return ChartPicture(
            version=(read.seen, status, note, market, spans, decimals, marks, fills),
            status=status,
            clock=now / 1e6,
            market=market,
            seconds=self._seconds,
            every=read.every / 1e6,
            trades=read.trades,
            candles=read.candles,
            quotes=read.quotes,
            gaps=spans,
            traded=read.traded,
            changes=sum(total for total, _ in read.seen[:2]),
            decimals=decimals,
            note=note,
            marks=marks,
            fills=fills,
        )

    def _of(self, channel: str) -> FrameSource | None:
        """Return the frame of a channel that has this market's rows."""
        if self._source.channel == channel:
            return self._source
        found = self._source.feed.frames_of(channel)
        having = [each for each in found if each.market_tickers is None or self.title in each.market_tickers]
        return having[-1] if having else None  # that of the fewest markets

    def _reading(self, begins: int | None, spans: Sequence[Span]) -> _Read:
        frames = [rows_of(self._of(channel), self.title) for channel in _CHANNELS]
        bar = None if self._every is None else self._source.feed.clock.now_us() // self._every
        seen = (*((total, 0 if df is None else df.height) for total, df in frames), spans, self._seconds, bar)
        if seen == self._read.seen:
            return self._read
        trades, quotes = (timed(df) for _, df in frames)
        shown = None if trades is None else since(trades, begins)
        if trades is None or shown is None or shown.is_empty():
            return _Read(seen, quotes=quotes_of(quotes, begins))
        every = self._every or self._stretch(shown)
        # The first candle is whole, too, or each trade that leaves the window would change it.
        whole = trades if begins is None else since(trades, begins // every * every)
        volume = float(shown["count"].cast(float).sum())
        candles = self._candles(whole, spans, every)
        return _Read(seen, trades_of(trades, begins), candles, quotes_of(quotes, begins), volume, every)

    def _stretch(self, trades: pl.DataFrame) -> int:
        """Return how long one of some sixty stretches of the window is, in whole seconds."""
        if self._seconds is not None:
            return max(1, round(self._seconds / 60)) * 1_000_000
        return power_of_two((int(trades["tick"][-1]) - int(trades["tick"][0])) / 60e6) * 1_000_000

    def _candles(self, trades: pl.DataFrame, spans: Sequence[Span], every: int) -> tuple[Candle, ...]:
        from kalshi_nb._frames.bars import bars_of  # noqa: PLC0415  # polars loads when it is needed

        now = self._source.feed.clock.now_us()
        made = []
        for each in bars_of(trades, every)[-_MOST_CANDLES:]:
            start, end = each.start / 1e6, (each.start + every) / 1e6
            whole = end <= now / 1e6 and not any(
                gap.since < end and (gap.to is None or gap.to > start) for gap in spans
            )
            prices = (float(each.open), float(each.high), float(each.low), float(each.close))
            made.append(Candle(start, *prices, each.volume / CONTRACT, complete=whole))
        return tuple(made)


def spans_of(source: FrameSource, begins: int | None) -> tuple[Span, ...]:
    """Return the gaps of a frame of trades or quotes that reach into the window, at most 50 of them."""
    gaps: list[Gap] = source.gaps("trade" if source.channel == "trade" else "orderbook_delta")
    return tuple(
        Span(gap.opened_at / 1e6, None if gap.closed_at is None else gap.closed_at / 1e6)
        for gap in gaps[-_MOST_GAPS:]
        if begins is None or gap.closed_at is None or gap.closed_at >= begins
    )


def marks_of(feed: FeedSource, market_ticker: str, begins: int | None, now: int) -> tuple[tuple[float, str], ...]:
    """Return when a market was opened, closed or decided, and when it was halted where somebody has its lifecycle."""
    facts = feed.facts(market_ticker)
    marks = {
        facts.open_time: "open",
        facts.close_time: "closed",
        facts.determined_at: "determined",
        facts.settled_at: "settled",
    }
    for frame in feed.frames_of("market_lifecycle_v2"):
        rows = frame.df
        rows = rows.filter((rows["market_ticker"] == market_ticker) & rows["event_type"].is_in(list(_TURNS)))
        ticks = rows["ts"].dt.cast_time_unit("us").to_physical().to_list()
        marks |= {tick: _TURNS[event] for tick, event in zip(ticks, rows["event_type"], strict=True)}
    since = begins or 0
    return tuple(sorted((at / 1e6, word) for at, word in marks.items() if at is not None and since <= at <= now))
