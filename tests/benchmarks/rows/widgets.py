"""Row 11: widget traffic, whatever the feed's rate."""

from functools import partial

from tests.benchmarks.findings import Bar, Finding, context, wrongs
from tests.benchmarks.frames import Size, prepare
from tests.benchmarks.rounds import alternate
from tests.benchmarks.running import measure, sending

ROWS = (11,)
RATE = 20_000


def measure_rows(settings, _rows):
    folder = prepare(Size(settings.sized(80_000, least=6_000), settings.sized(20_000)), settings.folder)
    with sending(folder) as sender:
        cases = {
            f"{ladders} ladders": partial(measure, sender, folder, "widgets", rate=RATE, ladders=ladders)
            for ladders in (5, 60)
        }
        runs = alternate(settings, "widgets", cases, min(2, settings.rounds))
    few, many = (runs[case] for case in cases)
    return [
        Finding(
            11,
            f"messages of {what} in its busiest second, at {RATE:,} messages/s",
            Bar(bar, bar, at_least=False),  # a bound that is kept by construction has no scatter
            values=[each.more[name] for each in measured],
            unit="/s",
            wrong=wrongs(measured),
            notes={case: {**context(measured), "updates": sum(each.more["updates"] for each in measured)}},
        )
        for what, name, bar, case, measured in (
            ("a widget", "widget", 10, "5 ladders", few),
            ("a kernel with 60 ladders", "kernel", 300, "60 ladders", many),
        )
    ]
