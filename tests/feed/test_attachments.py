"""What takes the place of what where no notebook runs: nothing but a name; and a stand-in for marimo's context."""

import functools
import sys
import threading
import types

import pytest

import kalshi_nb as kn
from kalshi_nb import errors
from tests.feed.conftest import until

MARKET = "KXHIGHNY-26NOV22-B52.5"


def attach(feed, into, **more):
    @feed.on("trade", **more)
    def seen(trade):
        into.append(trade)


def test_callbacks_of_one_name_are_all_called_and_that_there_are_several_is_told(feed, exchange):
    found = [], [], []
    for each in found:
        attach(feed, each)
    exchange.advance(30)
    assert len(found[0]) == len(found[1]) == len(found[2]) > 0
    (told,) = feed.health().warnings
    assert told.startswith(
        "3 callbacks 'attach.<locals>.seen' on trade, all markets, are attached, and each is called"
    )
    assert "name=" in told
    for each in feed.pipelines[:2]:
        each.close()
    assert feed.health().warnings == ()


def test_what_only_looks_alike_is_not_told(feed):
    class Strategy:
        def on_trade(self, trade):
            pass

    for strategy in (Strategy(), Strategy()):
        feed.on("trade")(strategy.on_trade)
        feed.on("trade")(lambda trade: None)
        feed.on("trade")(functools.partial(print, strategy))
    for markets in (None, MARKET):
        attach(feed, [], market_tickers=markets)
    for name in ("one", "two"):
        attach(feed, [], name=name)
    feed.stream("trade").sink(print)
    feed.stream("trade").sink(print)
    assert feed.health().warnings == ()


def test_one_method_of_one_object_attached_twice_is_told(feed):
    found = []
    for _ in range(2):
        feed.on("ticker", MARKET)(found.append)
    (told,) = feed.health().warnings
    assert f"2 callbacks 'list.append' on ticker, {MARKET}" in told


@pytest.mark.parametrize("kind", ["stream", "messages", "on"])
def test_a_name_takes_the_place_of_the_same_name_whatever_its_kind(feed, exchange, kind):
    old, other, new = [], [], []
    attach(feed, old, name="mine")
    attach(feed, other)
    exchange.advance(20)
    if kind == "on":
        feed.on("trade", MARKET, name="mine")(new.append)
    else:
        sink = getattr(feed, kind)("trade", MARKET, name="mine").sink(new.append)
        assert sink.upstreams[0].pipeline.name == "mine"
    exchange.advance(60)
    assert new
    assert [each.name for each in feed.pipelines] == ["seen", "mine"]
    assert 0 < len(old) < len(other)


def test_a_name_that_another_feed_has_is_another(feed, exchange):
    with kn.connect(exchange, new=True) as other:
        attach(feed, [], name="mine")
        attach(other, [], name="mine")
        assert len(feed.pipelines) == len(other.pipelines) == 1


def test_what_the_exchange_refuses_takes_no_place():
    with kn.sim.Exchange(seed=7, clock="manual", unknown_markets="error") as exchange, kn.connect(exchange) as feed:
        found = []
        feed.on("orderbook_delta", MARKET, name="mine")(found.append)
        with pytest.raises(errors.SubscriptionError):
            feed.on("orderbook_delta", "KXNOSUCH-26NOV22-B1", name="mine")(found.append)
        exchange.advance(20)
        assert len(found) > 1
        assert [each.market_tickers for each in feed.pipelines] == [{MARKET}]


@pytest.mark.parametrize("name", ["", "  ", 5, b"x"])
def test_a_name_is_a_text(feed, name):
    for ask in (
        lambda: feed.stream("trade", name=name),
        lambda: feed.messages("trade", name=name),
        lambda: feed.on("trade", name=name)(print),
    ):
        with pytest.raises(errors.ConfigurationError, match="name="):
            ask()
    assert feed.pipelines == []


def test_the_repr_says_in_which_file_and_line_a_pipeline_was_attached(feed):
    held = feed.stream("trade")
    line = sys._getframe().f_lineno - 1
    assert f", attached in test_attachments.py, line {line}: running" in repr(held.pipeline)
    assert held.pipeline.origin == f"test_attachments.py, line {line}"


class Execution:
    """What marimo keeps of the run of a cell, as far as the kit looks at it."""

    def __init__(self, cell_id, *, setting_element_value=False):
        self.cell_id = cell_id
        self.setting_element_value = setting_element_value


class Context(threading.local):
    """What marimo knows of a notebook, as far as the kit looks at it: the run, and how runs ended."""

    execution_context = None
    graph = types.SimpleNamespace(cells={})

    def run(self, cell_id, code, ends="success", **more):
        self.execution_context = Execution(cell_id, **more)
        code()
        self.graph.cells[cell_id] = types.SimpleNamespace(run_result_status=ends)
        self.execution_context = None


@pytest.fixture
def context(monkeypatch):
    made = Context()
    module = types.ModuleType("marimo._runtime.context")

    def get_context():
        if threading.current_thread() is not threading.main_thread():
            raise RuntimeError("no notebook here")
        return made

    module.get_context = get_context
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return made


def test_with_a_stand_in_for_marimos_context_a_cell_takes_the_place_of_its_earlier_run(feed, exchange, context):
    found = {each: [] for each in ("a", "b", "other", "failed", "clicked", "thread")}
    context.run("A", lambda: attach(feed, found["a"]))
    context.run("B", lambda: attach(feed, found["other"]))
    context.run("A", lambda: (attach(feed, found["b"]), attach(feed, found["b"])))
    with pytest.warns(errors.PipelineWarning, match="closed again: 'seen'. What its earlier run attached goes on"):
        context.run("A", lambda: attach(feed, found["failed"]), ends="exception")
    for _ in range(2):
        context.run("A", lambda: attach(feed, found["clicked"]), setting_element_value=True)
    attach(feed, found["clicked"])  # between two runs
    thread = threading.Thread(target=lambda: attach(feed, found["thread"]))
    context.run("B", lambda: (thread.start(), thread.join()))
    exchange.advance(30)
    rows = len(found["other"])
    assert rows
    assert {name: len(each) // rows for name, each in found.items()} == {
        "a": 0,
        "b": 2,
        "other": 1,
        "failed": 0,
        "clicked": 3,
        "thread": 1,
    }
    until(lambda: len(feed.health().warnings) == 1, "those of no cell are told")
