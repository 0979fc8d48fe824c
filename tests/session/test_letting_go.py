"""Which markets of which channel: letting go, and the way between a filter and all markets."""

import pytest

from kalshi_nb._rows.wanted import ALL
from tests.session.session_rig import BOOKS, Rig, delta, error, ok, snapshot, subscribed, trade

A, B, C = "KXA-1", "KXB-2", "KXC-3"


@pytest.fixture
def rig():
    return Rig()


def test_release_deletes_the_markets_that_nobody_else_wants(rig):
    seq = rig.open_books(A, B)
    other = rig.session.want(BOOKS, frozenset({A}))
    rig.session.release(rig.request)
    delete = rig.command("delete_markets")
    assert delete["params"] == {"sids": [1], "action": "delete_markets", "market_tickers": [B]}
    assert (rig.status(A), rig.status(B)) == ("live", None)
    rig.receive(delta(1, seq + 1, B), ok(delete["id"], 1, seq + 2, [A]), delta(1, seq + 3, A))
    assert rig.gaps == []
    rig.session.release(other)
    rig.command("unsubscribe")


def test_markets_let_go_on_a_channel_without_books_leave_it_quietly(rig):
    request = rig.open("trade", frozenset({A}))
    rig.session.want("trade", frozenset({B}))
    rig.receive(ok(rig.command("add_markets")["id"], 2, 1, [A, B]))
    rig.session.release(request)
    rig.receive(ok(rig.command("delete_markets")["id"], 2, 2, [B]))
    assert rig.session.subscriptions["trade"].market_tickers == {B}
    assert rig.commands() == []


def test_the_last_market_let_go_unsubscribes_and_never_sends_an_empty_list(rig):
    seq = rig.open_books(A)
    rig.session.release(rig.request)
    command = rig.command("unsubscribe")
    assert command["params"] == {"sids": [1]}
    rig.receive({"type": "unsubscribed", "id": command["id"], "sid": 1, "seq": seq + 1})
    rig.wait(5)
    assert rig.commands() == []
    assert rig.gaps == []
    rig.session.disconnected()
    assert rig.gaps == []


def test_a_request_released_twice_is_released_once(rig):
    request = rig.open("trade", frozenset({A}))
    rig.session.release(request)
    rig.command("unsubscribe")
    rig.session.release(request)
    assert rig.commands() == []


def test_a_request_renewed_while_its_market_is_being_deleted_has_a_whole_book_again(rig):
    seq = rig.open_books(A, B)
    rig.session.want(BOOKS, frozenset({A}))
    rig.session.release(rig.request)
    delete = rig.command("delete_markets")
    rig.session.want(BOOKS, frozenset({B}))
    rig.receive(delta(1, seq + 1, B))
    assert rig.status(B) != "live"
    rig.receive(ok(delete["id"], 1, seq + 2, [A]))
    add = rig.command("add_markets")
    rig.receive(ok(add["id"], 1, seq + 3, [A, B]), snapshot(1, seq + 4, B, {100: 7}))
    assert rig.status(B) == "live"
    assert rig.book(B)[0] == {100: 7}


def test_a_snapshot_received_before_the_deletion_does_not_keep_a_renewed_book_live(rig):
    seq = rig.open_books(A, B)
    rig.session.want(BOOKS, frozenset({A}))
    rig.session.release(rig.request)
    delete = rig.command("delete_markets")
    rig.session.want(BOOKS, frozenset({B}))
    rig.receive(snapshot(1, seq + 1, B), ok(delete["id"], 1, seq + 2, [A]))
    assert rig.status(B) == "connecting"
    assert rig.command("add_markets")["params"]["market_tickers"] == [B]


def test_no_delta_revives_an_unknown_book_while_its_market_is_being_deleted(rig):
    seq = rig.open_books(A, B)
    rig.session.want(BOOKS, frozenset({A}))
    rig.session.release(rig.request)
    delete = rig.command("delete_markets")
    rig.session.want(BOOKS, frozenset({B}))
    rig.receive(error(28, "Markets not found", id=1, sid=1, seq=seq + 1, market_tickers=[B]))
    assert rig.status(B) == "unknown"
    rig.session.want(BOOKS, frozenset({B}))
    rig.receive(ok(99, 1, seq + 2, [A, B]), delta(1, seq + 3, B))
    assert rig.status(B) != "live"
    rig.receive(ok(delete["id"], 1, seq + 4, [A]))
    assert rig.status(B) != "live"
    add = rig.command("add_markets")
    rig.receive(ok(add["id"], 1, seq + 5, [A, B]), snapshot(1, seq + 6, B, {100: 7}))
    assert (rig.status(B), rig.book(B)[0]) == ("live", {100: 7})


def test_unreadable_snapshots_of_a_market_let_go_harm_no_other_and_are_no_gap(rig):
    seq = rig.open_books(A, B)
    rig.session.want(BOOKS, frozenset({A}))
    rig.session.release(rig.request)
    rig.command("delete_markets")
    for number in range(1, 6):
        rig.receive(snapshot(1, seq + number, B, {4700: -100}))
    assert (rig.status(A), rig.status(B)) == ("live", None)
    assert rig.commands() == []
    assert rig.gaps == []
    assert (rig.session.rejected, rig.session.unrequested) == (5, 5)


def test_a_market_whose_deletion_got_no_answer_is_never_live_again_before_it_is_subscribed_anew(rig):
    seq = rig.open_books(A, B)
    rig.session.want(BOOKS, frozenset({A}))
    rig.session.release(rig.request)
    rig.command("delete_markets")  # done by the exchange, and its "ok", with the number seq + 1, is lost
    rig.session.want(BOOKS, frozenset({B}))
    rig.receive(delta(1, seq + 2, A))
    get = rig.command("get_snapshot")
    assert get["params"]["market_tickers"] == [A]
    rig.receive(snapshot(1, seq + 3, A), snapshot(1, seq + 4, B, {100: 7}, id=get["id"]))
    assert rig.status(B) == "connecting"
    rig.wait(11)
    assert rig.status(B) == "connecting"
    end = rig.command("unsubscribe")
    rig.receive({"type": "unsubscribed", "id": end["id"], "sid": 1, "seq": seq + 5})
    again = rig.command("subscribe")
    assert again["params"]["market_tickers"] == [A, B]
    rig.receive(subscribed(again["id"], BOOKS, 2), snapshot(2, 1, A), snapshot(2, 2, B, {100: 9}))
    assert (rig.status(A), rig.status(B)) == ("live", "live")
    assert rig.book(B)[0] == {100: 9}


def test_an_addition_refused_without_names_leaves_the_channel_alive(rig):
    seq = rig.open_books(A)
    rig.session.want(BOOKS, frozenset({B}))
    rig.receive(error(16, "Market not found", id=rig.command("add_markets")["id"]))
    assert rig.outcomes() == [(BOOKS, 16, (B,))]
    rig.receive(error(25, "Subscription buffer overflow", sid=1, seq=seq + 1))
    rig.wait(1)
    again = rig.command("subscribe")
    assert again["params"]["market_tickers"] == [A]
    rig.receive(subscribed(again["id"], BOOKS, 2), snapshot(2, 1, A))
    assert rig.status(A) == "live"
    rig.session.release(rig.request)
    rig.command("unsubscribe")


@pytest.mark.parametrize("code", [5, 12])
def test_a_refused_deletion_is_tried_again(rig, code):
    rig.open_books(A, B)
    rig.session.want(BOOKS, frozenset({A}))
    rig.session.release(rig.request)
    rig.receive(error(code, "no", id=rig.command("delete_markets")["id"]))
    rig.wait(1)
    assert rig.command("delete_markets")["params"]["market_tickers"] == [B]


@pytest.mark.parametrize(
    ("channel", "names"),
    [
        ("cfbenchmarks_value", "index_ids"),
        ("cfbenchmarks_value_5hz", "index_ids"),
        ("pyth_value", "underlying_tickers"),
    ],
)
def test_all_of_a_reference_feed_by_unsubscribing_from_some_first(rig, channel, names):
    rig.session.want(channel, frozenset({"BRTI"}))
    rig.receive(subscribed(rig.command("subscribe")["id"], channel, 1))
    rig.session.want(channel, ALL)
    end = rig.command("unsubscribe")
    rig.receive({"type": "unsubscribed", "id": end["id"], "sid": 1, "seq": 1})
    assert rig.command("subscribe")["params"] == {"channels": [channel], names: ["all"]}


def test_a_channel_that_nobody_wants_any_more_keeps_no_gap_open(rig):
    request = rig.open("trade")
    rig.session.disconnected()
    assert rig.gaps[0].closed_at is None
    rig.session.release(request)
    assert rig.gaps[0].closed_at is not None
    assert rig.gaps[0].repaired_by is None


def test_rows_are_made_while_a_request_that_takes_them_is_there(rig):
    one, two = (rig.session.want("trade", frozenset({A}), listens="trade") for _ in range(2))
    subscription = rig.session.subscriptions["trade"]
    rig.session.release(one)
    assert subscription.listening
    three = rig.session.want("trade", frozenset({A}))
    rig.session.release(two)
    assert not subscription.listening
    rig.session.release(three, three)
    assert not subscription.listening


def test_a_request_renewed_before_its_market_was_deleted_asks_for_its_snapshot(rig):
    seq = rig.open_books(A, B)
    rig.session.want(BOOKS, frozenset({A, C}))
    add = rig.command("add_markets")  # in flight, so the deletion waits
    rig.session.release(rig.request)
    assert rig.status(B) is None
    rig.session.want(BOOKS, frozenset({B}))
    rig.receive(ok(add["id"], 1, seq + 1, [A, B, C]), snapshot(1, seq + 2, C))
    get = rig.command("get_snapshot")
    assert get["params"]["market_tickers"] == [B]
    rig.receive(delta(1, seq + 3, B), snapshot(1, seq + 4, B, {100: 7}, id=get["id"]))
    assert (rig.status(A), rig.status(B)) == ("live", "live")
    assert rig.book(B)[0] == {100: 7}
    assert rig.gaps == []


def test_a_channel_wanted_again_before_it_was_unsubscribed_is_subscribed_again(rig):
    rig.session.release(rig.open("trade", frozenset({A})))
    command = rig.command("unsubscribe")
    rig.session.want("trade", frozenset({A}))
    assert rig.commands() == []
    rig.receive({"type": "unsubscribed", "id": command["id"], "sid": 2})
    assert rig.command("subscribe")["params"]["market_tickers"] == [A]


def test_from_a_filter_to_all_markets_by_unsubscribing_first(rig):
    rig.open("trade", frozenset({A}))
    rig.receive(trade(2, 1, A))
    rig.session.want("trade", ALL)
    command = rig.command("unsubscribe")
    assert rig.outcomes() == []
    rig.wait(5)
    assert rig.commands() == []
    rig.receive({"type": "unsubscribed", "id": command["id"], "sid": 2, "seq": 2})
    subscribe = rig.command("subscribe")
    assert subscribe["params"] == {"channels": ["trade"]}
    (gap,) = rig.gaps  # what was traded in between is missing
    assert (gap.reason, gap.seq_from, gap.closed_at) == ("resubscribed", 3, None)
    rig.receive(subscribed(subscribe["id"], "trade", 3), trade(3, 1, B))
    assert rig.outcomes() == [("trade", None, ())]
    assert (gap.closed_at is not None, gap.repaired_by) == (True, None)


def test_what_has_all_markets_keeps_them_until_nothing_is_wanted(rig):
    everything = rig.open("trade", ALL)
    some = rig.session.want("trade", frozenset({A}))
    other = rig.session.want("trade", frozenset({B}))
    assert [outcome for _, outcome, _ in rig.outcomes()] == [None, None]
    for each in (everything, other):
        rig.session.release(each)
        assert rig.session.subscriptions["trade"].wanted == ALL
        assert rig.commands() == []
    rig.session.release(some)
    command = rig.command("unsubscribe")
    rig.receive({"type": "unsubscribed", "id": command["id"], "sid": 2})
    assert rig.gaps == []
    rig.session.want("trade", frozenset({A}))
    assert rig.command("subscribe")["params"]["market_tickers"] == [A]


def test_what_has_all_markets_has_those_that_are_named_on_a_new_connection(rig):
    everything = rig.open("trade", ALL)
    rig.session.want("trade", frozenset({A}))
    rig.session.release(everything)
    rig.session.disconnected()
    rig.session.connected()
    assert rig.command("subscribe")["params"]["market_tickers"] == [A]


def test_what_was_asked_for_whole_and_is_acknowledged_late_is_kept_whole(rig):
    everything = rig.session.want("trade", ALL)
    rig.session.want("trade", frozenset({A}))
    subscribe = rig.command("subscribe")
    rig.session.release(everything)
    rig.receive(subscribed(subscribe["id"], "trade", 1))
    assert rig.outcomes() == [("trade", None, ())]
    assert rig.commands() == []


def test_a_filter_that_was_to_end_for_all_markets_comes_back_where_nobody_wants_all_any_more(rig):
    rig.open("trade", frozenset({A}))
    everything = rig.session.want("trade", ALL)
    command = rig.command("unsubscribe")
    rig.session.release(everything)
    rig.receive({"type": "unsubscribed", "id": command["id"], "sid": 2, "seq": 1})
    again = rig.command("subscribe")
    assert again["params"]["market_tickers"] == [A]
    rig.receive(subscribed(again["id"], "trade", 3), trade(3, 1, A))
    assert [(each.reason, each.closed_at is not None) for each in rig.gaps] == [("resubscribed", True)]


def test_a_question_for_the_catalog_leaves_all_of_a_reference_feed_as_it_is(rig):
    channel = "cfbenchmarks_value"
    everything = rig.session.want(channel, ALL)
    rig.receive(subscribed(rig.command("subscribe")["id"], channel, 1))
    asked = rig.session.want(channel, frozenset(), listens="catalog")
    rig.session.release(everything)
    (question,) = rig.commands()
    assert question["params"]["action"] == "indexlist"
    rig.session.release(asked)
    rig.command("unsubscribe")


def test_a_channel_without_filters_is_subscribed_to_whole(rig):
    rig.session.want("market_lifecycle_v2", frozenset({A}))
    command = rig.command("subscribe")
    assert command["params"] == {"channels": ["market_lifecycle_v2"]}
    rig.receive(subscribed(command["id"], "market_lifecycle_v2", 1))
    assert rig.outcomes() == [("market_lifecycle_v2", None, ())]
