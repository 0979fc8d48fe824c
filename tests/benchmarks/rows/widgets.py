"""Row 11: widget traffic, whatever the feed's rate, and that no view waits long for the others."""

from functools import partial

from tests.benchmarks.findings import Bar, Finding, at_most, context, wrongs
from tests.benchmarks.frames import Size, prepare
from tests.benchmarks.rounds import alternate
from tests.benchmarks.running import measure, sending

ROWS = (11,)
RATE = 20_000
FEW = 50
"""Markets, where each view is to have news all the time."""
SETTLING, MEASURED = 20_000, 160_000
"""Messages until the views have been opened and seen, and after."""


def measure_rows(settings, _rows):
    return [*_ladders(settings), *_mixed(settings)]


def mixed_frames(settings):
    """The folder of frames for sixty views of every kind."""
    return prepare(Size(settings.sized(MEASURED, least=6_000), settings.sized(SETTLING), markets=FEW), settings.folder)


def _mixed(settings):
    folder = mixed_frames(settings)
    with sending(folder) as sender:
        case = partial(measure, sender, folder, "mixed", rate=RATE)
        measured = alternate(settings, "mixed views", {"60 views": case}, min(2, settings.rounds))["60 views"]
    notes = {"60 views": {**context(measured), "updates": sum(each.more["updates"] for each in measured)}}
    given = {"wrong": wrongs(measured), "notes": notes}
    return [
        Finding(
            11,
            f"messages of a kernel with 60 mixed views in its busiest second, at {RATE:,} messages/s",
            Bar(300, 300, at_least=False),
            values=[each.more["kernel"] for each in measured],
            unit="/s",
            **given,
        ),
        Finding(
            11,
            "what one of 60 mixed views waits at most for the others",
            at_most(1.0),
            values=[each.more["wait"] for each in measured],
            unit="s",
            **given,
        ),
    ]


def _ladders(settings):
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
