"""A rolling frame that goes by a key, against a dictionary."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kalshi_nb._frames.keyed import KeyedFrame, key_columns
from kalshi_nb.errors import ConfigurationError, PipelineError
from tests.frames.making import HandClock

SCHEMA = pl.Schema({"market_ticker": pl.String(), "k": pl.Int64(), "n": pl.Int64()})
# Few keys and few rows to keep, so that a handful of batches has them all come, come again and go.
BATCHES = st.lists(
    st.lists(st.tuples(st.sampled_from(["A", "B", "C"]), st.none() | st.integers(0, 3)), max_size=8), max_size=6
)


@settings(max_examples=80, deadline=None)
@given(BATCHES, st.integers(1, 8))
def test_a_row_takes_the_place_of_its_key_and_the_oldest_keys_leave(batches, rows):
    frame = KeyedFrame(SCHEMA, by=("market_ticker", "k"), clock=HandClock(), rows=rows)
    kept, last, total, number = {}, {}, 0, 0
    for batch in batches:
        made = []
        for market, k in batch:
            number += 1
            made.append((market, k, number))
        before = set(kept)
        for row in made:
            kept[row[:2]] = row
        total += len(set(kept) - before)
        while len(kept) > rows:
            gone = kept.pop(next(iter(kept)))
            last.pop(gone[0], None)
            last[gone[0]] = gone
        frame.append(pl.DataFrame(made, schema=SCHEMA, orient="row"))
        assert frame.df.rows() == list(kept.values())
        assert frame.total == total
        assert frame.height == len(kept)
    # Once, at the end: what is the end of a shorter example is in the middle of a longer one.
    there = {row[0]: row for row in kept.values()}
    assert {row[0]: row for row in frame.latest().rows()} == {**last, **there}


def test_what_was_read_before_stays_as_it_was():
    frame = KeyedFrame(SCHEMA, by=("k",), clock=HandClock())
    frame.append(pl.DataFrame([("A", 1, 1)], schema=SCHEMA, orient="row"))
    before = frame.df
    frame.append(pl.DataFrame([("A", 1, 2)], schema=SCHEMA, orient="row"))
    assert before["n"].to_list() == [1]
    assert frame.df["n"].to_list() == [2]


def test_many_small_writes_leave_few_chunks():
    frame = KeyedFrame(SCHEMA, by=("k",), clock=HandClock())
    for number in range(200):
        frame.append(pl.DataFrame([("A", number // 3, number)], schema=SCHEMA, orient="row"))
    assert frame.df.n_chunks() <= 16
    assert frame.df.height == 67


def test_a_reset_empties_it():
    frame = KeyedFrame(SCHEMA, by=("k",), clock=HandClock())
    frame.append(pl.DataFrame([("A", 1, 1)], schema=SCHEMA, orient="row"))
    frame.reset()
    assert frame.df.height == 0
    frame.append(pl.DataFrame([("A", 1, 2)], schema=SCHEMA, orient="row"))
    assert frame.df["n"].to_list() == [2]


def test_a_key_that_is_not_there_is_refused_and_nothing_changed():
    frame = KeyedFrame(None, by=("k",), clock=HandClock())
    with pytest.raises(PipelineError, match="misses k"):
        frame.append(pl.DataFrame({"n": [1]}))
    assert frame.total == 0


@pytest.mark.parametrize("by", [7, [], [7], "", {"k"}])
def test_a_key_of_no_columns_is_refused(by):
    with pytest.raises(ConfigurationError, match="by="):
        key_columns(by)
