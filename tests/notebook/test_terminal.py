"""In IPython's terminal the same source text is the same cell; in a plain script nothing is replaced."""

import json
import subprocess
import sys

import pytest

pytestmark = [pytest.mark.kernel, pytest.mark.timeout(120)]

BEGIN = """
import collections, json, threading
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
END = """
exchange.advance(30)
print("\\n" + json.dumps([sorted(heard), len(feed.pipelines), list(feed.health().warnings), repr(feed.pipelines[0])]))
feed.close(); exchange.close()
"""
SHELL = """
import json, sys
from IPython.terminal.interactiveshell import TerminalInteractiveShell
shell = TerminalInteractiveShell.instance(simple_prompt=True)
shell.history_manager.enabled = False
for each in json.loads(sys.argv[1]):
    shell.run_cell(each, store_history=True)
"""


def last_line(arguments, folder):
    done = subprocess.run(
        [sys.executable, *arguments], cwd=folder, capture_output=True, text=True, timeout=100, check=False
    )
    assert done.stdout, done.stderr
    return json.loads(done.stdout.strip().splitlines()[-1])


@pytest.fixture
def terminal(tmp_path):
    return lambda *cells: last_line(["-c", SHELL, json.dumps([BEGIN, *cells, END])], tmp_path)


@pytest.fixture
def script(tmp_path):
    def run(*parts):
        (tmp_path / "script.py").write_text("\n".join([BEGIN, *parts, END]))
        return last_line(["script.py"], tmp_path)

    return run


def test_the_same_text_run_again_takes_the_place_of_its_earlier_run(terminal):
    heard, count, told, text = terminal("helper('a')", "helper('b')\n", "helper('a')", "  helper('b')", "helper('a')")
    assert (heard, count, told) == (["a", "b"], 2, [])
    assert "called in Cell In[" in text or "attached in Cell In[" in text


def test_another_text_is_another_cell_whatever_it_calls(terminal):
    heard, count, told, _ = terminal(
        "strategy('a')", "strategy('b'); 1", "strategy('b')", "for _ in 'xy': strategy('c')"
    )
    assert (heard, count, told) == (["a", "b", "c"], 5, [])


def test_what_raised_attaches_nothing_and_its_earlier_run_goes_on(terminal):
    code = "helper(names.pop()); 1 / bool(names)"
    heard, count, _, _ = terminal("names = ['new', 'old']", code, code)
    assert (heard, count) == (["old"], 1)


def test_a_cell_that_runs_others_is_not_their_text(terminal):
    # As %paste does, whose own text is always the same.
    paste = "get_ipython().run_cell(texts.pop())"
    heard, count, _, _ = terminal("texts = [\"helper('a')\", \"helper('b')\", \"helper('a')\"]", paste, paste, paste)
    assert (heard, count) == (["a", "b"], 2)


def test_a_thread_belongs_to_no_text(terminal):
    code = "thread = threading.Thread(target=strategy, args=['a']); thread.start(); thread.join()"
    heard, count, told, _ = terminal(code, code)
    assert (heard, count, len(told)) == (["a"], 2, 1)


def test_a_cell_that_awaits_is_one(terminal):
    code = "import asyncio\nhelper('a')\nawait asyncio.sleep(0.01)\nhelper('b')"
    assert terminal(code, code)[:2] == [["a", "b"], 2]


def test_a_script_replaces_nothing_and_says_what_is_there_twice(script):
    heard, count, told, text = script("for each in 'abc': strategy(each)", "for each in 'de': helper(each)")
    assert (heard, count) == (["a", "b", "c", "d", "e"], 5)
    (told,) = told
    assert told.startswith("3 callbacks 'strategy.<locals>.on_trade' on trade, all markets, are attached")
    assert "attached in script.py, line " in text


def test_in_a_script_a_name_takes_the_place_of_itself(script):
    heard, count, told, _ = script(
        "for each in 'abc': feed.on('trade', name='one')(into(each))",
        "for each in 'de': feed.stream('trade', name=each).sink(into(each))",
    )
    assert (heard, count, told) == (["c", "d", "e"], 3, [])


def test_the_end_of_a_feed_prints_no_view_once_more(tmp_path):
    end = "import time; print('END'); feed.close(); time.sleep(2)"  # views end on a thread of their own
    cells = [BEGIN, "exchange.advance(30); feed.trades()", "feed.trades()", end]
    done = subprocess.run(
        [sys.executable, "-c", SHELL, json.dumps(cells)], cwd=tmp_path, capture_output=True, text=True, timeout=100
    )
    before, after = done.stdout.split("END\n")
    assert before.count("Trades of all markets") == 2, done.stderr
    assert "Trades of all markets" not in after
