"""Run the notebooks anew and keep what they show: ``python -m tests.notebooks``.

Their clock is moved by hand, so that each run shows the same market. What differs from run to run and is no output of
theirs stays out: the widgets' own state, and when each cell ran.
"""

import os
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

NOTEBOOKS = Path(__file__).parent.parent / "notebooks"


def run(path):
    """Run a notebook in its folder, and write it down with its outputs."""
    notebook = nbformat.read(path, nbformat.NO_CONVERT)
    place = {"metadata": {"path": str(path.parent)}}
    NotebookClient(notebook, timeout=120, record_timing=False, resources=place).execute()
    notebook.metadata.pop("widgets", None)
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
    nbformat.write(notebook, path)


def main(names):
    os.environ["KALSHI_NB_CLOCK"] = "manual"
    os.environ.pop("KALSHI_ENV", None)
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        if not names or path.name.startswith(tuple(names)):
            print(path.name, flush=True)
            run(path)


if __name__ == "__main__":
    main(sys.argv[1:])
