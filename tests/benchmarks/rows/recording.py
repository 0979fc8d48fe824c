"""Rows 16 to 19: what a recording costs, how small it is, how fast it is exported and replayed."""

import itertools
import shutil
from functools import partial
from pathlib import Path

from tests.benchmarks.findings import Finding, at_least, at_most, context, ratios, wrongs
from tests.benchmarks.frames import Size, prepare
from tests.benchmarks.rounds import alternate
from tests.benchmarks.running import evaluate, measure, sending

ROWS = (16, 17, 18, 19)
RATE = 10_000
FLUSHES = 1 / 0.8
"""How often a second a recorder has what came on the disk."""
PIPELINE = {"pipelines": ["trade"]}
TRANSPORTS = {"default transport": {}, "faster transport": {"transport": "picows"}}


def measure_rows(settings, rows):
    found = []
    if {18, 19} & set(rows):
        # Something of the session is in each recording: it is of a client that was there from the start.
        folder = prepare(Size(settings.sized(500_000), settings.sized(20_000)), settings.folder)
        night = Path(folder) / "night"
        with sending(folder) as sender:
            plain = partial(measure, sender, folder, "kit", **PIPELINE)
            if not night.exists():
                plain(record=str(night))
            if 19 in rows:
                found.append(_replay(settings, plain, folder, night))
        if 18 in rows:
            found.append(_export(settings, folder, night))
    if 16 in rows:
        found += _flat_out(settings) + _fixed_rate(settings)
    if 17 in rows:
        found += _sizes(settings)
    return found


def _flat_out(settings):
    """For seconds: a recorder first looks at what has come after a tenth of one, and syncs its last bytes alone."""
    runs = _recorded_and_not(settings, Size(settings.sized(1_000_000), settings.sized(20_000)), "recording, flat out")
    bars = (at_least(0.90), at_least(0.80))
    what = "messages/s with a recorder, flat out, until all is on the disk, {}, against none"
    return [_against(runs, what, name, bar, of=None) for name, bar in zip(TRANSPORTS, bars, strict=True)]


def _fixed_rate(settings):
    size = Size(settings.sized(40_000), settings.sized(10_000))
    runs = _recorded_and_not(settings, size, "recording at 10,000 messages/s", rate=RATE)
    bars = (at_most(1.15), at_most(1.40))
    what = "CPU with a recorder at 10,000 messages/s, {}, against none"
    return [
        _against(runs, what, name, bar, of=lambda measured: measured.cpu)
        for name, bar in zip(TRANSPORTS, bars, strict=True)
    ]


def _recorded_and_not(settings, size, title, **options):
    folder = prepare(size, settings.folder)
    number = itertools.count(1)
    with sending(folder) as sender:
        without = partial(measure, sender, folder, "kit", **PIPELINE, **options)

        def record(**transport):
            place = Path(folder) / f"recorded-{next(number)}"
            measured = without(record=str(place), **transport)
            shutil.rmtree(place)
            return measured

        cases = {}
        for name, transport in TRANSPORTS.items():
            cases[name] = partial(without, **transport)
            cases[f"{name}, recorded"] = partial(record, **transport)
        return alternate(settings, title, cases)


def _against(runs, what, name, bar, of):
    over, under = runs[f"{name}, recorded"], runs[name]
    return Finding(
        16,
        what.format(name),
        bar,
        values=ratios(over, under) if of is None else ratios(over, under, of=of),
        why_not=runs.missing.get(name, ""),
        wrong=wrongs(over + under),
        notes={case: context(each) for case, each in ((f"{name}, recorded", over), (name, under)) if each},
    )


def _sizes(settings):
    """Written by the recorder's own writer, flushed after as many messages as come between two flushes."""
    folder = prepare(Size(settings.sized(500_000), settings.sized(20_000)), settings.folder)
    found = []
    for rate, bar, messages in ((100, at_least(9.5), 60_000), (10, at_least(7.5), 6_000)):
        together, apart = round(rate / FLUSHES), round(1e6 / rate)
        options = {"together": together, "apart_us": apart, "messages": settings.sized(messages)}
        got = evaluate("recorded", {"what": "size", "folder": str(folder), "one_core": False, **options})
        found.append(
            Finding(
                17,
                f"raw bytes of messages against those of their recording, at {rate} messages/s",
                bar,
                values=[got["raw"] / got["written"]],
                notes={f"at {rate} messages/s": f"{got['messages']:,} messages, {got['written'] / 1e6:.2f} MB"},
            )
        )
    return found


def _export(settings, folder, night):
    plain = str(Path(folder) / "plain")
    evaluate("recorded", {"what": "plain", "folder": str(folder), "plain": plain})
    cases = {
        "kit": partial(evaluate, "recorded", {"what": "export", "recording": str(night)}),
        "polars' NDJSON reader": partial(evaluate, "recorded", {"what": "ndjson", "plain": plain}),
    }
    runs = alternate(settings, "export", cases, settings.rounds)
    kit, polars = runs["kit"], runs["polars' NDJSON reader"]
    wrong = (
        {} if all(each["rows"] == polars[0]["rows"] for each in kit) else {"rows": [kit[0]["rows"], polars[0]["rows"]]}
    )
    rate = {name: sum(each[0]["rows"].values()) for name, each in (("kit", kit), ("polars", polars))}
    return Finding(
        18,
        "a recording of three channels to typed Parquet on one core, rows/s, against polars' own NDJSON reader",
        at_least(1.2),
        values=[
            (sum(one["rows"].values()) / one["seconds"]) / (sum(other["rows"].values()) / other["seconds"])
            for one, other in zip(kit, polars, strict=True)
        ],
        wrong=wrong,
        notes={
            "rows": f"{rate['kit']:,}",
            "kit": f"{rate['kit'] / min(each['seconds'] for each in kit):,.0f} rows/s",
            "polars": f"{rate['polars'] / min(each['seconds'] for each in polars):,.0f} rows/s",
        },
    )


def _replay(settings, live, folder, night):
    options = {"what": "replay", "recording": str(night), "folder": str(folder), "one_core": False}
    cases = {"live": live, "replay": partial(evaluate, "recorded", options)}
    runs = alternate(settings, "replay", cases)
    wrong = wrongs(runs["live"])
    for each in runs["replay"]:
        wrong |= each["wrong"]
    rates = [each["messages"] / each["seconds"] for each in runs["replay"]]
    return Finding(
        19,
        "replay at full speed through books, frames and a pipeline, messages/s, against row 1's",
        at_least(1.5),
        values=[rate / each.rate for rate, each in zip(rates, runs["live"], strict=True)],
        wrong=wrong,
        notes={"replay": f"{max(rates):,.0f} messages/s", "live": context(runs["live"])},
    )
