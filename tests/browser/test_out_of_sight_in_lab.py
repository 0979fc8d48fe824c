"""What nobody sees for a while, in a real JupyterLab: scrolled away, beside a busy cell, with its page closed."""

import time

import pytest

from kalshi_nb._widgets.pacing import HEARD_SECONDS
from tests.browser.test_ladder_in_lab import LADDER, START, WAIT, seq, wait_for_pictures, wait_for_status

pytestmark = pytest.mark.matrix
CHART = ".kalshi-nb[data-kind='chart']"
TALL = "from IPython.display import HTML\nHTML('<div style=\"height:1200px\">tall</div>')"
SCROLL = (
    """(top) => { for (const each of document.querySelectorAll(".jp-WindowedPanel-outer")) each.scrollTop = top; }"""
)
AGAIN = "runs = globals().get('runs', 0) + 1\nimport time\nend = time.monotonic() + 10 * (runs > 1)\n"
BUSY = AGAIN + "while time.monotonic() < end: sum(range(10_000))"
RUN_LAST = """() => {
  const notebook = jupyterapp.shell.currentWidget.content;
  notebook.activeCellIndex = notebook.widgets.length - 1;
  window.lastHasRun = false;
  jupyterapp.commands.execute("notebook:run-cell").then(() => { window.lastHasRun = true; });
}"""
INK = f"""() => {{
  const canvas = document.querySelector("{CHART}").shadowRoot.querySelector("canvas");
  const {{ data }} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  let found = 0;
  for (let i = 3; i < data.length; i += 4) found += data[i] > 0;
  return found;
}}"""


def with_a_line(lab):
    return (
        f"from tests.browser.hosts.kernel_line import answer\nkernel = answer({str(lab.lines_folder)!r}, shown=shown)"
    )


def started(lab):
    from tests.browser.hosts.test_in_hosts import ROOT

    return f"import sys\nsys.path.insert(0, {str(ROOT)!r})\n{START}", with_a_line(lab)


def test_a_ladder_that_was_scrolled_away_before_a_long_cell_is_painted_as_soon_as_it_is_in_sight_again(lab, page):
    before = lab.lines()
    lab.show(page, "away.ipynb", *started(lab), *[TALL] * 5, BUSY)
    wait_for_status(page, "live")
    lab.wait_until_run(page)
    line = lab.line(before)
    page.evaluate(SCROLL, 100_000)
    sent = "shown.view.widget.picture['seq']"
    line.until(f"(lambda first: [time.sleep(1.5), {sent} == first][1])({sent})")  # the kernel knows that it is hidden
    first = seq(page)
    page.evaluate(RUN_LAST)
    page.wait_for_function("() => !lastHasRun && document.body.innerText.includes('[*]')", timeout=WAIT)
    time.sleep(2)
    page.evaluate(SCROLL, 0)
    page.wait_for_function(
        f"""(first) => !lastHasRun && +document.querySelector("{LADDER}").dataset.seq > first""",
        arg=first,
        timeout=2500,
    )
    wait_for_pictures(page, 5, "!lastHasRun")
    page.wait_for_function("() => lastHasRun", timeout=WAIT)


def test_a_page_that_is_closed_is_sent_nothing_more_and_goes_on_when_it_is_opened_again(lab, page):
    before = lab.lines()
    lab.show(page, "closed.ipynb", *started(lab))
    wait_for_status(page, "live")
    lab.wait_until_run(page)
    lab.save(page)
    line = lab.line(before)
    page.goto("about:blank")
    sent = "shown.view.widget.picture['seq']"
    time.sleep(HEARD_SECONDS + 3)
    first = line.ask(sent)
    time.sleep(5)
    assert line.ask(sent) <= first + 2  # of some fifty; asking is a cell, for which a kernel is deaf
    lab.open(page, "closed.ipynb")
    wait_for_status(page, "live")
    wait_for_pictures(page, 10)


def test_a_chart_that_was_scrolled_far_away_is_still_drawn_when_it_comes_back(lab, page):
    start = "import kalshi_nb as kn\nfeed = kn.connect('sim')\nview = kn.show(feed.trades(), view='chart')\nview"
    start = start.replace("feed.trades()", "feed.trades('KXHIGHNY-26NOV22-B52.5')")
    lab.show(page, "scrolled.ipynb", start, *[TALL] * 6)
    page.wait_for_selector(f"{CHART}[data-status='live']", timeout=WAIT)
    lab.wait_until_run(page)
    page.evaluate(SCROLL, 0)
    page.wait_for_function(f"() => ({INK})() > 1000", timeout=WAIT)
    for _ in range(3):
        page.evaluate(SCROLL, 100_000)
        page.wait_for_timeout(700)
        page.evaluate(SCROLL, 0)
        page.wait_for_timeout(700)
        assert page.evaluate(INK) > 1000
