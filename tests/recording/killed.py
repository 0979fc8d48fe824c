"""``python -m tests.recording.killed FOLDER SEED``: a recorder that writes until it is killed, and says what is kept.

Each line that it prints is the time of the newest item that it acknowledged; an item's time is its number.
"""

import sys
from pathlib import Path
from random import Random

from kalshi_nb._recording.journal import Journal
from kalshi_nb._recording.segment import Limits
from tests.recording.items import MORNING, some_items

LIMITS = Limits(piece=4_000, frame=20_000, frame_us=10**12, segment=60_000)
LOT = 400


def lot(seed, number):
    """Return the items of one lot; whoever checks makes the same."""
    return some_items(LOT, seed=seed * 1_000 + number, began=MORNING + number * LOT * 1_000, apart=1_000)


def main():
    folder, seed = Path(sys.argv[1]), int(sys.argv[2])
    random = Random(seed)
    journal = Journal(folder, ask_checkpoint=lambda: None, limits=LIMITS)
    print(0, flush=True)
    number = 0
    while True:
        for item in lot(seed, number):
            journal.put(item)
            if random.random() < 0.02:
                journal.flush(60)
                print(journal.status().durable_until, flush=True)
        number += 1


if __name__ == "__main__":
    main()
