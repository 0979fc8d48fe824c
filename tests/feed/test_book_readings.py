"""Best prices of a book, read while its ladder changes on another thread."""

from __future__ import annotations

import sys
import threading
import time

import pytest

from kalshi_nb._clock import WallClock
from kalshi_nb._feed.book import Book, Top
from kalshi_nb._session.extension import ladders
from kalshi_nb._session.ladder import PlainLadder
from tests.session.ways import WAYS


@pytest.fixture(params=WAYS)
def ladder(request):
    return ladders(compiled=request.param)("KXA-1")


def book_of(ladder):
    return Book(ladder, clock=WallClock(), release=lambda: None)


@pytest.fixture
def book(ladder):
    return book_of(ladder)


@pytest.fixture
def _hectic():
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def reading(read):
    """Begin to read on another thread; return the thread and the list that will have what it read."""
    found = []
    thread = threading.Thread(target=lambda: found.append(read()), daemon=True)
    thread.start()
    thread.join(0.05)
    return thread, found


def test_every_price_reads_as_its_literal(ladder, book):
    for price in range(1, 10_000):
        ladder.replace({price: 150}, {10_000 - price: 25}, 1)
        literal = float(f"{price / 10_000:.4f}")
        assert book.top == Top(literal, 1.5, literal, 0.25)
        assert (book.best_bid, book.best_ask) == (literal, literal)


@pytest.mark.parametrize(
    ("yes", "no", "top"),
    [
        ({}, {}, Top(None, None, None, None)),
        ({4_700: 100}, {}, Top(0.47, 1.0, None, None)),
        ({}, {4_700: 100}, Top(None, None, 0.53, 1.0)),
        ({4_700: 100}, {5_200: 1}, Top(0.47, 1.0, 0.48, 0.01)),
    ],
)
def test_a_side_that_is_empty_has_no_price_and_no_size(ladder, book, yes, no, top):
    ladder.replace(yes, no, 1)
    assert book.top == top
    assert type(book.top) is Top
    assert (book.best_bid, book.best_ask) == (top.bid, top.ask)


def test_best_prices_follow_every_delta_and_stay_readable_in_a_stale_book(ladder, book):
    ladder.replace({4_700: 100}, {5_200: 100}, 1)
    ladder.apply("yes", 4_750, 100, 2)
    ladder.apply("no", 5_200, -100, 3)
    ladder.apply("no", 5_100, 300, 4)
    ladder.set_status("stale", 5, "sequence")
    assert book.top == Top(0.475, 1.0, 0.49, 3.0)
    assert (book.best_bid, book.best_ask) == (0.475, 0.49)


@pytest.mark.parametrize(
    ("read", "before", "after"),
    [
        (lambda book: book.top, Top(0.02, 0.02, 0.98, 0.02), Top(0.01, 0.01, 0.98, 0.02)),
        (lambda book: book.best_bid, 0.02, 0.01),
    ],
    ids=["top", "best_bid"],
)
def test_a_reading_waits_for_the_successor_of_a_best_level_just_taken_away(read, before, after):
    ladder = PlainLadder("KXA-1")
    book = book_of(ladder)
    ladder.replace({100: 1, 200: 2}, {200: 2}, 1)
    assert read(book) == before
    del ladder.yes[200]  # the first half of a change, as another thread may see it
    thread, found = reading(lambda: read(book))
    assert found == []
    ladder._best_yes = 100
    thread.join(10)
    assert found == [after]


def test_the_top_waits_for_a_snapshot_that_is_being_laid_in():
    ladder = PlainLadder("KXA-1")
    book = book_of(ladder)
    ladder.replace({100: 1}, {100: 1}, 1)
    ladder.version = -1
    thread, found = reading(lambda: book.top)
    assert found == []
    ladder.version = 5
    thread.join(10)
    assert found == [Top(0.01, 0.01, 0.99, 0.01)]


@pytest.mark.usefixtures("_hectic")
def test_the_top_is_never_half_of_one_snapshot_and_half_of_another(ladder, book):
    ladder.replace({100: 1}, {100: 1}, 0)
    stop = threading.Event()
    torn, reads = [], []

    def read():
        while not stop.is_set():
            top = book.top
            reads.append(None)
            # Both sides of each snapshot have one size; an even one stands at the better price.
            price = 0.01 if round(top.bid_size * 100) % 2 else 0.02
            if top.bid_size != top.ask_size or top.bid != price or round(1 - top.ask, 4) != price:
                torn.append(top)

    threads = [threading.Thread(target=read, daemon=True) for _ in range(3)]
    for thread in threads:
        thread.start()
    number, end = 0, time.monotonic() + 1.5
    while time.monotonic() < end and not torn:
        number += 1
        side = {100: 1 + number} if number % 2 == 0 else {100: 1 + number, 200: 1 + number}
        ladder.replace(side, dict(side), number)
    stop.set()
    for thread in threads:
        thread.join(10)
    assert torn == []
    assert len(reads) > 100


def test_a_book_says_that_it_is_crossed_only_where_the_exchange_said_so_and_for_as_long_as_it_is(ladder, book):
    ladder.replace({6_000: 100}, {5_000: 200}, 1)
    ladder.set_status("live", 1)
    assert (book.crossed, book.spread) == (False, -0.1)
    version = ladder.version
    ladder.set_crossed(True)
    ladder.set_crossed(True)
    assert (book.crossed, book.status, ladder.version) == (True, "live", version + 1)
    assert "crossed" in repr(book)
    ladder.set_status("stale", 2, "sequence")
    assert book.crossed is False
    ladder.set_status("live", 2)
    ladder.apply("yes", 6_000, -100, 2)
    assert book.crossed is False
    assert "crossed" not in repr(book)


@pytest.mark.parametrize(
    ("yes", "no", "crossed"),
    [
        ({}, {}, False),
        ({9_999: 1}, {}, False),
        ({}, {9_999: 1}, False),
        ({5_000: 1}, {4_999: 1}, False),
        ({5_000: 1}, {5_000: 1}, True),
        ({9_999: 1}, {9_999: 1}, True),
    ],
)
def test_a_ladder_knows_whether_it_is_crossed(ladder, yes, no, crossed):
    ladder.replace(yes, no, 1)
    assert ladder.is_crossed is crossed
