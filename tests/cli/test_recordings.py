"""The commands about recordings, as a new user runs them: each a process of its own."""

import json
import os
import re
import signal
import subprocess
import sys

import polars as pl
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

import kalshi_nb as kn
from kalshi_nb._cli.keys import write_key


def command(*arguments, cwd):
    return subprocess.run(
        [sys.executable, "-m", "kalshi_nb", *map(str, arguments)], cwd=cwd, capture_output=True, text=True, check=False
    )


def begun(*arguments, cwd):
    return subprocess.Popen(
        [sys.executable, "-m", "kalshi_nb", *map(str, arguments)],
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with a recording that was ended by Ctrl-C, gone on with, and then killed."""
    place = tmp_path_factory.mktemp("commands")
    for number in (signal.SIGINT, signal.SIGKILL):
        arguments = ["record", "night", "--env", "sim", "--channel", "trade", "--json"]
        with subprocess.Popen(
            [sys.executable, "-m", "kalshi_nb", *arguments],
            cwd=place,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            assert "Ctrl-C seals it" in process.stderr.readline()
            assert "messages" in process.stderr.readline()  # ten seconds later: the first line about it
            process.send_signal(number)
            out, _ = process.communicate(timeout=30)
        if number == signal.SIGINT:
            assert process.returncode == 130
            kept = json.loads(out)
            assert kept["durable_messages"] == kept["messages"] > 5
    return place


def segments_of(place):
    """How many there are: two runs, and one more where the hour struck meanwhile."""
    found = len([*(place / "night").glob("*/*.jsonl.zst*")])
    assert found >= 2
    return found


def test_info_says_what_is_there(place):
    done = command("info", "night", "--json", cwd=place)
    assert done.returncode == 0, done.stderr
    info = json.loads(done.stdout)
    assert (info["segments"], info["sealed"]) == (segments_of(place), segments_of(place) - 1)
    assert info["messages"]["trade"] > 10
    assert info["gaps"] >= 1
    text = command("info", "night", cwd=place).stdout
    assert f"segments    {segments_of(place)}" in text
    assert command("info", "night", "--strict", cwd=place).returncode == 3


def test_export_writes_what_polars_reads_and_goes_on(place):
    done = command("export", "night", "--out", "tables", "--json", cwd=place)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    frame = pl.scan_parquet(place / "tables" / "channel=trade").collect()
    assert frame.height == report["rows"]["trade"] > 10
    again = json.loads(command("export", "night", "--out", "tables", "--json", cwd=place).stdout)
    assert again["skipped"] == segments_of(place)
    assert again["rows"] == report["rows"]
    said = command("export", "night", "tables.csv", "--format", "csv", cwd=place).stdout
    assert re.search(rf"trade, in \d files of {segments_of(place)} segments?", said)


def test_record_exports_along_and_what_was_left_at_its_end(tmp_path):
    arguments = ["record", "night", "--env", "sim", "--channel", "trade", "--for", "4s", "--export", "tables"]
    done = command(*arguments, "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    kept = json.loads(done.stdout)
    assert "exporting what is left into" in done.stderr
    frame = pl.scan_parquet(tmp_path / "tables" / "channel=trade").collect()
    assert kept["durable_messages"] >= frame.height == kept["export"]["report"]["rows"]["trade"] > 0
    again = command(*arguments, cwd=tmp_path).stdout
    assert "4 files of 2 segments, closed" in again


def test_record_says_at_its_end_that_the_export_failed(tmp_path):
    (tmp_path / "tables").write_text("")
    arguments = ["record", "night", "--env", "sim", "--channel", "trade", "--for", "2s", "--export", "tables"]
    done = command(*arguments, cwd=tmp_path)
    assert done.returncode == 1
    assert "export the recording again" in done.stdout
    assert command("export", "night", "--out", "other", cwd=tmp_path).returncode == 0


def test_replay_prints_the_messages_as_they_came(place):
    done = command("replay", "night", "--speed", "max", cwd=place)
    assert done.returncode == 0, done.stderr
    trades = [each for each in map(json.loads, done.stdout.splitlines()) if each["type"] == "trade"]
    info = json.loads(command("info", "night", "--json", cwd=place).stdout)
    assert len(trades) == info["messages"]["trade"]


@pytest.mark.parametrize(
    "arguments",
    [["replay", "night"], ["replay", "night", "--serve"], ["record", "other", "--env", "sim"]],
    ids=["replay", "serve", "record"],
)
def test_ctrl_c_is_heard_while_there_is_nothing_to_do(place, arguments):
    # polars has a handler of SIGINT of its own, behind which a thread that waits in one piece hears nothing.
    with subprocess.Popen(
        [sys.executable, "-m", "kalshi_nb", *arguments],
        cwd=place,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        (process.stderr if arguments[0] == "record" else process.stdout).readline()
        process.send_signal(signal.SIGINT)
        try:
            assert process.wait(60) == 130
        finally:
            process.kill()


@pytest.mark.skipif(os.name == "nt", reason="this system has no such signals")
@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_what_would_end_a_process_seals_what_was_recorded(tmp_path, name):
    number = getattr(signal, name)
    before = signal.signal(number, signal.SIG_DFL)  # these tests may have been started by nohup
    try:
        process = begun("record", "night", "--env", "sim", cwd=tmp_path)
    finally:
        signal.signal(number, before)
    with process:
        assert "Ctrl-C seals it" in process.stderr.readline()
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert ("messages kept" in out, err) == (True, "")
    assert kn.open_recording(tmp_path / "night").info().sealed == 1


@pytest.mark.skipif(os.name == "nt", reason="this system has no such signal")
def test_a_recording_that_is_to_outlive_its_terminal_does(tmp_path):
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does; a child begins with it
    try:
        process = begun("record", "night", "--env", "sim", cwd=tmp_path)
    finally:
        signal.signal(signal.SIGHUP, before)
    with process:
        process.stderr.readline()
        process.send_signal(signal.SIGHUP)
        assert "night: " in process.stderr.readline()  # ten seconds later it goes on
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 128 + signal.SIGTERM


@pytest.mark.parametrize("keyed", [True, False], ids=["with its own key", "with any key"])
def test_replay_serves_a_recording_to_any_client(place, tmp_path, keyed):
    arguments = ["replay", str(place / "night"), "--serve", "--speed", "max"]
    arguments += ["--key-file", "served.pem"] if keyed else []
    code = (
        "import kalshi_nb as kn, sys\n"
        "with kn.connect(sys.argv[1], key_id=sys.argv[2], private_key=sys.argv[3]) as feed:\n"
        "    print(feed.trades().wait(rows=int(sys.argv[4]), timeout=30).df.height)\n"
    )
    count = json.loads(command("info", "night", "--json", cwd=place).stdout)["messages"]["trade"]
    with subprocess.Popen(
        [sys.executable, "-m", "kalshi_nb", *arguments],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        url, key_id, key = process.stdout.readline().strip(), "anybody", tmp_path / "mine.pem"
        if keyed:
            key_id, key = process.stdout.readline().strip().partition("=")[2], tmp_path / "served.pem"
            assert process.stdout.readline().strip() == "KALSHI_PRIVATE_KEY_PATH=served.pem"
            assert key.stat().st_mode & 0o777 == 0o600
        else:
            write_key(key, Ed25519PrivateKey.generate())
        done = subprocess.run(
            [sys.executable, "-c", code, url, key_id, str(key), str(count)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert "played to the end" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130
    assert done.stdout.strip() == str(count), done.stderr


def test_sim_is_an_exchange_for_any_client(tmp_path):
    arguments = ["sim", "--key-file", "sim.pem", "--seed", "3"]
    with subprocess.Popen(
        [sys.executable, "-m", "kalshi_nb", *arguments], cwd=tmp_path, stdout=subprocess.PIPE, text=True
    ) as process:
        url, key_id = process.stdout.readline().strip(), process.stdout.readline().strip().partition("=")[2]
        assert (tmp_path / "sim.pem").stat().st_mode & 0o777 == 0o600
        code = (
            "import kalshi_nb as kn, sys\n"
            "with kn.connect(sys.argv[1], key_id=sys.argv[2], private_key='sim.pem') as feed:\n"
            "    print(feed.trades().wait(rows=1).df.height > 0)\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", code, url, key_id], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130
    assert done.stdout.strip() == "True", done.stderr


def test_a_simulated_exchange_that_has_ended_is_said_to_have_taken_its_trades_with_it(place):
    done = command("repair", "night", "--quiet", cwd=place)
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert "does not answer" in line
    assert line.endswith(
        "Was that a simulated exchange which has ended? Its trades are gone with it, and no other one "
        "has them: the recording stays as it is."
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["info", "nowhere"], "There is no recording at nowhere"),
        (["export", "nowhere", "--out", "tables"], "There is no recording at nowhere"),
        (["export", "nowhere", "tables"], "There is no recording at nowhere"),
        (["export", "nowhere"], "kalshi-nb export nowhere tables"),
        (["export", "nowhere", "tables", "--out", "others"], "leave 'tables' or --out out"),
        (["replay", "nowhere"], "There is no recording at nowhere"),
        (["replay", "nowhere", "--serve"], "There is no recording at nowhere"),
        (["replay", "nowhere", "--port", "8765"], "add --serve"),
        (["record", "night", "--env", "mars"], "mars"),
        (["record", "night", "--env", "sim", "--channel", "trades"], "trade"),
    ],
    ids=[
        "info",
        "export",
        "out by its place",
        "no out",
        "out twice",
        "replay",
        "serve",
        "no server",
        "no such place",
        "no such channel",
    ],
)
def test_what_cannot_be_done_is_one_line_and_two(tmp_path, arguments, words):
    done = command(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert words in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
