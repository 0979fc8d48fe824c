"""What is nearly right is named: a ticker in lower case, an event's ticker, a channel by another name."""

import pytest

import kalshi_nb as kn
from kalshi_nb import errors
from kalshi_nb._rows.tickers import hint
from tests.feed.conftest import until

pytestmark = pytest.mark.usefixtures("nothing_before")

MARKET = "KXHIGHNY-26NOV22-B52.5"
EVENT = "KXHIGHNY-26NOV22"


def shown(book):
    """What a front end without widgets shows of a book: the ladder as text, with its note in brackets at the end."""
    return book._repr_mimebundle_()["text/plain"]


def test_a_market_in_lower_case_is_named_as_it_should_be(feed):
    book = feed.book(MARKET.lower())
    with pytest.raises(errors.SubscriptionError, match=f"no market .* upper case: '{MARKET}'"):
        book.wait()
    assert shown(book).endswith(f"\n({hint(MARKET.lower())})")


def test_an_event_in_place_of_a_market_is_refused_with_its_markets(feed):
    with pytest.raises(errors.MarketTickerError, match=f"is an event. Its markets are .*{MARKET}"):
        feed.book(EVENT)


def test_what_looks_like_an_event_is_said_to(feed):
    book = feed.book("KXNOSUCH-26NOV22")
    with pytest.raises(errors.SubscriptionError, match="event or a series"):
        book.wait()
    assert "event or a series" in shown(book)


def test_a_ticker_that_looks_like_any_other_has_the_general_advice_and_no_note(feed):
    book = feed.book("KXNOSUCH-26NOV22-B1")
    with pytest.raises(errors.SubscriptionError, match="settled market is gone"):
        book.wait()
    assert not shown(book).endswith(")")
    assert hint(MARKET) == ""
    known = feed.book(MARKET).wait()
    assert not shown(known).endswith(")")


def test_a_refusal_of_the_exchange_has_the_hint_too():
    with kn.sim.Exchange(seed=7, clock="manual", unknown_markets="error") as exchange, kn.connect(exchange) as feed:
        with pytest.raises(errors.SubscriptionError, match=f"upper case: '{MARKET}'"):
            feed.book(MARKET.lower())
        with pytest.raises(errors.SubscriptionError, match="event or a series"):
            feed.book("KXNOSUCH-26NOV22")
        with pytest.raises(errors.SubscriptionError) as caught:
            feed.book("KXNOSUCH-26NOV22-B1")
        assert "Did you" not in str(caught.value)
        assert "event or" not in str(caught.value)


def test_names_of_indices_are_no_tickers(feed, exchange):
    asked = feed.index_values("brti")
    until(lambda: feed.health().markets.get("cfbenchmarks_value") == 1, "asked for as it is")
    assert asked.df.is_empty()


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("trades", "trade"),
        ("Ticker", "ticker"),
        ("fills", "fill"),
        ("orderbook", "orderbook_delta"),
        ("order_book_delta", "orderbook_delta"),
        ("orders", "user_orders"),
        ("market_lifecycle", "market_lifecycle_v2"),
        ("cfbenchmark_values", "cfbenchmarks_value"),
        ("quote", "quotes"),
    ],
)
def test_a_channel_by_nearly_its_name_is_asked_back(feed, name, meant):
    for ask in (feed.frame, feed.stream, feed.messages, feed.on, feed.index_ids):
        with pytest.raises(
            errors.UnknownChannelError, match=f"no channel '{name}'. Did you mean '{meant}'\\? There are"
        ):
            ask(name)


@pytest.mark.parametrize("name", ["weather", "", 5, None])
def test_a_channel_like_no_other_is_met_with_the_list_alone(feed, name):
    with pytest.raises(errors.UnknownChannelError, match=r"no channel \S+\. There are 'trade'"):
        feed.frame(name)


@pytest.mark.parametrize(
    ("handle", "name", "said"),
    [
        (lambda feed: feed.trades(), "to_parquet", r"write_parquet\(path\)"),
        (lambda feed: feed.trades(), "groupby", "df.group_by"),
        (lambda feed: feed.trades(), "ohlcv", "bars"),
        (lambda feed: feed, "orderbook", r"feed.book\(market_ticker\)"),
        (lambda feed: feed, "subscribe", "asking is subscribing"),
        (lambda feed: feed, "subscribe_ticker", "asking is subscribing"),
        (lambda feed: feed, "unsubscribe", "closing is unsubscribing"),
        (lambda feed: feed, "unsubscribe_trade", "closing is unsubscribing"),
        (lambda feed: feed, "start", "is running"),
        (lambda feed: feed, "stop", r"feed.close\(\)"),
        (lambda feed: feed, "is_connected", 'feed.state == "connected"'),
        (lambda feed: feed, "reconnect_count", r"feed.health\(\).reconnects"),
        (lambda feed: feed, "get_orderbook", r"feed.book\(market_ticker\)"),
        (lambda feed: feed, "get_candlesticks", r"feed.candles\(market_ticker"),
        (lambda feed: feed, "get_balance", r"feed.positions\(\)"),
        (lambda feed: feed, "get_markets", "Did you mean 'markets'"),
        (lambda feed: feed, "place_order", "no orders are placed here"),
        (lambda feed: feed.book(MARKET), "bid_depth", r"\.depth\(n\)"),
        (lambda feed: feed.book(MARKET), "cost_to_buy", r"\.depth\(99\)"),
        (lambda feed: feed.book(MARKET), "yes", r'\.levels\("yes"\)'),
        (lambda feed: feed, "trade", "Did you mean 'trades'"),
        (lambda feed: feed.health(), "lag", "lag_p50"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_name_of_another_library_is_answered_with_the_one_here(feed, handle, name, said):
    asked = handle(feed)
    with pytest.raises(errors.NoSuchAttributeError, match=f"has no '{name}'.*{said}"):
        getattr(asked, name)
    assert not hasattr(asked, name)


def test_health_is_no_dict(feed):
    with pytest.raises(errors.UsageError, match=r"feed.health\(\).state"):
        feed.health()["state"]


def test_of_what_a_library_says_the_first_line_is_told_and_the_users_own_line(feed):
    def dated(df):
        return df["market_ticker"].str.to_datetime("%Y")

    feed.stream("trade").map(dated).sink(print)
    feed.exchange.advance(10)
    with pytest.warns(errors.PipelineWarning, match="in dated"):
        told = feed.health().last_error
    assert "InvalidOperationError: conversion from `str`" in told
    assert "\n" not in told


def test_a_frame_that_has_no_row_yet_says_how_to_wait_for_one(exchange, feed):
    tickers = feed.tickers()
    assert repr(tickers).endswith("none came yet: wait(rows=1) waits for one>")
    exchange.advance(5)
    assert tickers.total
    assert "none came yet" not in repr(tickers)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("KalshiClient", "kn.connect"),
        ("OrderbookManager", "feed.book"),
        ("AsyncFeed", "kn.connect_async"),
        ("nonsense", "it has Book"),
    ],
)
def test_a_class_of_another_client_is_answered_with_what_is_asked_here(name, said):
    with pytest.raises(AttributeError, match=f"kalshi_nb has no '{name}'.*{said}"):
        getattr(kn, name)
