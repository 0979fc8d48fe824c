"""The tape of a real feed: which trades it has, where gaps stand, what is large, and what travels."""

import json
from decimal import Decimal

import polars as pl
import pytest

from kalshi_nb._frames.rolling import RollingFrame
from kalshi_nb._frames.schema import TIME
from kalshi_nb._widgets.sources import FrameSource
from kalshi_nb._widgets.tape.picture import Hole
from kalshi_nb._widgets.tape.presenter import TapePresenter
from kalshi_nb.errors import ConfigurationError, UsageError
from tests.feed.list_engine import BASE_US
from tests.widgets.conftest import wait_until
from tests.widgets.feeds import MARKET, SECOND, feed_on_a_list, scene, trade
from tests.widgets.test_lists import applied


@pytest.fixture
def played():
    with feed_on_a_list() as (feed, engine):
        yield feed, engine


def keys(picture):
    return [line.key for line in picture.lines]


def test_the_newest_trades_stand_on_top_in_dollars_contracts_and_seconds(played):
    feed, engine = played
    trades = feed.trades(MARKET)
    engine.play("trade", trade(1), trade(2, price=4_700, count=120_000, taker="no"))
    feed.flush()
    picture = scene(trades).take()
    assert keys(picture) == ["id-2", "id-1"]
    newest = picture.lines[0]
    assert (newest.price, newest.size, newest.taker) == (0.47, 1200.0, "no")
    assert newest.at == BASE_US / 1e6 + 2
    assert picture.changes == 2
    assert picture.status == "live"
    assert picture.market.ticker == MARKET


def test_exact_numbers_are_shown_like_others(played):
    feed, engine = played
    trades = feed.trades(MARKET, exact=True)
    engine.play("trade", trade(1, price=1))
    feed.flush()
    assert trades.df["yes_price"][0] == Decimal("0.0001")
    picture = scene(trades).take()
    assert picture.lines[0].price == 0.0001
    assert picture.decimals == {MARKET: 2}
    json.dumps(scene(trades).body(picture))


def test_one_trade_is_one_line_however_often_it_came(played):
    feed, engine = played
    trades = feed.trades()
    engine.play("trade", trade(1), trade(2), trade(1), trade(3, key=""), trade(4, key=None))
    feed.flush()
    assert keys(scene(trades).take()) == ["id-4", "", "id-1", "id-2"]


def test_a_gap_stands_between_the_trades_before_and_after_it_and_says_what_came_meanwhile(played):
    feed, engine = played
    trades = feed.trades()
    engine.play("trade", trade(1))
    engine.clock.us = BASE_US + 2 * SECOND
    gap = engine.open_gap("trade", reason="connection_lost")
    feed.flush()
    opened = scene(trades).take()
    assert [type(line).__name__ for line in opened.lines] == ["Hole", "Trade"]
    assert opened.lines[0].closed is None
    engine.clock.us = BASE_US + 16 * SECOND
    engine.close_gap(gap)
    engine.play("trade", trade(17))
    feed.flush()
    picture = scene(trades).take()
    assert [line.key for line in picture.lines if not isinstance(line, Hole)] == ["id-17", "id-1"]
    hole = picture.lines[1]
    assert (hole.opened, hole.closed, hole.seen) == (BASE_US / 1e6 + 2, BASE_US / 1e6 + 16, 0)
    assert hole.why == "connection lost"


def test_a_gap_of_numbers_says_how_many_messages_were_lost_and_stands_before_the_trade_that_showed_it(played):
    feed, engine = played
    trades = feed.trades()
    engine.play("trade", trade(1))
    engine.clock.us = BASE_US + 5 * SECOND
    engine.close_gap(engine.open_gap("trade", reason="sequence"))
    engine.play("trade", trade(5))
    feed.flush()
    after, hole, before = scene(trades).take().lines
    assert (after.key, hole.lost, before.key) == ("id-5", 2, "id-1")


def test_gaps_of_before_the_oldest_trade_of_other_channels_and_other_markets_are_none_of_the_tapes(played):
    feed, engine = played
    engine.close_gap(engine.open_gap("trade"))
    trades = feed.trades(MARKET)
    engine.play("trade", trade(1))
    engine.clock.us = BASE_US + 2 * SECOND
    engine.open_gap("ticker")
    engine.open_gap("trade", "KXOTHER-1")
    feed.flush()
    assert keys(scene(trades).take()) == ["id-1"]


def test_what_is_large_is_what_one_in_a_hundred_is(played):
    feed, engine = played
    trades = feed.trades()
    engine.play("trade", *(trade(n, count=100 * n) for n in range(1, 100)))
    feed.flush()
    assert scene(trades).take().large is None, "of fewer than a hundred trades nobody can say"
    engine.play("trade", *(trade(n, count=100 * n) for n in range(100, 301)))
    feed.flush()
    assert scene(trades).take().large == pytest.approx(297, abs=1)
    assert scene(trades, large=50).take().large == 50


def test_where_all_trades_are_alike_none_is_large(played):
    feed, engine = played
    trades = feed.trades()
    engine.play("trade", *(trade(n, count=1_000) for n in range(200)))
    feed.flush()
    assert scene(trades).take().large is None


def test_smaller_trades_than_asked_for_are_neither_shown_nor_counted(played):
    feed, engine = played
    trades = feed.trades(rows=5)
    view = scene(trades, min_size=10)
    for number in range(1, 21):
        engine.play("trade", trade(number, count=1_000 if number % 4 == 0 else 100))
        feed.flush()
        view.take()
    picture = view.take()
    assert picture.changes == 5
    assert keys(picture) == ["id-20", "id-16"]


def test_the_tape_has_so_many_trades_as_were_asked_for_and_knows_how_many_there_were(played):
    feed, engine = played
    trades = feed.trades()
    engine.play("trade", *(trade(n) for n in range(500)))
    feed.flush()
    assert len(scene(trades).take().lines) == 200
    few = scene(trades, rows=3).take()
    assert (keys(few), few.changes) == (["id-499", "id-498", "id-497"], 500)


@pytest.mark.parametrize("of", [MARKET, None])
def test_what_travels_makes_of_the_tape_before_the_one_after(played, of):
    feed, engine = played
    view = scene(feed.trades(of))
    engine.play("trade", *(trade(n) for n in range(5)))
    feed.flush()
    before = view.take()
    page = view.body(before)["lines"]
    gap = None
    for number in range(5, 60):
        engine.clock.us = BASE_US + number * SECOND
        engine.play("trade", *(trade(number * 100 + i, at=number) for i in range(number % 4)))
        if number % 7 == 0:
            gap = engine.open_gap("trade", reason="connection_lost")
        if number % 7 == 2 and gap:
            engine.close_gap(gap)
        feed.flush()
        now = view.take()
        sent = view.delta(before, now)
        if sent is None:
            page = view.body(now)["lines"]
        else:
            assert "more" not in sent
            page = applied(page, sent["lines"], sent["length"])
        assert page == view.body(now)["lines"]
        before = now
    assert any(line[1] for line in page)


def test_an_unchanged_tape_is_one_version_and_costs_no_lines(played):
    feed, engine = played
    view = scene(feed.trades())
    engine.play("trade", trade(1))
    feed.flush()
    first, second = view.take(), view.take()
    assert first.version == second.version
    assert first.lines is second.lines
    assert view.delta(first, second)["lines"] == []
    engine.clock.us += SECOND
    engine.open_gap("trade")
    assert view.take().version != first.version


def test_of_a_tape_that_began_anew_nothing_old_stays_on_the_page(played):
    feed, engine = played
    view = scene(feed.trades())
    engine.play("trade", trade(1), trade(2))
    feed.flush()
    before = view.take()
    engine.reset()
    engine.play("trade", trade(9))
    feed.flush()
    now = view.take()
    assert keys(now) == ["id-9"]
    sent = view.delta(before, now)
    assert applied(view.body(before)["lines"], sent["lines"], sent["length"]) == view.body(now)["lines"]


def test_trades_that_were_fetched_later_stand_where_they_belong_and_travel_whole(played):
    feed, engine = played
    view = scene(feed.trades())
    engine.play("trade", trade(1), trade(5))
    feed.flush()
    before = view.take()
    engine.put("trade", [trade(3)])
    feed.flush()
    now = view.take()
    assert keys(now) == ["id-5", "id-3", "id-1"]
    assert view.delta(before, now) is None


def test_where_a_frame_says_which_were_fetched_later_the_tape_does():
    class Feed:
        facts_version = 0
        note = ""

        class clock:  # noqa: N801  # stands in for an attribute
            now_us = staticmethod(lambda: BASE_US)

        def facts(self, ticker):
            from kalshi_nb._rows.market_facts import MarketFacts

            return MarketFacts(market_ticker=ticker)

        over = staticmethod(lambda: "")
        note_frame = staticmethod(lambda _: None)
        state = "connected"
        gaps = staticmethod(list)

    with feed_on_a_list() as (feed, engine):
        trades = feed.trades()
        engine.play("trade", trade(1), trade(2))
        feed.flush()
        late = pl.Series("backfilled", [True, False])
        received = pl.when(late).then(None).otherwise(pl.col("received_at")).cast(TIME)
        df = trades.df.with_columns(late, received_at=received)
    store = RollingFrame(df.schema, clock=Feed.clock)
    store.append(df)
    source = FrameSource(Feed(), store, channel="trade", name="trades", market_tickers=None)
    picture = TapePresenter(source, rows=200, min_size=0, large=None).picture()
    assert [(line.key, line.is_backfilled) for line in picture.lines] == [("id-2", 0), ("id-1", 1)]


def test_decimals_are_those_of_each_markets_grid_and_never_fewer_again(played):
    feed, engine = played
    view = scene(feed.trades(rows=2))
    engine.play("trade", trade(1, "KXA-1", price=4_850), trade(2, "KXB-1", price=4_800))
    feed.flush()
    assert view.take().decimals == {"KXA-1": 1, "KXB-1": 0}
    feed._markets.update("KXB-1", 1, {"price_ranges": ((0, 10_000, 25),)})
    assert view.take().decimals == {"KXA-1": 1, "KXB-1": 2}
    engine.play("trade", trade(3, "KXA-1", price=4_800))
    feed.flush()
    assert view.take().decimals["KXA-1"] == 1


def test_a_tape_is_stale_with_its_line_and_over_with_its_frame(played):
    feed, engine = played
    trades = feed.trades()
    view = scene(trades)
    engine.play("trade", trade(1))
    feed.flush()
    engine.clock.us = BASE_US + 5 * SECOND
    engine.open_gap("trade", reason="connection_lost")
    engine.state = "reconnecting"
    engine.clock.us += 12 * SECOND
    picture = view.take()
    assert (picture.status, picture.age) == ("stale", 12)
    assert picture.note == "the connection is lost; connecting again"
    trades.close()
    assert view.take().status == "closed"
    assert keys(view.take())[-1] == "id-1"


def test_a_whole_tape_and_a_message_are_small(played):
    feed, engine = played
    view = scene(feed.trades(MARKET))
    engine.play("trade", *(trade(n, key=f"a0458782-90c6-4abd-b843-{n:012}") for n in range(300)))
    feed.flush()
    before = view.take()
    assert len(json.dumps(view.body(before))) < 20_000
    engine.play("trade", *(trade(n, key=f"a0458782-90c6-4abd-b843-{n:012}") for n in range(300, 303)))
    feed.flush()
    assert len(json.dumps(view.delta(before, view.take()))) < 600
    engine.play("trade", *(trade(n, key=f"a0458782-90c6-4abd-b843-{n:012}") for n in range(303, 2_000)))
    feed.flush()
    sent = view.delta(before, view.take())
    assert (len(sent["lines"]), sent["more"]) == (30, 1_670)


def test_a_page_gets_the_whole_when_it_opens_and_then_what_is_new(played, messages):
    feed, engine = played
    trades = feed.trades()
    engine.play("trade", trade(1), trade(2))
    feed.flush()
    widget = trades.widget()
    model = widget.model_id
    assert [line[0] for line in messages.of(widget, "comm_open")[0].picture["lines"]] == ["id-2", "id-1"]
    engine.play("trade", trade(3))
    feed.flush()

    def fresh():
        deltas = [message.data["state"].get("delta") for message in messages.of(widget)]
        return [line[0] for delta in deltas if delta for line in delta["lines"]]

    wait_until(lambda: fresh() == ["id-3"])
    assert [line[0] for line in widget.get_state()["picture"]["lines"]] == ["id-3", "id-2", "id-1"]
    trades.close()
    wait_until(lambda: not widget.is_open)
    assert messages.of(model)[-1].picture["status"] == "closed"
    assert trades._repr_mimebundle_().keys() == {"text/plain", "text/html"}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"large": "huge"}, "'auto' or a number"),
        ({"large": 0}, "contracts, from"),
        ({"large": True}, "contracts, from"),
        ({"min_size": -1}, "contracts, from"),
        ({"rows": 0}, "from 1 to 1000"),
        ({"rows": 2.5}, "from 1 to 1000"),
        ({"side": "maybe"}, "'yes', 'no'"),
        ({"view": "ladder"}, "'tape'"),
    ],
)
def test_what_will_not_do_is_said_in_the_cell(played, options, words):
    feed, _ = played
    with pytest.raises(ConfigurationError, match=words):
        feed.trades()._live_view(**options)


def test_an_option_that_a_tape_has_not_names_the_nearest(played):
    feed, _ = played
    with pytest.raises(UsageError, match="Did you mean 'min_size'"):
        feed.trades()._live_view(minsize=3)
