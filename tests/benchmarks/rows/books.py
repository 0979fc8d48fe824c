"""Row 7: one delta into a book, then best bid and ask read, against pykalshi's book."""

from statistics import median

from tests.benchmarks.findings import Finding, at_least
from tests.benchmarks.frames import Mix, Size, prepare
from tests.benchmarks.rows.peers import NO_PEERS
from tests.benchmarks.running import evaluate

ROWS = (7,)


def measure_rows(settings, _rows):
    what, bar = "one delta into a book, then best bid and ask read, against pykalshi's book", at_least(18)
    if settings.peers is None:
        return [Finding(7, what, bar, why_not=NO_PEERS)]
    folder = prepare(Size(settings.sized(20_000), 0, mix=Mix(1, 0, 0)), settings.folder)
    found = evaluate("books", {"folder": str(folder), "rounds": settings.rounds}, python=settings.peers)
    values = [other / own for own, other in zip(found["kit"], found["pykalshi"], strict=True)]
    notes = {name: f"{median(found[name]):.2f} µs a delta" for name in ("kit", "pykalshi")}
    return [Finding(7, what, bar, values=values, cpu_values=values, wrong=found["wrong"], notes=notes)]
