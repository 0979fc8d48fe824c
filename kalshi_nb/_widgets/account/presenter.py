"""What an account looks like: rows of a feed's frames of positions, orders and fills as the picture that is shown."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from kalshi_nb._rows.channels import traits_of
from kalshi_nb._widgets.account.picture import (
    CHANNELS,
    AccountPicture,
    Deal,
    Holding,
    Name,
    Section,
    Total,
    Working,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl

    from kalshi_nb._widgets.sources import FeedSource, FrameSource

__all__ = ["AccountPresenter"]

_ENDED_SECONDS: Final = 10.0
"""An order that rests no more is shown for so long."""
_MOST_READ: Final = 2_000
"""Rows of a frame that are looked at: more are no sight for anybody, and this is done twice a second."""

_POSITION: Final = ("market_ticker", "position", "position_cost", "realized_pnl", "fees_paid")
_ORDER: Final = (
    "market_ticker",
    "outcome_side",
    "book_side",
    "yes_price",
    "remaining_count",
    "initial_count",
    "fill_count",
    "status",
    "created_ts",
    "ts",
    "received_at",
)
_FILL: Final = ("market_ticker", "outcome_side", "yes_price", "count", "is_taker", "fee_cost", "ts")
_BOUGHT: Final = {"bid": "yes", "ask": "no"}
"""What an order on a side buys: to sell YES is to buy NO."""


class AccountPresenter:
    """Makes pictures of an account from a frame that is shown and the others that somebody has open on its feed.

    Pictures are made by two threads, the display thread and that of a cell; what is remembered is only ever set.

    Parameters
    ----------
    source : FrameSource
        A frame of positions, orders or fills. Where it is of some markets, so is all that is shown.
    """

    def __init__(self, source: FrameSource) -> None:
        self.title = source.title
        self._source = source
        self._feed: FeedSource = source.feed
        self._status = ("", 0.0, 0.0)
        self._read: dict[tuple[str, int, int], tuple[Any, ...]] = {}

    def watch(self, wake: Callable[[], None]) -> None:
        """Have `wake` called, from any thread, when there may be news."""
        self._feed.watch(wake)

    def picture(self, rows: int) -> AccountPicture:
        """Return how the account is now, with so many rows of each section; from any thread, without waiting."""
        now = self._feed.clock.now_us() / 1e6
        status = self._source.status
        if self._status[0] != status:
            self._status = (status, time.time(), now)
        sources = self._sources()
        read = {}
        for name, source in sources.items():
            # Read once for each row that came: all else that moves is looked up below.
            key = (name, id(source), source.total)
            read[key] = self._read.get(key) or (self._rows(name, source),)
        self._read = read
        found: dict[str, tuple[Any, ...]] = {key[0]: rows for key, (rows,) in read.items()}
        sections: dict[str, Section] = {}
        total = None
        for name, each in found.items():
            if name == "positions":
                holdings = [self._holding(*row) for row in each]
                total = _total(holdings)
                sections[name] = _cut(holdings, rows)
            elif name == "orders":
                sections[name] = _cut(self._working(sources[name], each, now), rows)
            else:
                sections[name] = _cut([self._deal(*row) for row in each], rows)
        changes = sum(source.total for source in sources.values())
        note = self._feed.note if status == "stale" else ""
        return AccountPicture(
            version=(status, note, *sections.items(), total),
            status=status,
            status_since=self._status[1],
            clock=now,
            title=self.title,
            note=note,
            sections=sections,
            total=total,
            changes=changes,
            told_since=self._status[2],
        )

    def _sources(self) -> dict[str, FrameSource]:
        """Return the frames that there are, by the section that each fills.

        Beside the one that is shown it is of each other channel the one with the most markets that somebody has open.
        """
        found = {}
        for name, channel in CHANNELS.items():
            others = [] if channel == self._source.channel else self._feed.frames_of(channel)
            for source in [self._source] if channel == self._source.channel else others[:1]:
                found[name] = source
        return found

    def _rows(self, name: str, source: FrameSource) -> tuple[Any, ...]:
        """Return what of a frame is shown, as plain values."""
        import polars as pl  # noqa: PLC0415  # importing a view does not need it yet

        df = source.df.tail(_MOST_READ).reverse() if name == "fills" else source.latest()
        tickers = self._source.market_tickers
        if tickers is not None:
            df = df.filter(pl.col("market_ticker").is_in(sorted(tickers)))
        if name == "positions":
            return _plain(df.sort("market_ticker"), _POSITION)
        if name == "fills":
            return _plain(df, _FILL)
        return _plain(_that_may_rest(df).sort("market_ticker", "yes_price", descending=[False, True]), _ORDER)

    def _name(self, ticker: str) -> Name:
        facts = self._feed.facts(ticker)
        return Name(ticker, facts.title, facts.subtitle)

    def _holding(
        self, ticker: str, count: float | None, cost: float | None, realized: float | None, fees: float | None
    ) -> Holding:
        name, count = self._name(ticker), count or 0.0
        if not count or cost is None:
            side = "flat" if not count else "yes" if count > 0 else "no"
            return Holding(name, count, None, None, "", None, realized, fees, side)
        side, size = ("yes", count) if count > 0 else ("no", -count)
        mark, by = self._mark(ticker, side)
        worth = None if mark is None else round(mark * size - abs(cost), 6)
        return Holding(name, count, abs(cost) / size, mark, by, worth, realized, fees, side)

    def _mark(self, ticker: str, side: str) -> tuple[float | None, str]:
        """Return what one contract of a side would bring, and by what that goes.

        That is the best bid for it, or where no live book is kept the newest trade. Where such a book has no bid
        nobody knows: somebody may come, but nobody is there.
        """
        bids = self._feed.bids(ticker)
        if bids is not None:
            bid = bids[0 if side == "yes" else 1]
            return bid, "" if bid is None else "bid"
        last = self._feed.last(ticker)
        if last is None:
            return None, ""
        return last.price if side == "yes" else round(1 - last.price, 4), "last"

    def _working(self, source: FrameSource, rows: tuple[Any, ...], now: float) -> list[Working]:
        # Its end may have been told in a gap that opened after it was heard of last.
        missed: dict[str | None, float] = {}
        for gap in source.gaps():
            if gap.repaired_by == "rest":
                continue  # what it hid was fetched
            missed[gap.market_ticker] = max(missed.get(gap.market_ticker, 0.0), gap.opened_at / 1e6)
        every = missed.get(None, 0.0)
        found = []
        for ticker, outcome, book, yes_price, left, initial, filled, status, created, at, received in rows:
            side = _BOUGHT.get(book, outcome)
            # What was fetched was so when the frame began, or later; and it may have been so for days.
            heard = max(at, source.began_us / 1e6) if received is None else received
            is_over = status != "resting" or not left
            if is_over and now - heard > _ENDED_SECONDS:
                continue
            is_doubtful = not is_over and heard <= max(every, missed.get(ticker, 0.0))
            whole = initial if initial is not None else (left or 0.0) + (filled or 0.0)
            price, began = _of_side(yes_price, side), created if created is not None else at
            found.append(
                Working(self._name(ticker), side, price, left, whole, status or "", began, is_over, is_doubtful)
            )
        # What rests stands first: where there is no room for all, it is what ended that is left out.
        return sorted(found, key=lambda each: each.is_over)

    def _deal(self, ticker: str, side: str | None, yes_price: float | None, *more: Any) -> Deal:
        return Deal(self._name(ticker), side, _of_side(yes_price, side), *more)


def _plain(df: pl.DataFrame, columns: tuple[str, ...]) -> tuple[Any, ...]:
    """Return some columns as rows of floats, words and epoch seconds."""
    import polars as pl  # noqa: PLC0415  # as above

    casts = [
        pl.col(name).dt.epoch("us").truediv(1e6)
        if isinstance(dtype, pl.Datetime)
        else pl.col(name).cast(pl.Float64)
        if dtype.is_numeric()
        else pl.col(name).cast(pl.String)
        if isinstance(dtype, (pl.Enum, pl.Categorical))
        else pl.col(name)
        for name, dtype in df.schema.items()
        if name in columns
    ]
    return tuple(df.select(casts).select(columns).rows())


def _that_may_rest(df: pl.DataFrame) -> pl.DataFrame:
    """Return the orders that rest, and of those that do not the newest: which of these to show goes by the clock."""
    import polars as pl  # noqa: PLC0415  # as above

    column, words = traits_of(CHANNELS["orders"]).ended or ("status", frozenset())
    is_over = pl.col(column).is_in(sorted(words))
    resting = df.filter(~is_over | is_over.is_null()).tail(_MOST_READ)
    return pl.concat([resting, df.filter(is_over).tail(50)])


def _of_side(yes_price: float | None, side: str | None) -> float | None:
    return yes_price if yes_price is None or side != "no" else round(1 - yes_price, 4)


def _cut(rows: list[Any], most: int) -> Section:
    return Section(tuple(rows[:most]), max(0, len(rows) - most))


def _total(holdings: list[Holding]) -> Total | None:
    if not holdings:
        return None
    held = [each for each in holdings if each.side != "flat"]
    marks = [each.unrealized for each in held if each.unrealized is not None]
    realized, fees = (
        round(sum(value for each in holdings if (value := getattr(each, name)) is not None), 6)
        for name in ("realized", "fees")
    )
    return Total(round(sum(marks), 6) if marks or not held else None, realized, fees, len(marks), len(held))
