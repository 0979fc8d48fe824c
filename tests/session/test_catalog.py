"""Which indices and underlyings there are: asked of the exchange, with a subscription for the question if need be."""

import pytest

from kalshi_nb._rows.wanted import ALL
from kalshi_nb._session.requests import CATALOG
from tests.session.session_rig import Rig, error, subscribed

LISTS = {
    "cfbenchmarks_value": ("indexlist", "cfbenchmarks_value_indexlist", "index_ids"),
    "cfbenchmarks_value_5hz": ("indexlist", "cfbenchmarks_value_5hz_indexlist", "index_ids"),
    "pyth_value": ("underlying_list", "pyth_value_underlying_list", "underlying_tickers"),
}
CHANNEL = "cfbenchmarks_value"


@pytest.fixture
def rig():
    return Rig()


def answer(command, names, channel=CHANNEL, sid=1, seq=1):
    _, kind, field = LISTS[channel]
    return {"type": kind, "id": command["id"], "sid": sid, "seq": seq, "msg": {field: names}}


def ask(rig, channel=CHANNEL):
    return rig.session.want(channel, frozenset(), listens=CATALOG)


def asked(rig, channel=CHANNEL):
    """Ask where nothing is received yet; return the request and the command with the question."""
    request = ask(rig, channel)
    rig.receive(subscribed(rig.command("subscribe")["id"], channel, 1))
    return request, rig.command(LISTS[channel][0])


@pytest.mark.parametrize("channel", LISTS)
def test_an_empty_subscription_is_made_for_the_question_and_ended_after_it(rig, channel):
    request = ask(rig, channel)
    first = rig.command("subscribe")
    assert first["params"] == {"channels": [channel]}
    rig.receive(subscribed(first["id"], channel, 1))
    assert rig.outcomes() == []
    question = rig.command(LISTS[channel][0])
    assert question["params"] == {"sids": [1], "action": LISTS[channel][0]}
    rig.receive(answer(question, ["BRTI", "ETHUSD_RTI"], channel))
    assert rig.outcomes() == [(channel, None, ())]
    assert request.catalog == ("BRTI", "ETHUSD_RTI")
    rig.command("unsubscribe")
    assert rig.session.subscriptions[channel].rows == []


@pytest.mark.parametrize("wanted", [ALL, frozenset({"BRTI"})], ids=["all", "one"])
def test_what_is_received_already_is_left_as_it_is(rig, wanted):
    rig.session.want(CHANNEL, wanted)
    rig.receive(subscribed(rig.command("subscribe")["id"], CHANNEL, 1))
    rig.outcomes()
    request = ask(rig)
    rig.receive(answer(rig.command("indexlist"), ["BRTI"]))
    rig.session.release(request)
    assert request.catalog == ("BRTI",)
    assert rig.commands() == []
    assert rig.gaps == []


def test_whoever_asks_does_not_take_what_the_channel_sends(rig):
    named = rig.session.want(CHANNEL, frozenset({"BRTI"}))
    rig.receive(subscribed(rig.command("subscribe")["id"], CHANNEL, 1))
    request = ask(rig)
    rig.session.release(named)
    question, leave = rig.commands()
    assert question["params"]["action"] == "indexlist"
    assert leave["params"] == {"sids": [1], "action": "unsubscribe_indices", "index_ids": ["BRTI"]}
    rig.receive(answer(question, []))
    assert request.catalog == ()


def test_two_who_ask_have_one_answer_and_a_later_one_an_answer_of_its_own(rig):
    first, question = asked(rig)
    second = ask(rig)
    assert rig.commands() == []
    rig.receive(answer(question, ["A"]))
    assert (first.catalog, second.catalog) == (("A",), ("A",))
    third = ask(rig)
    rig.command("unsubscribe")  # it had begun
    rig.receive({"type": "unsubscribed", "sid": 1, "seq": 2})
    rig.wait(1)
    rig.receive(subscribed(rig.command("subscribe")["id"], CHANNEL, 2))
    rig.receive(answer(rig.command("indexlist"), ["B"], sid=2))
    assert third.catalog == ("B",)


def test_a_lost_answer_is_asked_for_again_and_so_is_one_that_the_exchange_had_no_time_for(rig):
    request, question = asked(rig)
    rig.wait(10.1)
    question = rig.command("indexlist")
    rig.receive(error(18, "Command timeout", id=question["id"]))
    rig.wait(5)
    assert rig.commands() == []
    rig.wait(5.1)
    rig.receive(answer(rig.command("indexlist"), ["A"]))
    assert request.catalog == ("A",)


def test_a_refused_question_ends_the_request_and_no_other(rig):
    named = rig.session.want(CHANNEL, frozenset({"BRTI"}))
    rig.receive(subscribed(rig.command("subscribe")["id"], CHANNEL, 1))
    rig.outcomes()
    request = ask(rig)
    rig.receive(error(13, "Unsupported action", id=rig.command("indexlist")["id"], sid=1, seq=1))
    assert rig.outcomes() == [(CHANNEL, 13, ())]
    assert request.catalog is None
    assert named.outcome.code is None
    assert rig.commands() == []
    rig.session.release(named)
    rig.command("unsubscribe")  # the channel itself was not given up


def test_the_question_is_asked_anew_on_a_new_connection(rig):
    request, _ = asked(rig)
    rig.session.disconnected()
    rig.session.connected()
    rig.receive(subscribed(rig.command("subscribe")["id"], CHANNEL, 1))
    rig.receive(answer(rig.command("indexlist"), ["A"]))
    assert request.catalog == ("A",)


def test_a_list_that_nobody_asked_for_is_no_answer_and_no_trouble(rig):
    rig.open(CHANNEL, ALL, sid=1)
    rig.receive(answer({"id": 77}, ["A"]))
    assert rig.commands() == []
    assert rig.session.rejected == 0


def test_a_subscription_that_held_nothing_leaves_no_gap_when_it_is_made_anew(rig):
    _, question = asked(rig)
    rig.receive(answer(question, ["A"]))
    rig.command("unsubscribe")
    rig.session.want(CHANNEL, frozenset({"A"}))
    rig.receive({"type": "unsubscribed", "id": 3, "sid": 1, "seq": 2})
    assert rig.command("subscribe")["params"]["index_ids"] == ["A"]
    assert rig.gaps == []


def test_a_question_by_a_number_that_the_exchange_does_not_know_is_asked_by_another(rig):
    request, question = asked(rig)
    rig.receive(error(7, "Unknown subscription ID", id=question["id"]))
    rig.wait(1)
    rig.receive(subscribed(rig.command("subscribe")["id"], CHANNEL, 2))
    rig.receive(answer(rig.command("indexlist"), ["A"], sid=2))
    assert request.catalog == ("A",)


def test_the_answer_ends_the_question_and_not_what_else_waits_on_the_channel(rig):
    request, question = asked(rig)
    other = rig.session.want(CHANNEL, frozenset({"BRTI"}))
    rig.receive(answer(question, ["BRTI"]))
    assert (request.outcome.code, other.outcome) == (None, None)
