"""The notebooks are a family: they begin alike, are short, were run, and hold nothing of the run that made them."""

import re
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
CONNECT = 'feed = kn.connect(os.environ.get("KALSHI_ENV", "sim"))'
"""The one line that chooses the exchange."""


def cells(path, kind="code"):
    return [cell for cell in nbformat.read(path, nbformat.NO_CONVERT).cells if cell.cell_type == kind]


each = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def test_they_are_numbered_from_one_without_a_gap():
    assert [int(path.name[:2]) for path in NOTEBOOKS] == list(range(1, len(NOTEBOOKS) + 1))
    assert len(NOTEBOOKS) >= 11


@each
def test_the_readme_names_it_with_a_link(path):
    assert f"(notebooks/{path.name})" in (ROOT / "README.md").read_text()


@each
def test_its_first_cell_of_code_chooses_the_exchange_in_one_line(path):
    first, *others = cells(path)
    assert first.source.count(CONNECT) == 1
    assert "kn.connect(" not in "".join(cell.source for cell in others)


@each
def test_it_is_short_and_begins_with_what_it_teaches(path):
    notebook = nbformat.read(path, nbformat.NO_CONVERT)
    # The first is the tour through all of it.
    assert 8 <= len(notebook.cells) <= (30 if path.name.startswith("01") else 16)
    assert re.match(r"# \S.*\n\n\S", notebook.cells[0].source)


@each
def test_it_was_run_from_top_to_bottom_and_its_outputs_are_checked(path):
    code = cells(path)
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert not [output for cell in code for output in cell.outputs if output.output_type == "error"]
    checked = [cell for cell in code if "nbval-check-output" in cell.metadata.get("tags", ())]
    assert len(checked) >= 3
    assert all(cell.outputs for cell in checked)


@each
def test_it_holds_nothing_that_differs_from_run_to_run(path):
    notebook = nbformat.read(path, nbformat.NO_CONVERT)
    assert "widgets" not in notebook.metadata
    assert not [cell for cell in notebook.cells if "execution" in cell.metadata]
    assert not [output for cell in cells(path) for output in cell.outputs if output.get("name") == "stderr"], (
        "a warning is no output to teach with"
    )
