"""Files of frames, served over a real WebSocket, come out whole: the corpus, and frames of the real exchange."""

from collections import defaultdict
from decimal import Decimal

import polars as pl
import pytest

import kalshi_nb as kn
from kalshi_nb._engine.transport import TRANSPORTS
from tests import corpus, recordings
from tests.feed.conftest import following, recorded, until


@pytest.fixture(params=TRANSPORTS)
def transport(request):
    return request.param


def real(*values):
    """A parameter for whoever has recorded frames of the real exchange."""
    return pytest.param(*values, marks=pytest.mark.recordings)


def place(name):
    """Where a file is: beside the corpus, or with the recordings, whose names begin with where they are from."""
    return (recordings.folder() if name.startswith(("demo-", "prod-")) else corpus.FOLDER) / name


@pytest.fixture(params=["books.jsonl", real("demo-2026-07-01-books.jsonl")])
def path(request):
    """A session of books of one connection, with two fills in it."""
    return place(request.param)


def oracle(frames):
    """Final books straight from the file: Decimals in dicts, nothing of the kit."""
    books = defaultdict(lambda: {"yes": defaultdict(Decimal), "no": defaultdict(Decimal)})
    for frame in frames:
        msg = frame["msg"]
        if frame["type"] == "orderbook_snapshot":
            books[msg["market_ticker"]] = {
                side: defaultdict(Decimal, {Decimal(p): Decimal(c) for p, c in msg.get(f"{side}_dollars_fp", [])})
                for side in ("yes", "no")
            }
        elif frame["type"] == "orderbook_delta":
            books[msg["market_ticker"]][msg["side"]][Decimal(msg["price_dollars"])] += Decimal(msg["delta_fp"])
    return {
        ticker: {
            side: sorted(((float(p), float(c)) for p, c in levels.items() if c), reverse=True)
            for side, levels in book.items()
        }
        for ticker, book in books.items()
    }


@pytest.mark.parametrize(
    ("name", "deltas"),
    [
        ("books.jsonl", 831),
        ("errors.jsonl", 90),
        real("demo-2026-07-01-books.jsonl", 2885),
        real("prod-2026-04-18-errors.jsonl", 61),
    ],
)
def test_a_recorded_session_comes_out_whole(name, deltas, transport):
    path = place(name)
    frames = list(recorded(path))
    assert sum(frame["type"] == "orderbook_delta" for frame in frames) == deltas
    expected = oracle(frames)
    with kn.sim.Exchange.from_frames(path) as exchange, following(exchange, transport=transport) as feed:
        changes = feed.deltas(list(expected))
        books = feed.books(expected)
        changes.wait(rows=deltas)
        until(lambda: feed.health().messages == len(frames), "every frame is received")
        feed.flush()
        assert changes.total == deltas
        assert feed.gaps.is_empty()
        assert feed.health().duplicates == 0
        assert {ticker: book.status for ticker, book in books.items()} == dict.fromkeys(expected, "live")
        found = {ticker: {side: book.levels(side) for side in ("yes", "no")} for ticker, book in books.items()}
        assert found == expected


def test_every_recorded_delta_keeps_its_price_size_side_and_number(path, transport):
    frames = [frame for frame in recorded(path) if frame["type"] == "orderbook_delta"]
    tickers = {frame["msg"]["market_ticker"] for frame in frames}
    with kn.sim.Exchange.from_frames(path) as exchange, following(exchange, transport=transport) as feed:
        changes = feed.deltas(list(tickers), exact=True)
        changes.wait(rows=len(frames))
        found = changes.df.select(
            pl.col("market_ticker").cast(pl.String), "side", "price", "delta", "seq", "ts"
        ).rows()
    for row, frame in zip(found, frames, strict=True):
        msg = frame["msg"]
        assert row[:5] == (
            msg["market_ticker"],
            msg["side"],
            Decimal(msg["price_dollars"]),
            Decimal(msg["delta_fp"]),
            frame["seq"],
        )
        assert int(row[5].timestamp() * 1000) == msg["ts_ms"]


@pytest.mark.usefixtures("nothing_before")  # frames that are played know no account
def test_recorded_fills_come_out_as_fills(path, transport):
    messages = [frame["msg"] for frame in recorded(path) if frame["type"] == "fill"]
    with kn.sim.Exchange.from_frames(path) as exchange, following(exchange, transport=transport) as feed:
        fills = feed.fills(exact=True)
        fills.wait(rows=len(messages))
        until(lambda: feed.health().messages == exchange.frames, "every frame is received")
        feed.flush()
        assert feed.rejects == []
        found = fills.df.with_columns(pl.col("market_ticker").cast(pl.String)).rows(named=True)
    assert len(found) == len(messages) >= 2
    for row, msg in zip(found, messages, strict=True):
        assert (row["yes_price"], row["count"], row["fee_cost"], row["post_position"]) == tuple(
            Decimal(msg[name]) for name in ("yes_price_dollars", "count_fp", "fee_cost", "post_position_fp")
        )
        for name in ("market_ticker", "trade_id", "order_id", "is_taker", "outcome_side", "book_side", "subaccount"):
            assert row[name] == msg[name]
        assert int(row["ts"].timestamp() * 1000) == msg["ts_ms"]


def test_frames_of_channels_that_nobody_asked_for_are_left_aside(path, transport):
    with kn.sim.Exchange.from_frames(path) as exchange, following(exchange, transport=transport) as feed:
        feed.deltas(list(exchange.market_tickers))
        until(lambda: feed.health().messages == exchange.frames, "every frame is received")
        assert feed.rejects == []
        assert feed.health().markets.keys() == {"orderbook_delta"}
