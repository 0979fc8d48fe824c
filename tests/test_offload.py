"""Work on threads of its own: in order, so much at a time, and nothing begun for nobody."""

import threading

import pytest

from kalshi_nb._offload import several_at_once


def test_what_is_returned_comes_in_its_order_and_so_much_is_under_way():
    three, begun = threading.Barrier(3), []

    def work(number, _given_up):
        begun.append(number)
        if number < 3:
            three.wait(60)
        return number

    works = [lambda given_up, number=number: work(number, given_up) for number in range(7)]
    found = several_at_once(works, 3, "kalshi-test")
    assert next(found) == 0
    assert sorted(begun) == [0, 1, 2]  # the next begins with the next question
    assert list(found) == [1, 2, 3, 4, 5, 6]


def test_what_else_was_under_way_comes_before_what_was_raised_and_nothing_begins_after_it():
    other_is_done, begun, told = threading.Event(), [], []

    def fails(_given_up):
        assert other_is_done.wait(60)
        raise ValueError("no")

    def ends(given_up):
        other_is_done.set()
        told.append(given_up)
        return 5

    found = several_at_once([fails, ends, lambda _: begun.append(1)], 2, "kalshi-test")
    assert next(found) == 5
    with pytest.raises(ValueError, match="no"):
        next(found)
    assert begun == []
    assert told[0].is_set()


def test_who_goes_on_no_more_begins_nothing_and_says_so():
    told = []

    def work(given_up):
        told.append(given_up)
        return 5

    found = several_at_once([work] * 5, 2, "kalshi-test")
    assert next(found) == 5
    found.close()
    assert len(told) == 2
    assert told[0].is_set()
