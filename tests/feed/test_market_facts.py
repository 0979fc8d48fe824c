"""What a feed knows of markets, whoever told it: the simulated exchange beside its messages, or its messages alone."""

import pytest

import kalshi_nb as kn
from kalshi_nb._rows.market_facts import MarketFacts, PriceRange
from tests.feed.conftest import until
from tests.wire.own_frames import CREATED, DETERMINED, EVENT, METADATA_UPDATED

SECOND = 1_000_000
BITCOIN = "KXBTC15M-26NOV221015-15"
WEATHER = "KXHIGHNY-26NOV22-B52.5"
LIFECYCLE = "market_lifecycle_v2"


@pytest.fixture
def dying():
    """An exchange whose first market closes after 24 s."""
    with kn.sim.Exchange(seed=7, clock="manual", closes_in=24) as made:
        yield made


def from_outside(exchange):
    """Connect as to a real exchange, of which there are only messages."""
    return kn.connect(exchange.url, key_id=exchange.key_id, private_key=exchange.private_key, new=True)


def known(feed, ticker):
    return feed._markets.get(ticker)  # views are handed it; users have no name for it


def test_a_simulated_exchange_s_markets_are_known_before_anything_is_asked_for(exchange, feed):
    facts = known(feed, WEATHER)
    assert (facts.title, facts.subtitle) == (
        "Will the high temperature in New York be 52-53° on Nov 22, 2026?", "52° to 53°",
    )  # fmt: skip
    assert (facts.strike_type, facts.floor_strike, facts.cap_strike) == ("between", 52, 53)
    assert facts.event_title == "Highest temperature in NYC on Nov 22, 2026?"
    assert facts.mutually_exclusive is True
    assert facts.price_ranges == (PriceRange(0, 10_000, 100),)
    assert facts.phase(exchange.now_us()) == "active"
    assert len(feed._markets.markets_of("KXHIGHNY-26NOV22")) == 6
    assert known(feed, BITCOIN).mutually_exclusive is False
    assert len(feed._markets) == 12


def test_by_the_exchange_s_clock_a_market_closes_is_determined_and_is_paid(dying):
    with kn.connect(dying) as feed:
        phases = []
        for _ in range(120):
            phase = feed._markets.phase(BITCOIN, dying.now_us())
            if phase not in phases[-1:]:
                phases.append(phase)
            dying.advance(0.25)
        assert [each for each in phases if each != "inactive"] == ["active", "closed", "determined", "finalized"]
        facts = known(feed, BITCOIN)
        assert facts.settled_at - facts.determined_at == 2 * SECOND
        assert facts.settlement_value == (10_000 if facts.result == "yes" else 0)


def test_the_number_stays_while_nothing_changes(exchange, feed):
    trades = feed.trades()
    number = feed._markets.version
    exchange.advance(5)
    assert trades.df.height > 0
    assert feed._markets.version == number
    exchange.advance(600)
    assert feed._markets.version > number


def test_messages_alone_say_the_same_as_the_exchange_beside_them(dying):
    with kn.connect(dying) as inside, from_outside(dying) as outside:
        assert known(outside, BITCOIN) == MarketFacts(market_ticker=BITCOIN)
        rows = outside.lifecycle()
        dying.advance(29)
        until(lambda: rows.df["event_type"].to_list().count("settled") == 1, "the market is paid")
        for name in ("status", "result", "settlement_value", "determined_at", "settled_at"):
            assert getattr(known(outside, BITCOIN), name) == getattr(known(inside, BITCOIN), name)


def test_whatever_wants_lifecycle_messages_teaches_the_feed(exchange):
    with from_outside(exchange) as feed:
        heard = []
        feed.on(LIFECYCLE)(lambda message: heard.append((message, known(feed, "KXA-1").status)))
        for frame in (CREATED, METADATA_UPDATED, EVENT, DETERMINED):
            exchange.publish(LIFECYCLE, frame["type"], frame["msg"])
        until(lambda: len(heard) == 4, "all are heard")
        facts = known(feed, "KXA-1")
        assert (facts.title, facts.subtitle, facts.event_title) == ("Will A?", "80 to 81", "A?")
        assert (facts.status, facts.result, facts.settlement_value) == ("determined", "scalar", 5_000)


def test_a_callback_finds_what_the_message_says_that_it_was_called_for(exchange, feed):
    found = []

    @feed.on(LIFECYCLE)
    def hear(message):
        found.append((message.event_type, known(feed, message.market_ticker).status))

    for event_type in ("activated", "deactivated", "determined"):
        exchange.publish(LIFECYCLE, LIFECYCLE, {"market_ticker": "KXA-1", "event_type": event_type})
        exchange.advance(0)
    assert found == [("activated", "active"), ("deactivated", "inactive"), ("determined", "determined")]


@pytest.mark.parametrize(
    "more",
    [
        {"additional_metadata": {"title": ["x"], "floor_strike": "x", "yes_sub_title": {}}},
        {"additional_metadata": {"title": "<img src=x onerror=alert(1)>" * 1_000}},
        {"price_ranges": [{"start": "x"}]},
        {"price_ranges": []},
        {"settlement_value": "lots"},
        {"close_ts": -1},
    ],
)
def test_messages_that_make_no_sense_do_the_feed_no_harm(exchange, feed, more):
    feed.lifecycle()
    exchange.publish(LIFECYCLE, LIFECYCLE, {"market_ticker": "KXA-1", "event_type": "created", **more})
    exchange.publish(LIFECYCLE, LIFECYCLE, {"market_ticker": "KXA-2", "event_type": "activated"})
    exchange.advance(0)
    assert known(feed, "KXA-2").status == "active"
    assert known(feed, "KXA-1").price_ranges is None
    assert len(known(feed, "KXA-1").title or "") <= 1_000
    assert feed._pipelines.kit_errors == 0


def test_a_closed_feed_learns_no_more_and_keeps_what_it_knew(dying):
    feed = kn.connect(dying)
    feed.close()
    dying.advance(30)
    assert known(feed, BITCOIN).status == "active"
    assert known(feed, BITCOIN).phase(dying.now_us()) == "closed"


def test_a_feed_that_comes_late_is_told_how_it_stands(dying):
    dying.advance(27)
    with kn.connect(dying) as feed:
        assert known(feed, BITCOIN).status == "determined"
        assert known(feed, BITCOIN).result in ("yes", "no")


def test_a_book_is_shown_with_what_is_known_of_its_market_up_to_its_settlement():
    with kn.sim.Exchange(seed=7, clock="manual", closes_in=600) as exchange, kn.connect(exchange) as feed:
        book = feed.book("KXHIGHNY-26NOV22-B52.5").wait()
        shown = book._picture(5).market
        assert (shown.title, shown.subtitle, shown.phase) == (
            "Will the high temperature in New York be 52-53° on Nov 22, 2026?",
            "52° to 53°",
            "active",
        )
        assert shown.close_time - feed.now().timestamp() == pytest.approx(1_200, abs=60)
        phases, versions = [], set()
        for _ in range(50):
            picture = book._picture(5)
            versions.add((picture.market, picture.version))
            if picture.market.phase not in phases:
                phases.append(picture.market.phase)
            exchange.advance(30)
        assert phases == ["active", "closed", "determined", "finalized"]
        assert len({version for _, version in versions}) >= len({market for market, _ in versions}) == 4
        assert (shown.settlement, book._picture(5).market.settlement) in [(None, 0.0), (None, 1.0)]
        assert "settled" in repr(book)
