"""What each command is answered with: sids, sequence numbers, merges, snapshots, errors."""

from __future__ import annotations

import json
import uuid

import pytest

from tests.sim.conftest import BOOK_TICKER, BUSY_TICKER, poll_until

OTHER_TICKER = "KXHIGHNY-26NOV22-B50.5"
ZERO_CLOCK_MS = 1_795_359_600_000


def kinds(messages):
    return [message["type"] for message in messages]


def shape(message):
    """Everything but the body and the time of sending, in wire order."""
    return [(key, value) for key, value in message.items() if key not in {"msg", "sending_ts_ms"}]


def error(code, text, command_id=1):
    return {"type": "error", "id": command_id, "msg": {"code": code, "msg": text}, "sending_ts_ms": ZERO_CLOCK_MS}


# -- subscribe --------------------------------------------------------------------------------------------------------


def test_first_subscribe_is_acknowledged_then_snapshots_come_in_ticker_order(client):
    client.subscribe("orderbook_delta", market_tickers=[BUSY_TICKER, OTHER_TICKER, BOOK_TICKER])
    ack, *snapshots = client.answer()
    assert ack["msg"] == {"channel": "orderbook_delta", "sid": 1}
    assert shape(ack) == [("type", "subscribed"), ("id", 1)]
    assert [shape(each) for each in snapshots] == [
        [("type", "orderbook_snapshot"), ("sid", 1), ("seq", seq)] for seq in (1, 2, 3)
    ]
    tickers = [each["msg"]["market_ticker"] for each in snapshots]
    assert tickers == sorted([BUSY_TICKER, OTHER_TICKER, BOOK_TICKER])


def test_every_frame_is_one_compact_line_with_keys_in_order(exchange, client):
    channels = ("orderbook_delta", "trade", "ticker", "market_lifecycle_v2", "nonsense")
    client.subscribe(*channels, market_tickers=[BOOK_TICKER, BUSY_TICKER], send_initial_snapshot=True)
    client.subscribe("trade", command_id=2, market_ticker=OTHER_TICKER)
    exchange.advance(120)
    client.send(id=9, cmd="unsubscribe", params={"sids": [1, 2, 3, 99]})
    client.send(id=10, cmd="list_subscriptions")
    client.wait_until(lambda: '"id":10,' in client.frames[-1])
    order = ["type", "id", "sid", "seq", "msg", "sending_ts_ms"]
    for frame in client.frames:
        message = json.loads(frame)
        assert frame == json.dumps(message, separators=(",", ":")) + "\n"
        keys = list(message)
        assert keys == [key for key in order if key in keys]
        assert keys[-1] == "sending_ts_ms"
    seen = {message["type"] for message in client.messages()}
    assert seen == {
        "subscribed", "ok", "error", "unsubscribed",
        "orderbook_snapshot", "orderbook_delta", "trade", "ticker", "market_lifecycle_v2",
    }  # fmt: skip


def test_bodies_have_the_protocol_s_fields_in_its_order(exchange, client):
    client.subscribe("orderbook_delta", "trade", "ticker", "market_lifecycle_v2", market_tickers=[BUSY_TICKER])
    exchange.advance(900)
    bodies = {message["type"]: message["msg"] for message in client.messages()}
    assert list(bodies["orderbook_snapshot"]) == [
        "market_ticker", "market_id", "clock", "yes_dollars_fp", "no_dollars_fp",
    ]  # fmt: skip
    assert list(bodies["orderbook_delta"]) == [
        "market_ticker", "market_id", "clock", "price_dollars", "delta_fp", "side", "ts", "ts_ms",
    ]  # fmt: skip
    assert list(bodies["trade"]) == [
        "trade_id", "market_ticker", "yes_price_dollars", "no_price_dollars", "count_fp", "taker_side",
        "taker_outcome_side", "taker_book_side", "is_block_trade", "ts", "ts_ms",
    ]  # fmt: skip
    assert list(bodies["ticker"]) == [
        "market_id", "market_ticker", "price_dollars", "yes_bid_dollars", "yes_ask_dollars", "volume_fp",
        "open_interest_fp", "dollar_volume", "dollar_open_interest", "yes_bid_size_fp", "yes_ask_size_fp",
        "last_trade_size_fp", "ts", "ts_ms", "time",
    ]  # fmt: skip
    lifecycles = {
        message["msg"]["event_type"]: list(message["msg"])
        for message in client.messages()
        if message["type"] == "market_lifecycle_v2"
    }
    assert lifecycles == {
        "close_date_updated": ["market_ticker", "close_ts", "event_type"],
        "deactivated": ["market_ticker", "is_deactivated", "event_type"],
        "activated": ["market_ticker", "is_deactivated", "event_type"],
    }


def test_era_of_the_captures_has_neither_clock_nor_time_of_sending(open_exchange, open_client):
    exchange = open_exchange(era="captures")
    client = open_client(exchange)
    exchange.attach(client)
    client.subscribe("orderbook_delta", "nonsense", market_ticker=BUSY_TICKER)
    client.answer()
    client.update("get_snapshot", sid=1, market_tickers=[BUSY_TICKER])
    exchange.advance(2)
    assert {"orderbook_snapshot", "orderbook_delta"} <= set(kinds(client.messages()))
    for message in client.messages():
        assert "sending_ts_ms" not in message
        assert "clock" not in message["msg"]


def test_sids_count_over_all_channels_and_bad_names_get_an_error_each(client):
    client.subscribe("trade", "nonsense", "ticker", "multivariate", "market_lifecycle", command_id=3)
    messages = client.answer()
    assert [message.get("msg") for message in messages] == [
        {"channel": "trade", "sid": 1},
        {"code": 8, "msg": "Unknown channel name"},
        {"channel": "ticker", "sid": 2},
        {"code": 8, "msg": "Unknown channel name"},
        {"code": 8, "msg": "Unknown channel name"},
    ]
    assert [message["id"] for message in messages] == [3] * 5


@pytest.mark.parametrize("channel", ["multivariate", "market_lifecycle", "market_position", "pyth", "ticker_v2"])
def test_channels_that_are_not_offered_are_unknown(client, channel):
    client.subscribe(channel)
    assert client.answer() == [error(8, "Unknown channel name")]


def test_second_subscribe_merges_and_only_new_markets_get_a_snapshot(exchange, client):
    client.subscribe("orderbook_delta", market_ticker=BOOK_TICKER)
    client.answer()
    client.subscribe("orderbook_delta", command_id=4, market_tickers=[BUSY_TICKER, BOOK_TICKER])
    ok, snapshot = client.answer()
    assert shape(ok) == [("type", "ok"), ("id", 4), ("sid", 1), ("seq", 2)]
    assert ok["msg"] == {"market_tickers": sorted([BOOK_TICKER, BUSY_TICKER])}
    assert shape(snapshot) == [("type", "orderbook_snapshot"), ("sid", 1), ("seq", 3)]
    assert snapshot["msg"]["market_ticker"] == BUSY_TICKER
    client.subscribe("orderbook_delta", command_id=5, market_ticker=BOOK_TICKER)
    assert kinds(client.answer()) == ["ok"]


def test_skip_ticker_ack_leaves_the_list_out_of_later_oks(client):
    client.subscribe("trade", market_ticker=BOOK_TICKER, skip_ticker_ack=True)
    client.answer()
    client.update("add_markets", sid=1, market_ticker=BUSY_TICKER)
    assert [message["msg"] for message in client.answer()] == [{}]


def test_seq_counts_data_and_ok_and_unsubscribed_of_one_sid_without_a_hole(exchange, client):
    client.subscribe("orderbook_delta", "trade", market_tickers=[BOOK_TICKER, BUSY_TICKER])
    exchange.advance(20)
    client.update("add_markets", sid=1, market_ticker=OTHER_TICKER)
    client.update("get_snapshot", sids=[1], market_tickers=[BOOK_TICKER])
    exchange.advance(20)
    client.update("delete_markets", sid=2, market_ticker=BUSY_TICKER)
    exchange.advance(20)
    client.send(id=9, cmd="unsubscribe", params={"sids": [1, 2]})
    messages = client.answer()
    for sid, least in ((1, 1000), (2, 20)):
        numbers = [message["seq"] for message in messages if message.get("sid") == sid]
        assert numbers == list(range(1, len(numbers) + 1))
        assert len(numbers) > least
    assert kinds(messages)[-2:] == ["unsubscribed", "unsubscribed"]


def test_ticker_frames_and_subscribed_and_answers_on_ticker_have_no_seq_before_the_last(exchange, client):
    client.subscribe("ticker", market_ticker=BUSY_TICKER, send_initial_snapshot=True)
    client.update("add_markets", command_id=2, sid=1, market_ticker=BOOK_TICKER, send_initial_snapshot=True)
    exchange.advance(5)
    client.send(id=3, cmd="unsubscribe", params={"sids": [1]})
    messages = client.answer()
    assert kinds(messages)[:4] == ["subscribed", "ticker", "ok", "ticker"]
    assert kinds(messages)[-1] == "unsubscribed"
    assert len(messages) > 8
    assert not any("seq" in message for message in messages[:-1])


@pytest.mark.parametrize(
    "channel", ["ticker", "fill", "market_positions", "user_orders", "trade", "communications", "pyth_value"]
)
def test_unsubscribed_has_its_sid_and_a_seq_on_every_channel(client, channel):
    client.subscribe(channel)
    client.answer()
    client.send(id=3, cmd="unsubscribe", params={"sids": [1]})
    (gone,) = client.answer()
    assert shape(gone) == [("type", "unsubscribed"), ("id", 3), ("sid", 1), ("seq", 1)]


def test_initial_tickers_come_only_if_asked_for_one_a_market_in_order(exchange, client):
    client.subscribe("ticker", send_initial_snapshot=True)
    ack, *tickers = client.answer()
    assert ack["type"] == "subscribed"
    assert [each["msg"]["market_ticker"] for each in tickers] == list(exchange.market_tickers)
    client.send(id=2, cmd="unsubscribe", params={"sids": [1]})
    client.subscribe("ticker", market_ticker=BOOK_TICKER)
    assert kinds(client.answer()) == ["unsubscribed", "subscribed"]


def test_ticker_takes_uuids_and_lists_them(exchange, client):
    ids = {market.ticker: market.market_id for market in exchange.markets}
    client.subscribe("ticker", market_ids=[ids[BUSY_TICKER], str(uuid.uuid4())], send_initial_snapshot=True)
    _ack, ticker = client.answer()
    assert ticker["msg"]["market_id"] == ids[BUSY_TICKER]
    client.update("add_markets", sid=1, market_id=ids[BOOK_TICKER].upper())
    (ok,) = client.answer()
    assert ok["msg"] == {"market_ids": sorted([ids[BUSY_TICKER], ids[BOOK_TICKER]])}


def test_no_filter_means_all_markets_except_on_the_book(exchange, client):
    client.subscribe("ticker", "trade", "orderbook_delta")
    assert [message["msg"] for message in client.answer()] == [
        {"channel": "ticker", "sid": 1},
        {"channel": "trade", "sid": 2},
        {"code": 14, "msg": "Market Ticker required"},
    ]
    exchange.advance(240)
    told = {message["msg"]["market_ticker"] for message in client.messages() if message["type"] == "ticker"}
    assert told == set(exchange.market_tickers)


def test_a_filter_is_kept_to_and_lifecycle_takes_none(exchange, client):
    channels = ("orderbook_delta", "ticker", "trade", "market_lifecycle_v2")
    client.subscribe(*channels, market_ticker=BUSY_TICKER)
    exchange.advance(600)
    by_kind = {}
    for message in client.messages()[2:]:
        by_kind.setdefault(message["type"], set()).add(message["msg"].get("market_ticker"))
    assert by_kind["orderbook_delta"] == by_kind["ticker"] == by_kind["trade"] == {BUSY_TICKER}
    assert len(by_kind["market_lifecycle_v2"]) > 3


@pytest.mark.parametrize("filtered_first", [True, False])
def test_all_markets_and_a_filter_on_one_channel_make_all_markets(exchange, client, filtered_first):
    filters = [{"market_ticker": BOOK_TICKER}, {}]
    for command_id, params in enumerate(filters if filtered_first else filters[::-1], start=1):
        client.subscribe("ticker", command_id=command_id, **params)
    first, second = client.answer()
    assert (first["type"], second["type"], second["msg"]) == ("subscribed", "ok", {})
    client.update("delete_markets", sid=1, market_ticker=BUSY_TICKER)
    assert kinds(client.answer()) == ["ok"]
    exchange.advance(60)
    assert BUSY_TICKER in {message["msg"]["market_ticker"] for message in client.messages()}


def test_nothing_comes_for_what_was_not_subscribed(exchange, client):
    client.subscribe("market_lifecycle_v2")
    client.answer()
    exchange.advance(600)
    assert set(kinds(client.messages())) == {"market_lifecycle_v2"}


# -- markets that do not exist ----------------------------------------------------------------------------------------


def test_a_book_of_an_unknown_market_is_acknowledged_and_empty(client):
    client.subscribe("orderbook_delta", market_tickers=["KXNO\u00e9\ud800-1", BOOK_TICKER])
    _ack, first, second = client.answer()
    assert first["msg"]["market_ticker"] == BOOK_TICKER
    assert second["msg"] == {"market_ticker": "KXNO\u00e9\ud800-1", "market_id": "", "clock": 0}


def test_or_else_only_the_valid_ones_are_subscribed_and_one_error_names_the_others(open_exchange, open_client):
    exchange = open_exchange(unknown_markets="error")
    client = open_client(exchange)
    client.subscribe("orderbook_delta", market_tickers=["KXZ-1", BOOK_TICKER, "KXA-1"])
    ack, snapshot, refused = client.answer()
    assert (ack["type"], snapshot["type"]) == ("subscribed", "orderbook_snapshot")
    assert refused["msg"] == {"code": 28, "msg": "Markets not found", "market_tickers": ["KXA-1", "KXZ-1"]}
    assert shape(refused) == [("type", "error"), ("id", 1)]
    for action in ("add_markets", "get_snapshot"):
        client.update(action, sid=1, market_tickers=["KXZ-1"])
        (refused,) = client.answer()
        assert refused["msg"]["market_tickers"] == ["KXZ-1"]
    client.update("add_markets", sid=1, market_tickers=["KXZ-1", BUSY_TICKER])
    ok, snapshot, refused = client.answer()
    assert ok["msg"] == {"market_tickers": sorted([BOOK_TICKER, BUSY_TICKER])}
    client.send(id=9, cmd="unsubscribe", params={"sids": [1]})
    client.subscribe("orderbook_delta", market_ticker="KXZ-1")
    assert kinds(client.answer()) == ["unsubscribed", "error"]


# -- update_subscription, unsubscribe, list ---------------------------------------------------------------------------


def test_markets_are_added_with_a_snapshot_and_taken_away_without(exchange, client):
    client.subscribe("orderbook_delta", market_ticker=BOOK_TICKER)
    client.answer()
    client.update("add_markets", sid=1, market_tickers=[BUSY_TICKER, BOOK_TICKER])
    ok, snapshot = client.answer()
    assert ok["msg"]["market_tickers"] == sorted([BOOK_TICKER, BUSY_TICKER])
    assert snapshot["msg"]["market_ticker"] == BUSY_TICKER
    assert "id" not in snapshot
    client.update("delete_markets", command_id=6, sid=1, market_ticker=BOOK_TICKER)
    (ok,) = client.answer()
    assert ok["msg"] == {"market_tickers": [BUSY_TICKER]}
    exchange.advance(20)
    told = {message["msg"]["market_ticker"] for message in client.messages()}
    assert told == {BUSY_TICKER}
    client.update("add_markets", sid=1, market_tickers=[BOOK_TICKER])
    assert kinds(client.answer())[-2:] == ["ok", "orderbook_snapshot"]


def test_get_snapshot_answers_with_id_and_next_seq_and_leaves_the_subscription(client):
    client.subscribe("orderbook_delta", market_ticker=BOOK_TICKER)
    client.answer()
    client.update("get_snapshot", command_id=7, sids=[1], market_tickers=[BUSY_TICKER, BOOK_TICKER, "KXZ-1"])
    snapshots = client.answer()
    assert [shape(each) for each in snapshots] == [
        [("type", "orderbook_snapshot"), ("id", 7), ("sid", 1), ("seq", seq)] for seq in (2, 3, 4)
    ]
    asked = sorted([BUSY_TICKER, BOOK_TICKER, "KXZ-1"])
    assert [each["msg"]["market_ticker"] for each in snapshots] == asked
    assert snapshots[asked.index("KXZ-1")]["msg"]["market_id"] == ""
    client.update("delete_markets", sid=1, market_ticker=BUSY_TICKER)
    assert client.answer()[0]["msg"] == {"market_tickers": [BOOK_TICKER]}


def test_unsubscribe_answers_a_frame_a_sid_and_the_next_subscribe_gets_a_new_sid(exchange, client):
    client.subscribe("orderbook_delta", "trade", market_ticker=BOOK_TICKER)
    client.answer()
    client.send(id=9, cmd="unsubscribe", params={"sids": [1, 5, 2, 1]})
    gone, unknown, gone_too, again = client.answer()
    assert shape(gone) == [("type", "unsubscribed"), ("id", 9), ("sid", 1), ("seq", 2)]
    assert shape(gone_too) == [("type", "unsubscribed"), ("id", 9), ("sid", 2), ("seq", 1)]
    assert "msg" not in gone
    assert unknown["msg"] == again["msg"] == {"code": 7, "msg": "Unknown subscription ID"}
    exchange.advance(10)
    assert client.frames == []
    client.subscribe("orderbook_delta", market_ticker=BOOK_TICKER)
    ack, snapshot = client.answer()
    assert ack["msg"]["sid"] == 3
    assert shape(snapshot) == [("type", "orderbook_snapshot"), ("sid", 3), ("seq", 1)]


def test_listing_is_an_array_in_order_of_sids(client):
    client.subscribe("trade", "ticker", "market_lifecycle_v2")
    client.answer()
    client.send(id=3, cmd="list_subscriptions")
    (listing,) = client.answer()
    assert shape(listing) == [("type", "ok"), ("id", 3)]
    assert listing["msg"] == [
        {"channel": "trade", "sid": 1},
        {"channel": "ticker", "sid": 2},
        {"channel": "market_lifecycle_v2", "sid": 3},
    ]


def test_two_connections_have_sids_and_seqs_of_their_own(exchange, open_client):
    one, two = open_client(exchange), open_client(exchange)
    one.subscribe("ticker", "orderbook_delta", market_ticker=BOOK_TICKER)
    two.subscribe("orderbook_delta", market_ticker=BOOK_TICKER)
    first, second = one.answer()[-1], two.answer()[-1]
    assert (first["sid"], first["seq"], second["sid"], second["seq"]) == (2, 1, 1, 1)
    assert first["msg"] == second["msg"]


def test_the_id_is_echoed_and_zero_or_none_gives_an_answer_without(client):
    for command in ({"id": 0}, {}, {"id": None}):
        client.send(cmd="list_subscriptions", **command)
    assert ["id" in message for message in client.answer()] == [False] * 3


# -- errors -----------------------------------------------------------------------------------------------------------

MALFORMED = [
    "",
    "{",
    "null",
    "[1]",
    '"subscribe"',
    "[" * 100_000,
    "1" * 10_000,
    b"\xff\xfe",
    '{"id":"one","cmd":"list_subscriptions"}',
    '{"id":-1,"cmd":"list_subscriptions"}',
    '{"id":true,"cmd":"list_subscriptions"}',
]


@pytest.mark.parametrize("text", MALFORMED, ids=range(len(MALFORMED)))
def test_what_is_no_command_gets_code_1_without_an_id(client, text):
    client.socket.send(text)
    (message,) = client.answer()
    assert message["msg"] == {"code": 1, "msg": "Unable to process message"}
    assert "id" not in message


REFUSED = [
    (5, "Unknown command", "nonsense", {}),
    (5, "Unknown command", None, {}),
    (1, "Unable to process message", 5, {}),
    (2, "Params required", "subscribe", None),
    (2, "Params required", "unsubscribe", None),
    (2, "Params required", "update_subscription", None),
    (1, "Unable to process message", "subscribe", []),
    (3, "Channels required", "subscribe", {}),
    (3, "Channels required", "subscribe", {"channels": []}),
    (1, "Unable to process message", "subscribe", {"channels": "trade"}),
    (1, "Unable to process message", "subscribe", {"channels": [1]}),
    (1, "Unable to process message", "subscribe", {"channels": ["trade"], "market_tickers": "KXA-1"}),
    (1, "Unable to process message", "subscribe", {"channels": ["trade"], "market_ticker": 5}),
    (1, "Unable to process message", "subscribe", {"channels": ["trade"], "use_yes_price": "false"}),
    (11, "Invalid parameter", "subscribe", {"channels": ["trade"], "market_ticker": ""}),
    (11, "Invalid parameter", "subscribe", {"channels": ["trade"], "market_tickers": []}),
    (11, "Invalid parameter", "subscribe", {"channels": ["ticker"], "market_ids": []}),
    (11, "Invalid parameter", "subscribe", {"channels": ["ticker"], "market_ids": ["no-uuid"]}),
    (11, "Invalid parameter", "subscribe", {"channels": ["ticker"], "market_ticker": "A", "market_tickers": ["B"]}),
    (
        11,
        "Invalid parameter",
        "subscribe",
        {"channels": ["ticker"], "market_ticker": "A", "market_id": str(uuid.UUID(int=5))},
    ),
    (14, "Market Ticker required", "subscribe", {"channels": ["orderbook_delta"], "market_tickers": []}),
    (4, "Subscription IDs required", "unsubscribe", {}),
    (4, "Subscription IDs required", "unsubscribe", {"sids": []}),
    (1, "Unable to process message", "unsubscribe", {"sids": ["1"]}),
    (7, "Unknown subscription ID", "unsubscribe", {"sids": [88]}),
    (12, "Exactly one subscription ID is required", "update_subscription", {"action": "add_markets"}),
    (12, "Exactly one subscription ID is required", "update_subscription", {"sids": [1, 2], "action": "add_markets"}),
    (12, "Exactly one subscription ID is required", "update_subscription", {"sid": 1, "sids": [1]}),
    (1, "Unable to process message", "update_subscription", {"sid": "1", "action": "add_markets"}),
    (15, "Action required", "update_subscription", {"sid": 1, "market_ticker": "A"}),
    (1, "Unable to process message", "update_subscription", {"sid": 1, "action": 5}),
    (7, "Unknown subscription ID", "update_subscription", {"sid": 88, "action": "add_markets", "market_ticker": "A"}),
    (13, "Unsupported action", "update_subscription", {"sid": 1, "action": "nonsense", "market_ticker": "A"}),
    (13, "Unsupported action", "update_subscription", {"sid": 2, "action": "get_snapshot", "market_ticker": "A"}),
    (13, "Unsupported action", "update_subscription", {"sid": 3, "action": "add_markets", "market_ticker": "A"}),
    (14, "Market Ticker required", "update_subscription", {"sid": 1, "action": "add_markets"}),
    (14, "Market Ticker required", "update_subscription", {"sid": 2, "action": "delete_markets"}),
    (14, "Market Ticker required", "update_subscription", {"sid": 1, "action": "get_snapshot"}),
    (
        14,
        "Market Ticker required",
        "update_subscription",
        {"sid": 1, "action": "get_snapshot", "market_ids": [str(uuid.UUID(int=5))]},
    ),
]


@pytest.mark.parametrize(("code", "text", "name", "params"), REFUSED, ids=range(len(REFUSED)))
def test_each_wrong_command_gets_its_code_word_for_word_and_changes_nothing(client, code, text, name, params):
    client.subscribe("orderbook_delta", "trade", "market_lifecycle_v2", market_ticker=BOOK_TICKER)
    client.answer()
    command = {} if name is None else {"cmd": name}
    client.send(id=44, **command, params=params)
    assert client.answer() == [error(code, text, 44)]
    client.send(id=45, cmd="list_subscriptions")
    (listing,) = client.answer()
    assert [each["sid"] for each in listing["msg"]] == [1, 2, 3]


def test_unknown_parameters_are_passed_over(client):
    client.subscribe("trade", market_ticker=BOOK_TICKER, event_tickers=["A"], shard_factor=0)
    assert kinds(client.answer()) == ["subscribed"]


def test_commands_never_change_the_tape(open_exchange, open_client):
    told = []
    for noisy in (False, True):
        exchange = open_exchange(seed=11)
        quiet = open_client(exchange)
        exchange.attach(quiet)
        quiet.subscribe("ticker", "trade")
        quiet.answer()
        other = open_client(exchange)
        for _second in range(20):
            if noisy:
                other.subscribe("orderbook_delta", "ticker", market_ticker=BUSY_TICKER, send_initial_snapshot=True)
                other.update("get_snapshot", sid=1, market_ticker=BOOK_TICKER)
                other.socket.send("nonsense")
                other.answer()
            exchange.advance(1)
        told.append(quiet.frames[:])
    assert told[0] == told[1]
    assert len(told[0]) > 100


def test_a_very_slow_reader_loses_its_subscription_with_code_25(open_exchange, open_client, monkeypatch):
    from kalshi_nb.sim import _connection

    monkeypatch.setattr(_connection, "_OUTBOX_LIMIT", 500)
    exchange = open_exchange()
    client = open_client(exchange)
    client.subscribe("orderbook_delta", market_ticker=BUSY_TICKER)
    client.answer()
    # One call on the exchange's thread: its writer has no turn in between, as if the client did not read.
    server, market = exchange._server, exchange._programme
    server.call(lambda: market.advance_to(exchange.now_us() + 60_000_000))
    poll_until(lambda: client.frames and '"error"' in client.frames[-1], "an error")
    *data, last = client.messages()
    assert last["msg"] == {"code": 25, "msg": "Subscription buffer overflow"}
    assert [message["seq"] for message in data] + [last["seq"]] == list(range(2, 503))
    client.frames.clear()
    exchange.advance(5)
    assert client.answer() == []
    client.subscribe("orderbook_delta", market_ticker=BUSY_TICKER)
    assert client.answer()[0]["msg"] == {"channel": "orderbook_delta", "sid": 2}
