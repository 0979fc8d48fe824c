"""Examples in docstrings run as printed."""

import doctest
import importlib
import pathlib

import pytest

PACKAGE = pathlib.Path(__file__).parent.parent / "kalshi_nb"
MODULES = sorted(
    ".".join(("kalshi_nb", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__")
    for path in PACKAGE.rglob("*.py")
    if ">>> " in path.read_text()
)


def test_there_are_examples():
    assert "kalshi_nb" in MODULES
    assert "kalshi_nb.sim" in MODULES


@pytest.mark.usefixtures("closed_behind")
@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings_run_as_printed(name):
    found = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    assert found.attempted > 0
    assert found.failed == 0
