"""What is no recording, no export, and no place for either: one sentence that says what to do."""

import shutil

import polars as pl
import pytest

import kalshi_nb as kn
from kalshi_nb.errors import ConfigurationError, RecordingError, UnknownChannelError


@pytest.fixture
def copied(night, tmp_path):
    """A recording that may be harmed, in a folder with a blank in its name."""
    folder = tmp_path / "a night"
    shutil.copytree(night.folder, folder)
    return folder


@pytest.mark.parametrize("path", [None, 3, b"night", "", "  ", ["night"]], ids=repr)
@pytest.mark.parametrize("call", [kn.open_recording, kn.replay, kn.open_export], ids=lambda each: each.__name__)
def test_what_is_no_path_is_refused_as_such(call, path):
    with pytest.raises(ConfigurationError, match="is no path: give the folder that was"):
        call(path)


@pytest.mark.parametrize("path", [None, 3, b"out", ""], ids=repr)
def test_what_is_no_path_is_not_exported_to(night, path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigurationError, match="give a folder for the tables"):
        kn.open_recording(night.folder).export(path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["notes.txt", "prices.parquet", "other.jsonl.zst"])
@pytest.mark.parametrize("call", [kn.open_recording, kn.replay], ids=lambda each: each.__name__)
def test_a_file_that_is_no_recording_is_one_error(tmp_path, call, name):
    file = tmp_path / name
    file.write_bytes(b"not a recording\n" * 500)
    with pytest.raises(RecordingError, match=f"{name} is no recording: name a folder that was recorded into"):
        call(file)


def test_a_segment_under_another_name_is_read(copied, tmp_path, night):
    (segment,) = copied.rglob("*.jsonl.zst")
    shutil.copy(segment, tmp_path / "mine.bin")
    assert kn.open_recording(tmp_path / "mine.bin").trades().collect().height == night.frames["trade"].height


def test_a_folder_with_several_recordings_is_not_read_as_one(copied, tmp_path, night):
    shutil.copytree(copied, tmp_path / "other")
    with pytest.raises(RecordingError, match=r"has 2 recordings in it, .*a night, .*other: name one of them"):
        kn.open_recording(tmp_path)
    day = next(each for each in copied.iterdir() if each.is_dir())
    for part in (copied, day):
        assert kn.open_recording(part).trades().collect().height == night.frames["trade"].height


def test_an_export_is_no_recording_and_a_recording_is_no_export(copied, tmp_path):
    recording = kn.open_recording(copied)
    recording.export(tmp_path / "tables", channels="trade")
    recording.export(tmp_path / "texts", "csv", channels="trade")
    with pytest.raises(RecordingError, match=r"holds exported tables and no recording: kn.open_export\('.*tables'\)"):
        kn.open_recording(tmp_path / "tables")
    with pytest.raises(RecordingError, match=r"it is a recording, which kn.open_recording\('.*a night'\)"):
        kn.open_export(copied)
    with pytest.raises(RecordingError, match=r"its files are \.csv"):
        kn.open_export(tmp_path / "texts")
    with pytest.raises(RecordingError, match=r"has no 'trades', it has trade. Did you mean 'trade'"):
        kn.open_export(tmp_path / "tables").frame("trades")


@pytest.mark.parametrize("below", ["", "tables", "2026-11-22/tables"])
def test_nothing_is_exported_into_a_recording(copied, below):
    before = sorted(copied.rglob("*"))
    with pytest.raises(RecordingError, match="name a folder beside"):
        kn.open_recording(copied).export(copied / below)
    assert sorted(copied.rglob("*")) == before


def test_a_file_is_no_folder_for_tables_nor_for_a_recording(copied, tmp_path):
    file = tmp_path / "file"
    file.write_text("mine")
    with pytest.raises(ConfigurationError, match="file is a file: name a folder for the tables"):
        kn.open_recording(copied).export(file)
    with kn.sim.Exchange(clock="manual") as exchange, kn.connect(exchange, new=True) as feed:
        with pytest.raises(RecordingError, match="file is a file: name a folder to record into"):
            feed.record(file, "trade")
        with pytest.raises(RecordingError, match="has the recording a night in it"):
            feed.record(tmp_path, "trade")
    assert file.read_text() == "mine"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"channels": "fill"}, "fill: not recorded in .* What it has: orderbook_delta, ticker, trade"),
        ({"channels": []}, "channels is empty"),
        ({"channels": 3}, "channels=3: name a channel"),
        ({"market_tickers": []}, "market_tickers is empty"),
        ({"channels": "orderbook_delta", "market_tickers": ["NOPE"]}, "NOPE: not recorded in"),
        ({"format": None}, "there is no such format. There is parquet"),
        ({"storage_options": 3}, "give what fsspec needs"),
    ],
    ids=["channel", "no channel", "number", "no market", "market", "format", "options"],
)
def test_an_export_of_nothing_is_refused_and_writes_nothing(copied, tmp_path, options, words):
    with pytest.raises((ConfigurationError, UnknownChannelError), match=words):
        kn.open_recording(copied).export(tmp_path / "out", **options)
    assert not list(tmp_path.glob("out*"))


def test_what_is_no_function_is_not_called_with_segments(copied):
    with pytest.raises(ConfigurationError, match="called with each segment"):
        kn.open_recording(copied).map_segments(3)


def test_a_recording_of_which_nothing_came_says_so(tmp_path):
    with kn.sim.Exchange(clock="manual") as exchange, kn.connect(exchange, new=True) as feed:
        feed.record(tmp_path / "night", "trade").close()
    for path in tmp_path.glob("night/2*"):
        shutil.rmtree(path)
    with pytest.raises(RecordingError, match="is a recording without any message: nothing was recorded yet"):
        kn.open_recording(tmp_path / "night")


def test_a_path_with_blanks_goes_all_the_way(copied, tmp_path, night):
    kn.open_recording(copied).export(tmp_path / "my tables")
    assert kn.open_export(tmp_path / "my tables").frame("trade").collect().height == night.frames["trade"].height
    assert pl.scan_parquet(tmp_path / "my tables" / "channel=trade").collect().height == night.frames["trade"].height
    with kn.replay(copied, speed="max") as feed:
        trades = feed.trades()
        feed.replaying.resume()
        feed.replaying.wait(timeout=60)
        assert trades.df.height == night.frames["trade"].height


@pytest.mark.parametrize("call", [kn.open_recording, kn.replay, kn.open_export], ids=lambda each: each.__name__)
@pytest.mark.parametrize(
    ("path", "error", "words"),
    [
        ("x" * 300, RecordingError, "^x+…x+ cannot be read: File name too long"),
        (f"{'y' * 300}/z", RecordingError, "^y+…y+/z cannot be read: File name too long"),
        ("a\0b", ConfigurationError, "has a zero byte.*: give the folder that was"),
        ("\ud800", ConfigurationError, "half a character.*: give the folder that was"),
    ],
    ids=["too long", "too long above", "a zero byte", "half a character"],
)
def test_a_name_that_no_file_has_is_one_error(call, path, error, words):
    with pytest.raises(error, match=words):
        call(path)


@pytest.mark.parametrize(
    ("path", "error", "words"),
    [
        ("x" * 300, RecordingError, "cannot be exported to: File name too long"),
        ("a\0b", ConfigurationError, "has a zero byte.*: give a folder for the tables"),
    ],
    ids=["too long", "a zero byte"],
)
def test_nothing_is_exported_to_a_name_that_no_file_has(night, path, error, words):
    with pytest.raises(error, match=words):
        kn.open_recording(night.folder).export(path)
