"""Live books against the exchange's own: what is wrong is found and made anew, and nothing else is found."""

from __future__ import annotations

import polars as pl
import pytest

import kalshi_nb as kn
from kalshi_nb import errors
from kalshi_nb._feed import book_checks
from tests.feed.conftest import until

TICKER = "KXHIGHNY-26NOV22-B52.5"


@pytest.fixture
def books(exchange, feed):
    found = feed.books(exchange.market_tickers)
    for book in found.values():
        book.wait(timeout=60)
    exchange.advance(10)
    return found


def break_book(feed, ticker=TICKER):
    """Put into a kept book what the exchange never had."""
    assert feed._engine.ladder(ticker).apply("yes", 100, 77_700, 0)


def verdicts(df):
    return dict(df.select("market_ticker", "verdict").rows())


def differing(feed):
    """The gaps that a comparison made, by market, with what repaired them."""
    return feed.gaps.filter(reason="differs").select("market_ticker", "repaired_by").rows()


def test_books_that_are_right_are_the_same_and_no_gap(exchange, feed, books):
    found = feed.verify_books()
    assert found.schema == pl.Schema(
        {
            "market_ticker": pl.String,
            "verdict": pl.String,
            "differing_levels": pl.Int64,
            "looks": pl.Int64,
            "checked_at": pl.Datetime("us", "UTC"),
        }
    )
    assert found["market_ticker"].to_list() == sorted(exchange.market_tickers)
    assert set(found.select("verdict", "differing_levels", "looks").rows()) == {("same", 0, 1)}
    assert feed.gaps.height == 0
    assert feed.verify_books(TICKER)["market_ticker"].to_list() == [TICKER]
    assert feed.health().warnings == ()


def test_a_book_that_was_broken_from_inside_is_found_made_anew_and_told_of_and_no_other_is(exchange, feed, books):
    right = books[TICKER].levels("yes")
    break_book(feed)
    assert books[TICKER].levels("yes") != right
    found = feed.verify_books()
    row = found.filter(verdict="different").select("market_ticker", "differing_levels", "looks").row(0)
    assert row == (TICKER, 1, 2)
    assert found["verdict"].value_counts().height == 2
    until(lambda: books[TICKER].status == "live", "live again", timeout=30)
    assert books[TICKER].levels("yes") == right
    assert differing(feed) == [(TICKER, "get_snapshot")]
    (warning,) = feed.health().warnings
    assert TICKER in warning
    assert set(feed.verify_books()["verdict"]) == {"same"}


def test_an_answer_of_the_cache_is_looked_at_twice_and_is_no_difference(exchange, feed, books):
    exchange.faults.rest(cache=15)
    assert set(feed.verify_books()["looks"]) == {1}
    exchange.advance(5)
    found = feed.verify_books()  # the first answer is five seconds old
    assert set(found["verdict"]) == {"same"}
    assert set(found["looks"]) == {1, 2}
    assert feed.gaps.height == 0


def test_what_there_is_no_live_book_of_is_not_compared(feed, exchange):
    feed.book("KXNONE-26NOV22-A")
    assert verdicts(feed.verify_books()) == {"KXNONE-26NOV22-A": "not live"}
    assert verdicts(feed.verify_books(TICKER)) == {TICKER: "not live"}  # nobody keeps it


def test_without_books_there_is_an_empty_frame(feed):
    found = feed.verify_books()
    assert (found.height, found.width) == (0, 5)


def test_trouble_of_rest_is_raised_and_leaves_the_books_alone(exchange, feed, books):
    exchange._server.rest = None  # every address but the socket's is 404 then
    with pytest.raises(errors.RestNotFoundError):
        feed.verify_books()
    assert {each.status for each in books.values()} == {"live"}
    assert feed.gaps.height == 0


def test_every_so_often_books_are_compared_until_that_is_ended(exchange, feed, books):
    assert set(feed.verify_books(every=0.2)["verdict"]) == {"same"}
    break_book(feed)
    until(lambda: differing(feed), "found in the background", timeout=60)
    until(lambda: books[TICKER].status == "live", "live again", timeout=30)
    feed.verify_books(TICKER, every=0)
    break_book(feed)
    before = feed.gaps.height
    exchange.advance(1)
    assert feed.gaps.height == before
    with pytest.raises(errors.ConfigurationError, match="every"):
        feed.verify_books(every="soon")


@pytest.mark.parametrize("wrong", ["soon", [], pl.DataFrame({"market_ticker": [TICKER]}), pl.Series([TICKER])])
def test_what_is_no_length_of_time_ends_no_checks(feed, books, wrong):
    assert set(feed.verify_books(every=0.2)["verdict"]) == {"same"}
    with pytest.raises(errors.ConfigurationError, match="every"):
        feed.verify_books(every=wrong)
    break_book(feed)
    until(lambda: differing(feed), "found in the background all the same", timeout=60)


def test_what_keeps_background_checks_from_being_made_stands_in_health(exchange, feed, books):
    rest, exchange._server.rest = exchange._server.rest, None  # as above
    with pytest.raises(errors.RestNotFoundError):
        feed.verify_books(every=0.1)
    until(lambda: any("could not be verified" in each for each in feed.health().warnings), "the warning", timeout=30)
    exchange._server.rest = rest
    until(lambda: feed.health().warnings == (), "no warning any more", timeout=30)


@pytest.mark.matrix
def test_on_a_busy_market_with_slow_and_cached_answers_only_what_was_broken_from_inside_is_found(monkeypatch):
    monkeypatch.setattr(book_checks, "_CACHE", 1.2)
    with kn.sim.Exchange(seed=7, speed=20) as exchange, kn.connect(exchange) as feed:
        books = feed.books(exchange.market_tickers)
        for book in books.values():
            book.wait(timeout=60)
        exchange.faults.rest(cache=1.0, delay=0.2)
        for _ in range(4):
            assert set(feed.verify_books()["verdict"]) == {"same"}
        break_book(feed)
        found = feed.verify_books()
        assert {each for each, verdict in verdicts(found).items() if verdict != "same"} == {TICKER}
        until(lambda: books[TICKER].status == "live", "live again", timeout=60)
        assert [ticker for ticker, _ in differing(feed)] == [TICKER]
        assert set(feed.verify_books()["verdict"]) == {"same"}
