"""The ladder's presenter: what a kept ladder looks like, exact, whole, and in words where it is not right."""

import gc
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest

from kalshi_nb._clock import WallClock
from kalshi_nb._feed.book import Book
from kalshi_nb._rows.tickers import hint
from kalshi_nb._session.extension import ladders
from kalshi_nb._widgets.ladder.picture import Last, Market
from kalshi_nb._widgets.ladder.presenter import LadderPresenter
from kalshi_nb._widgets.ladder.text import ladder_line
from tests.session.ways import WAYS
from tests.widgets.conftest import wait_until

TICKER = "KXHIGHNY-26NOV22-B52.5"


class StandingClock:
    """A clock moved by hand."""

    def __init__(self, now):
        self.now = now

    def now_us(self):
        return self.now


@pytest.fixture(params=WAYS)
def ladder(request):
    return ladders(compiled=request.param)(TICKER)


@pytest.fixture
def clock():
    return StandingClock(1_000_000)


@pytest.fixture
def presenter(ladder, clock):
    return LadderPresenter(TICKER, ladder, clock)


def test_every_price_is_its_literal_and_an_ask_is_a_dollar_less_the_no_bid(ladder, presenter):
    for price in range(1, 10_000):
        ladder.replace({price: 150}, {10_000 - price: 25}, 1)
        literal = float(f"{price / 10_000:.4f}")
        picture = presenter.picture(10)
        assert (picture.bids, picture.asks) == (((literal, 1.5),), ((literal, 0.25),))


def test_both_sides_are_best_first_and_no_longer_than_asked_for(ladder, presenter):
    ladder.replace({4_500: 100, 4_700: 300, 4_600: 200}, {5_000: 500, 4_800: 400, 4_900: 450}, 1)
    picture = presenter.picture(2)
    assert picture.bids == ((0.47, 3.0), (0.46, 2.0))
    assert picture.asks == ((0.5, 5.0), (0.51, 4.5))


def test_before_the_first_snapshot_there_is_nothing_and_no_time(presenter):
    picture = presenter.picture(10)
    assert (picture.status, picture.bids, picture.asks, picture.changed_at) == ("connecting", (), (), None)


def test_the_time_of_a_change_is_the_one_it_was_received_at(ladder, presenter):
    ladder.replace({4_700: 100}, {}, 1_795_348_800_250_000)
    assert presenter.picture(10).changed_at == 1_795_348_800.25
    ladder.set_status("live", 1_795_348_900_000_000)
    assert presenter.picture(10).changed_at == 1_795_348_800.25


def test_the_age_of_a_status_goes_by_the_feeds_clock_and_ends_now_by_the_computers(ladder, presenter, clock):
    ladder.set_status("stale", clock.now, "sequence")
    clock.now += 90_000_000
    before = time.time()
    since = presenter.picture(10).status_since
    assert before - 90 <= since <= time.time() - 90
    clock.now -= 180_000_000  # a clock that was set back makes no status of the future
    assert presenter.picture(10).status_since <= time.time()


def test_a_text_says_since_when_by_the_feeds_clock_whose_moments_are_a_market_s_own(ladder, presenter, clock):
    clock.now = 1_795_359_600_000_000
    ladder.set_status("stale", clock.now, "sequence")
    clock.now += 90_000_000
    assert "stale since 2026-11-22 15:00:00 UTC" in ladder_line(presenter.picture(10))


@pytest.mark.parametrize(("price", "decimals"), [(4_700, 0), (4_710, 1), (4_711, 2)])
def test_prices_have_as_many_decimals_as_they_need_and_never_fewer_again(ladder, presenter, price, decimals):
    ladder.replace({price: 100}, {}, 1)
    assert presenter.picture(10).decimals == decimals
    ladder.replace({}, {5_000: 100}, 2)
    assert presenter.picture(10).decimals == decimals
    ladder.replace({}, {5_010: 100}, 3)
    assert presenter.picture(10).decimals == max(1, decimals)


def test_levels_that_are_not_shown_need_no_decimals(ladder, presenter):
    ladder.replace({4_700: 100, 4_611: 100}, {}, 1)
    assert presenter.picture(1).decimals == 0
    assert presenter.picture(2).decimals == 2


class MovesWhileItIsRead:
    """A ladder that, the first time it is read, changes between its levels and its status."""

    def __init__(self, ladder):
        self._ladder = ladder
        self._moved = False

    def __getattr__(self, name):
        return getattr(self._ladder, name)

    def levels(self):
        found = self._ladder.levels()
        if not self._moved:
            self._moved = True
            self._ladder.replace({4_800: 100}, {}, 2)
            self._ladder.set_status("live", 2)
        return found


def test_levels_and_status_are_of_one_version(ladder, clock):
    ladder.replace({4_700: 100}, {}, 1)
    ladder.set_status("stale", 1, "sequence")
    picture = LadderPresenter(TICKER, MovesWhileItIsRead(ladder), clock).picture(10)
    assert (picture.bids, picture.status, picture.note) == (((0.48, 1.0),), "live", "")
    assert picture.changes == ladder.version


def test_every_change_moves_the_version(ladder, presenter):
    versions = [presenter.picture(1).version]
    for change in (
        lambda: ladder.replace({4_700: 100}, {}, 1),
        lambda: ladder.set_status("live", 1),
        lambda: ladder.apply("yes", 4_700, 100, 2),
        lambda: ladder.set_status("stale", 3, "sequence"),
        lambda: ladder.set_status("stale", 3, "connection_lost"),
    ):
        change()
        versions.append(presenter.picture(1).version)
    assert len(set(versions)) == len(versions)
    assert presenter.picture(1).version == versions[-1]


@pytest.mark.parametrize(
    "reason",
    [
        "sequence",
        "rejected",
        "negative_level",
        "no_book",
        "error_10",
        "error_25",
        "error_26",
        "unsubscribed",
        "connection_lost",
        "resubscribing",
        "unreadable",
    ],
)
def test_a_stale_ladder_says_in_words_what_is_being_done(ladder, presenter, reason):
    ladder.set_status("stale", 1, reason)
    note = presenter.picture(1).note
    assert note
    assert reason not in note
    ladder.set_status("live", 2, reason)
    assert presenter.picture(1).note == ""


def test_a_reason_without_words_is_no_note(ladder, presenter):
    ladder.set_status("stale", 1, "error_99")
    assert presenter.picture(1).note == ""


def test_a_ladder_of_no_market_says_what_may_be_wrong_with_its_ticker(clock):
    ticker = TICKER.lower()
    ladder = ladders()(ticker)
    presenter = LadderPresenter(ticker, ladder, clock)
    assert presenter.market_ticker == ticker
    assert presenter.picture(1).note == ""
    ladder.set_status("unknown", 1, "error_16")
    assert presenter.picture(1).note == hint(ticker) != ""


def test_a_book_that_is_dropped_takes_its_view_off_the_page_without_the_garbage_collector(ladder, messages):
    book = Book(ladder, clock=WallClock(), release=lambda: None)
    model = book._repr_mimebundle_()["application/vnd.jupyter.widget-view+json"]["model_id"]
    gc.disable()
    try:
        del book
        wait_until(lambda: messages.of(model, "comm_close"))
    finally:
        gc.enable()


def test_pictures_and_their_text_load_no_widgets():
    code = (
        "import sys\n"
        "import kalshi_nb._widgets.ladder.presenter, kalshi_nb._widgets.ladder.text\n"
        "print({'ipywidgets', 'anywidget', 'traitlets', 'polars'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_a_crossed_ladder_says_whose_word_that_is(ladder, presenter):
    ladder.replace({6_000: 100}, {5_000: 200}, 1)
    ladder.set_status("live", 1)
    assert presenter.picture(10).note == ""
    ladder.set_crossed(True)
    assert "crossed" in presenter.picture(10).note


# What is known of the market beside its ladder --------------------------------------------------------------------


class Facts(SimpleNamespace):
    """The fields of a record of facts, in its units."""

    title = subtitle = open_time = close_time = settled_at = price_ranges = result = settlement_value = None

    def phase(self, now_us):
        return "active" if self.close_time is None or now_us < self.close_time else "closed"


def test_without_facts_the_ticker_stands_alone(presenter):
    assert presenter.picture(1).market == Market(TICKER)
    assert presenter.picture(1).ticks is None


def test_facts_are_shown_in_dollars_and_seconds_and_move_the_version(ladder, clock):
    known = None
    presenter = LadderPresenter(TICKER, ladder, clock, facts=lambda: known)
    versions = [presenter.picture(1).version]
    known = Facts(title="Highest temperature?", subtitle="52 to 53", close_time=2_000_000)
    versions.append(presenter.picture(1).version)
    assert presenter.picture(1).market == Market(
        TICKER, "Highest temperature?", "52 to 53", phase="active", close_time=2.0
    )
    clock.now = 2_000_000  # the exchange says nothing when a market's time to close comes
    versions.append(presenter.picture(1).version)
    assert presenter.picture(1).market.phase == "closed"
    known = Facts(result="yes", settlement_value=10_000)
    versions.append(presenter.picture(1).version)
    assert presenter.picture(1).market.settlement == 1.0
    assert len(set(versions)) == 4


def test_decimals_go_by_the_grid_where_it_is_known_whatever_prices_there_are(ladder, clock):
    known = Facts(price_ranges=((0, 1_000, 10), (1_000, 9_000, 100), (9_000, 10_000, 10)))
    ladder.replace({4_700: 100}, {}, 1)
    picture = LadderPresenter(TICKER, ladder, clock, facts=lambda: known).picture(1)
    assert picture.decimals == 1
    assert picture.ticks == known.price_ranges


def test_trades_and_ones_own_orders_move_the_version_and_travel_in_the_body(ladder, clock):
    seen = {"last": None, "orders": (), "fills": ()}
    extras = {name: lambda name=name: seen[name] for name in seen}
    presenter = LadderPresenter(TICKER, ladder, clock, **extras)
    before = presenter.picture(1)
    assert before.body()["last"] is None
    seen |= {"last": Last(0.48, 3.0, "yes", 7.0), "orders": (("yes", 0.46, 25.0),), "fills": (("no", 0.5, 1.0, 6.0),)}
    after = presenter.picture(1)
    assert after.version != before.version
    body = after.body()
    assert body["last"] == {"price": 0.48, "size": 3.0, "taker": "yes", "at": 7.0}
    assert (body["orders"], body["fills"]) == ([["yes", 0.46, 25.0]], [["no", 0.5, 1.0, 6.0]])


def test_a_body_has_what_the_script_is_promised(ladder, presenter):
    ladder.replace({4_700: 100, 4_600: 200}, {5_000: 500}, 1_795_348_800_000_000)
    ladder.set_status("live", 1_000_000)
    body = presenter.picture(10).body()
    assert body["bids"] == [[0.47, 1.0], [0.46, 2.0]]
    assert body["asks"] == [[0.5, 5.0]]
    assert (body["decimals"], body["changed"], body["note"], body["clock"]) == (0, 1_795_348_800.0, "", 1.0)
    assert body["market"] == Market(TICKER)._asdict()
    assert set(body) >= {"ticks", "last", "orders", "fills", "age"}


def test_a_ladder_that_was_closed_is_shown_as_it_was(ladder, presenter):
    book = Book(ladder, clock=WallClock(), release=lambda: None)
    ladder.replace({4_700: 100}, {}, 1)
    book.close()
    presenter.end(book._ladder)
    ladder.apply("yes", 4_800, 100, 2)
    assert presenter.picture(1).bids == ((0.47, 1.0),)
    assert presenter.picture(1).status == "closed"
