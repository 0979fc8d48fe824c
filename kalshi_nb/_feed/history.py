"""What was before: trades that join on to those that come, and candles."""

from __future__ import annotations

import datetime as dt
import warnings
from contextlib import closing
from typing import TYPE_CHECKING, Final

from kalshi_nb._durations import written
from kalshi_nb._feed.backfill import TRIES, Task
from kalshi_nb._feed.cells import frames_inside
from kalshi_nb._feed.coverage import span_of
from kalshi_nb._feed.demand import check_tickers
from kalshi_nb._frames.polars_threads import refuse_without_polars
from kalshi_nb._moments import Moment, datetime_of, moment_us
from kalshi_nb._redaction import shown
from kalshi_nb._rest.missed_trades import MS, in_order
from kalshi_nb._rest.trades import TIME, TRADE_ID, TradeHistory
from kalshi_nb._usage import flag, real
from kalshi_nb.errors import ConfigurationError, HistoryWarning, RestError, RestNotFoundError

if TYPE_CHECKING:
    import polars as pl

    from kalshi_nb._engine.port import Engine
    from kalshi_nb._feed.coverage import Coverage
    from kalshi_nb._feed.demand import MarketTickers
    from kalshi_nb._rest.discovery import Discovery, Progress
    from kalshi_nb._rows.rows import Row
    from kalshi_nb._streams.feed_frame import FeedFrameDelivery

__all__ = [
    "History",
    "Reach",
    "Since",
    "candle_frame",
    "candles_between",
    "named_markets",
    "past_of",
    "reach_of",
    "since_us",
    "span_between",
]

Since = dt.timedelta | Moment
"""What users write: a length of time ago, such as ``"24h"``, or a moment."""

Reach = tuple[str, int]
"""How far back: ``"ago"`` and a span, or ``"at"`` and a moment, in microseconds; it tells questions apart."""

_SEVENTIES: Final = 10 * 366 * 24 * 3_600
_SECOND: Final = 1_000_000
_SEAM: Final = 5 * _SECOND
"""What was traded so shortly before the socket began is looked for once more: it may not be seen yet."""
_AROUND: Final = 60 * _SECOND


def reach_of(since: Since | None, name: str = "since") -> Reach | None:
    """Return how far back is meant; None for None.

    Raises
    ------
    ConfigurationError
        When it is neither a length of time nor a moment, or a number that would be a moment of the seventies.
    """
    if since is None:
        return None
    if isinstance(since, str | dt.timedelta):
        try:
            return ("ago", span_of(since) or 0)
        except ConfigurationError:
            if not isinstance(since, str) or not since[:4].isdigit() or "-" not in since:
                raise ConfigurationError(
                    f"{name}={shown(since)}: give a length of time ago, such as '24h', or a moment, such as "
                    "'2026-11-28T06:30' (UTC unless it says otherwise) or a datetime."
                ) from None
    elif 0 < (number := real(since)) < _SEVENTIES:
        raise ConfigurationError(
            f"{name}={shown(since)}: a number is a moment, in seconds since 1970, and this one lies in the seventies. "
            f"For so long ago write {name}='{max(1, round(number))}s'."
        )
    return ("at", moment_us(name, since))


def past_of(since: Since) -> Reach:
    """Return how far back is meant where something of before is asked for.

    Raises
    ------
    ConfigurationError
        As for :func:`reach_of`, and when it is None: that could be nothing, a day, or everything.
    """
    reach = reach_of(since)
    if reach is None:
        raise ConfigurationError(
            "since=None: say how far back, by a length of time ago, such as since='24h', or a moment; since=0 is all "
            "there ever was. Left out it is what the signature says."
        )
    return reach


def since_us(reach: Reach, now_us: int) -> int:
    """Return the moment that is meant, in microseconds.

    Raises
    ------
    ConfigurationError
        When it is still to come.
    """
    kind, value = reach
    moment = now_us - value if kind == "ago" else value
    if moment > now_us:
        raise ConfigurationError(
            f"since lies ahead: it is {datetime_of(now_us):%Y-%m-%d %H:%M:%S} UTC. Pass a moment that is over, or a "
            "length of time, such as '24h'."
        )
    return max(0, moment)


def span_between(since: Since, until: Since | None, now_us: int) -> tuple[int, int]:
    """Return from when to when is meant, in microseconds; until now where no end is named.

    Raises
    ------
    ConfigurationError
        When these are no moments, the first is still to come, or nothing is between them.
    """
    first = since_us(past_of(since), now_us)
    kind, value = reach_of(until, "until") or ("ago", 0)
    last = now_us - value if kind == "ago" else value
    if last <= first:
        raise ConfigurationError("until lies before since: nothing is between them.")
    return first, last


class History:
    """The past of one feed's markets.

    Parameters
    ----------
    engine : Engine
        Has the time.
    discovery : Discovery
        Has who asks over REST, and knows what markets there are.
    """

    def __init__(self, engine: Engine, discovery: Discovery) -> None:
        self._engine = engine
        self._discovery = discovery
        self._trades: TradeHistory | None = None

    def trades(self) -> TradeHistory:
        """Return what fetches trades.

        Raises
        ------
        ConfigurationError
            When there is no exchange to ask.
        """
        if self._trades is None:
            self._trades = TradeHistory(self._discovery.client, self._engine.clock.now_us)
        return self._trades

    def fill(
        self,
        delivery: FeedFrameDelivery,
        market_tickers: frozenset[str] | None,
        reach: Reach,
        coverage: Coverage | None,
        progress: Progress | None = None,
    ) -> Task | None:
        """Put into a frame, which has just been subscribed to, what was traded before.

        Parameters
        ----------
        delivery : FeedFrameDelivery
            Fills the frame.
        market_tickers : frozenset of str or None
            Its markets; None for all.
        reach : Reach
            How far back.
        coverage : Coverage
            Is told how far back the frame is whole, once that is known; it is not where a trade could not be read.
        progress : callable, optional
            Called after each page with the number of rows so far, and the time reached.

        Returns
        -------
        Task or None
            Looks again for what was traded just before, as long as it is not known to be there.

        Raises
        ------
        ConfigurationError
            When the frame cannot keep so much; it says how many rows that takes.
        RestError
            When the exchange does not answer; what had come is in its ``partial``, and so it is after Ctrl-C.
        """
        from kalshi_nb._rest.trade_files import kept_in, pages_of  # noqa: PLC0415  # polars loads when it is needed

        refuse_without_polars("since=")
        subscribed = self._engine.clock.now_us()
        since = since_us(reach, subscribed)
        history, window = self.trades(), delivery.store.window
        if window.seconds is not None:
            raise ConfigurationError(
                "seconds= and since= do not go together: what was before was received at no time. Say how many rows "
                "to keep, rows=100_000, and cut by time with .since('1h')."
            )
        rows: list[Row] = []
        rejected = history.rejected
        tickers: list[str | None] = [None] if market_tickers is None else [*sorted(market_tickers)]
        with kept_in(rows, tickers):
            for page in pages_of(history, tickers, since, subscribed + _SEAM, progress):
                rows += page
                if window.rows is not None and len(rows) > window.rows:
                    raise _too_small(len(rows), window.rows, rows[-1][TIME], since, subscribed)
        if market_tickers is not None and not rows:
            self._discovery.refuse_unknown(market_tickers)
        delivery.put_in(in_order(row for row in rows if row[TIME] < subscribed - _SEAM))
        untold = history.told(rejected)
        if untold:
            warnings.warn(untold, HistoryWarning, stacklevel=frames_inside())
            coverage = None  # nothing shows that it is whole
        seam = _Seam(self, delivery, market_tickers, since, subscribed, coverage)
        return None if seam.look(is_last=False) else Task(seam.look, TRIES)

    def around(self, market_tickers: frozenset[str] | None, since: int, until: int) -> list[Row]:
        """Return the trades of a short window."""
        found: list[Row] = []
        for ticker in [None] if market_tickers is None else sorted(market_tickers):
            for page in self.trades().pages(ticker, since, until):
                found += page
        return found

    def candles(
        self,
        market_tickers: MarketTickers,
        interval: str,
        since: Since,
        until: Since | None,
        *,
        filled: bool,
        progress: Progress | None,
    ) -> pl.DataFrame:
        """Return candles; see :meth:`kalshi_nb.Feed.candles`."""
        refuse_without_polars("candles()")
        return candle_frame(
            self._discovery,
            market_tickers,
            interval,
            since,
            until,
            filled=filled,
            progress=progress,
        )


class _Seam:
    """Where history and what comes by itself meet: between them a trade may not be seen on either side at first."""

    def __init__(
        self,
        history: History,
        delivery: FeedFrameDelivery,
        market_tickers: frozenset[str] | None,
        since: int,
        subscribed: int,
        coverage: Coverage | None,
    ) -> None:
        self._history = history
        self._delivery = delivery
        self._market_tickers = market_tickers
        self._since = since
        self._subscribed = subscribed
        self._coverage = coverage
        self._looks = 0

    def look(self, is_last: bool) -> bool:  # of one kind of call
        """Look for trades there; return whether all of them are known to be there.

        They are where the first that came by itself is among those that were fetched, or, where none has come yet,
        after so long that each can be seen.
        """
        if self._delivery.is_closed:
            return True
        self._looks += 1
        since = max(self._since, self._subscribed - _AROUND)
        found = self._history.around(self._market_tickers, since, self._subscribed + _AROUND + self._looks * _SECOND)
        first = self._first()
        # By the socket's time to the millisecond: what is of the same is told apart by its id.
        before = [row for row in found if first is None or row[TIME] // MS * MS <= first[0]]
        self._delivery.put_in(in_order(row for row in before if self._since <= row[TIME]))
        is_over = is_last if first is None else first[1] in {row[TRADE_ID] for row in found}
        if is_over and self._coverage is not None:
            self._coverage.reach_back(self._since)
        return is_over

    def _first(self) -> tuple[int, str] | None:
        """Return the time and the id of the first trade that came by itself; None where none has come."""
        import polars as pl  # noqa: PLC0415  # loads when it is needed

        came = self._delivery.store.glimpse().filter(pl.col("received_at").is_not_null()).head(1)
        return None if came.is_empty() else (came["ts"].dt.epoch("us")[0], came["trade_id"][0])


def _too_small(found: int, most: int, reached: int, since: int, until: int) -> ConfigurationError:
    share = max(1, until - reached) / max(1, until - since)
    needed = max(found + 1, round(found / min(1.0, share)))
    span = written(max(_SECOND, (until - reached) // _SECOND * _SECOND))
    return ConfigurationError(
        f"The frame keeps {most:,} rows, and there were more in the last {span} alone: so far back as asked takes "
        f"about {needed:,}. Pass rows={_round(needed):_}, or a shorter since."
    )


def _round(number: int) -> int:
    """Return a number that is somewhat larger, of two digits that are not 0."""
    unit: int = 10 ** max(0, len(str(number)) - 2)
    return (number * 11 // 10 // unit + 1) * unit


def named_markets(market_tickers: MarketTickers, call: str) -> frozenset[str]:
    """Return the markets that a call is about, which names them.

    Raises
    ------
    ConfigurationError, MarketTickerError
        When it names none, or what is no ticker.
    """
    tickers = check_tickers(market_tickers)
    if tickers is None:
        raise ConfigurationError(
            f"{call}() takes the markets by name: {call}('KXHIGHNY-26NOV28-B52.5', '1h'), or a list of them."
        )
    return tickers


def candles_between(
    discovery: Discovery,
    market_tickers: frozenset[str],
    minutes: int,
    since: int,
    until: int,
    progress: Progress | None = None,
) -> pl.DataFrame:
    """Return what the exchange says of candles, by start and market, each once; moments are in microseconds.

    Raises
    ------
    RestError
        When the exchange does not answer, or knows no such market; what had come is in its ``partial``, and so it is
        after Ctrl-C.
    MarketTickerError
        When one is the ticker of something else; it says what to write.
    """
    import polars as pl  # noqa: PLC0415  # loads when it is needed

    from kalshi_nb._rest.candles import CANDLES, CandleHistory  # noqa: PLC0415  # as polars
    from kalshi_nb._rest.discovery import keep  # noqa: PLC0415  # as polars

    candles = CandleHistory(discovery.client, discovery.now_us)
    frames: list[pl.DataFrame] = []
    rows = 0

    def came() -> pl.DataFrame:
        found = pl.concat(frames) if frames else pl.DataFrame(schema=CANDLES)
        once = found.unique(["market_ticker", "start"], keep="last", maintain_order=True)
        return once.sort("start", "market_ticker")

    span = max(0, since // _SECOND), -(-until // _SECOND)
    try:
        with closing(candles.pages(sorted(market_tickers), minutes, *span)) as pages:
            for frame in pages:
                frames.append(frame)
                rows += frame.height
                if progress is not None:
                    progress(rows, None if frame.is_empty() else frame["start"][0])
    except (RestError, KeyboardInterrupt) as stopped:
        if isinstance(stopped, RestNotFoundError):
            discovery.refuse_unknown(candles.unknown)
        keep(stopped, came())
        raise
    return came()


def candle_frame(
    discovery: Discovery,
    market_tickers: MarketTickers,
    interval: str,
    since: Since,
    until: Since | None,
    *,
    filled: bool,
    progress: Progress | None,
) -> pl.DataFrame:
    """Return candles; see :meth:`kalshi_nb.Feed.candles`."""
    from kalshi_nb._rest.candles import filled_up, interval_of  # noqa: PLC0415  # polars loads when it is needed
    from kalshi_nb._rest.discovery import check_progress  # noqa: PLC0415  # as polars

    minutes, is_filled = interval_of(interval), flag("filled", filled)
    check_progress(progress)
    tickers = named_markets(market_tickers, "candles")
    first, last = span_between(since, until, discovery.now_us())
    found = candles_between(discovery, tickers, minutes, first, last, progress)
    return filled_up(found, minutes).sort("start", "market_ticker") if is_filled else found
