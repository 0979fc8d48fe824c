"""The generator: seeded frames of so many markets, ready for the socket, with the sums of the final books.

What it makes goes to a folder that the sender and the clients' judge read:

- ``frames.bin``: WebSocket frames one after the other; ``index.bin``: where each ends (64-bit integers);
- ``session.json``: the opening snapshots, market tickers, and for each part of the frames what it holds.

The parts are sent one by one: the first warms the client up, the others are measured. Each ends with a ticker and
a trade, where there are any, so that a client that has these rows has everything before them.
"""

import json
import uuid
from array import array
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tests.benchmarks import texts
from tests.benchmarks.market import BEGIN_US, markets, sums

SIDS = {"orderbook_delta": 1, "ticker": 2, "trade": 3}
SPARE = 128
"""Sequence numbers for answers to commands, before the first delta; what is not used up is filled with snapshots."""


@dataclass(frozen=True)
class Mix:
    """Shares of deltas, tickers and trades."""

    deltas: float = 0.85
    tickers: float = 0.10
    trades: float = 0.05


@dataclass(frozen=True)
class Size:
    """How much is made."""

    messages: int
    warm_up: int
    markets: int = 500
    mix: Mix = field(default_factory=Mix)
    seed: int = 7
    more: tuple[int, ...] = ()
    """Messages of further parts, behind the first that is measured."""

    def name(self):
        shares = "-".join(f"{each:g}" for each in asdict(self.mix).values())
        return f"{'-'.join(map(str, (self.messages, *self.more)))}-{self.warm_up}-{self.markets}-{shares}-{self.seed}"


def prepare(size, folder):
    """Make the frames of `size` in a folder of their own below `folder`, once; return that folder."""
    place = Path(folder) / size.name()
    if not (place / "session.json").exists():
        place.mkdir(parents=True, exist_ok=True)
        session = _make(size, place)
        part = place / "session.json.part"
        part.write_text(json.dumps(session))
        part.rename(place / "session.json")
    return place


def _make(size, place):
    made, weights, chance = markets(size.markets, size.seed)
    first_seq = size.markets + SPARE + 1
    session = {
        "tickers": [market.ticker for market in made],
        "snapshots": [texts.snapshot(market, 12_000_000_000 + at) for at, market in enumerate(made)],
        "snapshot_seqs": size.markets + SPARE,
        "parts": [],
    }
    writer = _Writer(made, weights, chance, size.mix, first_seq)
    ends = array("Q")
    with (place / "frames.bin").open("wb") as file:
        for messages in (size.warm_up, size.messages, *size.more):
            for text in writer.part(messages):
                file.write(texts.websocket_frame(text))
                ends.append(file.tell())
            session["parts"].append({"frames": len(ends), **writer.counts, **sums(made)})
    (place / "index.bin").write_bytes(ends.tobytes())
    return session


class _Writer:
    """Writes frames and counts what it wrote."""

    def __init__(self, made, weights, chance, mix, first_seq):
        self.made, self.weights, self.chance, self.mix = made, weights, chance, mix
        self.seq = {"delta": first_seq, "trade": 1}
        self.now_us = BEGIN_US
        self.counts = {"deltas": 0, "tickers": 0, "trades": 0, "delta_sum": 0, "trade_sum": 0}

    def part(self, messages):
        mix = self.mix
        ends = [write for write, share in ((self.ticker, mix.tickers), (self.trade, mix.trades)) if share]
        kinds = self.chance.choices(
            (self.delta, self.ticker, self.trade),
            (mix.deltas, mix.tickers, mix.trades),
            k=max(0, messages - len(ends)),
        )
        chosen = self.chance.choices(self.made, cum_weights=self.weights, k=messages)
        for write, market in zip(kinds + ends[: messages or 0], chosen, strict=True):
            self.now_us += 131
            yield write(market)

    def delta(self, market):
        change = market.change()
        seq = self.seq["delta"]
        self.seq["delta"] = seq + 1
        self.counts["deltas"] += 1
        self.counts["delta_sum"] += change.quantity
        return texts.delta(market, change, SIDS["orderbook_delta"], seq, self.now_us)

    def ticker(self, market):
        self.counts["tickers"] += 1
        return texts.ticker(market, SIDS["ticker"], self.now_us)

    def trade(self, market):
        seq = self.seq["trade"]
        self.seq["trade"] = seq + 1
        trade = market.trade()
        self.counts["trades"] += 1
        self.counts["trade_sum"] += trade[1]
        trade_id = uuid.UUID(int=self.chance.getrandbits(128), version=4)
        return texts.trade(market, trade_id, trade, SIDS["trade"], seq, self.now_us)
