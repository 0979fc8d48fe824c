"""Which markets of which channel: lost answers, refusals, and what they leave standing."""

import pytest

from kalshi_nb._rows.wanted import ALL
from tests.session.session_rig import BOOKS, Rig, delta, error, ok, snapshot, subscribed, trade

A, B, C = "KXA-1", "KXB-2", "KXC-3"


@pytest.fixture
def rig():
    return Rig()


def refused(rig):
    return [outcome for outcome in rig.outcomes() if outcome[1] is not None]


@pytest.mark.parametrize("kind", ["subscribe", "add_markets", "unsubscribe"])
def test_a_lost_answer_is_asked_for_again(rig, kind):
    request = None
    if kind == "subscribe":
        rig.session.want("trade", frozenset({A}))
    else:
        request = rig.open("trade", frozenset({A}))
    if kind == "add_markets":
        rig.session.want("trade", frozenset({B}))
    if kind == "unsubscribe":
        rig.session.release(request)
    first = rig.command(kind)
    rig.wait(9.8)
    assert rig.commands() == []
    rig.wait(0.3)
    again = rig.command(kind)
    assert again["params"] == first["params"]
    assert again["id"] != first["id"]
    assert rig.session.last_error == f"trade: no answer to {kind} in 10 s"
    assert rig.outcomes() == ([("trade", 0, ())] if kind in ("subscribe", "add_markets") else [])


def test_a_request_without_an_answer_stays_a_request(rig):
    rig.session.want("trade", frozenset({A}))
    rig.wait(10.1)
    assert rig.outcomes() == [("trade", 0, ())]
    rig.receive(subscribed(rig.commands()[-1]["id"], "trade", 1))
    assert rig.session.subscriptions["trade"].market_tickers == {A}


@pytest.mark.parametrize("msg", ["no such thing", None, [1], 5, {"code": {}}], ids=repr)
def test_an_error_that_cannot_be_read_is_an_answer_all_the_same(rig, msg):
    rig.session.want("trade", frozenset({A}))
    rig.receive({"type": "error", "id": rig.command("subscribe")["id"], "msg": msg})
    assert rig.outcomes() == [("trade", 0, ())]
    assert len(rig.session.rejects) == 1
    rig.wait(10.1)
    assert "no answer" not in str(rig.session.last_error)


def test_an_error_without_a_message_ends_what_it_is_about(rig):
    rig.open_books(A)
    rig.commands()
    rig.receive({"type": "error", "sid": 1, "msg": "gone"})
    assert rig.command("list_subscriptions")


def test_refused_tickers_are_named_and_the_valid_rest_is_kept(rig):
    rig.session.want(BOOKS, frozenset({A}))
    command = rig.command("subscribe")
    rig.session.want(BOOKS, frozenset({B}))
    rig.session.want(BOOKS, frozenset({C}))
    rig.receive(subscribed(command["id"], BOOKS, 1), snapshot(1, 1, A))
    add = rig.command("add_markets")
    rig.outcomes()
    rig.receive(error(28, "Markets not found", id=add["id"], market_tickers=[B]))
    assert rig.outcomes() == [(BOOKS, 28, (B,))]
    again = rig.command("add_markets")
    assert again["params"]["market_tickers"] == [C]
    rig.receive(ok(again["id"], 1, 2, [A, C]), snapshot(1, 3, C))
    assert rig.outcomes() == [(BOOKS, None, ())]
    assert (rig.status(A), rig.status(B), rig.status(C)) == ("live", None, "live")
    rig.wait(20)
    assert rig.commands() == []


@pytest.mark.parametrize("singular", [True, False])
def test_a_subscribe_partly_refused_waits_for_the_answer_about_the_rest(rig, singular):
    rig.open_books(A, B)
    rig.session.disconnected()
    rig.session.connected()
    command = rig.command("subscribe")
    named = {"market_ticker": B} if singular else {"market_tickers": [B]}
    rig.receive(error(16, "Market not found", id=command["id"], **named))
    assert rig.status(B) == "unknown"
    assert rig.commands() == []
    rig.receive(subscribed(command["id"], BOOKS, 1), snapshot(1, 1, A), delta(1, 2, B))
    assert rig.status(A) == "live"
    assert rig.status(B) == "unknown"
    assert rig.book(B) == ({4700: 1000}, {4800: 2000})
    assert rig.gaps[0].closed_at is not None


def test_a_subscribe_refused_whole_by_its_tickers_is_not_sent_again(rig):
    rig.session.want("trade", frozenset({A}))
    rig.receive(error(28, "Markets not found", id=rig.command()["id"], market_tickers=[A]))
    assert rig.outcomes() == [("trade", 28, (A,))]
    rig.wait(25)
    assert rig.commands() == []


def test_tickers_refused_after_the_acknowledgement_are_known_to_be_unknown_at_once(rig):
    rig.session.disconnected()
    rig.session.want(BOOKS, frozenset({A}))
    rig.session.want(BOOKS, frozenset({B}))
    rig.session.connected()
    command = rig.command("subscribe")
    rig.receive(subscribed(command["id"], BOOKS, 1))
    rig.wait(0.6)
    assert len(rig.outcomes()) == 2
    rig.receive(error(28, "Markets not found", id=command["id"], market_tickers=[B]))
    assert rig.status(B) == "unknown"
    rig.receive(snapshot(1, 1, A))
    assert rig.status(A) == "live"
    rig.wait(5)
    assert rig.commands() == []
    rig.receive(error(28, "Markets not found", id=4040, market_tickers=[A]))
    assert rig.status(A) == "live"


def test_a_request_for_a_book_waits_a_moment_for_the_refusal_that_may_follow_its_acknowledgement(rig):
    rig.session.want(BOOKS, frozenset({A, B}))
    command = rig.command("subscribe")
    rig.receive(subscribed(command["id"], BOOKS, 1), snapshot(1, 1, A))
    assert rig.outcomes() == []
    rig.receive(error(28, "Markets not found", id=command["id"], market_tickers=[B]))
    assert rig.outcomes() == [(BOOKS, 28, (B,))]
    assert rig.status(A) is None
    rig.command("unsubscribe")


def test_a_refusal_of_markets_that_are_no_longer_wanted_harms_nobody(rig):
    rig.open_books(A)
    rig.session.release(rig.session.want(BOOKS, frozenset({B})))
    add = rig.command("add_markets")
    rig.receive(error(28, "Markets not found", id=add["id"], market_tickers=[B]))
    assert (rig.status(A), rig.status(B)) == ("live", None)
    assert rig.commands() == []


def test_markets_added_during_a_repair_wait_for_its_round(rig):
    seq = rig.open_books(A)
    rig.session.want(BOOKS, frozenset({B}))
    add = rig.command("add_markets")
    rig.receive(delta(1, seq + 2, A))
    get = rig.command("get_snapshot")
    rig.receive(ok(add["id"], 1, seq + 3, [A, B]), snapshot(1, seq + 4, A, id=get["id"]))
    again = rig.command("get_snapshot")
    assert again["params"]["market_tickers"] == [B]
    rig.receive({"type": "ok", "id": again["id"], "sid": 1, "seq": seq + 5, "msg": {}}, snapshot(1, seq + 6, B))
    assert (rig.status(A), rig.status(B)) == ("live", "live")
    assert rig.gaps[0].repaired_by == "get_snapshot"


def test_a_late_answer_to_get_snapshot_makes_no_book_of_a_market_that_is_sent_no_more(rig):
    seq = rig.open_books(A, B)
    rig.session.want(BOOKS, frozenset({A}))
    rig.receive(delta(1, seq + 2, A))
    get = rig.command("get_snapshot")
    rig.session.release(rig.request)
    delete = rig.command("delete_markets")
    rig.session.want(BOOKS, frozenset({B}))
    rig.receive(ok(delete["id"], 1, seq + 3, [A]))
    add = rig.command("add_markets")
    rig.receive(snapshot(1, seq + 4, A, id=get["id"]), snapshot(1, seq + 5, B, id=get["id"]))
    assert (rig.status(A), rig.status(B)) == ("live", "connecting")
    rig.receive(ok(add["id"], 1, seq + 6, [A, B]), snapshot(1, seq + 7, B))
    assert rig.status(B) == "live"


def test_a_request_for_a_refused_ticker_made_again_is_asked_again(rig):
    rig.session.want("trade", frozenset({A}))
    rig.receive(error(28, "Markets not found", id=rig.command()["id"], market_tickers=[A]))
    rig.session.want("trade", frozenset({A}))
    rig.command("subscribe")


def test_a_refusal_that_names_tickers_concerns_no_request_for_all_markets(rig):
    rig.session.want("trade", frozenset({A}))
    command = rig.command("subscribe")
    rig.session.want("trade", ALL)
    rig.receive(error(28, "Markets not found", id=command["id"], market_tickers=[A]))
    assert rig.outcomes() == [("trade", 28, (A,))]
    assert rig.command("subscribe")["params"] == {"channels": ["trade"]}


def test_markets_beyond_the_limit_are_refused_but_not_called_unknown(rig):
    rig.open_books(A, B)
    rig.session.disconnected()
    rig.session.connected()
    command = rig.command("subscribe")
    rig.receive(error(26, "Subscription market limit exceeded", id=command["id"], market_tickers=[B]))
    assert (rig.status(B), rig.session.ladder(B).reason) == ("stale", "error_26")


@pytest.mark.parametrize("code", [8, 9, 14, 11])
def test_a_refused_channel_ends_the_request(rig, code):
    rig.session.want("trade", frozenset({A}))
    rig.receive(error(code, "no", id=rig.command()["id"]))
    assert rig.outcomes() == [("trade", code, ())]
    assert rig.session.last_error == f"trade: error {code} no"
    rig.wait(25)
    assert rig.commands() == []
    rig.session.want("trade", frozenset({A}))
    rig.command("subscribe")


@pytest.mark.parametrize("code", [17, 18, 27])
def test_the_exchanges_own_trouble_is_no_refusal(rig, code):
    rig.session.want("trade", frozenset({A}))
    rig.receive(error(code, "later", id=rig.command()["id"]))
    assert refused(rig) == []
    rig.wait(0.1)
    second = rig.command("subscribe")
    rig.receive(error(code, "later", id=second["id"]))
    rig.wait(0.6)
    rig.receive(subscribed(rig.command("subscribe")["id"], "trade", 1))
    assert rig.outcomes() == [("trade", None, ())]


def test_an_addition_refused_whole_leaves_what_was_acknowledged(rig):
    rig.open("trade", frozenset({A}))
    rig.session.want("trade", frozenset({B}))
    rig.receive(error(11, "Invalid parameter", id=rig.command()["id"]))
    assert rig.outcomes() == [("trade", 11, (B,))]
    rig.wait(25)
    assert rig.commands() == []
    rig.session.listen("trade", on=True)
    rig.receive(trade(2, 1, A))
    assert len(rig.session.rows("trade")) == 1


@pytest.mark.parametrize("named", [(), (B,)])
def test_a_list_that_is_too_long_for_one_subscription_becomes_all_markets(rig, named):
    rig.session.want("trade", frozenset({A, B}), listens="trade")
    fields = {"market_tickers": list(named)} if named else {}
    rig.receive(error(26, "Subscription market limit exceeded", id=rig.command("subscribe")["id"], **fields))
    again = rig.command("subscribe")
    assert "market_tickers" not in again["params"]
    assert rig.outcomes() == []
    rig.receive(subscribed(again["id"], "trade", 1))
    assert rig.outcomes() == [("trade", None, ())]


def test_an_addition_beyond_the_limit_makes_a_new_subscription_of_all_markets(rig):
    first = rig.open("trade", frozenset({A}))
    second = rig.session.want("trade", frozenset({B}))
    rig.receive(error(26, "Subscription market limit exceeded", id=rig.command()["id"], market_tickers=[B]))
    rig.receive({"type": "unsubscribed", "id": rig.command("unsubscribe")["id"], "sid": 2, "seq": 1})
    again = rig.command("subscribe")
    assert "market_tickers" not in again["params"]
    rig.receive(subscribed(again["id"], "trade", 3))
    assert second.outcome.code is None
    rig.session.release(first)
    assert rig.commands() == []
    rig.session.release(second)
    rig.receive({"type": "unsubscribed", "id": rig.command("unsubscribe")["id"], "sid": 3, "seq": 1})
    rig.session.want("trade", frozenset({A}))
    assert rig.command("subscribe")["params"]["market_tickers"] == [A]


def test_all_markets_refused_by_a_limit_end_the_request(rig):
    rig.session.want("trade", frozenset({A}))
    for _ in range(2):
        rig.receive(error(26, "Subscription market limit exceeded", id=rig.command("subscribe")["id"]))
    assert rig.outcomes() == [("trade", 26, ())]


def test_the_only_market_refused_at_a_reconnect_is_asked_for_no_more(rig):
    rig.open("trade", frozenset({A}))
    rig.session.disconnected()
    rig.session.connected()
    rig.receive(error(28, "Markets not found", id=rig.command("subscribe")["id"], market_tickers=[A]))
    assert rig.session.subscriptions["trade"].wanted is None
    rig.wait(60)
    assert {each["cmd"] for each in rig.commands()} == {"list_subscriptions"}


def test_an_unknown_sid_is_subscribed_to_again(rig):
    rig.open("trade", frozenset({A}))
    rig.session.want("trade", frozenset({B}))
    rig.receive(error(7, "Unknown subscription ID", id=rig.command()["id"]))
    assert rig.gaps[0].reason == "unsubscribed"
    rig.wait(0.1)
    assert rig.command("subscribe")["params"]["market_tickers"] == [A, B]


def test_an_unknown_sid_is_nothing_lost_where_nothing_is_wanted(rig):
    rig.session.release(rig.open("trade", frozenset({A})))
    rig.receive(error(7, "Unknown subscription ID", id=rig.command("unsubscribe")["id"]))
    assert rig.gaps == []
    rig.wait(25)
    assert rig.commands() == []


def test_an_answer_about_an_old_sid_never_touches_the_new_one(rig):
    rig.open("trade", frozenset({A}))
    rig.session.want("trade", frozenset({B}))
    old = rig.command("add_markets")
    rig.receive(error(25, "overflow", sid=2))
    rig.wait(0.1)
    rig.receive(subscribed(rig.command("subscribe")["id"], "trade", 3))
    rig.receive(error(7, "Unknown subscription ID", id=old["id"]))
    assert rig.session.subscriptions["trade"].sid == 3
    rig.session.want("trade", frozenset({C}))
    add = rig.command("add_markets")
    rig.receive(ok(old["id"], None, None, [A, B]))
    assert rig.session.subscriptions["trade"].membership.in_flight.number == add["id"]


def test_an_unsubscribed_that_nobody_asked_for_is_a_gap_and_a_new_subscription(rig):
    seq = rig.open_books(A)
    rig.receive({"type": "unsubscribed", "sid": 1, "seq": seq + 1})
    assert rig.status(A) == "stale"
    rig.receive(subscribed(rig.command("subscribe")["id"], BOOKS, 2), snapshot(2, 1, A))
    assert rig.gaps[0].repaired_by == "resubscribe"
    rig.receive({"type": "unsubscribed", "sid": 77})
    assert rig.status(A) == "live"


def test_a_refused_get_snapshot_takes_the_next_step_once(rig):
    tickers = [f"KX-{number:03}" for number in range(150)]
    rig.session.want(BOOKS, frozenset(tickers))
    rig.receive(subscribed(rig.command()["id"], BOOKS, 1))
    rig.receive(ok(rig.command("add_markets")["id"], 1, 1, tickers))
    rig.receive(*(snapshot(1, number, ticker) for number, ticker in enumerate(tickers, 2)))
    rig.receive(delta(1, 200, tickers[0]))
    for command in rig.commands():
        rig.receive(error(13, "Unsupported action", id=command["id"]))
    assert rig.reconnects() == []
    rig.wait(0.1)
    rig.command("unsubscribe")


def test_a_refused_get_snapshot_for_a_first_snapshot_does_not_spin(rig):
    rig.session.want(BOOKS, frozenset({A}))
    rig.receive(subscribed(rig.command()["id"], BOOKS, 1))
    rig.wait(3.2)
    rig.receive(error(13, "Unsupported action", id=rig.command("get_snapshot")["id"]))
    assert rig.commands() == []
    rig.wait(3)
    assert rig.commands() == []


def test_a_market_that_a_snapshot_names_as_unknown_is_not_waited_for(rig):
    seq = rig.open_books(A, B)
    rig.receive(delta(1, seq + 2, A))
    get = rig.command("get_snapshot")
    rig.receive(error(28, "Markets not found", id=get["id"], market_tickers=[B]), snapshot(1, seq + 3, A))
    assert (rig.status(A), rig.status(B)) == ("live", "unknown")
    assert rig.gaps[0].repaired_by == "get_snapshot"


def test_an_error_without_a_command_is_remembered(rig):
    rig.receive(error(1, "Unable to process message"))
    assert rig.session.last_error == "error 1 Unable to process message"


def test_the_newest_complaint_says_what_and_when(rig):
    assert (rig.session.last_error, rig.session.complaint) == (None, None)
    rig.receive(error(8, "Unknown channel name"))
    rig.wait(5)
    then = rig.seconds
    rig.receive(error(18, "Command timeout"))
    rig.wait(5)
    assert rig.session.last_error == "error 18 Command timeout"
    assert rig.session.complaint[0] == then


def test_commands_under_way_are_forgotten_when_they_were_answered(rig):
    seq = rig.open_books(A, B)
    for _ in range(50):
        rig.receive(delta(1, seq + 2, A))
        rig.command("get_snapshot")
        rig.receive(snapshot(1, seq + 3, A), snapshot(1, seq + 4, B))
        rig.seconds += 40  # calm enough for the next repair to begin at once
        seq += 4
    assert rig.session._state.commands == {}
    assert rig.session._state.owners == {}


def test_an_outcome_is_reported_once(rig):
    rig.session.want("trade", frozenset({A}))
    command = rig.command()
    rig.receive(subscribed(command["id"], "trade", 1), error(8, "Unknown channel name", id=command["id"]))
    assert rig.outcomes() == [("trade", None, ())]


def test_rows_and_ladders_of_the_unwanted_do_not_exist(rig):
    assert rig.session.ladder(A) is None
    assert rig.session.rows("trade") == []


def test_a_market_that_the_acknowledged_list_does_not_name_is_not_taken_for_sent_and_asked_for_again_later(rig):
    rig.open_books(A)
    rig.session.want(BOOKS, frozenset({B}))
    seq = 1
    asked = 0
    for _ in range(20):
        for command in rig.commands():
            asked += 1
            seq += 1
            rig.receive(ok(command["id"], 1, seq, [A]))
    assert asked < 4
    assert rig.status(B) == "connecting"
    assert rig.outcomes() == []
    rig.wait(1)
    rig.receive(ok(rig.command("add_markets")["id"], 1, seq + 1, [A, B]), snapshot(1, seq + 2, B))
    assert rig.status(B) == "live"


def test_a_late_subscribed_does_not_stand_for_the_markets_of_a_later_command(rig):
    rig.session.want(BOOKS, frozenset({A}))
    late = rig.command("subscribe")
    rig.wait(10.1)
    rig.commands()
    rig.wait(0.1)
    rig.session.want(BOOKS, frozenset({B}))
    rig.wait(5)
    again = rig.commands()[-1]
    assert again["params"]["market_tickers"] == [A, B]
    rig.receive(subscribed(late["id"], BOOKS, 1), snapshot(1, 1, A))
    assert rig.session.subscriptions[BOOKS].market_tickers == set()
    rig.wait(3.2)
    assert rig.commands() == []  # no get_snapshot for a market that is not sent: it would seem live and stand still
    rig.receive(ok(again["id"], 1, 2, [A, B]), snapshot(1, 3, B), delta(1, 4, B, price=100))
    assert (rig.status(A), rig.status(B)) == ("live", "live")
    assert rig.gaps == []


def test_a_merge_into_another_sid_than_the_known_one_is_a_gap(rig):
    rig.session.want(BOOKS, frozenset({A}))
    late = rig.command("subscribe")
    rig.wait(10.1)
    again = rig.command("subscribe")
    rig.receive(subscribed(late["id"], BOOKS, 1), snapshot(1, 1, A))
    assert rig.status(A) == "live"
    rig.receive(ok(again["id"], 2, 5, [A]))
    assert rig.status(A) == "stale"
    assert rig.gaps[0].reason == "unsubscribed"
    rig.receive(snapshot(2, 6, A, id=rig.command("get_snapshot")["id"]))
    assert rig.status(A) == "live"


@pytest.mark.parametrize("channel", [BOOKS, "trade", "ticker", "fill"])
def test_a_name_that_cannot_be_sent_is_refused_alone_and_not_wanted_any_more(rig, channel):
    good = rig.session.want(channel, frozenset({A}))
    rig.receive(subscribed(rig.command("subscribe")["id"], channel, 1))
    rig.outcomes()
    bad = rig.session.want(channel, frozenset({B, "KX\ud800"}))
    assert rig.outcomes() == [(channel, 0, ("KX\ud800",))]
    assert bad.outcome.said_by == "kit"
    assert rig.session.subscriptions[channel].requests == [good]
    rig.session.want(channel, frozenset({C}))
    assert rig.command("add_markets")["params"]["market_tickers"] == [C]
    rig.session.disconnected()
    rig.session.connected()
    assert rig.command("subscribe")["params"]["market_tickers"] == [A, C]


def test_a_name_that_cannot_be_sent_takes_nobody_along_who_is_asked_for_in_the_same_command(rig):
    rig.session.disconnected()
    requests = [rig.session.want(BOOKS, frozenset({each})) for each in (A, "\ud800", B)]
    rig.session.connected()
    assert rig.command("subscribe")["params"]["market_tickers"] == [A, B]
    assert rig.outcomes() == [(BOOKS, 0, ("\ud800",))]
    assert [each.outcome is None for each in requests] == [True, False, True]
    assert rig.status("\ud800") is None


@pytest.mark.parametrize("code", [10, 17, 18, 25, 27])
def test_who_waits_for_what_is_asked_again_knows_with_what_he_was_put_off(rig, code):
    request = rig.session.want("trade", ALL)
    rig.receive(error(code, "busy", id=rig.command("subscribe")["id"]))
    assert (request.outcome, request.put_off.code, request.put_off.text) == (None, code, "busy")
    rig.wait(1)
    rig.receive(subscribed(rig.command("subscribe")["id"], "trade", 1))
    assert rig.outcomes() == [("trade", None, ())]
