"""In marimo its own ids of cells say what takes the place of what: over its real server."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request

import pytest
from websockets.sync.client import connect

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.timeout(180),
]

BEGIN = """
import asyncio, collections, json, pathlib, threading
import marimo as mo
import kalshi_nb as kn
exchange = kn.sim.Exchange(seed=7, clock="manual")
feed = kn.connect(exchange)
heard = collections.Counter()

def into(name):
    return lambda each: heard.update([name])

def helper(name):
    feed.stream("trade").sink(into(name))

def strategy(name):
    @feed.on("trade")
    def on_trade(trade):
        heard[name] += 1
"""
LOOK = """
heard.clear()
exchange.advance(30)
pathlib.Path("{path}").write_text(json.dumps([sorted(heard), len(feed.pipelines), list(feed.health().warnings)]))
"""


class Marimo:
    """A notebook open in marimo's editor."""

    def __init__(self, folder):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.folder = folder
        (folder / "notebook.py").write_text("import marimo\napp = marimo.App()\n")
        options = ["--headless", "--no-token", "--no-skew-protection", "--skip-update-check"]
        self.log = (folder / "log").open("w")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "marimo", "edit", *options, "--port", str(self.port), "notebook.py"],
            cwd=folder,
            stdout=self.log,
            stderr=subprocess.STDOUT,
            env={**os.environ, "HOME": str(folder)},
        )
        self.open = contextlib.ExitStack()
        self.socket = self.opened()
        self.post("instantiate", {"objectIds": [], "values": [], "autoRun": True})
        self.looks = 0

    def opened(self):
        end = time.monotonic() + 60
        while True:
            try:
                address = f"ws://127.0.0.1:{self.port}/ws?session_id=s&file=notebook.py"
                # Nobody reads most of it: with a bounded queue pings would go unanswered after some seconds.
                return self.open.enter_context(connect(address, max_size=None, max_queue=None, proxy=None))
            except OSError:
                if time.monotonic() > end:
                    raise AssertionError((self.folder / "log").read_text()) from None
                time.sleep(0.2)

    def post(self, what, body):
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/api/kernel/{what}",
            json.dumps(body).encode(),
            {"Content-Type": "application/json", "Marimo-Session-Id": "s"},
        )
        urllib.request.urlopen(request, timeout=30).read()

    def cell(self, cell, code):
        """Have a cell run, after those before it."""
        self.post("run", {"cellIds": [cell], "codes": [code]})

    def look(self):
        """Which names are heard from now on, how many pipelines there are, and what is told."""
        self.looks += 1
        path = self.folder / f"look{self.looks}.json"
        self.cell("look", LOOK.format(path=path))
        end = time.monotonic() + 60
        while not path.exists() or not path.read_text():
            assert time.monotonic() < end, self.errors()
            time.sleep(0.05)
        return json.loads(path.read_text())

    def errors(self):
        """What the kernel said that looks like trouble."""
        said = []
        with contextlib.suppress(TimeoutError):
            while True:
                said.append(self.socket.recv(timeout=1))
        return [each for each in said if "rror" in each][-5:]

    def close(self):
        self.open.close()
        self.process.terminate()
        self.process.wait(20)
        self.log.close()


@pytest.fixture(scope="module")
def notebook(tmp_path_factory):
    made = Marimo(tmp_path_factory.mktemp("marimo"))
    yield made
    made.close()


@pytest.fixture
def marimo(notebook):
    for cell in ("A", "B", "look"):
        notebook.cell(cell, "")  # or they would run again, with what they name made anew
    notebook.cell("begin", BEGIN)
    return notebook


def test_a_cell_takes_the_place_of_its_earlier_run_edited_or_not_and_of_no_other_cell(marimo):
    marimo.cell("A", "helper('a'); strategy('s')")
    marimo.cell("B", "helper('a'); strategy('s')")
    assert marimo.look() == [["a", "s"], 4, []]
    marimo.cell("A", "helper('new')")
    marimo.cell("A", "helper('new')")
    assert marimo.look() == [["a", "new", "s"], 3, []]


def test_what_raised_attaches_nothing_and_its_earlier_run_goes_on(marimo):
    marimo.cell("A", "helper('old')")
    marimo.cell("A", "helper('new'); 1 / 0")
    assert marimo.look()[:2] == [["old"], 1]
    marimo.cell("A", "helper('mended')")
    assert marimo.look()[:2] == [["mended"], 1]


def test_a_cell_that_awaits_is_one(marimo):
    for name in "ab":
        marimo.cell("A", f"helper('{name}1')\nawait asyncio.sleep(0.01)\nhelper('{name}2')")
    assert marimo.look()[:2] == [["b1", "b2"], 2]


@pytest.mark.parametrize("thread", ["threading.Thread", "mo.Thread"])
def test_a_thread_belongs_to_no_cell(marimo, thread):
    for name in "ab":
        marimo.cell("A", f"_thread = {thread}(target=strategy, args=['{name}']); _thread.start(); _thread.join()")
    heard, count, told = marimo.look()
    assert (heard, count, len(told)) == (["a", "b"], 2, 1)
