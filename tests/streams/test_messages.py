from __future__ import annotations

import datetime as dt
import importlib
import pkgutil
import typing

import msgspec
import pytest

from kalshi_nb import _messages, messages
from kalshi_nb._messages.message import TypedMessage
from kalshi_nb._rows.channels import LAYOUTS, ROWS, traits_of
from kalshi_nb._rows.rows import SnapshotRow
from tests.streams.conftest import BASE_US, trade

NESTED = {messages.Leg, messages.BatchRfq, messages.BatchQuote}
AT = dt.datetime(2025, 10, 9, 8, 53, 20, 7, tzinfo=dt.UTC)


MIXED = [each for each in ROWS if traits_of(each).event_column is not None]


@pytest.mark.parametrize("channel", [each for each in ROWS if each not in MIXED])
def test_the_fields_of_a_message_are_the_columns_of_its_channel(channel):
    nothing = messages.from_row(channel, (None,) * len(LAYOUTS[channel]))
    marks = ["backfilled"] if channel == "trade" else []
    assert list(nothing.__struct_fields__) == [*(each.name for each in LAYOUTS[channel]), *marks]
    assert all(getattr(nothing, each.name) is None for each in LAYOUTS[channel])


@pytest.mark.parametrize("channel", MIXED)
def test_the_fields_of_all_messages_of_a_channel_are_its_columns(channel):
    columns = [each.name for each in LAYOUTS[channel]]
    kinds = [getattr(messages, each) for each in traits_of(channel).messages]
    for kind in kinds:
        assert kind.__struct_fields__[0] == "ts"
        assert set(kind.__struct_fields__) <= set(columns)
    together = {name for kind in kinds for name in kind.__struct_fields__}
    assert set(columns) - together <= {traits_of(channel).event_column}


def test_the_fields_of_a_snapshot_are_those_of_its_row():
    assert messages.OrderbookSnapshot.__struct_fields__ == SnapshotRow._fields


def test_a_trade_has_numbers_and_times():
    made = messages.from_row("trade", trade(7, price=1, count=1_557_689_701))
    assert made == messages.Trade(AT, "KXA-1", 0.0001, 15_576_897.01, "yes", "bid", 0.9999, False, "id-7", AT, 7)
    assert made.ts.tzinfo is dt.UTC
    assert made.backfilled is False


def test_every_price_equals_its_literal():
    made = [messages.from_row("trade", trade(1, price=each)).yes_price for each in range(10_001)]
    assert made == [float(f"{each / 10_000:.4f}") for each in range(10_001)]


def test_a_snapshot_has_its_levels_best_first_with_no_in_no_prices():
    row = SnapshotRow(BASE_US + 7, 3, "KXA-1", ((4700, 150), (4600, 100)), ((5200, 25),))
    assert messages.from_row("orderbook_delta", row) == messages.OrderbookSnapshot(
        AT, 3, "KXA-1", ((0.47, 1.5), (0.46, 1.0)), ((0.52, 0.25),)
    )


def lifecycle_row(**values):
    return tuple(values.get(each.name) for each in LAYOUTS["market_lifecycle_v2"])


@pytest.mark.parametrize("channel", ["market_lifecycle_v2", "multivariate_market_lifecycle"])
def test_events_and_fees_are_messages_of_the_lifecycle_channels(channel):
    about = {"ts": BASE_US + 7, "event_ticker": "KXA", "received_at": BASE_US + 7}
    event = {**about, "event_type": "event_lifecycle", "series_ticker": "KX", "title": "t", "subtitle": "", "seq": 4}
    event |= {"collateral_return_type": "MECNET", "strike_date": BASE_US + 7}
    assert messages.from_row(channel, lifecycle_row(**event)) == messages.EventLifecycle(
        AT, "KXA", "KX", "t", "", "MECNET", AT, None, AT, 4
    )
    assert messages.from_row(channel, lifecycle_row(**{**event, "strike_date": None})).strike_date is None
    fee = {**about, "event_type": "event_fee_update", "fee_type_override": "flat", "fee_multiplier_override": 0.5}
    assert messages.from_row(channel, lifecycle_row(**fee, seq=5)) == messages.EventFeeUpdate(
        AT, "KXA", "flat", 0.5, AT, 5
    )
    moved = messages.from_row(channel, lifecycle_row(**about, event_type="moved", market_ticker="KXA-1"))
    assert type(moved) is messages.MarketLifecycle


def test_messages_do_not_change():
    with pytest.raises(AttributeError):
        messages.from_row("trade", trade(1)).count = 2


def test_messages_are_structs_that_msgspec_writes_as_json():
    text = msgspec.json.encode(messages.from_row("trade", trade(7)))
    assert msgspec.json.decode(text, type=messages.Trade) == messages.from_row("trade", trade(7))


def test_many_rows_are_many_messages_in_order():
    assert [each.seq for each in messages.from_rows("trade", [trade(n) for n in range(5)])] == list(range(5))


def test_a_row_of_an_unknown_kind_is_an_error():
    class Odd(tuple):
        __slots__ = ()

    with pytest.raises(TypeError, match="Odd"):
        messages.from_row("trade", Odd())


def test_every_class_of_message_that_anybody_can_receive_is_exported():
    modules = [f"{_messages.__name__}.{each.name}" for each in pkgutil.iter_modules(_messages.__path__)]
    classes = {
        each
        for name in modules
        for each in vars(importlib.import_module(name)).values()
        if isinstance(each, type) and issubclass(each, msgspec.Struct) and each.__module__ == name
    } - {TypedMessage}  # of which all are
    assert set(typing.get_args(messages.Message)) <= classes
    assert len(classes) > 30
    for each in classes:
        assert getattr(messages, each.__name__) is each
        assert each.__name__ in messages.__all__
        assert f"`{each.__name__}`" in messages.__doc__ or each in NESTED


@pytest.mark.parametrize("channel", ROWS)
def test_rows_of_everything_that_can_be_asked_for_are_messages_of_the_union(channel):
    row = tuple("rfq_created" if each.name == "event" else None for each in LAYOUTS[channel])
    (made,) = messages.from_rows(channel, [row])
    assert isinstance(made, messages.Message)


@pytest.mark.parametrize("channel", ROWS)
def test_every_class_that_a_channel_names_is_a_message_that_anybody_can_receive(channel):
    for name in traits_of(channel).messages:
        assert getattr(messages, name) in typing.get_args(messages.Message)
        assert f"``{channel}``" in messages.__doc__


def test_every_message_is_named_by_a_channel():
    named = {name for channel in ROWS for name in traits_of(channel).messages}
    assert named == {each.__name__ for each in typing.get_args(messages.Message)}
