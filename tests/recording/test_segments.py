"""A recording as it lies on a disk: how it is cut, what it says of itself, and who can read it."""

import getpass
import json
import shutil
import subprocess
from pathlib import Path

import msgspec
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kalshi_nb._recording import reading
from kalshi_nb._recording.files import find
from kalshi_nb._recording.layout import name_of, read_name
from kalshi_nb._recording.lines import type_of
from kalshi_nb._recording.marks import FORMAT, read_first
from kalshi_nb._recording.reading import Report, Segments, _made_index, _written_index
from kalshi_nb._recording.segment import Limits
from kalshi_nb._recording.writer import Writer
from kalshi_nb._recording.zstd import decompress
from kalshi_nb._rows.heard import Checkpoint, Event, Read
from kalshi_nb.errors import MissingPackageError, NewerRecordingError, RecordingError
from tests.recording.items import ITEMS, MORNING, checkpoint, some_items

SMALL = Limits(piece=2_000, frame=10_000, frame_us=600_000_000, segment=20_000)


def written(folder, items, *, limits=SMALL, seal=True, held=True, flush_every=50, about=None):
    """Write items into a folder; return how often a checkpoint was asked for.

    What is not sealed is either held as by somebody who writes it still, or left by somebody who was killed.
    """
    asked = []
    writer = Writer(folder, lambda: asked.append(1), about or {}, limits)
    for number, item in enumerate(items):
        writer.keep(item)
        if number % flush_every == 0:
            assert writer.flush()
    assert writer.flush()
    assert writer.kept_until == items[-1].at
    if seal:
        assert writer.close()
    else:
        writer._segment._close()
        if not held:
            writer._lock.release()
    return len(asked)


def messages_of(items):
    return sum(len(each.messages) for each in items if isinstance(each, Read))


@pytest.mark.parametrize("seal", [True, False])
def test_who_begins_at_the_microsecond_of_a_checkpoint_has_what_was_read_in_it_before(tmp_path, seal):
    large = b'{"type":"trade","msg":"%s"}' % (b"x" * SMALL.piece)  # so that who seeks may begin with the second one
    reads = [Read(MORNING + number, 1, [large]) for number in (1, 2, 2, 3)]
    items = [checkpoint(MORNING), *reads[:3], checkpoint(MORNING + 2), reads[3]]
    written(tmp_path, items, seal=seal)
    for start in (MORNING, MORNING + 1, MORNING + 2, MORNING + 3):
        found = list(Segments(tmp_path).items(start))
        assert [each for each in found if isinstance(each, Read) and each.at >= start] == [
            each for each in reads if each.at >= start
        ]


@settings(max_examples=40, deadline=None)
@given(st.lists(ITEMS, min_size=1, max_size=12), st.booleans(), st.integers(1, 5))
def test_any_items_come_back_equal_from_files(tmp_path_factory, items, seal, every):
    folder = tmp_path_factory.mktemp("recording")
    items = [each for each in items if not isinstance(each, Event) or each.kind not in ("torn", "unreadable")]
    if items:
        written(folder, items, seal=seal, flush_every=every, limits=Limits(200, 500, 10**12, 1_000))
        report = Report()
        assert list(Segments(folder).items(report=report)) == items
        assert report.damages == []


def test_many_segments_are_one_recording(tmp_path):
    items = some_items(2_500)
    asked = written(tmp_path, items)
    segments = Segments(tmp_path)
    assert len(segments.files) > 5
    assert all(each.sealed for each in segments.files)
    assert [each.number for each in segments.files] == list(range(1, len(segments.files) + 1))
    report = Report()
    assert list(segments.items(report=report)) == items
    assert report.damages == []
    assert asked >= len(segments.files) - 1  # each but the first is to begin with one
    info = segments.info()
    assert info.sealed == info.segments == len(segments.files)
    assert (info.first, info.last) == (items[0].at, items[-1].at)
    assert sum(info.messages.values()) == messages_of(items)
    assert info.wanted == {"orderbook_delta": ["M0", "M1", "M2"], "trade": None}
    assert info.size == sum(each.stat().st_size for each in tmp_path.rglob("*.zst"))
    assert info.size * 4 < info.raw


def test_a_segment_ends_with_the_hour_and_begins_with_the_checkpoint_that_was_asked_for(tmp_path):
    before, after = MORNING + 3_599_000_000, MORNING + 3_600_000_000
    late = Read(after, 1, [b'{"type":"a"}\n'])
    items = [checkpoint(before), late, checkpoint(after + 1), Read(after + 2, 1, [b'{"type":"b"}\n'])]
    written(tmp_path, items)
    first, second = Segments(tmp_path).files
    assert second.path.endswith("2026-11-28/20261128T060000.000001Z-000002.jsonl.zst")
    assert list(Segments(first.path).items()) == items[:2]
    assert list(Segments(second.path).items()) == items[2:]


def test_a_segment_that_is_asked_no_checkpoint_ends_nevertheless(tmp_path):
    items = [Read(MORNING + second * 1_000_000, 1, [b'{"type":"a"}\n']) for second in range(3_590, 3_620)]
    written(tmp_path, items)
    assert len(Segments(tmp_path).files) == 2
    assert list(Segments(tmp_path).items()) == items


def test_the_index_says_what_the_lines_say(tmp_path):
    written(tmp_path, some_items(2_000))
    for file in find(tmp_path):
        with file.opened() as source:
            index, made = _written_index(source), _made_index(source)
        assert len(index.frames) > 1
        assert [(e.offset, e.lines, e.messages, e.first, e.last, e.others) for e in index.frames] == [
            (e.offset, e.lines, e.messages, e.first, e.last, e.others) for e in made.frames
        ]
        assert (index.checkpoints, index.wanted, index.losses) == (made.checkpoints, made.wanted, made.losses)
        assert index.ended
        assert made.ended


@pytest.mark.parametrize("seal", [True, False], ids=["sealed", "not sealed"])
def test_seeking_begins_with_the_checkpoint_before(tmp_path, seal):
    items = some_items(3_000)
    for place in (700, 1_500, 2_900):
        items[place] = checkpoint(items[place].at)
    written(tmp_path, items, seal=seal, limits=Limits(2_000, 10_000, 10**12, 40_000))
    segments = Segments(tmp_path)
    for moment, begins in ((699, 0), (700, 0), (701, 700), (1_499, 700), (2_000, 1_500), (2_999, 2_900)):
        assert list(segments.items(start=items[moment].at)) == items[begins:]
    assert list(segments.items(start=items[2_000].at, end=items[2_100].at)) == items[1_500:2_101]
    assert list(segments.items(start=0)) == items


@pytest.mark.parametrize("seal", [True, False], ids=["sealed", "not sealed"])
def test_some_types_are_what_a_filter_leaves(tmp_path, seal):
    items = some_items(2_000)
    written(tmp_path, items, seal=seal)

    def kept(found):
        # Of reads that have nothing of it, some are empty and some are not handed out at all.
        return [each for each in found if not isinstance(each, Read) or each.messages]

    wanted = [
        Read(each.at, each.connection, [one for one in each.messages if type_of(one) in ("trade", "")])
        if isinstance(each, Read)
        else each
        for each in items
    ]
    report = Report()
    assert kept(Segments(tmp_path).items(types=frozenset({"trade"}), report=report)) == kept(wanted)
    assert report.damages == []


def test_frames_that_nobody_wants_are_not_read(tmp_path, monkeypatch):
    lots = [b'{"type":"%s","msg":"%d"}\n' % (kind, number) for kind in (b"a", b"b") for number in range(2_000)]
    items = [Read(MORNING + number, 1, [each]) for number, each in enumerate(lots)]
    written(tmp_path, items, limits=Limits(2_000, 10_000, 10**12, 10**9))
    segments, read = Segments(tmp_path), []
    whole = reading.Blocks.__iter__
    monkeypatch.setattr(reading.Blocks, "__iter__", lambda self: (read.append(self._begin), whole(self))[1])
    found = [each for each in segments.items(types=frozenset({"b"})) if each.messages]
    assert found == items[2_000:]
    with segments.files[0].opened() as source:
        frames = len(_written_index(source).frames)
    assert 1 < len(read) < frames * 0.7


def test_a_new_run_goes_on_in_the_same_folder_and_leaves_what_is_there(tmp_path):
    items = some_items(600)
    written(tmp_path, items[:300], seal=False, held=False)
    left = {each: each.read_bytes() for each in tmp_path.rglob("*.part")}
    assert len(left) == 1
    written(tmp_path, items[300:])
    assert {each: each.read_bytes() for each in left} == left
    report = Report()
    got = list(Segments(tmp_path).items(report=report))
    # The first run was not closed: nobody knows what it would have said.
    assert [each.kind for each in got if each not in items] == ["torn"]
    assert [each for each in got if each in items] == items
    assert [(each.kind, each.lines, each.size) for each in report.damages] == [("torn", 0, 0)]


def test_a_segment_that_is_missing_is_said(tmp_path):
    items = some_items(2_000)
    written(tmp_path, items)
    gone = Segments(tmp_path).files[2]
    unknown, *lost = Segments(gone.path).items()
    assert "what was before this segment is not at hand" in unknown.text
    (tmp_path / gone.path).unlink()
    got = list(Segments(tmp_path).items())
    place = items.index(lost[0])
    assert got[:place] == items[:place]
    assert got[place] == Event(items[place - 1].at, 0, "unreadable", got[place].text)
    assert "segment 3 is missing" in got[place].text
    assert got[place + 1 :] == items[place + len(lost) :]


def test_a_sealed_segment_opens_in_plain_tools(tmp_path):
    items = [each for each in some_items(2_000) if not isinstance(each, Checkpoint)]
    written(tmp_path, items, limits=Limits(2_000, 10_000, 10**12, 10**9))
    (file,) = Segments(tmp_path).files
    frame = pl.scan_ndjson(file.path, infer_schema_length=None).collect()
    assert frame.filter(pl.col("type").is_not_null()).height == sum(
        type_of(one) != "" for each in items if isinstance(each, Read) for one in each.messages
    )
    assert frame["t"].drop_nulls().max() == items[-1].at
    with Path(file.path).open("rb") as raw:
        lines = decompress(raw.read()).split(b"\n")
    assert lines.pop() == b""
    assert all(isinstance(json.loads(each), dict) for each in lines)
    frames = {one.removesuffix(b"\n") for each in items if isinstance(each, Read) for one in each.messages}
    assert len(frames & set(lines)) > 1_000
    tool = shutil.which("zstd")
    if tool is not None:
        assert (
            subprocess.run([tool, "-dcq", file.path], capture_output=True, check=True).stdout.split(b"\n")[:-1]
            == lines
        )


def test_the_first_line_says_which_program_on_which_computer_and_nothing_else(tmp_path, monkeypatch):
    monkeypatch.setenv("KALSHI_API_KEY_ID", "f00dcafe-0000-4000-8000-00000000beef")
    written(tmp_path, some_items(5), about={"environment": "demo", "wanted": {"trade": None}})
    (file,) = Segments(tmp_path).files
    with Path(file.path).open("rb") as raw:
        text = decompress(raw.read())
    first = json.loads(text.split(b"\n")[0])
    assert set(first) == {
        "kalshi_nb", "segment", "after", "t", "wall", "monotonic", "host", "pid", "kit", "python"
    }  # fmt: skip
    said = text + b"".join(each.read_bytes() for each in (tmp_path / "recording.json", tmp_path / ".lock"))
    assert b"f00dcafe" not in said
    assert getpass.getuser().encode() not in b"".join(json.dumps(each).encode() for each in first.values())
    assert json.loads((tmp_path / "recording.json").read_text())["environment"] == "demo"


def test_a_newer_format_is_refused_with_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr("kalshi_nb._recording.marks.FORMAT", FORMAT + 1)
    written(tmp_path, some_items(5))
    monkeypatch.undo()
    with pytest.raises(
        NewerRecordingError, match=r"format 2; this version reads up to 1\. Run: pip install --upgrade"
    ):
        Segments(tmp_path)


@pytest.mark.parametrize("name", ["nothing", "some.txt"])
def test_where_there_is_no_recording_the_error_says_what_to_name(tmp_path, name):
    (tmp_path / "some").mkdir()
    with pytest.raises(RecordingError, match="name the folder that was recorded into"):
        Segments(tmp_path / name)


def test_a_recording_elsewhere_is_read_through_fsspec(tmp_path):
    fsspec = pytest.importorskip("fsspec")
    items = some_items(1_500)
    written(tmp_path, items)
    fsspec.filesystem("memory").put(str(tmp_path), "/night", recursive=True)
    segments = Segments("memory://night")
    assert len(segments.files) > 2
    assert list(segments.items()) == items
    first = list(Segments("memory:/" + segments.files[0].path).items())
    assert first == items[: len(first)]


def test_without_fsspec_the_error_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "fsspec.core", None)
    with pytest.raises(MissingPackageError, match=r"pip install 'kalshi-nb\[remote\]'"):
        Segments("s3://bucket/night")


def test_names_say_when_and_which():
    assert name_of(MORNING + 5, 12) == "2026-11-28/20261128T050000.000005Z-000012.jsonl.zst"
    assert read_name(name_of(MORNING, 12)) == (12, True)
    assert read_name(name_of(-(2**62), 3_000_000) + ".part") == (3_000_000, False)
    assert read_name("C:\\x\\" + name_of(2**62, 1).replace("/", "\\")) == (1, True)
    assert read_name("recording.json") is None


def test_a_first_line_that_is_none():
    assert read_first(b"{") is None
    assert read_first(b'{"t":1}') is None
    assert read_first(msgspec.json.encode({"kalshi_nb": 7, "mood": 1})).kalshi_nb == 7
