"""``python -m tests.binder``: what Binder does with a checkout, in an environment of its own without a C compiler.

What git tracks is installed as ``binder/requirements.txt`` says. Behind ``binder/start`` the tour runs, and the
notebook of the badge, then a dashboard that is left alone: how soon it has a row is said, and what its kernel weighs
is held against its bar.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
BROUGHT = ("ipykernel", "nbclient")
"""What Binder's own image has; of all of Jupyter these are enough to run a notebook."""
NOTEBOOKS = ("01_quickstart.ipynb", "12_one_market_on_one_page.ipynb")
"""The tour, and the one that the badge opens."""
TICKER = "KXHIGHNY-26NOV22-B52.5"
LATEST, MEGABYTES = 10, 250
"""The bars: seconds from `import` to the first live row, which is said, since it goes by what else runs; and what a
kernel with an idle dashboard weighs, which is held."""
RUN = """
import sys
import nbformat
from nbclient import NotebookClient
from kalshi_nb._session.extension import BUILT
import kalshi_nb
assert "site-packages" in kalshi_nb.__file__, kalshi_nb.__file__
assert not BUILT
"""
NOTEBOOK = f"""{RUN}
for name in {NOTEBOOKS}:
    notebook = nbformat.read(name, nbformat.NO_CONVERT)
    NotebookClient(notebook, timeout=120).execute()
    print(name, "ran without a C compiler:", len(notebook.cells), "cells")
"""
CELLS = (
    "import time\nbegan = time.monotonic()\nimport kalshi_nb as kn\nfeed = kn.connect()",
    f"feed.dashboard({TICKER!r})",
    f"""feed.trades().wait(rows=1)
after = time.monotonic() - began
print(f'first live row after {{after:.1f}} s; it is to be there within {LATEST}, where nothing else runs')""",
    f"""time.sleep(30)
status = open('/proc/self/status').read()
weight = int(status.split('VmRSS:')[1].split()[0]) / 1024
print(f"kernel with an idle dashboard: {{weight:.0f}} MB")
assert weight <= {MEGABYTES}, 'it is to weigh {MEGABYTES} MB at most'""",
)
DEMO = f"""{RUN}
notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(each) for each in {CELLS!r}])
NotebookClient(notebook, timeout=120).execute()
for cell in notebook.cells:
    for output in cell.outputs:
        print(output.get("text", "").rstrip() or "the dashboard shows itself: " + ", ".join(output.data))
"""


def run(*words, **options):
    subprocess.run([*map(str, words)], check=True, **options)


def without_a_compiler(**more):
    """Return variables for a process in which none works, and nothing is chosen that a user would have chosen."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("KALSHI_", "PYTHON"))}
    return {**kept, "CC": "/no/compiler", **more}


def main():
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        source, python = folder / "source", folder / "environment" / "bin" / "python"
        source.mkdir()
        tracked = subprocess.run(["git", "archive", "HEAD"], cwd=ROOT, check=True, capture_output=True).stdout
        run("tar", "x", "-C", source, input=tracked)
        environment = without_a_compiler(HOME=str(folder))
        run(sys.executable, "-m", "venv", folder / "environment")
        install = (python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
        run(*install, "-r", "binder/requirements.txt", *BROUGHT, cwd=source, env=environment)
        for script in (NOTEBOOK, DEMO):
            run(source / "binder" / "start", python, "-c", script, cwd=source / "notebooks", env=environment)


if __name__ == "__main__":
    main()
