"""The public names: all of them there, none of them by accident."""

import ast
import inspect
import pathlib

import pytest

import kalshi_nb as kn

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
