"""The public handle on a rolling frame: read it, wait for it, save it, look at it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import polars as pl

from kalshi_nb._durations import duration_us, written
from kalshi_nb._foreign_names import corrected_methods
from kalshi_nb._frames.files import require
from kalshi_nb._frames.growing import Growing
from kalshi_nb._frames.polars_threads import refuse_without_polars
from kalshi_nb._frames.resampling import Asked, resampled, widened
from kalshi_nb._frames.schema import RECEIVED
from kalshi_nb._threads import FEED_ROLES, refuse_on
from kalshi_nb._usage import Blocking, whole
from kalshi_nb._waiting import Deadline
from kalshi_nb.errors import (
    ConfigurationError,
    PipelineError,
    WaitTimeoutError,
)

if TYPE_CHECKING:
    import datetime as dt
    from typing import Self

    import altair as alt

    from kalshi_nb._frames.rolling import RollingFrame
    from kalshi_nb._rows.gaps import Gap
    from kalshi_nb._waiting import Standing
    from kalshi_nb.errors import KalshiError

__all__ = ["FrameReading", "store_of"]

_LOOK: Final = 0.25  # seconds between two looks whether rows can still come
_TO_CHECK: Final = (
    "Check that the market trades now, that the feed's health() shows it connected, and that no node in front lets "
    "all rows fall; or wait with a longer timeout."
)


class _Goal(NamedTuple):
    """What is waited for: so many rows beyond those that there were."""

    before: int
    wanted: int
    word: str

    @property
    def total(self) -> int:
        """How many that is in all."""
        return self.before + self.wanted

    def reached(self, total: int) -> str:
        """Say how many of them came."""
        return f"{total - self.before:,} of {self.wanted:,} {self.word} came"


@corrected_methods
class FrameReading(Growing, Blocking):
    """What can be done with a rolling frame, whoever fills it."""

    name: str | None
    _store: RollingFrame
    _kind = "Frame"

    @property
    def df(self) -> pl.DataFrame:
        """The rows of the window as they are now: a polars DataFrame of your own, from any thread.

        Prices are dollars, counts are contracts, times are UTC. What comes later does not change it. Before the first
        row it is empty, with all columns: ``wait(rows=1).df`` has one.
        """
        return self._store.df

    @property
    def schema(self) -> pl.Schema | None:
        """Names and dtypes of the columns; None while they are to be taken from the first batch."""
        schema = self._store.schema
        return None if schema is None else schema.copy()  # whoever has it may change it

    @property
    def total(self) -> int:
        """How many rows ever came, those counted that have left the window."""
        return self._store.total

    @property
    def dropped_keys(self) -> int:
        """How many last rows :meth:`latest` had to let go beside the window; 0 as long as it knows of all."""
        return self._store.dropped_keys

    def __len__(self) -> int:
        return self._store.height

    def __bool__(self) -> bool:
        # A handle is there even while no row is; streamz, for one, asks a node whether it is true.
        return True

    def latest(self) -> pl.DataFrame:
        """Return the last row of each market, also of those whose rows have left the window.

        Beside the window 100,000 are kept, unless the frame was asked for with another `latest_keys`. Past that
        orders and requests that have ended go first, then whatever changed longest ago; see :attr:`dropped_keys`.

        On orders it is the last row of each order; on positions of each market and subaccount; on requests
        for quotes of each request; on order groups of each group; on reference feeds of each index or
        underlying. Rows about none of these are left out.

        Returns
        -------
        polars.DataFrame
            One row a market, the most recently changed last.

        Raises
        ------
        PipelineError
            When there is no column ``market_ticker``, or whichever takes its place.
        """
        refuse_without_polars("latest()")
        return self._store.latest()

    def since(self, span: str | dt.timedelta | float) -> pl.DataFrame:
        """Return the rows received in the last hour, or whatever `span` is, of the feed's clock.

        ``trades.since("1h")``. The age of a row is by ``received_at``, or by ``ts`` where it was fetched later. What
        was before the frame was asked for is not in it, and a gap is not seen here: ask :meth:`complete`.

        Parameters
        ----------
        span : str, timedelta or number
            ``"90s"``, ``"5m"``, ``"1h"``, ``"1d"``, a timedelta, or seconds.

        Returns
        -------
        polars.DataFrame
            In the order of their arrival; of your own, as `df`.

        Raises
        ------
        ConfigurationError
            When `span` is no length of time; when rows have left the window that may be so young: it says how far the
            window reaches back, and how many rows it would take.
        PipelineError
            When the frame has no column ``received_at``.
        """
        span_us = duration_us("since", span)
        schema = self._store.schema
        if schema is None:
            return self._store.df
        if not isinstance(schema.get(RECEIVED), pl.Datetime):
            raise PipelineError(f"since() goes by the column {RECEIVED}, and {self._title()} has {', '.join(schema)}.")
        refuse_without_polars("since()")
        df, reaches = self._store.since(span_us)
        if reaches is not None:
            raise ConfigurationError(self._too_short(span_us, reaches))
        return df

    def _too_short(self, span_us: int, reaches: int) -> str:
        begin = f"since({written(span_us)!r}): the window of {self._title()} reaches back {reaches / 1e6:,.3f} s only"
        seconds = f"seconds={-(-span_us // 1_000_000)}"
        rows = self._store.window.rows
        if rows is None:
            return f"{begin}. Ask for the frame with {seconds}."
        needed = -(-rows * span_us // max(reaches, 1))
        return (
            f"{begin}, for it {self._store.window}. At the rate of these it takes about {needed:,} rows: ask for the "
            f"frame with rows={needed}, or with {seconds} alone."
        )

    def wide(self, value: str, *, every: str | dt.timedelta | float) -> pl.DataFrame:
        """Return one column of values a market, at even steps of time: ``quotes.wide("mid", every="1s")``.

        At each step stands what the last row said whose ``ts`` is at or before it, so no value is known too soon.
        Steps are whole multiples of `every` since 1970 (UTC), from the time of the window's first row to that of its
        newest, whichever markets these are about. Where that last row says null, such as the mid of a book with one
        side or one that was not to be trusted, so does the step. Across a gap the last value before it is carried on:
        where :meth:`complete` is False, that may not be what stood then.

        Parameters
        ----------
        value : str
            The column.
        every : str, timedelta or number
            The step: ``"1s"``, ``"5m"``, a timedelta, or seconds.

        Returns
        -------
        polars.DataFrame
            ``ts``, and a column for each market, by name; null before the market's first row in the window.

        Raises
        ------
        ConfigurationError
            When there is no such column, `every` is no length of time, or the steps are more than 10,000,000 values.
        PipelineError
            When the frame has no ``ts`` or no ``market_ticker``.
        """
        asked = self._asked(every, f"wide({value!r}, every=)" if isinstance(value, str) else "wide()")
        refuse_without_polars("wide()")
        return widened(self._store.df, value, asked)

    def resample(self, every: str | dt.timedelta | float) -> pl.DataFrame:
        """Return one row a market and step of time: its last row at or before that moment.

        :meth:`wide` in the long form, with all columns: steps, nulls and gaps as there, and no row for a market before
        its first one. ``ts`` is the step's; ``received_at`` tells how old the row is that stands there.

        Parameters
        ----------
        every : str, timedelta or number
            The step: ``"1s"``, ``"5m"``, a timedelta, or seconds.

        Returns
        -------
        polars.DataFrame
            The frame's columns, by ``ts`` and market.

        Raises
        ------
        ConfigurationError, PipelineError
            As :meth:`wide`.
        """
        refuse_without_polars("resample()")
        return resampled(self._store.df, self._asked(every, "resample()"))

    def _asked(self, every: object, call: str) -> Asked:
        return Asked(duration_us("every", every), self._store.subject, self._title(), call)

    def plot_price(
        self, market_ticker: str | None = None, *, bars: str | dt.timedelta | float | None = None
    ) -> alt.LayerChart | alt.Chart | alt.VConcatChart:
        """Return a still picture of prices over time, an Altair chart: ``trades.plot_price(bars="1m")``.

        Of trades a stepped line, or candles with their volume below (up hollow, down filled, paler where not
        complete); of quotes and tickers best bid (blue), ask (orange, dashed) and mid; of ``bars()`` candles. Cents
        over UTC. Where a gap is known that may have taken rows, a band is shaded and lines are broken.

        Parameters
        ----------
        market_ticker : str, optional
            One of its markets; all of them, one below the other, where it is left out.
        bars : str, timedelta or number, optional
            Of trades: candles of this interval, ``"1m"`` or seconds.

        Returns
        -------
        altair.LayerChart or altair.VConcatChart
            Holds its data, and making it asks no network for anything; how it is shown is altair's affair. Of more
            than 3,600 rows of a market the lowest, highest and last of each of 1,200 spans of time are drawn.

        Raises
        ------
        MissingPackageError
            When altair is not installed; it gives the command that installs it.
        ConfigurationError
            When the frame has no prices; `bars` is no length of time, or not of trades; or the frame has more than 12
            markets and none is named.
        """
        refuse_without_polars("plot_price()")
        require("altair", doing="plot_price()")
        from kalshi_nb._frames.price_plot import PriceRequest, price_plot  # noqa: PLC0415  # altair may not be there

        every = None if bars is None else duration_us("bars", bars)
        spans = [(each.market_ticker, each.opened_at, each.closed_at) for each in self._known_gaps()]
        request = PriceRequest(self._title(), market_ticker, every, self._store.now_us(), self._whole_since(), spans)
        return price_plot(self._store.df, request)

    def _whole_since(self) -> int | None:
        """Return since when all rows, but for those lost in gaps, are in the window; None where nobody knows."""
        return None

    def _known_gaps(self) -> list[Gap]:
        """Return the gaps that may have taken rows of this frame."""
        return []

    def wait(self, rows: int | None = None, timeout: float | None = 10.0, *, new: int | None = None) -> Self:
        """Block until enough rows have come, those counted that have left the window; return the frame.

        Parameters
        ----------
        rows : int, optional
            How many in all, counted from the frame's beginning and not from this call, so that a second
            ``wait(rows=10)`` returns at once; 1 when neither `rows` nor `new` is given.
        timeout : float or None
            Seconds to wait at most; None for as long as it takes.
        new : int, optional
            How many more from now on: ``wait(new=10)`` waits for ten rows that are not there yet.

        Raises
        ------
        WaitTimeoutError
            When they have not; it says how many have, and what is the matter.
        FeedClosedError, HandleClosedError, ForkedError
            At once, when none will come: the feed or the frame is closed, or its threads stayed with the process
            that this one was forked from.
        SubscriptionError
            At once, when the exchange knows none of the markets of a frame that lives by books.
        AuthenticationError
            When the exchange refuses the credentials and no time-out was given.
        WrongThreadError
            On the feed's own threads, which bring the rows.
        ConfigurationError
            When `rows` or `new` is not a whole number, or negative; when both are given; when `timeout` is no time.
        """
        if rows is not None and new is not None:
            raise ConfigurationError("rows counts all rows since the frame began, new those from now on; give one.")
        deadline = Deadline(timeout)
        name, asked = ("new", new) if new is not None else ("rows", 1 if rows is None else rows)
        wanted = whole(name, asked, "give a whole number of rows to wait for", least=0)
        goal = _Goal(0, wanted, "rows") if new is None else _Goal(self.total, wanted, "new rows")
        refuse_on(
            *FEED_ROLES,
            doing=f"wait() of {self._title()}",
            instead="Wait in a cell, or let a node of the pipeline count its rows",
        )
        while self.total < goal.total:
            self._refuse_ended(deadline, goal)
            if deadline.is_over or self._trouble():
                raise WaitTimeoutError(self._waited(deadline, goal))
            self._store.wait(goal.total, deadline.left(_LOOK))
        return self

    def _refuse_ended(self, deadline: Deadline, goal: _Goal) -> None:
        """Raise where no row can come any more, or only after something that who waits may never see."""
        standing = self._standing()
        ended = self._ended()
        if ended is None and standing is not None and deadline.is_endless:
            ended = standing.refused()
        if ended is not None:
            ended.args = (f"{self._title()}: {goal.reached(self.total)}. {ended}", *ended.args[1:])
            raise ended

    def _ended(self) -> KalshiError | None:
        """Return why no more rows can come for good; None while they can."""
        standing = self._standing()
        return None if standing is None else standing.ended()

    def _standing(self) -> Standing | None:
        """Return how the feed stands that fills the frame; None where no feed does."""
        return None

    def _trouble(self) -> str:
        """Say why no more rows can come, in a few words; nothing while they can."""
        return ""

    def _remark(self) -> str:
        """Say what keeps rows from coming just now, in a few words; nothing while all is as it should be."""
        return ""

    def _hint(self) -> str:
        """Say what may be wrong with what was asked for, as long as no row of it has come."""
        return ""

    def _waited(self, deadline: Deadline, goal: _Goal) -> str:
        arrived = f"{self._title()}: {goal.reached(self.total)}"
        trouble = self._trouble()
        if trouble:
            return f"{arrived}, and no more will: {trouble}."
        remark = self._remark()
        if remark:
            return f"{arrived} within {deadline}: {remark}."
        standing = self._standing()
        if standing is not None and (still := standing.stillness()):
            return f"{arrived} within {deadline}. {still}"
        hint = "" if self.total else self._hint()
        matter = (standing.link() if standing is not None else "") or f"{hint} {_TO_CHECK}".lstrip()
        return (
            f"{arrived} within {deadline}. {matter} A simulated exchange with a manual clock moves only by its "
            "advance()."
        )

    def _caption(self, df: pl.DataFrame) -> str:
        parts = [f"{df.height:,} row{'' if df.height == 1 else 's'}", str(self._store.window)]
        if self.dropped_keys:
            parts.append(f"latest() let {self.dropped_keys:,} keys go")
        hint = "" if self.total else self._hint().rstrip(".")
        parts += [each for each in (self._trouble(), self._remark(), hint) if each]
        if RECEIVED in df.columns and isinstance(df.schema[RECEIVED], pl.Datetime) and df.height:
            moment = df[RECEIVED][-1]
            if moment is not None:
                parts.append(f"newest {moment:%Y-%m-%d %H:%M:%S} UTC")
        return ", ".join(parts)


def store_of(reading: FrameReading) -> RollingFrame:
    """Return what a frame reads from, for whoever fills it."""
    return reading._store  # noqa: SLF001  # users have frames in hand, and filling them is not for them
