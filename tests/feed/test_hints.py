"""What is nearly right is named: a ticker in lower case, an event's ticker, a channel by another name."""

import asyncio

import msgspec
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
        (lambda feed: feed, "messages_received", r"feed.health\(\).messages"),
        (lambda feed: feed, "seconds_since_last_message", r"feed.health\(\).ages"),
        (lambda feed: feed.trades(), "to_dataframe", r"\.to_pandas\(\)"),
        (lambda feed: feed.book(MARKET), "to_dataframe", r"\.depth\(10\)"),
        (lambda feed: feed, "run_forever", r"feed.run\(\)"),
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


async def go_through(several):
    async for message in several:
        return message
    return None


def test_a_feed_as_a_whole_is_not_gone_through_and_says_what_is(feed):
    with pytest.raises(errors.UsageError, match=r"async for message in feed.listen\('trade'\)"):
        asyncio.run(go_through(feed))


@pytest.mark.parametrize("channels", [["ticker", "trade"], ("ticker", "trade")])
@pytest.mark.parametrize("asked", ["on", "listen", "stream", "frame"])
def test_several_channels_in_one_call_are_answered_with_a_call_each(feed, asked, channels):
    with pytest.raises(errors.UnknownChannelError, match=r"Several channels .* 'ticker', 'trade'\. Ask once for each"):
        getattr(feed, asked)(channels)


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
        ("TickerMessage", "kn.messages.Ticker"),
        ("OrderbookSnapshotMessage", "kn.messages.OrderbookSnapshot"),
        ("NoSuchMessage", "it has Book"),
        ("RateLimitError", "kn.errors.RateLimitError"),
        ("KalshiAPIError", "kn.errors.RestError"),
        ("InsufficientFundsError", "no orders are placed"),
        ("NoSuchError", "it has Book"),
        ("MarketStatus", 'status="open"'),
        ("CandlestickPeriod", '"1m", "1h" and "1d"'),
        ("ResourceNotFoundError", "kn.errors.RestNotFoundError"),
        ("nonsense", "it has Book"),
    ],
)
def test_a_class_of_another_client_is_answered_with_what_is_asked_here(name, said):
    with pytest.raises(AttributeError, match=f"kalshi_nb has no '{name}'.*{said}"):
        getattr(kn, name)


@pytest.mark.parametrize(
    ("module", "name", "said"),
    [
        ("errors", "KalshiAPIError", "answers with an error is RestError"),
        ("errors", "ResourceNotFoundError", r"RestNotFoundError\."),
        ("errors", "NoSuchError", "it has AccountWarning"),
        ("messages", "TickerMessage", r"Ticker\."),
        ("messages", "Nothing", "it has .*Trade"),
    ],
)
def test_a_module_is_asked_for_a_class_of_another_client_and_says_its_own(module, name, said):
    with pytest.raises(AttributeError, match=f"kalshi_nb.{module} has no '{name}'.*{said}"):
        getattr(getattr(kn, module), name)


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ({"demo": True}, "has no argument 'demo': the place stands first and alone: connect\\(\"demo\"\\)"),
        ({"base_url": "wss://host"}, "the place stands first"),
        ({"api_key_id": "a"}, "Did you mean 'key_id'"),
        ({"private_key_path": "key.pem"}, "Did you mean 'private_key'"),
        ({"nonsense": 1}, "It takes where, key_id"),
    ],
)
@pytest.mark.parametrize("call", ["connect", "connect_async"])
def test_an_argument_that_connect_does_not_have_is_answered_with_the_one_that_is_meant(call, named, said):
    with pytest.raises(errors.UsageError, match=said):
        getattr(kn, call)(**named)
    with pytest.raises(errors.UsageError, match="takes only where without a name"):
        getattr(kn, call)("sim", "a", "b")


def test_what_is_asked_for_in_an_argument_that_is_none_says_where_that_is(feed):
    with pytest.raises(errors.UsageError, match=r"no argument 'status': feed.orders\(\).latest\(\)"):
        feed.orders(status="resting")


def test_errors_are_no_channel_and_say_where_they_are(feed):
    with pytest.raises(errors.UnknownChannelError, match=r"'error': .*feed.health\(\) and the log\. There are "):
        feed.on("error")


@pytest.mark.parametrize("name", ["to_dict", "model_dump", "dict"])
def test_a_message_says_how_it_becomes_a_dictionary(feed, name):
    trade = first(feed)
    with pytest.raises(errors.NoSuchAttributeError, match=r"msgspec.structs.asdict\(message\)"):
        getattr(trade, name)
    assert msgspec.structs.asdict(trade)["market_ticker"] == trade.market_ticker


def first(feed):
    """The first trade that comes."""
    seen = []
    feed.on("trade")(seen.append)
    feed.exchange.advance(60)
    until(lambda: seen, "a trade")
    return seen[0]
