"""Rows that wait to become columns: nobody can tell that they do."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kalshi_nb._frames.batch import Batch
from kalshi_nb._frames.marks import GapMarks
from kalshi_nb._frames.pending import joined
from kalshi_nb._frames.rolling import RollingFrame
from kalshi_nb._frames.schema import schema
from kalshi_nb._rows.gaps import GapRow
from tests.frames.making import BASE_US, HandClock, trade


def naive(rows, kept, since_us=None):
    """The newest rows, and of those the ones from the first on that is new enough."""
    rows = rows[-kept:]
    if since_us is not None:
        rows = next((rows[at:] for at, row in enumerate(rows) if row[-2] >= since_us), [])
    return Batch("trade", rows).df()


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([1, 3, 40, 255, 256, 700]),  # rows of the batch
            st.booleans(),  # as rows, or as a frame
            st.sampled_from(["df", "latest", "height", "nothing", "nothing"]),  # what is read then
            st.integers(0, 2),  # seconds until it comes
        ),
        max_size=25,
    ),
    st.sampled_from([5, 300, 1_500, 100_000]),
    st.none() | st.just(3),
)
def test_rows_and_frames_in_any_turn_read_or_not_are_what_a_list_would_be(steps, kept, seconds):
    clock = HandClock()
    frame = RollingFrame(schema("trade"), rows=kept, seconds=seconds, clock=clock)
    rows = []
    for count, as_rows, read, later in steps:
        clock.us += later * 1_000_000
        new = [trade(len(rows) + n, f"KX-{n % 7}", received_us=clock.us) for n in range(count)]
        rows += new
        batch = Batch("trade", new)
        if as_rows:
            frame.append_rows(batch.plain(None))
        else:
            frame.append(batch.df())
        since = None if seconds is None else clock.us - seconds * 1_000_000
        assert frame.total == len(rows)
        if read == "df":
            assert frame.df.equals(naive(rows, kept, since))
        elif read == "height":
            assert frame.height == naive(rows, kept, since).height
        elif read == "latest":
            last = {row[1]: row for row in rows}
            assert sorted(frame.latest()["seq"]) == sorted(row[-1] for row in last.values())
    clock.us += 1
    since = None if seconds is None else clock.us - seconds * 1_000_000
    if rows:
        assert frame.df.equals(naive(rows, kept, since))


def test_what_was_read_stays_as_it_was_whatever_comes_later():
    frame = RollingFrame(schema("trade"), rows=50, clock=HandClock())
    read = []
    for number in range(300):
        frame.append_rows(Batch("trade", [trade(number)]).plain(None))
        read.append((number, frame.df))
    for number, df in read:
        assert df["seq"].to_list() == list(range(max(0, number - 49), number + 1))


def test_a_reader_does_not_wait_for_a_writer():
    frame = RollingFrame(schema("trade"), rows=50, clock=HandClock())
    frame.append_rows(Batch("trade", [trade(1)]).plain(None))
    found = []
    with frame._writing:
        reader = threading.Thread(target=lambda: found.append((frame.df, frame.latest(), frame.height)))
        reader.start()
        reader.join(20)
        assert [(df["seq"].to_list(), latest.height, height) for df, latest, height in found] == [([1], 1, 1)]


def test_columns_are_made_once_however_often_they_are_read():
    frame = RollingFrame(schema("trade"), rows=50, clock=HandClock())
    for number in range(3):
        frame.append_rows(Batch("trade", [trade(number)]).plain(None))
    assert len(frame._state.pending) == 3
    frame.df  # noqa: B018  # reading is what joins them
    (part,) = frame._state.pending
    frame.df  # noqa: B018
    assert frame._state.pending == (part,)
    assert joined([part]) is part


def test_who_read_a_moment_ago_finds_the_columns_of_what_comes_in_numbers():
    frame = RollingFrame(schema("trade"), rows=110, clock=HandClock())
    many = [trade(number) for number in range(100)]
    frame.append_rows(Batch("trade", many).plain(None))
    assert frame._state.parts == 0  # nobody reads: they may wait
    for read in (frame.df, frame.latest(), frame.since(1_000_000)):
        frame.append_rows(Batch("trade", many).plain(None))
        assert frame._state.parts == len(frame._state.pending) > 0
        assert read is not None
    frame.append_rows(Batch("trade", [trade(1)]).plain(None))
    assert frame._state.parts == len(frame._state.pending) - 1  # one alone is made with those that follow it
    assert frame.df["seq"].to_list() == [*range(91, 100), *range(100), 1]


def test_who_reads_takes_in_what_waits_so_that_the_writer_need_not():
    frame, most = RollingFrame(schema("trade"), rows=5_000, clock=HandClock()), 0
    for number in range(3_000):
        frame.append_rows(Batch("trade", [trade(number)]).plain(None))
        most = max(most, frame._state.waiting)
        assert frame.df["seq"][-1] == number
    assert most == 256
    assert frame._state.view.blocks.height >= 3_000 - 256
    assert frame.df["seq"].to_list() == list(range(3_000))


@pytest.mark.parametrize("rows", [300, 100_000])
def test_two_threads_that_read_while_one_writes_have_each_row_once(rows):
    frame, over, wrong = RollingFrame(schema("trade"), rows=rows, clock=HandClock()), threading.Event(), []

    def read():
        while not over.is_set():
            numbers = frame.df["seq"].to_list()
            if numbers and numbers != list(range(numbers[0], numbers[0] + len(numbers))):
                wrong.append(numbers)
            latest = frame.latest()["seq"].to_list()
            if numbers and latest[-1] < numbers[-1]:
                wrong.append(latest)

    readers = [threading.Thread(target=read) for _ in range(2)]
    for each in readers:
        each.start()
    number = 0
    while number < 20_000:
        size = 1 + number % 300
        frame.append_rows(Batch("trade", [trade(number + n) for n in range(size)]).plain(None))
        number += size
    over.set()
    for each in readers:
        each.join()
    assert not wrong
    assert frame.df["seq"].to_list() == list(range(max(0, number - rows), number))


@pytest.mark.parametrize("size", [1, 100, 255])
def test_only_so_many_rows_wait(size):
    frame = RollingFrame(schema("trade"), rows=100_000, clock=HandClock())
    most = 0
    for _ in range(200):
        frame.append_rows(Batch("trade", [trade(n) for n in range(size)]).plain(None))
        most = max(most, sum(each.height for each in frame._state.pending))
    assert 0 < most < 1_024
    assert frame.df.height == frame.total == 200 * size


@pytest.mark.parametrize("noticed_by", ["reading", "settling", "more rows"])
def test_rows_that_cannot_become_columns_are_left_out_and_told_of_whoever_notices(noticed_by):
    lost = []
    frame = RollingFrame(schema("trade"), rows=5_000, clock=HandClock(), on_lost=lost.append)
    for rows in ([trade(1)], [("not", "a", "trade")], [trade(2)]):
        frame.append_rows(Batch("trade", rows).plain(None))
    if noticed_by == "reading":
        assert frame.df["seq"].to_list() == [1, 2]
    elif noticed_by == "settling":
        frame.settle()
    else:
        frame.append(Batch("trade", [trade(n) for n in range(3, 2_000)]).df())
    assert len(lost) == 1
    assert frame.total == frame.df.height
    assert frame.df["seq"].to_list()[:2] == [1, 2]


def test_rows_of_some_markets_and_the_marks_of_gaps_come_as_select_gives_them():
    rows = [trade(n, f"KX-{n % 3}") for n in range(12)]
    rows.insert(6, GapRow("KX-1", BASE_US, "sequence"))
    batch = Batch("trade", rows)
    batch.mark(GapMarks())
    wanted = frozenset({"KX-1", "KX-2", "KX-9"})
    for markets in (None, wanted):
        for exact in (False, True):
            for gaps in (False, True):
                chosen = batch.select(markets, exact, gaps=gaps)
                assert joined([batch.plain(markets, exact, gaps=gaps)]).equals(chosen)
                assert joined([batch.plain(markets, exact, gaps=gaps)]).schema == chosen.schema
    assert batch.select(None, gaps=True)["gap"].sum() == 1
    assert batch.plain(frozenset({"KX-9"})) is None


def test_a_waiter_is_woken_by_its_own_row_and_not_by_those_before():
    frame = RollingFrame(schema("trade"), rows=50, clock=HandClock())
    woken = []
    waiters = [
        threading.Thread(target=lambda rows=rows: woken.append((rows, frame.wait(rows, 30)))) for rows in (2, 4)
    ]
    for each in waiters:
        each.start()
    for number in range(4):
        frame.append_rows(Batch("trade", [trade(number)]).plain(None))
    for each in waiters:
        each.join(30)
    assert sorted(woken) == [(2, True), (4, True)]
    assert not frame._waiters._waiting
    assert not frame.wait(5, 0.01)
