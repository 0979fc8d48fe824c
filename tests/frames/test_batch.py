from __future__ import annotations

import datetime as dt

import polars as pl
import pytest

from kalshi_nb._frames.batch import Batch
from kalshi_nb._frames.schema import schema
from kalshi_nb._rows.rows import IndexListRow, SnapshotRow
from kalshi_nb._rows.steering import ClockStepRow, LateRows, ResetRow
from tests.frames.making import BASE_US, delta, trade

SNAPSHOT = SnapshotRow(BASE_US, 1, "KXB-2", ((4700, 100),), ())
LISTED = IndexListRow(("BRTI",), BASE_US, 2)


def test_a_batch_holds_its_rows_as_numbers_and_times():
    frame = Batch("trade", [trade(1), trade(2, "KXB-1", price=123)]).df()
    assert frame.schema == schema("trade")
    assert frame["yes_price"].to_list() == [0.47, 0.0123]
    assert frame["no_price"].to_list() == [0.53, 0.9877]
    assert frame["market_ticker"].to_list() == ["KXA-1", "KXB-1"]
    assert frame["ts"][0] == dt.datetime.fromtimestamp(BASE_US // 1_000_000, dt.UTC) + dt.timedelta(microseconds=1)


def test_the_frame_of_a_batch_is_built_once_for_each_exactness():
    batch = Batch("trade", [trade(1)])
    assert batch.df() is batch.df()
    assert batch.df(exact=True) is batch.df(exact=True)
    assert batch.df(exact=True).schema == schema("trade", exact=True)


def test_other_messages_are_left_out_of_the_frame_and_kept_among_the_rows():
    batch = Batch("orderbook_delta", [delta(1), SNAPSHOT, delta(2)])
    assert batch.df()["seq"].to_list() == [1, 2]
    assert len(batch) == 3
    assert batch.market_tickers == {"KXA-1", "KXB-2"}
    assert list(batch.rows_for(["KXB-2"])) == [SNAPSHOT]


def test_a_batch_of_other_messages_only_has_an_empty_frame_and_selects_nothing():
    batch = Batch("cfbenchmarks_value", [LISTED])
    assert batch.df().schema == schema("cfbenchmarks_value")
    assert batch.df().height == 0
    assert batch.select(None) is None
    assert list(batch.rows_for(None)) == [LISTED]
    assert list(batch.rows_for({"BRTI"})) == []


def test_all_markets_or_more_than_there_are_select_the_very_same_frame():
    batch = Batch("trade", [trade(1), trade(2, "KXB-1")])
    assert batch.select(None) is batch.df()
    assert batch.select(frozenset({"KXA-1", "KXB-1", "KXC-1"})) is batch.df()


def test_some_markets_select_their_rows_in_order():
    rows = [trade(n, f"KX-{n % 3}") for n in range(30)]
    batch = Batch("trade", rows)
    chosen = batch.select(frozenset({"KX-1", "KX-2", "KX-9"}))
    assert chosen["seq"].to_list() == [n for n in range(30) if n % 3]
    assert list(batch.rows_for({"KX-1", "KX-2"})) == [row for row in rows if row[1] != "KX-0"]
    assert batch.select(frozenset({"KX-9"})) is None


def test_rows_that_steer_are_neither_messages_nor_rows_of_the_frame():
    rows = [delta(1), ResetRow(), SNAPSHOT, ClockStepRow(1), LateRows((delta(2),)), delta(3)]
    batch = Batch("orderbook_delta", rows)
    assert list(batch.rows_for(None)) == [rows[0], SNAPSHOT, rows[-1]]
    assert list(batch.rows_for({"KXA-1"})) == [rows[0], rows[-1]]
    assert batch.df()["seq"].to_list() == [1, 3]
    assert [type(part) for part in batch.parts] == [Batch, ResetRow, Batch, ClockStepRow, LateRows, Batch]


def test_a_market_with_only_other_messages_selects_nothing():
    batch = Batch("orderbook_delta", [delta(1), SNAPSHOT])
    assert batch.select(frozenset({"KXB-2"})) is None


@pytest.mark.parametrize("built", [0, 1, 2])
def test_merging_gives_the_rows_of_all_in_order_whatever_was_built_before(built):
    batches = [Batch("trade", [trade(1), trade(2)]), Batch("trade", [trade(3, "KXB-1")])]
    for batch in batches[:built]:
        batch.df()
    merged = Batch.merge(batches)
    assert len(merged) == 3
    assert merged.df().equals(Batch("trade", [trade(1), trade(2), trade(3, "KXB-1")]).df())
    assert merged.market_tickers == {"KXA-1", "KXB-1"}
    assert isinstance(merged.df(), pl.DataFrame)


def test_merging_one_batch_gives_it_back():
    batch = Batch("trade", [trade(1)])
    assert Batch.merge([batch]) is batch
