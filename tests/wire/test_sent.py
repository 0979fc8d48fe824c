"""Commands read back from their bytes: whatever the kit says, and nothing else."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kalshi_nb._rows.channels import CHANNELS, traits_of
from kalshi_nb._rows.wanted import ALL
from kalshi_nb._wire import commands
from kalshi_nb._wire.sent import CommandSent, command_sent

REFERENCE_FEEDS = ("cfbenchmarks_value", "cfbenchmarks_value_5hz", "pyth_value")

numbers = st.integers(1, 2**53)
channels = st.sampled_from(sorted(CHANNELS))
names = st.text(st.characters(codec="utf-8"), min_size=1).filter(lambda name: name != "all")
lists = st.lists(names, min_size=1, max_size=commands.LARGEST_LIST, unique=True)


def said(data):
    return tuple(command_sent(data))


# Every command of the kit's --------------------------------------------------------------------------------------


@settings(max_examples=30, deadline=None)
@given(numbers, channels, lists)
def test_a_subscribe_names_what_it_named(number, channel, tickers):
    data = commands.subscribe(number, channel, tickers)
    assert said(data) == (number, "subscribe", channel, None, frozenset(tickers))


@settings(max_examples=30, deadline=None)
@given(numbers, channels, st.sampled_from([(), (("shard_factor", 4), ("shard_key", 1))]))
def test_a_subscribe_to_all_is_one_to_all(number, channel, params):
    assert said(commands.subscribe(number, channel, None, params)) == (number, "subscribe", channel, None, ALL)


@pytest.mark.parametrize("channel", REFERENCE_FEEDS)
def test_a_reference_feed_tells_an_empty_subscription_from_one_to_all(channel):
    assert said(commands.subscribe(1, channel, [])) == (1, "subscribe", channel, None, frozenset())
    assert said(commands.subscribe(1, channel, None)) == (1, "subscribe", channel, None, ALL)
    assert said(commands.subscribe(1, channel, ["all", "B"])) == (
        1,
        "subscribe",
        channel,
        None,
        frozenset({"all", "B"}),
    )


@settings(max_examples=30, deadline=None)
@given(numbers, numbers, channels, st.sampled_from(["add_markets", "delete_markets", "get_snapshot"]), lists)
def test_an_update_is_called_as_the_kit_calls_it_whatever_the_channel_does(number, sid, channel, action, tickers):
    data = commands.update_subscription(number, sid, action, tickers, channel=channel)
    assert said(data) == (number, action, None, sid, frozenset(tickers))


@pytest.mark.parametrize("channel", REFERENCE_FEEDS)
def test_the_question_for_a_catalog_names_nothing(channel):
    data = commands.update_subscription(2, 3, "catalog", (), channel=channel)
    assert json.loads(data)["params"]["action"] == traits_of(channel).words.catalog
    assert said(data) == (2, "catalog", None, 3, frozenset())


@settings(max_examples=30, deadline=None)
@given(numbers, numbers)
def test_an_unsubscribe_names_its_sid_and_a_list_nothing(number, sid):
    assert said(commands.unsubscribe(number, sid)) == (number, "unsubscribe", None, sid, frozenset())
    assert said(commands.list_subscriptions(number)) == (number, "list", None, None, frozenset())


# What is none of them --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"nonsense",
        b"\xff",
        b"[]",
        b"{}",
        b'{"id":1}',
        b'{"id":1,"cmd":"subscribe"}',
        b'{"id":1,"cmd":"subscribe","params":{"channels":["trade","ticker"]}}',
        b'{"id":1,"cmd":"subscribe","params":{"channels":7}}',
        b'{"id":1,"cmd":"subscribe","params":{"channels":["a channel of next year"]}}',
        b'{"id":1,"cmd":"subscribe","params":{"channels":["quotes"],"market_tickers":7}}',
        b'{"id":1,"cmd":"unsubscribe","params":{"sids":[1,2]}}',
        b'{"id":1,"cmd":"unsubscribe","params":{"sids":[]}}',
        b'{"id":1,"cmd":"unsubscribe","params":[]}',
        b'{"id":1,"cmd":"update_subscription","params":{"sids":[1],"action":["add_markets"]}}',
        b'{"id":1,"cmd":"update_subscription","params":{"sids":[1],"action":"add_markets","market_tickers":[[]]}}',
        b'{"id":1,"cmd":"update_subscription","params":{"sids":[1],"action":"add_markets","market_tickers":["A",1]}}',
        b'{"id":[],"cmd":"list_subscriptions"}',
        b'{"id":"1","cmd":"list_subscriptions"}',
        b'{"id":1,"cmd":"unsubscribe","params":{"sids":[[]]}}',
        b'{"id":1,"cmd":"unsubscribe","params":{"sids":' + b"[" * 100_000,
    ],
    ids=range(21),
)
def test_what_is_no_command_of_the_kits_says_nothing(data):
    assert command_sent(data) is None


@settings(max_examples=30, deadline=None)
@given(st.binary(max_size=60))
def test_no_bytes_raise(data):
    assert command_sent(data) is None


def test_an_action_that_the_kit_has_not_is_left_as_it_is():
    data = b'{"id":1,"cmd":"update_subscription","params":{"sids":[4],"action":"unthought_of"}}'
    assert command_sent(data) == CommandSent(1, "unthought_of", None, 4, frozenset())
