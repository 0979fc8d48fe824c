import json
from dataclasses import dataclass

import pytest

from tests import corpus, recordings
from tests.session.ways import WAYS


@pytest.fixture(scope="module", params=WAYS)
def compiled(request):
    """Whether the session of a test does what it can in the compiled part, or all in Python."""
    return request.param


@dataclass(frozen=True)
class Captured:
    """Frames as bytes, as they were on the wire: by file, and what some of these hold."""

    files: dict
    books: list
    book_rows: int
    older_tickers: list
    older_trades: list


def _of_type(kind, lines):
    return [line for line in lines if json.loads(line)["type"] == kind]


def _corpus():
    files = corpus.frames()
    older = files["older"]
    return Captured(files, files["books"], 837, _of_type("ticker", older), _of_type("trade", older))


def _recorded(folder):
    files = {}
    for name in ("demo-2026-07-01-books", "prod-2026-02-12-ticker", "prod-2026-02-12-trade"):
        lines = (folder / f"{name}.jsonl").read_bytes().splitlines()
        files[name] = [line for line in lines if line.strip()]
    lines = (folder / "prod-2026-04-18-errors.jsonl").read_text().splitlines()
    files["prod-2026-04-18-errors"] = [json.loads(line)["raw"].encode() for line in lines]
    lines = (folder / "verbatim-frames.jsonl").read_text().splitlines()
    verbatim = [json.loads(line) for line in lines]
    files["verbatim"] = [json.dumps(each["raw"]).encode() for each in verbatim if "raw" in each]
    books, tickers, trades = list(files.values())[:3]
    assert len(tickers) == len(trades) == 10
    return Captured(files, books, 2_890, tickers, trades)


@pytest.fixture(scope="session", params=["corpus", pytest.param("recordings", marks=pytest.mark.recordings)])
def captured(request):
    """The tests' own corpus; and frames of the real exchange, which carry no licence and live outside the project."""
    return _corpus() if request.param == "corpus" else _recorded(recordings.folder())
