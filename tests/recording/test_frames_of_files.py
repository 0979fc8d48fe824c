"""Files of frames, the corpus' and the real exchange's, recorded again: every frame as it came, byte for byte."""

import json
from decimal import Decimal

import polars as pl
import pytest

import kalshi_nb as kn
from kalshi_nb._rows.heard import Read
from tests import corpus, recordings
from tests.feed.conftest import following, recorded, until


def real(name):
    """A parameter for whoever has recorded frames of the real exchange."""
    return pytest.param(name, marks=pytest.mark.recordings)


@pytest.fixture(
    params=["books.jsonl", "errors.jsonl", real("demo-2026-07-01-books.jsonl"), real("prod-2026-04-18-errors.jsonl")]
)
def path(request):
    name = request.param
    return (recordings.folder() if name.startswith(("demo-", "prod-")) else corpus.FOLDER) / name


@pytest.fixture
def again(path, tmp_path):
    """The recording of a feed that was played the file, with what stood in the feed's books at the end."""
    with kn.sim.Exchange.from_frames(path) as exchange, following(exchange) as feed:
        recorder = feed.record(tmp_path / "night", "orderbook_delta", list(exchange.market_tickers))
        books = feed.books(exchange.market_tickers)
        until(lambda: feed.health().messages == exchange.frames, "every frame is received")
        feed.flush()
        levels = {ticker: (book.levels("yes"), book.levels("no")) for ticker, book in books.items()}
        assert recorder.close()
    return kn.open_recording(tmp_path / "night"), levels


def deltas(path):
    return [
        (
            each["msg"]["market_ticker"],
            Decimal(each["msg"]["price_dollars"]),
            Decimal(each["msg"]["delta_fp"]),
            each["seq"],
        )
        for each in recorded(path)
        if each["type"] == "orderbook_delta"
    ]


def rows(frame):
    columns = ["market_ticker", "price", "delta", "seq"]
    return [
        (ticker, Decimal(str(price)).quantize(Decimal("0.0001")), Decimal(str(delta)).quantize(Decimal("0.01")), seq)
        for ticker, price, delta, seq in frame.select(pl.col(columns[0]).cast(pl.String), *columns[1:]).rows()
    ]


def test_the_frames_are_the_files_byte_for_byte_in_their_order(again, path):
    recording, _ = again
    found = [message for item in recording._heard() if isinstance(item, Read) for message in item.messages]
    # What is one's own is recorded only where it is named.
    assert found == [frame.encode() for frame in corpus.texts(path) if json.loads(frame)["type"] != "fill"]


def test_what_is_read_and_exported_is_every_delta_of_the_file(again, path, tmp_path):
    recording, _ = again
    expected = deltas(path)
    assert rows(recording.deltas().collect()) == expected
    report = recording.export(tmp_path / "out", channels="orderbook_delta")
    assert report.rows == {"orderbook_delta": len(expected)}
    exported = kn.open_export(tmp_path / "out").frame("orderbook_delta").sort("seq").collect()
    assert rows(exported) == sorted(expected, key=lambda each: each[3])


def test_what_is_replayed_comes_to_the_same_books(again, path):
    recording, levels = again
    expected = deltas(path)
    with kn.replay(recording.path, speed="max", paused=True) as feed:
        changes = feed.deltas(list(levels))
        books = feed.books(list(levels))
        feed.replaying.resume()
        changes.wait(rows=len(expected))
        feed.flush()
        assert rows(changes.df) == expected
        assert {ticker: (book.levels("yes"), book.levels("no")) for ticker, book in books.items()} == levels
