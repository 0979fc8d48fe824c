"""The memory of a ladder: it holds all there can be, gives all of it back, and is never seen half changed."""

import gc
import os
import sys
from pathlib import Path
from random import Random

import pytest

from kalshi_nb._session.extension import ladders
from tests.session.ways import WAYS, needs_the_compiled_part

PRICES = range(1, 10_000)
ROOMS = [0, 1, 2, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129, 1_023, 1_024, 1_025, 8_191, 8_192, 8_193, 9_999]
STATM = Path("/proc/self/statm")


@pytest.fixture(scope="module", autouse=True)
def way():
    """Each test says which ladders it is about."""


@pytest.fixture(params=WAYS)
def ladder(request):
    return ladders(compiled=request.param)("KXA-1")


@pytest.fixture
def compiled():
    return ladders(compiled=True)("KXA-1")


def best_first(side):
    return sorted(side.items(), reverse=True)


@pytest.mark.parametrize("seed", range(2))
def test_every_price_there_is_may_have_a_level_on_both_sides_in_any_order(ladder, seed):
    random = Random(seed)
    yes, no = {}, {}
    for _ in range(2):
        for name, side in (("yes", yes), ("no", no)):
            for price in random.sample(PRICES, len(PRICES)):
                size = side[price] = random.randrange(1, 10**9)
                assert ladder.apply(name, price, size, 1)
                if len(side) in ROOMS:
                    assert ladder.levels() == (best_first(yes), best_first(no))
        for name, side in (("yes", yes), ("no", no)):
            for price in random.sample(PRICES, len(PRICES)):
                assert ladder.apply(name, price, -side.pop(price), 1)
                if len(side) in ROOMS:
                    assert ladder.levels() == (best_first(yes), best_first(no))


@pytest.mark.parametrize("count", ROOMS)
def test_a_snapshot_of_any_length_is_laid_in_whole_and_takes_one_level_more(ladder, count):
    random = Random(count)
    yes, no = ({price: random.randrange(1, 10**9) for price in random.sample(PRICES, count)} for _ in range(2))
    ladder.replace(dict(yes), dict(no), 1)
    assert ladder.levels() == (best_first(yes), best_first(no))
    for price in random.sample(PRICES, 20):
        assert ladder.apply("yes", price, 7, 2)
        yes[price] = yes.get(price, 0) + 7
        assert ladder.levels() == (best_first(yes), best_first(no))


WRONG = [
    ({0: 1}, ValueError),
    ({10_000: 1}, ValueError),
    ({-1: 1}, ValueError),
    ({40_000: 1}, ValueError),
    ({2**40: 1}, OverflowError),
    ({2**70: 1}, OverflowError),
    ({"0.47": 1}, TypeError),
    ({None: 1}, TypeError),
    ({47: 1, "0.47": 1}, TypeError),
    ({4700: 2**70}, OverflowError),
    ({4700: -(2**63) - 1}, OverflowError),
    ({4700: "1.00"}, TypeError),
    ({4700: None}, TypeError),
    ([(4700, 1)], TypeError),
    (None, TypeError),
]


@needs_the_compiled_part
@pytest.mark.parametrize("side", ["yes", "no"])
@pytest.mark.parametrize(("wrong", "problem"), WRONG, ids=lambda each: str(each) if isinstance(each, dict) else None)
def test_a_snapshot_that_is_none_is_refused_and_leaves_the_book_as_it_was(compiled, side, wrong, problem):
    compiled.replace({4700: 100}, {4800: 200}, 1)
    before = (compiled.levels(), compiled.top(), compiled.version, compiled.changed_at)
    if isinstance(wrong, dict):
        wrong = {4600: 1, **wrong} if problem is not TypeError else wrong
    with pytest.raises(problem):
        compiled.replace(*((wrong, {1: 1}) if side == "yes" else ({1: 1}, wrong)), 2)
    assert before == (compiled.levels(), compiled.top(), compiled.version, compiled.changed_at)


@needs_the_compiled_part
@pytest.mark.parametrize("price", [0, 10_000, -1, 40_000])
def test_a_change_at_no_level_s_price_is_refused_and_changes_nothing(compiled, price):
    compiled.replace({4700: 100}, {4800: 200}, 1)
    with pytest.raises(ValueError, match=f"a level at {price}/10000 dollars"):
        compiled.apply("yes", price, 100, 2)
    assert (compiled.levels(), compiled.version, compiled.changed_at) == (([(4700, 100)], [(4800, 200)]), 1, 1)


@needs_the_compiled_part
@pytest.mark.skipif(not STATM.exists(), reason="no /proc here to see the memory of a process in")
def test_two_hundred_thousand_snapshots_deltas_and_readings_leave_no_memory_behind():
    def resident():
        gc.collect()
        return int(STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def work(rounds):
        yes, no = dict.fromkeys(range(100, 120), 100), dict.fromkeys(range(200, 217), 100)
        wrong = {**no, 10_000: 1}
        for number in range(rounds):
            ladder.replace(yes, no, number)
            ladder.apply("no", 300, 100, number)
            ladder.levels()
            if number % 2:
                with pytest.raises(ValueError, match="a level at"):
                    ladder.replace(yes, wrong, number)
            else:
                make("KXB-2").replace(yes, no, number)

    make = ladders(compiled=True)
    ladder = make("KXA-1")
    work(20_000)
    before = resident()
    work(200_000)
    assert resident() - before < 4 * 2**20


@needs_the_compiled_part
def test_levels_are_of_one_moment_though_a_collection_of_garbage_changes_the_book_meanwhile(compiled):
    changes = 0

    def change(phase, info):
        # Both sides alike, and many levels, so that a reading of two moments shows.
        nonlocal changes
        if phase != "start":
            return
        changes += 1
        for side in ("yes", "no"):
            for price in range(1, 60, 2):
                compiled.apply(side, price, -100 if changes % 2 else 100, 1)

    levels = dict.fromkeys(range(1, 61), 100)
    compiled.replace(levels, levels, 0)
    possible = [best_first(dict.fromkeys(range(first, 61, step), 100)) for first, step in ((1, 1), (2, 2))]
    thresholds, readings, meanwhile = gc.get_threshold(), [], 0
    try:
        gc.callbacks.append(change)
        gc.set_threshold(1, 10**6, 10**6)
        while len(readings) < 200:
            before = changes
            readings.append(compiled.levels())  # kept, since only tuples in new memory count for the collector
            meanwhile += changes > before
    finally:
        gc.set_threshold(*thresholds)
        gc.callbacks.remove(change)
    for yes, no in readings:
        assert yes == no
        assert yes in possible
    assert sys.version_info >= (3, 12) or meanwhile > 100  # later ones collect between two steps of Python only
