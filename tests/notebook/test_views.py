"""Views in a real kernel: what a cell is sent, what a hundred runs leave, what a busy kernel hears of a page."""

import os
import queue
import time

import pytest

from tests.notebook.front_end import FrontEnd

pytestmark = [pytest.mark.kernel, pytest.mark.timeout(300)]

WIDGET = "application/vnd.jupyter.widget-view+json"
BEGIN = """
import gc, json, os, threading, time
import ipywidgets
import kalshi_nb as kn
from kalshi_nb._widgets.display import display as thread
from kalshi_nb._widgets.host import host
feed = kn.connect("sim")
book = feed.book("KXHIGHNY-26NOV22-B52.5").wait()
"""


class Page(FrontEnd):
    """A front end that keeps what cells show, and says what it sees."""

    def __init__(self, folder):
        super().__init__(folder)
        self.others = []

    def shows(self, code, cell):
        """Run a cell; return what it was sent to show, each with its display id."""
        request = self.send(code, cell)
        shown, end = [], time.monotonic() + 60
        while True:
            message = self.client.get_iopub_msg(timeout=max(0.01, end - time.monotonic()))
            kind, content = message["msg_type"], message["content"]
            if message["parent_header"].get("msg_id") != request:
                self.others.append(message)
            elif kind in ("display_data", "execute_result"):
                shown.append((kind, content["transient"].get("display_id"), content["data"]))
            elif kind == "error":
                raise AssertionError("\n".join(content["traceback"]))
            elif kind == "status" and content["execution_state"] == "idle":
                return shown
            else:
                self.others.append(message)

    def hears(self, kind, timeout=30):
        """Wait for a message of a kind, whoever caused it, and return it."""
        end = time.monotonic() + timeout
        while True:
            for message in self.others:
                if message["msg_type"] == kind:
                    self.others.remove(message)
                    return message
            try:
                self.others.append(self.client.get_iopub_msg(timeout=max(0.01, end - time.monotonic())))
            except queue.Empty:
                raise AssertionError(f"no {kind} within {timeout} s") from None

    def says(self, model, content, subshell=None):
        """Send what a view's script sends, over the subshell that JupyterLab has for it."""
        data = {"method": "custom", "content": content}
        message = self.client.session.msg("comm_msg", {"comm_id": model, "data": data})
        if subshell is not None:
            message["header"]["subshell_id"] = subshell
        self.client.shell_channel.send(message)
        return message["header"]["msg_id"]

    def subshell(self):
        """Ask for a subshell, as JupyterLab does for its widgets; return its id."""
        message = self.client.session.msg("create_subshell_request", {})
        self.client.control_channel.send(message)
        while True:
            reply = self.client.get_control_msg(timeout=30)
            if reply["parent_header"].get("msg_id") == message["header"]["msg_id"]:
                return reply["content"]["subshell_id"]


@pytest.fixture
def page(tmp_path):
    made = Page(tmp_path)
    made.cell("begin", BEGIN)
    yield made
    made.close()


def test_a_book_at_the_end_of_a_cell_is_a_view_a_table_and_a_text_shown_once(page):
    ((kind, display_id, bundle),) = page.shows("book", "A")
    assert kind == "display_data"
    assert set(bundle) == {WIDGET, "text/html", "text/plain"}
    assert "snapshot" in bundle["text/html"]
    assert "chance" in bundle["text/plain"]
    assert display_id
    ((_, again, same),) = page.shows("kn.show(book)", "B")
    assert same[WIDGET] == bundle[WIDGET]
    assert again == display_id
    assert len(page.shows("view = kn.show(book, levels=3); view", "C")) == 1
    assert len(page.shows("view", "D")) == 1


def test_a_closed_view_leaves_html_and_text_in_its_place_and_nothing_of_a_widget(page):
    ((_, display_id, bundle),) = page.shows("view = kn.show(book)", "A")
    page.shows("view.close()", "B")
    update = page.hears("update_display_data")["content"]
    assert update["transient"]["display_id"] == display_id
    assert set(update["data"]) == {"text/html", "text/plain"}
    closed = {page.hears("comm_close")["content"]["comm_id"] for _ in range(2)}
    assert bundle[WIDGET]["model_id"] in closed
    with pytest.raises(AssertionError, match="no update"):
        page.hears("update_display_data", timeout=1)


CENSUS = """(gc.collect(), time.sleep(0.5), {
    "models": len(ipywidgets.widgets.widget._instances),
    "threads": sorted(each.name for each in threading.enumerate()),
    "descriptors": min((time.sleep(0.02), len(os.listdir("/proc/self/fd")))[1] for _ in range(20)),
    "views": thread.view_count,
})[2]"""


@pytest.mark.parametrize(
    "code",
    ["book", "kn.show(book, levels=2 + {n} % 7)", "shown = kn.show(book, unit='dollars'); shown.close()"],
    ids=["unchanged", "edited", "closed"],
)
def test_a_hundred_runs_of_a_cell_leave_what_one_leaves(page, code):
    page.shows(code.format(n=0), "A")
    page.hears("comm_msg")  # the display thread's socket is made with its first message
    once = page.ask(CENSUS)
    for number in range(1, 101):
        page.cell("A", code.format(n=number))
    end = time.monotonic() + 30
    while (again := page.ask(CENSUS))["models"] != once["models"] and time.monotonic() < end:
        time.sleep(0.2)
    assert again.pop("descriptors") <= once.pop("descriptors") + 2
    assert again == once


def test_an_option_that_is_wrong_raises_in_the_cell_and_names_the_right_one(page):
    for code, raises in (
        ("kn.show(book, level=3)", "UsageError"),
        ("book.widget(unit='cent')", "ConfigurationError"),
        ("kn.options.themes = 'dark'", "UsageError"),
        ("kn.show(7)", "UsageError"),
    ):
        page.cell("A", code, raises=raises)


# What a busy kernel hears -----------------------------------------------------------------------------------------

BUSY = """
heard = [(host.hearing._heard_beside > 0, host.hearing.is_deaf(time.monotonic()))]
print("busy", flush=True)
end = time.monotonic() + 4
while time.monotonic() < end:
    time.sleep(0.05)
    heard.append((host.hearing._heard_beside > 0, host.hearing.is_deaf(time.monotonic())))
"""

# However slow the machine, the cell is busy until the view has gone on, or a minute if it does not.
GOES_ON = """
while book.widget().picture["seq"] < 10 and time.monotonic() < end + 60:
    time.sleep(0.05)
sent = book.widget().picture["seq"]
"""


def test_an_acknowledgement_is_heard_beside_a_busy_cell_over_the_browsers_own_subshell(page):
    ((_, _, bundle),) = page.shows("book", "A")
    model, subshell = bundle[WIDGET]["model_id"], page.subshell()
    page.hears("comm_msg")  # the display thread has sent: this is where answers would be brought to the busy shell
    request = page.send(BUSY, "B")
    page.hears("stream")
    for _ in range(3):
        page.says(model, {"ack": {model: 1}, "visible": [model]}, subshell)
        time.sleep(0.5)
    page.heard(request)
    assert page.ask("heard[0]") == [False, True]  # until somebody is heard beside it, a cell counts as deaf
    assert page.ask("heard[-1]") == [True, False]


def test_what_is_not_heard_until_the_cell_is_over_makes_the_kernel_deaf_and_the_view_goes_on(page):
    ((_, _, bundle),) = page.shows("book", "A")
    model = bundle[WIDGET]["model_id"]
    request = page.send(BUSY + GOES_ON, "B")
    page.says(model, {"ack": {model: 1}, "visible": []})  # over the shell that is busy, as older kernels take it
    page.heard(request)
    assert page.ask("heard[-1]") == [False, True]
    assert page.ask("sent") >= 10
    page.cell("C", "seen = list(host.hearing._pages.values())")
    assert page.ask("[list(shown) for _, shown in seen]") == [[]]


def test_a_page_that_sees_nothing_stops_the_messages_and_one_that_does_starts_them_again(page):
    ((_, _, bundle),) = page.shows("book", "A")
    model = bundle[WIDGET]["model_id"]
    page.cell("B", "book._live_view()._opened -= 60")
    page.says(model, {"ack": {}, "visible": []})
    time.sleep(1)
    first = page.ask("book.widget().picture['seq']")
    page.says(model, {"ack": {}, "visible": []})
    time.sleep(3)
    assert page.ask("book.widget().picture['seq']") <= first + 2  # asking is a cell, for which a kernel is deaf
    page.says(model, {"ack": {}, "visible": [model]})
    end = time.monotonic() + 30
    while page.ask("book.widget().picture['seq']") < first + 10:
        assert time.monotonic() < end
        page.says(model, {"ack": {}, "visible": [model]})
        time.sleep(0.5)


# Notebooks that are executed without a page -----------------------------------------------------------------------


def executed(tmp_path, *cells):
    import nbformat  # it takes seconds, and is needed here alone
    from nbclient import NotebookClient

    notebook = nbformat.v4.new_notebook()
    notebook.cells = [nbformat.v4.new_code_cell(cell) for cell in (BEGIN, *cells)]
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute(cwd=str(tmp_path), env=dict(os.environ))
    return notebook


def test_a_report_holds_tables_and_no_widget(tmp_path, monkeypatch):
    monkeypatch.setenv("KALSHI_NB_RENDERER", "html")
    notebook = executed(tmp_path, "book", "kn.show(book, levels=2);")
    for cell in notebook.cells[1:]:
        assert set(cell.outputs[0].data) == {"text/html", "text/plain"}
    assert "widgets" not in notebook.metadata


def test_a_notebook_that_closes_its_book_holds_the_last_picture_and_no_dead_widget(tmp_path):
    notebook = executed(tmp_path, "book", "book.close(); time.sleep(1)")
    (output,) = notebook.cells[1].outputs
    assert set(output.data) == {"text/html", "text/plain"}
    assert "closed" in output.data["text/plain"]


def test_what_an_executed_notebook_keeps_of_a_view_says_when_it_was(tmp_path):
    notebook = executed(tmp_path, "before = time.time()", "book", "time.sleep(1)")
    states = notebook.metadata["widgets"]["application/vnd.jupyter.widget-state+json"]["state"].values()
    (picture,) = [each["state"]["picture"] for each in states if "picture" in each["state"]]
    assert picture["bids"]
    assert time.time() - 120 < picture["sent"] < time.time()


ANSWER_SLOWLY = """
from kalshi_nb._widgets.view import ViewWidget
def slowly(self, key=None, drop_defaults=False, at_once=ViewWidget.get_state):
    so_far = self._seq
    while key is None and self._seq < so_far + 3:  # what is sent beside meanwhile
        time.sleep(0.01)
    return at_once(self, key, drop_defaults)
ViewWidget.get_state = slowly
def move():
    while True:
        feed.exchange.advance(0.2)
        time.sleep(0.05)
threading.Thread(target=move, daemon=True).start()
"""


def test_what_is_sent_beside_is_not_taken_for_the_answer_to_a_page_that_asks_for_the_model(page):
    ((_, _, bundle),) = page.shows("book", "A")
    page.cell("B", ANSWER_SLOWLY)
    content = {"comm_id": bundle[WIDGET]["model_id"], "data": {"method": "request_state"}}
    message = page.client.session.msg("comm_msg", content)
    page.client.shell_channel.send(message)
    beside, answers = 0, []
    while True:
        said = page.client.get_iopub_msg(timeout=60)
        is_answer = said["parent_header"].get("msg_id") == message["header"]["msg_id"]
        if said["msg_type"] == "comm_msg" and is_answer:
            answers.append(set(said["content"]["data"]["state"]))
        elif said["msg_type"] == "comm_msg":
            beside += 1
        elif is_answer and said["content"].get("execution_state") == "idle":
            break
    assert beside >= 3
    (answer,) = answers
    assert {"_model_name", "picture", "settings"} <= answer
