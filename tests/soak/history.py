"""A long history, fetched into files by a process of its own: it is the exchange's, row by row, in bounded memory."""

import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path

import polars as pl

import kalshi_nb as kn

_CHILD = """
import sys, time
import kalshi_nb as kn
from kalshi_nb._rest import client

client.ANONYMOUS = 1_000.0  # the exchange is this computer's own, and waits are not what is measured
client.HISTORICAL = 1_000.0
url, since, until, out, early = sys.argv[1:]
peaks = []

def peak():  # of this program: getrusage() begins with what was the parent's
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))

def told(rows, _reached):
    if rows >= int(early) and not peaks:
        peaks.append(peak())

began = time.monotonic()
kn.history(url, since=float(since), until=float(until), out=out, progress=told)
print(*peaks, peak(), time.monotonic() - began)
"""


@dataclass(frozen=True)
class Fetched:
    """What came of it.

    Attributes
    ----------
    rows, files : int
        That were fetched, and written.
    wrong : int
        Rows that are not those of the exchange's ledger, at their place.
    early_megabytes, megabytes : float
        The most memory that the process had after 100,000 of the rows, or all where there were fewer, and at the end.
    seconds : float
        How long it took.
    """

    seed: int
    rows: int
    files: int
    wrong: int
    early_megabytes: float
    megabytes: float
    seconds: float

    def record(self):
        return asdict(self)


def a_history(seed, rows, *, speed=100.0):
    """Fetch so many trades of all markets, and compare the files with what the exchange's past is made of."""
    with (
        kn.sim.Exchange(seed=seed, clock="manual", speed=speed) as exchange,
        tempfile.TemporaryDirectory() as folder,
    ):
        now = exchange.now_us()
        dealt = [
            (each.time_us, each.trade_id)
            for each in islice(exchange._programme.venue.past.trades_newest_first("", 0, now), rows)
        ]
        since, out = dealt[-1][0], Path(folder) / "trades"
        dealt = [each for each in dealt if each[0] >= since]
        asked = [exchange.url, since / 1e6, now / 1e6, out, min(100_000, rows)]
        done = subprocess.run(
            [sys.executable, "-c", _CHILD, *map(str, asked)], capture_output=True, text=True, check=True
        )
        early, peak, seconds = map(float, done.stdout.split())
        found = pl.read_parquet(sorted(out.rglob("*.parquet")), columns=["ts", "trade_id"])
        told = list(zip(found["ts"].dt.epoch("us"), found["trade_id"], strict=True))
        wrong = sum(one != other for one, other in zip(told, reversed(dealt), strict=False))
        wrong += abs(len(told) - len(dealt))
        files = len(list(out.rglob("*.parquet")))
        return Fetched(seed, len(told), files, wrong, early / 1024, peak / 1024, round(seconds, 1))
