"""How many requests are made: never more than is taken, half when it is too many, and back little by little."""

import threading
from itertools import pairwise

import pytest

from kalshi_nb._rest.limiter import ANONYMOUS, Limiter, share_of
from tests.rest.conftest import Time


@pytest.fixture
def limiter(time):
    return Limiter(ANONYMOUS, lambda: time.seconds)


def made_in(limiter, time, seconds):
    """How many requests somebody makes who asks without a pause."""
    end, count = time.seconds + seconds, 0
    while True:
        time.seconds += limiter.reserve()
        if time.seconds >= end:
            return count
        count += 1


def test_five_a_second_are_made_without_a_key_and_a_second_s_worth_at_once(limiter, time):
    time.seconds += 100
    assert [limiter.reserve() for _ in range(5)] == pytest.approx([0, 0, 0, 0, 0])
    assert limiter.reserve() == pytest.approx(0.2)
    time.seconds += 100
    assert 5 * 20 <= made_in(limiter, time, 20) <= 5 * 21


def test_of_a_key_s_budget_four_fifths_are_used():
    assert share_of(200) == pytest.approx(16)
    assert share_of(1_000) == pytest.approx(80)


def test_the_rate_is_halved_when_it_was_too_high(limiter, time):
    limiter.refused()
    assert limiter.rate == ANONYMOUS / 2
    limiter.refused()
    assert limiter.rate == ANONYMOUS / 4
    assert limiter.reserve() >= 1 / limiter.rate - 1e-9
    for _ in range(50):
        limiter.refused()
    assert limiter.rate > 0


def test_it_comes_back_by_a_tenth_after_ten_quiet_seconds_and_no_further(limiter, time):
    limiter.refused()
    limiter.answered()
    assert limiter.rate == 2.5
    time.seconds += 10
    limiter.answered()
    limiter.answered()
    assert limiter.rate == pytest.approx(2.75)
    for _ in range(100):
        time.seconds += 10
        limiter.answered()
    assert limiter.rate == ANONYMOUS


def test_another_limit_counts_from_now_on_but_makes_nothing_of_a_refusal_undone(limiter):
    limiter.set_most(20)
    assert limiter.rate == 20
    limiter.refused()
    limiter.set_most(80)
    assert limiter.rate == 10


def test_threads_take_places_one_after_the_other():
    time = Time()
    limiter = Limiter(10, lambda: time.seconds)
    taken = []

    def take():
        for _ in range(50):
            taken.append(limiter.reserve())

    threads = [threading.Thread(target=take) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    later = sorted(taken)
    assert later[-1] == pytest.approx(200 / 10, abs=1.1)
    assert min(b - a for a, b in pairwise(later[11:])) == pytest.approx(0.1)
