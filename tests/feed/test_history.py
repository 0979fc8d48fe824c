"""Trades of before join on to those that come: each once, in order, and it is known when they meet."""

from __future__ import annotations

import datetime as dt
import time

import polars as pl
import pytest

import kalshi_nb as kn
from kalshi_nb._feed.history import reach_of, since_us
from kalshi_nb._rest.trades import TradeHistory
from kalshi_nb.errors import ConfigurationError, HistoryWarning, MarketTickerError, RestUnavailableError
from tests.feed.conftest import until

TICKER = "KXHIGHNY-26NOV22-B52.5"
SECOND = 1_000_000


def ledger(exchange, tickers, since):
    """The ids of all that was traded since a moment, as the exchange itself knows them."""
    venue = exchange._programme.venue
    now = exchange.now_us()
    return {
        each.trade_id
        for ticker in tickers
        for each in (
            *venue.past.trades(ticker, since, now),
            *(one for one in venue.ledger.dealt() if one.trade.market.ticker == ticker and one.time_us >= since),
        )
    }


def test_history_and_what_comes_are_one_frame_without_a_hole_or_a_double(feed, exchange):
    exchange.advance(60)
    since = exchange.now_us() - 7_200 * SECOND
    trades = feed.trades(TICKER, since="2h")
    exchange.advance(60)
    until(lambda: trades.complete("1h"), "the seam was not closed", 30)
    found = trades.df
    assert set(found["trade_id"]) == ledger(exchange, [TICKER], since)
    assert found["trade_id"].n_unique() == found.height
    assert found["ts"].is_sorted()
    assert found.columns[-1] == "backfilled"
    fetched, came = found.filter("backfilled"), found.filter(~pl.col("backfilled"))
    assert fetched["received_at"].is_null().all()
    assert fetched["seq"].is_null().all()
    assert came["received_at"].null_count() == 0
    assert min(fetched.height, came.height) > 10
    assert trades.since("1h").height < found.height


def test_what_could_not_be_read_is_said_and_the_frame_is_not_called_whole(feed, exchange, monkeypatch):
    exchange.advance(60)
    row = TradeHistory._row

    def unreadable(self, trade, market_ticker):
        if trade.created_time < "2026-11-22T14:30:00":
            trade.count_fp = "a lot"
        return row(self, trade, market_ticker)

    monkeypatch.setattr(TradeHistory, "_row", unreadable)
    with pytest.warns(HistoryWarning, match="trades had no time, price or count") as told:
        trades = feed.trades(TICKER, since="2h")
    assert told[0].filename == __file__
    exchange.advance(60)
    until(lambda: trades.df["received_at"].null_count() < trades.df.height, "nothing came", 30)
    whole = feed.trades(TICKER, since="20m")
    exchange.advance(60)
    until(lambda: whole.complete("10m"), "the seam of the other was not closed", 30)
    assert not trades.complete("1h")


def test_since_of_an_event_names_its_markets(feed):
    with pytest.raises(MarketTickerError, match=f"is an event. Its markets are .*'{TICKER}'"):
        feed.trades("KXHIGHNY-26NOV22", since="1h")


def test_of_several_markets_and_of_all(feed, exchange):
    tickers = [TICKER, "KXNFLGAME-26NOV22NYJBUF-BUF"]
    exchange.advance(30)
    since = exchange.now_us() - 1_800 * SECOND
    some, everything = feed.trades(tickers, since="30m"), feed.trades(since="30m")
    exchange.advance(30)
    until(lambda: some.complete("20m") and everything.complete("20m"), "a seam was not closed", 30)
    assert set(some.df["trade_id"]) == ledger(exchange, tickers, since)
    assert set(everything.df["trade_id"]) == ledger(exchange, exchange.market_tickers, since)


def test_the_same_question_gives_the_same_frame_and_another_another(feed, exchange):
    trades = feed.trades(TICKER, since="1h")
    assert feed.trades(TICKER, since=dt.timedelta(hours=1)) is trades
    assert feed.trades(TICKER) is not trades
    assert "backfilled" not in feed.trades(TICKER).df.columns
    assert feed.trades(TICKER, since="2h") is not trades
    trades.close()
    assert feed.trades(TICKER, since="1h") is not trades


def test_a_window_that_cannot_keep_it_is_refused_with_what_can_and_leaves_nothing(feed, exchange):
    with pytest.raises(ConfigurationError, match=r"Pass rows=[\d_]+, or a shorter since") as refused:
        feed.trades(TICKER, since="20h", rows=1_000)
    rows = int(str(refused.value).partition("rows=")[2].partition(",")[0])
    assert feed.trades(TICKER, since="20h", rows=rows).df.height > 1_000
    with pytest.raises(ConfigurationError, match="do not go together"):
        feed.trades(TICKER, since="1h", seconds="10m")
    assert [each for each in feed.pipelines if each.channel == "trade"] == []


def test_an_exchange_that_does_not_answer_is_an_error_of_this_cell_alone(feed, exchange, monkeypatch):
    monkeypatch.setattr("kalshi_nb._rest.client.RestClient.get.__kwdefaults__", {"tries": 1, "timeout": 5.0})
    exchange.faults.rest(refuse=1_000, refusal="gateway")
    live = feed.trades(TICKER)
    with pytest.raises(RestUnavailableError):
        feed.trades(TICKER, since="1h")
    exchange.advance(30)
    assert live.df.height > 0
    exchange.faults.rest()
    assert feed.trades(TICKER, since="1h").df["backfilled"].any()


def test_progress_is_told_of_trades_that_are_fetched_and_what_came_before_ctrl_c_is_kept(feed, exchange):
    told = []
    trades = feed.trades(TICKER, since="20h", progress=lambda rows, reached: told.append((rows, reached)))
    assert told[-1][0] == trades.df.height
    assert told[-1][1] == trades.df["ts"][0]
    assert len(told) > 1

    def stop(rows, _reached):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as stopped:
        feed.trades([TICKER, "KXSENATEOH-28-D"], since="20h", progress=stop)
    assert stopped.value.partial.height == 1_000
    assert set(stopped.value.partial["trade_id"]) <= ledger(exchange, [TICKER], 0)
    (note,) = stopped.value.__notes__
    assert f"back to {stopped.value.partial['ts'][0]:%Y-%m-%d %H:%M:%S} UTC of {TICKER}, 1 of 2" in note
    with pytest.raises(ConfigurationError, match="progress"):
        feed.trades(TICKER, since="1h", progress="yes")


@pytest.mark.parametrize("ask", ["candles", "live_candles"])
def test_since_that_is_nothing_is_no_day_in_secret(feed, ask):
    with pytest.raises(ConfigurationError, match="since=None: say how far back"):
        getattr(feed, ask)(TICKER, "1m", since=None)


def test_trades_that_are_seen_late_are_looked_for_again(monkeypatch):
    monkeypatch.setattr("kalshi_nb._feed.history.TRIES", (0.5, 1.0, 2.0, 4.0, 8.0))
    with kn.sim.Exchange(seed=7, speed=20) as exchange, kn.connect(exchange, new=True) as feed:
        exchange.faults.rest(late=2)
        time.sleep(2)
        since = exchange.now_us() - 600 * SECOND
        trades = feed.trades(TICKER, since="10m")
        until(lambda: trades.complete("5m"), "the seam was not closed", 30)
        feed.flush()
        found = trades.df
    newest = int(found["ts"].dt.epoch("us").max())
    expected = ledger(exchange, [TICKER], since + 5 * SECOND)
    missing = expected - set(found["trade_id"])
    times = {each.trade_id: each.time_us for each in exchange._programme.venue.ledger.dealt()}
    assert not [each for each in missing if times[each] < newest]
    assert found["trade_id"].n_unique() == found.height


def test_candles_of_a_feed(feed, exchange):
    exchange.advance(70)
    found = feed.candles([TICKER], "1m", since="30m")
    assert found["start"].is_sorted()
    assert found.filter("complete").height > 5
    assert found["mid"].null_count() == 0


@pytest.mark.parametrize(
    ("since", "reach"),
    [
        (None, None),
        ("24h", ("ago", 86_400 * SECOND)),
        (dt.timedelta(seconds=1), ("ago", SECOND)),
        ("1970-01-01T00:00:01Z", ("at", SECOND)),
        (dt.datetime(1970, 1, 1, 0, 0, 1, tzinfo=dt.UTC), ("at", SECOND)),
        (1e9, ("at", 1_000_000_000 * SECOND)),
    ],
)
def test_since_is_a_length_of_time_or_a_moment(since, reach):
    assert reach_of(since) == reach


def test_since_lies_behind():
    assert since_us(("ago", 5), 3) == 0
    with pytest.raises(ConfigurationError, match="lies ahead"):
        since_us(("at", 5), 3)


def test_there_is_no_history_of_a_recording(tmp_path, feed, exchange):
    recorder = feed.record(tmp_path / "night", ["trade"])
    exchange.advance(30)
    recorder.close()
    with kn.replay(tmp_path / "night", clock="manual") as played:
        with pytest.raises(ConfigurationError, match="plays a recording"):
            played.trades(since="1h")
        with pytest.raises(ConfigurationError, match="plays a recording"):
            played.candles(TICKER)
