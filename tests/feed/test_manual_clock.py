"""Under the manual clock a run can be repeated to the byte, and is applied when advance() returns."""

import datetime as dt

import polars as pl

import kalshi_nb as kn
from tests.feed.conftest import following

MARKET = "KXHIGHNY-26NOV22-B52.5"


def a_run(seed=7, steps=(10, 0.3, 20)):
    with kn.sim.Exchange(seed=seed, clock="manual") as exchange, following(exchange) as feed:
        trades, tickers, deltas = feed.trades(), feed.tickers(), feed.deltas(MARKET)
        book = feed.book(MARKET).wait()
        big = feed.stream("trade").map(lambda df: df.filter(pl.col("count") > 20)).rolling_frame()
        for step in steps:
            exchange.advance(step)
        return trades.df, tickers.df, deltas.df, book.depth(50), big.df, book.levels("yes"), book.levels("no")


def test_two_runs_with_one_seed_give_the_same_frames():
    one, two = a_run(), a_run()
    for first, second in zip(one[:5], two[:5], strict=True):
        assert first.height > 0
        assert first.equals(second, null_equal=True)
    assert one[5:] == two[5:]


def test_another_seed_gives_another_market():
    assert not a_run(seed=7)[0].equals(a_run(seed=8)[0])


def test_data_does_not_depend_on_how_the_time_is_cut():
    one, two = a_run(steps=(30,)), a_run(steps=(7.1, 0.01, 22.89))
    clocks = ["received_at"]
    for first, second in zip(one[:3], two[:3], strict=True):
        assert first.drop(clocks).equals(second.drop(clocks), null_equal=True)
    assert one[5:] == two[5:]


def test_advance_returns_when_frames_books_and_pipelines_have_it(feed, exchange):
    trades = feed.trades()
    passed = feed.stream("trade").rolling_frame()
    seen = []
    feed.on("trade")(seen.append)
    for _ in range(20):
        before = trades.total
        exchange.advance(5)
        assert trades.total == passed.total == len(seen)
    assert trades.total > before


def test_received_at_follows_the_exchanges_clock(feed, exchange):
    trades = feed.trades()
    start = exchange.now_us()
    exchange.advance(30)
    received = trades.df["received_at"]
    assert received.min() > dt.datetime.fromtimestamp(start / 1e6, dt.UTC)
    assert received.max() <= dt.datetime.fromtimestamp(exchange.now_us() / 1e6, dt.UTC)
    assert (trades.df["received_at"] - trades.df["ts"]).max() <= dt.timedelta(seconds=0.25)


def test_a_window_of_seconds_follows_the_exchanges_clock(feed, exchange):
    recent = feed.trades(seconds=10)
    exchange.advance(30)
    assert recent.total > len(recent) > 0
    edge = dt.datetime.fromtimestamp(exchange.now_us() / 1e6 - 10, dt.UTC)
    assert recent.df["received_at"].min() >= edge


def test_books_trades_and_tickers_tell_one_story(feed, exchange):
    tickers, trades = feed.tickers(MARKET), feed.trades(MARKET)
    book = feed.book(MARKET).wait()
    exchange.advance(120)
    last = tickers.latest().row(0, named=True)
    assert (
        last["yes_bid"],
        last["yes_bid_size"],
        last["yes_ask"],
        last["yes_ask_size"],
    ) == book.top or exchange.advance(1.5) is None
    last = tickers.latest().row(0, named=True)
    assert last["price"] == trades.df["yes_price"][-1]
    volumes = tickers.df["volume"]
    assert volumes[-1] - volumes[0] <= trades.df["count"].sum()


def test_prices_equal_their_literals(feed, exchange):
    trades = feed.trades()
    exchange.advance(60)
    for price in trades.df["yes_price"]:
        assert price == float(f"{price:.4f}")
    assert (trades.df["yes_price"] + trades.df["no_price"]).round(9).unique().to_list() == [1.0]
