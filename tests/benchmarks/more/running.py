"""Measures what was named on the command line, prints it, and writes it onto the page."""

import sys
from dataclasses import replace
from importlib import import_module

from tests.benchmarks import report
from tests.benchmarks.more.tables import block, write_block

NAMES = ("latency", "growth", "bulk", "variants")


def run(names, settings, options):
    """Return the exit status: 1 where a result was wrong, since nothing here has a bar."""
    found = []
    for name in names:
        module = import_module(f"tests.benchmarks.more.{name}")
        own = replace(settings, rounds=options.rounds or module.ROUNDS)
        findings = module.measure_all(own)
        text = block(module.text(findings, own), own)
        print(f"{name}\n\n{text}\n")
        if options.page:
            write_block(name, text)
            getattr(module, "after_writing", lambda _: None)(findings)
        found += findings
    if options.json:
        report.write_json(found, settings, options.json)
    wrong = [each for each in found if each.wrong]
    for each in wrong:
        print(f"wrong result: {each.what}: {each.wrong}", file=sys.stderr)
    return 1 if wrong else 0
