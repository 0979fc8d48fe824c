"""The account over REST: what its socket told of it, in pages, and to nobody but whoever has the key."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections import Counter
from datetime import datetime

import pytest

from kalshi_nb.sim import Exchange
from tests.sim.conftest import signed

PREFIX = "/trade-api/v2"
PORTFOLIO = ("orders", "fills", "positions", "balance")
CHANNELS = ("fill", "user_orders", "market_positions")


def ask(exchange, target, *, is_signed=True):
    """Status and parsed body of one GET."""
    path = PREFIX + target.partition("?")[0]
    headers = signed(exchange.key_id, exchange.private_key, path=path) if is_signed else {}
    request = urllib.request.Request(exchange.rest_url + target, headers=headers)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=30) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code, json.loads(refusal.read())


def got(exchange, target):
    status, body = ask(exchange, target)
    assert status == 200, body
    return body


def all_of(exchange, target, name, limit=100):
    """All rows of a list, page by page."""
    cursor, found = "", []
    while True:
        joint = "&" if "?" in target else "?"
        page = got(exchange, f"{target}{joint}limit={limit}&cursor={cursor}")
        found += page[name]
        cursor = page["cursor"]
        if not cursor:
            return found
        assert len(page[name]) == limit


def millis(text):
    return int(datetime.fromisoformat(text).timestamp() * 1000)


def told(exchange, client, seconds):
    """What the socket says of the account in so many seconds, by the type of message."""
    client.subscribe(*CHANNELS)
    client.take(len(CHANNELS))
    exchange.advance(seconds)
    found = {"fill": [], "user_order": [], "market_position": []}
    for message in client.messages():
        found[message["type"]].append(message["msg"])
    return found


@pytest.mark.parametrize(
    "path", [*(f"/portfolio/{each}" for each in PORTFOLIO), "/historical/orders", "/historical/fills"]
)
def test_the_account_is_for_whoever_signs(exchange, path):
    assert ask(exchange, path)[0] == 200
    status, body = ask(exchange, path, is_signed=False)
    assert (status, set(body)) == (401, {"error"})


def test_fills_are_those_of_the_socket_newest_first_without_the_position_after_them(exchange, client):
    fills = told(exchange, client, 180)["fill"]
    found = all_of(exchange, "/portfolio/fills", "fills", limit=7)
    assert len(fills) > 30
    assert [each["created_time"] for each in found] == sorted((each["created_time"] for each in found), reverse=True)
    by_id = {each["trade_id"]: each for each in found}
    assert sorted(by_id) == sorted(each["trade_id"] for each in fills)
    same = ("order_id", "client_order_id", "market_ticker", "is_taker", "side", "yes_price_dollars", "count_fp")
    same += ("fee_cost", "outcome_side", "book_side", "ts")
    for each in fills:
        rest = by_id[each["trade_id"]]
        assert {name: rest[name] for name in same} == {name: each[name] for name in same}
        assert millis(rest["created_time"]) == each["ts_ms"]
        assert "post_position_fp" not in rest


def test_orders_stand_as_they_were_told_of_last_with_those_that_never_changed(exchange, client):
    before = {each["order_id"]: each for each in all_of(exchange, "/portfolio/orders", "orders")}
    assert before
    assert {each["status"] for each in before.values()} == {"resting"}
    last = {each["order_id"]: each for each in told(exchange, client, 120)["user_order"]}
    found = {each["order_id"]: each for each in all_of(exchange, "/portfolio/orders", "orders", limit=9)}
    assert set(found) == set(before) | set(last)
    assert set(before) - set(last), "some orders are as they were"
    unchanged = [before[each] for each in sorted(set(before) - set(last))]
    assert unchanged == [found[each["order_id"]] for each in unchanged]
    same = ("ticker", "user_id", "status", "outcome_side", "book_side", "yes_price_dollars", "fill_count_fp")
    same += ("remaining_count_fp", "initial_count_fp", "taker_fill_cost_dollars", "maker_fill_cost_dollars")
    same += ("taker_fees_dollars", "client_order_id", "created_time", "last_update_time")
    for each in last.values():
        rest = found[each["order_id"]]
        assert {name: rest[name] for name in same} == {name: each[name] for name in same}


def test_orders_are_asked_for_by_status_market_and_event(exchange):
    exchange.advance(120)
    every = all_of(exchange, "/portfolio/orders", "orders")
    counts = Counter(each["status"] for each in every)
    assert set(counts) == {"resting", "canceled", "executed"}
    for status, count in counts.items():
        assert len(all_of(exchange, f"/portfolio/orders?status={status}", "orders")) == count
    ticker = every[0]["ticker"]
    one = all_of(exchange, f"/portfolio/orders?ticker={ticker}", "orders")
    assert {each["ticker"] for each in one} == {ticker}
    event = ticker.rpartition("-")[0]
    assert len(all_of(exchange, f"/portfolio/orders?event_ticker={event}", "orders")) >= len(one)
    assert got(exchange, f"/portfolio/orders/{every[0]['order_id']}")["order"] == every[0]
    assert ask(exchange, "/portfolio/orders/none")[0] == 404
    assert ask(exchange, "/portfolio/orders?status=filled")[0] == 400
    assert ask(exchange, "/portfolio/orders?limit=201")[0] == 400
    assert got(exchange, "/portfolio/orders?subaccount=3")["orders"] == []


def test_positions_are_those_of_the_socket_and_add_up_by_event(exchange, client):
    last = {each["market_ticker"]: each for each in told(exchange, client, 180)["market_position"]}
    body = got(exchange, "/portfolio/positions")
    found = {each["ticker"]: each for each in body["market_positions"]}
    assert set(found) == set(last)
    for ticker, each in last.items():
        rest = found[ticker]
        assert (rest["position_fp"], rest["market_exposure_dollars"], rest["realized_pnl_dollars"]) == (
            each["position_fp"],
            each["position_cost_dollars"],
            each["realized_pnl_dollars"],
        )
        assert rest["fees_paid_dollars"] == each["fees_paid_dollars"]
    assert {each["event_ticker"] for each in body["event_positions"]} == {each.rpartition("-")[0] for each in found}
    exposed = sum(float(each["market_exposure_dollars"]) for each in found.values())
    assert sum(float(each["event_exposure_dollars"]) for each in body["event_positions"]) == pytest.approx(exposed)
    held = got(exchange, "/portfolio/positions?count_filter=position")["market_positions"]
    assert {each["ticker"] for each in held} == {
        ticker for ticker, each in last.items() if each["position_fp"] != "0.00"
    }
    assert ask(exchange, "/portfolio/positions?count_filter=size")[0] == 400


def test_a_market_that_was_paid_out_is_no_position_any_more():
    with Exchange(seed=7, clock="manual", closes_in=120) as exchange:
        exchange.advance(100)
        before = {each["ticker"] for each in got(exchange, "/portfolio/positions")["market_positions"]}
        assert any(each.startswith("KXBTC15M") for each in before)
        exchange.advance(60)
        after = {each["ticker"] for each in got(exchange, "/portfolio/positions")["market_positions"]}
        assert not any(each.startswith("KXBTC15M") for each in after)


def test_the_balance_is_what_is_left_of_what_it_began_with(exchange):
    assert got(exchange, "/portfolio/balance")["balance"] < 1_000_000, "orders that rest take their part"
    exchange.advance(180)
    body = got(exchange, "/portfolio/balance")
    positions = got(exchange, "/portfolio/positions")["market_positions"]
    resting = all_of(exchange, "/portfolio/orders?status=resting", "orders")
    spent = sum(float(each["market_exposure_dollars"]) + float(each["fees_paid_dollars"]) for each in positions)
    won = sum(float(each["realized_pnl_dollars"]) for each in positions)
    reserved = sum(
        float(each["remaining_count_fp"]) * float(each[f"{each['side']}_price_dollars"]) for each in resting
    )
    assert body["balance"] / 100 == pytest.approx(10_000 - spent + won - reserved, abs=0.011)
    assert body["portfolio_value"] > 0
    assert body["updated_ts"] > 0


@pytest.mark.parametrize("name", ["orders", "fills"])
def test_what_ended_before_the_cutoff_is_in_the_historical_tier_and_for_a_while_in_both(exchange, name):
    exchange.advance(240)
    key = "order_id" if name == "orders" else "trade_id"
    every = {each[key]: each for each in all_of(exchange, f"/portfolio/{name}", name)}
    assert got(exchange, f"/historical/{name}")[name] == []
    exchange.faults.rest(live_tier=120)
    cutoff = got(exchange, "/historical/cutoff")["orders_updated_ts" if name == "orders" else "trades_created_ts"]
    live = {each[key]: each for each in all_of(exchange, f"/portfolio/{name}", name)}
    moved = {each[key]: each for each in all_of(exchange, f"/historical/{name}", name, limit=7)}
    assert {**live, **moved} == every
    assert live.keys() - moved.keys()
    assert moved.keys() - live.keys()
    time = "last_update_time" if name == "orders" else "created_time"
    assert all(millis(each[time]) < millis(cutoff) for each in moved.values())
    assert all(each["status"] != "resting" for each in moved.values() if name == "orders")
    assert all(
        millis(live[each][time]) >= millis(cutoff) - 4_001 for each in live if live[each].get("status") != "resting"
    )
    ticker = next(iter(moved.values()))["ticker"]
    some = all_of(exchange, f"/historical/{name}?ticker={ticker}&min_ts={2**33}", name)  # it looks at no beginning
    assert {each[key] for each in some} == {each for each in moved if moved[each]["ticker"] == ticker}
    if name == "orders":
        assert ask(exchange, f"/portfolio/orders/{next(iter(moved.keys() - live.keys()))}")[0] == 404
