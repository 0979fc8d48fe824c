"""Rows 1, 2, 4 and 9: messages a second through the whole path, against the quick start's loop."""

from functools import partial

from kalshi_nb._extensions import NO_EXTENSIONS
from tests.benchmarks.findings import Finding, at_least, context, cpu_ratios, ratios, wrongs
from tests.benchmarks.frames import Mix, Size, prepare
from tests.benchmarks.rounds import alternate
from tests.benchmarks.running import measure, sending

ROWS = (1, 2, 4, 9)
NAIVE, DEFAULT, WITH_DELTAS, FAST, FAST_WITH_DELTAS, FAST_IN_PYTHON, BARE, BUSY = (
    "quick-start loop",
    "default transport",
    "default transport, deltas kept",
    "faster transport",
    "faster transport, deltas kept",
    "faster transport, nothing compiled",
    "default transport, no pipeline",
    "faster transport, busy cell",
)
PIPELINE = {"pipelines": ["trade"]}


def measure_rows(settings, rows):
    size = Size(settings.sized(500_000), settings.sized(20_000))  # so long that the machine's swings are in each run
    folder = prepare(size, settings.folder)
    # Those that are held against each other stand side by side: within minutes the machine changes its pace.
    wanted = {
        BARE: ({9}, "kit", {}),
        DEFAULT: ({1, 9}, "kit", PIPELINE),
        NAIVE: ({1, 2, 4}, "naive", {}),
        FAST: ({2}, "kit", {"transport": "picows", **PIPELINE}),
        BUSY: ({4}, "kit", {"transport": "picows", "busy": True, **PIPELINE}),
        WITH_DELTAS: ({1}, "kit", {"deltas": True, **PIPELINE}),
        FAST_WITH_DELTAS: ({2}, "kit", {"transport": "picows", "deltas": True, **PIPELINE}),
        FAST_IN_PYTHON: ({2}, "kit", {"transport": "picows", "env": {NO_EXTENSIONS: "1"}, **PIPELINE}),
    }
    with sending(folder) as sender:
        cases = {
            name: partial(measure, sender, folder, client, **options)
            for name, (numbers, client, options) in wanted.items()
            if numbers & set(rows)
        }
        runs = alternate(settings, "throughput", cases)
    findings = [each for each in _findings(runs) if each.row in rows]
    return findings + (_firehose(settings) if 1 in rows else [])


def _firehose(settings):
    """Tickers of very many markets, where every look-up by market is cold."""
    markets = settings.sized(10_000)
    size = Size(settings.sized(100_000), settings.sized(20_000), markets=markets, mix=Mix(0, 1, 0))
    folder = prepare(size, settings.folder)
    channels = ["ticker"]
    with sending(folder) as sender:
        cases = {
            NAIVE: partial(measure, sender, folder, "naive", channels=channels),
            DEFAULT: partial(measure, sender, folder, "kit", channels=channels),
        }
        runs = alternate(settings, "firehose of tickers", cases, min(3, settings.rounds))
    return [_against(runs, 1, "a firehose of tickers over 10,000 markets", DEFAULT, None)]


def _findings(runs):
    path = "the whole path"
    return [
        _against(runs, 1, f"{path}, default `websockets`, against the quick-start loop", DEFAULT, at_least(1.3, 1.1)),
        _against(runs, 1, f"{path} with a frame of all deltas as well", WITH_DELTAS, None),
        _against(runs, 2, f"{path}, `picows`, against the quick-start loop", FAST, at_least(4.0, 3.3)),
        _against(runs, 2, f"{path}, `picows`, with a frame of all deltas as well", FAST_WITH_DELTAS, None),
        _against(runs, 2, f"{path}, `picows`, where the compiled part was not built", FAST_IN_PYTHON, None),
        _against(
            runs, 4, "while a cell runs pure Python, `picows`, against the quick-start loop with the cell idle",
            BUSY, at_least(1.4),
        ),
        _against(runs, 9, "with a two-node streamz pipeline, against none", DEFAULT, at_least(0.9), under=BARE),
    ]  # fmt: skip


def _against(runs, row, what, case, bar, under=NAIVE):
    over, base = runs[case], runs[under]
    notes = {name: context(each) for name, each in ((case, over), (under, base)) if each}
    return Finding(
        row,
        what,
        bar,
        values=ratios(over, base),
        cpu_values=cpu_ratios(over, base),
        why_not=runs.missing.get(case, ""),
        wrong=wrongs(over + base),
        notes=notes,
    )
