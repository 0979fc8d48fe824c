"""How far an export is, in a real kernel: a bar in the cell while it runs, and in the end a line."""

import pytest

from tests.notebook.test_views import WIDGET, Page

pytestmark = [pytest.mark.kernel, pytest.mark.timeout(300)]

BEGIN = """
import gc, os, threading, time
import ipywidgets
import kalshi_nb as kn
from kalshi_nb._widgets.display import display as thread
with kn.sim.Exchange(seed=7, clock="manual") as exchange, kn.connect(exchange) as feed:
    for _ in range(6):
        with feed.record("night", ["trade", "ticker"]):
            exchange.advance(5)
recording = kn.open_recording("night")
"""

CENSUS = """(gc.collect(), time.sleep(0.5), {
    "models": len(ipywidgets.widgets.widget._instances),
    "threads": sorted(each.name for each in threading.enumerate()),
    "views": thread.view_count,
})[2]"""

TELLS = """
from kalshi_nb._widgets.progress import ProgressView
view = ProgressView("export to x")
for number in range({number}):
    view.tell(number / {number}, f"step {{number}}")
    time.sleep(0.01)
view.close()
"""


@pytest.fixture
def page(tmp_path):
    made = Page(tmp_path)
    made.cell("begin", BEGIN)
    yield made
    made.close()


def test_an_export_is_a_bar_in_its_cell_and_then_a_line_that_stays(page):
    ((kind, display_id, bundle),) = page.shows("report = recording.export('tables')", "A")
    assert kind == "display_data"
    assert WIDGET in bundle
    assert bundle["text/plain"].startswith("export to ")
    update = page.hears("update_display_data")["content"]
    assert update["transient"]["display_id"] == display_id
    assert set(update["data"]) == {"text/plain", "text/html"}
    assert "6 of 6 segments, 100%" in update["data"]["text/plain"]
    page.hears("comm_close")
    assert page.shows("report = recording.export('other', progress=False)", "B") == []
    assert page.shows("report = recording.export('third', progress=lambda how_far: None)", "C") == []


def test_a_hundred_times_told_is_a_few_messages_all_from_the_display_thread(page):
    page.shows(TELLS.format(number=100), "A")
    page.hears("comm_close")
    values = [
        each["content"]["data"]["state"]["value"]
        for each in page.others
        if each["msg_type"] == "comm_msg" and "value" in each["content"]["data"].get("state", {})
    ]
    assert 1 <= len(values) < 20  # a second, or a few on a slow machine
    assert all('<progress max="1" value="' in each for each in values)


def closed(page):
    """Wait until the bar and what belongs to it are gone."""
    for _ in range(3):
        page.hears("comm_close")


@pytest.mark.matrix
def test_many_exports_leave_what_one_leaves(page):
    page.shows("report = recording.export('tables')", "A")
    closed(page)
    once = page.ask(CENSUS)
    for number in range(20):
        page.shows(f"report = recording.export('tables-{number}')", "A")
        closed(page)
    assert page.ask(CENSUS) == once
