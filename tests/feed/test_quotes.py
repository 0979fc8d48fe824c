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
    assert told == called == rows
    assert told[0][0] == told[0][8]  # the quote there was


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


@pytest.mark.parametrize("kind", ["frame", "stream", "messages", "on"])
def test_whoever_comes_later_begins_with_the_quote_there_is_and_nobody_else_sees_it_again(feed, exchange, kind):
    first, other = feed.quotes(MARKET), feed.quotes(OTHER)
    book = feed.book(MARKET).wait()
    exchange.advance(20)
    before, total, others = last(first), first.total, other.total
    seen = []
    if kind == "frame":
        late = feed.quotes(MARKET, rows=10)
    elif kind == "stream":
        late = feed.stream("quotes", MARKET).rolling_frame(rows=10)
    elif kind == "messages":
        late = feed.messages("quotes", MARKET).sink(seen.extend)
    else:
        feed.on("quotes", MARKET)(seen.append)
    feed.flush()
    if kind in ("frame", "stream"):
        assert late.df.height == 1
        assert last(late) == before == tuple(book.top)
        assert late.df["status"].to_list() == ["live"]
        assert late.df["ts"].to_list() == late.df["received_at"].to_list()
    else:
        (quote,) = seen
        assert (quote.bid, quote.bid_size, quote.ask, quote.ask_size) == before
        assert quote.market_ticker == MARKET
    assert (first.total, other.total) == (total, others)
    exchange.advance(20)
    assert last(first) == tuple(book.top)
    assert (late.total if kind in ("frame", "stream") else len(seen)) == first.total - total + 1


def test_a_later_handle_for_whatever_comes_begins_with_every_quote(feed, exchange):
    feed.quotes([MARKET, OTHER])
    exchange.advance(20)
    late = feed.quotes(rows=50)
    feed.flush()
    assert sorted(late.df["market_ticker"].cast(pl.String)) == sorted([MARKET, OTHER])


def test_a_later_handle_begins_with_no_quote_where_the_book_is_not_to_be_trusted(feed, exchange):
    first, book = feed.quotes(MARKET), feed.book(MARKET).wait()
    exchange.advance(5)
    exchange.faults.ignore_snapshot_requests(2)
    exchange.faults.skip_frames("orderbook_delta", 1)
    for _ in range(60):
        if book.status == "stale":
            break
        exchange.advance(1)
    late = feed.quotes(MARKET, rows=10)
    feed.flush()
    assert (book.status, first.df["status"][-1], late.df.height) == ("stale", "stale", 0)
    until(lambda: book.status == "live", "the book is repaired", timeout=30)
    feed.flush()
    assert late.df["status"].to_list()[0] == "live"
    assert last(late) == tuple(book.top)
