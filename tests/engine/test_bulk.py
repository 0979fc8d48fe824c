"""Many books at once, over a real socket: taken up in slices, so that the socket has its turn in between."""

import pytest

import kalshi_nb as kn
from kalshi_nb._engine.live import SLICE, LiveEngine
from tests.engine.conftest import wait_until

BOOKS = "orderbook_delta"
COUNT = 3 * SLICE + 200


@pytest.fixture
def feed():
    with kn.sim.Exchange(clock="manual") as exchange, kn.connect(exchange, new=True) as feed:
        yield feed


@pytest.fixture
def slices(monkeypatch):
    """How many interests were wanted or released in one go, in their order."""
    seen = []

    def note(name):
        own = getattr(LiveEngine, name)

        def noted(engine, interests):
            seen.append((name, len(interests)))
            return own(engine, interests)

        monkeypatch.setattr(LiveEngine, name, noted)

    note("_want")
    note("_release")
    return seen


def names(count):
    return [f"KX-{number:05}" for number in range(count)]


def markets(feed):
    return feed.health().markets.get(BOOKS, 0)


def test_what_is_wanted_and_released_together_is_taken_up_a_slice_at_a_time(feed, slices):
    books = feed.books(names(COUNT))
    assert markets(feed) == COUNT
    assert [size for name, size in slices if name == "_want"] == [SLICE] * 3 + [200]
    books.close()
    wait_until(lambda: markets(feed) == 0)
    released = [size for name, size in slices if name == "_release"]
    assert sum(released) == COUNT
    assert max(released) <= SLICE


def test_thousands_that_are_closed_one_by_one_are_released_by_a_few_calls_while_the_thread_is_busy(feed, slices):
    books = feed.books(names(COUNT))
    engine = feed._engine
    slices.clear()

    def closes():
        books.close()  # as if the thread had been at something else for as long as this takes
        return len(engine._released)

    assert engine._io.call(closes) == COUNT
    wait_until(lambda: markets(feed) == 0)
    assert [size for _, size in slices] == [SLICE] * 3 + [200]


def test_what_was_let_go_before_is_let_go_before_anything_is_wanted_again(feed):
    books = feed.books(names(COUNT))
    first = feed._engine.ladder("KX-00000")
    books.close()
    again = feed.books(names(COUNT))
    assert first.status == "closed"
    assert feed._engine.ladder("KX-00000") is not first
    assert markets(feed) == COUNT
    assert again["KX-00000"].status in ("unknown", "stale", "connecting")
    wait_until(lambda: {each.status for each in again.values()} == {"unknown"})


def test_what_was_released_before_it_was_asked_for_is_not_asked_for(feed):
    from kalshi_nb._engine.interests import LiveInterest

    engine = feed._engine
    interest = LiveInterest(BOOKS, frozenset({"KX-1"}), None)
    engine.release(interest)
    wait_until(lambda: not engine._released)
    assert engine._io.call(lambda: engine._want([interest])) == []
    assert markets(feed) == 0


def test_answers_that_keep_coming_are_waited_for_longer_together_than_any_of_them_may_take(feed, monkeypatch):
    from kalshi_nb._feed import demand

    monkeypatch.setattr(demand, "SUBSCRIBE_TIMEOUT", 1.0)
    feed.exchange.faults.delay(0.3)
    books = feed.books(names(1_000))  # ten commands, one after the other
    assert len(books) == markets(feed) == 1_000
