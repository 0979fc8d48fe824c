"""``recording.export()``: what is in the files, who reads them, and what happens when one is done again."""

import dataclasses
import datetime as dt
import json
import os
import pathlib
import shutil
import subprocess
import sys
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor

import duckdb
import fsspec
import pandas as pd
import polars as pl
import pytest
from polars.testing import assert_frame_equal, assert_series_equal
from pyarrow import dataset

import kalshi_nb as kn
from kalshi_nb._engine.live import LiveEngine
from kalshi_nb._engine.port import COMPILED
from kalshi_nb._extensions import NO_EXTENSIONS
from kalshi_nb._recording.export import FORMATS
from kalshi_nb._recording.reading import Segments
from kalshi_nb._recording.telling import frames_of
from kalshi_nb._rows.heard import Checkpoint
from kalshi_nb.errors import (
    ConfigurationError,
    FileError,
    RecordingError,
    RecordingInUseError,
    UnknownChannelError,
)
from tests.recording.nights import CHANNELS, some_nights


@pytest.fixture
def recording(night):
    return kn.open_recording(night.folder)


@pytest.fixture
def two_runs(night, tmp_path):
    """Two segments: the recorded one, and the same under a later number."""
    folder = tmp_path / "two"
    shutil.copytree(night.folder, folder)
    (segment,) = folder.rglob("*.jsonl.zst")
    shutil.copy(segment, segment.with_name(segment.name.replace("-000001", "-000002")))
    return kn.open_recording(folder)


def bytes_of(folder):
    return {str(each.relative_to(folder)): each.read_bytes() for each in folder.rglob("*") if each.is_file()}


def test_parquet_has_the_rows_and_the_types_of_the_recording(recording, tmp_path):
    report = recording.export(tmp_path / "out")
    export = kn.open_export(tmp_path / "out")
    assert export.channels == sorted(CHANNELS)
    for channel in CHANNELS:
        expected = recording.frame(channel).collect()
        assert report.rows[channel] == expected.height > 0
        assert_frame_equal(export.frame(channel).drop("channel", "date").collect(), expected)
    assert sorted(report.files) == sorted(bytes_of(tmp_path / "out"))
    assert not (tmp_path / "out.staging").exists()


@pytest.mark.parametrize(
    ("kind", "read"),
    [("arrow", pl.read_ipc), ("csv", pl.read_csv), ("ndjson", pl.read_ndjson)],
    ids=["arrow", "csv", "ndjson"],
)
def test_other_formats_have_the_rows(recording, tmp_path, kind, read):
    report = recording.export(tmp_path / "out", kind, channels="trade")
    (file,) = [each for each in report.files if each.startswith("channel=")]
    found, expected = read(tmp_path / "out" / file), recording.trades().collect()
    assert found.columns == expected.columns
    assert found["yes_price"].to_list() == expected["yes_price"].to_list()
    if kind == "arrow":
        assert_frame_equal(found, expected)


def test_the_same_recording_gives_the_same_bytes(recording, tmp_path):
    recording.export(tmp_path / "one")
    recording.export(tmp_path / "two")
    assert bytes_of(tmp_path / "one") == bytes_of(tmp_path / "two")


def test_what_was_exported_is_not_exported_again_and_what_is_new_is(two_runs, tmp_path):
    first = min(each.path for each in two_runs._segments.files)
    kn.open_recording(first).export(tmp_path / "out")
    before = bytes_of(tmp_path / "out")
    report = two_runs.export(tmp_path / "out")
    assert (report.segments, report.skipped) == (2, 1)
    after = bytes_of(tmp_path / "out")
    assert {name: after[name] for name in before} == before
    assert len(after) == 2 * len(before)
    gone = min(tmp_path.glob("out/channel=trade/**/*.parquet"))
    gone.unlink()
    assert two_runs.export(tmp_path / "out").skipped == 1
    assert gone.exists()


def test_some_channels_markets_and_time(night, recording, tmp_path):
    times = night.frames["trade"]["received_at"]
    middle, market = times[len(times) // 2], night.markets[1]
    recording.export(tmp_path / "out", channels=["trade", "quotes"], market_tickers=market, start=middle)
    export = kn.open_export(tmp_path / "out")
    assert export.channels == ["quotes", "trade"]
    trades = export.frame("trade").collect()
    assert trades["market_ticker"].unique().to_list() == [market]
    assert trades["received_at"].min() >= middle


@pytest.mark.parametrize(
    "other",
    [{"market_tickers": "KXHIGHNY-26NOV22-B52.5"}, {"start": 0}, {"format": "csv"}],
    ids=["markets", "times", "format"],
)
def test_another_export_into_the_same_place_is_refused_and_harms_nothing(recording, tmp_path, other):
    recording.export(tmp_path / "out", channels="trade")
    before = {each: each.read_bytes() for each in tmp_path.rglob("*") if each.is_file()}
    with pytest.raises(RecordingError, match="name another place"):
        recording.export(tmp_path / "out", channels="trade", **other)
    assert {each: each.read_bytes() for each in tmp_path.rglob("*") if each.is_file()} == before


def test_channels_are_exported_one_after_the_other(recording, tmp_path):
    for channel in ("trade", "ticker"):
        recording.export(tmp_path / "one", channels=channel)
    assert recording.export(tmp_path / "one", channels=["ticker", "trade"]).skipped == 1
    recording.export(tmp_path / "both", channels=["trade", "ticker"])
    found = [
        {each.relative_to(place): each.read_bytes() for each in place.rglob("*.parquet")}
        for place in (tmp_path / "one", tmp_path / "both")
    ]
    assert found[0] == found[1] != {}


def test_each_segment_is_a_recording_of_its_own(two_runs):
    counts = two_runs.map_segments(lambda segment: segment.trades().collect().height)
    assert counts[0] == counts[1] > 0


def test_older_files_are_read_with_newer_ones(recording, tmp_path):
    recording.export(tmp_path / "out", channels="trade")
    (file,) = tmp_path.glob("out/channel=trade/**/*.parquet")
    newer = pl.read_parquet(file).with_columns(of_tomorrow=pl.lit(1))
    newer.write_parquet(file.with_name("zzz.parquet"))
    found = kn.open_export(tmp_path / "out").frame("trade").collect()
    assert found.height == 2 * newer.height
    assert "of_tomorrow" not in found.columns


def test_others_read_the_folder_without_help(recording, tmp_path):
    recording.export(tmp_path / "out")
    trades = recording.trades().collect()
    rows, contracts = trades.height, pytest.approx(trades["count"].sum())
    folder = tmp_path / "out" / "channel=trade"

    plain = pl.scan_parquet(folder / "**" / "*.parquet").collect()
    assert (plain.height, plain["count"].sum()) == (rows, contracts)

    with duckdb.connect() as connection:
        query = f"select count(*), sum(count), min(date)::text from read_parquet('{folder}/**/*.parquet')"
        (found,) = connection.sql(query).fetchall()
    assert found == (rows, contracts, f"{trades['received_at'][0]:%Y-%m-%d}")

    frame = pd.read_parquet(folder)
    assert (len(frame), frame["count"].sum()) == (rows, contracts)
    assert str(frame["ts"].dtype) == "datetime64[us, UTC]"

    table = dataset.dataset(folder, partitioning="hive").to_table()
    assert (table.num_rows, sum(table["count"].to_pylist())) == (rows, contracts)


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"out": "nowhere://bucket/x"}, ConfigurationError, "cannot be reached"),
        ({"format": "parket"}, ConfigurationError, "parquet"),
        ({"channels": "trades"}, UnknownChannelError, "trade"),
        ({"market_tickers": 5}, ConfigurationError, "market ticker"),
        ({"market_tickers": [None]}, ConfigurationError, "None is no market ticker"),
        ({"channels": ["trade", []]}, UnknownChannelError, "no such channel"),
        ({"client": 5}, ConfigurationError, "dask"),
    ],
    ids=["address", "format", "channel", "markets", "no market", "no channel", "client"],
)
def test_bad_arguments_are_one_typed_error_and_write_nothing(recording, tmp_path, options, error, words):
    with pytest.raises(error, match=words):
        recording.export(**{"out": tmp_path / "out", **options})
    assert not list(tmp_path.glob("out/channel=*"))


def test_where_nothing_was_exported_is_said(recording, tmp_path):
    with pytest.raises(RecordingError, match="no export"):
        kn.open_export(tmp_path)
    recording.export(tmp_path / "out", channels="trade")
    with pytest.raises(RecordingError, match="it has trade"):
        kn.open_export(tmp_path / "out").frame("ticker")


@pytest.mark.matrix
def test_a_segment_whose_checkpoint_came_late_lacks_none_of_its_rows(tmp_path, monkeypatch):
    """No segment waits for the checkpoint it is to begin with, so that each begins with what nobody asked about."""
    monkeypatch.setattr("kalshi_nb._recording.writer._PATIENCE_US", -1)
    folder = tmp_path / "night"
    with kn.sim.Exchange(seed=7, clock="manual", speed=0.02) as exchange, kn.connect(exchange, new=True) as feed:
        markets = list(exchange.market_tickers)[:3]
        with feed.record(folder, list(CHANNELS), markets):
            for _ in range(3):
                exchange.advance(3_600)
    recording = kn.open_recording(folder)
    assert recording.info().segments >= 3
    firsts = [next(iter(Segments(each.path).items())) for each in recording._segments.files]
    assert not any(isinstance(each, Checkpoint) for each in firsts[1:])  # or this shows nothing
    report = recording.export(tmp_path / "out")
    export = kn.open_export(tmp_path / "out")
    for channel in CHANNELS:
        expected = recording.frame(channel).collect()
        assert report.rows[channel] == expected.height > 0
        assert_frame_equal(export.frame(channel).drop("channel", "date").collect(), expected)
    parts = recording.map_segments(lambda each: each.deltas().collect())
    assert_frame_equal(pl.concat(parts), recording.deltas().collect())


def test_a_segment_that_does_not_begin_with_a_checkpoint_is_exported_whole(tmp_path, monkeypatch):
    start = dt.datetime(2026, 11, 22, 14, 59, 30, tzinfo=dt.UTC)
    with kn.sim.Exchange(seed=7, clock="manual", start=start) as exchange, kn.connect(exchange, new=True) as feed:
        monkeypatch.setattr(feed._engine, "checkpoint", lambda: None)  # one that is asked in vain, or too late
        markets = list(exchange.market_tickers)[:5]
        recorder = feed.record(tmp_path / "night", ["trade", "ticker", "orderbook_delta"], markets)
        exchange.advance(90)
        assert recorder.close()
    recording = kn.open_recording(tmp_path / "night")
    assert recording.info().segments == 2
    channels = ["trade", "ticker", "orderbook_delta", "quotes"]
    recording.export(tmp_path / "tables", channels=channels)
    for channel in channels:
        expected = recording.frame(channel).collect()
        found = pl.read_parquet(
            sorted((tmp_path / "tables" / f"channel={channel}").rglob("*.parquet")), hive_partitioning=False
        )
        assert_frame_equal(found, expected)
        assert expected["received_at"].max() > start + dt.timedelta(seconds=60)


def test_a_run_that_ended_without_a_checkpoint_in_its_last_segment_is_missing_until_the_next(tmp_path, monkeypatch):
    monkeypatch.setattr(LiveEngine, "checkpoint", lambda _: None)  # none but the one that a recorder begins with
    some_nights(tmp_path / "night")
    recording = kn.open_recording(tmp_path / "night")
    assert recording.info().segments == 4
    expected = recording.gaps().collect()
    assert set(expected.filter(reason="not_recorded")["channel"]) == {*CHANNELS}
    recording.export(tmp_path / "out")
    assert_frame_equal(kn.open_export(tmp_path / "out").gaps().collect(), expected, check_row_order=False)


@pytest.mark.skipif(not COMPILED, reason="the compiled part is not in use")
@pytest.mark.parametrize("block", [7, 20_000])
@pytest.mark.parametrize("late", [False, True], ids=["from the beginning", "from a moment on"])
def test_the_compiled_way_reads_the_same_frames(recording, block, late):
    channels, (first, last) = ["orderbook_delta", "ticker", "trade", "quotes"], recording._reach()
    start = (first + last) // 2 if late else None

    def read(*, compiled):
        items, lead_in = recording._items(start, None, channels), recording._segments.lead_in(start)
        told = frames_of(channels, recording._recorded, items, start, lead_in, block, compiled=compiled)
        return [*told]

    plain, compiled = read(compiled=False), read(compiled=True)
    assert [channel for channel, _ in plain] == [channel for channel, _ in compiled]
    assert {channel for channel, _ in plain} == {*channels}
    for (_, one), (_, other) in zip(plain, compiled, strict=True):
        assert one.schema == other.schema
        assert one.equals(other)


@pytest.mark.parametrize("kind", FORMATS)
def test_without_the_compiled_part_the_files_are_the_same_to_the_byte(recording, tmp_path, kind):
    plain, here = tmp_path / "plain", tmp_path / "here"
    script = (
        "import sys, kalshi_nb as kn; kn.open_recording(sys.argv[1]).export(*sys.argv[2:4], channels=sys.argv[4:])"
    )
    arguments = [str(recording.path), str(plain), kind, *CHANNELS]
    environment = {**os.environ, NO_EXTENSIONS: "1"}
    subprocess.run([sys.executable, "-c", script, *arguments], check=True, env=environment, capture_output=True)
    recording.export(here, kind, channels=CHANNELS)
    assert bytes_of(plain) == bytes_of(here)
    assert len([each for each in bytes_of(here) if not each.startswith("gaps")]) == len(CHANNELS)


def test_whoever_has_only_the_files_knows_what_is_missing(tmp_path):
    some_nights(tmp_path / "night")
    recording = kn.open_recording(tmp_path / "night")
    assert recording.info().segments == 4
    expected = recording.gaps().collect()
    assert {"sequence", "not_recorded"} <= {*expected["reason"]}
    report = recording.export(tmp_path / "out")
    found = kn.open_export(tmp_path / "out").gaps().collect()
    assert found.schema == expected.schema
    assert_frame_equal(found, expected, check_row_order=False)
    assert found["opened_at"].is_sorted()
    files = [each for each in report.files if each.startswith("gaps/")]
    assert len(files) == 4 * len(CHANNELS)
    by_duckdb = duckdb.sql(
        f"select channel, count(*) from read_parquet('{tmp_path}/out/gaps/**/*.parquet') group by all"
    ).fetchall()
    assert {each for each, _ in by_duckdb} == {*CHANNELS}


def test_gaps_are_those_of_the_channels_markets_and_time_that_were_exported(tmp_path):
    some_nights(tmp_path / "night", hours=(15,))
    recording = kn.open_recording(tmp_path / "night")
    every = recording.gaps().collect()
    out = tmp_path / "out"
    for channels in (["quotes"], ["trade"], ["orderbook_delta"]):
        report = recording.export(out, channels=channels)
    assert len({*report.files}) == len(report.files)
    found = kn.open_export(out).gaps().collect()
    assert_frame_equal(found, every.filter(pl.col("channel") != "ticker"), check_row_order=False)
    heights = []
    for number, start in enumerate(every["opened_at"].unique().sort()):
        later = every.filter((pl.col("closed_at") >= start) | pl.col("closed_at").is_null())
        heights.append(later.height)
        recording.export(tmp_path / f"later-{number}", start=start)
        kept = kn.open_export(tmp_path / f"later-{number}").gaps().collect()
        assert_frame_equal(kept, later, check_row_order=False)
    assert heights[0] > heights[-1] > 0


def test_a_kill_is_in_the_exported_gaps_and_a_disk_that_ended_a_segment_is_not(two_runs, tmp_path):
    first = two_runs._segments.files[0].path
    whole = kn.open_recording(tmp_path / "two").gaps().collect()
    part = f"{first}.part"
    shutil.move(first, part)
    with open(part, "rb+") as file:  # noqa: PTH123  # it is text
        file.truncate(file.seek(0, 2) * 2 // 3)
    recording = kn.open_recording(tmp_path / "two")
    expected = recording.gaps().collect()
    assert "torn" in {*expected["reason"]} - {*whole["reason"]}
    recording.export(tmp_path / "out")
    assert_frame_equal(kn.open_export(tmp_path / "out").gaps().collect(), expected, check_row_order=False)


def test_a_channel_of_which_nothing_came_is_a_table_of_no_rows(recording, tmp_path):
    out = tmp_path / "out"
    report = recording.export(out, start="2030-01-01")
    assert set(report.rows.values()) == {0}
    for channel in CHANNELS:
        found = kn.open_export(out).frame(channel).drop("channel", "date").collect()
        assert_frame_equal(found, recording.frame(channel).collect().clear())
        assert pl.read_parquet(out / f"channel={channel}").is_empty()
        assert dataset.dataset(out / f"channel={channel}", partitioning="hive").count_rows() == 0
    assert kn.open_export(out).gaps().collect().is_empty()


def test_an_export_without_gaps_is_made_again(recording, tmp_path):
    out, done = tmp_path / "out", tmp_path / "out.export.json"
    recording.export(out)
    shutil.rmtree(out / "gaps")
    with pytest.raises(RecordingError, match="export the recording into it again"):
        kn.open_export(out).gaps()
    done.write_text(done.read_text().replace('"gaps": true', '"gaps": false'))
    assert recording.export(out).skipped == 0
    assert kn.open_export(out).gaps().collect().is_empty()


# What lies in a place, and who else is there ----------------------------------------------------------


def recorded(folder, seed=1, *, hour=15, runs=1):
    """Record some trades, by a clock of the test's: of the same hour each time under the same names."""
    start = dt.datetime(2026, 11, 22, hour, tzinfo=dt.UTC)
    with (
        kn.sim.Exchange(seed=seed, clock="manual", start=start) as exchange,
        kn.connect(exchange, new=True) as feed,
    ):
        for _ in range(runs):
            with feed.record(folder, "trade"):
                exchange.advance(20)
    return kn.open_recording(folder)


def segments_of(recording):
    return [pathlib.Path(each.path) for each in recording._segments.files]


def files_below(folder):
    return {each: each.read_bytes() for each in folder.rglob("*") if each.is_file()}


def trades_in(out):
    return kn.open_export(out).frame("trade").drop("channel", "date").collect()


def of_an_earlier_version(out):
    """Have the list beside an export be one as earlier versions wrote it."""
    path = out.with_name(f"{out.name}.export.json")
    known = json.loads(path.read_text())
    for each in known.values():
        for name in ("first", "created"):
            each.pop(name, None)
        for part in each["parts"]:
            part.pop("size", None)
    path.write_text(json.dumps(known))


@pytest.mark.parametrize("hour", [15, 16], ids=["the same names", "other names"])
@pytest.mark.parametrize("alone", [False, True], ids=["folders", "segments"])
def test_two_recordings_do_not_go_into_one_place(tmp_path, hour, alone):
    one, other = recorded(tmp_path / "one", 1), recorded(tmp_path / "other", 2, hour=hour)
    if alone:
        one, other = (kn.open_recording(segments_of(each)[0]) for each in (one, other))
    out = tmp_path / "out"
    one.export(out)
    before = files_below(tmp_path)
    with pytest.raises(RecordingError, match="holds an export of another recording: name another place"):
        other.export(out)
    assert files_below(tmp_path) == before
    assert one.export(out).skipped == 1
    assert_frame_equal(trades_in(out), one.trades().collect())


@pytest.mark.parametrize("hour", [15, 16], ids=["the same names", "other names"])
def test_segments_that_have_left_their_folders_are_told_apart(tmp_path, hour):
    out, places = tmp_path / "out", []
    for seed, at in ((1, 15), (2, hour)):
        (segment,) = segments_of(recorded(tmp_path / f"{seed}", seed, hour=at))
        place = tmp_path / f"alone {seed}" / segment.name
        place.parent.mkdir()
        places.append(shutil.copy(segment, place))
    kn.open_recording(places[0]).export(out)
    before = files_below(tmp_path)
    with pytest.raises(RecordingError, match="of another recording"):
        kn.open_recording(places[1]).export(out)
    assert files_below(tmp_path) == before


def moved(recording, tmp_path):
    return shutil.move(recording.path, tmp_path / "elsewhere")


def in_a_store(recording, _tmp_path):
    address = f"memory://{uuid.uuid4().hex}"
    system = fsspec.filesystem("memory")
    system.put(f"{recording.path}/", f"{address}/", recursive=True)
    return address


def without_its_first(recording, _tmp_path):
    segments_of(recording)[0].unlink()
    return recording.path


def without_what_was_exported(recording, _tmp_path):
    for each in segments_of(recording)[:-1]:
        each.unlink()
    return recording.path


def by_its_last_segment(recording, _tmp_path):
    return segments_of(recording)[-1]


def by_a_segment_that_left(recording, tmp_path):
    return shutil.copy(segments_of(recording)[-1], tmp_path)


def without_what_it_says(recording, _tmp_path):
    (pathlib.Path(recording.path) / "recording.json").unlink()
    return recording.path


@pytest.mark.parametrize("old", [False, True], ids=["", "of an earlier version"])
@pytest.mark.parametrize(
    "became",
    [
        moved,
        in_a_store,
        without_its_first,
        without_what_was_exported,
        by_its_last_segment,
        by_a_segment_that_left,
        without_what_it_says,
    ],
    ids=lambda each: each.__name__.replace("_", " "),
)
def test_a_recording_is_the_same_wherever_it_goes_and_goes_on_being_exported(tmp_path, became, old):
    recording, out = recorded(tmp_path / "night", runs=3), tmp_path / "out"
    expected = recording.trades().collect()
    for each in segments_of(recording)[:2]:
        kn.open_recording(each).export(out)
    if old:
        of_an_earlier_version(out)
    place = became(recording, tmp_path)
    kn.open_recording(place).export(out)
    assert_frame_equal(trades_in(out), expected)


def test_a_folder_that_is_recorded_into_anew_is_the_same_recording(tmp_path):
    folder, out = tmp_path / "night", tmp_path / "out"
    first = recorded(folder)
    expected = [first.trades().collect()]
    first.export(out)
    segments_of(first)[0].unlink()  # to have room
    again = recorded(folder, 2, hour=16)
    assert [each.name[-16:] for each in segments_of(again)] == ["000001.jsonl.zst"]
    again.export(out)
    assert_frame_equal(trades_in(out), pl.concat([*expected, again.trades().collect()]))


def test_an_export_of_an_earlier_version_is_not_made_again(recording, tmp_path):
    out = tmp_path / "out"
    recording.export(out)
    of_an_earlier_version(out)
    assert recording.export(out).skipped == 1


ODD_NAMES = [
    "t [1]",
    "t*",
    "t?",
    "{a,b}",
    "br[ack]/tables",
    "date=2020",
    "channel=q/date=2020-01-01/gaps",
    "new\nline",
]


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("name", ODD_NAMES)
def test_a_folder_may_have_any_name(recording, tmp_path, name, kind):
    other = tmp_path / "tother" / "channel=trade" / "date=2026-11-22" / "not-mine.parquet"
    other.parent.mkdir(parents=True)
    recording.trades().collect().write_parquet(other)
    out = tmp_path / name
    report = recording.export(out, kind, channels=["trade", "ticker"])
    assert sorted(report.files) == sorted(bytes_of(out))
    assert sorted(each.name for each in out.parent.iterdir() if each.name != "tother") == [
        out.name,
        f"{out.name}.export.json",
    ]
    if kind == "parquet":
        export = kn.open_export(out)
        for channel in ("trade", "ticker"):
            found, expected = export.frame(channel).collect(), recording.frame(channel).collect()
            assert_frame_equal(found.drop("channel", "date"), expected)
            assert {*found["channel"]} == {channel}
            assert_series_equal(found["date"], expected["received_at"].dt.date(), check_names=False)
        assert export.gaps().collect().is_empty()


def test_gaps_are_read_of_a_folder_with_any_name(tmp_path):
    some_nights(tmp_path / "night")
    recording, out = kn.open_recording(tmp_path / "night"), tmp_path / "date=2020" / "t [1]"
    recording.export(out)
    found = kn.open_export(out).gaps().collect()
    assert_frame_equal(found, recording.gaps().collect(), check_row_order=False)
    assert not found.is_empty()


def test_what_lies_among_the_files_and_is_none_is_not_read(recording, tmp_path):
    for name in ("out", "date=2020"):
        recording.export(tmp_path / name, channels="trade")
        (day,) = (tmp_path / name / "channel=trade").iterdir()
        (day / ".DS_Store").write_text("of a file manager")
        (day / "notes.txt").write_text("of the user")
        assert_frame_equal(trades_in(tmp_path / name), recording.trades().collect())


@pytest.mark.parametrize("kind", FORMATS)
def test_a_channel_named_twice_is_exported_once(recording, tmp_path, kind):
    report = recording.export(tmp_path / "out", kind, channels=["trade", "ticker", "trade"])
    assert report == dataclasses.replace(
        recording.export(tmp_path / "once", kind, channels=["trade", "ticker"]), out=report.out
    )
    assert len({*report.files}) == len(report.files)
    assert report.rows["trade"] == recording.trades().collect().height
    assert bytes_of(tmp_path / "out") == bytes_of(tmp_path / "once")


def test_markets_are_the_same_in_any_order_and_however_often_they_are_named(night, recording, tmp_path):
    one, other, *_ = night.markets
    before = recording.export(tmp_path / "out", channels="trade", market_tickers=[one, other])
    report = recording.export(tmp_path / "out", channels="trade", market_tickers=[other, one, other])
    assert (report.skipped, report.rows) == (1, before.rows)
    with pytest.raises(RecordingError, match="of other markets"):
        recording.export(tmp_path / "out", channels="trade", market_tickers=[one])


def test_a_segment_copied_into_another_day_is_told_of_as_it_is_written(night, tmp_path):
    folder = tmp_path / "night"
    shutil.copytree(night.folder, folder)
    (segment,) = folder.rglob("*.jsonl.zst")
    (folder / "2030-01-01").mkdir()
    shutil.copy(segment, folder / "2030-01-01")
    recording = kn.open_recording(folder)
    report = recording.export(tmp_path / "out")
    assert len({*report.files}) == len(report.files)
    assert report.segments == 1
    for channel in CHANNELS:
        found = kn.open_export(tmp_path / "out").frame(channel).collect().height
        assert (
            report.rows[channel] == found == recording.frame(channel).collect().height == night.frames[channel].height
        )
    assert recording.export(tmp_path / "out").skipped == 1


def test_two_exports_into_one_place_at_once_do_not_get_mixed(night, recording, tmp_path):
    out, refused = tmp_path / "out", []

    def export_too(how_far):
        if how_far.segments:  # then all is there, and nothing to do
            return
        with pytest.raises(RecordingInUseError) as busy:
            kn.open_recording(night.folder).export(out)
        refused.append(str(busy.value))

    def by_a_command(how_far):
        if how_far.segments:
            return
        done = subprocess.run(
            [sys.executable, "-m", "kalshi_nb", "export", night.folder, "--out", out],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode != 0
        refused.append(done.stderr)

    for other, who in ((export_too, "this process, since"), (by_a_command, f"process {os.getpid()} on ")):
        refused.clear()
        report = recording.export(out, progress=other)
        assert refused
        assert all(f"{out} is being exported into by {who}" in each for each in refused)
        assert sorted(report.files) == sorted(bytes_of(out))
        assert sorted(each.name for each in tmp_path.iterdir()) == ["out", "out.export.json"]
        assert kn.open_recording(night.folder).export(out).skipped == 1
        shutil.rmtree(out)


def test_exports_on_two_threads_end_with_the_files_or_the_one_error(night, tmp_path):
    expected = kn.open_recording(night.folder).export(tmp_path / "alone").rows
    together = threading.Barrier(4)

    def export(_):
        recording = kn.open_recording(night.folder)
        together.wait(60)
        try:
            return recording.export(tmp_path / "out").rows
        except RecordingInUseError:
            return None

    with ThreadPoolExecutor(4) as threads:
        found = [*threads.map(export, range(4))]
    assert expected in found
    assert all(each in (None, expected) for each in found)
    assert bytes_of(tmp_path / "out") == bytes_of(tmp_path / "alone")
    assert not (tmp_path / "out.staging").exists()


@pytest.mark.parametrize("text", ['{"mine": 1}', '{"of": "me"', "[1]", "a line", "null"])
def test_a_file_of_the_users_in_place_of_the_list_is_left_alone(recording, tmp_path, text):
    mine = tmp_path / "out.export.json"
    mine.write_text(text)
    with pytest.raises(RecordingError, match=r"out\.export\.json is no list of what was exported.*move it"):
        recording.export(tmp_path / "out")
    assert mine.read_text() == text
    assert [each.name for each in tmp_path.iterdir()] == [mine.name]
    mine.rename(tmp_path / "mine.json")
    assert recording.export(tmp_path / "out").rows["trade"] > 0


def test_files_of_the_users_in_place_of_what_is_aside_are_left_alone(recording, tmp_path):
    mine = tmp_path / "out.staging" / "mine.txt"
    mine.parent.mkdir()
    mine.write_text("mine")
    (mine.parent / "4711-channel=trade-date=2026-11-22-x.parquet").write_text("of an export that was killed")
    recording.export(tmp_path / "out")
    assert [each.name for each in mine.parent.iterdir()] == [mine.name]


def test_a_file_where_files_would_wait_is_left_alone(recording, tmp_path):
    mine = tmp_path / "out.staging"
    mine.write_text("mine")
    with pytest.raises(FileError, match=r"out\.staging is a file where a folder is needed.*move it"):
        recording.export(tmp_path / "out")
    assert mine.read_text() == "mine"
    assert [each.name for each in tmp_path.iterdir()] == [mine.name]


def test_what_a_kill_left_aside_goes_with_the_next_export_also_where_nothing_is_new(recording, tmp_path):
    recording.export(tmp_path / "out")
    left = tmp_path / "out.staging" / "4711-20261122T150000.000000Z-000001-0.rows"
    left.parent.mkdir()
    left.write_text("half")
    assert recording.export(tmp_path / "out").skipped == 1
    assert not left.parent.exists()


@pytest.mark.parametrize("old", [False, True], ids=["", "of an earlier version"])
@pytest.mark.parametrize("kind", FORMATS)
def test_a_file_that_became_empty_or_shorter_is_made_anew(recording, tmp_path, kind, old):
    out = tmp_path / "out"
    report = recording.export(out, kind)
    whole = bytes_of(out)
    for name in report.files:
        for size in (0,) if old else (0, len(whole[name]) - 1):
            if old:
                of_an_earlier_version(out)
            (out / name).write_bytes(whole[name][:size])
            if kind == "parquet" and not size:
                export = kn.open_export(out)
                with pytest.raises(RecordingError, match="is empty: export the recording into"):
                    export.gaps() if name.startswith("gaps") else export.frame(name.split("/")[0].split("=")[1])
            assert recording.export(out, kind).skipped == 0
            assert bytes_of(out) == whole
    assert recording.export(out, kind).skipped == 1


def test_where_nothing_can_be_read_it_is_said(night, tmp_path):
    folder = tmp_path / "night"
    shutil.copytree(night.folder, folder)
    (segment,) = folder.rglob("*.jsonl.zst")
    segment.write_text("no recording any more\n" * 50)
    recording = kn.open_recording(folder)
    with pytest.raises(ConfigurationError, match=r"trade: nothing can be read of .*info\(\)\.damages"):
        recording.export(tmp_path / "out", channels="trade")
    assert recording.info().damages
    assert not (tmp_path / "out").exists()
