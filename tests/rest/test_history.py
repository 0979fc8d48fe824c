"""Trades and candles of the past, from both tiers, each once, and kept when they are broken off."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import re
import threading
import time

import pandas as pd
import polars as pl
import pytest
from polars.testing import assert_frame_equal

import kalshi_nb as kn
from kalshi_nb._rest.candles import CandleHistory
from kalshi_nb._rest.client import RestClient
from kalshi_nb._rest.trades import TIME, TRADE_ID, TradeHistory
from kalshi_nb.errors import (
    ConfigurationError,
    FileError,
    HistoryWarning,
    MarketTickerError,
    PagingError,
    RestBodyError,
    RestError,
    RestNotFoundError,
    RestUnavailableError,
    UnknownEnvironmentError,
)

TICKER = "KXHIGHNY-26NOV22-B52.5"
SENATE = "KXSENATEOH-28-D"
SECOND = 1_000_000
DAY = 86_400 * SECOND


@pytest.fixture
def history(client, exchange):
    return TradeHistory(client, exchange.now_us)


def ledger(exchange, ticker, since, until):
    """What the exchange itself knows was traded."""
    venue = exchange._programme.venue
    before = venue.past.trades(ticker, since, until)
    return [each.trade_id for each in (*before, *venue.ledger.of(ticker, since, until))]


def ids(pages):
    return [row[TRADE_ID] for page in pages for row in page]


# -- trades --------------------------------------------------------------------------------------------------------


def test_trades_come_newest_first_from_the_tape_into_the_past(history, exchange):
    exchange.advance(120)
    now = exchange.now_us()
    rows = [row for page in history.pages(TICKER, now - 7_200 * SECOND, now) for row in page]
    assert [row[TIME] for row in rows] == sorted((row[TIME] for row in rows), reverse=True)
    assert sorted(row[TRADE_ID] for row in rows) == sorted(ledger(exchange, TICKER, now - 7_200 * SECOND, now))
    assert history.rejected == 0


def test_a_window_across_the_cutoff_is_asked_of_both_tiers_and_each_trade_comes_once(history, exchange):
    cutoff = history.cutoff()
    since, until = cutoff - 4 * DAY, cutoff + DAY
    found = ids(history.pages(SENATE, since, until))
    assert len(found) == len(set(found))
    assert sorted(found) == sorted(ledger(exchange, SENATE, since, until))


def test_what_is_empty_in_one_tier_is_asked_of_the_other(open_client, scripted):
    trade = (
        '{"trade_id":"a","ticker":"KXA-1","count_fp":"1.00","yes_price_dollars":"0.5000",'
        '"created_time":"2026-11-22T14:00:00Z"}'
    )
    server = scripted(
        (200, '{"trades_created_ts":"2026-09-23T00:00:00Z"}'),
        (200, '{"trades":[],"cursor":""}'),
        (200, f'{{"trades":[{trade}],"cursor":""}}'),
    )
    history = TradeHistory(open_client(server.base), lambda: 1_795_359_600 * SECOND)
    assert ids(history.pages("KXA-1", 1_795_350_000 * SECOND, 1_795_359_600 * SECOND)) == ["a"]
    assert [path.partition("?")[0].rpartition("v2")[2] for path, _ in server.asked] == [
        "/historical/cutoff",
        "/markets/trades",
        "/historical/trades",
    ]


def test_a_trade_that_cannot_be_read_costs_that_trade(open_client, scripted):
    def trade(name, **more):
        fields = {
            "trade_id": name,
            "ticker": "KXA-1",
            "count_fp": "1.00",
            "yes_price_dollars": "0.5000",
            "created_time": "2026-11-22T14:00:00Z",
        } | more
        return "{" + ",".join(f'"{key}":"{value}"' for key, value in fields.items() if value is not None) + "}"

    rows = [
        trade("a"),
        trade("b", created_time="soon"),
        trade("c", yes_price_dollars="0.12345678"),
        trade("d", count_fp=None),
        trade("e", taker_outcome_side="perhaps"),
        trade("f", taker_outcome_side="no"),
    ]
    server = scripted((200, '{"trades_created_ts":"2026-09-23T00:00:00Z"}'), (200, f'{{"trades":[{",".join(rows)}]}}'))
    history = TradeHistory(open_client(server.base), lambda: 1_795_359_600 * SECOND)
    found = [row for page in history.pages(None, 1_795_350_000 * SECOND, 1_795_359_600 * SECOND) for row in page]
    assert [(row[TRADE_ID], row[4], row[5]) for row in found] == [
        ("a", None, None),
        ("e", None, None),
        ("f", "no", "ask"),
    ]
    assert history.rejected == 3
    assert history.told().startswith("3 trades had no time, price or count")
    assert history.told(2).startswith("1 trade had")
    assert history.told(3) == ""


def trade_of(name, **more):
    fields = {
        "trade_id": name,
        "ticker": "KXA-1",
        "count_fp": "1.00",
        "yes_price_dollars": "0.5000",
        "no_price_dollars": "0.5000",
        "created_time": "2026-11-22T14:00:00Z",
    }
    return {**fields, **more}


def trades_of(trades, cursor=""):
    return 200, json.dumps({"trades": trades, "cursor": cursor})


CUTOFF = 200, '{"trades_created_ts":"2026-09-23T00:00:00Z"}'
SINCE, UNTIL = 1_795_350_000 * SECOND, 1_795_359_600 * SECOND


@pytest.mark.parametrize(
    "odd",
    [
        {"count_fp": "0.00"},
        {"count_fp": "-1.00"},
        {"yes_price_dollars": "5.0000"},
        {"yes_price_dollars": "-0.5000"},
        {"no_price_dollars": "1.0001"},
        {"ticker": ""},
        {"ticker": "KXB-2"},
        {"trade_id": ""},
    ],
    ids=str,
)
def test_a_trade_that_cannot_be_is_left_out_and_said_to_be(open_client, scripted, odd):
    server = scripted(CUTOFF, trades_of([trade_of("a"), trade_of("b", **odd), trade_of("c")]))
    history = TradeHistory(open_client(server.base), lambda: UNTIL)
    assert ids(history.pages("KXA-1", SINCE, UNTIL)) == ["a", "c"]
    assert history.rejected == 1
    assert "or no market that was asked for, and is left out" in history.told()


def test_older_and_older_trades_without_end_are_not_asked_for(open_client, scripted):
    def page(day):
        return trades_of([trade_of(f"of day {day}", created_time=f"2026-11-{day}T14:00:00Z")], f"before {day}")

    server = scripted(CUTOFF, page(22), page(21), page(20), page(19), page(18))
    history = TradeHistory(open_client(server.base), lambda: UNTIL)
    assert ids(history.pages("KXA-1", SINCE, UNTIL)) == ["of day 22"]
    assert len(server.asked) == 3  # the cutoff, what is wanted, and the first page that has nothing of it


def test_a_trade_that_both_lists_have_long_after_the_cutoff_comes_once(open_client, scripted):
    server = scripted(CUTOFF, trades_of([trade_of("a")]), trades_of([trade_of("a")]))
    history = TradeHistory(open_client(server.base), lambda: UNTIL)
    assert ids(history.pages("KXA-1", 0, UNTIL)) == ["a"]
    assert len(server.asked) == 3


ONE = (
    '{{"trade_id":"{0}","ticker":"KXA-1","count_fp":"1.00","yes_price_dollars":"0.5000",'
    '"created_time":"2026-11-22T14:00:0{0}Z"}}'
)
CUTOFF = (200, '{"trades_created_ts":"2026-09-23T00:00:00Z"}')


@pytest.mark.parametrize("goes_to_files", [False, True])
def test_history_says_of_how_many_trades_it_could_not_read(scripted, tmp_path, goes_to_files):
    unreadable = ONE.format(2).replace("1.00", "1e400")
    server = scripted(CUTOFF, (200, f'{{"trades":[{unreadable},{ONE.format(1)}],"cursor":""}}'))
    where = server.base.replace("http", "ws", 1)
    out = tmp_path / "trades" if goes_to_files else None
    with pytest.warns(HistoryWarning, match="^1 trade had no time, price or count that can be read") as told:
        found = kn.history(where, "KXA-1", since="2026-11-22", until="2026-11-23", out=out)
    assert told[0].filename == __file__
    assert found.lazy().collect()["trade_id"].to_list() == ["1"]


def test_where_the_cutoff_is_not_said_both_tiers_are_asked(open_client, scripted):
    server = scripted(
        (200, "{}"),
        (200, f'{{"trades":[{ONE.format(2)}],"cursor":""}}'),
        (200, f'{{"trades":[{ONE.format(2)},{ONE.format(1)}],"cursor":""}}'),
    )
    history = TradeHistory(open_client(server.base), lambda: 1_795_359_600 * SECOND)
    assert ids(history.pages("KXA-1", 1_795_350_000 * SECOND, 1_795_359_600 * SECOND)) == ["2", "1"]


def test_a_page_without_its_list_is_no_page_of_nothing(open_client, scripted):
    history = TradeHistory(open_client(scripted(CUTOFF, (200, '{"cursor":""}')).base), lambda: 1_795_359_600 * SECOND)
    with pytest.raises(RestBodyError, match="trades"):
        ids(history.pages("KXA-1", 1_795_350_000 * SECOND, 1_795_359_600 * SECOND))


@pytest.mark.parametrize("trouble", [{"refuse": 3, "after": 2}, {"refuse": 2, "refusal": "gateway"}, {"tokens": 40}])
def test_a_long_walk_outlasts_trouble(history, exchange, trouble):
    now = exchange.now_us()
    exchange.faults.rest(**trouble)
    found = ids(history.pages(TICKER, now - 12 * 3_600 * SECOND, now))
    assert sorted(found) == sorted(ledger(exchange, TICKER, now - 12 * 3_600 * SECOND, now))


def test_pages_that_lead_in_a_circle_are_an_error(history, exchange):
    exchange.faults.rest(cursors="garbage")
    now = exchange.now_us()
    with pytest.raises(PagingError):
        list(history.pages(TICKER, now - 12 * 3_600 * SECOND, now))


# -- without a feed ------------------------------------------------------------------------------------------------


def test_history_is_a_frame_oldest_first_of_the_columns_of_trades(exchange):
    found = kn.history(exchange, [TICKER, SENATE], "3h")
    assert found["ts"].is_sorted()
    assert set(found["market_ticker"]) == {TICKER, SENATE}
    assert found.columns[-1] == "backfilled"
    assert found["backfilled"].all()
    assert found["received_at"].is_null().all()
    since = exchange.now_us() - 3 * 3_600 * SECOND
    assert found.height == sum(len(ledger(exchange, each, since, exchange.now_us())) for each in (TICKER, SENATE))
    assert kn.history(exchange, "KXNONE-1").schema == found.schema


def test_history_goes_to_files_that_are_the_same_frame(exchange, tmp_path, monkeypatch):
    monkeypatch.setattr("kalshi_nb._rest.trade_files._FILE_ROWS", 1_000)
    reached = []
    lazy = kn.history(exchange, TICKER, "20h", out=tmp_path / "out", progress=lambda *told: reached.append(told))
    assert len(list((tmp_path / "out").rglob("*.parquet"))) == 3
    found = lazy.collect()
    assert found["ts"].is_sorted()
    assert_frame_equal(found, kn.history(exchange, TICKER, "20h"))
    assert [rows for rows, _ in reached] == sorted({rows for rows, _ in reached})
    assert reached[-1][0] == found.height
    assert reached[0][1] > reached[-1][1] >= found["ts"][0]
    with pytest.raises(ConfigurationError, match="has files in it"):
        kn.history(exchange, TICKER, "1h", out=tmp_path / "out")
    blocked = tmp_path / "blocked"
    blocked.write_text("")
    with pytest.raises(FileError, match="cannot be written"):
        kn.history(exchange, TICKER, "1h", out=blocked / "out")


def test_what_came_before_the_exchange_failed_is_kept(exchange, tmp_path, monkeypatch):
    monkeypatch.setattr("kalshi_nb._rest.client._TRIES", 1)
    monkeypatch.setattr("kalshi_nb._rest.client.RestClient.get.__kwdefaults__", {"tries": 1, "timeout": 5.0})
    exchange.faults.rest(refuse=1_000, after=3, refusal="gateway")
    with pytest.raises(RestUnavailableError) as stopped:
        kn.history(exchange, TICKER, "20h")
    assert stopped.value.partial.height == 2_000
    assert "until=" in stopped.value.__notes__[-1]
    exchange.faults.rest(refuse=1_000, after=3, refusal="gateway")
    with pytest.raises(RestUnavailableError) as stopped:
        kn.history(exchange, TICKER, "20h", out=tmp_path / "out")
    assert "1 file had been written" in stopped.value.__notes__[-1]
    assert pl.read_parquet(list((tmp_path / "out").rglob("*.parquet"))).height == 2_000


@pytest.mark.parametrize(
    "wrong",
    [
        {"since": "soon"},
        {"since": "1h", "until": "2026-11-22T13:00"},
        {"since": -1},
        {"since": "2031-01-01"},
        {"since": []},
        {"until": "then"},
        {"out": 7},
    ],
)
def test_windows_that_cannot_be_are_refused(exchange, wrong):
    with pytest.raises(ConfigurationError):
        kn.history(exchange, TICKER, **wrong)


def test_since_takes_a_length_of_time_and_a_moment(exchange):
    now = dt.datetime.fromtimestamp(exchange.now_us() / SECOND, dt.UTC)
    expected = kn.history(exchange, TICKER, "2h")
    for since in (dt.timedelta(hours=2), now - dt.timedelta(hours=2), (now - dt.timedelta(hours=2)).isoformat()):
        assert_frame_equal(kn.history(exchange, TICKER, since), expected)


def test_a_window_from_the_beginning_of_time_is_all_there_is(exchange):
    before = kn.history(exchange, TICKER, "3d", until="2026-11-22T14:00")
    for since in (0, "36500d"):
        assert_frame_equal(kn.history(exchange, TICKER, since, until="2026-11-22T14:00"), before)


# -- candles -------------------------------------------------------------------------------------------------------


def test_candles_are_those_that_the_trades_make(exchange):
    exchange.advance(180)
    found = kn.candles(exchange, TICKER, "1m", since="2h")
    trades = kn.history(exchange, TICKER, "2h")
    bars = (
        trades.group_by(pl.col("ts").dt.truncate("1m").alias("start"), maintain_order=True)
        .agg(
            pl.col("yes_price").max().alias("high"),
            pl.col("yes_price").min().alias("low"),
            pl.col("count").sum().round(2).alias("volume"),
            # One who takes several levels at once makes several trades of one time, whose order an id does not tell.
            pl.col("yes_price").filter(pl.col("ts") == pl.col("ts").min()).alias("firsts"),
            pl.col("yes_price").filter(pl.col("ts") == pl.col("ts").max()).alias("lasts"),
        )
        .filter(pl.col("start") >= trades["ts"][0])
    )
    traded = found.filter(pl.col("open").is_not_null(), pl.col("start") >= trades["ts"][0])
    assert bars.height > 30
    assert_frame_equal(traded.select("start", "high", "low", "volume"), bars.drop("firsts", "lasts"))
    ends = traded.join(bars, on="start").select(
        pl.col("firsts").list.contains(pl.col("open")), pl.col("lasts").list.contains(pl.col("close"))
    )
    assert ends["firsts"].all()
    assert ends["lasts"].all()


def test_candles_without_a_trade_have_no_price_and_the_mid_of_the_quotes(exchange):
    found = kn.candles(exchange, SENATE, "1m", since="5h")
    quiet = found.filter(pl.col("open").is_null())
    assert quiet.height > 10
    assert quiet["close"].is_null().all()
    assert quiet["volume"].sum() == 0
    assert quiet["mid"].to_list() == pytest.approx(((quiet["yes_bid_close"] + quiet["yes_ask_close"]) / 2).to_list())
    whole = kn.candles(exchange, SENATE, "1m", since="5h", filled=True)
    gaps = whole["start"].diff().drop_nulls().unique().to_list()
    assert gaps == [dt.timedelta(minutes=1)]
    assert_frame_equal(whole.join(found.select("start"), on="start", how="semi"), found)
    made = whole.join(found.select("start"), on="start", how="anti")
    assert made.height == whole.height - found.height > 0
    before = found.select("start", stood="yes_bid_close")
    stood = made.join_asof(before, on="start")
    assert (stood["yes_bid_open"] == stood["stood"]).all()


def test_days_are_those_of_new_york(exchange):
    found = kn.candles(exchange, SENATE, "1d", since="30d")
    assert found.height == 31
    local = found.select(pl.col("start", "end").dt.convert_time_zone("America/New_York"))
    assert (local["start"].dt.hour() == 0).all()
    assert (local["end"].dt.hour() == 0).all()
    assert (found["end"] - found["start"]).unique().sort().to_list() == [
        dt.timedelta(hours=24),
        dt.timedelta(hours=25),
    ]
    assert found["complete"].to_list() == [True] * 30 + [False]


def test_candles_of_a_market_that_has_moved_are_found_and_have_the_same_columns(exchange):
    listings = exchange._programme.venue.past.listings
    ticker = next(each for each in listings if "26SEP15" in each)
    close = listings[ticker].close_us
    found = kn.candles(exchange, [ticker, SENATE], "1h", since=(close - 20 * 3_600 * SECOND) / 1e6, until=close / 1e6)
    assert set(found["market_ticker"]) == {ticker, SENATE}
    assert found.group_by("market_ticker").len()["len"].min() > 15
    assert found["yes_ask_close"].null_count() < found.height


def test_long_spans_and_many_markets_are_cut_into_questions_that_the_exchange_takes(client, exchange):
    found = CandleHistory(client, exchange.now_us)
    until = exchange.now_us() // SECOND
    tickers = sorted(exchange.market_tickers)
    frames = list(found.pages(tickers, 1, until - 2 * 86_400, until))
    assert len(frames) == 12 * 4  # of 10,000 for twelve markets are 833 minutes each
    whole = pl.concat(frames)
    assert whole.select("market_ticker", "start").is_duplicated().sum() == 0


def test_several_windows_are_asked_for_at_once_and_each_of_them_once(open_client, scripted):
    said = {"ticker": SENATE, "open_time": "2026-01-01T00:00:00Z"}  # of the market, and of its candles
    said |= {"market_ticker": SENATE, "candlesticks": [{"end_period_ts": 60}]}
    body = json.dumps({"markets": [said]}).encode()
    server = scripted((200, body))
    lock, four, numbers, under_way, most = threading.Lock(), threading.Barrier(4), itertools.count(), [0], []

    def answer():
        with lock:
            number, under_way[0] = next(numbers), under_way[0] + 1
            most.append(under_way[0])
        if 1 <= number <= 4:  # the first is about the market alone
            four.wait(60)
        with lock:
            under_way[0] -= 1
        return 200, body, {}

    server.next = answer
    candles = CandleHistory(open_client(server.base), lambda: 2_000_000_000 * SECOND)
    assert len(list(candles.pages([SENATE], 1, 1_790_000_000, 1_790_000_000 + 80 * 86_400))) == 12
    assert max(most) == 4
    starts = [int(path.partition("start_ts=")[2].partition("&")[0]) for path, _ in server.asked if "start_ts" in path]
    assert len(set(starts)) == len(starts) == 12


def test_whoever_gives_up_leaves_nothing_that_is_begun_or_asked_again(exchange, monkeypatch):
    asked = []
    get = RestClient.get
    monkeypatch.setattr(RestClient, "get", lambda *args, **named: asked.append(args[1]) or get(*args, **named))
    monkeypatch.setattr("kalshi_nb._rest.client.RestClient._ceiling", lambda *_: 0.01)

    def stop(_rows, _reached):
        exchange.faults.rest(refuse=1_000_000, refusal="gateway")
        raise KeyboardInterrupt

    with kn.connect(exchange, new=True) as feed:
        with pytest.raises(KeyboardInterrupt):
            feed.candles(SENATE, "1m", since="80d", progress=stop)
        count, requests = len(asked), exchange._server.rest.trouble.requests
        time.sleep(0.5)
        assert (len(asked), exchange._server.rest.trouble.requests - requests <= 4) == (count, True)


def test_a_market_that_moves_to_the_other_tier_while_it_is_asked_for_is_whole(exchange, open_client, monkeypatch):
    """It is in the first answers and not in the later ones, and nobody says why."""
    monkeypatch.setattr("kalshi_nb._rest.candles._MOST_IN_ALL", 200)
    ticker = next(each for each in exchange._programme.venue.past.listings if "26OCT15" in each)
    close = exchange._programme.venue.past.listings[ticker].close_us // SECOND
    span = (1, close - 30 * 3_600, close)
    whole = pl.concat(CandleHistory(open_client(exchange), exchange.now_us).pages([ticker], *span))
    client = open_client(exchange)
    get, answers = client.get, []

    def answered(path, *rest):
        answers.append(path)
        if len(answers) == 3:
            exchange.faults.rest(live_tier=3_600)
        return get(path, *rest)

    client.get = answered

    found = pl.concat(CandleHistory(client, exchange.now_us).pages([ticker], *span))
    assert any(each.startswith("/historical/markets/") for each in answers)
    assert_frame_equal(found.unique(["start"], keep="last").sort("start"), whole.sort("start"))


def test_a_candle_that_a_cache_answers_is_complete_by_when_it_was_made(exchange):
    exchange.faults.rest(late=20, cache=15)
    exchange.advance(70)
    span = {"since": exchange.now_us() / 1e6 - 600, "until": exchange.now_us() / 1e6 - 1}
    before = kn.candles(exchange, TICKER, "1m", **span)
    exchange.advance(14)
    cached = kn.candles(exchange, TICKER, "1m", **span)
    assert_frame_equal(cached, before)
    exchange.faults.rest()
    exchange.advance(90)
    after = kn.candles(exchange, TICKER, "1m", **span)
    whole = cached.filter("complete")
    assert_frame_equal(whole, after.filter(pl.col("start").is_in(whole["start"].implode())))
    assert after["complete"].all()


@pytest.mark.parametrize("since", [0, dt.datetime(1600, 1, 1, tzinfo=dt.UTC)])
def test_minutes_from_the_beginning_of_time_are_asked_for_from_the_opening_on(exchange, monkeypatch, since):
    asked = []
    get = RestClient.get
    monkeypatch.setattr(RestClient, "get", lambda *args, **named: asked.append(args[1]) or get(*args, **named))
    found = kn.candles(exchange, TICKER, "1m", since=since)
    assert_frame_equal(found, kn.candles(exchange, TICKER, "1m", since="3d"))
    assert len(asked) == 3  # the market, its candles, and those of three days
    moved = next(each for each in exchange._programme.venue.past.listings if "26SEP15" in each)
    asked.clear()
    assert kn.candles(exchange, moved, "1h", since=since).height > 15
    assert len(asked) < 6
    asked.clear()
    with pytest.raises(RestNotFoundError):
        kn.candles(exchange, "KXNONE-1-A", "1m", since=since)
    assert len(asked) == 2  # in both tiers


def test_candles_of_a_long_span_before_a_market_opened_are_none_and_no_error(exchange):
    assert kn.candles(exchange, TICKER, "1m", since="2025-01-01", until="2026-01-01").is_empty()


@pytest.mark.parametrize("ask", [kn.candles, kn.history])
def test_the_ticker_of_an_event_names_its_markets_and_that_of_a_series_says_how_to_list_them(exchange, ask):
    with pytest.raises(MarketTickerError, match=f"is an event. Its markets are .*'{TICKER}'"):
        ask(exchange, "KXHIGHNY-26NOV22")
    with pytest.raises(MarketTickerError, match="'KXHIGHNY' is a series"):
        ask(exchange, "KXHIGHNY")
    with pytest.raises(MarketTickerError, match=f"upper case: '{TICKER}'"):
        ask(exchange, TICKER.lower())


@pytest.mark.parametrize("ask", [kn.candles, kn.history, kn.markets])
def test_a_ticker_in_the_place_of_the_exchange_says_what_goes_there(ask):
    with pytest.raises(UnknownEnvironmentError, match=f"'{TICKER}' stands where the exchange is named"):
        ask(TICKER)


def test_until_takes_a_length_of_time_too_and_both_take_days(exchange):
    found = kn.history(exchange, TICKER, since="3h", until="1h")
    assert_frame_equal(
        found,
        kn.history(
            exchange,
            TICKER,
            since=dt.datetime.fromtimestamp(exchange.now_us() / 1e6, dt.UTC) - dt.timedelta(hours=3),
            until=dt.timedelta(hours=1),
        ),
    )
    day = kn.history(exchange, TICKER, since=dt.date(2026, 11, 21), until=dt.date(2026, 11, 22))
    assert_frame_equal(day, kn.history(exchange, TICKER, since="2026-11-21", until="2026-11-22"))
    assert day.height


@pytest.mark.parametrize(
    ("since", "said"),
    [
        (3_600, "lies in the seventies. For so long ago write since='3600s'"),
        (1_795_359_600_000, "looks like milliseconds"),
        (pd.NaT, "give a moment"),
        ("yesterday", "such as '24h', or a moment, such as '2026-11-28T06:30'"),
    ],
)
@pytest.mark.parametrize("ask", [kn.candles, kn.history])
def test_since_that_is_hardly_meant_says_what_to_write(exchange, ask, since, said):
    with pytest.raises(ConfigurationError, match=re.escape(said)):
        ask(exchange, TICKER, since=since)


@pytest.mark.parametrize("ask", [kn.candles, kn.history])
def test_since_that_is_nothing_is_no_day_in_secret(exchange, ask):
    with pytest.raises(ConfigurationError, match=r"since=None: say how far back.*since=0 is all"):
        ask(exchange, TICKER, since=None)
    assert_frame_equal(ask(exchange, TICKER), ask(exchange, TICKER, since="24h"))


@pytest.mark.parametrize("ask", [kn.candles, kn.history])
def test_progress_that_cannot_be_called_is_refused_before_the_first_page(exchange, ask):
    with pytest.raises(ConfigurationError, match="progress='print'"):
        ask(exchange, TICKER, progress="print")


def test_a_market_that_does_not_exist_is_named(exchange):
    with pytest.raises(RestNotFoundError, match="KXNONE-1"):
        kn.candles(exchange, [TICKER, "KXNONE-1"])


def test_many_that_do_not_exist_are_asked_for_together_and_named_in_short(exchange, monkeypatch):
    asked = []
    get = RestClient.get
    monkeypatch.setattr(RestClient, "get", lambda *args, **named: asked.append(args[1]) or get(*args, **named))
    moved = [each for each in exchange._programme.venue.past.listings if "26SEP15" in each]
    tickers = [*(f"KXNONE-{number}-A" for number in range(150)), *moved, TICKER]
    with pytest.raises(RestNotFoundError, match=r"KXNONE-10-A'.* and 142 more, neither") as stopped:
        kn.candles(exchange, tickers, "1h", since="90d")
    assert asked.count("/historical/markets") == 2
    assert len(asked) < 20
    assert set(stopped.value.partial["market_ticker"]) == {*moved, TICKER}


def test_candles_that_came_before_ctrl_c_or_a_failure_are_kept(exchange, monkeypatch):
    monkeypatch.setattr("kalshi_nb._rest.candles._MOST_IN_ALL", 2_000)
    tickers = sorted(exchange.market_tickers)[:4]

    def stop(rows, _reached):
        if rows > 300:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as stopped:
        kn.candles(exchange, tickers, "1m", since="2d", progress=stop)
    assert stopped.value.partial.height > 300
    assert ".partial" in stopped.value.__notes__[0]
    assert "cursor" not in stopped.value.__notes__[0]
    monkeypatch.setattr("kalshi_nb._rest.client.RestClient.get.__kwdefaults__", {"tries": 1, "timeout": 5.0})
    while any(each.name == "kalshi-asking" for each in threading.enumerate()):
        time.sleep(0.01)  # what was under way at Ctrl-C ends with its question, and would count
    exchange.faults.rest(after=2, refuse=100)
    with pytest.raises(RestError) as failed:
        kn.candles(exchange, tickers, "1m", since="2d")
    assert failed.value.partial.height > 0


@pytest.mark.parametrize("wrong", [{"interval": "5m"}, {"interval": 60}, {"filled": "yes"}, {"market_tickers": None}])
def test_candles_that_cannot_be_are_refused(exchange, wrong):
    with pytest.raises(ConfigurationError):
        kn.candles(exchange, **{"market_tickers": TICKER} | wrong)


def test_a_walk_can_be_interrupted_and_leaves_no_thread(exchange):
    def stop(_rows, _reached):
        raise KeyboardInterrupt

    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt) as stopped:
        kn.history(exchange, TICKER, "20h", progress=stop)
    assert stopped.value.partial.height == 1_000
    assert threading.active_count() == before
