"""What markets there are, as frames: asked for as the exchange takes it, and kept when it is broken off."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
import threading

import polars as pl
import pytest

import kalshi_nb as kn
from kalshi_nb._markets.registry import MarketRegistry
from kalshi_nb._rest.client import RestClient
from kalshi_nb._rest.discovery import Discovery
from kalshi_nb._rest.filters import MarketQuestion
from kalshi_nb.errors import (
    ConfigurationError,
    MarketTickerError,
    PagingError,
    RestBodyError,
    RestError,
    RestNotFoundError,
    RestUnavailableError,
)

TICKER = "KXHIGHNY-26NOV22-B52.5"


@pytest.fixture
def registry():
    return MarketRegistry()


@pytest.fixture
def discovery(client, exchange, registry):
    return Discovery(client, registry, exchange.now_us)


def markets(discovery, *arguments, **named):
    question = {name: named.pop(name) for name in MarketQuestion._fields if name in named}
    return discovery.markets(MarketQuestion(**question), *arguments, **named)


# -- frames ------------------------------------------------------------------------------------------------------


def test_open_markets_are_asked_for_without_combinations(discovery, exchange):
    exchange.faults.rest(combos=2_500)
    found = markets(discovery)
    assert sorted(found["market_ticker"]) == list(exchange.market_tickers)
    assert not found["is_multivariate"].any()
    assert markets(discovery, multivariate=True)["is_multivariate"].sum() == 2_500


def test_a_frame_begins_with_what_people_look_at_and_has_numbers(discovery, exchange):
    exchange.advance(20)
    found = markets(discovery)
    first = ["market_ticker", "title", "subtitle", "yes_bid", "yes_ask", "price", "volume", "close_time"]
    assert found.columns[:8] == first
    types = {str(kind) for name, kind in found.schema.items() if name.endswith("_time")}
    assert types == {"Datetime(time_unit='us', time_zone='UTC')"}
    for row in found.iter_rows(named=True):
        if row["yes_bid"] is not None and row["yes_ask"] is not None:
            assert row["mid"] == pytest.approx((row["yes_bid"] + row["yes_ask"]) / 2)
            assert f"{row['spread']:.3f}" == f"{row['yes_ask'] - row['yes_bid']:.3f}"
    fresh = found.filter(market_ticker="KXSENATEOH-28-I").row(0, named=True)
    assert (fresh["price"], fresh["volume"], fresh["result"]) == (None, 0.0, None)


def test_prices_equal_those_of_the_book(discovery, exchange):
    exchange.advance(20)
    with kn.connect(exchange) as feed:
        top = feed.book(TICKER).wait(timeout=30).top
        row = discovery.market(TICKER).row(0, named=True)
        assert (row["yes_bid"], row["yes_bid_size"], row["yes_ask"], row["yes_ask_size"]) == tuple(top)


def test_an_empty_frame_has_its_whole_schema(discovery):
    for empty, full in (
        (markets(discovery, series="KXSENATEOH", status="settled"), markets(discovery)),
        (discovery.events("KXSENATEOH", status="settled"), discovery.events()),
        (discovery.series(tags=["Nothing"]), discovery.series()),
    ):
        assert empty.height == 0
        assert empty.schema == full.schema
    empty = discovery.search("zzzz")
    assert empty.schema == discovery.search("ohio senate").schema


def test_markets_of_an_event_are_in_the_order_of_their_strikes(discovery):
    found = markets(discovery, event="KXHIGHNY-26NOV22")
    assert [each.rpartition("-")[2] for each in found["market_ticker"]] == [
        "T48",
        "B48.5",
        "B50.5",
        "B52.5",
        "B54.5",
        "T55",
    ]


def test_the_series_of_a_market_is_known_where_somebody_said_it_and_never_guessed(discovery):
    assert markets(discovery)["series_ticker"].null_count() == 12
    assert set(markets(discovery, series="KXHIGHNY")["series_ticker"]) == {"KXHIGHNY"}
    discovery.events()
    assert markets(discovery)["series_ticker"].null_count() == 0


def test_no_bid_no_ask_and_odd_times_are_null(open_client, scripted, registry):
    body = (
        '{"markets":[{"ticker":"KXA-1","yes_bid_dollars":"0.0000","yes_bid_size_fp":"0.00","yes_ask_dollars":"1.0000",'
        '"yes_ask_size_fp":"0.00","last_price_dollars":"0.0000","close_time":"soon","new":1},{"ticker":"KXA-2"}]}'
    )
    found = markets(Discovery(open_client(scripted((200, body)).base), registry, lambda: 0), status=None)
    for row in found.iter_rows(named=True):
        for name in ("yes_bid", "yes_bid_size", "yes_ask", "yes_ask_size", "price", "close_time", "mid", "spread"):
            assert row[name] is None


def test_a_price_that_would_have_to_be_rounded_is_an_error(open_client, scripted, registry):
    body = '{"market":{"ticker":"KXA-1","yes_bid_dollars":"0.12345678"}}'
    with pytest.raises(RestBodyError, match="Nothing is rounded"):
        Discovery(open_client(scripted((200, body)).base), registry, lambda: 0).market("KXA-1")


# -- filters -----------------------------------------------------------------------------------------------------


def test_times_of_closing_are_asked_for_with_any_status(exchange, open_client, registry):
    discovery = Discovery(open_client(exchange), registry, exchange.now_us)
    closes = dict(markets(discovery).select("market_ticker", "close_time").iter_rows())
    moment = sorted(closes.values())[4]
    before = {each for each, at in closes.items() if at < moment}
    assert before
    assert set(markets(discovery, close_before=moment)["market_ticker"]) == before
    assert set(markets(discovery, close_after=moment)["market_ticker"]) == set(closes) - before
    everything = markets(discovery, status=None, close_before=moment)
    assert set(everything.filter(status="active")["market_ticker"]) == before
    assert everything.filter(status="finalized")["close_time"].max() < min(closes.values())
    for status in ("unopened", "paused", "closed"):
        assert markets(discovery, status=status, close_before=moment).height == 0


def test_a_market_that_is_over_is_no_open_one():
    with kn.sim.Exchange(seed=7, clock="manual", closes_in=60) as exchange:
        exchange.advance(66)
        client = RestClient(exchange.rest_url)
        discovery = Discovery(client, MarketRegistry(), exchange.now_us)
        over = "KXBTC15M-26NOV221015-15"
        assert over not in markets(discovery, close_before="2030-01-01")["market_ticker"]
        assert markets(discovery, status="closed")["market_ticker"].to_list() == [over]
        assert markets(discovery, tickers=over, status=None).height == 1
        client.close()


@pytest.mark.parametrize(
    ("status", "meant"),
    [
        ("active", "open"),
        ("finalized", "settled"),
        ("Determined", "closed"),
        ("setled", "settled"),
        (5, "None for all"),
    ],
)
def test_a_status_that_cannot_be_asked_for_names_the_one_that_can(discovery, status, meant):
    for ask in (lambda: markets(discovery, status=status), lambda: discovery.events(status=status)):
        with pytest.raises(ConfigurationError, match=meant):
            ask()


@pytest.mark.parametrize(
    "wrong",
    [
        {"series": ""},
        {"series": "KXA,KXB"},
        {"event": 5},
        {"tickers": ["KXA", None, ""]},
        {"tickers": [None]},
        {"tickers": []},
        {"tickers": {}},
        {"tickers": {"KXA": 1}},
        {"tickers": 5},
        {"tickers": pl.DataFrame({"market_ticker": ["KXA"]})},
        {"cursor": 5},
        {"progress": "print"},
        {"close_before": "soon"},
        {"multivariate": "no"},
        {"limit": 0},
    ],
)
def test_what_cannot_be_asked_for_is_refused_before_anything_is_sent(open_client, registry, wrong):
    discovery = Discovery(open_client("http://127.0.0.1:9/trade-api/v2"), registry, lambda: 0)
    with pytest.raises(ConfigurationError):
        markets(discovery, **wrong)


def test_one_or_several_tickers(discovery):
    assert markets(discovery, tickers=TICKER)["market_ticker"].to_list() == [TICKER]
    assert markets(discovery, tickers=(each for each in (TICKER, "NONE", "KXSENATEOH-28-D"))).height == 2


def test_what_is_no_series_category_or_tag_is_refused_before_anything_is_sent(open_client, registry):
    discovery = Discovery(open_client("http://127.0.0.1:9/trade-api/v2"), registry, lambda: 0)
    for wrong in ("", [], 5, ["KXA"], b"KXA"):
        with pytest.raises(ConfigurationError, match="series="):
            discovery.events(wrong)
        with pytest.raises(ConfigurationError, match="category="):
            discovery.series(wrong)
    for wrong in ("", [], 5, ["NYC", None]):
        with pytest.raises(ConfigurationError, match="tags="):
            discovery.series(tags=wrong)


def test_thousands_of_tickers_are_asked_for_in_parts_and_gone_on_with_in_the_midst(open_client, exchange, registry):
    client = open_client(exchange)
    discovery = Discovery(client, registry, exchange.now_us)
    many = [f"KXNONE-{number}-A" for number in range(2_000)]
    assert markets(discovery, tickers=[TICKER, *many, "KXSENATEOH-28-D"]).height == 2
    exchange.faults.rest(refuse=20, after=3)
    with pytest.raises(RestError) as stopped:
        markets(discovery, tickers=[TICKER, *many, "KXSENATEOH-28-D"])
    assert stopped.value.partial["market_ticker"].to_list() == [TICKER]
    exchange.faults.rest()
    rest = markets(discovery, tickers=[TICKER, *many, "KXSENATEOH-28-D"], cursor=stopped.value.cursor)
    assert rest["market_ticker"].to_list() == ["KXSENATEOH-28-D"]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"series": "KXSENATEOH-28"}, "'KXSENATEOH-28' is an event: write event="),
        ({"series": TICKER}, "is a market"),
        ({"event": TICKER}, "is a market"),
        ({"series": "kxhighny"}, "upper case: 'KXHIGHNY'"),
        ({"event": "KXHIGHNY"}, "is a series: write series='KXHIGHNY'"),
        ({"series": "KXNONE"}, "knows no such series; feed.search"),
        ({"event": "KXNONE-26"}, "knows no such event; feed.search"),
        ({"event": "kxhighny-26nov22"}, "upper case: 'KXHIGHNY-26NOV22'"),
    ],
)
def test_a_ticker_of_something_else_is_no_empty_list(discovery, asked, said):
    with pytest.raises(MarketTickerError, match=said):
        markets(discovery, **asked)


def test_a_series_without_markets_is_an_empty_list(discovery):
    assert markets(discovery, series="KXSENATEOH", status="settled").is_empty()
    assert markets(discovery, event="KXSENATEOH-28", status="settled").is_empty()
    assert discovery.events("KXSENATEOH", status="settled").is_empty()


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("KXNONE", "no event in series='KXNONE'. The exchange knows no such series"),
        ("KXHIGHNY-26NOV22", "no event in series='KXHIGHNY-26NOV22'. .* is an event"),
        (TICKER, f"'{TICKER}' is a market"),
    ],
)
def test_events_of_what_is_no_series_are_no_empty_list(discovery, asked, said):
    with pytest.raises(MarketTickerError, match=said):
        discovery.events(asked)


def test_the_error_of_an_event_in_place_of_a_market_names_its_markets(discovery):
    with pytest.raises(MarketTickerError, match=f"is an event. Its markets are .*'{TICKER}'"):
        discovery.market("KXHIGHNY-26NOV22")
    with pytest.raises(MarketTickerError, match="'KXHIGHNY' is a series"):
        discovery.market("KXHIGHNY")


def test_times_of_closing_that_nothing_lies_between_are_refused(discovery):
    with pytest.raises(ConfigurationError, match="close_before lies before close_after"):
        markets(discovery, close_after="2026-12-02", close_before="2026-12-01")


def test_the_error_of_a_market_that_is_written_small_says_how_to_write_it(discovery):
    with pytest.raises(RestNotFoundError, match=f"upper case: '{TICKER}'"):
        discovery.market(TICKER.lower())
    with pytest.raises(MarketTickerError, match="are words"):
        discovery.market("high temp")


def test_what_there_is_not_is_said(discovery):
    with pytest.raises(RestNotFoundError, match="spelling"):
        discovery.market("KXNONE-1")


def test_a_category_that_does_not_exist_is_no_empty_one(discovery):
    with pytest.raises(ConfigurationError, match="Did you mean 'Climate and Weather'"):
        discovery.series("climate and weather")
    with pytest.raises(ConfigurationError, match="There are 'Climate and Weather', 'Crypto'"):
        discovery.series("Weather")
    assert discovery.series("Crypto", tags="NYC").height == 0


# -- walks that end early ----------------------------------------------------------------------------------------


@pytest.fixture
def flooded(exchange):
    """An exchange with three pages of markets."""
    exchange.faults.rest(combos=2_500)
    return exchange


def test_a_limit_ends_the_walk(discovery, flooded):
    found = markets(discovery, limit=1_200, multivariate=True)
    assert found.height == 1_200


def test_progress_is_told_after_each_page(discovery, flooded):
    told = []
    markets(discovery, multivariate=True, progress=lambda rows, oldest: told.append((rows, oldest)))
    assert [rows for rows, _ in told] == [1_000, 2_000, 2_512]
    times = [oldest for _, oldest in told]
    assert times == sorted(times, reverse=True)
    assert times[-1].tzinfo is dt.UTC


def test_what_came_before_a_failure_is_kept_and_gone_on_with(discovery, flooded):
    flooded.faults.rest(combos=2_500, refuse=1_000, after=2, refusal="gateway")
    with pytest.raises(RestUnavailableError) as caught:
        markets(discovery, multivariate=True)
    assert caught.value.partial.height == 2_000
    assert "2,000 rows had come" in caught.value.__notes__[0]
    flooded.faults.rest(combos=2_500)
    rest = markets(discovery, multivariate=True, cursor=caught.value.cursor)
    both = pl.concat([caught.value.partial, rest])
    assert both["market_ticker"].n_unique() == both.height == 2_512


def test_what_came_before_ctrl_c_is_kept(discovery, flooded):
    def interrupted(rows, _):
        if rows == 2_000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        markets(discovery, multivariate=True, progress=interrupted)
    assert caught.value.partial.height == 2_000
    assert markets(discovery, multivariate=True, cursor=caught.value.cursor).height == 512


def test_a_real_ctrl_c_amid_a_wait_keeps_what_came(flooded):
    flooded.faults.rest(combos=2_500, refuse=1_000_000, after=2, refusal="object")
    code = (
        "import signal, threading, kalshi_nb as kn\n"
        "main = threading.main_thread().ident\n"
        "def told(rows, oldest):\n"
        "    if rows == 2_000:\n"
        "        threading.Timer(0.5, signal.pthread_kill, (main, signal.SIGINT)).start()\n"
        "try:\n"
        f"    kn.markets({flooded.url!r}, multivariate=True, progress=told)\n"
        "except KeyboardInterrupt as stopped:\n"
        "    print(stopped.partial.height, bool(stopped.cursor), stopped.__notes__[0][:20])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "2000 True 2,000 rows had come:\n"


def test_what_came_before_a_circle_is_kept(discovery, exchange):
    exchange.faults.rest(combos=2_500, cursors="garbage")
    with pytest.raises(PagingError) as caught:
        markets(discovery, multivariate=True)
    assert caught.value.partial.height == 1_000


# -- what views read ---------------------------------------------------------------------------------------------


def test_answers_fill_what_is_known_of_markets(discovery, registry, exchange):
    discovery.events()
    discovery.market(TICKER)
    facts = registry.get(TICKER)
    row = next(each for each in exchange.markets if each.ticker == TICKER)
    assert (facts.title, facts.subtitle) == (row.title, row.subtitle)
    assert (facts.floor_strike, facts.cap_strike, facts.status) == (52.0, 53.0, "active")
    assert facts.event_title == "Highest temperature in NYC on Nov 22, 2026?"
    assert facts.mutually_exclusive
    assert [tuple(each) for each in facts.price_ranges] == [(0, 10_000, 100)]


def test_what_was_said_later_stands_whatever_an_answer_says(discovery, registry, exchange):
    registry.update(TICKER, exchange.now_us() + 60_000_000, {"status": "inactive"})
    discovery.market(TICKER)
    assert registry.get(TICKER).status == "inactive"
    assert registry.get(TICKER).floor_strike == 52.0


# -- what was settled long ago ------------------------------------------------------------------------------------


def moved(exchange):
    """The markets of the day before the first that is in the live tier, as the exchange itself knows them."""
    history = exchange._server.rest._history
    return sorted(
        each for each in history._venue.past.listings if history._has_moved(history._venue.past.listings[each])
    )


def test_what_moved_to_the_historical_tier_is_found_where_it_is_named(discovery, exchange):
    old = [each for each in moved(exchange) if each.startswith("KXHIGHNY-26SEP03-")]
    assert len(old) == 6
    for asked in ({"event": "KXHIGHNY-26SEP03"}, {"tickers": old}):
        for status in (None, "settled"):
            assert sorted(markets(discovery, **asked, status=status)["market_ticker"]) == old
        assert markets(discovery, **asked).is_empty()  # none of them is open
    both = [old[0], TICKER]
    assert sorted(markets(discovery, tickers=both, status=None)["market_ticker"]) == sorted(both)
    every = markets(discovery, series="KXHIGHNY", status="settled")
    assert every["market_ticker"].n_unique() == every.height == 90 * 6
    assert (
        markets(discovery, status="settled").height < every.height
    )  # who names nothing is not given all there ever was
    one = discovery.market(old[0])
    assert one.select("market_ticker", "status").row(0) == (old[0], "finalized")


def test_a_market_that_stands_in_both_tiers_is_there_once(discovery, exchange, monkeypatch):
    monkeypatch.setattr("kalshi_nb.sim._rest_history.History._has_moved", lambda *_: True)
    monkeypatch.setattr(
        "kalshi_nb.sim._rest_history.History.live_listings",
        lambda self: [*self._venue.listings.values(), *self._venue.past.listings.values()],
    )
    found = markets(discovery, series="KXHIGHNY", status=None)
    assert found["market_ticker"].n_unique() == found.height == 91 * 6


def test_a_walk_through_both_tiers_goes_on_where_it_was_broken_off(discovery, exchange, monkeypatch):
    monkeypatch.setattr("kalshi_nb._rest.discovery._MOST_MARKETS", 50)
    whole = markets(discovery, series="KXHIGHNY", status="settled")

    def interrupted(rows, _):
        if rows > 400:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        markets(discovery, series="KXHIGHNY", status="settled", progress=interrupted)
    rest = markets(discovery, series="KXHIGHNY", status="settled", cursor=caught.value.cursor)
    assert caught.value.partial.height + rest.height == whole.height
    assert set(pl.concat([caught.value.partial, rest])["market_ticker"]) == set(whole["market_ticker"])


def test_words_find_what_was_settled_long_ago(discovery):
    found = discovery.search("high temp new york sep 3", "settled", 600)
    assert "KXHIGHNY-26SEP03" in set(found["event_ticker"])


def test_a_result_is_known_when_it_was_told():
    with kn.sim.Exchange(seed=7, clock="manual", closes_in=60) as exchange:
        exchange.advance(80)
        client, registry = RestClient(exchange.rest_url), MarketRegistry()
        Discovery(client, registry, exchange.now_us).market("KXBTC15M-26NOV221015-15")
        facts = registry.get("KXBTC15M-26NOV221015-15")
        assert facts.status == "finalized"
        assert facts.settlement_value == (10_000 if facts.result == "yes" else 0)
        assert facts.settled_at is not None
        client.close()


def test_several_threads_ask_at_once(exchange, registry):
    client = RestClient(exchange.rest_url)
    discovery = Discovery(client, registry, exchange.now_us)
    found = []
    threads = [threading.Thread(target=lambda: found.append(markets(discovery).height)) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)
    client.close()
    assert found == [12] * 4
