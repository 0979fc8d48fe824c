"""One's own account in a real JupyterLab: a person sees it at once, and the file that is saved does not hold it."""

import json
from pathlib import Path

from tests.widgets.own import LEFT, SECRETS

WAIT = 60_000
ROOT = Path(__file__).parents[2]
BEGIN = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
import kalshi_nb as kn
from tests.widgets.own import TICKER, tell
exchange = kn.sim.Exchange(seed=7, clock="manual")
feed = kn.connect(exchange)
book = feed.book(TICKER).wait()
feed.orders(), feed.positions()
tell(exchange, price=book.best_ask)
"""


SAVED = """async (url) => {
    const saved = await (await fetch(url, { cache: "no-store" })).json();
    return JSON.stringify((saved.content?.cells ?? []).map((each) => each.outputs)).includes("left out of what");
}"""


def test_a_page_shows_what_is_ones_own_on_account_and_ladder_and_the_file_it_saves_does_not(lab, page, screenshot):
    name = "account.ipynb"
    lab.write_notebook(name, BEGIN, "feed.fills()", "book")
    lab.open(page, name)
    lab.run_all(page)
    lab.wait_until_run(page, WAIT)
    shown = ".kalshi-nb[data-kind='account']"
    page.locator(shown).scroll_into_view_if_needed()
    page.wait_for_selector(f"{shown} .orders .rows >> text={LEFT}", timeout=WAIT)
    screenshot(page, "account")
    marked = ".kalshi-nb[data-kind='ladder'] .asks .mark"
    page.locator(".kalshi-nb[data-kind='ladder']").scroll_into_view_if_needed()
    page.wait_for_selector(f"{marked} >> text=▸731", timeout=WAIT)
    screenshot(page, "ladder-with-own-order")
    lab.save(page)
    page.wait_for_function(SAVED, arg=f"{lab.base}/api/contents/{name}", timeout=WAIT)
    saved = json.loads((lab.root / name).read_text(encoding="utf-8"))
    stored = json.dumps([saved["metadata"], *(cell["outputs"] for cell in saved["cells"])])
    assert "bid" in stored
    assert [each for each in SECRETS if each.rstrip("0") in stored] == []
