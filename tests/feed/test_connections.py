"""Several connections are one feed: each has its own sids, gaps and backoff, and nobody above can tell."""

import polars as pl
import pytest

import kalshi_nb as kn
from kalshi_nb.errors import ConfigurationError, FeedOptionsError, SubscriptionError
from tests.feed.conftest import until
from tests.venue import books_of, kept_books, settle


@pytest.fixture
def feed(exchange):
    with kn.connect(exchange, connections=3) as made:
        yield made


def ports(exchange):
    return list(exchange._server.connections.values())


def drop(exchange, link):
    """Reset one of the connections."""
    server = exchange._server
    connection = server.connections[link.local_port()]
    server.call(lambda: (server.cut(connection), connection.drop()))


def versions(feed, tickers):
    return {ticker: feed._engine.ladder(ticker).version for ticker in tickers}


def homes(feed, tickers):
    links = feed._engine.links
    return {each: link.number for link in links for each in tickers if link.session.ladder(each) is not None}


def test_books_are_spread_over_all_connections_and_right(exchange, feed):
    tickers = exchange.market_tickers
    books = feed.books(tickers)
    exchange.advance(30)
    assert len(ports(exchange)) == 3
    assert set(homes(feed, tickers).values()) == {1, 2, 3}
    assert all(book.status == "live" for book in books.values())
    assert kept_books(feed, tickers) == books_of(exchange, tickers)
    assert feed.gaps.is_empty()


def test_frames_are_those_of_one_connection(exchange, feed):
    with kn.connect(exchange, new=True) as single:
        frames = [
            (each.deltas(exchange.market_tickers), each.trades(), each.tickers(exchange.market_tickers[:3]))
            for each in (feed, single)
        ]
        exchange.advance(60)
        for spread, alone in zip(*frames, strict=True):
            assert spread.df.height > 0
            columns = [name for name in spread.df.columns if name not in ("seq", "received_at")]
            order = [
                "market_ticker",
                *[name for name in ("ts", "yes_price", "price", "delta", "clock") if name in columns],
            ]
            left, right = (
                each.df.select(columns).with_columns(pl.col("market_ticker").cast(pl.String))
                for each in (spread, alone)
            )
            assert left.sort(order).equals(right.sort(order))
            assert spread.df["received_at"].is_sorted()


def test_quotes_and_whatever_comes_is_taken_over_every_connection(exchange, feed):
    tickers = exchange.market_tickers
    feed.books(tickers)
    everything, quotes = feed.deltas(), feed.quotes(tickers)
    exchange.advance(60)
    seen = set(everything.df["market_ticker"].cast(pl.String))
    assert {homes(feed, [each])[each] for each in seen} == {1, 2, 3}
    assert set(quotes.df["market_ticker"].cast(pl.String)) == set(tickers)


def test_a_lost_connection_concerns_its_own_markets_alone(exchange, feed):
    tickers = exchange.market_tickers
    books = feed.books(tickers)
    frames = {ticker: feed.deltas(ticker, gaps=True) for ticker in tickers}
    exchange.advance(10)
    lost = feed._engine.links[1]
    drop(exchange, lost)
    until(lambda: feed.gaps.height > 0, "the gap is seen")
    mine = {ticker for ticker, home in homes(feed, tickers).items() if home == 2}
    assert {ticker for ticker, book in books.items() if book.status != "live"} <= mine
    until(lambda: feed.health().connections == 3, "all three are there again")
    settle(exchange, books)
    assert kept_books(feed, tickers) == books_of(exchange, tickers)
    gaps = feed.gaps
    assert gaps.select("channel", "reason", "repaired_by", "connection").rows() == [
        ("orderbook_delta", "connection_lost", "reconnect", 2)
    ]
    assert {ticker for ticker, frame in frames.items() if not frame.complete()} == mine
    exchange.advance(120)
    assert {ticker for ticker, frame in frames.items() if frame.df["gap"].any()} <= mine
    assert any(frame.df["gap"].any() for frame in frames.values())
    assert feed.health().reconnects == 1


def test_a_gap_marks_the_rows_of_its_own_connection_in_a_frame_of_all(exchange, feed):
    tickers = exchange.market_tickers
    frame = feed.deltas(tickers, gaps=True)
    exchange.advance(20)
    lost = feed._engine.links[0]
    drop(exchange, lost)
    until(lambda: feed.health().reconnects == 1 and feed.health().connections == 3, "it is back")
    exchange.advance(120)
    marked = set(frame.df.filter("gap")["market_ticker"].cast(pl.String))
    assert marked
    assert {home for ticker, home in homes(feed, marked).items()} == {1}
    assert not frame.complete()


def test_markets_that_one_subscription_does_not_take_come_over_another_connection(exchange, feed):
    tickers = exchange.market_tickers
    most = len(tickers) // 3 + 1
    first = feed.books(tickers[:3])  # one on each connection, before there is a limit
    exchange.faults.limit_markets(most)
    feed._engine._placement._load[2] = -100  # as if the third had always been the emptiest
    books = feed.books(tickers)
    feed._engine._placement._load[2] += 100
    exchange.advance(10)
    exchange.faults.limit_markets(None)
    assert all(book.status == "live" for book in {**books, **first}.values())
    assert kept_books(feed, tickers) == books_of(exchange, tickers)
    assert max(list(homes(feed, tickers).values()).count(home) for home in (1, 2, 3)) <= most


def test_a_list_that_is_refused_in_part_comes_whole(exchange, feed):
    tickers = exchange.market_tickers
    exchange.faults.limit_markets(len(tickers) // 3 + 1)
    feed._engine._placement._load[2] = -100
    frame = feed.deltas(tickers)
    feed._engine._placement._load[2] += 100
    exchange.advance(60)
    assert feed.health().markets["orderbook_delta"] == len(tickers)
    assert {homes(feed, [each])[each] for each in tickers} == {1, 2, 3}
    exchange.faults.limit_markets(None)
    assert kept_books(feed, tickers) == books_of(exchange, tickers)
    frame.close()
    until(lambda: "orderbook_delta" not in feed.health().markets, "all are let go")
    assert homes(feed, tickers) == {}


def test_more_markets_than_all_connections_take_is_an_error_that_says_so(exchange, feed):
    exchange.faults.limit_markets(1)
    with pytest.raises(SubscriptionError, match=r"connections=") as caught:
        feed.books(exchange.market_tickers)
    assert caught.value.code == 26
    kept = feed.books(exchange.market_tickers[:3])
    exchange.advance(5)
    assert {book.status for book in kept.values()} == {"live"}


@pytest.mark.parametrize("connections", [1, 3])
def test_a_list_that_is_too_long_for_one_subscription_is_taken_whole_and_filtered_here(exchange, connections):
    wanted = exchange.market_tickers[:4]
    exchange.faults.limit_markets(3)
    with kn.connect(exchange, connections=connections, new=True) as feed:
        tickers = feed.tickers(wanted)
        exchange.advance(120)
        assert feed.health().markets["ticker"] is None
        assert set(tickers.df["market_ticker"].cast(pl.String)) <= set(wanted)
        assert tickers.df.height > 0
        tickers.close()
        until(lambda: "ticker" not in feed.health().markets, "nobody wants it")
        few = feed.tickers(wanted[:2])
        exchange.advance(60)
        assert feed.health().markets["ticker"] == 2
        assert few.df.height > 0


def test_a_feed_that_is_closed_leaves_no_connection(exchange):
    feed = kn.connect(exchange, connections=4, new=True)
    assert feed.health().connections == 4
    assert len(ports(exchange)) == 4
    feed.close()
    until(lambda: not ports(exchange), "all are gone")
    assert feed.health().state == "closed"


def test_other_connections_go_on_while_one_is_refused(exchange, feed):
    books = feed.books(exchange.market_tickers)
    exchange.advance(5)
    exchange.faults.refuse_handshakes(503, count=2)
    lost = feed._engine.links[2]
    drop(exchange, lost)
    until(lambda: feed.state == "reconnecting", "the loss is seen")
    before = versions(feed, books)
    exchange.advance(60)
    mine = {ticker for ticker, home in homes(feed, books).items() if home == 3}
    after = versions(feed, books)
    moved = {ticker for ticker, book in books.items() if after[ticker] != before[ticker] and book.status == "live"}
    assert moved - mine
    until(lambda: feed.state == "connected", "it is back", 30)
    settle(exchange, books)


@pytest.mark.parametrize("connections", [0, 201, True, "4", 1.0])
def test_a_number_of_connections_that_cannot_be_is_refused_in_the_cell(exchange, connections):
    with pytest.raises(ConfigurationError, match=r"connections=.* 1 to 200"):
        kn.connect(exchange, connections=connections)


def test_another_number_of_connections_is_another_option(exchange, feed):
    assert kn.connect(exchange, connections=3) is feed
    with pytest.raises(FeedOptionsError, match="connections is 3 there and 1 here"):
        kn.connect(exchange)


def test_credentials_that_one_connection_is_refused_with_are_its_own_trouble(exchange, feed):
    books = feed.books(exchange.market_tickers)
    exchange.advance(5)
    exchange.faults.refuse_handshakes(403, count=6)
    lost = feed._engine.links[0]
    drop(exchange, lost)
    until(lambda: any("connection 1 of 3" in each for each in feed.health().warnings), "it is said", 60)
    assert feed.state == "reconnecting"
    assert feed.health().connections == 2
    trades, tickers = feed.trades(), feed.tickers()  # trades come over the refused one
    exchange.advance(60)
    assert tickers.df.height > 0
    assert trades.df.height == 0
    assert not trades.complete()
    mine = {ticker for ticker, home in homes(feed, books).items() if home == 1}
    assert {books[each].status for each in mine} == {"stale"}
    assert {books[each].status for each in set(books) - mine} == {"live"}
