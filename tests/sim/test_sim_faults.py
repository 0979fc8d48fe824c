"""Trouble on demand: each fault does what it says, once, and leaves the tape as it was."""

from __future__ import annotations

import json

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from kalshi_nb.errors import SimulationError
from tests.sim.conftest import BOOK_TICKER, BUSY_TICKER, signed

BOOK = "orderbook_delta"


def seqs(messages, sid=1):
    return [message["seq"] for message in messages if message.get("sid") == sid]


@pytest.fixture
def subscribed(client):
    client.subscribe(BOOK, "ticker", market_ticker=BUSY_TICKER)
    client.answer()
    return client


def test_skipped_frames_take_their_number_but_do_not_come(exchange, subscribed):
    assert exchange.faults.skip_frames(BOOK, 3) == 1
    exchange.advance(5)
    numbers = seqs(subscribed.messages())
    assert numbers == list(range(5, 5 + len(numbers)))
    assert any(message["type"] == "ticker" for message in subscribed.messages())


def test_duplicated_frames_come_twice_with_one_number(exchange, subscribed):
    exchange.faults.duplicate_frames(BOOK, 2)
    exchange.advance(5)
    frames = [frame for frame in subscribed.frames if '"sid":1' in frame]
    assert frames[0] == frames[1] != frames[2] == frames[3] != frames[4]
    numbers = seqs(map(json.loads, frames))
    assert numbers == [2, 2, 3, 3, *range(4, 4 + len(numbers) - 4)]


def test_frames_of_channels_without_numbers_can_be_lost_too(exchange, subscribed):
    exchange.faults.skip_frames("ticker")
    exchange.advance(1.5)
    skipped = [message for message in subscribed.messages() if message["type"] == "ticker"]
    exchange.advance(60)
    assert len(skipped) <= 1
    assert seqs(subscribed.messages()) == list(range(2, 2 + len(seqs(subscribed.messages()))))


def test_a_lost_frame_is_lost_on_each_connection_of_that_moment_only(exchange, open_client):
    early = open_client(exchange)
    early.subscribe(BOOK, market_ticker=BUSY_TICKER)
    early.answer()
    exchange.faults.skip_frames(BOOK)
    late = open_client(exchange)
    late.subscribe(BOOK, market_ticker=BUSY_TICKER)
    exchange.advance(2)
    assert seqs(early.answer())[0] == 3
    assert seqs(late.answer())[:2] == [1, 2]


@pytest.mark.parametrize("code", [10, 25])
def test_terminal_errors_take_a_number_and_end_the_subscription(exchange, subscribed, code):
    assert exchange.faults.send_error(BOOK, code) == 1
    (message,) = subscribed.answer()
    assert list(message) == ["type", "sid", "seq", "msg", "sending_ts_ms"]
    assert (message["sid"], message["seq"], message["msg"]["code"]) == (1, 2, code)
    exchange.advance(5)
    assert {each["type"] for each in subscribed.answer()} == {"ticker"}
    subscribed.send(id=2, cmd="list_subscriptions")
    assert subscribed.answer()[0]["msg"] == [{"channel": "ticker", "sid": 2}]
    subscribed.subscribe(BOOK, market_ticker=BUSY_TICKER)
    ack, snapshot = subscribed.answer()
    assert (ack["msg"]["sid"], snapshot["seq"]) == (3, 1)


def test_other_errors_take_a_number_and_end_nothing(exchange, subscribed):
    exchange.faults.send_error(BOOK, 27)
    exchange.faults.send_error("ticker", 18)
    exchange.advance(5)
    first, second, *later = subscribed.answer()
    assert first["msg"] == {"code": 27, "msg": "Too many requests"}
    assert second["msg"] == {"code": 18, "msg": "Command timeout"}
    assert "seq" not in second
    assert seqs([first, *later])[:2] == [2, 3]


def test_a_raw_frame_goes_to_everybody_as_it_is_and_takes_no_number(exchange, subscribed, open_client):
    other = open_client(exchange)
    other.answer()
    text = '{"type":"novelty","sid":1,"seq":-4}  \r'
    assert exchange.faults.send_raw(text) == 2
    for client in (subscribed, other):
        client.wait_until(lambda: client.frames)  # noqa: B023
        assert client.frames.pop() == text
    exchange.advance(2)
    assert seqs(subscribed.answer())[0] == 2


def test_ignored_snapshot_requests_are_not_answered_and_take_no_number(exchange, subscribed):
    exchange.faults.ignore_snapshot_requests(2)
    for command_id in (11, 12, 13):
        subscribed.update("get_snapshot", command_id=command_id, sid=1, market_tickers=[BOOK_TICKER])
    (snapshot,) = subscribed.answer()
    assert (snapshot["id"], snapshot["seq"]) == (13, 2)


def test_dropped_connections_end_without_a_close_frame(exchange, subscribed, open_client):
    other = open_client(exchange)
    assert exchange.faults.drop_connections() == 2
    for client in (subscribed, other):
        client.wait_until(lambda: client.closed)  # noqa: B023
        assert client.closed.rcvd is None
    assert exchange.faults.drop_connections() == 0
    exchange.advance(1)
    again = open_client(exchange)
    again.subscribe(BOOK, market_ticker=BUSY_TICKER)
    ack, snapshot = again.answer()
    assert (ack["msg"]["sid"], snapshot["seq"]) == (1, 1)


@pytest.mark.parametrize("code", [1001, 1011, 1012, 4000])
def test_closed_connections_end_with_the_code(exchange, subscribed, code):
    assert exchange.faults.close_connections(code) == 1
    subscribed.wait_until(lambda: subscribed.closed)
    assert subscribed.closed.rcvd.code == code
    assert exchange.faults.close_connections() == 0


def test_refused_handshakes_are_counted_whatever_the_credentials(exchange, open_client):
    exchange.faults.refuse_handshakes(503, 2, retry_after=7)
    exchange.faults.refuse_handshakes(401, body='{"mine":1}')
    exchange.faults.refuse_handshakes(429)
    headers = signed(exchange.key_id, exchange.private_key)
    answers = []
    for _ in range(4):
        with (
            pytest.raises(InvalidStatus) as caught,
            connect(exchange.url, additional_headers=headers, proxy=None),
        ):
            pass
        response = caught.value.response
        answers.append((response.status_code, response.headers.get("Retry-After"), json.loads(response.body)))
    unavailable = {"error": {"code": "service_unavailable", "message": "service unavailable"}}
    assert answers == [
        (503, "7", unavailable),
        (503, "7", unavailable),
        (401, None, {"mine": 1}),
        (429, None, {"error": "too many requests"}),
    ]
    assert open_client(exchange).answer() == []


def test_faults_do_not_change_the_tape(open_exchange, open_client):
    told = []
    for troubled in (False, True):
        exchange = open_exchange(seed=3)
        client = open_client(exchange)
        exchange.attach(client)
        client.subscribe("trade", BOOK, market_ticker=BUSY_TICKER)
        client.answer()
        if troubled:
            exchange.faults.skip_frames("trade", 2)
            exchange.faults.send_error(BOOK, 25)
            exchange.faults.ignore_snapshot_requests()
        exchange.advance(60)
        told.append([frame for frame in client.frames if frame.startswith('{"type":"trade"')])
    assert told[1] == told[0][2:]
    assert len(told[0]) > 20


def test_impossible_faults_say_what_to_do(exchange, client):
    faults = exchange.faults
    with pytest.raises(SimulationError, match="subscribe first"):
        faults.skip_frames(BOOK)
    with pytest.raises(SimulationError, match="subscribe first"):
        faults.send_error("trade", 25)
    with pytest.raises(SimulationError, match="take one of"):
        faults.duplicate_frames("fills")
    with pytest.raises(SimulationError, match="take one of 1, 2"):
        faults.send_error(BOOK, 6)
    with pytest.raises(SimulationError, match="close code"):
        faults.close_connections(1006)
    for status in (700, 200, "503"):
        with pytest.raises(SimulationError, match="such as 401"):
            faults.refuse_handshakes(status)
    with pytest.raises(SimulationError, match="whole number"):
        faults.refuse_handshakes(503, 0)
    with pytest.raises(SimulationError, match="text"):
        faults.send_raw(b"{}")
    with pytest.raises(SimulationError, match="UTF-8"):
        faults.send_raw("\ud800")
    client.subscribe(BOOK, market_ticker=BUSY_TICKER)
    client.answer()
    with pytest.raises(SimulationError, match="whole number"):
        faults.skip_frames(BOOK, True)
    assert client.answer() == []
