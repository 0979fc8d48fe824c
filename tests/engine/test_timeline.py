"""A clock that is set does not reorder what happened."""

from hypothesis import given
from hypothesis import strategies as st

from kalshi_nb._clock import WallClock
from kalshi_nb._engine.timeline import SMALLEST_STEP, Timeline

START = 1_780_000_000_000_000


class Computer(WallClock):
    """A wall clock that can be set, beside a steady one that cannot."""

    def __init__(self):
        self.wall = START
        self.up = 5_000_000

    def now_us(self):
        return self.wall

    def passes(self, us):
        self.wall += us
        self.up += us

    def timeline(self):
        self.steps = []
        return Timeline(self, self.steps.append, lambda: self.up)


def test_time_that_passes_is_no_step_however_long_nobody_looks():
    computer = Computer()
    timeline = computer.timeline()
    for us in (1, 100, 3_600_000_000, 86_400_000_000):
        computer.passes(us)
        assert timeline.stamp() == computer.wall == timeline.now_us()
    assert computer.steps == []
    assert timeline.stepped == 0


def test_a_step_is_noticed_before_the_first_stamp_after_it_is_handed_out():
    computer = Computer()
    timeline = computer.timeline()
    before = timeline.steady(timeline.stamp())
    computer.passes(1_000)
    computer.wall -= 5_000_000
    stamp = timeline.stamp()
    assert [(each.at, each.by) for each in computer.steps] == [(stamp, -5_000_000)]
    assert timeline.steady(stamp) == before + 1_000
    assert timeline.now_us() == stamp


def test_a_step_back_shows_however_small_it_is():
    computer = Computer()
    timeline = computer.timeline()
    first = timeline.stamp()
    computer.passes(10)
    computer.wall -= 30
    second = timeline.stamp()
    assert second < first
    assert timeline.steady(second) == timeline.steady(first + timeline.stepped) + 10


def test_a_clock_that_is_slewed_is_not_set():
    computer = Computer()
    timeline = computer.timeline()
    for _ in range(1_000):
        computer.passes(1_000_000)
        computer.wall += 500  # half a part in a thousand
        timeline.stamp()
    assert computer.steps == []


def test_a_thread_that_was_stopped_between_two_readings_sees_no_step():
    computer = Computer()
    readings = iter([0, 0, 400_000] + [0] * 100)

    def up():
        computer.passes(next(readings))  # other programs had their turn
        return computer.up

    timeline = Timeline(computer, lambda step: (_ for _ in ()).throw(AssertionError(step)), up)
    timeline.stamp()
    timeline.stamp()
    assert timeline.stepped == 0


def test_a_clock_moved_by_hand_is_steady_by_nature():
    class Hand:
        us = 7

        def now_us(self):
            return self.us

    hand = Hand()
    timeline = Timeline(hand, lambda step: (_ for _ in ()).throw(AssertionError(step)))
    assert timeline.stamp() == 7
    hand.us = 3
    assert timeline.stamp() == timeline.now_us() == timeline.steady(3) == 3


steps = st.one_of(st.just(0), st.integers(-(10**9), 10**9))


@given(st.lists(st.tuples(st.integers(0, 10**7), steps), max_size=30))
def test_whatever_is_set_later_stamps_are_later_on_the_steady_timeline(history):
    computer = Computer()
    timeline = computer.timeline()
    before = timeline.steady(timeline.stamp())
    for passes, step in history:
        computer.passes(passes)
        computer.wall += step
        now = timeline.steady(timeline.stamp())
        # A step forward, or one that no stamp shows, may stay unnoticed while it is smaller than what is looked for.
        assert before <= now
        assert abs(now - before - passes) <= SMALLEST_STEP
        before = now
