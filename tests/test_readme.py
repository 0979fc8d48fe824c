"""What the README prints works as printed."""

import pathlib
import re
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"```(\w*)\n(.*?)```", README, re.DOTALL)


def test_the_first_screen_shows_exactly_two_commands():
    kind, commands = BLOCKS[0]
    assert kind == ""
    assert [line.split("#")[0].strip() for line in commands.splitlines()] == ["make demo", "make test"]
    assert README.index(commands) < README.index("\n## ")


def test_the_first_example_has_six_lines_and_prints_in_a_plain_script():
    example = next(text for kind, text in BLOCKS if kind == "python")
    lines = [line for line in example.splitlines() if line.strip()]
    assert len(lines) == 6
    # A notebook shows its last expression; here it is printed, to see that it is one.
    script = "\n".join([*lines[:-1], f"print(repr({lines[-1].split('#')[0].strip()}))"])
    done = subprocess.run([sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert re.search(r"^shape: \(\d\d+, 11\)", done.stdout)
    assert "KXHIGHNY-26NOV22-B52.5  live  YES bid" in done.stdout


def test_it_is_read_in_one_go():
    assert len(README.splitlines()) <= 130


def test_it_names_its_repository_as_the_site_does():
    (address,) = re.findall(
        r"^  repository: https://github\.com/(\S+)$", (ROOT / "mkdocs.yml").read_text(), re.MULTILINE
    )
    named = {
        found
        for name in (
            "README.md",
            "SECURITY.md",
            "CITATION.cff",
            ".github/ISSUE_TEMPLATE/wrong.yml",
            ".github/ISSUE_TEMPLATE/config.yml",
        )
        for found in re.findall(r"(?:github\.com|/gh)/([\w.-]+/[\w.-]*kalshi_nb)", (ROOT / name).read_text())
    }
    assert named == {address}


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^)#]+)\)", README))))
def test_links_to_files_lead_somewhere(link):
    if not link.startswith("http"):
        assert (ROOT / link).exists()


def test_the_demo_prints_everything_and_writes_a_file(tmp_path):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "kalshi_nb", "demo", "--seconds", "2", "--output", tmp_path],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    for part in ("/s", "Tickers", "Trades", "live  YES bid", "Gaps", "Health", "state                connected"):
        assert part in done.stdout
    path = re.search(r"written to (\S+\.parquet)", done.stdout)[1]
    assert pathlib.Path(path).stat().st_size > 0


def test_the_changelog_has_the_packages_version():
    import kalshi_nb

    assert f"## {kalshi_nb.__version__}" in (ROOT / "CHANGELOG.md").read_text()
    assert f'version = "{kalshi_nb.__version__}"' in (ROOT / "pyproject.toml").read_text()
    assert f"version: {kalshi_nb.__version__}\n" in (ROOT / "CITATION.cff").read_text()
