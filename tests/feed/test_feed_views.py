"""A feed as a cell's last expression: how it is doing and which views are open on it, and never any market."""

import gc
import re
import time
import weakref

import pytest

import kalshi_nb as kn
from kalshi_nb.errors import ConfigurationError, FeedClosedError
from tests.feed.conftest import until
from tests.feed.list_engine import ListEngine
from tests.feed.test_market_facts import LIFECYCLE, WEATHER
from tests.widgets.conftest import messages  # noqa: F401

WIDGET = "application/vnd.jupyter.widget-view+json"


def line(feed):
    return feed._repr_mimebundle_()["text/plain"].splitlines()[0]


def views(feed):
    return feed._repr_mimebundle_()["text/plain"].splitlines()[1].strip()


def test_a_feed_shows_its_status_and_no_market(feed, exchange, messages):  # noqa: F811
    feed.book(WEATHER)
    exchange.advance(130)
    bundle = feed._repr_mimebundle_()
    assert set(bundle) >= {WIDGET, "text/plain", "text/html"}
    assert line(feed).startswith("● live · ")
    assert line(feed).endswith(" · up 2 min")
    assert " · 1 book · no gaps · 0 dropped · " in line(feed)
    assert WEATHER not in bundle["text/plain"] + bundle["text/html"]
    opened = messages.of(bundle[WIDGET]["model_id"], "comm_open")[0].data["state"]["picture"]
    assert (opened["kind"], opened["status"]) == ("status", "live")


def test_it_says_which_views_are_open_and_not_that_it_is_one(feed, messages):  # noqa: F811
    assert views(feed).startswith("no other view is open")
    first = feed.book(WEATHER).widget()
    gaps = kn.show(feed, view="gaps")
    assert views(feed) == f"views: ladder of {WEATHER}, gaps of the feed"
    feed.book(WEATHER).widget(levels=3)
    assert views(feed) == f"views: 2 \N{MULTIPLICATION SIGN} ladder of {WEATHER}, gaps of the feed"
    gaps.close()
    first.close()
    assert views(feed) == f"views: ladder of {WEATHER}"
    feed.book(WEATHER).close()
    assert views(feed).startswith("no other view is open")


def test_the_same_question_is_the_same_view(feed, messages):  # noqa: F811
    assert kn.show(feed) is kn.show(feed)
    assert kn.show(feed, view="gaps", rows=3) is not kn.show(feed, view="gaps")
    with pytest.raises(ConfigurationError, match="'status', 'gaps'"):
        kn.show(feed, view="gap")


def test_its_views_can_be_put_together_with_others_until_it_is_closed(exchange, messages):  # noqa: F811
    feed = kn.connect(exchange)
    gaps = feed.widget(view="gaps", rows=3)
    assert gaps is feed.widget(view="gaps", rows=3)
    assert feed.widget() is kn.show(feed).widget
    feed.close()
    with pytest.raises(FeedClosedError, match="connect"):
        feed.widget()


def test_a_lost_message_is_a_gap_in_both_views(feed, exchange, messages):  # noqa: F811
    feed.trades()
    exchange.advance(20)
    exchange.faults.skip_frames("trade", 1)
    exchange.advance(20)
    assert "1 gap, last 15:00 UTC" in line(feed)
    text = feed._live_view(view="gaps").snapshot().text
    assert text.startswith("● live · 1 gap since 15:00 UTC, none open")
    assert "messages never arrived" in text
    assert feed.gaps.height == 1


def test_a_channel_says_how_old_it_is_how_fast_and_its_number(feed, exchange):
    feed.trades()
    reader = feed._views.source  # views are handed it; users have no name for it
    for _ in range(8):
        exchange.advance(1)
        reading, course = reader.read()
    (trade,) = reading.channels
    assert (trade.name, trade.markets) == ("trade", None)
    assert trade.seq == trade.messages > 0
    assert 0 <= trade.age < 5
    assert 0 < course.of_channels["trade"] < 100


def test_a_number_is_told_only_where_one_connection_counts(exchange):
    tickers = [exchange.market_tickers[0], exchange.market_tickers[1]]
    with kn.connect(exchange, connections=2) as feed:
        feed.deltas(tickers)
        feed.tickers()
        exchange.advance(10)
        numbers = {each.name: each.seq for each in feed._views.source.read()[0].channels}
    assert numbers == {"orderbook_delta": None, "ticker": None}


def test_books_that_are_stale_have_the_glyph(feed, exchange, messages):  # noqa: F811
    feed.book(WEATHER)
    exchange.advance(5)
    exchange.faults.ignore_snapshot_requests(1_000)
    exchange.faults.skip_frames("orderbook_delta", 1)
    exchange.advance(30)
    assert feed.book(WEATHER).status == "stale"
    assert line(feed).startswith("▲ partly stale · ")
    assert "1 of 1 book stale" in line(feed)


def test_a_feed_that_is_closed_stands_still_and_says_so(exchange, messages):  # noqa: F811
    feed = kn.connect(exchange)
    feed.trades()
    exchange.advance(70)
    model = feed._repr_mimebundle_()[WIDGET]["model_id"]
    feed.close()
    until(lambda: messages.of(model, "comm_close"), "its view outlived the feed")
    assert messages.of(model)[-1].picture["status"] == "closed"
    bundle = feed._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/html"}
    said = bundle["text/plain"]
    assert said.startswith("■ closed · ")
    assert "up 1 min" in said
    assert said.endswith("no view is open: nothing moves any more")
    exchange.advance(300)
    assert feed._repr_mimebundle_()["text/plain"] == said
    assert "trade" in bundle["text/html"]
    assert feed._live_view(view="gaps").snapshot().text.startswith("■ closed · no gaps since")


def test_its_views_hold_no_feed(exchange, messages):  # noqa: F811
    feed = kn.connect(exchange, new=True)
    view = kn.show(feed)
    gone = weakref.ref(feed)
    feed.close()
    del feed
    gc.collect()
    assert gone() is None
    assert "closed" in repr(view)


def test_whatever_engine_there_is_it_is_read_by_the_port_alone():
    engine = ListEngine()
    with kn.Feed(engine) as feed:
        feed._open(1.0)
        feed.trades()
        engine.open_gap("trade")
        engine.clock.us += 90_000_000
        assert line(feed).startswith(
            "▲ a gap is open · 12 msg/s · lag 250 ms (p99 500) · no books · 1 gap, 1 open, last "
        )
        assert re.search(r"last error, [^:]+:\d\d UTC: a page is missing", feed._repr_mimebundle_()["text/html"])


def test_when_a_trouble_came_is_told_by_the_feeds_clock_and_stays_so_while_that_goes_on():
    engine = ListEngine()
    with kn.Feed(engine) as feed:
        feed._open(1.0)
        read = feed._views.source.read
        engine.clock.us += 600_000_000
        engine.troubles = ((time.monotonic() - 30.0, "a page is missing"),)
        told = engine.clock.us / 1e6 - 30.0
        assert read()[0].last_error_at == pytest.approx(told, abs=5.0)
        kept = read()[0].last_error_at
        engine.clock.us += 600_000_000
        assert read()[0].last_error_at == kept
        engine.troubles += ((time.monotonic(), "another is missing"),)
        assert read()[0].last_error_at == pytest.approx(engine.clock.us / 1e6, abs=5.0)
        engine.troubles = ()
        assert (read()[0].last_error, read()[0].last_error_at) == (None, None)


def test_repr_says_what_it_always_said(feed):
    feed.trades()
    assert repr(feed) == f"<Feed {feed.url} connected: trade all markets>"


def test_a_ladder_tells_that_its_markets_tick_and_time_to_close_are_others(feed, exchange):
    feed.lifecycle()
    book = feed.book(WEATHER)

    def say(**facts):
        exchange.publish(LIFECYCLE, LIFECYCLE, {"market_ticker": WEATHER, **facts})
        exchange.advance(1)

    exchange.advance(1)
    assert book._picture(5).note == ""
    step = {"start": "0.0000", "end": "1.0000", "step": "0.0010"}
    say(event_type="price_level_structure_updated", price_ranges=[step])
    shown = book._live_view().snapshot()
    assert "(tick is now 0.1¢)" in shown.text
    assert "tick is now 0.1¢" in shown.html
    exchange.advance(5)
    say(event_type="close_date_updated", close_ts=exchange.now_us() // 1_000_000 + 1_800)
    told = book._picture(5)
    assert told.note.startswith("tick is now 0.1¢; now closes 2026-11-22 ")
    assert told.decimals == 1
    exchange.advance(11)
    quiet = book._picture(5)
    assert quiet.note == ""
    assert quiet.market.close_time == told.market.close_time
