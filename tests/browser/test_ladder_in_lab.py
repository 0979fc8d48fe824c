"""The ladder in a real JupyterLab: it moves, it goes on beside a busy cell, and it never looks live when it is not."""

import re
import time

import pytest

from kalshi_nb._widgets.view import HEARTBEAT_SECONDS

LADDER = ".kalshi-ladder"
VERSION = f"+document.querySelector('{LADDER}').dataset.version"
START = "from moving_ladder import *\nsource = MovingLadder().start()\nshown = Shown(source)\nshown"
WAIT = 60_000


def version(page):
    return int(page.get_attribute(LADDER, "data-version"))


def wait_for_status(page, status, timeout=WAIT):
    page.wait_for_selector(f"{LADDER}[data-status='{status}']", timeout=timeout)


def wait_for_versions(page, more, condition="true"):
    """Wait until the ladder has moved by that many versions while a condition holds on the page."""
    first = version(page)
    page.wait_for_function(f"([first, more]) => ({condition}) && {VERSION} >= first + more", arg=[first, more])


def follow_pictures(page):
    """A list that grows by the kernel's time of each picture that comes over the page's sockets."""
    sent = []

    def note(payload):
        found = re.search(rb'"sent": ?([\d.]+)', payload if isinstance(payload, bytes) else payload.encode())
        if found:
            sent.append(float(found[1]))

    page.on("websocket", lambda socket: socket.on("framereceived", note))
    return sent


def test_the_ladder_moves_and_paints_no_more_often_than_it_is_sent(lab, page, screenshot):
    sent = follow_pictures(page)
    lab.show(page, "moves.ipynb", START)
    shown = time.monotonic()
    wait_for_status(page, "live")
    wait_for_versions(page, 200)
    paints = int(page.get_attribute(LADDER, "data-paints"))
    seconds = time.monotonic() - shown
    wait_for_versions(page, 20)  # what was painted so far has been told of by now
    # Counted, not timed by this page, which may stand still for a while and then catch up: each picture once, and
    # once a second for the page's own clock. The first paint and the time before the ladder was seen are the 3.
    assert paints <= len(sent) + seconds + 3
    assert len(sent) - 1 <= 10 * (sent[-1] - sent[0]) + 1
    assert len(sent) > 20
    assert page.locator(f"{LADDER} .ask .row:not(.blank)").count() == 10
    assert page.locator(f"{LADDER} .bid .row:not(.blank)").count() == 10


def test_what_is_shown_is_what_the_source_holds(lab, page):
    cell = """
from moving_ladder import *
source = MovingLadder("KX-EXACT")
source.show("live", asks=((0.5, 1234567.0), (0.52, 0.5)), bids=((0.47, 120.0), (0.46, 33.25)), changed_at=1795348800.0)
shown = Shown(source)
shown"""
    lab.show(page, "exact.ipynb", cell)
    wait_for_status(page, "live")
    rows = page.locator(f"{LADDER} .side .row").all_inner_texts()
    assert [row.split() for row in rows] == [
        ["0.52", "0.50", "1,234,567.50"],
        ["0.50", "1,234,567", "1,234,567"],
        ["0.47", "120", "120"],
        ["0.46", "33.25", "153.25"],
    ]
    assert page.inner_text(f"{LADDER} .middle").split() == ["0.485", "mid", "spread", "3¢"]
    assert page.inner_text(f"{LADDER} .foot") == "changed 12:00:00 UTC"
    assert page.inner_text(f"{LADDER} .ticker") == "KX-EXACT"
    assert page.get_attribute(LADDER, "aria-label") == "Order book of KX-EXACT"


@pytest.mark.parametrize(
    ("name", "meanwhile"),
    [("sleeping", "time.sleep(1)"), ("counting", "sum(1 for _ in range(3_000_000))")],
)
def test_the_ladder_goes_on_while_a_cell_is_busy(lab, page, name, meanwhile):
    lab.show(page, f"{name}.ipynb", START, lab.until_looked(meanwhile))
    is_busy = "document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')[1].innerText.includes('*')"
    page.wait_for_function(is_busy, timeout=WAIT)
    wait_for_versions(page, 40, is_busy)
    assert page.get_attribute(LADDER, "data-status") == "live"
    lab.looked()
    lab.wait_until_run(page)


def test_stale_greys_out_with_its_age_and_reason_and_live_comes_back(lab, page, screenshot):
    lab.show(
        page,
        "stale.ipynb",
        START,
        "source.stop()\nsource.show('stale', 'sequence gap: 1042 expected, 1044 came')",
        lab.until_looked() + "source.show('live')",
    )
    wait_for_status(page, "stale")
    page.wait_for_function(f"+document.querySelector('{LADDER}').dataset.age >= 2")
    assert page.inner_text(f"{LADDER} .age").endswith(" s")
    assert page.inner_text(f"{LADDER} .note") == "sequence gap: 1042 expected, 1044 came"
    page.wait_for_function(f"+getComputedStyle(document.querySelector('{LADDER} .table')).opacity < 0.8")
    screenshot(page.locator(LADDER), "ladder_stale")
    lab.looked()
    lab.wait_until_run(page)
    wait_for_status(page, "live")
    page.wait_for_function(f"+getComputedStyle(document.querySelector('{LADDER} .table')).opacity === 1")
    assert page.inner_text(f"{LADDER} .age") == ""


def test_a_quiet_market_is_not_taken_for_a_dead_kernel_and_a_restarted_kernel_is(lab, page, screenshot):
    lab.show(page, "restart.ipynb", START, "source.stop()")
    wait_for_status(page, "live")
    page.wait_for_function(f"+document.querySelector('{LADDER}').dataset.age >= {4 * HEARTBEAT_SECONDS + 1}")
    assert page.get_attribute(LADDER, "data-status") == "live"
    lab.restart_kernel("restart.ipynb")
    wait_for_status(page, "silent")
    assert page.inner_text(f"{LADDER} .foot") == "not updating (kernel stopped or closed?)"
    screenshot(page.locator(LADDER), "ladder_silent")


def test_every_status_has_its_own_look_and_words(lab, page, screenshot):
    cell = """
from moving_ladder import *
import ipywidgets
sources = [MovingLadder(f"KX-{status.upper()}") for status in ("connecting", "unknown", "closed", "one-sided")]
sources[1].show("unknown", asks=(), bids=(), changed_at=None)
sources[2].show("closed")
sources[3].show("live", asks=())
sources.append(MovingLadder("KX-DECICENT-WITH-A-VERY-LONG-TICKER-THAT-NEVER-ENDS", decimals=1))
sources[4].show("live")
sources.append(MovingLadder("KX-GIANT"))
sources[5]._bids[6][1] = 250_000.0
sources[5]._asks[3][1] = 12.5
sources[5].show("live")
views = [LadderView(source) for source in sources]
ipywidgets.GridBox([view.widget for view in views], layout={"grid_template_columns": "repeat(3, 340px)"})"""
    lab.show(page, "statuses.ipynb", cell)
    page.wait_for_function(f"document.querySelectorAll('{LADDER}[data-paints]').length === 6")
    badges = page.locator(f"{LADDER} .badge .word").all_inner_texts()
    assert badges == ["connecting", "no such market", "closed", "live", "live", "live"]
    texts = page.locator(f"{LADDER} .table").all_inner_texts()
    assert all(words in texts[0] for words in ("no asks yet", "no bids yet", "no spread"))
    assert all(words in texts[1] for words in ("no asks", "no bids"))
    assert "no asks" in texts[3]
    screenshot(page, "statuses_light")


def test_a_hostile_ticker_is_text(lab, page):
    hostile = "<img src=x onerror=document.title='broken'><b>KX</b>"
    cell = f"from moving_ladder import *\nsource = MovingLadder({hostile!r})"
    cell += f"\nsource.show('live', {hostile!r})\nShown(source)"
    lab.show(page, "hostile.ipynb", cell)
    wait_for_status(page, "live")
    assert page.inner_text(f"{LADDER} .ticker") == hostile
    assert page.inner_text(f"{LADDER} .note") == hostile
    assert page.locator(f"{LADDER} img, {LADDER} b").count() == 0
    assert page.title() != "broken"


def test_the_live_widget_wins_over_its_fallbacks(lab, page):
    lab.show(page, "wins.ipynb", START)
    wait_for_status(page, "live")
    assert page.locator(".kalshi-still").count() == 0


def test_a_reopened_notebook_without_the_model_shows_the_static_table(lab, page, screenshot):
    from kalshi_nb._widgets.ladder.picture import LadderPicture, Market
    from kalshi_nb._widgets.ladder.text import ladder_html, ladder_text

    picture = LadderPicture(1, "live", 0.0, 0.0, Market("KX-SAVED"), ((0.5, 80.0),), ((0.47, 120.0),), 1795348800.0)
    bundle = {
        "application/vnd.jupyter.widget-view+json": {"version_major": 2, "version_minor": 0, "model_id": "f" * 32},
        "text/html": ladder_html(picture),
        "text/plain": ladder_text(picture),
    }
    lab.write_notebook("saved.ipynb", "book", outputs=[bundle])
    lab.open(page, "saved.ipynb")
    page.wait_for_selector(".kalshi-still", timeout=WAIT)
    assert "spread 3¢ · prob 48 %" in page.inner_text(".kalshi-still")
    screenshot(page, "saved_static")


def test_two_displays_of_one_view_move_together_and_cost_one_model(lab, page):
    lab.show(page, "twice.ipynb", START, "shown")
    page.wait_for_function(f"document.querySelectorAll('{LADDER}[data-version]').length === 2")
    wait_for_versions(page, 20)
    page.wait_for_function(
        f"new Set([...document.querySelectorAll('{LADDER}')].map((ladder) => ladder.dataset.version)).size === 1"
    )


def test_a_dropped_view_leaves_the_page(lab, page):
    lab.show(page, "dropped.ipynb", START, lab.until_looked() + "%xdel shown")
    lab.looked()
    lab.wait_until_run(page)
    page.wait_for_function(f"document.querySelector('{LADDER}') === null", timeout=WAIT)


def test_it_narrows_without_cutting_a_number(lab, page):
    cell = (
        "from moving_ladder import *\nimport ipywidgets\nview = LadderView(MovingLadder().start())\n"
        "ipywidgets.Box([view.widget], layout={'width': '284px', 'padding': '0'})"
    )
    lab.show(page, "narrow.ipynb", cell)
    wait_for_status(page, "live")
    cut = page.evaluate(
        f"""[...document.querySelectorAll('{LADDER} [role=cell], {LADDER} [role=columnheader]')]
            .filter((cell) => cell.scrollWidth > cell.clientWidth + 1).map((cell) => cell.textContent)"""
    )
    assert cut == []
    assert page.locator(LADDER).bounding_box()["width"] <= 284


CONTRAST = """() => {
  const luminance = ([r, g, b]) => [r, g, b].map((c) => c / 255)
    .map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const parse = (text) => { const n = text.match(/[\\d.]+/g).map(Number); return [n.slice(0, 3), n[3] ?? 1]; };
  const over = ([top, alpha], below) => top.map((c, i) => c * alpha + below[i] * (1 - alpha));
  const root = document.querySelector('.kalshi-ladder');
  const paper = parse(getComputedStyle(root).backgroundColor)[0];
  const found = {};
  const texts = '.ticker, .word, .columns > *, .side .row > :not(.bar), .foot > *, .middle > *';
  for (const node of root.querySelectorAll(texts)) {
    if (!node.textContent) continue;
    const style = getComputedStyle(node);
    const bar = node.parentElement.querySelector(':scope > .bar');
    const below = bar
      ? over([parse(getComputedStyle(bar).backgroundColor)[0], +getComputedStyle(bar).opacity], paper)
      : paper;
    const [ink, alpha] = parse(style.color);
    const seen = over([ink, alpha * +style.opacity], below);
    const [high, low] = [luminance(seen), luminance(below)].sort((a, b) => b - a);
    const within = node.parentElement;
    found[`${node.className}/${within.className}/${within.parentElement.className}`] = (high + 0.05) / (low + 0.05);
  }
  return found;
}"""


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_every_text_has_a_contrast_of_at_least_four_and_a_half(lab, page, screenshot, theme):
    lab.set_theme(theme)
    page.emulate_media(reduced_motion="reduce")  # a flash is there for a moment, the text for longer
    try:
        lab.show(page, "contrast.ipynb", START)
        wait_for_status(page, "live")
        dark = "false" if theme.endswith("Dark") else "true"
        page.wait_for_selector(f"body[data-jp-theme-light='{dark}']", state="attached", timeout=WAIT)
        contrasts = page.evaluate(CONTRAST)
        assert len(contrasts) >= 10
        assert {name: ratio for name, ratio in contrasts.items() if ratio < 4.5} == {}
        page.emulate_media(reduced_motion="no-preference")
        wait_for_versions(page, 60)
        screenshot(page.locator(LADDER), f"ladder_{theme.split()[-1].lower()}")
        screenshot(page, f"notebook_{theme.split()[-1].lower()}")
    finally:
        lab.set_theme("JupyterLab Light")


def test_flashes_are_left_out_where_less_motion_is_asked_for(lab, page):
    page.emulate_media(reduced_motion="reduce")
    lab.show(page, "calm.ipynb", START)
    wait_for_versions(page, 40)
    assert (
        page.evaluate("document.getAnimations().filter((a) => a.effect.target.closest('.kalshi-ladder')).length") == 0
    )
    page.emulate_media(reduced_motion="no-preference")
    page.wait_for_function(
        "document.getAnimations().some((a) => a.effect.target.closest('.kalshi-ladder .bar'))", timeout=WAIT
    )
