"""Channels on which the simulated market does not speak by itself: parameters, answers, and what is published."""

import json

import pytest

from kalshi_nb.errors import SimulationError
from kalshi_nb.sim import Exchange
from tests.sim.conftest import BOOK_TICKER, BUSY_TICKER, poll_until

MARKET_CHANNELS = ("fill", "market_positions", "user_orders")
OTHERS = ("communications", "order_group_updates", "multivariate_market_lifecycle")
FEEDS = {
    "cfbenchmarks_value": ("index_ids", "subscribe_indices", "unsubscribe_indices"),
    "cfbenchmarks_value_5hz": ("index_ids", "subscribe_indices", "unsubscribe_indices"),
    "pyth_value": ("underlying_tickers", "subscribe_underlyings", "unsubscribe_underlyings"),
}


def without_time(messages):
    return [{key: value for key, value in each.items() if key != "sending_ts_ms"} for each in messages]


@pytest.mark.parametrize("channel", [*MARKET_CHANNELS, *OTHERS, *FEEDS])
def test_every_channel_can_be_subscribed_to(client, channel):
    client.subscribe(channel, command_id=3)
    assert without_time(client.answer()) == [{"type": "subscribed", "id": 3, "msg": {"channel": channel, "sid": 1}}]


def test_a_published_frame_is_written_as_on_the_wire(exchange, client):
    client.subscribe("order_group_updates")
    client.answer()
    sent_before = exchange._server.connections[client.port].frames_sent
    msg = {"event_type": "created", "order_group_id": "é", "contracts_limit_fp": "5.00", "ts_ms": 1}
    assert exchange.publish("order_group_updates", "order_group_updates", msg) == 1
    exchange.advance(0)  # waits for the follower
    now_ms = exchange.now_us() // 1000
    (frame,) = client.frames
    assert frame == (
        '{"type":"order_group_updates","sid":1,"seq":1,"msg":{"event_type":"created","order_group_id":"\\u00e9",'
        f'"contracts_limit_fp":"5.00","ts_ms":1}},"sending_ts_ms":{now_ms}}}\n'
    )
    assert exchange._server.connections[client.port].frames_sent == sent_before + 1


@pytest.mark.parametrize("channel", MARKET_CHANNELS)
def test_frames_about_ones_own_account_have_no_number(exchange, client, channel):
    client.subscribe(channel)
    client.answer()
    exchange.publish(channel, "any_type", {"market_ticker": "A"})
    exchange.advance(0)
    assert '"type":"any_type","sid":1,"msg":' in client.frames[0]


def test_numbers_go_on_over_all_types_and_answers_of_a_channel(exchange, client):
    client.subscribe("communications")
    client.answer()
    for kind in ("rfq_created", "quote_created"):
        exchange.publish("communications", kind, {})
    client.subscribe("communications")
    exchange.advance(0)
    client.send(id=9, cmd="unsubscribe", params={"sids": [1]})
    assert [(each["type"], each.get("seq")) for each in client.answer()] == [
        ("rfq_created", 1),
        ("quote_created", 2),
        ("ok", 3),
        ("unsubscribed", 4),
    ]


@pytest.mark.parametrize(("channel", "field"), [("fill", "market_ticker"), ("user_orders", "ticker")])
def test_markets_filter_and_can_be_added_and_deleted(exchange, client, channel, field):
    client.subscribe(channel, market_tickers=["A"])
    client.answer()

    def counts():
        return [exchange.publish(channel, "x", {field: each}) for each in ("A", "B")]

    assert counts() == [1, 0]
    client.update("add_markets", sid=1, market_tickers=["B"])
    poll_until(lambda: counts() == [1, 1], "the market is added")
    client.update("delete_markets", sid=1, market_tickers=["A"])
    poll_until(lambda: counts() == [0, 1], "the market is deleted")


def test_channels_without_a_filter_send_everything(exchange, client):
    client.subscribe("communications", market_tickers=[BOOK_TICKER])
    client.answer()
    assert exchange.publish("communications", "rfq_created", {"market_ticker": BUSY_TICKER}) == 1
    client.update("add_markets", sid=1, market_tickers=["B"])
    assert client.answer()[-1]["msg"] == {"code": 13, "msg": "Unsupported action"}


def test_nobody_is_told_what_he_did_not_subscribe_to(exchange, client):
    client.subscribe("fill")
    client.answer()
    assert exchange.publish("user_orders", "user_order", {"order_id": "o", "ticker": "A"}) == 0


def test_the_real_market_goes_on_beside(exchange, client):
    client.subscribe("trade")
    client.answer()
    exchange.publish("trade", "trade", {"market_ticker": BOOK_TICKER, "trade_id": "mine"})
    exchange.advance(60)
    messages = client.messages()
    assert messages[0]["msg"]["trade_id"] == "mine"
    assert [each["seq"] for each in messages] == list(range(1, len(messages) + 1))
    assert len(messages) > 10


@pytest.mark.parametrize(
    "arguments",
    [
        ("nonsense", "x", {}),
        ("fill", "", {}),
        ("fill", None, {}),
        ("fill", "fill", []),
        ("fill", "fill", {"a": object()}),
        ("fill", "fill", {"a": float("nan")}),
    ],
)
def test_what_cannot_be_published_is_an_error(exchange, arguments):
    with pytest.raises(SimulationError):
        exchange.publish(*arguments)


def test_a_recording_publishes_nothing_else(tmp_path):
    path = tmp_path / "one.jsonl"
    path.write_text('{"type":"ticker","sid":1,"msg":{}}\n')
    with Exchange.from_frames(path) as exchange, pytest.raises(SimulationError, match="recording"):
        exchange.publish("fill", "fill", {})


# parameters of communications


@pytest.mark.parametrize(
    ("params", "code", "text"),
    [
        ({"shard_factor": 0}, 19, "shard_factor must be > 0"),
        ({"shard_factor": -3, "shard_key": 0}, 19, "shard_factor must be > 0"),
        ({"shard_key": 0}, 20, "shard_factor is required when shard_key is set"),
        ({"shard_factor": 4, "shard_key": 4}, 21, "shard_key must be >= 0 and < shard_factor"),
        ({"shard_factor": 4, "shard_key": -1}, 21, "shard_key must be >= 0 and < shard_factor"),
        ({"shard_factor": 101, "shard_key": 0}, 22, "shard_factor must be <= 100"),
        ({"shard_factor": "4"}, 1, "Unable to process message"),
        ({"user_filter": "others"}, 11, "Invalid parameter"),
        ({"user_filter": 1}, 1, "Unable to process message"),
    ],
)
def test_wrong_parameters_get_their_code_word_for_word(client, params, code, text):
    client.subscribe("communications", command_id=4, **params)
    assert without_time(client.answer()) == [{"type": "error", "id": 4, "msg": {"code": code, "msg": text}}]


@pytest.mark.parametrize("params", [{"shard_factor": 1}, {"shard_factor": 100, "shard_key": 99}, {"user_filter": ""}])
def test_right_parameters_are_taken(client, params):
    client.subscribe("communications", **params)
    assert [each["type"] for each in client.answer()] == ["subscribed"]


def test_each_market_is_in_one_shard_and_the_same_one_always(exchange, open_client):
    clients = [open_client(exchange) for _ in range(3)]
    for key, each in enumerate(clients):
        each.subscribe("communications", shard_factor=3, shard_key=key)
        each.answer()
    markets = [f"KX-{number}" for number in range(30)]
    for market in markets * 2:
        assert exchange.publish("communications", "rfq_created", {"market_ticker": market}) == 1
    seen = [[message["msg"]["market_ticker"] for message in each.answer()] for each in clients]
    assert sum(map(len, seen)) == 60
    assert all(each[: len(each) // 2] == each[len(each) // 2 :] for each in seen)
    assert all(seen)


def test_only_own_requests_come_to_those_who_asked_for_them(exchange, client):
    client.subscribe("communications", user_filter="self")
    client.answer()
    assert exchange.publish("communications", "rfq_created", {}, own=False) == 0
    assert exchange.publish("communications", "rfq_batch_created", {}, own=False) == 0
    assert exchange.publish("communications", "rfq_created", {}) == 1
    assert exchange.publish("communications", "quote_created", {}, own=False) == 1


# reference feeds


@pytest.mark.parametrize("channel", FEEDS)
def test_a_reference_feed_is_empty_until_something_is_named(exchange, client, channel):
    names, add, remove = FEEDS[channel]
    field = {"index_ids": "index_id", "underlying_tickers": "underlying_ticker"}[names]

    def counts():
        return [exchange.publish(channel, channel, {field: each}) for each in ("A", "B")]

    def update(action, *listed, command_id):
        client.update(action, command_id=command_id, sid=1, **{names: list(listed)})
        (ok,) = [each for each in client.answer() if each.get("id") == command_id]
        assert list(ok)[:4] == ["type", "id", "sid", "seq"]
        return ok["msg"]

    client.subscribe(channel)
    client.answer()
    assert counts() == [0, 0]
    assert update(add, "B", command_id=11) == {names: ["B"]}
    assert counts() == [0, 1]
    assert update(add, "A", command_id=12) == {names: ["A", "B"]}
    assert update(remove, "B", command_id=13) == {names: ["A"]}
    assert counts() == [1, 0]
    assert update(add, "all", command_id=14) == {names: ["all"]}
    assert counts() == [1, 1]
    assert update(remove, "A", command_id=15) == {names: ["all"]}  # one name has no effect in this mode
    assert update(remove, "all", command_id=16) == {names: []}
    assert counts() == [0, 0]


@pytest.mark.parametrize(
    ("channel", "code", "text"),
    [
        ("cfbenchmarks_value", 24, "Index IDs required"),
        ("cfbenchmarks_value_5hz", 24, "Index IDs required"),
        ("pyth_value", 28, "Underlying tickers required"),
    ],
)
def test_actions_without_names_get_their_code_word_for_word(client, channel, code, text):
    names, add, remove = FEEDS[channel]
    client.subscribe(channel)
    client.answer()
    for action, params in ((add, {}), (remove, {names: []}), (add, {"market_tickers": ["A"]})):
        client.update(action, command_id=6, sid=1, **params)
        assert without_time(client.answer()) == [{"type": "error", "id": 6, "msg": {"code": code, "msg": text}}]
    client.update("add_markets", command_id=7, sid=1, market_tickers=["A"])
    assert client.answer()[0]["msg"] == {"code": 13, "msg": "Unsupported action"}


@pytest.mark.parametrize(
    ("channel", "action", "kind", "names", "field"),
    [
        ("cfbenchmarks_value", "indexlist", "cfbenchmarks_value_indexlist", "index_ids", "index_id"),
        ("cfbenchmarks_value_5hz", "indexlist", "cfbenchmarks_value_5hz_indexlist", "index_ids", "index_id"),
        ("pyth_value", "underlying_list", "pyth_value_underlying_list", "underlying_tickers", "underlying_ticker"),
    ],
)
def test_lists_name_what_was_published_and_take_a_number(exchange, client, channel, action, kind, names, field):
    client.subscribe(channel, **{names: ["all"]})
    client.answer()
    for each in ("B", "A", "B"):
        exchange.publish(channel, channel, {field: each})
    client.update(action, command_id=8, sid=1)
    listed = without_time(client.answer())[-1]
    assert json.dumps(listed) == json.dumps({"type": kind, "id": 8, "sid": 1, "seq": 4, "msg": {names: ["A", "B"]}})
