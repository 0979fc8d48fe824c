"""What a checkout has for people and their tools: it can be read, and names what is there."""

import json
import pathlib
import re
import subprocess

import pytest
import yaml

ROOT = pathlib.Path(__file__).parent.parent
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = re.search(r"^\.PHONY: help (.*)$", MAKEFILE, re.MULTILINE)[1].split()


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


def test_whoever_cites_it_finds_what_that_takes():
    read = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert {"cff-version", "message", "title", "authors", "version"} <= set(read)


def test_what_a_distribution_of_the_source_takes_is_there():
    named = re.findall(r"^(?:include|graft) (.*)$", (ROOT / "MANIFEST.in").read_text(encoding="utf-8"), re.MULTILINE)
    assert [each for line in named for each in line.split() if not (ROOT / each).exists()] == []
