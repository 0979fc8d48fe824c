"""Typed frames to rows, and wire strings to integers: exact, or refused."""

from fractions import Fraction

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kalshi_nb._fixed_point import COUNTS, PRICES, FixedPoint, contracts, dollars
from kalshi_nb._rows.channels import CHANNELS, LAYOUTS, QUOTES, ROWS, position, traits_of
from kalshi_nb._wire import books, lifecycle, market_data
from kalshi_nb._wire.decode import CONVERSIONS, decode
from kalshi_nb.errors import WireError
from tests.wire.own_frames import (
    CREATED,
    DELTA,
    DETERMINED,
    EVENT,
    FEE_UPDATE,
    METADATA_UPDATED,
    TICKER,
    TRADE,
    data,
    with_msg,
)

NOW = 1_790_000_000_500_000
TS = 1_790_000_000_123_000


def row_of(frame):
    found = decode(data(frame))
    return CONVERSIONS[type(found)].row(found, NOW)


def named(channel, row):
    assert len(row) == len(LAYOUTS[channel])
    return {column.name: value for column, value in zip(LAYOUTS[channel], row, strict=True)}


# fixed point


@given(st.integers(-(10**12), 10**12), st.integers(0, 4))
def test_a_price_string_is_exactly_its_integer(units, zeros):
    sign, whole = ("-" if units < 0 else ""), abs(units)
    text = f"{sign}{whole // 10_000}.{whole % 10_000:04}" + "0" * zeros
    assert FixedPoint(4)[text] == units
    assert Fraction(text) == Fraction(units, 10_000)


@given(st.integers(-(10**9), 10**9))
def test_one_division_gives_the_float_that_the_literal_is(units):
    assert dollars(units) == float(Fraction(units, 10_000))
    assert contracts(units) == float(Fraction(units, 100))


@pytest.mark.parametrize(
    ("text", "units"), [("0.4700", 4700), ("1", 10_000), ("0.47", 4700), ("00.1", 1000), ("-0.0", 0)]
)
def test_other_spellings_of_a_price_are_taken_when_they_are_exact(text, units):
    assert PRICES[text] == units


@pytest.mark.parametrize(
    "text",
    [
        "",
        " 0.47",
        "0.47 ",
        "+0.47",
        ".5",
        "5.",
        "1e-4",
        "0.47001",
        "0,47",
        "--1",
        "nan",
        "inf",
        "0x1",
        "1_0",
        "9" * 17,
        "9" * 30,
        "0.47\n",
        "-.5000",
        "0.४७००",
        "0.47²0",
        "0-.4700",
        "1.2.3400",
    ],
)
def test_what_is_no_plain_exact_decimal_is_refused(text):
    with pytest.raises(WireError):
        PRICES[text]


def test_what_was_seen_is_remembered_within_bounds():
    small = FixedPoint(2, remember=3)
    for number in range(10):
        assert small[f"{number}.00"] == number * 100
        assert len(small) <= 3
    assert small == {"9.00": 900}  # begun anew with what is in use now
    long = "1." + "0" * 1_000
    assert FixedPoint(2)[long] == 100
    endless = FixedPoint(2)
    endless[long]
    assert len(endless) == 0
    assert COUNTS["15576897.00"] == 1_557_689_700


# levels


def test_prices_of_levels_are_remembered_within_the_same_bounds_and_refused_ones_not_at_all():
    known = type(books.LEVEL_PRICES)(4, remember=3)
    for zeros in range(1_000):
        assert known["0.47" + "0" * zeros] == 4_700
        assert len(known) <= 3
    assert known
    assert max(map(len, known)) <= 32
    for _ in range(2):
        with pytest.raises(WireError, match=r"a level at '1\.0000' dollars"):
            known["1.0000"]
    assert "1.0000" not in known


def test_a_side_is_its_levels_and_a_missing_side_is_empty():
    assert books.levels(None) == {}
    assert books.levels([]) == {}
    assert books.levels([("0.0100", "5.00"), ("0.0005", "0.01"), ("0.5000", "0.00")]) == {100: 500, 5: 1}


@pytest.mark.parametrize(
    "level", [("0.0100", "-1.00"), ("0.0000", "1.00"), ("1.0000", "1.00"), ("-0.1", "1.00"), ("a", "1")]
)
def test_a_level_that_cannot_be_is_refused(level):
    with pytest.raises(WireError):
        books.levels([level])


# rows


def test_a_delta_row():
    msg = decode(data(DELTA)).msg
    assert named("orderbook_delta", books.delta_row(msg, 4705, -13_896, NOW, 2)) == {
        "ts": TS,
        "market_ticker": "KXA-1",
        "side": "no",
        "price": 4705,
        "delta": -13_896,
        "client_order_id": "mine",
        "subaccount": 0,
        "clock": 3,
        "received_at": NOW,
        "seq": 2,
    }


def test_a_trade_row():
    assert named("trade", market_data.trade_row(decode(data(TRADE)), NOW)) == {
        "ts": TS,
        "market_ticker": "KXA-1",
        "yes_price": 7700,
        "count": 7501,
        "taker_outcome_side": "no",
        "taker_book_side": "ask",
        "no_price": 2300,
        "is_block_trade": True,
        "trade_id": "a trade",
        "received_at": NOW,
        "seq": 10,
    }


@pytest.mark.parametrize(("old", "book"), [("yes", "bid"), ("no", "ask"), (..., None)])
def test_the_sides_of_an_old_trade_follow_from_taker_side(old, book):
    frame = with_msg(TRADE, taker_side=old, taker_outcome_side=..., taker_book_side=..., is_block_trade=...)
    row = named("trade", market_data.trade_row(decode(data(frame)), NOW))
    assert row["taker_outcome_side"] == (None if old is ... else old)
    assert row["taker_book_side"] == book
    assert row["is_block_trade"] is None


def test_a_ticker_row():
    assert named("ticker", market_data.ticker_row(decode(data(TICKER)), NOW)) == {
        "ts": TS,
        "market_ticker": "KXA-1",
        "price": 1400,
        "yes_bid": 400,
        "yes_ask": 9500,
        "volume": 1_344_600,
        "open_interest": 89_225,
        "spread": 9100,
        "mid": 9900,
        "yes_bid_size": 1400,
        "yes_ask_size": 8400,
        "last_trade_size": 9,
        "dollar_volume": 6723,
        "dollar_open_interest": -446,
        "market_id": "5c0c1f0e-7f2e-4c59-a6f5-2a8a52f7a001",
        "received_at": NOW,
    }


@pytest.mark.parametrize(
    ("changes", "none"),
    [
        ({"yes_bid_dollars": "0.0000", "yes_bid_size_fp": "0.00"}, {"yes_bid", "yes_bid_size", "spread", "mid"}),
        ({"yes_ask_dollars": "1.0000", "yes_ask_size_fp": "0.00"}, {"yes_ask", "yes_ask_size", "spread", "mid"}),
        ({"yes_bid_dollars": "", "yes_bid_size_fp": ...}, {"yes_bid", "yes_bid_size", "spread", "mid"}),
        ({"yes_ask_dollars": "", "yes_ask_size_fp": ...}, {"yes_ask", "yes_ask_size", "spread", "mid"}),
        ({"price_dollars": "0.0000"}, {"price"}),
        ({"price_dollars": ""}, {"price"}),
        ({"dollar_volume": ..., "dollar_open_interest": ..., "time": ...}, {"dollar_volume", "dollar_open_interest"}),
        ({"last_trade_size_fp": ...}, {"last_trade_size"}),
        ({"volume_fp": ..., "open_interest_fp": ..., "market_id": ...}, {"volume", "open_interest", "market_id"}),
        ({"yes_ask_size_fp": "0.00"}, set()),
        ({"yes_bid_size_fp": "0.00"}, set()),
    ],
)
def test_none_as_the_exchange_writes_it_is_none(changes, none):
    row = named("ticker", market_data.ticker_row(decode(data(with_msg(TICKER, **changes))), NOW))
    assert {name for name, value in row.items() if value is None} == none


def test_a_ticker_without_a_time_has_that_of_its_arrival():
    row = named("ticker", row_of(with_msg(TICKER, ts=..., ts_ms=...)))
    assert (row["ts"], row["received_at"]) == (NOW, NOW)


def test_lifecycle_rows():
    row = named("market_lifecycle_v2", lifecycle.lifecycle_row(decode(data(CREATED)), NOW))
    assert row["ts"] == 1_790_000_000_124_000
    assert (row["event_type"], row["event_ticker"], row["price_level_structure"]) == ("created", "KXA", "deci_cent")
    assert (row["open_ts"], row["close_ts"]) == (1_790_000_000_000_000, 1_790_000_060_000_000)
    assert msgspec.json.decode(row["metadata"]) == CREATED["msg"]["additional_metadata"]
    row = named("market_lifecycle_v2", lifecycle.lifecycle_row(decode(data(METADATA_UPDATED)), NOW))
    assert row["ts"] == NOW
    assert msgspec.json.decode(row["metadata"]) == {
        "strike_type": "between",
        "floor_strike": 80,
        "cap_strike": 81.5,
        "custom_strike": {"team": "A"},
        "yes_sub_title": "80 to 81",
    }
    row = named("market_lifecycle_v2", lifecycle.lifecycle_row(decode(data(DETERMINED)), NOW))
    assert (row["result"], row["settlement_value"], row["is_deactivated"]) == ("scalar", 5000, False)
    assert (row["determination_ts"], row["settled_ts"]) == (1_790_000_100_000_000, 1_790_000_200_000_000)
    assert row["metadata"] is None
    assert (row["received_at"], row["seq"]) == (NOW, 279_599)


def test_metadata_that_cannot_be_kept_is_refused_and_nothing_worse():
    frame = decode(data(CREATED))
    endless: list = []
    for _ in range(200_000):  # Python 3.13 and later let thousands pass
        endless = [endless]
    frame.msg.additional_metadata = {"a": endless}
    with pytest.raises(WireError, match="metadata"):
        lifecycle.lifecycle_row(frame, NOW)


def test_rows_of_events_and_of_their_fees_have_the_columns_of_markets():
    made = {name: value for name, value in named("market_lifecycle_v2", row_of(EVENT)).items() if value is not None}
    assert made == {
        "ts": NOW,
        "event_type": "event_lifecycle",
        "event_ticker": "KXA",
        "series_ticker": "KX",
        "title": "A?",
        "subtitle": "",
        "collateral_return_type": "MECNET",
        "strike_date": 1_790_000_300_000_000,
        "strike_period": "hourly",
        "received_at": NOW,
        "seq": 279_600,
        "exchange_index": 1,
    }
    made = {
        name: value for name, value in named("market_lifecycle_v2", row_of(FEE_UPDATE)).items() if value is not None
    }
    assert made == {
        "ts": NOW,
        "event_type": "event_fee_update",
        "event_ticker": "KXA",
        "fee_type_override": "flat",
        "fee_multiplier_override": 0.5,
        "received_at": NOW,
        "seq": 279_601,
    }
    cleared = named(
        "market_lifecycle_v2", row_of(with_msg(FEE_UPDATE, fee_type_override=None, fee_multiplier_override=None))
    )
    assert (cleared["fee_type_override"], cleared["fee_multiplier_override"]) == (None, None)
    sent = named("market_lifecycle_v2", row_of({**EVENT, "sending_ts_ms": 1_790_000_000_124}))
    assert sent["ts"] == 1_790_000_000_124_000


# times


@pytest.mark.parametrize(
    ("ts_ms", "ts", "microseconds"),
    [
        (1_790_000_000_123, "2026-01-01T00:00:00Z", 1_790_000_000_123_000),
        (..., "2026-09-21T14:13:20.12345Z", 1_790_000_000_123_450),
        (..., "2026-09-21T14:13:20Z", 1_790_000_000_000_000),
        (..., "2026-09-21T16:13:20.000001+02:00", 1_790_000_000_000_001),
        (..., "2026-09-21T14:13:20.5", 1_790_000_000_500_000),
        (..., 1_790_000_000, 1_790_000_000_000_000),
        (..., ..., NOW),
    ],
)
def test_the_deprecated_time_counts_only_where_the_new_one_is_missing(ts_ms, ts, microseconds):
    msg = decode(data(with_msg(DELTA, ts_ms=ts_ms, ts=ts))).msg
    assert books.delta_row(msg, 1, 1, NOW, 2)[0] == microseconds


@pytest.mark.parametrize(
    "changes",
    [
        {"ts_ms": 0},
        {"ts_ms": -5},
        {"ts_ms": 10**15},
        {"ts_ms": ..., "ts": "yesterday"},
        {"ts_ms": ..., "ts": "0001-01-01T00:00:00+23:59"},
        {"ts_ms": ..., "ts": "9999-12-31T23:59:59-23:59"},
        {"ts_ms": ..., "ts": 2**50},
    ],
)
def test_a_time_that_cannot_be_is_refused(changes):
    with pytest.raises(WireError, match="time stamp"):
        books.delta_row(decode(data(with_msg(DELTA, **changes))).msg, 1, 1, NOW, 2)


def test_columns_have_their_places():
    assert set(ROWS) == set(LAYOUTS) == {*CHANNELS, QUOTES}
    assert len(CHANNELS) == 13
    assert all(traits_of(each).name == each for each in ROWS)
    assert position("trade", "market_ticker") == 1
    assert position("orderbook_delta", "seq") == 9
