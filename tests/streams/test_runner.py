from __future__ import annotations

import logging
import re
import threading

import pytest

from kalshi_nb import _threads
from kalshi_nb._rows.channels import CHANNELS
from kalshi_nb._streams.runner import Pipelines
from kalshi_nb.errors import ConfigurationError, FeedClosedError, WaitTimeoutError, WrongThreadError
from tests.streams.conftest import Engine, deliver_to_users, frame_of, trade, until

before = set()


@pytest.fixture(autouse=True)
def _threads_of_other_tests():
    before.update(threading.enumerate())
    yield
    before.clear()


def names():
    """Threads of the kit that this test started."""
    return [each.name for each in threading.enumerate() if each.name.startswith("kalshi-") and each not in before]


class Gate:
    """A slow node: it says when it was entered, and waits until it is let go."""

    def __init__(self):
        self.entered, self.open = threading.Event(), threading.Event()
        self.heights = []

    def __call__(self, df):
        self.heights.append(df.height)
        self.entered.set()
        assert self.open.wait(30)


@pytest.fixture
def gate():
    made = Gate()
    yield made
    made.open.set()


def test_no_thread_runs_before_it_is_needed_and_none_after_the_end(make):
    pipelines = make()
    assert names() == []
    frame_of(pipelines, "trade")
    assert names() == ["kalshi-pipeline"]
    source = pipelines.stream("trade")
    assert sorted(names()) == ["kalshi-pipeline", "kalshi-user"]
    assert all(thread.daemon for thread in threading.enumerate() if thread.name in names())
    assert pipelines.stop(10)
    assert names() == []
    assert source.pipeline.state == "running"


def test_starting_and_stopping_are_idempotent(make):
    pipelines = make()
    pipelines.start()
    pipelines.start()
    assert names() == ["kalshi-pipeline"]
    assert pipelines.stop(10)
    assert pipelines.stop(10)
    pipelines.start()
    assert names() == []
    assert make().stop(10)


def test_rows_reach_frames_streams_messages_and_callbacks(pipelines, engine):
    frame = frame_of(pipelines, "trade", name="trades")
    of_one = frame_of(pipelines, "trade", frozenset({"KXB-1"}), rows=2)
    streamed, listed, called = [], [], []
    pipelines.stream("trade").sink(streamed.append)
    pipelines.messages("trade", frozenset({"KXB-1"})).sink(listed.extend)
    pipelines.on("trade", called.append)
    engine.add("trade", *[trade(n, "KXA-1" if n % 2 else "KXB-1") for n in range(10)])
    frame.wait(10)
    pipelines.flush()
    assert frame.df["seq"].to_list() == list(range(10))
    assert of_one.df["seq"].to_list() == [6, 8]
    assert sum(df.height for df in streamed) == 10
    assert [each.seq for each in listed] == [0, 2, 4, 6, 8]
    assert [each.seq for each in called] == list(range(10))
    assert pipelines.kit_errors == pipelines.errors == 0


def test_frames_are_filled_without_a_flush(pipelines, engine):
    frame = frame_of(pipelines, "trade")
    engine.add("trade", trade(1))
    frame.wait(1, timeout=20)


def test_rows_that_nobody_listens_to_are_taken_and_thrown_away(pipelines, engine):
    pipelines.start()
    engine.add("ticker", *[(0,) * 13] * 5)
    pipelines.flush()
    assert engine.taken["ticker"] == 5
    assert pipelines.pending_rows == pipelines.kit_errors == 0


def test_the_threads_know_what_they_are(pipelines, engine):
    taken_by = []
    take = pipelines._take
    pipelines._take = lambda channel: taken_by.append(_threads.role()) or take(channel)
    frame = pipelines.frame("trade").store
    engine.add("trade", trade(1))
    until(lambda: frame.total == 1)
    assert set(taken_by) == {"pipeline"}
    called_by = []
    pipelines.on("trade", lambda _: called_by.append(_threads.role()))
    engine.add("trade", trade(2))
    pipelines.flush()
    assert called_by == ["user"]
    assert set(taken_by) <= {"pipeline", "user"}
    assert _threads.role() is None


@pytest.mark.parametrize("call", ["wait", "flush"])
def test_waiting_inside_a_node_is_refused_instead_of_hanging(pipelines, engine, call):
    frame = frame_of(pipelines, "trade")
    source = pipelines.stream("trade")
    source.sink(lambda df: frame.wait(100) if call == "wait" else pipelines.flush())
    engine.add("trade", trade(1))
    pipelines.flush()
    assert isinstance(source.pipeline.last_error.error, WrongThreadError)


def test_a_failing_pipeline_disturbs_no_other_and_no_frame_nor_itself_afterwards(pipelines, engine):
    frame = frame_of(pipelines, "trade")
    good, bad = [], []
    failing = pipelines.stream("trade", name="failing")
    failing.sink(lambda df: bad.append(1 / (df["seq"][0] - 1)))
    pipelines.stream("trade").sink(good.append)
    for number in range(4):
        engine.add("trade", trade(number))
        pipelines.flush()
    assert frame.total == len(good) == 4
    assert bad == [-1.0, 1.0, 0.5]
    assert pipelines.errors == failing.pipeline.errors == 1
    assert pipelines.last_error is failing.pipeline.last_error
    assert pipelines.last_error.pipeline == "failing"
    assert pipelines.kit_errors == 0


def test_the_thread_outlives_a_node_that_exits(pipelines, engine):
    def leave(df):
        raise SystemExit

    pipelines.stream("trade").sink(leave)
    seen = []
    pipelines.stream("trade").sink(seen.append)
    for number in range(2):
        engine.add("trade", trade(number))
        pipelines.flush()
    assert len(seen) == 2
    assert "kalshi-user" in names()


def test_the_user_is_warned_once_when_a_row_of_errors_begins_and_when_a_pipeline_rests_by_it(pipelines, engine):
    source = pipelines.stream("trade", name="mine")
    source.sink(lambda df: 1 / 0)
    for number in range(10):
        engine.add("trade", trade(number))
        pipelines.flush()
        if number == 3:
            [notice] = pipelines.take_notices()
            begins, ends = notice.split(__file__)
            assert begins == "your pipeline 'mine' on trade raised ZeroDivisionError: division by zero ("
            assert re.fullmatch(r":\d+, in <lambda>\); it goes on with the next batch", ends)
            assert pipelines.take_notices() == []
    [notice] = pipelines.take_notices()
    assert "'mine' on trade raised ZeroDivisionError" in notice
    assert "after 10 errors in a row it rests for 1 s" in notice
    assert source.pipeline.state == "resting"
    assert pipelines.pipelines == [source.pipeline]


def test_notices_are_bounded(pipelines):
    def raising(message):
        if message.seq % 2:
            raise ValueError(message.seq)

    pipelines.on("trade", raising)
    from kalshi_nb._frames.batch import Batch

    deliver_to_users(pipelines, Batch("trade", [trade(n) for n in range(100)]))
    notices = pipelines.take_notices()
    assert len(notices) == 21
    assert "30 more errors" in notices[-1]
    assert pipelines.errors == 50


def test_nothing_is_logged_into_the_cell_from_the_feeds_threads(pipelines, engine, caplog):
    source = pipelines.stream("trade")
    kept = source.map(lambda df: 1 / 0)
    with caplog.at_level(logging.DEBUG):
        engine.add("trade", trade(1))
        pipelines.flush()
    assert source.pipeline.errors == 1
    assert [each for each in caplog.records if each.name.startswith("streamz")] == []
    assert kept is not None


def test_a_slow_node_delays_no_frame_and_makes_its_own_next_batch_larger(pipelines, engine, gate):
    frame = frame_of(pipelines, "trade")
    pipelines.stream("trade").sink(gate)
    engine.add("trade", trade(0))
    assert gate.entered.wait(30)
    for number in range(1, 21):
        engine.add("trade", trade(number))
        frame.wait(number + 1, timeout=20)
    assert gate.heights == [1]
    gate.open.set()
    pipelines.flush()
    assert gate.heights == [1, 20]
    assert pipelines.dropped_rows == 0


def test_past_the_bound_the_oldest_batches_go_and_are_counted(make, engine, gate):
    pipelines = make(max_pending_rows=10)
    frame = frame_of(pipelines, "trade")
    seen = []
    pipelines.stream("trade").map(lambda df: seen.extend(df["seq"]) or df).sink(gate)
    engine.add("trade", trade(0))
    assert gate.entered.wait(30)
    for number in range(8):
        engine.add("trade", *[trade(1 + number * 3 + n) for n in range(3)])
        frame.wait(1 + number * 3 + 3, timeout=20)
    until(lambda: pipelines.pending_rows + pipelines.dropped_rows == 24)
    assert pipelines.pending_rows <= 10
    gate.open.set()
    pipelines.flush()
    assert pipelines.dropped_rows > 0
    assert seen == [0, *range(1 + pipelines.dropped_rows, 25)]
    assert frame.total == 25


def test_the_newest_batch_is_delivered_however_large(make, engine):
    pipelines = make(max_pending_rows=10)
    seen = []
    pipelines.stream("trade").sink(lambda df: seen.append(df.height))
    engine.add("trade", *[trade(n) for n in range(50)])
    pipelines.flush()
    assert sum(seen) == 50


def test_flush_says_which_thread_is_behind(pipelines, engine, gate):
    pipelines.stream("trade", name="slow one").sink(gate)
    engine.add("trade", trade(0))
    with pytest.raises(WaitTimeoutError, match=r"kalshi-user .* 'slow one'"):
        pipelines.flush(timeout=0.05)
    stuck = threading.Event()
    take = engine.take
    pipelines._take = lambda channel: stuck.wait(30) and take(channel)
    engine.add("trade", trade(1))
    with pytest.raises(WaitTimeoutError, match="kalshi-pipeline"):
        pipelines.flush(timeout=0.05)
    stuck.set()


def test_everything_pending_at_a_flush_is_delivered_when_it_returns(make, engine):
    pipelines = make(flush_interval=3_600)
    frame = frame_of(pipelines, "trade")
    seen = []
    pipelines.stream("trade").sink(lambda df: seen.append(df.height))
    for number in range(200):
        engine.add("trade", trade(number))
        pipelines.flush()
        assert frame.total == sum(seen) == number + 1


def test_flushing_often_does_not_put_off_the_turns_of_their_own(make, engine):
    pipelines = make(flush_interval=0.2)
    frame = frame_of(pipelines, "trade")
    for _ in range(100):
        pipelines.flush()
    engine.add("trade", trade(1))
    frame.wait(1, timeout=5)


def test_flush_and_stop_may_meet(make, engine):
    for _ in range(20):
        pipelines = make()
        pipelines.stream("trade")
        flusher = threading.Thread(target=lambda p=pipelines: [p.flush(20) for _ in range(20)])
        flusher.start()
        assert pipelines.stop(20)
        flusher.join(10)
        assert not flusher.is_alive()


def test_stopping_delivers_what_is_pending(make, engine):
    pipelines = make(flush_interval=3_600)
    frame = frame_of(pipelines, "trade")
    seen = []
    pipelines.stream("trade").sink(lambda df: seen.append(df.height))
    engine.add("trade", trade(1), trade(2))
    assert pipelines.stop(20)
    assert frame.total == sum(seen) == 2


def test_stopping_does_not_wait_for_ever_for_a_slow_node(make, engine, gate):
    pipelines = make()
    pipelines.stream("trade").sink(gate)
    engine.add("trade", trade(1))
    assert gate.entered.wait(30)
    assert not pipelines.stop(0.05)
    gate.open.set()
    assert pipelines.stop(20)


def test_a_callback_may_stop_the_feed(make, engine):
    pipelines = make()
    stopped = []
    pipelines.on("trade", lambda message: stopped.append(pipelines.stop(10)))
    engine.add("trade", trade(1))
    until(lambda: stopped)
    assert stopped == [True]
    until(lambda: names() == [])


def test_nothing_can_be_attached_to_a_stopped_feed(make):
    pipelines = make()
    pipelines.stop(10)
    for attach in (
        lambda: pipelines.stream("trade"),
        lambda: pipelines.messages("trade"),
        lambda: frame_of(pipelines, "trade"),
        lambda: pipelines.on("trade", print),
    ):
        with pytest.raises(FeedClosedError, match=r"connect\(\)"):
            attach()


def test_an_error_of_the_engine_is_counted_and_the_other_channels_go_on(pipelines, engine):
    frame = frame_of(pipelines, "trade")
    engine.broken = "ticker"
    engine.add("trade", trade(1))
    pipelines.flush()
    assert frame.total == 1
    assert pipelines.kit_errors > 0
    assert "broken" in str(pipelines.last_error.error)
    assert pipelines.take_notices() == []


def test_rows_that_cannot_be_a_frame_are_an_error_of_the_kit_and_the_next_ones_come(pipelines, engine):
    frame = frame_of(pipelines, "trade")
    seen = []
    pipeline = pipelines.on("trade", seen.append)
    engine.add("trade", ("not", "a", "trade"))
    pipelines.flush()
    engine.add("trade", trade(1))
    pipelines.flush()
    assert frame.total == 1
    assert pipelines.kit_errors == 2  # once for the frame, once for the callback
    assert pipelines.errors == pipeline.errors == 0
    assert [each.seq for each in seen] == [1]


def test_a_frame_of_the_kit_never_rests(pipelines, engine):
    frame = frame_of(pipelines, "trade")
    for _ in range(15):
        engine.add("trade", ("not", "a", "trade"))
        pipelines.flush()
    engine.add("trade", trade(1))
    pipelines.flush()
    assert frame.total == 1


def test_closing_a_frame_ends_its_filling_and_calls_back(pipelines, engine):
    calls = []
    frame = frame_of(pipelines, "trade", on_close=lambda: calls.append(1))
    engine.add("trade", trade(1))
    pipelines.flush()
    frame.close()
    engine.add("trade", trade(2))
    pipelines.flush()
    assert frame.df["seq"].to_list() == [1]
    assert calls == [1]
    assert pipelines._kit.all() == []


def test_a_frame_checks_its_window(pipelines):
    with pytest.raises(ConfigurationError):
        frame_of(pipelines, "trade", rows=0)
    assert pipelines._kit.all() == []


def test_pipelines_come_and_go_from_many_threads_while_rows_flow(pipelines, engine):
    frame = frame_of(pipelines, "trade")
    errors = []

    def come_and_go():
        try:
            for _ in range(60):
                node = pipelines.stream("trade").map(lambda df: df.height)
                pipelines.on("trade", lambda message: None).close()
                sink = pipelines.messages("trade").sink(lambda messages: None)
                del node
                sink.upstream.pipeline.close()
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=come_and_go) for _ in range(3)]
    for each in threads:
        each.start()
    number = 0
    while any(each.is_alive() for each in threads):
        engine.add("trade", trade(number))
        number += 1
        pipelines.flush()
    assert not errors
    assert frame.total == number
    assert pipelines.pipelines == []
    assert pipelines.errors == pipelines.kit_errors == 0


def test_two_feeds_share_nothing(make, clock):
    first, engine = make(), Engine()
    second = Pipelines(engine.take, engine.pending, engine.watch, CHANNELS, clock, flush_interval=0.005)
    try:
        frames = [frame_of(each, "trade") for each in (first, second)]
        seen = {"first": [], "second": []}
        first.stream("trade").sink(seen["first"].append)
        broken = second.stream("trade")
        broken.sink(lambda df: 1 / 0)
        engine.add("trade", trade(1))
        second.flush()
        first.flush()
        assert [frame.total for frame in frames] == [0, 1]
        assert seen["first"] == []
        assert (first.errors, second.errors) == (0, 1)
        assert first.take_notices() == []
        assert len(first.pipelines) == len(second.pipelines) == 1
        assert len(names()) == 4
        broken.pipeline.close()
    finally:
        assert second.stop(10)
    assert len(names()) == 2


def test_who_reads_a_channel_s_rows_has_them_before_anybody_and_its_errors_cost_no_row(make, engine):
    order = []

    def read(rows):
        order.append(("read", len(rows)))
        raise ValueError("of the reader's own")

    pipelines = make(readers={"trade": read})
    frame = frame_of(pipelines, "trade")
    pipelines.on("trade", lambda message: order.append(("heard", message.seq)))
    engine.add("trade", trade(1), trade(2))
    engine.add("ticker", trade(3))
    frame.wait(2)
    pipelines.flush()
    assert order == [("read", 2), ("heard", 1), ("heard", 2)]
    assert frame.df.height == 2
    assert pipelines.kit_errors == 1
