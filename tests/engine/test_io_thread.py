"""The thread of an engine, by itself: what ends its loop ends nothing else."""

import asyncio
import threading

import pytest

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
