"""Segments on the workers of a real cluster of processes: what one process does, to the byte, whoever dies."""

import os
import signal
import time
from pathlib import Path

import pytest
from polars.testing import assert_frame_equal

import kalshi_nb as kn
from kalshi_nb.errors import ConfigurationError
from tests import workers

SEGMENTS = 8


@pytest.fixture(scope="module")
def client():
    with workers.cluster() as client:
        yield client


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A recording of some segments, with what lies between them missing."""
    folder = tmp_path_factory.mktemp("segments") / "night"
    with kn.sim.Exchange(seed=7, clock="manual") as exchange, kn.connect(exchange, new=True) as feed:
        markets = list(exchange.market_tickers)[:4]
        feed.books(markets)
        for _ in range(SEGMENTS):
            with feed.record(folder, ["trade", "ticker", "orderbook_delta"], markets):
                exchange.advance(20)
    return folder


@pytest.fixture
def recording(folder):
    made = kn.open_recording(folder)
    assert made.info().segments == SEGMENTS
    return made


def bytes_of(folder):
    return {str(each.relative_to(folder)): each.read_bytes() for each in folder.rglob("*") if each.is_file()}


def ipc_of(frame):
    return frame.rechunk().write_ipc(None).getvalue()


def trades_of(segment):
    return segment.trades().collect()


def test_each_segment_goes_to_a_worker_and_comes_back_in_its_place(recording, client):
    here = recording.map_segments(trades_of)
    there = recording.map_segments(trades_of, client=client)
    assert list(map(ipc_of, there)) == list(map(ipc_of, here))
    pids = recording.map_segments(lambda _: os.getpid(), client=client)
    assert os.getpid() not in pids


def test_what_a_function_raises_on_a_worker_is_raised(recording, client):
    with pytest.raises(ZeroDivisionError):
        recording.map_segments(lambda _: 1 / 0, client=client)


def test_depth_is_that_of_one_process_to_the_byte(recording, client):
    whole = recording.depth(every="1s", levels=5).collect()
    assert whole["at"].n_unique() > 100
    assert ipc_of(recording.depth(every="1s", levels=5, client=client).collect()) == ipc_of(whole)
    middle, late = whole["at"][whole.height // 3], whole["at"][2 * whole.height // 3]
    for options in (
        {"start": middle},
        {"end": late},
        {"start": middle, "end": late},
        {"market_tickers": whole["market_ticker"][:2]},
    ):
        expected = recording.depth(every="7s", levels=3, **options).collect()
        assert_frame_equal(recording.depth(every="7s", levels=3, client=client, **options).collect(), expected)


@pytest.mark.matrix
def test_a_relative_path_is_the_same_for_a_worker_that_stands_elsewhere(folder, client, monkeypatch, tmp_path):
    monkeypatch.chdir(folder.parent)
    recording = kn.open_recording("night")
    assert len(recording.map_segments(trades_of, client=client)) == SEGMENTS
    monkeypatch.chdir(tmp_path)
    kn.open_recording(folder).export("tables", client=client)
    kn.open_recording(folder).export("here")
    assert bytes_of(Path("tables")) == bytes_of(Path("here")) != {}


def test_an_export_whose_worker_is_killed_halfway_is_that_of_one_process(recording, client, tmp_path):
    killed, told = [], []

    def kill_after_the_first(how_far):
        told.append(how_far)
        if not killed:
            killed.append(workers.kill_one(client))

    report = recording.export(tmp_path / "there", client=client, progress=kill_after_the_first)
    assert 0 < told[0].segments < SEGMENTS
    here = recording.export(tmp_path / "here")
    assert (report.rows, report.files) == (here.rows, here.files)
    assert bytes_of(tmp_path / "there") == bytes_of(tmp_path / "here")
    assert not (tmp_path / "there.staging").exists()
    assert [each.rows for each in told][-1] == sum(here.rows.values())
    workers.wait_for_workers(client, without=killed[0])


def dies_once(marker):
    """Return a function whose first call of all says who runs it, and waits to be killed."""

    def depth_of(segment):
        try:
            os.close(os.open(marker, os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return segment.depth(every="1s", levels=3).collect()
        os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(60)
        raise AssertionError("nobody killed it")

    return depth_of


@pytest.mark.matrix
def test_what_a_killed_worker_had_is_done_by_another(recording, client, tmp_path):
    there = recording.map_segments(dies_once(str(tmp_path / "died")), client=client)
    assert (tmp_path / "died").exists()
    here = recording.map_segments(dies_once(str(tmp_path / "died")))
    assert list(map(ipc_of, there)) == list(map(ipc_of, here))
    workers.wait_for_workers(client)


@pytest.mark.matrix
def test_an_export_that_is_broken_off_stops_its_workers_and_goes_on_from_there(recording, client, tmp_path):
    def stop(how_far):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        recording.export(tmp_path / "out", client=client, progress=stop)
    report = recording.export(tmp_path / "out", client=client)
    assert 1 <= report.skipped < SEGMENTS
    recording.export(tmp_path / "here")
    assert bytes_of(tmp_path / "out") == bytes_of(tmp_path / "here")


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda recording, _: recording.map_segments(trades_of, client=5), "dask.distributed.Client"),
        (lambda recording, _: recording.depth(every="1s", client=5), "dask.distributed.Client"),
        (lambda recording, client: recording.depth(at="2026-11-22 15:00:30", client=client), "leave client out"),
        (lambda recording, client: recording.export("memory://x", client=client), "in the memory of this process"),
    ],
    ids=["map_segments", "depth", "a moment", "memory"],
)
def test_what_cannot_work_is_refused(recording, client, call, words):
    with pytest.raises(ConfigurationError, match=words):
        call(recording, client)
