"""The rules of the format, each by itself and by as little as shows it."""

import errno
import json
import os
import re
import struct
from pathlib import Path

import pytest

from kalshi_nb._recording import blocks, disk
from kalshi_nb._recording import journal as journal_module
from kalshi_nb._recording import writer as writer_module
from kalshi_nb._recording.index import FOOTER, SKIPPABLE, Index, IndexBuilder, pack, tail_size, unpack
from kalshi_nb._recording.journal import Journal
from kalshi_nb._recording.kept import Kept
from kalshi_nb._recording.lines import encode
from kalshi_nb._recording.marks import After, Mark, find_mark, first_line, mark_over
from kalshi_nb._recording.reading import Report, Segments, _made_index, _written_index
from kalshi_nb._recording.recording import open_recording
from kalshi_nb._recording.segment import Limits
from kalshi_nb._recording.writer import LEVEL, Writer
from kalshi_nb._recording.zstd import compress, decompress
from kalshi_nb._rows.heard import Checkpoint, Event, Read, Sent
from tests.recording.items import MORNING, checkpoint, some_items
from tests.recording.test_segments import written

HUGE = 10**12
ONE_FRAME = Limits(2_000, HUGE, HUGE, HUGE)


def reads(count, size=60, began=MORNING):
    """Reads of one frame each, and nothing else."""
    return [
        Read(began + each, 1, [b'{"type":"a","n":%06d,"x":"%s"}\n' % (each, b"x" * size)]) for each in range(count)
    ]


def index_of(folder):
    (file,) = Segments(folder).files
    with file.opened() as source:
        return _written_index(source) or _made_index(source)


def all_that_is_read(path, **options):
    report = Report()
    return list(Segments(path).items(report=report, **options)), report.damages


@pytest.fixture
def writer(tmp_path):
    """Give a writer, whose level and limits may be set, and how often it asked for a checkpoint."""
    made, asked = [], []

    def make(limits=ONE_FRAME):
        made.append(Writer(tmp_path, lambda: asked.append(1), {}, limits))
        return made[-1], asked

    yield make
    for each in made:
        each.close()


# Marks -----------------------------------------------------------------------------------------------------------


def test_a_mark_stands_over_what_it_says_to_the_byte_and_over_something():
    text = b'{"t":1,"c":1}\n{"type":"a"}\n'
    mark = mark_over(text, 17, 2)
    assert find_mark(text + mark) == Mark(17, good=True, begins=len(text), ends=len(text + mark), over=2)
    for place, byte in enumerate(mark):
        if chr(byte).isdigit():
            other = b"%d" % ((byte - 48 + 1) % 10)
            assert not find_mark(text + mark[:place] + other + mark[place + 1 :]).good
    for place in range(len(text) - 1):
        assert not find_mark(text[:place] + bytes([text[place] ^ 1]) + text[place + 1 :] + mark).good
    assert not find_mark(mark_over(b"", 17, 0)).good
    assert find_mark(text + mark[:-1]) is None  # it is not whole yet


def test_no_more_than_a_piece_is_under_one_mark(tmp_path, writer):
    one, _ = writer()
    for each in reads(500):
        one.keep(each)
    assert one.flush()
    (part,) = tmp_path.rglob("*.part")
    text = decompressed(part)
    marks = [each.start() for each in re.finditer(rb'^\{"mark"', text, re.MULTILINE)]
    longest = max(after - before for before, after in zip([0, *marks], marks, strict=False))
    assert len(marks) > 10
    assert longest < ONE_FRAME.piece + 500


def decompressed(part):
    """What is in a file that ends within a frame."""
    source, out = part.read_bytes(), []
    decompressor = blocks.ZstdDecompressor(options=blocks._OPTIONS)
    out.append(decompressor.decompress(source))
    return b"".join(out)


def test_what_is_decompressed_in_whatever_portions_is_the_same(tmp_path, monkeypatch):
    items = some_items(200)
    written(tmp_path, items)
    for portion in (40, 41, 400):
        monkeypatch.setattr(blocks, "_OUT", portion)
        assert all_that_is_read(tmp_path) == (items, [])


# Frames ----------------------------------------------------------------------------------------------------------


def test_a_frame_ends_with_its_time_however_little_came(tmp_path):
    items = [checkpoint(MORNING), *(each._replace(at=MORNING + n * 1_000_000) for n, each in enumerate(reads(100), 1))]
    written(tmp_path, items, limits=Limits(HUGE, HUGE, 10_000_000, HUGE), flush_every=1)
    frames = index_of(tmp_path).frames
    assert len(frames) > 8
    assert max(each.last - each.first for each in frames if each.first) <= 11_000_000


def test_a_frame_says_when_it_is_damaged_to_whoever_knows_zstd_alone(tmp_path):
    written(tmp_path, some_items(50))
    (file,) = tmp_path.rglob("*.zst")
    assert file.read_bytes()[:4] == b"\x28\xb5\x2f\xfd"
    assert file.read_bytes()[4] & 0b100  # a checksum of what is in it follows


def test_another_level_counts_from_the_next_frame_on(tmp_path, writer):
    one, _ = writer()
    for number, each in enumerate(reads(200)):
        one.level = LEVEL if number < 100 else 1
        one.keep(each)
    assert one.close()
    assert len(index_of(tmp_path).frames) == 2


def test_damage_at_the_end_of_a_long_frame_costs_what_is_there_alone(tmp_path):
    items = reads(400)
    written(tmp_path, items, limits=ONE_FRAME)
    (file,) = tmp_path.rglob("*.zst")
    whole, frame = bytearray(file.read_bytes()), index_of(tmp_path).frames[0]
    assert frame.size < blocks._CHUNK  # so that all of it is read at once
    whole[frame.size * 9 // 10] ^= 16
    file.write_bytes(whole)
    kept, damages = all_that_is_read(file)
    assert damages
    assert [each for each in kept if isinstance(each, Read)] == items[: len(kept) - len(damages)]
    assert len(kept) > 200


# Segments and the disk -------------------------------------------------------------------------------------------


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="what is synced cannot be told here")
def test_names_are_on_the_disk_before_anything_is_kept_and_what_is_sealed_before_its_name(
    tmp_path, monkeypatch, writer
):
    steps, fsync, sync, rename = [], os.fsync, os.fdatasync, Path.rename

    def noted(call):
        def synced(descriptor):
            steps.append((call.__name__, Path(f"/proc/self/fd/{descriptor}").readlink().name))
            call(descriptor)

        return synced

    def renamed(path, target):
        steps.append(("rename", path.name))
        return rename(path, target)

    one, _ = writer()
    monkeypatch.setattr(os, "fsync", noted(fsync))
    monkeypatch.setattr(os, "fdatasync", noted(sync))
    monkeypatch.setattr(Path, "rename", renamed)
    one.keep(checkpoint(MORNING))
    assert one.flush()
    (part,) = tmp_path.rglob("*.part")
    day = part.parent.name
    assert steps == [("fsync", day), ("fsync", tmp_path.name), ("fdatasync", part.name)]
    steps.clear()
    assert one.close()
    assert [each for each in steps if each[1] in (part.name, day)][-3:] == [
        ("fsync", part.name),
        ("rename", part.name),
        ("fsync", day),
    ]
    steps.clear()
    disk.whole_file(tmp_path / "some.json", b"{}")
    assert [each for each, _ in steps] == ["fdatasync", "fsync"]


def test_a_disk_that_takes_a_little_at_a_time_has_all_of_it(tmp_path, monkeypatch):
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: write(descriptor, data[:100]))
    items = some_items(100)
    written(tmp_path, items)
    assert all_that_is_read(tmp_path) == (items, [])


def test_a_file_of_which_nothing_was_kept_is_no_segment(tmp_path, monkeypatch, writer):
    one, _ = writer()

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(disk, "write", full)
        one.keep(checkpoint(MORNING))
        assert not one.flush()
    assert one.flush()
    assert one.close()
    assert [each.number for each in Segments(tmp_path).files] == [1]
    assert all_that_is_read(tmp_path) == ([checkpoint(MORNING)], [])


def test_much_is_kept_before_anybody_asks_for_it(monkeypatch, writer):
    monkeypatch.setattr(writer_module, "_UNKEPT", 10_000)
    one, _ = writer()
    items = reads(200)
    for each in items:
        one.keep(each)
    assert items[100].at < one.kept_until < items[-1].at


def test_what_begins_a_segment_is_not_kept_with_the_one_before(writer):
    one, _ = writer()
    one.keep(checkpoint(MORNING))
    one.keep(checkpoint(MORNING + 3_600_000_000))
    assert one.kept_until == MORNING


def test_a_segment_that_is_missing_between_two_runs_is_said(tmp_path):
    written(tmp_path, [checkpoint(MORNING), checkpoint(MORNING + 3_600_000_000)])
    written(tmp_path, [checkpoint(MORNING + 4_000_000_000)])
    assert len(Segments(tmp_path).files) == 3
    Path(Segments(tmp_path).files[1].path).unlink()
    _, damages = all_that_is_read(tmp_path)
    assert [each.text for each in damages] == ["segment 2 is missing after this one"]


def test_a_checkpoint_is_asked_for_when_fifty_times_its_size_was_written(monkeypatch, writer):
    monkeypatch.setattr(writer_module, "_LEAST", 1)
    one, asked = writer(Limits())
    one.keep(checkpoint(MORNING))
    (read,) = reads(1, size=1_000)
    size, step = (sum(map(len, encode(each))) for each in (checkpoint(MORNING), read))
    for number in range(1, 60 * size // step):
        one.keep(read)
        assert bool(asked) is (number * step >= 50 * size)


def test_one_read_larger_than_the_queue_is_kept_where_nothing_waits(tmp_path):
    journal = Journal(tmp_path, ask_checkpoint=lambda: None, queue=1_000)
    (read,) = reads(1, size=5_000)
    journal.put(read)
    assert journal.close(20)
    assert journal.status().dropped == 0
    assert all_that_is_read(tmp_path) == ([read], [])


def test_what_comes_is_on_the_disk_within_a_second():
    assert journal_module._REST + journal_module._FLUSH_EVERY < 1.0


# The index -------------------------------------------------------------------------------------------------------


def test_an_index_with_any_bit_flipped_or_of_another_file_is_none():
    builder = IndexBuilder()
    for each in some_items(30):
        builder.add(each)
    builder.end_frame(1_000, raw=10_000, lines=40)
    tail = pack(builder.done(ended=True))
    assert unpack(tail, 1_000) == builder.index
    assert unpack(tail, 1_001) is None
    assert tail_size(tail[-FOOTER:]) == len(tail)
    for bit in range(8 * (len(tail) - len(b"kalshinb"))):
        broken = bytearray(tail)
        broken[bit // 8] ^= 1 << bit % 8
        assert unpack(bytes(broken), 1_000) is None


def test_an_index_that_would_be_longer_than_its_file_is_none(tmp_path):
    written(tmp_path, reads(10))
    (file,) = tmp_path.rglob("*.zst")
    data = file.read_bytes()[: index_of(tmp_path).size]
    file.write_bytes(data + struct.pack("<II", SKIPPABLE, 16) + struct.pack("<II8s", 0, 1 << 30, b"kalshinb"))
    assert all_that_is_read(file) == (reads(10), [])


def test_an_index_has_the_earliest_and_the_latest_also_where_the_clock_was_set_back():
    builder = IndexBuilder()
    for at in (50, 20, 90, 60):
        builder.add(Event(at, 0, "clock", "-30"))
    builder.end_frame(1, raw=1, lines=1)
    (frame,) = builder.index.frames
    assert (frame.first, frame.last, frame.others) == (20, 90, 4)


def test_an_index_knows_where_books_came_over_last_and_that_asking_is_not_wanting():
    builder = IndexBuilder()

    def sent(connection, command):
        builder.add(Sent(1, connection, command))

    sent(2, b'{"id":1,"cmd":"subscribe","params":{"channels":["orderbook_delta"],"market_tickers":["A","B"]}}')
    sent(
        1, b'{"id":2,"cmd":"update_subscription","params":{"action":"add_markets","sids":[1],"market_tickers":["A"]}}'
    )
    for action in (b"get_snapshot", b"delete_markets"):
        sent(1, b'{"id":3,"cmd":"update_subscription","params":{"action":"%s","market_tickers":["Z"]}}' % action)
    index = builder.done(ended=True)
    assert index.homes == {"B": 2}
    assert index.wanted == {"": ["A"], "orderbook_delta": ["A", "B"]}
    assert index.connections == 2
    assert Index().connections == 1


def test_a_first_line_says_what_was_asked_for_beside_what_earlier_readers_know(tmp_path):
    known = {"kalshi_nb", "segment", "after", "t", "wall", "monotonic", "host", "pid", "kit", "python"}
    said = json.loads(
        first_line(7, After(6, 50), MORNING, Kept(["trade", "ticker"], {"trade": ["A"], "ticker": None}))
    )
    assert said.keys() - known == {"kept"}
    assert said["kept"] == {"channels": ["trade", "ticker"], "wanted": {"trade": ["A"], "ticker": None}}
    assert said["kalshi_nb"] == 1


def test_a_recording_that_does_not_say_what_was_asked_for_says_what_the_feed_asked_for(tmp_path):
    before = {"kalshi_nb": 1, "segment": 1, "after": None, "t": MORNING, "wall": 1, "monotonic": 1, "kit": "0.1.0"}
    command = b'{"id":1,"cmd":"subscribe","params":{"channels":["trade","ticker"],"market_tickers":["A"]}}'
    added = b'{"id":2,"cmd":"update_subscription","params":{"sids":[1],"market_tickers":["B"],"action":"add_markets"}}'
    lines = [json.dumps(before, separators=(",", ":")).encode() + b"\n"]
    lines += [line for each in (command, added) for line in encode(Sent(MORNING, 1, each))]
    text = b"".join(lines)
    folder = tmp_path / "2026-11-22"
    folder.mkdir()
    (folder / "20261122T150000.000000Z-000001.jsonl.zst").write_bytes(
        compress(text + mark_over(text, len(lines), len(lines)))
    )
    info = open_recording(tmp_path).info()
    assert info.wanted == {"ticker": ["A", "B"], "trade": ["A", "B"]}  # nobody knows of which B was
    assert info.missing == info.wanted


def test_whoever_wants_one_kind_of_message_is_told_of_damage_among_others(tmp_path):
    written(tmp_path, reads(400), limits=Limits(2_000, 8_000, HUGE, HUGE), seal=False, held=False)
    (file,) = tmp_path.rglob("*.part")
    whole = bytearray(file.read_bytes())
    middle = len(whole) // 2
    whole[middle : middle + 100] = bytes(100)
    file.write_bytes(whole)
    _, damages = all_that_is_read(file, types=frozenset({"another"}))
    assert "unreadable" in {each.kind for each in damages}


# Checkpoints -----------------------------------------------------------------------------------------------------


def test_parts_of_two_checkpoints_with_a_hole_between_are_none(tmp_path):
    one, other = (
        b"".join(encode(each)).splitlines(keepends=True)
        for each in (checkpoint(MORNING, markets=1), checkpoint(MORNING + 1, markets=1))
    )
    assert len(one) == len(other) == 3  # a subscription, a book, and the line that closes it
    lines, text = 0, b""
    for number, block in enumerate(([first_line(1, None, MORNING), one[0]], [*one[1:], other[0]], other[1:])):
        lines += len(block)
        mark = mark_over(b"".join(block), lines, len(block))
        text += compress(b"".join(block) + (mark.replace(b'"crc":', b'"crc":1') if number == 1 else mark))
    file = tmp_path / "20261128T050000.000000Z-000001.jsonl.zst.part"
    file.write_bytes(text)
    items, damages = all_that_is_read(file)
    assert not any(isinstance(each, Checkpoint) for each in items)
    assert [each.lines for each in damages if each.kind == "unreadable"] == [3]
    assert decompress(text)  # it is whole, for zstd
