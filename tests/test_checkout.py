"""The checkout is enough: what is in it reads nothing beside it."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests import recordings

ROOT = Path(__file__).parent.parent
READ = (
    "tests",
    "kalshi_nb",
    "docs",
    "notebooks",
    "binder",
    "Makefile",
    "README.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "pyproject.toml",
)
TEXTS = {".py", ".pyx", ".pxd", ".pyi", ".md", ".ipynb", ".toml", ".js", ".css", ".txt", ""}
OUTSIDE = re.compile(
    r"""
    ROOT\.parent \b
    | parents\[\d\]\.parent \b             # beside the checkout, counted from a file in it
    | \.\./ (?: \.\./ )* \w+ / \w*record   # the same as a text
    | shared\W{1,6}recordings
    | (?<![\w.~/-]) / (?: work | home | root | Users ) /   # somebody's machine
    """,
    re.VERBOSE,
)


def files():
    for name in READ:
        place = ROOT / name
        for path in [place] if place.is_file() else place.rglob("*"):
            if path.is_file() and path.suffix in TEXTS and path != Path(__file__):
                yield path


def test_no_file_names_a_place_outside_the_checkout():
    found = [
        f"{path.relative_to(ROOT)}: {hit[0]}"
        for path in files()
        for hit in OUTSIDE.finditer(path.read_text(encoding="utf-8"))
    ]
    assert found == []


@pytest.mark.parametrize(
    "text",
    [
        'ROOT.above / "somewhere"',
        'Path(__file__).parents[2].above / "somewhere"',
        "../somewhere/recordings",
        '"shared" / "recordings"',
        "/home/somebody/recordings",
        '"/root/frames.jsonl"',
    ],
)
def test_such_a_name_would_be_found(text):
    # The name is put together here, so that whoever looks for such names in this tree finds none.
    assert OUTSIDE.search(text.replace(".above", ".parent"))


def test_recorded_frames_are_looked_for_only_where_the_variable_says(monkeypatch, tmp_path):
    monkeypatch.delenv(recordings.VARIABLE, raising=False)
    assert recordings.folder() is None
    monkeypatch.setenv(recordings.VARIABLE, str(tmp_path))
    assert recordings.folder() == tmp_path
    monkeypatch.setenv(recordings.VARIABLE, str(tmp_path / "nowhere"))
    with pytest.raises(FileNotFoundError, match=rf"{recordings.VARIABLE} names .*nowhere"):
        recordings.folder()


def test_without_the_variable_tests_of_recorded_frames_skip_and_say_which_it_is():
    environment = {name: value for name, value in os.environ.items() if name != recordings.VARIABLE}
    command = [sys.executable, "-m", "pytest", "-m", "recordings", "-p", "no:cacheprovider", "tests/sim"]
    run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout
    reasons = re.findall(r"^SKIPPED \[\d+\] .*?: (.*)$", run.stdout, re.MULTILINE)
    assert reasons
    assert all(recordings.VARIABLE in reason for reason in reasons)
    assert not re.search(r"\b\d+ (passed|failed)", run.stdout)
