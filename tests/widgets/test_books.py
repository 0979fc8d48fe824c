"""Several books in one view: what is sent of them, what is left out and said, and their forms without a browser."""

import pytest

from kalshi_nb._widgets.books.view import MOST_BOOKS, BooksView
from tests.widgets.conftest import Presenter


def scene(presenters, **options):
    return BooksView.of(tuple(presenters), options)


def status(*words):
    presenters = [Presenter(f"KX-{n}") for n in range(len(words))]
    for presenter, word in zip(presenters, words, strict=True):
        presenter.move(status=word)
    return scene(presenters).take().status


@pytest.mark.parametrize(
    ("words", "word"),
    [
        (("live", "stale", "closed"), "live"),
        (("stale", "closed"), "stale"),
        (("closed", "connecting"), "connecting"),
        (("closed", "closed"), "closed"),
        ((), "closed"),
    ],
)
def test_they_are_live_while_one_is_and_closed_only_with_the_last(words, word):
    assert status(*words) == word


def test_more_books_than_are_shown_are_counted_and_some_of_them_named():
    shown = scene([Presenter(f"KX-{n}") for n in range(MOST_BOOKS + 5)])
    picture = shown.take()
    assert len(picture.books) == MOST_BOOKS
    assert picture.more == "5 more not shown: KX-12, KX-13, KX-14, …"
    assert shown.title == "17 books"
    assert shown.text(picture).splitlines()[-1] == f"({picture.more})"
    assert picture.more in shown.html(picture)
    assert scene([Presenter() for _ in range(MOST_BOOKS)]).take().more == ""


def test_any_change_of_any_of_them_is_another_version():
    presenters = [Presenter("KX-1"), Presenter("KX-2")]
    shown = scene(presenters)
    versions = [shown.take().version]
    presenters[1].move()
    versions.append(shown.take().version)
    presenters[0].move(status="stale")
    versions.append(shown.take().version)
    assert len(set(versions)) == 3
    assert shown.take().version == versions[-1]


def test_what_is_ones_own_is_never_sent_with_several():
    presenter = Presenter()
    presenter.move(orders=(("yes", 0.47, 5.0),), fills=(("yes", 0.47, 5.0, 1.0),))
    shown = scene([presenter])
    body = shown.body(shown.take())
    assert (body["books"][0]["orders"], body["books"][0]["fills"]) == ([], [])


def test_a_table_says_what_each_is_at_and_is_small_whatever_the_names():
    presenters = [Presenter(f"KX-{n}" + "W" * 10_000) for n in range(MOST_BOOKS)]
    for presenter in presenters:
        market = presenter.shown.market._replace(title="<img src=x onerror=alert(1)>\u202e" + "&" * 10_000)
        presenter.move(market=market)
    shown = scene(presenters)
    table = shown.html(shown.take(), "a note")
    assert len(table.encode()) < 20_000
    assert "<img" not in table
    assert "\u202e" not in table
    assert "a note" in table
    small = scene([Presenter("KX-1")], side="no")
    assert '<td align="right">50¢ x 80</td><td align="right">53¢ x 120</td><td align="right">3¢</td>' in small.html(
        small.take()
    )
    assert small.html(small.take()).count("chance") == 1  # the column's name


def test_no_books_are_said_to_be_none():
    none = scene([])
    assert none.text(none.take()) == "no books"
    assert "no books" in none.html(none.take())
    none.watch(lambda: None)
