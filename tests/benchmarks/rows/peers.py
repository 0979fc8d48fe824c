"""Row 3: messages a second against the peers that keep books and trades, all in the peers' environment."""

from functools import partial
from statistics import median

from tests.benchmarks.findings import Finding, at_least, context, cpu_ratios, ratios, wrongs
from tests.benchmarks.frames import Size, prepare
from tests.benchmarks.rounds import alternate
from tests.benchmarks.running import measure, sending

ROWS = (3,)
PEERS = {"pykalshi": "peer_pykalshi", "kalshi-sdk": "peer_kalshi_sdk", "synpath": "peer_synpath"}
NO_PEERS = "not measured: `make bench-peers` installs the peers"


def measure_rows(settings, _rows, rounds=None):
    bars = {"default transport": at_least(2.6, 2.2), "faster transport": at_least(8, 6.5)}
    if settings.peers is None:
        return [Finding(3, f"against the best peer, {name}", bar, why_not=NO_PEERS) for name, bar in bars.items()]
    folder = prepare(Size(settings.sized(120_000), settings.sized(20_000)), settings.folder)
    pipeline = {"pipelines": ["trade"]}
    wanted = {
        "default transport": ("kit", pipeline),
        "faster transport": ("kit", {"transport": "picows", **pipeline}),
        "quick-start loop": ("naive", {}),
        **{name: (client, {}) for name, client in PEERS.items()},
    }
    with sending(folder) as sender:
        cases = {
            name: partial(measure, sender, folder, client, python=settings.peers, **options)
            for name, (client, options) in wanted.items()
        }
        runs = alternate(settings, "peers", cases, rounds)
    return _findings(runs, bars)


def _findings(runs, bars):
    right = [name for name in PEERS if runs[name] and not wrongs(runs[name])]
    best = max(right, key=lambda name: median(each.rate for each in runs[name]), default=None)
    found = []
    for case, bar in bars.items():
        over, under = runs[case], runs[best] if best else []
        found.append(
            Finding(
                3,
                f"against the best peer that keeps books and trades ({best}), {case}",
                bar,
                values=ratios(over, under),
                cpu_values=cpu_ratios(over, under),
                why_not=runs.missing.get(case, "") or ("" if best else "not measured: no peer came to a right end"),
                wrong=wrongs(over),
                notes={name: context(each) for name, each in ((case, over), (best, under)) if each},
            )
        )
    naive = runs["quick-start loop"]
    for name in PEERS:
        peer = runs[name]
        mistakes = wrongs(peer)
        found.append(
            Finding(
                3,
                f"{name} against the quick-start loop" + (f" (wrong: {mistakes})" if mistakes else ""),
                None,
                values=ratios(peer, naive),
                cpu_values=cpu_ratios(peer, naive),
                why_not=runs.missing.get(name, ""),
                notes={name: context(peer)} if peer else {},
            )
        )
    return found
