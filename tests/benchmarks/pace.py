"""How slow the machine is just now, for the bars that are no ratios.

What is measured side by side in one run needs no such thing. But a bar of milliseconds, or of a share of a core, was
set on a machine, and a slower one is not to be held against it as it stands: the same code takes two or three times as
long there, and so does the shortest loop. So such a bar is multiplied by what a fixed piece of work, measured in the
same run, takes here against what it took there. A faster machine makes no bar stricter.
"""

import json
import time
from statistics import median

from tests.benchmarks.clients.protocol import messages_of

PARSED = 2.9
"""Microseconds for ``json.loads`` of a mixed message on the machine of the bars."""
HEARD = 0.3
"""Milliseconds after which a bare receive loop there hears of a trade that comes alone, at 50 a second."""


def pace_of_processor(folder):
    """How many times as long ``json.loads`` of the messages in a folder takes here."""
    texts = [each.decode() for each in messages_of(folder)[-5_000:]]  # behind the books
    taken = []
    for _ in range(5):
        began = time.perf_counter()
        for each in texts:
            json.loads(each)
        taken.append((time.perf_counter() - began) / len(texts) * 1e6)
    return max(1.0, median(taken) / PARSED)


def pace_of_waking(milliseconds):
    """How many times as long a bare loop takes here to hear of a trade that comes alone; its p50, a run each."""
    return max(1.0, median(milliseconds) / HEARD)
