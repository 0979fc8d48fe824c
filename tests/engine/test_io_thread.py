"""The thread of an engine, by itself: what ends its loop ends nothing else."""

import asyncio
import selectors
import socket
import threading
import time

import pytest

from kalshi_nb._engine import io_thread
from kalshi_nb._engine.io_thread import IoThread
from kalshi_nb.errors import FeedClosedError
from tests.engine.conftest import wait_until


class Rig:
    """A thread whose loop a test ends as it likes, and what happened on it."""

    def __init__(self):
        self.happened = []
        self.loops = 0
        self.thread = IoThread(self.live, self.interrupted, lambda: self.happened.append("end"))
        self.between_loops = lambda: None

    async def live(self):
        self.loops += 1
        await asyncio.sleep(3600)

    def interrupted(self):
        self.happened.append("interrupted")
        self.between_loops()

    def fault(self, problem):
        def raises():
            raise problem

        self.thread.post(raises)


@pytest.fixture
def rig():
    made = Rig()
    made.thread.start()
    made.thread.call(lambda: None)
    yield made
    made.thread.close()


def test_what_is_posted_while_there_is_no_loop_is_run_once_by_the_next(rig):
    ran = []
    rig.between_loops = lambda: rig.thread.post(lambda: ran.append(threading.current_thread().name))
    rig.fault(SystemExit("the end"))
    wait_until(lambda: ran)
    assert rig.thread.call(lambda: "answered") == "answered"
    assert ran == ["kalshi-io"]
    assert (rig.loops, rig.thread.faults) == (2, 1)
    assert "the end" in rig.thread.fault[1]


def test_a_fault_between_two_loops_ends_the_thread_no_more_than_one_within(rig):
    def raises():
        raise MemoryError("between")

    rig.between_loops = raises
    rig.fault(KeyboardInterrupt())
    wait_until(lambda: rig.loops == 2)
    assert rig.thread.faults == 2
    assert "between" in rig.thread.fault[1]


def test_after_the_end_nothing_is_taken(rig):
    rig.thread.close()
    assert not rig.thread.is_alive
    assert rig.happened == ["end"]
    for ask in (rig.thread.post, rig.thread.call):
        with pytest.raises(FeedClosedError):
            ask(lambda: None)


def test_what_is_for_the_end_of_a_round_runs_once_when_all_that_was_due_has_run(rig):
    ran, ended = [], threading.Event()

    def last():
        ran.append("last")
        ended.set()

    def first():
        rig.thread.before_sleep(last)
        rig.thread.before_sleep(last)
        ran.append("first")

    rig.thread.call(lambda: [rig.thread.post(each) for each in (first, lambda: ran.append("second"))])
    assert ended.wait(20)
    assert rig.thread.call(lambda: list(ran)) == ["first", "second", "last"]


def test_what_is_for_the_end_of_a_round_is_done_although_that_ended_the_loop(rig):
    ended = threading.Event()

    def faults():
        rig.thread.before_sleep(ended.set)
        raise SystemExit("in the middle of a round")

    rig.thread.post(faults)
    assert ended.wait(20)


def test_between_two_loops_nothing_waits_for_the_end_of_a_round(rig):
    ended = threading.Event()
    rig.between_loops = lambda: rig.thread.before_sleep(ended.set)
    rig.fault(SystemExit("the end"))
    assert ended.wait(20)


def test_a_loop_that_does_not_say_when_it_sleeps_makes_nothing_wait(monkeypatch):
    monkeypatch.setattr(io_thread, "_SELECTS", False)
    rig, ended = Rig(), threading.Event()
    rig.thread.start()
    try:
        rig.thread.call(lambda: (rig.thread.before_sleep(ended.set), ended.is_set()))
        assert ended.is_set()
    finally:
        rig.thread.close()


@pytest.fixture
def line():
    """Makes what a loop waits by, with a rest of so many seconds, and the far end of its one socket."""
    near, far = socket.socketpair()
    near.setblocking(False)
    opened = []

    def make(rest, longest=10.0):
        made = io_thread._Selector(rest, longest)
        made.register(near, selectors.EVENT_READ)
        opened.append(made)
        return made, far

    yield make, near
    for each in opened:
        each.close()
    near.close()
    far.close()


def read(selector, near, timeout=None):
    """One read: how many bytes, and after how many seconds."""
    began = time.monotonic()
    came = near.recv(65_536) if selector.select(timeout) else b""
    return len(came), time.monotonic() - began


LONG = 2.0
"""Seconds of a rest, and of half of one: what comes sooner did not wait for it."""


def busy(make, near):
    """A selector whose loop is busy: two bytes came, one right after the other."""
    selector, far = make(LONG)
    selector.select(0.001)  # its clock begins
    for _ in range(2):
        far.send(b"1")
        assert read(selector, near)[0] == 1
    return selector, far


def test_what_comes_alone_is_read_at_once(line):
    make, near = line
    selector, far = make(0.05)
    for _ in range(3):
        time.sleep(0.2)
        threading.Timer(0.1, far.send, (b"1",)).start()
        assert read(selector, near)[0] == 1
        assert not selector._is_busy


def test_what_comes_thick_is_read_together(line):
    make, near = line
    selector, far = make(0.05)

    def send():
        for _ in range(400):
            far.send(b"1")
            time.sleep(0.001)

    threading.Thread(target=send, daemon=True).start()
    total = reads = 0
    while total < 400:
        total += read(selector, near)[0]
        reads += 1
    assert reads < 100


def test_what_is_there_already_is_read_without_a_rest(line):
    make, near = line
    selector, far = busy(make, near)
    for _ in range(20):
        far.send(b"1")
        came, seconds = read(selector, near)
        assert (came, seconds < LONG / 2) == (1, True)


def test_a_rest_is_no_longer_than_the_loop_would_wait(line):
    make, near = line
    selector, _ = busy(make, near)
    came, seconds = read(selector, near, timeout=0.2)
    assert came == 0
    assert 0.2 <= seconds < LONG / 2


def test_a_loop_that_has_more_to_do_does_not_rest(line):
    make, near = line
    selector, _ = busy(make, near)
    assert read(selector, near, timeout=0)[1] < LONG / 2


def test_who_waits_for_rows_is_woken_before_the_rest(line):
    make, near = line
    selector, _ = busy(make, near)
    woken = threading.Event()
    selector.due = woken.set
    thread = threading.Thread(target=selector.select, args=(LONG,), daemon=True)
    thread.start()
    assert woken.wait(LONG / 2)
    assert thread.is_alive()
    thread.join()


@pytest.mark.parametrize(("longest", "rest"), [(0.05, 0.00125), (0.0005, 0.0005), (0.0, 0.0)])
def test_nobody_rests_longer_than_the_feed_may(longest, rest):
    thread = IoThread(lambda: None, lambda: None, lambda: None, longest_rest=longest)
    assert (thread._rest, thread._longest_rest) == (rest, longest)


@pytest.mark.parametrize(
    ("rate", "rest"),
    [(0, 1.25), (5_000, 1.25), (7_000, 2.35), (10_000, 4), (25_000, 4), (50_000, 2), (1_000_000, 1.25)],
)
def test_the_thicker_they_come_the_longer_is_a_rest_until_a_hundred_are_read_together(rate, rest):
    assert io_thread.rest_at(rate) == pytest.approx(rest / 1_000)


@pytest.mark.parametrize(("longest", "rest"), [(10.0, 0.16), (0.06, 0.06)])
def test_how_thick_they_come_is_what_the_last_reads_took_in_and_a_pause_ends_it(line, longest, rest, monkeypatch):
    monkeypatch.setattr(io_thread, "_TOGETHER", 10**6)
    make, near = line
    selector, far = make(0.05, longest)

    def reads(seconds, messages):
        """Read for a while what comes all the time, as if so many messages came a second; return how often."""
        began, count, before = time.monotonic(), 0, time.monotonic()
        while time.monotonic() < began + seconds:
            threading.Timer(0.005, far.send, (b"1",)).start()
            read(selector, near)
            now = time.monotonic()
            selector.came += round(messages * (now - before))
            count, before = count + 1, now
        return count

    reads(0.5, 1_000)
    assert selector._rest == 0.05
    assert reads(1.0, 20_000) < 1.0 / 0.05
    assert selector._rest == pytest.approx(rest)
    time.sleep(3 * rest)
    far.send(b"1")
    read(selector, near)
    assert selector._rest == 0.05
