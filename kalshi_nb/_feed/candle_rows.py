"""The rows of live candles: what REST has said for good, and behind that what was heard.

**Which are complete.** REST shows a trade up to some twenty seconds late. So what it says of an interval that has
been over for 21 s is final, and nothing else is. Every interval is asked for once it is so old, whatever was heard
of it: tickers have no numbers, so no one can prove that none was lost; times of the socket are to the millisecond;
and whatever rule of the exchange's we do not know its own answer follows. It is one question a minute for a hundred
markets. A gap needs no care of its own that way, nor does the interval in which it all began: both are asked for
like all others. An answer may lie in a cache for 15 s; but each question goes up to the present second, so nobody
can have asked the same before.

**What stands until then.** Candles of minutes, put together to the interval: those that REST has said for good since
the interval began, then those that were heard. Of the minutes before there was anything to hear it is what REST said
at first. Hours and days are asked for by minutes as well while they are open, and as a whole when they are over.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

import polars as pl

from kalshi_nb._feed.minutes import MINUTE, Minutes
from kalshi_nb._fixed_point import CONTRACT, DOLLAR
from kalshi_nb._frames.schema import MARKET
from kalshi_nb._rest.candles import CANDLES, SETTLES, filled_up
from kalshi_nb.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from kalshi_nb._rows.rows import Row

    Ask = Callable[[int, int, int], pl.DataFrame]
    """Given the minutes of an interval, asks for those that end after a moment and begin before another."""

__all__ = ["MOST_CANDLES", "SETTLED", "CandleRows", "interval_start"]

SETTLED: Final = SETTLES * 1_000_000
"""So long after its end all trades of an interval can be seen over REST, in microseconds."""

MOST_CANDLES: Final = 200_000
"""So many complete candles are kept; the oldest go."""

_DAY: Final = 1_440
_NEW_YORK: Final = "America/New_York"
_NOTHING: Final = pl.DataFrame(schema=CANDLES)
_ORDER: Final = ("start", MARKET)


class CandleRows:
    """The candles of some markets, which one thread at a time looks for, another hears, and any reads.

    Parameters
    ----------
    market_tickers : iterable of str
        The markets.
    minutes : int
        That a candle lasts.
    since : int
        From when on, in microseconds: all that end later.
    filled : bool
        Also the intervals between them in which nothing moved.

    Attributes
    ----------
    changed : Condition
        Notified when more of them are complete.
    """

    def __init__(self, market_tickers: Iterable[str], minutes: int, since: int, *, filled: bool) -> None:
        self.changed = threading.Condition()
        self._minutes = minutes
        self._filled = filled
        self._heard = Minutes(market_tickers)
        self._heard_since = 0
        self._has_begun = False
        self._closed = self._proven = interval_start(since, minutes)
        self._final = self._base = self._early = _NOTHING
        self._version = 0
        self._read: tuple[int, pl.DataFrame] = (-1, _NOTHING)

    @property
    def complete_until(self) -> int:
        """Until when every candle is complete, in microseconds."""
        return self._closed

    def hear(self, channel: str, rows: Sequence[Row]) -> None:
        """Take up rows of ``trade``, ``quotes`` or ``ticker``."""
        with self.changed:
            if self._heard.hear(channel, rows):
                self._version += 1

    def begin(self, now: int) -> None:
        """Take note that everything is heard from a moment on, in microseconds of the exchange's time."""
        self._heard_since = now

    def is_due(self, now: int) -> bool:
        """Tell whether REST has something to say for good that is not known."""
        return (now - SETTLED) // MINUTE * MINUTE > self._proven

    def look(self, ask: Ask, now: int) -> None:
        """Ask for what is final by now, in microseconds of the exchange's time.

        Raises
        ------
        RestError
            When it does not answer; what is known stays.
        ConfigurationError
            When there are more from the beginning than can be kept.
        """
        settled = now - SETTLED
        closed = max(self._closed, interval_start(settled, self._minutes))
        proven = max(self._proven, closed, settled // MINUTE * MINUTE)
        found = _NOTHING
        if closed > self._closed or self._minutes == 1:
            found = ask(self._minutes, self._closed, now)
        if found.height > MOST_CANDLES and not self._has_begun:
            raise ConfigurationError(
                f"Live candles keep {MOST_CANDLES:,} rows, and there are {found.height:,} since then: pass a shorter "
                "since, a longer interval or fewer markets; candles() gives any number, once."
            )
        minutes = found if self._minutes == 1 else ask(1, max(self._proven, closed), now)
        with self.changed:
            self._take(found, minutes, closed, proven)
            self._version += 1
            self.changed.notify_all()

    def _take(self, found: pl.DataFrame, minutes: pl.DataFrame, closed: int, proven: int) -> None:
        """Take up what REST said of intervals until `closed`, and of minutes until `proven`."""
        final = found.filter(pl.col("end") <= _time(closed)).with_columns(pl.lit(value=True).alias("complete"))
        self._final = pl.concat([self._final, final.sort(*_ORDER)]).tail(MOST_CANDLES)
        self._closed = closed
        if self._minutes > 1:
            said = minutes.filter(pl.col("end") <= _time(proven))
            self._base = pl.concat([self._base, said]).filter(pl.col("start") >= _time(closed))
        # What a later answer has of the minute in which it all began was heard, too, and would count twice.
        early = self._early if self._has_begun else minutes.filter(pl.col("start") < _time(self._heard_since))
        self._early = early.filter(pl.col("start") >= _time(proven))
        self._has_begun = True
        self._proven = proven
        self._heard.forget_before(proven)
        for ticker, interest in _last_interests(found, minutes):
            self._heard.seed(ticker, interest)

    @property
    def df(self) -> pl.DataFrame:
        """The candles as they are now, by start and market."""
        with self.changed:
            version, (read, known) = self._version, self._read
            if read == version:
                return known
            final, closed, heard = self._final, self._closed, self._heard.df()
            parts = [self._base, self._early, heard]
        df = pl.concat([final, _in_intervals(pl.concat(parts), self._minutes)])
        if self._filled:
            df = filled_up(df, self._minutes).sort(*_ORDER)
            df = df.with_columns((pl.col("end") <= _time(closed)).alias("complete"))
        with self.changed:
            if version >= self._read[0]:
                self._read = version, df
        return df


def interval_start(moment: int, minutes: int) -> int:
    """Return when the interval began that a moment is in; days begin at midnight in New York. All in microseconds."""
    if minutes != _DAY:
        step = minutes * MINUTE
        return moment // step * step
    at = pl.select(_interval_start(pl.lit(moment).cast(CANDLES["start"]), minutes).dt.epoch("us")).item()
    return int(at)


def _interval_start(moment: pl.Expr, minutes: int) -> pl.Expr:
    if minutes != _DAY:
        return moment.dt.truncate(f"{minutes}m")
    return moment.dt.convert_time_zone(_NEW_YORK).dt.truncate("1d").dt.convert_time_zone("UTC")


def _interval_end(start: pl.Expr, minutes: int) -> pl.Expr:
    if minutes != _DAY:
        return start.dt.offset_by(f"{minutes}m")
    return start.dt.convert_time_zone(_NEW_YORK).dt.offset_by("1d").dt.convert_time_zone("UTC")


def _in_intervals(candles: pl.DataFrame, minutes: int) -> pl.DataFrame:
    """Return candles of minutes put together to longer ones, not complete, by start and market.

    Of one minute there may be two, what REST said and, behind it, what was heard from then on.
    """
    quotes = [f"{side}_{each}" for side in ("yes_bid", "yes_ask") for each in ("open", "high", "low", "close")]
    ways = {
        "open": pl.Expr.first,
        "high": pl.Expr.max,
        "low": pl.Expr.min,
        "close": pl.Expr.last,
    }
    prices = [ways[name.rpartition("_")[2]](pl.col(name).drop_nulls()).alias(name) for name in (*ways, *quotes)]
    bid, ask = ((pl.col(f"{side}_close") * DOLLAR).round() for side in ("yes_bid", "yes_ask"))
    start = _interval_start(pl.col("start"), minutes)
    made = (
        candles.lazy()
        .sort("start", maintain_order=True)
        .group_by(start.alias("start"), MARKET, maintain_order=True)
        .agg(
            *prices,
            (pl.col("volume") * CONTRACT).round().sum().alias("volume"),
            pl.col("open_interest").drop_nulls().last(),
        )
        .with_columns(
            _interval_end(pl.col("start"), minutes).alias("end"),
            (bid + ask).alias("mid"),
            pl.lit(None, pl.Int64).alias("trades"),
            pl.lit(value=False).alias("complete"),
        )
        .sort(*_ORDER)
        .collect()
    )
    divided = [_divided(made["volume"], CONTRACT), _divided(made["mid"], 2 * DOLLAR)]
    return made.with_columns(divided).select(pl.col(name).cast(dtype) for name, dtype in CANDLES.items())


def _divided(units: pl.Series, parts: int) -> pl.Series:
    # Not by polars, which multiplies by the reciprocal: where values are equal to REST's, the floats are to be, too.
    return pl.Series(units.name, [None if each is None else each / parts for each in units], dtype=pl.Float64())


def _last_interests(*frames: pl.DataFrame) -> list[tuple[str, int]]:
    """Return the last open interest of each market, in hundredths of contracts."""
    last = (
        pl.concat(frames).drop_nulls("open_interest").sort("end").group_by(MARKET).agg(pl.col("open_interest").last())
    )
    return [(ticker, round(held * CONTRACT)) for ticker, held in last.iter_rows()]


def _time(moment: int) -> pl.Expr:
    return pl.lit(moment).cast(CANDLES["start"])
