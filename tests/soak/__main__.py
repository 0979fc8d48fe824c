"""``python -m tests.soak``: the reliability bars at any size; a line of JSON a run, exit status 1 where one broke."""

import argparse
import json
import logging
import sys
import time

from tests.soak.backfill import some_gaps
from tests.soak.faulty_line import one_line
from tests.soak.fuzz import fuzz
from tests.soak.history import a_history
from tests.soak.kills import some_kills
from tests.soak.losses import some_losses
from tests.soak.night import one_night
from tests.soak.recorder_kills import some_recorder_kills
from tests.soak.steady import steady

LIVE = {5.0: 97.0, 2.0: 94.0}
"""Percent of the time that books are to be live, by the seconds from one lost message to the next."""

_LINES = {"whole": [False], "faulty": [True], "both": [False, True]}

_DEFAULTS = {"_fuzz": (1, 1_000_000)}
"""Seeds and frames where they are not those of the faulty line."""


def _line(options):
    for seed in range(options.seed, options.seed + options.seeds):
        result = one_line(seed, options.frames, rate=options.rate)
        yield result, not result.wrong_books and not result.open_gaps


def _kills(options):
    for seed in range(options.seed, options.seed + options.seeds):
        result = some_kills(seed, options.kills, longest_outage=options.outage)
        yield result, result.recovered == options.kills and not result.wrong_books


def _losses(options):
    for every, least in LIVE.items():
        result = some_losses(options.seed, min(options.seconds, 40.0), every)
        yield result, result.live_percent >= least and not result.wrong_books


def _steady(options):
    result = steady(options.seconds, warm_up=options.warm_up, seed=options.seed, speed=options.speed)
    same = all(len(set(pair)) == 1 for pair in (result.threads, result.descriptors))
    small = result.memory_growth_percent <= 2 and result.object_growth_percent <= 2
    yield result, same and small and not result.gaps and not result.rejects


def _recorder(options):
    for seed in range(options.seed, options.seed + options.seeds):
        result = some_recorder_kills(seed, options.kills)
        yield result, not result.lost and not result.wrong


def _backfill(options):
    for seed in range(options.seed, options.seed + options.seeds):
        result = some_gaps(seed, options.gaps)
        yield result, not result.missing and not result.doubled and not result.wrong and result.repaired > 0


def _history(options):
    result = a_history(options.seed, options.trades)
    yield result, not result.wrong and result.megabytes < 1.25 * result.early_megabytes


def _night(options):
    for faulty in _LINES[options.line]:
        result = one_night(options.seed, options.hours, faulty=faulty)
        yield result, not result.wrong and faulty == bool(result.trades_missing)


def _fuzz(options):
    for seed in range(options.seed, options.seed + options.seeds):
        result = fuzz(seed, options.frames)
        flat = result.memory_growth_percent <= 2 and result.object_growth_percent <= 2
        yield result, flat and not result.wrong_books


_RUNS = {
    "line": _line,
    "kills": _kills,
    "losses": _losses,
    "steady": _steady,
    "recorder": _recorder,
    "night": _night,
    "backfill": _backfill,
    "history": _history,
    "fuzz": _fuzz,
}


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument(
        "what",
        choices=["line", "kills", "losses", "steady", "recorder", "night", "backfill", "history", "fuzz", "all"],
    )
    parser.add_argument("--seed", type=int, default=1, help="the first seed (1)")
    parser.add_argument("--seeds", type=int, help="how many seeds (4; fuzz 1)")
    parser.add_argument("--frames", type=int, help="frames a seed (line 50,000; fuzz 1,000,000)")
    parser.add_argument("--rate", type=float, default=0.01, help="share of frames each mishap befalls (0.01)")
    parser.add_argument("--kills", type=int, default=20, help="kills a seed (20)")
    parser.add_argument("--gaps", type=int, default=200, help="gaps of trades a seed of backfill (200)")
    parser.add_argument("--trades", type=int, default=1_000_000, help="trades of history (1,000,000)")
    parser.add_argument("--outage", type=float, default=3.0, help="the longest outage in seconds (3)")
    parser.add_argument(
        "--seconds", type=float, default=120.0, help="how long the steady run is (120); one of losses is 40 at most"
    )
    parser.add_argument("--warm-up", type=float, default=300.0, help="seconds before it (300)")
    parser.add_argument("--speed", type=float, default=24.0, help="pace of its market; 24 is about 2,000 messages/s")
    parser.add_argument("--hours", type=float, default=24.0, help="how long a night is, by its market (24)")
    parser.add_argument(
        "--line", choices=_LINES, default="both", help="on what line, so that two can run at once (both)"
    )
    options = parser.parse_args()
    logging.getLogger("kalshi_nb").setLevel(logging.CRITICAL)  # thousands of gaps are wanted here
    chosen = list(_RUNS.values()) if options.what == "all" else [_RUNS[options.what]]
    given, broken = (options.seeds, options.frames), 0
    for run in chosen:
        seeds, frames = _DEFAULTS.get(run.__name__, (4, 50_000))
        options.seeds, options.frames = given[0] or seeds, given[1] or frames
        began = time.monotonic()
        for result, held in run(options):
            broken += not held
            taken = round(time.monotonic() - began, 1)
            print(
                json.dumps({"run": run.__name__.strip("_"), "held": held, "took": taken, **result.record()}),
                flush=True,
            )
            began = time.monotonic()
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
