"""Candles that the exchange has made itself: of any market, back to its opening, from both tiers.

What the exchange answers is sparse: a candle for each period in which a quote or a trade moved, and in most of them
nothing was traded. So there are three traps, and none is left to who asks: prices are null without a trade, and the
quotes' mid stands beside them; the historical tier has other names for the same; and days end at midnight in New York.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar

import polars as pl

from kalshi_nb._fixed_point import CONTRACT, COST_PARTS
from kalshi_nb._frames.bars import bar_schema
from kalshi_nb._frames.schema import MARKET, TIME, schema
from kalshi_nb._offload import several_at_once
from kalshi_nb._redaction import shown
from kalshi_nb._rest.bodies import CandlesBody, MarketsBody, MarketsCandlesBody, counts, micro_dollars
from kalshi_nb._rest.client import UNDER_WAY, refuse_here, segment
from kalshi_nb._rest.frames import time_us
from kalshi_nb.errors import ConfigurationError, RestNotFoundError

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
    from typing import Any

    from kalshi_nb._rest.bodies import Candle, Market, Number, Prices
    from kalshi_nb._rest.client import Answer, Params, RestClient

__all__ = ["CANDLES", "SETTLES", "CandleHistory", "filled_up", "interval_of"]

T = TypeVar("T")

_INTERVALS: Final = {"1m": 1, "1h": 60, "1d": 1_440}
"""Minutes of the intervals that the exchange has candles of."""

CANDLES: Final = pl.Schema({**bar_schema(schema("trade")), "mid": pl.Float64()})
"""Columns of candles: those of bars, and last the mid of the quotes that stood at their end."""

_MOST: Final = 5_000
"""Periods that may be asked for in one question."""
_MOST_IN_ALL: Final = 10_000
"""The same of several markets together."""
_MOST_MARKETS: Final = 100
_MOST_NAMED: Final = 8
"""So many unknown markets an error names."""
_DAY: Final = 1_440
SETTLES: Final = 21
"""Seconds after its end for which a candle may not be what it will be: an answer lies in a cache for 15, and a trade
is seen up to 20 late."""
_CHANGE: Final = 3_600
"""A day on which clocks are set is so much longer, in seconds."""
_BEGAN: Final = 1_609_459_200
"""2021: before that the exchange had no market."""
_PRICES: Final = ("open", "high", "low", "close")
_NEW_YORK: Final = "America/New_York"


def interval_of(interval: object) -> int:
    """Return an interval in minutes.

    Raises
    ------
    ConfigurationError
        When the exchange has no such candles.
    """
    minutes = _INTERVALS.get(interval) if isinstance(interval, str) else None
    if minutes is None:
        raise ConfigurationError(
            f"interval is {shown(interval)}; the exchange has candles of '1m', '1h' and '1d'. Of others, and of what "
            "comes from now on, feed.stream('trade').bars('5m') makes bars."
        )
    return minutes


class CandleHistory:
    """The candles of one exchange.

    Parameters
    ----------
    client : RestClient
        Asks.
    now_us : callable
        The time, microseconds since 1970.

    Attributes
    ----------
    unknown : list of str
        The markets that the exchange did not know, once all were asked for.
    """

    def __init__(self, client: RestClient, now_us: Callable[[], int]) -> None:
        self._client = client
        self._now_us = now_us
        self.unknown: list[str] = []

    def pages(self, market_tickers: Sequence[str], minutes: int, since: int, until: int) -> Generator[pl.DataFrame]:
        """Yield candles, answer by answer: frames of `CANDLES`, of some markets and periods each, by start.

        Parameters
        ----------
        market_tickers : sequence of str
            Which.
        minutes : int
            That one lasts.
        since, until : int
            From when to when, in seconds since 1970: all that end after the first and begin before the second.

        Raises
        ------
        RestError
            When the exchange does not answer.
        RestNotFoundError
            When it does not know one of these markets; the candles of the others have been yielded by then.
        """
        refuse_here()  # what asks several at a time asks on other threads
        step = minutes * 60
        # A candle is asked for by its end. Where days end twice a year an hour later or earlier, one more is no harm.
        first, last = since + 1, until + step
        unknown = self.unknown
        for chunk in _chunks(market_tickers, _MOST_MARKETS):
            most = _MOST_IN_ALL // len(chunk) - 1
            begin = first if last - first <= most * step else self._opened(chunk, first, last, step)
            windows = list(_windows(begin, last, step, most))
            # One that is left out of an answer has moved to the other tier, perhaps since the answer before.
            lacking = set() if windows else set(chunk)
            for answer in self._answers("/markets/candlesticks", MarketsCandlesBody, windows, minutes, chunk):
                found = {each.market_ticker: each for each in answer.body.markets or ()}
                lacking |= set(chunk) - found.keys()
                for ticker, each in found.items():
                    yield self._frame(ticker, minutes, each.candlesticks or (), answer.at)
            moved = self._moved_of(sorted(lacking)) if lacking else {}
            for ticker in sorted(lacking):
                if ticker in moved:
                    yield from self._moved(moved[ticker], minutes, first, last)
                else:
                    unknown.append(ticker)
        if unknown:
            named = ", ".join(map(shown, unknown[:_MOST_NAMED]))
            others = f" and {len(unknown) - _MOST_NAMED:,} more" if len(unknown) > _MOST_NAMED else ""
            raise RestNotFoundError(
                f"There {'is no market' if len(unknown) == 1 else 'are no markets'} {named}{others}, "
                "neither now nor in the historical tier. feed.search('…') and feed.markets(…) say what there is.",
                status=404,
            )

    def _moved_of(self, tickers: Sequence[str]) -> dict[str, Market]:
        """Return those of some markets that have moved to the historical tier, by ticker.

        They are asked for together: that tier answers four times a second, and a list may be full of what never was.
        """
        params: Params = {"tickers": ",".join(tickers), "limit": len(tickers)}
        found = self._client.get("/historical/markets", MarketsBody, params).body.markets
        return {each.ticker: each for each in found or () if each.ticker in tickers}

    def _opened(self, tickers: Sequence[str], first: int, last: int, step: int) -> int:
        """Return from when on in a long span there may be candles of some markets, in seconds; after it, if never.

        Before a market opened there are none, and nobody is to ask minute by minute since 1970.
        """
        params: Params = {"tickers": ",".join(tickers), "limit": len(tickers)}
        found = self._client.get("/markets", MarketsBody, params).body.markets
        return max(first, min(last, *(_opening(each) - step for each in found))) if found else last + 1

    def _moved(self, market: Market, minutes: int, first: int, last: int) -> Iterator[pl.DataFrame]:
        """Yield the candles of a market that has moved to the historical tier."""
        path, step = f"/historical/markets/{segment(market.ticker)}/candlesticks", minutes * 60
        if last - first > (_MOST - 1) * step:
            first = max(first, _opening(market) - step)
            last = min(last, _closing(market, last) + step + _CHANGE)
        for answer in self._answers(path, CandlesBody, list(_windows(first, last, step, _MOST - 1)), minutes):
            yield self._frame(market.ticker, minutes, answer.body.candlesticks or (), answer.at)

    def _answers(
        self, path: str, kind: type[T], windows: Sequence[tuple[int, int]], minutes: int, tickers: Sequence[str] = ()
    ) -> Iterator[Answer[T]]:
        """Ask for some windows, several at a time, and yield the answers in their order."""

        def ask(window: tuple[int, int], given_up: threading.Event) -> Answer[T]:
            start, end = window
            params: Params = {
                "market_tickers": ",".join(tickers) or None,
                "start_ts": start,
                "end_ts": end,
                "period_interval": minutes,
            }
            return self._client.get(path, kind, params, given_up)

        return several_at_once([partial(ask, each) for each in windows], UNDER_WAY, "kalshi-asking")

    def _frame(self, ticker: str, minutes: int, candles: Iterable[Candle], said_at: int | None) -> pl.DataFrame:
        """Return candles as a frame; they are complete by when the exchange said so, which a cache may lie behind."""
        rows = [(each.end_period_ts, *_values(each)) for each in candles]
        columns = list(zip(*rows, strict=True)) or [()] * (4 + 3 * len(_PRICES))
        names = ["ends", *_QUOTED, "open_interest", "volume"]
        kinds = [pl.Int64, *[pl.Float64] * (len(names) - 1)]
        raw = pl.DataFrame(
            [pl.Series(name, each, dtype=kind) for name, each, kind in zip(names, columns, kinds, strict=True)]
        )
        end = pl.from_epoch("ends", time_unit="s").dt.cast_time_unit("us").dt.replace_time_zone("UTC")
        start = (
            end.dt.convert_time_zone(_NEW_YORK).dt.offset_by("-1d").dt.convert_time_zone("UTC")
            if minutes == _DAY
            else end - pl.duration(minutes=minutes)
        )
        at = self._now_us() if said_at is None else min(said_at, self._now_us())
        complete = pl.col("ends") <= at // 1_000_000 - SETTLES
        return raw.with_columns(
            pl.lit(ticker).alias(MARKET),
            start.cast(TIME).alias("start"),
            end.cast(TIME).alias("end"),
            pl.lit(None, pl.Int64).alias("trades"),
            complete.alias("complete"),
        ).select(pl.col(name).cast(dtype) for name, dtype in CANDLES.items())


_QUOTED: Final = (*_PRICES, *(f"{side}_{each}" for side in ("yes_bid", "yes_ask") for each in _PRICES), "mid")


def _opening(market: Market) -> int:
    """Return when a market was opened, or else made, in seconds; when the exchange was, where it does not say."""
    told = [time_us(each) for each in (market.open_time, market.created_time)]
    return min((each // 1_000_000 for each in told if each is not None), default=_BEGAN)


def _closing(market: Market, unsaid: int) -> int:
    """Return when a market was over, paid out included, in seconds; where it does not say, what is handed."""
    told = [time_us(each) for each in (market.close_time, market.settlement_ts)]
    return max((each // 1_000_000 for each in told if each is not None), default=unsaid)


def _values(candle: Candle) -> list[Any]:
    """Return prices, quotes, mid, open interest and volume of a candle; null where there is none."""
    traded = _ohlc(candle.price)
    bids = [each or None for each in _ohlc(candle.yes_bid)]  # so the exchange writes that nobody bids
    asks = [each if each is not None and each < COST_PARTS else None for each in _ohlc(candle.yes_ask)]
    mid = None if bids[-1] is None or asks[-1] is None else (bids[-1] + asks[-1]) / (2 * COST_PARTS)
    dollars = [None if each is None else each / COST_PARTS for each in (*traded, *bids, *asks)]
    return [
        *dollars,
        mid,
        _contracts(candle.open_interest_fp, candle.open_interest),
        _contracts(candle.volume_fp, candle.volume) or 0.0,
    ]


def _ohlc(prices: Prices | None) -> list[int | None]:
    if prices is None:
        return [None] * len(_PRICES)
    return [
        micro_dollars(now if (now := getattr(prices, f"{name}_dollars")) is not None else getattr(prices, name))
        for name in _PRICES
    ]


def _contracts(now: Number, before: Number) -> float | None:
    units = counts(before if now is None else now)
    return None if units is None else units / CONTRACT


def _chunks(tickers: Sequence[str], most: int) -> Iterator[Sequence[str]]:
    for at in range(0, len(tickers), most):
        yield tickers[at : at + most]


def _windows(first: int, last: int, step: int, most: int) -> Iterator[tuple[int, int]]:
    """Cut a span, in seconds, into such as have at most so many periods."""
    span = max(1, most) * step
    for start in range(first, last + 1, span):
        yield start, min(last, start + span - 1)


def filled_up(candles: pl.DataFrame, minutes: int) -> pl.DataFrame:
    """Return candles with those between them in which nothing moved: quotes as they stood, no price, and no volume.

    Parameters
    ----------
    candles : polars.DataFrame
        Of `CANDLES`, by start and market.
    minutes : int
        That one lasts.
    """
    step = "1d" if minutes == _DAY else f"{minutes}m"
    local = [pl.col(each).dt.convert_time_zone(_NEW_YORK) for each in ("start", "end")]
    frames = [_gapless(each, step) for each in candles.with_columns(local).partition_by(MARKET, maintain_order=True)]
    if not frames:
        return candles
    utc = [pl.col(each).dt.convert_time_zone("UTC") for each in ("start", "end")]
    return pl.concat(frames).with_columns(utc).select(pl.col(name).cast(dtype) for name, dtype in CANDLES.items())


def _gapless(candles: pl.DataFrame, step: str) -> pl.DataFrame:
    """Return one market's candles and the missing ones, with the quotes that the last one before ended with."""
    starts = candles["start"]
    grid = pl.DataFrame({"start": pl.datetime_range(starts[0], starts[-1], step, eager=True)})
    stood = candles.select(
        pl.col("start"),
        pl.col(MARKET, "mid", "open_interest"),
        *(pl.col(f"{side}_close").alias(f"{side}_{each}") for side in ("yes_bid", "yes_ask") for each in _PRICES),
    )
    missing = grid.join(candles, on="start", how="anti", maintain_order="left")
    made = missing.join_asof(stood, on="start").with_columns(
        pl.col("start").dt.offset_by(step).alias("end"),
        pl.lit(0.0).alias("volume"),
        pl.lit(value=True).alias("complete"),
    )
    return pl.concat([candles, made], how="diagonal").sort("start")
