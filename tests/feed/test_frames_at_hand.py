"""What people reach for: frames at even steps, the last minutes, the book near its touch, the feed's time."""

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import kalshi_nb as kn
from kalshi_nb._feed.book import Book
from tests.feed.list_engine import HandClock, ListLadder

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
SIDE = st.dictionaries(st.integers(1, 9_999), st.integers(1, 10_000_000), max_size=12)


def book_of(yes, no, **options):
    return Book(ListLadder("KXA-1", yes, no, **options), clock=HandClock(), release=lambda: None)


@settings(max_examples=200, deadline=None)
@given(SIDE, SIDE, st.integers(0, 10_000))
def test_depth_within_adds_up_what_is_no_further_from_each_sides_best_both_ends_included(yes, no, parts):
    # Of integers, as the exchange has them: a level of exactly that distance counts.
    bids = sum(size for price, size in yes.items() if price >= max(yes) - parts)
    asks = sum(size for price, size in no.items() if 10_000 - price <= 10_000 - max(no) + parts)
    for distance in (parts / 10_000, Decimal(parts) / 10_000):
        found = book_of(yes, no).depth_within(distance)
        assert found == (bids / 100, asks / 100)
        assert (found.bid_size, found.ask_size) == found


def test_a_side_without_orders_has_none_and_the_other_is_what_it_is():
    assert book_of({4_700: 1_000, 4_200: 100, 4_199: 7}, {}).depth_within(0.05) == (11.0, 0.0)
    assert book_of({}, {}).depth_within(0.05) == (0.0, 0.0)


def test_the_best_price_alone_is_a_distance_of_nothing():
    book = book_of({4_700: 1_000, 4_600: 1}, {5_100: 300})
    assert book.depth_within(0) == (book.top.bid_size, book.top.ask_size)


@pytest.mark.parametrize("distance", [-0.01, 1.5, 5, True, "0.05", None, float("nan")])
def test_a_distance_that_is_none_is_refused_with_the_form(distance):
    with pytest.raises(kn.errors.ConfigurationError, match=r"dollars from 0 to 1, such as 0\.05"):
        book_of({}, {}).depth_within(distance)


def test_the_depth_of_a_live_book_is_that_of_its_levels(feed, exchange):
    book = feed.book(exchange.market_tickers[1]).wait()
    for _ in range(10):
        exchange.advance(2)
        bids = [(round(price * 100), size) for price, size in book.levels("yes")]
        asks = [(100 - round(price * 100), size) for price, size in book.levels("no")]
        found = book.depth_within(0.05)
        assert found.bid_size == pytest.approx(sum(size for price, size in bids if price >= bids[0][0] - 5))
        assert found.ask_size == pytest.approx(sum(size for price, size in asks if price <= asks[0][0] + 5))


def test_now_is_the_time_that_rows_are_stamped_with(feed, exchange):
    trades = feed.trades()
    exchange.advance(30)
    assert feed.now() == EPOCH + dt.timedelta(microseconds=exchange.now_us())
    assert feed.now().tzinfo is dt.UTC
    assert trades.df["received_at"].max() <= feed.now()
    exchange.advance(0.000001)
    assert feed.now() == EPOCH + dt.timedelta(microseconds=exchange.now_us())


def test_since_is_by_the_feeds_clock_and_says_where_the_window_is_too_short(feed, exchange):
    trades, few, recent = feed.trades(), feed.trades(rows=20), feed.trades(seconds=10)
    exchange.advance(90)
    edge = feed.now() - dt.timedelta(seconds=30)
    expected = [row for row in trades.df.iter_rows() if row[9] >= edge]
    assert trades.schema.names()[9] == "received_at"
    assert trades.since("30s").rows() == expected
    assert trades.since(30).rows() == trades.since(dt.timedelta(seconds=30)).rows() == expected
    assert trades.since("1h").height == trades.total
    with pytest.raises(kn.errors.ConfigurationError, match=r"rows=\d+, or with seconds=30"):
        few.since("30s")
    with pytest.raises(kn.errors.ConfigurationError, match=r"reaches back 10\.000 s only. .*seconds=30"):
        recent.since("30s")
    exchange.advance(5)
    assert trades.since("5s").height < trades.since("30s").height


def test_quotes_at_even_steps_are_what_the_books_said_then(feed, exchange):
    markets = list(exchange.market_tickers[:3])
    quotes, books = feed.quotes(markets), feed.books(markets).wait()
    asked = {}
    for _ in range(8):
        exchange.advance(2.5)
        asked[feed.now()] = {market: books[market].mid for market in markets}
    wide = quotes.wide("mid", every="2500ms")
    assert wide.columns == ["ts", *sorted(markets)]
    found = {row["ts"]: row for row in wide.iter_rows(named=True)}
    compared = [moment for moment in asked if moment in found]
    assert len(compared) >= 7  # the last may be behind the newest quote
    # What was sent by then and had come: the exchange's frames of the last step all had.
    for moment in compared:
        assert {market: found[moment][market] for market in markets} == asked[moment]
    long = quotes.resample("2500ms")
    assert long.columns == quotes.df.columns
    assert [(row["ts"], row["market_ticker"], row["mid"]) for row in long.iter_rows(named=True)] == [
        (row["ts"], market, row[market])
        for row in wide.iter_rows(named=True)
        for market in sorted(markets)
        if any(each["market_ticker"] == market and each["ts"] <= row["ts"] for each in quotes.df.iter_rows(named=True))
    ]


def test_frames_of_pipelines_have_them_too(feed, exchange):
    node = feed.stream("quotes", exchange.market_tickers[0]).rolling_frame()
    exchange.advance(5)
    assert node.wide("bid", every="1s").height >= 4
    assert node.resample("1s").height >= 4
    assert node.since("1h").height == node.total
