"""A feed's own views in a browser: the strip that opens, and gaps to scale; in every state, at every width."""

import re
import time

import pytest

from kalshi_nb._widgets.assets import bundle
from tests.browser.cards.status_pictures import gaps, gaps_of, gaps_states, strip, strip_states
from tests.browser.cards.test_access import axe  # noqa: F401

WIDTHS = (320, 640, 1040)
PAGE = """<style>body { margin: 0; background: %s } main { display: grid; gap: 10px } .cell { width: %dpx }</style>"""


def show_all(host, states, kind, *, width=1040, theme="light", opened=False):
    """Put every state on one page, one below the other."""
    cells = "".join(f"<div class='cell' id='s-{name}'></div>" for name in states)
    host.open(
        head=PAGE % ({"light": "#fff", "dark": "#111"}[theme], width), body=f"<main>{cells}</main>", is_still=True
    )
    for name, picture in states.items():
        script = "async ([text, state, at]) => { await hosting.open(text, state, document.querySelector(at)); }"
        state = {"picture": {**picture, "model": name}, "delta": {}, "settings": {"theme": theme}}
        host.page.evaluate(script, [bundle(kind).text, state, f"#s-{name}"])
    host.settle()
    if opened:
        for each in host.page.locator(".strip-open").all():
            each.click()


def test_each_state_of_the_strip_is_told_by_a_glyph_and_words(host):
    show_all(host, strip_states(), "status")
    said = dict(zip(strip_states(), host.texts(".feed-state"), strict=True))
    said.pop("hostile")
    assert said.pop("silent").startswith("◌ saved")
    assert said == {
        "live": "● live",
        "amiss": "▲ partly stale",
        "reconnecting": "▲ reconnecting",
        "refused": "✕ refused: the exchange does not take the credentials",
        "connecting": "○ connecting",
        "empty": "● live",
        "paused": "❚❚ paused",
        "closed": "■ ended, no more updates",
    }
    grey = host.page.locator(".body").evaluate_all("(all) => all.map((n) => getComputedStyle(n).filter !== 'none')")
    assert [name for name, is_grey in zip(strip_states(), grey, strict=True) if is_grey] == ["silent", "closed"]
    assert host.page.title() == "host"


def test_the_strip_is_28_pixels_and_its_views_a_line_below(host):
    show_all(host, strip_states(), "status", width=640)
    heights = host.page.locator(".kalshi-nb").evaluate_all("(all) => all.map((n) => n.offsetHeight)")
    assert len(set(heights)) == 1
    assert host.page.locator(".strip").first.evaluate("(n) => n.offsetHeight") == 28
    assert heights[0] <= 28 + 22 + 4
    views = host.texts(".strip-views")
    assert views[0] == "views: ladder of KXHIGHNY-26NOV28-B52.5, tape of trades"
    assert views[list(strip_states()).index("empty")].startswith("no other view is open")


def test_it_says_all_where_there_is_room_and_whole_words_where_there_is_none(host):
    for width in WIDTHS:
        show_all(host, {name: strip_states()[name] for name in ("live", "amiss")}, "status", width=width)
        seen = []
        for line in host.page.locator(".strip-said").all():
            box = line.bounding_box()
            pieces = [(each.bounding_box(), each.text_content()) for each in line.locator(".strip-piece").all()]
            in_line = [(place, words) for place, words in pieces if place and place["y"] < box["y"] + 14]
            assert all(place["x"] + place["width"] <= box["x"] + box["width"] + 1 for place, _ in in_line)
            seen.append([words for _, words in in_line])
        assert "3 of 12 books stale" in seen[1]  # what is amiss stays in sight
        if width == 1040:
            assert [words[:3] for words in seen[0]] == ["1,4", "▁▂▃", "lag", "12 ", "4 g", "0 d", "212", "up "]


def test_how_many_gaps_there_were_is_told_whole_where_there_is_little_room(make_host):
    host = make_host(viewport={"width": 320, "height": 700}).open()
    host.show(gaps_states()["live"], kind="gaps")
    summary = host.page.locator(".gaps-summary")
    assert summary.evaluate("(n) => n.scrollWidth - n.clientWidth") <= 0
    assert "gap" in summary.inner_text()
    assert "since" not in summary.inner_text()
    assert "since" in gaps_states()["live"]["summary"]


def test_a_click_or_a_key_opens_it_and_it_says_so(host):
    host.open(is_still=True).show(strip_states()["amiss"], kind="status")
    assert not host.texts(".strip-more")
    host.page.locator(".strip").click(position={"x": 30, "y": 14})
    opener = host.page.locator(".strip-open")
    assert opener.get_attribute("aria-expanded") == "true"
    rows = host.texts(".strip-channels tr")
    assert [row.split()[0] for row in rows] == ["channel", "orderbook_delta", "trade", "ticker", "fill"]
    assert len(host.texts(".feed-gaps tbody tr")) == 4
    assert "open 41 s" in " ".join(host.texts(".g-lasted"))
    assert any("rows were dropped" in each for each in host.texts(".strip-notes li"))
    error = next(each for each in host.texts(".strip-notes li") if "last error" in each)
    assert re.search(r"last error, \d\d:\d\d UTC: the exchange ended", error)
    assert host.texts(".strip-caption") == ["newest gaps; 1,200 older ones are in feed.gaps"]
    opener.focus()
    host.page.keyboard.press("Enter")
    assert opener.get_attribute("aria-expanded") == "false"
    assert not host.texts(".strip-more")


def test_it_stays_open_when_news_comes_and_nothing_moves_by_a_shorter_number(host):
    host.open().show(strip(), kind="status")
    host.page.locator(".strip-open").click()
    host.send(strip(seq=2))
    places = "(all) => all.map((n) => n.getBoundingClientRect().x)"
    before = host.page.locator(".strip-piece").evaluate_all(places)
    pieces = strip()["pieces"]
    pieces[0][1] = "3.2 msg/s"
    host.send(strip(seq=3, pieces=pieces))
    assert host.texts(".piece-rate") == ["3.2 msg/s"]
    assert host.page.locator(".strip-piece").evaluate_all(places) == before
    assert host.texts(".strip-channels")


def test_both_views_rest_by_a_button_and_tell_the_kernel(host):
    for kind, picture in (("status", strip()), ("gaps", gaps())):
        host.open().show(picture, kind=kind)
        host.page.locator(".feed-rest").click()
        assert host.data("status") == "paused"
        assert host.texts(".feed-state")[0].startswith("❚❚ paused")
        assert [each["paused"] for each in host.sent() if "paused" in each] == [True]
        host.page.locator(".feed-rest").click()
        assert host.data("status") == "live"
        assert not host.texts(".strip-more")


def test_r_reads_them_aloud(host):
    host.open().show(strip_states()["amiss"], kind="status")
    host.focus()
    host.page.keyboard.press("r")
    said = host.page.locator(".unseen").text_content()
    assert "partly stale, 1,412 msg/s, lag 38 ms (p99 120), 3 of 12 books stale" in said
    assert "▁" not in said


def test_each_state_of_gaps_is_told_by_a_glyph_and_words(host):
    show_all(host, gaps_states(), "gaps")
    said = dict(zip(gaps_states(), host.texts(".feed-state"), strict=True))
    assert said.pop("silent").startswith("◌ saved")
    said.pop("hostile")
    assert said == {
        "live": "▲ a gap is open",
        "none": "● live",
        "connecting": "○ connecting",
        "reconnecting": "▲ reconnecting",
        "many": "● live",
        "paused": "❚❚ paused",
        "closed": "■ ended, no more updates",
    }
    assert "no gaps since 11:52 UTC, 1,412,003 messages" in host.texts(".gaps-empty")
    assert "10,404 older ones are in feed.gaps" in host.texts(".gaps-older")
    assert host.page.title() == "host"


def test_a_gap_lies_where_it_was_and_an_open_one_reaches_to_now_and_grows(host):
    host.open(head=PAGE % ("#fff", 1040), body="<main><div class='cell' id='cell'></div></main>")
    now = time.time()
    lanes = [["trade", [[now - 1_800, now - 900, 1, "15 min 0 s"], [now - 60, None, 1, ""]]]]
    host.show(gaps(sent=now, lanes=lanes), kind="gaps")
    room = host.page.locator(".gaps-room").bounding_box()
    closed, growing = (each.bounding_box() for each in host.page.locator(".gaps-span").all())
    share = room["width"] / 3_600
    assert closed["width"] == pytest.approx(900 * share, abs=3)
    assert closed["x"] - room["x"] == pytest.approx(1_800 * share, abs=3)
    assert growing["x"] + growing["width"] == pytest.approx(room["x"] + room["width"], abs=2)
    assert host.texts(".gaps-span")[0] == "15 min 0 s"
    style = "(n) => getComputedStyle(n).backgroundImage.includes('gradient')"
    assert [each.evaluate(style) for each in host.page.locator(".gaps-span").all()] == [False, True]
    before = host.page.locator(".gaps-before").bounding_box()
    assert before["width"] == pytest.approx(600 * share, abs=3)
    later = [["trade", [[now - 1_800, now - 900, 1, "15 min 0 s"], [now - 60, None, 1, ""]]]]
    host.send(gaps(seq=2, sent=now + 300, clock=now + 300, lanes=later))
    grown = host.page.locator(".gaps-span").nth(1).bounding_box()
    assert grown["width"] == pytest.approx(360 * share, abs=4)
    assert host.texts(".gaps-span")[1] in ("", "open 6 min")


def test_a_gap_that_closes_is_no_longer_hatched_and_the_view_keeps_its_height(host):
    host.open().show(gaps(), kind="gaps")
    before = host.page.locator(".kalshi-nb").evaluate("(n) => n.offsetHeight")
    rows = gaps_of(time.time())
    rows[0][4:] = ["41 s", "7", "a new snapshot"]
    lanes = gaps()["lanes"]
    lanes[0][1][1][1:] = [time.time(), 1, "41 s"]
    host.send(
        gaps(seq=2, lanes=lanes, gaps=rows, state=["●", "live", "live"], summary="4 gaps since 11:52 UTC, none open")
    )
    assert host.page.locator(".gaps-open").count() == 0
    assert host.page.locator(".feed-gaps [data-tone=warn]").count() == 0
    assert host.page.locator(".kalshi-nb").evaluate("(n) => n.offsetHeight") == before
    host.send(gaps(seq=3, gaps=[], gap_count=0, lanes=lanes))
    assert host.page.locator(".kalshi-nb").evaluate("(n) => n.offsetHeight") == before


def test_as_wide_as_a_notebook_how_a_gap_was_repaired_is_there_before_its_numbers(make_host):
    heads = {840: ["lasted", "repaired by"], 1040: ["missing seq", "repaired by"], 640: ["reason", "lasted"]}
    for width, last in heads.items():
        host = make_host(viewport={"width": width + 4, "height": 900})
        show_all(host, {"live": gaps_states()["live"]}, "gaps", width=width)
        assert host.texts(".feed-gaps thead th")[-len(last) :] == last


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize(("kind", "states"), [("status", strip_states), ("gaps", gaps_states)])
@pytest.mark.matrix
def test_nothing_is_wider_than_the_view_at_any_width(make_host, kind, states, width):
    host = make_host(viewport={"width": width + 4, "height": 900})
    show_all(host, states(), kind, width=width, opened=True)
    assert host.page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert host.errors == []


@pytest.mark.parametrize(
    ("kind", "states", "theme"),
    [
        ("status", {name: strip_states()[name] for name in ("amiss", "empty")}, "light"),
        ("gaps", {name: gaps_states()[name] for name in ("live", "none")}, "dark"),
        pytest.param("status", strip_states(), "dark", marks=pytest.mark.matrix),
        pytest.param("gaps", gaps_states(), "light", marks=pytest.mark.matrix),
    ],
    ids=["strip", "gaps", "every strip, dark", "every gaps, light"],
)
def test_axe_finds_nothing_of_level_a_or_aa(host, axe, kind, states, theme):  # noqa: F811
    show_all(host, states, kind, theme=theme, opened=True)
    host.page.evaluate(axe)
    tags = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}
    found = host.page.evaluate("(options) => axe.run('main', options)", tags)
    assert [(each["id"], [node["html"] for node in each["nodes"]]) for each in found["violations"]] == []
    assert found["passes"]


def test_tables_are_tables_for_who_cannot_see_them(host):
    host.open().show(strip_states()["amiss"], kind="status")
    host.page.locator(".strip-open").click()
    tree = host.page.locator("main").aria_snapshot()
    assert 'group "Status of the feed"' in tree
    assert 'table "Channels of the feed"' in tree
    assert 'columnheader "msg/s"' in tree
    assert 'rowheader "orderbook_delta"' in tree
    assert 'table "The newest gaps"' in tree
    host.open().show(gaps(), kind="gaps")
    tree = host.page.locator("main").aria_snapshot()
    assert 'img "The last hour: 4 gaps since 11:52 UTC, 1 open; open in orderbook_delta"' in tree
