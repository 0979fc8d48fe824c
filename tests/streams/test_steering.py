"""Rows that say what to do with those around them: frames follow them in their place, messages never see them."""

from __future__ import annotations

import threading

import pytest

from kalshi_nb._frames.batch import Batch
from kalshi_nb._rows.channels import CHANNELS, LAYOUTS, QUOTES, traits_of
from kalshi_nb._rows.gaps import GapRow
from kalshi_nb._rows.quotes import PresentQuoteRow
from kalshi_nb._rows.steering import ClockStepRow, LateRows, ResetRow
from kalshi_nb._streams.runner import Pipelines
from kalshi_nb.errors import WrongThreadError
from tests.streams.conftest import BASE_US, frame_of, trade, until

HOUR = 3_600_000_000


def seqs(frame):
    return frame.df["seq"].to_list()


@pytest.mark.parametrize("many", [1, 200])  # few rows wait to be columns, many become columns at once
def test_a_reset_empties_frames_in_its_place_among_the_rows(pipelines, engine, many):
    frame, of_one = frame_of(pipelines, "trade"), frame_of(pipelines, "trade", frozenset({"KXB-1"}))
    users = pipelines.stream("trade").rolling_frame()
    below = pipelines.messages("trade", frozenset({"KXA-1"})).map(
        lambda found: Batch("trade", [trade(found[-1].seq)]).df()
    )
    late = below.rolling_frame()
    engine.add("trade", *[trade(n) for n in range(many)], trade(900, "KXB-1"))
    pipelines.flush()
    engine.add("trade", trade(901), ResetRow(), *[trade(1_000 + n) for n in range(many)])
    pipelines.flush()
    new = list(range(1_000, 1_000 + many))
    assert seqs(frame) == seqs(users) == new
    assert frame.total == users.total == 2 * many + 2
    assert seqs(of_one) == []
    assert of_one.total == 1
    assert seqs(late) == [new[-1]]
    assert frame.latest()["market_ticker"].to_list() == ["KXA-1"]
    assert pipelines.kit_errors == pipelines.errors == 0


def test_a_reset_of_one_channel_leaves_the_others(pipelines, engine):
    frame, other = frame_of(pipelines, "trade"), frame_of(pipelines, "ticker")
    engine.add("trade", trade(1))
    pipelines.flush()
    engine.add("ticker", ResetRow())
    pipelines.flush()
    assert seqs(frame) == [1]
    assert other.total == pipelines.kit_errors == 0


def test_a_gap_before_a_reset_is_not_one_of_the_rows_after_it(pipelines, engine):
    frame = frame_of(pipelines, "trade", gaps=True)
    engine.add("trade", trade(1), GapRow(None, BASE_US, "sequence"), trade(2), trade(3))
    engine.add(
        "trade", GapRow(None, BASE_US, "sequence"), ResetRow(), trade(4), GapRow("KXA-1", 0, "sequence"), trade(5)
    )
    pipelines.flush()
    assert frame.df.select("seq", "gap").rows() == [(4, False), (5, True)]


def test_quotes_begin_anew_after_a_reset():
    values = {"market_ticker": "KXA-1", "bid": 1, "received_at": 1, "status": "live"}
    quote = tuple(values.get(each.name) for each in LAYOUTS[QUOTES])
    pending = [[quote], [PresentQuoteRow("KXA-1", quote)], [ResetRow(), PresentQuoteRow("KXA-1", quote)]]
    given = []

    def take(channel):
        return given.pop() if channel == QUOTES and given else []

    def nothing_comes_by_itself(channels, wake):
        return False

    pipelines = Pipelines(take, lambda: [QUOTES], nothing_comes_by_itself, (QUOTES,), _Clock(), flush_interval=3_600)
    pipelines.hold()
    seen = []
    kept = pipelines.on(QUOTES, seen.append)
    try:
        for rows, expected in zip(pending, (1, 1, 2), strict=True):
            given.append(rows)
            pipelines.flush()
            assert len(seen) == expected
    finally:
        kept.close()
        assert pipelines.stop(10)


class _Clock:
    def now_us(self):
        return BASE_US


@pytest.mark.parametrize("by", [-HOUR, HOUR])
def test_a_step_of_the_clock_makes_no_row_of_any_frame_younger_or_older(pipelines, engine, clock, by):
    frame = frame_of(pipelines, "trade", seconds=10)
    users = pipelines.stream("trade").map(lambda df: df).rolling_frame(seconds=10)
    engine.add("trade", trade(1, received_us=clock.us))
    pipelines.flush()
    clock.us += 4_000_000 + by
    engine.add("trade", ClockStepRow(by), trade(2, received_us=clock.us))
    pipelines.flush()
    assert seqs(frame) == seqs(users) == [1, 2]
    clock.us += 7_000_000
    assert seqs(frame) == seqs(users) == [2]
    clock.us += 4_000_000
    assert seqs(frame) == seqs(users) == []


def test_late_rows_enter_the_feeds_frames_in_the_order_of_time_and_reach_nobody_else(pipelines, engine):
    frame, of_one = frame_of(pipelines, "trade", gaps=True), frame_of(pipelines, "trade", frozenset({"KXB-1"}))
    users = pipelines.stream("trade").rolling_frame()
    said, called = [], []
    pipelines.messages("trade").sink(said.extend)
    pipelines.on("trade", called.append)
    late = LateRows((trade(3, "KXB-1"), trade(2)))
    engine.add("trade", trade(1), GapRow(None, BASE_US, "sequence"), late, trade(5), trade(6, "KXB-1"))
    pipelines.flush()
    assert frame.df.select("seq", "gap").rows() == [(1, False), (2, False), (3, False), (5, True), (6, True)]
    assert seqs(of_one) == [3, 6]
    assert (frame.total, of_one.total) == (5, 2)
    assert frame.latest()["seq"].to_list() == [5, 6]
    assert seqs(users) == [each.seq for each in said] == [each.seq for each in called] == [1, 5, 6]
    assert pipelines.kit_errors == pipelines.errors == 0


def test_late_rows_that_make_no_frame_are_an_error_of_the_kit_and_the_next_ones_come(pipelines, engine):
    frame = frame_of(pipelines, "trade")
    engine.add("trade", LateRows((("not", "a", "trade"),)), trade(1))
    pipelines.flush()
    assert pipelines.kit_errors == 1
    assert seqs(frame) == [1]


@pytest.mark.parametrize("channel", CHANNELS)
def test_rows_that_steer_are_no_messages_on_any_channel(pipelines, engine, channel):
    subject = traits_of(channel).subject
    seen = []
    pipelines.on(channel, seen.append)
    pipelines.on(channel, seen.append, None if subject is None else frozenset({"KXA-1"}))
    pipelines.stream(channel).sink(seen.append)
    frame = frame_of(pipelines, channel)
    engine.add(channel, ResetRow(), ClockStepRow(5), LateRows(()))
    pipelines.flush()
    assert seen == []
    assert frame.total == pipelines.kit_errors == pipelines.errors == 0


def test_a_batch_without_steering_rows_is_its_own_only_part():
    batch = Batch("trade", [trade(1), GapRow(None, 0, "sequence")])
    (part,) = batch.parts
    assert part is batch
    assert batch.steering == []


def test_of_dropped_rows_what_steers_is_followed_all_the_same(make, engine, clock):
    pipelines = make(max_pending_rows=10)
    entered, opened, seen = threading.Event(), threading.Event(), []

    def slow(df):
        entered.set()
        assert opened.wait(30)
        return df

    users = pipelines.stream("trade").map(slow).rolling_frame()
    counted = frame_of(pipelines, "trade")
    engine.add("trade", trade(0))
    assert entered.wait(30)
    engine.add("trade", *[trade(n) for n in range(1, 6)], ResetRow(), ClockStepRow(1))
    counted.wait(6, timeout=20)
    for number in range(4):
        engine.add("trade", *[trade(100 + number * 5 + n) for n in range(5)])
        counted.wait(6 + number * 5 + 5, timeout=20)
    until(lambda: pipelines.dropped_rows >= 5)
    opened.set()
    pipelines.flush()
    assert 0 not in seqs(users)
    assert seqs(users)[-1] == 119
    assert pipelines.dropped_rows + users.total == 26
    assert seen == []


# Room


def test_whoever_waits_for_room_never_has_a_row_dropped(make, engine):
    pipelines = make(max_pending_rows=40, flush_interval=0.02)
    seen = []

    def slow(messages):
        threading.Event().wait(0.002)
        seen.extend(each.seq for each in messages)

    pipelines.messages("trade").sink(slow)
    frame = frame_of(pipelines, "trade")
    for number in range(120):
        engine.add("trade", *[trade(number * 19 + n) for n in range(19)])
        assert pipelines.wait_for_room(20)
        assert pipelines.pending_rows < 20
    pipelines.flush(30)
    assert pipelines.dropped_rows == 0
    assert seen == list(range(120 * 19))
    assert frame.total == 120 * 19


def test_there_is_no_room_while_a_node_holds_it_up_and_there_is_once_it_goes_on(make, engine):
    pipelines = make(max_pending_rows=10)
    entered, opened = threading.Event(), threading.Event()
    pipelines.stream("trade").sink(lambda df: entered.set() or opened.wait(30))
    engine.add("trade", trade(0))
    assert entered.wait(30)
    engine.add("trade", *[trade(n) for n in range(1, 5)])
    assert pipelines.wait_for_room(20)
    engine.add("trade", trade(5))
    assert not pipelines.wait_for_room(0.05)
    opened.set()
    assert pipelines.wait_for_room(20)


def test_room_is_there_where_no_pipeline_of_a_user_is(make, engine):
    pipelines = make(max_pending_rows=2)
    frame = frame_of(pipelines, "trade")
    engine.add("trade", *[trade(n) for n in range(50)])
    assert pipelines.wait_for_room(20)
    assert frame.total == 50


def test_there_is_no_room_in_what_is_stopped(make, engine):
    pipelines = make(max_pending_rows=2)
    opened, entered, answers = threading.Event(), threading.Event(), []
    pipelines.stream("trade").sink(lambda df: entered.set() or opened.wait(30))
    engine.add("trade", trade(0))
    assert entered.wait(30)
    engine.add("trade", trade(1), trade(2))
    waiting = threading.Thread(target=lambda: answers.append(pipelines.wait_for_room(30)))
    waiting.start()
    until(lambda: pipelines.pending_rows == 2)
    pipelines.stop(0.2)
    waiting.join(20)
    assert answers == [False]
    opened.set()
    assert pipelines.stop(20)
    assert not pipelines.wait_for_room(20)


def test_the_threads_that_make_room_cannot_wait_for_it(pipelines, engine):
    source = pipelines.stream("trade")
    source.sink(lambda df: pipelines.wait_for_room(1))
    engine.add("trade", trade(1))
    pipelines.flush()
    assert isinstance(source.pipeline.last_error.error, WrongThreadError)
