"""A recording process that is killed at random moments: what it had acknowledged is there, and nothing wrong is."""

import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random

from kalshi_nb._recording.reading import Report, Segments
from kalshi_nb._rows.heard import LOSSES, Event
from tests.recording.killed import lot


@dataclass(frozen=True)
class RecorderKillsResult:
    seed: int
    kills: int
    acknowledged: int
    recorded: int
    lost: int
    wrong: int
    segments: int
    torn: int

    def record(self):
        return asdict(self)


def some_recorder_kills(seed, kills):
    """Kill a recorder again and again, each time one with a folder of its own, and read what it left."""
    random = Random(seed)
    acknowledged = recorded = lost = wrong = segments = torn = 0
    for number in range(kills):
        with tempfile.TemporaryDirectory() as folder:
            kept_until = _killed_one(folder, seed * 10_000 + number, random.randrange(1, 25), random.random() * 0.01)
            if not kept_until and not list(Path(folder).glob("*/*")):
                continue  # killed before it had a file
            report = Report()
            got = list(Segments(folder).items(report=report))
            items, place = [], 0
            while len(items) < len(got) or (items and items[-1].at < kept_until):
                items += lot(seed * 10_000 + number, place)
                place += 1
            got = [each for each in got if not isinstance(each, Event) or each.kind not in LOSSES]
            due = sum(each.at <= kept_until for each in items)
            acknowledged += due
            recorded += len(got)
            lost += max(0, due - len(got))
            wrong += got != items[: len(got)]
            segments += len(Segments(folder).files)
            torn += len(report.damages)
    return RecorderKillsResult(seed, kills, acknowledged, recorded, lost, wrong, segments, torn)


def _killed_one(folder, seed, lines, longer):
    """Return the last time that a recorder acknowledged before it was killed, so many lines after its beginning."""
    command = [sys.executable, "-m", "tests.recording.killed", folder, str(seed)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]) as writer:
        for _ in range(lines):
            said = writer.stdout.readline()
        try:
            writer.wait(longer)  # a moment more, so that the kill falls anywhere between two acknowledgements
        except subprocess.TimeoutExpired:
            writer.kill()
        rest, _ = writer.communicate()
    return int((said + rest).split()[-1])
