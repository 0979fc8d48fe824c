"""What several markets look like beside each other over time: a line each."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Final

from kalshi_nb._widgets import numbers
from kalshi_nb._widgets.chart.picture import ChartPicture, Line, Point
from kalshi_nb._widgets.chart.points import mids_of, rows_of, timed, trades_of
from kalshi_nb._widgets.chart.presenter import spans_of
from kalshi_nb._widgets.ladder.picture import Market

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kalshi_nb._widgets.sources import FrameSource

__all__ = ["MOST_LINES", "LinesPresenter"]

MOST_LINES: Final = 6
"""More lines nobody can tell apart."""


class LinesPresenter:
    """Makes pictures of the prices of several markets; from any thread.

    A line is what its frame tells: of trades their prices, of quotes the mids of tight books.

    Parameters
    ----------
    sources : mapping of str to FrameSource
        The frame of trades or quotes that each market's rows are taken from, by its ticker; at most `MOST_LINES`.
    seconds : float or None
        How much of the past; None for all that the frames have.
    """

    def __init__(self, sources: Mapping[str, FrameSource], *, seconds: float | None) -> None:
        self._sources = dict(sources)
        self._frames = list(dict.fromkeys(sources.values()))
        self._feed = self._frames[0].feed
        self._seconds = seconds
        self._lock = threading.Lock()  # a cell and the display thread may read at once
        self._read: tuple[Any, tuple[Line, ...]] = ((), ())
        self._decimals = 0

    @property
    def title(self) -> str:
        """What they are in a word: their event, where it is one, else their number."""
        events = {self._feed.facts(each).event_ticker for each in self._sources}
        return (events.pop() if len(events) == 1 else None) or f"{len(self._sources)} markets"

    def watch(self, wake: Callable[[], None]) -> None:
        """Have `wake` called once when there may be news."""
        self._feed.watch(wake)

    def show_last(self, seconds: float | None) -> None:
        """Have so much of the past shown from now on; None for all that the frames have."""
        self._seconds = seconds

    def picture(self) -> ChartPicture:
        """Return the prices of now, without waiting for any."""
        now = self._feed.clock.now_us()
        begins = None if self._seconds is None else now - round(self._seconds * 1e6)
        spans = tuple(sorted({span for each in self._frames for span in spans_of(each, begins)}))
        totals = [each.total for each in self._frames]
        with self._lock:
            seen = (*totals, self._feed.facts_version, self._seconds)
            if seen != self._read[0]:
                self._read = seen, tuple(self._line(*each, begins) for each in self._sources.items())
            lines = self._read[1]
            shown = [each.points[-1].price for each in lines if each.points]
            self._decimals = max(self._decimals, *(numbers.needed(each) for each in shown if each is not None), 0)
            decimals = self._decimals
        status = self._status
        note = self._feed.note if status == "stale" else ""
        return ChartPicture(
            version=(seen, status, note, spans),
            status=status,
            clock=now / 1e6,
            market=Market(self.title),
            seconds=self._seconds,
            every=1.0,
            trades=(),
            candles=(),
            quotes=(),
            gaps=spans,
            traded=0.0,
            changes=sum(totals),
            decimals=decimals,
            note=note,
            lines=lines,
        )

    @property
    def _status(self) -> str:
        """How the frames are: as the first of those is that go on."""
        return next((each.status for each in self._frames if each.status != "closed"), "closed")

    def _line(self, market_ticker: str, source: FrameSource, begins: int | None) -> Line:
        rows = timed(rows_of(source, market_ticker)[1])
        is_mid = source.channel == "quotes"
        if is_mid or rows is None:
            points = mids_of(rows, begins)
        else:
            points = tuple(Point(each.at, each.price) for each in trades_of(rows, begins))
        return Line(market_ticker, self._feed.facts(market_ticker).subtitle or market_ticker, is_mid, points)
