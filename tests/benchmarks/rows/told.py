"""Rows 14 and 15: how soon a callback and a waiting cell know of a trade, against a bare loop that notes the time.

Each line is the worst of what its bar asks for, as a share of it: p50 and p99 from the sender's stamp to the moment at
which the trade was known, and the CPU time of the process less what the cell itself spends. In row 14 p50 is to be
1 ms at most, and the CPU time 1.3 times that of a loop that does nothing but hand each trade to a second thread, and
3 % of a core: no code of a user's runs on the network's thread, so that is the least that calling it can cost. Where
trades come thick it alone takes more of the processor than 1.3 times the bare loop and 3 %; what costs less takes some
together, and then the half of a rest passes before one is known, so no multiple of the bare loop's p50 is asked for.

The milliseconds are those of a machine on which the bare loop hears after 0.3 ms at 50 trades a second; on a slower
one they are more in proportion (`tests/benchmarks/pace.py`). Where the bare loop itself falls behind what is sent, at
50,000 a second, whoever is as soon as the loop is soon enough.
"""

import json
from array import array
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median

from tests.benchmarks.findings import Finding, at_most
from tests.benchmarks.frames import Mix, Size, prepare
from tests.benchmarks.more.tables import quantile
from tests.benchmarks.pace import pace_of_waking
from tests.benchmarks.rounds import alternate
from tests.benchmarks.running import each_part, sending

ROWS = (14, 15)
ROUNDS = 5
LOOP = "loop"
RELAY = "a loop and one thread more"


@dataclass(frozen=True)
class Part:
    """What is sent at once: so many trades at a rate, while the cell waits or computes."""

    rate: int
    trades: int
    busy: bool = False

    @property
    def row(self):
        return 15 if self.busy or self.rate > 5_000 else 14

    def __str__(self):
        return f"{self.rate:,} trades/s{' beside a computing cell' if self.busy else ''}"


PARTS = (Part(50, 200), Part(500, 1_000), Part(5_000, 10_000), Part(50_000, 50_000), Part(500, 1_000, busy=True))
CASES = {
    LOOP: {"way": "loop"},
    RELAY: {"way": "relay"},
    "callback": {"way": "callback"},
    "callback, `picows`": {"way": "callback", "transport": "picows"},
    "`.df`": {"way": "frame"},
    "`.df`, `picows`": {"way": "frame", "transport": "picows"},
}


@dataclass(frozen=True)
class Told:
    """What one part came to."""

    p50: float
    p99: float
    cpu: float
    """As a share of a core."""


@dataclass(frozen=True)
class Beside:
    """What a part is held against: the loops in the same rounds, and how slow the machine is."""

    loop: list[Told]
    relay: list[Told]
    pace: float


def measure_rows(settings, rows):
    trades = [settings.sized(part.trades, least=20) for part in PARTS]
    size = Size(trades[0], settings.sized(2_000), markets=50, mix=Mix(0, 0, 1), more=tuple(trades[1:]))
    folder = prepare(size, settings.folder)
    with sending(folder) as sender:
        cases = {name: partial(_once, settings.folder, sender, folder, **options) for name, options in CASES.items()}
        runs = alternate(settings, "told", cases, min(ROUNDS, settings.rounds))
    found = []
    pace = pace_of_waking([each[0].p50 for each in runs[LOOP]])
    for at, part in enumerate(PARTS):
        if part.row in rows:
            beside = Beside(*([each[at] for each in runs[name]] for name in (LOOP, RELAY)), pace)
            found += [_finding(runs, name, part, at, beside) for name in CASES if name != LOOP]
    return found


def _once(place, sender, folder, **options):
    """Run one client through all parts."""
    heard_at = place / "heard.bin"
    busy = [at for at, part in enumerate(PARTS, 1) if part.busy]
    rates = [part.rate for part in PARTS]
    stamps, spent = each_part(
        sender, folder, "told", rates, place / "stamps", heard=str(heard_at), busy=busy, **options
    )
    heard = array("q")
    heard.frombytes(heard_at.read_bytes())
    bounds = [part["trades"] for part in json.loads((Path(folder) / "session.json").read_text())["parts"]]
    told = []
    for at, handed in enumerate(stamps):
        known = heard[bounds[at] : bounds[at + 1]]
        waits = sorted((later - sooner) / 1e6 for sooner, later in zip(handed, known, strict=True))
        lasted = (max(known[-1], handed[-1]) - handed[0]) / 1e9
        told.append(Told(quantile(waits, 50), quantile(waits, 99), spent[at] / lasted))
    return told


def _finding(runs, name, part, at, beside):
    mine = [each[at] for each in runs[name]]
    shares = [_share(part, *each, beside.pace) for each in zip(mine, beside.loop, beside.relay, strict=False)]
    return Finding(
        part.row,
        f"{name}, {part}: the worst share of its bar",
        None if name == RELAY else at_most(1.0),
        values=shares,
        why_not=runs.missing.get(name, ""),
        notes={f"{name}, {part}": _words(part, mine, beside)} if mine and beside.loop and beside.relay else {},
    )


def _share(part, one, loop, relay, pace):
    if part.row == 14:
        return max(one.p50 / pace, one.p99 / (5.0 * pace), one.cpu / _cpu_bar(relay))
    if part.busy:
        return max(one.p50 / (loop.p50 + 5.0 * pace), one.p99 / (60.0 * pace))
    return max(one.p50 / max(10.0 * pace, loop.p50), one.p99 / max(60.0 * pace, loop.p99))


def _cpu_bar(relay):
    return 1.3 * relay.cpu + 0.03


def _words(part, mine, beside):
    def of(name, runs):
        return median(getattr(each, name) for each in runs)

    text = (
        f"p50 {of('p50', mine):.2f} ms, p99 {of('p99', mine):.2f} ms, {of('cpu', mine):.1%} of a core; "
        f"the loop {of('p50', beside.loop):.2f} ms, {of('p99', beside.loop):.2f} ms, {of('cpu', beside.loop):.1%}; "
        f"milliseconds {beside.pace:.2f} times those of the bars' machine"
    )
    return text + (f"; CPU at most {median(map(_cpu_bar, beside.relay)):.1%}" if part.row == 14 else "")
