"""A session that is told again what another one heard: one thing after the other."""

import json

import pytest

from kalshi_nb._rows.gaps import Gap, GapLog, GapRow
from kalshi_nb._rows.heard import BookState, Checkpoint, Event, Sent, SubscriptionState
from kalshi_nb._rows.quotes import QUOTES
from kalshi_nb._rows.wanted import ALL
from kalshi_nb._session.requests import CATALOG
from kalshi_nb._wire import commands
from tests.session.retelling import Heard, Told, books_of, rows_of
from tests.session.session_rig import BOOKS, delta, error, ok, snapshot, subscribed, ticker_frame, trade

A, B, C = "KXA-1", "KXB-2", "KXC-3"
LISTENED = (BOOKS, "trade", QUOTES)
NOT_RECORDED = ("stale", "not_recorded")


@pytest.fixture
def rig():
    rig = Heard()
    for channel in LISTENED:
        rig.session.listen(channel, on=True)
    return rig


def told(rig, **options):
    """Whoever is told all of it; the same as who was there."""
    rig.flush()
    found = Told(rig.heard, listened=LISTENED, **options)
    assert books_of(found.session) == books_of(rig.session)
    assert found.session.gaps.snapshot() == rig.gaps
    assert rows_of(found.session) == rows_of(rig.session)
    return found


def reasons(session):
    return [(gap.channel, gap.reason, gap.repaired_by, gap.closed_at is None) for gap in session.gaps.snapshot()]


def standing(rig):
    """How it stands now, as a checkpoint at the beginning of what is told."""
    before = len(rig.heard)
    rig.checkpoint()
    return rig.heard[before:]


# How a session stands --------------------------------------------------------------------------------------------


def test_a_session_says_how_it_stands():
    rig = Heard()
    assert rig.session.standing() == ([], [])
    assert rig.session.ladders() == []
    rig.session.want("ticker", ALL)
    assert rig.session.standing() == ([], [])
    rig.receive(subscribed(rig.command()["id"], "ticker", 1))
    assert rig.session.standing() == ([SubscriptionState(1, "ticker", 1, None, None)], [])
    rig.open_books(B, A, sid=4)
    subscriptions, books = rig.session.standing()
    assert subscriptions[1] == SubscriptionState(1, BOOKS, 4, 2, (A, B))
    changed_at = rig.session.ladder(A).changed_at
    assert rig.session.ladders() == [rig.session.ladder(A), rig.session.ladder(B)]
    assert books[0] == BookState(1, A, "live", "", changed_at, [(4700, 1000)], [(4800, 2000)])
    assert rig.session.is_connected
    rig.disconnect()
    assert not rig.session.is_connected
    subscriptions, books = rig.session.standing()
    assert (subscriptions, [(each.status, each.reason) for each in books]) == ([], [("stale", "connection_lost")] * 2)


def test_what_is_not_answered_is_said_as_it_was_sent():
    rig = Heard()
    rig.open_books(A, B)
    rig.session.want("trade", ALL)
    rig.session.want(BOOKS, frozenset([C]))
    rig.receive(delta(1, 9, A))  # and a get_snapshot for what is missing
    rig.receive(error(99, "Odd", sid=1, seq=10))  # and a list of what is left
    rig.flush()
    sent = [each.command for each in rig.heard if isinstance(each, Sent)][1:]
    assert len(sent) == 4
    assert rig.session.unanswered() == sent
    rig.disconnect()
    assert rig.session.unanswered() == []
    rig.connect()
    rig.flush()
    rig.receive(subscribed(6, BOOKS, 1))
    (trades,) = rig.session.subscriptions["trade"].requests
    rig.receive(subscribed(7, "trade", 2))
    rig.flush()
    rig.session.release(trades)
    assert rig.session.unanswered()[-1:] == rig.flush() == [commands.unsubscribe(8, 2)]


def test_a_log_of_gaps_that_is_cleared_has_none():
    log = GapLog(most=1)
    for _ in range(2):
        log.open(Gap("trade", None, 1, None, "sequence", 2, 3))
    log.clear()
    assert (len(log), log.snapshot(), log.dropped) == (0, [], 1)
    assert log.open(Gap("trade", None, 1, None, "sequence", 4, 4)) is log.snapshot()[0]


# What is told is the same ----------------------------------------------------------------------------------------


def test_books_and_trades_are_the_same(rig):
    seq = rig.open_books(A, B)
    rig.open("trade")
    rig.receive(delta(1, seq + 1, A), trade(2, 1, A), delta(1, seq + 2, B, "no", 4800, -2000))
    session = told(rig).session
    assert not session.outgoing
    assert session.subscriptions[BOOKS].market_tickers == {A, B}
    assert session.unanswered() == []


@pytest.mark.parametrize("step", ["get_snapshot", "resubscribe", "reconnect"])
def test_a_gap_is_repaired_by_the_same_step(rig, step):
    seq = rig.open_books(A, B)
    rig.receive(delta(1, seq + 2, A))
    asked = rig.command("get_snapshot")
    if step == "get_snapshot":
        rig.receive(snapshot(1, seq + 3, A, id=asked["id"]), snapshot(1, seq + 4, B, id=asked["id"]))
    else:
        rig.wait(3.3)
        ended = rig.command("unsubscribe")
        rig.receive(snapshot(1, seq + 3, A, {4700: 1}, id=asked["id"]))  # too late, it is being left
        if step == "resubscribe":
            rig.receive({"type": "unsubscribed", "id": ended["id"], "sid": 1, "seq": seq + 4})
        else:
            rig.wait(8.3)
            assert rig.reconnects()
            rig.disconnect()
            rig.connect()
        rig.receive(subscribed(rig.command("subscribe")["id"], BOOKS, 2))
        rig.receive(snapshot(2, 1, A, {4700: 2}), snapshot(2, 2, B, {4700: 3}))
    assert step in {repaired_by for _, _, repaired_by, _ in reasons(told(rig).session)}


def test_a_repair_that_waited_is_taken_up_when_it_was_asked_for(rig):
    seq = rig.open_books(A)
    for _ in range(4):
        rig.receive(delta(1, seq + 1, A, change=-99_999))
        while not (asked := rig.commands()):
            rig.wait(0.1)
        rig.receive(snapshot(1, seq + 2, A, {4700: 1000}, id=asked[-1]["id"]))
        seq += 2
    found = told(rig)
    assert reasons(found.session) == [(BOOKS, "negative_level", "get_snapshot", False)] * 4


def test_what_answers_a_repair_that_waited_is_the_present_whatever_its_number(rig):
    seq = rig.open_books(A)
    rig.receive(delta(1, seq + 1, A, change=-99_999))
    rig.receive(snapshot(1, seq + 2, A, {4700: 1000}, id=rig.command("get_snapshot")["id"]))
    rig.receive(delta(1, seq + 3, A, change=-99_999))
    assert rig.commands() == []
    rig.wait(1)
    rig.receive(snapshot(1, 1, A, {4700: 7}, id=rig.command("get_snapshot")["id"]))
    assert rig.status(A) == "live"
    assert told(rig).session.subscriptions[BOOKS].seq == 1


def test_the_look_at_a_crossed_book_repairs_nothing(rig):
    seq = rig.open_books(A)
    rig.receive(delta(1, seq + 1, A, price=5300))
    rig.wait(1.5)
    look = rig.command("get_snapshot")
    rig.flush()
    found = Told(rig.heard)
    assert found.session.subscriptions[BOOKS].market_tickers == {A}
    rig.receive(snapshot(1, seq + 2, A, {4700: 1000}, {4800: 2000}, id=look["id"]))
    assert reasons(told(rig).session) == []


def test_the_answer_that_came_too_late_is_none(rig):
    rig.session.want(BOOKS, frozenset([A]))
    first = rig.command("subscribe")
    rig.wait(10.2)
    assert rig.outcomes() == [(BOOKS, 0, ())]
    second = rig.command("subscribe")
    rig.receive(error(8, "Unknown", id=first["id"]))
    rig.receive(subscribed(second["id"], BOOKS, 1), snapshot(1, 1, A, {4700: 1}))
    assert told(rig).status(A) == ("live", "")


def test_a_market_of_an_unanswered_delete_is_in_doubt(rig):
    rig.open_books(A)
    request = rig.session.want(BOOKS, frozenset([B]))
    added = rig.command("add_markets")
    rig.receive(ok(added["id"], 1, 2, [A, B]), snapshot(1, 3, B))
    rig.release(request)
    rig.command("delete_markets")
    rig.wait(13)
    rig.command("unsubscribe")
    found = told(rig)
    assert found.session.subscriptions[BOOKS].membership.doubtful == {B}


def test_a_list_ends_what_is_not_on_it(rig):
    rig.open("trade")
    rig.receive(error(99, "Odd", sid=2))
    listed = rig.command("list_subscriptions")
    rig.receive({"type": "ok", "id": listed["id"], "msg": []})
    found = told(rig)
    assert reasons(found.session) == [("trade", "unsubscribed", None, True)]
    assert found.session.subscriptions["trade"].sid is None


@pytest.mark.parametrize("code", [8, 15], ids=["refused", "again"])
def test_a_refused_subscribe_is_refused_here_too(rig, code):
    rig.session.want("trade", ALL)
    rig.receive(error(code, "no", id=rig.command("subscribe")["id"]))
    found = told(rig)
    assert found.session.subscriptions["trade"].wanted == rig.session.subscriptions["trade"].wanted
    assert found.session.last_error == rig.session.last_error


def test_what_was_refused_and_wanted_again_is_wanted_here_too(rig):
    rig.session.want("trade", ALL)
    rig.receive(error(8, "no", id=rig.command("subscribe")["id"]))
    assert rig.outcomes() == [("trade", 8, ())]
    rig.open("trade")
    rig.receive(error(25, "Subscription buffer overflow", sid=2, seq=1))
    assert reasons(told(rig).session) == [("trade", "error_25", None, True)]


def test_what_got_no_answer_is_wanted_after_the_next_refusal(rig):
    rig.session.want("trade", ALL)
    rig.command("subscribe")
    rig.wait(10.2)
    rig.receive(error(8, "no", id=rig.command("subscribe")["id"]))
    assert rig.session.subscriptions["trade"].wanted == ALL
    assert told(rig).session.subscriptions["trade"].wanted == ALL


def test_a_book_whose_snapshot_did_not_come_is_kept_after_the_next_refusal(rig):
    rig.session.want(BOOKS, frozenset([A]))
    rig.receive(subscribed(rig.command("subscribe")["id"], BOOKS, 1))
    rig.wait(0.7)
    rig.receive(error(25, "Subscription buffer overflow", sid=1, seq=1))
    while not (again := rig.commands()):
        rig.wait(0.1)
    rig.receive(error(8, "no", id=again[0]["id"]))
    assert rig.session.ladder(A) is not None
    told(rig)


def test_a_catalog_alone_is_asked_for_and_wants_nothing(rig):
    rig.session.want("cfbenchmarks_value", frozenset(), listens=CATALOG)
    rig.receive(subscribed(rig.command("subscribe")["id"], "cfbenchmarks_value", 1))
    question = rig.command("indexlist")
    kind = "cfbenchmarks_value_indexlist"
    rig.receive({"type": kind, "id": question["id"], "sid": 1, "seq": 1, "msg": {"index_ids": ["BRTI"]}})
    session = told(rig).session
    assert session.subscriptions["cfbenchmarks_value"].sid == 1
    assert session.subscriptions["cfbenchmarks_value"].wanted is None
    assert session.rejected == rig.session.rejected == 0


@pytest.mark.parametrize(
    "command",
    [b"nonsense", commands.unsubscribe(9, 77), b'{"id":9,"cmd":"subscribe","params":{"channels":["of next year"]}}'],
    ids=["nonsense", "a sid nobody knows", "a channel nobody knows"],
)
def test_a_command_that_says_nothing_here_changes_nothing(rig, command):
    rig.open_books(A)
    found = told(rig)
    before = books_of(found.session), found.session.unanswered(), set(found.session.subscriptions)
    found.hear(Sent(found.at, 1, command))
    assert (books_of(found.session), found.session.unanswered(), set(found.session.subscriptions)) == before


# What is let go --------------------------------------------------------------------------------------------------


def test_a_market_let_go_of_is_let_go_here_too(rig):
    rig.open_books(A)
    request = rig.session.want(BOOKS, frozenset([B]))
    rig.receive(ok(rig.command("add_markets")["id"], 1, 2, [A, B]), snapshot(1, 3, B))
    rig.release(request)
    rig.receive(ok(rig.command("delete_markets")["id"], 1, 4, [A]))
    assert told(rig).session.ladder(B) is None
    found = Told(rig.heard, wanted=[A, B])
    assert found.status(A) == ("live", "")
    assert found.status(B) == NOT_RECORDED


def test_a_channel_let_go_of_is_let_go_here_too(rig):
    rig.open_books(A)
    trades = rig.open("trade")
    rig.release(trades)
    ended = rig.command("unsubscribe")
    rig.receive({"type": "unsubscribed", "id": ended["id"], "sid": 2, "seq": 1})
    rig.release(rig.request)
    rig.flush()
    session = told(rig).session
    assert session.subscriptions["trade"].wanted is None
    assert Told(rig.heard, wanted=[A]).status(A) == NOT_RECORDED


def test_a_market_let_go_of_between_two_subscriptions_is_no_command_and_let_go_all_the_same(rig):
    seq = rig.open_books(A)
    request = rig.session.want(BOOKS, frozenset([B]))
    rig.receive(ok(rig.command("add_markets")["id"], 1, seq + 1, [A, B]), snapshot(1, seq + 2, B))
    rig.receive(error(25, "Subscription buffer overflow", sid=1, seq=seq + 3))
    rig.release(request)
    rig.wait(1)
    rig.receive(subscribed(rig.command("subscribe")["id"], BOOKS, 2), snapshot(2, 1, A))
    found = Told(rig.heard)
    assert books_of(found.session) == books_of(rig.session)
    assert reasons(found.session) == reasons(rig.session) == [(BOOKS, "error_25", "resubscribe", False)]
    assert Told(rig.heard, wanted=[B]).status(B) == NOT_RECORDED


# Checkpoints -----------------------------------------------------------------------------------------------------


def test_a_checkpoint_is_enough_to_go_on_from(rig):
    seq = rig.open_books(A, B)
    rig.open("trade")
    begin = standing(rig)
    rig.receive(delta(1, seq + 1, A), trade(2, 1, A))
    found = Told(begin + rig.heard[-1:])
    assert books_of(found.session) == books_of(rig.session)
    assert reasons(found.session) == []
    assert found.session.data_messages == 2


def test_the_answer_to_what_was_sent_before_a_checkpoint_is_one(rig):
    rig.session.want("trade", frozenset([A]))
    sent = rig.command("subscribe")
    begin = standing(rig)
    assert [type(each) for each in begin] == [Checkpoint, Sent]
    rig.receive(subscribed(sent["id"], "trade", 3))
    found = Told(begin + rig.heard[-1:])
    assert found.session.subscriptions["trade"].market_tickers == {A}
    assert found.session.standing() == rig.session.standing()


def test_a_stale_book_of_a_checkpoint_is_stale_until_its_snapshot(rig):
    seq = rig.open_books(A, B)
    rig.receive(delta(1, seq + 1, A, change=-99_999))
    asked = rig.command("get_snapshot")
    begin = standing(rig)
    found = Told(begin)
    assert found.status(A) == ("stale", "negative_level")
    assert found.status(B) == ("live", "")
    rig.receive(snapshot(1, seq + 2, A, {4700: 5}, id=asked["id"]))
    found.hear(rig.heard[-1])
    assert books_of(found.session) == books_of(rig.session)


def test_losses_of_one_moment_that_nothing_tells_apart_are_one_gap(rig):
    rig.open("trade")
    rig.flush()
    found = Told(rig.heard, listened=["trade"])
    for _ in range(3):
        found.session.lose_some("unreadable", {})
    gaps = found.session.gaps.snapshot()
    assert [(gap.reason, gap.seq_from is None, gap.closed_at) for gap in gaps] == [
        ("unreadable", False, None),
        ("unreadable", True, None),
    ]
    assert len([row for row in found.session.rows("trade") if isinstance(row, GapRow)]) == 2
    assert found.session.subscriptions["trade"].repair.open_gaps == gaps


@pytest.mark.parametrize("sid", [1, 5], ids=["the same sid", "another sid"])
@pytest.mark.parametrize("channels", [[BOOKS], [BOOKS, "trade"]], ids=["the same channels", "fewer channels"])
def test_another_run_goes_on_where_its_checkpoint_stands(rig, sid, channels):
    rig.open_books(A, B)
    if "trade" in channels:
        rig.open("trade")
    rig.flush()
    found = Told(rig.heard, listened=["trade"])
    other = Heard()
    seq = other.open_books(A, C, sid=sid)
    other.receive(delta(sid, seq + 1, A))
    begin = standing(other)
    found.session.lose_some("not_recorded", {})
    assert [gap.reason for gap in found.session.gaps.snapshot()] == ["not_recorded"] * len(channels)
    found.hear(*begin)
    assert found.session.standing()[0] == other.session.standing()[0]
    there = books_of(other.session)
    assert books_of(found.session) == there
    assert [each for each, its in found.session.subscriptions.items() if its.wanted is not None] == [BOOKS]
    assert found.session.ladder(B) is None
    other.receive(delta(sid, seq + 2, C))
    found.hear(other.heard[-1])
    assert books_of(found.session)[C] == books_of(other.session)[C]


def test_after_a_loss_books_are_right_by_the_next_checkpoint_and_data_goes_on(rig):
    seq = rig.open_books(A, B)
    rig.open("trade")
    rig.open("ticker", sid=3)
    rig.session.want("fill", ALL)  # asked for, and never answered
    rig.flush()
    found = Told(rig.heard, listened=["trade"])
    found.hear(Event(rig.now_us(), 0, "dropped", "3 messages"))
    assert {found.status(ticker) for ticker in (A, B)} == {("stale", "dropped")}
    assert {each[:2] for each in reasons(found.session)} == {(each, "dropped") for each in (BOOKS, "trade", "ticker")}
    rig.receive(delta(1, seq + 1, A), trade(2, 7, A))
    begin = standing(rig)
    found.hear(*begin)
    assert books_of(found.session) == books_of(rig.session)
    assert (BOOKS, "dropped", "checkpoint", False) in reasons(found.session)
    assert ("trade", "dropped", None, True) in reasons(found.session)
    rig.receive(trade(2, 8, A))
    found.hear(rig.heard[-1])
    assert ("trade", "dropped", None, False) in reasons(found.session)


def test_where_the_beginning_is_lost_messages_name_the_channel_of_their_number(rig):
    seq = rig.open_books(A, B)
    for channel, sid in (("trade", 2), ("ticker", 3)):
        rig.open(channel, sid=sid)
    rig.receive(delta(1, seq + 1, A))
    rig.flush()
    before = len(rig.heard)
    answers = [json.dumps(each).encode() for each in (ok(9, 2, 6, [A]), trade(2, 7, A))]
    rig.take([b"{", b'{"type":"news","sid":2}', *answers])
    rig.receive(ticker_frame(3, A), delta(1, seq + 2, A), delta(1, seq + 3, B), trade(2, 8, A))
    recorded = {BOOKS: frozenset([A, B]), "trade": ALL, "ticker": ALL, "fill": ALL}
    found = Told(listened=(BOOKS, "trade", "ticker"), recorded=recorded)
    found.hear(Event(rig.now_us(), 0, "unreadable", "the beginning"))
    found.hear(Event(rig.now_us(), 0, "unreadable", "and more of it"))
    assert reasons(found.session) == [(channel, "unreadable", None, True) for channel in recorded]
    found.hear(*rig.heard[before:])
    assert found.session.is_connected
    numbers = {name: [row[-1] for row in rows if type(row) is tuple] for name, rows in rows_of(found.session).items()}
    assert (numbers["trade"], numbers[BOOKS], len(numbers["ticker"])) == ([7, 8], [seq + 2, seq + 3], 1)
    assert reasons(found.session)[1] == ("trade", "unreadable", None, False)
    assert len(reasons(found.session)) == len(recorded)
    assert not any(found.session.ladder(each).live for each in (A, B))
    begin = standing(rig)
    found.hear(*begin)
    assert books_of(found.session) == books_of(rig.session)
    assert not any(is_open for *_, is_open in reasons(found.session))


def test_a_channel_that_may_have_begun_in_what_is_lost_has_a_gap(rig):
    rig.open_books(A, B)
    rig.flush()
    recorded = {BOOKS: frozenset([A, B]), "trade": frozenset([A]), "ticker": ALL}
    found = Told(rig.heard, listened=["trade"], recorded=recorded)
    rig.open("trade")
    before = len(rig.heard)
    rig.receive(trade(2, 7, A))
    found.hear(Event(rig.now_us(), 0, "unreadable", "how trades began"))
    assert {channel for channel, *_ in reasons(found.session)} == {*recorded}
    found.hear(*rig.heard[before:])
    assert [row[-1] for row in rows_of(found.session)["trade"] if type(row) is tuple] == [7]
    assert ("trade", "unreadable", None, False) in reasons(found.session)
    assert found.session.subscriptions["trade"].market_tickers == {A}
    assert found.session.subscriptions["ticker"].sid is None


def test_after_a_loss_some_books_may_stay_stale(rig):
    seq = rig.open_books(A, B)
    rig.flush()
    found = Told(rig.heard)
    found.hear(Event(rig.now_us(), 0, "torn"))
    rig.receive(delta(1, seq + 1, A, change=-99_999))
    found.hear(*standing(rig))
    assert found.status(A) == ("stale", "negative_level")
    assert found.status(B) == ("live", "")
    assert reasons(found.session) == [(BOOKS, "torn", None, True)]


def test_a_checkpoint_ends_no_gap_that_it_does_not_mend(rig):
    seq = rig.open_books(A)
    rig.receive(error(25, "Subscription buffer overflow", sid=1, seq=seq + 1))
    while not (again := rig.commands()):
        rig.wait(0.1)
    rig.session.want(BOOKS, frozenset([B]))
    rig.receive(subscribed(again[0]["id"], BOOKS, 2))
    added = rig.command("add_markets")
    rig.receive(snapshot(2, 1, A))
    rig.checkpoint()
    assert rig.status(A) == "live"
    assert reasons(told(rig).session) == [(BOOKS, "error_25", None, True)]
    rig.receive(ok(added["id"], 2, 2, [A, B]), snapshot(2, 3, B))
    assert reasons(told(rig).session) == [(BOOKS, "error_25", "resubscribe", False)]


def test_what_is_asked_for_again_soon_is_still_wanted_after_a_checkpoint(rig):
    rig.open_books(A)
    rig.open("trade")
    rig.receive(error(25, "Subscription buffer overflow", sid=2, seq=1))
    rig.checkpoint()
    rig.disconnect()
    rig.checkpoint()
    found = told(rig)
    assert found.session.subscriptions["trade"].wanted == ALL
    assert found.status(A) == ("stale", "connection_lost")


def test_what_was_forgotten_is_not_known_and_not_missing(rig):
    seq = rig.open_books(A, B)
    rig.open("trade")
    begin = standing(rig)
    rig.receive(delta(1, seq + 3, A))
    rig.flush()
    found = Told(rig.heard, wanted=[A])
    held = found.session.ladder(A)
    found.session.forget()
    found.session.gaps.clear()
    assert found.status(A) == ("connecting", "")
    assert found.session.standing()[0] == []
    assert found.session.unanswered() == []
    assert not found.session.subscriptions[BOOKS].repair.open_gaps
    found.hear(*begin)
    assert found.session.ladder(A) is held
    assert {found.status(ticker) for ticker in (A, B)} == {("live", "")}
    assert reasons(found.session) == []
    found.session.forget()
    found.hear(Checkpoint(found.at, (1,)))
    assert found.status(A) == NOT_RECORDED
    assert found.session.ladder(B) is None
    assert found.session.subscriptions["trade"].wanted is None
