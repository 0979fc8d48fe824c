"""Row 20: what views take of the kernel's CPU, over the same feed without any.

The shares of a core are those of the bars' machine; on a slower one they are more (`tests/benchmarks/pace.py`).
"""

from functools import partial
from statistics import median

from tests.benchmarks.findings import Finding, at_most, context, wrongs
from tests.benchmarks.frames import Size, prepare
from tests.benchmarks.pace import pace_of_processor
from tests.benchmarks.rounds import alternate
from tests.benchmarks.running import measure, sending

ROWS = (20,)
RATE = 2_000
FEW, MANY = 50, 5_000
"""Markets: so few that the one which is shown moves all the time, and as many as a board may have."""
PACE = "the machine's pace against that of the bars"
LEAST = 0.01
"""Percent of a core below which a difference of two measurements says nothing."""


def measure_rows(settings, _rows):
    return [
        _added(settings, f"a dashboard of five views adds at {RATE:,} messages/s", "dashboard", FEW, 6),
        _added(settings, f"a board of {MANY:,} markets adds at {RATE:,} messages/s", "board", MANY, 10),
    ]


def _added(settings, what, view, markets, share):
    """The share of a core by which a feed with a view takes more than one without."""
    # A board of many markets needs them all in its first picture; where little is sent there are fewer.
    markets = settings.sized(markets, least=min(markets, 50))
    folder = prepare(Size(settings.sized(40_000), settings.sized(10_000), markets=markets), settings.folder)
    with sending(folder) as sender:
        without = partial(measure, sender, folder, "views", rate=RATE)
        cases = {"without": without, view: partial(without, view=view), PACE: partial(pace_of_processor, folder)}
        runs = alternate(settings, f"a {view}", cases)
    plain, shown, pace = runs["without"], runs[view], median(runs[PACE])
    pairs = zip(shown, plain, strict=True)
    notes = {name: context(each) for name, each in (("without", plain), (view, shown))}
    notes[view]["updates/s"] = round(median(each.more["updates"] / each.seconds for each in shown), 1)
    notes[view][PACE] = round(pace, 2)
    return Finding(
        20,
        f"CPU that {what}",
        at_most(round(share * pace, 1)),
        values=[max(LEAST, 100 * (over.cpu / over.seconds - under.cpu / under.seconds)) for over, under in pairs],
        unit="% of a core",
        wrong=wrongs([*plain, *shown]),
        notes=notes,
    )
