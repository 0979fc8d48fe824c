"""Gaps are in order on the steady timeline, whatever happens to the clock that people read."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kalshi_nb._rows.gaps import Gap, GapLog
from tests.session.session_rig import BOOKS, Rig, delta, snapshot, subscribed, trade


class Timeline:
    """Turns stamps made just now into moments that never go back: a step back of the clock takes no time."""

    def __init__(self):
        self.newest = 0
        self.shift = 0

    def __call__(self, at):
        self.shift = max(self.shift, self.newest - at)
        self.newest = at + self.shift
        return self.newest


def opened_with_trades_and_books(**options):
    rig = Rig(**options)
    rig.open_books("A")
    rig.open("trade")
    return rig


def lose_a_trade(rig):
    due = rig.session.subscriptions["trade"].counting.due
    rig.receive(trade(2, due + 1, "A"))


def lose_a_delta(rig):
    due = rig.session.subscriptions[BOOKS].counting.due
    rig.receive(delta(1, due + 1, "A"))


def lay_in_a_snapshot(rig):
    rig.receive(snapshot(1, rig.session.subscriptions[BOOKS].counting.due, "A", {4700: 1000}))


def reconnect(rig):
    rig.session.disconnected()
    rig.commands()
    rig.session.connected()
    sids = {"trade": 2, BOOKS: 1}
    for command in rig.commands():
        (channel,) = command["params"]["channels"]
        rig.receive(subscribed(command["id"], channel, sids[channel]))
    lay_in_a_snapshot(rig)
    rig.receive(trade(2, 1, "A"))


happenings = st.lists(
    st.one_of(
        st.sampled_from([lose_a_trade, lose_a_delta, lay_in_a_snapshot, reconnect]),
        st.integers(-7_200, 7_200),
    ),
    max_size=20,
)


@settings(max_examples=100, deadline=None)
@given(happenings)
def test_steady_stamps_are_in_order_whatever_the_clock_is_set_by(happenings):
    rig = opened_with_trades_and_books(steady=Timeline())
    for happening in happenings:
        rig.seconds += 0.001
        if callable(happening):
            happening(rig)
        else:
            rig.set_by += happening
    assert all(earlier.opened <= later.opened for earlier, later in pairwise(rig.gaps))
    assert all(gap.closed is None or gap.closed >= gap.opened for gap in rig.gaps)
    assert [gap.closed is None for gap in rig.gaps] == [gap.closed_at is None for gap in rig.gaps]


@pytest.mark.parametrize("set_by", [-3_600.0, 3_600.0], ids=["back", "ahead"])
def test_a_gap_that_is_seen_after_the_clock_was_set_comes_after_one_that_was_over_before(set_by):
    rig = opened_with_trades_and_books(steady=Timeline())
    lose_a_trade(rig)
    rig.seconds += 1.0
    rig.set_by = set_by
    lose_a_trade(rig)
    before, after = rig.gaps
    assert (before.opened_at < after.opened_at) is (set_by > 0)
    assert before.opened <= before.closed <= after.opened <= after.closed


def test_a_gap_that_is_open_while_the_clock_is_set_back_ends_after_it_began_on_both_clocks():
    rig = opened_with_trades_and_books(steady=Timeline())
    lose_a_delta(rig)
    (gap,) = rig.gaps
    assert (gap.closed_at, gap.closed) == (None, None)
    rig.seconds += 1.0
    rig.set_by = -3_600.0
    lay_in_a_snapshot(rig)
    assert gap.closed_at == gap.opened_at
    assert gap.closed >= gap.opened


def test_without_a_steady_timeline_the_clock_is_taken_to_be_one():
    rig = opened_with_trades_and_books()
    lose_a_delta(rig)
    rig.seconds += 1.0
    lay_in_a_snapshot(rig)
    (gap,) = rig.gaps
    assert (gap.opened, gap.closed) == (gap.opened_at, gap.closed_at)
    written = GapLog().open(Gap("trade", None, 3, 5, "sequence", None, None))
    assert (written.opened, written.closed) == (3, 5)
