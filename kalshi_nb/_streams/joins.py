"""Nodes that put together what came at different times: the last row of each, and trades with their quotes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import polars as pl
from streamz import Stream

from kalshi_nb._frames.columns import Columns
from kalshi_nb._frames.last_rows import DEFAULT_KEYS
from kalshi_nb._frames.marks import is_backfilled
from kalshi_nb._frames.reading import FrameReading, store_of
from kalshi_nb._frames.schema import MARKET, schema
from kalshi_nb._redaction import shown
from kalshi_nb._rows.channels import QUOTES
from kalshi_nb._streams.graph import refuse_awaitables
from kalshi_nb._streams.source import Care, delivery_above
from kalshi_nb.errors import ConfigurationError, PipelineError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["JoinAsofNode", "LatestByNode"]

_QUOTE: Final = ("bid", "bid_size", "ask", "ask_size", "mid", "spread")
"""What is taken from a quote under its own name."""

_NONE: Final = pl.DataFrame(schema=schema(QUOTES))
"""What is known before the first batch of a stream whose columns are to be taken from that."""

_ORDER: Final = "\0order"
"""A column that nobody else has."""


class LatestByNode(Stream):  # type: ignore[misc]  # streamz ships no types
    """``stream.latest_by(column)``: passes on the last row of each value of a column, all of them every time.

    ``feed.stream("ticker").latest_by("market_ticker").sink(show)`` gives `show` the present state of all markets
    that have had a row since the node was made, with each batch. Rows that are null in the column are left out.
    100,000 values are kept; past that those go whose last row came longest ago, counted in ``dropped_keys``.

    Parameters
    ----------
    upstream : streamz.Stream
        A stream of polars DataFrames, all with the same columns.
    column : str
        Such as ``"market_ticker"``.

    Attributes
    ----------
    dropped_keys : int
        How many values went because there were too many.

    Raises
    ------
    ConfigurationError
        When `column` is no name.
    """

    _ipython_display_ = None
    _most = DEFAULT_KEYS

    def __init__(self, upstream: Stream, column: str) -> None:
        if not isinstance(column, str) or not column:
            raise ConfigurationError(f"latest_by({shown(column)}): name a column, such as 'market_ticker'.")
        self.column = column
        self.dropped_keys = 0
        self._last: pl.DataFrame | None = None
        self._columns: Columns | None = None
        Stream.__init__(self, upstream)
        delivery = delivery_above(upstream)
        if delivery is not None:
            delivery.watch(self)

    def update(self, x: Any, who: Any = None, metadata: Any = None) -> Any:  # noqa: ARG002  # streamz's signature
        """Take the last rows of an element, and pass on those of all."""
        df = self._fitting(x).filter(pl.col(self.column).is_not_null())
        known = df if self._last is None else pl.concat([self._last, self._newer(df, self._last)])
        last = known.unique(self.column, keep="last", maintain_order=True)
        excess = max(0, last.height - self._most)
        self.dropped_keys += excess
        self._last = last.slice(excess).rechunk()
        # A node below may change its frame in place.
        return self._emit(self._last.clone(), metadata=metadata)

    def _newer(self, df: pl.DataFrame, last: pl.DataFrame) -> pl.DataFrame:
        """Return the rows that may take the place of the last ones: of those that were fetched, none that is older."""
        if not is_backfilled(df) or "ts" not in df.columns:
            return df
        known = last.select(self.column, pl.col("ts").alias(_ORDER))
        found = df.join(known, on=self.column, how="left", maintain_order="left")
        return found.filter(pl.col(_ORDER).is_null() | (pl.col("ts") > pl.col(_ORDER))).drop(_ORDER)

    def _fitting(self, x: Any) -> pl.DataFrame:
        if not isinstance(x, pl.DataFrame):
            raise PipelineError(f"latest_by() takes polars DataFrames, and got {type(x).__name__}.")
        if self.column not in x.columns:
            raise PipelineError(
                f"latest_by({self.column!r}): there is no such column among {', '.join(x.columns)}. Keep it in the "
                "node before."
            )
        if self._columns is None:
            self._columns = Columns(x.schema)
        elif not self._columns.fit(x):
            if dict(x.schema) != dict(self._columns.schema):
                raise PipelineError(self._columns.difference(x.schema))
            return x.select(self._columns.schema.names())
        return x

    def news(self) -> pl.DataFrame | None:
        """Return nothing: what is last changes by elements alone."""
        return None

    def pass_on(self, news: pl.DataFrame) -> None:
        """Do nothing."""

    def forget(self) -> None:
        """Begin anew: what was before belongs to another time."""
        self._last = None

    def __repr__(self) -> str:
        return f"<latest_by: {self.column}>"

    __str__ = __repr__


class JoinAsofNode(Stream):  # type: ignore[misc]  # streamz ships no types
    """``trades.join_asof(quotes)``: each trade with the quote of its market that stood just before it.

    ``feed.stream("trade").join_asof(feed.quotes("KXHIGHNY-26NOV22-B52.5"))``. "Just before" goes by ``ts``, the
    exchange's times of both: the quote is the last whose ``ts`` is less than the trade's. One of the same time is left
    out, since a trade changes the book it meets: what has its time is what it left. Where two quotes have one time
    the one received later stands. Only quotes that were received when the trade passes are known; trades are sent
    on once and not corrected.

    What passes on are the trades, all of them and in their order, with ``bid, bid_size, ask, ask_size, mid, spread``
    of the quote, ``quote_ts`` and ``quote_status``. They are null before the market's first quote; where the quote
    that stood has left the window of `quotes` and a newer one of its market has come; and, but for the last two, where
    the book was not ``"live"``.

    Parameters
    ----------
    upstream : streamz.Stream
        A stream of trades, polars DataFrames with ``ts`` and ``market_ticker``.
    quotes : Frame, rolling_frame node or streamz.Stream
        ``feed.quotes(…)``; or ``feed.stream("quotes", …)`` with any nodes that keep ``ts`` and ``market_ticker``, of
        which 100,000 rows are kept. With a stream trades wait for the end of the feed's turn, so that quotes that came
        with them are known.

    Raises
    ------
    ConfigurationError
        When `quotes` is neither, or has other columns than quotes have.
    """

    _ipython_display_ = None

    def __init__(self, upstream: Stream, quotes: FrameReading | Stream) -> None:
        if not isinstance(quotes, (FrameReading, Stream)):
            raise ConfigurationError(
                f"join_asof() takes quotes, as feed.quotes(…) or feed.stream('quotes', …) gives them, and not "
                f"{type(quotes).__name__}."
            )
        # Frames of the feed have all of a turn before users have any of it; what users build has it in some order.
        self._waits = isinstance(quotes, Stream)
        self._quotes: FrameReading = quotes if isinstance(quotes, FrameReading) else quotes.rolling_frame()
        given = store_of(self._quotes).schema
        if given is not None and (amiss := _amiss(list(given))):
            raise ConfigurationError(amiss)
        delivery = delivery_above(upstream)
        self._schedule = None if delivery is None else delivery.schedule
        self._care = Care(self)
        self._held: list[tuple[pl.DataFrame, Any]] = []
        Stream.__init__(self, upstream)

    def update(self, x: Any, who: Any = None, metadata: Any = None) -> Any:  # noqa: ARG002  # streamz's signature
        """Put the quotes to some trades, and pass them on; or hold them until the end of the turn."""
        if not isinstance(x, pl.DataFrame) or not {"ts", MARKET} <= set(x.columns):
            what = f"columns {', '.join(x.columns)}" if isinstance(x, pl.DataFrame) else type(x).__name__
            raise PipelineError(f"join_asof() takes polars DataFrames with ts and {MARKET}, and got {what}.")
        if not self._waits or self._schedule is None:
            return self._emit(self._joined(x), metadata=metadata)
        if not self._held:
            self._schedule.call_at(self._schedule.now(), self._care, self._deliver_held)
        self._held.append((x, metadata))
        return []

    @property
    def held(self) -> Any:
        """The trades that wait for the end of the turn; None where there are none."""
        return pl.concat([each for each, _ in self._held]) if self._held else None

    def _deliver_held(self) -> None:
        held, self._held = self._held, []
        for x, metadata in held:
            refuse_awaitables(self._emit(self._joined(x), metadata=metadata))

    def _joined(self, trades: pl.DataFrame) -> pl.DataFrame:
        quotes = self._known(trades)
        taken = [each for each in quotes.columns if each not in ("ts", MARKET)]
        asked = trades.with_row_index(_ORDER).select(_ORDER, "ts", MARKET).sort("ts", maintain_order=True)
        # Both sides are in order of ts within each market, which polars cannot see for itself.
        found = asked.join_asof(
            quotes, on="ts", by=MARKET, strategy="backward", allow_exact_matches=False, check_sortedness=False
        )
        return trades.hstack(found.sort(_ORDER).select(taken))

    def _known(self, trades: pl.DataFrame) -> pl.DataFrame:
        """Return the quotes of the markets of some trades, in the order of ts."""
        store, time = store_of(self._quotes), trades.schema["ts"]
        # A market's last quote stands, although its row has left the window.
        known = _NONE if store.schema is None else pl.concat([store.latest(), store.df])
        if amiss := _amiss(known.columns):
            raise PipelineError(amiss)
        quote_ts = pl.col("ts").cast(time)
        return (
            known.filter(pl.col(MARKET).is_in(trades[MARKET].unique().implode()))
            .select(
                quote_ts,
                MARKET,
                *[each for each in _QUOTE if each in known.columns],
                quote_ts.alias("quote_ts"),
                *[pl.col("status").alias("quote_status") for _ in range("status" in known.columns)],
            )
            .sort("ts", maintain_order=True)
        )

    def __repr__(self) -> str:
        return "<join_asof>"

    __str__ = __repr__


def _amiss(columns: Sequence[str]) -> str:
    """Say why columns are none of quotes; nothing where they are."""
    if not {"ts", MARKET} <= set(columns):
        return f"join_asof() goes by ts and {MARKET}, and its quotes have the columns {', '.join(columns)}."
    if not {*_QUOTE, "status"} & set(columns):
        return (
            "join_asof() takes quotes, as feed.quotes(…) or feed.stream('quotes', …) gives them, and what stands for "
            f"them has none of {', '.join(_QUOTE)}, but {', '.join(columns)}. Where they are called otherwise, rename "
            "them in a node before."
        )
    return ""
