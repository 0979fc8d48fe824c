"""Finding markets by a feed, and without one."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading

import pytest

import kalshi_nb as kn
from kalshi_nb._environments import ENVIRONMENTS, rest_of
from kalshi_nb._feed.feed import Feed
from kalshi_nb.errors import (
    ConfigurationError,
    FeedClosedError,
    MarketTickerError,
    NoSuchAttributeError,
    RestError,
    UnknownEnvironmentError,
)
from kalshi_nb.sim import Exchange
from tests.feed.list_engine import ListEngine

TICKER = "KXHIGHNY-26NOV22-B52.5"


@pytest.fixture
def exchange():
    with Exchange(seed=7, clock="manual") as made:
        yield made


@pytest.fixture
def feed(exchange):
    """A feed that knows the exchange by its address alone, as it knows a real one."""
    with kn.connect(exchange.url, key_id=exchange.key_id, private_key=exchange.private_key) as made:
        yield made


def test_a_feed_tells_what_there_is(feed, exchange):
    assert set(feed.series()["series_ticker"]) == {"KXBTC15M", "KXHIGHNY", "KXNFLGAME", "KXSENATEOH"}
    assert feed.series("Sports", tags=["Football"])["series_ticker"].to_list() == ["KXNFLGAME"]
    assert feed.events("KXHIGHNY")["event_ticker"].to_list() == ["KXHIGHNY-26NOV22"]
    assert sorted(feed.markets()["market_ticker"]) == list(exchange.market_tickers)
    assert feed.markets(event="KXSENATEOH-28", limit=2).height == 2
    assert feed.market(TICKER)["subtitle"].to_list() == ["52° to 53°"]
    assert feed.search("high temp new york", limit=3).height == 3


def test_what_was_found_is_what_views_show(feed):
    view = kn.show(feed.book(TICKER).wait(timeout=30))
    assert "52° to 53°" not in view.snapshot().text
    feed.markets("KXHIGHNY")
    assert "52° to 53°" in view.snapshot().text


def test_an_event_is_shown_without_naming_its_markets_once_they_were_asked_for(feed):
    with pytest.raises(kn.errors.MarketTickerError):
        feed.event("KXSENATEOH-28")
    feed.markets(event="KXSENATEOH-28")
    feed.event("KXSENATEOH-28").close()


def test_public_data_needs_no_key_and_no_feed(exchange):
    found = kn.markets(exchange, series="KXHIGHNY")
    assert found.height == 6
    assert kn.markets(exchange.url, "KXHIGHNY").equals(found)
    assert kn.markets(exchange, tickers=TICKER, status=None).height == 1
    with pytest.raises(UnknownEnvironmentError):
        kn.markets("prd")


def test_the_embedded_exchange_answers_too():
    feed = kn.connect("sim")
    assert kn.markets("sim").height == 12
    feed.close()


def test_public_data_is_never_asked_for_with_a_key(exchange, monkeypatch):
    # One that would be refused.
    monkeypatch.setenv("KALSHI_API_KEY_ID", "00000000-0000-0000-0000-000000000000")
    monkeypatch.setenv("KALSHI_PRIVATE_KEY_PATH", "nowhere.pem")
    assert kn.markets(exchange.url).height == 12


def test_in_a_coroutine_it_is_awaited_by_a_thread(feed):
    async def main():
        return await asyncio.gather(asyncio.to_thread(feed.markets), asyncio.to_thread(feed.series))

    assert [each.height for each in asyncio.run(main())] == [12, 4]


def test_a_closed_feed_asks_nothing(exchange):
    feed = kn.connect(exchange)
    feed.close()
    for ask in (feed.series, feed.events, feed.markets, lambda: feed.market(TICKER), lambda: feed.search("rain")):
        with pytest.raises(FeedClosedError):
            ask()


def test_a_callback_may_ask(feed, exchange):
    found, asked = [], threading.Event()

    @feed.on("trade")
    def ask(trade):
        try:
            found.append(feed.market(trade.market_ticker)["market_ticker"][0] == trade.market_ticker)
        finally:
            asked.set()

    exchange.advance(5)
    assert asked.wait(30)
    assert found
    assert all(found)


def test_a_feed_without_an_exchange_says_so():
    feed = Feed(ListEngine())
    try:
        with pytest.raises(ConfigurationError, match=r"kalshi_nb\.markets"):
            feed.markets()
    finally:
        feed.close()


def test_trouble_over_rest_is_no_trouble_of_the_feed_s(feed, exchange):
    exchange.faults.begin_maintenance(retry_after=0.0)
    exchange.faults.end_maintenance()
    with pytest.raises(RestError):
        feed.market("KXNONE-1")
    exchange.faults.rest(refuse=1, refusal="text")
    assert feed.market(TICKER).height == 1


def test_a_name_that_is_nearly_one_of_these_is_answered_with_it(feed):
    with pytest.raises(NoSuchAttributeError, match="search"):
        feed.serach  # noqa: B018


@pytest.mark.parametrize(
    ("url", "base"),
    [
        (ENVIRONMENTS["prod"], "https://external-api.kalshi.com/trade-api/v2"),
        (ENVIRONMENTS["demo"], "https://external-api.demo.kalshi.co/trade-api/v2"),
        ("wss://api.elections.kalshi.com/trade-api/ws/v2", "https://api.elections.kalshi.com/trade-api/v2"),
        ("ws://127.0.0.1:8765/trade-api/ws/v2", "http://127.0.0.1:8765/trade-api/v2"),
        ("wss://relay.example/kalshi/trade-api/ws/v2?x=1", "https://relay.example/kalshi/trade-api/v2"),
    ],
)
def test_rest_is_beside_the_socket_but_for_hosts_of_its_own(url, base):
    assert rest_of(url) == base


def test_a_feed_that_asks_nothing_over_rest_imports_nothing_for_it():
    code = (
        "import sys, kalshi_nb as kn\n"
        "feed = kn.connect('sim'); feed.trades().wait(rows=1); feed.close()\n"
        "print('httpx' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_an_event_is_no_market_and_its_markets_are_named(feed, exchange):
    with pytest.raises(MarketTickerError, match="'KXSENATEOH-28' is an event") as caught:
        feed.book("KXSENATEOH-28")
    for outcome in "DIR":
        assert f"'KXSENATEOH-28-{outcome}'" in str(caught.value)
    exchange.faults.rest(refuse=1_000)  # from here on it is known
    with pytest.raises(MarketTickerError, match="KXSENATEOH-28-D"):
        feed.books(["KXSENATEOH-28-D", "KXSENATEOH-28"])


def test_where_nobody_can_be_asked_a_book_is_what_it_is_without(feed, exchange):
    assert feed.book("KXNONE-1").status in ("connecting", "unknown")
    exchange.faults.rest(refuse=1_000, refusal="gateway")
    assert feed.book("KXSENATEOH-28").status in ("connecting", "unknown")
    exchange.faults.rest()
    assert feed.book("KXHIGHNY-26NOV22").status in ("connecting", "unknown")  # once is enough


def test_words_where_a_ticker_goes_are_answered_with_the_search(feed):
    with pytest.raises(MarketTickerError, match=r"feed\.search\('high temp new york'\)"):
        feed.book("high temp new york")
