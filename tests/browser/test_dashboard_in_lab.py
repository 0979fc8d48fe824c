"""The dashboard in a real JupyterLab: it moves, follows what is picked above it, and is whole after a reload."""

import pytest

BOARD = ".kalshi-nb[data-kind='dashboard']"
WAIT = 60_000
MARKET, OTHER = "KXHIGHNY-26NOV22-B52.5", "KXHIGHNY-26NOV22-B54.5"
START = f"import kalshi_nb as kn\nfeed = kn.connect('sim')\nview = feed.dashboard({MARKET!r})\nview"


def wait_for(page, condition, timeout=WAIT):
    """Wait until something is so of the dashboard, by its `host` and the `root` within."""
    found = f"""const host = document.querySelector("{BOARD}"); const root = host?.shadowRoot;"""
    page.wait_for_function(f"() => {{ {found} return root && ({condition}); }}", timeout=timeout)


def wait_until_it_moves(page, more=20):
    first = int(page.get_attribute(BOARD, "data-seq") or 0)
    wait_for(page, f"+host.dataset.seq >= {first + more}")


@pytest.mark.parametrize("theme", ["JupyterLab Light", pytest.param("JupyterLab Dark", marks=pytest.mark.matrix)])
def test_it_moves_follows_what_is_picked_and_is_whole_after_a_reload(lab, page, screenshot, theme):
    lab.set_theme(theme)
    try:
        name = f"dashboard-{theme.split()[-1].lower()}.ipynb"
        lab.write_notebook(name, START)
        lab.open(page, name)
        lab.run_all(page)
        wait_for(page, "host.dataset.status === 'live'")
        wait_until_it_moves(page)
        screenshot(page, f"dashboard_{theme.split()[-1].lower()}")
        assert page.locator(f"{BOARD} .d-failed:visible").count() == 0
        picker = page.get_by_placeholder("market ticker")
        assert picker.input_value() == MARKET
        suggested = page.locator(f"datalist[id='{picker.get_attribute('list')}'] option")
        assert {MARKET, OTHER} <= {*suggested.evaluate_all("(all) => all.map((each) => each.value)")}
        picker.fill(OTHER)
        picker.press("Enter")
        wait_for(page, f"root.querySelector('.ticker').textContent === '{OTHER}'")
        page.locator(".widget-toggle-button", has_text="Trades").click()
        wait_for(page, "!root.querySelector('.of-tape')")
        wait_until_it_moves(page, 10)
        picker.fill("KXNOBODY-HAS-THIS")
        picker.press("Enter")
        wait_for(page, "host.dataset.status === 'unknown' || document.body.innerText.includes('knows no market')")
    finally:
        lab.set_theme("JupyterLab Light")


@pytest.mark.matrix
def test_a_page_that_is_loaded_anew_has_the_whole(lab, page, screenshot):
    lab.write_notebook("whole.ipynb", START)
    lab.open(page, "whole.ipynb")
    lab.run_all(page)
    wait_for(page, "host.dataset.status === 'live'")
    wait_until_it_moves(page)
    lab.wait_until_run(page)
    page.evaluate("jupyterapp.commands.execute('docmanager:save')")
    page.wait_for_timeout(1500)
    page.reload()
    wait_for(page, "host.dataset.status === 'live' && root.querySelectorAll('.of-tape .rows > *').length > 1")
    wait_until_it_moves(page, 10)
