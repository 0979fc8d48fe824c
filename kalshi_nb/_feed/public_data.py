"""What Kalshi tells everybody: markets without a key, and without a feed."""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from kalshi_nb._clock import WallClock
from kalshi_nb._environments import rest_of
from kalshi_nb._feed.asked import whereabouts
from kalshi_nb._feed.cells import frames_inside
from kalshi_nb._feed.demand import check_tickers
from kalshi_nb._feed.history import candle_frame, span_between
from kalshi_nb._foreign_names import corrected
from kalshi_nb._frames.files import local_path
from kalshi_nb._frames.polars_threads import refuse_without_polars
from kalshi_nb._markets.registry import MarketRegistry
from kalshi_nb._redaction import Secret, shown
from kalshi_nb._rest.client import RestClient
from kalshi_nb._rest.discovery import Discovery, check_progress
from kalshi_nb._rest.filters import MarketQuestion
from kalshi_nb._rest.trades import TradeHistory
from kalshi_nb.errors import HistoryWarning, UnknownEnvironmentError

if TYPE_CHECKING:
    import polars as pl

    from kalshi_nb._feed.demand import MarketTickers
    from kalshi_nb._feed.history import Since
    from kalshi_nb._moments import Moment
    from kalshi_nb._rest.discovery import Progress
    from kalshi_nb.sim import Exchange

__all__ = ["candles", "discovery_at", "history", "markets"]

_LIKE_A_TICKER: Final = re.compile(r"KX[A-Z0-9.]{1,40}(?:-[A-Z0-9.]{1,40}){0,4}", re.IGNORECASE)


@corrected
def markets(
    where: str | Exchange | None = None,
    series: str | None = None,
    event: str | None = None,
    tickers: str | Iterable[str] | None = None,
    status: str | None = "open",
    *,
    close_after: Moment | None = None,
    close_before: Moment | None = None,
    multivariate: bool = False,
    limit: int | None = None,
    cursor: str = "",
    progress: Progress | None = None,
) -> pl.DataFrame:
    """Ask which markets there are, with their prices at this moment; this needs no key, and uses none.

    >>> import kalshi_nb as kn
    >>> exchange = kn.sim.Exchange(seed=7, clock="manual")
    >>> kn.markets(exchange, series="KXSENATEOH")["subtitle"].to_list()
    ['Democratic Party', 'Independent', 'Republican Party']
    >>> exchange.close()

    Parameters
    ----------
    where : str or kalshi_nb.sim.Exchange, optional
        ``"prod"``, ``"demo"``, ``"sim"``, an address or a simulated exchange, as for :func:`kalshi_nb.connect`; the
        environment variable ``KALSHI_ENV`` when None.
    series, event, tickers, status, close_after, close_before, multivariate, limit, cursor, progress
        As for :meth:`kalshi_nb.Feed.markets`.

    Returns
    -------
    polars.DataFrame
        As :meth:`kalshi_nb.Feed.markets` returns it.

    Raises
    ------
    UnknownEnvironmentError
        When there is no such place.
    RestError, ConfigurationError
        As for :meth:`kalshi_nb.Feed.markets`.

    Notes
    -----
    Without a key five requests a second are made, a page of 1,000 markets each. A feed asks more of them a second, and
    remembers what was answered for its views.
    """
    question = MarketQuestion(series, event, tickers, status, close_after, close_before, multivariate)
    with discovery_at(where) as discovery:
        return discovery.markets(question, limit, cursor, progress)


@corrected
def history(
    where: str | Exchange | None = None,
    market_tickers: MarketTickers = None,
    since: Since = "24h",
    until: Since | None = None,
    *,
    out: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
) -> pl.DataFrame | pl.LazyFrame:
    """Ask for the trades of a window, back to 2021; this needs no key, and uses none.

    >>> import kalshi_nb as kn
    >>> exchange = kn.sim.Exchange(seed=7, clock="manual")
    >>> kn.history(exchange, "KXSENATEOH-28-D", "1d")["yes_price"].is_between(0, 1).all()
    True
    >>> exchange.close()

    Parameters
    ----------
    where : str or kalshi_nb.sim.Exchange, optional
        As for :func:`markets`.
    market_tickers : str or iterable of str, optional
        One market, several, or all: of all that are many millions a day.
    since : str, timedelta, datetime or float
        So long ago, or a moment: the last 24 hours unless it is given, ``since=0`` for all there ever was.
    until : str, timedelta, datetime or float, optional
        As `since`; now when None.
    out : path, optional
        A folder that is empty or not there yet: the trades are written to Parquet, 100,000 a file, and never more of
        them are in memory.
    progress : callable, optional
        Called after each page of 1,000 with the number of rows so far, and the time reached: newest come first.

    Returns
    -------
    polars.DataFrame or polars.LazyFrame
        The columns of :meth:`kalshi_nb.Feed.trades` and ``backfilled``, true; oldest first. With `out` a LazyFrame of
        the files, market by market.

    Raises
    ------
    RestError
        When the exchange does not answer, at any of several tries; what had come is in its ``partial``, or in the
        files, and so it is after Ctrl-C.
    ConfigurationError, MarketTickerError
        When an argument cannot be asked for.
    FileError
        When the folder cannot be written to.

    Notes
    -----
    Source: Kalshi's ``GET /markets/trades`` and ``GET /historical/trades``. The exchange shows a trade up to some
    twenty seconds late, and its cache may answer for fifteen more: of the last minute this may not say all.
    Of a market that does not exist there are none.
    """
    from kalshi_nb._rest.trade_files import collected, written_to  # noqa: PLC0415  # polars loads when it is needed

    check_progress(progress)
    found = check_tickers(market_tickers)
    tickers: list[str | None] = [None] if found is None else [*sorted(found)]
    with discovery_at(where) as discovery:
        first, last = span_between(since, until, discovery.now_us())
        trades = TradeHistory(discovery.client, discovery.now_us)
        try:
            if out is None:
                rows: pl.DataFrame | pl.LazyFrame = (came := collected(trades, tickers, first, last, progress))
                is_nothing = came.is_empty()
            else:
                folder = local_path(out)
                rows = written_to(folder, trades, tickers, first, last, progress)
                is_nothing = next(folder.rglob("*.parquet"), None) is None
            if is_nothing and found is not None:
                discovery.refuse_unknown(found)
            return rows
        finally:  # also of what was broken off
            if trades.rejected:
                warnings.warn(trades.told(), HistoryWarning, stacklevel=frames_inside())


@corrected
def candles(
    where: str | Exchange | None = None,
    market_tickers: MarketTickers = None,
    interval: str = "1h",
    since: Since = "24h",
    until: Since | None = None,
    *,
    filled: bool = False,
    progress: Progress | None = None,
) -> pl.DataFrame:
    """Ask for candles that the exchange has made; this needs no key, and uses none.

    >>> import kalshi_nb as kn
    >>> exchange = kn.sim.Exchange(seed=7, clock="manual")
    >>> kn.candles(exchange, "KXSENATEOH-28-D", "1d", since="7d").height
    8
    >>> exchange.close()

    Parameters
    ----------
    where : str or kalshi_nb.sim.Exchange, optional
        As for :func:`markets`.
    market_tickers, interval, since, until, filled, progress
        As for :meth:`kalshi_nb.Feed.candles`.

    Returns
    -------
    polars.DataFrame
        As :meth:`kalshi_nb.Feed.candles` returns it.

    Raises
    ------
    RestNotFoundError, RestError, ConfigurationError
        As for :meth:`kalshi_nb.Feed.candles`.
    """
    with discovery_at(where) as discovery:
        return candle_frame(
            discovery,
            market_tickers,
            interval,
            since,
            until,
            filled=filled,
            progress=progress,
        )


@contextmanager
def discovery_at(where: str | Exchange | None) -> Iterator[Discovery]:
    """Give what asks an exchange without a key, and end it.

    Parameters
    ----------
    where : str or Exchange, optional
        As for :func:`markets`.

    Raises
    ------
    UnknownEnvironmentError
        When there is no such place.
    """
    refuse_without_polars("asking for frames")
    try:
        found = whereabouts(Secret(where))
    except UnknownEnvironmentError as unknown:
        if isinstance(where, str) and _LIKE_A_TICKER.fullmatch(where.strip()):
            raise UnknownEnvironmentError(
                f"{shown(where)} stands where the exchange is named, which comes first: 'prod', 'demo' or 'sim', and "
                f"{shown(where)} after it."
            ) from unknown
        raise
    exchange = found.exchange
    if found.embedded:
        from kalshi_nb.sim._running import embedded  # noqa: PLC0415  # a server nobody needs who asks Kalshi

        exchange = embedded()
    if exchange is not None:
        base, clock = exchange.rest_url, exchange.now_us
    else:
        assert found.place is not None
        base, clock = rest_of(found.place.url), WallClock().now_us
    discovery = Discovery(RestClient(base), MarketRegistry(), clock)
    try:
        yield discovery
    finally:
        discovery.close()
