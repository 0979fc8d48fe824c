from __future__ import annotations

import threading

import polars as pl
import pytest
import streamz.core
from streamz import Stream

from kalshi_nb._frames.batch import Batch
from kalshi_nb._streams.graph import Downstreams
from kalshi_nb.errors import PipelineError
from tests.streams.conftest import deliver_to_users, trade

LOOP_BOUND = {
    "buffer": lambda s: s.buffer(5),
    "timed_window": lambda s: s.timed_window(0.1),
    "timed_window_unique": lambda s: s.timed_window_unique(0.1),
    "latest": lambda s: s.latest(),
    "delay": lambda s: s.delay(0.1),
    "rate_limit": lambda s: s.rate_limit(0.1),
    "partition": lambda s: s.partition(5, timeout=0.1),
}


def batch(*numbers):
    return Batch("trade", [trade(n) for n in numbers])


def nothing(x):
    return x


def descend(node, depth):
    for _ in range(depth):
        node = node.map(nothing)
    return node


@pytest.mark.parametrize("depth", [0, 1, 3])
@pytest.mark.parametrize("name", LOOP_BOUND)
def test_nodes_with_a_loop_are_refused_at_every_depth_and_start_no_thread(pipelines, name, depth):
    source = pipelines.stream("trade")
    node = descend(source, depth)
    threads, loops = set(threading.enumerate()), list(streamz.core._io_loops)
    for _ in range(2):  # once refused, a node must not slip through at the second try
        with pytest.raises(PipelineError, match=r"throttle\(seconds\).*rolling_frame\(seconds"):
            LOOP_BOUND[name](node)
    with pytest.raises(PipelineError):
        LOOP_BOUND[name](node.map(nothing))
    assert set(threading.enumerate()) == threads
    assert streamz.core._io_loops == loops
    assert node.loop is None
    assert node.asynchronous is None
    seen = []
    node.sink(seen.append)
    deliver_to_users(pipelines, batch(1))
    assert len(seen) == 1
    assert source.pipeline.errors == 0


def test_map_async_is_refused_too(pipelines):
    async def later(x):
        return x

    source = pipelines.stream("trade")
    with pytest.raises(PipelineError, match="map_async"):
        source.map_async(later)


def test_a_node_that_brings_a_loop_from_elsewhere_is_refused(pipelines):
    other = Stream()
    other.loop = object()  # as a stream has it that somebody put a buffer() on
    source = pipelines.stream("trade")
    with pytest.raises(PipelineError, match="event loop"):
        source.map(nothing).union(other)
    with pytest.raises(PipelineError, match="event loop"):
        source.connect(other)
    seen = []
    source.sink(seen.append)
    deliver_to_users(pipelines, batch(1))
    assert len(seen) == 1


def test_nobody_but_the_feed_emits(pipelines):
    with pytest.raises(PipelineError, match="Only the feed emits"):
        pipelines.stream("trade").emit(1)


def test_sources_and_own_nodes_have_a_cheap_display_and_streamz_keeps_its_own(pipelines):
    source = pipelines.stream("trade", name="mine")
    frame = source.rolling_frame()
    slow = source.throttle(1)
    for node in (source, slow):
        assert node._ipython_display_ is None
    assert type(frame)._ipython_display_ is not Stream._ipython_display_
    for node in (source, frame, slow):
        assert "0x" not in repr(node)
        assert str(node) == repr(node)
    assert repr(source) == "<stream 'mine' on trade, all markets>"
    assert callable(Stream._ipython_display_)
    assert not _widgets_loaded_by_repr(frame)


def _widgets_loaded_by_repr(frame):
    before = len(list(frame.downstreams))
    frame._repr_html_()
    return len(list(frame.downstreams)) - before


def test_every_node_directly_below_a_source_gets_the_batch_whichever_raises(pipelines):
    source = pipelines.stream("trade")
    seen = []
    source.sink(lambda x: 1 / 0)
    source.sink(seen.append)
    deliver_to_users(pipelines, batch(1, 2))
    assert [df.height for df in seen] == [2]
    assert isinstance(source.pipeline.last_error.error, ZeroDivisionError)


def test_a_sink_that_turns_out_to_be_async_is_an_error_that_says_so(pipelines):
    async def sink(x):
        pass

    source = pipelines.stream("trade")
    source.map(nothing).sink(lambda x: sink(x.head(1)))
    deliver_to_users(pipelines, batch(1))
    assert "async function" in str(source.pipeline.last_error.error)
    assert "feed.listen" in str(source.pipeline.last_error.error)


def test_cells_attach_at_every_depth_while_batches_flow_and_none_is_lost(pipelines, hectic):
    source = pipelines.stream("trade")
    levels = [source]
    for _ in range(3):
        levels.append(levels[-1].map(nothing))
    counted = []
    levels[-1].sink(lambda df: counted.append(df.height))
    batches, nodes = 400, 1_000
    stop = threading.Event()
    errors = []

    def attach(level):
        kept = []
        try:
            for _ in range(nodes):
                kept.append(level.map(nothing))
                if len(kept) % 3 == 0:
                    kept.pop(0).destroy()
                if len(kept) > 20:
                    del kept[:10]  # these go by the collector, in the middle of an emission
        except Exception as error:
            errors.append(error)

    def emit():
        one = batch(1)
        while not stop.is_set() or len(counted) < batches:
            deliver_to_users(pipelines, one)

    emitter = threading.Thread(target=emit)
    attachers = [threading.Thread(target=attach, args=(level,)) for level in levels]
    for each in (emitter, *attachers):
        each.start()
    for each in attachers:
        each.join(60)
    stop.set()
    emitter.join(60)
    assert not errors
    assert source.pipeline.errors == 0
    assert len(counted) == source.pipeline.batches >= batches
    assert all(isinstance(level.downstreams, Downstreams) for level in levels)


def test_a_thousand_nodes_attached_from_another_thread_all_get_the_next_batch(pipelines, hectic):
    source = pipelines.stream("trade")
    seen = []
    nodes = []
    thread = threading.Thread(
        target=lambda: nodes.extend(source.map(lambda df, n=n: seen.append(n)) for n in range(1_000))
    )
    thread.start()
    while thread.is_alive():
        deliver_to_users(pipelines, batch(1))
    seen.clear()
    deliver_to_users(pipelines, batch(2))
    assert seen == list(range(1_000))
    assert source.pipeline.errors == 0


def test_a_graph_that_was_built_before_is_safe_once_it_is_connected(pipelines):
    top = Stream()
    seen = []
    below = top.map(nothing)
    sink = below.sink(seen.append)
    source = pipelines.stream("trade")
    source.connect(top)
    assert all(isinstance(node.downstreams, Downstreams) for node in (top, below, sink))
    deliver_to_users(pipelines, batch(1))
    assert [df.height for df in seen] == [1]
    source.pipeline.close()


def test_a_node_that_takes_itself_out_is_no_error(pipelines):
    source = pipelines.stream("trade")
    seen = []
    source.slice(end=2).sink(seen.append)
    for number in range(4):
        deliver_to_users(pipelines, batch(number))
    assert len(seen) == 2
    assert source.pipeline.errors == 0
    source.pipeline.close()


def test_streamz_nodes_work_as_ever_below_a_source(pipelines):
    source = pipelines.stream("trade")
    heights = source.map(lambda df: df.height)
    out = {name: [] for name in ("accumulate", "window", "filter", "zip", "union", "flatten", "unique")}
    heights.accumulate(lambda a, b: a + b).sink(out["accumulate"].append)
    heights.sliding_window(2, return_partial=False).sink(out["window"].append)
    heights.filter(lambda n: n > 1).sink(out["filter"].append)
    heights.zip(source.map(lambda df: df["seq"][0])).sink(out["zip"].append)
    heights.union(source.map(lambda df: -df.height)).sink(out["union"].append)
    heights.map(lambda n: [n, n]).flatten().sink(out["flatten"].append)
    heights.unique().sink(out["unique"].append)
    for numbers in ((1,), (2, 3), (4,)):
        deliver_to_users(pipelines, batch(*numbers))
    assert source.pipeline.errors == 0
    assert out == {
        "accumulate": [1, 3, 4],
        "window": [(1, 2), (2, 1)],
        "filter": [2],
        "zip": [(1, 1), (2, 2), (1, 4)],
        "union": [1, -1, 2, -2, 1, -1],
        "flatten": [1, 1, 2, 2, 1, 1],
        "unique": [1, 2],
    }


def test_downstreams_are_a_set_of_weak_references_in_order():
    admitted = []
    nodes = [Stream() for _ in range(3)]
    held = Downstreams(admitted.append, nodes)
    held.add(nodes[0])
    assert list(held) == nodes
    assert len(held) == 3
    assert nodes[1] in held
    assert Stream() not in held
    held.remove(nodes[1])
    held.remove(nodes[1])
    assert list(held) == [nodes[0], nodes[2]]
    del nodes[0]
    admitted.clear()
    assert list(held) == [nodes[1]]
    assert len(held._references) == 1


def test_a_frame_that_one_pipeline_changes_in_place_is_whole_for_the_others(pipelines):
    first, second = pipelines.stream("trade"), pipelines.stream("trade")
    seen = []
    first.sink(lambda df: df.drop_in_place("seq"))
    second.sink(seen.append)
    one = batch(1)
    deliver_to_users(pipelines, one)
    assert first.pipeline.errors == 0
    assert "seq" in seen[0].columns
    assert isinstance(seen[0], pl.DataFrame)


def test_reading_the_nodes_while_another_thread_adds_some_never_fails(hectic):
    held, nodes, errors = Downstreams(lambda node: None), [Stream() for _ in range(10_000)], []

    def add():
        for node in nodes:
            held.add(node)

    thread = threading.Thread(target=add)
    thread.start()
    lengths = []
    while thread.is_alive():
        try:
            lengths.append(len(list(held)))
        except RuntimeError as error:
            errors.append(error)
    thread.join(30)
    assert not errors
    assert lengths == sorted(lengths)
    assert list(held) == nodes
