"""A lower floor never imports a higher one, and the simulated exchange shares no code with the client."""

import ast
import pathlib
import re
import subprocess
import sys

import pytest

import kalshi_nb
from tests.house import FLOORS, table

PACKAGE = pathlib.Path(__file__).parent.parent / "kalshi_nb"

FLOOR_OF = {room: floor for floor, (rooms, _) in enumerate(FLOORS) for room in rooms}
HEAVY = {"polars", "streamz", "ipywidgets", "anywidget", "traitlets", "pandas", "numpy", "pyarrow", "IPython"}
# The ladder itself knows nothing of messages or frames; the wire knows nothing of sockets.
WITHOUT_SOCKETS = ["_rows", "_wire", "_auth", "_session"]


def modules():
    for path in sorted([*PACKAGE.rglob("*.py"), *PACKAGE.rglob("*.pyx")]):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        yield path, parts[0]


def imported(path, *, runtime_only=False):
    """Absolute names of all modules that a file imports, at its head or inside a function."""
    if path.suffix == ".pyx":
        yield from re.findall(r"^\s*(?:from|c?import) +([\w.]+)", path.read_text(), re.MULTILINE)
        return
    tree = ast.parse(path.read_text())
    hidden = set()
    if runtime_only:
        for node in ast.walk(tree):
            if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
                hidden |= set(map(id, ast.walk(node)))
    for node in ast.walk(tree):
        if id(node) in hidden:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield node.module
            if node.module in ("kalshi_nb", "kalshi_nb.sim"):
                yield from (f"{node.module}.{alias.name}" for alias in node.names)


def rooms(path):
    for name in imported(path):
        head, _, rest = name.partition(".")
        if head == "kalshi_nb" and rest:
            yield rest.split(".")[0]


def test_the_document_has_the_table_of_floors():
    assert table() in (PACKAGE.parent / "docs" / "architecture.md").read_text()


def test_every_module_has_a_floor():
    found = {room for _, room in modules()} - {"sim"}
    assert found == set(FLOOR_OF)


@pytest.mark.parametrize(
    "path", [pytest.param(path, id=str(path.relative_to(PACKAGE))) for path, room in modules() if room != "sim"]
)
def test_no_floor_imports_a_higher_one(path):
    room = path.relative_to(PACKAGE).with_suffix("").parts[0]
    # The public face and connect() reach the simulated exchange, which stands beside the house.
    above = {each for each in rooms(path) if each != "sim" and FLOOR_OF[each] > FLOOR_OF[room]}
    assert not above
    if "sim" in rooms(path):
        assert room in ("_feed", "_cli", "__init__")


@pytest.mark.parametrize("path", [pytest.param(p, id=p.name) for p, room in modules() if room == "sim"])
def test_the_simulated_exchange_shares_no_code_with_the_client(path):
    assert set(rooms(path)) <= {"sim", "errors"}


def name_of(path):
    """Return what a file is imported as."""
    parts = [part for part in path.relative_to(PACKAGE.parent).with_suffix("").parts if part != "__init__"]
    return ".".join(parts)


NAMES = {name_of(path): path for path, _ in modules()}
MAKERS = {"kalshi_nb._feed.connect", "kalshi_nb._feed.replay"}  # who builds a feed on an engine

OFFLINE = {
    "kalshi_nb._feed.replay",
    "kalshi_nb._feed.serving",
    "kalshi_nb._recording.recording",
    "kalshi_nb._recording.telling",
}
"""Who has an engine told what was recorded, or says what that is."""


def modules_imported(path):
    """Names of the package's own modules that a file imports, wherever in it."""
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in NAMES)
        elif isinstance(node, ast.ImportFrom):
            inside = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (each if each in NAMES else node.module for each in inside if {each, node.module} & set(NAMES))


def above_the_engine():
    for path, room in modules():
        if path.suffix == ".py" and room in FLOOR_OF and FLOOR_OF[room] > FLOOR_OF["_engine"]:
            yield pytest.param(path, id=str(path.relative_to(PACKAGE)))


@pytest.mark.parametrize("path", list(above_the_engine()))
def test_nobody_above_the_engine_knows_what_is_below_its_port(path):
    below = {each for each in modules_imported(path) if each.startswith(("kalshi_nb._engine", "kalshi_nb._session"))}
    allowed = {"kalshi_nb._engine.port"}
    if name_of(path) == "kalshi_nb._feed.connect":
        allowed |= {"kalshi_nb._engine.live", "kalshi_nb._engine.transport"}
    elif name_of(path) in OFFLINE:
        allowed |= {"kalshi_nb._engine.offline"}
    assert below <= allowed


def calls_of(name):
    """Names of the modules that call something by this name."""
    found = set()
    for module, path in NAMES.items():
        if path.suffix == ".py" and not module.startswith("kalshi_nb.sim"):
            calls = (node.func for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call))
            if any(getattr(each, "id", getattr(each, "attr", None)) == name for each in calls):
                found.add(module)
    return found


def test_only_those_who_build_a_feed_construct_an_engine():
    assert calls_of("LiveEngine") == {"kalshi_nb._feed.connect"}
    assert calls_of("OfflineEngine") == OFFLINE - {"kalshi_nb._recording.recording"}
    assert calls_of("Feed") == MAKERS


def test_no_module_imports_itself_over_others():
    # Imports for the type checker alone count, too: what cannot be explained without its user is not one idea.
    imports = {name: set(modules_imported(path)) for name, path in NAMES.items() if path.suffix == ".py"}
    imports["kalshi_nb"] = set()  # the public face names everything; nothing may import it
    assert not {name for name, found in imports.items() if "kalshi_nb" in found}
    done, circles = set(), []

    def visit(name, way):
        if name in way:
            circles.append(" -> ".join([*way[way.index(name) :], name]))
        elif name not in done:
            for each in sorted(imports.get(name, ())):
                visit(each, [*way, name])
            done.add(name)

    for name in imports:
        visit(name, [])
    assert not circles


def test_a_feed_is_composed_and_inherits_nothing_of_ours():
    assert kalshi_nb.Feed.__mro__ == (kalshi_nb.Feed, object)


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(p, id=str(p.relative_to(PACKAGE)))
        for p, room in modules()
        if room in FLOOR_OF and FLOOR_OF[room] <= 4
    ],
)
def test_the_engine_imports_nothing_heavy(path):
    assert not {name.split(".")[0] for name in imported(path)} & HEAVY


@pytest.mark.parametrize(
    "path",
    [pytest.param(p, id=str(p.relative_to(PACKAGE))) for p, room in modules() if room in WITHOUT_SOCKETS],
)
def test_the_protocol_does_no_input_or_output(path):
    assert not {name.split(".")[0] for name in imported(path)} & {"asyncio", "socket", "threading", "websockets"}


def test_widgets_know_no_sockets():
    for path, room in modules():
        if room == "_widgets":
            assert not {name.split(".")[0] for name in imported(path)} & {"websockets", "socket", "asyncio"}


def test_nothing_inside_imports_the_face_of_the_package():
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                assert "kalshi_nb" not in {alias.name for alias in node.names}, path
            if isinstance(node, ast.ImportFrom) and node.module == "kalshi_nb":
                assert {alias.name for alias in node.names} <= {*FLOOR_OF, "sim"}, path


def loaded_after(code):
    script = f"{code}\nimport sys\nprint(*sorted({{name.split('.')[0] for name in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stdout.split("\n")[-2].split())


def test_importing_the_engine_loads_nothing_heavy():
    loaded = loaded_after("import kalshi_nb._engine.live, kalshi_nb._session.session, kalshi_nb.sim")
    assert not loaded & HEAVY


def test_importing_the_package_loads_no_dataframe_library_but_polars():
    loaded = loaded_after("import kalshi_nb")
    assert not loaded & {"pandas", "numpy", "pyarrow", "dask", "distributed", "streamz", "ipywidgets", "httpx"}


def test_using_every_name_loads_no_pandas_numpy_pyarrow_or_dask():
    code = (
        "import kalshi_nb as kn\n"
        "for name in kn.__all__: getattr(kn, name)\n"
        "feed = kn.connect('sim')\n"
        "trades = feed.trades(); trades.wait(rows=1); trades.df; repr(trades)\n"
        "feed.close()"
    )
    assert not loaded_after(code) & {"pandas", "numpy", "pyarrow", "dask", "distributed", "httpx"}


def test_the_compiled_part_knows_of_the_session_only_what_it_is_handed():
    for path in (PACKAGE / "_session").glob("*.pyx"):
        assert set(rooms(path)) <= {"_rows", "_session", "_wire", "errors"}
        assert {name.split(".")[0] for name in imported(path)} <= {"kalshi_nb", "cpython", "libc"}
        ours = {name for name in imported(path) if name.startswith("kalshi_nb._session")}
        parts = {
            f"kalshi_nb._session.{each}" for each in ("_compiled", "_row_columns", "_json_fields", "_straight_frames")
        }
        assert ours <= {"kalshi_nb._session.ladder", *parts}
