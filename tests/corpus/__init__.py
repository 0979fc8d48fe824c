"""Frames for tests to read, written by the simulated exchange; ``python -m tests.corpus.make`` writes them anew."""

import json
from pathlib import Path

FOLDER = Path(__file__).parent


def texts(path):
    """Every frame of a file as it was on the wire: raw lines, or the `raw` of lines with a receive time."""
    for line in filter(str.strip, path.read_text(encoding="utf-8").split("\n")):
        found = json.loads(line)
        yield found["raw"] if "recv_ts_ns" in found else line + "\n"


def frames():
    """Every frame of the corpus as bytes, by file."""
    return {path.stem: [text.encode() for text in texts(path)] for path in sorted(FOLDER.glob("*.jsonl"))}
