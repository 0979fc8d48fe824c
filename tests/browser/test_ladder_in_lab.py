"""The ladder in a real JupyterLab: it moves, it goes on beside a busy cell, and it never looks live when it is not."""

import re
import time

import pytest

from kalshi_nb._widgets.view import HEARTBEAT_SECONDS

LADDER = ".kalshi-nb[data-kind='ladder']"
SEQ = f'+document.querySelector("{LADDER}").dataset.seq'
START = "from moving_ladder import *\nsource = MovingLadder().start()\nshown = Shown(source)\nshown"
WAIT = 60_000


def seq(page):
    return int(page.get_attribute(LADDER, "data-seq"))


def wait_for_status(page, status, timeout=WAIT):
    page.wait_for_selector(f"{LADDER}[data-status='{status}']", timeout=timeout)


def wait_for_pictures(page, more, condition="true"):
    """Wait until the ladder has been painted so many pictures later while a condition holds on the page."""
    first = seq(page)
    page.wait_for_function(
        f"([first, more]) => ({condition}) && {SEQ} >= first + more", arg=[first, more], timeout=WAIT
    )


def follow_pictures(page):
    """A list that grows by the kernel's time of each picture that comes over the page's sockets."""
    sent = []

    def note(payload):
        found = re.search(rb'"sent": ?([\d.]+)', payload if isinstance(payload, bytes) else payload.encode())
        if found:
            sent.append(float(found[1]))

    page.on("websocket", lambda socket: socket.on("framereceived", note))
    return sent


def levels_of(page, side):
    """Each level's words from the top down: what a reader sees in a row, blanks left out."""
    rows = page.locator(f"{LADDER} .{side} .row:not(.bare):not(.hole)")
    found = [(float(row.bounding_box()["y"]), row.inner_text().split()) for row in rows.all()]
    return [words for _, words in sorted(found)]


def test_the_ladder_moves_and_paints_no_more_often_than_it_is_sent(lab, page, screenshot):
    sent = follow_pictures(page)
    lab.show(page, "moves.ipynb", START)
    shown = time.monotonic()
    wait_for_status(page, "live")
    wait_for_pictures(page, 60)
    paints = int(page.get_attribute(LADDER, "data-paints"))
    seconds = time.monotonic() - shown
    wait_for_pictures(page, 5)  # what was painted so far has been told of by now
    # Counted, not timed by this page, which may stand still for a while and then catch up: each picture once, and
    # once a second for the page's own clock. The first paints, before and as the ladder came into sight, are the 4.
    assert paints <= len(sent) + seconds + 4
    assert len(sent) - 1 <= 10 * (sent[-1] - sent[0]) + 1
    assert len(sent) > 20
    assert len(levels_of(page, "asks")) == 10
    assert len(levels_of(page, "bids")) == 10


def test_what_is_shown_is_what_the_source_holds(lab, page, screenshot):
    cell = """
from moving_ladder import *
source = MovingLadder("KX-EXACT")
source.show("live", asks=((0.5, 1234567.0), (0.52, 0.5)), bids=((0.47, 120.0), (0.46, 33.25)), changed_at=1795348800.0)
shown = Shown(source)
shown"""
    lab.show(page, "exact.ipynb", cell)
    wait_for_status(page, "live")
    screenshot(page.locator(LADDER), "ladder_exact")
    assert levels_of(page, "asks") == [["52¢", "0.50"], ["50¢", "1,234,567.00"]]
    assert levels_of(page, "bids") == [["120.00", "47¢"], ["33.25", "46¢"]]
    assert page.inner_text(f"{LADDER} .middle").split()[:4] == ["mid", "48.5¢", "spread", "3¢"]
    assert "12:00:00 UTC" in page.inner_text(f"{LADDER} .foot")
    assert "KX-EXACT" in page.inner_text(f"{LADDER} .head")
    assert page.get_attribute(f"{LADDER} [role=group]", "aria-label") == "Order book of KX-EXACT"
    page.click(f"{LADDER} button[aria-label='Show the NO leg']")
    assert levels_of(page, "asks") == [["54¢", "33.25"], ["53¢", "120.00"]]
    assert levels_of(page, "bids") == [["1,234,567.00", "50¢"], ["0.50", "48¢"]]


@pytest.mark.matrix
@pytest.mark.parametrize(
    ("name", "meanwhile"),
    [("sleeping", "time.sleep(1)"), ("counting", "sum(1 for _ in range(3_000_000))")],
)
def test_the_ladder_goes_on_while_a_cell_is_busy(lab, page, name, meanwhile):
    lab.show(page, f"{name}.ipynb", START, lab.until_looked(meanwhile))
    is_busy = "document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')[1].innerText.includes('*')"
    page.wait_for_function(is_busy, timeout=WAIT)
    wait_for_pictures(page, 30, is_busy)
    assert page.get_attribute(LADDER, "data-status") == "live"
    lab.looked()
    lab.wait_until_run(page)


@pytest.mark.matrix
def test_stale_says_since_when_and_why_and_live_comes_back(lab, page, screenshot):
    lab.show(
        page,
        "stale.ipynb",
        START,
        "source.stop()\nsource.show('stale', 'sequence gap: 1042 expected, 1044 came')",
        lab.until_looked() + "source.show('live')",
    )
    wait_for_status(page, "stale")
    chip = f"""document.querySelector("{LADDER}").shadowRoot.querySelector(".chip").textContent"""
    page.wait_for_function(f"() => /stale [2-9] s/.test({chip})")
    assert "sequence gap: 1042 expected, 1044 came" in page.inner_text(f"{LADDER} .foot")
    screenshot(page.locator(LADDER), "ladder_stale")
    lab.looked()
    lab.wait_until_run(page)
    wait_for_status(page, "live")
    assert "live" in page.inner_text(f"{LADDER} .chip")


def test_a_quiet_market_is_not_taken_for_a_dead_kernel_and_a_restarted_kernel_is(lab, page, screenshot):
    lab.show(page, "restart.ipynb", START, "source.stop()")
    wait_for_status(page, "live")
    time.sleep(4 * HEARTBEAT_SECONDS + 1)
    assert page.get_attribute(LADDER, "data-status") == "live"
    lab.restart_kernel("restart.ipynb")
    wait_for_status(page, "silent")
    assert "no news" in page.inner_text(f"{LADDER} .card")
    screenshot(page.locator(LADDER), "ladder_silent")


@pytest.mark.matrix
def test_every_status_has_its_own_words_and_views_stand_in_a_box_together(lab, page, screenshot):
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
ipywidgets.GridBox([view.widget for view in views], layout={"grid_template_columns": "repeat(3, 344px)"})"""
    lab.show(page, "statuses.ipynb", cell)
    page.wait_for_function(f"""document.querySelectorAll("{LADDER}[data-paints]").length === 6""", timeout=WAIT)
    chips = page.locator(f"{LADDER} .chip").all_inner_texts()
    words = ["connecting", "no such market", "ended", "live, one-sided", "live", "live"]
    assert [word in chip for word, chip in zip(words, chips, strict=True)] == [True] * 6, chips
    bodies = page.locator(f"{LADDER} .body").all_inner_texts()
    assert "waiting for the snapshot" in bodies[0]
    assert "no asks" in bodies[3]
    screenshot(page, "statuses_light")


def test_a_hostile_ticker_is_text(lab, page):
    hostile = "<img src=x onerror=document.title='broken'><b>KX</b>"
    cell = f"from moving_ladder import *\nsource = MovingLadder({hostile!r})"
    cell += f"\nsource.show('live', {hostile!r})\nShown(source)"
    lab.show(page, "hostile.ipynb", cell)
    wait_for_status(page, "live")
    assert hostile in page.inner_text(f"{LADDER} .head")
    assert page.inner_text(f"{LADDER} .foot").startswith(hostile)
    assert page.locator(f"{LADDER} img, {LADDER} .head b, {LADDER} .foot b").count() == 0
    assert page.title() != "broken"


@pytest.mark.matrix
def test_keys_that_are_pressed_in_a_card_leave_the_notebooks_cells_alone(lab, page):
    lab.show(page, "keys.ipynb", START, "1 + 1", "2 + 2")
    wait_for_status(page, "live")
    lab.wait_until_run(page)
    cells = "jupyterapp.shell.currentWidget.content.widgets.map((each) => each.model.sharedModel.getSource())"
    before = page.evaluate(f"() => {cells}")
    assert len(before) == 3
    page.keyboard.press("Escape")  # no cell is being written in
    page.locator(f"{LADDER} .card").focus()
    for key in ("d", "d", "x", "a", "b", "m", "z"):
        page.keyboard.press(key)
    page.wait_for_timeout(500)
    assert page.evaluate(f"() => {cells}") == before


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
    assert "spread 3¢ · chance 49 %" in page.inner_text(".kalshi-still")
    screenshot(page, "saved_static")


def test_two_displays_of_one_view_move_together_and_cost_one_model(lab, page):
    lab.show(page, "twice.ipynb", START, "shown")
    page.wait_for_function(f"""document.querySelectorAll("{LADDER}[data-seq]").length === 2""", timeout=WAIT)
    wait_for_pictures(page, 20)
    page.wait_for_function(
        f"""new Set([...document.querySelectorAll("{LADDER}")].map((ladder) => ladder.dataset.seq)).size === 1"""
    )


def test_a_dropped_view_leaves_the_page(lab, page):
    lab.show(page, "dropped.ipynb", START, lab.until_looked() + "%xdel shown")
    lab.looked()
    lab.wait_until_run(page)
    page.wait_for_function(f"""document.querySelector("{LADDER}") === null""", timeout=WAIT)


@pytest.mark.matrix
@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_it_has_the_theme_of_the_page(lab, page, screenshot, theme):
    lab.set_theme(theme)
    try:
        lab.show(page, "theme.ipynb", START)
        wait_for_status(page, "live")
        page.wait_for_selector(f"{LADDER}[data-theme='{theme.split()[-1].lower()}']", timeout=WAIT)
        wait_for_pictures(page, 20)
        screenshot(page.locator(LADDER), f"ladder_{theme.split()[-1].lower()}")
        screenshot(page, f"notebook_{theme.split()[-1].lower()}")
    finally:
        lab.set_theme("JupyterLab Light")
