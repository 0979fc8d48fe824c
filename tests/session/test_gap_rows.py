"""Where a hole is, something stands among the rows, and a wish without a connection is a hole."""

import pytest
from session_rig import BOOKS, Rig, delta, subscribed, trade

from kalshi_nb._rows.gaps import GapRow
from kalshi_nb._rows.wanted import ALL


@pytest.fixture
def rig():
    return Rig()


def test_a_hole_stands_before_the_row_that_shows_it(rig):
    rig.open("trade")
    rig.session.listen("trade", on=True)
    rig.receive(trade(2, 1, "A", "one"), trade(2, 4, "A", "four"))
    kinds = [type(row) for row in rig.session.rows("trade")]
    assert kinds == [tuple, GapRow, tuple]


def test_a_hole_of_books_stands_among_the_deltas(rig):
    seq = rig.open_books("A")
    rig.session.listen(BOOKS, on=True)
    rig.receive(delta(1, seq + 1, "A"), delta(1, seq + 3, "A"))
    assert [type(row) for row in rig.session.rows(BOOKS)] == [tuple, GapRow, tuple]


def test_without_a_listener_nothing_stands_anywhere(rig):
    rig.open("trade")
    rig.receive(trade(2, 1, "A", "one"), trade(2, 4, "A", "four"))
    assert not rig.session.rows("trade")


def test_a_wish_after_the_loss_of_a_connection_is_a_hole_until_data_comes(rig):
    rig.session.disconnected()
    rig.session.want("trade", ALL)
    (gap,) = rig.gaps
    assert (gap.channel, gap.reason, gap.closed_at) == ("trade", "connection_lost", None)
    rig.session.want("trade", frozenset({"A"}))
    assert len(rig.gaps) == 1
    rig.session.connected()
    rig.receive(subscribed(rig.command("subscribe")["id"], "trade", 1), trade(1, 1, "A"))
    assert rig.gaps[0].closed_at is not None


def test_a_wish_before_the_first_connection_is_none():
    rig = Rig(connected=False)
    rig.session.want("trade", ALL)
    assert not rig.gaps


def test_a_wish_for_whatever_books_come_is_no_hole_where_nobody_wants_any(rig):
    rig.session.disconnected()
    rig.session.want("orderbook_delta", frozenset())
    assert not rig.gaps


def test_a_sealed_log_takes_no_more(rig):
    rig.open("trade")
    rig.session.gaps.seal()
    rig.session.disconnected()
    assert not rig.gaps
