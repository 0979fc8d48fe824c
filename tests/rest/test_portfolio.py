"""One's own account over REST: what cannot be is left out alone, and said to be, when all else has come."""

from __future__ import annotations

import json

import pytest

from kalshi_nb._rest.portfolio import FILLS, ORDERS, POSITIONS, Portfolio, of
from kalshi_nb.errors import RestBodyError
from tests.rest.conftest import key_of

NOW = 1_795_359_600_000_000
FILL = {
    "trade_id": "a",
    "order_id": "one",
    "ticker": "KXA-1",
    "yes_price_dollars": "0.4700",
    "count_fp": "1.00",
    "created_time": "2026-11-20T00:00:00Z",
}
ORDER = {
    "order_id": "a",
    "ticker": "KXA-1",
    "yes_price_dollars": "0.4700",
    "fill_count_fp": "0.00",
    "remaining_count_fp": "1.00",
    "initial_count_fp": "1.00",
    "created_time": "2026-11-20T00:00:00Z",
}
POSITION = {"ticker": "KXA-1", "position_fp": "-3.00", "last_updated_ts": "2026-11-20T00:00:00Z"}


@pytest.fixture
def ask(open_client, scripted, exchange):
    """Return what a list of one's own comes to, and the error at its end, None where there is none."""

    def asked(kind, rows):
        name = {FILLS: "fills", ORDERS: "orders", POSITIONS: "market_positions"}[kind]
        limits = 200, '{"read":{"refill_rate":200}}'
        server = scripted(limits, (200, json.dumps({name: rows, "cursor": ""})))
        portfolio = Portfolio(open_client(server.base, credentials=key_of(exchange)), lambda: NOW)
        pages = {
            FILLS: lambda: portfolio.fills("KXA-1", NOW),
            ORDERS: lambda: portfolio.orders("KXA-1", "resting"),
            POSITIONS: lambda: portfolio.positions("KXA-1"),
        }[kind]()
        found = []
        try:
            for page in pages:
                found += page.rows
        except RestBodyError as problem:
            return found, str(problem)
        return found, None

    return asked


@pytest.mark.parametrize(
    ("kind", "good", "odd"),
    [
        (FILLS, FILL, {"count_fp": "-5.00"}),
        (FILLS, FILL, {"count_fp": "0.00"}),
        (FILLS, FILL, {"yes_price_dollars": "9.0000"}),
        (FILLS, FILL, {"yes_price_dollars": "\x1b[31m"}),
        (FILLS, FILL, {"ticker": None}),
        (FILLS, FILL, {"ticker": ""}),
        (ORDERS, ORDER, {"yes_price_dollars": "-0.0100"}),
        (ORDERS, ORDER, {"remaining_count_fp": "-1.00"}),
        (ORDERS, ORDER, {"fill_count_fp": "9" * 30}),
        (ORDERS, ORDER, {"ticker": ""}),
        (POSITIONS, POSITION, {"position_fp": "9" * 30}),
        (POSITIONS, POSITION, {"ticker": ""}),
    ],
    ids=str,
)
def test_a_row_that_cannot_be_is_left_out_alone_and_said_to_be(ask, kind, good, odd):
    name = {FILLS: "trade_id", ORDERS: "order_id", POSITIONS: "ticker"}[kind]
    rows = [{**good, name: "a"}, {**good, name: "b", **odd}, {**good, name: "c"}]
    if kind == POSITIONS:
        rows[1] = {**good, name: "KXB-2", **odd}
    found, told = ask(kind, rows)
    assert len(found) == 2
    assert "rows are left out that mean nothing, 1 in all" in told
    assert told.isprintable()


@pytest.mark.parametrize(("kind", "good"), [(FILLS, FILL), (ORDERS, ORDER), (POSITIONS, POSITION)])
def test_rows_that_mean_something_are_all_there(ask, kind, good):
    (row,), told = ask(kind, [good])
    assert told is None
    assert of(row, kind, "ts") == 1_795_132_800_000_000


@pytest.mark.parametrize("said", ["9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "2027-01-01T00:00:00Z", None])
@pytest.mark.parametrize(("kind", "good"), [(FILLS, FILL), (ORDERS, ORDER), (POSITIONS, POSITION)])
def test_a_row_of_a_time_that_cannot_be_stands_by_when_it_was_answered(ask, kind, good, said):
    (row,), told = ask(kind, [{**good, "created_time": said, "last_updated_ts": said}])
    assert (of(row, kind, "ts"), told) == (NOW, None)


@pytest.mark.parametrize("odd", [{"ts": 10**17}, {"ts": -(10**17)}, {"exchange_index": 2**63}, {"ts": 10**15}])
def test_no_number_of_a_row_is_larger_than_a_column_takes(ask, odd):
    found, told = ask(FILLS, [{**FILL, "created_time": None, **odd}])
    assert (found == []) == (told is not None)
    assert all(abs(of(row, FILLS, "ts")) < 2**63 for row in found)
