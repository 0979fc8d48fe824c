"""Live candles: what ``feed.live_candles()`` gives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Self

import polars as pl

from kalshi_nb._feed.candle_rows import SETTLED
from kalshi_nb._feed.holders import Holders, Shared
from kalshi_nb._foreign_names import corrected_methods
from kalshi_nb._frames.files import require
from kalshi_nb._frames.growing import Growing
from kalshi_nb._frames.polars_threads import refuse_without_polars
from kalshi_nb._moments import datetime_of, moment_us
from kalshi_nb._rest.candles import CANDLES
from kalshi_nb._threads import FEED_ROLES, refuse_on
from kalshi_nb._usage import Blocking, Made, setter
from kalshi_nb._waiting import FORKED, Deadline
from kalshi_nb.errors import HandleClosedError, WaitTimeoutError

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable

    import altair as alt

    from kalshi_nb._feed.candle_rows import CandleRows
    from kalshi_nb._feed.standing import FeedStanding
    from kalshi_nb._moments import Moment

__all__ = ["Candles"]

_LOOK: Final = 0.25  # seconds between two looks whether anything can still come


@corrected_methods
class Candles(Made, Shared, Growing, Blocking):
    """Candles of some markets: those that the exchange has made, and those of now, growing while you read.

    At the end of a ``with`` or ``async with`` they are closed; asked for elsewhere, too, they stay open, and a
    :class:`kalshi_nb.errors.HandleWarning` says so.

    Parameters
    ----------
    rows : CandleRows
        Has them.
    market_tickers : frozenset of str
        Their markets.
    interval : str
        What one lasts.
    about : str
        The markets in a few words.
    standing : FeedStanding
        Tells how the feed stands.
    now : callable
        Returns the exchange's time, in microseconds.
    on_close : callable
        Called by `close`, until it has returned once.

    Attributes
    ----------
    market_tickers : frozenset of str
        Their markets.
    interval : str
        ``"1m"``, ``"1h"`` or ``"1d"``.
    """

    __setattr__ = setter(
        "name", "market_tickers", "interval", instead="ask for other candles: feed.live_candles(ticker, '1h')"
    )

    _made_of = ("complete_until", "hear")
    _asked_by = "feed.live_candles('KXHIGHNY-26NOV22-B52.5', '1m')"
    _kind = "Candles"

    def __init__(
        self,
        rows: CandleRows,
        *,
        market_tickers: frozenset[str],
        interval: str,
        about: str,
        standing: FeedStanding,
        now: Callable[[], int],
        on_close: Callable[[], Any],
    ) -> None:
        self.name = f"candles {interval}"
        self.market_tickers = market_tickers
        self.interval = interval
        self._rows = rows
        self._said = about
        self._standing = standing
        self._now = now
        self._on_close: Callable[[], Any] | None = on_close
        self._holders = Holders()
        self._is_closed = False

    @property
    def df(self) -> pl.DataFrame:
        """The candles as they are now: a polars DataFrame of your own, from any thread.

        Columns, units and order are those of :meth:`kalshi_nb.Feed.candles`. ``complete`` is true of what the
        exchange has said for good, some twenty seconds after its end; until then a candle is made of what was heard.
        """
        refuse_without_polars("reading candles")
        return self._rows.df

    @property
    def schema(self) -> pl.Schema:
        """Names and dtypes of the columns."""
        return CANDLES

    @property
    def complete_until(self) -> dt.datetime:
        """Until when every candle is complete, in UTC; one that ends later is not."""
        return datetime_of(self._rows.complete_until)

    def __len__(self) -> int:
        return self.df.height

    def __bool__(self) -> bool:
        return True  # the handle is there even while no candle is

    def wait(self, until: Moment | None = None, timeout: float | None = 120.0) -> Self:
        """Block until more candles are complete; return the handle.

        Parameters
        ----------
        until : datetime, str or float, optional
            Until every candle that ended by this moment is; when None, until those of one more interval are.
        timeout : float or None
            Seconds to wait at most; None for as long as it takes.

        Raises
        ------
        WaitTimeoutError
            When they are not; it says until when they are.
        FeedClosedError, HandleClosedError, ForkedError
            At once, when none will be any more.
        WrongThreadError
            On the feed's own threads.
        ConfigurationError
            When `until` is no moment, or `timeout` no time.
        """
        deadline = Deadline(timeout)
        refuse_on(*FEED_ROLES, doing="wait() of live candles", instead="Wait in a cell")
        rows = self._rows
        wanted = rows.complete_until + 1 if until is None else moment_us("until", until)
        while rows.complete_until < wanted:
            self._standing.refuse_ended()
            if self._is_closed:
                raise HandleClosedError("The candles are closed: ask the feed for them again, with the same call.")
            if deadline.is_over:
                raise WaitTimeoutError(self._waited(deadline))
            with rows.changed:
                if rows.complete_until < wanted:
                    rows.changed.wait(deadline.left(_LOOK))
        return self

    def _waited(self, deadline: Deadline) -> str:
        return (
            f"{self.name}: complete until {self.complete_until:%Y-%m-%d %H:%M:%S} UTC, and no further within "
            f"{deadline}. The exchange is asked for an interval {SETTLED // 1_000_000} s after its end; it is "
            f"{datetime_of(self._now()):%H:%M:%S} there. feed.health() says where it does not answer. A simulated "
            "exchange with a manual clock moves only by its advance()."
        )

    def plot_price(self, market_ticker: str | None = None) -> alt.LayerChart | alt.Chart | alt.VConcatChart:
        """Return a still picture of the candles, an Altair chart; paler where they are not complete.

        Parameters
        ----------
        market_ticker : str, optional
            One of the markets; all of them, one below the other, where it is left out.

        Returns
        -------
        altair.LayerChart or altair.VConcatChart
            Holds its data. Intervals without a trade have no candle.

        Raises
        ------
        MissingPackageError
            When altair is not installed; it gives the command that installs it.
        ConfigurationError
            When there are more than 12 markets and none is named, or there is no such market.
        """
        refuse_without_polars("plot_price()")
        require("altair", doing="plot_price()")
        from kalshi_nb._frames.price_plot import PriceRequest, price_plot  # noqa: PLC0415  # altair may not be there

        request = PriceRequest(self._title(), market_ticker, None, self._now(), None, ())
        return price_plot(self.df.drop_nulls("open"), request)

    def close(self) -> None:
        """Let them grow no more; what is there stays readable. Idempotent."""
        self._is_closed = True
        if self._standing.is_forked:
            return  # nothing fills them here, and whose locks the parent held at that moment nobody knows
        if self._on_close is not None:
            self._on_close()  # broken off by Ctrl-C, it is called again by the next close
            self._on_close = None

    def __repr__(self) -> str:
        if not self._standing.is_forked:
            return super().__repr__()
        return f"<Candles {self._said}: {FORKED}>"  # to count them takes polars, whose threads stayed there, too

    def _called(self) -> str:
        return f"The handle {self._title()}"

    def _about(self) -> str:
        return self._said

    def _caption(self, df: pl.DataFrame) -> str:
        parts = [f"{df.height:,} row{'' if df.height == 1 else 's'}"]
        parts.append(f"complete until {self.complete_until:%Y-%m-%d %H:%M:%S} UTC")
        if self._is_closed:
            parts.append("closed")
        elif self._standing.is_forked:
            parts.append(FORKED)
        elif link := self._standing.link_word():
            parts.append(link)
        return ", ".join(parts)
