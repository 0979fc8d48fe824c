"""A channel that the package does not know takes four edits, and then works like any other."""

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import kalshi_nb

PACKAGE = Path(kalshi_nb.__file__).parent

FEED = ("_feed/feed.py", "Feed")
"""The module, and the class in it, whose public methods are those of a feed; the new one goes behind the last."""

TABLE, MESSAGES, WIRE = "_rows/channels.py", "_messages/market.py", "_wire/halts.py"

RECORD = """\
    Channel(
        name="market_halts",
        title="halts",
        wire="halts",
        messages=("MarketHalt",),
        key=("halt_id",),
        from_one=True,
        params=(("reasons", True),),
        params_of_named=(("send_initial_halts", True),),
        columns=layout(
            ts="time",
            market_ticker="market",
            halt_id="text",
            last_price="price",
            resting="count",
            penalty="cost",
            received_at="time",
            seq="integer",
        ),
    ),
"""

READING = '''\
"""Halts: markets whose trading was stopped."""

from __future__ import annotations

from typing import Final

import msgspec

from kalshi_nb._wire.family import Conversion, Family, Frame
from kalshi_nb._wire.field_types import Integer
from kalshi_nb._wire.row_making import Plan

__all__ = ["FAMILY", "HaltFrame"]


class Halt(msgspec.Struct, gc=False):
    """One halt."""

    market_ticker: str
    halt_id: str
    last_price_dollars: str
    resting_fp: str | None = None
    penalty: str | None = None
    ts_ms: Integer | None = None


class HaltFrame(Frame, tag="market_halt", gc=False):
    """``market_halt``."""

    sid: Integer
    msg: Halt
    seq: Integer | None = None
    sending_ts_ms: Integer | None = None


_PLAN: Final = Plan("market_halts", Halt, {"ts": ("ts_ms",)})

FAMILY: Final = Family(
    {HaltFrame: Conversion(frozenset({"market_halts"}), _PLAN.row, stamped=True)},
    decimals=frozenset({"penalty"}),
)
'''

CLASS = '''\
class MarketHalt(TypedMessage, frozen=True, gc=False):
    """One halt of a market."""

    ts: dt.datetime | None
    market_ticker: str
    halt_id: str
    last_price: float
    resting: float | None
    penalty: float | None
    received_at: dt.datetime
    seq: int | None


'''

METHOD = '''
    def halts(self, market_tickers=None, **window):
        """Return a rolling frame of halts."""
        return self.frame("market_halts", market_tickers, **window)
'''

# Runs beside the changed package: an exchange that knows the channel, and a user who knows the public names.
SCRIPT = '''
import asyncio
import datetime as dt
import json
import sys
import threading
from decimal import Decimal

import polars as pl
from cryptography.hazmat.primitives.asymmetric import ed25519
from websockets.asyncio.server import serve

import kalshi_nb as kn

assert kn.__file__.startswith(sys.argv[1]), kn.__file__
MOMENT = dt.datetime(2026, 9, 21, 14, 13, 20, 123_000, dt.UTC)


class Exchange:
    """Acknowledges what is subscribed to, and sends what it is given."""

    def __init__(self):
        self.commands, self.loop, opened = [], asyncio.new_event_loop(), threading.Event()
        self.thread = threading.Thread(target=self.loop.run_until_complete, args=[self.run(opened)], daemon=True)
        self.thread.start()
        assert opened.wait(10)

    async def run(self, opened):
        self.ended = asyncio.Event()
        async with serve(self.serve, "127.0.0.1", 0) as server:
            self.url = "ws://127.0.0.1:%d/trade-api/ws/v2" % server.sockets[0].getsockname()[1]
            opened.set()
            await self.ended.wait()

    async def serve(self, connection):
        self.connection = connection
        async for text in connection:
            command = json.loads(text)
            self.commands.append(command)
            if command["cmd"] == "subscribe":
                msg = {"channel": command["params"]["channels"][0], "sid": 5}
                await connection.send(json.dumps({"type": "subscribed", "id": command["id"], "msg": msg}))

    def send(self, *frames):
        for frame in frames:
            text = frame if isinstance(frame, str) else json.dumps(frame)
            asyncio.run_coroutine_threadsafe(self.connection.send(text), self.loop).result(10)

    def close(self):
        self.loop.call_soon_threadsafe(self.ended.set)
        self.thread.join(10)


def halt(seq, halt_id, **changes):
    msg = {
        "market_ticker": "KXA-1",
        "halt_id": halt_id,
        "last_price_dollars": "0.4700",
        "resting_fp": "12.50",
        "penalty": "0.000001",
        "ts_ms": 1_790_000_000_123,
        **changes,
    }
    return {"type": "market_halt", "sid": 5, "seq": seq, "msg": msg}


exchange = Exchange()
with kn.connect(exchange.url, key_id="id", private_key=ed25519.Ed25519PrivateKey.generate()) as feed:
    halts = feed.halts("KXA-1", gaps=True)
    exact = feed.frame("market_halts", "KXA-1", exact=True)
    kept = feed.stream("market_halts", "KXA-1").rolling_frame()
    lists, seen = [], []
    listed = feed.messages("market_halts", "KXA-1").sink(lists.append)
    feed.on("market_halts", "KXA-1")(seen.append)

    # What the exchange is asked, and what there is before it says anything.
    (asked,) = exchange.commands
    assert asked["params"] == {
        "channels": ["market_halts"],
        "market_tickers": ["KXA-1"],
        "reasons": True,
        "send_initial_halts": True,
    }
    names = ["ts", "market_ticker", "halt_id", "last_price", "resting", "penalty", "received_at", "seq"]
    assert list(halts.schema) == [*names, "gap"] and list(exact.schema) == list(kept.df.schema) == names
    assert halts.schema["ts"] == pl.Datetime("us", "UTC") and halts.schema["last_price"] == pl.Float64
    assert exact.schema["penalty"] == pl.Decimal(18, 6)
    assert "halts" in repr(halts) and halts.latest().is_empty()

    # A number where text belongs is read exactly, also in a field whose name does not say that it is one.
    exchange.send(halt(1, "a"), halt(2, "b", penalty=None, resting_fp=None))
    exchange.send(json.dumps(halt(3, "a", penalty="@")).replace('"@"', "1.5e-5"))
    exchange.send(halt(5, "a", last_price_dollars="0.9900"), {**halt(6, "c"), "type": "market_nonsense"})
    exchange.send(halt(7, "b", last_price_dollars="0.47001"), halt(8, "c", market_ticker="KXB-2"), halt(9, "c"))
    halts.wait(rows=5, timeout=20)
    exact.wait(rows=5, timeout=20)
    feed.flush()

    df = halts.df
    assert df["halt_id"].to_list() == ["a", "b", "a", "a", "c"] and df["seq"].to_list() == [1, 2, 3, 5, 9]
    assert df["last_price"].to_list() == [0.47, 0.47, 0.47, 0.99, 0.47]
    assert df["penalty"].to_list() == [0.000001, None, 0.000015, 0.000001, 0.000001]
    assert df["gap"].to_list() == [False, False, False, True, True]
    assert exact.df["penalty"][2] == Decimal("0.000015") and exact.df["resting"][0] == Decimal("12.50")
    assert kept.df.equals(df.drop("gap"))
    latest = dict(halts.latest().select("halt_id", "seq").rows())
    assert latest == dict(kept.latest().select("halt_id", "seq").rows()) == {"a": 5, "b": 2, "c": 9}

    kind = kn.messages.MarketHalt
    assert "MarketHalt" in kn.messages.__all__ and "market_halts" in kn.messages.__doc__
    assert [each for some in lists for each in some] == seen and [each.seq for each in seen] == [1, 2, 3, 5, 9]
    assert all(type(each) is kind and isinstance(each, kn.messages.Message) for each in seen)
    assert (seen[0].ts, seen[0].last_price, seen[0].resting, seen[1].penalty) == (MOMENT, 0.47, 12.5, None)

    gaps = feed.gaps.select("channel", "reason", "seq_from", "seq_to").rows()
    assert gaps == [("market_halts", "sequence", 4, 4), ("market_halts", "rejected", 7, 7)], gaps
    assert [each.reason for each in feed.rejects] == [
        "unknown type 'market_nonsense'",
        "'0.47001' has more than 4 decimals",
    ]
    assert not halts.complete() and feed.health().markets == {"market_halts": 1}
    assert feed.health().pipeline_errors == 0
    try:
        feed.frame("market_halt")
    except kn.errors.UnknownChannelError as error:
        assert "Did you mean 'market_halts'?" in str(error)
    listed.destroy()
exchange.close()
print("works")
'''


def insert_before(path, place, text):
    old = path.read_text()
    assert old.count(place) == 1, f"{path.name} has no one place {place!r}"
    path.write_text(old.replace(place, text + place))


def insert_behind_the_last_public_method(path, name, text):
    lines = path.read_text().splitlines(keepends=True)
    (owner,) = (
        each for each in ast.parse("".join(lines)).body if isinstance(each, ast.ClassDef) and each.name == name
    )
    methods = [each for each in owner.body if isinstance(each, ast.FunctionDef) and not each.name.startswith("_")]
    at = max(each.end_lineno for each in methods)
    path.write_text("".join([*lines[:at], text, *lines[at:]]))


@pytest.fixture
def changed(tmp_path):
    """A copy of the package, the compiled part included, with the four edits."""
    copy = tmp_path / "kalshi_nb"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    insert_before(copy / TABLE, "    Channel(\n        name=QUOTES,", RECORD)
    (copy / WIRE).write_text(READING)
    for place, text in (
        ('"OrderbookDelta", "Ord', '"MarketHalt", '),
        ("class OrderbookDelta", CLASS),
        ("Trade | Ticker", "MarketHalt | "),
    ):
        insert_before(copy / MESSAGES, place, text)
    insert_behind_the_last_public_method(copy / FEED[0], FEED[1], METHOD)
    return copy


def test_it_takes_a_record_a_module_of_the_wire_a_message_and_a_method_and_nothing_else(changed, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-W", "error", str(script), str(changed)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.stdout.strip() == "works", done.stderr
    touched = {
        str(each.relative_to(changed))
        for each in changed.rglob("*")
        if each.is_file() and not same(each, PACKAGE / each.relative_to(changed))
    }
    assert touched == {TABLE, WIRE, MESSAGES, FEED[0]}


def same(one, other):
    return other.is_file() and one.read_bytes() == other.read_bytes()
