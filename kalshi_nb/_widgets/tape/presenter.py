"""What the newest trades of a frame look like: its rows as the picture that the view, the text and the HTML show."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from kalshi_nb._fixed_point import DOLLAR
from kalshi_nb._widgets.lists import market_of, named, stale_for, steady_reading
from kalshi_nb._widgets.tape.picture import Hole, TapePicture, Trade

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import polars as pl

    from kalshi_nb._rows.gaps import Gap
    from kalshi_nb._widgets.sources import FrameSource

__all__ = ["TapePresenter"]

_MOST_GAPS: Final = 20
_LOOKED_AT: Final = 1_000
"""So many of the newest trades say what is large."""
_ENOUGH: Final = 100
"""Of fewer trades nobody can say which one in a hundred is large."""
_CENT: Final = 100
_TENTH: Final = 10


class _Reading(NamedTuple):
    """What was read of the frame last, for whoever asks before there is more."""

    total: int
    height: int
    matched: int
    rows: tuple[tuple[Trade, int], ...]
    """Trades, newest first, and when each was received, in microseconds."""
    large: float | None


class _Made(NamedTuple):
    """What was made of a reading and the gaps."""

    lines: tuple[Trade | Hole, ...]
    decimals: dict[str, int]


class TapePresenter:
    """Makes pictures of the newest trades of a frame, for whoever shows them; from any thread.

    Parameters
    ----------
    source : FrameSource
        The frame, of the channel ``trade``.
    rows : int
        How many trades, at most.
    min_size : float
        Contracts; smaller trades are left out.
    large : float or None
        From how many contracts on a trade is large; None for the largest one in a hundred of the newest 1,000.
    """

    def __init__(self, source: FrameSource, *, rows: int, min_size: float, large: float | None) -> None:
        self._source = source
        self._rows = rows
        self._min_size = min_size
        self._large = large
        self._lock = threading.Lock()  # a cell and the display thread may read at once, and each row counts once
        self._last = _Reading(0, -1, 0, (), large)
        self._decimals: dict[str, int] = {}
        self._grids: tuple[int, dict[str, int]] = (-1, {})
        self._made: tuple[Any, _Made] | None = None

    @property
    def title(self) -> str:
        """What it is of: a market's ticker, or words."""
        return self._source.title if self._is_of_one else named(self._source, "Trades")

    @property
    def _is_of_one(self) -> bool:
        tickers = self._source.market_tickers
        return tickers is not None and len(tickers) == 1

    def watch(self, wake: Callable[[], None]) -> None:
        """Have `wake` called once when there may be news."""
        self._source.watch(wake)

    def picture(self) -> TapePicture:
        """Return the trades of now, without waiting for any."""
        source = self._source
        with self._lock:
            # Gaps first: one that is over is followed by a row that shows it, and is open without.
            gaps = source.gaps()[-_MOST_GAPS:]
            reading = self._last = self._read()
            lines, decimals = self._make(reading, gaps)
        now = source.feed.clock.now_us()
        market = market_of(source.feed, source.title) if self._is_of_one else None
        status, note = source.status, source.feed.note
        note = note if status == "stale" else ""
        return TapePicture(
            version=(status, note, market, lines, reading.matched, reading.large, tuple(decimals.items())),
            status=status,
            clock=now / 1e6,
            title=self.title,
            market=market,
            lines=lines,
            changes=reading.matched,
            large=reading.large,
            decimals=decimals,
            age=stale_for(gaps, now) if status == "stale" else 0.0,
            note=note,
        )

    def _make(self, reading: _Reading, gaps: Sequence[Gap]) -> _Made:
        """Return the lines and the decimals of their prices, the same ones while there is nothing new."""
        spans = [(gap.opened_at, gap.closed_at) for gap in gaps]
        seen = (reading.total, reading.height, spans, self._source.feed.facts_version)
        if self._made is None or self._made[0] != seen:
            self._made = seen, _Made(self._with_gaps(reading.rows, gaps), self._decimals_of(reading.rows))
        return self._made[1]

    def _read(self) -> _Reading:
        total, df = steady_reading(self._source)
        last = self._last
        if (total, df.height) == (last.total, last.height):
            return last
        came = df.tail(min(total - last.total, df.height)) if total > last.total else df.clear()
        matched = last.matched + self._matching(came).height if self._min_size else total
        large = _large(df["count"].tail(_LOOKED_AT)) if self._large is None else self._large
        return _Reading(total, df.height, matched, _trades(self._matching(df).tail(self._rows)), large)

    def _matching(self, df: pl.DataFrame) -> pl.DataFrame:
        if not self._min_size:
            return df
        import polars as pl  # noqa: PLC0415  # loads when it is needed

        return df.filter(pl.col("count") >= self._min_size)

    def _with_gaps(self, rows: Sequence[tuple[Trade, int]], gaps: Sequence[Gap]) -> tuple[Trade | Hole, ...]:
        """Put gaps among trades, each before the first trade that was received after it had been seen."""
        oldest = rows[-1][1] if rows else None
        shown = [gap for gap in gaps if gap.closed_at is None or (oldest is not None and gap.opened_at > oldest)]
        if not shown:
            return tuple(trade for trade, _ in rows)
        lines: list[Trade | Hole] = []
        left = sorted(shown, key=lambda gap: gap.opened_at)
        for trade, received in rows:
            while left and received < left[-1].opened_at:
                lines.append(self._hole(left.pop(), rows))
            lines.append(trade)
        lines += [self._hole(gap, rows) for gap in reversed(left)]
        return tuple(lines)

    def _hole(self, gap: Gap, rows: Sequence[tuple[Trade, int]]) -> Hole:
        closed = gap.closed_at
        seen = sum(
            gap.opened_at <= received and (closed is None or received < closed) and not trade.is_backfilled
            for trade, received in rows
        )
        lost = None if gap.seq_from is None or gap.seq_to is None else max(0, gap.seq_to - gap.seq_from + 1)
        return Hole(
            f"gap {gap.opened_at} {gap.connection} {gap.market_ticker or ''}",
            1,
            gap.opened_at / 1e6,
            None if closed is None else closed / 1e6,
            None if self._min_size else seen,
            lost if gap.reason == "sequence" else None,
            gap.reason.replace("_", " "),
        )

    def _decimals_of(self, rows: Sequence[tuple[Trade, int]]) -> dict[str, int]:
        """Return the decimals of each market's prices, never fewer again: columns that come and go would jump."""
        feed = self._source.feed
        version, grids = self._grids
        if version != feed.facts_version:
            version, grids = feed.facts_version, {}
        found: dict[str, int] = {}
        for trade, _ in rows:
            ticker = trade.market_ticker
            if ticker not in grids:
                grids[ticker] = max((_needed(step) for *_, step in feed.facts(ticker).price_ranges or ()), default=0)
            price = _needed(round(trade.price * DOLLAR))
            found[ticker] = max(price, grids[ticker], found.get(ticker, 0), self._decimals.get(ticker, 0))
        self._grids = version, grids
        self._decimals |= {ticker: decimals for ticker, decimals in found.items() if decimals}
        return found


def _needed(price: int) -> int:
    """Return how many decimals of a cent a price in 1/10000 dollar has."""
    return 2 if price % _TENTH else 1 if price % _CENT else 0


def _large(counts: pl.Series) -> float | None:
    """Return the 99th percentile, where there are enough trades, and where it says something."""
    if counts.len() < _ENOUGH:
        return None
    bound, middle = counts.quantile(0.99, "higher"), counts.median()
    if bound is None or middle is None or float(bound) <= float(middle):  # type: ignore[arg-type]  # of numbers it is one
        return None
    return float(bound)


def _trades(df: pl.DataFrame) -> tuple[tuple[Trade, int], ...]:
    """Return the rows of a frame as trades, newest first, with when they were received; the same id once."""
    import polars as pl  # noqa: PLC0415  # loads when it is needed

    late = pl.col("backfilled").fill_null(value=False) if "backfilled" in df.columns else pl.lit(value=False)
    at = pl.col("ts").to_physical()
    rows = df.select(
        pl.coalesce("trade_id", pl.format("{}.{}", pl.col("received_at").to_physical(), "seq")),
        at,
        pl.col("yes_price").cast(pl.Float64),
        pl.col("count").cast(pl.Float64),
        pl.col("taker_outcome_side").cast(pl.String),
        pl.col("is_block_trade").fill_null(value=False).cast(pl.Int8),
        late.cast(pl.Int8).alias("backfilled"),
        pl.col("market_ticker"),
        pl.coalesce(pl.col("received_at").to_physical(), at).alias("received"),
    ).rows()
    found: dict[str, tuple[Trade, int]] = {}
    for key, made, *values, received in reversed(rows):
        found.setdefault(key, (Trade(key, 0, made / 1e6, *values), received))  # by Python, which divides exactly
    return tuple(found.values())
