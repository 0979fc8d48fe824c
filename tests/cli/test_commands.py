"""The commands of ``kalshi-nb``: each says what it takes, and what nobody understands ends with 2 and a reason."""

import importlib
import pathlib
import re
import subprocess
import sys
import tomllib

import pytest

import kalshi_nb
import kalshi_nb._cli
from kalshi_nb._cli.main import COMMANDS, main

ROOT = pathlib.Path(__file__).parent.parent.parent

ARGUMENTS = {
    "demo": ["--seconds", "--output"],
    "markets": ["words", "--env", "--series", "--event", "--status", "--limit", "--no-cache", "--json"],
    "history": ["market", "--env", "--since", "--until", "--candles", "--filled", "--out", "--quiet"],
    "record": ["folder", "--env", "--channel", "--market", "--for", "--json"],
    "info": ["recording", "--json", "--strict"],
    "repair": ["recording", "--env", "--json", "--quiet"],
    "export": ["recording", "out", "--out", "--format", "--channel", "--market", "--from", "--until", "--json"],
    "replay": ["recording", "--speed", "--from", "--until", "--serve", "--port", "--key-file", "--for"],
    "sim": ["--port", "--seed", "--key-file", "--for"],
    "doctor": ["where", "--env", "--key-id", "--private-key", "--ca-file", "--proxy", "--timeout"],
}


def said(capsys, *arguments):
    """The exit status of a run that argparse ends, and what was printed."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    captured = capsys.readouterr()
    return ended.value.code, captured.out, captured.err


def test_help_lists_every_command(capsys):
    status, out, err = said(capsys, "--help")
    assert (status, err) == (0, "")
    assert [line.split()[0] for line in out.splitlines() if re.match(r"    \w", line)] == list(ARGUMENTS)


@pytest.mark.parametrize("command", ARGUMENTS)
def test_the_help_of_a_command_names_its_arguments(capsys, command):
    status, out, err = said(capsys, command, "--help")
    assert (status, err) == (0, "")
    assert out.startswith(f"usage: kalshi-nb {command} ")
    options = out.split("\n\n", 1)[1]
    for name in ARGUMENTS[command]:
        assert f"\n  {name} " in options


def test_an_unknown_command_is_met_with_those_there_are(capsys):
    status, out, err = said(capsys, "dmeo")
    assert (status, out) == (2, "")
    for name in ("dmeo", *ARGUMENTS):
        assert name in err


def test_no_command_is_met_with_what_each_of_them_does(capsys):
    status, out, err = said(capsys)
    assert (status, out) == (2, "")
    assert [line.split()[0] for line in err.splitlines() if re.match(r"    \w", line)] == list(ARGUMENTS)
    assert "find markets by words" in err


def test_the_version_is_told(capsys):
    assert said(capsys, "--version") == (0, f"kalshi_nb {kalshi_nb.__version__}\n", "")


def test_whoever_names_no_exchange_is_told_how_a_command_does(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("KALSHI_ENV", raising=False)
    assert main(["markets"]) == 2
    assert "--env sim" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["0", "-1", "3601", "nan", "inf", "soon", ""])
@pytest.mark.parametrize("option", [("demo", "--seconds"), ("doctor", "--timeout")], ids=" ".join)
def test_seconds_out_of_range_are_refused_with_the_range(capsys, option, text):
    status, out, err = said(capsys, option[0], f"{option[1]}={text}")
    assert (status, out) == (2, "")
    assert err.endswith(f"argument {option[1]}: pass seconds above 0 and up to 3600, not {text!r}\n")


@pytest.mark.parametrize("command", [(), *((each,) for each in ARGUMENTS)], ids=" ".join)
def test_no_line_of_help_is_longer_than_a_terminal_is_wide(capsys, monkeypatch, command):
    monkeypatch.setenv("COLUMNS", "80")
    _, out, _ = said(capsys, *command, "--help")
    assert [line for line in out.splitlines() if len(line) > 80] == []


@pytest.mark.parametrize("command", sorted(set(ARGUMENTS) - {"demo", "doctor"}))
def test_help_has_two_examples(capsys, command):
    _, out, _ = said(capsys, command, "--help")
    assert out.count(f"\n  kalshi-nb {command} ") == 2


@pytest.mark.parametrize("text", ["0s", "-1s", "soon", "", "1 hour", "nan"])
@pytest.mark.parametrize("command", ["record night", "sim --key-file key.pem"])
def test_lengths_of_time_out_of_range_are_refused_with_the_form(capsys, command, text):
    status, out, err = said(capsys, *command.split(), f"--for={text}")
    assert (status, out) == (2, "")
    assert err.endswith(f"argument --for: pass a length of time such as 90s, 8h or 2d, not {text!r}\n")


def test_every_module_of_the_room_is_a_command_or_serves_them():
    names = {path.stem for path in pathlib.Path(kalshi_nb._cli.__file__).parent.glob("*.py")}
    commands = names - {"__init__", "main", "arguments", "keys", "printing"}
    assert {each.__name__.rpartition(".")[2] for each in COMMANDS} == commands == set(ARGUMENTS)


def test_help_loads_no_data_frames_no_widgets_and_no_connection():
    code = (
        "import sys\n"
        "from kalshi_nb._cli.main import main\n"
        "try:\n    main(['demo', '--help'])\n"
        "except SystemExit:\n    pass\n"
        "print({'polars', 'streamz', 'anywidget', 'websockets', 'msgspec'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("set()\n")


def test_the_package_is_a_program_that_does_the_same():
    done = subprocess.run(
        [sys.executable, "-m", "kalshi_nb", "demo", "--help"], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("usage: kalshi-nb demo ")


def test_the_installed_script_runs_main():
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    module, _, name = scripts["kalshi-nb"].partition(":")
    assert getattr(importlib.import_module(module), name) is main
