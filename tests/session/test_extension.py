"""The compiled part: there where it can be, used where it is there, and missed by nobody."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import pytest

from kalshi_nb import _extensions
from kalshi_nb._session import extension
from tests.session.ways import needs_the_compiled_part


@pytest.fixture(scope="module", autouse=True)
def way():
    """The tests here are about whether there are two ways."""


def reported(**environment):
    """What another process says of its default, with these variables."""
    inherited = {name: value for name, value in os.environ.items() if name != _extensions.NO_EXTENSIONS}
    code = (
        "import random, json\n"
        "from kalshi_nb._session import extension, session\n"
        "made = session.Session(now_us=lambda: 1, monotonic=lambda: 0.0, random=random.Random(1))\n"
        "made.want('orderbook_delta', frozenset({'KXA-1'}))\n"
        "print(json.dumps([extension.BUILT, extension.COMPILED, type(made.ladder('KXA-1')).__name__]))\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], env={**inherited, **environment}, check=True, capture_output=True, text=True
    )
    return json.loads(run.stdout)


def test_where_there_is_a_compiler_the_compiled_part_was_built():
    compiler = next(filter(shutil.which, ("cc", "gcc", "clang")), None)
    if compiler is None or not (Path(sysconfig.get_path("include")) / "Python.h").exists():
        pytest.skip("no C compiler, or no Python.h")
    assert extension.BUILT, "reinstall it: pip install -e ."


@needs_the_compiled_part
def test_what_was_built_is_used_unless_the_environment_says_otherwise():
    assert reported() == [True, True, "CompiledLadder"]
    assert reported(**{_extensions.NO_EXTENSIONS: ""}) == [True, True, "CompiledLadder"]


def test_the_environment_may_have_everything_done_in_python():
    assert reported(**{_extensions.NO_EXTENSIONS: "1"}) == [extension.BUILT, False, "PlainLadder"]


def test_without_the_compiled_part_no_rows_are_columns():
    assert extension.row_columns(["trade"], compiled=False) == {}


def test_a_module_that_is_there_is_found():
    assert _extensions.found("json") is json


def test_a_module_that_was_not_built_is_none():
    assert _extensions.found("kalshi_nb._never_built") is None
    assert _extensions.found("never_built.at_all") is None


def test_a_module_built_for_another_interpreter_is_none(tmp_path, monkeypatch):
    (tmp_path / f"of_another_machine{EXTENSION_SUFFIXES[0]}").write_bytes(b"\x7fELF of another machine" * 100)
    monkeypatch.syspath_prepend(tmp_path)
    assert _extensions.found("of_another_machine") is None
