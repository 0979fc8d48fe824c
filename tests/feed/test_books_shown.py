"""Several books are shown as small ladders in one view, which moves while any of them does and ends with the last."""

import gc

import pytest

import kalshi_nb as kn
from kalshi_nb.errors import ConfigurationError, HandleClosedError, UsageError
from tests.widgets.conftest import wait_until

WIDGET = "application/vnd.jupyter.widget-view+json"


@pytest.fixture
def tickers(exchange):
    return sorted(exchange.market_tickers)[:3]


@pytest.fixture
def books(feed, tickers):
    return feed.books(tickers).wait()


def body(books, **options):
    view = books._live_view(**options)
    return view._scene.body(view._scene.take())


def test_books_show_five_levels_a_side_of_each_in_one_model(books, tickers):
    bundle = books._repr_mimebundle_()
    assert WIDGET in bundle
    sent = body(books)
    assert [each["market"]["ticker"] for each in sent["books"]] == tickers
    assert max(len(each["bids"]) for each in sent["books"]) == 5
    assert sent["title"] == "3 books"
    for each in sent["books"]:
        assert each["bids"][0][0] == books[each["market"]["ticker"]].best_bid
    assert max(len(each["asks"]) for each in body(books, levels=3)["books"]) == 3


def test_the_view_moves_with_any_of_them(books, exchange, tickers):
    scene = books._live_view()._scene
    before = scene.take()
    exchange.advance(10)
    after = scene.take()
    assert after.version != before.version
    assert after.changes > before.changes
    assert after.status == "live"


def test_the_same_question_gives_the_same_view_until_the_books_are_closed(books):
    assert books.widget() is books.widget(levels=5)
    assert books.widget(levels=2) is not books.widget()
    view = books._live_view()
    books.close()
    assert view.is_closed
    with pytest.raises(HandleClosedError, match="show them as they are"):
        books.widget()
    assert WIDGET not in books._repr_mimebundle_()


def test_a_book_that_is_closed_says_so_among_others_that_go_on(feed, books, tickers, exchange):
    view = books._live_view()
    books[tickers[0]].close()
    exchange.advance(1)
    assert [each["status"] for each in body(books)["books"]] == ["closed", "live", "live"]
    assert not view.is_closed
    for each in books.values():
        each.close()
    assert view.is_closed


def test_of_a_feed_that_is_closed_the_view_says_that_it_ended(feed, books):
    view = books._live_view()
    feed.close()
    wait_until(lambda: view.widget.picture["status"] == "closed")
    assert {each["status"] for each in view.widget.picture["books"]} == {"closed"}


def test_what_nobody_holds_ends_its_view(feed, tickers):
    widget = feed.books(tickers).widget()
    gc.collect()
    wait_until(lambda: not widget.is_open)


def test_as_text_and_as_a_table_each_book_has_a_line(books, tickers):
    still = books._live_view().snapshot()
    lines = still.text.splitlines()
    assert [line.split()[0] for line in lines] == tickers
    assert all(" live  YES bid " in line and " ask " in line for line in lines)
    assert still.html.count('<th scope="row"') == 3
    assert len(still.html) < 20_000
    assert "NO bid" in books._live_view(side="no").snapshot().text


def test_show_takes_books_with_their_options_and_names_what_they_have_not(books):
    assert kn.show(books, levels=3)._scene.options["levels"] == 3
    with pytest.raises(UsageError, match=r"A view of books has no option 'level'\. Did you mean 'levels'"):
        kn.show(books, level=3)
    with pytest.raises(ConfigurationError, match="levels=50"):
        books.widget(levels=50)
