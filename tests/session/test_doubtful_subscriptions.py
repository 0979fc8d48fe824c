"""After an error that names a subscription and answers no command, it is asked at once what is still there."""

import pytest

from tests.session.session_rig import BOOKS, Rig, delta, error, snapshot, ticker_frame, trade

A = "KXA-1"


@pytest.fixture
def rig():
    return Rig()


def there(number, *sids):
    return {"type": "ok", "id": number, "msg": [{"channel": "any", "sid": sid} for sid in sids]}


@pytest.mark.parametrize("code", [0, 7, 17, 18, 27, 99, 4711])
def test_whatever_its_code_the_list_of_subscriptions_is_asked_for_at_once(rig, code):
    seq = rig.open_books(A)
    rig.receive(error(code, "something", sid=1, seq=seq + 1))
    command = rig.command()
    assert command["cmd"] == "list_subscriptions"
    rig.receive(there(command["id"]))
    assert (rig.status(A), rig.gaps[-1].reason) == ("stale", "unsubscribed")
    assert rig.session.last_error == f"orderbook_delta: error {code} something"


def test_a_subscription_that_is_still_there_goes_on(rig):
    seq = rig.open_books(A)
    rig.receive(error(17, "Internal error", sid=1, seq=seq + 1))
    rig.receive(there(rig.command("list_subscriptions")["id"], 1), delta(1, seq + 2, A, price=100))
    assert (rig.status(A), rig.gaps) == ("live", [])
    rig.wait(40)


@pytest.mark.parametrize("channel", ["trade", "ticker"])
def test_so_with_every_channel_numbered_or_not(rig, channel):
    rig.open(channel)
    frame = trade(2, 1, A) if channel == "trade" else ticker_frame(2, A)
    rig.receive(frame, error(99, "gone", sid=2, **({"seq": 2} if channel == "trade" else {})))
    rig.receive(there(rig.command("list_subscriptions")["id"]))
    assert [gap.reason for gap in rig.gaps] == ["unsubscribed"]
    rig.wait(0.2)
    rig.command("subscribe")


def test_an_error_that_ends_a_subscription_by_its_code_needs_no_question(rig):
    seq = rig.open_books(A)
    rig.receive(error(25, "Subscription buffer overflow", sid=1, seq=seq + 1))
    assert "list_subscriptions" not in [each["cmd"] for each in rig.commands()]
    assert rig.status(A) == "stale"


def test_an_error_of_nobody_s_subscription_or_of_none_asks_nothing(rig):
    rig.open_books(A)
    rig.receive(error(17, "Internal error"), error(17, "Internal error", sid=99), error(10, "Channel error"))
    assert (rig.commands(), rig.status(A)) == ([], "live")
    assert rig.session.last_error == "error 10 Channel error"


def test_an_error_that_answers_a_command_asks_nothing_whatever_else_it_names(rig):
    seq = rig.open_books(A)
    rig.session.want(BOOKS, frozenset({"KXB-2"}))
    rig.receive(error(18, "Command timeout", id=rig.command("add_markets")["id"], sid=1, seq=seq + 1))
    assert "list_subscriptions" not in [each["cmd"] for each in rig.commands()]


def test_errors_without_end_are_asked_about_once_a_second_and_the_last_of_them_is(rig):
    seq = rig.open_books(A)
    asked = []
    for number in range(1, 101):
        rig.receive(error(17, "Internal error", sid=1, seq=seq + number))
        asked += rig.commands()
        rig.wait(0.1)
    rig.wait(1.1)
    asked += rig.commands()
    assert 10 <= len(asked) <= 12
    rig.receive(there(asked[-1]["id"], 1), snapshot(1, seq + 101, A))
    rig.wait(5)
    assert rig.commands() == []


def test_doubts_end_with_the_connection(rig):
    seq = rig.open_books(A)
    rig.receive(*(error(17, "Internal error", sid=1, seq=seq + number) for number in (1, 2)))
    rig.session.disconnected()
    rig.commands()
    rig.session.connected()
    rig.wait(2)
    assert [each["cmd"] for each in rig.commands()] == ["subscribe"]
