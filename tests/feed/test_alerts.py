"""``feed.when()``: called when something becomes true of a market's best prices, once a crossing."""

import datetime as dt
import functools

import pytest

from kalshi_nb import errors
from kalshi_nb._feed.feed import Feed
from kalshi_nb._rows.quotes import PresentQuoteRow
from kalshi_nb._rows.steering import ResetRow
from kalshi_nb.messages import Quote
from tests.feed.conftest import until
from tests.feed.list_engine import BASE_US, ListEngine, ListLadder

MARKET = "KXHIGHNY-26NOV22-B52.5"
OTHER = "KXBTC15M-26NOV221015-15"
MARKETS = ["KXA-1", "KXB-1"]


def quote(ask, market="KXA-1", *, status="live", at=0):
    """A row of the best prices of a book, by its best ask in cents."""
    if status != "live":
        return (BASE_US + at, market, None, None, None, None, None, None, BASE_US + at, None, status)
    ask = None if ask is None else ask * 100
    return (
        BASE_US + at,
        market,
        1_000,
        100,
        ask,
        ask and 200,
        ask and 1_500,
        ask and ask - 1_000,
        BASE_US + at,
        1,
        "live",
    )


@pytest.fixture
def engine():
    return ListEngine(ladders=[ListLadder(each, {1_000: 100}, {5_000: 200}) for each in MARKETS])


@pytest.fixture
def listed(engine):
    feed = Feed(engine)
    feed._open(5.0)  # as connect() does
    yield feed
    feed.close()


def cheap(top):
    return top.ask and top.ask < 0.30


def calls(listed, engine, *rows, condition=cheap, markets=MARKETS):
    """The asks that an alert is called with while these quotes come."""
    called = []
    alert = listed.when(condition, called.append, markets)
    for row in rows:
        engine.play("quotes", row)
        listed.flush()
    alert.close()
    return [(each.market_ticker, each.ask) for each in called]


def test_it_is_called_when_the_condition_becomes_true_and_again_only_after_it_was_false(listed, engine):
    found = calls(listed, engine, *map(quote, [40, 29, 28, 29, 30, 31, 25, 24, None, 22]))
    assert found == [("KXA-1", 0.29), ("KXA-1", 0.25), ("KXA-1", 0.22)]


def test_quotes_of_one_batch_are_looked_at_one_by_one(listed, engine):
    called = []
    listed.when(cheap, called.append, MARKETS)
    engine.play("quotes", *map(quote, [40, 29, 31, 28, 40]))
    listed.flush()
    assert [each.ask for each in called] == [0.29, 0.28]


def test_a_condition_that_is_true_at_the_beginning_is_called_for_once(listed, engine):
    assert calls(listed, engine, PresentQuoteRow("KXA-1", quote(20)), quote(21)) == [("KXA-1", 0.2)]


def test_every_market_has_crossings_of_its_own(listed, engine):
    rows = [quote(20), quote(20, "KXB-1"), quote(21), quote(40, "KXB-1"), quote(22), quote(19, "KXB-1")]
    assert calls(listed, engine, *rows) == [("KXA-1", 0.2), ("KXB-1", 0.2), ("KXB-1", 0.19)]


@pytest.mark.parametrize("status", ["stale", "closed", "connecting", "unknown"])
def test_no_crossing_is_made_up_while_a_book_is_not_to_be_trusted(listed, engine, status):
    unknown = quote(None, status=status)
    assert calls(listed, engine, quote(20), unknown, quote(21)) == [("KXA-1", 0.2)]
    assert calls(listed, engine, quote(40), unknown, quote(41)) == []
    assert calls(listed, engine, quote(40), unknown, quote(21)) == [("KXA-1", 0.21)]
    assert calls(listed, engine, unknown, quote(21), unknown, unknown, quote(20)) == [("KXA-1", 0.21)]
    assert calls(listed, engine, unknown, condition=lambda top: True) == []


def test_after_a_replay_seeks_every_first_quote_is_the_first(listed, engine):
    assert calls(listed, engine, quote(20), ResetRow(), quote(21), quote(22)) == [("KXA-1", 0.2), ("KXA-1", 0.21)]


def test_it_is_given_the_quote_with_its_market_and_time(listed, engine):
    called = []
    listed.when(lambda top: top.bid is not None, called.append, "KXA-1")
    engine.play("quotes", quote(40, at=5))
    listed.flush()
    (top,) = called
    assert type(top) is Quote
    assert (top.market_ticker, top.bid, top.bid_size, top.ask, top.ask_size) == ("KXA-1", 0.1, 1.0, 0.4, 2.0)
    assert top.ts == dt.datetime.fromtimestamp(BASE_US / 1e6, dt.UTC) + dt.timedelta(microseconds=5)


def test_errors_are_counted_as_a_pipeline_s_and_make_up_no_crossing(listed, engine):
    seen = []

    def condition(top):
        if top.ask == 0.25:
            raise ZeroDivisionError("on purpose")
        return cheap(top)

    def call(top):
        seen.append(top.ask)
        if top.ask == 0.29:
            raise KeyError("on purpose")

    alert = listed.when(condition, call, "KXA-1")
    engine.play("quotes", *map(quote, [40, 25, 24, 23, 40, 29, 28]))
    listed.flush()
    with pytest.warns(errors.PipelineWarning, match="on purpose"):
        listed.health()
    assert seen == [0.24, 0.29]
    assert alert.errors == 2
    assert listed.health().pipeline_errors == 2
    assert type(alert.last_error.error) is KeyError


def test_it_is_a_pipeline_like_any_other(listed, engine):
    called = []

    def ring(top):
        called.append(top)

    alert = listed.when(cheap, ring, "KXA-1")
    assert alert in listed.pipelines
    assert (alert.name, alert.channel, alert.state) == ("ring", "quotes", "running")
    assert [each.channel for each in engine.wanted] == ["orderbook_delta"]
    alert.close()
    engine.play("quotes", quote(20))
    listed.flush()
    assert (called, alert.state, engine.wanted) == ([], "closed", [])
    again = listed.when(cheap, ring, "KXA-1"), listed.when(cheap, ring, "KXA-1")
    assert [each.state for each in again] == ["running", "running"]


async def later(top):
    pass


def given_one_by_one(top):
    yield top


class Awaited:
    async def __call__(self, top):
        pass


@pytest.mark.parametrize(
    ("condition", "call", "match"),
    [
        ("KXA-1", print, "condition is a str, no function: feed.when"),
        (None, print, "condition is a NoneType"),
        (cheap, None, "call is a NoneType"),
        (cheap, later, "call is an async function"),
        (later, print, "condition is an async function"),
        (given_one_by_one, print, "condition is a function with yield"),
        (cheap, functools.partial(given_one_by_one), "call is a function with yield"),
        (Awaited(), print, "condition is an async function"),
    ],
)
def test_what_cannot_be_called_is_refused_in_a_sentence(listed, engine, condition, call, match):
    with pytest.raises(errors.ConfigurationError, match=match):
        listed.when(condition, call, "KXA-1")
    assert listed.pipelines == engine.wanted == []


GIVEN = []


class Bell:
    def ring(self, top):
        GIVEN.append(top)


@pytest.mark.parametrize(
    "condition",
    [
        lambda top: print(top),  # noqa: PLW0108
        lambda top: print(top.ask, end=f"{top.bid}\n"),
        lambda top: GIVEN.append(top),  # noqa: PLW0108
        lambda top: GIVEN.append(top.ask + 1),
        lambda top: show(top),  # noqa: PLW0108
        lambda top: Bell.ring(None, top),
    ],
)
def test_a_condition_that_hands_on_what_returns_nothing_is_refused(listed, engine, condition):
    with pytest.raises(errors.ConfigurationError, match="would never be true"):
        listed.when(condition, print, "KXA-1")
    assert listed.pipelines == engine.wanted == []


def show(top):
    print(top)


@pytest.mark.parametrize(
    "condition",
    [
        lambda top: cheap(top),  # noqa: PLW0108
        lambda top: print(top) or cheap(top),
        lambda top: GIVEN.append(top) is None,
        lambda top: GIVEN.count(top),  # noqa: PLW0108
        lambda top: unknown(top),  # noqa: F821, PLW0108
        lambda top: top.ask,
    ],
)
def test_a_condition_of_which_nobody_knows_is_taken(listed, condition):
    listed.when(condition, print, "KXA-1").close()


@pytest.mark.filterwarnings("ignore::kalshi_nb.errors.PipelineWarning")
@pytest.mark.parametrize("which", ["condition", "call"])
def test_what_returns_a_coroutine_is_an_error_and_never_counts_as_true(listed, engine, which):
    called = []
    functions = {"condition": cheap, "call": called.append, which: lambda top: later(top)}  # noqa: PLW0108
    alert = listed.when(functions["condition"], functions["call"], "KXA-1")
    engine.play("quotes", *map(quote, [40, 29]))
    listed.flush()
    assert alert.errors == {"condition": 2, "call": 1}[which]
    assert called == []
    assert "feed.listen('quotes')" in str(alert.last_error.error)


def test_markets_are_named_or_are_those_whose_books_are_kept(listed, engine):
    with pytest.raises(errors.MarketTickerError, match="Name the markets"):
        listed.when(cheap, print)
    listed.book("KXA-1")
    called = []
    listed.when(cheap, called.append)
    engine.play("quotes", quote(20))
    listed.flush()
    assert len(called) == 1


def test_over_a_real_line_it_is_called_at_exactly_the_crossings_of_the_quotes(feed, exchange):
    quotes = feed.quotes([MARKET, OTHER])
    line = {}
    for ticker in (MARKET, OTHER):
        line[ticker] = feed.book(ticker).wait().best_bid
    called = []

    def rich(top):
        return top.bid is not None and top.bid > line[top.market_ticker]

    feed.when(rich, called.append, [MARKET, OTHER])
    exchange.advance(300)
    until(lambda: not feed.health().pending_rows, "all is through")
    expected, was = [], {}
    for row in quotes.df.iter_rows(named=True):
        so = row["bid"] is not None and row["bid"] > line[str(row["market_ticker"])]
        if row["status"] == "live":
            if so and not was.get(row["market_ticker"]):
                expected.append((row["market_ticker"], row["bid"], row["seq"]))
            was[row["market_ticker"]] = so
    assert [(each.market_ticker, each.bid, each.seq) for each in called] == expected
    assert len(expected) > 3
