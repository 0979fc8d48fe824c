"""The node that makes bars of trades while they come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import polars as pl
from streamz import Stream

from kalshi_nb._durations import duration_us, written
from kalshi_nb._frames.bars import BAR_KEY, Bar, bar_frame, bar_schema, bars_of, missing_columns, times_of
from kalshi_nb._frames.schema import RECEIVED
from kalshi_nb._frames.schema import schema as schema_of
from kalshi_nb._streams.graph import refuse_awaitables
from kalshi_nb._streams.missing import NOTHING, Missing, Passed
from kalshi_nb._streams.source import Source, deliveries_above
from kalshi_nb.errors import PipelineError

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable

    from kalshi_nb._streams.user_delivery import StreamDelivery

__all__ = ["BarsNode"]

MOST_BARS: Final = 100_000
"""So many bars can still change."""

LATE_US: Final = 60_000_000
"""A trade may be so much older than the newest of its market, and its bar is still there to be changed."""

_MANY_ROUNDS: Final = 256
"""So many elements pass between two looks for what can be forgotten."""


class BarsNode(Stream):  # type: ignore[misc]  # streamz ships no types
    """``stream.bars(interval)``: open, high, low, close and volume of each market and interval, while trades come.

    ``minutes = feed.stream("trade").bars("1m").rolling_frame()``, then ``minutes.df``. What passes on is a frame of
    the bars that changed, whole as they are now: a bar that is still open comes again with every element that has a
    trade of it, once more when its interval is over, and again should a late trade or a gap change it. So the last row
    with one ``market_ticker`` and ``start`` is the bar, and ``rolling_frame()`` on this node keeps that one, at its
    place (further down say so: ``rolling_frame(by=["market_ticker", "start"])``).

    Parameters
    ----------
    upstream : streamz.Stream
        A stream of trades: of polars DataFrames with ``ts``, ``market_ticker``, ``yes_price``, ``count``, and
        ``received_at`` as long as gaps are to be seen exactly.
    interval : str, timedelta or number
        ``"10s"``, ``"1m"``, ``"1h"``, a timedelta, or seconds. They begin at whole multiples of it since 1970, UTC.

    Attributes
    ----------
    schema : polars.Schema or None
        ``market_ticker, start, end, open, high, low, close, volume, trades, yes_bid_open, yes_bid_high, yes_bid_low,
        yes_bid_close, yes_ask_open … yes_ask_close, open_interest, complete``: dollars, contracts, UTC, `end` not
        included. None while the dtypes are to be taken from the first element.
    late : int
        Trades that were left out since the bar that they belong to is no longer there: older than the newest trade of
        their market by more than a minute and an interval, or than 100,000 bars.

    Raises
    ------
    ConfigurationError
        When `interval` is no length of time.
    PipelineError
        Directly on a stream of something else than trades.

    Notes
    -----
    A trade belongs where its ``ts`` lies, the exchange's time, and open and close go by that. Nothing is invented:
    there is no row without a trade, and quotes and open interest, which trades do not tell, are null. Block trades
    count like all others.

    ``complete`` is False while the interval is open by the feed's clock, and for good where trades may be missing: in
    intervals that were running when the node was made, that a gap of the stream's channel and markets overlaps, or
    rows that the pipeline itself lost. What a gap lost lies between the last row before it and its end, so a bar that
    was complete comes again with False where a gap is found to reach back into it. On a stream that no feed fills it
    is always False, since nobody knows. On a stream with ``backfill=True`` trades that were fetched after a gap change
    the bars that they belong to; these stay not complete.
    """

    _ipython_display_ = None
    keyed_by = BAR_KEY

    def __init__(self, upstream: Stream, interval: str | dt.timedelta | float) -> None:
        self._every = duration_us("interval", interval)
        self.schema: pl.Schema | None = None
        self.late = 0
        self._bars: dict[tuple[str, int], Bar] = {}
        self._said: dict[tuple[str, int], bool] = {}
        self._open: set[tuple[str, int]] = set()
        self._newest: dict[str, int] = {}
        self._forgotten: dict[str, int] = {}
        self._rounds = 0
        self._woken_for: int | None = None
        self._fed: list[StreamDelivery] = []
        self._missing: list[Missing] = []
        if isinstance(upstream, Source):
            self.schema = bar_schema(_columns_of(upstream))
        Stream.__init__(self, upstream)
        for each in deliveries_above(upstream):
            self._fed_by(each)

    def _fed_by(self, delivery: StreamDelivery) -> None:
        """Take note of a stream whose trades come here: what it lacks, bars lack from now on."""
        if any(each is delivery for each in self._fed):
            return
        self._fed.append(delivery)
        if delivery.known_gaps is not None:
            self._missing.append(Missing(delivery, delivery.known_gaps()))
        delivery.watch(self)

    def update(self, x: Any, who: Any = None, metadata: Any = None) -> Any:  # noqa: ARG002  # streamz's signature
        """Take the trades of an element into their bars, and pass on those that changed."""
        if not isinstance(x, pl.DataFrame):
            raise PipelineError(f"bars() takes polars DataFrames of trades, and got {type(x).__name__}.")
        parts = bars_of(x, self._every)
        if self.schema is None:
            self.schema = bar_schema(x.schema)
        touched = [part for part in parts if self._take(part)]
        self._forget_some()
        changed = self._changed({part[:2] for part in touched}, _passed(x))
        return [] if changed is None else self._send(changed, metadata)

    def news(self) -> pl.DataFrame | None:
        """Return the bars whose interval is over by now, and those that turned out to be incomplete."""
        return None if self.schema is None else self._changed(set(), NOTHING)

    def pass_on(self, news: pl.DataFrame) -> None:
        """Pass on what `news` returned."""
        refuse_awaitables(self._send(news, None))

    def forget(self) -> None:
        """Begin anew: what was before belongs to another time."""
        for kept in (self._bars, self._said, self._open, self._newest, self._forgotten):
            kept.clear()
        self._woken_for = None
        for each in self._missing:
            each.begin()

    def _send(self, frame: pl.DataFrame, metadata: Any) -> Any:
        try:
            return self._emit(frame, metadata=metadata)
        except BaseException:
            # Of several streams nobody knows here which brought it, and the error is taken for a row that is missing.
            if len(self._missing) == 1:
                self._missing[0].raised_below()
            raise

    def _take(self, part: Bar) -> bool:
        """Add trades of one bar to it; return whether it is there."""
        key = part.market_ticker, part.start
        bar = self._bars.get(key)
        if bar is None and part.start < self._forgotten.get(part.market_ticker, part.start):
            self.late += part.trades
            return False
        self._bars[key] = part if bar is None else bar.joined(part)
        self._newest[part.market_ticker] = max(part.last, self._newest.get(part.market_ticker, part.last))
        return True

    def _changed(self, touched: set[tuple[str, int]], passed: Passed) -> pl.DataFrame | None:
        """Return the bars that are not what was last said of them."""
        since = min((at for each in self._missing if (at := each.look(passed)) is not None), default=None)
        now = self._now()
        asked = touched | self._open
        if since is not None:
            asked |= {key for key in self._bars if key[1] + self._every > since}
        found: list[tuple[Bar, bool]] = []
        for key in sorted(asked, key=lambda each: (each[1], each[0])):
            complete = self._is_complete(key, now)
            if key in touched or complete is not self._said.get(key):
                found.append((self._bars[key], complete))
                self._said[key] = complete
        self._open = {key for key in asked if key[1] + self._every > now}
        self._ask_to_be_woken(now)
        assert self.schema is not None  # whoever has bars has seen their trades
        return bar_frame(found, self._every, self.schema) if found else None

    def _is_complete(self, key: tuple[str, int], now: int) -> bool:
        market_ticker, start = key
        end = start + self._every
        if end > now or not self._missing or len(self._missing) < len(self._fed):
            return False
        return not any(each.between(market_ticker, start, end) for each in self._missing)

    def _now(self) -> int:
        return self._fed[0].clock.now_us() if self._fed else 0

    def _ask_to_be_woken(self, now: int) -> None:
        """Be asked for news when the next bar is over, on a feed that may bring nothing until then."""
        first = min((start for _, start in self._open), default=None)
        due = None if first is None else max(now + 1, first + self._every)
        if due is None or due == self._woken_for:
            return
        running = next((each for each in self._fed if each.pipeline.state != "closed"), None)
        if running is not None:
            running.look_at(due)
            self._woken_for = due

    def _forget_some(self) -> None:
        """Let bars go that nothing is to change any more, now and then, and the oldest where they are too many."""
        self._rounds += 1
        if self._rounds % _MANY_ROUNDS and len(self._bars) <= MOST_BARS:
            return
        gone = [
            (market, start)
            for market, start in self._bars
            if start + self._every <= self._newest[market] - LATE_US and (market, start) not in self._open
        ]
        self._let_go(gone)
        excess = len(self._bars) - MOST_BARS
        if excess > 0:
            self._let_go(sorted(self._bars, key=lambda each: each[1])[: excess + MOST_BARS // 8])
        if self._bars:
            oldest = min(start for _, start in self._bars)
            for each in self._missing:
                each.forget_before(oldest)

    def _let_go(self, gone: Iterable[tuple[str, int]]) -> None:
        for market, start in gone:
            del self._bars[market, start]
            self._said.pop((market, start), None)
            self._open.discard((market, start))
            self._forgotten[market] = max(self._forgotten.get(market, 0), start + self._every)
        while len(self._forgotten) > MOST_BARS:
            del self._forgotten[next(iter(self._forgotten))]
        there = {market for market, _ in self._bars}
        self._newest = {market: at for market, at in self._newest.items() if market in there}

    def __repr__(self) -> str:
        return f"<bars: {written(self._every)}>"

    __str__ = __repr__


def _columns_of(source: Source) -> pl.Schema:
    """Return the columns of what a source sends."""
    pipeline = source.pipeline
    columns = schema_of(pipeline.channel, pipeline.exact, late=pipeline.backfill)
    if pipeline.kind != "frames" or missing_columns(columns):
        kind = "lists of messages" if pipeline.kind != "frames" else f"rows of the channel {pipeline.channel!r}"
        raise PipelineError(f"bars() takes frames of trades, and not {kind}: begin with feed.stream('trade').")
    return columns


def _passed(trades: pl.DataFrame) -> Passed:
    """Return when the rows of an element were received and had their time."""
    times = times_of(trades).drop_nulls()
    return Passed(times[RECEIVED].to_list(), times["ts"].to_list())
