"""``recording.repair()``: what a recording lacks of trades is fetched, is all there was, and is written beside it."""

import hashlib
import json
import random
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import kalshi_nb as kn
from kalshi_nb._frames.schema import frame_of
from kalshi_nb._markets.recent_trades import Anchor
from kalshi_nb._recording.backfilled import Piece, open_here, read, write
from kalshi_nb._recording.lock import FolderLock
from kalshi_nb._recording.merging import merged
from kalshi_nb._recording.missing import missing_trades
from kalshi_nb._rows.channels import LAYOUTS
from kalshi_nb._rows.gaps import Gap, GapRow
from kalshi_nb.errors import (
    ConfigurationError,
    RecordingError,
    RecordingInUseError,
    RestError,
    RestUnavailableError,
    UnknownEnvironmentError,
)
from tests.feed.conftest import until

REPAIR = "kalshi_nb._recording.repair"


def cut(exchange, feed, seconds):
    """Cut the line, and let time of the market's pass until it is there again."""
    exchange.faults.refuse_handshakes(503, count=1)
    lose(exchange, feed)
    exchange.advance(seconds)
    until(lambda: feed.health().state == "connected", "there is no connection again")


def lose(exchange, feed):
    """Cut the line, and wait until the feed knows."""
    before = feed.gaps.height
    exchange.faults.drop_connections()
    until(lambda: feed.gaps.height > before, "the loss is not seen")


def tear(folder):
    """Take the end of the newest segment away, as a crash of the computer does."""
    newest = max(folder.glob("*/*.jsonl.zst"))
    newest.rename(newest.with_name(f"{newest.name}.part"))
    with newest.with_name(f"{newest.name}.part").open("rb+") as file:
        file.truncate(file.seek(0, 2) * 4 // 5)


@pytest.fixture(scope="module")
def night(tmp_path_factory):
    """The exchange, and three runs of a recording of its trades: a line that was cut and lost frames, a torn end."""
    folder = tmp_path_factory.mktemp("repair") / "night"
    with kn.sim.Exchange(seed=7, clock="manual") as exchange:
        for run in range(3):
            with kn.connect(exchange, new=True) as feed, feed.record(folder, "trade") as recorder:
                exchange.advance(30)
                assert recorder.flush()
                cut(exchange, feed, 25)
                exchange.faults.plan(run, drop=0.02)
                exchange.advance(30)
                exchange.faults.clear()
                exchange.advance(10)
            if run == 1:
                tear(folder)
            exchange.advance(5)  # all of it within five minutes, whenever in `cut` the line is there again
        yield exchange, folder


@pytest.fixture
def exchange(night):
    yield night[0]
    night[0].faults.rest()


@pytest.fixture
def folder(night, tmp_path):
    return shutil.copytree(night[1], tmp_path / "night")


@pytest.fixture(autouse=True)
def _unhurried(monkeypatch):
    """The exchange here takes more than five questions a second of somebody without a key."""
    monkeypatch.setattr("kalshi_nb._rest.client.ANONYMOUS", 500)


def segments_of(folder):
    return {str(each): hashlib.sha256(each.read_bytes()).hexdigest() for each in folder.glob("*/*.jsonl.zst*")}


def files_of(folder):
    return sorted((folder / "backfilled").glob("*.json.zst"))


def dealt(exchange, df, markets=None):
    """The exchange's own trades between the first and the last of a frame, as the frame should have them."""
    first, last = (int(df["ts"].dt.epoch("us")[at]) for at in (0, -1))
    return {
        each.trade_id: (
            each.trade.market.ticker,
            each.time_us,
            each.trade.yes_price / 10_000,
            each.trade.quantity / 100,
            each.trade.taker,
        )
        for each in exchange._programme.venue.ledger.dealt()
        if first <= each.time_us < last + 1_000 and (markets is None or each.trade.market.ticker in markets)
    }


def told(df):
    """The trades of a frame, likewise; the socket tells of times to the millisecond."""
    columns = ("trade_id", "market_ticker", pl.col("ts").dt.epoch("us"), "yes_price", "count", "taker_outcome_side")
    return {row[0]: row[1:] for row in df.select(*columns).iter_rows()}


def is_the_exchanges(exchange, df, markets=None):
    """Hold a frame against the exchange's ledger, row by row; return how many there are."""
    expected, found = dealt(exchange, df, markets), told(df)
    assert df["trade_id"].is_unique().all()
    assert found.keys() == expected.keys()
    fetched = set(df.filter("backfilled")["trade_id"])
    for name, (market, at, *rest) in expected.items():
        assert found[name] == (market, at if name in fetched else at // 1_000 * 1_000, *rest)
    return len(found)


def test_what_is_missing_is_fetched_and_then_all_is_as_the_exchange_made_it(exchange, folder):
    recording, before = kn.open_recording(folder), segments_of(folder)
    short, gaps = recording.trades().collect(), recording.gaps().collect()
    assert {"connection_lost", "sequence", "not_recorded", "torn"} <= set(gaps["reason"])
    report = recording.repair(exchange)
    assert (report.gaps, report.repaired, report.left) == (gaps.height, gaps.height, ())
    df = recording.trades().collect()
    assert is_the_exchanges(exchange, df) == short.height + report.trades
    assert report.trades > 300
    fetched = df.filter("backfilled")
    assert fetched.height == report.trades == recording.info().backfilled
    assert fetched["received_at"].null_count() == fetched["seq"].null_count() == fetched.height
    assert fetched.equals(fetched.sort("ts", "trade_id"))
    assert df["ts"].is_sorted()
    assert_frame_equal(df.filter(~pl.col("backfilled")).drop("backfilled"), short)
    assert recording.gaps().collect()["repaired_by"].to_list() == ["rest"] * gaps.height
    assert_frame_equal(recording.gaps().collect().drop("repaired_by"), gaps.drop("repaired_by"))
    assert segments_of(folder) == before
    again = kn.open_recording(folder)
    assert_frame_equal(again.trades().collect(), df)
    assert again.gaps().collect()["repaired_by"].to_list() == ["rest"] * gaps.height


def test_a_second_call_asks_nobody_and_writes_nothing(exchange, folder):
    first = kn.open_recording(folder).repair(exchange)
    before = {each: (each.read_bytes(), each.stat().st_mtime_ns) for each in files_of(folder)}
    exchange.faults.rest(refuse=1_000)
    second = kn.open_recording(folder).repair(exchange)
    assert (second.gaps, second.repaired, second.trades, second.left) == (first.gaps, first.repaired, 0, ())
    assert {each: (each.read_bytes(), each.stat().st_mtime_ns) for each in files_of(folder)} == before


@pytest.mark.parametrize(
    "trouble",
    [
        {"cache": 3_600},
        {"tokens": 200},
        {"cursors": "empty_page"},
        {"refuse": 3, "refusal": "text"},
        {"refuse": 2, "refusal": "gateway"},
    ],
    ids=str,
)
def test_what_goes_wrong_over_rest_changes_nothing_of_what_is_repaired(exchange, folder, trouble):
    exchange.faults.rest(**trouble)
    recording = kn.open_recording(folder)
    report = recording.repair(exchange)
    assert report.repaired == report.gaps
    is_the_exchanges(exchange, recording.trades().collect())


def test_what_cannot_be_proven_is_not_written_and_is_repaired_once_it_can_be(exchange, folder, monkeypatch):
    recording = kn.open_recording(folder)
    short = recording.trades().collect()
    exchange.faults.rest(late=3_600)  # no trade of the night is to be seen
    # When the line was there again is a matter of the machine, and the night takes nearly as long as that bound.
    monkeypatch.setattr("kalshi_nb._recording.repair._SEEN_BY", 10**12)
    report = recording.repair(exchange)
    assert (report.repaired, report.trades) == (0, 0)
    assert all("not to be seen over REST yet" in each for each in report.left)
    with monkeypatch.context() as patched:
        patched.setattr("kalshi_nb._recording.repair._SEEN_BY", -(10**12))  # as if it were long ago
        assert all("if another exchange was recorded" in each for each in recording.repair(exchange).left)
    assert recording.gaps().collect()["repaired_by"].null_count() == report.gaps
    assert files_of(folder) == []
    assert_frame_equal(recording.trades().collect(), short)
    exchange.faults.rest()
    assert recording.repair(exchange).repaired == report.gaps
    is_the_exchanges(exchange, recording.trades().collect())


def test_what_was_too_early_is_not_answered_from_a_cache_the_next_time(tmp_path):
    with kn.sim.Exchange(seed=5, clock="manual") as exchange, kn.connect(exchange, new=True) as feed:
        with feed.record(tmp_path / "night", "trade"):
            exchange.advance(30)
            cut(exchange, feed, 25)
            exchange.advance(30)
        recording = kn.open_recording(tmp_path / "night")
        exchange.faults.rest(late=120, cache=3_600)
        assert len(recording.repair(exchange).left) == 1
        exchange.advance(125)
        assert recording.repair(exchange).left == ()
        is_the_exchanges(exchange, recording.trades().collect())


def test_without_the_trade_before_a_gap_nothing_is_called_repaired(tmp_path):
    for seed, minute in ((5, 0), (6, 5)):  # of two exchanges, of which neither knows the other's trades
        start = datetime(2026, 11, 22, 15, minute, tzinfo=UTC)
        with (
            kn.sim.Exchange(seed=seed, clock="manual", start=start) as exchange,
            kn.connect(exchange, new=True) as feed,
            feed.record(tmp_path / "night", "trade") as recorder,
        ):
            exchange.advance(30)
            assert recorder.flush()
            report = kn.open_recording(tmp_path / "night").repair(exchange) if minute else None
    assert (report.gaps, report.repaired, report.trades) == (1, 0, 0)
    assert "does not tell of the trade before it" in report.left[0]
    assert files_of(tmp_path / "night") == []


@pytest.fixture
def piecewise(monkeypatch):
    """What is missing is fetched in many pieces."""
    monkeypatch.setattr(f"{REPAIR}._PIECE", 1_000_000)


@pytest.mark.usefixtures("piecewise")
def test_long_gaps_are_fetched_piece_by_piece_and_come_to_the_same(exchange, folder):
    recording = kn.open_recording(folder)
    report = recording.repair(exchange)
    assert (report.repaired, report.left) == (report.gaps, ())
    assert len(files_of(folder)) > 40
    df = recording.trades().collect()
    is_the_exchanges(exchange, df)
    assert df["ts"].is_sorted()


@pytest.mark.usefixtures("piecewise")
def test_an_outage_of_rest_keeps_what_was_proven_and_the_next_call_goes_on(exchange, folder, monkeypatch):
    monkeypatch.setattr("kalshi_nb._rest.client.RestClient.get.__kwdefaults__", {"tries": 1, "timeout": 5.0})
    recording = kn.open_recording(folder)
    exchange.faults.rest(refuse=1_000, after=30, refusal="gateway")
    with pytest.raises(RestError) as raised:
        recording.repair(exchange)
    assert "are kept" in raised.value.__notes__[0]
    kept = {each: each.read_bytes() for each in files_of(folder)}
    assert kept
    part = recording.trades().collect()
    assert 0 < part.filter("backfilled").height == recording.info().backfilled
    assert part["ts"].is_sorted()
    marks = recording.gaps().collect()["repaired_by"]
    assert marks.null_count() > 0
    exchange.faults.rest()
    report = recording.repair(exchange)
    assert report.repaired == report.gaps
    assert kept.items() <= {each: each.read_bytes() for each in files_of(folder)}.items()
    assert report.trades + part.filter("backfilled").height == recording.info().backfilled
    is_the_exchanges(exchange, recording.trades().collect())


@pytest.mark.usefixtures("piecewise")
def test_ctrl_c_keeps_what_was_proven(exchange, folder):
    recording, asked = kn.open_recording(folder), []

    def interrupted(rows, _reached):
        asked.append(rows)
        if len(asked) == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        recording.repair(exchange, progress=interrupted)
    assert files_of(folder)
    assert recording.gaps().collect()["repaired_by"].null_count() > 0
    assert recording.repair(exchange).left == ()
    is_the_exchanges(exchange, recording.trades().collect())


KILLED = """
import sys
import kalshi_nb._recording.repair as repair
repair._PIECE = 1_000_000
import kalshi_nb as kn
kn.open_recording(sys.argv[1]).repair(sys.argv[2])
"""


def test_a_repair_that_is_killed_leaves_whole_files_and_the_next_one_goes_on(exchange, folder):
    chance = random.Random(1)
    for _ in range(3):
        with subprocess.Popen([sys.executable, "-c", KILLED, str(folder), exchange.url]) as process:
            before, end = len(files_of(folder)), time.monotonic() + 60
            while len(files_of(folder)) < before + 2 and process.poll() is None:
                assert time.monotonic() < end
                time.sleep(0.002)
            time.sleep(chance.uniform(0, 0.1))
            process.send_signal(signal.SIGKILL)
            process.wait(30)
        recording = kn.open_recording(folder)
        assert recording.info().damages == kn.open_recording(folder).info().damages
        assert not any("backfilled" in each for each in recording.info().damages)
        assert recording.trades().collect()["trade_id"].is_unique().all()
    report = recording.repair(exchange)
    assert (report.repaired, report.left) == (report.gaps, ())
    is_the_exchanges(exchange, recording.trades().collect())
    assert not list((folder / "backfilled").glob(".*.part"))


def test_a_file_that_is_damaged_is_as_if_it_had_not_been_fetched(exchange, folder, monkeypatch):
    monkeypatch.setattr(f"{REPAIR}._PIECE", 10_000_000)
    recording = kn.open_recording(folder)
    recording.repair(exchange)
    right = recording.trades().collect()
    for number, file in enumerate(files_of(folder)[1::4]):
        data = bytearray(file.read_bytes())
        data[len(data) * (number + 1) // 9] ^= 0x10
        file.write_bytes(data)
    damaged = kn.open_recording(folder)
    df = damaged.trades().collect()
    assert df.height < right.height
    assert_frame_equal(df.filter("backfilled"), right.filter("backfilled").join(df, on="trade_id", how="semi"))
    assert damaged.gaps().collect()["repaired_by"].null_count() > 0
    assert sum("repair again" in each for each in damaged.info().damages) == len(files_of(folder)[1::4])
    damaged.repair(exchange)
    assert_frame_equal(damaged.trades().collect(), right)


def test_exports_have_what_was_fetched_and_that_gaps_are_repaired(exchange, folder, tmp_path):
    recording = kn.open_recording(folder)
    before = recording.export(tmp_path / "tables")
    assert recording.export(tmp_path / "tables").skipped == before.segments
    recording.repair(exchange)
    report = recording.export(tmp_path / "tables")
    assert report.skipped == 0
    assert recording.export(tmp_path / "tables").skipped == report.segments
    df, export = recording.trades().collect(), kn.open_export(tmp_path / "tables")
    assert report.rows["trade"] == df.height == before.rows["trade"] + recording.info().backfilled
    assert_frame_equal(export.frame("trade").drop("channel", "date").collect(), df)
    assert_frame_equal(export.gaps().collect(), recording.gaps().collect())
    for kind, reader in (("arrow", pl.read_ipc), ("ndjson", partial(pl.read_ndjson, infer_schema_length=None))):
        recording.export(tmp_path / kind, kind)
        files = sorted((tmp_path / kind / "channel=trade").rglob("*.*"))
        assert pl.concat(map(reader, files))["trade_id"].to_list() == df["trade_id"].to_list()
    by_segment = recording.map_segments(lambda segment: segment.trades().collect())
    assert_frame_equal(pl.concat(by_segment), df)
    one = recording.export(tmp_path / "one", market_tickers=df["market_ticker"][0])
    assert one.rows["trade"] == df.filter(market_ticker=df["market_ticker"][0]).height


def test_a_segment_without_a_trade_has_the_columns_of_the_others(exchange, folder, tmp_path):
    kn.open_recording(folder).repair(exchange)
    with kn.connect(exchange, new=True) as feed, feed.record(folder, "trade"):
        pass
    recording = kn.open_recording(folder)
    recording.export(tmp_path / "tables")
    assert_frame_equal(
        kn.open_export(tmp_path / "tables").frame("trade").drop("channel", "date").collect(),
        recording.trades().collect(),
    )


def test_candles_are_made_of_all_trades_and_are_complete(exchange, folder):
    recording = kn.open_recording(folder)
    short = recording.candles("10s").collect()
    recording.repair(exchange)
    bars = recording.candles("10s").collect()
    assert not short["complete"].all()
    first, last = (recording.info().start, recording.info().end)
    within = (pl.col("start") >= first) & (pl.col("end") <= last)
    assert bars.filter(within)["complete"].all()
    ledger = pl.DataFrame(
        [(each[0], each[1], each[3]) for each in dealt(exchange, recording.trades().collect()).values()],
        schema=["market_ticker", "at", "count"],
        orient="row",
    )
    expected = ledger.group_by("market_ticker", pl.col("at") // 10_000_000).agg(pl.len(), pl.col("count").sum())
    assert bars.height == expected.height > short.height
    assert bars["trades"].sum() == expected["len"].sum()
    assert bars["volume"].sum() == pytest.approx(expected["count"].sum())


def test_some_markets_and_some_time_of_what_was_fetched(exchange, folder):
    recording = kn.open_recording(folder)
    recording.repair(exchange)
    df = recording.trades().collect()
    fetched = df.filter("backfilled")
    first, last = fetched["ts"][50], fetched["ts"][-50]
    when = pl.coalesce("received_at", "ts").is_between(first, last)
    assert_frame_equal(recording.trades(start=first, end=last).collect(), df.filter(when))
    market = fetched["market_ticker"][0]
    assert_frame_equal(recording.trades(market).collect(), df.filter(market_ticker=market))
    assert_frame_equal(
        recording.trades().filter("backfilled").select("trade_id").head(7).collect(),
        fetched.select("trade_id").head(7),
    )
    with pytest.raises(ConfigurationError, match="ticker: not recorded in"):
        recording.tickers()


def test_a_replay_plays_what_was_recorded_alone(exchange, folder):
    recording = kn.open_recording(folder)
    recorded = recording.trades().collect()
    recording.repair(exchange)
    with kn.replay(folder, speed="max") as feed:
        trades = feed.trades(rows=1_000_000)
        feed.replaying.resume()
        feed.replaying.wait(timeout=60)
        feed.flush()
        assert_frame_equal(trades.df, recorded)
        assert feed.gaps["repaired_by"].null_count() == feed.gaps.height


@pytest.mark.usefixtures("piecewise")
def test_in_whatever_blocks_a_recording_is_read_what_was_fetched_stands_at_the_same_places(exchange, folder):
    recorded = kn.open_recording(folder).trades().collect()
    recording = kn.open_recording(folder)
    recording.repair(exchange)
    whole, chance = recording.trades().collect(), random.Random(3)
    files = sorted(read(str(folder), {}, open_here).files, key=lambda each: each.piece.since)
    for most in (1, 7, 100):
        blocks, at = [], 0
        while at < recorded.height:
            blocks.append(("trade", recorded.slice(at, (size := chance.randint(1, most)))))
            at += size
        assert_frame_equal(pl.concat([rows for _, rows in merged(blocks, files, None, None)]), whole)


def a_trade(at, name, received_at=None):
    """A row of the channel."""
    values = {"ts": at, "market_ticker": "A", "yes_price": 5_000, "count": 100, "trade_id": name}
    return tuple({**values, "received_at": received_at}.get(each.name) for each in LAYOUTS["trade"])


@pytest.mark.parametrize("size", [1, 2, 6])
def test_those_of_one_time_stand_behind_the_recorded_one_and_a_late_one_moves_nobody(tmp_path, size):
    times = (10, 30, 20, 30, 40, 35)  # as they came
    rows = [a_trade(at, f"live {number}", received_at=100 + number) for number, at in enumerate(times)]
    late = [a_trade(at, f"late {at}") for at in (5, 25, 30, 36, 40, 50)]
    anchors = Anchor(0, "before", 0), Anchor(60, "after", 0)
    piece = Piece([], *anchors, *anchors, since=0, until=60, whole=True, segments=("1", "1"), rows=len(late))
    (tmp_path / "backfilled").mkdir()
    file = write(tmp_path, piece, late)
    blocks = [("trade", frame_of("trade", rows[at : at + size])) for at in range(0, len(rows), size)]
    found = pl.concat([each for _, each in merged(blocks, [file], None, None)])
    expected = "late 5, live 0, late 25, live 1, live 2, live 3, late 30, late 36, live 4, live 5, late 40, late 50"
    assert found["trade_id"].to_list() == expected.split(", ")
    assert found["backfilled"].to_list() == [name.startswith("late") for name in found["trade_id"]]


def test_gaps_of_one_read_are_repaired_once_nothing_is_missing_behind_any_of_its_trades(tmp_path):
    one, three, four = (a_trade(at, str(at), received_at=50) for at in (1, 3, 4))
    place = GapRow(None, 50, "sequence")
    late = Gap("trade", None, 50, 50, "sequence", None, None)
    gaps = [Gap("trade", None, 50, 50, "sequence", 2, 2), late]
    found, _ = missing_trades([([one, place, three, place, four], None)], gaps, None, 0)
    assert [(len(each.gaps), each.beside) for each in found] == [(2, ["3"]), (2, ["1"])]
    (tmp_path / "backfilled").mkdir()
    for each in found:
        assert [gap.repaired_by for gap in read(str(tmp_path), {}, open_here).mark(gaps)] == [None, None]
        ends = {"before": each.before, "after": each.after, "older": each.before, "newer": each.after}
        when = {"since": each.since, "until": each.until, "whole": True, "segments": ("1", "1")}
        write(tmp_path, Piece(each.gaps, **ends, **when, rows=0, beside=each.beside), [])
    assert [gap.repaired_by for gap in read(str(tmp_path), {}, open_here).mark(gaps)] == ["rest", "rest"]


@pytest.mark.parametrize("count", [2, 12])
def test_of_some_markets_only_their_trades_are_fetched(tmp_path, count):
    with kn.sim.Exchange(seed=9, clock="manual") as exchange, kn.connect(exchange, new=True) as feed:
        markets = list(exchange.market_tickers)[:count]
        with feed.record(tmp_path / "night", "trade", markets):
            exchange.advance(120)
            cut(exchange, feed, 240)
            exchange.advance(120)
        recording = kn.open_recording(tmp_path / "night")
        report = recording.repair(exchange)
        assert (report.gaps, report.repaired) == (1, 1)
        assert report.trades > 0
        is_the_exchanges(exchange, recording.trades().collect(), markets)


def test_a_market_that_was_added_later_has_no_trades_of_a_gap_before_that(tmp_path):
    with kn.sim.Exchange(seed=9, clock="manual") as exchange, kn.connect(exchange, new=True) as feed:
        one, other = list(exchange.market_tickers)[:2]
        feed.trades(one)
        with feed.record(tmp_path / "night"):
            exchange.advance(120)
            cut(exchange, feed, 240)
            exchange.advance(120)
            feed.trades(other)
            exchange.advance(240)
        recording = kn.open_recording(tmp_path / "night")
        assert set(recording.trades().collect()["market_ticker"]) == {one, other}
        assert recording.repair(exchange).trades > 0
        assert set(recording.trades().filter("backfilled").collect()["market_ticker"]) == {one}


def test_while_it_is_being_recorded_what_is_over_is_repaired(tmp_path):
    with kn.sim.Exchange(seed=5, clock="manual") as exchange, kn.connect(exchange, new=True) as feed:
        recorder = feed.record(tmp_path / "night", "trade")
        exchange.advance(30)
        cut(exchange, feed, 30)
        exchange.advance(30)
        assert recorder.flush()
        report = recorder.open().repair(exchange)
        assert (report.gaps, report.repaired) == (1, 1)
        lose(exchange, feed)
        assert recorder.flush()
        report = recorder.open().repair(exchange)
        assert (report.gaps, report.repaired, report.trades) == (2, 1, 0)
        assert "no trade came behind it yet" in report.left[0]
        exchange.advance(30)
        assert recorder.close()
        recording = kn.open_recording(tmp_path / "night")
        assert recording.repair().repaired == 2  # asks where it was recorded
        is_the_exchanges(exchange, recording.trades().collect())


def test_a_gap_that_the_recording_ends_in_is_said_and_touches_nothing(tmp_path):
    with kn.sim.Exchange(seed=5, clock="manual") as exchange:
        with kn.connect(exchange, new=True) as feed, feed.record(tmp_path / "night", "trade"):
            exchange.advance(30)
            lose(exchange, feed)
        report = kn.open_recording(tmp_path / "night").repair(exchange)
        assert (report.gaps, report.repaired, len(report.left)) == (1, 0, 1)
        assert not (tmp_path / "night" / "backfilled").exists()


def test_a_gap_before_the_first_trade_is_repaired_by_the_one_behind_it(tmp_path):
    with kn.sim.Exchange(seed=5, clock="manual") as exchange, kn.connect(exchange, new=True) as feed:
        with feed.record(tmp_path / "night", "trade"):
            cut(exchange, feed, 30)
            exchange.advance(30)
        recording = kn.open_recording(tmp_path / "night")
        short = recording.trades().collect()
        report = recording.repair(exchange)
        assert (report.gaps, report.repaired) == (1, 1)
        df = recording.trades().collect()
        is_the_exchanges(exchange, df)
        assert df.height > short.height
        assert df["ts"][0] >= recording.info().start


def test_two_do_not_repair_it_at_once(exchange, folder):
    (folder / "backfilled").mkdir()
    lock = FolderLock(folder / "backfilled")
    try:
        said = rf"^The recording of {re.escape(str(folder))} is being repaired by this process.*wait"
        with pytest.raises(RecordingInUseError, match=said):
            kn.open_recording(folder).repair(exchange)
    finally:
        lock.release()
    assert kn.open_recording(folder).repair(exchange).left == ()


def test_a_place_that_cannot_be_written_is_said_with_what_to_do(exchange, folder):
    (folder / "backfilled").write_text("in the way")
    with pytest.raises(RecordingError, match=r"cannot be written: .* repaired in a copy"):
        kn.open_recording(folder).repair(exchange)


def test_who_cannot_be_asked_is_refused_with_what_to_do(exchange, folder, tmp_path):
    recording = kn.open_recording(folder)
    with pytest.raises(ConfigurationError, match="Only the simulated exchange that was recorded"):
        recording.repair("sim")
    with pytest.raises(ConfigurationError, match="'prod', 'demo'"):
        recording.repair(7)
    with pytest.raises(UnknownEnvironmentError, match="Did you mean 'prod'"):
        recording.repair("production")
    (folder / "recording.json").unlink()
    with pytest.raises(ConfigurationError, match="does not say which exchange"):
        recording.repair()
    assert recording.repair(exchange.url).left == ()
    with kn.connect(exchange, new=True) as feed, feed.record(tmp_path / "other", "ticker"):
        exchange.advance(1)
    with pytest.raises(ConfigurationError, match="has no trades, and nothing else"):
        kn.open_recording(tmp_path / "other").repair(exchange)


def test_an_exchange_that_is_gone_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr("kalshi_nb._rest.client.RestClient.get.__kwdefaults__", {"tries": 1, "timeout": 5.0})
    with (
        kn.sim.Exchange(seed=5, clock="manual") as exchange,
        kn.connect(exchange, new=True) as feed,
        feed.record(tmp_path / "night", "trade"),
    ):
        exchange.advance(10)
        cut(exchange, feed, 10)
        exchange.advance(10)
    with pytest.raises(RestUnavailableError) as gone:
        kn.open_recording(tmp_path / "night").repair()
    assert [each.split("?")[0] for each in gone.value.__notes__] == ["Was that a simulated exchange which has ended"]


def test_elsewhere_it_is_read_and_not_repaired(exchange, folder):
    import fsspec

    kn.open_recording(folder).repair(exchange)
    system = fsspec.filesystem("memory")
    system.put(str(folder), "/repaired/night", recursive=True)
    there = kn.open_recording("memory://repaired/night")
    assert_frame_equal(there.trades().collect(), kn.open_recording(folder).trades().collect())
    assert there.gaps().collect()["repaired_by"].null_count() == 0
    with pytest.raises(ConfigurationError, match="copy the recording to a folder of this computer"):
        there.repair(exchange)


def test_one_segment_has_what_was_fetched_for_it(exchange, folder):
    recording = kn.open_recording(folder)
    recording.repair(exchange)
    segments = sorted(folder.glob("*/*.jsonl.zst*"))
    for path, expected in zip(segments, recording.map_segments(lambda each: each.trades().collect()), strict=True):
        found = kn.open_recording(path).trades().collect()
        assert_frame_equal(found.filter("backfilled"), expected.filter("backfilled"))


def test_progress_is_told(exchange, folder):
    seen = []
    report = kn.open_recording(folder).repair(exchange, progress=lambda rows, reached: seen.append((rows, reached)))
    assert [rows for rows, _ in seen] == sorted(rows for rows, _ in seen)
    assert seen[-1][0] >= report.trades
    assert len(seen) < report.gaps - 3  # what is near is one question


@pytest.mark.parametrize("progress", [5, "yes", True, [print]], ids=repr)
def test_what_cannot_be_told_of_progress_is_refused_before_anything_is_asked(exchange, folder, progress):
    def asked():
        raise AssertionError("somebody was asked")

    before = {each: each.read_bytes() for each in folder.rglob("*") if each.is_file()}
    recording, gone = kn.open_recording(folder), type("Gone", (), {"rest_url": "http://127.0.0.1:9", "now_us": asked})
    for where in (exchange, gone()):
        with pytest.raises(ConfigurationError, match=r"progress=.*: pass a function of the rows so far"):
            recording.repair(where, progress=progress)
    assert {each: each.read_bytes() for each in folder.rglob("*") if each.is_file()} == before


def test_no_thread_is_left(exchange, folder):
    before = set(threading.enumerate())
    kn.open_recording(folder).repair(exchange)
    assert not [each for each in set(threading.enumerate()) - before if each.name.startswith("kalshi-")]


def test_the_command_says_what_it_did(exchange, folder):
    def command(*arguments):
        return subprocess.run(
            [sys.executable, "-m", "kalshi_nb", *map(str, arguments)], capture_output=True, text=True, check=False
        )

    done = command("repair", folder, "--env", exchange.url, "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["repaired"] == report["gaps"] > 0
    said = command("repair", folder)
    assert said.returncode == 0
    assert said.stdout.startswith(f"{report['gaps']} of {report['gaps']} gaps of trades are repaired, 0 trades")
    assert f"{report['gaps']} repaired over REST" in command("info", folder).stdout
    assert command("repair", Path(folder).parent / "nothing").returncode == 2
