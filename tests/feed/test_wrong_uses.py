"""What a hand writes that does not know better: it works where it can be meant, else one sentence says what to do."""

import copy
import pickle

import pandas as pd
import polars as pl
import pytest

import kalshi_nb as kn
from kalshi_nb import errors

MARKET = "KXHIGHNY-26NOV22-B52.5"
OTHER = "KXHIGHNY-26NOV22-B54.5"

HANDLES = {
    "frame": lambda feed: feed.trades(),
    "pipeline's frame": lambda feed: feed.stream("trade").rolling_frame(),
    "stream": lambda feed: feed.stream("trade"),
    "book": lambda feed: feed.book(MARKET),
    "books": lambda feed: feed.books([MARKET]),
    "feed": lambda feed: feed,
    "pipeline": lambda feed: feed.when(lambda top: False, print, MARKET),
}
COPIES = {
    "pickle": pickle.dumps,
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "in a list": lambda it: pickle.dumps([it]),
}


def one_sentence(ask, kind, match):
    with pytest.raises(kind, match=match) as caught:
        ask()
    assert isinstance(caught.value, kn.KalshiError)
    assert "\n" not in str(caught.value)
    assert "object at 0x" not in str(caught.value)


@pytest.mark.parametrize("way", COPIES)
@pytest.mark.parametrize("name", HANDLES)
def test_what_lives_by_threads_is_not_copied_and_says_what_to_pass_on(feed, name, way):
    handle = HANDLES[name](feed)
    one_sentence(lambda: COPIES[way](handle), TypeError, "cannot be copied or pickled: [a-z]")


def test_what_is_data_is_copied(feed, exchange):
    book, trades = feed.book(MARKET).wait(), feed.trades()
    exchange.advance(10)
    assert pickle.loads(pickle.dumps(book.top)) == book.top
    assert pickle.loads(pickle.dumps(trades.df)).equals(trades.df)
    assert copy.deepcopy(feed.health()).state == "connected"


@pytest.mark.parametrize("name", ["Feed", "Frame", "Book", "Books", "Pipeline"])
def test_handles_are_asked_for_and_not_made(name):
    one_sentence(getattr(kn, name), TypeError, f"A {name} is not made by hand; ask for one: .*(feed|connect)")


def test_a_feed_is_made_by_connect_whatever_it_is_given(exchange):
    for given in ("sim", "prod", exchange, None):
        one_sentence(lambda given=given: kn.Feed(given), TypeError, r"connect\('sim'\)")


@pytest.mark.parametrize(
    ("use", "instead"),
    [
        (lambda frame: frame["yes_price"], r"\.df\['yes_price'\]"),
        (lambda frame: frame[0], r"\.df\[0\]"),
        (lambda frame: frame[-5:], r"\.df\["),
        (list, "iter_rows"),
        (lambda frame: next(iter(frame)), "iter_rows"),
        (lambda frame: MARKET in frame, r"\.df\[\"market_ticker\"\]"),
        (lambda frame: frame > 5, r"\.df\["),
        (lambda frame: frame <= frame, r"\.df\["),
        (sorted, "iter_rows"),
        (lambda frame: sorted([frame, frame]), r"\.df\["),
    ],
)
@pytest.mark.parametrize("name", ["frame", "pipeline's frame"])
def test_a_frame_is_no_table_and_says_where_its_table_is(feed, name, use, instead):
    frame = HANDLES[name](feed)
    one_sentence(lambda: use(frame), TypeError, instead)


def test_what_a_frame_can_do_by_itself_it_does(feed, exchange):
    trades = feed.trades()
    assert trades
    assert trades == trades
    assert trades != feed.tickers()
    assert len({trades, feed.trades(), feed.tickers()}) == 2
    exchange.advance(10)
    assert len(trades) == trades.df.height
    assert pl.DataFrame(trades).equals(trades.df)
    assert isinstance(pd.DataFrame.from_records(trades.df.to_dicts()), pd.DataFrame)


@pytest.mark.parametrize(
    ("use", "instead"),
    [
        (lambda book: book["yes"], r"levels\('yes'\)"),
        (lambda book: book[0], r"depth\(\)"),
        (list, r"levels\('yes'\)"),
        (len, r"depth\(\)\.height"),
        (lambda book: 0.47 in book, r"levels\('yes'\)"),
    ],
)
def test_a_book_is_no_table_and_says_where_its_levels_are(feed, use, instead):
    one_sentence(lambda: use(feed.book(MARKET)), TypeError, instead)


def test_a_book_is_there_even_while_it_is_empty(feed):
    assert feed.book("KXNOSUCH-1")


def test_books_say_which_they_are_not(feed):
    books = feed.books([MARKET, OTHER])
    one_sentence(lambda: books["KXNOPE-1"], KeyError, "^There is no book of 'KXNOPE-1' among these 2: ")
    one_sentence(lambda: books[[MARKET]], KeyError, "no book of")
    one_sentence(lambda: books[0], KeyError, "no book of 0")
    assert books.get("KXNOPE-1") is None
    assert "KXNOPE-1" not in books
    assert list(books) == [MARKET, OTHER]
    assert dict(books)[MARKET] is feed.book(MARKET)


@pytest.mark.parametrize("bad", [5, None, [MARKET], (MARKET,), b"KX", "", "  ", {MARKET}, 1.5])
def test_a_book_is_of_one_market_by_its_ticker(feed, bad):
    one_sentence(lambda: feed.book(bad), errors.MarketTickerError, r"one market's ticker as text.*books\(\[…\]\)")


@pytest.mark.parametrize("bad", [[], (), "", None, set(), iter([]), pl.Series([], dtype=pl.String())])
def test_books_need_names_and_are_not_told_to_leave_them_out(feed, bad):
    one_sentence(lambda: feed.books(bad), errors.MarketTickerError, r"needs the tickers of markets.*books\(\['KX")
    one_sentence(feed.books, errors.MarketTickerError, "needs the tickers of markets")


@pytest.mark.parametrize("bad", [5, [5], [MARKET, None], [None], 1.5])
def test_books_are_named_by_text(feed, bad):
    one_sentence(lambda: feed.books(bad), errors.MarketTickerError, "is text such as")


@pytest.mark.parametrize(
    "several",
    [MARKET, [MARKET], (MARKET,), {MARKET}, {MARKET: 1}, iter([MARKET]), pl.Series([MARKET]), pd.Series([MARKET])],
    ids=lambda it: type(it).__name__,
)
def test_one_or_several_markets_are_named_in_any_way(feed, several):
    assert list(feed.books(several)) == [MARKET]


def test_an_empty_list_of_a_frame_is_told_that_none_is_all(feed):
    one_sentence(lambda: feed.trades([]), errors.MarketTickerError, "is empty; leave the argument out to take all")
