"""Row 10: ``trades.df`` on a full window of 100,000 rows while it is fed."""

from functools import partial
from statistics import median

from tests.benchmarks.findings import Finding, at_most, context, wrongs
from tests.benchmarks.frames import Mix, Size, prepare
from tests.benchmarks.rounds import alternate
from tests.benchmarks.running import measure, sending

ROWS = (10,)
RATE = 100_000


def measure_rows(settings, _rows):
    size = Size(settings.sized(300_000), settings.sized(120_000), mix=Mix(0, 0, 1))
    folder = prepare(size, settings.folder)
    with sending(folder) as sender:
        read = partial(measure, sender, folder, "reading", rate=RATE, channels=["trade"])
        runs = alternate(settings, "reading", {"reading": read}, min(3, settings.rounds))["reading"]
    notes = {
        "the feed": {**context(runs), "asked for, messages/s": RATE, "reads": sum(each.more["reads"] for each in runs)}
    }
    what = "`trades.df` on a window of 100,000 rows, fed at 100,000 rows/s"
    return [
        Finding(
            10,
            f"{what}, {name}",
            at_most(bar),
            values=[each.more[name] for each in runs],
            unit="ms",
            wrong=wrongs(runs),
            notes=notes if name == "p50" else {"median of p99": f"{median(each.more['p99'] for each in runs):.2f} ms"},
        )
        for name, bar in (("p50", 0.1), ("p99", 1))
    ]
