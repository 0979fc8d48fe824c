"""Candles that go on: what is complete is what REST says, whatever was lost; what was heard is what it will say."""

from __future__ import annotations

import datetime as dt
import time
from dataclasses import replace

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import kalshi_nb as kn
from kalshi_nb._feed import open_candles
from kalshi_nb._feed.candle_rows import CandleRows, interval_start
from kalshi_nb.errors import (
    ConfigurationError,
    FeedClosedError,
    HandleClosedError,
    MarketTickerError,
    RestNotFoundError,
    RestUnavailableError,
    UsageError,
    WaitTimeoutError,
)
from tests.feed.conftest import until

TICKER = "KXHIGHNY-26NOV22-B52.5"
MARKETS = [TICKER, "KXNFLGAME-26NOV22NYJBUF-BUF", "KXSENATEOH-28-D"]
SECOND = 1_000_000
MINUTE = 60 * SECOND


def to_the(second, exchange):
    """Let the exchange's clock go on to a second of a minute."""
    exchange.advance((second - exchange.now_us() / SECOND) % 60 or 60)


def caught_up(candles, exchange):
    """Wait until all is complete that can be."""
    moment = exchange.now_us() - 21 * SECOND
    minutes = {"1m": 1, "1h": 60, "1d": 1_440}[candles.interval]
    return candles.wait(until=interval_start(moment, minutes) / SECOND, timeout=60)


def come_back(feed):
    """Have a connection that was lost back, without the rest before the next attempt."""
    until(lambda: feed.reconnect() or feed.state == "connected", "it did not come back", 30)
    until(lambda: feed.state == "connected", "it did not come back", 30)


def of_rest(feed, candles, df):
    """What REST says now of some candles."""
    rest = feed.candles(candles.market_tickers, candles.interval, since=df["start"].min())
    return rest.join(df.select("market_ticker", "start"), on=["market_ticker", "start"], how="semi")


def assert_complete_ones_equal(feed, candles):
    df = candles.df
    mine = df.filter("complete")
    assert not mine.is_empty()
    assert_frame_equal(mine, of_rest(feed, candles, mine))
    # None of REST's is missing, either.
    rest = feed.candles(candles.market_tickers, candles.interval, since=df["start"].min())
    assert rest.filter(pl.col("end") <= candles.complete_until).height == mine.height
    assert df.filter(pl.col("complete") != (pl.col("end") <= candles.complete_until)).is_empty()
    assert df["start"].is_sorted()
    assert not df.select("market_ticker", "start").is_duplicated().any()


@pytest.fixture
def night():
    """An exchange shortly before midnight in New York."""
    start = dt.datetime(2026, 11, 22, 4, 57, 40, tzinfo=dt.UTC)
    with kn.sim.Exchange(seed=7, clock="manual", start=start, speed=0.5) as exchange:
        yield exchange


@pytest.mark.parametrize("filled", [False, True], ids=["sparse", "filled"])
def test_what_is_complete_is_what_rest_says_over_lost_connections_late_trades_and_a_cache(night, filled):
    night.faults.rest(late=20, cache=15)
    with kn.connect(night, new=True) as feed:
        all_of_them = [
            feed.live_candles(MARKETS, interval, since=since, filled=filled)
            for interval, since in (("1m", "10m"), ("1h", "3h"), ("1d", "3d"))
        ]
        for second in (3, 18, 40, 21, 55, 5, 30, 21):
            to_the(second, night)
            night.faults.drop_connections()
            night.advance(7)
            come_back(feed)
            night.advance(2)
            night.faults.drop_connections(inside_a_frame=True)
        night.advance(3)
        for candles in all_of_them:
            caught_up(candles, night)
        assert [each.complete_until.minute for each in all_of_them] == [1, 0, 0]
        assert feed.gaps.height > 10
        assert not [each for each in feed.health().warnings if "Candles" in each]
        for candles in all_of_them:
            df = candles.df
            mine = df.filter("complete")
            rest = feed.candles(MARKETS, candles.interval, since=mine["start"].min(), filled=filled)
            rest = rest.filter(pl.col("end") <= candles.complete_until)
            assert_frame_equal(mine, rest)
            assert df.height > mine.height
            assert df["start"].is_sorted()
        assert mine["start"].dt.hour().unique().to_list() == [5]  # days of New York


def test_what_was_heard_of_a_whole_minute_is_what_rest_says_of_it_later(feed, exchange):
    candles = feed.live_candles(MARKETS, "1m", since="3m")
    to_the(1, exchange)
    heard = []
    for _ in range(4):
        exchange.advance(60)
        df = candles.df
        end = pl.lit(exchange.now_us() // MINUTE * MINUTE).cast(df.schema["end"])
        heard.append(df.filter(pl.col("end") == end))
        assert not heard[-1]["complete"].any()
    exchange.advance(22)
    caught_up(candles, exchange)
    known = pl.concat(heard)
    assert known.height > 8
    assert known["open"].null_count() < known.height
    told = of_rest(feed, candles, known)
    # Tickers come once a second: of the last second of a minute they tell only in the next.
    is_near = (known["open_interest"] / told["open_interest"]).is_between(0.99, 1.01)
    assert is_near.all()
    assert_frame_equal(known.drop("complete", "open_interest"), told.drop("complete", "open_interest"))


def test_an_open_hour_is_made_of_its_minutes_and_of_what_comes(feed, exchange):
    to_the(30, exchange)
    candles = feed.live_candles(MARKETS, "1h", since="2h")
    exchange.faults.drop_connections()
    exchange.advance(20)
    come_back(feed)
    to_the(59, exchange)
    to_the(55, exchange)
    until(lambda: not candles._rows.is_due(exchange.now_us()), "the minutes were not asked for")
    open_ones = candles.df.filter(~pl.col("complete"))
    assert open_ones.height == len(MARKETS)
    told = ["market_ticker", "start", "end", "open", "high", "low", "close", "volume", "mid"]
    assert_frame_equal(open_ones.select(told), of_rest(feed, candles, open_ones).select(told))


def test_the_minute_in_which_it_begins_is_fetched_again_when_all_of_it_can_be_seen(feed, exchange):
    exchange.faults.rest(late=20)
    to_the(50, exchange)
    candles = feed.live_candles(TICKER, "1m", since="3m")
    begun = candles.df
    to_the(19, exchange)
    # It has been over for 19 s, and REST does not have its last second yet.
    first = candles.df.filter(pl.col("start") == begun["start"].max())
    assert first["complete"].to_list() == [False]
    exchange.advance(4)
    caught_up(candles, exchange)
    first = candles.df.filter(pl.col("start") == begun["start"].max())
    assert first["complete"].to_list() == [True]
    exchange.faults.rest()
    assert_frame_equal(first, of_rest(feed, candles, first).with_columns(complete=True))


def test_what_rest_said_of_the_minute_in_which_it_begins_and_what_was_heard_of_it_are_counted_once(feed, exchange):
    to_the(10, exchange)
    candles = feed.live_candles(TICKER, "1m", since="3m")
    assert candles.df["complete"].to_list() == [True, True, False, False]
    to_the(23, exchange)
    candles.wait(until=exchange.now_us() // MINUTE * 60, timeout=30)
    df = candles.df
    assert df["complete"].to_list() == [True, True, True, False]
    assert_frame_equal(
        df.drop("complete", "open_interest"), of_rest(feed, candles, df).drop("complete", "open_interest")
    )


def test_no_answer_out_of_a_cache_is_taken_for_what_rest_says_for_good(feed, exchange):
    exchange.faults.rest(late=20, cache=15)
    to_the(30, exchange)
    candles = feed.live_candles(TICKER, "1m", since="3m")
    to_the(23, exchange)
    caught_up(candles, exchange)
    to_the(10, exchange)
    feed.live_candles(TICKER, "1m", since=candles.complete_until)  # asks for the same, and too soon
    exchange.advance(13)
    caught_up(candles, exchange)
    last = candles.df.filter("complete").tail(1)
    exchange.faults.rest()
    assert_frame_equal(last.drop("complete"), of_rest(feed, candles, last).drop("complete"))


def test_nothing_is_asked_for_too_soon_by_a_computer_whose_clock_is_ahead(feed, exchange, monkeypatch):
    status = feed._engine.status()
    feed._parts.candles._is_own_clock = False  # as that of any exchange elsewhere
    monkeypatch.setattr(feed._engine, "status", lambda: replace(status, clock_skew=30.0))
    candles = feed.live_candles(TICKER, "1m", since="3m")
    before = candles.complete_until
    to_the(15, exchange)
    (look,) = feed._parts.candles._looks
    assert look.now() == exchange.now_us() - 30 * SECOND
    exchange.advance(6)
    assert look.due > time.monotonic() + 3_600
    assert candles.complete_until == before
    exchange.advance(30)
    candles.wait(until=exchange.now_us() // MINUTE * 60, timeout=30)


def test_nothing_is_complete_while_rest_does_not_answer_and_what_was_heard_stays(feed, exchange, monkeypatch):
    monkeypatch.setattr("kalshi_nb._rest.client.RestClient.get.__kwdefaults__", {"tries": 1, "timeout": 5.0})
    monkeypatch.setattr(open_candles, "_AGAIN", 0.5)
    candles = feed.live_candles(TICKER, "1m", since="3m")
    before = candles.complete_until
    exchange.faults.rest(refuse=1_000_000, refusal="gateway")
    exchange.advance(150)
    until(lambda: any("Candles could not" in each for each in feed.health().warnings), "nobody was told")
    assert candles.complete_until == before
    heard = candles.df.filter(~pl.col("complete"))
    assert heard["start"].dt.minute().to_list() == [59, 0, 1, 2]
    assert heard["volume"].sum() > 0
    with pytest.raises(WaitTimeoutError, match="complete until 2026-11-22 14:59:00 UTC, and no further within 0"):
        candles.wait(timeout=0)
    exchange.faults.rest()
    caught_up(candles, exchange)
    assert_complete_ones_equal(feed, candles)
    assert not [each for each in feed.health().warnings if "Candles" in each]


def test_candles_of_a_market_that_is_settled_end():
    with kn.sim.Exchange(seed=7, clock="manual", closes_in=60) as exchange, kn.connect(exchange, new=True) as feed:
        candles = feed.live_candles([TICKER, "KXSENATEOH-28-D"], "1m", since="3m")
        exchange.advance(190)
        caught_up(candles, exchange)
        assert feed.market(TICKER)["status"].to_list() == ["finalized"]
        last = candles.df.group_by("market_ticker").agg(pl.col("end").max()).sort("market_ticker")["end"].to_list()
        assert last[0] < last[1]
        assert_complete_ones_equal(feed, candles)


def test_the_same_call_gives_the_same_candles_and_closing_them_lets_all_go(feed, exchange):
    candles = feed.live_candles(TICKER)
    assert feed.live_candles([TICKER], "1m", since="3h") is candles
    assert feed.live_candles(TICKER, "1h") is not candles
    assert feed.live_candles(TICKER, filled=True) is not candles
    assert feed.live_candles(TICKER, since="2h") is not candles
    assert feed.live_candles(TICKER, since=dt.timedelta(hours=3)) is candles
    with pytest.raises(MarketTickerError):  # the books are theirs alone
        feed.deltas()
    kept = feed.live_candles(TICKER, "1h")
    for each in (candles, feed.live_candles(TICKER, filled=True), feed.live_candles(TICKER, since="2h")):
        each.close()
    assert feed._parts.demand.channels() == {"trade", "ticker", "orderbook_delta"}
    kept.close()
    kept.close()
    assert feed._parts.demand.channels() == set()
    assert feed._parts.candles._hearing == ()
    df = kept.df
    exchange.advance(30)
    assert_frame_equal(kept.df, df)
    assert "closed" in repr(kept)
    with pytest.raises(HandleClosedError):
        kept.wait(timeout=5)
    assert feed.live_candles(TICKER, "1h") is not kept


def test_candles_end_with_their_feed(exchange):
    with kn.connect(exchange, new=True) as feed:
        candles = feed.live_candles(TICKER, since="10m")
    assert candles.df.height > 2
    with pytest.raises(FeedClosedError):
        candles.wait(timeout=5)
    with pytest.raises(FeedClosedError):
        feed.live_candles(TICKER)


def test_they_are_handed_on_as_any_frame(feed, tmp_path):
    with feed.live_candles(TICKER, since="10m") as candles:
        assert candles.schema == candles.df.schema == feed.candles(TICKER, "1m").schema
        assert len(candles) == candles.df.height
        assert pl.read_parquet(candles.write_parquet(tmp_path / "candles.parquet")).height == len(candles)
        assert pl.DataFrame(candles).equals(candles.df)
        assert "complete until 2026-11-22 14:59:00 UTC" in repr(candles)
        assert TICKER in candles._repr_html_()
        chart = candles.plot_price().to_dict()
        assert chart["vconcat"] if "vconcat" in chart else chart["layer"]
        with pytest.raises(UsageError, match="grows while you read it"):
            candles["open"]
        with pytest.raises(AttributeError, match=r"\.df\.filter"):
            candles.filter  # noqa: B018


def test_what_cannot_be_asked_for_is_refused_and_leaves_nothing(feed, exchange, monkeypatch):
    monkeypatch.setattr("kalshi_nb._rest.client.RestClient.get.__kwdefaults__", {"tries": 1, "timeout": 5.0})
    with pytest.raises(ConfigurationError, match="takes the markets by name"):
        feed.live_candles(None)
    with pytest.raises(ConfigurationError, match="'1m', '1h' and '1d'"):
        feed.live_candles(TICKER, "5m")
    with pytest.raises(RestNotFoundError, match="There is no market 'KXNOPE-26NOV22-T1'"):
        feed.live_candles("KXNOPE-26NOV22-T1")
    exchange.faults.rest(refuse=1_000, refusal="gateway")
    with pytest.raises(RestUnavailableError):
        feed.live_candles(TICKER)
    monkeypatch.setattr("kalshi_nb._feed.candle_rows.MOST_CANDLES", 5)
    exchange.faults.rest()
    with pytest.raises(ConfigurationError, match="pass a shorter since"):
        feed.live_candles(TICKER)
    assert feed._parts.demand.channels() == set()
    assert feed._parts.candles._hearing == ()


def test_there_are_none_of_a_recording(tmp_path, feed, exchange):
    recorder = feed.record(tmp_path / "night", ["trade"])
    exchange.advance(30)
    recorder.close()
    with kn.replay(tmp_path / "night", clock="manual") as played:
        with pytest.raises(ConfigurationError, match="plays a recording"):
            played.live_candles(TICKER)
        assert played._parts.demand.channels() == set()


@pytest.mark.parametrize(
    ("moment", "minutes", "start"),
    [
        ("2026-11-22T15:07:59+00:00", 1, "2026-11-22T15:07:00+00:00"),
        ("2026-11-22T15:07:59+00:00", 60, "2026-11-22T15:00:00+00:00"),
        ("2026-11-22T04:59:59+00:00", 1_440, "2026-11-21T05:00:00+00:00"),
        ("2026-11-22T05:00:00+00:00", 1_440, "2026-11-22T05:00:00+00:00"),
        ("2026-11-02T04:30:00+00:00", 1_440, "2026-11-01T04:00:00+00:00"),  # a day of 25 hours
        ("2026-03-09T03:30:00+00:00", 1_440, "2026-03-08T05:00:00+00:00"),  # and one of 23
    ],
)
def test_intervals_begin_as_the_exchange_has_them(moment, minutes, start):
    at, begins = (dt.datetime.fromisoformat(each) for each in (moment, start))
    assert interval_start(int(at.timestamp()) * SECOND, minutes) == begins.timestamp() * SECOND


def traded(minute, price=5_000):
    return (minute * MINUTE + 1, TICKER, price, 100, "yes", "bid", 10_000 - price, False, str(minute), 0, minute)


def quoted(at, bid, ask, status="live"):
    return (at, TICKER, bid, 100, ask, 100, None, None, at, 1, status)


def test_quotes_are_those_that_came_in_the_minute_or_the_one_that_stood():
    rows = CandleRows([TICKER], 1, 0, filled=False)
    rows.hear("quotes", [quoted(0, 4_000, 6_000)])  # how it stands, and no move
    assert rows.df.is_empty()
    rows.hear("trade", [traded(1)])
    rows.hear("quotes", [quoted(2 * MINUTE + 5, 4_100, 6_000), quoted(2 * MINUTE + 6, 3_900, None)])
    rows.hear("quotes", [quoted(2 * MINUTE + 7, None, None, "stale"), quoted(3 * MINUTE + 7, 3_900, None)])
    rows.hear("trade", [traded(3)])
    # A book that was not to be trusted for a while, and is as it was: no move.
    rows.hear("quotes", [quoted(4 * MINUTE, None, None, "stale"), quoted(4 * MINUTE + 1, 3_900, None)])
    bids = rows.df.select("yes_bid_open", "yes_bid_high", "yes_bid_low", "yes_bid_close").rows()
    assert bids == [(0.4,) * 4, (0.41, 0.41, 0.39, 0.39), (0.39,) * 4]
    assert rows.df["yes_ask_close"].to_list() == [0.6, 0.6, None]
    assert rows.df["mid"].to_list() == [0.5, 0.495, None]


def test_what_is_filled_in_is_no_more_complete_than_what_stands_around_it():
    rows = CandleRows([TICKER], 1, 0, filled=True)
    rows.hear("trade", [traded(0), traded(2)])
    assert rows.df["volume"].to_list() == [1.0, 0.0, 1.0]
    assert rows.df["complete"].to_list() == [False, False, False]


def test_the_rows_are_bounded_while_nobody_answers(monkeypatch):
    monkeypatch.setattr("kalshi_nb._feed.minutes.MOST_MINUTES", 3)
    rows = CandleRows([TICKER], 1, 0, filled=False)
    for minute in range(5):
        rows.hear("trade", [traded(minute)])
    assert rows.df["start"].dt.minute().to_list() == [2, 3, 4]
    assert rows.df["volume"].to_list() == [1.0, 1.0, 1.0]


def test_the_ticker_of_an_event_is_told_its_markets_as_everywhere():
    with kn.sim.Exchange(seed=7, clock="manual") as exchange, kn.connect(exchange, new=True) as feed:
        with pytest.raises(
            kn.errors.MarketTickerError, match=r"is an event\. Its markets are 'KXHIGHNY-26NOV22-B48.5'"
        ):
            feed.live_candles("KXHIGHNY-26NOV22")
        with pytest.raises(kn.errors.ConfigurationError, match="live_candles\\(\\) takes the markets by name"):
            feed.live_candles(None)
