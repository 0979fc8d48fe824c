"""The manual clock is exact to the byte, followers are waited for, and the wall clock lives by itself."""

from __future__ import annotations

import itertools
import json
import threading
import time
from datetime import UTC, datetime, timedelta, timezone

import pytest

from kalshi_nb.errors import SimulationError
from kalshi_nb.sim import Exchange, _followers, _live
from tests.sim.conftest import BOOK_TICKER, BUSY_TICKER, poll_until

START_US = 1_795_359_600_000_000


def story(exchange, client, steps):
    """One fixed course of commands and advances; return every frame as it came."""
    client.subscribe("orderbook_delta", "trade", "ticker", "market_lifecycle_v2", market_ticker=BOOK_TICKER)
    client.answer()
    frames = []
    for number, step in enumerate(steps):
        exchange.advance(step)
        client.update("get_snapshot", sid=1, market_tickers=[BUSY_TICKER])
        if number == 1:
            client.update("add_markets", sid=1, market_tickers=[BUSY_TICKER])
        client.send(id=99, cmd="list_subscriptions")
        client.wait_until(lambda: client.frames and '"id":99,' in client.frames[-1])
        frames += client.frames
        client.frames.clear()
    return frames


def follow(exchange, open_client):
    client = open_client(exchange)
    exchange.attach(client)
    return client


def test_same_seed_and_same_calls_give_the_same_frames_byte_for_byte(open_exchange, open_client):
    steps = [3, 0.4, 17.123456, 0.000001, 30]
    told = []
    for _ in range(2):
        exchange = open_exchange(seed=23)
        told.append("".join(story(exchange, follow(exchange, open_client), steps)))
        exchange.close()
    assert told[0] == told[1]
    assert len(told[0]) > 200_000


def test_another_seed_gives_other_frames(open_exchange, open_client):
    told = []
    for seed in (23, 24):
        exchange = open_exchange(seed=seed)
        told.append("".join(story(exchange, follow(exchange, open_client), [5])))
    assert told[0] != told[1]


@pytest.mark.parametrize("steps", [[30] + [0] * 3, [0.03] * 1000, [0.1, 13.37, 0.000333, 16.529667]])
def test_frames_do_not_depend_on_the_steps_of_advance(open_exchange, open_client, steps):
    def frames(course):
        exchange = open_exchange(seed=5)
        client = follow(exchange, open_client)
        client.subscribe("orderbook_delta", "trade", "ticker", market_tickers=[BUSY_TICKER, BOOK_TICKER])
        client.answer()
        for step in course:
            exchange.advance(step)
        assert exchange.now_us() == START_US + 30_000_000
        return client.frames

    assert frames(steps) == frames([30])


def test_advance_emits_exactly_the_window_and_moves_the_clock_to_its_end(exchange, client):
    client.subscribe("orderbook_delta", market_tickers=list(exchange.market_tickers))
    client.answer()
    for _ in range(20):
        before = exchange.now_us()
        client.frames.clear()
        exchange.advance(0.777)
        assert exchange.now_us() == before + 777_000
        times = [json.loads(frame)["msg"]["ts"] for frame in client.frames]
        micros = [round(datetime.fromisoformat(text).timestamp() * 1_000_000) for text in times]
        assert all(before < each <= exchange.now_us() for each in micros)
    assert client.flushed == 20


def test_the_manual_clock_stands_still_and_starts_at_a_fixed_instant(exchange, client):
    assert exchange.clock == "manual"
    assert exchange.now_us() == START_US
    client.subscribe("ticker", "orderbook_delta", market_ticker=BUSY_TICKER)
    client.answer()
    time.sleep(0.3)
    assert client.answer() == []
    assert exchange.now_us() == START_US


def test_start_sets_the_instant_in_any_time_zone(open_exchange):
    eastern = timezone(timedelta(hours=-5))
    exchange = open_exchange(start=datetime(2027, 1, 1, 12, tzinfo=eastern))
    assert exchange.now_us() == datetime(2027, 1, 1, 17, tzinfo=UTC).timestamp() * 1_000_000


def test_the_wall_clock_delivers_events_of_now_in_order(open_exchange, open_client):
    exchange = open_exchange(clock="wall")
    client = open_client(exchange)
    before = time.time_ns() // 1_000_000
    client.subscribe("orderbook_delta", market_tickers=list(exchange.market_tickers))
    client.wait_until(lambda: sum('"orderbook_delta"' in frame for frame in client.frames) > 60)
    deltas = [message for message in client.messages() if message["type"] == "orderbook_delta"]
    after = time.time_ns() // 1_000_000
    stamps = [message["msg"]["ts_ms"] for message in deltas]
    assert stamps == sorted(stamps)
    assert before - 1_000 <= stamps[0] <= stamps[-1] <= after
    assert all(message["msg"]["ts_ms"] <= message["sending_ts_ms"] <= after for message in deltas)
    assert after - 5_000 <= exchange.now_us() // 1000 <= time.time_ns() // 1_000_000


def test_both_clocks_play_the_same_tape(open_exchange, open_client):
    start = datetime(2026, 11, 22, 15, tzinfo=UTC)
    frames = {}
    for clock in ("wall", "manual"):
        exchange = open_exchange(seed=31, clock=clock, start=start, era="captures")
        client = open_client(exchange)
        client.subscribe("trade")
        client.answer()
        if clock == "manual":
            exchange.advance(60)
        client.wait_until(lambda: len(client.frames) >= 10)  # noqa: B023
        frames[clock] = [message["msg"] for message in client.messages()]
    # Those who come late to the wall clock's market have missed its first trades.
    first = frames["wall"][0]
    assert start.timestamp() <= first["ts"] < start.timestamp() + 30
    manual = frames["manual"]
    at = manual.index(first)
    assert manual[at : at + 10] == frames["wall"][:10]


def test_a_computer_that_slept_finds_the_market_where_it_left_it(open_exchange, open_client, monkeypatch):
    monkeypatch.setattr(_live, "_LONGEST_LAG_US", 1_000_000)
    exchange = open_exchange(clock="wall")
    client = open_client(exchange)
    client.subscribe("orderbook_delta", market_ticker=BUSY_TICKER)
    client.answer()
    exchange._time._ahead_us += 3_600_000_000
    client.wait_until(lambda: len(client.frames) > 30)
    stamps = [message["msg"]["ts_ms"] for message in client.messages()]
    jumps = [later - earlier for earlier, later in itertools.pairwise(stamps)]
    assert stamps[-1] > time.time_ns() // 1_000_000 + 3_000_000
    assert all(jump >= 0 for jump in jumps)
    assert len(client.frames) < 1_000, "an hour of market was not sent at once"


def test_a_short_stall_is_caught_up_whole(open_exchange, open_client):
    exchange = open_exchange(clock="wall", seed=31, era="captures")
    client = open_client(exchange)
    client.subscribe("orderbook_delta", market_tickers=list(exchange.market_tickers))
    client.answer()
    exchange._time._ahead_us += 20_000_000
    client.wait_until(lambda: len(client.frames) > 1_000)
    numbers = [message["seq"] for message in client.messages()]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


# -- advance and followers --------------------------------------------------------------------------------------------


def test_advance_needs_the_manual_clock_and_a_length_of_time(open_exchange):
    with pytest.raises(SimulationError, match='Exchange\\(clock="manual"\\)'):
        open_exchange(clock="wall").advance(1)
    exchange = open_exchange()
    for seconds in (-1, float("nan"), float("inf"), "1", "1mo", None, True):
        with pytest.raises(SimulationError, match="length of time"):
            exchange.advance(seconds)
    with pytest.raises(SimulationError, match="year 9000"):
        exchange.advance(1e12)
    assert exchange.now_us() == START_US


@pytest.mark.parametrize("span", [60, "1m", "1min", "59s1000ms", timedelta(minutes=1)])
def test_advance_takes_a_minute_in_every_way_it_is_written(open_exchange, span):
    exchange = open_exchange()
    exchange.advance(span)
    assert exchange.now_us() == START_US + 60_000_000


class SlowFollower:
    """Applies what the client has received, but only after a while."""

    def __init__(self, client, delay):
        self.client, self.delay, self.applied, self.flushes = client, delay, 0, []
        threading.Thread(target=self.apply, daemon=True).start()

    def apply(self):
        while self.client.closed is None:
            time.sleep(self.delay)
            self.applied = self.client.received

    def local_port(self):
        return self.client.local_port()

    def frames_received(self):
        return self.applied

    def flush(self, timeout):
        self.flushes.append((timeout, self.applied))

    def __repr__(self):
        return "<the slow one>"


def test_advance_returns_when_every_follower_has_applied_everything(exchange, open_client):
    quick, slow = open_client(exchange), SlowFollower(open_client(exchange), 0.02)
    exchange.attach(quick)
    exchange.attach(slow)
    exchange.attach(slow)
    for client in (quick, slow.client):
        client.subscribe("orderbook_delta", market_ticker=BUSY_TICKER)
        client.answer()
    for _ in range(5):
        exchange.advance(2)
        assert quick.received == slow.applied == slow.client.received
    assert [timeout for timeout, _ in slow.flushes] == [10.0] * 5
    assert slow.flushes[-1][1] == slow.applied
    assert slow.applied > 100


def test_a_follower_that_lags_is_named_with_what_to_do(exchange, open_client, monkeypatch):
    monkeypatch.setattr(_followers, "_PATIENCE", 0.2)
    stuck = SlowFollower(open_client(exchange), 3_600)
    stuck.client.subscribe("orderbook_delta", market_ticker=BUSY_TICKER)
    stuck.client.answer()
    exchange.attach(stuck)
    with pytest.raises(SimulationError, match=r"<the slow one> lags behind: it has applied 0 of \d+ frames.*detach"):
        exchange.advance(5)
    assert exchange.now_us() == START_US + 250_000, "no step begins before the last one has been applied"
    exchange.detach(stuck)
    exchange.detach(stuck)
    exchange.advance(5)


def test_a_follower_that_does_not_flush_in_time_is_named(exchange, client):
    class Unflushed(SlowFollower):
        def flush(self, timeout):
            raise TimeoutError("the pipeline is busy")

    exchange.attach(Unflushed(client, 0.01))
    with pytest.raises(SimulationError, match=r"<the slow one>.*the pipeline is busy.*detach"):
        exchange.advance(1)


def test_followers_without_a_connection_are_not_waited_for(exchange, client, open_client):
    class Elsewhere(SlowFollower):
        port = None

        def local_port(self):
            return self.port

    client.subscribe("trade")
    client.answer()
    away = Elsewhere(client, 3_600)
    exchange.attach(away)
    exchange.advance(1)
    away.port = 1
    exchange.advance(1)
    assert len(away.flushes) == 2


def test_a_follower_whose_connection_breaks_meanwhile_is_not_waited_for(exchange, open_client):
    stuck = SlowFollower(open_client(exchange), 3_600)
    stuck.client.subscribe("orderbook_delta", market_ticker=BUSY_TICKER)
    stuck.client.answer()
    exchange.attach(stuck)
    advancing = threading.Thread(target=exchange.advance, args=(30,))
    advancing.start()
    poll_until(lambda: exchange.now_us() > START_US, "the first step")
    assert advancing.is_alive()
    exchange.faults.drop_connections()
    advancing.join(10)
    assert not advancing.is_alive()
    assert exchange.now_us() == START_US + 30_000_000


def test_advances_from_several_threads_take_turns(exchange, client):
    client.subscribe("orderbook_delta", "ticker", market_tickers=list(exchange.market_tickers))
    client.answer()
    threads = [threading.Thread(target=exchange.advance, args=(3,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert exchange.now_us() == START_US + 12_000_000
    stamps = [message["msg"]["ts_ms"] for message in client.messages()]
    assert stamps == sorted(stamps)
    books = [message["seq"] for message in client.messages() if message["type"] == "orderbook_delta"]
    assert books == list(range(books[0], books[0] + len(books)))


@pytest.mark.parametrize("speed", [0.5, 3.0, 20])
def test_a_faster_tape_has_the_same_events_in_less_time(open_exchange, open_client, speed):
    told = []
    for pace, seconds in ((1.0, 60.0), (speed, 60.0 / speed)):
        exchange = open_exchange(seed=7, speed=pace)
        client = open_client(exchange)
        exchange.attach(client)
        client.subscribe("trade", "orderbook_delta", market_ticker=BUSY_TICKER)
        client.answer()
        exchange.advance(seconds)
        told.append([(each["type"], each["seq"], timeless(each["msg"])) for each in client.messages()])
    assert told[0] == told[1]
    assert len(told[0]) > 100


def timeless(msg):
    return {name: value for name, value in msg.items() if name not in ("ts", "ts_ms")}


@pytest.mark.parametrize("speed", [0, -1, True, "2", float("nan"), 1e6])
def test_an_impossible_pace_is_refused(speed):
    with pytest.raises(SimulationError, match="pace"):
        Exchange(speed=speed, clock="manual")
