"""How the commands end: on any console, on a pipe that nobody reads, at Ctrl-C; what they cannot do in one line."""

import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest

from tests.daily import some

COMMANDS = {"demo": ["demo", "--seconds", "1"], "doctor": ["doctor", "sim"]}


def begun(*arguments, encoding="utf-8", **options):
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0", "PYTHONUNBUFFERED": "1"}
    return subprocess.Popen(
        [sys.executable, "-m", "kalshi_nb", *map(str, arguments)],
        stdout=options.pop("stdout", subprocess.PIPE),
        stderr=subprocess.PIPE,
        env=environment,
        **options,
    )


def ended(process, timeout=60):
    out, err = process.communicate(timeout=timeout)
    return process.returncode, out, err.decode()


@pytest.mark.parametrize("encoding", some(["ascii", "cp1252", "cp437", "latin-1", "utf-8"], 1))
@pytest.mark.parametrize("command", COMMANDS)
def test_every_console_is_printed_on(command, encoding, tmp_path):
    status, out, err = ended(begun(*COMMANDS[command], encoding=encoding, cwd=tmp_path))
    assert (status, err) == (0, "")
    text = out.decode(encoding)
    if command == "demo":
        assert ("\u2550" in text) is (encoding == "utf-8")  # cp437 has the lines, but not the ellipsis
        assert "KXHIGHNY" in text
        assert "?" not in text


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda folder: (folder / "taken").write_text("mine"), "is no folder"),
        (lambda folder: (folder / "taken").symlink_to("/dev/null"), "is no folder"),
        (lambda folder: (folder / "taken").symlink_to("/proc/self/status"), "is no folder"),
    ],
    ids=["a file", "a device", "a file of the system"],
)
@pytest.mark.parametrize("below", ["", "deep/down"])
def test_a_folder_that_cannot_be_is_one_line_before_anything_is_waited_for(tmp_path, make, words, below):
    make(tmp_path)
    began = time.monotonic()
    status, out, err = ended(begun("demo", "--seconds", "60", "--output", tmp_path / "taken" / below))
    assert (status, out) == (2, b"")
    assert err.startswith("kalshi-nb demo: --output ")
    assert words in err
    assert len(err.splitlines()) == 1
    assert time.monotonic() - began < 30


def test_a_file_that_cannot_be_written_is_one_line_at_the_end(tmp_path):
    (tmp_path / "trades.parquet").mkdir()
    status, out, err = ended(begun("demo", "--seconds", "1", "--output", tmp_path))
    assert status == 2
    assert "Health" in out.decode()
    assert err == f"kalshi-nb demo: {tmp_path / 'trades.parquet'} is a folder: name a file in it.\n"


@pytest.mark.parametrize(("command", "lines"), [("demo", 0), ("demo", 1), ("doctor", 0)])
def test_a_pipe_that_nobody_reads_ends_a_command_without_a_word(command, lines, tmp_path):
    with begun(*COMMANDS[command], cwd=tmp_path) as process:
        for _ in range(lines):
            assert process.stdout.readline()
        process.stdout.close()
        assert process.wait(60) == 141
        assert process.stderr.read() == b""


@pytest.mark.skipif(not pathlib.Path("/dev/full").exists(), reason="this system has no such device")
@pytest.mark.parametrize("command", COMMANDS)
def test_a_disk_that_is_full_of_what_is_printed_is_one_line(command, tmp_path):
    with pathlib.Path("/dev/full").open("wb") as full:
        status, _, err = ended(begun(*COMMANDS[command], stdout=full, cwd=tmp_path))
    assert (status, len(err.splitlines())) == (2, 1)
    assert "No space left on device" in err


def test_ctrl_c_ends_a_command_with_a_line_and_no_traceback(tmp_path):
    process = begun("demo", "--seconds", "60", cwd=tmp_path)
    assert b"connected" in process.stdout.readline()
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    status, _, err = ended(process)
    assert (status, err) == (130, "kalshi-nb: interrupted\n")


@pytest.mark.parametrize("named", [[], ["--env"]], ids=["by itself", "as other commands have it"])
def test_an_address_that_nobody_has_is_no_traceback(tmp_path, named):
    status, out, err = ended(begun("doctor", *named, "nowhere", cwd=tmp_path))
    assert status in (1, 2)
    assert "Traceback" not in err + out.decode()
    assert "nowhere" in err + out.decode()
