"""Streams that are put together: what one of them lacks is missing from all that is below both."""

import pytest

from kalshi_nb.errors import PipelineError
from tests.feed.conftest import until
from tests.feed.list_engine import ListEngine
from tests.feed.test_another_engine import opened, trade
from tests.feed.test_bars_and_gaps import EVERY, Story, said

ORDERS = pytest.mark.parametrize("order", [1, -1], ids=["as asked for", "the other way round"])


@pytest.fixture
def engine():
    engine = ListEngine()
    engine.clock.us -= engine.clock.us % EVERY
    return engine


@pytest.fixture
def feed(engine):
    with opened(engine) as feed:
        yield feed


def both(feed, order=1):
    return [feed.stream("trade", each) for each in ("A", "B")][::order]


def refuse_b(df):
    if "B" in df["market_ticker"].to_list():
        raise ValueError("no")
    return df


@ORDERS
def test_a_frame_below_two_streams_is_complete_only_where_neither_lacks_anything(feed, engine, order):
    first, second = both(feed, order)
    joined = first.union(second).rolling_frame()
    nodes = first.map(lambda df: df).union(second.map(lambda df: df)).rolling_frame()
    story = Story(engine)
    story.trade("A", 0)
    feed.flush()
    assert joined.complete()
    assert nodes.complete()
    story.open_gap("B")
    assert not joined.complete()
    assert not nodes.complete()


@ORDERS
def test_a_frame_below_two_streams_lacks_what_a_node_above_raised_at(feed, engine, order):
    first, second = both(feed, order)
    joined = first.map(refuse_b).union(second.map(refuse_b)).rolling_frame()
    Story(engine).trade("A", 0)
    feed.flush()
    assert joined.complete()
    engine.clock.us += 1
    Story(engine).trade("B", 0)
    feed.flush()
    assert joined.total == 1
    assert not joined.complete()


@ORDERS
def test_a_bar_below_two_streams_is_complete_only_where_neither_can_lack_a_trade_of_it(feed, engine, order):
    first, second = both(feed, order)
    bars = first.union(second).bars("10s").rolling_frame()
    story = Story(engine)
    for market in "AB":
        engine.clock.us += 1
        story.trade(market, 0)
    engine.clock.us += EVERY
    feed.flush()
    assert list(said(bars).values()) == [True, True]
    story.open_gap("B")
    until(lambda: said(bars) == story.expected(), "the bar that the gap reaches into, although nothing comes")
    assert sorted(said(bars).values()) == [False, True]


def test_a_stream_that_is_connected_later_is_one_of_those_that_must_not_lack_anything(feed, engine):
    first, second = both(feed)
    joined = first.union()
    frame, bars = joined.rolling_frame(), joined.bars("10s").rolling_frame()
    second.connect(joined)
    story = Story(engine)
    for market in "AB":
        engine.clock.us += 1
        story.trade(market, 0)
    engine.clock.us += EVERY
    feed.flush()
    assert frame.complete()
    story.open_gap("B")
    feed.flush()
    assert not frame.complete()
    assert said(bars) == story.expected()


def test_bars_go_on_by_the_stream_that_is_left(feed, engine):
    first, second = both(feed)
    bars = first.union(second).bars("10s").rolling_frame()
    first.pipeline.close()
    story = Story(engine)
    story.trade("B", 0)
    engine.clock.us += EVERY
    feed.flush()
    assert list(said(bars).values()) == [True]


def test_the_repr_of_a_frame_names_the_markets_of_all_streams_that_lead_to_it(feed):
    first, second = both(feed)
    assert "A and B: 0 rows" in repr(first.union(second).rolling_frame())
    assert "A: 0 rows" in repr(first.union(feed.stream("trade", "A")).rolling_frame())


@pytest.mark.parametrize("join", ["combine_latest", "zip", "zip_latest", "union", "connect"])
def test_streams_of_two_feeds_are_not_put_together_and_each_goes_on(feed, engine, join):
    with opened(ListEngine()) as other:
        mine, others = feed.stream("trade").map(lambda df: df), other.stream("trade").map(lambda df: df)
        seen = []
        mine.sink(seen.append)
        if join == "connect":
            joined = others.union()
            with pytest.raises(PipelineError, match="of one feed is put together with a stream of another"):
                mine.connect(joined)
        else:
            with pytest.raises(PipelineError, match="of one feed is put together with a stream of another"):
                getattr(mine, join)(others)
        Story(engine).trade("A", 0)
        feed.flush()
        assert [each.height for each in seen] == [1]


def test_trades_take_the_quotes_of_another_feed_since_those_are_read_and_do_not_come(feed):
    with opened(ListEngine()) as other:
        feed.stream("trade").join_asof(other.quotes("A"))
        feed.stream("trade").join_asof(other.stream("quotes", "A"))


@ORDERS
def test_a_throttle_below_two_streams_lets_the_last_through_although_one_was_closed_meanwhile(feed, engine, order):
    first, second = both(feed, order)
    seen = []
    first.union(second).throttle(0.1).map(lambda df: df["seq"][0]).sink(seen.append)
    left = "B" if order == 1 else "A"
    engine.play("trade", trade(1, left), trade(2, left))
    feed.flush()
    until(lambda: seen == [1], "the first")
    engine.play("trade", trade(3, left))
    first.pipeline.close()
    until(lambda: seen == [1, 3], "what was held while one of them was closed")
    engine.play("trade", trade(4, left))
    until(lambda: seen == [1, 3, 4], "what came after it")


@ORDERS
def test_trades_of_two_streams_have_their_quotes_although_one_stream_was_closed(feed, engine, order):
    first, second = both(feed, order)
    joined = first.union(second).join_asof(feed.stream("quotes", ["A", "B"])).rolling_frame()
    story = Story(engine)
    story.trade("A", 0)
    feed.flush()
    first.pipeline.close()
    for market in "AB":
        story.trade(market, 0)
    feed.flush()
    assert joined.total == 2


@ORDERS
def test_what_waits_below_two_streams_comes_by_the_one_that_does_not_rest(feed, engine, order):
    failing, going = feed.stream("trade", "B"), feed.stream("trade", "A")
    above = [failing.map(refuse_b), going][::order]
    joined = above[0].union(above[1]).join_asof(feed.stream("quotes", ["A", "B"])).rolling_frame()
    for number in range(10):
        engine.play("trade", trade(number, "B"))
        feed.flush()
    assert failing.pipeline.state == "resting"
    engine.play("trade", trade(10, "A"))
    feed.flush()
    assert joined.df["market_ticker"].to_list() == ["A"]
