"""Row 5: CPU seconds at a fixed 10,000 messages a second, one packet for each."""

from functools import partial

from tests.benchmarks.findings import Finding, at_most, context, ratios, wrongs
from tests.benchmarks.frames import Size, prepare
from tests.benchmarks.rounds import alternate
from tests.benchmarks.running import measure, sending

ROWS = (5,)
RATE = 10_000


def measure_rows(settings, _rows):
    folder = prepare(Size(settings.sized(40_000), settings.sized(10_000)), settings.folder)
    pipeline = {"pipelines": ["trade"]}
    wanted = {
        "quick-start loop": ("naive", {}),
        "default transport": ("kit", pipeline),
        "faster transport": ("kit", {"transport": "picows", **pipeline}),
    }
    with sending(folder) as sender:
        cases = {
            name: partial(measure, sender, folder, client, rate=RATE, **options)
            for name, (client, options) in wanted.items()
        }
        runs = alternate(settings, "10,000 messages/s", cases)
    naive = runs["quick-start loop"]
    found = []
    for case, bar in (("default transport", at_most(1.0, 1.15)), ("faster transport", at_most(0.70, 0.85))):
        over = runs[case]
        values = ratios(over, naive, of=lambda measured: measured.cpu)
        found.append(
            Finding(
                5,
                f"CPU at 10,000 messages/s, one a packet, {case}, against the quick-start loop",
                bar,
                values=values,
                cpu_values=values,
                why_not=runs.missing.get(case, ""),
                wrong=wrongs(over),
                notes={name: context(each) for name, each in ((case, over), ("quick-start loop", naive)) if each},
            )
        )
    return found
