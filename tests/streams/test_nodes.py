from __future__ import annotations

import gc
import itertools
import threading
import time
import weakref

import polars as pl
import pytest
from streamz import Stream

from kalshi_nb._frames.batch import Batch
from kalshi_nb._frames.schema import schema
from kalshi_nb._streams import nodes
from kalshi_nb.errors import ConfigurationError, HandleClosedError, PipelineError
from tests.streams.conftest import BASE_US, deliver_to_users, trade, until


def deliver(pipelines, *numbers, **options):
    deliver_to_users(pipelines, Batch("trade", [trade(n, **options) for n in numbers]))


def test_a_rolling_frame_on_a_source_has_the_columns_of_the_channel_at_once(pipelines):
    frame = pipelines.stream("trade").rolling_frame(rows=3, name="big")
    assert frame.schema == frame.df.schema == schema("trade")
    exact = pipelines.stream("trade", exact=True).rolling_frame()
    assert exact.schema == schema("trade", exact=True)
    assert repr(frame) == "<rolling_frame big, all markets: 0 rows, keeps 3 rows>"


def test_a_rolling_frame_keeps_what_passes_and_passes_it_on(pipelines):
    source = pipelines.stream("trade")
    frame = source.map(lambda df: df.filter(pl.col("seq") > 2)).rolling_frame(rows=3)
    seen = []
    below = frame.map(lambda df: df["seq"].to_list())
    below.sink(seen.append)
    assert frame.schema is None
    deliver(pipelines, 1, 2, 3, 4)
    deliver(pipelines, 5, 6)
    assert frame.df["seq"].to_list() == [4, 5, 6]
    assert frame.schema == schema("trade")
    assert frame.total == 4
    assert len(frame) == 3
    assert frame.latest()["seq"].to_list() == [6]
    frame.wait(rows=4, timeout=0)
    assert seen == [[3, 4], [5, 6]]
    source.pipeline.close()
    assert frame.df.height == 3


def test_a_rolling_frame_without_rows_still_feeds_the_nodes_below_it(pipelines):
    source = pipelines.stream("trade")
    frame = source.rolling_frame()
    assert len(frame) == 0
    seen = []
    frame.sink(seen.append)
    deliver(pipelines, 1)
    assert len(seen) == 1


def test_the_schema_can_be_given(pipelines):
    source = pipelines.stream("trade")
    frame = source.map(lambda df: df.select("seq")).rolling_frame(schema={"seq": pl.Int64})
    assert frame.df.columns == ["seq"]
    deliver(pipelines, 1)
    assert frame.df["seq"].to_list() == [1]


def test_seconds_go_by_the_clock_of_the_feed(pipelines, clock):
    source = pipelines.stream("trade")
    frame = source.map(lambda df: df).rolling_frame(seconds=10)
    deliver(pipelines, 1)
    assert len(frame) == 1
    clock.us = BASE_US + 11_000_000
    assert len(frame) == 0


@pytest.mark.parametrize(
    ("function", "said"), [(lambda df: df.lazy(), "LazyFrame.*collect"), (lambda df: df.height, "int")]
)
def test_anything_but_a_frame_is_refused_with_what_to_return(pipelines, function, said):
    source = pipelines.stream("trade")
    frame = source.map(function).rolling_frame()
    deliver(pipelines, 1)
    error = source.pipeline.last_error.error
    assert isinstance(error, PipelineError)
    with pytest.raises(PipelineError, match=said):
        raise error
    assert frame.total == 0


def test_a_rolling_frame_directly_on_messages_is_refused(pipelines):
    with pytest.raises(PipelineError, match=r"feed\.stream\('trade'\)"):
        pipelines.messages("trade").rolling_frame()


def test_a_change_of_columns_is_an_error_of_the_pipeline_and_the_frame_stays(pipelines):
    source = pipelines.stream("trade")
    frame = source.map(lambda df: df if df.height > 1 else df.drop("seq")).rolling_frame()
    deliver(pipelines, 1, 2)
    deliver(pipelines, 3)
    assert "seq is missing" in str(source.pipeline.last_error.error)
    assert frame.total == 2


@pytest.mark.parametrize("options", [{"rows": 0}, {"rows": 1.5}, {"seconds": -1}])
def test_a_window_that_cannot_be_is_refused_in_the_cell(pipelines, options):
    with pytest.raises(ConfigurationError):
        pipelines.stream("trade").rolling_frame(**options)


def test_a_closed_rolling_frame_takes_no_more_and_stays_readable(pipelines):
    source = pipelines.stream("trade")
    frame = source.rolling_frame()
    deliver(pipelines, 1)
    frame.close()
    deliver(pipelines, 2)
    assert frame.df["seq"].to_list() == [1]
    with pytest.raises(HandleClosedError, match="1 of 2 rows"):
        frame.wait(2, timeout=0.01)


def test_a_rolling_frame_works_on_a_plain_stream_too():
    nodes.register()
    plain = Stream()
    frame = plain.rolling_frame(seconds=60)
    plain.emit(pl.DataFrame({"n": [1]}).with_columns(received_at=pl.lit(None, pl.Datetime("us", "UTC"))))
    assert frame.total == 1
    assert len(frame) == 0


def test_registering_again_changes_nothing(pipelines):
    nodes.register()
    nodes.register()
    assert isinstance(pipelines.stream("trade").rolling_frame(), nodes.RollingFrameNode)
    assert isinstance(pipelines.stream("trade").throttle(1), nodes.ThrottleNode)


def test_throttle_lets_the_first_through_and_the_last_arrive_although_nothing_follows(pipelines, engine):
    seen = []
    source = pipelines.stream("trade")
    source.map(lambda df: df["seq"][-1]).throttle(0.1).sink(lambda n: seen.append((time.monotonic(), n)))
    for number in range(60):
        engine.add("trade", trade(number))
        pipelines.flush()
    until(lambda: seen[-1][1] == 59)
    numbers = [number for _, number in seen]
    assert numbers[0] == 0
    assert numbers == sorted(numbers)
    assert len(numbers) < 60
    gaps = [later[0] - earlier[0] for earlier, later in itertools.pairwise(seen)]
    assert min(gaps) >= 0.099


def test_throttle_is_not_forced_by_a_flush_and_delivers_at_the_end(make, engine):
    pipelines = make()
    seen = []
    source = pipelines.stream("trade")
    source.map(lambda df: df["seq"][-1]).throttle(3_600).sink(seen.append)
    for number in range(5):
        engine.add("trade", trade(number))
        pipelines.flush()
    assert seen == [0]
    assert pipelines.stop(10)
    assert seen == [0, 4]


def test_what_a_throttle_delivers_late_is_guarded_like_all_else(pipelines, engine):
    source = pipelines.stream("trade")
    source.throttle(0.05).sink(lambda df: 1 / (df["seq"][-1] - 1))
    engine.add("trade", trade(0))
    pipelines.flush()
    engine.add("trade", trade(1))
    pipelines.flush()
    until(lambda: source.pipeline.errors == 1)
    assert isinstance(source.pipeline.last_error.error, ZeroDivisionError)
    assert source.pipeline.state == "running"


def test_a_throttle_that_is_gone_is_not_called(pipelines, engine):
    source = pipelines.stream("trade")
    node = source.throttle(0.02)
    for number in range(2):
        engine.add("trade", trade(number))
        pipelines.flush()
    gone = weakref.ref(node)
    del node
    gc.collect()
    assert gone() is None
    time.sleep(0.05)
    pipelines.flush()
    assert source.pipeline.errors == 0


def test_throttle_starts_no_thread_of_its_own(pipelines):
    source = pipelines.stream("trade")
    threads = set(threading.enumerate())
    node = source.throttle(1)
    deliver(pipelines, 1)
    assert set(threading.enumerate()) == threads
    assert repr(node) == "<throttle: 1 s>"


@pytest.mark.parametrize("interval", [0, -1, "1", True, float("nan")])
def test_an_interval_that_cannot_be_is_refused(pipelines, interval):
    with pytest.raises(ConfigurationError, match="interval="):
        pipelines.stream("trade").throttle(interval)


def test_throttle_on_a_plain_stream_is_refused():
    with pytest.raises(PipelineError, match=r"feed\.stream"):
        Stream().throttle(1)
