"""``python -m tests.packages``: what is installed from the source archive and from both wheels works.

Each is built from the archive, as an index has it, and installed into an environment that has nothing else. Behind the
pure one, where no C compiler works, run the tests of what is compiled elsewhere, and a notebook.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests import binder

ROOT = Path(__file__).parents[1]
TRY = """
import sys
import kalshi_nb as kn
from kalshi_nb._session.extension import BUILT
assert "site-packages" in kn.__file__, kn.__file__
feed = kn.connect("sim")
trades, book = feed.trades(), feed.book("KXHIGHNY-26NOV22-B52.5").wait()
print(trades.wait(rows=5).df.height >= 5, book.status, len(kn.show(book)._repr_mimebundle_()["text/html"]) > 1_000)
feed.close()
assert BUILT is (sys.argv[1] == "compiled"), BUILT
"""


def run(*words, **options):
    subprocess.run([*map(str, words)], check=True, **options)


def main():
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        archive = archive_in(folder)
        python = folder / "environment" / "bin" / "python"
        run(sys.executable, "-m", "venv", folder / "environment")
        for kind, said in (("pure", "no"), ("compiled", "yes")):
            wheel = wheel_in(folder / kind, archive, said)
            run(python, "-m", "pip", "install", *QUIET, "--force-reinstall", *([] if kind == "pure" else LONE), wheel)
            run(python, "-W", "error", "-c", TRY, kind, cwd=folder)
            run(python.with_name("kalshi-nb"), "doctor", "sim", cwd=folder, stdout=subprocess.DEVNULL)
            print(f"{wheel.name}: built from {archive.name}, installed, and works", flush=True)
            if kind == "pure":
                try_without_a_compiler(folder, python)


QUIET = ("--quiet", "--disable-pip-version-check")
LONE = ("--no-deps",)
TESTERS = ("hypothesis", "pytest", "pytest-randomly", "pytest-timeout", "pytest-xdist")


def try_without_a_compiler(folder, python):
    """Run tests of wire and session, and the first notebook, on what is installed: no checkout lies beside them."""
    alone = folder / "alone"
    for each in ("tests", "notebooks"):
        shutil.copytree(folder / "source" / each, alone / each)
    shutil.copy(folder / "source" / "pyproject.toml", alone)
    run(python, "-m", "pip", "install", *QUIET, *TESTERS, *binder.BROUGHT)
    # No compiler is on the path either, so that no test takes the machine for one that could have built the part.
    environment = binder.without_a_compiler(PATH=str(python.parent), KALSHI_ENV="sim")
    workers = os.environ.get("WORKERS", "4")
    tests = ("-m", "pytest", "-q", "-r", "fE", "-n", workers, "tests/wire", "tests/session")
    run(python, *tests, cwd=alone, env=environment)
    run(python, "-c", binder.NOTEBOOK, cwd=alone / "notebooks", env=environment)


def archive_in(folder):
    """Make the source archive of what git tracks."""
    source = folder / "source"
    source.mkdir()
    tracked = subprocess.run(["git", "archive", "HEAD"], cwd=ROOT, check=True, capture_output=True).stdout
    run("tar", "x", "-C", source, input=tracked)
    build = "import setuptools.build_meta as build; build.build_sdist('..')"
    run(sys.executable, "-c", build, cwd=source, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    (archive,) = folder.glob("*.tar.gz")
    return archive


def wheel_in(folder, archive, said):
    """Make a wheel of an archive, with the compiled part or without it."""
    environment = {**os.environ, "KALSHI_NB_BUILD_EXTENSIONS": said}
    wheel = (sys.executable, "-m", "pip", "wheel", *QUIET, "--no-deps", "--no-build-isolation")
    run(*wheel, "-w", folder, archive, env=environment)
    (found,) = folder.glob("*.whl")
    return found


if __name__ == "__main__":
    main()
