"""What a feed fetches under every trouble of REST: the exchange's own truth, or one error or warning that says why."""

from __future__ import annotations

import warnings

import pytest

import kalshi_nb as kn
from kalshi_nb._feed import account, book_checks, history
from kalshi_nb._rest import client, portfolio, trades
from kalshi_nb.errors import AccountWarning, PagingError, RateLimitError, RestError, RestUnavailableError
from tests.feed.conftest import until
from tests.feed.test_history import ledger
from tests.feed.test_own_account import Frames
from tests.feed.test_verify_books import break_book, differing, verdicts
from tests.rest.conftest import Time

TICKER = "KXHIGHNY-26NOV22-B52.5"
SECOND = 1_000_000

PASSING = {
    "429": {"refuse": 6, "after": 1},
    "429 of the edge": {"refuse": 6, "after": 1, "refusal": "html"},
    "502": {"refuse": 6, "after": 1, "refusal": "gateway"},
    "torn": {"refuse": 6, "after": 1, "refusal": "torn"},
    "late": {"late": 20},
    "cache": {"cache": 15},
    "empty pages": {"cursors": "empty_page"},
    "slow": {"delay": 0.05},
    "tiers": {"live_tier": 40},
    "all at once": {
        "refuse": 5,
        "after": 2,
        "refusal": "torn",
        "cursors": "empty_page",
        "live_tier": 40,
        "late": 20,
        "cache": 15,
        "delay": 0.02,
    },
}
LASTING = {
    "429 for ever": ({"refuse": 1_000_000, "after": 1}, RateLimitError),
    "502 for ever": ({"refuse": 1_000_000, "after": 1, "refusal": "gateway"}, RestUnavailableError),
    "torn for ever": ({"refuse": 1_000_000, "after": 1, "refusal": "torn"}, RestUnavailableError),
    "repeated cursors": ({"cursors": "repeated"}, PagingError),
    "garbage cursors": ({"cursors": "garbage"}, PagingError),
}


@pytest.fixture(autouse=True)
def _no_waits(monkeypatch):
    """Have clients wait on a clock of the test, pages be small, and what is looked for again be looked for soon."""
    monkeypatch.setattr(client, "Pacing", Time().pacing)
    monkeypatch.setattr(trades, "MOST_TRADES", 100)
    monkeypatch.setattr(portfolio, "_MOST", 10)
    monkeypatch.setattr(portfolio, "_MOST_POSITIONS", 3)
    monkeypatch.setattr(history, "TRIES", (0.2, 0.4, 0.8, 1.6, 3.2, 6.4))
    monkeypatch.setattr(account, "_PATIENCE", 60.0)
    monkeypatch.setattr(book_checks, "_LATER", 0.3)
    monkeypatch.setattr(book_checks, "_BEGINS", 60.0)


@pytest.fixture
def late(exchange):
    """A feed that comes when something has happened already."""
    exchange.advance(75)
    with kn.connect(exchange, new=True) as feed:
        yield feed


@pytest.mark.parametrize("trouble", PASSING)
def test_trades_since_are_the_ledger_s(exchange, late, trouble):
    since = exchange.now_us() - 7_200 * SECOND
    exchange.faults.rest(**PASSING[trouble])
    frame = late.trades(TICKER, since="2h")
    for _ in range(4):
        exchange.advance(10)
    until(lambda: frame.complete("1h"), "the seam was not closed", 30)
    assert set(frame.df["trade_id"]) == ledger(exchange, [TICKER], since)
    assert frame.df["trade_id"].n_unique() == frame.df.height
    assert frame.df["ts"].is_sorted()


@pytest.mark.parametrize("trouble", LASTING)
def test_trades_since_that_cannot_be_had_are_an_error_with_what_came(exchange, late, trouble):
    exchange.faults.rest(**LASTING[trouble][0])
    with pytest.raises(RestError) as told:
        late.trades(TICKER, since="2h")
    assert isinstance(told.value, LASTING[trouble][1])
    assert set(told.value.partial["trade_id"]) <= ledger(exchange, [TICKER], 0)
    exchange.faults.rest()
    assert late.trades(TICKER, since="2h").df["backfilled"].any()


@pytest.mark.parametrize("trouble", PASSING)
def test_the_account_begins_with_all_there_is(exchange, trouble):
    with kn.connect(exchange, new=True) as first:
        witness = Frames(first)
        exchange.advance(75)
        exchange.faults.rest(**PASSING[trouble])
        with kn.connect(exchange, new=True) as feed, warnings.catch_warnings():
            warnings.simplefilter("error")
            frames = Frames(feed)
            assert frames.stand() == witness.stand()
            exchange.advance(15)
            assert frames.stand() == witness.stand()
            for frame in (frames.orders, frames.fills):
                assert frame.df.filter("backfilled")["ts"].is_sorted()


@pytest.mark.parametrize("trouble", LASTING)
def test_an_account_that_cannot_be_had_is_said_and_what_came_is_true(exchange, trouble):
    with kn.connect(exchange, new=True) as first:
        witness = Frames(first)
        exchange.advance(75)
        exchange.faults.rest(**LASTING[trouble][0])
        with kn.connect(exchange, new=True) as feed:
            with pytest.warns(AccountWarning, match="only what has changed"):
                frames = Frames(feed)
            assert feed.health().warnings
            for part, whole in zip(frames.stand(), witness.stand(), strict=True):
                assert set(part) <= set(whole)


@pytest.fixture
def books(exchange, late):
    found = late.books(exchange.market_tickers)
    for book in found.values():
        book.wait(timeout=60)
    return found


@pytest.mark.parametrize("trouble", [each for each in PASSING if each not in ("empty pages", "tiers")])
def test_a_book_that_was_broken_from_inside_is_found_and_no_other_is(exchange, late, books, trouble):
    exchange.faults.rest(**PASSING[trouble])
    assert set(verdicts(late.verify_books()).values()) == {"same"}
    exchange.advance(5)
    break_book(late)
    found = verdicts(late.verify_books())
    assert {each for each, verdict in found.items() if verdict != "same"} == {TICKER}
    until(lambda: [ticker for ticker, _ in differing(late)] == [TICKER], "told of", timeout=30)
    until(lambda: books[TICKER].status == "live", "live again", timeout=30)
    assert set(verdicts(late.verify_books()).values()) == {"same"}


@pytest.mark.parametrize("trouble", [each for each in LASTING if "cursors" not in each])
def test_books_that_cannot_be_verified_are_an_error_and_stay(exchange, late, books, trouble):
    faults, kind = LASTING[trouble]
    exchange.faults.rest(**faults | {"after": 0})
    with pytest.raises(kind):
        late.verify_books()
    assert {each.status for each in books.values()} == {"live"}
    assert late.gaps.is_empty()
