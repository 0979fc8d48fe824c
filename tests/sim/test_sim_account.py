"""The account and the market tell one story: its orders are in the book, its fills are parts of trades."""

from __future__ import annotations

import itertools
import json
from collections import Counter, defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kalshi_nb.sim._account import taker_fee
from kalshi_nb.sim._book import RestingBook
from kalshi_nb.sim._events import Delta, Fill, Lifecycle, OrderUpdate, PositionUpdate, Trade
from kalshi_nb.sim._market import GRIDS, WHOLE
from kalshi_nb.sim._tape import Tape

SECOND = 1_000_000
ACCOUNT_CHANNELS = ("fill", "user_orders", "market_positions")


def cents(text):
    """Read a fixed-point text of the wire as an integer, by its digits alone."""
    return int(text.replace(".", ""))


def yes_price(order):
    return order.price if order.side == "yes" else WHOLE - order.price


def signed(fill):
    return fill.quantity if fill.order.side == "yes" else -fill.quantity


# -- the model --------------------------------------------------------------------------------------------------------


@settings(max_examples=5, deadline=None)
@given(st.integers())
def test_for_any_seed_a_position_is_the_sum_of_its_fills_and_costs_what_they_did(seed):
    positions, volumes, fees, spent = Counter(), Counter(), Counter(), Counter()
    for event in Tape(seed).until(120 * SECOND):
        ticker = event.market.ticker
        if isinstance(event, Fill):
            positions[ticker] += signed(event)
            volumes[ticker] += event.quantity
            fees[ticker] += event.fee
            each = event.yes_price if event.order.side == "yes" else WHOLE - event.yes_price
            spent[ticker] += event.quantity * each
            assert event.position == positions[ticker]
            assert event.fee == (taker_fee(event.quantity, event.yes_price) if event.is_taker else 0)
        elif isinstance(event, PositionUpdate):
            held = positions[ticker]
            assert (event.position, event.volume, event.fees) == (held, volumes[ticker], fees[ticker])
            assert event.cost >= 0
            assert (event.cost == 0) == (held == 0)
            assert event.cost <= abs(held) * WHOLE
            # A YES and a NO make a dollar: what was spent is what is held, or it came back, less what was won.
            closed = (volumes[ticker] - abs(held)) // 2
            assert spent[ticker] == event.cost + closed * WHOLE - event.realized
    assert sum(volumes.values()) > 0


@settings(max_examples=5, deadline=None)
@given(st.integers())
def test_for_any_seed_what_rests_of_orders_is_in_the_book_and_they_add_up(seed):
    tape = Tape(seed)
    resting = {
        order.state().order_id: (ticker, order.state())
        for ticker, flow in tape.flows.items()
        for order in flow.desk.resting
    }
    assert resting, "some orders rest from the beginning"
    filled = Counter()
    for event in tape.until(120 * SECOND):
        if isinstance(event, Fill):
            filled[event.order.order_id] += event.quantity
        elif isinstance(event, OrderUpdate):
            order = event.order
            assert order.filled == filled[order.order_id]
            if order.status == "canceled":
                assert (order.remaining, order.filled < order.initial) == (0, True)
            else:
                assert order.filled + order.remaining == order.initial
                assert (order.status == "executed") == (order.remaining == 0)
            if order.status == "resting":
                resting[order.order_id] = (event.market.ticker, order)
            else:
                resting.pop(order.order_id, None)
            is_taker = order.taker_cost > 0
            assert order.created_at == event.at or not is_taker
    for ticker, order in resting.values():
        assert tape.flows[ticker].book.count_at(order.side, order.price) >= order.remaining
    assert len(resting) == sum(len(flow.desk.resting) for flow in tape.flows.values())


@pytest.mark.parametrize("seed", [1, 7])
def test_at_every_moment_the_book_holds_at_least_what_rests(seed):
    books, resting = defaultdict(Counter), {}
    tape = Tape(seed)
    for ticker, flow in tape.flows.items():
        for side in ("yes", "no"):
            books[ticker].update({(side, price): count for price, count in flow.book.levels(side)})
        resting |= {order.state().order_id: (ticker, order.state()) for order in flow.desk.resting}
    # What happens in one action is told in several messages of one moment: they agree when it is over.
    compared = 0
    for _, together in itertools.groupby(tape.until(120 * SECOND), lambda event: (event.at, event.market.ticker)):
        for event in together:
            if isinstance(event, Delta):
                books[event.market.ticker][event.side, event.price] += event.quantity
            elif isinstance(event, OrderUpdate):
                resting.pop(event.order.order_id, None)
                if event.order.status == "resting":
                    resting[event.order.order_id] = (event.market.ticker, event.order)
        for ticker, order in resting.values():
            assert books[ticker][order.side, order.price] >= order.remaining
            compared += 1
    assert compared > 5_000


@pytest.mark.parametrize("seed", [1, 7])
def test_each_fill_is_part_of_a_trade_that_everybody_sees_on_the_side_that_it_took_or_made(seed):
    trades, parts, makers, takers = {}, Counter(), 0, 0
    for event in Tape(seed).until(250 * SECOND):
        if isinstance(event, Trade):
            trades[event.trade_id] = event
        elif isinstance(event, Fill):
            trade = trades[event.trade_id]
            assert (event.at, event.market, event.yes_price) == (trade.at, trade.market, trade.yes_price)
            assert (event.order.side == trade.taker) == event.is_taker
            parts[event.trade_id] += event.quantity
            assert parts[event.trade_id] <= trade.quantity
            if event.is_taker:
                takers += 1
                better = trade.yes_price if event.order.side == "yes" else WHOLE - trade.yes_price
                assert better <= event.order.price
            else:
                makers += 1
                assert yes_price(event.order) == trade.yes_price
    assert min(makers, takers) > 5


@pytest.mark.parametrize("seed", [1, 7])
def test_a_change_that_names_an_order_of_the_account_s_is_that_order_s_doing(seed):
    named, orders = defaultdict(int), {}
    kinds = Counter()
    for event in Tape(seed).until(250 * SECOND):
        if isinstance(event, Delta) and event.order is not None:
            named[event.at, event.order] += event.quantity
            side, price = event.side, event.price
        elif isinstance(event, OrderUpdate):
            order, before = event.order, orders.get(event.order.order_id)
            change = named.pop((event.at, order.client_order_id), 0)
            if order.taker_cost:
                kinds["took"] += 1
                assert change == -order.filled
                assert side != order.side
            elif order.status == "resting" and event.reason is None:
                kinds["made"] += 1
                assert (change, side, price) == (order.initial, order.side, order.price)
            elif order.status == "canceled" and event.reason is None and change:
                kinds["canceled"] += 1
                assert (side, price) == (order.side, order.price)
                if before is not None:
                    assert change == -before.remaining
            orders[order.order_id] = order
    assert not named
    assert min(kinds.values()) > 5
    assert set(kinds) == {"took", "made", "canceled"}


def test_a_halt_cancels_the_account_s_orders_with_the_others():
    halted = 0
    resting = set()
    for event in Tape(9).until(1_500 * SECOND):
        if isinstance(event, OrderUpdate):
            (resting.add if event.order.status == "resting" else resting.discard)((event.market, event.order.order_id))
            halted += event.reason == "HaltCancel"
        elif isinstance(event, Lifecycle) and event.event_type == "activated":
            assert not any(market is event.market for market, _ in resting)
    assert halted > 1


def test_in_the_account_s_markets_something_rests_most_of_the_time():
    tape = Tape(7)
    moments = Counter()
    for second in range(1, 301):
        for _ in tape.until(second * SECOND):
            pass
        for ticker, flow in tape.flows.items():
            moments[ticker] += bool(flow.desk.resting)
            assert abs(flow.desk.position) <= 100_000
    active = {ticker: count for ticker, count in moments.items() if count}
    assert len(active) == 6
    assert all(count > 90 for count in active.values())


class Own:
    """What a book knows of an order of the account's."""

    def __init__(self, remaining):
        self.remaining = remaining


def test_what_is_left_of_an_order_moves_to_another_that_is_large_enough_and_else_goes_with_its_own():
    book, own = RestingBook(GRIDS["linear_cent"]), Own(500)
    book.add("yes", 4_000, 500, own)
    book.add("yes", 4_000, 499)
    book.add("yes", 4_000, 700)
    assert book.cancel("yes", 4_000, 0) == 500
    assert book.touched() == []
    assert book.take("yes", 4_000, 499 + 300) == 799
    assert book.touched() == [(own, 300)]
    own.remaining -= 300
    assert book.cancel("yes", 4_000, 0) == 400
    assert book.touched() == [(own, 200)]
    assert book.levels("yes") == []


@pytest.mark.parametrize(
    ("count", "price", "fee"), [(552, 1_700, 54_600), (116, 1_600, 11_000), (100, 5_200, 17_500), (1, 100, 100)]
)
def test_fees_are_those_that_were_seen(count, price, fee):
    assert taker_fee(count, price) == taker_fee(count, WHOLE - price) == fee


# -- over the wire ----------------------------------------------------------------------------------------------------


def open_channels(client, *channels, **filters):
    """Subscribe, and wait until it is so: time must not go by before."""
    client.subscribe(*channels, **filters)
    client.wait_until(lambda: len(client.frames) >= len(channels))


def test_the_account_s_messages_have_the_protocol_s_fields_in_its_order(exchange, client):
    open_channels(client, *ACCOUNT_CHANNELS)
    exchange.advance(120)
    bodies = {message["type"]: message["msg"] for message in client.messages()}
    assert list(bodies["fill"]) == [
        "trade_id", "order_id", "client_order_id", "market_ticker", "exchange_index", "is_taker", "side", "ts",
        "ts_ms", "yes_price_dollars", "count_fp", "fee_cost", "action", "post_position_fp", "purchased_side",
        "outcome_side", "book_side", "subaccount",
    ]  # fmt: skip
    assert list(bodies["market_position"]) == [
        "user_id", "market_ticker", "position_fp", "position_cost_dollars", "realized_pnl_dollars",
        "fees_paid_dollars", "position_fee_cost_dollars", "volume_fp", "subaccount",
    ]  # fmt: skip
    full = [
        "order_id", "user_id", "ticker", "exchange_index", "status", "side", "is_yes", "outcome_side", "book_side",
        "yes_price_dollars", "fill_count_fp", "remaining_count_fp", "initial_count_fp", "taker_fill_cost_dollars",
        "maker_fill_cost_dollars", "taker_fees_dollars", "maker_fees_dollars", "client_order_id", "created_time",
        "last_update_time", "created_ts_ms", "last_updated_ts_ms", "last_update_reason", "subaccount_number",
    ]  # fmt: skip
    orders = [message["msg"] for message in client.messages() if message["type"] == "user_order"]
    assert all([*order] == [name for name in full if name in order] for order in orders)
    assert any([*order] == full for order in orders)
    assert all("seq" not in message for message in client.messages() if message["type"] in ("fill", "user_order"))


def test_on_the_wire_fills_orders_and_positions_say_one_thing(exchange, client):
    open_channels(client, *ACCOUNT_CHANNELS, "trade")
    exchange.advance(150)
    positions, filled, seen = Counter(), Counter(), Counter()
    trades = {}
    for message in client.messages():
        kind, body = message["type"], message["msg"]
        seen[kind] += 1
        if kind == "trade":
            trades[body["trade_id"]] = body
        elif kind == "fill":
            count = cents(body["count_fp"])
            positions[body["market_ticker"]] += count if body["outcome_side"] == "yes" else -count
            assert cents(body["post_position_fp"]) == positions[body["market_ticker"]]
            assert body["yes_price_dollars"] == trades[body["trade_id"]]["yes_price_dollars"]
            assert (body["outcome_side"], body["book_side"]) in {("yes", "bid"), ("no", "ask")}
            filled[body["order_id"]] += count
        elif kind == "market_position":
            assert cents(body["position_fp"]) == positions[body["market_ticker"]]
        elif kind == "user_order":
            fill_count, remaining, initial = (
                cents(body[f"{name}_count_fp"]) for name in ("fill", "remaining", "initial")
            )
            assert fill_count == filled[body["order_id"]]
            assert body["status"] == "canceled" or fill_count + remaining == initial
            assert body["created_ts_ms"] <= body["last_updated_ts_ms"] == message["sending_ts_ms"]
    assert min(seen["fill"], seen["market_position"], seen["user_order"]) > 10


def test_a_filter_of_markets_holds_for_the_account_too(exchange, client):
    wanted = "KXBTC15M-26NOV221015-15"
    open_channels(client, *ACCOUNT_CHANNELS, market_ticker=wanted)
    exchange.advance(120)
    bodies = [message["msg"] for message in client.messages() if message["type"] != "subscribed"]
    assert {body.get("ticker") or body["market_ticker"] for body in bodies} == {wanted}


def test_before_september_there_were_no_shards(open_exchange, open_client):
    exchange = open_exchange(era="captures")
    client = open_client(exchange)
    exchange.attach(client)
    open_channels(client, *ACCOUNT_CHANNELS)
    exchange.advance(60)
    assert any(message["type"] == "fill" for message in client.messages())
    assert "exchange_index" not in "".join(client.frames)


def test_an_order_keeps_the_time_at_which_it_was_made_when_trading_stood_still_meanwhile(exchange, client):
    open_channels(client, "user_orders")
    exchange.advance(30)
    made = defaultdict(set)
    for _ in range(4):
        exchange._programme.pause(on=True)  # the maintenance of faults would close the connection as well
        exchange.advance(7.5)
        exchange._programme.pause(on=False)
        exchange.advance(20)
    for message in client.messages():
        if message["type"] == "user_order":
            made[message["msg"]["order_id"]].add(message["msg"]["created_ts_ms"])
    assert len(made) > 30
    assert {len(times) for times in made.values()} == {1}


def test_the_same_seed_gives_the_same_account_to_the_byte(open_exchange, open_client):
    def told(seed):
        exchange = open_exchange(seed=seed)
        client = open_client(exchange)
        exchange.attach(client)
        open_channels(client, *ACCOUNT_CHANNELS)
        for step in (20, 0.4, 19.6):
            exchange.advance(step)
        return client.frames

    assert told(3) == told(3)
    assert told(3) != told(4)
    assert all(json.loads(frame) for frame in told(5))
