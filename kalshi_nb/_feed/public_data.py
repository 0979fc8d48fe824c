"""What Kalshi tells everybody: markets without a key, and without a feed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from kalshi_nb._clock import WallClock
from kalshi_nb._environments import rest_of
from kalshi_nb._feed.asked import whereabouts
from kalshi_nb._markets.registry import MarketRegistry
from kalshi_nb._redaction import Secret
from kalshi_nb._rest.client import RestClient
from kalshi_nb._rest.discovery import Discovery
from kalshi_nb._rest.filters import MarketQuestion

if TYPE_CHECKING:
    import polars as pl

    from kalshi_nb._moments import Moment
    from kalshi_nb._rest.discovery import Progress
    from kalshi_nb.sim import Exchange

__all__ = ["discovery_at", "markets"]


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
    found = whereabouts(Secret(where))
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
