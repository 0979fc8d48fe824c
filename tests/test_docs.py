"""What the pages print works as printed, their tables are those of the code, and together they build as a site."""

import ast
import asyncio
import inspect
import os
import pathlib
import pydoc
import re
import subprocess
import sys
import tomllib

import pytest

import kalshi_nb as kn
from kalshi_nb._environments import ENVIRONMENTS
from tests import columns_page

ROOT = pathlib.Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.DOTALL | re.MULTILINE)

CHECKS = {
    "README.md": "assert trades.total > 0",
    "frames.md": "assert minutes.df['complete'].any()",
    "recording.md": "assert trades.total > 20 and book.status == 'live' and following.report.rows['trade']",
    "columns.md": "assert trades.total and sides.height == 2",
}
"""What has to be so at the end of a page, beside that nothing raised."""

SHOWN_ONLY = {
    "frames.md": ["from dask.distributed import Client                    # pip install 'kalshi-nb[dask]'"],
    "recording.md": [
        'recording.export("s3://bucket/tables", storage_options={"key": "…", "secret": "…"})',
        "from dask.distributed import Client                    # pip install 'kalshi-nb[dask]'",
    ],
}
"""Blocks marked ``py``, by their first lines: they need a cluster, a store or somebody else's package."""


def blocks(page, kind="python"):
    """Return the code of a page in its order."""
    return [text for found, text in FENCE.findall(page.read_text(encoding="utf-8")) if found == kind]


def run(text, names, page):
    """Run one block as a cell of a notebook: with ``await`` where it stands at the top."""
    code = compile(text, page, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    if not code.co_flags & inspect.CO_COROUTINE:
        exec(code, names)
        return
    asyncio.run(eval(code, names))


@pytest.fixture
def places(monkeypatch, tmp_path):
    """A folder of one's own, and a simulated exchange in the place of Kalshi's two."""
    monkeypatch.chdir(tmp_path)
    with kn.sim.Exchange(seed=7) as exchange:
        for name in ENVIRONMENTS:
            monkeypatch.setitem(ENVIRONMENTS, name, exchange.url)
        key = tmp_path / "key.pem"
        from cryptography.hazmat.primitives import serialization as how

        key.write_bytes(
            exchange.private_key.private_bytes(how.Encoding.PEM, how.PrivateFormat.PKCS8, how.NoEncryption())
        )
        key.chmod(0o600)
        monkeypatch.setenv("KALSHI_API_KEY_ID", exchange.key_id)
        monkeypatch.setenv("KALSHI_PRIVATE_KEY_PATH", str(key))
        yield exchange


@pytest.mark.timeout(120)
@pytest.mark.usefixtures("closed_behind")
@pytest.mark.parametrize("page", [each for each in PAGES if blocks(each)], ids=lambda page: page.name)
def test_every_example_of_a_page_runs_as_printed_one_after_the_other(page, places):
    names, made = {"__name__": "__main__"}, []
    try:
        for text in [*blocks(page), CHECKS.get(page.name, "")]:
            run(text, names, page.name)
            made += [each for each in names.values() if isinstance(each, kn.sim.Exchange)]
    finally:
        for each in made:
            each.close()


def test_what_is_shown_and_not_run_is_what_cannot_run_here():
    found = {page.name: [text.splitlines()[0] for text in blocks(page, "py")] for page in PAGES}
    assert {name: lines for name, lines in found.items() if lines} == SHOWN_ONLY


def test_no_block_of_code_is_marked_in_a_way_that_nobody_looks_at():
    kinds = {kind for page in PAGES for kind, _ in FENCE.findall(page.read_text(encoding="utf-8"))}
    assert kinds <= {"", "python", "py"}


@pytest.mark.parametrize("page", PAGES[1:], ids=lambda page: page.name)
def test_links_out_of_the_folder_lead_to_files(page):
    # Those within it are looked at when the site is built, which takes these for addresses of the repository.
    named = re.findall(r"\]\((\.\./[^)\s#]+)", page.read_text(encoding="utf-8"))
    assert [each for each in named if not (page.parent / each).exists()] == []


def test_the_tables_of_columns_are_those_of_the_code():
    page = columns_page.PAGE.read_text(encoding="utf-8")
    assert columns_page.written(page) == page, "write them anew: python -m tests.columns_page"


def test_every_public_name_stands_in_the_reference():
    reference = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
    missing = [
        name for name in kn.__all__ if f"::: kalshi_nb.{name}\n" not in reference and f"`kn.{name}`" not in reference
    ]
    assert missing == []


def test_help_begins_with_every_public_name_and_says_what_is_internal():
    shown = pydoc.plain(pydoc.render_doc(kn)).split("PACKAGE CONTENTS")[0]
    missing = [name for name in kn.__all__ if not re.search(rf"\b{name}\b", shown)]
    assert missing == ["KalshiError", "KalshiWarning", "__version__", "nested_asyncio"]
    assert "internal" in shown


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """The site, built once; anything that mkdocs warns of is an error."""
    folder = tmp_path_factory.mktemp("site")
    # Its authors advertise something else on every build.
    environment = {
        **os.environ,
        "NO_MKDOCS_2_WARNING": "1",
        "http_proxy": "http://127.0.0.1:9",
        "https_proxy": "http://127.0.0.1:9",
    }
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.mark.xdist_group("site")
def test_the_site_has_every_page(site):
    pages = {each.stem for each in PAGES[1:]} | {"contributing", "changelog"}
    assert {each.stem for each in site.glob("*.html")} == pages | {"404"}


@pytest.mark.xdist_group("site")
def test_no_page_of_the_site_loads_anything_from_elsewhere(site):
    elsewhere = r'="?(?:https?:)?//'
    loads = re.compile(
        rf"<(?:script|img|iframe|source)\b[^>]*\bsrc(?:set)?{elsewhere}|<link\b[^>]*stylesheet[^>]*href{elsewhere}"
    )
    assert [each.name for each in site.glob("*.html") if loads.search(each.read_text(encoding="utf-8"))] == []


@pytest.mark.xdist_group("site")
def test_the_reference_has_what_docstrings_say(site):
    text = (site / "reference.html").read_text(encoding="utf-8")
    for name in (
        "connect",
        "Feed.trades",
        "Frame.wait",
        "Frame.complete",
        "Book.depth",
        "sim.Exchange.advance",
        "messages.Trade",
    ):
        assert f'id="kalshi_nb.{name}"' in text
    assert ":func:" not in text
    assert ":class:" not in text
    assert "<p>:</p>" not in text
    assert "<blockquote>" not in text  # a session of Python that was taken for one


def test_the_site_is_part_of_what_developers_install():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert any(each.startswith("mkdocs-material") for each in extras["docs"])
    assert "docs" in extras["dev"][0]
