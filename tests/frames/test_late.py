"""What was fetched, beside what came: a frame takes what it lacks, and what it has wins."""

from __future__ import annotations

import pytest

from kalshi_nb._frames.late import lacking
from kalshi_nb._frames.pending import PlainRows
from kalshi_nb._frames.rolling import RollingFrame
from kalshi_nb._frames.schema import schema
from kalshi_nb._rows.channels import LAYOUTS, traits_of


class Clock:
    def now_us(self):
        return 10_000_000


def row(channel, **values):
    return tuple(values.get(each.name) for each in LAYOUTS[channel])


def fill(trade_id, ts, order_id="o"):
    return row("fill", ts=ts, market_ticker="KXA-1", trade_id=trade_id, order_id=order_id, count=100)


def order(order_id, ts, status="resting", left=100):
    return row(
        "user_orders", ts=ts, market_ticker="KXA-1", order_id=order_id, status=status, remaining_count=left,
        yes_price=4_700,
    )  # fmt: skip


def held(ticker, ts, count):
    return row("market_positions", ts=ts, market_ticker=ticker, subaccount=0, position=count, position_cost=0)


@pytest.fixture(params=[False, True], ids=["floats", "decimals"])
def frame_of(request):
    def make(channel, *rows, kept=None):
        exact = request.param
        made = RollingFrame(schema(channel, exact), rows=kept, clock=Clock(), key=traits_of(channel).key)
        if rows:
            made.append_rows(PlainRows(channel, rows, exact, None))
        return made

    return make


def test_a_fill_that_is_there_is_not_taken_again_and_the_others_stand_in_order(frame_of):
    frame = frame_of("fill", fill("b", 2), fill("c", 3))
    fetched = [fill("d", 4), fill("c", 3), fill("b", 2), fill("b", 2, "another"), fill("a", 1)]
    assert lacking(frame, "fill", fetched) == [fill("a", 1), fill("b", 2, "another"), fill("d", 4)]


def test_of_an_order_only_what_is_newer_and_says_something_else_is_news(frame_of):
    frame = frame_of("user_orders", order("a", 5), order("b", 5), order("c", 5))
    fetched = [
        order("a", 5, "canceled", 0),  # of the same moment: what came wins
        order("b", 4, "resting", 50),  # older
        order("c", 9),  # says the same
        order("d", 1),
    ]
    assert lacking(frame, "user_orders", fetched) == [order("d", 1)]
    assert lacking(frame, "user_orders", [order("a", 6, "executed", 0)]) == [order("a", 6, "executed", 0)]


def test_an_order_whose_row_has_left_the_window_is_known(frame_of):
    frame = frame_of("user_orders", order("a", 5), order("b", 6), kept=1)
    assert lacking(frame, "user_orders", [order("a", 5)]) == []


def test_of_a_position_what_is_newer_and_another_is_news(frame_of):
    frame = frame_of("market_positions", held("KXA-1", 5, 100), held("KXA-2", 5, 100))
    fetched = [held("KXA-1", 6, 0), held("KXA-2", 6, 100), held("KXA-3", 2, 7)]
    assert lacking(frame, "market_positions", fetched) == [held("KXA-3", 2, 7), held("KXA-1", 6, 0)]


def test_an_empty_frame_lacks_everything_and_nothing_fetched_is_nothing(frame_of):
    for channel, one in (
        ("fill", fill("a", 1)),
        ("user_orders", order("a", 1)),
        ("market_positions", held("K", 1, 1)),
    ):
        assert lacking(frame_of(channel), channel, [one]) == [one]
        assert lacking(frame_of(channel), channel, []) == []
