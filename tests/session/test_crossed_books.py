"""A book that is crossed for a second is looked at by one snapshot; one that the exchange has like that says so."""

import pytest

from kalshi_nb._session.crossings import LOOK_PAUSE, MOST_EXAMINED
from tests.session.session_rig import BOOKS, Rig, delta, error, ok, snapshot, subscribed

A, B = "KXA-1", "KXB-2"
CROSSED = ({6000: 1000}, {5000: 2000})  # YES bid at 0.60, YES ask at 0.50


@pytest.fixture
def rig():
    return Rig()


def cross(rig, *tickers):
    """Live books, of which some are crossed by a delta; return the last number."""
    seq = rig.open_books(*tickers)
    for each in tickers:
        seq += 1
        rig.receive(delta(1, seq, each, price=6000))
    return seq


def looks(rig):
    return [each for each in rig.commands() if each.get("params", {}).get("action") == "get_snapshot"]


def wait(rig, seconds):
    """Let time pass on a line that is not silent."""
    for _ in range(round(seconds)):
        rig.wait(1)
        rig.receive({"type": "heartbeat"})


def test_one_snapshot_is_asked_for_after_a_second_and_the_book_stays_live_meanwhile(rig):
    cross(rig, A)
    rig.wait(0.8)
    assert looks(rig) == []
    rig.wait(0.4)
    (look,) = looks(rig)
    assert look["params"] == {"sids": [1], "action": "get_snapshot", "market_tickers": [A]}
    assert (rig.status(A), rig.session.ladder(A).crossed, rig.gaps) == ("live", False, [])


def test_a_book_that_is_crossed_by_the_exchanges_own_word_is_live_and_says_so_and_is_never_asked_for_again(rig):
    seq = cross(rig, A, B)
    rig.wait(1.2)
    (look,) = looks(rig)
    before = rig.session.ladder(A).version
    rig.receive(snapshot(1, seq + 1, A, *CROSSED, id=look["id"]), snapshot(1, seq + 2, B, *CROSSED, id=look["id"]))
    assert [rig.status(each) for each in (A, B)] == ["live", "live"]
    assert [rig.session.ladder(each).crossed for each in (A, B)] == [True, True]
    assert rig.session.ladder(A).version > before
    wait(rig, 3 * LOOK_PAUSE)
    assert looks(rig) == []
    assert rig.gaps == []
    assert look["id"] not in rig.session._state.commands


def test_a_book_that_was_wrong_is_right_with_the_snapshot_and_says_nothing(rig):
    seq = cross(rig, A)
    rig.wait(1.2)
    rig.receive(snapshot(1, seq + 1, A, {4000: 100}, {5000: 2000}, id=looks(rig)[0]["id"]))
    assert (rig.status(A), rig.session.ladder(A).crossed, rig.book(A)[0]) == ("live", False, {4000: 100})


def test_a_book_that_is_crossed_no_more_says_so_no_more(rig):
    seq = cross(rig, A)
    rig.wait(1.2)
    rig.receive(snapshot(1, seq + 1, A, *CROSSED, id=looks(rig)[0]["id"]))
    rig.receive(delta(1, seq + 2, A, price=6000, change=-1000))
    rig.wait(0.1)
    assert rig.session.ladder(A).crossed is False


@pytest.mark.parametrize("side", ["yes", "no"])
def test_a_book_crossed_because_one_side_took_a_step_is_looked_at_like_any_other(rig, side):
    seq = rig.open_books(A)
    rig.receive(delta(1, seq + 1, A, side=side, price=6000))
    rig.wait(1.2)
    assert len(looks(rig)) == 1


@pytest.mark.parametrize("levels", [({6000: 100}, {}), ({}, {6000: 100}), ({5000: 100}, {4999: 100}), ({}, {})])
def test_a_book_with_an_empty_side_or_a_spread_is_not_crossed(rig, levels):
    seq = rig.open_books(A)
    rig.receive(snapshot(1, seq + 1, A, *levels))
    rig.wait(3)
    assert looks(rig) == []


def test_bid_and_ask_at_one_price_are_crossed(rig):
    seq = rig.open_books(A)
    rig.receive(snapshot(1, seq + 1, A, {5000: 100}, {5000: 100}))
    rig.wait(1.2)
    assert len(looks(rig)) == 1


def test_a_book_crossed_for_a_moment_again_and_again_is_never_looked_at(rig):
    seq = rig.open_books(A)
    for _ in range(20):
        rig.receive(delta(1, seq + 1, A, price=6000))
        rig.wait(0.7)
        seq += 2
        rig.receive(delta(1, seq, A, price=6000, change=-100))
        rig.wait(0.2)
    assert looks(rig) == []


def test_a_book_that_crosses_again_and_again_is_looked_at_once_a_minute_at_most(rig):
    seq, looked = cross(rig, A), 0
    for _ in range(60):
        wait(rig, 2)
        for look in looks(rig):
            looked += 1
            seq += 1
            rig.receive(snapshot(1, seq, A, {4700: 1000}, {4800: 2000}, id=look["id"]))
        seq += 1
        rig.receive(delta(1, seq, A, price=6000))
    assert 2 <= looked <= 3


def test_a_look_that_is_refused_or_not_answered_takes_nothing_from_the_book(rig):
    seq = cross(rig, A)
    rig.wait(1.2)
    rig.receive(error(18, "Command timeout", id=looks(rig)[0]["id"], sid=1, seq=seq + 1))
    assert rig.status(A) == "live"
    other = rig.session.want(BOOKS, frozenset({B}))
    rig.receive(ok(rig.command("add_markets")["id"], 1, seq + 2, [A, B]), snapshot(1, seq + 3, B))
    assert other.outcome.code is None
    wait(rig, LOOK_PAUSE + 2)
    (again,) = looks(rig)
    wait(rig, 12)
    assert again["id"] not in rig.session._state.commands
    assert (rig.status(A), rig.session.ladder(A).crossed, rig.gaps) == ("live", False, [])


def test_a_stale_book_is_not_looked_at_and_its_repair_keeps_what_the_exchange_said(rig):
    seq = cross(rig, A)
    rig.wait(1.2)
    rig.receive(snapshot(1, seq + 1, A, *CROSSED, id=looks(rig)[0]["id"]))
    rig.receive(delta(1, seq + 3, A))
    (repair,) = looks(rig)
    rig.wait(2)
    assert looks(rig) == []
    rig.receive(snapshot(1, seq + 4, A, *CROSSED, id=repair["id"]))
    assert (rig.status(A), rig.session.ladder(A).crossed) == ("live", True)
    rig.receive(snapshot(1, seq + 5, A, {4000: 100}))
    assert rig.session.ladder(A).crossed is False


def test_a_new_connection_looks_anew_and_a_book_let_go_is_forgotten(rig):
    seq = cross(rig, A)
    rig.wait(1.2)
    (look,) = looks(rig)
    rig.receive(snapshot(1, seq + 1, A, *CROSSED, id=look["id"]))
    rig.session.disconnected()
    rig.session.connected()
    rig.receive(subscribed(rig.command("subscribe")["id"], BOOKS, 5), snapshot(5, 1, A, *CROSSED))
    assert rig.session.ladder(A).crossed is True
    rig.session.release(rig.request)
    rig.receive({"type": "unsubscribed", "id": rig.command("unsubscribe")["id"], "sid": 5, "seq": 2})
    rig.wait(0.2)
    assert rig.session._crossings._said == set()


def test_a_market_that_is_leaving_is_not_looked_at(rig):
    cross(rig, A)
    other = rig.session.want(BOOKS, frozenset({B}))
    rig.commands()
    rig.wait(0.5)
    rig.session.release(rig.request)
    rig.session.release(other)
    rig.wait(2)
    assert looks(rig) == []


def test_of_many_books_each_is_examined_in_its_turn(rig):
    tickers = [f"KX-{number:05}" for number in range(MOST_EXAMINED + 500)]
    rig.session.want(BOOKS, frozenset(tickers))
    seq, sent = 0, set()
    command = rig.command("subscribe")
    rig.receive(subscribed(command["id"], BOOKS, 1))
    while True:
        some = command["params"]["market_tickers"]
        sent |= set(some)
        if command["cmd"] != "subscribe":
            seq += 1
            rig.receive(ok(command["id"], 1, seq, sent))
        rig.receive(*(snapshot(1, seq + number, each, *CROSSED) for number, each in enumerate(some, 1)))
        seq += len(some)
        commands = rig.commands()
        if not commands:
            break
        (command,) = commands
    rig.wait(1.6)
    asked = [each for look in looks(rig) for each in look["params"]["market_tickers"]]
    assert sorted(asked) == tickers
