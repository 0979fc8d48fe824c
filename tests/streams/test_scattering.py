"""``scatter()`` on a feed's pipeline: batches to the workers of a real cluster, results back in their order."""

import importlib.util
import itertools
import os
import subprocess
import sys
import threading
import time

import polars as pl
import pytest
import streamz

import kalshi_nb as kn
from kalshi_nb.errors import ConfigurationError, MissingPackageError, PipelineError
from tests import workers
from tests.engine.conftest import wait_until


@pytest.fixture(scope="module")
def client():
    with workers.cluster() as client:
        yield client


@pytest.fixture
def exchange():
    with kn.sim.Exchange(seed=7, clock="manual") as exchange:
        yield exchange


@pytest.fixture
def feed(exchange):
    with kn.connect(exchange, new=True) as feed:
        yield feed


def step(exchange, times, seconds=5):
    """Let time pass in steps, each of which is a batch of its own at least."""
    for _ in range(times):
        exchange.advance(seconds)


def doubled(df):
    return df.with_columns(pl.col("count") * 2)


def test_batches_go_to_workers_and_results_come_back_in_their_order_on_the_users_thread(exchange, feed, client):
    rows, threads = [], []
    trades = feed.trades()
    stream = feed.stream("trade")
    node = stream.scatter().map(doubled).map(lambda df: (os.getpid(), df)).gather()
    node.sink(rows.append)
    node.sink(lambda _: threads.append(threading.current_thread().name))
    step(exchange, 12)
    assert node.drain(60)
    assert {pid for pid, _ in rows} <= set(workers.processes(client).values())
    found = pl.concat([df for _, df in rows])
    assert found.equals(doubled(trades.df))
    assert found.height > 50
    assert len(rows) == stream.pipeline.batches > 5
    assert set(threads) == {"kalshi-user"}
    assert stream.pipeline.errors == 0
    assert "0 in flight" in repr(node)


def test_a_rolling_frame_behind_gather_has_the_rows(exchange, feed, client):
    trades = feed.trades()
    node = feed.stream("trade").scatter().map(doubled).gather()
    frame = node.rolling_frame()
    step(exchange, 6)
    assert node.drain(60)
    assert frame.df.equals(doubled(trades.df))
    assert frame.complete()


def test_nodes_that_put_streams_together_work_on_promises(exchange, feed, client):
    rows = []
    trades = feed.trades()
    scattered = feed.stream("trade").scatter()
    heights = scattered.map(lambda df: df.height)
    node = heights.zip(scattered.map(lambda df: df["count"].sum())).starmap(lambda n, total: (n, total)).gather()
    node.sink(rows.append)
    pairs = []
    windows = heights.sliding_window(2, return_partial=False).map(list).gather()
    windows.sink(pairs.append)
    step(exchange, 6)
    assert node.drain(60)
    assert windows.drain(60)
    assert len(rows) > 3
    assert sum(n for n, _ in rows) == len(trades)
    assert pairs == [[a, b] for (a, _), (b, _) in itertools.pairwise(rows)]


def test_what_a_function_raises_on_a_worker_is_counted_and_the_next_batch_comes(exchange, feed, client):
    rows, calls = [], []

    def odd(df):
        if df["seq"][0] % 2:
            raise ZeroDivisionError("odd")
        return df

    stream = feed.stream("trade")
    stream.sink(calls.append)
    node = stream.scatter().map(odd).gather()
    node.sink(rows.append)
    step(exchange, 10)
    assert node.drain(60)
    wait_until(lambda: node.in_flight == 0)
    wrong = [df for df in calls if df["seq"][0] % 2]
    assert 0 < len(wrong) < len(calls)
    wait_until(lambda: stream.pipeline.errors == len(wrong))
    assert isinstance(stream.pipeline.last_error.error, ZeroDivisionError)
    assert len(rows) == len(calls) - len(wrong)


@pytest.mark.matrix
def test_a_worker_that_is_killed_costs_no_batch(exchange, feed, client):
    rows = []
    trades = feed.trades()
    stream = feed.stream("trade")

    def slowly(df):
        time.sleep(0.2)
        return df

    node = stream.scatter().map(slowly).gather(in_flight=16)
    node.sink(rows.append)
    step(exchange, 8)
    assert node.in_flight > 2  # some wait on workers, some in them
    pid = workers.kill_one(client)
    step(exchange, 4)
    assert node.drain(100)
    assert pl.concat(rows).equals(trades.df)
    assert stream.pipeline.errors == 0
    workers.wait_for_workers(client, without=pid)
    step(exchange, 4)
    assert node.drain(60)
    assert pl.concat(rows).equals(trades.df)


@pytest.mark.matrix
def test_no_more_are_on_their_way_than_may_be_and_nothing_is_lost_by_it(exchange, feed, client):
    rows, most = [], []
    trades = feed.trades()

    def slowly(df):
        time.sleep(0.05)
        return df

    node = feed.stream("trade").scatter().map(slowly).gather(in_flight=2)
    node.sink(rows.append)
    for _ in range(20):
        exchange.advance(5)
        most.append(sum(not each.is_back for each in list(node._waiting)))
    assert node.drain(60)
    assert max(most) <= 3  # the one that is being put there
    assert pl.concat(rows).equals(trades.df)


@pytest.mark.matrix
def test_a_cluster_that_goes_away_is_counted_and_the_feed_goes_on(exchange, feed):
    trades = feed.trades()
    with workers.cluster(1) as client:
        stream = feed.stream("trade")
        node = stream.scatter(client=client).map(doubled).gather()
        node.sink(lambda _: None)
        step(exchange, 2)
        assert node.drain(60)
    before = len(trades)
    step(exchange, 4)
    wait_until(lambda: stream.pipeline.errors > 0)
    assert len(trades) > before
    assert feed.state == "connected"
    stream.pipeline.close()


@pytest.mark.matrix
def test_closing_the_pipeline_lets_go_of_what_is_on_its_way(exchange, feed, client):
    rows = []
    stream = feed.stream("trade")
    node = stream.scatter().map(lambda df: (time.sleep(0.3), df)[1]).gather()
    node.sink(rows.append)
    step(exchange, 6)
    stream.pipeline.close()
    assert node.drain(5)
    assert node.in_flight == 0
    count = len(rows)
    step(exchange, 2)
    assert len(rows) == count


def test_without_a_client_it_is_refused_in_the_cell(feed, monkeypatch):
    def nobody(*_):
        raise ValueError("No clients found")

    from kalshi_nb._streams import scattering

    monkeypatch.setattr(scattering, "default_client", nobody)
    with pytest.raises(PipelineError, match=r"client = Client\(\)"):
        feed.stream("trade").scatter()


def test_what_is_no_client_is_refused(feed, client):
    with pytest.raises(PipelineError, match="not a int"):
        feed.stream("trade").scatter(client=5)


REFUSED = {
    "filter": (lambda stream: stream.filter(bool), "gather"),
    "pluck": (lambda stream: stream.pluck("a"), "gather"),
    "flatten": (lambda stream: stream.flatten(), "gather"),
    "unique": (lambda stream: stream.unique(), "gather"),
    "slice": (lambda stream: stream.slice(start=1), "gather"),
    "sink": (lambda stream: stream.sink(print), "gather"),
    "rolling_frame": (lambda stream: stream.rolling_frame(), "gather"),
    "throttle": (lambda stream: stream.throttle(1), "gather"),
    "accumulate": (lambda stream: stream.accumulate(max), "Gather first"),
    "buffer": (lambda stream: stream.buffer(8), r"gather\(in_flight=8\)"),
    "latest": (lambda stream: stream.latest(), "in_flight"),
    "delay": (lambda stream: stream.delay(1), "in_flight"),
    "rate_limit": (lambda stream: stream.rate_limit(1), "in_flight"),
    "timed_window": (lambda stream: stream.timed_window(1), "in_flight"),
    "partition with a time-out": (lambda stream: stream.partition(2, timeout=1), "event loop"),
    "scatter": (lambda stream: stream.scatter(), "gather"),
}


@pytest.fixture(scope="module")
def quiet_feed():
    with kn.sim.Exchange(seed=7, clock="manual") as exchange, kn.connect(exchange, new=True) as feed:
        yield feed


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("behind", ["scatter", "map"])
def test_what_knows_nothing_of_promises_is_refused_with_what_to_do(quiet_feed, client, name, behind):
    attach, words = REFUSED[name]
    scattered = quiet_feed.stream("trade").scatter()
    place = scattered if behind == "scatter" else scattered.map(doubled)
    before = threading.active_count()
    with pytest.raises(PipelineError, match=words):
        attach(place)
    assert threading.active_count() <= before
    assert list(place.downstreams) == []


def test_what_was_refused_leaves_the_pipeline_as_it_was(exchange, feed, client):
    rows = []
    scattered = feed.stream("trade").scatter()
    for attach, _ in REFUSED.values():
        with pytest.raises(PipelineError):
            attach(scattered)
    node = scattered.gather()
    node.sink(rows.append)
    step(exchange, 2)
    assert node.drain(60)
    assert rows


def test_streams_here_and_there_are_not_put_together(feed, client):
    stream = feed.stream("trade")
    with pytest.raises(PipelineError, match="scatter"):
        stream.scatter().zip(stream.map(doubled))


def test_a_node_with_a_loop_is_refused_behind_gather_too(feed, client):
    node = feed.stream("trade").scatter().map(doubled).gather()
    with pytest.raises(PipelineError, match="throttle"):
        node.buffer(3)
    with pytest.raises(PipelineError, match="throttle"):
        node.buffer(3)


@pytest.mark.parametrize("most", [0, -1, "8", True], ids=repr)
def test_in_flight_is_a_positive_number(feed, client, most):
    with pytest.raises(ConfigurationError, match="in_flight"):
        feed.stream("trade").scatter().gather(in_flight=most)


def test_a_stream_that_no_feed_fills_has_streamz_own(client):
    from streamz import dask as bridge

    source = streamz.Stream()
    scattered = source.scatter()
    assert type(scattered) is bridge.scatter
    gathered = scattered.map(lambda x: x + 1).gather()
    assert type(gathered) is bridge.gather
    rows = []
    sink = gathered.sink(rows.append)
    for each in range(5):
        source.emit(each)
    assert rows == [1, 2, 3, 4, 5]
    sink.destroy()


def test_whoever_has_dask_and_no_use_for_it_does_not_load_it_and_whoever_has_finds_streamz_as_it_was():
    code = (
        "import sys, kalshi_nb as kn\n"
        "kn.Feed\n"
        "assert 'streamz' in sys.modules and not {'dask', 'distributed', 'numpy'} & set(sys.modules)\n"
        "from streamz.core import get_io_loop\n"
        "get_io_loop()\n"
        "assert 'distributed' not in sys.modules\n"
        "from streamz import DaskStream, Stream\n"
        "assert DaskStream is sys.modules['streamz.dask'].DaskStream\n"
        "from distributed import Client\n"
        "with Client(processes=False, n_workers=1, dashboard_address=None) as client:\n"
        "    assert get_io_loop() is client.loop\n"
        "    print(type(Stream().scatter()).__module__)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert done.stdout.strip() == "streamz.dask", done.stderr


def test_without_dask_the_error_says_how_to_install_it(feed, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "distributed" else find(name))
    monkeypatch.delitem(sys.modules, "distributed", raising=False)
    with pytest.raises(MissingPackageError, match=r"pip install 'kalshi-nb\[dask\]'"):
        feed.stream("trade").scatter()
