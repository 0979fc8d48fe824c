"""The depth of a book: exact sums from the touch outwards, and what a reader without the chart sees."""

import json
import re
from decimal import Decimal

import pytest

from kalshi_nb._clock import WallClock
from kalshi_nb._feed.book import Book
from kalshi_nb._session.extension import ladders
from kalshi_nb._widgets.depth.curve import DISTANCES, reach, steps, window
from kalshi_nb._widgets.depth.text import depth_html, depth_text
from kalshi_nb._widgets.depth.view import DepthView
from kalshi_nb._widgets.ladder.picture import LadderPicture, Market
from kalshi_nb._widgets.ladder.view import LadderWidget
from kalshi_nb.errors import ConfigurationError, UsageError

TICKER = "KXHIGHNY-26NOV22-B52.5"
NOON = 1_795_348_800.0  # 2026-11-22 12:00:00 UTC
BOOK = LadderPicture(
    1,
    "live",
    NOON,
    NOON,
    Market(TICKER, "Highest temperature in NYC?", "52° to 53°"),
    asks=((0.50, 80.0), (0.52, 1200.0), (0.71, 40.0)),
    bids=((0.47, 120.0), (0.46, 33.0), (0.30, 900.5)),
)


def test_a_side_is_added_up_from_its_best_price_outwards():
    assert steps(BOOK.bids) == [(0.47, 120.0), (0.46, 153.0), (0.30, 1053.5)]
    assert steps(()) == []


def test_the_sums_are_exact_to_the_last_hundredth():
    levels = [(price / 10_000, 0.01) for price in range(9_900, 100, -7)]
    for distance in (*DISTANCES, 1.0):
        within = [price for price, _ in levels if Decimal("0.99") - Decimal(str(price)) <= Decimal(str(distance))]
        found = reach(levels, distance)
        assert Decimal(str(found.contracts)) == Decimal("0.01") * len(within)
        assert Decimal(str(found.dollars)) == sum(Decimal(str(price)) for price in within) * Decimal("0.01")


def test_both_ends_of_a_distance_are_in_it():
    assert reach([(0.48, 1.0), (0.46, 2.0)], 0.02).contracts == 3
    assert reach([(0.48, 1.0), (0.4599, 2.0)], 0.02).contracts == 1
    assert reach([], 0.02).average is None


@pytest.mark.parametrize(
    ("bids", "asks", "shown"),
    [
        (((0.47, 100), (0.30, 100)), ((0.5, 100),), (0.27, 0.7)),
        (((0.47, 100), (0.43, 100)), ((0.5, 100), (0.9, 1)), (0.42, 0.55)),
        (((0.47, 100), (0.38, 100)), ((0.5, 100),), (0.37, 0.6)),
        (((0.47, 1), (0.01, 100)), ((0.5, 100),), (0.27, 0.7)),
        (((0.04, 100),), ((0.06, 100),), (0.0, 0.11)),
        ((), ((0.97, 100), (0.99, 200)), (0.92, 1.0)),
        ((), (), (0.0, 1.0)),
    ],
)
def test_the_window_is_twenty_cents_round_the_touch_or_less_where_that_is_nearly_all(bids, asks, shown):
    assert window(BOOK._replace(bids=bids, asks=asks)) == shown


def test_plain_text_has_five_rows():
    lines = depth_text(BOOK).splitlines()
    assert lines[0].startswith(
        f"{TICKER}  live  YES bid 47¢ x 120  ask 50¢ x 80  spread 3¢  chance 49 %   (snapshot 2026"
    )
    assert lines[1:] == [
        "  Highest temperature in NYC? · 52° to 53°",
        "  within      bids  sold at      for      asks  bought at      for",
        "      1¢    153.00    46.8¢   $71.58     80.00      50.0¢   $40.00",
        "      2¢    153.00    46.8¢   $71.58  1,280.00      51.9¢  $664.00",
        "      5¢    153.00    46.8¢   $71.58  1,280.00      51.9¢  $664.00",
        "     10¢    153.00    46.8¢   $71.58  1,280.00      51.9¢  $664.00",
        "     20¢  1,053.50    32.4¢  $341.73  1,280.00      51.9¢  $664.00",
        "(sums are before fees)",
    ]


def test_the_no_leg_is_the_mirror_of_the_yes_leg():
    yes, no = (depth_text(BOOK, side=side).splitlines()[3:8] for side in ("yes", "no"))
    for row, mirrored in zip(yes, no, strict=True):
        distance, bids, _, sold, asks, _, bought = row.split()
        _, bids_no, _, sold_no, asks_no, _, bought_no = mirrored.split()
        assert (bids, asks) == (asks_no, bids_no)
        dollars = [Decimal(re.sub("[$,]", "", each)) for each in (sold, bought_no, bought, sold_no, bids, asks)]
        # What a contract of one leg costs, its other half brings: a dollar together.
        assert dollars[0] + dollars[1] == pytest.approx(dollars[4], abs=Decimal("0.011")), distance
        assert dollars[2] + dollars[3] == pytest.approx(dollars[5], abs=Decimal("0.011"))


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"asks": ()}, ["no asks"]), ({"bids": ()}, ["no bids"]), ({"asks": (), "bids": ()}, ["no asks", "no bids"])],
)
def test_a_missing_side_says_so_in_its_half(changes, words):
    picture = BOOK._replace(**changes)
    for each in words:
        assert each in depth_text(picture)
        assert f">{each}</text>" in depth_html(picture)
        assert f">{each}</td>" in depth_html(picture)


def test_html_is_a_drawing_and_a_table_under_20_kb_that_asks_for_nothing():
    levels = tuple((0.47 - at / 250, 1e6 + at) for at in range(100))
    asks = tuple((0.5 + at / 250, 1e6 + at) for at in range(100))
    picture = BOOK._replace(
        bids=levels, asks=asks, market=Market(TICKER, "<img src=x onerror=1>\u202e" * 50), note="<b>"
    )
    html = depth_html(picture, note="<i>")
    assert len(html.encode()) < 20_480
    assert html.count("<svg") == 1
    assert html.count("for, before fees</th>") == 2
    assert html.count("<tr>") == 1 + 5 + 2
    assert 'stroke-dasharray="6 3"' in html
    assert "currentColor" in html
    assert not re.search(r"<img|<b>|<i>|<script|http|\u202e| id=", html)


@pytest.mark.parametrize("status", ["connecting", "stale", "unknown", "closed"])
def test_each_state_is_said_in_words(status):
    words = {"unknown": "no such market"}.get(status, status)
    picture = BOOK._replace(status=status, bids=(), asks=())
    assert words in depth_text(picture).splitlines()[0]
    assert words in depth_html(picture)


# Of a book ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def book(messages):
    ladder = ladders(compiled=False)(TICKER)
    ladder.replace({4_700: 100, 3_000: 500}, {5_000: 200}, int(NOON * 1e6))
    ladder.set_status("live", int(NOON * 1e6))
    book = Book(ladder, clock=WallClock(), release=lambda: None)
    yield book
    book.close()


def test_a_book_is_shown_as_its_depth_where_that_is_asked_for(book, messages):
    view = book._live_view(view="depth", side="no", scale="log")
    assert isinstance(view, DepthView)
    assert book._live_view(view="depth", side="no", scale="log") is view
    assert isinstance(book.widget(), LadderWidget)
    opened = messages.of(view.widget, "comm_open")[0].data["state"]
    assert (opened["picture"]["kind"], opened["settings"]["scale"]) == ("depth", "log")
    assert opened["picture"]["bids"] == [[0.47, 1.0], [0.3, 5.0]]
    json.dumps(opened["picture"], allow_nan=False)


def test_it_sends_every_level_that_a_whole_cent_market_can_have(book):
    scene = DepthView.of(book._presenter, {})
    book._ladder.replace({price * 100: 100 for price in range(1, 50)}, {price * 100: 100 for price in range(1, 50)}, 1)
    assert len(scene.take().bids) == 49
    assert (scene.options["max_hz"], scene.options["side"], scene.options["scale"]) == (10.0, "yes", "linear")


def test_a_wrong_option_says_which_there_are(book):
    with pytest.raises(UsageError, match=r"The view 'depth' has no option 'levels'.* view='ladder'"):
        book.widget(levels=5, view="depth")
    with pytest.raises(ConfigurationError, match="it is one of 'linear', 'log'"):
        book.widget(view="depth", scale="logarithmic")
    with pytest.raises(ConfigurationError, match="Did you mean 'depth'"):
        book.widget(view="dept")


def test_a_closed_book_has_a_depth_that_stands_still(book, messages):
    book.close()
    view = book._live_view(view="depth")
    assert set(view.mimebundle()) == {"text/plain", "text/html"}
    assert "closed" in view.mimebundle()["text/plain"]
