"""Whether a kept book ever was what the exchange answered: at its beginning, its end, or in between."""

from __future__ import annotations

import pytest

from kalshi_nb._rest.orderbooks import Course, orderbooks
from kalshi_nb._rows.channels import BOOKS, LAYOUTS
from kalshi_nb._rows.gaps import GapRow
from kalshi_nb._rows.rows import SnapshotRow
from kalshi_nb._rows.steering import BookRow

BEGIN = {("yes", 4_000): 500, ("no", 5_500): 300}


def delta(side, price, change):
    found = {"market_ticker": "KXA-1", "side": side, "price": price, "delta": change}
    return tuple(found.get(each.name) for each in LAYOUTS[BOOKS])


@pytest.fixture
def course():
    made = Course()
    made.hear(delta("yes", 4_000, 100))  # is in the book that is told
    made.hear(BookRow("KXA-1", ((4_000, 500),), ((5_500, 300),)))
    return made


def test_before_it_was_told_nobody_can_say():
    course = Course()
    course.hear(delta("yes", 4_000, 100))
    assert not course.has_begun
    assert course.differing({}) is None


def test_a_book_agrees_with_every_state_that_it_had_and_with_no_other(course):
    course.hear(delta("yes", 4_000, -500))
    course.hear(delta("no", 5_600, 200))
    assert course.differing(BEGIN) == 0
    assert course.differing({("no", 5_500): 300}) == 0
    assert course.differing({("no", 5_500): 300, ("no", 5_600): 200}) == 0
    assert course.differing({("no", 5_500): 300, ("no", 5_600): 201}) == 1
    assert course.differing({("yes", 4_000): 500, ("no", 5_500): 300, ("no", 5_600): 200}) == 1  # never at one moment
    assert course.differing({}) == 2


def test_a_whole_book_takes_the_place_of_what_was_before(course):
    course.hear(SnapshotRow(0, 1, "KXA-1", ((100, 1),), ()))
    assert course.differing({("yes", 100): 1}) == 0
    assert course.differing(BEGIN) == 0
    assert course.differing({("yes", 100): 2}) == 1


def test_behind_a_gap_nobody_can_say_until_it_is_told_whole(course):
    course.hear(GapRow(None, 0, "sequence"))
    course.hear(delta("yes", 100, 5))
    assert course.differing({("yes", 100): 5}) is None
    assert course.differing(BEGIN) == 0
    course.hear(SnapshotRow(0, 1, "KXA-1", ((100, 1),), ()))
    assert course.differing({("yes", 100): 5}) == 1
    course.hear(delta("yes", 100, 4))
    assert course.differing({("yes", 100): 5}) == 0


def test_books_are_asked_for_together_and_unknown_ones_are_not_there(client, exchange):
    first, second = exchange.market_tickers[:2]
    found = orderbooks(client, [first, "KXNONE-1", second])
    assert set(found) == {first, second}
    assert {side for side, _ in found[first]} == {"yes", "no"}
    assert all(0 < price < 10_000 and size > 0 for (_, price), size in found[first].items())
