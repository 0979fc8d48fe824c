"""What is nearly right is named: a ticker in lower case, an event's ticker, a channel by another name."""

import pytest

import kalshi_nb as kn
from kalshi_nb import errors
from kalshi_nb._rows.tickers import hint
from tests.feed.conftest import until

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


def test_an_event_in_place_of_a_market_is_said_to_look_like_one(feed):
    book = feed.book(EVENT)
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
            feed.book(EVENT)
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
