"""What is no recording, no export, and no place for either: one sentence that says what to do."""

import shutil

import polars as pl
import pytest

import kalshi_nb as kn
from kalshi_nb._feed.serving import serve
from kalshi_nb._foreign_names import corrected
from kalshi_nb.errors import (
    ConfigurationError,
    NewerRecordingError,
    RecordingError,
    UnknownChannelError,
    UsageError,
)


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


@pytest.mark.parametrize(
    ("call", "name"), [(kn.open_recording, "open_recording"), (kn.open_export, "open_export"), (serve, "serve")]
)
@pytest.mark.parametrize("option", ["bogus", "market_tickers", "key"])
def test_a_path_of_this_computer_has_no_options(copied, tmp_path, call, name, option):
    kn.open_recording(copied).export(tmp_path / "tables", channels="trade")
    place = tmp_path / "tables" if call is kn.open_export else copied
    for path in (place, f"file://{place}", str(place)):
        with pytest.raises(UsageError, match=rf"^{name}\(\) has no argument '{option}'.* It takes path"):
            call(path, **{option: 1})
    with pytest.raises(UsageError, match=rf"{name}\(\) needs path="):
        corrected(call)()


@pytest.fixture
def heap(tmp_path):
    """More files than any recording has beside its segments."""
    folder = tmp_path / "heap"
    for each in range(6):
        (folder / f"{each}" / "deep").mkdir(parents=True)
        for file in range(10):
            (folder / f"{each}" / "deep" / f"{file}.txt").touch()
    return folder


def test_not_all_of_a_disk_is_gone_through(copied, heap, monkeypatch, night):
    for root in ("/", heap):
        with monkeypatch.context() as patch:
            patch.setattr("kalshi_nb._recording.places._MOST", 50)
            for call in (kn.open_recording, kn.replay):
                with pytest.raises(RecordingError, match=r"more than 50 files .*: name the folder of the recording"):
                    call(root)
    moved = shutil.copytree(copied, heap / "3" / "night")
    monkeypatch.setattr("kalshi_nb._recording.places._MOST", 50)
    day = next(each for each in moved.iterdir() if each.is_dir())
    for place in (moved, day, next(day.iterdir())):
        assert kn.open_recording(place).trades().collect().height == night.frames["trade"].height
    with pytest.raises(RecordingError, match="name the folder of the recording"):
        kn.open_recording(heap)
    monkeypatch.undo()
    assert kn.open_recording(heap).trades().collect().height == night.frames["trade"].height


def test_a_whole_disk_is_refused_as_it_is():
    with pytest.raises(RecordingError, match=r"^/ has more than 20,000 files .*: name the folder of the recording"):
        kn.open_recording("/")


def test_nothing_is_recorded_into_a_folder_that_is_too_large_to_be_read(heap, monkeypatch):
    monkeypatch.setattr("kalshi_nb._recording.places._MOST", 50)
    with kn.sim.Exchange(clock="manual") as exchange, kn.connect(exchange, new=True) as feed:
        record = feed.record
        with pytest.raises(RecordingError, match="name the folder of the recording"):
            record(heap, "trade")


def test_a_folder_that_links_lead_around_in_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("kalshi_nb._recording.places._MOST", 500)
    for name in ("a", "b", "c"):
        (tmp_path / name).symlink_to(tmp_path)
    with pytest.raises(RecordingError, match="name the folder of the recording"):
        kn.open_recording(tmp_path)


def unpacked(segment):
    segment.with_name(segment.name.removesuffix(".zst")).write_bytes(b"{}\n")
    segment.unlink()


def renamed(segment):
    segment.rename(segment.with_name(segment.name.removesuffix(".jsonl.zst") + ".txt"))


@pytest.mark.parametrize(("harm", "ending"), [(unpacked, "jsonl"), (renamed, "txt")])
def test_files_that_are_no_segments_any_more_are_named(copied, harm, ending):
    for segment in copied.rglob("*.jsonl.zst"):
        harm(segment)
    with pytest.raises(
        RecordingError, match=rf"has no segment: there is 2026-11-22.20261122T.*\.{ending}\. A segment is"
    ):
        kn.open_recording(copied)


# What recording.json says ----------------------------------------------------------------------------------------

GARBLED = {
    "empty": b"",
    "text": b"what is this",
    "a list": b"[1, 2]",
    "half": b'{"kalshi_nb": 1, "ki',
    "no number": b'{"kalshi_nb": "one"}',
    "nothing": b"{}",
    "bytes": bytes(range(256)),
    "another source": b'{"kalshi_nb": 1, "from": 5}',
}


@pytest.mark.parametrize("content", GARBLED.values(), ids=GARBLED)
def test_a_recording_reads_without_its_note_and_says_so(copied, night, content):
    whole = kn.open_recording(copied).info()
    (copied / "recording.json").write_bytes(content)
    recording = kn.open_recording(copied)
    assert recording.trades().collect().height == night.frames["trade"].height
    assert whole.damages == []
    assert [each.partition(";")[0] for each in recording.info().damages] == ["recording.json: it cannot be read"]


def test_without_a_note_nothing_is_damaged(copied, night):
    (copied / "recording.json").unlink()
    recording = kn.open_recording(copied)
    assert recording.info().damages == []
    assert recording.trades().collect().height == night.frames["trade"].height


@pytest.mark.parametrize("content", [b'{"kalshi_nb": 99}', b'{"kalshi_nb": 2, "from": {"what": "a later one"}}'])
def test_what_a_newer_version_made_is_neither_read_nor_recorded_into(copied, content):
    (copied / "recording.json").write_bytes(content)
    (segment,) = copied.rglob("*.jsonl.zst")
    for path in (copied, segment.parent, segment):
        for call in (kn.open_recording, kn.replay):
            with pytest.raises(NewerRecordingError, match=r"newer version of kalshi_nb, in format \d+; .*pip install"):
                call(path)
    with kn.sim.Exchange(clock="wall") as exchange, kn.connect(exchange, new=True) as feed:
        before = files_below(copied)
        with pytest.raises(NewerRecordingError, match="pip install"):
            feed.record(copied, "trade")
    assert files_below(copied) == before


def test_nothing_is_recorded_behind_a_segment_of_a_newer_version(copied, monkeypatch):
    shutil.rmtree(copied)
    with kn.sim.Exchange(clock="manual") as exchange, kn.connect(exchange, new=True) as feed:
        with monkeypatch.context() as later:
            later.setattr("kalshi_nb._recording.marks.FORMAT", 2)
            with feed.record(copied, "trade"):
                exchange.advance(1)
        before = files_below(copied)
        with pytest.raises(NewerRecordingError, match=r"in format 2; .*pip install"):
            feed.record(copied, "trade")
    assert files_below(copied) == before


def files_below(folder):
    return {str(each): each.read_bytes() for each in folder.rglob("*") if each.is_file()}


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
