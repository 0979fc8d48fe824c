"""A night of a simulated market, recorded and exported, and held against the exchange's own ledger.

The clock is moved by hand, so that a night takes minutes; near its end some markets close and are paid out. The ledger
is written inside the exchange, from its events and before they are put into frames; the recording is read through its
Parquet files.
"""

import json
import tempfile
import time
from collections import Counter, defaultdict
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl

import kalshi_nb as kn
from kalshi_nb._recording.reading import Segments
from kalshi_nb._rows.heard import Checkpoint, Event, Read
from kalshi_nb.sim._events import Delta, Lifecycle, Ticker, Trade
from tests.soak.kills import wait

BOOK, LIFECYCLE = "orderbook_delta", "market_lifecycle_v2"
CHANNELS = ("trade", "ticker", BOOK, LIFECYCLE)
BEGINS = datetime(2026, 11, 22, 15, tzinfo=UTC)
MINUTE = 60.0
FAULTS = {"drop": 0.002, "duplicate": 0.002, "reorder": 0.002, "truncate": 0.002}
LOSSES = 4
"""Connections that are cut in a faulty night, evenly spread."""


@dataclass(frozen=True)
class NightResult:
    seed: int
    faulty: bool
    hours: float
    messages: int
    segments: int
    raw_mb: float
    file_mb: float
    recorded_in: float
    exported_in: float
    trades: int
    trades_missing: int
    changes: int
    changes_missing: int
    gaps: int
    gaps_of_trades: int
    books_looked_at: int
    wrong: list

    def record(self):
        return asdict(self)


class Ledger:
    """What happened on an exchange, written from its events: looks inside, since nothing outside is the truth."""

    def __init__(self, exchange):
        self.trades = []
        self.changes = Counter()
        self.levels = defaultdict(int)
        self.counts = Counter()
        self._venue = exchange._programme.venue
        self._publish = self._venue.publish
        self._venue.publish = self._publish_and_write

    def _publish_and_write(self, until_us, *, stamped_us):
        for each in self._publish(until_us, stamped_us=stamped_us):
            self._write(each._event, each._time_us)
            yield each

    def _write(self, event, time_us):
        if isinstance(event, Trade):
            trade = event.trade_id, event.market.ticker, event.yes_price, event.quantity, event.taker, time_us // 1000
            self.trades.append(trade)
        elif isinstance(event, Delta):
            self.changes[event.market.ticker] += 1
            self.levels[event.market.ticker, event.side, event.price] += event.quantity
        elif isinstance(event, Ticker | Lifecycle):
            self.counts[type(event).__name__, event.market.ticker] += 1

    def books(self):
        """Ticker to (YES bids, NO bids) as they are now, in 1/10000 dollar and 1/100 contract."""
        flows = self._venue._tape.flows
        return {
            ticker: (dict(each.book.levels("yes")), dict(each.book.levels("no"))) for ticker, each in flows.items()
        }


def one_night(seed, hours, *, faulty=False, start=BEGINS):
    """Record so many hours; return what was kept, and everything in which it and the ledger differ."""
    with tempfile.TemporaryDirectory() as place:
        folder, out = Path(place) / "night", Path(place) / "tables"
        began = time.monotonic()
        ledger, books = _recorded(folder, seed, hours, faulty, start)
        recorded_in = time.monotonic() - began
        recording = kn.open_recording(folder)
        began = time.monotonic()
        report = recording.export(out)
        exported_in = time.monotonic() - began
        info, gaps = recording.info(), recording.gaps().collect()
        frames = {
            each: pl.scan_parquet(out / f"channel={each}" / "**" / "*.parquet")
            for each in CHANNELS
            if report.rows.get(each)
        }
        trades = _trades(frames["trade"])
        wrong = _wrong_files(info, report, ledger, faulty)
        wrong += _wrong_books(recording, books)
        exported = kn.open_export(out).gaps().collect()
        if not exported.sort(pl.all()).equals(gaps.sort(pl.all())):
            wrong.append(f"exported gaps: {exported.height} in place of {gaps.height}")
        if faulty:
            wrong += _wrong_gaps(folder, gaps, ledger, trades)
        else:
            wrong += _wrong_rows(frames, ledger, trades)
            wrong += [] if gaps.is_empty() else [f"gaps: {gaps.height}"]
        changes = frames[BOOK].select(pl.len()).collect().item()
    return NightResult(
        seed=seed,
        faulty=faulty,
        hours=hours,
        messages=sum(info.messages.values()),
        segments=info.segments,
        raw_mb=round(info.raw_bytes / 1e6, 1),
        file_mb=round(info.file_bytes / 1e6, 1),
        recorded_in=round(recorded_in, 1),
        exported_in=round(exported_in, 1),
        trades=len(ledger.trades),
        trades_missing=len(ledger.trades) - len(trades),
        changes=sum(ledger.changes.values()),
        changes_missing=sum(ledger.changes.values()) - changes,
        gaps=gaps.height,
        gaps_of_trades=gaps.filter(channel="trade").height,
        books_looked_at=sum(map(len, books.values())),
        wrong=wrong,
    )


# The night ------------------------------------------------------------------------------------------------


def _recorded(folder, seed, hours, faulty, start):
    """Return the ledger, and the exchange's books at some moments, by microsecond."""
    books = {}
    with (
        kn.sim.Exchange(seed=seed, clock="manual", start=start, closes_in=hours * 3_000) as exchange,
        kn.connect(exchange, new=True) as feed,
    ):
        ledger = Ledger(exchange)
        recorder = feed.record(folder, CHANNELS, list(exchange.market_tickers))
        if faulty:
            exchange.faults.plan(seed, **FAULTS)
        minutes = round(hours * 60)
        lost_at = {round(minutes * (number + 1) / (LOSSES + 1)) for number in range(LOSSES)} if faulty else set()
        for minute in range(1, minutes + 1):
            exchange.advance(MINUTE)
            if minute in lost_at:
                _lose_connection(exchange, feed)
            if minute % 60 == 0 or minute == minutes // 2:
                _settle(exchange, feed)
                books[exchange.now_us()] = ledger.books()
                if faulty and minute < minutes:
                    exchange.faults.plan(seed * 1_000 + minute, **FAULTS)
            if minute % 10 == 0:
                assert recorder.flush(60)
        _settle(exchange, feed)
        books[exchange.now_us()] = ledger.books()
        assert recorder.close()
    return ledger, books


def _lose_connection(exchange, feed):
    """Cut the connection, and let the market go on for a while without anybody who hears it."""
    before = feed.health().reconnects
    exchange.faults.refuse_handshakes(503)
    exchange.faults.drop_connections()
    exchange.advance(5)
    assert wait(lambda: feed.health().reconnects > before and feed.state == "connected", 60)


def _settle(exchange, feed):
    """Let the line be whole until every book is right: a frame lost last of all shows only at the next one."""
    exchange.faults.clear()
    for _ in range(3):
        exchange.advance(5)
        assert wait(lambda: all(feed._engine.ladder(each).live for each in exchange.market_tickers), 60)


# What may differ ------------------------------------------------------------------------------------------


def _trades(frame):
    """Trades as the ledger writes them, and behind that their numbers and times of receipt."""
    rows = frame.select(
        "trade_id",
        "market_ticker",
        (pl.col("yes_price") * 10_000).round().cast(pl.Int64),
        (pl.col("count") * 100).round().cast(pl.Int64),
        "taker_outcome_side",
        pl.col("ts").dt.epoch("ms"),
        "seq",
        pl.col("received_at").dt.epoch("us"),
    )
    return rows.collect().rows()


def _wrong_files(info, report, ledger, faulty):
    wrong = []
    hours = info.end.replace(minute=0, second=0, microsecond=0) - info.start.replace(minute=0, second=0, microsecond=0)
    if info.segments != hours // timedelta(hours=1) + 1 or info.sealed != info.segments:
        wrong.append(f"segments: {info.segments}, {info.sealed} of them sealed")
    wrong += [*info.losses, *info.damages]
    if not faulty and report.rows["trade"] != len(ledger.trades):
        wrong.append(f"exported trades: {report.rows['trade']} of {len(ledger.trades)}")
    return wrong


def _wrong_rows(frames, ledger, trades):
    """Compare all rows of a night in which nothing was lost."""
    wrong = [
        f"trade {number}: {kept} in place of {true}"
        for number, (kept, true) in enumerate(zip(trades, ledger.trades, strict=False))
        if kept[:6] != true
    ][:10]
    by_market = frames[BOOK].group_by("market_ticker").len().collect().rows()
    if dict(by_market) != dict(ledger.changes):
        wrong.append(f"changes by market: {dict(by_market)} in place of {dict(ledger.changes)}")
    sums = (
        frames[BOOK]
        .group_by("market_ticker", "side", (pl.col("price") * 10_000).round().cast(pl.Int64))
        .agg((pl.col("delta") * 100).round().cast(pl.Int64).sum())
    )
    found = {row[:3]: row[3] for row in sums.collect().rows()}
    if found != dict(ledger.levels):
        wrong.append("the changes do not add up to the ledger's, level by level")
    for name, channel in (("Ticker", "ticker"), ("Lifecycle", LIFECYCLE)):
        counted = dict(frames[channel].group_by("market_ticker").len().collect().rows()) if channel in frames else {}
        # The answer to a subscription says how each market stands, which is no event of the ledger's.
        at_first = int(name == "Ticker")
        true = {ticker: count + at_first for (kind, ticker), count in ledger.counts.items() if kind == name}
        if counted != true:
            wrong.append(f"{channel} by market: {counted} in place of {true}")
    return wrong


def _wrong_books(recording, books):
    wrong = []
    for at, true in books.items():
        moment = datetime.fromtimestamp(at // 1_000_000, UTC).replace(microsecond=at % 1_000_000)
        found = {ticker: ({}, {}) for ticker in true}
        for _, ticker, _, bid_size, bid, ask, ask_size in recording.depth(at=moment, levels=1_000).collect().rows():
            if bid is not None:
                found[ticker][0][round(bid * 10_000)] = round(bid_size * 100)
            if ask is not None:
                found[ticker][1][10_000 - round(ask * 10_000)] = round(ask_size * 100)
        wrong += [f"book of {ticker} at {moment}" for ticker, book in true.items() if found[ticker] != book]
    return wrong


def _wrong_gaps(folder, gaps, ledger, trades):
    """Hold what is missing against what `gaps` says, number by number and trade by trade."""
    wrong = [] if not gaps["closed_at"].null_count() else ["open gaps"]
    holes = _holes(folder)
    said = defaultdict(Counter)
    for channel, first, last in (
        gaps.filter(pl.col("seq_to").is_not_null()).select("channel", "seq_from", "seq_to").rows()
    ):
        said[channel].update(range(first, last + 1))
    if said["trade"] != holes["trade"]:
        wrong.append(
            f"numbers of trades: {holes['trade'] - said['trade']} unsaid, {said['trade'] - holes['trade']} too many"
        )
    wrong += [
        f"numbers of {channel}: {holes[channel] - said[channel]} unsaid"
        for channel in (BOOK, LIFECYCLE)
        if holes[channel] - said[channel]
    ]
    return wrong + _wrong_trades(gaps, said["trade"], ledger, trades)


def _holes(folder):
    """Numbers that never came, by channel, counted from the lines of the recording with nothing of the kit's."""
    holes, channels, last = defaultdict(Counter), {}, {}
    for each in Segments(folder).items():
        if isinstance(each, Event) and each.kind == "lost":
            channels, last = {}, {}
        if isinstance(each, Checkpoint):
            for stood in each.subscriptions:
                if stood.sid not in channels:
                    channels[stood.sid], last[stood.sid] = stood.channel, stood.seq or 0
        if not isinstance(each, Read):
            continue
        for data in each.messages:
            try:
                frame = json.loads(data)
            except ValueError:
                continue
            if frame["type"] == "subscribed":
                channels[frame["msg"]["sid"]] = frame["msg"]["channel"]
                last[frame["msg"]["sid"]] = 0
            elif "seq" in frame and frame["seq"] > last[frame["sid"]]:
                holes[channels[frame["sid"]]].update(range(last[frame["sid"]] + 1, frame["seq"]))
                last[frame["sid"]] = frame["seq"]
    return holes


def _wrong_trades(gaps, said, ledger, trades):
    """Take each run of trades that are missing: it has the numbers of gaps, or lies in the loss of a connection."""
    kept, left, wrong = {row[0]: row for row in trades}, Counter(said), []
    wrong += [f"trade {each[0]} is not the ledger's" for each in ledger.trades if kept.get(each[0], each)[:6] != each]
    outages = (
        gaps.filter(channel="trade", reason="connection_lost")
        .select(pl.col("opened_at").dt.epoch("us"), pl.col("closed_at").dt.epoch("us"))
        .rows()
    )
    before, missing, seen = (0, 0), 0, 0
    for each in ledger.trades:
        row = kept.get(each[0])
        if row is None:
            missing += 1
            continue
        if missing:
            numbers, is_outage = _left_out(before, row[6:8], outages)
            left.subtract(numbers)
            if not is_outage and len(numbers) != missing:
                wrong.append(f"{missing} trades are missing before {row[0]}, and no gap says so")
        before, missing, seen = row[6:8], 0, seen + 1
    if missing:
        wrong.append(f"{missing} trades are missing at the end")
    if seen != len(trades):
        wrong.append(f"{len(trades) - seen} trades that the exchange never made, or one twice")
    odd = {number: count for number, count in left.items() if count}
    return wrong + ([f"numbers that gaps and missing trades do not agree on: {odd}"] if odd else [])


def _left_out(before, after, outages):
    """Return the numbers between two trades that were kept, and whether the connection was lost between them."""
    (number, began), (next_number, ended) = before, after
    if any(began <= opened and closed <= ended for opened, closed in outages):
        return range(1, next_number), True
    return range(number + 1, next_number), False
