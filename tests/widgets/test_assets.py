"""What a widget carries into the page: joined once, small, whole by itself, the vendored part as it was made."""

import gzip
import hashlib
import json
import re
import shutil
import subprocess
import sys

import pytest

from kalshi_nb._widgets import assets
from kalshi_nb._widgets.assets import bundle
from kalshi_nb._widgets.kinds import KINDS, Kind

UPLOT = assets._ROOM / "vendor" / "uplot"
MANIFEST = json.loads((UPLOT / "vendored.json").read_text())
KIB = 1024


@pytest.fixture(params=[*KINDS, "a chart"])
def text(request, monkeypatch):
    monkeypatch.setitem(KINDS, "a chart", Kind("", "", 4.0, ("ladder",), charts=True))
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


def test_what_is_our_own_stays_under_46_kib_in_all_as_it_is_packed_for_a_page():
    scripts, styles = (sorted((assets._ROOM / "browser").glob(f"*.{kind}")) for kind in ("js", "css"))
    own = [assets._script(path.stem) for path in scripts] + [assets._bare(path) for path in styles]
    assert len(gzip.compress("".join(own).encode(), 9)) < 46 * KIB


def of_our_own(kind):
    """A view's script without the chart library and its style."""
    style = json.dumps((UPLOT / "uPlot.min.css").read_text(encoding="utf-8"), ensure_ascii=False)[1:-1]
    script = (UPLOT / "uPlot.iife.min.js").read_text(encoding="utf-8")
    return bundle(kind).text.replace(script, "").replace(style, "")


@pytest.mark.parametrize("kind", [each for each in KINDS if each != "dashboard"])
def test_a_view_alone_brings_no_more_than_17_kib_of_our_own_as_it_is_packed_for_a_page(kind):
    assert len(gzip.compress(of_our_own(kind).encode(), 9)) < 17 * KIB


def sha256(path):
    return hashlib.sha256(path.read_text(encoding="utf-8").encode()).hexdigest()


@pytest.mark.parametrize("name", sorted(path.stem for path in (assets._ROOM / "browser").glob("*.js")))
def test_every_script_was_packed_as_it_is_and_is_as_it_was_packed(name):
    packed = assets._packed().get(name)
    assert packed is not None, "python -m tests.pack packs it"
    assert packed["source"] == sha256(assets._ROOM / "browser" / f"{name}.js"), "python -m tests.pack packs it anew"
    assert packed["packed"] == sha256(assets._ROOM / "packed" / f"{name}.js")
    assert assets._script(name) == (assets._ROOM / "packed" / f"{name}.js").read_text(encoding="utf-8").strip()


def test_nothing_is_packed_that_is_no_script():
    assert {path.stem for path in (assets._ROOM / "packed").glob("*.js")} == {*assets._packed()}


def test_a_script_that_was_changed_since_it_was_packed_travels_as_it_stands(tmp_path, monkeypatch):
    for part in ("browser", "packed"):
        shutil.copytree(assets._ROOM / part, tmp_path / part)
    monkeypatch.setattr(assets, "_ROOM", tmp_path)
    source = tmp_path / "browser" / "tape.js"
    assert assets._script("tape") != assets._bare(source)
    source.write_text(source.read_text(encoding="utf-8").replace("no trades yet", "none so far"), encoding="utf-8")
    assert "none so far" in assets._script("tape")
    assert assets._script("tape") == assets._bare(source)


def test_an_error_in_a_browser_names_the_view_that_it_is_of(text):
    assert re.fullmatch(r"//# sourceURL=kalshi_nb/[\w ]+\.js", text.splitlines()[-1])
    assert text.count("sourceURL") == 1


def test_the_widest_view_stays_under_110_kib_as_it_is_packed_for_a_page():
    assert max(len(gzip.compress(bundle(kind).text.encode(), 9)) for kind in KINDS) < 110 * KIB


def test_every_source_is_part_of_some_view():
    used = {*assets._COMMON, *assets._STYLES, *(part for view in KINDS.values() for part in view.parts)}
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
