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


def test_the_first_example_has_six_lines_and_runs_as_printed():
    kind, example = BLOCKS[1]
    assert kind == "python"
    lines = [line for line in example.splitlines() if line.strip()]
    assert len(lines) == 6
    # A notebook shows its last expression; a script prints it.
    script = "\n".join(
        [*lines[:-1], f"print(repr({lines[-1].split('#')[0].strip()}))", "print(trades.df.height >= 10)"]
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert "KXHIGHNY-26NOV22-B52.5  live  YES bid" in done.stdout
    assert done.stdout.endswith("True\n")


@pytest.mark.timeout(120)
def test_every_example_runs_as_printed(tmp_path):
    examples = [text for kind, text in BLOCKS if kind == "python" and '"demo"' not in text]
    assert len(examples) == 4
    script = "\n".join(examples) + "\nassert trades.total > 0\n"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, timeout=100, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert (tmp_path / "trades.parquet").exists()


@pytest.mark.timeout(120)
def test_every_example_of_the_page_on_frames_runs_as_printed_and_shows_something(tmp_path):
    examples = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "frames.md").read_text(), re.DOTALL)
    assert len(examples) == 5
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", "\n".join([*examples, "assert minutes.df['complete'].any()"])],
        capture_output=True,
        text=True,
        timeout=100,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


@pytest.mark.timeout(120)
def test_every_example_of_the_page_on_recordings_runs_as_printed(tmp_path):
    examples = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "recording.md").read_text(), re.DOTALL)
    assert len(examples) == 6
    checks = "assert trades.total > 20\nassert book.status == 'live'\n"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", "\n".join([*examples[:4], checks, *examples[4:]])],
        capture_output=True,
        text=True,
        timeout=100,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert list((tmp_path / "tables").rglob("*.parquet"))
    assert list((tmp_path / "along").rglob("*.parquet"))


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
