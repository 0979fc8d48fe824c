"""Markets live up to their settlement by the exchange's clock, and say so in the frames that the exchange sends."""

from __future__ import annotations

from collections import defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kalshi_nb.errors import SimulationError
from kalshi_nb.sim._catalogue import EVENTS
from kalshi_nb.sim._venue import Venue
from tests.sim.conftest import poll_until

SECOND = 1_000_000
START = 1_795_359_600 * SECOND
BITCOIN, BITCOIN_EVENT = "KXBTC15M-26NOV221015-15", "KXBTC15M-26NOV221015"
FAR_EVENT = "KXSENATEOH-28"


class Listener:
    """A follower that keeps what it is told of markets, and that no advance has to wait for."""

    def __init__(self):
        self.events, self.markets, self.times = {}, {}, []

    def local_port(self):
        return None

    def frames_received(self):
        return 0

    def flush(self, timeout):
        pass

    def learn(self, at, events, markets):
        self.times.append(at)
        self.events |= {each["event_ticker"]: each for each in events}
        self.markets |= {each["market_ticker"]: each for each in markets}


def lifecycle_of(client):
    return [message for message in client.messages() if message["type"] == "market_lifecycle_v2"]


def told(client, event_type):
    return [message["msg"] for message in lifecycle_of(client) if message["msg"]["event_type"] == event_type]


@pytest.fixture
def listening(open_exchange, open_client):
    """An exchange whose first market closes after 24 s, what is known of it, and a client of all its channels."""
    exchange, listener = open_exchange(seed=7, closes_in=24), Listener()
    client = open_client(exchange)
    exchange.attach(listener)
    exchange.attach(client)
    channels = ("market_lifecycle_v2", "trade", "ticker", "market_positions", "user_orders", "fill")
    client.subscribe(*channels)
    client.subscribe("orderbook_delta", market_tickers=list(exchange.market_tickers), command_id=2)
    client.wait_until(lambda: len(client.frames) >= len(channels) + 1 + 12)
    return exchange, listener, client


def test_whoever_is_attached_is_told_of_all_markets_at_once(open_exchange):
    exchange, listener = open_exchange(), Listener()
    exchange.attach(listener)
    assert listener.times == [exchange.now_us()]
    assert set(listener.markets) == set(exchange.market_tickers)
    for market in listener.markets.values():
        event = listener.events[market["event_ticker"]]
        assert market["title"]
        assert market["subtitle"]
        assert event["title"]
        assert isinstance(event["mutually_exclusive"], bool)
        assert market["open_time"] < exchange.now_us() < market["close_time"]
        assert market["status"] == "active"
        starts = [start for start, _, _ in market["price_ranges"]]
        assert (starts[0], market["price_ranges"][-1][1]) == (0, 10_000)
        assert market["result"] is market["settlement_value"] is market["settled_at"] is None


def test_by_itself_no_market_closes_within_hours(open_exchange):
    exchange, listener = open_exchange(), Listener()
    exchange.attach(listener)
    hours = {
        ticker: (each["close_time"] - exchange.now_us()) / 3_600 / SECOND for ticker, each in listener.markets.items()
    }
    assert min(hours.values()) == hours[BITCOIN] == 6
    assert max(hours.values()) > 30 * 24


def test_no_frame_is_sent_at_a_close_and_nobody_trades_after_it(listening):
    exchange, listener, client = listening
    exchange.advance(23.75)
    before = [each for each in lifecycle_of(client) if each["msg"]["market_ticker"] == BITCOIN]
    exchange.advance(1.9)
    assert [each for each in lifecycle_of(client) if each["msg"]["market_ticker"] == BITCOIN] == before
    close_ms = listener.markets[BITCOIN]["close_time"] // 1_000
    assert close_ms == (exchange.now_us() // SECOND - 1) * 1_000
    last = defaultdict(int)
    for message in client.messages():
        if message["msg"].get("market_ticker") == BITCOIN and "ts_ms" in message["msg"]:
            last[message["type"]] = message["msg"]["ts_ms"]
    assert close_ms - 3_000 < last["orderbook_delta"] < close_ms
    assert last["trade"] < close_ms
    assert last["ticker"] < close_ms + 1_000, "what the last trade changed is told within a second"


def test_after_a_close_the_result_is_told_and_then_paid(listening):
    exchange, listener, client = listening
    exchange.advance(27)
    close = listener.markets[BITCOIN]["close_time"] // SECOND
    (determined,) = told(client, "determined")
    assert list(determined) == ["market_ticker", "determination_ts", "result", "settlement_value", "event_type"]
    assert determined["market_ticker"] == BITCOIN
    assert determined["determination_ts"] == close + 2
    assert (determined["result"], determined["settlement_value"]) in {("yes", "1.0000"), ("no", "0.0000")}
    assert listener.markets[BITCOIN]["status"] == "determined"
    assert listener.markets[BITCOIN]["result"] == determined["result"]
    assert listener.markets[BITCOIN]["determined_at"] == determined["determination_ts"] * SECOND
    assert told(client, "settled") == []
    exchange.advance(2)
    (settled,) = told(client, "settled")
    assert settled == {"market_ticker": BITCOIN, "settled_ts": close + 4, "event_type": "settled"}
    assert listener.markets[BITCOIN]["status"] == "finalized"
    assert listener.markets[BITCOIN]["settled_at"] == settled["settled_ts"] * SECOND


def test_what_rested_is_cancelled_when_the_result_is_told(listening):
    exchange, _, client = listening
    exchange.advance(27)
    client.update("get_snapshot", sid=7, market_ticker=BITCOIN)
    body = client.answer()[-1]["msg"]
    assert [key for key in body if key.endswith("_fp")] == []


def test_a_position_is_paid_and_gone(listening):
    exchange, _, client = listening
    exchange.advance(60)
    positions = defaultdict(list)
    for message in client.messages():
        if message["type"] == "market_position":
            positions[message["msg"]["market_ticker"]].append(message["msg"])
    results = {each["market_ticker"]: each["result"] for each in told(client, "determined")}
    paid = 0
    for ticker, told_of in positions.items():
        if ticker not in results:
            continue
        last, before = told_of[-1], told_of[-2]
        assert (last["position_fp"], last["position_cost_dollars"]) == ("0.00", "0.000000")
        held = float(before["position_fp"])
        value = abs(held) if (held > 0) == (results[ticker] == "yes") else 0
        won = float(last["realized_pnl_dollars"]) - float(before["realized_pnl_dollars"])
        assert won == pytest.approx(value - float(before["position_cost_dollars"]))
        paid += held != 0
    assert paid > 1


@settings(max_examples=10, deadline=None)
@given(st.integers(), st.integers(1, 40))
def test_of_markets_that_exclude_each_other_one_is_yes_and_it_is_the_dearest(seed, closes_in):
    venue = Venue(seed, START, lambda: START, era="2026-10", unknown_markets="empty", closes_in=closes_in)
    lasts, results, prices = {}, defaultdict(dict), {}
    for publication in venue.publish(START + (3 * closes_in + 2) * SECOND, stamped_us=None):
        _, markets = venue.facts({publication.ticker})
        lasts[publication.ticker] = venue._tape.flows[publication.ticker].value  # before it is known how it ends
        if markets[0]["result"] is not None:
            results[markets[0]["event_ticker"]][publication.ticker] = markets[0]["result"]
            prices[publication.ticker] = lasts[publication.ticker]
    assert len(results) == 3
    for event_ticker, by_market in results.items():
        yes = [ticker for ticker, result in by_market.items() if result == "yes"]
        if EVENTS[event_ticker].mutually_exclusive:
            assert len(yes) == 1
            assert prices[yes[0]] == max(prices[ticker] for ticker in by_market)
        else:
            assert all((prices[ticker] >= 5_000) == (result == "yes") for ticker, result in by_market.items())


def test_before_a_close_prices_go_where_it_will_end(open_exchange):
    venue = Venue(7, START, lambda: START, era="2026-10", unknown_markets="empty", closes_in=900)
    for _ in venue.publish(START + 899 * SECOND, stamped_us=None):
        pass
    value = venue._tape.flows[BITCOIN].value
    assert min(value, 10_000 - value) < 1_500


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 100), st.lists(st.integers(1, 20 * SECOND), max_size=30))
def test_the_whole_life_does_not_depend_on_the_steps_it_is_taken_in(seed, steps):
    def bodies(ends):
        venue = Venue(seed, START, lambda: START, era="2026-10", unknown_markets="empty", closes_in=10)
        return [
            (each.channel, each.sending_us, each.body(use_yes_price=False))
            for end in ends
            for each in venue.publish(end, stamped_us=None)
        ]

    ends, at = [], START
    for step in steps:
        at = min(at + step, START + 60 * SECOND)
        ends.append(at)
    assert bodies([*ends, START + 60 * SECOND]) == bodies([START + 60 * SECOND])


def test_a_close_is_only_ever_put_off_and_what_is_told_of_it_is_so(open_exchange, open_client):
    exchange, listener = open_exchange(seed=7, closes_in=1_200), Listener()
    client = open_client(exchange)
    exchange.attach(listener)
    exchange.attach(client)
    client.subscribe("market_lifecycle_v2")
    client.wait_until(lambda: client.frames)
    planned = {ticker: each["close_time"] // SECOND for ticker, each in listener.markets.items()}
    exchange.advance(600)
    updates = told(client, "close_date_updated")
    assert len(updates) > 3
    now = dict(planned)
    for each in updates:
        assert now[each["market_ticker"]] <= each["close_ts"] <= planned[each["market_ticker"]] + 50
        now[each["market_ticker"]] = each["close_ts"]
    assert now == {ticker: each["close_time"] // SECOND for ticker, each in listener.markets.items()}


def test_pauses_are_known_while_they_last(open_exchange, open_client):
    exchange, listener = open_exchange(seed=7), Listener()
    client = open_client(exchange)
    exchange.attach(client)
    exchange.attach(listener)
    client.subscribe("market_lifecycle_v2")
    client.wait_until(lambda: client.frames)
    seen = set()
    for _ in range(600):
        exchange.advance(1)
        paused = {ticker for ticker, each in listener.markets.items() if each["status"] == "inactive"}
        by_frames = {}
        for message in lifecycle_of(client):
            if "is_deactivated" in message["msg"]:
                by_frames[message["msg"]["market_ticker"]] = message["msg"]["is_deactivated"]
        assert paused == {ticker for ticker, deactivated in by_frames.items() if deactivated}
        seen |= paused
    assert len(seen) > 1


def test_the_clock_closes_markets_while_trading_stands_still(open_exchange):
    exchange, listener = open_exchange(seed=7, closes_in=10), Listener()
    exchange.attach(listener)
    exchange._programme.pause(on=True)  # the maintenance of faults would refuse clients as well
    exchange.advance(13)
    assert listener.markets[BITCOIN]["status"] == "finalized"
    exchange._programme.pause(on=False)
    exchange.advance(1)
    assert listener.markets[BITCOIN]["status"] == "finalized"


@pytest.mark.parametrize("speed", [0.5, 20])
def test_a_faster_tape_closes_no_market_sooner(open_exchange, speed):
    exchange, listener = open_exchange(seed=7, closes_in=12, speed=speed), Listener()
    exchange.attach(listener)
    exchange.advance(12.5)
    assert listener.markets[BITCOIN]["status"] in ("active", "inactive")
    exchange.advance(0.5)
    assert listener.markets[BITCOIN]["status"] == "determined"


def test_by_the_wall_clock_markets_come_to_their_end_as_well_and_the_exchange_goes_on(open_exchange):
    exchange, listener = open_exchange(seed=7, clock="wall", closes_in=1), Listener()
    exchange.attach(listener)
    poll_until(lambda: listener.markets[BITCOIN]["status"] == "finalized", "the end of the first market")
    assert listener.markets[BITCOIN]["settled_at"] <= exchange.now_us()
    assert listener.markets[f"{FAR_EVENT}-D"]["status"] == "active"


@pytest.mark.parametrize("closes_in", [0, 0.5, -1, float("nan"), float("inf"), True, "60", None, 10**9])
def test_a_time_until_a_close_that_cannot_be_is_refused(open_exchange, closes_in):
    with pytest.raises(SimulationError, match=r"closes_in=.*pass seconds from 1 to"):
        open_exchange(closes_in=closes_in)
