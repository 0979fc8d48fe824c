"""What somebody does to his own subscriptions is no gap where nobody misses anything by it."""

import pytest

from kalshi_nb._rows.gaps import Gap, GapLog, GapRow
from kalshi_nb._rows.wanted import ALL
from tests.session.session_rig import BOOKS, Rig, snapshot, subscribed, trade

A, B = "KXA-1", "KXB-2"


@pytest.fixture
def rig():
    return Rig()


def asked_again(rig, request, sid, wanted=ALL, seq=1):
    """Let a trade subscription go and ask for it again before that is answered."""
    rig.session.release(request)
    end = rig.command("unsubscribe")
    request = rig.session.want("trade", wanted, listens="trade")
    rig.receive({"type": "unsubscribed", "id": end["id"], "sid": sid, "seq": seq})
    rig.receive(subscribed(rig.command("subscribe")["id"], "trade", sid + 1))
    return request


def test_a_frame_closed_and_asked_for_again_three_thousand_times_leaves_a_real_gap_in_the_log():
    rig = Rig(gaps=GapLog(most=100))
    request = rig.open("trade")
    rig.receive(trade(2, 1, A), trade(2, 3, A))
    for sid in range(2, 3_002):
        request = asked_again(rig, request, sid, seq=1 if sid > 2 else 4)
    (gap,) = rig.gaps
    assert (gap.reason, gap.seq_from, rig.session.gaps.dropped) == ("sequence", 2, 0)
    assert request.outcome.code is None


def test_whoever_was_there_before_and_after_misses_something_and_is_told(rig):
    rig.session.listen("trade", on=True)
    rig.open("trade", frozenset({A}))
    rig.session.want("trade", ALL)
    rig.receive({"type": "unsubscribed", "id": rig.command("unsubscribe")["id"], "sid": 2, "seq": 1})
    assert [gap.reason for gap in rig.gaps] == ["resubscribed"]
    assert [row.reason for row in rig.session.rows("trade") if isinstance(row, GapRow)] == ["resubscribed"]


def test_of_two_the_one_that_stays_is_told(rig):
    stays = rig.open("trade", frozenset({A}))
    goes = rig.session.want("trade", ALL)
    rig.receive({"type": "unsubscribed", "id": rig.command("unsubscribe")["id"], "sid": 2, "seq": 1})
    rig.receive(subscribed(rig.command("subscribe")["id"], "trade", 3), trade(3, 1, A))
    assert len(rig.gaps) == 1
    rig.session.release(stays, goes)
    end = rig.command("unsubscribe")
    rig.session.want("trade", frozenset({B}))
    rig.receive({"type": "unsubscribed", "id": end["id"], "sid": 3, "seq": 2})
    assert len(rig.gaps) == 1  # nobody who was there is there now


def test_what_the_exchange_ended_by_itself_is_a_gap_as_ever(rig):
    rig.open("trade")
    rig.receive({"type": "unsubscribed", "sid": 2, "seq": 1})
    assert [gap.reason for gap in rig.gaps] == ["unsubscribed"]


def test_one_lost_connection_is_one_gap_however_often_somebody_asks_meanwhile(rig):
    request = rig.open("trade")
    rig.session.disconnected()
    (gap,) = rig.gaps
    for _ in range(3_000):
        rig.session.release(request)
        assert gap.closed_at is not None  # nobody waits for anything
        rig.wait(0.1)
        request = rig.session.want("trade", ALL)
        assert (gap.closed_at, gap.closed) == (None, None)
    assert rig.gaps == [gap]
    rig.session.connected()
    rig.receive(subscribed(rig.command("subscribe")["id"], "trade", 3), trade(3, 1, A))
    assert gap.closed_at is not None
    rig.session.disconnected()
    assert [each.reason for each in rig.gaps] == ["connection_lost"] * 2


def test_an_outage_of_a_channel_without_books_is_over_when_it_is_received_again_though_nothing_is_sent(rig):
    rig.open("trade")
    rig.session.disconnected()
    rig.wait(7)
    rig.session.connected()
    rig.receive(subscribed(rig.command("subscribe")["id"], "trade", 3))
    (gap,) = rig.gaps
    assert (gap.closed - gap.opened, gap.repaired_by) == (7_000_000, None)


def test_books_let_go_and_wanted_again_without_a_connection_are_in_the_same_gap(rig):
    rig.open_books(A)
    rig.session.disconnected()
    rig.session.release(rig.request)
    rig.session.want(BOOKS, frozenset({A, B}))
    rig.session.connected()
    rig.receive(subscribed(rig.command("subscribe")["id"], BOOKS, 1), snapshot(1, 1, A), snapshot(1, 2, B))
    (gap,) = rig.gaps
    assert (gap.reason, gap.repaired_by) == ("connection_lost", "reconnect")


def test_an_outage_is_marked_where_a_frame_begins_in_it(rig):
    rig.open("trade")
    rig.session.disconnected()
    rig.session.listen("trade", on=True)
    rig.session.release(*rig.session.subscriptions["trade"].requests)
    rig.wait(5)
    rig.session.want("trade", ALL)
    (row,) = rig.session.rows("trade")
    assert (row.reason, row.opened_at) == ("connection_lost", rig.now_us())


def test_a_gap_that_left_the_log_is_in_it_again_when_it_is_not_over():
    log = GapLog(most=2)
    first = log.open(Gap("trade", None, 1, None, "connection_lost", None, None))
    log.close([first], 2, 2, None)
    for at in (3, 4):
        log.open(Gap("trade", None, at, None, "sequence", None, None))
    log.reopen(first)
    assert log.snapshot()[-1] is first
    assert (first.closed_at, first.closed) == (None, None)
    log.seal()
    log.reopen(log.open(Gap("trade", None, 9, None, "sequence", None, None)))
    assert len(log) == 2
