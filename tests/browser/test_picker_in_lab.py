"""The picker of markets in a real JupyterLab: words are typed, a market is chosen, and a cell has its ticker."""

import pytest

from tests.browser.hosts.jupyter import STEP_MILLISECONDS

pytestmark = pytest.mark.matrix

START = "import kalshi_nb as kn\nfeed = kn.connect('sim')\npicker = feed.picker()\npicker"
MARKET, OTHER = "KXHIGHNY-26NOV22-B52.5", "KXHIGHNY-26NOV22-B54.5"


def test_what_is_typed_is_found_and_what_is_chosen_is_handed_on(lab, page, screenshot):
    lab.write_notebook("picker.ipynb", START)
    lab.open(page, "picker.ipynb")
    lab.run_all(page)
    words = page.get_by_placeholder("weather new york")
    words.press_sequentially("high temp new yo")
    found = page.locator(".widget-select-multiple option")
    found.filter(has_text=MARKET).wait_for(state="attached", timeout=STEP_MILLISECONDS)
    chosen = page.locator(".widget-select-multiple select")
    chosen.select_option(label=found.filter(has_text=MARKET).inner_text())
    screenshot(page, "picker")
    words.fill("senate ohio")
    found.filter(has_text="KXSENATEOH-28-D").wait_for(state="attached", timeout=STEP_MILLISECONDS)
    picked = chosen.evaluate("(list) => [...list.selectedOptions].map((each) => each.innerText)")
    assert len(picked) == 1
    assert MARKET in picked[0]
    assert found.first.inner_text() == picked[0]
    screenshot(page, "picker_other_words")
