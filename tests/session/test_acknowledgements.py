"""Which markets of which channel: requests, and acknowledgements in any order."""

import pytest

from kalshi_nb._rows.wanted import All
from kalshi_nb._session.requests import Outcome, Request
from kalshi_nb._session.subscription import Subscription
from tests.session.session_rig import BOOKS, Rig, delta, ok, snapshot, subscribed, ticker_frame, trade

A, B, C = "KXA-1", "KXB-2", "KXC-3"


@pytest.fixture
def rig():
    return Rig()


def test_a_request_is_acknowledged_by_its_own_answer_only(rig):
    rig.session.want("trade", frozenset({A}))
    rig.session.want("ticker", frozenset({A}))
    trades, tickers = rig.commands()
    assert rig.outcomes() == []
    rig.receive(subscribed(tickers["id"], "ticker", 1))
    assert rig.outcomes() == [("ticker", None, ())]
    rig.receive(subscribed(trades["id"], "trade", 2))
    assert rig.outcomes() == [("trade", None, ())]


def test_tickers_added_while_a_subscribe_is_in_flight_are_added_after_it(rig):
    rig.session.want("trade", frozenset({A}))
    first = rig.command("subscribe")
    rig.session.want("trade", frozenset({B}))
    rig.session.want("trade", frozenset({C}))
    assert rig.commands() == []
    rig.receive(subscribed(first["id"], "trade", 1))
    add = rig.command("add_markets")
    assert add["params"] == {"sids": [1], "action": "add_markets", "market_tickers": [B, C]}
    assert len(rig.outcomes()) == 1
    rig.receive(ok(add["id"], 1, 1, [A, B, C]))
    assert len(rig.outcomes()) == 2
    assert rig.commands() == []


def test_a_request_that_is_fulfilled_already_sends_nothing(rig):
    rig.open("trade", frozenset({A, B}))
    rig.session.want("trade", frozenset({A}))
    assert rig.outcomes() == [("trade", None, ())]
    assert rig.commands() == []
    rig.session.release(rig.session.want("trade", frozenset({B})))
    assert rig.commands() == []


@pytest.mark.parametrize("channel", ["trade", "cfbenchmarks_value", BOOKS])
def test_a_request_for_what_others_want_sends_nothing(rig, channel):
    rig.session.want(channel, frozenset())
    assert rig.outcomes() == [(channel, None, ())]
    assert rig.commands() == []


def test_more_than_a_hundred_tickers_go_out_in_several_commands(rig):
    tickers = [f"KX-{number:03}" for number in range(250)]
    rig.session.want("trade", frozenset(tickers))
    sent = []
    first = rig.command("subscribe")
    sent += first["params"]["market_tickers"]
    rig.receive(subscribed(first["id"], "trade", 1))
    for seq in (1, 2):
        assert rig.outcomes() == []
        add = rig.command("add_markets")
        assert len(add["params"]["market_tickers"]) <= 100
        sent += add["params"]["market_tickers"]
        rig.receive(ok(add["id"], 1, seq, sent))
    assert sent == tickers
    assert rig.outcomes() == [("trade", None, ())]
    assert rig.commands() == []


def test_a_merged_subscribe_takes_the_sid_and_asks_for_the_snapshots_that_will_not_come(rig):
    rig.session.want(BOOKS, frozenset({A, B}))
    rig.command("subscribe")  # its "subscribed" is lost
    rig.wait(10.1)
    again = rig.command("subscribe")
    rig.receive(ok(again["id"], 1, 40, [A, B, C]))
    get, delete = rig.commands()
    assert get["params"] == {"sids": [1], "action": "get_snapshot", "market_tickers": [A, B]}
    assert delete["params"] == {"sids": [1], "action": "delete_markets", "market_tickers": [C]}
    rig.receive(snapshot(1, 41, A), ok(delete["id"], 1, 42, [A, B]), snapshot(1, 43, B), delta(1, 44, A))
    assert (rig.status(A), rig.status(B)) == ("live", "live")
    assert rig.gaps == []


def test_a_merged_subscribe_without_a_number_or_a_list_is_taken_as_well(rig):
    rig.session.want("ticker", frozenset({A}))
    rig.receive({"type": "ok", "id": rig.command()["id"], "sid": 4, "msg": None})
    assert rig.outcomes() == [("ticker", None, ())]
    rig.session.listen("ticker", on=True)
    rig.receive(ticker_frame(4, A))
    assert len(rig.session.rows("ticker")) == 1


def test_an_ok_that_names_no_sid_is_no_subscription_and_no_reason_to_spin(rig):
    rig.session.want("trade", frozenset({A}))
    asked = 0
    for _ in range(20):
        for command in rig.commands():
            asked += 1
            rig.receive(ok(command["id"], None, None, [A]))
    assert asked < 5
    assert rig.outcomes() == []


def test_an_ok_that_answers_nothing_of_ours_still_says_which_markets_are_sent(rig):
    rig.open("trade", frozenset({A}))
    rig.receive(ok(777, 2, 1, [A]), trade(2, 2, A), ok(778, 99, 1, [B]))
    assert rig.commands() == []
    rig.receive(ok(779, 2, 3, [A, B]))
    assert rig.command("delete_markets")["params"]["market_tickers"] == [B]
    assert rig.gaps == []


def test_an_addition_acknowledged_after_its_time_waits_for_its_snapshot(rig):
    seq = rig.open_books(A)
    rig.session.want(BOOKS, frozenset({B}))
    late = rig.command("add_markets")
    rig.wait(10.1)
    again = rig.command("add_markets")
    rig.receive(ok(late["id"], 1, seq + 1, [A, B]))
    assert rig.session.subscriptions[BOOKS].repair.awaiting == {B}
    rig.receive(snapshot(1, seq + 2, B), ok(again["id"], 1, seq + 3, [A, B]))
    assert rig.status(B) == "live"
    assert rig.commands() == []


def test_a_subscribed_for_a_channel_that_was_never_wanted_is_nobodys(rig):
    rig.receive(subscribed(None, "fill", 3), subscribed(3, "trade", 4))
    assert rig.session.unrequested == 2
    assert rig.session.subscriptions == {}


def test_a_repeated_subscribed_does_not_start_the_count_again(rig):
    seq = rig.open_books(A)
    rig.receive(subscribed(1, BOOKS, 1), delta(1, seq + 1, A))
    assert rig.status(A) == "live"
    assert rig.gaps == []


def test_a_new_sid_for_a_live_channel_is_a_gap_since_the_old_one_is_gone(rig):
    rig.open_books(A)
    rig.receive(subscribed(None, BOOKS, 9))
    assert rig.status(A) == "stale"
    assert rig.gaps[0].reason == "unsubscribed"
    add = rig.command("add_markets")
    assert add["params"]["sids"] == [9]
    rig.receive(ok(add["id"], 9, 1, [A]), snapshot(9, 2, A))
    assert rig.status(A) == "live"


def test_a_subscribed_that_comes_after_its_time_is_taken_up(rig):
    rig.session.want(BOOKS, frozenset({A}))
    late = rig.command("subscribe")
    rig.wait(10.1)
    again = rig.command("subscribe")
    rig.receive(subscribed(late["id"], BOOKS, 1), snapshot(1, 1, A), ok(again["id"], 1, 2, [A]), delta(1, 3, A))
    assert rig.status(A) == "live"
    assert rig.gaps == []
    rig.wait(20)
    assert rig.commands() == []


def test_what_else_is_said_about_all_markets_is_said_by_every_subscribe(rig):
    rig.session.want("communications", frozenset({A}))
    rig.session.want("communications", All((("shard_factor", 2), ("shard_key", 1))))
    first = rig.command("subscribe")
    rig.session.disconnected()
    rig.session.connected()
    again = rig.command("subscribe")
    rig.receive(subscribed(again["id"], "communications", 1), {"type": "unsubscribed", "sid": 1})
    rig.wait(1)
    last = rig.command("subscribe")
    params = {"channels": ["communications"], "shard_factor": 2, "shard_key": 1}
    assert [first["params"], again["params"], last["params"]] == [{"channels": ["communications"]}, params, params]


def test_a_snapshot_looks_at_the_requests_for_its_own_market_only(rig, monkeypatch):
    tickers = [f"KX-{number:02d}" for number in range(40)]
    early = [Request(BOOKS, frozenset({each})) for each in tickers[:30]]
    rig.session.want_together(early)
    rig.receive(subscribed(rig.command("subscribe")["id"], BOOKS, 1))
    rig.receive(snapshot(1, 1, tickers[0]))
    late = [Request(BOOKS, frozenset({each})) for each in [*tickers[30:], tickers[1]]]
    rig.session.want_together(late)
    rig.receive(ok(rig.command("add_markets")["id"], 1, 2, tickers))
    looked_at = []
    satisfies = Subscription.satisfies
    monkeypatch.setattr(
        Subscription,
        "satisfies",
        lambda self, request, now: looked_at.append(request) or satisfies(self, request, now),
    )
    for seq, ticker in enumerate(tickers[1:], 3):
        rig.receive(snapshot(1, seq, ticker))
    assert [each.outcome for each in early + late] == [Outcome()] * 41
    assert len(looked_at) == 40


def test_a_request_taken_back_while_snapshots_come_has_no_outcome(rig):
    kept, gone = Request(BOOKS, frozenset({A})), Request(BOOKS, frozenset({A, B}))
    rig.session.want_together([kept, gone])
    rig.receive(subscribed(rig.command("subscribe")["id"], BOOKS, 1), snapshot(1, 1, B))
    rig.session.release(gone)
    rig.receive(snapshot(1, 2, A))
    assert kept.outcome == Outcome()
    assert gone.outcome is None


def test_a_subscription_says_to_those_outside_what_its_parts_have_written_down(rig):
    named = rig.session.want("trade", frozenset({A}), listens="trade")
    rig.receive(subscribed(rig.command("subscribe")["id"], "trade", 2), trade(2, 1, A))
    subscription = rig.session.subscriptions["trade"]
    assert (subscription.requests, subscription.wanted) == ([named], frozenset({A}))
    assert (subscription.sid, subscription.all_markets, subscription.market_tickers) == (2, False, {A})
    assert (subscription.listening, len(subscription.rows), subscription.messages) == (True, 1, 1)
    assert (subscription.received_at, subscription.exchange_ms) == (rig.now_us(), 1_790_000_000_000)


def add_b_to_a(rig):
    """A book of A, to which B is added; return the command."""
    rig.open_books(A)
    rig.session.want(BOOKS, frozenset({B}))
    return rig.command("add_markets")


def test_a_market_that_the_list_of_what_is_sent_lacks_is_sent_no_more_and_is_added_again(rig):
    add = add_b_to_a(rig)
    rig.receive(ok(add["id"], 1, 2, [B]), snapshot(1, 3, B))
    assert (rig.status(A), rig.status(B)) == ("stale", "live")
    (gap,) = rig.gaps
    assert (gap.market_ticker, gap.reason, gap.closed_at) == (A, "unsubscribed", None)
    again = rig.command("add_markets")
    assert again["params"]["market_tickers"] == [A]
    rig.receive(delta(1, 4, A))  # of what is sent no more: before there is a book again it moves none
    assert rig.status(A) == "stale"
    rig.receive(ok(again["id"], 1, 5, [A, B]), snapshot(1, 6, A, {100: 100}))
    assert (rig.status(A), rig.status(B), rig.book(A)[0]) == ("live", "live", {100: 100})
    assert rig.gaps[0].closed_at is not None
    rig.wait(30)
    assert rig.commands() == []


def test_a_market_that_was_sent_all_the_while_gets_its_snapshot_by_being_asked_for(rig):
    add = add_b_to_a(rig)
    rig.receive(ok(add["id"], 1, 2, [B]), snapshot(1, 3, B))
    rig.receive(ok(rig.command("add_markets")["id"], 1, 4, [A, B]))  # it was there: nothing is new to the exchange
    rig.wait(4)
    get = rig.command("get_snapshot")
    assert get["params"]["market_tickers"] == [A]
    rig.receive(snapshot(1, 5, A, {100: 100}, id=get["id"]))
    assert (rig.status(A), rig.status(B)) == ("live", "live")
    assert all(each.closed_at is not None for each in rig.gaps)


def test_lists_that_contradict_each_other_are_asked_about_ever_more_rarely(rig):
    commands, seq, asked = [add_b_to_a(rig)], 1, 0
    for _ in range(1_200):
        for command in commands:
            tickers = command["params"]["market_tickers"]
            if command["params"]["action"] == "add_markets":
                asked += 1
                seq += 1
                rig.receive(ok(command["id"], 1, seq, tickers))  # each has only what was added
            for ticker in tickers:
                seq += 1
                rig.receive(snapshot(1, seq, ticker))
        rig.wait(0.1)
        commands = rig.commands()
    assert 2 < asked < 60


def test_what_is_left_after_some_were_ended_is_believed_as_well(rig):
    rig.open("trade", frozenset({A, B}), sid=2)
    other = rig.session.want("trade", frozenset({C}))
    rig.receive(ok(rig.command("add_markets")["id"], 2, 1, [A, B, C]))
    rig.session.listen("trade", on=True)
    rig.session.release(other)
    rig.receive(ok(rig.command("delete_markets")["id"], 2, 2, [A]))
    assert [(each.market_ticker, each.reason) for each in rig.gaps] == [(B, "unsubscribed")]
    assert [each.market_ticker for each in rig.session.rows("trade")] == [B]
    assert rig.command("add_markets")["params"]["market_tickers"] == [B]


def test_a_market_that_nobody_wants_any_more_may_be_off_the_list(rig):
    rig.open("trade", frozenset({A}), sid=2)
    other = rig.session.want("trade", frozenset({B}))
    rig.receive(ok(rig.command("add_markets")["id"], 2, 1, [A, B]))
    rig.session.want("trade", frozenset({C}))
    add = rig.command("add_markets")
    rig.session.release(other)
    rig.receive(ok(add["id"], 2, 2, [A, C]))
    assert rig.gaps == []


def test_an_answer_without_a_list_says_nothing_of_the_others(rig):
    rig.open("trade", frozenset({A}), sid=2)
    other = rig.session.want("trade", frozenset({B}))
    rig.receive(ok(rig.command("add_markets")["id"], 2, 1, [A, B]))
    rig.session.release(other)
    rig.receive({"type": "ok", "id": rig.command("delete_markets")["id"], "sid": 2, "seq": 2})
    assert (rig.gaps, rig.commands()) == ([], [])
