"""The truth rules, one test or a few for each: what keeps a feed from lying."""

import json
from itertools import pairwise

import pytest
from session_rig import (
    BOOKS,
    Rig,
    delta,
    error,
    ok,
    snapshot,
    subscribed,
    ticker_frame,
    trade,
)

from kalshi_nb._session.gaps import Gap, GapLog
from kalshi_nb._session.receiver import MOST_OLD
from kalshi_nb._session.requests import ALL
from kalshi_nb._wire.rows import SnapshotRow

A, B, C = "KXA-1", "KXB-2", "KXC-3"


@pytest.fixture
def rig():
    return Rig()


# 1. A duplicate or old number is never applied -----------------------------------------------------------


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


# 2. Numbers are counted per sid over every frame that has one --------------------------------------------


def test_rule_2_ok_unsubscribed_and_error_take_numbers_and_leave_no_hole(rig):
    seq = rig.open_books(A)
    rig.session.want(BOOKS, frozenset({B}))
    add = rig.command("add_markets")
    rig.receive(ok(add["id"], 1, seq + 1, [A, B]), snapshot(1, seq + 2, B))
    rig.receive(error(26, "Subscription market limit exceeded", sid=1, seq=seq + 3))
    rig.receive(delta(1, seq + 4, A))
    assert rig.gaps == []
    assert rig.status(A) == rig.status(B) == "live"
    assert rig.book(A)[0] == {4700: 1100}


def test_rule_2_a_lost_ok_is_a_hole_like_any_other(rig):
    seq = rig.open_books(A)
    rig.receive(delta(1, seq + 2, A))
    assert rig.status(A) == "stale"


def test_rule_2_each_sid_has_a_count_of_its_own(rig):
    seq = rig.open_books(A)
    rig.open("trade")
    rig.receive(trade(2, 1, A), delta(1, seq + 1, A), trade(2, 2, A), delta(1, seq + 2, A))
    assert rig.gaps == []


def test_rule_2_a_channel_without_numbers_has_none_to_check(rig):
    rig.open("ticker")
    rig.session.listen("ticker", on=True)
    numbered = {**ticker_frame(2, A), "seq": 900}
    rig.receive(ticker_frame(2, A), numbered, ok(99, 2, 7, [A]), ticker_frame(2, A))
    assert rig.gaps == []
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


def test_rule_2_a_first_book_frame_that_is_not_number_one_is_a_hole(rig):
    rig.session.want(BOOKS, frozenset({A}))
    rig.receive(subscribed(rig.command()["id"], BOOKS, 1), snapshot(1, 2, A))
    (gap,) = rig.gaps
    assert (gap.reason, gap.seq_from, gap.seq_to) == ("sequence", 1, 1)


# 3. A hole on the book channel ---------------------------------------------------------------------------


def test_rule_3_a_hole_makes_every_book_of_the_sid_stale_at_once(rig):
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


def test_rule_3_a_hole_during_the_repair_distrusts_again_and_asks_again(rig):
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


def test_rule_3_rounds_of_get_snapshot_that_holes_spoil_are_bounded(rig):
    seq = rig.open_books(A, B)
    rig.receive(delta(1, seq + 2, A))
    seq += 2
    rounds = 0
    while rig.session.subscriptions[BOOKS].step == 1:
        commands = rig.commands()
        rounds += len(commands)
        for ticker in commands[0]["params"]["market_tickers"]:
            seq += 2
            rig.receive(snapshot(1, seq, ticker))
        assert rounds < 20
    assert rounds == 5
    rig.wait(0.1)
    rig.command("unsubscribe")


def test_rule_3_a_hole_on_trade_is_recorded_and_closed_when_data_goes_on(rig):
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
    rig.session.receive(data, 1)  # stamped long before the session's own clock
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


def test_rule_3_a_hole_without_any_book_is_over_at_once(rig):
    rig.open_books(A)
    rig.session.release(rig.request)
    rig.session.want(BOOKS, frozenset())
    rig.receive(delta(1, 9, A))
    assert rig.session.subscriptions[BOOKS].step == 0
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


# 4. Snapshots and levels ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("yes", "no"), [({100: 5}, {}), ({}, {100: 5}), ({}, {})], ids=["yes only", "no only", "neither"]
)
def test_rule_4_a_snapshot_replaces_whole_and_a_missing_side_is_an_empty_side(rig, yes, no):
    seq = rig.open_books(A)
    rig.receive(snapshot(1, seq + 1, A, yes, no))
    assert rig.book(A) == (yes, no)
    assert rig.status(A) == "live"


def test_rule_4_a_negative_level_is_a_hole_in_its_own_market_since_the_count_is_whole(rig):
    seq = rig.open_books(A, B)
    rig.receive(delta(1, seq + 1, A, change=-1001))
    assert rig.book(A)[0] == {4700: 1000}
    assert (rig.status(A), rig.status(B)) == ("stale", "live")
    rig.receive(delta(1, seq + 2, B, change=500))
    assert rig.book(B)[0] == {4700: 1500}
    assert (rig.gaps[0].reason, rig.gaps[0].market_ticker) == ("negative_level", A)
    assert (rig.gaps[0].seq_from, rig.gaps[0].seq_to) == (seq + 1, seq + 1)
    rig.command("get_snapshot")


def test_rule_4_a_delta_before_its_snapshot_is_one_hole_however_many_follow(rig):
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
    rig.session.subscriptions[BOOKS].rounds = 5_000  # after half a week of it
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


# 5. Errors 10 and 25 -------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [10, 25])
def test_rule_5_errors_10_and_25_end_the_subscription_which_is_made_again_at_once(rig, code):
    seq = rig.open_books(A)
    rig.receive(error(code, "gone", sid=1, seq=seq + 1))
    assert rig.status(A) == "stale"
    (gap,) = rig.gaps
    assert (gap.reason, gap.seq_from, gap.closed_at) == (f"error_{code}", seq + 2, None)
    rig.wait(0.1)
    rig.receive(subscribed(rig.command("subscribe")["id"], BOOKS, 2), snapshot(2, 1, A))
    assert rig.status(A) == "live"
    assert rig.gaps[0].repaired_by == "resubscribe"


def test_rule_5_a_subscription_that_ends_again_and_again_is_made_again_ever_more_slowly():
    pauses = []
    for seed in range(30):
        rig = Rig(seed=seed)
        rig.open_books(A)
        found = []
        for sid in range(1, 9):
            rig.receive(error(25, "Subscription buffer overflow", sid=sid))
            began = rig.seconds
            while not rig.session.outgoing:
                rig.wait(0.1)
                assert rig.seconds - began < 31
            found.append(rig.seconds - began)
            rig.receive(subscribed(rig.command("subscribe")["id"], BOOKS, sid + 1), snapshot(sid + 1, 1, A))
            assert rig.status(A) == "live"
        pauses.append(found)
    means = [sum(each) / len(each) for each in zip(*pauses, strict=True)]
    assert means[0] < 0.2
    assert means[7] > 10
    for attempt, ceiling in enumerate((0.5, 1, 2, 4, 8, 16, 30), 1):
        assert max(each[attempt] for each in pauses) <= ceiling + 0.2


def test_rule_5_a_subscription_that_held_begins_anew_with_its_delays(rig):
    rig.open_books(A)
    for sid in (1, 2, 3):
        rig.receive(error(25, "overflow", sid=sid))
        while not rig.session.outgoing:
            rig.wait(0.1)
        command = rig.command("subscribe")
        rig.receive(subscribed(command["id"], BOOKS, sid + 1), snapshot(sid + 1, 1, A))
    rig.wait(31, step=0.5)
    rig.commands()
    rig.receive(error(25, "overflow", sid=4))
    rig.wait(0.1)
    rig.command("subscribe")


def test_rule_5_an_ended_trade_subscription_has_a_gap_and_no_repair(rig):
    rig.open("trade")
    rig.receive(trade(2, 1, A), error(10, "Channel error", sid=2, seq=2))
    rig.wait(0.1)
    rig.receive(subscribed(rig.command("subscribe")["id"], "trade", 3), trade(3, 1, A))
    (gap,) = rig.gaps
    assert (gap.reason, gap.repaired_by) == ("error_10", None)
    assert gap.closed_at is not None


def test_rule_5_a_repair_under_way_is_broken_off_when_its_subscription_ends(rig):
    seq = rig.open_books(A)
    rig.receive(delta(1, seq + 2, A), error(25, "overflow", sid=1, seq=seq + 3))
    rig.commands()
    rig.wait(0.1)
    subscribe = rig.command("subscribe")
    rig.wait(4)  # longer than get_snapshot would have had
    rig.receive(subscribed(subscribe["id"], BOOKS, 2))
    rig.wait(0.2)
    assert rig.commands() == []
    rig.receive(snapshot(2, 1, A))
    assert {gap.repaired_by for gap in rig.gaps} == {"resubscribe"}


def test_rule_5_an_error_without_a_known_subscription_ends_nothing(rig):
    rig.open_books(A)
    rig.receive(error(25, "overflow", sid=77), error(25, "overflow"))
    assert rig.status(A) == "live"
    assert rig.session.last_error == "error 25 overflow"


# 6. A lost connection ------------------------------------------------------------------------------------


def test_rule_6_a_lost_connection_is_one_gap_for_each_wanted_channel(rig):
    seq = rig.open_books(A)
    rig.open("trade")
    rig.session.want(BOOKS, frozenset())  # takes what comes, wants nothing of its own
    rig.receive(trade(2, 1, A))
    rig.session.disconnected()
    rig.session.disconnected()
    assert [(gap.channel, gap.market_ticker, gap.reason, gap.seq_from) for gap in rig.gaps] == [
        (BOOKS, None, "connection_lost", seq + 1),
        ("trade", None, "connection_lost", 2),
    ]
    assert rig.status(A) == "stale"
    assert rig.session.ladder(A).reason == "connection_lost"


def test_rule_6_everything_wanted_is_restored_and_old_sids_are_forgotten(rig):
    rig.open_books(A, B)
    rig.open("trade", frozenset({A}))
    rig.open("market_lifecycle_v2", sid=3)
    rig.session.disconnected()
    rig.receive(delta(1, 3, A))
    assert rig.session.unrequested == 1
    rig.session.connected()
    commands = {each["params"]["channels"][0]: each for each in rig.commands()}
    assert commands[BOOKS]["params"]["market_tickers"] == [A, B]
    assert commands["trade"]["params"]["market_tickers"] == [A]
    assert "market_tickers" not in commands["market_lifecycle_v2"]["params"]
    rig.receive(subscribed(commands["trade"]["id"], "trade", 1), subscribed(commands[BOOKS]["id"], BOOKS, 2))
    rig.receive(snapshot(2, 1, A), snapshot(2, 2, B), trade(1, 1, A))
    assert (rig.status(A), rig.status(B)) == ("live", "live")
    assert {gap.channel: gap.repaired_by for gap in rig.gaps if gap.closed_at} == {BOOKS: "reconnect", "trade": None}


def test_rule_6_a_gap_of_many_books_is_over_only_when_the_last_of_them_is_right(rig):
    tickers = [f"KX-{number:03}" for number in range(130)]
    rig.session.want(BOOKS, frozenset(tickers))
    for connection in range(2):
        first = rig.command("subscribe")
        rig.receive(subscribed(first["id"], BOOKS, 1))
        second = rig.command("add_markets")
        listed = first["params"]["market_tickers"]
        rig.receive(*(snapshot(1, number, ticker) for number, ticker in enumerate(listed, 1)))
        if connection:
            assert [gap.closed_at for gap in rig.gaps] == [None]
        rig.receive(ok(second["id"], 1, 101, tickers))
        rig.receive(
            *(snapshot(1, number, ticker) for number, ticker in enumerate(second["params"]["market_tickers"], 102))
        )
        if not connection:
            rig.session.disconnected()
            rig.session.connected()
    assert [gap.repaired_by for gap in rig.gaps] == ["reconnect"]
    assert all(rig.status(ticker) == "live" for ticker in tickers)


def test_rule_6_use_yes_price_false_is_always_sent(rig):
    rig.session.want(BOOKS, frozenset({A}))
    assert rig.command("subscribe")["params"]["use_yes_price"] is False
    rig.session.disconnected()
    rig.session.connected()
    assert rig.command("subscribe")["params"]["use_yes_price"] is False


def test_rule_6_nothing_is_sent_while_there_is_no_connection():
    rig = Rig(connected=False)
    rig.session.want(BOOKS, frozenset({A}))
    rig.wait(40, step=1.0)
    assert rig.commands() == []
    rig.session.connected()
    rig.command("subscribe")


# 7. Dead is told from quiet ------------------------------------------------------------------------------


def test_rule_7_thirty_quiet_seconds_ask_for_the_list_of_subscriptions(rig):
    rig.open_books(A)
    rig.wait(29.8)
    assert rig.commands() == []
    rig.wait(0.4)
    command = rig.command("list_subscriptions")
    assert command == {"id": command["id"], "cmd": "list_subscriptions"}
    rig.receive({"type": "ok", "id": command["id"], "msg": [{"channel": BOOKS, "sid": 1}]})
    assert rig.status(A) == "live"
    rig.wait(29.8)
    assert rig.commands() == []
    assert rig.reconnects() == []


def test_rule_7_the_list_heals_a_lost_sid(rig):
    rig.open_books(A)
    rig.open("trade")
    rig.wait(30.2)
    command = rig.command("list_subscriptions")
    rig.receive({"type": "ok", "id": command["id"], "msg": [{"channel": "trade", "sid": 2}, None, {"sid": []}]})
    assert rig.status(A) == "stale"
    assert [(gap.channel, gap.reason) for gap in rig.gaps] == [(BOOKS, "unsubscribed")]
    rig.receive(subscribed(rig.command("subscribe")["id"], BOOKS, 3), snapshot(3, 1, A))
    assert rig.status(A) == "live"


def test_rule_7_a_subscription_lost_among_busy_ones_is_found_within_two_looks(rig):
    seq = rig.open_books(A)
    rig.open("trade")
    rig.receive(trade(2, 1, A))
    for _ in range(92):
        seq += 1
        rig.receive(delta(1, seq, A))
        rig.wait(1, step=0.5)
    command = rig.command("list_subscriptions")
    rig.receive({"type": "ok", "id": command["id"], "msg": [{"channel": BOOKS, "sid": 1}]})
    assert rig.command("subscribe")["params"] == {"channels": ["trade"]}
    assert [(gap.channel, gap.reason) for gap in rig.gaps] == [("trade", "unsubscribed")]
    assert rig.status(A) == "live"
    assert rig.reconnects() == []


def test_rule_7_a_list_says_nothing_of_a_subscription_that_is_younger(rig):
    rig.open_books(A)
    rig.wait(30.2)
    command = rig.command("list_subscriptions")
    rig.open("trade")
    rig.receive({"type": "ok", "id": command["id"], "msg": [{"channel": BOOKS, "sid": 1}]})
    assert rig.gaps == []
    assert rig.commands() == []


def test_rule_7_no_answer_asks_for_a_new_connection(rig):
    rig.open_books(A)
    rig.wait(30.2)
    rig.command("list_subscriptions")
    rig.wait(9.6)
    assert rig.reconnects() == []
    rig.wait(0.5)
    (event,) = rig.reconnects()
    assert "10 s" in event.reason


def test_rule_7_a_list_that_nobody_asked_for_ends_nothing(rig):
    rig.open_books(A)
    rig.receive({"type": "ok", "id": 999, "msg": []}, {"type": "ok", "msg": []})
    assert rig.status(A) == "live"


def test_rule_7_a_list_that_is_no_list_ends_nothing(rig):
    rig.open_books(A)
    rig.wait(30.2)
    rig.receive({"type": "ok", "id": rig.command()["id"], "msg": {"sid": 3}})
    assert rig.status(A) == "live"


# 9. Whatever the server sends ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n",
        b"{",
        b"nonsense",
        b"null",
        b"[]",
        b"[1,2]",
        b"42",
        b'"text"',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"type":' + b"[" * 100_000,
        b"{}",
        b'{"type":null}',
        b'{"type":17,"sid":1}',
        b'{"type":"orderbook_delta"}',
        b'{"type":"ok","msg":' + b"[" * 700 + b"]" * 700 + b"}x",
    ],
)
def test_rule_9_nonsense_is_counted_and_kept_and_harms_nothing(rig, data):
    seq = rig.open_books(A)
    rig.receive(data)
    assert rig.session.rejected == 1
    (reject,) = rig.session.rejects
    assert reject.data == data[:2000]
    assert reject.reason
    rig.receive(delta(1, seq + 1, A))
    assert rig.book(A)[0] == {4700: 1100}
    assert rig.gaps == []


@pytest.mark.parametrize("depth", [10, 300, 480, 600, 900, 985, 990, 995, 1_000, 5_000])
@pytest.mark.parametrize("where", ["yes_dollars_fp", "additional_metadata", "msg"])
def test_rule_9_no_depth_of_nesting_gets_out(rig, depth, where):
    nest = b"[" * depth + b"]" * depth
    frames = {
        "yes_dollars_fp": b'{"type":"orderbook_snapshot","sid":9,"seq":1,"msg":{"market_ticker":"A",'
        b'"yes_dollars_fp":%b}}',
        "additional_metadata": b'{"type":"market_lifecycle_v2","sid":2,"seq":1,"msg":{"market_ticker":"A",'
        b'"event_type":"created","additional_metadata":{"a":%b}}}',
        "msg": b'{"type":"ok","id":1,"msg":%b}',
    }
    rig.open("market_lifecycle_v2")
    rig.receive(frames[where] % nest)


def test_rule_9_an_unknown_type_is_counted(rig):
    rig.receive({"type": "rfq_paused", "sid": 5, "seq": 1, "msg": {}})
    assert rig.session.rejected == 1
    assert "rfq_paused" in rig.session.rejects[0].reason


def test_rule_9_unknown_fields_are_ignored(rig):
    seq = rig.open_books(A)
    frame = delta(1, seq + 1, A)
    frame["sending_ts_ms"] = 1
    frame["msg"]["clock"] = 7
    rig.receive(frame)
    assert rig.session.rejected == 0
    assert rig.book(A)[0] == {4700: 1100}


def test_rule_9_the_ring_of_rejects_is_bounded(rig):
    for number in range(250):
        rig.receive(b"nonsense %d" % number)
    assert rig.session.rejected == 250
    assert len(rig.session.rejects) == 100
    assert rig.session.rejects[-1].data == b"nonsense 249"


@pytest.mark.parametrize(
    "damage",
    [
        lambda frame: json.dumps(frame).encode()[:-20],
        lambda frame: json.dumps({**frame, "type": "orderbook_news"}).encode(),
        lambda frame: json.dumps({**frame, "msg": None}).encode(),
    ],
    ids=["cut", "unknown type", "no message"],
)
def test_rule_9_a_rejected_frame_with_a_number_on_a_book_sid_is_a_hole(rig, damage):
    seq = rig.open_books(A, B)
    rig.receive(damage(delta(1, seq + 1, A)))
    assert (rig.status(A), rig.status(B)) == ("stale", "stale")
    (gap,) = rig.gaps
    assert (gap.reason, gap.market_ticker, gap.seq_from, gap.seq_to) == ("rejected", None, seq + 1, seq + 1)
    rig.command("get_snapshot")
    rig.receive(snapshot(1, seq + 2, A), snapshot(1, seq + 3, B))
    assert rig.gaps[0].repaired_by == "get_snapshot"


@pytest.mark.parametrize(
    "damage",
    [{"price_dollars": "1.5000"}, {"price_dollars": "0.47001"}, {"delta_fp": "1.005"}, {"delta_fp": "many"}],
    ids=["price", "decimals", "count decimals", "words"],
)
def test_rule_9_a_delta_with_values_that_mean_nothing_is_a_hole_in_its_own_market(rig, damage):
    seq = rig.open_books(A, B)
    frame = delta(1, seq + 1, A)
    rig.receive({**frame, "msg": {**frame["msg"], **damage}})
    assert (rig.status(A), rig.status(B)) == ("stale", "live")
    (gap,) = rig.gaps
    assert (gap.reason, gap.market_ticker, gap.seq_from, gap.seq_to) == ("rejected", A, seq + 1, seq + 1)
    assert rig.command("get_snapshot")["params"]["market_tickers"] == [A]
    rig.receive(snapshot(1, seq + 2, A))
    assert rig.gaps[0].repaired_by == "get_snapshot"


def test_rule_9_one_market_full_of_nonsense_starts_no_storm_and_leaves_the_others_live(rig):
    seq = rig.open_books(A, B)
    asked, broken = 0, delta(1, 0, A)
    for _ in range(600):
        rig.wait(0.1)
        asked += len(commands := [each for each in rig.commands() if "sids" in each.get("params", {})])
        seq += 1
        rig.receive({**broken, "seq": seq, "msg": {**broken["msg"], "price_dollars": "0.47001"}})
        for _ in commands:
            seq += 1
            rig.receive(snapshot(1, seq, A))
        assert rig.status(B) == "live"
    assert 1 <= asked <= 20  # in a minute, with ten broken frames a second


def test_rule_9_snapshots_that_cannot_be_read_leave_one_market_stale_and_end_no_connection(rig):
    seq = rig.open_books(A, B)
    rig.receive(delta(1, seq + 2, B))
    seq += 2
    for _ in range(600):
        seq += 1
        rig.receive(delta(1, seq, B))
        for command in rig.commands():
            for ticker in command["params"]["market_tickers"]:
                seq += 1
                rig.receive(snapshot(1, seq, ticker, {4700: -100} if ticker == A else {4700: 100}, id=command["id"]))
        rig.wait(0.1)
    assert (rig.status(A), rig.status(B)) == ("stale", "live")
    assert rig.session.ladder(A).reason == "unreadable"
    assert rig.reconnects() == []
    assert len(rig.gaps) <= 5
    rig.receive(snapshot(1, seq + 1, A, {4700: 300}))
    assert rig.status(A) == "live"


def test_rule_9_a_rejected_frame_with_an_old_number_is_no_hole(rig):
    seq = rig.open_books(A)
    rig.receive({**delta(1, seq, A), "msg": None})
    assert rig.status(A) == "live"
    assert rig.session.rejected == 1


def test_rule_9_a_rejected_frame_without_a_number_shows_at_the_next_one(rig):
    seq = rig.open_books(A)
    rig.receive({**delta(1, 10**30, A)})
    assert rig.status(A) == "live"
    rig.receive(delta(1, seq + 2, A))
    assert rig.status(A) == "stale"


def test_rule_9_a_rejected_snapshot_leaves_the_book_as_it_was_and_stale(rig):
    seq = rig.open_books(A)
    frame = snapshot(1, seq + 1, A, {4700: -100})
    rig.receive(frame)
    assert rig.status(A) == "stale"
    assert rig.book(A)[0] == {4700: 1000}


def test_rule_9_numbers_where_strings_are_expected_are_taken_exactly(rig):
    seq = rig.open_books(A)
    raw = (
        b'{"type":"orderbook_delta","sid":1,"seq":%d,"msg":{"market_ticker":"KXA-1","price_dollars":%b,'
        b'"delta_fp":%b,"side":"yes"}}'
    )
    rig.receive(
        raw % (seq + 1, b"0.47", b"-10"), raw % (seq + 2, b"1e-4", b"0.29"), raw % (seq + 3, b'"0.12345"', b"1")
    )
    assert rig.book(A)[0] == {1: 29}
    assert rig.gaps[0].seq_from == seq + 3


def test_rule_9_frames_of_nobody_are_counted(rig):
    rig.open("trade")
    rig.receive(trade(77, 1, A), delta(77, 1, A), delta(2, 1, A), snapshot(2, 1, A))
    assert rig.session.unrequested == 4


def test_rule_9_a_damaged_trade_is_a_gap_until_data_goes_on(rig):
    rig.open("trade")
    broken = trade(2, 1, A)
    broken["msg"]["count_fp"] = "many"
    rig.receive(broken)
    (gap,) = rig.gaps
    assert (gap.reason, gap.seq_from, gap.closed_at) == ("rejected", 1, None)
    rig.receive(trade(2, 2, A))
    assert gap.closed_at is not None


def test_rule_9_a_damaged_ticker_is_counted_only(rig):
    rig.open("ticker")
    rig.receive({**ticker_frame(2, A), "seq": 5, "msg": None})
    assert rig.session.rejected == 1
    assert rig.gaps == []


def test_rule_9_a_count_begun_anew_on_the_book_channel_ends_in_a_new_connection(rig):
    rig.open_books(A)
    for seq in range(2, 1000):
        rig.receive(delta(1, seq, A))
    rig.commands()
    for seq in range(1, MOST_OLD):
        rig.receive(delta(1, seq, A))
    assert rig.status(A) == "live"
    rig.receive(delta(1, MOST_OLD, A))
    assert rig.status(A) == "stale"
    rig.command("get_snapshot")
    rig.wait(12)
    assert len(rig.reconnects()) == 1


def test_rule_9_a_count_begun_anew_on_trade_costs_a_gap_and_goes_on(rig):
    rig.open("trade")
    rig.session.listen("trade", on=True)
    rig.receive(*(trade(2, seq, A) for seq in range(1, 301)))
    rig.receive(*(trade(2, seq, A) for seq in range(1, MOST_OLD + 11)))
    (gap,) = rig.gaps
    assert (gap.seq_from, gap.seq_to) == (301, None)
    assert gap.closed_at is not None
    assert sum(type(row) is tuple for row in rig.session.rows("trade")) == 300 + 11


def test_rule_9_a_few_duplicates_after_each_other_are_no_new_count(rig):
    seq = rig.open_books(A)
    for _ in range(MOST_OLD):
        seq += 1
        rig.receive(delta(1, seq, A), delta(1, seq, A))
    assert rig.session.duplicates == MOST_OLD
    assert rig.status(A) == "live"
    assert rig.gaps == []


# 10. Gaps as data ----------------------------------------------------------------------------------------


def test_rule_10_the_gap_log_is_bounded_and_counts_what_it_drops():
    log = GapLog(most=3)
    for number in range(5):
        log.open(Gap("trade", None, number, None, "sequence", number, number))
    assert len(log) == 3
    assert log.dropped == 2
    assert [gap.opened_at for gap in log.snapshot()] == [2, 3, 4]


def test_rule_10_a_hole_on_every_frame_keeps_memory_bounded(rig):
    rig.open("trade")
    rig.receive(*(trade(2, seq, A) for seq in range(2, 24_000, 2)))
    assert len(rig.session.gaps) == 10_000
    assert rig.session.gaps.dropped == 1_999
    assert rig.session.subscriptions["trade"].open_gaps == []


def test_a_closed_session_says_so_on_every_book(rig):
    rig.open_books(A, B)
    rig.session.close()
    assert (rig.status(A), rig.status(B)) == ("closed", "closed")


def test_the_session_counts_data_apart_from_other_frames(rig):
    seq = rig.open_books(A)
    before = rig.session.messages
    rig.receive(delta(1, seq + 1, A), b"nonsense", {"type": "ok", "id": 99, "msg": {}})
    assert rig.session.messages == before + 3
    assert rig.session.data_messages == 2
    assert repr(ALL) == "ALL"


def test_rule_3_a_hole_before_the_first_acknowledgement_is_over_with_the_first_snapshots_and_not_before(rig):
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
