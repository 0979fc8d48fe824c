"""In a real ipykernel: what a cell attached goes when the cell runs again, and nothing else ever does."""

import time

import pytest

from tests.notebook.front_end import FrontEnd

pytestmark = [pytest.mark.kernel, pytest.mark.timeout(300)]

BEGIN = """
import asyncio, collections, threading, time
import kalshi_nb as kn
try:
    exchange.close(); feed.close()
except NameError:
    pass
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

def now():
    "Which names are heard from now on."
    heard.clear()
    exchange.advance(30)
    return sorted(heard)
"""


@pytest.fixture(scope="module")
def started(tmp_path_factory):
    made = FrontEnd(tmp_path_factory.mktemp("notebook"))
    yield made
    made.close()


@pytest.fixture
def lab(started):
    started.cell("begin", BEGIN)
    return started


def test_an_edited_cell_takes_the_place_of_what_it_was(lab):
    lab.cell("A", "feed.stream('trade').sink(into('old'))")
    assert lab.ask("now()") == ["old"]
    lab.cell("A", "# a line more\nfeed.stream('trade', exact=True).map(lambda df: df).sink(into('new'))")
    assert lab.ask("now()") == ["new"]
    assert lab.ask("len(feed.pipelines)") == 1


def test_an_edited_callback_takes_the_place_of_what_it_was_under_another_name_and_for_other_markets(lab):
    lab.cell("A", "@feed.on('trade')\ndef old(trade): heard['old'] += 1")
    lab.cell("A", "@feed.on('trade', exchange.market_tickers)\ndef new(trade): heard['new'] += 1")
    assert lab.ask("now()") == ["new"]


def test_an_edited_alert_takes_the_place_of_what_it_was(lab):
    lab.cell("B", "market, turns = exchange.market_tickers[0], collections.Counter()")
    lab.cell("C", "def now_and_then(name):\n    turns[name] += 1\n    return turns[name] % 2")
    for name, more in (("old", ""), ("new", "# a line more\n")):
        lab.cell("A", f"{more}feed.when(lambda top: now_and_then({name!r}), into({name!r}), market)")
        assert lab.ask("now()") == [name]
    assert lab.ask("len(feed.pipelines)") == 1


def test_a_cell_run_many_times_has_one_of_each(lab):
    for _ in range(5):
        lab.cell("A", "feed.stream('trade').sink(into('a')); feed.messages('trade').sink(into('b')); strategy('c')")
    assert lab.ask("now()") == ["a", "b", "c"]
    assert lab.ask("len(feed.pipelines)") == 3
    assert lab.ask("len(set(heard.values()) - {heard['a'], heard['c']})") == 0  # none twice


def test_a_helper_called_from_two_cells_makes_two_pipelines(lab):
    lab.cell("A", "helper('a')")
    lab.cell("B", "helper('b')")
    assert lab.ask("now()") == ["a", "b"]
    lab.cell("A", "helper('again')")
    assert lab.ask("now()") == ["again", "b"]


def test_an_imported_helper_does_so_too(lab):
    lab.cell(
        "begin too",
        "import pathlib\n"
        "pathlib.Path('helpers.py').write_text('def attach(feed, f):\\n    feed.messages(\"trade\").sink(f)\\n')\n"
        "from helpers import attach",
    )
    for cell in "ABB":
        lab.cell(cell, f"attach(feed, into('{cell}'))")
    assert lab.ask("now()") == ["A", "B"]
    assert "helpers.py, line 2, called in Cell In[" in lab.ask("repr(feed.pipelines[0])")


def test_two_cells_with_the_same_text_are_two(lab):
    for cell in "ABA":
        lab.cell(cell, "feed.stream('trade').sink(into('same'))")
    assert lab.ask("len(feed.pipelines)") == 2


def test_a_factory_called_for_several_strategies_in_one_run_attaches_all_of_them(lab):
    for _ in range(3):
        lab.cell("A", "for name in 'abc': strategy(name)")
    assert lab.ask("now()") == ["a", "b", "c"]
    assert lab.ask("len(feed.pipelines)") == 3
    assert lab.ask("feed.health().warnings") == []


@pytest.mark.parametrize("trouble", ["1 / 0", "await asyncio.sleep(0); 1 / 0"])
def test_a_cell_that_raises_attaches_nothing_and_its_earlier_run_goes_on(lab, trouble):
    lab.cell("A", "helper('old')")
    told = lab.cell("A", f"helper('new')\nstrategy('new')\n{trouble}", raises="ZeroDivisionError")
    assert "what it attached is closed again" in told
    assert "What its earlier run attached goes on" in told
    assert lab.ask("now()") == ["old"]
    lab.cell("A", "helper('mended')")
    assert lab.ask("now()") == ["mended"]


def test_a_cell_that_raised_at_first_leaves_nothing_to_be_doubled(lab):
    told = lab.cell("A", "helper('a'); 1 / 0", raises="ZeroDivisionError")
    assert "closed again" in told
    assert "earlier" not in told
    assert lab.ask("now()") == []
    lab.cell("A", "helper('a')")
    assert lab.ask("len(feed.pipelines)") == 1


@pytest.mark.parametrize(
    ("waits", "name"), [("time.sleep(30)", "KeyboardInterrupt"), ("await asyncio.sleep(5)", "CancelledError")]
)
def test_a_cell_that_is_interrupted_attaches_nothing_and_its_earlier_run_goes_on(lab, waits, name):
    lab.cell("A", "helper('old')")
    request = lab.send(f"helper('new')\nprint('there', flush=True)\n{waits}", "A")
    time.sleep(1)  # until it waits
    lab.manager.interrupt_kernel()
    _, errors, _ = lab.heard(request)
    assert errors == [name] or errors == ["KeyboardInterrupt"]
    assert lab.ask("now()") == ["old"]
    lab.cell("A", "helper('again')")
    assert lab.ask("now()") == ["again"]


def test_a_cell_that_waits_for_something_is_the_same_cell_before_and_after(lab):
    for name in "ab":
        lab.cell("A", f"helper('{name}1')\nawait asyncio.sleep(0.05)\nhelper('{name}2')")
    assert lab.ask("now()") == ["b1", "b2"]


@pytest.mark.parametrize(
    "within",
    ["exec(\"helper('{0}')\")", "%time helper('{0}')", "get_ipython().run_cell(\"helper('{0}')\")", "%run -i {0}.py"],
    ids=["exec", "time", "run_cell", "run"],
)
def test_what_a_cell_runs_by_other_means_is_its_own(lab, within):
    lab.cell("files", "import pathlib\nfor n in 'ab': pathlib.Path(n + '.py').write_text(f\"helper('{n}')\")")
    for name in "ab":
        lab.cell("A", f"helper('{name}')\n" + within.format(name))
    assert lab.ask("now()") == ["b"]
    assert lab.ask("len(feed.pipelines)") == 2
    lab.cell("A", "%%time\nhelper('timed')")
    assert lab.ask("now()") == ["timed"]


def test_a_cell_that_shows_a_traceback_and_goes_on_did_not_end_well(lab):
    lab.cell("A", "helper('old')")
    written = lab.heard(lab.send("%%time\nhelper('new')\n1 / 0", "A"))[2]
    assert "closed again" in written
    assert lab.ask("now()") == ["old"]


def test_a_refusal_that_the_cell_caught_is_its_own_affair(lab):
    lab.cell(
        "refuse", "exchange.close(); feed.close()\nexchange = kn.sim.Exchange(clock='manual', unknown_markets='error')"
    )
    lab.cell("refuse too", "feed = kn.connect(exchange)")
    code = """
helper('{0}')
try:
    feed.on('orderbook_delta', 'KXNOSUCH-26NOV22-B1')(into('none'))
except kn.errors.SubscriptionError:
    pass
"""
    for name in "ab":
        assert "closed" not in lab.cell("A", code.format(name))
    assert lab.ask("now()") == ["b"]


def test_a_run_that_attaches_nothing_closes_nothing(lab):
    lab.cell("A", "helper('a')")
    lab.cell("A", "1 + 1")
    assert lab.ask("now()") == ["a"]
    lab.cell("A", "helper('b')")
    assert lab.ask("now()") == ["b"]


def test_a_run_that_let_go_of_what_it_attached_closes_the_earlier_all_the_same(lab):
    lab.cell("A", "helper('a')")
    lab.cell("A", "feed.stream('trade').pipeline.close()")
    assert lab.ask("now()") == []


def test_it_holds_from_one_feed_to_the_next(lab):
    lab.cell("A", "helper('old')")
    lab.cell("A", "other = kn.connect(exchange, new=True)\nother.stream('trade').sink(into('new'))")
    assert lab.ask("now()") == ["new"]
    lab.cell("end", "other.close()")


@pytest.mark.parametrize("cell", [None, "A"])
def test_what_another_thread_attaches_belongs_to_no_cell(lab, cell):
    code = "thread = threading.Thread(target=strategy, args=['{0}']); thread.start(); thread.join()"
    for name in "ab":
        lab.cell("A", code.format(name))
    assert lab.ask("now()") == ["a", "b"]
    (told,) = lab.ask("feed.health().warnings")
    assert "2 callbacks 'strategy.<locals>.on_trade' on trade, all markets" in told
    assert "name=" in told


def test_what_a_task_attaches_that_a_cell_left_behind_belongs_to_no_cell(lab):
    code = """
async def later(name):
    await asyncio.sleep(0.1)
    helper(name)
task = asyncio.create_task(later('{0}'))
"""
    for name in "ab":
        lab.cell("A", code.format(name))
        lab.cell("B", f"helper('beside {name}')\nawait task")
    assert lab.ask("now()") == ["a", "b", "beside b"]


def test_what_a_widgets_callback_attaches_belongs_to_no_cell(lab):
    lab.cell(
        "A",
        "import ipywidgets\nbutton = ipywidgets.Button()\nbutton.on_click(lambda _: strategy('clicked'))\nhelper('a')",
    )
    comm_id = lab.ask("button.comm.comm_id")
    lab.click(comm_id)
    lab.click(comm_id)
    assert lab.ask("len(feed.pipelines)") == 3
    assert len(lab.ask("feed.health().warnings")) == 1
    lab.cell("A", "helper('b')")
    assert lab.ask("now()") == ["b", "clicked"]


def test_a_click_while_a_cell_waits_belongs_to_no_cell(lab):
    lab.cell(
        "buttons",
        "import ipywidgets\n"
        "button, clicked = ipywidgets.Button(), asyncio.Event()\n"
        "button.on_click(lambda _: (strategy('clicked'), clicked.set()))",
    )
    comm_id = lab.ask("button.comm.comm_id")
    # Kernels differ in whether they let a click in while a cell waits, or after it.
    waits = "helper('a')\ntry:\n    await asyncio.wait_for(clicked.wait(), 2)\nexcept TimeoutError:\n    pass"
    request = lab.send(waits, "A")
    lab.press(comm_id)
    lab.heard(request)
    lab.cell("B", "await asyncio.wait_for(clicked.wait(), 10)")
    lab.cell("A", "helper('b')")
    assert lab.ask("now()") == ["b", "clicked"]


def test_where_nothing_names_the_cell_nothing_is_replaced_and_that_is_told(lab):
    for _ in range(3):
        lab.cell(None, "strategy('a'); helper('a')")
    assert lab.ask("len(feed.pipelines)") == 6
    (told,) = lab.ask("feed.health().warnings")
    assert told.startswith("3 callbacks")
    lab.cell(None, "for each in feed.pipelines[1:]: each.close()")
    assert lab.ask("feed.health().warnings") == []


def test_a_function_that_another_cell_defines_anew_is_told_since_some_front_ends_call_each_run_a_cell(lab):
    code = "@feed.on('trade')\ndef on_trade(trade): heard['{0}'] += 1\nlen(feed.health().warnings)"
    for cell in "AAB":
        lab.cell(cell, code.format(cell))
        assert lab.ask("len(feed.health().warnings)") == (cell == "B")
    assert lab.ask("now()") == ["A", "B"]


def test_a_silent_request_is_no_run_of_a_cell(lab):
    lab.cell("A", "helper('a')")
    lab.cell("A", "helper('silent')", silent=True)
    lab.cell("B", "helper('b')")
    lab.cell("B", "helper('b2')")
    assert lab.ask("now()") == ["a", "b2", "silent"]


def test_a_name_takes_the_place_of_the_same_name_wherever_that_was_attached(lab):
    for cell in "AB":
        lab.cell(cell, f"feed.on('trade', name='mine')(into('{cell}'))")
    assert lab.ask("now()") == ["B"]
    lab.cell("C", "feed.stream('trade', name='mine').sink(into('C')); 1 / 0", raises="ZeroDivisionError")
    assert lab.ask("now()") == ["B"]
    lab.cell("C", "feed.messages('trade', name='mine').sink(into('C'))")
    lab.cell("C", "for n in 'xyz': feed.messages('trade', name='mine').sink(into(n))")
    assert lab.ask("now()") == ["z"]
    assert lab.ask("[each.name for each in feed.pipelines]") == ["mine"]


def test_the_repr_says_where_a_pipeline_was_attached(lab):
    lab.cell("A", "1\nfeed.on('trade')(print)")
    lab.cell(None, "strategy('s')")
    one, two = lab.ask("[repr(each) for each in feed.pipelines]")
    assert "attached in Cell In[" in one
    assert ", line 2: running" in one
    assert "attached in Cell In[" in two
    lab.cell("end", "feed.pipelines[0].close()")


def test_frames_and_books_are_the_same_handles_whichever_cell_asks(lab):
    for cell in "AAB":
        lab.cell(cell, "frame, book = feed.trades(), feed.book(exchange.market_tickers[0])\n1")
    assert lab.ask("[len(feed._parts.frames), len(feed._books), len(feed.pipelines)]") == [1, 1, 0]


def test_the_end_of_a_with_closes_the_cells_own_frame_and_none_that_another_cell_asked_for(lab):
    use = "with feed.trades() as frame:\n    exchange.advance(5)"
    for _ in range(3):
        lab.cell("A", use)
        assert lab.ask("'it is closed' in repr(frame)") is True
    for _ in range(2):
        lab.cell("B", "mine = feed.trades()")
    lab.cell("A", use)
    assert lab.ask("[frame is mine, 'it is closed' in repr(mine)]") == [True, False]
    lab.cell("C", "with mine:\n    pass")  # the two runs of B are one who asked
    assert lab.ask("'it is closed' in repr(mine)") is True


def test_a_pipeline_that_its_cell_does_not_keep_is_told_of_with_its_cell(lab):
    lab.cell("A", "feed.stream('trade').map(len)\nkept = feed.stream('ticker').map(len)")
    lab.ask("now()")
    (told,) = lab.ask("list(feed.health().warnings)")
    assert "a pipeline on trade, attached in Cell In[" in told
    lab.cell("A", "rows = feed.stream('trade').map(len)\nkept = feed.stream('ticker').map(len)")
    assert lab.ask("list(feed.health().warnings)") == []


def test_a_wait_that_is_awaited_in_a_cell_says_to_leave_that_out(lab):
    lab.cell("A", "trades = feed.trades()\nexchange.advance(10)")
    lab.cell("B", "try:\n    await trades.wait()\nexcept TypeError as problem:\n    told = str(problem)")
    assert "Write it without await" in lab.ask("told")
