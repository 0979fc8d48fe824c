"""What a checkout has for people and their tools: it can be read, and names what is there."""

import json
import pathlib
import re
import subprocess

import pytest
import yaml
from hypothesis import settings

ROOT = pathlib.Path(__file__).parent.parent
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = re.search(r"^\.PHONY: help (.*)$", MAKEFILE, re.MULTILINE)[1].split()


def tracked(*places):
    """Return what git tracks of that."""
    listed = ["git", "ls-files", "-z", "--", *places]
    found = subprocess.run(listed, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [each for each in found.split("\0") if each]


def test_make_alone_is_help_and_help_names_every_target():
    shown = subprocess.run(
        ["make", "--no-print-directory"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert [each for each in TARGETS if not re.search(rf"\bmake {each}\b(?!-)", shown)] == []
    assert all(line.startswith("make ") for line in shown.splitlines())


@pytest.mark.parametrize(
    "form", sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("w*.yml")), ids=lambda form: form.stem
)
def test_a_form_for_issues_asks_for_something(form):
    read = yaml.safe_load(form.read_text(encoding="utf-8"))
    assert read["name"]
    assert read["description"]
    assert any(each["type"] == "textarea" and each["attributes"]["label"] for each in read["body"])


def test_what_looks_at_a_commit_is_what_make_runs():
    read = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    (repository,) = read["repos"]
    assert repository["repo"] == "local"  # from nowhere else, so that nothing is fetched
    for hook in repository["hooks"]:
        tool = hook["entry"].removeprefix(".venv/bin/python -m ").removesuffix(" --force-exclude")
        assert f"$(BIN)/python -m {tool}\n" in MAKEFILE


def test_the_container_for_developers_is_filled_by_make():
    read = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text(encoding="utf-8"))
    target = read["postCreateCommand"].removeprefix("make ")
    assert f"\n{target}:" in MAKEFILE
    assert read["containerEnv"]["KALSHI_ENV"] == "sim"


READ = [ROOT / each for each in tracked("*.md", ".github/**", ".ci/*", "Makefile", "pyproject.toml")]


@pytest.mark.parametrize("path", READ, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_what_a_page_names_of_the_checkout_is_there(path):
    text = path.read_text(encoding="utf-8")
    assert [each for each in named_in(text, path.parent) if not each[1]] == []


def named_in(text, folder):
    """Return the links, commands of make, modules, files and tests that a text names, and whether each is there."""
    for link in re.findall(r"\]\((?!https?:)([^)\s#]+)", text):
        yield link, (folder / link).exists()
    for target in re.findall(r"(?:`|^|(?<=`, ))make ([a-z-]+)(?=[` ]*(?:#|`|,|$))", text, re.MULTILINE):
        yield f"make {target}", target in {"help", *TARGETS}
    for module in re.findall(r"-m (tests[.\w]*\w)", text):
        place = ROOT.joinpath(*module.split("."))
        yield module, place.with_suffix(".py").exists() or (place / "__main__.py").exists()
    for name in re.findall(r"`((?:tests|docs|binder|notebooks|kalshi_nb)/[\w./-]+)`", text):
        yield name, (ROOT / name).exists()
    for name in re.findall(r"`(test_\w+)\.py`", text):
        yield name, any((ROOT / "tests").rglob(f"{name}.py"))


@pytest.mark.parametrize(
    "text",
    [
        "[it](docs/nowhere.md)",
        "`make nothing`",
        "make nothing   # a comment",
        "`python -m tests.nothing --seeds 1`",
        "`tests/feed/nothing.py`",
        "`test_nothing_at_all.py`",
    ],
)
def test_such_a_name_of_nothing_would_be_found(text):
    assert [there for _, there in named_in(text, ROOT)] == [False]


def test_whoever_cites_it_finds_what_that_takes():
    read = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert {"cff-version", "message", "title", "authors", "version"} <= set(read)


def test_what_a_distribution_of_the_source_takes_is_there():
    named = re.findall(r"^(?:include|graft) (.*)$", (ROOT / "MANIFEST.in").read_text(encoding="utf-8"), re.MULTILINE)
    assert [each for line in named for each in line.split() if not (ROOT / each).exists()] == []


def test_no_example_of_a_law_has_to_be_tried_within_a_time():
    assert settings().deadline is None
