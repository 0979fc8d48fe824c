"""Hours of data with a slow node and a widget attached: nothing grows but the counters.

The exchange is a process of its own, started as this module, since it remembers hours of trades and prices, and that
would be counted too. It ends with its standard input.
"""

import gc
import json
import os
import pathlib
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass

from cryptography.hazmat.primitives import serialization as form

import kalshi_nb as kn
from kalshi_nb._fixed_point import COUNTS
from kalshi_nb._wire.field_values import MATCHED_COUNTS, QUOTED_COUNTS

ROOT = pathlib.Path(__file__).parents[2]
SPEED = 24.0
WINDOW = 2_000
TELL_EVERY = 60.0


@dataclass(frozen=True)
class Sample:
    threads: int
    descriptors: int
    objects: int
    resident_mb: float


@dataclass(frozen=True)
class SteadyResult:
    seconds: float
    messages: int
    messages_per_second: float
    threads: tuple
    descriptors: tuple
    objects: tuple
    resident_mb: tuple
    memory_growth_percent: float
    object_growth_percent: float
    gaps: int
    rejects: int
    slow_batches: int

    def record(self):
        return asdict(self)


def resident_mb():
    pages = int(pathlib.Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def _sample():
    gc.collect()
    return Sample(
        threading.active_count(),
        sum(1 for _ in pathlib.Path("/proc/self/fd").iterdir()),
        len(gc.get_objects()),
        round(resident_mb(), 1),
    )


class Progress:
    """Says once a minute how it goes, so that a run that is killed has told something, too."""

    def __init__(self, feed, out):
        self._feed, self._out = feed, out
        self._began = self._told_at = time.monotonic()
        self._told = feed.health().messages

    def look(self):
        now = time.monotonic()
        if now - self._told_at < TELL_EVERY:
            return
        messages, sample = self._feed.health().messages, _sample()
        rate = (messages - self._told) / (now - self._told_at)
        self._told, self._told_at = messages, now
        print(
            f"steady: {now - self._began:,.0f} s, {rate:,.0f} messages/s, {sample.resident_mb} MB, "
            f"{sample.threads} threads, {sample.descriptors} descriptors, {sample.objects:,} objects",
            file=self._out,
            flush=True,
        )


def _sleep(seconds, progress):
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        time.sleep(min(1.0, left))
        progress.look()


def _samples(seconds, progress, count=15):
    """Several samples over some seconds: what one flush holds is no growth."""
    taken = []
    for _ in range(count):
        _sleep(seconds / count, progress)
        taken.append(_sample())
    return taken


def _fill_the_memory_of_numbers():
    """Bring each bounded memory of converted strings to its bound, where a long run arrives by itself."""
    for memory in (COUNTS, MATCHED_COUNTS, QUOTED_COUNTS):
        number, before = 1, -1
        while len(memory) > before:
            before = len(memory)
            for number in range(number, number + 10_000):  # noqa: B020  # goes on where it stopped
                memory[f"{number}.37"]


@contextmanager
def an_exchange(seed, speed):
    """What an exchange in a process of its own says of itself."""
    command = [sys.executable, "-m", "tests.soak.steady", str(seed), str(speed)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            yield json.loads(process.stdout.readline())
        finally:
            process.stdin.close()


def serve(seed, speed):
    with kn.sim.Exchange(seed=seed, speed=speed) as exchange:
        key = exchange.private_key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption())
        said = {"where": exchange.url, "key_id": exchange.key_id, "private_key": key.decode()}
        print(json.dumps([said, exchange.market_tickers]), flush=True)
        sys.stdin.read()


def steady(seconds, *, warm_up, seed=7, speed=SPEED, progress=sys.stderr):
    """Run for `seconds` after a warm-up, and compare the first tenth of them with the last."""
    _fill_the_memory_of_numbers()
    slow = []

    def slowly(df):
        time.sleep(0.2)
        slow.append(df.height)
        del slow[:-100]
        return df

    with an_exchange(seed, speed) as (said, market_tickers), kn.connect(**said, new=True) as feed:
        books = feed.books(market_tickers).wait()
        frames = [feed.trades(rows=WINDOW), feed.tickers(rows=WINDOW), feed.deltas(list(books), rows=WINDOW)]
        frames.append(feed.quotes(list(books), rows=WINDOW))
        node = feed.stream("trade").map(slowly).rolling_frame(rows=WINDOW)
        for book in list(books.values())[:2]:
            book._repr_mimebundle_()
        tell = Progress(feed, progress)
        _sleep(warm_up, tell)
        part = max(2.0, seconds / 10)
        began, before = time.monotonic(), feed.health().messages
        first = _samples(part, tell)
        _sleep(max(0.0, seconds - 2 * part), tell)
        last = _samples(part, tell)
        health, passed = feed.health(), time.monotonic() - began
        assert node.total
        assert all(frame.total for frame in frames)

    def spread(name):
        return tuple(sorted(getattr(each, name) for each in taken)[len(taken) // 2] for taken in (first, last))

    memory, objects = spread("resident_mb"), spread("objects")
    return SteadyResult(
        seconds=round(passed, 1),
        messages=health.messages - before,
        messages_per_second=round((health.messages - before) / passed),
        threads=spread("threads"),
        descriptors=spread("descriptors"),
        objects=objects,
        resident_mb=memory,
        memory_growth_percent=round(100 * (memory[1] / memory[0] - 1), 2),
        object_growth_percent=round(100 * (objects[1] / objects[0] - 1), 2),
        gaps=health.gaps,
        rejects=health.rejects,
        slow_batches=len(slow),
    )


if __name__ == "__main__":
    serve(int(sys.argv[1]), float(sys.argv[2]))
