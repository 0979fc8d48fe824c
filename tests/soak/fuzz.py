"""Frames broken in every way, through the decoder and a whole session: nothing gets out, and nothing grows.

The corpus is that of the tests, written by the simulated exchange, with recorded frames of the real one where these
are at hand; single frames fill in what neither has. A broken frame has the sid of its channel, and mostly the number
that is due, so that it is not set aside before its values are looked at. The session lives: what it asks for is
answered, and when it asks for a new connection it gets one.
"""

import contextlib
import copy
import ctypes
import gc
import json
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass
from random import Random

from kalshi_nb._fixed_point import COSTS, COUNTS, PRICES, VALUES
from kalshi_nb._frames.batch import Batch
from kalshi_nb._rows.channels import CHANNELS
from kalshi_nb._rows.quotes import QUOTES
from kalshi_nb._rows.wanted import ALL
from kalshi_nb._session.session import Reconnect, Session
from kalshi_nb._wire.decode import Rejected, decode
from kalshi_nb.messages import from_rows
from tests import corpus, recordings
from tests.channel_frames import EVERY
from tests.channel_frames import frame as channel_frame
from tests.soak.mutations import MUTATIONS, encoded, mutated
from tests.soak.steady import resident_mb

BOOKS = "orderbook_delta"
START_US = 1_790_000_000_000_000
MOST_BOOKS = 20
BETWEEN_LOOKS = 200
A_FRAME = 0.01
KILLS = 1 / 5_000
PARTS = 8
OWN = {
    "orderbook_snapshot": {"yes_dollars_fp": [["0.4700", "10.00"]], "no_dollars_fp": [["0.4800", "20.00"]]},
    "orderbook_delta": {"price_dollars": "0.4700", "delta_fp": "1.00", "side": "yes", "ts_ms": 1_790_000_000_000},
    "trade": {
        "trade_id": "t",
        "yes_price_dollars": "0.4700",
        "no_price_dollars": "0.5300",
        "count_fp": "1.00",
        "taker_outcome_side": "yes",
        "ts_ms": 1_790_000_000_000,
    },
    "ticker": {"price_dollars": "0.4700", "yes_bid_dollars": "0.4600", "yes_ask_dollars": "0.4800", "ts_ms": 1},
    "market_lifecycle_v2": {"event_type": "determined", "result": "yes", "settlement_value": "0.5000"},
}
CONTROL = [
    {"type": "ok", "id": 4, "sid": 1, "seq": 3, "msg": {"market_tickers": ["KXA-1"]}},
    {"type": "ok", "id": 3, "msg": [{"channel": "orderbook_delta", "sid": 1}]},
    {"type": "subscribed", "id": 1, "msg": {"channel": "trade", "sid": 2}},
    {"type": "unsubscribed", "id": 9, "sid": 1, "seq": 41},
    {"type": "error", "id": 99, "msg": {"code": 8, "msg": "Unknown channel name"}},
    {"type": "error", "id": 12, "sid": 1, "seq": 8, "msg": {"code": 26, "msg": "limit", "market_tickers": ["KXA-1"]}},
    {"type": "error", "sid": 1, "seq": 911, "msg": {"code": 25, "msg": "Subscription buffer overflow"}},
]


@dataclass(frozen=True)
class FuzzResult:
    seed: int
    frames: int
    recorded: int
    corpus: int
    seconds: float
    read: int
    unknown: int
    rejected: int
    rows: int
    gaps: int
    connections: int
    mutations: dict
    resident_mb: tuple
    memory_growth_percent: float
    object_growth_percent: float
    books: int
    wrong_books: int

    def record(self):
        return asdict(self)


def recorded_frames(folder):
    """Every frame of a folder's files that is a JSON object, parsed."""
    found = []
    for path in sorted(folder.rglob("*.jsonl")):
        for line in filter(str.strip, path.read_text().splitlines()):
            frame = json.loads(line)
            for name in ("raw", "frame", "data"):
                inner = frame.get(name)
                if isinstance(inner, str | dict):
                    frame = json.loads(inner) if isinstance(inner, str) else inner
                    break
            if isinstance(frame, dict) and "type" in frame:
                found.append(frame)
    return found


def own_frames():
    data = [{"type": kind, "sid": 1, "seq": 1, "msg": {"market_ticker": "KXA-1", **msg}} for kind, msg in OWN.items()]
    return [*data, *CONTROL, *(channel_frame(channel, kind) for channel, kind in EVERY)]


class Fuzzer:
    """One session, one stream of broken frames."""

    def __init__(self, seed):
        self.random = Random(seed)
        self.seconds = 100.0
        folder = recordings.folder()
        recorded = [] if folder is None else recorded_frames(folder)
        self.recorded = len(recorded)
        # Each type as often as any other: books would be all there is otherwise.
        self.corpus = {}
        for frame in [*recorded_frames(corpus.FOLDER), *recorded, *own_frames()]:
            self.corpus.setdefault(str(frame["type"]), []).append(frame)
        self.kinds = sorted(self.corpus)
        self.channel_of = {kind: channel for channel, kind in EVERY} | {kind: kind for kind in OWN}
        self.channel_of |= {"orderbook_snapshot": BOOKS, "event_lifecycle": "market_lifecycle_v2"}
        self.session = Session(now_us=self.now_us, monotonic=lambda: self.seconds, random=Random(seed))
        self.session.connected()
        self.connections = 1
        self.counts = Counter()
        self.mutations = Counter()
        self.rows = 0
        self.sids = 0
        self.wanted = self._want()

    def now_us(self):
        return START_US + round(self.seconds * 1e6)

    def _want(self):
        books = self.corpus["orderbook_snapshot"] + self.corpus[BOOKS]
        tickers = [name for each in books if isinstance(name := each["msg"].get("market_ticker"), str)]
        wanted = frozenset([each for each, _ in Counter(tickers).most_common(MOST_BOOKS)] + ["KXA-1"])
        for channel in CHANNELS:
            self.session.want(channel, wanted if channel == BOOKS else ALL, listens=channel)
            self.session.listen(channel, on=True)
        self.session.want(BOOKS, wanted, listens=QUOTES)
        self.answer()
        return wanted

    # What the exchange would do

    def answer(self):
        """Answer every command as the exchange would."""
        outgoing = self.session.outgoing
        while outgoing:
            command = json.loads(outgoing.popleft())
            for frame in self._answers(command, command.get("params", {})):
                self.session.receive([encoded(frame)], self.now_us())

    def _answers(self, command, params):
        number = command["id"]
        if command["cmd"] == "subscribe":
            self.sids += 1
            (channel,) = params["channels"]
            yield {"type": "subscribed", "id": number, "msg": {"channel": channel, "sid": self.sids}}
            if channel == BOOKS:
                yield from self._snapshots(self.sids, params["market_tickers"])
        elif command["cmd"] == "list_subscriptions":
            there = [
                {"channel": name, "sid": each.sid} for name, each in self.session.subscriptions.items() if each.sid
            ]
            yield {"type": "ok", "id": number, "msg": there}
        elif command["cmd"] == "unsubscribe":
            (sid,) = params["sids"]
            yield {"type": "unsubscribed", "id": number, "sid": sid, "seq": self._due(sid)}
        else:
            (sid,) = params["sids"]
            if params["action"] == "get_snapshot":
                yield from self._snapshots(sid, params["market_tickers"], id=number)
                return
            names = {key: value for key, value in params.items() if isinstance(value, list) and key != "sids"}
            yield {"type": "ok", "id": number, "sid": sid, "seq": self._due(sid), "msg": names}
            if params["action"] == "add_markets" and self._channel(sid) == BOOKS:
                yield from self._snapshots(sid, params["market_tickers"])

    def _snapshots(self, sid, tickers, **top):
        for ticker in tickers:
            msg = {"market_ticker": ticker, "market_id": "x", **OWN["orderbook_snapshot"]}
            yield {"type": "orderbook_snapshot", **top, "sid": sid, "seq": self._due(sid), "msg": msg}

    def _subscription(self, sid):
        return next((each for each in self.session.subscriptions.values() if each.sid == sid), None)

    def _channel(self, sid):
        found = self._subscription(sid)
        return None if found is None else found.channel

    def _due(self, sid):
        found = self._subscription(sid)
        return 1 if found is None or found.counting.seq is None else found.counting.seq + 1

    # What comes instead

    def _frame(self):
        """A frame of the corpus with the sid of its channel, and mostly the number that is due."""
        frame = copy.copy(self.random.choice(self.corpus[self.random.choice(self.kinds)]))
        channel = self.channel_of.get(str(frame["type"])) or self.random.choice(CHANNELS)
        subscription = self.session.subscriptions[channel]
        if "sid" in frame and subscription.sid is not None:
            frame["sid"] = subscription.sid
            if "seq" in frame and self.random.random() < 0.95:
                seq = subscription.counting.seq
                frame["seq"] = 1 if seq is None else seq + 1
        return frame

    def one(self):
        """Break one frame, and send it through the decoder and through the session."""
        raw, kinds = mutated(self.random, self._frame, nested=0.005)
        self.mutations.update(kinds)
        try:
            found = type(decode(raw)).__name__
        except Rejected:
            found = "rejected"
        self.counts[found if found in ("rejected", "UnknownFrame") else "read"] += 1
        self.session.receive([raw], self.now_us())
        self.seconds += A_FRAME
        if self.session.outgoing:
            self.answer()
        if self.random.random() < KILLS:
            self.reconnect()

    def look(self):
        """Let time pass, take the rows that were made, and reconnect where that was asked for."""
        self.session.tick()
        self.answer()
        events = self.session.events
        again = any(isinstance(each, Reconnect) for each in events)
        events.clear()
        if again:
            self.reconnect()
        for name in (*CHANNELS, QUOTES):
            rows = self.session.rows(name)
            self.rows += len(rows)
            for value in (value for row in rows for value in row):
                assert not isinstance(value, int) or abs(value) < 2**63, (name, value)
            if rows and name != QUOTES:
                from_rows(name, Batch(name, rows).rows_for(None))
            rows.clear()
        assert len(self.session.rejects) <= 100
        assert len(self.session.gaps) <= 10_000
        assert len(self.session._state.commands) < 50
        # A broken refusal may have ended an interest, as an unbroken one does; whoever made it asks again.
        for channel in CHANNELS:
            subscription = self.session.subscriptions[channel]
            if not subscription.requests or subscription.membership.given_up or subscription.membership.refused:
                before = list(subscription.requests)
                self.session.want(channel, self.wanted if channel == BOOKS else ALL, listens=channel)
                self.session.want(BOOKS, self.wanted, listens=QUOTES) if channel == BOOKS else None
                if before:
                    self.session.release(*before)
        self.answer()

    def reconnect(self):
        self.session.disconnected()
        self.session.connected()
        self.connections += 1
        self.answer()

    def settle(self):
        """Be a good exchange again: how many of the books are not then what it says."""
        self.session.want(BOOKS, self.wanted, listens=BOOKS)
        self.reconnect()
        for _ in range(600):
            self.seconds += 0.1
            self.session.tick()
            self.answer()
        good = ("live", ([(4700, 1000)], [(4800, 2000)]))
        ladders = [self.session.ladder(ticker) for ticker in sorted(self.wanted)]
        return sum((each.status, each.levels()) != good for each in ladders)


def _fill_the_memory_of_numbers():
    """Bring the bounded memories of converted strings to their bound, where a long run arrives by itself."""
    for memory in (COUNTS, PRICES, COSTS, VALUES):
        number, before = 0, -1
        while len(memory) > before:
            before = len(memory)
            for number in range(number, number + 10_000):  # noqa: B020  # goes on where it stopped
                memory[f"{number}.37"]


def _size():
    """Objects and memory in use; free memory that the C library keeps in hand is given back first."""
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
    return len(gc.get_objects()), round(resident_mb(), 1)


def _growth(sizes):
    return round(100 * (sizes[-1] / sizes[(len(sizes) - 1) // 2] - 1), 2)


def fuzz(seed, frames, *, progress=sys.stderr):
    """Send `frames` broken frames; memory is taken after each eighth, and its growth is from half-way to the end."""
    _fill_the_memory_of_numbers()
    fuzzer = Fuzzer(seed)
    began = told = time.monotonic()
    sizes = []
    for number in range(1, frames + 1):
        fuzzer.one()
        if number % BETWEEN_LOOKS == 0 or number == frames:
            fuzzer.look()
            if number * PARTS >= frames * (len(sizes) + 1):
                sizes.append(_size())
            if time.monotonic() - told >= 60:
                told = time.monotonic()
                rate = number / (told - began)
                print(
                    f"fuzz: {number:,} of {frames:,} frames, {rate:,.0f}/s, {resident_mb():.1f} MB",
                    file=progress,
                    flush=True,
                )
    passed = time.monotonic() - began
    wrong = fuzzer.settle()
    assert set(fuzzer.mutations) == set(MUTATIONS), "some way of breaking a frame was never tried"
    return FuzzResult(
        seed=seed,
        frames=frames,
        recorded=fuzzer.recorded,
        corpus=sum(map(len, fuzzer.corpus.values())),
        seconds=round(passed, 1),
        read=fuzzer.counts["read"],
        unknown=fuzzer.counts["UnknownFrame"],
        rejected=fuzzer.counts["rejected"],
        rows=fuzzer.rows,
        gaps=len(fuzzer.session.gaps) + fuzzer.session.gaps.dropped,
        connections=fuzzer.connections,
        mutations=dict(sorted(fuzzer.mutations.items())),
        resident_mb=tuple(resident for _, resident in sizes),
        memory_growth_percent=_growth([resident for _, resident in sizes]),
        object_growth_percent=_growth([objects for objects, _ in sizes]),
        books=len(fuzzer.wanted),
        wrong_books=wrong,
    )
