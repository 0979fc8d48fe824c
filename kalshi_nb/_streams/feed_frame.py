"""The feed's own frames: each is the end of a streamz graph that nobody else builds on."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

import polars as pl
from streamz import Stream

from kalshi_nb._frames.batch import Batch
from kalshi_nb._frames.late import lacking
from kalshi_nb._frames.marks import BACKFILLED
from kalshi_nb._frames.pending import PlainRows
from kalshi_nb._logging import log
from kalshi_nb._rows.channels import traits_of
from kalshi_nb._rows.steering import LateRows
from kalshi_nb._streams.delivery import Delivery
from kalshi_nb._streams.graph import destroy_below
from kalshi_nb._streams.troubles import keys_dropped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kalshi_nb._frames.rolling import RollingFrame
    from kalshi_nb._rows.rows import Row
    from kalshi_nb._rows.steering import SteeringRow
    from kalshi_nb._streams.delivery import Opening

__all__ = ["FeedFrameDelivery"]

_FEW_ROWS: Final = 256
"""Fewer rows than this cost more to be made a frame at once than what sharing that frame spares."""


class FeedFrameDelivery(Delivery):
    """Fills one of the feed's own frames, which never rests: its errors are the kit's.

    Parameters
    ----------
    opening : Opening
        What the pipeline is opened with.
    store : RollingFrame
        Keeps the rows.
    gaps : bool
        Whether the frame says which rows follow a gap.
    late : bool
        Whether it says which rows were fetched.

    Attributes
    ----------
    store : RollingFrame
        The rows.
    """

    kind = "frames"

    def __init__(self, opening: Opening, store: RollingFrame, *, gaps: bool = False, late: bool = False) -> None:
        super().__init__(opening)
        self.store = store
        self.gaps = gaps
        self._late = late
        self._identity = traits_of(opening.label.channel).identity
        self._all_keys = True
        self._source = Stream(stream_name=opening.label.name)
        self._node: _FeedFrameNode | None = _FeedFrameNode(self._source, store)

    def settle(self) -> None:
        """Make columns of what waits in the frame, which shows whether it can be done."""
        self.store.settle()

    def end(self) -> None:
        """Take the graph apart; the rows stay readable."""
        destroy_below(self._source)
        self._node = None

    def _wanted(self, batch: Batch) -> pl.DataFrame | PlainRows | None:
        exact, markets = self.pipeline.exact, self.label.market_tickers
        if len(batch) < _FEW_ROWS and not batch.is_built(exact=exact):
            rows = batch.plain(markets, exact, gaps=self.gaps, since=self._progress.gaps_since)
            return rows if rows is None or not self._late else rows._replace(late=False)
        df = batch.select(markets, exact, gaps=self.gaps, since=self._progress.gaps_since)
        return df if df is None or not self._late else df.with_columns(pl.lit(value=False).alias(BACKFILLED))

    def _hand_over(self, element: pl.DataFrame | PlainRows) -> None:
        self._progress.rows += element.height
        node = self._node
        if node is not None:
            # The only node there is. To ask the source for those below it, and what they return for coroutines, as
            # `send` does, is a third of what it takes to bring a row that comes alone into a frame.
            self._guarded(element, node.update, element)
        if self._all_keys and self.store.dropped_keys:
            self._all_keys = False
            log(logging.WARNING, keys_dropped(self.label.name, self.store.dropped_keys))

    def frames(self) -> list[RollingFrame]:
        """Return the frame."""
        return [self.store]

    def _apply(self, row: SteeringRow) -> None:
        if not isinstance(row, LateRows):
            super()._apply(row)
            return
        self.put_in(row.rows)

    def put_in(self, rows: Sequence[Row]) -> int:
        """Put rows of the channel in that were fetched; return how many of them were not there.

        Those of trades from any thread: which are there already is looked at in one step with putting them in.
        """
        channel = self.label.channel
        found = Batch(channel, rows).plain(self.label.market_tickers, self.pipeline.exact)
        news = [] if found is None else lacking(self.store, channel, found.rows)
        if found is None or not news:
            return 0
        # They stand where rows were missing, and are none that follow a gap.
        marks = [False] * len(news) if self.gaps else None
        late = found._replace(rows=news, marks=marks, late=True if self._late else None)
        return self.store.insert(late, unless=self._identity)

    def _failed(self, error: BaseException, element: object) -> None:  # noqa: ARG002  # kept for users alone
        failure = self._notices.failure(error, self.pipeline)
        self._progress.last_error = failure
        self._progress.errors += 1
        self._notices.of_kit(failure)


class _FeedFrameNode(Stream):  # type: ignore[misc]  # streamz ships no types
    """Keeps rows that need not be columns yet."""

    _ipython_display_ = None

    def __init__(self, source: Stream, store: RollingFrame) -> None:
        self._store = store
        Stream.__init__(self, source)

    def update(
        self,
        x: pl.DataFrame | PlainRows,
        who: Any = None,  # noqa: ARG002  # streamz's own signature
        metadata: Any = None,  # noqa: ARG002  # streamz's own signature
    ) -> list[Any]:
        """Keep the rows of a batch."""
        if isinstance(x, PlainRows):
            self._store.append_rows(x)
        else:
            self._store.append(x)
        return []
