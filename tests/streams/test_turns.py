"""Who takes the rows, and how long after the last time."""

import threading
import time

import pytest

from kalshi_nb import _threads
from kalshi_nb._streams.turns import Made, Turns
from kalshi_nb._wakeup import Wakeup
from tests.streams.conftest import Engine, burn, costly_turns, trade, until

NEVER = 3_600
"""Seconds: what comes before that was not waited for."""


class Rows:
    """Turns over an engine, each as costly as it is said to be; what they took, and on which threads."""

    def __init__(self):
        self.engine = Engine()
        self.cost = 0.0
        self.awaited = True
        self.taken = []
        self.by = []
        self.failures = []
        self.turns = Turns(self.make, self.engine.watch, ("trade",), self.failures.append, flush_interval=NEVER)

    def make(self, turn, *, asked, ending):
        rows = self.engine.take("trade")
        if rows:
            self.taken += rows
            self.by.append(threading.current_thread().name)
            burn(self.cost)
        return Made(len(rows), awaited=self.awaited)

    def add(self, number):
        self.engine.add("trade", trade(number))

    def have(self, number, timeout=20.0):
        until(lambda: len(self.taken) == number, timeout)


@pytest.fixture
def rows():
    made = Rows()
    made.turns.start()
    yield made
    assert made.turns.stop(10)
    assert made.failures == []


@pytest.fixture
def leader(rows):
    """A thread that leads, as the users' does: until it is told to do something else."""
    wakeup, leave, ended = Wakeup(), threading.Event(), threading.Event()

    def run():
        _threads.set_role("user")
        while not leave.is_set():
            rows.turns.lead(wakeup, None)
        rows.turns.resign()
        ended.set()

    def resign(*, ring=True):
        leave.set()
        if ring:
            wakeup.ring()
            assert ended.wait(10)

    threading.Thread(target=run, name="leader", daemon=True).start()
    until(lambda: rows.turns._leader is wakeup)
    yield resign
    resign()


def test_who_leads_takes_the_rows_and_nobody_else_is_woken(rows, leader):
    for number in range(1, 20):
        rows.add(number)
        rows.have(number)
    assert set(rows.by) == {"leader"}


def test_who_resigns_leaves_the_rows_to_the_pipeline_thread(rows, leader):
    leader()
    rows.add(1)
    rows.have(1)
    assert rows.by == ["kalshi-pipeline"]


def test_rows_that_came_while_somebody_resigned_are_not_overslept(rows, leader):
    leader(ring=False)  # at the ring of the row, which nobody hears of a second time
    rows.add(1)
    rows.have(1)
    assert rows.by == ["kalshi-pipeline"]


def test_who_does_not_lead_watches_nothing(rows, leader):
    watching = rows.engine._wake
    assert not rows.turns._has_rows(("trade",), rows.turns._wakeup)
    assert rows.engine._wake == watching


def test_who_asks_for_a_turn_has_it_of_the_pipeline_thread_whoever_leads(rows, leader):
    rows.turns.hold()
    rows.add(1)
    assert rows.turns.ask(10) == 1
    assert rows.by == ["kalshi-pipeline"]
    rows.turns.let_go()
    rows.add(2)
    rows.have(2)
    assert rows.by[1:] == ["leader"]


def test_no_row_is_overslept_however_often_the_lead_changes(rows, hectic):
    wakeup, stop = Wakeup(), threading.Event()

    def now_and_then():
        _threads.set_role("user")
        while not stop.is_set():
            rows.turns.lead(wakeup, 0.0002)
            rows.turns.resign()

    thread = threading.Thread(target=now_and_then, daemon=True)
    thread.start()
    for number in range(2_000):
        rows.add(number)
        if number % 7 == 0:
            time.sleep(0.0003)
    rows.have(2_000)
    assert [row[-1] for row in rows.taken] == list(range(2_000))
    stop.set()
    wakeup.ring()
    thread.join(10)


def test_one_costly_turn_among_cheap_ones_earns_no_long_rest(rows):
    for number in range(1, 10):
        rows.add(number)
        rows.have(number)
    rows.cost = 0.5  # twenty times that would be ten seconds
    rows.add(10)
    rows.have(10)
    rows.cost = 0.0
    rows.add(11)
    rows.have(11, timeout=5.0)


def test_where_nobody_waits_a_rest_is_long_until_somebody_does(rows):
    rows.awaited, rows.cost = False, 0.2
    rows.add(1)
    rows.have(1)
    rows.add(2)
    time.sleep(0.5)
    assert len(rows.taken) == 1
    rows.turns.hurry()
    rows.have(2, timeout=15.0)  # the rest would be half a minute


def test_who_begins_to_wait_while_a_turn_is_made_is_not_overlooked(rows):
    rows.awaited, rows.cost = False, 0.5
    rows.add(1)
    rows.have(1)
    rows.turns.hurry()  # the turn goes on for half a second, and nobody waited when it began
    rows.add(2)
    rows.have(2, timeout=30.0)  # the rest would be more than a minute


def test_who_waits_already_ends_no_rest_by_asking_again(rows):
    rows.cost = 0.5
    for number in (1, 2, 3, 4):
        rows.add(number)
        rows.have(number)
    rested = rows.turns._rested
    rows.turns.hurry()
    assert rows.turns._rested == rested


def test_what_a_turn_lets_through_is_reported_and_the_next_is_made(rows):
    make, rows.turns._make = rows.turns._make, lambda *a, **k: 1 / 0
    rows.add(1)
    until(lambda: rows.failures)
    rows.turns._make = make
    rows.have(1)
    assert {type(each) for each in rows.failures} == {ZeroDivisionError}
    rows.failures.clear()


def test_a_frame_is_filled_soon_while_it_is_read_and_now_and_then_while_it_is_not(make, engine):
    pipelines = make(flush_interval=NEVER)
    store = pipelines.frame("trade").store
    costly_turns(pipelines, 0.2)
    engine.add("trade", trade(1))
    until(lambda: store.total == 1)
    engine.add("trade", trade(2))
    time.sleep(0.5)
    assert store.total == 1
    assert store.df.height == 1  # who reads has what is there, and the others soon
    until(lambda: store.total == 2, timeout=15.0)


def test_who_waits_for_the_next_rows_ends_the_rest_and_who_waits_for_far_ones_does_not(make, engine):
    pipelines = make(flush_interval=NEVER)
    store = pipelines.frame("trade").store
    costly_turns(pipelines, 0.2)
    engine.add("trade", trade(1))
    until(lambda: store.total == 1)
    engine.add("trade", trade(2))
    assert not store.wait(1_000_000, 0.3)
    assert store.total == 1
    assert store.wait(2, 15)
