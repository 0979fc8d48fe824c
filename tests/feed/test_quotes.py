"""``feed.quotes()`` over a real socket: what the book shows, as rows."""

from decimal import Decimal

import polars as pl
import pytest

import kalshi_nb as kn
from tests.feed.conftest import until

MARKET = "KXHIGHNY-26NOV22-B52.5"
OTHER = "KXBTC15M-26NOV221015-15"


def last(frame, ticker=MARKET):
    row = frame.df.filter(pl.col("market_ticker").cast(pl.String) == ticker).row(-1, named=True)
    return row["bid"], row["bid_size"], row["ask"], row["ask_size"]


def test_the_last_quote_is_the_top_of_the_book_at_every_moment(feed, exchange):
    quotes, book = feed.quotes(MARKET), feed.book(MARKET).wait()
    for _ in range(60):
        exchange.advance(1)
        assert last(quotes) == tuple(book.top)
    assert quotes.total > 5


def test_columns_have_their_dtypes_when_there_is_no_row_yet(feed):
    frame = feed.quotes("NO-SUCH-MARKET")
    assert frame.df.height == 0
    assert frame.df.columns[:8] == ["ts", "market_ticker", "bid", "bid_size", "ask", "ask_size", "mid", "spread"]
    assert frame.schema["mid"] == pl.Float64()


def test_mid_and_spread_follow_from_bid_and_ask(feed, exchange):
    exact = feed.quotes(MARKET, exact=True)
    exchange.advance(60)
    for row in exact.df.drop_nulls(["bid", "ask"]).iter_rows(named=True):
        assert row["mid"] == (row["bid"] + row["ask"]) / 2
        assert row["spread"] == row["ask"] - row["bid"]
        assert isinstance(row["mid"], Decimal)


def test_markets_must_be_named_or_books_be_open(feed, exchange):
    with pytest.raises(kn.errors.MarketTickerError, match="quotes"):
        feed.quotes()
    feed.book(MARKET).wait()
    quotes = feed.quotes()
    exchange.advance(1)
    assert last(quotes) == tuple(feed.book(MARKET).top)


def test_each_frame_has_its_own_markets(feed, exchange):
    one, both = feed.quotes(MARKET), feed.quotes([MARKET, OTHER])
    exchange.advance(30)
    assert one.df["market_ticker"].cast(pl.String).unique().to_list() == [MARKET]
    assert set(both.df["market_ticker"].cast(pl.String)) == {MARKET, OTHER}


def test_streams_messages_and_callbacks_tell_the_same(feed, exchange):
    feed.book(MARKET).wait()
    frame = feed.stream("quotes", MARKET).rolling_frame()
    lists = feed.messages("quotes", MARKET).sink_to_list()
    seen = []
    feed.on("quotes", MARKET)(seen.append)
    exchange.advance(30)
    rows = [tuple(row.values()) for row in frame.df.iter_rows(named=True)]
    told = [
        tuple(getattr(each, name) for name in each.__struct_fields__)
        for each in (message for batch in lists for message in batch)
    ]
    called = [tuple(getattr(each, name) for name in each.__struct_fields__) for each in seen]
    assert len(rows) > 3
    # The first to listen was given the quote there was; those that came later begin with the next change.
    assert told[-len(called) :] == called == rows[-len(called) :]
    assert len(rows) - len(called) <= 1


def test_a_lost_connection_is_a_row_without_a_quote_and_the_next_is_the_book_made_right(feed, exchange):
    quotes, book = feed.quotes(MARKET), feed.book(MARKET).wait()
    exchange.advance(10)
    before = quotes.total
    exchange.faults.drop_connections()
    until(lambda: feed.health().reconnects == 1 and book.status == "live", "the book is live again")
    exchange.advance(0)
    new = quotes.df.tail(quotes.total - before)
    assert new["status"].to_list()[:2] == ["stale", "live"]
    assert new["bid"].to_list()[0] is None
    assert last(quotes) == tuple(book.top)


def test_a_closed_frame_lets_the_books_go(feed, exchange):
    quotes = feed.quotes(MARKET)
    assert feed.health().markets["orderbook_delta"] == 1
    quotes.close()
    until(lambda: "orderbook_delta" not in feed.health().markets, "the book is let go")
