"""Truth rule 4: a snapshot replaces a book whole, and what cannot be is a gap."""

from itertools import pairwise

import pytest

from kalshi_nb._rows.rows import SnapshotRow
from tests.session.session_rig import BOOKS, Rig, delta, snapshot, subscribed

A, B = "KXA-1", "KXB-2"


@pytest.fixture
def rig():
    return Rig()


@pytest.mark.parametrize(
    ("yes", "no"), [({100: 5}, {}), ({}, {100: 5}), ({}, {})], ids=["yes only", "no only", "neither"]
)
def test_rule_4_a_snapshot_replaces_whole_and_a_missing_side_is_an_empty_side(rig, yes, no):
    seq = rig.open_books(A)
    rig.receive(snapshot(1, seq + 1, A, yes, no))
    assert rig.book(A) == (yes, no)
    assert rig.status(A) == "live"


@pytest.mark.parametrize("times", [2, 1025])
def test_rule_4_a_snapshot_with_more_at_one_price_than_can_be_counted_is_refused(rig, times):
    seq = rig.open_books(A, B)
    rig.receive(snapshot(1, seq + 1, A, [(4700, 1000)]), snapshot(1, seq + 2, A, [(100, 2**53)] * times))
    assert rig.book(A) == ({4700: 1000}, {})
    assert (rig.status(A), rig.status(B)) == ("stale", "live")
    assert rig.session.rejected == 1
    rig.command("get_snapshot")


def test_rule_4_a_negative_level_is_a_gap_in_its_own_market_since_the_count_is_whole(rig):
    seq = rig.open_books(A, B)
    rig.receive(delta(1, seq + 1, A, change=-1001))
    assert rig.book(A)[0] == {4700: 1000}
    assert (rig.status(A), rig.status(B)) == ("stale", "live")
    rig.receive(delta(1, seq + 2, B, change=500))
    assert rig.book(B)[0] == {4700: 1500}
    assert (rig.gaps[0].reason, rig.gaps[0].market_ticker) == ("negative_level", A)
    assert (rig.gaps[0].seq_from, rig.gaps[0].seq_to) == (seq + 1, seq + 1)
    rig.command("get_snapshot")


def test_rule_4_a_delta_before_its_snapshot_is_one_gap_however_many_follow(rig):
    rig.session.want(BOOKS, frozenset({A}))
    rig.receive(subscribed(rig.command()["id"], BOOKS, 1), delta(1, 1, A), delta(1, 2, A))
    (gap,) = rig.gaps
    assert gap.reason == "no_book"
    assert rig.status(A) == "stale"
    rig.command("get_snapshot")
    rig.receive(snapshot(1, 3, A, {4700: 200}))
    assert rig.book(A)[0] == {4700: 200}
    assert rig.status(A) == "live"


def test_rule_4_a_delta_of_a_market_let_go_harms_nobody(rig):
    seq = rig.open_books(A)
    rig.receive(delta(1, seq + 1, "KXOTHER"))
    assert rig.session.unrequested == 1
    assert rig.gaps == []


def test_rule_4_an_empty_snapshot_without_an_id_is_of_an_unknown_market_until_it_trades(rig):
    rig.session.want(BOOKS, frozenset({A}))
    empty = {"type": "orderbook_snapshot", "sid": 1, "seq": 1, "msg": {"market_ticker": A, "market_id": ""}}
    rig.receive(subscribed(rig.command()["id"], BOOKS, 1), empty)
    assert rig.status(A) == "unknown"
    rig.receive(delta(1, 2, A))
    assert rig.status(A) == "live"
    assert rig.book(A)[0] == {4700: 100}


def test_rule_4_a_first_snapshot_that_never_comes_is_asked_for_ever_more_rarely_and_for_ever(rig):
    rig.session.want(BOOKS, frozenset({A}))
    rig.receive(subscribed(rig.command()["id"], BOOKS, 1))
    asked = []
    for second in range(400):
        rig.wait(1, step=1.0)
        rig.receive({"type": "heartbeat"})
        asked += [second for each in rig.commands() if each["cmd"] == "update_subscription"]
    pauses = [later - earlier for earlier, later in pairwise(asked)]
    assert asked[0] <= 3
    assert pauses == sorted(pauses)
    assert pauses[-1] == 60
    rig.session.subscriptions[BOOKS].repair.rounds = 5_000  # after half a week of it
    rig.wait(61, step=1.0)
    assert len([each for each in rig.commands() if each["cmd"] == "update_subscription"]) == 1


def test_rule_4_snapshots_are_rows_only_where_somebody_listens(rig):
    seq = rig.open_books(A)
    assert rig.session.rows(BOOKS) == []
    rig.session.listen(BOOKS, on=True)
    rig.receive(snapshot(1, seq + 1, A, {100: 5, 200: 6}, {300: 7}))
    (row,) = rig.session.rows(BOOKS)
    assert isinstance(row, SnapshotRow)
    assert (row.seq, row.market_ticker, row.yes, row.no) == (seq + 1, A, ((200, 6), (100, 5)), ((300, 7),))
    rig.session.listen(BOOKS, on=False)
    rig.receive(delta(1, seq + 2, A, price=100))
    assert len(rig.session.rows(BOOKS)) == 1
