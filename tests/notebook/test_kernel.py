"""In a real ipykernel: data flows while a cell is busy, re-running costs nothing, a slow node delays nobody."""

import json
import pathlib
import time

import pytest

from tests.daily import some
from tests.notebook.front_end import FrontEnd, Kernel

ROOT = pathlib.Path(__file__).parent.parent.parent
QUICKSTART = ROOT / "notebooks" / "01_quickstart.ipynb"

pytestmark = [pytest.mark.kernel, pytest.mark.timeout(300)]

# What may not grow: feeds, handles, threads, models, file descriptors.
CENSUS = """
import gc, json, os, threading, time
import ipywidgets
from kalshi_nb._feed.registry import registry
gc.collect()
# The display thread's socket to the kernel is made with its first message, a heartbeat at the latest.
while book.widget().picture["seq"] < 1: time.sleep(0.05)
def descriptors():
    time.sleep(0.05)
    return len(os.listdir("/proc/self/fd"))
json.dumps({
    "feeds": [id(each) for each in registry.feeds()],
    "frames": len(feed._parts.frames), "books": len(feed._books), "pipelines": len(feed.pipelines),
    "threads": sorted(each.name for each in threading.enumerate()),
    "models": len(ipywidgets.widgets.widget._instances),
    "descriptors": min(descriptors() for _ in range(20)),  # the kernel itself opens and closes some
    "messages": feed.health().markets,
})
"""


@pytest.fixture
def kernel(tmp_path):
    made = Kernel(tmp_path)
    yield made
    made.close()


@pytest.fixture
def lab(tmp_path):
    made = FrontEnd(tmp_path, KALSHI_ENV="sim", KALSHI_NB_CLOCK="manual")
    yield made
    made.close()


def cells():
    return [
        "".join(cell["source"]) for cell in json.loads(QUICKSTART.read_text())["cells"] if cell["cell_type"] == "code"
    ]


def afterwards(lab, once):
    """Count again, once the display thread has closed what is to be closed; it does so a moment later."""
    for _ in range(40):
        again = lab.value(CENSUS)
        if again["models"] <= once["models"]:
            break
        time.sleep(0.25)
    return again


def no_more(once, again):
    # More than 300 cells ran in between; one descriptor each, or one a round, would be many.
    assert again.pop("descriptors") <= once.pop("descriptors") + 2
    assert again == once


WALL = """
import json, threading, time
import kalshi_nb as kn
feed = kn.connect("sim")
tickers = feed.tickers()
book = feed.book("KXHIGHNY-26NOV22-B52.5").wait()
tickers.wait(rows=5, timeout=30)
seen = []
def watch(end):
    # Samples what a reader would get, from a thread of the test's own.
    while time.monotonic() < end:
        seen.append((time.monotonic(), tickers.total, book._ladder.version))
        time.sleep(0.05)
"""


@pytest.mark.parametrize(
    "busy",
    ["while time.monotonic() < end: sum(range(1000))", "time.sleep(5)"],
    ids=["pure Python", "asleep"],
)
def test_frames_and_books_fill_while_the_main_thread_is_busy_for_five_seconds(kernel, busy):
    kernel.run(WALL)
    rows, version = kernel.value(
        f"""
end = time.monotonic() + 5
rows, version = tickers.total, book._ladder.version
{busy}
json.dumps([tickers.total - rows, book._ladder.version - version])
"""
    )
    # About 12 ticker rows and 20 book changes a second come; a feed that stood still would have none.
    assert rows >= 10
    assert version >= 10


@pytest.mark.parametrize("times", [2, *some([5, 20], 0)])
def test_running_every_cell_of_the_quickstart_many_times_leaves_one_of_everything(lab, times):
    for number, source in enumerate(cells()):
        lab.cell(f"cell {number}", source)
    once = lab.value(CENSUS)
    for number, source in enumerate(cells()):
        for _ in range(times - 1):
            lab.cell(f"cell {number}", source)
    assert len(once["feeds"]) == 1
    no_more(once, afterwards(lab, once))


@pytest.mark.matrix
def test_running_the_whole_quickstart_again_and_again_leaves_one_of_everything(lab):
    for number, source in enumerate(cells()):
        lab.cell(f"cell {number}", source)
    once = lab.value(CENSUS)
    for _ in range(3):
        for number, source in enumerate(cells()):
            lab.cell(f"cell {number}", source)
    no_more(once, afterwards(lab, once))


def test_a_node_that_does_not_return_holds_up_no_frame_book_or_widget(kernel):
    kernel.run(WALL)
    kernel.run("book")  # shows the ladder, which the display thread then keeps
    kernel.run(
        """
asleep, wake = threading.Event(), threading.Event()
def sleeper(df):
    asleep.set()
    wake.wait(300)
sink = feed.stream("ticker").sink(sleeper)
assert asleep.wait(10)
"""
    )
    found = kernel.value(
        """
connection = feed.exchange._server.connections[feed._engine.links[0].local_port()]
ladder = book.widget()
# Each pair: what has happened, and how much of it a reader sees.
pairs = {
    "book": (lambda: connection.frames_sent, (lambda: feed._engine.links[0].frames_received)),
    "frame": (lambda: feed._engine.links[0].session.subscriptions["ticker"].messages, lambda: tickers.total),
    "widget": (lambda: book._ladder.version, lambda: ladder.picture["version"]),
}
rows, late, deadline = tickers.total, {}, time.monotonic() + 60
for _ in range(30):  # each time, what has happened by now is seen, sooner or later
    time.sleep(0.2)
    happened = {name: truth() for name, (truth, _) in pairs.items()}
    while late := {name: count for name, count in happened.items() if pairs[name][1]() < count}:
        if time.monotonic() > deadline:
            break
        time.sleep(0.005)
asleep = feed.pipelines[0].batches == 1
wake.set()
json.dumps({"late": late, "rows": tickers.total - rows, "asleep": asleep})
"""
    )
    assert found["asleep"], "the node is still in its first batch"
    assert found["rows"] > 10
    assert found["late"] == {}


def test_a_cell_that_raises_in_a_callback_is_told_in_the_next_cell(kernel):
    kernel.run(WALL)
    kernel.run(
        """
@feed.on("ticker")
def broken(ticker):
    raise ZeroDivisionError("on purpose")
"""
    )
    told = kernel.run(
        """
import warnings
deadline = time.monotonic() + 10
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    while not caught and time.monotonic() < deadline:
        time.sleep(0.05)
        feed.health()
str(caught[0].message)
"""
    )
    assert "ZeroDivisionError: on purpose (Cell In[2]:" in told
    assert "in broken)" in told


def test_restarting_the_kernel_ends_cleanly(kernel):
    kernel.run(WALL)
    kernel.manager.restart_kernel(now=False)
    kernel.client.wait_for_ready(timeout=60)
    kernel.run(WALL)


def test_asyncio_run_works_in_a_cell_once_it_was_asked_for(kernel):
    with pytest.raises(AssertionError, match="RuntimeError"):
        kernel.run("import asyncio\nasync def main(): return 7\nasyncio.run(main())")
    kernel.run(WALL)
    assert kernel.run("kn.nested_asyncio(); kn.nested_asyncio(); asyncio.run(main())") == "7"
    assert kernel.run("feed.state") == "'connected'"


@pytest.mark.parametrize(
    ("handle", "names"),
    [
        ("feed", {"trades", "tickers", "book", "stream", "gaps", "health", "close"}),
        ("book", {"top", "depth", "status", "levels", "wait"}),
        ("tickers", {"df", "wait", "latest", "write_parquet"}),
        ("feed.exchange", {"market_tickers", "advance", "faults"}),
        ("kn", {"connect", "sim", "errors"}),
    ],
)
def test_the_tab_key_lists_what_a_handle_has(kernel, handle, names):
    kernel.run(WALL)
    code = f"{handle}."
    end = time.monotonic() + 60
    while time.monotonic() < end:  # what the kernel has not found within 0.4 s it leaves out, and has when asked again
        reply = kernel.client.complete(code, len(code), reply=True, timeout=30)
        if reply["content"]["matches"]:
            break
    assert names <= {match.rpartition(".")[2] for match in reply["content"]["matches"]}
