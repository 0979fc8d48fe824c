"""The corpus is what its script makes, and holds what its readers count on."""

import json

import pytest

from kalshi_nb._wire.decode import TYPES
from tests.corpus import FOLDER, make, texts

ERRORS = {1, 2, 3, 4, 5, 7, 8, 10, 11, 12, 13, 14, 15, 18, 19, 20, 21, 22, 24, 25, 26, 27, 28}


@pytest.fixture(scope="module")
def made():
    return make.made()


@pytest.fixture(scope="module")
def frames():
    return {path.stem: [json.loads(text) for text in texts(path)] for path in FOLDER.glob("*.jsonl")}


def of_type(kind, frames):
    return [frame for of_file in frames.values() for frame in of_file if frame["type"] == kind]


@pytest.mark.matrix
def test_made_anew_it_is_the_same_to_the_byte(made):
    kept = {path.stem: path.read_bytes() for path in FOLDER.glob("*.jsonl")}
    assert kept.keys() == made.keys()
    other = [name for name, text in made.items() if text.encode() != kept[name]]
    assert other == [], "where the exchange was to change: python -m tests.corpus.make writes these anew"


def test_it_stays_small():
    assert sum(path.stat().st_size for path in FOLDER.glob("*.jsonl")) <= 500_000


def test_it_has_every_type_of_frame_that_can_be_read_and_some_that_cannot(frames):
    known = set(TYPES)
    found = {frame["type"] for of_file in frames.values() for frame in of_file}
    assert known - found == set()
    assert found - known == {"orderbook_checksum", "trade_correction"}


def test_it_has_every_error_and_every_form_of_an_acknowledgement(frames):
    errors = of_type("error", frames)
    assert {frame["msg"]["code"] for frame in errors} == ERRORS
    assert {("id" in frame, "sid" in frame, "market_tickers" in frame["msg"]) for frame in errors} == {
        (True, False, False),
        (True, False, True),
        (False, True, False),
        (False, False, False),
    }
    acknowledged = [frame["msg"] for frame in of_type("ok", frames)]
    assert [] in acknowledged  # nothing is subscribed to
    assert {} in acknowledged  # its list was not wanted
    assert any(isinstance(each, list) and len(each) > 10 for each in acknowledged)
    fields = {name for each in acknowledged if isinstance(each, dict) for name in each}
    assert fields == {"market_tickers", "market_ids", "index_ids", "underlying_tickers"}
    assert any("id" not in frame for frame in of_type("orderbook_snapshot", frames))
    assert any("id" in frame for frame in of_type("orderbook_snapshot", frames))


def test_it_has_books_of_every_kind(frames):
    books = [frame["msg"] for frame in of_type("orderbook_snapshot", frames)]
    sides = {("yes_dollars_fp" in book, "no_dollars_fp" in book, book["market_id"] == "") for book in books}
    assert sides >= {(True, True, False), (False, True, False), (False, False, False), (False, False, True)}
    assert {"clock" in book for book in books} == {True, False}
    levels = [level for book in books for side in ("yes", "no") for level in book.get(f"{side}_dollars_fp", ())]
    assert any(not price.endswith("00") for price, _ in levels)
    assert any(not size.endswith("00") for _, size in levels)
    assert len({book["market_ticker"] for book in books}) > 10


def test_it_has_deltas_trades_and_tickers_of_more_than_one_era(frames):
    deltas = [frame["msg"] for frame in of_type("orderbook_delta", frames)]
    assert {("ts_ms" in msg, "clock" in msg) for msg in deltas} == {(True, True), (True, False), (False, False)}
    assert {msg["side"] for msg in deltas} == {"yes", "no"}
    older = {frame["type"]: frame["msg"] for frame in frames["older"]}
    assert older.keys() == {"trade", "ticker"}
    assert {"yes_price", "yes_price_dollars", "count", "count_fp", "taker_side"} <= older["trade"].keys()
    assert not {"ts_ms", "taker_outcome_side", "taker_book_side"} & older["trade"].keys()
    assert {"price", "price_dollars", "volume", "volume_fp"} <= older["ticker"].keys()
    assert not {"ts_ms", "time"} & older["ticker"].keys()


def test_its_sessions_of_books_count_every_number(frames):
    for name in ("books", "errors", "yes_prices"):
        numbers = [frame["seq"] for frame in frames[name] if frame.get("sid") == 1 and "seq" in frame]
        assert numbers == list(range(1, len(numbers) + 1))
