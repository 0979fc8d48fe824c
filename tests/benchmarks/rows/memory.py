"""Row 12: memory kept for 150,000 rows and 500 books. That it does not grow is what ``make soak`` measures."""

from functools import partial
from statistics import median

from tests.benchmarks.findings import Finding, at_most, ratios, wrongs
from tests.benchmarks.frames import Mix, Size, prepare
from tests.benchmarks.rounds import alternate
from tests.benchmarks.running import measure, sending

ROWS = (12,)


def measure_rows(settings, _rows):
    size = Size(settings.sized(200_000), 0, mix=Mix(0.25, 0.50, 0.25))
    folder = prepare(size, settings.folder)
    with sending(folder) as sender:
        cases = {
            "kit": partial(measure, sender, folder, "kit_kept", rows=settings.sized(200_000)),
            "lists of dicts": partial(measure, sender, folder, "naive_kept"),
        }
        runs = alternate(settings, "memory", cases, min(3, settings.rounds))
    own, other = runs["kit"], runs["lists of dicts"]
    return [
        Finding(
            12,
            "memory kept for 150,000 rows and 500 books, against lists of dicts",
            at_most(0.15),
            values=ratios(own, other, of=lambda measured: measured.more["kept"]),
            wrong=wrongs(own + other),
            notes={name: f"{median(each.more['kept'] for each in runs[name]) / 2**20:.0f} MiB kept" for name in cases},
        )
    ]
