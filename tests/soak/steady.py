"""Hours of data with a slow node and a widget attached: nothing grows but the counters."""

import gc
import os
import pathlib
import threading
import time
from dataclasses import asdict, dataclass

import kalshi_nb as kn
from kalshi_nb._fixed_point import COUNTS

SPEED = 20.0
WINDOW = 2_000


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


def _resident_mb():
    pages = int(pathlib.Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def _sample():
    gc.collect()
    return Sample(
        threading.active_count(),
        sum(1 for _ in pathlib.Path("/proc/self/fd").iterdir()),
        len(gc.get_objects()),
        round(_resident_mb(), 1),
    )


def _samples(seconds, count=5):
    """Several samples over some seconds: what one flush holds is no growth."""
    taken = []
    for _ in range(count):
        time.sleep(seconds / count)
        taken.append(_sample())
    return taken


def _fill_the_memory_of_numbers():
    """Bring the bounded memory of converted strings to its bound, where a long run arrives by itself."""
    number, before = 0, -1
    while len(COUNTS) > before:
        before = len(COUNTS)
        for number in range(number, number + 10_000):  # noqa: B020  goes on where it stopped
            COUNTS[f"{number}.37"]


def steady(seconds, *, warm_up, seed=7, speed=SPEED):
    """Run for `seconds` after a warm-up, and compare the first tenth of them with the last."""
    _fill_the_memory_of_numbers()
    slow = []

    def slowly(df):
        time.sleep(0.2)
        slow.append(df.height)
        del slow[:-100]
        return df

    with kn.sim.Exchange(seed=seed, speed=speed) as exchange, kn.connect(exchange, new=True) as feed:
        books = feed.books(exchange.market_tickers).wait()
        frames = [feed.trades(rows=WINDOW), feed.tickers(rows=WINDOW), feed.deltas(list(books), rows=WINDOW)]
        frames.append(feed.quotes(list(books), rows=WINDOW))
        node = feed.stream("trade").map(slowly).rolling_frame(rows=WINDOW)
        for book in list(books.values())[:2]:
            book._repr_mimebundle_()
        time.sleep(warm_up)
        part = max(2.0, seconds / 10)
        began, before = time.monotonic(), feed.health().messages
        first = _samples(part)
        time.sleep(max(0.0, seconds - 2 * part))
        last = _samples(part)
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
