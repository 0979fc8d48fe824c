"""What the line does to frames: each fault does what it says, and a plan's chance can be repeated."""

from __future__ import annotations

import json
from random import Random

import pytest
from websockets.exceptions import ConnectionClosed, InvalidMessage, InvalidStatus

from kalshi_nb.errors import SimulationError
from kalshi_nb.sim._line import corrupted, truncated
from tests.sim.conftest import BOOK_TICKER, BUSY_TICKER, poll_until

BOOK = "orderbook_delta"


def parsed(frames):
    for frame in frames:
        try:
            yield json.loads(frame)
        except ValueError:
            yield None


def seqs(frames):
    return [each["seq"] for each in parsed(frames) if each and each.get("sid") == 1]


@pytest.fixture
def subscribed(client):
    client.subscribe(BOOK, "ticker", market_ticker=BUSY_TICKER)
    client.answer()
    return client


# Single frames -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("behind", [1, 3])
def test_a_reordered_frame_comes_after_those_that_overtake_it(exchange, subscribed, behind):
    exchange.faults.reorder_frames(BOOK, behind=behind)
    exchange.advance(10)
    frames = subscribed.frames
    at = next(number for number, each in enumerate(parsed(frames)) if each.get("seq") == 2)
    assert at == behind
    numbers = seqs(frames)
    assert sorted(numbers) == list(range(2, 2 + len(numbers)))


def test_a_truncated_frame_is_the_first_half_of_itself(exchange, open_client):
    whole, cut = open_client(exchange), open_client(exchange)
    for each in (whole, cut):
        each.subscribe(BOOK, market_ticker=BUSY_TICKER)
        each.answer()
        exchange.attach(each)
    exchange.faults.truncate_frames(BOOK)
    exchange.advance(5)
    assert whole.frames[0] == cut.frames[0]
    assert whole.frames[0][-1] != "\n"
    assert whole.frames[1] == cut.frames[1]
    assert list(parsed(cut.frames[:1])) == [None]


@pytest.mark.parametrize("seed", range(50))
def test_neither_a_truncated_nor_a_corrupted_frame_can_be_read(seed):
    frame = '{"type":"trade","sid":1,"seq":4,"msg":{"a":"b\\"c","d":[1,2]},"sending_ts_ms":5}\n'
    for damaged in (truncated(frame), corrupted(frame, Random(seed)), corrupted("12", Random(seed))):
        assert damaged != frame
        with pytest.raises(ValueError, match=r"line|Expecting|char"):
            json.loads(damaged)


def test_a_corrupted_frame_is_as_long_as_it_was(exchange, subscribed):
    exchange.faults.corrupt_frames(BOOK)
    exchange.advance(5)
    (damaged,) = [each for each in subscribed.frames if list(parsed([each])) == [None]]
    assert "\x00" in damaged
    assert seqs(subscribed.frames)[0] == 3


def test_delayed_answers_come_behind_what_follows(exchange, client):
    exchange.faults.delay_answers()
    client.subscribe(BOOK, market_ticker=BOOK_TICKER)
    first, second = client.take(2)
    assert (first["type"], second["type"]) == ("orderbook_snapshot", "subscribed")


def test_swapped_commands_are_answered_in_the_other_order(exchange, client):
    exchange.faults.swap_commands()
    client.subscribe("ticker", command_id=1, market_ticker=BOOK_TICKER)
    client.subscribe("trade", command_id=2, market_ticker=BOOK_TICKER)
    assert [each["id"] for each in client.take(2)] == [2, 1]


def test_lost_commands_have_no_answer(exchange, client):
    assert exchange.faults.lose_commands() == 1
    client.subscribe("ticker", command_id=1)
    client.subscribe("trade", command_id=2)
    (answer,) = client.answer()
    assert answer["id"] == 2


# Every frame ---------------------------------------------------------------------------------------------


def test_a_plan_does_to_about_so_many_frames_what_it_says(exchange, subscribed):
    plan = exchange.faults.plan(3, drop=0.05, duplicate=0.05, reorder=0.05, truncate=0.05, corrupt=0.05)
    exchange.advance(120)
    exchange.faults.clear()
    counts = plan.counts
    frames = subscribed.frames
    assert len(frames) == counts["frames"] - counts["drop"] + counts["duplicate"]
    assert list(parsed(frames)).count(None) == counts["truncate"] + counts["corrupt"]
    for name in ("drop", "duplicate", "reorder", "truncate", "corrupt"):
        assert 0.02 < counts[name] / counts["frames"] < 0.09
        assert f"{name} {counts[name]}" in repr(plan)


def a_run(open_exchange, open_client, plan_seed):
    exchange = open_exchange(seed=7)
    client = open_client(exchange)
    exchange.attach(client)
    exchange.faults.plan(plan_seed, drop=0.1, duplicate=0.1, reorder=0.1, truncate=0.1)
    client.subscribe(BOOK, market_ticker=BUSY_TICKER)
    client.answer()
    exchange.advance(20)
    return client.frames


def test_the_same_seed_gives_the_same_mishaps_and_another_others(open_exchange, open_client):
    one, two, other = (a_run(open_exchange, open_client, seed) for seed in (1, 1, 2))
    assert one == two != other


def test_a_plan_leaves_answers_alone_unless_told(exchange, client):
    exchange.faults.plan(1, drop=1.0)
    client.subscribe("ticker", command_id=1)
    assert client.answer()[0]["type"] == "subscribed"
    exchange.faults.plan(1, drop=1.0, answers=True)
    client.subscribe("trade", command_id=2)
    exchange.advance(5)
    assert not client.frames
    exchange.faults.clear()
    assert [each["type"] for each in client.answer()] == []


def test_a_plan_reaches_later_connections_and_may_cut_them(exchange, open_client):
    exchange.faults.plan(1, reset=1.0)
    client = open_client(exchange)
    client.subscribe(BOOK, market_ticker=BUSY_TICKER)
    client.wait_until(lambda: client.closed, "the cut")


@pytest.mark.parametrize(
    "rates", [{"drop": -0.1}, {"drop": 2}, {"drop": True}, {"drop": "1"}, {"drop": 0.6, "reset": 0.6}]
)
def test_a_plan_of_nothing_possible_is_refused(exchange, rates):
    with pytest.raises(SimulationError, match="share"):
        exchange.faults.plan(1, **rates)
    with pytest.raises(SimulationError, match="seed"):
        exchange.faults.plan("1")


def test_cleared_is_everything_that_was_to_happen_to_frames(exchange, subscribed):
    exchange.faults.skip_frames(BOOK, 100)
    exchange.faults.add_fields()
    exchange.faults.lose_commands(5)
    exchange.faults.stall()
    exchange.faults.delay(1)
    exchange.faults.plan(1, drop=1.0)
    exchange.faults.clear()
    exchange.advance(5)
    numbers = seqs(subscribed.frames)
    assert numbers == list(range(2, 2 + len(numbers)))
    assert "trace_id" not in "".join(subscribed.frames)
    assert subscribed.answer()


def test_a_stalled_line_answers_pings_and_sends_nothing_until_it_goes_on(exchange, subscribed):
    assert exchange.faults.stall() == 1
    exchange.advance(5)  # nobody waits for frames that cannot come
    assert not subscribed.frames
    assert subscribed.socket.ping().wait(10)
    assert not subscribed.frames
    exchange.faults.resume()
    exchange.advance(0)
    numbers = seqs(subscribed.frames)
    assert numbers == list(range(2, 2 + len(numbers)))


def test_a_dead_line_answers_nothing_and_a_stall_may_end_by_itself(exchange, subscribed):
    exchange.faults.stall(0.3, pongs=False)
    pong = subscribed.socket.ping()
    assert not pong.wait(0.1)
    assert pong.wait(10)
    exchange.advance(5)
    assert subscribed.frames


def test_delayed_frames_come_in_order_and_advance_waits_for_them(exchange, subscribed):
    exchange.faults.delay(0.05)
    exchange.advance(5)
    numbers = seqs(subscribed.frames)
    assert numbers == list(range(2, 2 + len(numbers)))
    assert numbers


@pytest.mark.parametrize("seconds", [-1, float("nan"), "1", True, 1e9])
def test_what_is_no_length_of_time_is_refused(exchange, seconds):
    with pytest.raises(SimulationError, match="length of time"):
        exchange.faults.delay(seconds)
    with pytest.raises(SimulationError, match="length of time"):
        exchange.faults.stall(seconds)


def test_added_fields_are_in_every_frame_and_change_nothing_else(exchange, subscribed):
    exchange.faults.add_fields()
    exchange.advance(5)
    for frame in subscribed.frames:
        message = json.loads(frame)
        assert message["trace_id"]
        assert message["msg"]["tags"] == [{"k": "v"}]
    exchange.faults.add_fields(on=False)
    subscribed.frames.clear()
    exchange.advance(5)
    assert not any("trace_id" in frame for frame in subscribed.frames)


def test_an_unknown_type_takes_a_number_of_its_subscription(exchange, subscribed):
    exchange.faults.send_unknown(BOOK, "orderbook_checksum")
    (message,) = subscribed.answer()
    assert (message["type"], message["sid"], message["seq"]) == ("orderbook_checksum", 1, 2)
    with pytest.raises(SimulationError, match="type of a frame"):
        exchange.faults.send_unknown(BOOK, 'a"b')


def test_an_error_of_any_code_can_be_sent_with_words_of_its_own(exchange, subscribed):
    exchange.faults.send_error(BOOK, 28, 'Underlying "tickers" required')
    (message,) = subscribed.answer()
    assert message["msg"] == {"code": 28, "msg": 'Underlying "tickers" required'}
    with pytest.raises(SimulationError, match="message"):
        exchange.faults.send_error(BOOK, 99)
    with pytest.raises(SimulationError, match="error code"):
        exchange.faults.send_error(BOOK, "10", "ten")


def test_the_default_of_use_yes_price_flips_for_those_who_do_not_say(exchange, open_client):
    exchange.faults.prefer_yes_prices()
    prices = []
    for params in ({}, {"use_yes_price": False}, {"use_yes_price": True}):
        client = open_client(exchange)
        client.subscribe(BOOK, market_ticker=BOOK_TICKER, **params)
        prices.append(client.answer()[1]["msg"]["no_dollars_fp"])
    assert prices[0] == prices[2] != prices[1]


def test_the_era_can_change_in_the_middle(exchange, subscribed):
    exchange.advance(3)
    assert all("sending_ts_ms" in each for each in parsed(subscribed.frames))
    exchange.faults.set_era("captures")
    subscribed.frames.clear()
    exchange.advance(3)
    assert subscribed.frames
    assert not any("sending_ts_ms" in each for each in parsed(subscribed.frames))
    with pytest.raises(SimulationError, match="era"):
        exchange.faults.set_era("1999")


# Connections and the whole exchange ----------------------------------------------------------------------


@pytest.mark.parametrize("code", [1001, 1000])
def test_a_connection_may_be_closed_as_soon_as_it_is_open(exchange, open_client, code):
    exchange.faults.close_on_arrival(code=code)
    client = open_client(exchange)
    client.wait_until(lambda: client.closed, "the end")
    assert client.closed.rcvd.code == code
    assert open_client(exchange).answer() == []


def test_a_connection_may_be_cut_as_soon_as_it_is_open(exchange, open_client):
    exchange.faults.close_on_arrival(code=None)
    try:
        client = open_client(exchange)
    except (OSError, InvalidMessage):
        pass  # the cut may overtake the answer to the handshake
    else:
        client.wait_until(lambda: client.closed, "the end")
        assert client.closed.rcvd is None
    assert open_client(exchange).answer() == []


def test_a_cut_inside_a_frame_delivers_no_part_of_it(exchange, subscribed):
    assert exchange.faults.drop_connections(inside_a_frame=True) == 1
    subscribed.wait_until(lambda: subscribed.closed, "the cut")
    assert isinstance(subscribed.closed, ConnectionClosed)
    assert subscribed.closed.rcvd is None
    assert not subscribed.frames


def test_maintenance_pauses_the_market_and_lets_nobody_in_until_it_ends(exchange, open_client, subscribed):
    subscribed.update("get_snapshot", sid=1, market_ticker=BUSY_TICKER)
    before = subscribed.answer()[0]["msg"]
    assert exchange.faults.begin_maintenance(retry_after=7) == 1
    subscribed.wait_until(lambda: subscribed.closed, "the end of the connection")
    assert subscribed.closed.rcvd.code == 1012
    with pytest.raises(InvalidStatus) as refusal:
        open_client(exchange)
    assert refusal.value.response.status_code == 503
    assert refusal.value.response.headers["Retry-After"] == "7"
    exchange.advance(600)
    exchange.faults.end_maintenance()
    late = open_client(exchange)
    late.subscribe(BOOK, market_ticker=BUSY_TICKER)
    assert late.answer()[1]["msg"] == before
    exchange.attach(late)
    exchange.advance(5)
    assert late.frames


def test_with_the_walls_clock_maintenance_pauses_the_market_too(open_exchange, open_client):
    exchange = open_exchange(clock="wall")
    exchange.faults.begin_maintenance()
    exchange._server.call(lambda: setattr(exchange._server, "closed_with", None))
    client = open_client(exchange)
    client.subscribe(BOOK, "ticker", market_ticker=BUSY_TICKER)
    client.take(3)
    assert client.answer() == []
    exchange.faults.end_maintenance()
    poll_until(lambda: client.frames, "trading")
