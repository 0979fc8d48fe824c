"""Truth rules 1 and 2: a number is applied once, and counted on every frame that has one."""

import pytest

from tests.session.session_rig import BOOKS, Rig, delta, error, ok, snapshot, subscribed, ticker_frame, trade

A, B = "KXA-1", "KXB-2"


@pytest.fixture
def rig():
    return Rig()


@pytest.mark.parametrize("old", [1, 2, 3], ids=["older", "old", "same"])
def test_rule_1_a_duplicate_or_old_delta_is_never_applied(rig, old):
    seq = rig.open_books(A)
    rig.session.listen(BOOKS, on=True)
    rig.receive(delta(1, seq + 1, A, change=100), delta(1, seq + 2, A, change=100))
    rig.receive(delta(1, old, A, change=100))
    assert rig.book(A)[0] == {4700: 1200}
    assert rig.session.duplicates == 1
    assert len(rig.session.rows(BOOKS)) == 2
    assert rig.status(A) == "live"
    assert rig.gaps == []


def test_rule_1_an_old_snapshot_is_never_laid_in(rig):
    seq = rig.open_books(A)
    rig.receive(delta(1, seq + 1, A))
    rig.receive(snapshot(1, seq, A, {100: 100}))
    assert rig.book(A)[0] == {4700: 1100}


def test_rule_1_an_old_trade_makes_no_row(rig):
    rig.open("trade")
    rig.session.listen("trade", on=True)
    rig.receive(trade(2, 1, A), trade(2, 1, A), trade(2, 2, A))
    assert len(rig.session.rows("trade")) == 2


def test_rule_2_ok_unsubscribed_and_error_take_numbers_and_leave_no_gap(rig):
    seq = rig.open_books(A)
    rig.session.want(BOOKS, frozenset({B}))
    add = rig.command("add_markets")
    rig.receive(ok(add["id"], 1, seq + 1, [A, B]), snapshot(1, seq + 2, B))
    rig.receive(error(26, "Subscription market limit exceeded", sid=1, seq=seq + 3))
    rig.receive(delta(1, seq + 4, A))
    assert rig.gaps == []
    assert rig.status(A) == rig.status(B) == "live"
    assert rig.book(A)[0] == {4700: 1100}


def test_rule_2_a_lost_ok_is_a_gap_like_any_other(rig):
    seq = rig.open_books(A)
    rig.receive(delta(1, seq + 2, A))
    assert rig.status(A) == "stale"


def test_rule_2_each_sid_has_a_count_of_its_own(rig):
    seq = rig.open_books(A)
    rig.open("trade")
    rig.receive(trade(2, 1, A), delta(1, seq + 1, A), trade(2, 2, A), delta(1, seq + 2, A))
    rig.receive(*(trade(2, number, A) for number in range(3, 20)), delta(1, seq + 3, A))
    rig.receive(*(delta(1, number, A) for number in range(seq + 4, seq + 40)), trade(2, 20, A))
    assert (rig.gaps, rig.session.duplicates) == ([], 0)


def test_rule_2_a_subscription_tells_its_newest_number_where_its_messages_have_any(rig):
    rig.open("trade")
    rig.open("ticker", sid=3)
    rig.receive(trade(2, 1, A), trade(2, 2, A), ticker_frame(3, A))
    found = {each.channel: (each.seq, each.messages) for each in rig.session.subscriptions.values()}
    assert found == {"trade": (2, 2), "ticker": (None, 1)}


def test_rule_2_a_channel_without_numbers_has_none_to_check(rig):
    rig.open("ticker")
    rig.session.listen("ticker", on=True)
    numbered = {**ticker_frame(2, A), "seq": 900}
    rig.receive(ticker_frame(2, A), numbered, ok(99, 2, 7, [A]), ticker_frame(2, A))
    rig.receive(ok(99, 2, 11, [A]), ok(99, 2, 3, [A]))
    assert (rig.gaps, rig.session.duplicates) == ([], 0)
    assert len(rig.session.rows("ticker")) == 3


def test_rule_2_the_first_lifecycle_number_is_where_counting_begins(rig):
    rig.open("market_lifecycle_v2")
    frame = {
        "type": "market_lifecycle_v2",
        "sid": 2,
        "seq": 279_597,
        "msg": {"market_ticker": A, "event_type": "settled"},
    }
    rig.receive(frame, {**frame, "seq": 279_598})
    assert rig.gaps == []
    rig.receive({**frame, "seq": 279_600})
    (gap,) = rig.gaps
    assert (gap.seq_from, gap.seq_to) == (279_599, 279_599)


def test_rule_2_a_first_book_frame_that_is_not_number_one_is_a_gap(rig):
    rig.session.want(BOOKS, frozenset({A}))
    rig.receive(subscribed(rig.command()["id"], BOOKS, 1), snapshot(1, 2, A))
    (gap,) = rig.gaps
    assert (gap.reason, gap.seq_from, gap.seq_to) == ("sequence", 1, 1)
