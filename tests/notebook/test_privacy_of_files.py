"""Notebooks that are executed without a page, as files: no order, fill or position in their bytes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.widgets.own import LEFT, SECRETS, TICKER

pytestmark = [pytest.mark.kernel, pytest.mark.timeout(300)]

ROOT = Path(__file__).parents[2]
BEGIN = f"""
import sys, time
sys.path.insert(0, {str(ROOT)!r})
import kalshi_nb as kn
from tests.widgets.own import TICKER, tell
exchange = kn.sim.Exchange(seed=7, clock="manual")
feed = kn.connect(exchange)
book = feed.book(TICKER).wait()
feed.orders(), feed.fills(), feed.positions();
tell(exchange)
"""
SHOWN = ("feed.fills()", "feed.orders()", "feed.positions()", "book", "kn.show(book, levels=3, side='no');")
LATER = "tell(exchange, left='731.37'); time.sleep(1)"
CLOSED = "feed.fills()._live_view().close(); time.sleep(0.5)"


def notebook(*cells):
    import nbformat  # it takes seconds, and is needed here alone

    made = nbformat.v4.new_notebook()
    made.cells = [nbformat.v4.new_code_cell(cell) for cell in cells]
    return made


def execute(made, folder):
    from nbclient import NotebookClient

    NotebookClient(made, timeout=120, kernel_name="python3").execute(cwd=str(folder), env=dict(os.environ))


def found(text):
    return [each for each in SECRETS if each.rstrip("0") in text]


def states(executed):
    return [
        each["state"]["picture"]
        for each in executed["metadata"]["widgets"]["application/vnd.jupyter.widget-state+json"]["state"].values()
        if "picture" in each["state"]
    ]


def test_a_notebook_that_nbclient_executes_holds_nothing_of_ones_own(tmp_path):
    made = notebook(BEGIN, *SHOWN, LATER, CLOSED)
    execute(made, tmp_path)
    text = json.dumps(made)
    assert found("".join(cell["source"] for cell in made.cells[1:6])) == []
    made.cells = made.cells[1:6]  # what was typed is the reader's own affair
    assert found(json.dumps(made)) == []
    pictures = states(json.loads(text))
    assert {each["kind"] for each in pictures} == {"account", "ladder"}
    assert all(each.get("orders", []) == each.get("fills", []) == [] for each in pictures)
    assert any(each["bids"] for each in pictures if each["kind"] == "ladder")
    assert all(section["rows"] == [] for each in pictures for section in each.get("sections", {}).values())


def test_what_its_owner_calls_private_is_in_the_file(tmp_path):
    """Or the test above would see nothing anywhere."""
    made = notebook(BEGIN, *(f"kn.show({each}, private=True);" for each in SHOWN[:3]), LATER)
    execute(made, tmp_path)
    made.cells = made.cells[1:4]
    assert LEFT in found(json.dumps(made))


@pytest.mark.matrix
def test_a_notebook_that_nbconvert_executes_and_the_page_it_makes_of_it_hold_nothing_of_ones_own(tmp_path):
    made = notebook(BEGIN, *SHOWN, LATER.replace("731.37", "31.37"))
    (tmp_path / "account.ipynb").write_text(json.dumps(made))
    for words in (
        ["--execute", "--to", "notebook", "--output", "done", "account.ipynb"],
        ["--to", "html", "done.ipynb"],
    ):
        subprocess.run([sys.executable, "-m", "nbconvert", *words], check=True, cwd=tmp_path, capture_output=True)
    for name in ("done.ipynb", "done.html"):
        text = (tmp_path / name).read_text(encoding="utf-8")
        assert TICKER in text
        assert found(text) == []
        assert "left out of what a notebook stores" in text
