"""What a widget carries into the page: joined once, small, whole by itself, the vendored part as it was made."""

import hashlib
import json
import re
import subprocess
import sys

import pytest

from kalshi_nb._widgets import assets
from kalshi_nb._widgets.assets import VIEWS, View, bundle

UPLOT = assets._ROOM / "vendor" / "uplot"
MANIFEST = json.loads((UPLOT / "vendored.json").read_text())
KIB = 1024


@pytest.fixture(params=[*VIEWS, "a chart"])
def text(request, monkeypatch):
    monkeypatch.setitem(VIEWS, "a chart", View(("ladder",), charts=True))
    bundle.cache_clear()
    yield bundle(request.param).text
    bundle.cache_clear()


@pytest.mark.parametrize("name", MANIFEST["files"])
def test_a_vendored_file_is_byte_for_byte_what_its_manifest_says(name):
    assert hashlib.sha256((UPLOT / name).read_bytes()).hexdigest() == MANIFEST["files"][name]["sha256"]


def test_the_manifest_names_every_vendored_file_and_their_version():
    assert {path.name for path in UPLOT.iterdir()} == {*MANIFEST["files"], "vendored.json"}
    first = (UPLOT / "uPlot.iife.min.js").read_text(encoding="utf-8").splitlines()[0]
    assert f"(v{MANIFEST['version']})" in first
    assert "Permission is hereby granted, free of charge" in (UPLOT / "LICENSE").read_text()


def test_a_script_asks_for_nothing_and_makes_no_code(text):
    code = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    assert not re.search(r"https?://|\bimport\b|\beval\b|new Function", code)
    assert len(re.findall(r"^export ", code, re.MULTILINE)) == 1


def test_a_script_carries_the_chart_library_only_where_it_charts():
    assert "uPlot" not in bundle("ladder").text


def test_a_script_is_joined_once_and_known_by_its_digest():
    assert bundle("ladder") is bundle("ladder")
    assert bundle("ladder").digest == hashlib.sha256(bundle("ladder").text.encode()).hexdigest()


def test_what_is_our_own_stays_under_40_kib_in_all():
    own = sum(len(assets._bare(path).encode()) for path in (assets._ROOM / "browser").iterdir())
    assert own < 40 * KIB


def test_every_source_is_part_of_some_view():
    used = {*assets._COMMON, *assets._STYLES, *(part for view in VIEWS.values() for part in view.parts)}
    assert {path.stem for path in (assets._ROOM / "browser").iterdir()} == used


@pytest.mark.parametrize(
    ("line", "tight"),
    [
        ('const a = "b = c"; // why', 'const a="b = c";'),
        ('const a = "b // c = d";', 'const a="b // c = d";'),
        ("// why", ""),
        ("if (a === b) return { c: `d  = ${e ? f : g}` };", "if(a===b)return{c:`d  = ${e ? f : g}`};"),
        (r'x = "a \" = b" + c', r'x="a \" = b" + c'),
        ("a - -b; // minus", "a - -b;"),
    ],
)
def test_only_spaces_between_signs_go(line, tight):
    assert assets._tight(line) == tight


def test_importing_the_assets_reads_and_imports_nothing():
    code = (
        "import sys, pathlib; pathlib.Path.read_text = None; from kalshi_nb._widgets import assets; "
        "assert not {'ipywidgets', 'anywidget'} & {*sys.modules}"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
