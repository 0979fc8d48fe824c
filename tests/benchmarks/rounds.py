"""Alternating rounds: every case once a round, and the other way round every second time."""

import sys
from dataclasses import dataclass, field
from pathlib import Path

from tests.benchmarks.running import NotAvailableError


@dataclass(frozen=True)
class Settings:
    """How a run of the benchmarks is to be."""

    folder: Path
    """Where prepared frames are."""
    rounds: int = 9
    scale: float = 1.0
    """All sizes are multiplied by it; 1 is what the bars are about."""
    peers: Path | None = None
    """The interpreter of the peers' environment, None where there is none."""
    quiet: bool = False

    def sized(self, messages, least=400):
        return max(least, round(messages * self.scale))

    def tell(self, text):
        if not self.quiet:
            print(text, file=sys.stderr, flush=True)


@dataclass
class Runs:
    """What each case came to, round by round; and why a case was not there."""

    by_case: dict = field(default_factory=dict)
    missing: dict = field(default_factory=dict)

    def __getitem__(self, case):
        return self.by_case.get(case, [])


def alternate(settings, title, cases, rounds=None):
    """Run every case once a round; `cases` maps names to functions that measure once."""
    runs = Runs({name: [] for name in cases})
    for number in range(rounds or settings.rounds):
        names = [name for name in cases if name not in runs.missing]
        for name in names if number % 2 == 0 else names[::-1]:
            try:
                measured = cases[name]()
            except NotAvailableError as why:
                runs.missing[name] = f"not available: {why}"
                continue
            runs.by_case[name].append(measured)
            settings.tell(f"{title}, round {number + 1}, {name}: {_in_short(measured)}")
    return runs


def _in_short(measured):
    return f"{measured.rate:,.0f} messages/s" if hasattr(measured, "rate") else measured
