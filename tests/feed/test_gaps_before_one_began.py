"""What was missing before somebody began is nothing that he lacks: in the column, in band, and in ``complete()``."""

import asyncio

import polars as pl
import pytest

import kalshi_nb as kn
from kalshi_nb._feed.coverage import first_mark
from kalshi_nb._rows.gaps import Gap
from tests.feed.conftest import until
from tests.feed.list_engine import ListEngine

MARKET = "KXHIGHNY-26NOV22-B52.5"


@pytest.fixture
def engine():
    return ListEngine()


def test_who_asks_for_all_after_one_market_begins_without_a_gap(feed, exchange):
    one = feed.trades(MARKET, gaps=True)
    exchange.advance(20)
    every = feed.trades(gaps=True)
    heard = []
    feed.on("trade", gaps=True)(heard.append)
    exchange.advance(20)
    feed.flush()
    assert feed.gaps["reason"].to_list() == ["resubscribed"]
    assert (one.complete(), every.complete()) == (False, True)
    assert one.df["gap"].sum() == 1
    assert every.df.height > 20
    assert every.df["gap"].sum() == 0
    assert not [each for each in heard if isinstance(each, kn.Gap)]


def test_who_makes_the_switch_hears_no_gap_of_it_and_who_was_there_does(feed, exchange):
    before, after = [], []
    feed.on("trade", MARKET, gaps=True)(before.append)
    exchange.advance(20)
    feed.on("trade", gaps=True)(after.append)
    exchange.advance(20)
    feed.flush()
    assert [each.reason for each in before if isinstance(each, kn.Gap)] == ["resubscribed"]
    assert not [each for each in after if isinstance(each, kn.Gap)]
    assert len(after) > 20


def test_a_listener_that_makes_the_switch_hears_no_gap_of_it(feed, exchange):
    feed.trades(MARKET)

    async def first():
        async with feed.listen("trade", gaps=True) as listener:
            step = asyncio.ensure_future(anext(listener))
            await asyncio.to_thread(until, lambda: "trade all markets" in repr(feed), "all markets are asked for")
            await asyncio.to_thread(exchange.advance, 20)
            return await step

    assert not isinstance(asyncio.run(first()), kn.Gap)


def test_a_loss_that_was_over_before_a_frame_began_marks_none_of_its_rows(feed, exchange):
    first = feed.trades(gaps=True)
    exchange.advance(5)
    exchange.faults.skip_frames("trade")
    exchange.advance(5)
    assert feed.gaps["closed_at"].null_count() == 0 < feed.gaps.height
    late = feed.trades(gaps=True, rows=500)
    exchange.advance(60)
    assert first.df.filter(pl.col("received_at") >= late.df["received_at"].min())["gap"].any()  # of quiet markets
    assert not late.df["gap"].any()
    assert late.complete()


def test_what_is_lost_after_a_frame_began_is_marked(feed, exchange):
    feed.trades(MARKET)
    every = feed.trades(gaps=True)
    exchange.faults.skip_frames("trade")
    exchange.advance(30)
    assert every.df["gap"].any()
    assert not every.complete()


def test_a_gap_that_is_open_concerns_who_begins_now_and_a_switch_never_does(engine):
    opened = engine.steady()
    assert first_mark(engine, "trade") == 2 * opened + 1
    engine.gaps.open(Gap("trade", None, opened, None, "resubscribed", None, None, opened=opened))
    engine.gaps.open(Gap("ticker", None, opened, None, "connection_lost", None, None, opened=opened - 9))
    assert first_mark(engine, "trade") == 2 * opened + 1
    engine.gaps.open(Gap("trade", None, opened, None, "connection_lost", None, None, opened=opened - 9))
    assert first_mark(engine, "trade") == 2 * (opened - 9)
