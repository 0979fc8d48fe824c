"""What latest() keeps beside a window is bounded, and what it lets go is counted and told."""

import logging

import pytest

import kalshi_nb as kn
from kalshi_nb import _logging
from kalshi_nb._rows.channels import LAYOUTS
from tests.feed.list_engine import BASE_US, ListEngine
from tests.feed.test_another_engine import opened, trade


def row(channel, **values):
    values = {"ts": BASE_US, "received_at": BASE_US, "market_ticker": "KXA-1", **values}
    return tuple(values.get(each.name) for each in LAYOUTS[channel])


def request(number, event="rfq_created"):
    return row("communications", event=event, rfq_id=f"request-{number:06}", contracts=100)


def order(number, status="resting"):
    return row("user_orders", order_id=f"order-{number:06}", status=status)


@pytest.fixture
def engine():
    return ListEngine()


@pytest.fixture
def feed(engine):
    with opened(engine) as feed:
        yield feed


def play(engine, feed, channel, rows, size=10_000):
    rows = list(rows)
    for start in range(0, len(rows), size):
        engine.play(channel, *rows[start : start + size])
        feed.flush()


@pytest.mark.matrix
def test_two_hundred_thousand_requests_keep_no_more_than_half_of_them(engine, feed):
    rfqs = feed.rfqs(rows=1_000)
    kept = []
    for start in range(0, 400_000, 100_000):
        play(engine, feed, "communications", map(request, range(start, start + 100_000)))
        kept.append(rfqs.latest().height)
    # What is beside the window, what has left it since that was last looked through, and the window.
    assert max(kept) <= 100_000 + 100_000 + 1_000
    assert rfqs.dropped_keys >= 198_000
    assert rfqs.latest()["rfq_id"][-1] == "request-399999"


def test_requests_that_ended_go_first(engine, feed):
    rfqs = feed.rfqs(rows=10, latest_keys=5_000)
    play(engine, feed, "communications", map(request, range(3_000)))
    play(engine, feed, "communications", (request(number, "rfq_deleted") for number in range(500, 2_500)))
    play(engine, feed, "communications", map(request, range(3_000, 9_000)), size=200)
    known = set(rfqs.latest()["rfq_id"])
    ended = {f"request-{number:06}" for number in range(500, 2_500)}
    assert not known & ended
    assert {f"request-{number:06}" for number in range(8_000, 9_000)} <= known
    assert rfqs.dropped_keys >= 2_000


def test_orders_that_rest_outlive_those_that_ended(engine, feed):
    orders = feed.orders(rows=10, latest_keys=4_200)
    play(engine, feed, "user_orders", map(order, range(100)))
    for start in range(100, 20_100, 200):
        play(engine, feed, "user_orders", [order(number) for number in range(start, start + 200)])
        play(engine, feed, "user_orders", [order(number, "canceled") for number in range(start, start + 100)])
        play(engine, feed, "user_orders", [order(number, "executed") for number in range(start + 100, start + 200)])
    latest = orders.latest()
    assert {f"order-{number:06}" for number in range(100)} <= set(latest["order_id"])
    assert orders.dropped_keys > 0


def test_where_nothing_is_known_to_have_ended_the_oldest_go(engine, feed):
    trades = feed.frame("trade", rows=10, latest_keys=1_000)
    play(engine, feed, "trade", (trade(number, f"KX-{number}") for number in range(20_000)), size=500)
    known = trades.latest()["market_ticker"].to_list()
    assert known == [f"KX-{number}" for number in range(20_000 - len(known), 20_000)]
    assert 1_000 <= len(known) <= 1_000 + 4_096 + 500 + 10
    assert trades.dropped_keys == 20_000 - len(known)


def test_a_key_that_was_let_go_may_come_again(engine, feed):
    trades = feed.frame("trade", rows=1, latest_keys=1)
    play(engine, feed, "trade", (trade(number, f"KX-{number % 6_000}") for number in range(12_001)), size=1_000)
    assert trades.latest()["market_ticker"][-1] == "KX-0"


def test_what_was_let_go_is_told_by_the_count_the_repr_health_and_one_record(engine, feed, caplog):
    with caplog.at_level(logging.INFO, "kalshi_nb"):
        trades = feed.frame("trade", rows=10, latest_keys=1_000)
        below = feed.stream("trade").rolling_frame(rows=10, latest_keys=1_000, name="below")
        assert "latest()" not in repr(trades)
        for _ in range(2):
            play(engine, feed, "trade", (trade(number, f"KX-{number}") for number in range(10_000)), size=500)
        assert _logging.settle(5)
    for frame in (trades, below):
        assert frame.dropped_keys > 0
        assert f"latest() let {frame.dropped_keys:,} keys go" in repr(frame)
    told = [each for each in feed.health().warnings if "latest_keys" in each]
    assert len(told) == 2
    assert f"{trades.dropped_keys:,} last rows go" in told[0]
    records = [each for each in caplog.records if "latest_keys" in each.message]
    assert [each.levelno for each in records] == [logging.WARNING] * 2


def test_a_reset_forgets_the_rows_and_not_the_count(engine, feed):
    trades = feed.frame("trade", rows=10, latest_keys=1_000)
    play(engine, feed, "trade", (trade(number, f"KX-{number}") for number in range(10_000)), size=500)
    dropped = trades.dropped_keys
    engine.reset()
    feed.flush()
    assert (trades.latest().height, trades.dropped_keys) == (0, dropped)


@pytest.mark.parametrize("keys", [0, -1, 1.5, "all", True])
def test_a_number_of_keys_that_cannot_be_is_refused_in_the_cell(feed, keys):
    for ask in (feed.rfqs, feed.orders, lambda **options: feed.frame("trade", **options)):
        with pytest.raises(kn.errors.ConfigurationError, match="latest_keys"):
            ask(latest_keys=keys)
    with pytest.raises(kn.errors.ConfigurationError, match="latest_keys"):
        feed.stream("trade").rolling_frame(latest_keys=keys)
