"""Row 13: ``import kalshi_nb`` against ``import polars``."""

from statistics import median

from tests.benchmarks.findings import Finding, at_most
from tests.benchmarks.rounds import alternate
from tests.benchmarks.running import evaluate

ROWS = (13,)
CASES = {
    "import kalshi_nb": {"name": "kalshi_nb"},
    "import polars": {"name": "polars"},
    "from kalshi_nb import connect": {"name": "kalshi_nb", "used": ["connect"]},
}


def measure_rows(settings, _rows):
    def timed(options):
        return lambda: evaluate("imported", options)["seconds"]

    cases = {name: timed(options) for name, options in CASES.items()}
    for case in cases.values():
        case()  # compiled, and in the memory of the file system, from here on
    runs = alternate(settings, "imports", cases)
    package, polars, connect = (runs[name] for name in CASES)
    return [
        Finding(
            13,
            f"`{name}` against `import polars`",
            bar,
            values=[one / other for one, other in zip(seconds, polars, strict=True)],
            notes={each: f"{median(runs[each]) * 1e3:.0f} ms" for each in (name, "import polars")},
        )
        for name, seconds, bar in (
            ("import kalshi_nb", package, at_most(0.1)),
            # Names are looked up when they are used, so the line above is not all that a notebook pays.
            ("from kalshi_nb import connect", connect, None),
        )
    ]
