"""A row that came alone becomes the frame that it would be among others, or the way of many rows is taken."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kalshi_nb._frames import one_row as module
from kalshi_nb._frames.one_row import Column, one_row
from kalshi_nb._frames.schema import _one_row, frame_of, schema
from kalshi_nb._rows.channels import CHANNELS, LAYOUTS

I64 = st.integers(-(2**63), 2**63 - 1)
VALUES = {
    "flag": st.booleans(),
    "number": st.floats(allow_nan=False),
    "outcome": st.sampled_from(["yes", "no"]),
    "book": st.sampled_from(["bid", "ask"]),
    **dict.fromkeys(["market", "name", "text", "json"], st.text(max_size=20)),
}


def rows_of(channel):
    return st.tuples(*(st.none() | VALUES.get(kind, I64) for _, kind in LAYOUTS[channel]))


def among_others(channel, row):
    return frame_of(channel, [row, row])[:1]


@pytest.mark.parametrize("channel", CHANNELS)
def test_the_straight_way_is_taken_with_the_polars_that_is_installed(channel):
    assert _one_row(channel) is not None


@pytest.mark.parametrize("channel", CHANNELS)
@given(data=st.data())
def test_it_is_the_frame_that_it_would_be_among_others(channel, data):
    row = data.draw(rows_of(channel))
    alone = frame_of(channel, [row])
    assert alone.schema == schema(channel)
    assert alone.equals(among_others(channel, row))


def trade(**changed):
    names = [name for name, _ in LAYOUTS["trade"]]
    row = dict.fromkeys(names) | {"market_ticker": "KXA-1", "yes_price": 4700, "taker_outcome_side": "yes", "seq": 1}
    return tuple((row | {"is_block_trade": True} | changed).values())


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("yes_price", "0.47"),
        ("seq", "1"),
        ("seq", 2**63),
        ("market_ticker", 1),
        ("market_ticker", []),
        ("is_block_trade", 1),
        ("is_block_trade", 1.0),
        ("taker_outcome_side", "YES"),
        ("ts", 0.5),
    ],
)
def test_what_is_refused_among_others_is_refused_alone_with_the_same_error(column, value):
    frame_of("trade", [trade()])  # True is known as a flag, and equals 1
    with pytest.raises(Exception) as among:  # whichever it is
        frame_of("trade", [trade(**{column: value})] * 2)
    with pytest.raises(among.type):
        frame_of("trade", [trade(**{column: value})])


def test_a_row_of_another_layout_is_refused():
    with pytest.raises(ValueError, match="argument"):
        frame_of("trade", [trade()[:-1]])


def test_who_changes_a_frame_changes_no_other():
    first = frame_of("trade", [trade()])
    first[0, "market_ticker"] = "KXB-2"
    first[0, "is_block_trade"] = False
    first.get_column("taker_outcome_side").rename("side")
    second = frame_of("trade", [trade()])
    assert second["market_ticker"].to_list() == ["KXA-1"]
    assert second["is_block_trade"].to_list() == [True]
    assert second.columns == [name for name, _ in LAYOUTS["trade"]]


@pytest.fixture
def anew():
    yield _one_row.cache_clear()
    _one_row.cache_clear()


def test_where_a_constructor_is_not_trusted_the_way_of_many_rows_is_taken(monkeypatch, anew):
    monkeypatch.setattr(module, "straight_constructors", lambda: dict.fromkeys(module._TRIALS))
    assert _one_row("trade") is None
    assert frame_of("trade", [trade()]).equals(among_others("trade", trade()))


def test_a_polars_that_makes_something_else_is_not_trusted(monkeypatch):
    columns = [Column("at", pl.Int64, pl.Datetime("us", "UTC")), Column("side", pl.String, pl.Enum(["yes", "no"]))]
    assert one_row(columns) is not None
    monkeypatch.setattr(module, "_maker", lambda column: lambda value: pl.Series(column.name, [0], dtype=pl.Int64)._s)
    assert one_row(columns) is None
