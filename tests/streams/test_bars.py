"""Bars of trades, against a list of trades that is gone through one by one."""

import datetime as dt

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from streamz import Stream

from kalshi_nb._frames.bars import BAR_KEY
from kalshi_nb._frames.batch import Batch
from kalshi_nb._frames.schema import frame_of, schema
from kalshi_nb._streams import bars as bars_module
from kalshi_nb._streams import nodes
from kalshi_nb.errors import ConfigurationError, PipelineError
from tests.streams.conftest import BASE_US, deliver_to_users

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
EVERY = 10_000_000
QUOTES = [f"yes_{side}_{each}" for side in ("bid", "ask") for each in ("open", "high", "low", "close")]
COLUMNS = [
    *("market_ticker", "start", "end", "open", "high", "low", "close", "volume", "trades"),
    *QUOTES,
    *("open_interest", "complete"),
]


def trade(ts, market, price, count, received=None):
    received = ts if received is None else received
    return (ts, market, price, count, "yes", "bid", 10_000 - price, False, "id", received, 1)


TRADES = st.lists(
    st.lists(
        st.tuples(st.integers(0, 45_000_000), st.sampled_from("ABC"), st.integers(1, 9_999), st.integers(1, 100_000)),
        max_size=8,
    ),
    max_size=12,
)


def naive(trades, every=EVERY):
    """Key to (open, high, low, close, volume, trades), of trades in the order in which they came."""
    found = {}
    for ts, market, *_ in trades:
        start = ts - ts % every
        own = [each for each in trades if each[1] == market and start <= each[0] < start + every]
        first, last = own[0], own[0]
        for each in own:
            if each[0] < first[0]:
                first = each
            if each[0] >= last[0]:
                last = each
        prices = [each[2] / 10_000 for each in own]
        volume = sum(each[3] for each in own) / 100
        found[market, start] = (
            first[2] / 10_000,
            max(prices),
            min(prices),
            last[2] / 10_000,
            volume,
            len(own),
        )
    return found


def as_dict(df):
    return {
        (row["market_ticker"], (row["start"] - EPOCH) // dt.timedelta(microseconds=1)): (
            *(row[each] for each in ("open", "high", "low", "close", "volume")),
            row["trades"],
        )
        for row in df.iter_rows(named=True)
    }


@settings(max_examples=150, deadline=None)
@given(TRADES)
def test_bars_are_what_the_trades_are_whatever_the_batches_and_the_order(batches):
    nodes.register()
    source = Stream()
    bars = source.bars("10s")
    kept, said = bars.rolling_frame(), []
    telling = bars.map(said.append)
    so_far = []
    for number, batch in enumerate(batches):
        rows = [trade(BASE_US + ts, *others) for ts, *others in batch]
        so_far += rows
        source.emit(frame_of("trade", rows) if rows else pl.DataFrame(schema=schema("trade")))
        expected = naive(so_far)
        touched = {(row[1], row[0] - row[0] % EVERY) for row in rows}
        if rows:
            # Each bar that a trade touched is said again, whole, and no other.
            assert as_dict(said[-1]) == {key: expected[key] for key in touched}
            assert said[-1].height == len(touched)
            assert said[-1].columns == COLUMNS
            assert as_dict(kept.df) == expected
            assert kept.df.height == len(expected)
            assert kept.total == len(expected)
        assert len(said) == sum(1 for each in batches[: number + 1] if each)
    del telling
    df = kept.df
    if df.height:
        assert not df["complete"].any()  # nobody knows what a stream without a feed lacks
        assert df.select(pl.all_horizontal(pl.col(*QUOTES, "open_interest").is_null()))["yes_bid_open"].all()
        assert (df["end"] - df["start"]).unique().to_list() == [dt.timedelta(seconds=10)]


def test_the_schema_is_there_before_the_first_trade_and_exact_with_an_exact_stream(pipelines):
    frame = pipelines.stream("trade").bars("1m").rolling_frame()
    assert frame.df.columns == COLUMNS
    exact = pipelines.stream("trade", exact=True)
    node = exact.bars("1m")
    frame = node.rolling_frame()
    assert frame.schema["open"] == pl.Decimal(18, 4)
    assert frame.schema["volume"] == pl.Decimal(18, 2)
    deliver_to_users(pipelines, Batch("trade", [trade(BASE_US, "A", 4_700, 33), trade(BASE_US + 1, "A", 4_701, 34)]))
    row = frame.df.row(0, named=True)
    assert [str(row[each]) for each in ("open", "close", "volume")] == ["0.4700", "0.4701", "0.67"]
    assert frame.df.schema == node.schema


def test_further_down_a_key_makes_the_same_of_it(pipelines):
    source = pipelines.stream("trade")
    keyed = source.bars("1m").map(lambda df: df).rolling_frame(by=list(BAR_KEY))
    every_row = source.bars("1m").map(lambda df: df).rolling_frame()
    for number in range(3):
        deliver_to_users(pipelines, Batch("trade", [trade(BASE_US + number, "A", 4_700, 100)]))
    assert keyed.df["trades"].to_list() == [3]
    assert every_row.df["trades"].to_list() == [1, 2, 3]


def test_a_trade_whose_bar_is_no_longer_there_is_counted_and_changes_none(pipelines, clock, monkeypatch):
    monkeypatch.setattr(bars_module, "_MANY_ROUNDS", 1)
    clock.us = BASE_US + 300_000_000
    source = pipelines.stream("trade")
    node = source.bars("10s")
    frame = node.rolling_frame()
    for ts in (0, 200_000_000, 1, 150_000_000):
        deliver_to_users(pipelines, Batch("trade", [trade(BASE_US - BASE_US % EVERY + ts, "A", 4_700, 100)]))
    assert node.late == 1
    assert frame.df["trades"].to_list() == [1, 1, 1]


def test_bars_that_can_change_are_bounded(pipelines, monkeypatch):
    monkeypatch.setattr(bars_module, "MOST_BARS", 50)
    source = pipelines.stream("trade")
    node = source.bars("10s")
    frame = node.rolling_frame()
    for number in range(300):
        deliver_to_users(pipelines, Batch("trade", [trade(BASE_US + number, f"M{number}", 4_700, 100)]))
        assert len(node._bars) <= 51  # what it keeps can be seen only inside
    assert frame.df.height == 300


@pytest.mark.parametrize("interval", ["", "1mo", 0, None, "soon"])
def test_an_interval_that_is_none_is_refused_in_the_cell(pipelines, interval):
    source = pipelines.stream("trade")
    with pytest.raises(ConfigurationError, match=r'interval=.*"1s"'):
        source.bars(interval)


@pytest.mark.parametrize("begin", [lambda p: p.stream("ticker"), lambda p: p.messages("trade")])
def test_on_anything_but_trades_it_is_refused_in_the_cell(pipelines, begin):
    source = begin(pipelines)
    with pytest.raises(PipelineError, match=r"feed\.stream\('trade'\)"):
        source.bars("1m")


def test_a_column_that_a_node_left_out_is_named(pipelines):
    source = pipelines.stream("trade")
    node = source.map(lambda df: df.drop("count")).bars("1m")
    deliver_to_users(pipelines, Batch("trade", [trade(BASE_US, "A", 4_700, 100)]))
    assert "misses count" in str(source.pipeline.last_error.error)
    assert node.schema is None
