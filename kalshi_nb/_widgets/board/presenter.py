"""Which markets a board has, and what is known of each: rows of a frame of tickers as pictures."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final

from kalshi_nb._widgets.board.history import History
from kalshi_nb._widgets.board.picture import NUMBERS, STATES, BoardPicture, Named

if TYPE_CHECKING:
    from collections.abc import Iterable

    import polars as pl

    from kalshi_nb._rows.market_facts import MarketFacts
    from kalshi_nb._widgets.sources import FrameSource

__all__ = ["BoardPresenter", "chance", "chance_of_open", "ranked"]

_FIRST_REST: Final = 0.4
_LONGEST_REST: Final = 30.0
"""Seconds until rows are chosen anew: choosing costs a whole picture, and many markets come when a feed begins."""
_SMALL: Final = 300
"""So many markets cost so little that one more is shown by the next picture, where there is room for all."""

_OVER: Final = frozenset(STATES[3:8])
_DECIDED: Final = (STATES.index("determined"), STATES.index("finalized"))
"""The first and the last of the states in which a result is there."""
_TIGHT: Final = 0.1 + 1e-9
_MINUTE_US: Final = 60_000_000


def chance() -> pl.Expr:
    """Return what YES is held to be worth: the mid of a tight book, else the last trade, unless the book denies it.

    Who offers YES for less than it was dealt at last, or bids more, says that it is not worth that any more.
    """
    import polars as pl  # noqa: PLC0415  # importing the kit stays light

    bid, ask, last = pl.col("bid"), pl.col("ask"), pl.col("last")
    is_denied = ((last > ask) | (last < bid)).fill_null(value=False)
    is_tight = (ask - bid).is_between(0, _TIGHT)
    return pl.when(is_tight).then((bid + ask) / 2).otherwise(pl.when(~is_denied).then(last))


def chance_of_open() -> pl.Expr:
    """Return the same of markets whose result was not told yet: there is no chance of what is known."""
    import polars as pl  # noqa: PLC0415  # as above

    return pl.when(~pl.col("state").is_between(*_DECIDED)).then(chance())


def ranked(rows: pl.DataFrame, sort: str) -> pl.DataFrame:
    """Return rows of a board by a column: what is not known, and what is over, behind all else.

    Parameters
    ----------
    rows : polars.DataFrame
        ``market`` and the columns `NUMBERS`.
    sort : str
        A column of the board, with ``-`` in front the largest first. ``change`` and ``trend`` are not in the rows,
        and stand for ``volume``.
    """
    import polars as pl  # noqa: PLC0415  # as above

    name, is_down = sort.lstrip("-"), sort.startswith("-")
    columns = {
        "prob": chance_of_open(),
        "spread": pl.col("ask") - pl.col("bid"),
        "change": pl.col("volume"),
        "trend": pl.col("volume"),
    }
    over = pl.col("state").is_between(3, 7)
    keys = [over, columns.get(name, pl.col(name)), pl.col("market")]
    return rows.sort(keys, descending=[False, is_down, False], nulls_last=True)


class BoardPresenter:
    """Makes pictures of the present rows of a frame of tickers, for whoever shows them.

    The display thread and cells make pictures, one at a time; `choose` may be called from any thread.

    Parameters
    ----------
    source : FrameSource
        The frame.
    limit : int
        Markets at most.
    sort, words : str
        By which column they are chosen, and which words each of them has; see `choose`.
    series : str
        Only markets of this series; empty for all.
    """

    def __init__(self, source: FrameSource, *, limit: int, sort: str, words: str = "", series: str = "") -> None:
        self.source = source
        self._limit = limit
        self._prefix = f"{series}-" if series else ""
        self._lock = threading.Lock()
        self._asked = (sort, words, False, 0)
        self._chosen: tuple[str, str, bool, int] | None = None
        self._mine: frozenset[str] | None = None
        self._known_markets = -1
        self._rest, self._chosen_at = _FIRST_REST, 0.0
        self._order = 0
        self._rounds = 0
        self._names: tuple[Named, ...] = ()
        self._total = 0
        self._made: tuple[object, BoardPicture] | None = None
        self._facts: tuple[tuple[int, int], list[MarketFacts]] | None = None
        self._before: pl.DataFrame | None = None
        self._has_missed = False  # markets that came before it was time to choose anew
        self._history = History()

    def choose(self, sort: str, words: str, *, mine: bool = False) -> None:
        """Have the markets chosen by another column, or by other words, or by the same anew.

        Parameters
        ----------
        sort : str
            The column, with ``-`` in front the largest first.
        words : str
            Each of them stands in the ticker or the title of a market.
        mine : bool
            Only one's own.
        """
        self._asked = (sort, words, mine, self._asked[3] + 1)

    def come_again(self) -> None:
        """Have the next picture be another, since what changed did not all fit into a message."""
        self._rounds += 1

    def sparks(self, picture: BoardPicture) -> tuple[int, memoryview]:
        """Return the minute that runs, and a price a minute of the last hour of each row; see `History.packed`."""
        with self._lock:
            known = [each.ticker for each in picture.names if each.ticker in self._history]
            if len(known) < len(picture.names):  # a picture that was held while the rows were chosen anew
                return self._history.minute, memoryview(b"\xff" * (120 * len(picture.names)))
            return self._history.minute, self._history.packed(known)

    def picture(self) -> BoardPicture:
        """Return the rows of now, without waiting for any."""
        with self._lock:
            return self._picture()

    def _picture(self) -> BoardPicture:
        source = self.source
        now_us = source.feed.clock.now_us()
        mine = source.feed.own_markets()
        told = (source.total, source.feed.facts_version, source.status, self._asked, self._rounds, mine)
        key = (*told, now_us // _MINUTE_US)
        is_due = time.monotonic() - self._chosen_at >= self._rest
        if self._made is not None and self._made[0] == key and not (is_due and self._has_missed):
            return self._made[1]._replace(clock=now_us / 1e6)
        latest = _present(source.latest(), self._prefix)
        is_another = self._asked != self._chosen or (self._asked[2] and mine != self._mine)
        self._mine = mine
        is_new = latest.height != self._known_markets
        if is_another or (is_new and self._has_room(latest.height)) or (is_due and (self._is_crowded or is_new)):
            self._choose(latest, now_us)
        values = self._values(latest, now_us)
        self._turn(values, now_us // _MINUTE_US)
        sort, words, is_mine, _ = self._chosen or self._asked
        picture = BoardPicture(
            version=(self._order, key),
            status=source.status,
            clock=now_us / 1e6,
            order=self._order,
            names=self._names,
            values=values.select(NUMBERS),
            total=self._total,
            sort=sort,
            filter=words,
            note=source.feed.note,
            changes=source.total,
            mine=mine,
            is_mine=is_mine,
        )
        self._before = values
        self._made = (key, picture)
        return picture

    def _has_room(self, markets: int) -> bool:
        """Whether any market that is new is shown anyway, in a picture that is small enough to be sent at once."""
        return markets <= min(self._limit, _SMALL) and not self._asked[1] and not self._asked[2]

    @property
    def _is_crowded(self) -> bool:
        return self._known_markets > self._limit or bool(self._asked[1])

    # Which markets ------------------------------------------------------------------------------------

    def _choose(self, latest: pl.DataFrame, now_us: int) -> None:
        """Choose the rows: the first of all by the column that was asked for, with the words that were."""
        import polars as pl  # noqa: PLC0415  # as above

        asked = self._asked
        sort, words, is_mine, _ = asked
        is_asked = asked != self._chosen
        wanted = words.lower().split()
        facts = [self.source.feed.facts(each) for each in latest["market"]]
        states = [_state(each, now_us) for each in facts]
        rows = latest.with_columns(
            pl.Series("state", states, pl.Float64()),
            pl.Series("closes", [_seconds(each.close_time) for each in facts], pl.Float64()),
        )
        if wanted:
            fits = [_has(wanted, each) for each in facts]
            rows = rows.filter(pl.Series(fits, dtype=pl.Boolean()))
        if is_mine:
            rows = rows.filter(pl.col("market").is_in(list(self._mine or ())))
        self._total = sum(STATES[int(each)] not in _OVER for each in states)
        tickers = ranked(rows, sort)["market"].head(self._limit).to_list()
        if is_mine:  # also those of which no ticker came yet
            there = set(latest["market"])
            tickers += [
                each for each in sorted(self._mine or ()) if each.startswith(self._prefix) and each not in there
            ]
        held = [each.ticker for each in self._names]
        if set(tickers) != set(held):
            self._begin([each for each in tickers if each not in self._history], now_us)
            self._history.keep(tickers)
            self._names = tuple(map(Named, tickers))
            self._order += 1
        elif is_asked:
            self._order += 1  # whoever asked waits for a whole picture that says so
        self._chosen, self._known_markets = asked, latest.height
        self._chosen_at = time.monotonic()
        self._rest = _FIRST_REST if is_asked else min(2 * self._rest, _LONGEST_REST)

    def _begin(self, tickers: list[str], now_us: int) -> None:
        """Take up what the window knows of the last hour of new markets."""
        import polars as pl  # noqa: PLC0415  # as above

        minute = pl.col("received_at").dt.epoch("us") // _MINUTE_US
        known = (
            _numbers(self.source.df)
            .filter(pl.col("market").is_in(tickers))
            .group_by("market", minute.alias("minute"), maintain_order=True)
            .agg(_parts(chance()).last().alias("price"))
            .filter(pl.col("minute").is_not_null())
            .sort("minute")
        )
        self._history.begin(tickers, now_us // _MINUTE_US, known)

    # What of each -------------------------------------------------------------------------------------

    def _values(self, latest: pl.DataFrame, now_us: int) -> pl.DataFrame:
        """Return a row for each of the markets, in their order; take note of new names."""
        import polars as pl  # noqa: PLC0415  # as above

        version = (self._order, self.source.feed.facts_version)
        if self._facts is None or self._facts[0] != version:
            facts = [self.source.feed.facts(each.ticker) for each in self._names]
            names = tuple(Named(each.market_ticker, each.title or "", each.subtitle or "") for each in facts)
            if names != self._names:
                self._names = names
                self._order += 1
            self._facts = ((self._order, version[1]), facts)
        facts = self._facts[1]
        lost = {gap.market_ticker for gap in self.source.gaps() if gap.closed_at is None} - {None}
        states = [
            float(STATES.index("stale")) if each.market_ticker in lost else _state(each, now_us) for each in facts
        ]
        rows = pl.DataFrame({"market": pl.Series([each.market_ticker for each in facts], dtype=pl.String())})
        self._has_missed = latest.height != self._known_markets
        return rows.join(latest, on="market", how="left", maintain_order="left").with_columns(
            pl.Series("closes", [_seconds(each.close_time) for each in facts], pl.Float64()),
            pl.Series("state", states, pl.Float64()),
        )

    def _turn(self, values: pl.DataFrame, minute: int) -> None:
        """Note the prices of a minute that is over."""
        import polars as pl  # noqa: PLC0415  # as above

        if minute == self._history.minute:
            return
        price = _parts(chance()).alias("price")
        now = values.select("market", price, (pl.col("received_at").dt.epoch("us") // _MINUTE_US).alias("minute"))
        if self._before is None:
            rows = now.select("market", "price", pl.col("price").alias("now"), "minute")
        else:
            before = self._before.select("market", price)
            rows = now.join(before, on="market", how="left", maintain_order="left", suffix="_before")
            rows = rows.select("market", pl.coalesce("price_before", "price"), pl.col("price").alias("now"), "minute")
        self._history.turn(minute, rows.with_columns(pl.col("minute").fill_null(minute)).iter_rows())


def _numbers(rows: pl.DataFrame) -> pl.DataFrame:
    """Return rows of tickers with a board's names and 64-bit floats, whatever the frame has."""
    import polars as pl  # noqa: PLC0415  # as above

    given = {"bid": "yes_bid", "ask": "yes_ask", "last": "price", "volume": "volume", "open_interest": "open_interest"}
    return rows.select(
        pl.col("market_ticker").cast(pl.String()).alias("market"),
        *(pl.col(column).cast(pl.Float64()).alias(name) for name, column in given.items()),
        "received_at",
    )


def _present(latest: pl.DataFrame, prefix: str) -> pl.DataFrame:
    import polars as pl  # noqa: PLC0415  # as above

    rows = _numbers(latest)
    return rows.filter(pl.col("market").str.starts_with(prefix)) if prefix else rows


def _parts(dollars: pl.Expr) -> pl.Expr:
    """Return prices in 1/10000 dollar."""
    import polars as pl  # noqa: PLC0415  # as above

    return (dollars * 10_000).round().cast(pl.UInt16())


def _state(facts: MarketFacts, now_us: int) -> float:
    return float(STATES.index(facts.phase(now_us) or "active"))


def _seconds(micros: int | None) -> float | None:
    return None if micros is None else micros / 1e6


def _has(words: Iterable[str], facts: MarketFacts) -> bool:
    text = f"{facts.market_ticker} {facts.title or ''} {facts.subtitle or ''}".lower()
    return all(each in text for each in words)
