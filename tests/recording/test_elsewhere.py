"""Recordings and exports at addresses: the same rows as here, in a store in memory and in one that speaks S3."""

import dataclasses
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from fsspec.implementations.memory import MemoryFileSystem
from polars.testing import assert_frame_equal

import kalshi_nb as kn
from kalshi_nb.errors import ConfigurationError, FileError, RecordingError, RecordingInUseError
from tests.recording.nights import CHANNELS, some_nights
from tests.recording.stores import in_memory, in_s3, s3_server


@pytest.fixture(scope="module")
def server():
    pytest.importorskip("moto")
    pytest.importorskip("s3fs")
    with s3_server() as server:
        yield server


@pytest.fixture(params=["memory", pytest.param("s3", marks=pytest.mark.matrix)])
def place(request):
    with in_memory() if request.param == "memory" else in_s3(request.getfixturevalue("server")) as place:
        yield place


@pytest.fixture
def memory():
    with in_memory() as place:
        yield place


@pytest.fixture
def recording(night):
    return kn.open_recording(night.folder)


def bytes_of(folder):
    return {str(each.relative_to(folder)): each.read_bytes() for each in folder.rglob("*") if each.is_file()}


def test_an_export_elsewhere_has_the_bytes_of_one_here_and_is_read_back(recording, place, tmp_path):
    out = f"{place.address}/tables"
    report = recording.export(out, storage_options=place.options)
    here = recording.export(tmp_path / "tables")
    assert (report.rows, report.files) == (here.rows, here.files)
    assert report.out == out
    files = place.files()
    assert files.pop("tables.export.json")
    assert {name.removeprefix("tables/"): content for name, content in files.items()} == bytes_of(tmp_path / "tables")
    export = kn.open_export(out, **place.options)
    assert export.channels == sorted(CHANNELS)
    for channel in CHANNELS:
        found = export.frame(channel)
        assert_frame_equal(found.collect(), kn.open_export(tmp_path / "tables").frame(channel).collect())
    some = export.frame("trade").filter(pl.col("count") > 100).select("market_ticker", "date").head(3).collect()
    assert (some.height, some.columns) == (3, ["market_ticker", "date"])
    again = recording.export(out, storage_options=place.options)
    assert again.skipped == 1


def test_a_bucket_or_a_whole_store_may_be_the_place(recording, place):
    recording.export(place.address, channels="trade", storage_options=place.options)
    assert kn.open_export(place.address, **place.options).channels == ["trade"]
    beside = [each for each in place.files() if not each.startswith(("channel=", "gaps/"))]
    assert all(each.endswith(".export.json") for each in beside)
    assert recording.export(place.address, channels="trade", storage_options=place.options).skipped == 1


def test_what_is_missing_there_is_exported_again(recording, place):
    out = f"{place.address}/tables"
    recording.export(out, storage_options=place.options)
    gone = min(each for each in place.files() if "channel=trade" in each)
    place.system.rm_file(f"{place.address}/{gone}")
    assert recording.export(out, storage_options=place.options).skipped == 0
    assert gone in place.files()


def test_what_became_empty_there_is_exported_again(recording, place):
    out = f"{place.address}/tables"
    recording.export(out, storage_options=place.options)
    before = place.files()
    emptied = min(each for each in before if "channel=trade" in each)
    place.system.pipe_file(f"{place.address}/{emptied}", b"")
    assert recording.export(out, storage_options=place.options).skipped == 0
    assert place.files() == before


def test_two_recordings_and_two_exports_at_once_do_not_go_into_one_place_there(recording, night, place, tmp_path):
    out, refused = f"{place.address}/tables", []

    def export_too(how_far):
        if how_far.segments:
            return
        with pytest.raises(RecordingInUseError, match="is being exported into by this process") as busy:
            kn.open_recording(night.folder).export(out, storage_options=place.options)
        refused.append(busy)

    recording.export(out, storage_options=place.options, progress=export_too)
    assert refused
    before = place.files()
    with (
        kn.sim.Exchange(seed=8, clock="manual") as exchange,
        kn.connect(exchange, new=True) as feed,
        feed.record(tmp_path / "other", "trade"),
    ):
        exchange.advance(20)
    with pytest.raises(RecordingError, match="an export of another recording"):
        kn.open_recording(tmp_path / "other").export(out, storage_options=place.options)
    assert place.files() == before
    assert recording.export(out, storage_options=place.options).skipped == 1


def test_a_file_of_the_users_in_place_of_the_list_is_left_alone_there(recording, place):
    place.system.pipe_file(f"{place.address}/tables.export.json", b'{"mine": 1}')
    with pytest.raises(RecordingError, match=r"/tables\.export\.json is no list of what was exported"):
        recording.export(f"{place.address}/tables", storage_options=place.options)
    assert place.files() == {"tables.export.json": b'{"mine": 1}'}


@pytest.mark.parametrize("name", ["t [1]", "t*", "t?", "channel=q/date=2020-01-01/gaps", "gaps"])
def test_a_place_elsewhere_may_have_any_name(recording, memory, tmp_path, name):
    others = {
        "tother/channel=trade/date=2026-11-22/not-mine.parquet": b"of somebody else",
        "tother.staging/.kalshi-1.part": b"of somebody else who is exporting",
    }
    for other, text in others.items():
        memory.system.pipe_file(f"{memory.address}/{other}", text)
    recording.export(tmp_path / "here")
    recording.export(f"{memory.address}/{name}")
    files = memory.files()
    assert {each: files.pop(each) for each in others} == others
    assert files.pop(f"{name}.export.json")
    assert {each.removeprefix(f"{name}/"): text for each, text in files.items()} == bytes_of(tmp_path / "here")
    export = kn.open_export(f"{memory.address}/{name}")
    assert export.channels == sorted(CHANNELS)
    for channel in CHANNELS:
        assert_frame_equal(export.frame(channel).collect(), kn.open_export(tmp_path / "here").frame(channel).collect())
    assert export.gaps().collect().is_empty()


def test_a_recording_elsewhere_is_read_and_exported_segment_by_segment(night, recording, place, tmp_path):
    place.system.put(f"{night.folder}/", f"{place.address}/night/", recursive=True)
    there = kn.open_recording(f"{place.address}/night", **place.options)
    for channel in (*CHANNELS, "quotes"):
        assert_frame_equal(there.frame(channel).collect(), recording.frame(channel).collect())
    assert_frame_equal(there.candles("1m").collect(), recording.candles("1m").collect())
    assert there.map_segments(lambda each: each.trades().collect().height) == [recording.trades().collect().height]
    there.export(tmp_path / "there")
    recording.export(tmp_path / "here")
    assert bytes_of(tmp_path / "there") == bytes_of(tmp_path / "here")


def test_what_is_missing_is_known_elsewhere_as_here(place, tmp_path):
    some_nights(tmp_path / "night", hours=(15,))
    place.system.put(f"{tmp_path}/night/", f"{place.address}/night/", recursive=True)
    here = kn.open_recording(tmp_path / "night")
    there = kn.open_recording(f"{place.address}/night", **place.options)
    expected = here.gaps().collect()
    assert expected.height > 5
    assert dataclasses.replace(there.info(), path=here.info().path) == here.info()
    assert_frame_equal(there.gaps().collect(), expected)
    report = there.export(f"{place.address}/tables", storage_options=place.options)
    assert len([each for each in report.files if each.startswith("gaps/")]) == 2 * len(CHANNELS)
    here.export(tmp_path / "tables")
    files = {name: content for name, content in place.files().items() if name.startswith("tables/")}
    assert {name.removeprefix("tables/"): content for name, content in files.items()} == bytes_of(tmp_path / "tables")
    found = kn.open_export(f"{place.address}/tables", **place.options).gaps().collect()
    assert_frame_equal(found, kn.open_export(tmp_path / "tables").gaps().collect())
    assert_frame_equal(found, expected, check_row_order=False)


@pytest.mark.matrix
def test_the_commands_take_an_address_whose_store_the_environment_names(night, server, tmp_path):
    environment = {**os.environ, "AWS_ENDPOINT_URL": server}

    def said(*arguments):
        command = [sys.executable, "-m", "kalshi_nb", *map(str, arguments)]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    with in_s3(server) as place:
        there, here = f"{place.address}/night", night.folder
        place.system.put(f"{here}/", f"{there}/", recursive=True)
        assert json.loads(said("info", there, "--json")) == {**json.loads(said("info", here, "--json")), "path": there}
        assert said("replay", there, "--speed", "max") == said("replay", here, "--speed", "max") != ""
        said("export", there, "--out", f"{place.address}/tables")
        said("export", here, "--out", tmp_path / "tables")
        files = {name: content for name, content in place.files().items() if name.startswith("tables/")}
        assert {name.removeprefix("tables/"): each for name, each in files.items()} == bytes_of(tmp_path / "tables")


def test_a_recording_elsewhere_is_replayed(night, place):
    place.system.put(f"{night.folder}/", f"{place.address}/night/", recursive=True)
    with kn.replay(f"{place.address}/night", speed="max", **place.options) as feed:
        trades = feed.trades()
        feed.replaying.resume()
        feed.replaying.wait(timeout=60)
        feed.flush()
        assert_frame_equal(trades.df, night.frames["trade"])


def test_a_frame_is_written_to_a_store(recording, place):
    with kn.sim.Exchange(seed=7, clock="manual") as exchange, kn.connect(exchange, new=True) as feed:
        trades = feed.trades()
        exchange.advance(30)
        address = f"{place.address}/trades.parquet"
        assert trades.write_parquet(address, storage_options=place.options) == address
        assert list(place.files()) == ["trades.parquet"]
        with place.system.open(address, "rb") as file:
            assert_frame_equal(pl.read_parquet(file), trades.df)


def test_a_recorder_is_followed_to_a_store(place, tmp_path):
    with kn.sim.Exchange(seed=7, clock="manual") as exchange, kn.connect(exchange, new=True) as feed:
        with feed.record(tmp_path / "night", "trade") as recorder:
            export = recorder.export(f"{place.address}/tables", follow=True, storage_options=place.options)
            exchange.advance(60)
        assert export.state == "closed", export.trouble
    found = kn.open_export(f"{place.address}/tables", **place.options).frame("trade").drop("channel", "date")
    assert_frame_equal(found.collect(), kn.open_recording(tmp_path / "night").trades().collect())


@pytest.mark.parametrize("when", ["put_file", "mv"])
def test_a_failed_export_leaves_nothing_behind_and_goes_on_from_there(recording, memory, monkeypatch, when):
    out, calls = f"{memory.address}/tables", []
    real = getattr(MemoryFileSystem, when)

    def refuse_the_second(self, *arguments, **options):
        calls.append(arguments)
        real(self, *arguments, **options)
        if len(calls) == 2 and when == "put_file":  # before it has its name
            raise OSError("the store went away")

    def refuse_to_move(self, *arguments, **options):
        calls.append(arguments)
        if len(calls) == 2:
            raise OSError("the store went away")
        real(self, *arguments, **options)

    monkeypatch.setattr(MemoryFileSystem, when, refuse_the_second if when == "put_file" else refuse_to_move)
    with pytest.raises(FileError, match=r"cannot be written: the store went away.*export again"):
        recording.export(out)
    assert [each for each in memory.files() if ".staging" in each or ".part" in each] == []
    report = recording.export(out)
    assert kn.open_export(out).channels == sorted(CHANNELS)
    assert report.rows == {channel: recording.frame(channel).collect().height for channel in CHANNELS}


def test_what_is_not_there_is_said(place):
    with pytest.raises(RecordingError, match="no export to Parquet at"):
        kn.open_export(f"{place.address}/nothing", **place.options)
    with pytest.raises(RecordingError, match="no recording at"):
        kn.open_recording(f"{place.address}/nothing", **place.options)


@pytest.mark.matrix
def test_a_bucket_that_is_not_there_is_not_made(recording, server):
    with in_s3(server) as place:
        other = f"{place.address}-of-a-slip/tables"
        with pytest.raises(FileError, match="cannot be written"):
            recording.export(other, storage_options=place.options)
        assert not place.system.exists(f"{place.address}-of-a-slip")


def test_a_recorder_says_that_it_takes_no_address(memory):
    with (
        kn.sim.Exchange(seed=7, clock="manual") as exchange,
        kn.connect(exchange, new=True) as feed,
        pytest.raises(ConfigurationError, match=r"follow=True"),
    ):
        feed.record(memory.address, "trade")


# Links ------------------------------------------------------------------------------------------------


def test_a_link_to_a_folder_is_followed_and_stays_one(recording, tmp_path):
    target, link = tmp_path / "disk" / "real", tmp_path / "tables"
    target.mkdir(parents=True)
    link.symlink_to(target)
    recording.export(link)
    assert link.is_symlink()
    assert sorted(each.name for each in tmp_path.iterdir()) == ["disk", "tables"]
    assert sorted(each.name for each in (tmp_path / "disk").iterdir()) == ["real", "real.export.json"]
    assert recording.export(target).skipped == 1  # by whatever way
    assert kn.open_export(link).channels == sorted(CHANNELS)


def test_days_that_were_moved_to_another_disk_and_linked_are_read(night, recording, tmp_path):
    folder, other = tmp_path / "night", tmp_path / "other"
    shutil.copytree(night.folder, folder)
    (day,) = {Path(each.path).parent.name for each in recording._segments.files}
    shutil.move(folder / day, other)
    (folder / day).symlink_to(other)
    (tmp_path / "link").symlink_to(folder)
    for path in (folder, tmp_path / "link"):
        assert_frame_equal(kn.open_recording(path).trades().collect(), recording.trades().collect())


def test_an_export_to_a_folder_that_cannot_be_written_is_one_typed_error(recording, tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(FileError, match="cannot be written: Not a directory"):
        recording.export(tmp_path / "file" / "tables")
    assert sorted(each.name for each in tmp_path.iterdir()) == ["file"]
