"""Each notebook of the folder as a person runs it: opened in JupyterLab, from top to bottom, by the wall's clock."""

import re
import shutil
from pathlib import Path

import pytest

from tests.browser.conftest import DIARY
from tests.browser.page_account import failed_cells

NOTEBOOKS = sorted((Path(__file__).parent.parent.parent / "notebooks").glob("*.ipynb"))
WAIT = 180_000
TALL = {"width": 1280, "height": 4000}
"""So high that every cell is drawn, as for somebody who scrolls through them."""
OF_IPYWIDGETS = re.compile(r"(error|uncaught): .*Cannot read properties of null \(reading 'processLuminoMessage'\)")
"""What ipywidgets' own wrapper of any view says now and then where a cell closes a widget: a message of JupyterLab's
layout reaches the wrapper after it has let go of the view. Nothing of this package runs then, or can catch it."""


@pytest.mark.matrix
@pytest.mark.timeout(400)
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_from_top_to_bottom_without_an_error(lab, page, request, screenshot, path):
    shutil.copy(path, lab.root / path.name)
    page.set_viewport_size(TALL)
    lab.open(page, path.name)
    lab.run_all(page)
    lab.wait_until_run(page, WAIT)
    assert failed_cells(page) == []
    screenshot(page, f"notebook-{path.stem}")
    said = [line for line in request.node.stash[DIARY].lines if re.match("error|uncaught|the page", line)]
    assert [line for line in said if not OF_IPYWIDGETS.match(line)] == []
