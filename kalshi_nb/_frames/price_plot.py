"""The still picture of prices over time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

import altair as alt
import polars as pl

from kalshi_nb._fixed_point import CONTRACT
from kalshi_nb._frames.bars import Bar, bars_of, missing_columns, times_of
from kalshi_nb._frames.plots import ASK, ASK_DASH, BID, GAP, HEIGHT, INK, VOLUME, VOLUME_HEIGHT, WIDTH, inline
from kalshi_nb._frames.schema import MARKET, RECEIVED
from kalshi_nb._moments import datetime_of
from kalshi_nb._redaction import shown
from kalshi_nb._usage import meant
from kalshi_nb.errors import ConfigurationError

__all__ = ["PriceRequest", "price_plot"]

Picture = alt.LayerChart | alt.Chart

_MOST_MARKETS: Final = 12
_MOST_ROWS: Final = 3_600
_CANDLES: Final = ("start", "end", "open", "high", "low", "close", "volume", "complete")
_PRICES: Final = ("open", "high", "low", "close")
_DOTS: Final = [1, 2]
_SIDES: Final = (("bid", "ask"), ("yes_bid", "yes_ask"))


class PriceRequest(NamedTuple):
    """What is to be drawn.

    Attributes
    ----------
    title : str
        What the frame is called.
    market_ticker : object
        The one market, None for all.
    every_us : int or None
        The interval of candles, microseconds; None for a line.
    now_us : int
        The feed's time, by which an interval, and a gap, is still open.
    whole_since : int or None
        Since when rows are there, microseconds; None where nobody knows.
    gaps : sequence of (str or None, int, int or None)
        Market, beginning and end of each gap that is known, microseconds.
    """

    title: str
    market_ticker: object
    every_us: int | None
    now_us: int
    whole_since: int | None
    gaps: Sequence[tuple[str | None, int, int | None]]


class _Shown(NamedTuple):
    """One market of it, and from when to when rows of that may be missing, microseconds."""

    market: str
    spans: Sequence[tuple[int, int]]
    request: PriceRequest


def price_plot(df: pl.DataFrame, request: PriceRequest) -> Picture | alt.VConcatChart:
    """Return the chart of a frame, a picture for each market.

    Raises
    ------
    ConfigurationError
        When it has no prices, `request` does not fit it, or it has too many markets.
    """
    draw = _drawing(df, request)
    _refuse_dtypes(df, request)
    request = request._replace(gaps=_within(df, request))
    times = times_of(df) if "ts" in df.columns else None
    pictures: list[Picture] = []
    for market in _markets(df, request):
        spans = _spans(times, market, request)
        pictures += draw(df.filter(pl.col(MARKET) == market), _Shown(market, spans, request))
    return pictures[0] if len(pictures) == 1 else alt.vconcat(*pictures).resolve_scale(x="shared")


def _drawing(df: pl.DataFrame, request: PriceRequest) -> Callable[[pl.DataFrame, _Shown], list[Picture]]:
    there = set(df.columns)
    if MARKET in there and not missing_columns(there):
        return _line if request.every_us is None else _candles
    if request.every_us is not None:
        raise ConfigurationError(
            f"bars= makes candles of trades, and {request.title} has none; leave it out, or ask feed.trades()."
        )
    if {MARKET, *_CANDLES} <= there:
        return _drawn_bars
    if {MARKET, "ts"} <= there and any(set(each) <= there for each in _SIDES):
        return _quotes
    raise ConfigurationError(
        f"plot_price() draws trades, quotes, tickers and bars, and {request.title} has the columns "
        f"{', '.join(df.columns) or 'of none'}."
    )


def _refuse_dtypes(df: pl.DataFrame, request: PriceRequest) -> None:
    """Refuse columns that a node made into something else than what is drawn."""
    for name, dtype in df.schema.items():
        wanted, fits = _DTYPES.get(name, ("", _is_any))
        if not fits(dtype):
            raise ConfigurationError(
                f"plot_price() goes by {name} as {wanted}, and {request.title} has it as {dtype}: cast it in the node "
                "before."
            )


def _is_any(_dtype: pl.DataType) -> bool:
    return True


def _is_text(dtype: pl.DataType) -> bool:
    return isinstance(dtype, pl.String | pl.Categorical | pl.Enum)


def _is_time(dtype: pl.DataType) -> bool:
    return isinstance(dtype, pl.Datetime)


def _is_number(dtype: pl.DataType) -> bool:
    return dtype.is_numeric() or isinstance(dtype, pl.Null)


def _is_flag(dtype: pl.DataType) -> bool:
    return isinstance(dtype, pl.Boolean)


_DTYPES: Final[dict[str, tuple[str, Callable[[pl.DataType], bool]]]] = {
    MARKET: ("text", _is_text),
    **dict.fromkeys(("ts", "start", "end", RECEIVED), ("a Datetime", _is_time)),
    **dict.fromkeys(
        (*_PRICES, "volume", "yes_price", "count", "mid", *(side for sides in _SIDES for side in sides)),
        ("a number", _is_number),
    ),
    "complete": ("true or false", _is_flag),
}
"""What is drawn, by its column: as what it is needed, and whether a dtype is that."""


def _markets(df: pl.DataFrame, request: PriceRequest) -> list[str]:
    found = sorted(df[MARKET].drop_nulls().unique().to_list())
    wanted = request.market_ticker
    if wanted is not None:
        if isinstance(wanted, str) and wanted in found:
            return [wanted]
        raise ConfigurationError(
            f"market_ticker={shown(wanted)}: {request.title} has no row of it, but of {len(found)} markets."
            f"{meant(wanted, found)}"
        )
    if len(found) > _MOST_MARKETS:
        raise ConfigurationError(
            f"{request.title} has {len(found):,} markets, too many for one picture: name one, such as "
            f"plot_price({found[0]!r})."
        )
    return found or [request.title]


# What is drawn ----------------------------------------------------------------------------------------


def _line(df: pl.DataFrame, seen: _Shown) -> list[Picture]:
    rows = [{"ts": ts, "price": _cents(price)} for ts, price in _thinned(df, "yes_price")]
    line = _stepped(_broken(rows, seen.spans, "price"), "price", INK)
    return [_layered([_bands(seen.spans), line], seen.market)]


def _quotes(df: pl.DataFrame, seen: _Shown) -> list[Picture]:
    bid, ask = next(each for each in _SIDES if set(each) <= set(df.columns))
    layers = [_bands(seen.spans)]
    for column, name, colour, dash in (
        (bid, "bid", BID, [1, 0]),
        (ask, "ask", ASK, ASK_DASH),
        ("mid", "mid", INK, _DOTS),
    ):
        if column in df.columns:
            rows = [{"ts": ts, name: _cents(price)} for ts, price in _thinned(df, column)]
            layers.append(_stepped(_broken(rows, seen.spans, name), name, colour, dash))
    return [_layered(layers, seen.market)]


def _candles(df: pl.DataFrame, seen: _Shown) -> list[Picture]:
    every = seen.request.every_us or 1
    rows = [_candle(bar, every, complete=_is_whole(bar, every, seen)) for bar in bars_of(df, every)]
    return _with_volume(rows, seen)


def _drawn_bars(df: pl.DataFrame, seen: _Shown) -> list[Picture]:
    rows = [
        {
            **{each: _iso(row[each]) for each in ("start", "end")},
            "middle": _iso(row["start"] + (row["end"] - row["start"]) / 2),
            **{each: _cents(row[each]) for each in _PRICES},
            "volume": float(row["volume"]),
            "complete": row["complete"],
            "up": row["close"] >= row["open"],
        }
        for row in df.sort("start").iter_rows(named=True)
    ]
    return _with_volume(rows, seen)


def _candle(bar: Bar, every: int, *, complete: bool) -> dict[str, Any]:
    return {
        "start": _iso_us(bar.start),
        "end": _iso_us(bar.start + every),
        "middle": _iso_us(bar.start + every // 2),
        **{each: _cents(getattr(bar, each)) for each in _PRICES},
        "volume": bar.volume / CONTRACT,
        "complete": complete,
        "up": bar.close >= bar.open,
    }


def _is_whole(bar: Bar, every: int, seen: _Shown) -> bool:
    end, since = bar.start + every, seen.request.whole_since
    missing = any(begins < end and until >= bar.start for begins, until in seen.spans)
    return since is not None and since <= bar.start and end <= seen.request.now_us and not missing


# How it is drawn --------------------------------------------------------------------------------------


def _time(field: str, **options: Any) -> alt.X:
    return alt.X(field, title="time (UTC)", scale=alt.Scale(type="utc"), **options)


def _price(field: str, **options: Any) -> alt.Y:
    return alt.Y(field, title="YES price (¢)", scale=alt.Scale(zero=False), **options)


def _stepped(rows: list[dict[str, Any]], name: str, colour: str, dash: Sequence[int] = (1, 0)) -> alt.Chart:
    alone = sum(each[name] is not None for each in rows) == 1  # of which there is no line
    drawn: alt.Chart = (
        alt.Chart(inline(rows))
        .mark_line(
            color=colour,
            strokeDash=list(dash),
            interpolate="step-after",
            point=alt.OverlayMarkDef(color=colour) if alone else False,
            invalid="break-paths-filter-domains",
        )
        .encode(x=_time("ts:T"), y=_price(f"{name}:Q"), tooltip=[alt.Tooltip("ts:T"), alt.Tooltip(f"{name}:Q")])
    )
    return drawn


def _bands(spans: Sequence[tuple[int, int]]) -> alt.Chart:
    rows = [{"begins": _iso_us(begins), "until": _iso_us(until), "what": "gap"} for begins, until in spans]
    drawn: alt.Chart = (
        alt.Chart(inline(rows))
        .mark_rect(color=GAP, opacity=0.15, stroke=GAP, strokeDash=[2, 2], strokeOpacity=1)
        .encode(x=_time("begins:T"), x2="until:T", tooltip=["what:N", "begins:T", "until:T"])
    )
    return drawn


def _with_volume(rows: list[dict[str, Any]], seen: _Shown) -> list[Picture]:
    base = alt.Chart(inline(rows))
    paler = alt.condition("datum.complete", alt.value(1), alt.value(0.4))
    tooltip = [f"{each}:Q" for each in (*_PRICES, "volume")]
    wick = base.mark_rule(color=INK).encode(x=_time("middle:T"), y=_price("low:Q"), y2="high:Q", opacity=paler)
    body = base.mark_rect(stroke=INK).encode(
        x=_time("start:T"),
        x2="end:T",
        y=_price("open:Q"),
        y2="close:Q",
        fill=alt.condition("datum.up", alt.value("white"), alt.value(INK)),
        opacity=paler,
        tooltip=["start:T", *tooltip, "complete:N"],
    )
    volume = (
        base.mark_rect(color=VOLUME)
        .encode(x=_time("start:T"), x2="end:T", y=alt.Y("volume:Q", title="contracts"), y2=alt.datum(0), opacity=paler)
        .properties(width=WIDTH, height=VOLUME_HEIGHT)
    )
    return [_layered([_bands(seen.spans), wick, body], seen.market), volume]


def _layered(layers: Sequence[alt.Chart], title: str) -> alt.LayerChart:
    return alt.LayerChart(layer=list(layers)).properties(
        title=alt.TitleParams(title, anchor="start"), width=WIDTH, height=HEIGHT
    )


# Data -------------------------------------------------------------------------------------------------


def _within(df: pl.DataFrame, request: PriceRequest) -> list[tuple[str | None, int, int | None]]:
    """Return the gaps that are not over before the first row: others would only make the picture longer."""
    first = df.select(
        pl.col("ts" if "ts" in df.columns else "start").dt.cast_time_unit("us").to_physical().min()
    ).item()
    return [each for each in request.gaps if each[2] is None or (first is not None and each[2] >= first)]


def _spans(times: pl.DataFrame | None, market: str, request: PriceRequest) -> list[tuple[int, int]]:
    """Return from when to when rows of a market may be missing: from the last row before each gap to its end.

    That row may be of another market: what came in one line came in order.
    """
    found = []
    for ticker, opened, closed in request.gaps:
        if ticker in (None, market):
            before = [] if times is None else times.filter(pl.col(RECEIVED) < opened)["ts"].to_list()
            begins = min(before[-1], opened) if before else opened
            found.append((begins, max(begins, request.now_us if closed is None else closed)))
    return found


def _thinned(df: pl.DataFrame, column: str) -> list[tuple[Any, Any]]:
    """Return times and values, of many rows the lowest, the highest and the last of each of as many spans."""
    rows = df.select(pl.col("ts").dt.cast_time_unit("us").to_physical(), column).sort("ts", maintain_order=True)
    if rows.height > _MOST_ROWS:
        first, last = rows["ts"][0], rows["ts"][-1]
        span = max(1, (last - first) // (_MOST_ROWS // 3) + 1)
        place, value = pl.int_range(pl.len()), pl.col(column)
        ends = (
            rows.with_columns(place.alias("\0place"), ((pl.col("ts") - first) // span).alias("\0span"))
            .group_by("\0span")
            .agg(
                pl.col("\0place").get(value.arg_min().fill_null(0)).alias("least"),
                pl.col("\0place").get(value.arg_max().fill_null(0)).alias("most"),
                pl.col("\0place").last().alias("last"),
            )
        )
        kept = {place for each in ("least", "most", "last") for place in ends[each].to_list()}
        rows = rows[sorted(kept)]
    return rows.rows()


def _broken(rows: list[dict[str, Any]], spans: Sequence[tuple[int, int]], name: str) -> list[dict[str, Any]]:
    """Return rows by time with a row of nothing in each span, so that no line runs through a gap."""
    breaks: list[dict[str, Any]] = [
        {"ts": begins + 1, name: None} for begins, until in spans if rows and begins < rows[-1]["ts"]
    ]
    return [{**each, "ts": _iso_us(each["ts"])} for each in sorted([*rows, *breaks], key=lambda each: each["ts"])]


def _cents(price: Any) -> float | None:
    # Rounded, since of floats 100 times 0.29 is not 29; the finest price has two decimals of a cent, a mid three.
    return None if price is None else round(float(price) * 100, 4)


def _iso_us(us: int) -> str:
    return _iso(datetime_of(us))


def _iso(moment: dt.datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
