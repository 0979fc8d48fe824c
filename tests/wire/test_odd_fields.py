"""Which fields a message can do without, and which not: read one by one where the straight way refuses."""

import pytest

from kalshi_nb._wire import control
from kalshi_nb._wire.decode import CONVERSIONS, Rejected, decode, second_look
from kalshi_nb._wire.odd_fields import row_leniently
from kalshi_nb.errors import WireError
from tests.channel_frames import LEG, MESSAGES, frame
from tests.wire.own_frames import CREATED, DELTA, ERROR, EVENT, FEE_UPDATE, SNAPSHOT, TRADE, data, with_msg

NOW = 1_790_000_000_500_000


def odd_in(raw):
    """Names of the fields that decoding leaves out."""
    _, odd = second_look(raw if isinstance(raw, bytes) else data(raw))
    return [each.field for each in odd]


def lenient_row(raw):
    found = decode(data(raw))
    row, odd = row_leniently(found, NOW, CONVERSIONS[type(found)].row)
    return row, [each.field for each in odd]


# Frames


@pytest.mark.parametrize("field", ["sid", "seq"])
@pytest.mark.parametrize("value", ["x", [1], {}, 10**30, True])
def test_a_frame_never_does_without_its_numbers(field, value):
    for each in (TRADE, DELTA, SNAPSHOT, EVENT):
        with pytest.raises(Rejected):
            decode(data({**each, field: value}))


@pytest.mark.parametrize("value", ["x", [1], {}, 10**30])
def test_when_a_frame_was_sent_is_not_what_it_stands_by(value):
    raw = {**CREATED, "sending_ts_ms": value}
    assert odd_in(raw) == ["sending_ts_ms"]
    assert CONVERSIONS[type(decode(data(raw)))].row(decode(data(raw)), NOW)[0] == NOW


@pytest.mark.parametrize("value", [-1, 10**15])
def test_a_time_of_sending_that_cannot_be_is_none(value):
    row, odd = lenient_row({**CREATED, "sending_ts_ms": value})
    assert (row[0], odd) == (NOW, ["sending_ts_ms"])
    row, odd = lenient_row({**frame("market_positions", "market_position"), "sending_ts_ms": value})
    assert (row[0], odd) == (NOW, ["sending_ts_ms"])


@pytest.mark.parametrize("value", [None, [], 5, "x"])
def test_a_frame_without_its_message_is_rejected(value):
    for each in (TRADE, SNAPSHOT, ERROR):
        with pytest.raises(Rejected):
            decode(data({**each, "msg": value}))


def test_an_error_is_an_answer_though_part_of_it_cannot_be_read():
    found = decode(data({**ERROR, "msg": {"code": "many", "msg": "Unknown channel name", "market_tickers": 5}}))
    assert found == control.ErrorFrame(control.ErrorBody(msg="Unknown channel name"), id=99)
    with pytest.raises(Rejected):
        decode(data({**ERROR, "id": []}))


# Levels


@pytest.mark.parametrize("side", ["yes_dollars_fp", "no_dollars_fp"])
@pytest.mark.parametrize("levels", [5, "x", [["0.4700"]], [[0.47, True]], {"0.4700": "1.00"}])
def test_no_side_of_a_book_is_taken_as_empty_because_it_cannot_be_read(side, levels):
    with pytest.raises(Rejected, match=side):
        decode(data(with_msg(SNAPSHOT, **{side: levels})))


def test_a_book_does_without_the_id_of_its_market():
    raw = with_msg(SNAPSHOT, market_id=5)
    assert odd_in(raw) == ["market_id"]
    assert decode(data(raw)).msg.yes_dollars_fp == [("0.0100", "12.00"), ("0.4700", "0.01")]


# Times


@pytest.mark.parametrize("value", [[], {}, "now", 10**30])
def test_one_time_of_several_is_enough_and_one_there_must_be(value):
    assert odd_in(with_msg(TRADE, ts_ms=value)) == ["ts_ms"]
    with pytest.raises(Rejected, match="Expected"):
        decode(data(with_msg(TRADE, ts_ms=value, ts=...)))
    with pytest.raises(Rejected):
        decode(data(with_msg(TRADE, ts_ms=value, ts=None)))


def test_an_order_that_says_when_it_changed_is_not_taken_for_as_old_as_it_is():
    changed = {"last_updated_ts_ms": 10**15, "last_update_time": ...}
    with pytest.raises(WireError, match="time stamp"):
        lenient_row(frame("user_orders", "user_order", **changed))
    row, odd = lenient_row(frame("user_orders", "user_order", last_updated_ts_ms=10**15))
    assert (row[0], odd) == (1_790_000_001_000_000, ["last_updated_ts_ms"])


# What is nested


def legs(**changes):
    return frame("communications", "rfq_created", mve_selected_legs=[LEG, {**LEG, **changes}])


def test_what_is_nested_loses_no_more_than_its_own_field():
    raw = legs(side="perhaps", event_ticker=5)
    assert odd_in(raw) == ["mve_selected_legs[1].event_ticker", "mve_selected_legs[1].side"]
    assert decode(data(raw)).msg.mve_selected_legs[1].market_ticker == "KXA-1"
    row, odd = lenient_row(legs(yes_settlement_value_dollars="0.33333"))
    assert odd == ["mve_selected_legs[1].yes_settlement_value_dollars"]
    assert [each for each in row if isinstance(each, str) and '"KXA-1"' in each]


def test_what_does_not_stand_by_itself_costs_the_field_that_it_is_in():
    assert odd_in(legs(market_ticker=5)) == ["mve_selected_legs"]
    assert odd_in(frame("communications", "rfq_created", mve_selected_legs=[LEG, "x"])) == ["mve_selected_legs"]
    average = MESSAGES["cfbenchmarks_value"]["cfbenchmarks_value"]["avg_60s_data"]
    changed = {**average, "window_size": "x"}
    assert odd_in(frame("cfbenchmarks_value", "cfbenchmarks_value", avg_60s_data=changed)) == [
        "avg_60s_data.window_size"
    ]
    row, odd = lenient_row(
        frame("cfbenchmarks_value", "cfbenchmarks_value", avg_60s_data={**average, "value": "0.000000001"})
    )
    assert (row[3], row[6], odd) == (None, None, ["avg_60s_data"])
    row, odd = lenient_row(
        frame("cfbenchmarks_value", "cfbenchmarks_value", avg_60s_data={**average, "window_start_ts_ms": -5})
    )
    assert (row[3], row[8], odd) == (6_412_000_000_001, None, ["avg_60s_data.window_start_ts_ms"])


def test_a_message_with_very_many_odd_objects_loses_them_all():
    assert odd_in(frame("communications", "rfq_created", mve_selected_legs=[{**LEG, "side": 5}] * 20_000)) == [
        "mve_selected_legs"
    ]


def test_a_message_with_very_many_nested_fields_is_not_looked_at_one_by_one():
    asked = []
    legs = [*[LEG] * 2_000, {**LEG, "yes_settlement_value_dollars": "x"}]
    found = decode(data(frame("communications", "rfq_created", mve_selected_legs=legs)))

    def row_of(*arguments):
        asked.append(arguments)
        return CONVERSIONS[type(found)].row(*arguments)

    row, odd = row_leniently(found, NOW, row_of)
    assert [each.field for each in odd] == ["mve_selected_legs"]
    assert row[3] == "rfq-1"
    assert len(asked) < 20


# Numbers


@pytest.mark.parametrize("number", ["1e999", '"nan"', '"inf"', '"twice"', "[]"])
def test_a_fee_that_cannot_be_read_is_not_taken_for_one_that_was_cleared(number):
    raw = data(with_msg(FEE_UPDATE, fee_multiplier_override="@")).replace(b'"@"', number.encode())
    with pytest.raises(WireError):
        found = decode(raw)
        row_leniently(found, NOW, CONVERSIONS[type(found)].row)


def test_what_was_refused_is_refused_again_and_not_remembered():
    for _ in range(2):
        for count in ("0.00", "-1.00", "1.005"):
            with pytest.raises(WireError):
                lenient_row(with_msg(TRADE, count_fp=count))
    assert lenient_row(with_msg(TRADE, count_fp="0.01"))[0][3] == 1
