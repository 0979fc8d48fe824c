"""The public names: all of them there, none of them by accident."""

import ast
import inspect
import pathlib
import shutil
import subprocess
import sys
import tarfile
import zipfile
from importlib.machinery import EXTENSION_SUFFIXES

import pytest

import kalshi_nb as kn
from kalshi_nb._session.extension import BUILT

PUBLIC = {
    "Book",
    "Books",
    "Feed",
    "Frame",
    "Gap",
    "Health",
    "KalshiError",
    "KalshiWarning",
    "Pipeline",
    "Report",
    "Top",
    "__version__",
    "candles",
    "connect",
    "connect_async",
    "doctor",
    "errors",
    "history",
    "markets",
    "messages",
    "nested_asyncio",
    "open_export",
    "open_recording",
    "options",
    "replay",
    "show",
    "sim",
}
ROOT = pathlib.Path(__file__).parent.parent


def test_the_top_level_has_exactly_the_agreed_names():
    assert set(kn.__all__) == PUBLIC
    assert set(dir(kn)) == PUBLIC


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_every_public_name_is_there(name):
    assert getattr(kn, name) is not None


def test_an_unknown_name_says_which_there_are():
    with pytest.raises(AttributeError, match="connect"):
        kn.conect  # noqa: B018


@pytest.mark.parametrize("module", ["errors", "messages", "sim"])
def test_public_modules_export_what_they_define(module):
    found = getattr(kn, module)
    for name in found.__all__:
        assert getattr(found, name) is not None


def test_every_error_is_in_the_tree_that_is_drawn():
    drawn = kn.errors.__doc__
    for name in kn.errors.__all__:
        assert name in drawn
        kind = getattr(kn.errors, name)
        assert issubclass(kind, kn.KalshiError | kn.KalshiWarning)
    defined = {name for name, each in vars(kn.errors).items() if inspect.isclass(each) and not name.startswith("_")}
    assert defined == set(kn.errors.__all__)


def public_callables():
    for name in (
        "Book",
        "Books",
        "Feed",
        "Frame",
        "Health",
        "Pipeline",
        "Report",
        "candles",
        "connect",
        "doctor",
        "history",
        "markets",
        "nested_asyncio",
        "show",
    ):
        each = getattr(kn, name)
        yield name, each
        if inspect.isclass(each):
            for member, value in vars(each).items():
                if not member.startswith("_") and (inspect.isfunction(value) or isinstance(value, property)):
                    yield f"{name}.{member}", value


@pytest.mark.parametrize(("name", "each"), [pytest.param(n, e, id=n) for n, e in public_callables()])
def test_every_public_callable_says_what_it_is_for(name, each):
    assert inspect.getdoc(each), name


def lines_of_code(path):
    """Count the lines of a module that are neither blank, nor a comment, nor a docstring."""
    text = path.read_text()
    lines = {at for at, line in enumerate(text.splitlines(), 1) if line.strip() and not line.lstrip().startswith("#")}
    if path.suffix == ".py":
        for node in ast.walk(ast.parse(text)):
            if (
                isinstance(node, ast.Expr)
                and isinstance(node.value, ast.Constant)
                and isinstance(node.value.value, str)
            ):
                lines -= set(range(node.lineno, node.end_lineno + 1))
    return len(lines)


def test_no_module_has_more_than_400_lines_of_code():
    long = {
        str(path.relative_to(ROOT)): lines
        for path in (ROOT / "kalshi_nb").rglob("*.py*")
        if path.suffix in (".py", ".pyx")
        if (lines := lines_of_code(path)) > 400
    }
    assert not long


VENDORED = {
    f"kalshi_nb/_widgets/vendor/uplot/{name}"
    for name in ("uPlot.iife.min.js", "uPlot.min.css", "LICENSE", "vendored.json")
}


def copy_of_what_is_tracked(folder, *more):
    """Copy the package and what its build reads: a build leaves things where it runs, and takes up what it finds."""
    tracked = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "kalshi_nb"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    for name in (*tracked, "pyproject.toml", "setup.py", "README.md", "LICENSE", *more):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    return tracked


def test_the_wheel_holds_exactly_the_package_its_compiled_part_and_the_licences(tmp_path):
    tracked = copy_of_what_is_tracked(tmp_path / "source")
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run(
        [*build, "--disable-pip-version-check", "-w", tmp_path, tmp_path / "source"], check=True, capture_output=True
    )
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    inside = {name for name in names if not name.startswith("kalshi_nb-")}
    sources = {each for each in tracked if each.endswith((".pyx", ".pxd"))}
    modules = {each.removesuffix(".pyx") for each in sources if each.endswith(".pyx")}
    assert len(modules) == 4
    compiled = {f"{each}{EXTENSION_SUFFIXES[0]}" for each in modules} if BUILT else set()
    assert inside == {*tracked, *compiled} - sources
    assert inside >= VENDORED
    assert [name for name in names if name.endswith("licenses/kalshi_nb/_widgets/vendor/uplot/LICENSE")]


def test_the_source_distribution_holds_the_vendored_files_and_nothing_that_a_notebook_wrote(tmp_path):
    copy_of_what_is_tracked(tmp_path, "MANIFEST.in", "notebooks/01_quickstart.ipynb")
    (tmp_path / "notebooks" / "output").mkdir()
    (tmp_path / "notebooks" / "output" / "trades.parquet").touch()
    command = "import setuptools.build_meta as build; build.build_sdist('out')"
    subprocess.run([sys.executable, "-c", command], cwd=tmp_path, check=True, capture_output=True)
    (archive,) = (tmp_path / "out").glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        inside = {name.partition("/")[2] for name in opened.getnames()}
    assert inside >= VENDORED
    assert "notebooks/01_quickstart.ipynb" in inside
    assert not [name for name in inside if "output" in name]
