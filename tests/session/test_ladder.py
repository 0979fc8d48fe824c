"""One market's two sides against a naive reference, and read while they are written."""

import sys
import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kalshi_nb._rows.ladders import Top
from tests.session.session_rig import new_ladder

prices = st.integers(1, 9_999)
sizes = st.integers(1, 10**9)
sides = st.dictionaries(prices, sizes, max_size=8)
few_prices = st.sampled_from([1, 50, 4_700, 4_701, 9_999])
changes = st.one_of(
    st.tuples(st.just("replace"), sides, sides),
    st.tuples(
        st.sampled_from(["yes", "no"]), few_prices, st.sampled_from([-200, -101, -100, -1, 0, 1, 100, 101, 200])
    ),
)


class Reference:
    """The obvious way: sorted each time it is asked."""

    def __init__(self):
        self.sides = {"yes": {}, "no": {}}

    def replace(self, yes, no):
        self.sides = {"yes": dict(yes), "no": dict(no)}

    def apply(self, side, price, delta):
        size = self.sides[side].get(price, 0) + delta
        if size < 0:
            return False
        self.sides[side] = {**self.sides[side], price: size}
        self.sides[side] = {price: size for price, size in self.sides[side].items() if size}
        return True

    def best(self, side):
        levels = sorted(self.sides[side].items())
        return levels[-1] if levels else (0, 0)


@settings(max_examples=300)
@given(st.lists(changes, max_size=60))
def test_any_order_of_changes_gives_what_the_naive_reference_has(history):
    ladder, reference = new_ladder(), Reference()
    for moment, (kind, first, second) in enumerate(history, 1):
        version = ladder.version
        if kind == "replace":
            ladder.replace(dict(first), dict(second), moment)
            reference.replace(first, second)
            done = True
        else:
            done = reference.apply(kind, first, second)
            assert ladder.apply(kind, first, second, moment) is done
        assert (ladder.version > version) is done
        assert (ladder.changed_at == moment) is done
        assert ladder.top() == (*reference.best("yes"), *reference.best("no"))
        assert (ladder.best_yes, ladder.best_no) == (reference.best("yes")[0], reference.best("no")[0])
        yes, no = ladder.levels()
        assert yes == sorted(reference.sides["yes"].items(), reverse=True)
        assert no == sorted(reference.sides["no"].items(), reverse=True)


@given(st.lists(st.tuples(prices, sizes), max_size=30), st.sampled_from(["yes", "no"]))
def test_levels_return_to_exactly_empty_when_everything_is_taken_back(added, side):
    ladder = new_ladder()
    for price, size in added:
        assert ladder.apply(side, price, size, 1)
    for price, size in reversed(added):
        assert ladder.apply(side, price, -size, 2)
    assert ladder.levels() == ([], [])
    assert ladder.top() == Top(0, 0, 0, 0)


@pytest.mark.parametrize("side", ["yes", "no"])
def test_a_change_to_less_than_none_is_refused_and_changes_nothing(side):
    ladder = new_ladder()
    ladder.replace({100: 5}, {100: 5}, 1)
    before = (ladder.levels(), ladder.top(), ladder.version, ladder.changed_at)
    assert not ladder.apply(side, 100, -6, 2)
    assert not ladder.apply(side, 200, -1, 2)
    assert before == (ladder.levels(), ladder.top(), ladder.version, ladder.changed_at)


def test_a_status_has_a_beginning_and_only_live_takes_deltas():
    ladder = new_ladder()
    assert (ladder.status, ladder.live) == ("connecting", False)
    version = ladder.version
    ladder.set_status("live", 10)
    assert (ladder.live, ladder.status_since, ladder.version > version) == (True, 10, True)
    ladder.set_status("live", 20)
    assert ladder.status_since == 10
    ladder.set_status("stale", 30, "sequence")
    assert (ladder.live, ladder.status_since, ladder.reason) == (False, 30, "sequence")


@pytest.fixture
def fast_switches():
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


def readers_of(ladder, check, seconds, writer):
    """Run `writer` on this thread while three others read; return how often they read and what they found torn."""
    stop, torn, reads = threading.Event(), [], [0, 0, 0]

    def read(number):
        while not stop.is_set():
            wrong = check(ladder)
            reads[number] += 1
            if wrong:
                torn.append(wrong)
                return

    threads = [threading.Thread(target=read, args=(number,), daemon=True) for number in range(3)]
    for thread in threads:
        thread.start()
    end = time.monotonic() + seconds
    rounds = 0
    while time.monotonic() < end and not torn:
        writer(rounds)
        rounds += 1
    stop.set()
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()
    return sum(reads), torn


def test_readers_on_other_threads_never_see_half_a_snapshot(fast_switches):
    ladder = new_ladder()
    ladder.replace({100: 1}, {100: 1}, 0)

    def write(number):
        # Both sides of one snapshot are equal, and every other one has a better price before one that stays.
        side = {100: 1 + number, 200: 1 + number} if number % 2 else {100: 1 + number}
        ladder.replace(side, dict(side), number)

    def check(ladder):
        top = ladder.top()
        yes, no = ladder.levels()
        whole = top.yes == top.no and top.yes_size == top.no_size and top.yes == (100 if top.yes_size % 2 else 200)
        return None if whole and yes == no else (top, yes, no)

    reads, torn = readers_of(ladder, check, 1.5, write)
    assert torn == []
    assert reads > 100


def test_readers_on_other_threads_see_every_change_in_its_order(fast_switches):
    ladder = new_ladder()

    def write(_):
        # YES first, then NO: at no moment has NO more than YES, nor is a price better than all that was there.
        for side in ("yes", "no"):
            ladder.apply(side, 4_700, 100, 1)
            ladder.apply(side, 4_800, 100, 1)
        for side in ("no", "yes"):
            ladder.apply(side, 4_800, -100, 1)
            ladder.apply(side, 4_700, -100, 1)

    def check(ladder):
        top = ladder.top()
        yes, no = ladder.levels()
        total_yes, total_no = sum(size for _, size in yes), sum(size for _, size in no)
        ordered = total_no <= total_yes <= 200 and (total_no == 0 or total_yes == 200)
        named = bool(top.yes) == bool(top.yes_size) and bool(top.no) == bool(top.no_size)
        not_ahead = not top.no or top.yes == 4_800
        return None if ordered and named and not_ahead else (top, yes, no)

    reads, torn = readers_of(ladder, check, 1.5, write)
    assert torn == []
    assert reads > 100


def test_a_ladder_with_levels_takes_more_memory_than_one_without():
    empty, full = new_ladder("KXA-1"), new_ladder("KXA-1")
    full.replace(dict.fromkeys(range(1, 500), 100), {}, 1)
    assert full.nbytes > empty.nbytes >= 0
