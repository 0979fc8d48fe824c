"""The Binder folder opens the notebooks with the simulated exchange, on a Python that the package runs on."""

import json
import os
import pathlib
import re
import subprocess
import tomllib

ROOT = pathlib.Path(__file__).parent.parent
BINDER = ROOT / "binder"


def test_it_pins_a_python_that_the_package_accepts():
    version = re.fullmatch(r"python-3\.(\d+)\n", (BINDER / "runtime.txt").read_text())
    needed = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
    assert int(version[1]) >= int(re.fullmatch(r">=3\.(\d+)", needed)[1])


def test_it_installs_this_checkout_with_what_the_notebooks_need():
    assert (BINDER / "requirements.txt").read_text().split() == [".[dask]"]


def test_its_start_sets_the_simulated_exchange_and_runs_what_it_is_given():
    start = BINDER / "start"
    assert os.access(start, os.X_OK)
    done = subprocess.run([start, "env"], capture_output=True, text=True, check=True)
    assert "KALSHI_ENV=sim\n" in done.stdout
    assert "KALSHI_NB_CLOCK=wall\n" in done.stdout


def test_the_badge_opens_a_notebook_that_is_there_and_begins_with_the_dashboard():
    (path,) = re.findall(r"labpath=([\w%.]+)\)", (ROOT / "README.md").read_text(encoding="utf-8"))
    notebook = json.loads((ROOT / path.replace("%2F", "/")).read_text(encoding="utf-8"))
    code = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert "feed.dashboard(" in code[1]
