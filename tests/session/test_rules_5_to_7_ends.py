"""Truth rules 5 to 7: subscriptions and connections that end, and how dead is told from quiet."""

import pytest

from tests.session.session_rig import BOOKS, Rig, delta, error, ok, snapshot, subscribed, trade

A, B = "KXA-1", "KXB-2"


@pytest.fixture
def rig():
    return Rig()


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


def test_rule_5_what_one_read_brings_behind_an_end_belongs_to_nobody(rig):
    seq = rig.open_books(A)
    before = rig.session.ladder(A).levels()
    rig.receive(delta(1, seq + 1, A, change=100), error(25, "gone", sid=1), delta(1, seq + 2, A, change=700))
    assert rig.status(A) == "stale"
    assert rig.session.unrequested == 1
    (price, size), *_ = rig.session.ladder(A).levels()[0]
    assert (price, size) == (before[0][0][0], before[0][0][1] + 100)


def test_rule_5_a_new_sid_counts_from_its_beginning_although_one_read_brought_both(rig):
    seq = rig.open_books(A)
    rig.receive(error(25, "gone", sid=1))
    rig.wait(0.1)
    answer = subscribed(rig.command("subscribe")["id"], BOOKS, 2)
    rig.receive(delta(1, seq + 1, A), answer, snapshot(2, 1, A, {4700: 500}), delta(2, 2, A, change=100))
    assert rig.status(A) == "live"
    assert rig.session.ladder(A).levels()[0] == [(4700, 600)]
    assert rig.session.unrequested == 1


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


def test_a_closed_session_says_so_on_every_book(rig):
    rig.open_books(A, B)
    rig.session.close()
    assert (rig.status(A), rig.status(B)) == ("closed", "closed")
