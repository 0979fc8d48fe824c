"""The recorder's thread, and the disks that it meets."""

import contextlib
import errno
import json
import os
import random
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from kalshi_nb._recording import disk
from kalshi_nb._recording import journal as journal_module
from kalshi_nb._recording.journal import Journal
from kalshi_nb._recording.reading import Report, Segments
from kalshi_nb._recording.segment import Limits
from kalshi_nb._rows.heard import LOSSES, Checkpoint, Event, Read
from kalshi_nb.errors import RecordingError, RecordingInUseError, WrongThreadError
from tests.recording.items import MORNING, checkpoint, some_items

ROOT = hasattr(os, "geteuid") and os.geteuid() == 0


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(journal_module, "_RETRY", 0.02)


def until(condition, seconds=30.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.005)


@contextlib.contextmanager
def recorded(folder, **options):
    """Give a journal and how often it asked for a checkpoint."""
    asked = []
    journal = Journal(folder, ask_checkpoint=lambda: asked.append(threading.current_thread().name), **options)
    try:
        yield journal, asked
    finally:
        journal.close(20.0)


def put_all(journal, items):
    for each in items:
        journal.put(each)


def split(folder):
    """Return what was recorded, without what says that something is missing, and that."""
    got = list(Segments(folder).items())
    losses = [each for each in got if isinstance(each, Event) and each.kind in LOSSES]
    return [each for each in got if each not in losses], losses


def test_what_is_put_is_kept_and_sealed(tmp_path):
    items = some_items(500)
    with recorded(tmp_path / "a" / "night") as (journal, asked):
        put_all(journal, items)
        assert journal.flush(30)
        status = journal.status()
        assert status.durable_until == items[-1].at
        assert status.messages == status.durable_messages == sum(len(getattr(each, "messages", ())) for each in items)
        assert (status.state, status.trouble, status.dropped, status.waiting_bytes) == ("recording", None, 0, 0)
        assert status.raw_bytes > status.written_bytes > 0
        assert status.free_bytes > 0
        assert list(Segments(tmp_path).items()) == items  # while it is written
        assert journal.close(20)
        assert journal.close(20)
        journal.put(items[0])  # nobody hears it
        assert journal.status().state == "closed"
    assert list(Segments(tmp_path).items()) == items
    assert Segments(tmp_path).files[0].sealed
    assert asked == []


def test_the_list_of_a_read_is_copied(tmp_path):
    messages = [b'{"type":"a"}\n']
    with recorded(tmp_path) as (journal, _):
        journal.put(Read(MORNING, 1, messages))
        messages.clear()  # as a transport does, which uses it again
    assert list(Segments(tmp_path).items()) == [Read(MORNING, 1, [b'{"type":"a"}\n'])]


def test_checkpoints_are_asked_for_at_the_beginning_and_as_data_grows(tmp_path, monkeypatch):
    monkeypatch.setattr("kalshi_nb._recording.writer._LEAST", 20_000)
    reads = [each for each in some_items(600) if isinstance(each, Read)]
    with recorded(tmp_path) as (journal, asked):
        journal.put(reads[0])
        assert journal.flush(30)
        assert asked == ["kalshi-recorder"]
        put_all(journal, reads[1:])
        assert journal.flush(30)
        assert len(asked) == 1  # it was not answered
        journal.put(checkpoint(reads[-1].at))
        put_all(journal, reads)
        assert journal.flush(30)
        assert len(asked) == 2


def test_an_engine_that_has_ended_is_asked_in_vain(tmp_path):
    def ended():
        raise RuntimeError("the loop is closed")

    items = some_items(3)[1:]
    journal = Journal(tmp_path, ask_checkpoint=ended)
    put_all(journal, items)
    assert journal.close(20)
    assert list(Segments(tmp_path).items()) == items


@pytest.fixture
def stuck(monkeypatch):
    """A disk on which nothing gets ready before it is told to."""
    go, began = threading.Event(), threading.Event()
    sync = disk.sync

    def slow(descriptor):
        began.set()
        assert go.wait(60)
        sync(descriptor)

    monkeypatch.setattr(disk, "sync", slow)
    monkeypatch.setattr("kalshi_nb._recording.writer.disk.whole_file", lambda path, data: path.write_bytes(data))
    yield go, began
    go.set()


def test_what_a_slow_disk_does_not_take_is_dropped_newest_first_and_said_once(tmp_path, stuck, monkeypatch):
    go, began = stuck
    monkeypatch.setattr(journal_module, "_SLOW", 0.0)
    reads = [Read(MORNING + number, 1, [b'{"type":"a","n":%04d}\n' % number]) for number in range(1_000)]
    with recorded(tmp_path, queue=20_000) as (journal, asked):
        journal.put(reads[0])
        assert began.wait(30)
        put_all(journal, reads[1:])
        status = journal.status()
        assert 0 < status.waiting_bytes <= 20_000
        assert status.dropped > 700
        assert "the disk is slow" in status.trouble
        assert str(tmp_path) in status.trouble
        go.set()
        assert journal.flush(30)
        more = [Read(MORNING + number, 1, [b'{"type":"a"}\n']) for number in range(1_000, 1_010)]
        put_all(journal, more)
        assert journal.flush(30)
        assert len(asked) == 2  # at the beginning, and since something is missing
        assert journal.status().trouble is None
        dropped = journal.status().dropped
    kept, losses = split(tmp_path)
    assert kept == reads[: len(reads) - dropped] + more
    assert [(each.kind, each.at) for each in losses] == [("dropped", MORNING + 1_000)]
    assert losses[0].text.startswith(f"{dropped:,} messages since 2026-11-28 05:00:00 UTC")
    assert Segments(tmp_path).info().losses == [(MORNING + 1_000, "dropped", losses[0].text)]


def test_what_comes_faster_than_a_disk_takes_it_waits_and_is_not_dropped(tmp_path, monkeypatch):
    write = disk.write

    def slow(descriptor, data):
        time.sleep(0.002)
        write(descriptor, data)

    monkeypatch.setattr(disk, "write", slow)
    monkeypatch.setattr("kalshi_nb._recording.segment._HELD", 0)  # so that each frame is written by itself
    megabyte = [b'{"type":"a","is":"%s"}\n' % (b"b" * (1 << 20))]
    with recorded(tmp_path, queue=24 << 20) as (journal, _):
        journal.put(Read(MORNING, 1, megabyte))
        assert journal.flush(30)  # its first segment stands
        put_all(journal, [Read(MORNING + number, 1, megabyte) for number in range(1, 300)])
        assert journal.flush(60)
        status = journal.status()
    assert (status.dropped, status.durable_messages) == (0, 300)


def test_whoever_waits_for_room_wakes_the_recorder_that_rests(tmp_path, monkeypatch):
    monkeypatch.setattr(journal_module, "_REST", 60.0)
    monkeypatch.setattr(journal_module, "_PATIENCE", 20.0)
    with recorded(tmp_path, queue=100_000) as (journal, _):
        put_all(journal, [Read(MORNING + number, 1, [b'{"is":"%s"}\n' % (b"b" * 1_000)] * 30) for number in range(50)])
        assert journal.flush(30)
        status = journal.status()
    assert (status.dropped, status.durable_messages) == (0, 1_500)


def test_what_waits_for_room_while_the_recording_is_closed_comes_too_late(tmp_path, stuck, monkeypatch):
    go, began = stuck
    monkeypatch.setattr(journal_module, "_PATIENCE", 20.0)
    with recorded(tmp_path, queue=5_000) as (journal, _):
        journal.put(Read(MORNING, 1, [b"{}\n"]))
        assert began.wait(30)
        items = [Read(MORNING + number, 1, [b"{}\n"] * 5) for number in range(1, 200)]
        putting = threading.Thread(target=put_all, args=(journal, items))
        putting.start()
        until(lambda: journal.status().waiting_bytes > 4_500)
        assert not journal.close(0.0)
        go.set()
        putting.join(30)
        assert journal.close(30)
        status = journal.status()
    assert status.waiting_bytes == status.dropped == 0
    assert status.messages == status.durable_messages > 1


def test_a_loss_that_nothing_follows_is_said_when_the_recording_is_closed(tmp_path, stuck):
    go, began = stuck
    with recorded(tmp_path, queue=5_000) as (journal, _):
        journal.put(Read(MORNING, 1, [b"{}\n"]))
        assert began.wait(30)
        put_all(journal, [Read(MORNING + number, 1, [b"{}\n"] * 5) for number in range(1, 200)])
        go.set()
    assert [each.kind for each in split(tmp_path)[1]] == ["dropped"]


def test_a_recorder_that_is_behind_or_has_much_to_write_compresses_less(tmp_path, stuck, monkeypatch):
    go, began = stuck
    monkeypatch.setattr(journal_module, "_OVER", 2.0)
    megabyte = [b'{"type":"a"}\n' * 1_000] * 80
    with recorded(tmp_path) as (journal, _):

        def level():
            return journal.status().level

        journal.put(checkpoint(MORNING))
        assert began.wait(30)
        assert level() == 6
        put_all(journal, [Read(MORNING + number, 1, megabyte) for number in range(3)])
        go.set()
        assert journal.flush(30)
        assert level() == 1
        journal.put(checkpoint(MORNING + 3))
        assert journal.flush(30)
        assert level() == 1  # what came in the last seconds was much
        until(lambda: not put_all(journal, [checkpoint(MORNING + 4)]) and journal.flush(30) and level() == 6)
        for number in range(5, 15):  # none of them is much, all of them together are
            journal.put(Read(MORNING + number, 1, megabyte[:40]))
            assert journal.flush(30)
        assert level() == 1
    assert sum(isinstance(each, Read) for each in split(tmp_path)[0]) == 13


def test_nothing_is_acknowledged_before_it_is_on_the_disk(tmp_path, monkeypatch):
    """Whatever is lost with the power between two steps, all that was acknowledged by then can be read."""
    steps, synced = [], {}
    write, sync = disk.write, disk.sync
    with recorded(tmp_path, limits=Limits(2_000, 8_000, 10**12, 10**9)) as (journal, _):
        writer = journal._writer

        def noted_sync(descriptor):
            sync(descriptor)
            synced[str(Path(f"/proc/self/fd/{descriptor}").readlink())] = os.fstat(descriptor).st_size
            steps.append((dict(synced), writer.kept_until))

        def noted_write(descriptor, data):
            steps.append((dict(synced), writer.kept_until))
            return write(descriptor, data)

        monkeypatch.setattr(disk, "write", noted_write)
        monkeypatch.setattr(disk, "sync", noted_sync)
        items = some_items(400)
        for place in range(0, 400, 40):
            put_all(journal, items[place : place + 40])
            assert journal.flush(30)
            steps.append((dict(synced), writer.kept_until))
        assert writer.kept_until == items[-1].at
        (part,) = tmp_path.rglob("*.part")
        whole = part.read_bytes()
    assert len({until for _, until in steps}) > 5
    for number, (sizes, kept_until) in enumerate(steps):
        cut = tmp_path / f"{number}.jsonl.zst.part"
        cut.write_bytes(whole[: sizes.get(str(part), 0)])
        kept = list(Segments(cut).items())
        expected = [each for each in items if each.at <= kept_until]
        assert kept[: len(expected)] == expected


def test_a_second_writer_is_told_who_the_first_is(tmp_path):
    with recorded(tmp_path), pytest.raises(RecordingInUseError, match=r"by this process, since 20\d\d-.* Close that"):
        Journal(tmp_path, ask_checkpoint=lambda: None)
    with recorded(tmp_path):  # it let go
        pass


WRITES = """
import sys, pathlib
sys.path.insert(0, {root!r})
from kalshi_nb._recording.journal import Journal
from tests.recording.items import some_items
"""


def other_process(code, *arguments, **options):
    script = WRITES.format(root=str(Path(__file__).parents[2])) + code
    return subprocess.Popen(
        [sys.executable, "-c", script, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def test_the_lock_names_another_process_and_goes_with_it(tmp_path):
    code = """
journal = Journal(pathlib.Path(sys.argv[1]), ask_checkpoint=lambda: None)
print("holds", flush=True)
sys.stdin.read()
"""
    with other_process(code, tmp_path, stdin=subprocess.PIPE) as other:
        assert other.stdout.readline() == "holds\n"
        with pytest.raises(RecordingInUseError, match=f"process {other.pid} on .*, since"):
            Journal(tmp_path, ask_checkpoint=lambda: None)
        other.kill()
        other.wait()
    with recorded(tmp_path) as (journal, _):
        journal.put(checkpoint(MORNING))
    assert list(Segments(tmp_path).items()) == [checkpoint(MORNING)]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_child_writes_nothing_and_holds_nothing(tmp_path):
    items = some_items(20)
    code = """
import os, time
items = some_items(20)
journal = Journal(pathlib.Path(sys.argv[1]), ask_checkpoint=lambda: None)
for each in items[:10]: journal.put(each)
assert journal.flush()
child = os.fork()
if not child:
    for each in items[15:]: journal.put(each)
    assert not journal.flush(0.1) and not journal.close(0.1)
    journal.status()
    print("child", flush=True)
    time.sleep(3_600)  # what is written to their common input is for the parent
assert sys.stdin.readline()
for each in items[10:]: journal.put(each)
assert journal.close(20)
again = Journal(pathlib.Path(sys.argv[1]), ask_checkpoint=lambda: None)  # although the child lives
assert again.close(20)
print("parent", flush=True)
sys.stdin.readline()
os.kill(child, 9)
os.waitpid(child, 0)
"""
    with other_process(code, tmp_path, stdin=subprocess.PIPE) as other:
        assert other.stdout.readline() == "child\n", other.stderr.read()
        other.stdin.write("go\n")
        other.stdin.flush()
        assert other.stdout.readline() == "parent\n", other.stderr.read()
        other.stdin.close()
    assert list(Segments(tmp_path).items()) == items


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_child_that_outlives_its_killed_parent_does_not_hold_the_folder(tmp_path):
    code = """
import os
journal = Journal(pathlib.Path(sys.argv[1]), ask_checkpoint=lambda: None)
if not os.fork():
    print("child", flush=True)
    sys.stdin.read()
    os._exit(0)
sys.stdin.readline()
"""
    with other_process(code, tmp_path, stdin=subprocess.PIPE) as other:
        assert other.stdout.readline() == "child\n", other.stderr.read()
        other.kill()
        other.wait()
        with recorded(tmp_path) as (journal, _):
            journal.put(checkpoint(MORNING))
    assert list(Segments(tmp_path).items()) == [checkpoint(MORNING)]


@pytest.fixture
def small_disk(tmp_path):
    """A disk of a megabyte."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = ROOT and sys.platform == "linux"
    mounted = (
        mounted
        and not subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], capture_output=True
        ).returncode
    )
    if not mounted:
        pytest.skip("no disk can be mounted here")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def test_a_full_disk_is_waited_for_and_nothing_is_lost_that_memory_holds(small_disk):
    items = some_items(300)
    with recorded(small_disk / "night") as (journal, _):
        put_all(journal, items[:100])
        assert journal.flush(30)
        ballast = small_disk / "ballast"
        with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
            while file.write(bytes(4096)):
                pass
        put_all(journal, [Read(items[100].at, 1, [os.urandom(9_000)])])  # fits into no rest of a page
        until(lambda: journal.status().state == "waiting")
        trouble = journal.status().trouble
        assert "the disk is full" in trouble
        assert f"nothing is written since {'2026-11-28 05:00:09 UTC'}" in trouble
        assert "Make room; the recording goes on by itself" in trouble
        assert list(Segments(small_disk / "night").items()) == items[:100]  # as it was
        put_all(journal, items[101:200])
        ballast.unlink()
        until(lambda: journal.status().state == "recording")
        put_all(journal, items[200:])
        assert journal.flush(30)
        assert journal.status().dropped == 0
    kept, losses = split(small_disk / "night")
    assert losses == []
    assert [each.at for each in kept] == [each.at for each in items]


def fill(disk):
    """Leave no room on a disk; return what takes it."""
    ballast = disk / "ballast"
    with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
        while file.write(bytes(4096)):
            pass
    return ballast


NOISE = random.Random(1).randbytes
"""Bytes that do not become fewer by compression."""


@pytest.mark.parametrize("kept", [0, 100], ids=["from the beginning", "after some time"])
def test_what_a_disk_that_stays_full_did_not_take_is_said_by_whoever_reads(small_disk, kept):
    items = some_items(100)
    folder = small_disk / "night"
    with recorded(folder) as (journal, _):
        put_all(journal, items[:kept])
        assert not kept or journal.flush(30)
        fill(small_disk)
        at = MORNING + 60_000_000
        put_all(journal, [Read(at + each, 1, [NOISE(9_000), b"{}"]) for each in range(3)])
        until(lambda: journal.status().state == "waiting")
        if kept:
            assert list(Segments(folder).items()) == items  # the disk may have room yet
        assert not journal.close(20)
        assert journal.status().dropped == 6
    text = "6 messages since 2026-11-28 05:01:00 UTC: the disk is full, and was so when the recorder was closed"
    if not kept:
        with pytest.raises(RecordingError, match=text):
            Segments(folder)
        return
    for each in (folder, Segments(folder).files[-1].path):
        assert list(Segments(each).items()) == [*items, Event(at, 0, "dropped", text)]
        assert Segments(each).info().losses == [(at, "dropped", text)]
    assert list(Segments(folder).items(end=at - 1)) == items


def test_what_memory_did_not_hold_while_the_disk_was_full_is_counted_where_the_rest_is(small_disk):
    folder, items = small_disk / "night", some_items(20)
    with recorded(folder, queue=60_000) as (journal, _):
        put_all(journal, items)
        assert journal.flush(30)
        fill(small_disk)
        reads = [Read(MORNING + 60_000_000 + each, 1, [NOISE(9_000), b"{}"]) for each in range(40)]
        put_all(journal, reads[:1])
        until(lambda: journal.status().state == "waiting")
        put_all(journal, reads[1:])
        assert not journal.close(20)
        assert journal.status().dropped == 80
    *_, dropped = Segments(folder).items()
    assert dropped.text.startswith("80 messages since 2026-11-28 05:01:00 UTC: the disk is full")


def test_what_an_earlier_run_could_not_say_is_said_by_the_next(small_disk):
    folder = small_disk / "night"
    items = some_items(20)
    with recorded(folder) as (journal, _):
        put_all(journal, items)
        assert journal.flush(30)
        ballast = fill(small_disk)
        put_all(journal, [Read(MORNING + 60_000_000, 1, [NOISE(9_000)])])
        assert not journal.close(20)
    ballast.unlink()
    later = checkpoint(MORNING + 99_000_000)
    with recorded(folder) as (journal, _):
        put_all(journal, [later])
        assert journal.flush(30)
        assert json.loads((folder / "unwritten.json").read_text()) == {}
    kept, losses = split(folder)
    assert kept == [*items, later]
    assert [each.kind for each in losses] == ["torn", "dropped"]
    assert losses[1].text.startswith("1 messages since 2026-11-28 05:01:00 UTC: the disk is full")
    assert not (folder / "unwritten.json").exists()


def test_a_process_that_is_killed_while_the_disk_is_full_has_said_what_is_missing(small_disk):
    code = """
import os, time
from kalshi_nb._rows.heard import Read
journal = Journal(pathlib.Path(sys.argv[1]), ask_checkpoint=lambda: None)
for each in some_items(20):
    journal.put(each)
assert journal.flush(30)
try:
    with open(sys.argv[1] + "/../ballast", "wb", buffering=0) as file:
        while file.write(bytes(4096)): pass
except OSError: pass
journal.put(Read(some_items(20)[-1].at + 1, 1, [os.urandom(9_000)]))
while journal.status().state == "recording": time.sleep(0.01)
time.sleep(0.1)
print("full", flush=True)
time.sleep(60)
"""
    folder = small_disk / "night"
    with other_process(code, folder) as other:
        assert other.stdout.readline() == "full\n", other.stderr.read()
        other.kill()
        other.wait()
    *kept, dropped = Segments(folder).items()
    assert kept == some_items(20)
    assert (dropped.kind, dropped.at) == ("dropped", kept[-1].at + 1)
    assert dropped.text == "at least 1 messages since 2026-11-28 05:00:01 UTC: the disk is full"


def test_a_recording_that_ends_well_has_no_note_and_a_strange_one_is_none(tmp_path):
    items = some_items(5)
    with recorded(tmp_path) as (journal, _):
        put_all(journal, items)
        assert journal.flush(30)
        note = tmp_path / "unwritten.json"
        assert len(note.read_bytes()) == 4096
    assert not note.exists()
    for strange in (b"", b"{}", b"nothing", b"[1]", b'{"segment":7,"since":1,"messages":1,"why":"another"}'):
        note.write_bytes(strange)
        assert list(Segments(tmp_path).items()) == items


def test_a_limit_of_the_size_of_files_is_survived(tmp_path):
    code = """
import resource, time
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
journal = Journal(pathlib.Path(sys.argv[1]), ask_checkpoint=lambda: None)
for each in some_items(3_000):
    journal.put(each)
    if each.at % 5_000_000 == 0: assert journal.flush(30)
assert journal.close(60), journal.status()
assert journal.status().dropped == 0
"""
    pytest.importorskip("resource")
    with other_process(code, tmp_path) as other:
        _, said = other.communicate(timeout=100)
    assert other.returncode == 0, said
    assert len(Segments(tmp_path).files) > 3
    report = Report()
    assert list(Segments(tmp_path).items(report=report)) == some_items(3_000)
    assert report.damages == []


def test_a_folder_that_is_removed_is_said_and_what_comes_after_it_is_made_again_is_kept(tmp_path):
    items = some_items(60)
    folder, aside = tmp_path / "night", tmp_path / "aside"
    with recorded(folder) as (journal, asked):
        put_all(journal, items[:20])
        assert journal.flush(30)
        folder.rename(aside)
        put_all(journal, items[20:40])
        until(lambda: journal.status().state == "waiting")
        assert "the folder is not there any more" in journal.status().trouble
        assert "Make it again" in journal.status().trouble
        folder.write_text("in its place")
        until(lambda: "there is a file in place of a folder" in journal.status().trouble)
        folder.unlink()
        folder.mkdir()
        until(lambda: journal.status().state == "recording")
        put_all(journal, items[40:])
        assert journal.flush(30)
        assert asked
        with pytest.raises(RecordingInUseError):
            Journal(folder, ask_checkpoint=lambda: None)
    *left, torn = Segments(aside).items()
    assert left == items[:20]
    assert torn.kind == "torn"
    missing, *came = Segments(folder).items()
    assert "segment 1 is missing before this one" in missing.text
    assert came == items[20:]
    assert json.loads((folder / "recording.json").read_text())["kalshi_nb"] == 1


def test_a_file_that_is_another_ones_copy_is_not_taken_for_its_own(tmp_path):
    items = some_items(60)
    with recorded(tmp_path / "night") as (journal, _):
        put_all(journal, items[:20])
        assert journal.flush(30)
        (part,) = (tmp_path / "night").rglob("*.part")
        part.rename(tmp_path / "aside")
        shutil.copy(tmp_path / "aside", part)
        put_all(journal, items[20:])
        until(lambda: journal.status().durable_messages == journal.status().messages)
        assert journal.flush(30)
    kept, losses = split(tmp_path / "night")
    assert kept == items
    assert losses == []


@pytest.mark.parametrize("at_sync", [False, True], ids=["as it is written", "as it is synced"])
def test_what_a_disk_may_have_taken_is_said_to_be_missing_and_never_written_twice(tmp_path, monkeypatch, at_sync):
    """A disk that takes what it is given, says that it did not, and does not let go of it again."""
    monkeypatch.setattr("kalshi_nb._recording.segment._HELD", -1)
    write, sync = disk.write, disk.sync

    def refuse(*_):
        raise OSError(errno.EIO, "Input/output error")

    def written(descriptor, data):
        write(descriptor, data)
        return refuse() if at_once and data and not at_sync else len(data)

    def synced(descriptor):
        sync(descriptor)
        return refuse() if at_once and at_sync else None

    reads = [Read(MORNING + each, 1, [b'{"type":"a","n":%03d}\n' % each]) for each in range(30)]
    with recorded(tmp_path, limits=Limits(1, 1, 10**12, 10**9)) as (journal, _):
        at_once = False
        put_all(journal, reads[:10])
        assert journal.flush(30)
        monkeypatch.setattr(disk, "write", written)
        monkeypatch.setattr(disk, "sync", synced)
        monkeypatch.setattr(disk, "cut", refuse)
        at_once = True
        put_all(journal, reads[10:12])
        until(lambda: "Input/output error" in (journal.status().trouble or ""))
        at_once = False
        put_all(journal, reads[12:])
        until(lambda: journal.status().state == "recording")
        assert journal.flush(30)
        dropped = journal.status().dropped
    kept, losses = split(tmp_path)
    assert len({each.at for each in kept}) == len(kept)  # none of them twice
    assert [each for each in kept if each.at < MORNING + 10 or each.at >= MORNING + 12] == reads[:10] + reads[12:]
    assert dropped in {1, 2}
    assert sum(int(each.text.split()[0]) for each in losses) == dropped
    assert {each.kind for each in losses} == {"dropped"}  # what is there beyond what was said to be kept is no loss


AS_NOBODY = """
import os
if os.geteuid() == 0: os.setuid(65534)
from kalshi_nb.errors import RecordingError
"""


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="there are no modes of files here")
def test_a_folder_that_must_not_be_written_is_refused_in_one_sentence(tmp_path):
    for each in (tmp_path, *tmp_path.parents[:-2]):
        each.chmod(0o555 if each == tmp_path else 0o755)
    code = (
        AS_NOBODY
        + """
for path in (sys.argv[1], sys.argv[1] + "/night"):
    try: Journal(pathlib.Path(path), ask_checkpoint=lambda: None)
    except RecordingError as refused: print(refused)
"""
    )
    with other_process(code, tmp_path) as other:
        out, said = other.communicate(timeout=60)
    tmp_path.chmod(0o755)
    assert said == ""
    assert out.splitlines() == [
        f"{path} cannot be recorded into: the folder must not be written. Make it writable, or name another."
        for path in (tmp_path, tmp_path / "night")
    ]


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="there are no modes of files here")
def test_a_folder_that_becomes_read_only_is_waited_for(tmp_path):
    for each in tmp_path.parents[:-2]:
        each.chmod(0o755)
    tmp_path.chmod(0o777)
    code = (
        AS_NOBODY
        + """
import stat, time
from kalshi_nb._recording import journal as journal_module
from kalshi_nb._recording.segment import Limits
journal_module._RETRY = 0.02
folder, items = pathlib.Path(sys.argv[1]) / "night", some_items(900)
journal = Journal(folder, ask_checkpoint=lambda: None, limits=Limits(2_000, 4_000, 10**12, 8_000))
for each in items[:50]: journal.put(each)
assert journal.flush(30)
days = [each for each in folder.iterdir() if each.is_dir()]
for each in days: each.chmod(0o555)
for each in items[50:600]: journal.put(each)
while journal.status().state != "waiting": time.sleep(0.005)
print(journal.status().trouble, flush=True)
for each in days: each.chmod(0o755)
while journal.status().state == "waiting": time.sleep(0.005)
for each in items[600:]: journal.put(each)
assert journal.close(30), journal.status()
"""
    )
    with other_process(code, tmp_path) as other:
        out, said = other.communicate(timeout=60)
    assert other.returncode == 0, said
    assert "the folder must not be written" in out
    kept, _ = split(tmp_path / "night")
    assert kept == some_items(900)


def test_a_disk_that_is_read_only_is_refused_in_one_sentence(small_disk):
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    for folder in (small_disk, small_disk / "night"):
        with pytest.raises(RecordingError, match=r"recorded into: the disk is read-only\. Make it writable, or name"):
            Journal(folder, ask_checkpoint=lambda: None)


def test_a_path_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "night").write_text("")
    with pytest.raises(RecordingError, match="cannot be recorded into"):
        Journal(tmp_path / "night", ask_checkpoint=lambda: None)


def test_a_bug_costs_what_it_met_and_is_said(tmp_path):
    items = some_items(30)
    with recorded(tmp_path) as (journal, _):
        put_all(journal, items[:10])
        assert journal.flush(30)
        journal.put(Event(items[10].at, 1, "lost", 7))  # no text
        until(lambda: journal.status().trouble is not None or journal._writer._losing is None)
        put_all(journal, items[11:20])
        until(lambda: journal.status().state == "recording" and not journal.status().waiting_bytes)
        put_all(journal, items[20:])
        assert journal.flush(30)
    kept, losses = split(tmp_path)
    assert kept[:10] == items[:10]
    assert kept[-10:] == items[-10:]
    assert [each.kind for each in losses] == ["dropped"]
    assert "a bug of the recorder" in losses[0].text


def test_a_recorder_cannot_wait_for_itself(tmp_path):
    told = []

    def ask():
        try:
            journal.flush()
        except WrongThreadError as refused:
            told.append(str(refused))

    journal = Journal(tmp_path, ask_checkpoint=ask)
    journal.put(some_items(2)[1])
    assert journal.close(20)
    assert "the thread that writes a recording" in told[0]


def test_checkpoints_have_no_place_of_their_own_in_a_queue_that_is_full(tmp_path, stuck):
    go, began = stuck
    with recorded(tmp_path, queue=3_000) as (journal, _):
        journal.put(checkpoint(MORNING))
        assert began.wait(30)
        put_all(journal, [checkpoint(MORNING + number) for number in range(1, 50)])
        assert journal.status().waiting_bytes <= 3_000
        go.set()
        assert journal.flush(30)
        journal.put(checkpoint(MORNING + 50))
    kept, losses = split(tmp_path)
    assert all(isinstance(each, Checkpoint) for each in kept)
    assert kept[-1].at == MORNING + 50
    assert [each.text.split(" since")[0] for each in losses] == ["0 messages"]
