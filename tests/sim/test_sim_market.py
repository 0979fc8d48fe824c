"""The market is a market: never negative, never crossed, and every message agrees with every other."""

from __future__ import annotations

import itertools
import json
import re
from collections import Counter, defaultdict
from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kalshi_nb.sim._book import RestingBook
from kalshi_nb.sim._events import Delta, Lifecycle, Ticker, Trade
from kalshi_nb.sim._frames import contracts, dollars, rfc3339, snapshot_body
from kalshi_nb.sim._market import GRIDS
from kalshi_nb.sim._tape import Tape
from tests.sim.conftest import BOOK_TICKER, BUSY_TICKER

SECOND = 1_000_000
HOUR = 3_600 * SECOND


def books_of(tape):
    return {
        ticker: {"yes": dict(flow.book.levels("yes")), "no": dict(flow.book.levels("no"))}
        for ticker, flow in tape.flows.items()
    }


def cents(text):
    """Read a fixed-point text of the wire as an integer, by its digits alone."""
    return int(text.replace(".", ""))


# -- over the wire ----------------------------------------------------------------------------------------------------


class WireBook:
    """A book kept from frames alone."""

    def __init__(self):
        self.sides = {"yes": {}, "no": {}}

    def replace(self, body):
        for side in self.sides:
            levels = body.get(f"{side}_dollars_fp", [])
            prices = [cents(price) for price, _ in levels]
            assert prices == sorted(set(prices)), "levels ascend"
            self.sides[side] = {cents(price): cents(count) for price, count in levels}
            assert all(count > 0 for count in self.sides[side].values())

    def apply(self, body):
        side, price, change = self.sides[body["side"]], cents(body["price_dollars"]), cents(body["delta_fp"])
        assert 0 < price < 10_000
        assert change
        left = side.get(price, 0) + change
        assert left >= 0, "a level below zero"
        side.pop(price, None)
        if left:
            side[price] = left
        assert max(self.sides["yes"], default=0) + max(self.sides["no"], default=0) < 10_000, "crossed"

    def quote(self):
        bid, against = max(self.sides["yes"], default=0), max(self.sides["no"], default=0)
        return bid, 10_000 - against, self.sides["yes"].get(bid, 0), self.sides["no"].get(against, 0)


@pytest.mark.parametrize("seed", [1, 7])
def test_frames_of_all_channels_tell_one_story(open_exchange, open_client, seed):
    exchange = open_exchange(seed=seed)
    client = open_client(exchange)
    exchange.attach(client)
    tickers = list(exchange.market_tickers)
    client.subscribe("orderbook_delta", "ticker", "trade", market_tickers=tickers, send_initial_snapshot=True)
    exchange.advance(400)
    client.update("get_snapshot", sid=1, market_tickers=tickers)
    messages = client.answer()

    books = {ticker: WireBook() for ticker in tickers}
    volume, interest, since_ticker = {}, {}, defaultdict(int)
    taken = Counter()
    checked = 0
    for message in messages:
        kind, body = message["type"], message["msg"]
        ticker = body.get("market_ticker")
        if kind == "orderbook_snapshot" and "id" not in message:
            books[ticker].replace(body)
        elif kind == "orderbook_snapshot":
            kept, books[ticker] = books[ticker], WireBook()
            books[ticker].replace(body)
            assert kept.sides == books[ticker].sides, "deltas from the first snapshot on equal the last"
            checked += 1
        elif kind == "orderbook_delta":
            books[ticker].apply(body)
            if body["delta_fp"].startswith("-"):
                taken[ticker, body["ts_ms"], body["side"], cents(body["price_dollars"])] -= cents(body["delta_fp"])
        elif kind == "trade":
            yes, no, count = (cents(body[key]) for key in ("yes_price_dollars", "no_price_dollars", "count_fp"))
            assert yes + no == 10_000
            assert count > 0
            assert (body["taker_outcome_side"], body["taker_book_side"]) in {("yes", "bid"), ("no", "ask")}
            maker = ("no", no) if body["taker_outcome_side"] == "yes" else ("yes", yes)
            taken[ticker, body["ts_ms"], *maker] -= count
            assert taken[ticker, body["ts_ms"], *maker] >= 0, "the book falls before its trade is told"
            since_ticker[ticker] += count
        elif kind == "ticker":
            names = ("yes_bid_dollars", "yes_ask_dollars", "yes_bid_size_fp", "yes_ask_size_fp")
            assert tuple(cents(body[name]) for name in names) == books[ticker].quote()
            total, held = cents(body["volume_fp"]), cents(body["open_interest_fp"])
            assert total == volume.get(ticker, total) + since_ticker[ticker], "trades add up to volume"
            assert body["dollar_volume"] == total // 200
            assert body["dollar_open_interest"] == held // 200 >= 0
            assert abs(held - interest.get(ticker, held)) <= since_ticker[ticker]
            volume[ticker], interest[ticker], since_ticker[ticker] = total, held, 0
    assert checked == len(tickers)
    assert Counter(message["type"] for message in messages)["trade"] > 400


def test_the_last_trade_is_the_ticker_s_price_and_size(exchange, client):
    client.subscribe("trade", "ticker", market_ticker=BUSY_TICKER)
    exchange.advance(120)
    last, compared = None, 0
    for message in client.messages()[2:]:
        body = message["msg"]
        if message["type"] == "trade":
            last = (body["yes_price_dollars"], body["count_fp"])
        elif last:
            assert (body["price_dollars"], body["last_trade_size_fp"]) == last
            compared += 1
    assert compared > 50


def test_use_yes_price_writes_no_prices_as_yes_prices_and_nothing_else(exchange, open_client):
    plain, flipped = open_client(exchange), open_client(exchange)
    for client, flag in ((plain, False), (flipped, True)):
        exchange.attach(client)
        client.subscribe("orderbook_delta", market_ticker=BOOK_TICKER, use_yes_price=flag)
        client.answer()
        client.update("get_snapshot", sid=1, market_tickers=[BOOK_TICKER])
        client.wait_until(lambda: client.frames)  # noqa: B023
    exchange.advance(60)
    differing = 0
    for one, two in zip(plain.messages(), flipped.messages(), strict=True):
        body, other = one["msg"], two["msg"]
        if one["type"] == "orderbook_snapshot":
            turned = [[dollars(10_000 - cents(p)).strip('"'), c] for p, c in reversed(body["no_dollars_fp"])]
            assert other == {**body, "no_dollars_fp": turned}
        elif body["side"] == "no":
            assert cents(body["price_dollars"]) + cents(other["price_dollars"]) == 10_000
            assert {**body, "price_dollars": ""} == {**other, "price_dollars": ""}
            differing += 1
        else:
            assert one == two
    assert differing > 50


def test_times_and_numbers_are_written_as_the_exchange_writes_them(exchange, client):
    client.subscribe("orderbook_delta", "ticker", market_tickers=list(exchange.market_tickers))
    exchange.advance(200)
    last = 0
    for message in client.messages():
        body = message["msg"]
        if message["type"] == "orderbook_delta":
            assert re.fullmatch(r"2026-11-22T15:\d\d:\d\d(\.\d{0,5}[1-9])?Z", body["ts"])
            micros = round(datetime.fromisoformat(body["ts"]).timestamp() * 1_000_000)
            assert body["ts_ms"] == micros // 1000 == message["sending_ts_ms"]
            assert micros >= last
            last = micros
            assert re.fullmatch(r"0\.\d{4}", body["price_dollars"])
            assert re.fullmatch(r"-?\d+\.\d\d", body["delta_fp"])
        elif message["type"] == "ticker":
            assert body["ts"] == body["ts_ms"] // 1000
            assert round(datetime.fromisoformat(body["time"]).timestamp() * 1_000_000) // 1000 == body["ts_ms"]


def test_none_is_written_as_the_exchange_writes_it(exchange, client):
    fresh = "KXSENATEOH-28-I"
    client.subscribe("ticker", market_tickers=[fresh], send_initial_snapshot=True)
    exchange.advance(1_500)
    bodies = [message["msg"] for message in client.messages() if message["type"] == "ticker"]
    assert {body["price_dollars"] for body in bodies} == {"0.0000"}
    assert {(body["volume_fp"], body["last_trade_size_fp"]) for body in bodies} == {("0.00", "0.00")}
    no_bid = [body["yes_bid_size_fp"] for body in bodies if body["yes_bid_dollars"] == "0.0000"]
    no_ask = [body["yes_ask_size_fp"] for body in bodies if body["yes_ask_dollars"] == "1.0000"]
    assert set(no_bid) == {"0.00"}
    assert set(no_ask) <= {"0.00"}
    assert any(body["yes_bid_dollars"] != "0.0000" for body in bodies), "one-sided at times only"


def test_an_empty_side_has_no_key_in_a_snapshot(exchange, client):
    fresh = "KXSENATEOH-28-I"
    client.subscribe("orderbook_delta", market_ticker=fresh)
    client.answer()
    forms = set()
    for _ in range(30):
        exchange.advance(20)
        client.update("get_snapshot", sid=1, market_ticker=fresh)
        body = client.answer()[-1]["msg"]
        forms.add(tuple(key for key in body if key.endswith("_fp")))
        assert [] not in body.values()
    assert {("no_dollars_fp",), ("yes_dollars_fp", "no_dollars_fp")} <= forms


@pytest.mark.parametrize("yes", [(), ((100, 5), (200, 7))])
@pytest.mark.parametrize("no", [(), ((300, 11), (9_700, 13))])
@pytest.mark.parametrize("flipped", [True, False])
def test_a_snapshot_has_a_key_for_each_side_that_has_levels(yes, no, flipped):
    body = json.loads(snapshot_body("KXA-1", "", None, yes, no, use_yes_price=flipped))
    expected = {"market_ticker": "KXA-1", "market_id": ""}
    if yes:
        expected["yes_dollars_fp"] = [["0.0100", "0.05"], ["0.0200", "0.07"]]
    if no:
        ladder = [["0.0300", "0.13"], ["0.9700", "0.11"]] if flipped else [["0.0300", "0.11"], ["0.9700", "0.13"]]
        expected["no_dollars_fp"] = ladder
    assert body == expected


@pytest.mark.parametrize(
    ("micros", "text"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (1_786_085_188_978_710, "2026-08-07T06:46:28.97871Z"),
        (1_500_000, "1970-01-01T00:00:01.5Z"),
        (1, "1970-01-01T00:00:00.000001Z"),
    ],
)
def test_trailing_zeros_of_a_time_are_trimmed(micros, text):
    assert rfc3339(micros) == f'"{text}"'


@given(st.integers(-(10**12), 10**12))
def test_contracts_are_written_exactly_with_two_decimals(count):
    text = contracts(count).strip('"')
    assert re.fullmatch(r"-?\d+\.\d\d", text)
    assert cents(text) == count
    assert json.loads(contracts(count)) == text


# -- the model --------------------------------------------------------------------------------------------------------


@settings(max_examples=8, deadline=None)
@given(st.integers())
def test_for_any_seed_quantities_stay_positive_and_books_uncrossed(seed):
    tape = Tape(seed)
    books = books_of(tape)
    clocks = {ticker: flow.clock for ticker, flow in tape.flows.items()}
    last = 0
    for event in tape.until(300 * SECOND):
        assert event.at >= last
        last = event.at
        ticker = event.market.ticker
        if isinstance(event, Delta):
            side = books[ticker][event.side]
            side[event.price] = side.get(event.price, 0) + event.quantity
            assert side[event.price] >= 0
            if not side[event.price]:
                del side[event.price]
            assert GRIDS[event.market.price_level_structure].floor(event.price) == event.price
            yes, no = books[ticker].values()
            assert max(yes, default=0) + max(no, default=0) < 10_000
            assert event.clock >= clocks[ticker]
            clocks[ticker] = event.clock
        elif isinstance(event, Trade):
            assert event.quantity > 0
            assert 0 < event.yes_price < 10_000
        elif isinstance(event, Ticker):
            assert event.quote.open_interest >= 0
    assert books == books_of(tape)


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 100), st.lists(st.integers(1, 40 * SECOND), max_size=40))
def test_the_tape_does_not_depend_on_the_steps_it_is_taken_in(seed, steps):
    whole, cut = Tape(seed), Tape(seed)
    end = 120 * SECOND
    in_steps, at = [], 0
    for step in steps:
        at = min(at + step, end)
        in_steps.extend(cut.until(at))
    in_steps.extend(cut.until(end))
    assert in_steps == list(whole.until(end))


def test_seeds_differ_and_are_kept_to():
    def first_minute(seed):
        return list(Tape(seed).until(60 * SECOND))

    assert first_minute(3) == first_minute(3)
    assert first_minute(3) != first_minute(4)


@pytest.mark.matrix
def test_over_hours_the_market_neither_dries_up_nor_piles_up():
    tape = Tape(5)
    for hour in (1, 2, 3):
        kinds = Counter(type(event).__name__ for event in tape.until(hour * HOUR // 2))
        assert 60 * 1800 < kinds["Delta"] < 120 * 1800
        for flow in tape.flows.values():
            for side in ("yes", "no"):
                assert flow.book.order_count(side) <= 100


def test_tickers_come_at_most_once_a_second_a_market_and_only_if_something_changed():
    last, quotes, count = {}, {}, 0
    for event in Tape(2).until(600 * SECOND):
        if isinstance(event, Ticker):
            ticker = event.market.ticker
            assert event.at - last.get(ticker, -SECOND) >= SECOND
            assert quotes.get(ticker) != event.quote
            last[ticker], quotes[ticker] = event.at, event.quote
            count += 1
    assert count > 1_000


def test_a_pause_stops_a_market_and_cancels_its_book_when_trading_goes_on():
    tape = Tape(9)
    paused, resumed = set(), 0
    books = books_of(tape)
    for event in tape.until(HOUR):
        ticker = event.market.ticker
        if isinstance(event, Lifecycle) and event.event_type == "deactivated":
            assert ticker not in paused
            paused.add(ticker)
        elif isinstance(event, Lifecycle) and event.event_type == "activated":
            paused.remove(ticker)
            assert books[ticker] == {"yes": {}, "no": {}}
            resumed += 1
        elif isinstance(event, Delta):
            side = books[ticker][event.side]
            side[event.price] = side.get(event.price, 0) + event.quantity
            if not side[event.price]:
                del side[event.price]
            assert ticker not in paused or event.quantity < 0
        elif isinstance(event, Trade):
            assert ticker not in paused
    assert resumed > 8


def test_requotes_are_an_adjacent_pair_that_takes_away_and_puts_back():
    by_market = defaultdict(list)
    for event in Tape(7).until(300 * SECOND):
        if isinstance(event, Delta):
            by_market[event.market.ticker].append(event)
    pairs = [
        second.at - first.at
        for events in by_market.values()
        for first, second in itertools.pairwise(events)
        if first.quantity < 0 and second.quantity == -first.quantity and first.side == second.side
    ]
    within = sum(400 <= gap < 700 for gap in pairs)
    assert within > 2_000
    assert within > 0.95 * len(pairs)


def middle(values, share):
    return sorted(values)[int(share * (len(values) - 1))]


def test_figures_are_those_of_real_markets_roughly():
    tape = Tape(7)
    deltas, trades, levels, spreads = [], [], [], []
    for minute in range(1, 31):
        for event in tape.until(minute * 60 * SECOND):
            if isinstance(event, Delta):
                deltas.append(event)
            elif isinstance(event, Trade):
                trades.append(event)
        for flow in tape.flows.values():
            levels += [flow.book.level_count(side) for side in ("yes", "no")]
            quote = flow.quote()
            if quote.yes_bid and quote.yes_ask < 10_000:
                spreads.append(quote.yes_ask - quote.yes_bid)
    assert 60 <= len(deltas) / 1800 <= 120
    assert 2 <= len(trades) / 1800 <= 8
    assert 10 <= middle(levels, 0.5) <= 18
    assert middle(levels, 1.0) <= 100
    assert 200 <= middle(spreads, 0.5) <= 400
    assert 0.12 <= sum(event.quantity % 100 != 0 for event in deltas) / len(deltas) <= 0.19
    assert 15 <= middle([abs(event.quantity) / 100 for event in deltas], 0.5) <= 40
    assert 250 <= middle([abs(event.quantity) / 100 for event in deltas], 0.9) <= 1_000
    assert 8 <= middle([event.quantity / 100 for event in trades], 0.5) <= 30
    assert 80 <= middle([event.quantity / 100 for event in trades], 0.9) <= 320
    active = [event.at for event in deltas if event.market.ticker == BOOK_TICKER]
    gaps = [(later - earlier) / 1000 for earlier, later in itertools.pairwise(active)]
    assert middle(gaps, 0.5) <= 2
    assert 80 <= middle(gaps, 0.9) <= 800


# -- its parts --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(GRIDS))
def test_grids_are_the_ones_seen_and_symmetric(name):
    grid = GRIDS[name]
    prices = {price for price in range(1, 10_000) if grid.floor(price) == price}
    expected = {
        "linear_cent": set(range(100, 10_000, 100)),
        "deci_cent": set(range(10, 10_000, 10)),
        "tapered_deci_cent": {*range(10, 1000, 10), *range(1000, 9000, 100), *range(9000, 10_000, 10)},
    }[name]
    assert prices == expected == {10_000 - price for price in prices}
    assert grid.floor(0) == grid.floor(-5) == grid.below(min(prices)) == 0
    assert grid.floor(20_000) == max(prices)
    assert grid.below(max(prices), len(prices) - 1) == min(prices)
    assert grid.count_below(9_999, 100_000) == len(prices)


@given(
    st.lists(
        st.tuples(st.sampled_from(["yes", "no"]), st.integers(1, 12_000), st.integers(1, 500), st.booleans()),
        max_size=60,
    )
)
def test_a_book_obeys_its_laws_whatever_is_done_to_it(actions):
    book = RestingBook(GRIDS["tapered_deci_cent"])
    expected = {"yes": Counter(), "no": Counter()}
    for number, (side, price, count, takes) in enumerate(actions):
        best = book.best(side)
        if takes and best:
            gone = book.cancel(side, best, number) if number % 2 else book.take(side, best, count)
            expected[side][best] -= gone
            assert gone > 0
        elif allowed := book.highest_allowed(side, price):
            assert allowed <= price
            book.add(side, allowed, count)
            expected[side][allowed] += count
        assert book.best("yes") + book.best("no") < 10_000
        for each in ("yes", "no"):
            assert dict(book.levels(each)) == {price: count for price, count in expected[each].items() if count}
            assert book.prices(each) == [price for price, _ in book.levels(each)]


def test_the_catalogue_reads_like_kalshi_s(exchange):
    assert len(exchange.markets) == 12
    assert len({market.event_ticker for market in exchange.markets}) == 4
    assert {BOOK_TICKER, BUSY_TICKER} <= set(exchange.market_tickers)
    assert exchange.market_tickers == tuple(sorted(market.ticker for market in exchange.markets))
    assert {market.price_level_structure for market in exchange.markets} == set(GRIDS)
    assert len({market.market_id for market in exchange.markets}) == 12
    for market in exchange.markets:
        assert market.ticker.startswith(market.event_ticker + "-")
        assert market.event_ticker.startswith(market.series_ticker + "-")
        assert market.title
