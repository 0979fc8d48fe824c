"""The ladder, the dashboard and the board in real hosts, from the first picture to the end of their kernel."""

import time
from pathlib import Path

import pytest

from kalshi_nb._widgets.pacing import HEARD_SECONDS
from tests.browser.conftest import missing
from tests.browser.hosts.conftest import HOSTS
from tests.browser.hosts.views import VIEWS, Views

ROOT = Path(__file__).parents[3]
MARKET = "KXHIGHNY-26NOV22-B52.5"
LAB = ["JupyterLab"]
OTHERS = ["Notebook 7", "Voila", "marimo edit", "marimo run"]


def cells(host, *more):
    """The cells of a notebook that shows all three, each in a cell of its own, and answers a test."""
    return [
        f"import sys\nsys.path.insert(0, {str(ROOT)!r})",
        f"""
assert sys.path
import kalshi_nb as kn
from tests.browser.hosts.kernel_line import answer
feed = kn.connect("sim")
book = feed.book({MARKET!r}).wait()""".lstrip(),
        "ladder = kn.show(book)\nladder",
        f"dashboard = feed.dashboard({MARKET!r})\ndashboard",
        "board = feed.board()\nboard",
        f"""
views = {{"ladder": ladder, "dashboard": dashboard, "board": board}}
kernel = answer({str(host.lines_folder)!r}, feed=feed, book=book, views=views, busy_since=None)""".lstrip(),
        *more,
    ]


def every_host(*, without=(), every_day=LAB):
    """Run a test in every host but those where there is no such thing, in some of them every day."""
    names = [each for each in HOSTS if each not in without]
    marks = {True: (), False: pytest.mark.matrix}
    chosen = [pytest.param(each, id=each.replace(" ", "-"), marks=marks[each in every_day]) for each in names]
    return pytest.mark.parametrize("host", chosen, indirect=True)


@pytest.fixture
def shown(host, page):
    """Opens a notebook with the three views; the views on the page, and a line to the kernel."""

    def show(name, *more, on=page, **options):
        before = host.lines()
        host.write(name, *cells(host, *more), **options)
        host.run(on, name)
        return Views(on), host.line(before)

    return show


@every_host(every_day=OTHERS)
def test_all_three_are_live_and_their_numbers_move(shown):
    views, _line = shown("live")
    views.wait_for_all("live")
    views.wait_until_they_move()
    assert views.count() == len(VIEWS)


def busy(host):
    """A cell that is busy until the test has looked."""
    begin = "kernel['busy_since'] = kernel['time'].monotonic()\n"
    return begin + host.until_looked("sum(1 for _ in range(1_000_000))") + "kernel['busy_since'] = None"


def check_that_they_move_while_a_cell_is_busy(host, views, line, seconds):
    """Check it for so long: a page that cannot be heard meanwhile is given up no sooner and no later."""
    line.until("busy_since")
    views.wait_for_all("live")
    while True:
        views.wait_until_they_move()
        if line.ask("time.monotonic() - busy_since") > seconds:
            break
    host.looked()
    line.until("busy_since is None")
    views.wait_until_they_move()


@every_host(without=["Voila"])
def test_they_move_while_a_cell_is_busy(host, shown):
    views, line = shown("busy", busy(host))
    check_that_they_move_while_a_cell_is_busy(host, views, line, HEARD_SECONDS + 1)


@pytest.mark.matrix
@pytest.mark.parametrize("host", ["JupyterLab"], indirect=True)
@pytest.mark.parametrize("version", ["6", "7.1"])
def test_they_do_so_with_other_versions_of_the_kernel(host, shown, version):
    environment = ROOT / f".venv-ipykernel{version}"
    if not environment.exists():
        missing(f"there is no {environment.name}: make test-all makes it")
    host.add_kernel(environment.name, environment / "bin" / "python")
    views, line = shown("other-kernel", busy(host), kernel=environment.name)
    assert line.ask("__import__('ipykernel').__version__").startswith(f"{version}.")
    check_that_they_move_while_a_cell_is_busy(host, views, line, HEARD_SECONDS + 1)


def check_that_they_show_what_the_kernel_has(views, line):
    """Hold what the page shows against what the kernel has, while nothing moves."""
    depth = line.ask("book.depth(100).rows(named=True)")
    levels = [(each[side], each[f"{side}_size"]) for each in depth for side in ("bid", "ask")]
    levels = sorted((round(price * 100, 2), size) for price, size in levels if price is not None)
    for kind in ("ladder", "dashboard"):
        rows = [(float(price.rstrip("¢")), float(size.replace(",", ""))) for price, size in views.rows(kind)]
        lowest, highest = rows[-1][0], rows[0][0]
        assert rows[::-1] == [each for each in levels if lowest <= each[0] <= highest], kind
        assert {round(depth[0][side] * 100, 2) for side in ("bid", "ask")} <= {price for price, _size in rows}
    names = ("market_ticker", "yes_bid", "yes_ask")
    quotes = line.ask(f"feed.tickers().latest().select({names!r}).rows()")
    expected = sorted([ticker, _cents(bid), _cents(ask)] for ticker, bid, ask in quotes)
    for _ in range(60):  # a market that came last is given a row when rows are chosen next, a moment later
        if sorted(views.rows("board")) == expected:
            break
        time.sleep(0.5)
    assert sorted(views.rows("board")) == expected


def _cents(dollars):
    return "\N{EN DASH}" if dollars is None else f"{dollars * 100:.1f}"


@every_host()
def test_a_gap_makes_stale_what_it_is_in_and_a_lost_connection_all_of_it(shown):
    views, line = shown("stale")
    views.wait_for_all("live")
    line.ask("feed.exchange.faults.lose_commands(100)")  # or it would be repaired before anybody has looked
    line.ask("feed.exchange.faults.skip_frames('orderbook_delta')")
    views.wait_for_all("stale", ("ladder", "dashboard"))
    views.wait_until_they_move(["board"])
    views.wait_for_all("live", ["board"])
    line.ask("feed.exchange.faults.clear()")
    views.wait_for_all("live")
    line.ask("feed.exchange.faults.begin_maintenance()")
    views.wait_for_all("stale")
    check_that_they_show_what_the_kernel_has(views, line)
    line.ask("feed.exchange.faults.end_maintenance()")
    views.wait_for_all("live")
    views.wait_until_they_move()


@every_host()
def test_they_say_that_they_are_silent_when_the_kernel_is_killed(host, shown):
    views, line = shown("killed")
    views.wait_for_all("live")
    views.wait_until_they_move()
    host.kill_kernel(line)
    views.wait_for_all("silent")


@every_host()
def test_they_are_live_after_the_page_is_loaded_anew(host, page, shown):
    views, _line = shown("reloaded")
    views.wait_for_all("live")
    views.wait_until_they_move()
    host.reload(page, "reloaded")
    views.wait_for_all("live")
    views.wait_until_they_move()


@every_host()
def test_a_view_that_is_closed_is_gone_and_the_others_go_on(shown):
    views, line = shown("closed")
    views.wait_for_all("live")
    for i, kind in enumerate(VIEWS, 1):
        line.ask(f"views[{kind!r}].close()")
        views.wait_for("everywhere('.kalshi-nb').length === what", len(VIEWS) - i)
        if VIEWS[i:]:
            views.wait_until_they_move(VIEWS[i:])


@every_host()
def test_they_have_the_dark_theme_of_the_page(host, page, shown):
    host.go_dark(page)
    try:
        views, _line = shown("dark")
        views.wait_for_all("live")
        views.wait_for("what.every((kind) => view(kind).dataset.theme === 'dark')", VIEWS)
    finally:
        host.go_light(page)


@every_host(without=["JupyterLab", "Notebook 7", "marimo edit"], every_day=())
def test_a_second_visitor_has_live_views_too_and_they_stay_when_the_first_leaves(host, page, make_page, shown):
    first, _line = shown("visited")
    first.wait_for_all("live")
    second, _line = shown("visited", on=make_page())
    second.wait_for_all("live")
    for each in (first, second):
        each.wait_until_they_move()
    page.goto("about:blank")
    second.wait_until_they_move()
