"""Several books in one view: each says by itself how far it may be trusted, and they stand where there is room."""

import pytest

from tests.browser.cards.books_pictures import ALL, shelf, states
from tests.browser.cards.pictures import ladder
from tests.browser.cards.test_access import axe  # noqa: F401  # a fixture

SETTINGS = {"levels": 5}


def show(host, picture, **settings):
    host.open().show(picture, SETTINGS | settings, kind="books")


def test_each_book_says_how_it_is_and_the_view_how_many_are_not_live(host):
    show(host, states()["all"])
    chips = host.texts(".b-one .chip")
    words = ["live", "stale", "live", "live", "connecting", "no such market", "ended", "YES", "closed"]
    assert [word in chip for word, chip in zip(words, chips, strict=True)] == [True] * len(ALL), chips
    assert host.texts(".head .chip") == ["● live, 4 of 9 not"]
    looks = host.page.locator(".b-inside").evaluate_all(
        "(all) => all.map((n) => getComputedStyle(n).filter !== 'none')"
    )
    assert looks == [name in ("stale", "handle-closed", "closed-by-clock") for name in ALL]
    assert [len(host.texts(f".b-one >> nth={n} >> .result")) for n in (0, 7)] == [0, 1]


def test_small_ladders_have_so_many_levels_and_move_with_one_message(host):
    show(host, states()["two"])
    assert host.texts(".note") == ["3 more not shown: KX-A, KX-B, KX-C"]
    assert host.page.locator(".b-one").first.locator(".side").first.evaluate("(n) => n.offsetHeight") == 5 * 22
    moved = shelf("live", "live", seq=2)
    moved["books"][1]["bids"][0] = [0.47, 999]
    host.send(moved)
    assert host.texts(".b-one .bids .best .size") == ["310", "999"]
    assert host.page.locator("[role=table]").count() == 2
    tree = host.page.locator("main").aria_snapshot()
    assert 'group "Order book of KXHIGHNY-26NOV28-B52.5-1"' in tree


def test_one_pause_one_leg_one_unit_for_all_of_them(host):
    show(host, states()["two"])
    host.focus()
    for key in "sup":
        host.page.keyboard.press(key)
    host.settle(1)
    assert host.texts(".columns .price") == ["NO price", "NO price"]
    assert all("%" in each for each in host.texts(".bids .best .price"))
    assert host.data("status") == "paused"
    moved = shelf("live", "live", seq=2)
    moved["books"][1]["asks"][0] = [0.485, 999]
    host.send(moved)
    assert host.texts(".bids .best .size") == ["64", "64"]
    host.page.keyboard.press("p")
    assert host.texts(".bids .best .size") == ["64", "999"]


def test_a_saved_view_is_silent_in_each_of_its_books(host):
    show(host, states()["silent"])
    assert host.data("status") == "silent"
    assert all("saved" in chip for chip in host.texts(".b-one .chip"))
    looks = host.page.locator(".b-inside").evaluate_all("(all) => all.map((n) => getComputedStyle(n).filter)")
    assert looks == ["grayscale(1)"] * 2


def test_a_book_that_goes_makes_room_and_hostile_names_are_text(host):
    hostile = "<img src=x onerror=\"document.title='ran'\">\u202e" + "W" * 10_000
    picture = shelf("live", "live")
    picture["books"][0]["market"] |= {"title": hostile, "ticker": hostile}
    show(host, picture | {"more": hostile})
    assert host.page.title() == "host"
    assert host.page.locator(".card img").count() == 0
    host.send(shelf("live", seq=2))
    assert host.page.locator(".b-one").count() == 1


@pytest.mark.parametrize("width", [320, 640, pytest.param(1040, marks=pytest.mark.matrix)])
def test_nothing_scrolls_sideways_and_no_number_is_cut_off(make_host, width):
    host = make_host(viewport={"width": width, "height": 900})
    show(host, shelf("large", "owned", "live", "unknown", "scalar"))
    assert host.page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    cut = host.page.locator(".size, .price, .mark, .middle > *").evaluate_all(
        "(all) => all.filter((n) => n.checkVisibility() && n.scrollWidth > n.clientWidth + 1).map((n) => n.innerText)"
    )
    assert cut == []


@pytest.mark.parametrize("theme", ["light", pytest.param("dark", marks=pytest.mark.matrix)])
def test_axe_finds_nothing_of_level_a_or_aa(host, axe, theme):  # noqa: F811  # the fixture
    show(host, states()["all"], theme=theme)
    host.page.evaluate(axe)
    tags = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}
    found = host.page.evaluate("(options) => axe.run('main', options)", tags)
    assert [(each["id"], [node["html"] for node in each["nodes"]]) for each in found["violations"]] == []


def test_a_ladder_beside_it_on_the_page_is_as_ever(host):
    host.open(body="<main><div id='cell'></div><div id='other'></div></main>")
    host.show(states()["two"], SETTINGS, kind="books")
    host.show(ladder(model="model-2"), at="#other")
    assert host.data("kind", 1) == "ladder"
    assert host.page.locator(".kalshi-nb").nth(1).locator(".side").first.evaluate("(n) => n.offsetHeight") == 220
