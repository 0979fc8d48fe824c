"""Whether rows are missing is said by the frame itself: ``complete()`` and the column ``gap``."""

import datetime as dt

import polars as pl
import pytest

import kalshi_nb as kn
from kalshi_nb._engine.port import ClockStep
from kalshi_nb._feed.coverage import Coverage, earliest
from kalshi_nb._frames.marks import GapMarks
from kalshi_nb._rows.gaps import Gap, GapLog, GapRow
from tests.feed.conftest import until
from tests.feed.list_engine import ListEngine

MARKET = "KXHIGHNY-26NOV22-B52.5"
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def now(exchange):
    return EPOCH + dt.timedelta(microseconds=exchange.now_us())


def lose_a_trade(feed, exchange):
    """Lose one trade and go on until the gap is over."""
    exchange.faults.skip_frames("trade", 1)
    before = feed.gaps.height
    for _ in range(120):
        exchange.advance(1)
        if feed.gaps.height > before and feed.gaps["closed_at"][-1] is not None:
            return
    raise AssertionError("no trade came")


def test_a_frame_without_a_gap_is_complete(feed, exchange):
    trades = feed.trades()
    exchange.advance(30)
    assert trades.complete()
    assert trades.complete(since=now(exchange))


def test_a_lost_message_leaves_the_window_incomplete_and_what_comes_after_it_complete(feed, exchange):
    trades = feed.trades()
    exchange.advance(20)
    lose_a_trade(feed, exchange)
    closed_at = feed.gaps["closed_at"][0]
    assert not trades.complete()
    assert not trades.complete(since=closed_at)
    exchange.advance(20)
    assert not trades.complete()
    assert trades.complete(since=closed_at + dt.timedelta(microseconds=1))


def test_a_gap_concerns_its_own_channel_only(feed, exchange):
    trades, tickers, deltas = feed.trades(), feed.tickers(), feed.deltas(MARKET)
    exchange.advance(5)
    lose_a_trade(feed, exchange)
    assert not trades.complete()
    assert tickers.complete()
    assert deltas.complete()


def test_quotes_are_as_complete_as_their_books(feed, exchange):
    quotes, other = feed.quotes(MARKET), feed.trades()
    exchange.advance(5)
    exchange.faults.skip_frames("orderbook_delta", 1)
    exchange.advance(20)
    until(lambda: feed.gaps.height and feed.gaps["closed_at"].null_count() == 0, "the books are repaired")
    assert not quotes.complete()
    assert other.complete()


def test_a_frame_that_began_after_the_gap_is_complete(feed, exchange):
    feed.trades()
    lose_a_trade(feed, exchange)
    exchange.advance(1)
    assert feed.trades(rows=50).complete()


def test_what_lies_before_the_frame_is_not_in_it(feed, exchange):
    begun = now(exchange)
    exchange.advance(1)
    trades = feed.trades()
    assert not trades.complete(since=begun)
    assert trades.complete()


def test_a_gap_that_left_the_window_with_its_rows_is_forgotten(feed, exchange):
    trades = feed.trades(rows=5)
    recent = feed.trades(seconds=10)
    exchange.advance(5)
    lose_a_trade(feed, exchange)
    assert not trades.complete()
    assert not recent.complete()
    total = trades.total
    while trades.total < total + 20:
        exchange.advance(5)
    assert trades.complete()
    assert recent.complete()


def test_a_window_that_lost_rows_does_not_vouch_for_them(feed, exchange):
    begun = now(exchange)
    trades = feed.trades(rows=2)
    assert trades.complete(since=begun)
    while trades.total < 10:
        exchange.advance(5)
    assert not trades.complete(since=begun)
    assert trades.complete()


def test_an_open_gap_leaves_every_moment_incomplete(feed, exchange):
    trades = feed.trades()
    exchange.advance(5)
    exchange.faults.refuse_handshakes(503, count=1000)
    exchange.faults.drop_connections()
    until(lambda: not trades.complete(), "the loss is known")
    assert not trades.complete(since=now(exchange))


def test_closing_makes_no_gap(exchange):
    feed = kn.connect(exchange, new=True)
    trades, other = feed.trades(), feed.trades(MARKET)
    exchange.advance(5)
    other.close()
    lose_a_trade(feed, exchange)
    assert other.complete()
    assert not trades.complete()
    fresh = feed.trades(rows=7)
    exchange.advance(1)
    fresh_complete = fresh.complete()
    feed.close()
    assert fresh.complete() == fresh_complete
    assert not trades.complete()


@pytest.mark.parametrize("since", ["2026-11-22", 5, dt.datetime(2026, 11, 22)])  # noqa: DTZ001
def test_a_time_without_a_zone_is_refused(feed, since):
    with pytest.raises(kn.errors.ConfigurationError, match="time zone"):
        feed.trades().complete(since=since)


def covering(log, market_tickers=None):
    engine = ListEngine()
    engine.gaps = log
    return Coverage(engine, "trade", market_tickers, frozenset({1}))


def test_where_gaps_were_dropped_from_the_log_nothing_is_vouched_for():
    log = GapLog(most=2)
    coverage = covering(log, frozenset({"A"}))
    for at in (10, 20, 30):
        log.open(Gap("trade", "B", at, at, "sequence", None, None, opened=at, closed=at))
    assert coverage.has_gap(15)
    assert coverage.has_gap(20)
    assert not coverage.has_gap(21)


def test_gaps_that_another_channel_or_connection_pushed_out_of_the_log_are_no_doubt_about_this_one():
    log = GapLog(most=3)
    log.open(Gap("trade", None, 5, 5, "sequence", None, None, opened=5, closed=5))
    for at in (10, 20, 30):
        log.open(Gap("ticker", None, at, at, "connection_lost", None, None, opened=at, closed=at))
        log.open(Gap("trade", None, at, at, "sequence", None, None, connection=2, opened=at, closed=at))
    assert log.dropped
    coverage = covering(log)
    assert coverage.has_gap(5)
    assert not coverage.has_gap(6)


def test_of_a_channel_all_of_whose_gaps_were_dropped_nothing_is_vouched_for():
    log = GapLog(most=0)
    log.open(Gap("trade", None, 5, 5, "sequence", None, None, opened=5, closed=5))
    assert covering(log).has_gap(10)


def test_a_gap_of_one_market_is_none_of_anothers():
    log = GapLog()
    log.open(Gap("trade", "A", 10, None, "sequence", None, None, opened=10))
    assert covering(log, frozenset({"A", "B"})).has_gap(11)
    assert covering(log).has_gap(11)
    assert not covering(log, frozenset({"B"})).has_gap(11)


@pytest.mark.parametrize(
    ("moment", "first"),
    [
        (1_000, 1_000),  # before any step
        (5_500, 5_500),  # shown twice: before the clock was set back from 6,000 to 5,000, and after it
        (6_500, 7_500),  # only shown after that
        (8_500, 8_000),  # never shown: the clock was set ahead over it, from 7,000 to 9,000
        (9_500, 8_500),
    ],
)
def test_a_moment_is_where_the_clock_first_showed_it_or_a_later_one(moment, first):
    # On the steady timeline: back by 1,000 at 6,000, ahead by 2,000 at 8,000.
    steps = [ClockStep(5_000, -1_000), ClockStep(9_000, 2_000)]
    assert earliest(moment, 1_000, steps) == first
    assert earliest(moment, 0, []) == moment


# The column ----------------------------------------------------------------------------------------------


def test_the_column_is_there_on_request_only_and_false_without_a_gap(feed, exchange):
    plain, marked = feed.trades(), feed.trades(gaps=True)
    assert marked.df.columns == [*plain.df.columns, "gap"]
    assert marked.schema["gap"] == pl.Boolean()
    exchange.advance(30)
    assert marked.df.height == plain.df.height > 0
    assert not marked.df["gap"].any()


def test_each_markets_first_row_after_the_gap_is_marked_and_no_other(feed, exchange):
    trades, one = feed.trades(gaps=True), feed.trades(MARKET, gaps=True)
    exchange.advance(60)
    lose_a_trade(feed, exchange)
    seq_to = feed.gaps["seq_to"][0]
    exchange.advance(120)
    df = trades.df
    expected, met = [], set()
    for ticker, seq in df.select(pl.col("market_ticker").cast(pl.String), "seq").iter_rows():
        first = seq > seq_to and ticker not in met
        met |= {ticker} if first else set()
        expected.append(first)
    assert df["gap"].to_list() == expected
    assert sum(expected) > 1
    alone = df.filter(pl.col("market_ticker").cast(pl.String) == MARKET)
    assert one.df["gap"].to_list() == alone["gap"].to_list()
    assert one.df["gap"].sum() == 1


def test_a_lost_connection_is_marked_too(feed, exchange):
    trades = feed.trades(gaps=True)
    exchange.advance(30)
    before = trades.total
    exchange.faults.drop_connections()
    until(lambda: feed.health().reconnects == 1 and feed.health().state == "connected", "connected again")
    while trades.total == before:
        exchange.advance(1)
    assert trades.df["gap"][before]
    assert not trades.df["gap"][:before].any()


def test_messages_and_frames_without_the_column_know_nothing_of_it(feed, exchange):
    seen = []
    feed.on("trade")(seen.append)
    plain = feed.trades()
    exchange.advance(5)
    lose_a_trade(feed, exchange)
    exchange.advance(20)
    assert len(seen) == plain.total
    assert all(type(each).__name__ == "Trade" for each in seen)
    assert feed.health().pipeline_errors == 0
    assert feed._pipelines.kit_errors == 0


def marked(marks, rows):
    return [mark > 0 for mark in marks.of(rows, 0)]


def test_a_gap_of_one_market_marks_that_market_alone():
    rows = [("A",), GapRow("A", 1, "sequence"), ("B",), ("A",), ("A",), ("B",)]
    assert marked(GapMarks(), rows) == [False, False, True, False, False]


def test_of_more_markets_than_are_remembered_some_are_marked_twice_and_none_never():
    marks = GapMarks(most=2)
    assert marked(marks, [GapRow(None, 1, "sequence"), ("A",), ("B",), ("C",)]) == [True] * 3
    assert marked(marks, [("B",), ("C",), ("A",)]) == [False, False, True]
    marks = GapMarks(most=2)
    named = [GapRow(ticker, 1, "sequence") for ticker in "ABC"]
    assert marked(marks, [*named, ("A",), ("B",), ("C",), ("C",)]) == [True, True, True, False]


def test_markets_that_follow_no_gap_are_not_remembered():
    marks = GapMarks(most=1)
    assert marked(marks, [GapRow("A", 1, "sequence"), ("A",), ("B",), ("A",)]) == [True, False, False]


def test_marks_go_on_from_batch_to_batch():
    marks = GapMarks()
    assert marked(marks, [("A",), ("B",), GapRow(None, 1, "sequence")]) == [False, False]
    assert marked(marks, [("B",), ("B",)]) == [True, False]
    assert marked(marks, [("A",), GapRow(None, 2, "sequence"), ("A",)]) == [True, True]
