"""Frames, books and pipelines of a feed: the same call, the same handle; bad input, one clear error."""

import gc
import threading
import time

import polars as pl
import pytest

import kalshi_nb as kn
from kalshi_nb import errors
from tests.feed.conftest import until

MARKET = "KXHIGHNY-26NOV22-B52.5"
OTHER = "KXHIGHNY-26NOV22-B54.5"


def test_the_same_call_gives_the_same_handle(feed):
    assert feed.trades() is feed.trades()
    assert feed.trades(MARKET) is feed.trades([MARKET])
    assert feed.trades(MARKET) is not feed.trades(OTHER)
    assert feed.trades(rows=10) is not feed.trades()
    assert feed.book(MARKET) is feed.book(MARKET)
    assert feed.books([MARKET, OTHER])[MARKET] is feed.book(MARKET)


def test_every_frame_has_its_whole_schema_when_it_is_empty(feed):
    expected = {
        "trades": "ts market_ticker yes_price count taker_outcome_side taker_book_side no_price is_block_trade "
        "trade_id received_at seq",
        "tickers": "ts market_ticker price yes_bid yes_ask volume open_interest spread mid yes_bid_size "
        "yes_ask_size last_trade_size dollar_volume dollar_open_interest market_id received_at",
        "deltas": "ts market_ticker side price delta client_order_id subaccount clock received_at seq",
    }
    for name, columns in expected.items():
        frame = getattr(feed, name)(MARKET)
        assert frame.df.columns == columns.split()
        assert frame.df.schema["market_ticker"] == pl.String()
        assert frame.df.schema["ts"] == pl.Datetime("us", "UTC")


def test_a_frame_of_some_markets_holds_only_those(feed, exchange):
    some, every = feed.trades(MARKET), feed.trades([MARKET, OTHER])
    exchange.advance(60)
    assert set(some.df["market_ticker"].cast(pl.String)) == {MARKET}
    assert set(every.df["market_ticker"].cast(pl.String)) == {MARKET, OTHER}


def test_a_frame_of_all_markets_widens_the_channel_when_it_comes_first(feed, exchange):
    every, some = feed.trades(), feed.trades(MARKET)
    exchange.advance(60)
    assert len(set(every.df["market_ticker"])) > 1
    assert set(some.df["market_ticker"].cast(pl.String)) == {MARKET}


def test_a_closed_frame_keeps_its_rows_and_gets_no_more(feed, exchange):
    trades = feed.trades()
    exchange.advance(30)
    kept = trades.df
    trades.close()
    exchange.advance(30)
    assert trades.df.equals(kept)
    assert feed.trades() is not trades


def test_closing_the_last_handle_of_a_channel_ends_its_subscription(feed, exchange):
    frame = feed.trades()
    assert feed.health().markets == {"trade": None}
    frame.close()
    until(lambda: feed.health().markets == {}, "the subscription ends")
    with feed.trades(MARKET):
        assert feed.health().markets == {"trade": 1}


def test_exact_frames_hold_decimals(feed, exchange):
    exact, plain = feed.trades(exact=True), feed.trades()
    exchange.advance(60)
    assert exact.df.schema["yes_price"] == pl.Decimal(18, 4)
    assert [float(each) for each in exact.df["yes_price"]] == plain.df["yes_price"].to_list()
    assert [float(each) for each in exact.df["count"]] == plain.df["count"].to_list()


def test_tickers_come_at_once_for_named_markets(feed):
    tickers = feed.tickers([MARKET, OTHER])
    tickers.wait(rows=2, timeout=5)
    assert set(tickers.latest()["market_ticker"].cast(pl.String)) == {MARKET, OTHER}


def test_no_bid_ask_or_last_price_is_null(feed, exchange):
    tickers = feed.tickers()
    exchange.advance(300)
    df = tickers.df
    assert df.filter((pl.col("yes_bid") <= 0) | (pl.col("yes_ask") >= 1) | (pl.col("price") <= 0)).is_empty()
    assert (df["yes_bid"].is_null() == df["yes_bid_size"].is_null()).all()


def test_a_book_tells_its_top_of_one_moment(feed, exchange):
    book = feed.book(MARKET).wait()
    exchange.advance(20)
    yes, no = book.levels("yes"), book.levels("no")
    assert book.top == (yes[0][0], yes[0][1], pytest.approx(1 - no[0][0], abs=1e-9), no[0][1])
    assert book.best_bid == book.top.bid
    assert book.best_ask == book.top.ask
    assert book.mid == pytest.approx((book.best_bid + book.best_ask) / 2)
    assert book.spread == pytest.approx(book.best_ask - book.best_bid)
    assert -1 <= book.imbalance <= 1
    depth = book.depth(3)
    assert depth.columns == ["level", "bid_size", "bid", "ask", "ask_size", "spread", "mid"]
    assert depth["bid"].to_list() == [price for price, _ in yes[:3]]
    assert depth["ask"].is_sorted()
    assert book.as_of is not None


def test_an_unknown_market_is_acknowledged_and_said_to_be_unknown(feed):
    book = feed.book("KXNOSUCH-1")
    with pytest.raises(errors.SubscriptionError, match="no market 'KXNOSUCH-1'"):
        book.wait()
    assert book.status == "unknown"
    assert book.top == (None, None, None, None)


def test_an_exchange_that_refuses_unknown_markets_is_an_error_in_the_cell():
    with kn.sim.Exchange(seed=7, clock="manual", unknown_markets="error") as exchange, kn.connect(exchange) as feed:
        with pytest.raises(errors.SubscriptionError, match="KXNOSUCH-1") as caught:
            feed.books([MARKET, "KXNOSUCH-1"])
        assert caught.value.market_tickers == ("KXNOSUCH-1",)
        assert feed.book(MARKET).wait().status == "live"


def test_closing_a_book_ends_its_subscription(feed):
    one, two = feed.book(MARKET).wait(), feed.book(OTHER).wait()
    one.close()
    until(lambda: feed.health().markets == {"orderbook_delta": 1}, "one market is let go")
    assert one.status == "closed"
    assert two.status == "live"
    two.close()
    until(lambda: feed.health().markets == {}, "the last one, too")
    assert feed.book(MARKET).wait().status == "live"


@pytest.mark.parametrize("bad", ["", "  ", 5, [""], [None], [], [MARKET, 3]])
def test_bad_tickers_are_one_clear_error(feed, bad):
    for ask in (feed.trades, feed.tickers, feed.deltas, feed.books, lambda each: feed.stream("trade", each)):
        with pytest.raises(errors.MarketTickerError):
            ask(bad)


def test_book_takes_one_ticker(feed):
    with pytest.raises(errors.MarketTickerError, match="books"):
        feed.book([MARKET])
    with pytest.raises(errors.MarketTickerError):
        feed.book("")


def test_an_unknown_channel_lists_those_there_are(feed):
    for ask in (feed.stream, feed.messages, feed.on):
        with pytest.raises(errors.UnknownChannelError, match="orderbook_delta"):
            ask("trades")


def test_the_book_channel_needs_markets(feed):
    for ask in (feed.deltas, lambda: feed.stream("orderbook_delta")):
        with pytest.raises(errors.MarketTickerError, match="Name the markets"):
            ask()


def test_bad_windows_are_refused_before_anything_is_asked_for(feed):
    for bad in ({"rows": 0}, {"rows": -1}, {"seconds": 0}, {"rows": 1.5}):
        with pytest.raises(errors.ConfigurationError):
            feed.trades(**bad)
    assert feed.health().markets == {}


def test_bad_sides_and_depths_are_refused(feed):
    book = feed.book(MARKET)
    with pytest.raises(errors.ConfigurationError, match="'yes' or 'no'"):
        book.levels("bid")
    with pytest.raises(errors.ConfigurationError):
        book.depth(0)


def test_a_wait_that_ends_says_what_came(feed, exchange):
    trades = feed.trades()
    exchange.advance(10)
    came = trades.total
    with pytest.raises(TimeoutError, match=f"{came:,} of 1,000,000"):
        trades.wait(rows=1_000_000, timeout=0.1)


def test_a_closed_feed_says_so_and_keeps_what_it_has(feed, exchange):
    trades, book = feed.trades(), feed.book(MARKET).wait()
    exchange.advance(30)
    rows = len(trades)
    feed.close()
    feed.close()
    assert feed.gaps.is_empty()
    assert "it is closed" in repr(trades)
    with pytest.raises(errors.FeedClosedError, match=f"{rows:,} of 1,000,000,000 rows came. The feed is closed"):
        trades.wait(rows=10**9, timeout=60)
    assert len(trades) == rows > 0
    assert book.status == "closed"
    assert book.depth(3).height == 3
    for ask in (
        feed.trades,
        lambda: feed.book(MARKET),
        lambda: feed.trades(OTHER),
        lambda: feed.book(OTHER),
        lambda: feed.stream("trade"),
    ):
        with pytest.raises(errors.FeedClosedError, match=r"connect\(\) again"):
            ask()
    assert feed.health().state == "closed"


def test_a_pipeline_of_the_users_works_on_frames(feed, exchange):
    big = feed.stream("trade").map(lambda df: df.filter(pl.col("count") > 20)).rolling_frame(rows=1_000)
    trades = feed.trades()
    exchange.advance(60)
    assert big.df.equals(trades.df.filter(pl.col("count") > 20))


def test_messages_are_numbers(feed, exchange):
    batches = []
    sink = feed.messages("trade", MARKET).sink(batches.append)
    trades = feed.trades(MARKET)
    exchange.advance(60)
    messages = [message for batch in batches for message in batch]
    assert [message.yes_price for message in messages] == trades.df["yes_price"].to_list()
    assert all(isinstance(message, kn.messages.Trade) for message in messages)
    sink.destroy()


def test_book_messages_come_snapshot_first(feed, exchange):
    seen = []
    feed.on("orderbook_delta", MARKET)(seen.append)
    exchange.advance(20)
    assert isinstance(seen[0], kn.messages.OrderbookSnapshot)
    assert {type(each) for each in seen[1:]} == {kn.messages.OrderbookDelta}
    assert [each.seq for each in seen] == sorted(each.seq for each in seen)


def test_a_raising_pipeline_is_told_at_the_next_call_and_disturbs_nobody(feed, exchange):
    trades = feed.trades()
    others = []
    feed.on("trade")(others.append)

    @feed.on("ticker")
    def broken(ticker):
        raise ZeroDivisionError("on purpose")

    exchange.advance(30)
    assert trades.total == len(others) > 0
    with pytest.warns(errors.PipelineWarning, match="ZeroDivisionError"):
        feed.health()
    health = feed.health()
    assert health.pipeline_errors >= 10
    assert "on purpose" in health.last_error
    (pipeline,) = [each for each in feed.pipelines if each.name == "broken"]
    assert pipeline.state == "resting"


def test_a_slow_pipeline_delays_no_frame_and_no_book():
    with kn.connect("sim") as feed:
        trades, book = feed.tickers(), feed.book(MARKET).wait()

        called, may_return = [], threading.Event()

        @feed.on("ticker")
        def waits(ticker):
            called.append(ticker)
            may_return.wait(60)

        until(lambda: called, "the callback is busy", timeout=30)
        rows, version = trades.total, book._ladder.version
        until(lambda: trades.total > rows and book._ladder.version > version, "frames and books go on", timeout=30)
        assert len(called) == 1  # it has not returned since
        may_return.set()
        sleeps_pipeline = feed.pipelines[0]
        sleeps_pipeline.close()


def test_dropped_pipelines_let_their_markets_go(feed):
    stream = feed.stream("trade", MARKET)
    assert feed.health().markets == {"trade": 1}
    del stream
    gc.collect()
    until(lambda: feed.health().markets == {}, "nobody holds the stream")
    held = feed.stream("trade", MARKET)
    feed.pipelines[0].close()
    assert held.pipeline.state == "closed"
    until(lambda: feed.health().markets == {}, "the pipeline was closed")


def test_frames_leave_the_notebook(feed, exchange, tmp_path):
    trades = feed.trades()
    exchange.advance(60)
    for name, read in (("write_parquet", pl.read_parquet), ("write_ipc", pl.read_ipc)):
        path = getattr(trades, name)(tmp_path / "deep" / name)
        assert read(path).equals(trades.df)
    assert pl.read_csv(trades.write_csv(tmp_path / "trades.csv")).height == len(trades)
    assert trades.to_pandas().shape == trades.df.shape
    assert trades.to_arrow().num_rows == len(trades)
    assert pl.DataFrame(trades).equals(trades.df)


def test_a_frame_of_a_pipeline_at_rest_says_why_no_rows_come_and_a_wait_lasts_to_its_time_out(feed, exchange):
    frame = feed.stream("ticker").map(lambda df: df["no such column"]).rolling_frame(name="broken")
    exchange.advance(30)
    for _ in range(20):
        exchange.advance(3)
    with pytest.warns(errors.PipelineWarning):
        assert feed.pipelines[0].state == "resting"
    assert "ColumnNotFoundError" in repr(frame)
    began = time.monotonic()
    with pytest.raises(TimeoutError, match=r"0 of 1 rows came within 0\.3 s: its pipeline rests.*ColumnNotFoundError"):
        frame.wait(rows=1, timeout=0.3)
    assert time.monotonic() - began >= 0.3


@pytest.mark.parametrize(
    "attach",
    [
        lambda feed: feed.on(print),
        lambda feed: feed.stream(print),
        lambda feed: feed.messages(print),
        lambda feed: feed.on("trade", print),
        lambda feed: feed.stream("trade", print),
    ],
)
def test_a_function_in_the_wrong_place_is_told_where_it_goes(feed, attach):
    with pytest.raises(errors.ConfigurationError, match=r"A function stands where.*feed\.on\(.*\)\(function\)"):
        attach(feed)
    assert feed.pipelines == []


def test_an_async_callback_is_refused_in_the_cell_with_listen_named(feed):
    with pytest.raises(errors.PipelineError, match=r"plain functions.*async for message in feed\.listen\('trade'\)"):

        @feed.on("trade")
        async def remember(trade):
            pass

    assert feed.pipelines == []
    assert feed.health().markets == {}


def test_a_polars_reflex_is_told_where_the_dataframe_is(feed):
    with pytest.raises(AttributeError, match=r"\.df\.filter"):
        feed.trades().filter  # noqa: B018
    assert not hasattr(feed.trades(), "no_such_thing")


def test_a_closed_book_is_closed_though_another_handle_keeps_its_market(feed, exchange):
    deltas, book = feed.deltas(MARKET), feed.book(MARKET).wait()
    top = book.top
    book.close()
    exchange.advance(60)
    assert deltas.total > 3
    assert (book.status, book.top) == ("closed", top)
    assert f"{MARKET}  closed" in repr(book)
    with pytest.raises(errors.HandleClosedError, match=r"feed\.book\('KXHIGHNY"):
        book.wait(60)
    again = feed.book(MARKET).wait()
    assert again is not book
    assert (again.status, book.status) == ("live", "closed")


def test_a_book_says_after_the_end_what_it_never_was(feed):
    nobody, book = feed.book("KXNOSUCH-1"), feed.book(MARKET).wait()
    until(lambda: nobody.status == "unknown", "the exchange answers")
    feed.close()
    assert "(there was no such market." in repr(nobody)
    assert "changed" not in nobody._repr_mimebundle_()["text/html"]
    assert f"spread {100 * book.spread:.0f}¢" in repr(book)
