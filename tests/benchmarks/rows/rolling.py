"""Row 8: ticks of rolling frames."""

from statistics import median

from tests.benchmarks.findings import Finding, at_least, at_most
from tests.benchmarks.running import evaluate

ROWS = (8,)


def measure_rows(settings, _rows):
    # Never equal, however small they are made: they are told apart by their size.
    sizes = [
        settings.sized(each, least=least) for each, least in ((100_000, 3_000), (10_000, 2_000), (1_000_000, 4_000))
    ]
    found = evaluate("rolling", {"sizes": sizes, "rounds": settings.rounds})
    middle, small, large = found["ticks"]
    notes = {
        f"a tick of {size:,} rows": f"{median(ticks) * 1e3:.2f} ms"
        for size, ticks in zip(sizes, found["ticks"], strict=True)
    } | {f"a rebuild of {sizes[0]:,} rows": f"{median(found['rebuilds']) * 1e3:.1f} ms"}
    return [
        Finding(
            8,
            "a tick of a rolling frame of 100,000 rows with 500 new ones, against a rebuild from dicts",
            at_least(90),
            values=[rebuild / tick for rebuild, tick in zip(found["rebuilds"], middle, strict=True)],
            wrong=found["wrong"],
            notes=notes,
        ),
        Finding(
            8,
            "a tick of 1,000,000 rows against one of 10,000",
            at_most(2),
            values=[one / other for one, other in zip(large, small, strict=True)],
            wrong=found["wrong"],
        ),
    ]
