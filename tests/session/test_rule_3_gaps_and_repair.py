"""Truth rule 3: a gap makes books stale at once, and is repaired step by step."""

import json

import pytest

from kalshi_nb._session.repair import RepairStep
from tests.session.session_rig import BOOKS, Rig, delta, error, ok, snapshot, subscribed, trade

A, B, C = "KXA-1", "KXB-2", "KXC-3"


@pytest.fixture
def rig():
    return Rig()


def test_rule_3_a_gap_makes_every_book_of_the_sid_stale_at_once(rig):
    seq = rig.open_books(A, B, C)
    rig.receive(delta(1, seq + 2, A))
    assert [rig.status(each) for each in (A, B, C)] == ["stale"] * 3
    assert rig.session.ladder(B).reason == "sequence"
    (gap,) = rig.gaps
    assert (gap.channel, gap.market_ticker, gap.seq_from, gap.seq_to) == (BOOKS, None, seq + 1, seq + 1)
    assert gap.closed_at is None


def test_rule_3_a_stale_book_takes_no_deltas(rig):
    seq = rig.open_books(A)
    rig.receive(delta(1, seq + 2, A), delta(1, seq + 3, A))
    assert rig.book(A)[0] == {4700: 1000}


def test_rule_3_the_first_step_is_get_snapshot_on_the_same_sid(rig):
    seq = rig.open_books(A, B)
    rig.receive(delta(1, seq + 2, A))
    command = rig.command("get_snapshot")
    assert command["params"] == {"sids": [1], "action": "get_snapshot", "market_tickers": [A, B]}
    rig.receive(snapshot(1, seq + 3, A, {100: 100}, id=command["id"]))
    assert (rig.status(A), rig.status(B)) == ("live", "stale")
    assert rig.gaps[0].closed_at is None
    rig.receive(delta(1, seq + 4, A, price=100), snapshot(1, seq + 5, B, id=command["id"]))
    assert rig.book(A) == ({100: 200}, {})
    assert rig.status(B) == "live"
    (gap,) = rig.gaps
    assert gap.repaired_by == "get_snapshot"
    assert gap.closed_at is not None
    rig.wait(20)
    assert rig.commands() == []
    assert rig.session._state.commands == {}


def test_rule_3_each_step_comes_only_after_the_one_before_had_its_time(rig):
    seq = rig.open_books(A)
    rig.receive(delta(1, seq + 2, A))
    rig.command("get_snapshot")
    rig.wait(2.8)
    assert rig.commands() == []
    rig.wait(0.4)
    unsubscribe = rig.command("unsubscribe")
    assert unsubscribe["params"] == {"sids": [1]}
    rig.wait(1)
    assert rig.commands() == []  # awaits "unsubscribed": a subscribe now might be merged into the dying sid
    rig.receive({"type": "unsubscribed", "id": unsubscribe["id"], "sid": 1, "seq": seq + 3})
    subscribe = rig.command("subscribe")
    assert subscribe["params"]["market_tickers"] == [A]
    rig.wait(6)
    assert rig.reconnects() == []
    rig.wait(1.2)
    assert len(rig.reconnects()) == 1


def test_rule_3_a_resubscription_that_is_never_answered_ends_in_a_new_connection(rig):
    seq = rig.open_books(A)
    rig.receive(delta(1, seq + 2, A))
    rig.wait(3.1)
    rig.wait(7.9)
    assert rig.reconnects() == []
    rig.wait(0.3)
    assert len(rig.reconnects()) == 1


def test_rule_3_the_second_step_repairs_with_new_snapshots_under_a_new_sid(rig):
    seq = rig.open_books(A)
    rig.receive(delta(1, seq + 2, A))
    rig.commands()
    rig.wait(3.2)
    rig.receive({"type": "unsubscribed", "id": rig.command()["id"], "sid": 1, "seq": seq + 3})
    rig.receive(delta(1, seq + 4, A))
    assert rig.session.unrequested == 1  # of the old sid, still in flight
    rig.receive(subscribed(rig.command()["id"], BOOKS, 7), snapshot(7, 1, A, {100: 5}))
    assert rig.status(A) == "live"
    assert rig.gaps[0].repaired_by == "resubscribe"
    rig.wait(29)
    assert rig.commands() == []
    assert rig.reconnects() == []


def test_rule_3_the_third_step_repairs_by_a_new_connection(rig):
    seq = rig.open_books(A)
    rig.receive(delta(1, seq + 2, A))
    rig.wait(12)
    assert rig.reconnects()
    rig.session.disconnected()
    rig.commands()
    rig.session.connected()
    rig.receive(subscribed(rig.command("subscribe")["id"], BOOKS, 1), snapshot(1, 1, A))
    assert rig.status(A) == "live"
    assert {gap.repaired_by for gap in rig.gaps} == {"reconnect"}
    assert all(gap.closed_at for gap in rig.gaps)


def test_rule_3_a_gap_during_the_repair_distrusts_again_and_asks_again(rig):
    seq = rig.open_books(A, B)
    rig.receive(delta(1, seq + 2, A))
    rig.command("get_snapshot")
    rig.receive(snapshot(1, seq + 3, A))
    assert rig.status(A) == "live"
    rig.receive(snapshot(1, seq + 5, B))
    assert (rig.status(A), rig.status(B)) == ("stale", "live")
    again = rig.command("get_snapshot")
    assert again["params"]["market_tickers"] == [A]
    rig.receive(snapshot(1, seq + 6, A))
    assert rig.status(A) == "live"
    assert [(gap.seq_from, gap.repaired_by) for gap in rig.gaps] == [
        (seq + 1, "get_snapshot"),
        (seq + 4, "get_snapshot"),
    ]


def test_rule_3_rounds_of_get_snapshot_that_gaps_spoil_are_bounded(rig):
    seq = rig.open_books(A, B)
    rig.receive(delta(1, seq + 2, A))
    seq += 2
    rounds = 0
    while rig.session.subscriptions[BOOKS].repair.step is RepairStep.SNAPSHOT:
        commands = rig.commands()
        rounds += len(commands)
        for ticker in commands[0]["params"]["market_tickers"]:
            seq += 2
            rig.receive(snapshot(1, seq, ticker))
        assert rounds < 20
    assert rounds == 5
    rig.wait(0.1)
    rig.command("unsubscribe")


def test_rule_3_a_gap_on_trade_is_recorded_and_closed_when_data_goes_on(rig):
    rig.open("trade")
    rig.session.listen("trade", on=True)
    rig.receive(trade(2, 1, A))
    rig.receive(ok(99, 2, 5, [A]))
    (gap,) = rig.gaps
    assert (gap.channel, gap.seq_from, gap.seq_to, gap.closed_at) == ("trade", 2, 4, None)
    rig.wait(1)
    rig.receive(trade(2, 6, A))
    (gap,) = rig.gaps
    assert gap.closed_at - gap.opened_at == 1_000_000
    assert gap.repaired_by is None
    assert rig.commands() == []


def test_rule_3_a_gap_never_ends_before_it_began(rig):
    rig.open("trade")
    data = json.dumps(trade(2, 3, A)).encode()
    rig.session.receive([data], 1)  # stamped long before the session's own clock
    (gap,) = rig.gaps
    assert gap.closed_at == gap.opened_at


def test_rule_3_the_books_of_a_market_whose_acknowledgement_was_lost_are_distrusted_too(rig):
    seq = rig.open_books(A)
    rig.session.want(BOOKS, frozenset({B}))
    rig.command("add_markets")
    rig.receive(snapshot(1, seq + 2, B))  # its "ok" had the number before
    get = rig.command("get_snapshot")
    rig.receive(snapshot(1, seq + 3, A, id=get["id"]))
    assert rig.status(B) == "live"
    rig.receive(delta(1, seq + 5, A))
    assert (rig.status(A), rig.status(B)) == ("stale", "stale")
    rig.wait(0.6)  # a second repair so soon after the first waits for up to half a second
    assert rig.command("get_snapshot")["params"]["market_tickers"] == [A, B]
    rig.session.disconnected()
    assert rig.status(B) == "stale"


def test_rule_3_a_gap_without_any_book_is_over_at_once(rig):
    rig.open_books(A)
    rig.session.release(rig.request)
    rig.session.want(BOOKS, frozenset())
    rig.receive(delta(1, 9, A))
    assert rig.session.subscriptions[BOOKS].repair.step is RepairStep.NONE
    assert rig.gaps[0].closed_at is not None


def test_rule_3_a_market_let_go_during_the_repair_does_not_hold_it_up(rig):
    seq = rig.open_books(A)
    other = rig.session.want(BOOKS, frozenset({B}))
    rig.receive(ok(rig.command()["id"], 1, seq + 1, [A, B]), snapshot(1, seq + 2, B))
    rig.session.release(other)
    rig.command("delete_markets")
    rig.receive(delta(1, seq + 4, A))
    assert rig.command("get_snapshot")["params"]["market_tickers"] == [A]
    rig.receive(snapshot(1, seq + 5, A))
    assert (rig.status(A), rig.status(B)) == ("live", None)
    assert rig.gaps[-1].repaired_by == "get_snapshot"
    rig.receive(snapshot(1, seq + 6, B))
    assert rig.session.unrequested == 1


def test_rule_3_a_gap_before_the_first_acknowledgement_is_over_with_the_first_snapshots_and_not_before(rig):
    rig.open_books(A)
    rig.session.disconnected()
    rig.session.connected()
    late = rig.command("subscribe")
    rig.wait(10.1)
    again = rig.command("subscribe")
    rig.receive(subscribed(late["id"], BOOKS, 1), error(10, "of no matter", sid=9, seq=2))
    rig.receive({"type": "news", "sid": 1, "seq": 2})
    assert [gap.closed_at for gap in rig.gaps] == [None] * 3
    rig.receive(ok(again["id"], 1, 3, [A]), snapshot(1, 4, A))
    assert {gap.repaired_by for gap in rig.gaps} == {"reconnect"}
    assert rig.status(A) == "live"
