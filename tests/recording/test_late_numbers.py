"""Trades that come in another order, or under a number far ahead: what each reader of a recording makes of them."""

import contextlib
import re
import shutil
from itertools import count

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import kalshi_nb as kn
from kalshi_nb._feed.serving import serve
from kalshi_nb._recording.backfilled import open_here, read
from kalshi_nb._recording.reading import Segments
from kalshi_nb._rows.gaps import MOST_OLD
from kalshi_nb._rows.heard import Read
from tests.recording.test_repair import files_of, is_the_exchanges
from tests.recording.test_segments import written
from tests.recording.test_serving import Reading, bodies, played, raw_client, subscribed

NAMES = ["channel", "market_ticker", "opened_at", "reason", "seq_from", "connection"]
FAR = 1_000_000


@pytest.fixture(autouse=True)
def _unhurried(monkeypatch):
    """The exchange here takes more than five questions a second of somebody without a key."""
    monkeypatch.setattr("kalshi_nb._rest.client.ANONYMOUS", 500)


@pytest.fixture(scope="module")
def night(tmp_path_factory):
    """An exchange, and a minute of its trades on a line that brought many in another order."""
    folder = tmp_path_factory.mktemp("late") / "night"
    with kn.sim.Exchange(seed=7, clock="manual", speed=4) as exchange, kn.connect(exchange, new=True) as feed:
        with feed.record(folder, "trade"):
            exchange.advance(10)
            exchange.faults.plan(2, reorder=0.1)
            exchange.advance(50)
            exchange.faults.clear()
            exchange.advance(10)
        yield exchange, folder


def of_trades(recording):
    return recording.gaps().collect().filter(channel="trade")


def left_out(trades):
    """How many numbers there are of which no trade was kept."""
    return trades["seq"][-1] - trades.height


@contextlib.contextmanager
def a_client(folder):
    """Give what a client makes of a served recording, and its frames."""
    server = serve(folder, "max", held=True)
    try:
        with raw_client(server) as client:
            client.subscribe("trade")
            subscribed(client, 1)
            played(server, client)
            yield Reading(client), client
    finally:
        server.close()


def test_a_number_that_came_late_is_missing_once_in_every_table_of_gaps(night, tmp_path):
    _, folder = night
    recording = kn.open_recording(folder)
    trades, gaps = recording.trades().collect(), of_trades(recording)
    late = gaps.filter(pl.col("seq_from").is_null())
    assert late.height > 10
    assert late["seq_to"].null_count() == late.height
    assert set(gaps["reason"]) == {"sequence"}
    assert not gaps["closed_at"].null_count()
    assert (gaps["seq_to"] - gaps["seq_from"] + 1).sum() == left_out(trades) > late.height
    every = recording.gaps().collect()
    assert every.select(NAMES).is_unique().all()
    assert gaps.height > gaps["opened_at"].n_unique()  # some have a read, and so a time, together
    for kind in ("parquet", "csv"):
        recording.export(tmp_path / kind, format=kind)
    exported = kn.open_export(tmp_path / "parquet").gaps().collect()
    assert_frame_equal(exported.sort(pl.all()), every.sort(pl.all()))
    table = pl.read_csv(tmp_path / "csv" / "gaps" / "channel=trade" / "**" / "*.csv")
    assert table.filter(pl.col("seq_from").is_null()).height == late.height


def test_info_counts_what_came_late_as_received_and_as_no_damage(night):
    _, folder = night
    recording = kn.open_recording(folder)
    info, late = recording.info(), of_trades(recording).filter(pl.col("seq_from").is_null())
    assert (info.losses, info.damages, info.unreadable, info.missing) == ([], [], {}, {})
    assert info.messages["trade"] - recording.trades().collect().height >= late.height


def test_a_client_gets_no_trade_late_and_numbers_left_out_as_often_as_they_are_missing(night):
    _, folder = night
    trades = kn.open_recording(folder).trades().collect()
    with a_client(folder) as (reading, client):
        assert [each["trade_id"] for each in bodies(client, "trade")] == trades["trade_id"].to_list()
        missing = sum(count for kind, count in reading.jumps if kind == "trade")
        assert missing == left_out(trades)


def test_what_came_late_is_fetched_and_is_repaired_only_with_every_file_of_it(night, tmp_path):
    exchange, folder = night[0], shutil.copytree(night[1], tmp_path / "night")
    recording = kn.open_recording(folder)
    missing = left_out(recording.trades().collect())
    report = recording.repair(exchange)
    assert (report.repaired, report.left, report.trades) == (report.gaps, (), missing)
    is_the_exchanges(exchange, recording.trades().collect())
    assert of_trades(recording)["repaired_by"].to_list() == ["rest"] * report.gaps
    shared = 0
    for path in files_of(folder):
        (piece,) = (each.piece for each in read(str(folder), {}, open_here).files if each.path == str(path))
        shared += len(piece.beside)
        aside = path.rename(path.with_name(f".{path.name}.aside"))
        gone = {each[1] for each in piece.gaps}
        left = of_trades(kn.open_recording(folder)).filter(pl.col("opened_at").dt.epoch("us").is_in(gone))
        assert left["repaired_by"].to_list() == [None] * left.height != []
        aside.rename(path)
    assert shared


@pytest.fixture(scope="module")
def minute(tmp_path_factory):
    """A recording of a minute of trades on a line that is whole."""
    folder = tmp_path_factory.mktemp("late") / "minute"
    with (
        kn.sim.Exchange(seed=7, clock="manual", speed=4) as exchange,
        kn.connect(exchange, new=True) as feed,
        feed.record(folder, "trade"),
    ):
        exchange.advance(60)
    assert kn.open_recording(folder).trades().collect().height > MOST_OLD + 50
    return folder


def with_other_trades(folder, out, change):
    """Write a recording in which each trade is what `change` makes of its frame and number: some frames."""
    numbers, items = count(1), []
    for item in Segments(folder).items():
        if isinstance(item, Read):
            made = [
                change(each, next(numbers)) if each.startswith(b'{"type":"trade"') else [each]
                for each in item.messages
            ]
            item.messages[:] = [each for some in made for each in some]
        items.append(item)
    written(out, items)
    return kn.open_recording(out)


def test_after_a_number_far_ahead_trades_go_on_for_clients_as_for_readers(minute, tmp_path):
    whole = kn.open_recording(minute).trades().collect()["trade_id"]
    far = re.compile(rb'"seq":\d+')
    recording = with_other_trades(
        minute, tmp_path / "night", lambda data, number: [far.sub(b'"seq":%d' % FAR, data) if number == 20 else data]
    )
    trades = recording.trades().collect()["trade_id"].to_list()
    # As many as make sure that the exchange counts anew are set aside; those before and behind them are there.
    assert trades == [*whole[:20], *whole[19 + MOST_OLD :]]
    gaps = of_trades(recording).select("seq_from", "seq_to").rows()
    assert gaps == [(20, FAR - 1), (None, None), (FAR + 1, None)]
    with a_client(tmp_path / "night") as (reading, client):
        assert [each["trade_id"] for each in bodies(client, "trade")] == trades
        assert [missing for kind, missing in reading.jumps if kind == "trade"] == [FAR - 20, 1]


def test_many_trades_that_came_twice_are_no_new_count(minute, tmp_path):
    whole = kn.open_recording(minute).trades().collect()
    recording = with_other_trades(minute, tmp_path / "night", lambda data, _: [data, data])
    assert_frame_equal(recording.trades().collect(), whole)
    assert of_trades(recording).is_empty()
    with a_client(tmp_path / "night") as (reading, client):
        assert [each["trade_id"] for each in bodies(client, "trade")] == whole["trade_id"].to_list()
        assert not reading.jumps
