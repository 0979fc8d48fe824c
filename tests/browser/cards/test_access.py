"""A view without a mouse, without sight, without motion, without colours, and on paper."""

import itertools
import json
import sys
from pathlib import Path

import pytest

from tests.browser.cards.few import crossed, few
from tests.browser.cards.pictures import ladder, states

AXE = Path(sys.prefix) / "share" / "axe-core" / "axe.min.js"
MANIFEST = json.loads((Path(__file__).parents[1] / "axe_core.json").read_text())
ACTIVE = "document.querySelector('.kalshi-nb').shadowRoot.activeElement?.innerText.trim()"


@pytest.fixture(scope="module")
def axe():
    if not AXE.exists():
        pytest.fail(
            f"axe-core is not here: `make .venv/axe.stamp` fetches version {MANIFEST['version']} from npm, once."
        )
    source = AXE.read_text(encoding="utf-8")
    assert source.startswith(f"/*! axe v{MANIFEST['version']}")
    return source


@pytest.mark.parametrize(
    ("state", "theme"),
    crossed(
        ["live", "owned", "connecting", "stale", "no-asks", "unknown", "determined"],
        ["light", "dark"],
        always=[("owned", "light"), ("stale", "dark"), ("determined", "light")],
    ),
)
def test_axe_finds_nothing_of_level_a_or_aa(host, axe, state, theme):
    head = f"<style>body {{ background: {'#111' if theme == 'dark' else '#fff'} }}</style>"
    host.open(head=head).show(states()[state])
    host.page.evaluate(axe)
    tags = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}
    found = host.page.evaluate("(options) => axe.run('main', options)", tags)
    assert [(each["id"], [node["html"] for node in each["nodes"]]) for each in found["violations"]] == []
    assert len(found["passes"]) > 10


def test_axe_would_find_something(host, axe):
    host.open().show(ladder())
    host.page.locator(".card").evaluate("(n) => { n.setAttribute('role', 'nothing'); }")
    host.page.evaluate(axe)
    assert host.page.evaluate("() => axe.run('main')")["violations"]


def test_a_view_is_a_group_with_a_name_and_its_levels_a_table(host):
    host.open().show(ladder())
    tree = host.page.locator("main").aria_snapshot()
    assert 'group "Order book of KXHIGHNY-26NOV28-B52.5"' in tree
    assert 'toolbar "Controls of this view"' in tree
    assert 'table "Levels of the YES leg, asks above bids"' in tree
    assert 'row "310 47.0¢"' in tree


def test_keys_do_what_the_list_of_keys_says(host):
    host.open().show(ladder())
    host.focus()
    pressed = host.page.keyboard
    pressed.press("?")
    assert host.texts(".keys b") == ["t", "c", "s", "u", "p", "r", "?", "Esc", "▸", "◆", "▲ ▼"]
    pressed.press("Escape")
    assert host.texts(".keys") == []
    pressed.press("s")
    assert host.texts(".columns .price") == ["NO price"]
    pressed.press("u")
    assert "%" in host.texts(".bids .best .price")[0]
    pressed.press("p")
    assert host.data("status") == "paused"
    pressed.press("p")
    assert host.data("status") == "live"


def test_keys_of_a_view_are_its_own_and_all_others_are_the_hosts(host):
    host.open().show(ladder())
    host.page.evaluate("window.heard = []; document.addEventListener('keydown', (event) => heard.push(event.key))")
    host.focus()
    for key in ("s", "d", "x", "Control+p"):
        host.page.keyboard.press(key)
    assert [key for key in host.page.evaluate("heard") if key != "Control"] == ["d", "x", "p"]
    assert host.data("status") == "live"
    # A notebook hears the rest as well, so it is told that they are not meant for it.
    assert host.data("lm-suppress-shortcuts") == "true"


def test_the_toolbar_is_one_tab_stop_and_the_arrows_go_between(host):
    host.open().show(ladder())
    host.focus()
    pressed = host.page.keyboard
    pressed.press("Tab")
    seen = [host.page.evaluate(ACTIVE)]
    for _ in range(6):
        pressed.press("ArrowRight")
        seen.append(host.page.evaluate(ACTIVE))
    assert seen == ["YES", "NO", "¢", "%", "❚❚", "?", "YES"]
    pressed.press("ArrowLeft")
    assert host.page.evaluate(ACTIVE) == "?"
    pressed.press("Tab")
    assert host.page.evaluate(ACTIVE) == "totals"  # the levels' own
    pressed.press("Tab")
    assert host.page.evaluate(ACTIVE) in (None, "")
    pressed.press("Shift+Tab")
    pressed.press("Shift+Tab")
    assert host.page.evaluate(ACTIVE) == "?"
    pressed.press("Escape")
    assert host.page.evaluate("document.querySelector('.kalshi-nb').shadowRoot.activeElement.className") == "card"


def test_every_control_is_large_enough_and_shows_that_it_has_the_focus(host):
    host.open().show(ladder())
    sizes = host.page.locator("button:not([hidden])").evaluate_all(
        "(all) => all.map((n) => [n.offsetWidth, n.offsetHeight])"
    )
    assert all(width >= 24 and height >= 24 for width, height in sizes)
    host.focus()
    host.page.keyboard.press("Tab")
    outline = host.page.locator("button").first.evaluate("(n) => getComputedStyle(n).outline")
    assert "2px" in outline


def test_r_reads_the_touch_aloud(host):
    host.open().show(ladder())
    host.focus()
    host.page.keyboard.press("r")
    assert host.page.locator(".unseen").text_content() == (
        "KXHIGHNY-26NOV28-B52.5: YES bid 47 cents for 310, ask 48.5 cents for 64, spread 1.5 cents, live"
    )
    host.page.keyboard.press("s")
    host.page.keyboard.press("r")
    assert host.page.locator(".unseen").text_content() == (
        "KXHIGHNY-26NOV28-B52.5: NO bid 51.5 cents for 64, ask 53 cents for 310, spread 1.5 cents, live"
    )


def test_only_the_status_speaks_by_itself_and_at_most_once_in_ten_seconds(host):
    host.open().show(ladder())
    live = host.page.locator("[aria-live], [role=status], [role=alert], [role=log]")
    assert live.count() == 1
    live.evaluate(
        "(n) => { window.said = []; new MutationObserver(() => n.textContent && said.push(performance.now()))"
        ".observe(n, { childList: true }); }"
    )
    for seq in range(2, 42):
        picture = ladder(seq=seq, bids=[[0.47, seq], [0.46, 5]], status=["live", "stale"][seq // 5 % 2])
        host.page.evaluate("(p) => hosting.models[0].arrive('picture', p)", picture)
        host.page.wait_for_timeout(50)
    said = host.page.evaluate("said")
    assert said
    assert all(later - earlier >= 10_000 for earlier, later in itertools.pairwise(said))


SEES_NEW = """(card) => {
  window.seen = [];
  const look = () => seen.push(...[...card.querySelectorAll(".row[data-new] .size")].map((n) => n.textContent));
  new MutationObserver(look).observe(card, { subtree: true, attributes: true, attributeFilter: ["data-new"] });
}"""


def test_who_wants_no_motion_gets_a_line_under_what_changed(make_host):
    host = make_host(reduced_motion="reduce").open()
    host.show(ladder())
    bids = ladder()["bids"]
    host.page.locator(".card").evaluate(SEES_NEW)  # the line is there for a second only
    host.send(ladder(seq=2, bids=[[0.47, 311], *bids[1:]]))
    moved = "(n) => n.getAnimations({ subtree: true }).length"
    assert host.page.locator(".card").evaluate(moved) == 0
    assert set(host.page.evaluate("seen")) == {"311"}
    host.page.wait_for_selector(".row[data-new]", state="detached")


def test_with_the_systems_own_colours_bars_are_drawn_as_boxes(make_host):
    host = make_host(forced_colors="active").open()
    host.show(ladder())
    assert host.page.locator(".bids .best .bar").evaluate("(n) => getComputedStyle(n).borderTopWidth") == "1px"


def test_on_paper_there_are_bars_and_no_controls(host):
    host.open().show(ladder())
    host.page.emulate_media(media="print")
    assert host.texts(".tools") == []
    assert host.page.locator(".bids .best .fill").evaluate("(n) => getComputedStyle(n).printColorAdjust") == "exact"


@pytest.mark.parametrize("scale", few([1, 2], [2]))
def test_nothing_is_clipped_at_twice_the_size(make_host, scale):
    # A zoom of 200 % is half the width in twice the pixels.
    host = make_host(viewport={"width": 640 // scale, "height": 600}, device_scale_factor=scale).open()
    host.show(ladder())
    assert host.page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
