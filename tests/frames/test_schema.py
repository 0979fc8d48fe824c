from __future__ import annotations

import decimal

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kalshi_nb._frames.schema import column, empty, frame_of, frame_of_columns, schema
from kalshi_nb._rows.channels import CHANNELS, LAYOUTS
from kalshi_nb._session import extension
from tests.session.ways import needs_the_compiled_part

I64 = st.integers(min_value=-(10**14) + 1, max_value=10**14 - 1)


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("channel", CHANNELS)
def test_an_empty_frame_has_every_column_of_its_channel_in_order(channel, exact):
    frame = empty(channel, exact)
    assert frame.columns == [each.name for each in LAYOUTS[channel]]
    assert frame.schema == schema(channel, exact)
    assert frame.height == 0


def test_kinds_have_the_dtypes_that_the_design_promises():
    trades = schema("trade")
    assert trades["ts"] == pl.Datetime("us", "UTC")
    assert trades["market_ticker"] == pl.String()
    assert trades["yes_price"] == trades["count"] == pl.Float64()
    assert trades["taker_outcome_side"] == pl.Enum(["yes", "no"])
    assert trades["taker_book_side"] == pl.Enum(["bid", "ask"])
    assert trades["is_block_trade"] == pl.Boolean()
    assert trades["trade_id"] == pl.String()
    assert trades["seq"] == pl.Int64()
    assert schema("ticker")["dollar_volume"] == pl.Int64()
    exact = schema("trade", exact=True)
    assert exact["yes_price"] == pl.Decimal(18, 4)
    assert exact["count"] == pl.Decimal(18, 2)


def test_every_price_from_0_to_1_dollar_equals_its_literal():
    prices = column("price", "price", range(10_001))
    assert prices.to_list() == [float(f"{each / 10_000:.4f}") for each in range(10_001)]
    assert prices[4700] == 0.47


@given(st.lists(st.none() | I64, max_size=30))
def test_exact_columns_are_the_integers_with_the_point_moved(values):
    for kind, places in (("price", 4), ("count", 2)):
        made = column("x", kind, values, exact=True)
        expected = [None if v is None else decimal.Decimal(v).scaleb(-places) for v in values]
        assert made.to_list() == expected
        assert made.dtype == pl.Decimal(18, places)


@given(st.lists(st.none() | st.integers(-(2**53), 2**53), max_size=30))
def test_float_columns_are_the_nearest_to_the_decimal(values):
    for kind, parts, places in (("price", 10_000, 4), ("count", 100, 2)):
        made = column("x", kind, values).to_list()
        assert made == [None if v is None else v / parts for v in values]
        assert made == [None if v is None else float(decimal.Decimal(v).scaleb(-places)) for v in values]


def test_large_counts_keep_their_last_digit():
    assert column("count", "count", [1_557_689_700, 155_768_970_001]).to_list() == [
        15_576_897.00,
        1_557_689_700.01,
    ]
    exact = column("count", "count", [9_007_199_254_740_993], exact=True)
    assert exact.to_list() == [decimal.Decimal("90071992547409.93")]


@pytest.mark.parametrize("kind", ["time", "price", "count", "dollars", "integer", "market", "outcome", "book"])
def test_none_is_null_in_every_kind(kind):
    assert column("x", kind, [None, None]).to_list() == [None, None]


@needs_the_compiled_part
@pytest.mark.parametrize("channel", sorted(extension.COLUMNS))
def test_columns_with_no_value_at_all_are_null(channel):
    # No row that is made lacks its time or its market; that any column may lack every value is the rule all the same.
    row = tuple(None for _ in LAYOUTS[channel])
    kept = extension.row_columns([channel], compiled=True)[channel]
    kept.extend([row] * 3)
    frame = frame_of_columns(channel, kept.take())
    assert frame.equals(frame_of(channel, [row] * 3))
    assert frame.schema == schema(channel)
    assert frame.null_count().row(0) == (3,) * frame.width
