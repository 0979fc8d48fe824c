"""The quickstart notebook as a person sees it: opened in JupyterLab, run from top to bottom, the ladder live."""

import shutil
from pathlib import Path

import pytest

from tests.browser.page_account import failed_cells

QUICKSTART = Path(__file__).parent.parent.parent / "notebooks" / "01_quickstart.ipynb"
LADDER = ".kalshi-nb[data-kind='ladder']"
TAPE = ".kalshi-nb[data-kind='tape']"
SEQ = f"""+document.querySelector("{LADDER}")?.dataset.seq"""
WAIT = 120_000


def run_quickstart(lab, page):
    shutil.copy(QUICKSTART, lab.root / "quickstart.ipynb")
    lab.open(page, "quickstart.ipynb")
    lab.run_all(page)
    lab.wait_until_run(page, WAIT)


def test_the_quickstart_runs_live_and_its_ladder_moves(lab, page, screenshot):
    run_quickstart(lab, page)
    assert failed_cells(page) == []
    page.locator(LADDER).scroll_into_view_if_needed()
    page.wait_for_selector(f"{LADDER}[data-status='live']", timeout=WAIT)
    first = page.evaluate(SEQ)
    page.wait_for_function(f"(first) => {SEQ} >= first + 20", arg=first, timeout=WAIT)
    screenshot(page, "quickstart-ladder")
    page.locator(TAPE).scroll_into_view_if_needed()
    page.wait_for_selector(f"{TAPE}[data-status='live']", timeout=WAIT)
    screenshot(page, "quickstart-tape")
    for name in ("Connect", "Frames", "Pipelines", "Can I trust it?", "Take it with you"):
        page.locator(f"h2:has-text('{name}')").scroll_into_view_if_needed()
        screenshot(page, f"quickstart-{name.lower().replace(' ', '-').strip('?')}")


@pytest.mark.matrix
def test_the_ladder_moves_on_while_another_cell_is_busy(lab, page):
    lab.write_notebook(
        "busy.ipynb",
        "import kalshi_nb as kn\nfeed = kn.connect('sim')\nbook = feed.book('KXHIGHNY-26NOV22-B52.5').wait()",
        "book",
        lab.until_looked("sum(1 for _ in range(3_000_000))"),
    )
    lab.open(page, "busy.ipynb")
    lab.run_all(page)
    page.wait_for_selector(f"{LADDER}[data-status='live']", timeout=WAIT)
    busy = "[...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')].at(-1).innerText.includes('*')"
    page.wait_for_function(f"() => {busy}", timeout=WAIT)
    first = page.evaluate(SEQ)
    page.wait_for_function(f"(first) => {busy} && {SEQ} >= first + 10", arg=first, timeout=WAIT)
    lab.looked()
    lab.wait_until_run(page, WAIT)


@pytest.mark.matrix
def test_a_lost_connection_shows_in_the_ladder_and_goes_away_again(lab, page, screenshot):
    lab.write_notebook(
        "lost.ipynb",
        "import kalshi_nb as kn\nfeed = kn.connect('sim')\nbook = feed.book('KXHIGHNY-26NOV22-B52.5').wait()",
        "book",
        "feed.exchange.faults.begin_maintenance()\n" + lab.until_looked() + "feed.exchange.faults.end_maintenance()",
    )
    lab.open(page, "lost.ipynb")
    lab.run_all(page)
    page.wait_for_selector(f"{LADDER}[data-status='stale']", timeout=WAIT)
    assert "the connection is lost" in page.inner_text(f"{LADDER} .card")
    screenshot(page.locator(LADDER), "ladder-lost")
    lab.looked()
    lab.wait_until_run(page, WAIT)
    page.wait_for_selector(f"{LADDER}[data-status='live']", timeout=WAIT)
