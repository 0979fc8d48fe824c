"""How far an export is: who is told, what, and how seldom."""

import io
import os
import pty
import re
import select
import subprocess
import sys
import textwrap

import pytest

import kalshi_nb as kn
from kalshi_nb._recording.progress import ExportProgress
from kalshi_nb.errors import ConfigurationError


@pytest.fixture
def recording(night):
    return kn.open_recording(night.folder)


def test_a_function_is_told_once_a_block_and_never_a_row(recording, tmp_path):
    told = []
    report = recording.export(tmp_path / "out", progress=told.append)
    rows = sum(report.rows.values())
    assert rows > 1_000
    assert len(told) < 20  # three channels, one block each, the segment and the end
    assert [each.rows for each in told] == sorted(each.rows for each in told)
    assert [each.share for each in told] == sorted(each.share for each in told)
    last = told[-1]
    assert (last.segments, last.of_segments, last.rows, last.share, last.ended) == (1, 1, rows, 1.0, True)
    assert not any(each.ended for each in told[:-1])
    assert 0 < told[0].share <= 1  # a small segment is read in one go
    size = sum(each.stat().st_size for each in recording_files(recording))
    assert last.total_bytes == last.read_bytes == size


def recording_files(recording):
    from pathlib import Path

    return [Path(each.path) for each in recording._segments.files]


def test_nothing_is_told_of_what_was_exported_before(recording, tmp_path):
    recording.export(tmp_path / "out")
    told = []
    recording.export(tmp_path / "out", progress=told.append)
    assert told == []


def test_what_the_function_raises_is_raised_as_it_is_and_the_export_goes_on_from_there(recording, tmp_path):
    def refuse(how_far):
        raise ZeroDivisionError(how_far)

    with pytest.raises(ZeroDivisionError):
        recording.export(tmp_path / "out", progress=refuse)
    assert not (tmp_path / "out.staging").exists()
    assert recording.export(tmp_path / "out").rows == recording.export(tmp_path / "other").rows


def test_in_a_script_nothing_is_shown_unless_it_is_asked_for(recording, tmp_path, capsys):
    recording.export(tmp_path / "one")
    recording.export(tmp_path / "two", progress=False)
    assert capsys.readouterr() == ("", "")
    report = recording.export(tmp_path / "three", progress=True)
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(
        f"export to {tmp_path / 'three'}: 1 of 1 segments, 100%, {sum(report.rows.values()):,} rows, "
    )
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize("progress", ["yes", 3, []], ids=repr)
def test_what_nothing_can_be_told_by_is_refused(recording, tmp_path, progress):
    with pytest.raises(ConfigurationError, match="a function that is called with how far it is"):
        recording.export(tmp_path / "out", progress=progress)
    assert not (tmp_path / "out").exists()


def test_time_left_goes_by_the_bytes_that_are_left():
    how_far = ExportProgress(1, 4, 5_000, read_bytes=25, total_bytes=100, seconds=10.0)
    assert how_far.seconds_left == 30.0
    assert str(how_far) == "1 of 4 segments, 25%, 5,000 rows, 500/s, 30 s left"
    assert ExportProgress(0, 4, 0, 0, 100, 1.0).seconds_left is None
    long = ExportProgress(1, 4, 5_000, read_bytes=1, total_bytes=1_001, seconds=10.0)
    assert str(long).endswith("2 h 46 min left")


def in_a_terminal(arguments, cwd):
    """Run something with a terminal for its standard error; return its status, what it printed, and what was seen."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, *map(str, arguments)],
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "200"},
    ) as process:
        os.close(theirs)
        seen = b""
        while select.select([ours], [], [], 60)[0]:
            try:
                some = os.read(ours, 65_536)
            except OSError:  # nobody holds the other end any more
                break
            if not some:
                break
            seen += some
        out = process.stdout.read().decode()
        status = process.wait(30)
    os.close(ours)
    return status, out, seen.decode()


def test_in_a_terminal_the_command_shows_a_bar_on_standard_error(night, tmp_path):
    arguments = ["-m", "kalshi_nb", "export", night.folder, "--out", "tables"]
    status, out, seen = in_a_terminal(arguments, tmp_path)
    assert status == 0, seen
    assert out.startswith(f"{tmp_path / 'tables'}: ")
    assert "━" in seen
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", seen)
    assert re.search(r"1 of 1 segments, 100%, [\d,]+ rows", plain)


@pytest.mark.parametrize("option", ["--json", "--quiet"])
def test_with_json_or_quiet_a_terminal_shows_nothing_of_it(night, tmp_path, option):
    arguments = ["-m", "kalshi_nb", "export", night.folder, "--out", "tables", option]
    status, out, seen = in_a_terminal(arguments, tmp_path)
    assert (status, seen) == (0, "")
    assert len(out.splitlines()) == 1


def test_without_rich_a_terminal_shows_lines(night, tmp_path):
    code = textwrap.dedent("""
        import sys
        sys.modules["rich.progress"] = sys.modules["rich.console"] = None
        import kalshi_nb as kn
        kn.open_recording(sys.argv[1]).export("tables")
    """)
    status, _, seen = in_a_terminal(["-c", code, night.folder], tmp_path)
    assert status == 0, seen
    assert re.fullmatch(r"export to \S+: 1 of 1 segments, 100%, [\d,]+ rows, [\d,]+/s, \d+ s\s*", seen)


def test_lines_come_every_ten_seconds_and_at_the_end(monkeypatch):
    from kalshi_nb._recording import progress

    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with progress.telling(True, "export to x") as tell:
        for _ in range(50):
            now[0] += 0.5
            tell(ExportProgress(0, 2, 10, 1, 10, 1.0))
        tell(ExportProgress(2, 2, 20, 10, 10, 1.0, ended=True))
        lines = sys.stderr.getvalue().splitlines()
    assert len(lines) == 3
    assert lines[-1] == "export to x: 2 of 2 segments, 100%, 20 rows, 20/s, 1 s"
