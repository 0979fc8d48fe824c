from __future__ import annotations

import datetime as dt
import gc
import weakref

import pytest
from streamz import Stream
from streamz.sinks import _global_sinks

from kalshi_nb import _threads
from kalshi_nb._frames.batch import Batch
from kalshi_nb._rows.rows import SnapshotRow
from kalshi_nb._streams.notices import ERRORS_IN_A_ROW
from kalshi_nb.errors import PipelineError, WaitTimeoutError
from kalshi_nb.messages import OrderbookSnapshot, Trade
from tests.streams.conftest import BASE_US, deliver_to_users, trade


def batch(*numbers, market="KXA-1"):
    return Batch("trade", [trade(n, market) for n in numbers])


def both():
    return Batch("trade", [trade(1, "KXA-1"), trade(2, "KXB-1"), trade(3, "KXA-1")])


def test_a_pipeline_gets_its_markets_only_and_nothing_when_there_is_nothing(pipelines):
    source = pipelines.stream("trade", frozenset({"KXA-1"}))
    seen = []
    source.sink(lambda df: seen.append(df["seq"].to_list()))
    deliver_to_users(pipelines, both())
    deliver_to_users(pipelines, batch(9, market="KXB-1"))
    assert seen == [[1, 3]]
    assert source.pipeline.batches == 1
    assert source.pipeline.rows == 2


def test_messages_come_as_lists_of_typed_messages(pipelines):
    source = pipelines.messages("trade", frozenset({"KXB-1"}))
    seen = []
    source.sink(seen.append)
    deliver_to_users(pipelines, both())
    deliver_to_users(pipelines, batch(9))
    [[message]] = seen
    assert isinstance(message, Trade)
    assert (message.market_ticker, message.yes_price, message.seq) == ("KXB-1", 0.47, 2)


def test_other_messages_of_a_channel_reach_messages_and_not_frames(pipelines):
    snapshot = SnapshotRow(BASE_US, 1, "KXA-1", ((4700, 100),), ())
    one = Batch("orderbook_delta", [snapshot])
    frames, lists = pipelines.stream("orderbook_delta"), pipelines.messages("orderbook_delta")
    seen = []
    frames.sink(seen.append)
    lists.sink(seen.append)
    deliver_to_users(pipelines, one)
    assert [type(each) for [each] in seen] == [OrderbookSnapshot]
    assert frames.pipeline.batches == 0


def test_on_calls_with_each_message_and_goes_on_after_one_that_raises(pipelines):
    seen = []

    def called(message):
        if message.seq == 2:
            raise KeyError("two")
        seen.append(message.seq)

    pipeline = pipelines.on("trade", called)
    deliver_to_users(pipelines, batch(1, 2, 3))
    assert seen == [1, 3]
    assert (pipeline.errors, pipeline.rows, pipeline.batches) == (1, 3, 1)
    assert pipeline.name == "called"
    assert repr(pipeline) == "<Pipeline 'called' on trade, all markets: running, 1 batches, 3 rows, 1 errors>"


def test_after_ten_errors_in_a_row_a_pipeline_rests(pipelines):
    source = pipelines.stream("trade", name="mine")
    calls = []
    source.sink(lambda df: calls.append(1) or 1 / 0)
    for number in range(ERRORS_IN_A_ROW - 1):
        deliver_to_users(pipelines, batch(number))
    assert source.pipeline.state == "running"
    deliver_to_users(pipelines, batch(99))
    assert source.pipeline.state == "resting"
    deliver_to_users(pipelines, batch(100))
    assert len(calls) == ERRORS_IN_A_ROW == 10
    assert source.pipeline.errors == 10
    source.map(lambda df: df)  # a repair may be one more node
    source.pipeline.close()
    assert source.pipeline.state == "closed"
    with pytest.raises(PipelineError, match="'mine' is closed"):
        source.map(lambda df: df)


def test_one_success_begins_the_count_anew(pipelines):
    source = pipelines.stream("trade")
    source.sink(lambda df: 1 / df["seq"][0])
    for _ in range(4):
        for _ in range(ERRORS_IN_A_ROW - 1):
            deliver_to_users(pipelines, batch(0))
        deliver_to_users(pipelines, batch(1))
    assert source.pipeline.state == "running"
    assert source.pipeline.errors == 36


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt, GeneratorExit, BaseException])
def test_whatever_a_node_raises_it_does_not_leave_the_pipeline(pipelines, kind):
    def node(x):
        raise kind

    source = pipelines.stream("trade")
    source.sink(node)
    callback = pipelines.on("trade", node)
    deliver_to_users(pipelines, batch(1))
    for pipeline in (source.pipeline, callback):
        assert pipeline.errors == 1
        assert isinstance(pipeline.last_error.error, kind)
    callback.close()


def test_the_last_error_says_what_where_and_when_and_holds_nothing_alive(pipelines, clock):
    clock.us = BASE_US + 1_000_000
    source = pipelines.stream("trade", name="mine")

    def node(df):
        try:
            return 1 / 0
        except ZeroDivisionError as error:
            raise ValueError("worse") from error

    kept = source.map(node)
    _threads.set_role("user")  # elsewhere streamz logs it, and the log would hold what this is about
    try:
        deliver_to_users(pipelines, batch(1))
    finally:
        _threads.set_role(None)
    failure = source.pipeline.last_error
    assert str(failure) == "'mine' on trade raised ValueError: worse"
    assert failure.at == dt.datetime(2025, 10, 9, 8, 53, 21, tzinfo=dt.UTC)
    assert "in node" in failure.traceback
    assert "ZeroDivisionError" in failure.traceback
    assert failure.error.__traceback__ is failure.error.__cause__.__traceback__ is None
    gone = weakref.ref(source)
    gc.disable()
    try:
        del source, kept
        assert gone() is None
    finally:
        gc.enable()
    assert pipelines.last_error is failure


def test_dropping_the_last_node_makes_a_pipeline_vanish_at_once(pipelines):
    source = pipelines.stream("trade", name="mine")
    node = source.map(lambda df: df).rolling_frame(rows=5)
    del source
    assert [each.name for each in pipelines.pipelines] == ["mine"]
    gc.disable()
    try:
        del node
        assert pipelines.pipelines == []
    finally:
        gc.enable()


def test_a_sink_keeps_its_pipeline_until_it_is_closed(pipelines):
    seen = []
    pipelines.stream("trade", name="mine").map(lambda df: df.height).sink(seen.append)
    gc.collect()
    [pipeline] = pipelines.pipelines
    deliver_to_users(pipelines, batch(1))
    assert seen == [1]
    pipeline.close()
    assert pipelines.pipelines == []
    deliver_to_users(pipelines, batch(2))
    assert seen == [1]


def test_closing_takes_the_graph_apart_and_empties_the_list_of_sinks(pipelines):
    before = set(_global_sinks)
    source = pipelines.stream("trade")
    middle = source.map(lambda df: df)
    sinks = [source.sink(print), middle.sink(print), middle.map(str).sink(print)]
    listed = middle.map(len).sink_to_list()
    assert len(_global_sinks - before) == 4
    source.pipeline.close()
    source.pipeline.close()
    assert set(_global_sinks) == before
    assert list(source.downstreams) == list(middle.downstreams) == listed == []
    assert all(each.upstreams == [] for each in sinks)
    with pytest.raises(PipelineError, match="closed"):
        source.sink(print)
    assert set(_global_sinks) == before


def test_closing_one_pipeline_leaves_what_another_feeds_too(pipelines):
    first, second = pipelines.stream("trade"), pipelines.stream("trade")
    seen = []
    merged = first.map(lambda df: ("first", df.height)).union(second.map(lambda df: ("second", df.height)))
    merged.sink(seen.append)
    deliver_to_users(pipelines, batch(1))
    first.pipeline.close()
    deliver_to_users(pipelines, batch(1, 2))
    assert seen == [("first", 1), ("second", 1), ("second", 2)]
    second.pipeline.close()


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("join", ["combine_latest", "zip", "zip_latest", "union"])
def test_pipelines_that_were_joined_can_be_closed_in_any_order(pipelines, join, first):
    sources = pipelines.stream("trade"), pipelines.stream("trade")
    joined = getattr(sources[0].map(lambda df: df), join)(sources[1])
    seen = []
    joined.sink(seen.append)
    deliver_to_users(pipelines, batch(1))
    deliver_to_users(pipelines, batch(2))
    count = len(seen)
    for source in (sources[first], sources[1 - first]):
        source.pipeline.close()
        assert list(source.downstreams) == []
    assert joined.upstreams == []
    deliver_to_users(pipelines, batch(3))
    assert len(seen) == count > 0


def test_a_node_that_cannot_be_destroyed_does_not_stop_the_others(pipelines):
    class Stubborn(Stream):
        def destroy(self, streams=None):
            raise RuntimeError("no")

    source = pipelines.stream("trade")
    stubborn = Stubborn(source)
    seen = []
    stubborn.sink(seen.append)
    source.pipeline.close()
    assert list(source.downstreams) == list(stubborn.downstreams) == []
    assert not [sink for sink in _global_sinks if getattr(sink, "func", None) == seen.append]


def test_a_callback_may_close_itself(pipelines):
    seen = []

    def once(message):
        seen.append(message.seq)
        pipeline.close()

    pipeline = pipelines.on("trade", once)
    deliver_to_users(pipelines, batch(1, 2))
    deliver_to_users(pipelines, batch(3))
    assert seen == [1]
    assert pipelines.pipelines == []


def test_a_sink_may_close_its_own_pipeline_in_the_middle_of_a_batch(pipelines):
    source = pipelines.stream("trade")
    seen = []
    source.sink(lambda df: source.pipeline.close())
    source.sink(seen.append)
    deliver_to_users(pipelines, batch(1))
    deliver_to_users(pipelines, batch(2))
    assert source.pipeline.errors == 0
    assert len(seen) == 1


A, B, C, D = (f"KXHIGHNY-26NOV22-{letter}1" for letter in "ABCD")


@pytest.mark.parametrize(
    ("channel", "markets", "said"),
    [
        ("trade", None, "all markets"),
        ("trade", {A}, A),
        ("trade", {C, B, A}, f"3 markets: {A}, {B}, {C}"),
        ("trade", {D, C, B, A}, f"4 markets: {A}, {B}, …"),
        ("cfbenchmarks_value", None, "all indices"),
        ("pyth_value", {"a", "b"}, "2 underlyings: a, b"),
        ("order_group_updates", None, "everything"),
        ("orderbook_delta", None, "the books that the feed keeps"),
        ("quotes", None, "the books that the feed keeps"),
    ],
)
def test_the_repr_names_the_markets(pipelines, channel, markets, said):
    source = pipelines.stream(channel, None if markets is None else frozenset(markets), name="x")
    assert repr(source) == f"<stream 'x' on {channel}, {said}>"
    assert repr(source.pipeline) == f"<Pipeline 'x' on {channel}, {said}: running, 0 batches, 0 rows>"
    assert repr(source.rolling_frame(name="kept")).startswith(f"<rolling_frame kept, {said}: 0 rows")


def test_the_repr_hints_at_what_is_wrong_with_a_ticker_until_something_comes_of_it(pipelines):
    source = pipelines.stream("trade", frozenset({"KXA-1"}), name="x")
    frame = source.rolling_frame()
    for each in (source.pipeline, frame):
        assert "'KXA-1' looks like the ticker of an event or a series" in repr(each)
    with pytest.raises(WaitTimeoutError, match=r"'KXA-1' looks like .* Check that the market trades"):
        frame.wait(timeout=0.01)
    deliver_to_users(pipelines, batch(1))
    for each in (source.pipeline, frame):
        assert "looks like" not in repr(each)
