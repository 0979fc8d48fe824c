"""The live candles of a feed: opened, shared, looked for over REST, closed.

**Threads.** Whoever takes rows from the engine hands them to all that are open, by `hear`. What REST has to say for
good is looked for on the feed's ``kalshi-rest`` (see :mod:`kalshi_nb._feed.backfill`), by a task that is due when an
interval is old enough, by the exchange's clock; the first time on the thread of whoever asks for them.
"""

from __future__ import annotations

import math
import threading
import time
from typing import TYPE_CHECKING, Final, NamedTuple

from kalshi_nb._feed.backfill import Task
from kalshi_nb._feed.handles import Ending, Handles
from kalshi_nb._feed.history import candles_between, named_markets, past_of, since_us
from kalshi_nb._rows.channels import QUOTES
from kalshi_nb._rows.tickers import about
from kalshi_nb._usage import flag
from kalshi_nb.errors import KalshiError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import polars as pl

    from kalshi_nb._engine.port import Engine
    from kalshi_nb._feed.backfill import Backfill
    from kalshi_nb._feed.candle_rows import CandleRows
    from kalshi_nb._feed.candles import Candles
    from kalshi_nb._feed.demand import Demand, MarketTickers
    from kalshi_nb._feed.history import Reach, Since
    from kalshi_nb._feed.standing import FeedStanding
    from kalshi_nb._rest.discovery import Discovery
    from kalshi_nb._rows.rows import Row

__all__ = ["HEARD", "OpenCandles"]

HEARD: Final = ("trade", QUOTES, "ticker")
"""The channels whose rows live candles are made of."""

_SECOND: Final = 1_000_000
_AGAIN: Final = 30.0
"""Seconds until an exchange is asked again that did not answer."""


class _Request(NamedTuple):
    """What candles were asked for; the same request gives the same handle."""

    market_tickers: frozenset[str]
    interval: str
    minutes: int
    since: Reach
    filled: bool


class _Look(Task):
    """Looks for what REST has to say for good of some candles, until they are closed.

    Parameters
    ----------
    request : _Request
        Which candles.
    rows : CandleRows
        Where they are.
    engine : Engine
        Has the time.
    discovery : Discovery
        Has who asks over REST.
    is_own_clock : bool
        Whether the engine's time is the exchange's own.
    """

    def __init__(
        self,
        request: _Request,
        rows: CandleRows,
        engine: Engine,
        discovery: Discovery,
        *,
        is_own_clock: bool,
    ) -> None:
        super().__init__(self._run, ())
        self.trouble = ""
        self._request = request
        self._rows = rows
        self._engine = engine
        self._discovery = discovery
        self._is_own_clock = is_own_clock
        self._not_before = 0.0
        self._is_over = False

    @property
    def due(self) -> float:
        """When there is something to ask for, in seconds of the computer's monotonic clock."""
        if self._is_over:
            return -math.inf
        return self._not_before if self._rows.is_due(self.now()) else math.inf

    @property
    def is_last(self) -> bool:
        """Whether nobody has the candles any more."""
        return self._is_over

    def now(self) -> int:
        """Return the exchange's time, or one that it has passed, in microseconds."""
        skew = 0.0 if self._is_own_clock else self._engine.status().clock_skew or 0.0
        return self._engine.clock.now_us() - max(0, round(skew * _SECOND))

    def close(self) -> None:
        """Look no more."""
        self._is_over = True

    def look(self) -> None:
        """Look now.

        Raises
        ------
        RestError
            When the exchange does not answer.
        """
        self._rows.look(self._ask, self.now())

    def _run(self, _: bool) -> bool:  # of one kind of call
        if not self._is_over:
            try:
                self.look()
                self.trouble = ""
            except KalshiError as refusal:
                self._not_before = time.monotonic() + _AGAIN
                self.trouble = "" if self._is_over else str(refusal)
        return self._is_over

    def _ask(self, minutes: int, since: int, until: int) -> pl.DataFrame:
        return candles_between(self._discovery, self._request.market_tickers, minutes, since, until)


class OpenCandles:
    """Opens live candles, and keeps those that are open.

    Parameters
    ----------
    engine : Engine
        Has the time.
    demand : Demand
        Asks for what they are made of.
    standing : FeedStanding
        Tells how the feed stands.
    discovery : Discovery
        Has who asks over REST; raises where there is nobody.
    backfill : Backfill
        Has the thread on which that is done.
    is_own_clock : bool
        Whether the engine's time is the exchange's own, as that of a simulated exchange in this process is.
    """

    def __init__(
        self,
        engine: Engine,
        demand: Demand,
        standing: FeedStanding,
        discovery: Discovery,
        backfill: Backfill,
        *,
        is_own_clock: bool,
    ) -> None:
        self._engine = engine
        self._demand = demand
        self._standing = standing
        self._discovery = discovery
        self._backfill = backfill
        self._is_own_clock = is_own_clock
        self._handles: Handles[_Request, Candles] = Handles()
        self._lock = threading.RLock()  # a finalizer may run in the middle of it, on the same thread
        self._hearing: tuple[CandleRows, ...] = ()
        self._looks: tuple[_Look, ...] = ()

    def open(self, market_tickers: MarketTickers, interval: str, since: Since, *, filled: bool) -> Candles:
        """Return live candles; see :meth:`kalshi_nb.Feed.live_candles`."""
        from kalshi_nb._rest.candles import interval_of  # noqa: PLC0415  # polars loads when it is needed

        minutes, is_filled = interval_of(interval), flag("filled", filled)
        tickers = named_markets(market_tickers, "live_candles")
        request = _Request(tickers, interval, minutes, past_of(since), is_filled)
        (found,) = self._handles.get([request], lambda _: {request: self._make(request)})
        found.held()
        return found

    def hear(self, channel: str, rows: Sequence[Row]) -> None:
        """Take up rows of one of `HEARD`."""
        for each in self._hearing:
            each.hear(channel, rows)

    def told(self) -> Iterator[str]:
        """Say what somebody should look at, a sentence each."""
        for each in self._looks:
            if each.trouble:
                yield f"Candles could not be fetched, and stay incomplete: {each.trouble}"

    def close(self) -> None:
        """Close all of them."""
        for each in self._handles.shut():
            each.close()

    def loosen(self) -> None:
        """Leave them to those who hold them: the feed is gone, and nobody can ask for any again."""
        self._handles.loosen(lambda candles: candles._on_close)  # noqa: SLF001  # made here

    def _make(self, request: _Request) -> Candles:
        from kalshi_nb._feed.candle_rows import CandleRows  # noqa: PLC0415  # polars loads when it is needed
        from kalshi_nb._feed.candles import Candles  # noqa: PLC0415  # as above

        _ = self._discovery.client  # raises where there is nobody to ask, before anything is asked of the engine
        tickers = request.market_tickers
        since = since_us(request.since, self._engine.clock.now_us())
        rows = CandleRows(tickers, request.minutes, since, filled=request.filled)
        look = _Look(request, rows, self._engine, self._discovery, is_own_clock=self._is_own_clock)
        ending = Ending([lambda: self._handles.discard(request), look.close, lambda: self._let_go(rows, look)])
        try:
            with self._lock:
                self._hearing = (*self._hearing, rows)
            for channel in HEARD:
                # What these keep of books is for them alone.
                ending.add(self._demand.rows(channel, tickers, is_views=channel == QUOTES).release)
            rows.begin(look.now())
            look.look()
            with self._lock:
                self._looks = (*self._looks, look)
            self._backfill.later(look)
            return Candles(
                rows,
                market_tickers=tickers,
                interval=request.interval,
                about=about("trade", tickers),
                standing=self._standing,
                now=look.now,
                on_close=ending,
            )
        except BaseException:
            ending()
            raise

    def _let_go(self, rows: CandleRows, look: _Look) -> None:
        with self._lock:
            self._hearing = tuple(each for each in self._hearing if each is not rows)
            self._looks = tuple(each for each in self._looks if each is not look)
