"""Rows 17 to 19: what a recording of prepared frames is like, on one core: its size, its export, its replay.

The options name the measurement by ``what``: ``size`` (of a recording that is flushed after so many messages),
``export`` and ``ndjson`` (typed Parquet of three channels, by the kit and by polars' own reader), or ``replay``.
"""

import json
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

os.environ["POLARS_MAX_THREADS"] = "1"  # read when polars is imported

import polars as pl

import kalshi_nb as kn
from kalshi_nb._frames.schema import schema
from kalshi_nb._recording.segment import LIMITS
from kalshi_nb._recording.writer import Writer
from kalshi_nb._rows.heard import Read
from tests.benchmarks.clients.kit import book_sums
from tests.benchmarks.clients.protocol import messages_of
from tests.benchmarks.market import BEGIN_US

CHANNELS = ("orderbook_delta", "ticker", "trade")
PLAIN = {pl.Float64: pl.String, pl.Enum: pl.String, pl.Datetime: pl.Int64}
"""What the exchange writes where the frame has another type."""
NAMES = {
    "ts": "ts_ms",
    "price": "price_dollars",
    "delta": "delta_fp",
    "yes_price": "yes_price_dollars",
    "no_price": "no_price_dollars",
    "count": "count_fp",
    "yes_bid": "yes_bid_dollars",
    "yes_ask": "yes_ask_dollars",
    "yes_bid_size": "yes_bid_size_fp",
    "yes_ask_size": "yes_ask_size_fp",
    "last_trade_size": "last_trade_size_fp",
    "volume": "volume_fp",
    "open_interest": "open_interest_fp",
}
"""What columns are called on the wire, where they are called otherwise."""
OUTSIDE = {"seq", "received_at"}
"""Columns that are not of the message itself."""
BID, ASK = (pl.col("msg").struct.field(f"yes_{side}_dollars").cast(pl.Float64) for side in ("bid", "ask"))
DERIVED = {"spread": ASK - BID, "mid": (ASK + BID) / 2}
"""Columns that are reckoned."""


def size(options):
    """A recording by the writer itself, flushed as its thread does it at a rate, with no time passing."""
    folder, together = Path(options["folder"]), options["together"]
    messages = messages_of(folder)[: options["messages"]]
    with tempfile.TemporaryDirectory() as place:
        writer = Writer(Path(place) / "night", lambda: None, {}, LIMITS)
        for at, message in enumerate(messages):
            writer.keep(Read(BEGIN_US + at * options["apart_us"], 1, [message]))
            if at % together == together - 1:
                writer.flush()
        assert writer.close()
        written = writer.written
    return {"raw": sum(map(len, messages)), "written": written, "messages": len(messages)}


def export(options):
    """Typed Parquet of three channels, by the kit."""
    open_recording = kn.open_recording  # imported here, as polars was before
    with tempfile.TemporaryDirectory() as place:
        began = time.perf_counter()
        report = open_recording(options["recording"]).export(Path(place) / "out", channels=list(CHANNELS))
        taken = time.perf_counter() - began
    return {"rows": report.rows, "seconds": taken}


def ndjson(options):
    """The same columns of the same types, by polars' own reader, from plain files of which each has one channel."""
    rows = {}
    with tempfile.TemporaryDirectory() as place:
        began = time.perf_counter()
        for channel in CHANNELS:
            lines = pl.scan_ndjson(Path(options["plain"]) / f"{channel}.ndjson", schema=_wire(channel))
            path = Path(place) / f"{channel}.parquet"
            _typed(lines, channel).sink_parquet(path, compression="zstd", compression_level=3)
            rows[channel] = pl.scan_parquet(path).select(pl.len()).collect().item()
        taken = time.perf_counter() - began
    return {"rows": rows, "seconds": taken}


def _columns(channel):
    return {name: dtype for name, dtype in schema(channel).items() if name not in OUTSIDE | {*DERIVED}}


def _wire(channel):
    fields = {NAMES.get(name, name): PLAIN.get(dtype.base_type(), dtype) for name, dtype in _columns(channel).items()}
    return {"type": pl.String, "sid": pl.Int64, "seq": pl.Int64, "msg": pl.Struct(fields)}


def _typed(lines, channel):
    made = []
    for name, dtype in _columns(channel).items():
        field = pl.col("msg").struct.field(NAMES.get(name, name))
        made.append((field * 1_000 if dtype == pl.Datetime else field).cast(dtype).alias(name))
    columns = schema(channel)
    made += [made_of.alias(name) for name, made_of in DERIVED.items() if name in columns]
    made += ["seq"] if "seq" in columns else []
    return lines.select(*made, received_at=pl.lit(BEGIN_US).cast(pl.Datetime("us", "UTC"))).select(columns.names())


def plain(options):
    """Make what ``ndjson`` reads: the messages of a channel each in a file of its own."""
    place = Path(options["plain"])
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    messages = messages_of(Path(options["folder"]))
    for channel in CHANNELS:
        mark = f'"type":"{channel}"'.encode()
        (place / f"{channel}.ndjson").write_bytes(b"".join(each for each in messages if mark in each[:40]))
    return {}


def replay(options):
    """A recording at full speed through books, frames and a pipeline."""
    session = json.loads((Path(options["folder"]) / "session.json").read_text())
    feed = kn.replay(options["recording"], speed="max", paused=True)
    frames = {"trades": feed.trades(), "tickers": feed.tickers()}
    books = feed.books(session["tickers"])
    compute = (pl.col("yes_price") * pl.col("count")).alias("worth")
    pipeline = feed.stream("trade").map(lambda df: df.with_columns(compute)).rolling_frame(rows=10_000)
    part = session["parts"][-1]
    began = time.perf_counter()
    feed.replaying.resume()
    for name, frame in frames.items():
        frame.wait(part[name], timeout=120)
    taken = time.perf_counter() - began
    found = book_sums(books) | {name: frame.total for name, frame in frames.items()}
    wrong = {name: [found[name], part[name]] for name in found if found[name] != part[name]}
    assert pipeline is not None
    feed.close()
    return {"seconds": taken, "messages": part["frames"], "wrong": wrong}


def main():
    options = json.loads(sys.argv[1])
    if options.get("one_core", True):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    print(
        json.dumps({each.__name__: each for each in (size, export, ndjson, plain, replay)}[options["what"]](options))
    )


if __name__ == "__main__":
    main()
