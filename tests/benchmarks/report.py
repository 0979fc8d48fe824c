"""The table: on the terminal, as JSON, and between two markers of docs/performance.md."""

import datetime as dt
import importlib.metadata
import json
import os
import platform
from pathlib import Path

from kalshi_nb._session.extension import COMPILED
from tests.benchmarks.running import ROOT

PAGE = ROOT / "docs" / "performance.md"
BEGIN, END = "<!-- begin: written by make bench -->", "<!-- end: written by make bench -->"
PACKAGES = ("websockets", "picows", "msgspec", "polars", "streamz", "ipywidgets", "anywidget")


def machine():
    """What it was measured on."""
    model = next(
        (line.split(":", 1)[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")),
        platform.processor() or "an unknown processor",
    )
    memory = next((int(line.split()[1]) for line in _lines("/proc/meminfo") if line.startswith("MemTotal")), 0)
    # The release and not the build of it, which says more about where it ran than about what it ran on.
    release = ".".join(platform.release().split("-")[0].split(".")[:2])
    return f"{os.cpu_count()} cores of {model}, {memory / 2**20:.0f} GiB, {platform.system()} {release}"


def versions():
    """What it was measured with."""
    found = [f"Python {platform.python_version()}"]
    for name in PACKAGES:
        try:
            found.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            continue
    return f"{', '.join(found)}; {'the compiled part in use' if COMPILED else 'nothing compiled'}"


def _lines(path):
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []


def number(value, unit=""):
    """Three digits that mean something, and the unit of what is no ratio."""
    if value is None:
        return ""
    text = f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
    return f"{text} {unit}" if unit else text


def spread(finding):
    """The lowest and the highest round."""
    if len(finding.values) < 2:
        return ""
    return f"{number(min(finding.values))} to {number(max(finding.values))}"


def table(findings):
    """The findings as a table of Markdown."""
    lines = [
        "| # | what | bar | median | rounds | CPU ratio | verdict |",
        "|---:|---|---:|---:|---:|---:|---|",
    ]
    for each in findings:
        cells = (
            str(each.row),
            each.what,
            "" if each.bar is None else f"{each.bar}{f' {each.unit}' if each.unit else ''}",
            number(each.value, each.unit),
            spread(each),
            number(each.cpu),
            f"**{each.verdict}**" if each.failed else each.verdict,
        )
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def absolutes(findings):
    """The absolute figures behind the ratios: good for nothing but a feeling for the machine."""
    seen, lines = set(), []
    for each in findings:
        for name, notes in each.notes.items():
            text = notes if isinstance(notes, str) else ", ".join(f"{key} {value:,}" for key, value in notes.items())
            line = f"- row {each.row}, {name}: {text}"
            if line not in seen:
                seen.add(line)
                lines.append(line)
    return "\n".join(lines)


def page(findings, settings):
    """The generated part of the page."""
    now = dt.datetime.now(dt.UTC)
    size = "" if settings.scale == 1 else f" Sizes were scaled by {settings.scale:g}."
    return "\n\n".join(
        (
            f"Measured {now:%Y-%m-%d} on {machine()}; {versions()}. {settings.rounds} alternating rounds.{size}",
            table(findings),
            "Absolute figures (medians), which mean something only beside each other:",
            absolutes(findings),
        )
    )


def write_page(findings, settings, path=PAGE):
    """Put the generated part between its markers; what stands around it stays."""
    whole = path.read_text()
    before, found, rest = whole.partition(BEGIN)
    _, ended, after = rest.partition(END)
    if not (found and ended):
        raise SystemExit(f"{path} lacks the markers {BEGIN!r} and {END!r}; put them where the table belongs.")
    path.write_text(f"{before}{BEGIN}\n\n{page(findings, settings)}\n\n{END}{after}")


def write_json(findings, settings, path):
    """Everything, rounds included."""
    record = {
        "when": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "versions": versions(),
        "rounds": settings.rounds,
        "scale": settings.scale,
        "findings": [each.record() for each in findings],
    }
    Path(path).write_text(json.dumps(record, indent=1, default=str) + "\n")
