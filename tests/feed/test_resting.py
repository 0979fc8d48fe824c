"""A pipeline that raises is not given up: it rests, is tried again, and what it missed is told everywhere."""

import datetime as dt
import logging
import re
import threading
import time
import warnings

import polars as pl
import pytest

import kalshi_nb as kn
from kalshi_nb import _logging, errors
from kalshi_nb._feed.options import Options
from kalshi_nb._rows.gaps import GapRow
from kalshi_nb._rows.rows import SnapshotRow
from tests.feed.conftest import until
from tests.feed.list_engine import BASE_US, ListEngine
from tests.feed.test_another_engine import opened, trade

SECOND = 1_000_000

# Pipelines raise here all the time; where the warning is the law it is asked for.
pytestmark = pytest.mark.filterwarnings("ignore::kalshi_nb.errors.PipelineWarning")


def fill(number, market="KXA-1", *, at=BASE_US):
    return (at, market, "yes", 4_700, 100, 0, 100, True, "bid", "order", None, f"id-{number}", None, None, at)


@pytest.fixture
def engine():
    return ListEngine()


@pytest.fixture
def feed(engine):
    with opened(engine) as feed:
        yield feed


class Database:
    """Takes messages, unless it is away."""

    def __init__(self, away=True):
        self.away = away
        self.calls = 0
        self.taken = []

    def __call__(self, message):
        self.calls += 1
        if self.away:
            raise ConnectionError("the database is away")
        self.taken.append(message)


@pytest.fixture
def database():
    return Database()


def play(engine, feed, *rows, channel="trade", after=0.0):
    engine.clock.us += round(after * SECOND)
    engine.play(channel, *rows)
    feed.flush()


def at_rest(engine, feed, database, channel="trade", **options):
    """Attach a callback and have it raise ten times, one batch each."""
    feed.on(channel, **options)(database)
    (pipeline,) = feed.pipelines
    make = trade if channel == "trade" else fill
    for number in range(10):
        play(engine, feed, make(number), channel=channel)
    assert pipeline.state == "resting"
    return pipeline


def test_rests_get_longer_until_a_try_succeeds_and_then_are_short_again(engine, feed, database):
    at_rest(engine, feed, database)
    for seconds in (1, 2, 4, 8, 16, 30, 30):
        calls = database.calls
        play(engine, feed, trade(1), after=seconds - 0.01)
        assert database.calls == calls
        play(engine, feed, trade(2), trade(3), after=0.01)
        assert database.calls == calls + 1  # the probe, and nothing behind it
    database.away = False
    play(engine, feed, trade(4), trade(5), after=30)
    assert feed.pipelines[0].state == "running"
    assert [each.trade_id for each in database.taken] == ["id-4", "id-5"]
    database.away = True
    play(engine, feed, *map(trade, range(12)))
    calls = database.calls
    play(engine, feed, trade(9), after=1)
    assert database.calls == calls + 1


def test_what_a_rest_drops_is_counted_and_stands_in_the_gaps_of_the_pipeline(engine, feed, database):
    pipeline = at_rest(engine, feed, database)
    assert (pipeline.dropped, pipeline.gaps.height) == (0, 0)
    play(engine, feed, trade(10), trade(11), after=0.25)
    assert pipeline.dropped == 2
    assert pipeline.gaps["closed_at"].to_list() == [None]
    play(engine, feed, trade(12), after=0.25)
    database.away = False
    play(engine, feed, trade(13), after=0.5)
    assert pipeline.dropped == 3
    (gap,) = pipeline.gaps.to_dicts()
    began = dt.datetime.fromtimestamp(BASE_US / 1e6, dt.UTC)
    assert gap == {
        "opened_at": began + dt.timedelta(seconds=0.25),
        "closed_at": began + dt.timedelta(seconds=1),
        "reason": "rested",
        "rows": 3,
    }
    assert pipeline.gaps.schema["opened_at"] == pipeline.gaps.schema["closed_at"] == pl.Datetime("us", "UTC")
    assert "3 rows dropped" in repr(pipeline)


def test_only_rows_of_its_own_markets_count_as_dropped(engine, feed, database):
    feed.on("trade", "KXA-1")(database)
    (pipeline,) = feed.pipelines
    play(engine, feed, *map(trade, range(11)), trade(1, "KXB-1"))
    assert pipeline.dropped == 1
    play(engine, feed, trade(1, "KXB-1"))
    assert pipeline.dropped == 1
    play(engine, feed, trade(1), trade(1, "KXB-1"))
    assert pipeline.dropped == 2


def test_a_row_that_raised_stands_with_its_error_and_is_not_delivered_again(engine, feed, database):
    pipeline = at_rest(engine, feed, database)
    database.away = False
    play(engine, feed, trade(10), after=1)
    assert [each.trade_id for each in database.taken] == ["id-10"]
    assert [each.element.trade_id for each in pipeline.failed] == [f"id-{number}" for number in range(10)]
    assert {str(each.failure.error) for each in pipeline.failed} == {"the database is away"}


def test_what_failed_is_bounded(engine, feed):
    def odd(message):
        if message.seq % 2:
            raise ValueError(message.seq)

    feed.on("trade")(odd)
    play(engine, feed, *map(trade, range(2_400)))
    (pipeline,) = feed.pipelines
    assert pipeline.errors == 1_200
    assert [each.element.seq for each in pipeline.failed] == list(range(401, 2_400, 2))


def test_of_large_frames_that_failed_fewer_are_kept(engine, feed):
    stream = feed.stream("trade")
    stream.sink(lambda df: 1 / 0)
    for _ in range(4):
        play(engine, feed, *map(trade, range(40_000)))
    assert [each.element.height for each in stream.pipeline.failed] == [40_000, 40_000]


def test_fills_wait_for_the_end_of_a_rest_and_come_by_themselves_then(engine, feed, database):
    pipeline = at_rest(engine, feed, database, "fill")
    play(engine, feed, *map(fill, range(10, 15)), channel="fill")
    assert (pipeline.waiting, pipeline.dropped, pipeline.gaps.height) == (5, 0, 0)
    assert "5 rows wait" in repr(pipeline)
    assert any("5 rows wait" in each for each in feed.health().warnings)
    play(engine, feed, channel="fill", after=1)
    assert pipeline.state == "resting"
    assert pipeline.waiting == 4  # the oldest was the probe
    database.away = False
    play(engine, feed, channel="fill", after=2)
    assert pipeline.state == "running"
    assert [each.trade_id for each in database.taken] == [f"id-{number}" for number in range(11, 15)]
    assert (pipeline.waiting, pipeline.dropped) == (0, 0)


def test_fills_behind_the_tenth_error_of_a_batch_wait_too(engine, feed, database):
    feed.on("fill")(database)
    (pipeline,) = feed.pipelines
    play(engine, feed, *map(fill, range(15)), channel="fill")
    assert (database.calls, pipeline.waiting) == (10, 5)
    database.away = False
    play(engine, feed, fill(15), channel="fill", after=1)
    assert [each.trade_id for each in database.taken] == [f"id-{number}" for number in range(10, 16)]


def test_frames_of_fills_that_wait_are_tried_one_batch_after_the_other(engine, feed, database):
    stream = feed.stream("fill", "KXA-1")
    stream.map(lambda df: df["trade_id"].to_list()).sink(database)
    for number in range(10):
        play(engine, feed, fill(number), channel="fill")
    play(engine, feed, fill(10), fill(99, "KXB-1"), channel="fill")
    play(engine, feed, fill(11), channel="fill")
    assert stream.pipeline.waiting == 2
    play(engine, feed, channel="fill", after=1)
    assert stream.pipeline.waiting == 1
    database.away = False
    play(engine, feed, fill(12), channel="fill", after=2)
    assert database.taken == [["id-11"], ["id-12"]]


def test_past_a_hundred_thousand_waiting_fills_the_oldest_go_and_the_pipeline_says_that_it_is_full(
    engine, feed, database
):
    pipeline = at_rest(engine, feed, database, "fill", gaps=True)
    play(engine, feed, *map(fill, range(60_000)), channel="fill")
    assert not any("full" in each for each in feed.health().warnings)
    play(engine, feed, *map(fill, range(60_000, 100_007)), channel="fill")
    assert (pipeline.waiting, pipeline.dropped) == (100_000, 7)
    assert any("full" in each for each in feed.health().warnings)
    assert "no more can" in repr(pipeline)
    database.away = False
    play(engine, feed, channel="fill", after=1)
    gap, first, *_, last = database.taken
    assert (gap.reason, gap.rows) == ("dropped", 7)
    assert (first.trade_id, last.trade_id, len(database.taken)) == ("id-7", "id-100006", 100_001)
    assert (pipeline.waiting, pipeline.gaps["rows"].to_list()) == (0, [7])
    assert "no more can" not in repr(pipeline)


def test_what_waits_keeps_its_place_among_what_steers_frames(engine, feed, database):
    stream = feed.stream("fill")
    frame = stream.rolling_frame()
    stream.sink(database)
    for number in range(10):
        play(engine, feed, fill(number), channel="fill")
    play(engine, feed, fill(10), channel="fill")
    engine.reset()
    play(engine, feed, fill(11), channel="fill")
    database.away = False
    play(engine, feed, fill(12), channel="fill", after=1)
    assert [trade_id for df in database.taken for trade_id in df["trade_id"]] == ["id-10", "id-11", "id-12"]
    assert frame.df["trade_id"].to_list() == ["id-11", "id-12"]


def test_closing_counts_what_waited(engine, feed, database):
    pipeline = at_rest(engine, feed, database, "fill")
    play(engine, feed, fill(1), fill(2), channel="fill")
    pipeline.close()
    assert (pipeline.state, pipeline.dropped, pipeline.waiting) == ("closed", 2, 0)
    assert pipeline.gaps["closed_at"].null_count() == 0


def test_a_rest_goes_by_the_computers_clock_where_the_market_has_no_other(database):
    with kn.connect("sim", new=True) as feed:
        feed.on("ticker")(database)
        (pipeline,) = feed.pipelines
        until(lambda: pipeline.state == "resting", "it rests", timeout=60)
        rested = time.monotonic()
        until(lambda: pipeline.dropped, "something came meanwhile", timeout=60)
        database.away = False
        until(lambda: pipeline.state == "running", "it goes on", timeout=60)
        assert time.monotonic() - rested > 0.9
        assert pipeline.gaps["rows"].sum() == pipeline.dropped


def test_fills_that_wait_are_tried_although_nothing_else_comes(monkeypatch):
    monkeypatch.setattr("kalshi_nb._streams.rest._SHORTEST", 0.3)
    database = Database()
    engine = ListEngine()
    with opened(engine) as feed:
        pipeline = at_rest(engine, feed, database, "fill")
        engine.play("fill", fill(10))
        database.away = False
        # Nobody plays, reads or flushes: the thread wakes by itself and finds that the market's clock goes on.
        engine.clock.us += SECOND
        until(lambda: database.taken, "what waited was delivered")
        assert pipeline.state == "running"


def test_a_rest_is_told_by_health_reprs_frames_and_the_next_call(engine, feed, database):
    stream = feed.stream("trade")
    frame = stream.rolling_frame()
    stream.sink(database)
    for number in range(10):
        play(engine, feed, trade(number))
    with pytest.warns(errors.PipelineWarning, match=r"rests for 1 s.*\.failed"):
        health = feed.health()
    (line,) = [each for each in health.warnings if "rests" in each]
    place = rf"{re.escape(__file__)}:\d+, in __call__"
    for told in (line, repr(stream.pipeline), repr(frame)):
        assert re.search(rf"ConnectionError: the database is away \({place}\)", told), told
        assert re.search(r"tried again in 1 s after 10 errors in a row", told), told
    database.away = False
    play(engine, feed, trade(10), after=1)
    assert not any("rests" in each for each in feed.health().warnings)
    assert "rests" not in repr(frame)


def test_a_rest_and_its_end_are_one_record_of_the_logger_each(engine, feed, database, caplog):
    with caplog.at_level(logging.INFO, "kalshi_nb"):
        at_rest(engine, feed, database)
        play(engine, feed, trade(10), after=0.5)
        play(engine, feed, trade(11), after=0.5)
        database.away = False
        play(engine, feed, trade(12), after=2)
        assert _logging.settle(5)
    rests, goes_on = [
        each for each in caplog.records if each.name == "kalshi_nb" and "nobody held it" not in each.message
    ]
    assert (rests.levelno, goes_on.levelno) == (logging.ERROR, logging.INFO)
    assert "rests for 1 s" in rests.message
    assert "goes on after its rest; 1 rows were dropped" in goes_on.message


def test_nodes_are_attached_to_a_pipeline_at_rest(engine, feed, database):
    stream = feed.stream("trade")
    stream.sink(database)
    for number in range(10):
        play(engine, feed, trade(number))
    heights = []
    stream.map(lambda df: df.height).sink(heights.append)
    database.away = False
    play(engine, feed, trade(10), after=1)
    assert heights == [1]


def test_a_throttle_below_a_pipeline_that_rested_goes_on(engine, feed, database):
    stream = feed.stream("trade")
    seen = []
    stream.map(lambda df: df["seq"].to_list()).throttle(0.05).sink(seen.append)
    stream.sink(database)
    for number in range(10):
        play(engine, feed, trade(number))
    database.away = False
    play(engine, feed, trade(10), after=1)
    until(lambda: seen[-1] == [10], "the last value came through")


def test_whoever_closes_a_pipeline_while_it_raises_finds_it_closed(engine, feed):
    def raising(trade):
        pipeline.close()
        raise ValueError

    feed.on("trade")(raising)
    (pipeline,) = feed.pipelines
    play(engine, feed, trade(1), trade(2))
    assert (pipeline.state, pipeline.errors) == ("closed", 1)


# Where it was -------------------------------------------------------------------------------------------


def test_the_first_warning_names_the_line_of_the_users_code(engine, feed):
    @feed.on("trade")
    def broken(trade):
        return trade.no_such_field

    play(engine, feed, trade(1))
    line = broken.__code__.co_firstlineno + 2
    with pytest.warns(errors.PipelineWarning, match=rf"AttributeError.*{re.escape(__file__)}:{line}, in broken"):
        feed.health()
    assert feed.pipelines[0].last_error.where == f"{__file__}:{line}, in broken"


def test_a_library_is_not_the_users_code_where_there_is_some(engine, feed):
    stream = feed.stream("trade")
    kept = stream.map(lambda df: df["no such column"])
    play(engine, feed, trade(1))
    assert stream.pipeline.last_error.where.startswith(f"{__file__}:")
    assert kept is not None


def test_a_function_of_a_library_is_named_by_where_it_failed(engine, feed):
    stream = feed.stream("trade")
    kept = stream.map(pl.DataFrame.to_numpy, no_such_option=1)
    play(engine, feed, trade(1))
    assert "to_numpy" in str(stream.pipeline.last_error)
    assert kept is not None


def test_a_callback_that_takes_too_few_arguments_is_named_by_where_it_is_written(engine, feed):
    def one():
        pass

    def nothing(*given):
        one(*given)

    feed.on("trade")(nothing)
    play(engine, feed, trade(1))
    where = feed.pipelines[0].last_error.where
    assert where.startswith(f"{__file__}:")
    with pytest.raises(kn.errors.PipelineError, match="calls a function with each message"):
        feed.on("trade")(one)


# Rows that were dropped because a pipeline is slow --------------------------------------------------------


class Hold:
    """A callback that is entered, and returns when it is let go."""

    def __init__(self):
        self.entered, self.open = threading.Event(), threading.Event()

    def __call__(self, _):
        self.entered.set()
        assert self.open.wait(30)


@pytest.fixture
def hold():
    made = Hold()
    yield made
    made.open.set()


@pytest.fixture
def narrow(engine):
    """A feed before whose pipelines no more than ten rows wait."""
    with opened(engine, options=Options(max_pending_rows=10)) as feed:
        yield feed


def hold_up(feed, hold, engine, channel, *batches):
    """Hold the thread for users' code, which has a first row, while `batches` come."""
    engine.play(channel, trade(0))
    until(hold.entered.is_set, "the callback runs")
    for rows in batches:
        engine.play(channel, *rows)
        with pytest.raises(errors.WaitTimeoutError):
            feed.flush(0.05)


def four(number):
    return [trade(number, f"KX{'AB'[number % 2]}-1", at=BASE_US + number) for _ in range(4)]


def test_rows_dropped_before_a_slow_pipeline_are_told_to_each_pipeline_that_missed_them(engine, narrow, hold):
    everything, one = [], []
    narrow.on("trade")(hold)
    narrow.on("trade", gaps=True)(everything.append)
    narrow.messages("trade", "KXA-1", gaps=True).sink(one.append)
    frame = narrow.stream("trade", "KXB-1").rolling_frame()
    other = narrow.stream("ticker").rolling_frame()
    hold_up(narrow, hold, engine, "trade", *map(four, range(1, 9)))
    hold.open.set()
    narrow.flush()
    dropped = narrow.health().dropped_rows
    assert dropped > 0
    of_all, with_gaps, of_one, of_frame, of_other = narrow.pipelines
    assert of_all.dropped == with_gaps.dropped == dropped
    assert of_one.dropped + of_frame.dropped == dropped
    assert of_other.dropped == 0
    gaps = [each for each in everything if isinstance(each, kn.Gap)]
    assert [(each.reason, each.rows, each.market_ticker) for each in gaps] == [("dropped", dropped, None)]
    assert everything.index(gaps[0]) == 1  # behind the trade that was there before
    assert gaps[0].opened_at == dt.datetime.fromtimestamp(BASE_US / 1e6, dt.UTC) + dt.timedelta(microseconds=1)
    (gap,) = [each for messages in one for each in messages if isinstance(each, kn.Gap)]
    assert (gap.reason, gap.rows, gap.market_ticker) == ("dropped", of_one.dropped, "KXA-1")
    assert with_gaps.gaps.select("reason", "rows").rows() == [("dropped", dropped)]
    assert with_gaps.gaps["closed_at"].null_count() == 0
    assert not frame.complete()
    assert other.complete()


def test_rows_that_went_before_a_stuck_callback_are_known_at_once(engine, narrow, hold):
    told = []
    narrow.on("trade")(hold)
    narrow.on("trade", "KXA-1", gaps=True)(told.append)
    frame = narrow.stream("trade", "KXB-1").rolling_frame()
    other = narrow.stream("trade", "KXC-1").rolling_frame()
    hold_up(narrow, hold, engine, "trade", *map(four, range(1, 9)))
    stuck, with_gaps, of_frame, of_other = narrow.pipelines
    before = narrow.health().dropped_rows
    assert stuck.dropped == with_gaps.dropped + of_frame.dropped == before > 0
    assert stuck.gaps.select("closed_at", "reason", "rows").rows() == [(None, "dropped", before)]
    assert (frame.complete(), other.complete(), of_other.dropped) == (False, True, 0)
    assert "rows were dropped before it" in repr(frame)
    assert not told
    stuck.close()
    hold.open.set()
    narrow.flush()
    assert stuck.gaps["closed_at"].null_count() == with_gaps.gaps["closed_at"].null_count() == 0
    assert narrow.health().dropped_rows == before
    assert [each.rows for each in told if isinstance(each, kn.Gap)] == [with_gaps.dropped]
    assert not frame.complete()


def test_what_goes_while_rows_are_being_delivered_is_told_behind_these(engine, narrow, hold):
    seen = []

    def slow(each):
        if isinstance(each, kn.Gap) or each.trade_id == "id-9":
            hold.entered.clear()
            hold.open.clear()
            hold(each)

    narrow.on("trade")(hold)
    narrow.on("trade")(slow)
    narrow.on("trade", gaps=True)(seen.append)
    last = narrow.pipelines[-1]
    hold_up(narrow, hold, engine, "trade", *map(four, range(1, 9)), [trade(9)])
    first = last.dropped
    hold.entered.clear()
    hold.open.set()
    until(hold.entered.is_set, "the second callback runs")
    for number in range(10, 18):
        engine.play("trade", *four(number))
        with pytest.raises(errors.WaitTimeoutError):
            narrow.flush(0.05)
    assert last.dropped == narrow.health().dropped_rows > first
    hold.open.set()
    narrow.flush()
    gaps = [each for each in seen if isinstance(each, kn.Gap)]
    assert [each.rows for each in gaps] == [first, last.dropped - first]
    behind = seen[seen.index(gaps[1]) - 1]
    assert behind.trade_id == "id-9"  # what was being delivered when they went


def test_a_pipeline_that_came_later_is_told_of_nothing_that_went_before_it(engine, narrow, hold):
    narrow.on("trade")(hold)
    hold_up(narrow, hold, engine, "trade", *map(four, range(1, 9)))
    frame = narrow.stream("trade").rolling_frame()
    hold.open.set()
    narrow.flush()
    assert narrow.pipelines[-1].dropped == 0
    assert frame.complete()


def test_a_gap_among_rows_that_were_dropped_is_told_all_the_same(engine, narrow, hold):
    seen = []
    narrow.on("trade")(hold)
    narrow.on("trade", gaps=True)(seen.append)
    gap = GapRow(None, BASE_US, "sequence")
    hold_up(narrow, hold, engine, "trade", [*four(1), gap], [*four(2), gap], *map(four, range(3, 9)))
    hold.open.set()
    narrow.flush()
    assert [each.reason for each in seen if isinstance(each, kn.Gap)] == ["dropped", "sequence"]


def test_rows_that_are_no_row_of_a_frame_are_missed_by_messages_alone(engine, narrow, hold):
    narrow.on("trade")(hold)
    narrow.messages("orderbook_delta", "KXA-1").sink(print)
    frame = narrow.stream("orderbook_delta", "KXA-1").rolling_frame()
    engine.play("trade", trade(0))
    until(hold.entered.is_set, "the callback runs")
    for _ in range(5):
        engine.play("orderbook_delta", *[SnapshotRow(BASE_US, 1, "KXA-1", (), ())] * 5)
        with pytest.raises(errors.WaitTimeoutError):
            narrow.flush(0.05)
    hold.open.set()
    narrow.flush()
    _, messages, frames = narrow.pipelines
    assert messages.dropped == narrow.health().dropped_rows > 0
    assert frames.dropped == 0
    assert frame.complete()


def test_rows_that_are_dropped_again_and_again_are_one_record_of_the_logger(engine, narrow, hold, caplog):
    narrow.on("trade")(hold)
    with caplog.at_level(logging.INFO, "kalshi_nb"):
        for _ in range(2):
            hold.open.clear()
            hold.entered.clear()
            hold_up(narrow, hold, engine, "trade", *map(four, range(1, 9)))
            hold.open.set()
            narrow.flush()
        assert _logging.settle(5)
    (record,) = [each for each in caplog.records if each.name == "kalshi_nb" and "nobody held it" not in each.message]
    assert record.levelno == logging.WARNING
    assert "'trade-1' on trade is too slow" in record.message


def test_a_pipeline_that_is_far_behind_is_named_by_health(engine, feed, hold, monkeypatch):
    monkeypatch.setattr("kalshi_nb._streams.troubles._SLOW", 0.2)

    @feed.on("trade")
    def slow(trade):
        hold(trade)

    feed.on("trade")(lambda trade: None)
    assert not feed.health().warnings
    engine.play("trade", trade(1))
    until(hold.entered.is_set, "the callback runs")
    engine.play("trade", trade(2), trade(3))
    until(lambda: any("slow" in each for each in feed.health().warnings), "it is named")
    (line,) = [each for each in feed.health().warnings if "slow" in each]
    assert re.fullmatch(r"your pipeline 'slow' on trade is slow: its last batch took \d s, and 2 rows wait .*", line)
    hold.open.set()
    feed.flush()
    assert not any("slow" in each for each in feed.health().warnings)


# What frames below say of it -----------------------------------------------------------------------------


def test_a_frame_below_a_pipeline_knows_the_gaps_of_the_feed(engine, feed):
    frame, other = feed.stream("trade", "KXA-1").rolling_frame(), feed.stream("trade", "KXB-1").rolling_frame()
    play(engine, feed, trade(1))
    assert frame.complete()
    assert other.complete()
    engine.clock.us += SECOND
    engine.open_gap("trade", "KXA-1")
    assert not frame.complete()
    assert other.complete()


def test_rows_that_a_rest_dropped_leave_a_frame_incomplete_until_they_have_left_its_window(engine, feed, database):
    stream = feed.stream("trade")
    frame = stream.rolling_frame(seconds=10)
    stream.sink(database)
    assert frame.complete()
    for number in range(10):
        play(engine, feed, trade(number))
    play(engine, feed, trade(10))
    database.away = False
    play(engine, feed, trade(11), after=1)
    assert not frame.complete()
    engine.clock.us += 5 * SECOND
    now = dt.datetime.fromtimestamp(engine.clock.us / 1e6, dt.UTC)
    assert not frame.complete()
    assert frame.complete(since=now - dt.timedelta(seconds=2))
    assert "1 rows were dropped before it" in repr(frame)
    engine.clock.us += 6 * SECOND
    assert frame.complete()


def test_a_batch_that_raised_on_the_way_leaves_a_frame_incomplete(engine, feed):
    frame = feed.stream("trade").map(lambda df: 1 / 0 if df["seq"][0] == 2 else df).rolling_frame()
    play(engine, feed, trade(1))
    assert frame.complete()
    play(engine, feed, trade(2), after=1)
    assert not frame.complete()


def test_after_its_end_a_frame_answers_for_the_time_until_then(engine, feed):
    stream = feed.stream("trade")
    frame, closed = stream.rolling_frame(), stream.rolling_frame()
    play(engine, feed, trade(1))
    closed.close()
    engine.clock.us += SECOND
    engine.open_gap("trade")
    assert not frame.complete()
    assert closed.complete()
    late = feed.stream("trade", "KXB-1").rolling_frame()
    for each in feed.pipelines:
        each.close()
    assert not late.complete()
    with pytest.raises(errors.ConfigurationError, match="time zone"):
        frame.complete(since=5)


def test_how_long_ago_may_be_said_in_place_of_a_moment(engine, feed):
    frame = feed.frame("trade")
    engine.clock.us += 60 * SECOND
    engine.close_gap(engine.open_gap("trade"))
    engine.clock.us += 30 * SECOND
    assert frame.complete("29s")
    assert frame.complete(dt.timedelta(seconds=29))
    assert not frame.complete("1min")
    assert not frame.complete("2h")
    with pytest.raises(errors.ConfigurationError, match="since='soon': pass a length of time, such as '5m'"):
        frame.complete("soon")


def test_a_frame_that_no_feed_fills_cannot_know():
    from streamz import Stream

    assert not Stream().rolling_frame(schema={"a": pl.Int64}).complete()


def test_no_warning_comes_from_a_pipeline_that_is_well(engine, feed, database):
    database.away = False
    feed.on("trade")(database)
    play(engine, feed, trade(1))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert feed.health().warnings == ()
