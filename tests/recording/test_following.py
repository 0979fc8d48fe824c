"""``recorder.export(out, follow=True)``: what becomes of segments while the night goes on, and of what fails."""

import datetime as dt
import logging
import os
import signal
import subprocess
import sys
import warnings

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import kalshi_nb as kn
from kalshi_nb.errors import (
    ConfigurationError,
    HandleClosedError,
    RecordingError,
    RecordingWarning,
    UnknownChannelError,
    UsageError,
)
from tests.engine.conftest import wait_until

HOUR = 3_600


@pytest.fixture
def exchange():
    with slow_exchange() as exchange:
        yield exchange


def slow_exchange(**options):
    """Return a market of which little happens in an hour, with which a segment ends; a third of one is left."""
    options = {"start": dt.datetime(2026, 11, 22, 14, 39, tzinfo=dt.UTC), **options}
    return kn.sim.Exchange(seed=7, clock="manual", speed=0.02, **options)


@pytest.fixture
def feed(exchange):
    with kn.connect(exchange, new=True) as feed:
        yield feed


def rows_in(out, channel="trade"):
    try:
        return kn.open_export(out).frame(channel).drop("channel", "date").collect()
    except kn.errors.RecordingError:
        return pl.DataFrame()


def an_hour_later(exchange):
    """Let the hour end, with which a segment ends, and something come in the next one."""
    exchange.advance(HOUR - exchange.now_us() / 1e6 % HOUR + 300)


def test_each_sealed_segment_becomes_files_while_the_recorder_goes_on(exchange, feed, tmp_path):
    out = tmp_path / "tables"
    recorder = feed.record(tmp_path / "night", ["trade", "ticker"])
    export = recorder.export(out, follow=True)
    assert export.state == "waiting"
    assert "nothing yet, waiting" in repr(export)
    exchange.advance(600)
    assert recorder.flush()
    assert not out.exists()  # the segment is not over
    an_hour_later(exchange)
    wait_until(lambda: export.report is not None)
    assert export.report.segments == 1
    assert recorder.status.state == "recording"
    first = rows_in(out)
    assert 0 < first.height == export.report.rows["trade"] < recorder.open().trades().collect().height
    assert any(f"export into {out}: " in line for line in feed.health().recordings)
    an_hour_later(exchange)
    wait_until(lambda: export.report.segments == 2)
    assert recorder.close()
    assert export.state == "closed"
    assert_frame_equal(rows_in(out), kn.open_recording(tmp_path / "night").trades().collect())
    assert_frame_equal(rows_in(out, "ticker"), kn.open_recording(tmp_path / "night").tickers().collect())
    assert export.report.segments == 3
    assert feed.health().recordings == ()


def test_it_gives_the_bytes_of_an_export_afterwards(exchange, feed, tmp_path):
    with feed.record(tmp_path / "night", "trade") as recorder:
        recorder.export(tmp_path / "along", follow=True)
        an_hour_later(exchange)
    kn.open_recording(tmp_path / "night").export(tmp_path / "after")
    assert bytes_of(tmp_path / "along") == bytes_of(tmp_path / "after") != {}


def bytes_of(folder):
    return {str(each.relative_to(folder)): each.read_bytes() for each in folder.rglob("*") if each.is_file()}


def test_what_an_earlier_run_exported_is_not_exported_again(exchange, feed, tmp_path):
    for run in (1, 2):
        with feed.record(tmp_path / "night", "trade") as recorder:
            export = recorder.export(tmp_path / "tables", follow=True)
            exchange.advance(600)
        assert (export.report.segments, export.report.skipped) == (run, run - 1)


def test_once_is_what_is_on_the_disk_now(exchange, feed, tmp_path):
    with feed.record(tmp_path / "night", "trade") as recorder:
        exchange.advance(600)
        report = recorder.export(tmp_path / "tables")
        assert report.rows["trade"] == recorder.open().trades().collect().height > 0


def test_what_fails_is_warned_of_once_tried_again_and_costs_the_recording_nothing(exchange, feed, tmp_path, caplog):
    caplog.set_level(logging.INFO, "kalshi_nb")
    out = tmp_path / "tables"
    out.write_text("a file where the folder should be")
    recorder = feed.record(tmp_path / "night", "trade")
    export = recorder.export(out, follow=True)
    an_hour_later(exchange)
    wait_until(lambda: export.trouble is not None)
    assert export.state in ("retrying", "exporting")
    assert "tables" in export.trouble
    assert "retrying" in repr(export) or "exporting" in repr(export)
    with pytest.warns(RecordingWarning, match="it is tried again by itself"):
        told = feed.health().warnings
    assert any(each.startswith("export of ") for each in told)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        feed.health()
    assert recorder.status.trouble is None
    wait_until(lambda: export._retry > 2)  # looks inside: it failed a second time, and nothing was said of that
    out.unlink()
    wait_until(lambda: export.trouble is None)
    assert export.report.rows["trade"] > 0
    assert not any(each.startswith("export of ") for each in feed.health().warnings)
    kn._logging.settle()
    records = [each for each in caplog.records if "export" in each.message]
    assert [each.levelname for each in records] == ["WARNING", "INFO"]
    assert recorder.close()
    assert_frame_equal(rows_in(out), kn.open_recording(tmp_path / "night").trades().collect())


def test_what_fails_to_the_end_is_said_when_the_recorder_is_closed(exchange, feed, tmp_path):
    (tmp_path / "tables").write_text("")
    recorder = feed.record(tmp_path / "night", "trade")
    export = recorder.export(tmp_path / "tables", follow=True)
    exchange.advance(600)
    with pytest.warns(RecordingWarning, match="export the recording again"):
        assert recorder.close()
    assert export.state == "failed"
    assert not export.close()
    (tmp_path / "tables").unlink()
    assert kn.open_recording(tmp_path / "night").export(tmp_path / "tables").rows["trade"] > 0


@pytest.mark.matrix
def test_closing_the_export_alone_leaves_the_recorder_as_it_is(exchange, feed, tmp_path):
    with feed.record(tmp_path / "night", "trade") as recorder:
        with recorder.export(tmp_path / "tables", follow=True) as export:
            an_hour_later(exchange)
            wait_until(lambda: export.report is not None)
        assert export.close()
        before = bytes_of(tmp_path / "tables")
        an_hour_later(exchange)
        assert recorder.status.state == "recording"
    assert bytes_of(tmp_path / "tables") == before


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"format": "parket"}, ConfigurationError, "parquet"),
        ({"channels": "trades"}, UnknownChannelError, "trade"),
        ({"channels": "quotes"}, ConfigurationError, "this recorder keeps trade"),
        ({"follow": "yes"}, ConfigurationError, "True or False"),
        ({"market_tickers": [None]}, ConfigurationError, "None is no market ticker"),
        ({"chanels": "trade"}, UsageError, r"no argument 'chanels'\. Did you mean 'channels'\?"),
        ({"out": "nowhere://x"}, ConfigurationError, "cannot be reached"),
    ],
    ids=["format", "no channel", "not recorded", "follow", "no market", "no argument", "address"],
)
def test_what_cannot_work_is_refused_in_the_cell(feed, tmp_path, options, error, words):
    with feed.record(tmp_path / "night", "trade") as recorder:
        with pytest.raises(error, match=words):
            recorder.export(**{"out": tmp_path / "tables", "follow": True, **options})
        assert recorder.exports == ()


def test_one_place_has_one_export_that_follows(feed, tmp_path):
    with feed.record(tmp_path / "night", "trade") as recorder:
        recorder.export(tmp_path / "tables", follow=True)
        with pytest.raises(ConfigurationError, match="already"):
            recorder.export(tmp_path / "tables", follow=True)


def test_a_closed_recorder_is_not_followed(feed, tmp_path):
    with feed.record(tmp_path / "night", "trade") as recorder:
        pass
    with pytest.raises(HandleClosedError, match="open_recording"):
        recorder.export(tmp_path / "tables", follow=True)


SCRIPT = """
import sys, kalshi_nb as kn
exchange = kn.sim.Exchange(seed=7, clock="manual", speed=0.02)
feed = kn.connect(exchange)
recorder = feed.record(sys.argv[1], "trade")
export = recorder.export(sys.argv[2], follow=True)
while True:
    exchange.advance(600)
    recorder.flush()
    print(0 if export.report is None else export.report.segments, flush=True)
"""


def test_after_a_kill_it_goes_on_where_it_was_and_takes_the_torn_segment_too(tmp_path):
    night, tables = tmp_path / "night", tmp_path / "tables"
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(night), str(tables)], stdout=subprocess.PIPE, text=True
    ) as process:
        while int(process.stdout.readline()) < 2:
            pass
        os.kill(process.pid, signal.SIGKILL)
    torn = kn.open_recording(night)
    before = torn.info().segments
    assert torn.info().sealed == before - 1
    later = torn.info().end + dt.timedelta(hours=1)
    with (
        slow_exchange(start=later) as exchange,
        kn.connect(exchange, new=True) as feed,
        feed.record(night, "trade") as recorder,
    ):
        export = recorder.export(tables, follow=True)
        wait_until(lambda: export.report is not None and export.report.segments == before)
        assert 2 <= export.report.skipped < before
        exchange.advance(600)
    assert_frame_equal(rows_in(tables), kn.open_recording(night).trades().collect())


def test_where_another_export_is_nothing_follows(exchange, feed, tmp_path):
    with feed.record(tmp_path / "night", "trade") as recorder:
        exchange.advance(20)
        recorder.export(tmp_path / "tables", market_tickers=exchange.market_tickers[0])
        with pytest.raises(RecordingError, match="name another place"):
            recorder.export(tmp_path / "tables", follow=True)
        assert recorder.exports == ()


def test_where_another_recording_was_exported_nothing_follows_from_the_first_line_on(exchange, feed, tmp_path):
    for name in ("one", "other"):
        with feed.record(tmp_path / name, "trade") as recorder:
            if name == "other":
                with pytest.raises(RecordingError, match="an export of another recording"):
                    recorder.export(tmp_path / "tables", follow=True)
                assert recorder.exports == ()
                exchange.advance(20)
                assert recorder.flush()
                with pytest.raises(RecordingError, match="an export of another recording"):
                    recorder.export(tmp_path / "tables", follow=True)
            else:
                recorder.export(tmp_path / "tables", follow=True)
                exchange.advance(20)


def test_it_waits_for_somebody_who_exports_into_its_place(exchange, feed, tmp_path):
    folder, out = tmp_path / "night", tmp_path / "tables"
    with feed.record(folder, "trade"):
        exchange.advance(600)
    recorder = feed.record(folder, "trade")
    exchange.advance(600)

    def follow(how_far):
        if how_far.segments or recorder.exports:
            return
        export = recorder.export(out, follow=True)
        wait_until(lambda: export.trouble is not None)
        assert f"{out} is being exported into by this process" in export.trouble

    kn.open_recording(folder).export(out, progress=follow)
    (export,) = recorder.exports
    with pytest.warns(RecordingWarning, match="it is tried again by itself"):
        feed.health()
    assert recorder.close()
    assert export.state == "closed", export.trouble
    assert_frame_equal(rows_in(out), kn.open_recording(folder).trades().collect())
