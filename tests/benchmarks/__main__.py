"""``python -m tests.benchmarks``: the figures to hold, measured side by side; exit status 1 where one falls short."""

import argparse
import sys
import tempfile
import time
from importlib import import_module
from pathlib import Path

from tests.benchmarks import report
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
)
PEERS = ROOT / ".venv-peers" / "bin" / "python"


def arguments(words=None):
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("rows", nargs="*", type=int, metavar="ROW", help="which of the 13 rows (all)")
    parser.add_argument("--rounds", type=int, default=9, help="alternating rounds (9)")
    parser.add_argument("--scale", type=float, default=1.0, help="sizes times this; the bars are about 1 (1)")
    parser.add_argument("--peers", type=Path, default=PEERS, help="interpreter of the peers (.venv-peers/bin/python)")
    parser.add_argument("--json", type=Path, help="write everything there as JSON, too")
    parser.add_argument("--page", action="store_true", help="write the table into docs/performance.md")
    parser.add_argument("--frames", type=Path, help="keep the generated frames there, to be used again")
    parser.add_argument("--quiet", action="store_true", help="nothing on standard error while it runs")
    return parser.parse_args(words)


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
            rounds=options.rounds,
            scale=options.scale,
            peers=options.peers if options.peers.exists() else None,
            quiet=options.quiet,
        )
        findings = measure(settings, options.rows or range(1, 14))
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
