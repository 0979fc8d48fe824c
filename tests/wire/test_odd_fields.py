"""Which fields a message can do without, and which not: read one by one where the straight way refuses."""

import pytest

from kalshi_nb._wire import control
from kalshi_nb._wire.decode import CONVERSIONS, Rejected, decode, second_look
from kalshi_nb._wire.odd_fields import row_leniently
from kalshi_nb.errors import WireError
from tests.channel_frames import LEG, MESSAGES, frame
from tests.wire.own_frames import CREATED, DELTA, ERROR, EVENT, FEE_UPDATE, SNAPSHOT, TICKER, TRADE, data, with_msg

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
    for each in (TRADE, SNAPSHOT):
        with pytest.raises(Rejected):
            decode(data({**each, "msg": value}))


@pytest.mark.parametrize("value", [None, [], 5, "x"])
def test_an_error_without_its_message_is_an_error_all_the_same(value):
    assert decode(data({**ERROR, "msg": value})) == control.ErrorFrame(control.ErrorBody(), id=99)


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


DAY_MS = 86_400_000
NOW_MS = NOW // 1000
FAR = [1, 1_790_000_000, 1_609_459_199_999, NOW_MS + 8 * DAY_MS, 4_102_444_799_999]
NEAR = [1_609_459_200_000, NOW_MS - 300 * DAY_MS, NOW_MS - 5_000, NOW_MS + 6 * DAY_MS]
STAMPED = {
    "trade": (TRADE, "ts_ms"),
    "ticker": (TICKER, "ts_ms"),
    "fill": (frame("fill", "fill"), "ts_ms"),
    "order group": (frame("order_group_updates", "order_group_updates"), "ts_ms"),
    "index": (frame("cfbenchmarks_value", "cfbenchmarks_value"), "received_at"),
    "fast index": (frame("cfbenchmarks_value_5hz", "cfbenchmarks_value_5hz"), "received_at"),
    "underlying": (frame("pyth_value", "pyth_value"), "received_at"),
}


@pytest.mark.parametrize("kind", STAMPED)
def test_a_time_far_from_that_of_the_receipt_is_not_a_messages_own_and_the_row_stands_by_that(kind):
    raw, field = STAMPED[kind]
    without = {"ts": ...} if "ts" in raw["msg"] else {}
    for value in FAR:
        row, odd = lenient_row({**with_msg(raw, **{field: value}, **without), "sending_ts_ms": None})
        assert (row[0], odd) == (NOW, [field])
    for value in NEAR:
        row, odd = lenient_row(with_msg(raw, **{field: value}, **without))
        assert (row[0], odd) == (value * 1000, [])


def test_a_far_time_of_the_deprecated_field_or_of_sending_is_none_either():
    row, odd = lenient_row(with_msg(TRADE, ts_ms=..., ts=4_102_444_799))
    assert (row[0], odd) == (NOW, ["ts"])
    row, odd = lenient_row({**CREATED, "sending_ts_ms": 1})
    assert (row[0], odd) == (NOW, ["sending_ts_ms"])


def test_other_times_may_lie_anywhere():
    row, odd = lenient_row(frame("user_orders", "user_order", expiration_ts_ms=253_402_300_799_000))
    assert odd == []
    assert 253_402_300_799_000_000 in row


def test_a_computer_whose_clock_was_never_set_judges_no_time():
    found = decode(data(TRADE))
    assert CONVERSIONS[type(found)].row(found, 1)[0] == found.msg.ts_ms * 1000


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


# Names and texts


IDENTITIES = [
    (TRADE, "market_ticker"),
    (TRADE, "trade_id"),
    (TICKER, "market_ticker"),
    (DELTA, "market_ticker"),
    (SNAPSHOT, "market_ticker"),
    (CREATED, "market_ticker"),
    (EVENT, "event_ticker"),
    (FEE_UPDATE, "event_ticker"),
    (frame("fill", "fill"), "order_id"),
    (frame("market_positions", "market_position"), "market_ticker"),
    (frame("user_orders", "user_order"), "ticker"),
    (frame("order_group_updates", "order_group_updates"), "order_group_id"),
    (frame("communications", "rfq_created"), "id"),
    (frame("cfbenchmarks_value", "cfbenchmarks_value"), "index_id"),
    (frame("pyth_value", "pyth_value"), "underlying_ticker"),
]


@pytest.mark.parametrize(("raw", "field"), IDENTITIES, ids=[f"{each['type']} {field}" for each, field in IDENTITIES])
def test_no_message_is_about_what_has_no_name_or_one_without_end(raw, field):
    for name in ("", "K" * 201, "K" * 1_000_000):
        with pytest.raises(Rejected, match=field) as caught:
            decode(data(with_msg(raw, **{field: name})))
        assert (caught.value.sid, caught.value.kind) == (raw["sid"], raw["type"])
    assert getattr(decode(data(with_msg(raw, **{field: "K" * 200}))).msg, field) == "K" * 200


@pytest.mark.parametrize(
    ("raw", "field", "longest"),
    [
        (TICKER, "market_id", 200),
        (SNAPSHOT, "market_id", 200),
        (DELTA, "client_order_id", 200),
        (frame("fill", "fill"), "client_order_id", 200),
        (frame("user_orders", "user_order"), "last_update_reason", 200),
        (frame("communications", "rfq_created"), "event_ticker", 200),
        (EVENT, "title", 10_000),
        (frame("cfbenchmarks_value", "cfbenchmarks_value"), "data", 10_000),
    ],
    ids=lambda each: each if isinstance(each, str) else None,
)
def test_another_text_without_end_costs_its_field_alone(raw, field, longest):
    assert odd_in(with_msg(raw, **{field: "x" * longest})) == []
    for length in (longest + 1, 1_000_000):
        changed = with_msg(raw, **{field: "x" * length})
        assert odd_in(changed) == [field]
        assert getattr(decode(data(changed)).msg, field) is None


def test_json_without_end_costs_its_field_alone():
    row, odd = lenient_row(with_msg(CREATED, additional_metadata={"rules": "x" * 200_000}))
    assert odd == ["additional_metadata"]
    assert max(len(each) for each in row if isinstance(each, str)) < 1_000


def test_what_a_reference_feed_lists_has_names():
    raw = {"type": "cfbenchmarks_value_indexlist", "id": 1, "sid": 1, "seq": 1, "msg": {"index_ids": ["A", "x" * 201]}}
    with pytest.raises(Rejected):
        decode(data(raw))
