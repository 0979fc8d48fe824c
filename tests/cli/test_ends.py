"""How the commands end: on any console, on a pipe that nobody reads, at Ctrl-C; what they cannot do in one line."""

import os
import pathlib
import shlex
import signal
import subprocess
import sys
import time

import pytest

import kalshi_nb as kn
from tests.daily import some

COMMANDS = {"demo": ["demo", "--seconds", "1"], "doctor": ["doctor", "sim"]}
MEANWHILE = ("recording ", "new: ")
"""How lines begin that tell of a recording while it goes on."""
PRINTING = (*COMMANDS, "markets", "record", "info", "export", "replay")


def commands(night):
    """All that print something and end by themselves; some of them of a recording."""
    return {
        **COMMANDS,
        "markets": ["markets", "weather", "--env", "sim"],
        "record": ["record", "new", "--env", "sim", "--for", "1s"],
        "info": ["info", night],
        "export": ["export", night, "tables", "--quiet"],
        "replay": ["replay", night, "--speed", "max"],
    }


def begun(*arguments, encoding="utf-8", unbuffered="1", **options):
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0", "PYTHONUNBUFFERED": unbuffered}
    return subprocess.Popen(
        [sys.executable, "-m", "kalshi_nb", *map(str, arguments)],
        stdout=options.pop("stdout", subprocess.PIPE),
        stderr=options.pop("stderr", subprocess.PIPE),
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


@pytest.mark.parametrize("encoding", some(["ascii", "cp1252", "cp437"], 1))
@pytest.mark.parametrize("command", [each for each in PRINTING if each not in COMMANDS])
def test_every_other_command_is_printed_on_any_console_too(command, encoding, night, tmp_path):
    status, out, err = ended(begun(*commands(night)[command], encoding=encoding, cwd=tmp_path))
    assert status == 0
    assert "Error" not in err
    assert out.decode(encoding).strip()


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


@pytest.fixture(scope="module")
def night(tmp_path_factory):
    """A recording of half a megabyte, more than any pipe or buffer holds."""
    folder = tmp_path_factory.mktemp("ends") / "night"
    exchange = kn.sim.Exchange(seed=7, clock="manual")
    with exchange, kn.connect(exchange, new=True) as feed, feed.record(folder, ["trade", "ticker"]):
        exchange.advance(300)
    return folder


@pytest.mark.parametrize(("command", "lines"), [("demo", 0), ("demo", 1), ("doctor", 0), ("replay", 1)])
def test_a_pipe_that_nobody_reads_ends_a_command_without_a_word(command, lines, tmp_path, night):
    with begun(*commands(night)[command], cwd=tmp_path) as process:
        for _ in range(lines):
            assert process.stdout.readline()
        process.stdout.close()
        assert process.wait(60) == 141
        assert process.stderr.read() == b""


@pytest.mark.skipif(not pathlib.Path("/dev/full").exists(), reason="this system has no such device")
@pytest.mark.parametrize("unbuffered", ["1", ""], ids=["at once", "at the end"])
@pytest.mark.parametrize("command", PRINTING)
def test_a_disk_that_is_full_of_what_is_printed_is_one_line(command, unbuffered, tmp_path, night):
    with pathlib.Path("/dev/full").open("wb") as full:
        status, _, err = ended(begun(*commands(night)[command], stdout=full, cwd=tmp_path, unbuffered=unbuffered))
    told = [line for line in err.splitlines() if not line.startswith(MEANWHILE)]
    assert (status, told) == (2, [f"kalshi-nb {command}: [Errno 28] No space left on device"])


@pytest.mark.skipif(not pathlib.Path("/dev/full").exists(), reason="this system has no such device")
def test_help_that_a_full_disk_does_not_take_is_one_line(tmp_path):
    with pathlib.Path("/dev/full").open("wb") as full:
        status, _, err = ended(begun("record", "--help", stdout=full, cwd=tmp_path, unbuffered=""))
    assert (status, err) == (2, "kalshi-nb: [Errno 28] No space left on device\n")


@pytest.mark.skipif(not pathlib.Path("/dev/full").exists(), reason="this system has no such device")
@pytest.mark.parametrize("command", PRINTING)
def test_what_is_done_does_not_end_because_standard_error_is_full(command, tmp_path, night):
    with pathlib.Path("/dev/full").open("wb") as full:
        process = begun(*commands(night)[command], stderr=full, cwd=tmp_path, unbuffered="")
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert out


@pytest.mark.skipif(os.name == "nt", reason="this system's shell cannot close them")
@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&- <&-"], ids=["output", "errors", "all"])
@pytest.mark.parametrize("command", PRINTING)
def test_what_is_done_with_closed_streams_is_done(command, closed, tmp_path, night):
    words = [sys.executable, "-m", "kalshi_nb", *map(str, commands(night)[command])]
    done = subprocess.run(
        ["/bin/sh", "-c", f"{shlex.join(words)} {closed}"], cwd=tmp_path, capture_output=True, check=False, timeout=60
    )
    told = [line for line in done.stderr.decode().splitlines() if not line.startswith(MEANWHILE)]
    assert (done.returncode, told) == (0, [])
    if command == "record":
        assert kn.open_recording(tmp_path / "new").info().damages == []


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
