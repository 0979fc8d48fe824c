"""One law for all waits: they end at once where nothing can come any more, and else say what was the matter."""

import threading
import time

import numpy as np
import pytest

from kalshi_nb import errors
from kalshi_nb._feed.feed import Feed
from tests.feed.conftest import until
from tests.feed.list_engine import ListEngine, ListLadder

MARKET = "KXHIGHNY-26NOV22-B52.5"
OTHER = "KXHIGHNY-26NOV22-B54.5"
LONG = 60.0
"""A time-out that no test waits for."""

WAITS = {
    "frame": lambda held, timeout: held.frame.wait(rows=10**6, timeout=timeout),
    "new rows": lambda held, timeout: held.frame.wait(new=10**6, timeout=timeout),
    "a pipeline's frame": lambda held, timeout: held.node.wait(rows=10**6, timeout=timeout),
    "book": lambda held, timeout: held.book.wait(timeout),
    "books": lambda held, timeout: held.books.wait(timeout),
}


class Held:
    """Some of everything that can be waited for, none of which has what is waited for."""

    def __init__(self, feed, market):
        self.frame = feed.trades(market)
        self.node = feed.stream("trade", market).rolling_frame()
        self.books = feed.books([market])
        self.book = self.books[market]


@pytest.fixture
def engine():
    return ListEngine(ladders=[ListLadder("KXA-1", {}, {}, status="connecting")])


@pytest.fixture
def listed(engine):
    feed = Feed(engine)
    feed._open(5.0)  # as connect() does
    yield feed
    feed.close()


@pytest.fixture
def held(listed):
    return Held(listed, "KXA-1")


def at_once(wait, kind, match):
    """The wait ends long before its time-out, with an error of this kind that says this."""
    began = time.monotonic()
    with pytest.raises(kind, match=match) as caught:
        wait()
    assert time.monotonic() - began < 10
    return caught.value


@pytest.mark.parametrize("timeout", [LONG, None], ids=["timed", "endless"])
@pytest.mark.parametrize("name", WAITS)
def test_a_wait_on_a_closed_feed_ends_at_once_and_says_so(listed, held, name, timeout):
    listed.close()
    at_once(lambda: WAITS[name](held, timeout), errors.FeedClosedError, r"The feed is closed.*connect\(\) again")


@pytest.mark.parametrize("timeout", [LONG, None], ids=["timed", "endless"])
@pytest.mark.parametrize("name", WAITS)
def test_a_wait_on_a_closed_handle_ends_at_once_and_says_so(held, name, timeout):
    held.frame.close()
    held.node.close()
    held.books.close()
    at_once(lambda: WAITS[name](held, timeout), errors.HandleClosedError, "closed")


@pytest.mark.parametrize("timeout", [LONG, None, 0.0], ids=["timed", "endless", "looking"])
def test_flush_on_a_closed_feed_says_so(listed, timeout):
    listed.close()
    at_once(lambda: listed.flush(timeout), errors.FeedClosedError, "The feed is closed")


@pytest.mark.parametrize("name", WAITS)
def test_a_wait_ends_at_once_when_the_feed_is_closed_meanwhile(listed, held, name):
    threading.Timer(0.3, listed.close).start()
    at_once(lambda: WAITS[name](held, None), errors.FeedClosedError, "The feed is closed")


@pytest.mark.parametrize("name", WAITS)
def test_without_a_time_out_nobody_waits_for_credentials_that_are_refused(engine, held, name):
    engine.state = "refused"
    at_once(lambda: WAITS[name](held, None), errors.AuthenticationError, "refuses the credentials: a page is missing")


@pytest.mark.parametrize("state", ["refused", "reconnecting", "connecting"])
@pytest.mark.parametrize("name", WAITS)
def test_a_wait_that_may_yet_be_over_lasts_to_its_time_out_and_names_the_matter(engine, held, name, state):
    engine.state = state
    began = time.monotonic()
    with pytest.raises(errors.WaitTimeoutError, match=f"0.3 s.*The link is {state}: a page is missing"):
        WAITS[name](held, 0.3)
    assert time.monotonic() - began >= 0.3


@pytest.mark.parametrize("timeout", [-1, -0.001, float("nan"), "10", b"1", True, [1], 3j])
@pytest.mark.parametrize("name", [*WAITS, "flush"])
def test_what_is_no_length_of_time_is_refused_in_a_sentence(listed, held, name, timeout):
    wait = WAITS.get(name, lambda _, timeout: listed.flush(timeout))
    at_once(lambda: wait(held, timeout), errors.ConfigurationError, r"^timeout=.*seconds, 0 or more, or None")


@pytest.mark.parametrize("timeout", [0, 0.0, np.float32(0.2), np.int64(0), np.float64(0.1)])
@pytest.mark.parametrize("name", WAITS)
def test_any_number_is_a_length_of_time_and_none_is_one_look(held, name, timeout):
    at_once(lambda: WAITS[name](held, timeout), errors.WaitTimeoutError, f"{timeout:g} s")


@pytest.mark.parametrize("timeout", [None, float("inf"), 1e300, np.float64(1e12)])
def test_as_long_as_it_takes_is_as_long_as_it_takes(feed, exchange, timeout):
    trades, book, books = feed.trades(), feed.book(MARKET), feed.books([MARKET, OTHER])
    assert book.wait(timeout).status == "live"
    assert books.wait(timeout) is books
    exchange.advance(30)
    feed.flush(timeout)
    assert trades.wait(rows=1, timeout=timeout) is trades


def test_books_are_waited_for_together(feed, exchange):
    books = feed.books([MARKET, OTHER])
    assert books.wait(30) is books
    assert [each.status for each in books.values()] == ["live", "live"]


def test_a_market_that_does_not_exist_ends_a_wait_at_once(feed):
    book, books = feed.book("KXNOSUCH-1"), feed.books([MARKET, "KXNOSUCH-1"])
    quotes, deltas = feed.quotes("KXNOSUCH-1"), feed.deltas(["KXNOSUCH-1"])
    for wait in (book.wait, books.wait, quotes.wait, deltas.wait):
        error = at_once(lambda wait=wait: wait(timeout=LONG), errors.SubscriptionError, "no market 'KXNOSUCH-1'")
        assert error.market_tickers == ("KXNOSUCH-1",)


def test_a_frame_of_some_markets_that_exist_waits_for_these(feed, exchange):
    quotes = feed.quotes([MARKET, "KXNOSUCH-1"])
    assert quotes.wait(rows=1, timeout=30) is quotes


def test_new_rows_are_counted_from_the_call_and_rows_from_the_beginning(feed, exchange):
    trades = feed.trades()
    exchange.advance(30)
    before = trades.total
    assert before > 3
    trades.wait(rows=3, timeout=0)
    with pytest.raises(errors.WaitTimeoutError, match=r"trades: 0 of 3 new rows came within 0\.1 s"):
        trades.wait(new=3, timeout=0.1)
    threading.Timer(0.2, lambda: exchange.advance(60)).start()
    trades.wait(new=3, timeout=30)
    assert trades.total >= before + 3
    until(lambda: not any(isinstance(each, threading.Timer) for each in threading.enumerate()), "the clock stands")


def test_rows_and_new_rows_are_not_asked_for_at_once(feed):
    with pytest.raises(errors.ConfigurationError, match="give one"):
        feed.trades().wait(rows=1, new=1)


def test_rows_that_are_there_are_there_on_a_closed_frame_too(feed, exchange):
    trades = feed.trades()
    exchange.advance(30)
    trades.close()
    assert trades.wait(rows=1, timeout=0) is trades
    feed.close()
    assert trades.wait(timeout=None) is trades


@pytest.mark.parametrize("name", ["rows", "new"])
@pytest.mark.parametrize("value", [True, 1.5, "3", -1, np.int64(-1), np.float64(3.0), np.bool_(1)])
def test_what_is_no_number_of_rows_is_refused_in_a_sentence(listed, name, value):
    with pytest.raises(errors.ConfigurationError, match=f"^{name}=.*whole number"):
        listed.trades().wait(**{name: value}, timeout=0)


@pytest.mark.parametrize("kind", [np.int64, np.int32, np.uint8])
def test_whole_numbers_of_numpy_are_whole_numbers(feed, exchange, kind):
    frame = feed.trades(rows=kind(100))
    assert frame is feed.trades(rows=100)
    assert "keeps 100 rows" in repr(frame)
    assert feed.trades(seconds=kind(100)) is feed.trades(seconds=100.0)
    exchange.advance(30)
    assert frame.wait(rows=kind(1), timeout=kind(1)) is frame
    assert feed.book(MARKET).wait().depth(levels=kind(2)).height == 2
    assert feed.stream("trade").rolling_frame(rows=kind(5)).df.height == 0
    assert feed.rfqs(shard_factor=kind(2), shard_key=kind(0)) is feed.rfqs(shard_factor=2, shard_key=0)


@pytest.mark.parametrize("value", [True, np.bool_(1), 0, "5", 2.5, None])
def test_what_is_no_number_of_levels_is_refused_in_a_sentence(feed, value):
    with pytest.raises(errors.ConfigurationError, match=r"^levels=.*such as 10"):
        feed.book(MARKET).depth(value)


@pytest.mark.parametrize("bad", [{"seconds": True}, {"seconds": "10"}, {"seconds": float("nan")}, {"rows": True}])
def test_windows_that_are_none_are_refused_in_a_sentence(feed, bad):
    (name,) = bad
    with pytest.raises(errors.ConfigurationError, match=f"^{name}=.*(for example|such as) {name}="):
        feed.trades(**bad)


def test_credentials_that_are_refused_at_a_reconnect_end_an_endless_wait_and_are_named_in_any_other(feed, exchange):
    trades, book = feed.trades(), feed.book(MARKET).wait()
    exchange.faults.refuse_handshakes(401, count=10_000)
    exchange.faults.drop_connections()
    until(lambda: feed.state == "refused", "the credentials are refused", timeout=60)
    at_once(lambda: trades.wait(new=1, timeout=None), errors.AuthenticationError, "trades: 0 of 1 new rows.*refuses")
    at_once(lambda: book.wait(None), errors.AuthenticationError, "refuses")
    with pytest.raises(errors.WaitTimeoutError, match=r"0\.2 s.*The link is refused"):
        trades.wait(new=1, timeout=0.2)
    with pytest.raises(errors.WaitTimeoutError, match=r"0\.2 s.*The link is refused"):
        book.wait(0.2)
    assert "link refused" in repr(trades)
