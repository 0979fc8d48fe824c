"""Verbs that steer a rolling frame: it is emptied, its clock is set, rows are put in later."""

from __future__ import annotations

import threading

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kalshi_nb._frames.batch import Batch
from kalshi_nb._frames.rolling import RollingFrame
from kalshi_nb._frames.schema import schema
from tests.frames.making import BASE_US, SMALL, HandClock, small, trade

HOUR = 3_600_000_000
SECOND = 1_000_000


def plain(*rows):
    return Batch("trade", rows).plain(None)


def numbers(frame):
    return frame.df["seq"].to_list()


def fill(frame, rows):
    """Add rows in parts of several sizes, so that blocks, parts and rows that wait are all there."""
    for at in range(0, len(rows), 7):
        frame.append_rows(plain(*rows[at : at + 7]))


# Emptied


@pytest.mark.parametrize("count", [1, 300, 5_000])
def test_a_frame_that_is_reset_is_empty_and_goes_on_counting(count):
    frame = RollingFrame(schema("trade"), rows=500, clock=HandClock())
    fill(frame, [trade(n, f"KX-{n % 9}") for n in range(count)])
    before = frame.df
    frame.reset()
    assert frame.df.equals(before.clear())
    assert frame.df.schema == schema("trade")
    assert frame.height == frame.latest().height == 0
    assert frame.total == count
    frame.append_rows(plain(trade(7, "KX-new")))
    assert numbers(frame) == frame.latest()["seq"].to_list() == [7]
    assert frame.total == count + 1
    assert before.height == min(count, 500)


def test_a_frame_without_columns_yet_can_be_reset():
    frame = RollingFrame(None, rows=5, clock=HandClock())
    frame.reset()
    assert frame.schema is None
    frame.append(small(("KX-1", 1, BASE_US)))
    frame.reset()
    assert frame.df.schema == SMALL


def test_a_frame_that_was_reset_is_whole_since_then_only():
    clock = HandClock()
    frame = RollingFrame(schema("trade"), rows=5, clock=clock)
    frame.append_rows(plain(trade(1)))
    assert frame.whole_since_us() is None
    clock.us += SECOND
    frame.reset()
    assert frame.whole_since_us() == clock.us


# The clock is set


class Steady:
    """A list whose rows know their age by a clock that is never set."""

    def __init__(self, seconds, rows):
        self.span, self.most, self.now, self.kept = round(seconds * 1e6), rows, 0, []

    def append(self, numbers):
        self.kept += [(number, self.now) for number in numbers]
        self.kept = [pair for pair in self.kept if self.now - pair[1] <= self.span][-self.most :]

    def numbers(self):
        return [number for number, at in self.kept if self.now - at <= self.span]


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 30),  # rows
            st.integers(0, 4),  # seconds that pass before them
            st.none() | st.sampled_from([-HOUR, HOUR, -SECOND, 2 * SECOND, -5 * SECOND]),  # the clock is set then
            st.booleans(),  # somebody reads in between
        ),
        max_size=30,
    ),
    st.sampled_from([3, 7.25, 60]),
    st.sampled_from([20, 100_000]),
)
def test_however_the_clock_is_set_a_window_of_seconds_goes_by_the_time_that_passed(steps, seconds, rows):
    clock, steady = HandClock(), Steady(seconds, rows)
    frame = RollingFrame(SMALL, rows=rows, seconds=seconds, clock=clock)
    number = 0
    for count, later, by, read in steps:
        clock.us += later * SECOND
        steady.now += later * SECOND
        if by is not None:
            clock.us += by
            frame.step(by)
        new = list(range(number, number + count))
        number += count
        frame.append(small(*[(f"KX-{each % 3}", each, clock.us) for each in new]))
        steady.append(new)
        if read:
            assert frame.df["n"].to_list() == steady.numbers()
            assert frame.height == len(steady.numbers())
    assert frame.df["n"].to_list() == steady.numbers()
    clock.us += SECOND
    steady.now += SECOND
    assert frame.df["n"].to_list() == steady.numbers()
    assert frame.total == number


@pytest.mark.parametrize("by", [-HOUR, HOUR])
def test_rows_that_wait_to_become_columns_keep_their_age_when_the_clock_is_set(by):
    clock = HandClock()
    frame = RollingFrame(schema("trade"), seconds=10, clock=clock)
    frame.append_rows(plain(trade(1, received_us=clock.us)))
    clock.us += 4 * SECOND + by
    frame.step(by)
    assert numbers(frame) == [1]
    frame.append_rows(plain(trade(2, received_us=clock.us)))
    assert numbers(frame) == [1, 2]
    clock.us += 7 * SECOND
    assert numbers(frame) == [2]
    clock.us += 4 * SECOND
    assert numbers(frame) == []


def test_a_window_does_not_grow_without_end_after_a_step_back():
    clock = HandClock()
    frame = RollingFrame(SMALL, seconds=10, clock=clock)
    most = 0
    for number in range(2_000):
        clock.us += SECOND // 10
        if number == 1_000:
            clock.us -= HOUR
            frame.step(-HOUR)
        frame.append(small(("KX-1", number, clock.us)))
        most = max(most, frame.height)
    assert most <= 101


@pytest.mark.parametrize("step", [-3600, -2, 2, 3600])
@pytest.mark.parametrize("bound", [{"seconds": 10}, {"rows": 100}, {"seconds": 10, "rows": 100}])
def test_after_a_step_a_frame_claims_just_those_times_whose_rows_are_there(bound, step):
    clock = HandClock()
    frame = RollingFrame(SMALL, clock=clock, **bound)
    received = []
    for number in range(400):
        clock.us += SECOND // 10
        if number == 250:
            clock.us += step * SECOND
            frame.step(step * SECOND)
            received = [each + step * SECOND for each in received]  # by the clock as it is set now
        frame.append(small(("KX-1", number, clock.us)))
        received.append(clock.us)
        whole, there = frame.whole_since_us() or 0, set(frame.df["n"])
        # A row exactly at the edge may have left when the window is bounded by rows: the oldest one is named.
        assert all(n in there for n, at in enumerate(received) if at > whole)
        assert all(n not in there for n, at in enumerate(received) if at < whole)


# Rows are put in later


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 4)), min_size=0, max_size=60),
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 6)), min_size=1, max_size=30),
    st.sampled_from([4, 25, 100_000]),
    st.integers(1, 30),
)
def test_late_rows_stand_where_their_time_belongs(there, late, rows, size):
    frame = RollingFrame(schema("trade"), rows=rows, clock=HandClock())
    # Arrived in the order of time, with equal times among them.
    first = [(*trade(ts, f"KX-{market}")[:-1], n) for n, (ts, market) in enumerate(sorted(there))]
    for at in range(0, len(first), size):
        frame.append(Batch("trade", first[at : at + size]).df())
    second = [(*trade(ts, f"KX-{market}")[:-1], 1000 + n) for n, (ts, market) in enumerate(late)]
    frame.insert(plain(*second))
    ordered = sorted([*first[-rows:], *second], key=lambda row: row[0])
    assert numbers(frame) == [row[-1] for row in ordered[-rows:]]
    assert frame.total == len(first) + len(second)
    newest = {row[1]: row for row in sorted([*first, *second], key=lambda row: row[0])}
    assert dict(frame.latest().select("market_ticker", "seq").iter_rows()) == {m: r[-1] for m, r in newest.items()}
    frame.append_rows(plain(trade(99, "KX-0")))
    assert numbers(frame) == [*[row[-1] for row in ordered], 99][-rows:]


def test_rows_that_are_there_keep_their_order_although_it_is_not_that_of_time():
    frame = RollingFrame(schema("trade"), rows=50, clock=HandClock())
    frame.append_rows(plain(trade(10), trade(30), trade(20), trade(40)))
    frame.insert(plain(trade(35), trade(15), trade(5)))
    assert numbers(frame) == [5, 10, 15, 30, 20, 35, 40]


def test_a_key_whose_newest_row_has_left_the_window_is_not_made_older_by_a_late_row():
    frame = RollingFrame(schema("trade"), rows=2, clock=HandClock())
    fill(frame, [trade(50, "KX-A"), *[trade(n, "KX-B") for n in range(51, 6_000)]])
    frame.insert(plain(trade(49, "KX-A"), trade(5_999, "KX-C"), trade(1, "KX-D")))
    assert dict(frame.latest().select("market_ticker", "seq").iter_rows()) == {
        "KX-A": 50,
        "KX-B": 5_999,
        "KX-C": 5_999,
        "KX-D": 1,
    }


def test_only_the_blocks_that_get_late_rows_are_copied():
    frame = RollingFrame(schema("trade"), rows=100_000, clock=HandClock())
    for at in range(0, 60_000, 500):
        frame.append(Batch("trade", [trade(n) for n in range(at, at + 500)]).df())
    before = frame.df.n_chunks()
    frame.insert(plain(trade(59_990)))
    assert frame.df.n_chunks() == before > 1
    assert numbers(frame) == sorted([*range(60_000), 59_990])


def test_late_rows_and_a_window_of_seconds_whose_clock_was_set():
    clock = HandClock()
    frame = RollingFrame(schema("trade"), seconds=10, clock=clock)
    for n in range(4):
        frame.append_rows(plain(trade(n * SECOND, received_us=clock.us)))
        clock.us += SECOND
    clock.us -= HOUR
    frame.step(-HOUR)
    frame.append_rows(plain(trade(9 * SECOND, received_us=clock.us)))
    frame.insert(plain((*trade(2 * SECOND + 1, received_us=None)[:-2], None, 77)))
    assert numbers(frame) == [0, SECOND, 2 * SECOND, 77, 3 * SECOND, 9 * SECOND]
    clock.us += 8 * SECOND
    assert numbers(frame) == [2 * SECOND, 77, 3 * SECOND, 9 * SECOND]
    clock.us += SECOND  # a row without a time of its own goes with the one before it
    assert numbers(frame) == [3 * SECOND, 9 * SECOND]
    clock.us += SECOND
    assert numbers(frame) == [9 * SECOND]


def test_late_rows_that_cannot_become_columns_are_left_out_and_reported():
    lost = []
    frame = RollingFrame(schema("trade"), rows=50, clock=HandClock(), on_lost=lost.append)
    frame.append_rows(plain(trade(1)))
    frame.insert(plain(("not", "a", "trade")))
    assert len(lost) == frame.total == 1
    assert numbers(frame) == [1]


def test_a_waiter_is_woken_by_a_late_row():
    frame = RollingFrame(schema("trade"), rows=50, clock=HandClock())
    woken = []
    waiter = threading.Thread(target=lambda: woken.append(frame.wait(1, 30)))
    waiter.start()
    frame.insert(plain(trade(1)))
    waiter.join(30)
    assert woken == [True]


def test_readers_never_see_half_of_what_steers_a_frame():
    frame = RollingFrame(schema("trade"), rows=4_000, clock=HandClock())
    done, torn = threading.Event(), []

    def read():
        while not done.is_set():
            df = frame.df
            if df.height % 10 or not df["ts"].is_sorted():
                torn.append(df)
            frame.latest()

    readers = [threading.Thread(target=read) for _ in range(2)]
    for each in readers:
        each.start()
    for number in range(300):
        frame.append_rows(plain(*[trade(number * 100 + n) for n in range(10)]))
        if number % 7 == 3:
            frame.insert(plain(*[trade(number * 100 - 150 + n) for n in range(10)]))
        if number % 50 == 49:
            frame.reset()
    done.set()
    for each in readers:
        each.join(30)
    assert not torn
    assert isinstance(frame.df, pl.DataFrame)
