import json
import os
from pathlib import Path

import pytest

from tests.session.ways import WAYS

BESIDE = Path(__file__).parents[2].parent / "shared" / "recordings"


@pytest.fixture(scope="module", params=WAYS)
def compiled(request):
    """Whether the session of a test does what it can in the compiled part, or all in Python."""
    return request.param


@pytest.fixture(scope="session")
def recordings():
    """The folder with real frames; they carry no licence, so they live outside the project."""
    folder = Path(os.environ.get("KALSHI_NB_RECORDINGS", BESIDE))
    if not folder.is_dir():
        pytest.skip("no recordings: set KALSHI_NB_RECORDINGS to their folder")
    return folder


@pytest.fixture(scope="session")
def recorded_frames(recordings):
    """Every recorded frame of the events exchange as bytes, by file."""
    found = {}
    for name in ("demo-2026-07-01-books", "prod-2026-02-12-ticker", "prod-2026-02-12-trade"):
        lines = (recordings / f"{name}.jsonl").read_bytes().splitlines()
        found[name] = [line for line in lines if line.strip()]
    lines = (recordings / "prod-2026-04-18-errors.jsonl").read_text().splitlines()
    found["prod-2026-04-18-errors"] = [json.loads(line)["raw"].encode() for line in lines]
    lines = (recordings / "verbatim-frames.jsonl").read_text().splitlines()
    verbatim = [json.loads(line) for line in lines]
    found["verbatim"] = [json.dumps(each["raw"]).encode() for each in verbatim if "raw" in each]
    return found
