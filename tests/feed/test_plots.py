"""Still pictures: what the Vega-Lite they are made of says, and that it needs no network."""

import datetime as dt
import importlib.util
import json
import sys

import polars as pl
import pytest

import kalshi_nb as kn
from kalshi_nb._feed.book import Book
from tests.feed.conftest import until
from tests.feed.list_engine import BASE_US, HandClock, ListEngine, ListLadder
from tests.feed.test_another_engine import opened

BLUE, ORANGE = "#0b5cad", "#a84300"
MARKET = "KXHIGHNY-26NOV22-B52.5"


def spec_of(chart):
    """The chart as Vega-Lite, which holds all of its data."""
    spec = chart.to_dict()
    text = json.dumps(spec)
    assert '"url"' not in text
    assert {part.split('"')[0] for part in text.split("http")[1:]} <= {spec["$schema"].removeprefix("http")}
    return spec


def data_of(spec, layer):
    return spec["datasets"][layer["data"]["name"]]


def bands_of(frame):
    spec = spec_of(frame.plot_price())
    return data_of(spec, spec["layer"][0])


def marks_of(spec):
    return [(each["mark"]["type"], each["mark"].get("color")) for each in spec["layer"]]


def time_of(text):
    return dt.datetime.fromisoformat(text)


# Books ------------------------------------------------------------------------------------------------


def depth(yes, no, levels=None, **options):
    book = Book(ListLadder("KXA-1", yes, no, **options), clock=HandClock(), release=lambda: None)
    return spec_of(book.plot_depth(levels))


def test_a_book_is_two_areas_with_their_edges_added_up_from_the_touch_outwards():
    spec = depth({4_700: 1_000, 4_650: 250, 4_000: 5}, {5_100: 300, 5_000: 20})
    assert marks_of(spec) == [("area", BLUE), ("line", BLUE), ("area", ORANGE), ("line", ORANGE)]
    bids, asks = data_of(spec, spec["layer"][0]), data_of(spec, spec["layer"][2])
    assert [(each["price"], each["contracts"], each["total"]) for each in bids] == [
        (47.0, 10.0, 10.0),
        (46.5, 2.5, 12.5),
        (40.0, 0.05, 12.55),
    ]
    assert [(each["price"], each["total"]) for each in asks] == [(49.0, 3.0), (50.0, 3.2)]
    assert spec["layer"][0]["encoding"]["x"]["title"] == "YES price (¢)"
    assert spec["title"]["text"] == "KXA-1"
    assert spec["title"]["subtitle"] == ["live"]


def test_asks_are_told_from_bids_by_more_than_colour():
    spec = depth({4_700: 1_000}, {5_100: 300})
    assert spec["layer"][3]["mark"]["strokeDash"] == [6, 3]
    assert spec["layer"][1]["mark"]["strokeDash"] == [1, 0]


def test_between_two_levels_stand_the_contracts_of_the_one_nearer_to_the_touch():
    spec = depth({4_700: 1_000, 4_600: 1}, {5_100: 300, 5_000: 1})
    assert [each["mark"]["interpolate"] for each in spec["layer"]] == ["step-before"] * 2 + ["step-after"] * 2


@pytest.mark.parametrize(
    ("yes", "no", "said"),
    [({}, {5_100: 300}, "live, no bids"), ({4_700: 1}, {}, "live, no asks"), ({}, {}, "live, no bids, no asks")],
)
def test_an_empty_side_is_drawn_empty_and_said(yes, no, said):
    spec = depth(yes, no)
    assert spec["title"]["subtitle"] == [said]
    assert [len(data_of(spec, each)) for each in spec["layer"]] == [len(yes)] * 2 + [len(no)] * 2


def test_a_picture_says_what_its_book_may_be_trusted_for_and_can_be_cut_to_the_best_levels():
    spec = depth({4_700: 1, 4_600: 1, 4_500: 1}, {5_100: 1}, levels=2, status="stale")
    assert spec["title"]["subtitle"] == ["stale"]
    assert len(data_of(spec, spec["layer"][0])) == 2
    with pytest.raises(kn.errors.ConfigurationError, match="levels=0"):
        depth({}, {}, levels=0)


def test_a_live_book_is_drawn_with_all_of_its_levels(feed, exchange):
    book = feed.book(MARKET).wait()
    exchange.advance(20)
    spec = spec_of(book.plot_depth())
    assert len(data_of(spec, spec["layer"][0])) == len(book.levels("yes"))
    assert data_of(spec, spec["layer"][0])[-1]["total"] == pytest.approx(sum(size for _, size in book.levels("yes")))
    assert data_of(spec, spec["layer"][2])[0]["price"] == pytest.approx(book.best_ask * 100)


# Prices -----------------------------------------------------------------------------------------------


def test_trades_are_a_stepped_line_of_cents(feed, exchange):
    trades = feed.trades(MARKET)
    exchange.advance(60)
    spec = spec_of(trades.plot_price())
    bands, line = spec["layer"]
    assert data_of(spec, bands) == []
    assert (line["mark"]["type"], line["mark"]["interpolate"]) == ("line", "step-after")
    assert line["encoding"]["x"]["scale"] == {"type": "utc"}
    found = [(time_of(each["ts"]), each["price"]) for each in data_of(spec, line)]
    assert found == [(ts, round(price * 100, 4)) for ts, price in trades.df.select("ts", "yes_price").iter_rows()]
    assert spec["title"]["text"] == MARKET


def test_candles_are_the_bars_hollow_up_and_filled_down_with_their_volume_below(feed, exchange):
    trades, bars = feed.trades(MARKET), feed.stream("trade", MARKET).bars("10s").rolling_frame()
    exchange.advance(65)
    spec = spec_of(trades.plot_price(bars="10s"))
    prices, volume = spec["vconcat"]
    bands, wick, body = prices["layer"]
    assert [each["mark"]["type"] for each in (bands, wick, body, volume)] == ["rect", "rule", "rect", "rect"]
    assert (wick["encoding"]["y"]["field"], wick["encoding"]["y2"]["field"]) == ("low", "high")
    assert (body["encoding"]["y"]["field"], body["encoding"]["y2"]["field"]) == ("open", "close")
    assert body["encoding"]["fill"]["condition"] == {"test": "datum.up", "value": "white"}
    assert body["encoding"]["opacity"]["condition"]["test"] == "datum.complete"
    assert volume["encoding"]["y"]["field"] == "volume"
    rows = data_of(spec, body)
    assert len(rows) == bars.df.height > 1
    for drawn, bar in zip(rows, bars.df.iter_rows(named=True), strict=True):
        assert [drawn[each] for each in ("open", "high", "low", "close")] == [
            round(bar[each] * 100, 4) for each in ("open", "high", "low", "close")
        ]
        assert (time_of(drawn["start"]), time_of(drawn["end"])) == (bar["start"], bar["end"])
        assert time_of(drawn["middle"]) - bar["start"] == dt.timedelta(seconds=5)
        assert (drawn["volume"], drawn["complete"]) == (bar["volume"], bar["complete"])
        assert drawn["up"] == (bar["close"] >= bar["open"])
    # The bars themselves make the same picture.
    assert data_of(spec_of(bars.plot_price()), spec_of(bars.plot_price())["vconcat"][1]) == rows


def test_a_candle_that_the_window_has_only_the_end_of_is_not_complete(feed, exchange):
    exchange.advance(3)
    trades, few = feed.trades(MARKET), feed.trades(MARKET, rows=12)
    exchange.advance(65)
    for frame in (trades, few):
        spec = spec_of(frame.plot_price(bars="10s"))
        told = [each["complete"] for each in data_of(spec, spec["vconcat"][1])]
        assert told[0] is False  # begun too late, or its first rows have left
        assert any(told[1:]) or frame is few
    assert few.df.height == 12 < few.total


def test_quotes_are_bid_ask_and_mid_and_a_side_that_is_missing_breaks_its_line():
    engine = ListEngine(ladders=[ListLadder("KXA-1", {4_700: 1_000}, {5_100: 300})])
    with opened(engine) as feed:
        quotes = feed.quotes("KXA-1")
        quote = (BASE_US, "KXA-1", 4_700, 5, 4_900, 6, 9_600, 200, BASE_US, 1, "live")
        one_sided = (BASE_US + 1, "KXA-1", 4_700, 5, None, None, None, None, BASE_US + 1, 2, "live")
        engine.play("quotes", quote, one_sided)
        feed.flush()
        spec = spec_of(quotes.plot_price())
    assert marks_of(spec)[1:] == [("line", BLUE), ("line", ORANGE), ("line", "#1f2328")]
    bid, ask, mid = spec["layer"][1:]
    assert ask["mark"]["strokeDash"] == [6, 3]
    assert ask["mark"]["invalid"] == "break-paths-filter-domains"
    assert [each["bid"] for each in data_of(spec, bid)] == [47.0, 47.0]
    assert [each["ask"] for each in data_of(spec, ask)] == [49.0, None]
    assert [each["mid"] for each in data_of(spec, mid)] == [48.0, None]
    assert ask["mark"]["point"]  # one value alone makes no line


def test_tickers_are_drawn_by_their_bid_and_ask_each_market_for_itself(feed, exchange):
    tickers = feed.tickers(exchange.market_tickers[:3])
    exchange.advance(20)
    spec = spec_of(tickers.plot_price())
    assert [each["title"]["text"] for each in spec["vconcat"]] == list(exchange.market_tickers[:3])
    assert spec["resolve"] == {"scale": {"x": "shared"}}
    one = spec_of(tickers.plot_price(exchange.market_tickers[1]))
    assert one["title"]["text"] == exchange.market_tickers[1]


def test_a_gap_is_a_band_from_the_last_row_before_it_and_no_line_runs_through_it(feed, exchange):
    trades = feed.trades(MARKET)
    exchange.advance(60)
    # Asked for after the frame, so that the switch from one market to all is none of its gaps.
    before = trades.df["ts"][-1]
    exchange.faults.drop_connections()
    until(lambda: feed.health().reconnects == 1 and feed.state == "connected", "connected again")
    until(
        lambda: all(each.sid is not None for each in feed._engine.links[0].session.subscriptions.values()),
        "subscribed",
    )
    exchange.advance(60)
    spec = spec_of(trades.plot_price())
    bands, line = spec["layer"]
    (band,) = data_of(spec, bands)
    gap = feed.gaps.filter(pl.col("channel") == "trade").row(0, named=True)
    assert time_of(band["begins"]) == before
    assert time_of(band["until"]) == gap["closed_at"]
    drawn = data_of(spec, line)
    assert [each["price"] is None for each in drawn].count(True) == 1
    at = next(number for number, each in enumerate(drawn) if each["price"] is None)
    assert time_of(drawn[at - 1]["ts"]) == before < time_of(drawn[at]["ts"]) < time_of(drawn[at + 1]["ts"])
    candles = spec_of(trades.plot_price(bars="10s"))
    rows = data_of(candles, candles["vconcat"][1])
    near = [each for each in rows if time_of(each["start"]) <= before < time_of(each["end"])]
    assert [each["complete"] for each in near] == [False]
    assert any(each["complete"] for each in rows)


def test_a_gap_that_was_over_before_the_first_row_is_not_drawn_and_one_that_is_open_is():
    engine = ListEngine()
    with opened(engine) as feed:
        trades = feed.trades("KXA-1")
        old = engine.open_gap("trade")
        engine.clock.us += 1_000_000
        engine.close_gap(old)
        engine.clock.us += 3_600_000_000
        assert bands_of(trades) == []
        at = engine.clock.us
        engine.play("trade", (at, "KXA-1", 4_700, 1, "yes", "bid", 5_300, False, "id", at, 1))
        engine.clock.us += 1_000_000
        engine.open_gap("trade", "KXB-1")
        feed.flush()
        assert bands_of(trades) == []
        engine.open_gap("trade")
        engine.clock.us += 5_000_000
        feed.flush()
        (band,) = bands_of(trades)
        assert time_of(band["until"]) == feed.now()
        assert time_of(band["until"]) - time_of(band["begins"]) == dt.timedelta(seconds=6)


def test_many_rows_are_thinned_to_the_extremes_and_the_last_of_each_span(engine_with_many):
    feed, prices = engine_with_many
    trades = feed.trades("KXA-1")
    spec = spec_of(trades.plot_price())
    drawn = [each["price"] for each in data_of(spec, spec["layer"][1])]
    assert 1_000 < len(drawn) <= 3_600
    assert (min(drawn), max(drawn), drawn[-1]) == (min(prices), max(prices), prices[-1])


@pytest.fixture
def engine_with_many():
    engine = ListEngine()
    with opened(engine) as feed:
        feed.trades("KXA-1")
        found = [3_000 + (number * 7_919) % 4_001 for number in range(10_000)]
        rows = [
            (BASE_US + at * 1_000, "KXA-1", price, 1, "yes", "bid", 10_000 - price, False, "id", BASE_US, at)
            for at, price in enumerate(found)
        ]
        engine.play("trade", *rows)
        feed.flush()
        yield feed, [price / 100 for price in found]


def test_an_empty_frame_is_an_empty_picture():
    with opened(ListEngine()) as feed:
        for frame in (feed.trades("KXA-1"), feed.tickers("KXA-1")):
            spec = spec_of(frame.plot_price())
            assert all(data_of(spec, each) == [] for each in spec["layer"])
        spec_of(feed.trades("KXA-1").plot_price(bars="1m"))


@pytest.mark.parametrize(
    ("make", "options", "said"),
    [
        (lambda feed: feed.tickers(), {"bars": "1m"}, "bars= makes candles of trades"),
        (lambda feed: feed.positions(), {}, "draws trades, quotes, tickers and bars"),
        (lambda feed: feed.trades(), {"bars": "soon"}, 'bars=.*"1s"'),
        (lambda feed: feed.trades(), {"market_ticker": f"{MARKET}5"}, f"Did you mean '{MARKET}'"),
    ],
)
def test_what_cannot_be_drawn_is_refused_with_what_can(feed, exchange, make, options, said):
    frame = make(feed)
    exchange.advance(60)
    with pytest.raises(kn.errors.ConfigurationError, match=said):
        frame.plot_price(**options)


def test_too_many_markets_are_refused_with_the_name_of_one():
    engine = ListEngine()
    with opened(engine) as feed:
        trades = feed.trades()
        for number in range(13):
            at = BASE_US + number
            engine.play("trade", (at, f"M{number:02}", 4_700, 1, "yes", "bid", 5_300, False, "id", at, number))
        feed.flush()
        with pytest.raises(kn.errors.ConfigurationError, match=r"13 markets.*plot_price\('M00'\)"):
            trades.plot_price()


def test_without_altair_it_says_how_to_install_it(feed, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "altair" else find(name))
    trades, book = feed.trades(), feed.book(MARKET)
    for call in (trades.plot_price, book.plot_depth):
        with pytest.raises(kn.errors.MissingPackageError, match=r"plot_\w+\(\) needs altair.*pip install altair"):
            call()


def test_nothing_but_drawing_loads_altair():
    import subprocess

    script = (
        "import kalshi_nb as kn, sys\n"
        "feed = kn.connect('sim'); trades = feed.trades(); trades.wait(rows=1)\n"
        "bars = feed.stream('trade').bars('1s')\n"
        "trades.resample('1s'); feed.close()\n"
        "assert 'altair' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
