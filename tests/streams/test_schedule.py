"""Later calls: made when they are due, under somebody's care, and not for who is gone."""

from __future__ import annotations

import pytest

from kalshi_nb._streams.schedule import Schedule


class Guard:
    def __init__(self):
        self.made = 0

    def run(self, call):
        self.made += 1
        call()


class Node:
    def __init__(self, seen):
        self.seen = seen

    def call(self):
        self.seen.append(self)


def test_calls_are_made_when_they_are_due_and_in_that_order():
    schedule, guard, seen = Schedule(), Guard(), []
    early, late, never = Node(seen), Node(seen), Node(seen)
    now = schedule.now()
    schedule.call_at(now + 3_600, guard, never.call)
    schedule.call_at(now, guard, late.call)
    schedule.call_at(now - 1, guard, early.call)
    assert schedule.seconds_left() == 0
    schedule.run_due()
    assert seen == [early, late]
    assert guard.made == 2
    assert 3_590 < schedule.seconds_left() <= 3_600
    schedule.run_due(all_of_them=True)
    assert seen == [early, late, never]
    assert schedule.seconds_left() is None


@pytest.mark.parametrize("who", ["guard", "node"])
def test_who_is_gone_by_then_is_not_called(who):
    schedule, guard, seen = Schedule(), Guard(), []
    node = Node(seen)
    schedule.call_at(schedule.now(), guard, node.call)
    if who == "guard":
        del guard
    else:
        del node
    schedule.run_due()
    assert seen == []
    assert schedule.seconds_left() is None


def test_whoever_sleeps_is_woken_by_each_addition():
    woken, guard = [], Guard()
    schedule, node = Schedule(lambda: woken.append(1)), Node([])
    schedule.call_at(schedule.now(), guard, node.call)
    assert woken == [1]
