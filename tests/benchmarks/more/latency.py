"""From the exchange's stamp to the row in ``.df`` and to the widget's message, p50 and p99, at three rates.

The sender notes when it hands each frame to its socket. A row's latency ends when a cell has read the frame with the
row in it; a change's, when the display thread has sent a picture of the book with that change, or a later one, in it.
Both clocks are the machine's monotonic one. A sender that is held up stamps late, so the rate it came to is told, too.
"""

import json
from array import array
from bisect import bisect_right
from functools import partial
from statistics import median

from tests.benchmarks.clients.kinds import measured_part, places_of_changes, places_of_trades
from tests.benchmarks.findings import Finding, wrongs
from tests.benchmarks.frames import Size, prepare
from tests.benchmarks.more.tables import markdown, merged, quantile
from tests.benchmarks.report import number
from tests.benchmarks.rounds import alternate
from tests.benchmarks.running import measure, sending

ROUNDS = 3
RATES = {500: 10_000, 5_000: 50_000, 50_000: 300_000}
"""Messages a second, and how many are sent at that rate."""
LADDERS = 5
CELLS = {"waits": {}, "computes": {"busy": True}}
FASTER = {f"{name}, `picows`": {**options, "transport": "picows"} for name, options in CELLS.items()}
"""At the highest rate only, where the default transport has its limits."""
SHARES = (50, 99)


def measure_all(settings):
    """One finding for each rate, cell and kind, in milliseconds."""
    findings = []
    for rate, messages in RATES.items():
        size = Size(
            settings.sized(messages, least=600),
            settings.sized(10_000, least=200),
            markets=settings.sized(500, least=50),
        )
        runs = _runs(settings, rate, prepare(size, settings.folder))
        for case in cells(rate):
            findings += _findings(rate, case, runs[case])
    return findings


def cells(rate):
    """What is measured at this rate: names and options of the client."""
    return CELLS | (FASTER if rate == max(RATES) else {})


def _runs(settings, rate, folder):
    part = measured_part(folder, json.loads((folder / "session.json").read_text()))
    trades, changes = places_of_trades(part), places_of_changes(part)
    shown = sorted(changes, key=lambda ticker: -len(changes[ticker]))[:LADDERS]
    changes = {ticker: changes[ticker] for ticker in shown}
    stamps = settings.folder / "stamps.bin"
    with sending(folder) as sender:
        run = partial(measure, sender, folder, "latency", rate=rate, stamps=str(stamps), shown=shown)
        cases = {
            name: partial(_once, partial(run, **options), stamps, trades, changes)
            for name, options in cells(rate).items()
        }
        return alternate(settings, f"latency at {rate:,} messages/s", cases)


def _once(run, stamps, trades, changes):
    """One run, with the latencies of all rows and all changes that were shown in it."""
    measured = run()
    handed = array("q")
    handed.frombytes(stamps.read_bytes())
    readings = measured.more.pop("readings")
    measured.more["row"] = latencies(handed, trades, readings)
    pictures = measured.more.pop("pictures")
    measured.more["picture"] = merged(
        latencies(handed, places, pictures[ticker]) for ticker, places in changes.items()
    )
    last_read = readings[-1][0]
    measured.more["sent"] = (len(handed) - 1) / ((handed[-1] - handed[0]) / 1e9)
    measured.more["taken in"] = len(handed) / ((last_read - handed[0]) / 1e9)
    return measured


def latencies(handed, places, seen):
    """Milliseconds from the stamp of each frame to the first time at which it was seen, sorted.

    Parameters
    ----------
    handed : sequence of int
        When each frame was handed to the socket, in nanoseconds.
    places : sequence of int
        Which of the frames matter, in order.
    seen : sequence of (int, int)
        Times, and how many of `places` had been seen by then.

    Raises
    ------
    ValueError
        When some were never seen: without them, the slowest would be left out.
    """
    times, counts = zip(*seen, strict=True)
    if counts[-1] < len(places):
        raise ValueError(f"{len(places) - counts[-1]} of {len(places)} were never seen")
    return sorted((times[bisect_right(counts, at)] - handed[place]) / 1e6 for at, place in enumerate(places))


def _findings(rate, cell, runs):
    found = []
    for kind in ("row", "picture"):
        for share in SHARES:
            finding = Finding(
                0,
                f"{kind} p{share} at {rate}, the cell {cell}",
                None,
                values=[quantile(each.more[kind], share) for each in runs],
                unit="ms",
                wrong=wrongs(runs),
                notes={
                    "sent": median(each.more["sent"] for each in runs),
                    "taken in": median(each.more["taken in"] for each in runs),
                    "samples": len(runs[0].more[kind]),
                },
            )
            found.append(finding)
    return found


def text(findings, _settings):
    """The table of the page: one line for each rate and cell."""
    lines, each = [], iter(findings)
    for rate in RATES:
        for cell in cells(rate):
            row, row99, picture, picture99 = (next(each) for _ in range(4))
            values = [number(one.value, "ms") for one in (row, row99, picture, picture99)]
            lines.append((f"{row.notes['sent']:,.0f}", f"{row.notes['taken in']:,.0f}", cell, *values))
    head = (
        "messages/s sent", "taken in", "the cell", "row in `.df`, p50", "p99", "widget's message, p50", "p99",
    )  # fmt: skip
    return markdown(head, lines, left=(2,))
