"""The modules of streams and frames stand on one another: none is imported, however indirectly, by what it imports."""

from __future__ import annotations

import ast
import pathlib

import kalshi_nb

PACKAGE = pathlib.Path(kalshi_nb.__file__).parent
ROOMS = ("_frames", "_streams")


def imports():
    """Names of the modules of both rooms, and what each imports, for types alone included."""
    paths = {f"kalshi_nb.{room}.{path.stem}": path for room in ROOMS for path in (PACKAGE / room).glob("*.py")}
    found = {}
    for name, path in paths.items():
        imported = set()
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom):
                imported |= {node.module, *(f"{node.module}.{each.name}" for each in node.names)}
            elif isinstance(node, ast.Import):
                imported |= {each.name for each in node.names}
        found[name] = imported & set(paths)
    return found


def test_no_module_is_above_and_below_another():
    left = imports()
    assert len(left) > 20
    while left:
        free = [name for name, imported in left.items() if not imported & set(left)]
        assert free, f"a circle among {sorted(left)}"
        for name in free:
            del left[name]
