"""``python -m tests.benchmarks``: the figures to hold, measured side by side; exit status 1 where one falls short.

With the names `latency`, `growth`, `bulk` or `variants` it measures these instead, which no bar is held against.
"""

import argparse
import sys
import tempfile
import time
from importlib import import_module
from pathlib import Path

from tests.benchmarks import report
from tests.benchmarks.more.running import NAMES, run
from tests.benchmarks.rounds import Settings
from tests.benchmarks.running import ROOT

MODULES = (
    "throughput",
    "peers",
    "fixed_rate",
    "decode",
    "books",
    "rolling",
    "reading",
    "widgets",
    "memory",
    "imports",
    "told",
    "recording",
    "views",
    "history",
)
ROUNDS, LAST_ROW = 9, 21
PEERS = ROOT / ".venv-peers" / "bin" / "python"


def arguments(words=None):
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument(
        "rows",
        nargs="*",
        type=_row,
        metavar="ROW",
        help=f"which of the {LAST_ROW} rows (all), or any of {', '.join(NAMES)}",
    )
    parser.add_argument("--rounds", type=int, help=f"alternating rounds ({ROUNDS}; 3 or 5 of what has a name)")
    parser.add_argument("--scale", type=float, default=1.0, help="sizes times this; the bars are about 1 (1)")
    parser.add_argument("--peers", type=Path, default=PEERS, help="interpreter of the peers (.venv-peers/bin/python)")
    parser.add_argument("--json", type=Path, help="write everything there as JSON, too")
    parser.add_argument("--page", action="store_true", help="write the table into docs/performance.md")
    parser.add_argument("--frames", type=Path, help="keep the generated frames there, to be used again")
    parser.add_argument("--quiet", action="store_true", help="nothing on standard error while it runs")
    options = parser.parse_args(words)
    if len({type(each) for each in options.rows}) > 1:
        parser.error("rows by number and measurements by name are two runs; start one after the other.")
    return options


def _row(word):
    if word in NAMES:
        return word
    if word.isdigit() and 1 <= int(word) <= LAST_ROW:
        return int(word)
    raise argparse.ArgumentTypeError(f"{word!r} is neither a row, 1 to {LAST_ROW}, nor one of {', '.join(NAMES)}")


def measure(settings, rows):
    """Measure the wanted rows, and return the findings in their order."""
    findings = []
    for name in MODULES:
        module = import_module(f"tests.benchmarks.rows.{name}")
        wanted = tuple(row for row in module.ROWS if row in rows)
        if wanted:
            began = time.monotonic()
            findings += module.measure_rows(settings, wanted)
            settings.tell(f"{name}: {time.monotonic() - began:.0f} s")
    return sorted(findings, key=lambda each: each.row)


def main(words=None):
    options = arguments(words)
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(
            folder=options.frames or Path(folder),
            rounds=options.rounds or ROUNDS,
            scale=options.scale,
            peers=options.peers if options.peers.exists() else None,
            quiet=options.quiet,
        )
        if options.rows and options.rows[0] in NAMES:
            return run(options.rows, settings, options)
        findings = measure(settings, options.rows or range(1, LAST_ROW + 1))
    print(report.page(findings, settings))
    if options.json:
        report.write_json(findings, settings, options.json)
    if options.page:
        report.write_page(findings, settings)
    short = [each for each in findings if each.failed]
    for each in short:
        print(f"row {each.row} {each.verdict}: {each.what}: {each.value} {each.wrong or ''}", file=sys.stderr)
    return 1 if short else 0


if __name__ == "__main__":
    sys.exit(main())
