"""A book that is shown again is shown anew, whatever became of the view before; and it never says what never was."""

import gc
import pickle

import pytest
from ipywidgets import HBox, Widget

import kalshi_nb as kn
from kalshi_nb._clock import WallClock
from kalshi_nb._feed.book import Book
from kalshi_nb._rows.tickers import hint
from kalshi_nb._session.extension import ladders
from kalshi_nb._widgets.display import display
from kalshi_nb._widgets.ladder.presenter import LadderPresenter
from kalshi_nb._widgets.ladder.text import ladder_html, ladder_text
from kalshi_nb.errors import ConfigurationError, HandleClosedError, UsageError
from tests.session.ways import WAYS
from tests.widgets.conftest import wait_until

TICKER = "KXHIGHNY-26NOV22-B52.5"
WIDGET = "application/vnd.jupyter.widget-view+json"
NOON = 1_795_348_800_000_000  # 2026-11-22 12:00:00 UTC


@pytest.fixture(params=WAYS)
def ladder(request):
    return ladders(compiled=request.param)(TICKER)


@pytest.fixture
def book(ladder, messages):
    ladder.replace({4_700: 100}, {5_000: 200}, NOON)
    ladder.set_status("live", NOON)
    book = Book(ladder, clock=WallClock(), release=lambda: None)
    yield book
    book.close()


def model(book):
    return book._repr_mimebundle_()[WIDGET]["model_id"]


def moves(ladder, messages, shown):
    """Whether a change of the ladder reaches a view."""
    before = len(messages.of(shown))
    ladder.apply("yes", 4_700, 100, NOON)
    wait_until(lambda: len(messages.of(shown)) > before)


@pytest.mark.parametrize(
    "end",
    [
        lambda book: Widget.close_all(),
        lambda book: book.widget().close(),
        lambda book: book._live_view().close(),
        lambda book: [Widget.close_all() for _ in range(2)],
    ],
    ids=["all widgets closed", "its widget closed", "its view closed", "twice"],
)
def test_a_view_that_was_closed_is_followed_by_a_new_one_that_moves(ladder, book, messages, end):
    first = model(book)
    assert model(book) == first
    moves(ladder, messages, first)
    end(book)
    second = model(book)
    assert second != first
    moves(ladder, messages, second)
    assert model(book) == second


def model_of(shown):
    bundle = shown._repr_mimebundle_()
    return (bundle[0] if isinstance(bundle, tuple) else bundle)[WIDGET]["model_id"]


OTHERS = {
    "trades": lambda feed: feed.trades(),
    "tickers": lambda feed: feed.tickers(),
    "lifecycle": lambda feed: feed.lifecycle(),
    "an account": lambda feed: feed.orders(),
    "a feed": lambda feed: feed,
    "a dashboard": lambda feed: feed.dashboard(TICKER),
    "a board": lambda feed: feed.board(),
    "an event": lambda feed: feed.event("KXHIGHNY-26NOV22"),
    "a picker": lambda feed: feed.picker(),
    "a chart": lambda feed: kn.show(feed.trades(TICKER), view="chart"),
}


def test_whatever_was_shown_is_shown_anew_after_all_widgets_were_closed(messages):
    with kn.sim.Exchange(seed=7, clock="manual") as exchange, kn.connect(exchange) as feed:
        exchange.advance(10)
        own, books = feed.stream("trade").rolling_frame(), feed.books(exchange.market_tickers[:2])
        asks = {**OTHERS, "a pipeline's frame": lambda _: own, "several books": lambda _: books}
        first = {name: model_of(ask(feed)) for name, ask in asks.items()}
        assert {name: model_of(ask(feed)) for name, ask in asks.items()} == first
        Widget.close_all()
        second = {name: model_of(ask(feed)) for name, ask in asks.items()}
        assert not {*first.values()} & {*second.values()}
        assert {name: model_of(ask(feed)) for name, ask in asks.items()} == second
        moving = {name: each for name, each in second.items() if name not in ("lifecycle", "an account", "a picker")}
        moving["a dashboard"] = feed.dashboard(TICKER).widget.model_id  # what is shown is a box around it
        before = {name: len(messages.of(each)) for name, each in moving.items()}
        exchange.advance(10)
        for name, each in moving.items():
            wait_until(lambda name=name, each=each: len(messages.of(each)) > before[name])


def test_a_view_goes_on_when_the_display_thread_was_stopped(ladder, book, messages):
    shown = model(book)
    moves(ladder, messages, shown)
    display.stop()
    assert model(book) == shown
    moves(ladder, messages, shown)


def test_a_view_that_was_given_up_after_errors_is_taken_up_again(ladder, book, messages, monkeypatch):
    gc.collect()
    others = display.view_count  # those that other tests left, and that may go meanwhile
    shown = model(book)
    with monkeypatch.context() as broken:
        broken.setattr(book._live_view().widget.comm, "send", lambda *_, **__: 1 / 0)
        errors = display.errors
        for _ in range(40):
            ladder.apply("yes", 4_700, 100, NOON)
            if display.errors >= errors + 10:
                break
            wait_until(lambda before=display.errors: display.errors > before)
        wait_until(lambda: display.view_count <= others)
    assert model(book) == shown
    moves(ladder, messages, shown)


def test_a_widget_of_a_book_goes_into_a_box(ladder, book, messages):
    widget = book.widget(levels=5)
    box = HBox([widget, book.widget()])
    assert box.children[0] is book.widget(levels=5)
    assert [child.settings["levels"] for child in box.children] == [5, 10]
    moves(ladder, messages, widget.model_id)
    assert book.widget() is book.widget(10)
    assert model(book) == book.widget().model_id
    widget.close()
    assert book.widget(levels=5) is not widget


@pytest.mark.parametrize("levels", [0, 101, True, "5", 2.5])
def test_a_widget_of_no_number_of_levels_is_refused(book, levels):
    with pytest.raises(ConfigurationError, match="from 1 to 100; try 10"):
        book.widget(levels)


def test_a_closed_book_takes_its_widgets_off_the_page_and_is_a_picture(ladder, book, messages):
    shown, small = model(book), book.widget(levels=3).model_id
    book.close()
    wait_until(lambda: messages.of(shown, "comm_close") and messages.of(small, "comm_close"))
    assert set(book._repr_mimebundle_()) == {"text/plain", "text/html"}
    with pytest.raises(HandleClosedError, match="show the book itself"):
        book.widget()


def test_a_closed_book_stays_as_it_was_though_its_market_goes_on_for_others(ladder, book):
    other = Book(ladder, clock=WallClock(), release=lambda: None)
    top, depth = book.top, book.depth(5)
    book.close()
    ladder.apply("yes", 4_800, 900, NOON + 1)
    assert (book.status, other.status) == ("closed", "live")
    assert (book.top, book.best_bid, book.best_ask) == (top, 0.47, 0.5)
    assert book.depth(5).equals(depth)
    assert book.levels("yes") == [(0.47, 1.0)]
    assert other.best_bid == 0.48
    assert repr(book).startswith(f"{TICKER}  closed  YES bid 47¢ x 1  ask 50¢ x 2")
    other.close()
    assert other.levels("yes") == [(0.48, 9.0), (0.47, 1.0)]


# What a ladder says that never was a book -------------------------------------------------------------------------


def ended(ladder, way):
    """A presenter of a ladder that ends as its market is let go of, or as its handle is closed."""
    if way == "ladder":
        was = ladder.status
        ladder.set_status("closed", NOON, was)
        return LadderPresenter(TICKER, ladder, WallClock()).picture(10)
    book = Book(ladder, clock=WallClock(), release=lambda: None)
    book.close()
    return book._picture(10)


@pytest.mark.parametrize("way", ["ladder", "handle"])
def test_a_ladder_that_never_came_says_so_when_it_is_closed(ladder, way):
    picture = ended(ladder, way)
    assert (picture.status, picture.changed_at) == ("closed", None)
    assert picture.note == "closed before its first snapshot came"
    for text in (ladder_text(picture), ladder_html(picture)):
        assert "no asks came" in text
        assert "no bids came" in text
        assert "changed" not in text


@pytest.mark.parametrize("way", ["ladder", "handle"])
def test_a_market_that_never_was_is_none_when_it_is_closed_either(ladder, way):
    ladder.replace({}, {}, NOON)  # how the exchange answers for a market that it does not know
    ladder.set_status("unknown", NOON)
    assert LadderPresenter(TICKER, ladder, WallClock()).picture(10).changed_at is None
    picture = ended(ladder, way)
    assert (picture.status, picture.changed_at) == ("closed", None)
    assert picture.note == f"there was no such market. {hint(TICKER)}".strip()
    assert "changed" not in ladder_html(picture)


@pytest.mark.parametrize("way", ["ladder", "handle"])
def test_a_book_that_was_right_or_stale_keeps_its_time(ladder, way):
    ladder.replace({4_700: 100}, {}, NOON)
    ladder.set_status("stale", NOON, "sequence")
    picture = ended(ladder, way)
    assert picture.changed_at == NOON / 1e6
    assert "amid a gap" in picture.note
    assert "no asks" in ladder_text(picture)
    assert "no asks came" not in ladder_text(picture)


def test_a_repr_is_one_line_and_says_why_a_book_never_was(ladder):
    book = Book(ladder, clock=WallClock(), release=lambda: None)
    assert repr(book) == f"{TICKER}  connecting  YES no bids yet  no asks yet  no spread  chance \N{EN DASH}"
    book.close()
    assert repr(book) == (
        f"{TICKER}  closed  YES no bids came  no asks came  no spread  chance \N{EN DASH}  "
        "(closed before its first snapshot came)"
    )


def test_a_picture_is_data(ladder):
    assert pickle.loads(pickle.dumps(ended(ladder, "handle"))).status == "closed"


def test_an_option_of_another_view_of_the_same_handle_is_told_with_that_view():
    with kn.sim.Exchange(seed=7, clock="manual") as exchange, kn.connect(exchange) as feed:
        trades = feed.trades("KXHIGHNY-26NOV22-B52.5")
        with pytest.raises(UsageError, match="write view='chart', bars=…"):
            kn.show(trades, bars="1m")
