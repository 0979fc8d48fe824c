"""The last row of each, and trades with their quotes, against lists that are gone through one by one."""

import datetime as dt

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from streamz import Stream

from kalshi_nb._frames.batch import Batch
from kalshi_nb._frames.schema import frame_of, schema
from kalshi_nb._streams import joins, nodes
from kalshi_nb.errors import ConfigurationError
from tests.streams.conftest import BASE_US, deliver_to_users, trade, until

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
ADDED = ["bid", "bid_size", "ask", "ask_size", "mid", "spread", "quote_ts", "quote_status"]


# latest_by --------------------------------------------------------------------------------------------

BATCHES = st.lists(st.lists(st.none() | st.sampled_from("ABCDE"), max_size=8), max_size=15)


@settings(max_examples=150, deadline=None)
@given(BATCHES, st.integers(1, 5))
def test_latest_by_passes_on_the_last_row_of_each_value_the_last_changed_last(batches, most):
    nodes.register()
    source = Stream()
    node = source.latest_by("market_ticker")
    node._most = most
    seen = []
    telling = node.map(seen.append)
    last, number, dropped = {}, 0, 0
    for batch in batches:
        rows = []
        for market in batch:
            number += 1
            rows.append((market, number))
            if market is not None:
                last.pop(market, None)
                last[market] = (market, number)
        while len(last) > most:
            last.pop(next(iter(last)))
            dropped += 1
        source.emit(pl.DataFrame(rows, schema={"market_ticker": pl.String, "n": pl.Int64}, orient="row"))
        assert seen[-1].rows() == list(last.values())
        assert node.dropped_keys == dropped
    del telling


def test_what_a_node_below_does_to_its_frame_changes_nothing_for_the_next(pipelines):
    source = pipelines.stream("trade")
    node = source.latest_by("market_ticker")
    seen = []
    node.map(lambda df: df.drop_in_place("seq")).sink(seen.append)
    for number in (1, 2):
        deliver_to_users(pipelines, Batch("trade", [trade(number)]))
    assert [each.to_list() for each in seen] == [[1], [2]]


def test_a_column_that_is_not_there_is_an_error_of_the_pipeline_that_names_it(pipelines):
    source = pipelines.stream("trade")
    node = source.latest_by("market")
    deliver_to_users(pipelines, Batch("trade", [trade(1)]))
    assert "latest_by('market')" in str(source.pipeline.last_error.error)
    assert repr(node) == "<latest_by: market>"


def test_a_batch_with_other_columns_is_an_error_and_the_others_stay(pipelines):
    source = pipelines.stream("trade")
    seen = []
    columns = iter([["market_ticker", "seq"], ["market_ticker"], ["seq", "market_ticker"]])
    source.map(lambda df: df.select(next(columns))).latest_by("market_ticker").sink(seen.append)
    for number in (1, 2, 3):
        deliver_to_users(pipelines, Batch("trade", [trade(number, f"M{number}")]))
    assert "seq is missing" in str(source.pipeline.last_error.error)
    assert seen[-1].rows() == [("M1", 1), ("M3", 3)]


@pytest.mark.parametrize("column", [None, "", 7, ["market_ticker"]])
def test_latest_by_no_column_is_refused_in_the_cell(pipelines, column):
    source = pipelines.stream("trade")
    with pytest.raises(ConfigurationError, match="name a column"):
        source.latest_by(column)


# join_asof --------------------------------------------------------------------------------------------


def quote(ts, market, bid, *, status="live"):
    if status != "live":
        return (BASE_US + ts, market, None, None, None, None, None, None, BASE_US + ts, None, status)
    ask = bid + 100
    return (BASE_US + ts, market, bid, 500, ask, 600, bid + ask, 100, BASE_US + ts, 1, status)


EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["trade", "quote", "stale"]), st.integers(0, 60), st.sampled_from("AB"), st.integers(1, 9_000)
    ),
    max_size=40,
)


def naive_join(trade_row, quotes):
    """The quote of the market with the greatest ts below the trade's, the later received of equal ones."""
    found = None
    for each in quotes:
        if each[1] == trade_row[1] and each[0] < trade_row[0] and (found is None or each[0] >= found[0]):
            found = each
    return found


def as_numbers(each):
    if each is None:
        return (None,) * 8
    ts, _, bid, bid_size, ask, ask_size, mid, spread, _, _, status = each
    parts = (10_000, 100, 10_000, 100, 20_000, 10_000)
    values = (bid, bid_size, ask, ask_size, mid, spread)
    numbers = [None if value is None else value / part for value, part in zip(values, parts, strict=True)]
    return (*numbers, EPOCH + dt.timedelta(microseconds=ts), status)


@settings(max_examples=200, deadline=None)
@given(EVENTS)
def test_each_trade_has_the_quote_of_its_market_with_the_last_time_before_its_own(events):
    nodes.register()
    trades, quotes = Stream(), Stream()
    handle = quotes.rolling_frame(schema=schema("quotes"))
    seen = []
    joined = trades.join_asof(handle).map(seen.append)
    known = []
    for kind, ts, market, price in events:
        if kind == "trade":
            row = trade(ts, market, price=price)
            trades.emit(frame_of("trade", [row]))
            got = seen[-1]
            assert got.columns == [*schema("trade"), *ADDED]
            assert got.select(ADDED).row(0) == as_numbers(naive_join(row, known))
        else:
            known.append(quote(ts, market, price, status="live" if kind == "quote" else "stale"))
            quotes.emit(frame_of("quotes", known[-1:]))
    del joined


def test_the_trades_of_a_batch_all_pass_on_in_their_order():
    trades, quotes = Stream(), Stream()
    handle = quotes.rolling_frame(schema=schema("quotes"))
    seen = []
    joined = trades.join_asof(handle).map(seen.append)
    quotes.emit(frame_of("quotes", [quote(5, "A", 4_000), quote(10, "B", 5_000)]))
    trades.emit(frame_of("trade", [trade(20, "B"), trade(3, "A"), trade(6, "A"), trade(30, "C")]))
    del joined
    assert seen[0]["bid"].to_list() == [0.5, None, 0.4, None]
    assert seen[0]["seq"].to_list() == [20, 3, 6, 30]


def test_a_quote_that_stood_is_found_although_its_row_has_left_the_window():
    trades, quotes = Stream(), Stream()
    handle = quotes.rolling_frame(schema=schema("quotes"), rows=2)
    seen = []
    joined = trades.join_asof(handle).map(seen.append)
    quotes.emit(frame_of("quotes", [quote(1, "A", 4_000), *(quote(2 + at, "B", 5_000) for at in range(5))]))
    trades.emit(frame_of("trade", [trade(20, "A")]))
    del joined
    assert seen[0]["bid"].to_list() == [0.4]


def test_quotes_of_a_stream_that_come_in_one_turn_with_the_trades_are_known(pipelines, engine):
    seen = []
    pipelines_quotes = pipelines.stream("ticker")
    as_quotes = pipelines_quotes.map(lambda df: df.select("ts", "market_ticker", bid="yes_bid"))
    source = pipelines.stream("trade")
    source.join_asof(as_quotes).sink(seen.append)
    at = BASE_US + 10
    ticker = dict.fromkeys(schema("ticker")) | {
        "ts": at,
        "market_ticker": "KXA-1",
        "yes_bid": 4_200,
        "received_at": at,
    }
    # The trades' batch is delivered first, and waits for the end of the turn.
    engine.add("trade", trade(20))
    engine.add("ticker", tuple(ticker.values()))
    pipelines.flush()
    assert [each["bid"].to_list() for each in seen] == [[0.42]]


def test_a_flush_waits_for_trades_that_waited_for_their_graph_to_be_built(pipelines, engine, monkeypatch):
    monkeypatch.setattr("kalshi_nb._streams.user_delivery._BUILDING", 60.0)
    seen = []
    quotes = pipelines.stream("ticker").map(lambda df: df)
    source = pipelines.stream("trade")
    source.join_asof(quotes).sink(seen.append)
    engine.add("trade", trade(20))
    until(lambda: source._delivery._line)
    assert seen == []
    pipelines.flush()
    assert [each.height for each in seen] == [1]


def test_before_the_first_quote_of_a_stream_all_is_null(pipelines, engine):
    seen = []
    source = pipelines.stream("trade")
    quotes = pipelines.stream("ticker").map(lambda df: df)
    source.join_asof(quotes).sink(seen.append)
    engine.add("trade", trade(20))
    pipelines.flush()
    assert seen[0].select(ADDED).row(0) == (None,) * 8


@pytest.mark.parametrize("quotes", [None, "quotes", pl.DataFrame()])
def test_quotes_that_are_none_are_refused_in_the_cell(pipelines, quotes):
    source = pipelines.stream("trade")
    with pytest.raises(ConfigurationError, match=r"feed\.quotes"):
        source.join_asof(quotes)


def test_frames_without_time_or_market_are_an_error_of_the_pipeline(pipelines, engine):
    source = pipelines.stream("trade")
    node = source.map(lambda df: df.drop("ts")).join_asof(pipelines.stream("ticker").rolling_frame())
    engine.add("trade", trade(1))
    pipelines.flush()
    assert "with ts and market_ticker" in str(source.pipeline.last_error.error)
    assert repr(node) == "<join_asof>"
    assert joins.JoinAsofNode is type(node)


@pytest.mark.parametrize("channel", ["trade", "market_positions"])
def test_what_stands_for_quotes_and_has_none_of_their_columns_is_refused_in_the_cell(pipelines, channel):
    source = pipelines.stream("trade")
    for other in (pipelines.stream(channel), pipelines.stream(channel).rolling_frame()):
        with pytest.raises(ConfigurationError, match=r"join_asof\(\) takes quotes.*none of bid, bid_size.*rename"):
            source.join_asof(other)
    assert not list(source.downstreams)


def test_what_turns_out_to_be_no_quotes_is_an_error_of_the_pipeline(pipelines, engine):
    source, other = pipelines.stream("trade"), pipelines.stream("trade")
    seen = []
    source.join_asof(other.map(lambda df: df.select("ts", "market_ticker"))).sink(seen.append)
    engine.add("trade", trade(1))
    pipelines.flush()
    seen.clear()  # the first may come before what was to be its quote
    engine.add("trade", trade(2))
    pipelines.flush()
    assert not seen
    assert "join_asof() takes quotes" in source.pipeline.last_error.text


def test_tickers_stand_for_quotes_by_what_they_have_of_them(pipelines):
    node = pipelines.stream("trade").join_asof(pipelines.stream("ticker"))
    assert {"mid", "spread", "quote_ts"} <= set(node._joined(frame_of("trade", [trade(1)])).columns)
