"""What is built to be installed: wheels with and without the compiled part, and the source."""

import os
import pathlib
import shutil
import subprocess
import sys
import tarfile
import zipfile
from importlib.machinery import EXTENSION_SUFFIXES

import pytest

from kalshi_nb._session.extension import BUILT

ROOT = pathlib.Path(__file__).parent.parent
SWITCH = "KALSHI_NB_BUILD_EXTENSIONS"
VENDORED = {
    f"kalshi_nb/_widgets/vendor/uplot/{name}"
    for name in ("uPlot.iife.min.js", "uPlot.min.css", "LICENSE", "vendored.json")
}


def tracked_in(place):
    """Return what git tracks, or would."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", place]
    found = subprocess.run(listed, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0")
    return [each for each in found if each and (ROOT / each).exists()]


def copy_of_what_is_tracked(folder):
    """Copy the package and what its build reads: a build leaves things where it runs, and takes up what it finds."""
    tracked = tracked_in("kalshi_nb")
    for name in (*tracked, "pyproject.toml", "setup.py", "README.md", "LICENSE"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    return tracked


def wheel_of(folder, **environment):
    """Build the wheel of what is tracked; return its tag, what is in it, and what is tracked."""
    tracked = copy_of_what_is_tracked(folder / "source")
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run(
        [*build, "--disable-pip-version-check", "-w", folder, folder / "source"],
        check=True,
        capture_output=True,
        env={**os.environ, **environment},
    )
    (wheel,) = folder.glob("*.whl")
    return wheel.stem.split("-", 2)[2], zipfile.ZipFile(wheel).namelist(), tracked


def test_the_wheel_holds_exactly_the_package_its_compiled_part_and_the_licences(tmp_path):
    tag, names, tracked = wheel_of(tmp_path)
    inside = {name for name in names if not name.startswith("kalshi_nb-")}
    sources = {each for each in tracked if each.endswith((".pyx", ".pxd"))}
    modules = {each.removesuffix(".pyx") for each in sources if each.endswith(".pyx")}
    assert modules
    compiled = {f"{each}{EXTENSION_SUFFIXES[0]}" for each in modules} if BUILT else set()
    assert inside == {*tracked, *compiled} - sources
    assert (tag == "py3-none-any") is not BUILT
    assert inside >= VENDORED
    assert [name for name in names if name.endswith("licenses/kalshi_nb/_widgets/vendor/uplot/LICENSE")]


@pytest.mark.parametrize("environment", [{"CC": "/no/compiler"}, {SWITCH: "no"}], ids=["no compiler", "left out"])
def test_without_the_compiled_part_a_wheel_is_for_any_platform(tmp_path, environment):
    tag, names, tracked = wheel_of(tmp_path, **environment)
    assert tag == "py3-none-any"
    sources = {each for each in tracked if each.endswith((".pyx", ".pxd"))}
    assert {name for name in names if not name.startswith("kalshi_nb-")} == {*tracked} - sources


@pytest.mark.parametrize(
    ("environment", "words"),
    [({SWITCH: "yes", "CC": "/no/compiler"}, "/no/compiler"), ({SWITCH: "1"}, "yes has them built")],
    ids=["no compiler", "neither yes nor no"],
)
def test_a_build_that_cannot_be_as_it_was_asked_for_fails(tmp_path, environment, words):
    with pytest.raises(subprocess.CalledProcessError) as raised:
        wheel_of(tmp_path, **environment)
    assert words in raised.value.stderr.decode()
    assert not list(tmp_path.glob("*.whl"))


NOT_INSIDE = (".ci/", ".devcontainer/", ".github/", ".gitignore", ".pre-commit-config.yaml")
"""What concerns the repository alone."""
MADE = {"PKG-INFO", "setup.cfg"}


def test_the_source_archive_holds_what_is_tracked_and_nothing_else(tmp_path):
    names = tracked_in(".")
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "kalshi_nb" / "_session" / "left.c").write_text("what a build left")
    (tmp_path / "notebooks" / "output").mkdir()
    (tmp_path / "notebooks" / "output" / "trades.parquet").write_text("what a notebook left")
    command = "import setuptools.build_meta as build; build.build_sdist('out')"
    subprocess.run([sys.executable, "-c", command], cwd=tmp_path, check=True, capture_output=True)
    (archive,) = (tmp_path / "out").glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        files = {each.name.partition("/")[2] for each in opened.getmembers() if each.isfile()}
    inside = {each for each in files if not each.startswith("kalshi_nb.egg-info/")} - MADE
    assert inside == {each for each in names if not each.startswith(NOT_INSIDE)}
    assert inside >= VENDORED
