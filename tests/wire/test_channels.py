"""Every message of the channels beyond market data: decoded whole, exact, tolerant of what is left out."""

import datetime as dt
import json
from decimal import Decimal

import msgspec
import pytest

from kalshi_nb import messages
from kalshi_nb._frames.batch import Batch
from kalshi_nb._rows.channels import LAYOUTS
from kalshi_nb._rows.rows import IndexListRow, UnderlyingListRow
from kalshi_nb._rows.wanted import ALL
from kalshi_nb._wire import commands
from kalshi_nb._wire.decode import CONVERSIONS, decode
from kalshi_nb.errors import WireError
from tests.channel_frames import EVERY, MESSAGES, frame
from tests.wire.own_frames import data

NOW = 1_790_000_000_500_000
SENT = 1_790_000_000_200_000
AT = 1_790_000_000_123_000
# Said twice over by newer fields, or by the specification not meant for keeping.
DEPRECATED = {"side", "action", "purchased_side", "is_yes"}


def row(raw):
    found = decode(raw if isinstance(raw, bytes) else data(raw))
    return CONVERSIONS[type(found)].row(found, NOW)


def named(channel, kind, **changes):
    found = row(frame(channel, kind, **changes))
    assert type(found) is tuple
    return {each.name: value for each, value in zip(LAYOUTS[channel], found, strict=True)}


@pytest.mark.parametrize(("channel", "kind"), EVERY)
def test_every_field_of_every_message_is_decoded(channel, kind):
    found = decode(data(frame(channel, kind)))
    assert channel in CONVERSIONS[type(found)].channels
    kept = msgspec.to_builtins(found.msg)
    for name, value in MESSAGES[channel][kind].items():
        if name not in DEPRECATED:
            assert kept[name] == value, name


# What no message of a type goes without.
NEEDED = {
    "fill": {"trade_id", "order_id", "market_ticker", "yes_price_dollars", "count_fp"},
    "market_position": {"market_ticker", "position_fp"},
    "user_order": {"order_id", "ticker"},
    "order_group_updates": {"event_type", "order_group_id"},
    "multivariate_market_lifecycle": {"market_ticker", "event_type"},
    "rfq_created": {"id", "market_ticker"},
    "rfq_deleted": {"id", "market_ticker"},
    "quote_created": {"quote_id", "rfq_id", "market_ticker"},
    "quote_accepted": {"quote_id", "rfq_id", "market_ticker"},
    "quote_executed": {"quote_id", "rfq_id", "market_ticker"},
    "rfq_batch_created": {"id"},
    "rfq_batch_deleted": {"id"},
    "batch_quote_created": {"batch_quote_id", "rfq_batch_id"},
    "rfq_batch_best_quotes": {"rfq_batch_id"},
    "batch_quote_accepted": {"batch_quote_id", "rfq_batch_id"},
    "rfq_batch_executed": {"rfq_batch_id"},
    "batch_quote_executed": {"batch_quote_id", "rfq_batch_id"},
    "cfbenchmarks_value": {"index_id"},
    "cfbenchmarks_value_indexlist": {"index_ids"},
    "cfbenchmarks_value_5hz": {"index_id", "value_usd"},
    "cfbenchmarks_value_5hz_indexlist": {"index_ids"},
    "pyth_value": {"underlying_ticker", "value_usd"},
    "pyth_value_underlying_list": {"underlying_tickers"},
}


@pytest.mark.parametrize(("channel", "kind"), EVERY)
def test_a_message_is_taken_with_no_more_than_what_it_is_about(channel, kind):
    left_out = dict.fromkeys(set(MESSAGES[channel][kind]) - NEEDED[kind], ...)
    found = row(frame(channel, kind, **left_out))
    assert messages.from_row(channel, found).received_at.tzinfo is dt.UTC
    for name in NEEDED[kind]:
        with pytest.raises(WireError):
            row(frame(channel, kind, **left_out, **{name: ...}))


@pytest.mark.parametrize(("channel", "kind"), EVERY)
@pytest.mark.parametrize("exact", [False, True])
def test_every_message_fits_the_columns_of_its_channel(channel, kind, exact):
    found = row(frame(channel, kind))
    df = Batch(channel, [found]).df(exact)
    assert df.height == (type(found) is tuple)


def test_a_fill_row():
    assert named("fill", "fill") == {
        "ts": AT,
        "market_ticker": "KXA-1",
        "outcome_side": "no",
        "yes_price": 1700,
        "count": 552,
        "fee_cost": 54_601,
        "post_position": -552,
        "is_taker": True,
        "book_side": "ask",
        "order_id": "order-1",
        "client_order_id": "mine",
        "trade_id": "50e18226-f10d-6545-cd2c-77bed448a872",
        "exchange_index": 1,
        "subaccount": 0,
        "received_at": NOW,
    }
    assert named("fill", "fill", ts_ms=...)["ts"] == 1_790_000_000_000_000
    assert named("fill", "fill", ts_ms=..., ts=...)["ts"] == SENT
    assert named("fill", "fill", book_side=...)["book_side"] == "ask"


def test_a_position_row():
    assert named("market_positions", "market_position") == {
        "ts": SENT,
        "market_ticker": "KXA-1",
        "position": -436,
        "position_cost": 1_234_567,
        "realized_pnl": -1,
        "fees_paid": 54_600,
        "position_fee_cost": 100,
        "volume": 1000,
        "subaccount": 2,
        "user_id": "user-1",
        "received_at": NOW,
    }


def test_an_order_row():
    found = named("user_orders", "user_order")
    assert list(found.values()) == [
        1_790_000_001_123_000,
        "KXA-1",
        "order-1",
        "resting",
        "yes",
        4705,
        850,
        150,
        1000,
        "bid",
        "mine",
        "Trade",
        705_750,
        0,
        26_250,
        1,
        "group-1",
        "maker",
        AT,
        1_790_000_001_123_000,
        1_790_000_002_000_000,
        1,
        2,
        "user-1",
        NOW,
    ]
    old = named("user_orders", "user_order", last_updated_ts_ms=..., created_ts_ms=None, expiration_ts_ms=...)
    assert old["created_ts"] == 1_790_000_000_000_000
    assert old["last_updated_ts"] == old["ts"] == 1_790_000_001_000_000
    assert old["expiration_ts"] == 1_790_000_002_000_000
    new = named("user_orders", "user_order", last_updated_ts_ms=..., last_update_time=...)
    assert (new["ts"], new["last_updated_ts"]) == (AT, None)


def test_an_order_that_never_expires_is_taken():
    forever = 253_402_300_799_000
    assert named("user_orders", "user_order", expiration_ts_ms=forever)["expiration_ts"] == forever * 1000
    assert named("user_orders", "user_order", expiration_ts_ms=0, expiration_time="")["expiration_ts"] is None


def test_an_order_group_row():
    assert list(named("order_group_updates", "order_group_updates").values()) == [
        AT,
        "limit_updated",
        "group-1",
        10_000,
        NOW,
        1,
    ]


def said(kind, **changes):
    return {name: value for name, value in named("communications", kind, **changes).items() if value is not None}


STAMP = 1_790_000_000_123_450
COMMON = {"ts": STAMP, "received_at": NOW, "seq": 1}
REQUEST = {
    "market_ticker": "KXA-1",
    "rfq_id": "rfq-1",
    "contracts": 1250,
    "target_cost": 10_000_001,
    "rfq_creator_id": "asker",
    "event_ticker": "KXA",
}
QUOTE = {
    "market_ticker": "KXA-1",
    "rfq_id": "rfq-1",
    "quote_id": "quote-1",
    "rfq_creator_id": "asker",
    "quote_creator_id": "maker",
    "subaccount": 3,
}
OFFER = {
    "yes_bid": 4100,
    "no_bid": 5500,
    "target_cost": 10_000_001,
    "yes_contracts_offered": 300,
    "no_contracts_offered": 425,
    "event_ticker": "KXA",
}


def test_rows_of_requests_and_quotes():
    legs = json.dumps(MESSAGES["communications"]["rfq_created"]["mve_selected_legs"])
    created = said("rfq_created")
    assert json.loads(created.pop("mve_selected_legs")) == json.loads(legs)
    assert created == {"event": "rfq_created", "mve_collection_ticker": "KXMVE-R", **REQUEST, **COMMON}
    assert said("rfq_deleted") == {"event": "rfq_deleted", **REQUEST, **COMMON}
    assert said("quote_created") == {"event": "quote_created", **QUOTE, **OFFER, **COMMON}
    assert said("quote_accepted") == {
        "event": "quote_accepted",
        "accepted_side": "no",
        "contracts_accepted": 200,
        **QUOTE,
        **OFFER,
        **COMMON,
        "ts": SENT,
    }
    assert said("quote_executed") == {
        "event": "quote_executed",
        "order_id": "order-1",
        "client_order_id": "mine",
        "rfq_batch_id": "batch-1",
        **QUOTE,
        **COMMON,
    }


def test_rows_of_batches_keep_what_is_nested_as_json():
    nested = {"legs", "rfqs", "quotes", "rfq_ids", "executed_rfq_ids", "failed_rfq_ids"}
    for kind, message in MESSAGES["communications"].items():
        if "batch" in kind:
            found = said(kind)
            for name in nested & set(message):
                assert json.loads(found.pop(name)) == message[name]
            assert found["rfq_batch_id"] == "batch-1"
            assert found["event"] == kind
            assert found["ts"] == STAMP
            assert not nested & set(found)
    best = said("rfq_batch_best_quotes")
    assert (best["version"], best["yes_complete"], best["no_complete"]) == (7, True, False)


def test_rows_of_indices():
    found = named("cfbenchmarks_value", "cfbenchmarks_value")
    assert list(found.values()) == [
        AT,
        "BRTI",
        6_412_312_345_678,
        6_412_000_000_001,
        6_412_150_000_000,
        1_790_000_000_100_000,
        60,
        12,
        1_789_999_940_123_000,
        AT,
        1_789_999_988_000_000,
        1_790_000_048_000_000,
        MESSAGES["cfbenchmarks_value"]["cfbenchmarks_value"]["data"],
        NOW,
        1,
    ]
    assert list(named("cfbenchmarks_value_5hz", "cfbenchmarks_value_5hz").values()) == [
        AT,
        "BRTI",
        6_412_312_345_678,
        1_790_000_000_100_000,
        "{}",
        NOW,
        1,
    ]
    assert list(named("pyth_value", "pyth_value").values()) == [
        AT,
        "Metal.XAU/USD",
        401_200_000_001,
        1_790_000_000_100_000,
        NOW,
        1,
    ]


@pytest.mark.parametrize(
    ("text", "value", "source_ts"),
    [
        ("", None, None),
        ("nonsense", None, None),
        ("[1]", None, None),
        ("[" * 5_000, None, None),
        ('{"value":64123.5}', 6_412_350_000_000, None),
        ('{"value":0.1,"time":1790000000100}', 10_000_000, 1_790_000_000_100_000),
        ('{"value":"0.000000001","time":1790000000100}', None, 1_790_000_000_100_000),
        ('{"value":{"a":1}}', None, None),
        ('{"value":null,"time":-5}', None, None),
    ],
)
def test_what_the_provider_says_is_exact_or_none_and_its_text_is_kept(text, value, source_ts):
    found = named("cfbenchmarks_value", "cfbenchmarks_value", data=text)
    assert (found["value"], found["source_ts"], found["data"]) == (value, source_ts, text)


def test_lists_of_what_there_is():
    assert row(frame("cfbenchmarks_value", "cfbenchmarks_value_indexlist")) == IndexListRow(
        ("BRTI", "ETHUSD_RTI"), NOW, 1
    )
    assert row(frame("pyth_value", "pyth_value_underlying_list")) == UnderlyingListRow(("Metal.XAU/USD",), NOW, 1)


# exact, or refused


def test_costs_have_six_decimals_and_values_eight():
    exact = Batch("fill", [row(frame("fill", "fill", fee_cost="0.000001"))]).df(exact=True)
    assert exact["fee_cost"].to_list() == [Decimal("0.000001")]
    assert exact["fee_cost"].dtype.scale == 6
    values = Batch("pyth_value", [row(frame("pyth_value", "pyth_value", value_usd="0.00000001"))])
    assert values.df(exact=True)["value"].to_list() == [Decimal("0.00000001")]
    assert values.df(exact=True)["value"].dtype.scale == 8
    assert values.df()["value"].to_list() == [1e-8]


@pytest.mark.parametrize(
    ("channel", "kind", "field", "text"),
    [
        ("fill", "fill", "fee_cost", "0.0000001"),
        ("market_positions", "market_position", "realized_pnl_dollars", "0.0000001"),
        ("user_orders", "user_order", "maker_fees_dollars", "1.0000001"),
        ("communications", "rfq_created", "target_cost_dollars", "x"),
        ("communications", "quote_created", "yes_bid_dollars", "0.41001"),
        (
            "communications",
            "batch_quote_created",
            "quotes",
            [{**MESSAGES["communications"]["batch_quote_created"]["quotes"][0], "no_bid_dollars": "0.41001"}],
        ),
        ("cfbenchmarks_value_5hz", "cfbenchmarks_value_5hz", "value_usd", "0.000000001"),
        ("pyth_value", "pyth_value", "value_usd", "99999999999"),
    ],
)
def test_what_would_have_to_be_rounded_is_refused(channel, kind, field, text):
    with pytest.raises(WireError):
        row(frame(channel, kind, **{field: text}))


def test_numbers_where_strings_belong_are_taken_exactly_also_inside():
    raw = data(frame("fill", "fill")).replace(b'"0.054601"', b"0.054601").replace(b'"5.52"', b"5.52")
    found = row(raw)
    assert (found[4], found[5]) == (552, 54_601)
    raw = data(frame("communications", "rfq_batch_created"))
    raw = raw.replace(b'"0.000001"', b"1e-6").replace(b'"12.50"', b"12").replace(b'"1.0000"', b"1")
    made = messages.from_row("communications", row(raw))
    assert (made.rfqs[0].target_cost, made.rfqs[0].contracts, made.legs[0].yes_settlement_value) == (0.000001, 12, 1)
    raw = data(frame("cfbenchmarks_value", "cfbenchmarks_value")).replace(b'"64120.00000001"', b"64120.00000001")
    assert row(raw)[3] == 6_412_000_000_001


# messages


def test_messages_of_the_own_account_have_numbers_and_times():
    filled = messages.from_row("fill", row(frame("fill", "fill")))
    assert type(filled) is messages.Fill
    assert (filled.fee_cost, filled.count, filled.yes_price, filled.post_position) == (0.054601, 5.52, 0.17, -5.52)
    assert filled.ts == dt.datetime(2026, 9, 21, 14, 13, 20, 123_000, dt.UTC)
    order = messages.from_row("user_orders", row(frame("user_orders", "user_order")))
    assert type(order) is messages.UserOrder
    assert (order.taker_fees, order.maker_fees, order.remaining_count) == (0.02625, 0.000001, 8.5)
    held = messages.from_row("market_positions", row(frame("market_positions", "market_position")))
    assert (held.realized_pnl, held.position_cost) == (-0.000001, 1.234567)


def test_messages_of_communications_are_of_a_kind_each():
    kinds = set()
    for kind in MESSAGES["communications"]:
        made = messages.from_row("communications", row(frame("communications", kind)))
        assert type(made).__name__.lower() == kind.replace("_", "")
        kinds.add(type(made))
        for name in made.__struct_fields__:
            assert getattr(made, name) is not None, (kind, name)
        with pytest.raises(AttributeError):
            made.seq = 5
    assert len(kinds) == 12


def test_what_is_nested_is_made_of_numbers_too():
    made = messages.from_row("communications", row(frame("communications", "rfq_batch_created")))
    assert made.legs == (messages.Leg("KXA-1", "KXA", "yes", 1.0),)
    assert made.rfqs == (
        messages.BatchRfq(
            "KXMVE-1",
            "rfq-1",
            "KXMVE",
            contracts=12.5,
            target_cost=0.000001,
            mve_collection_ticker="KXMVE-R",
            leg_indices=(0, 1),
        ),
    )
    accepted = messages.from_row("communications", row(frame("communications", "batch_quote_accepted")))
    assert accepted.quotes == (
        messages.BatchQuote("quote-1", "rfq-1", "KXMVE-1", "KXMVE", 0.41, 0.55, 2.0, 3.0, 4.0, 10.0),
    )


def test_messages_of_indices():
    made = messages.from_row("cfbenchmarks_value", row(frame("cfbenchmarks_value", "cfbenchmarks_value")))
    assert (made.value, made.avg_60s) == (64123.12345678, 64120.00000001)
    listed = messages.from_row("pyth_value", row(frame("pyth_value", "pyth_value_underlying_list")))
    assert listed.underlying_tickers == ("Metal.XAU/USD",)


# a frame on another channel's subscription


def test_a_frame_that_does_not_belong_to_its_subscription_makes_no_row(session_on):
    session = session_on("fill", 9)
    session.receive([data(frame("pyth_value", "pyth_value"))], NOW)
    session.receive([data(frame("fill", "fill"))], NOW)
    assert len(session.rows("fill")) == 1
    assert session.unrequested == 1


def test_sequence_numbers_count_where_there_are_any(session_on):
    session = session_on("communications", 9)
    for seq in (500, 501, 503):
        session.receive([data(frame("communications", "rfq_created", seq=seq))], NOW)
    assert [(gap.seq_from, gap.seq_to) for gap in session.gaps.snapshot()] == [(502, 502)]
    private = session_on("fill", 9)
    for seq in (5, 5, 1):
        private.receive([data({**frame("fill", "fill"), "seq": seq})], NOW)
    assert len(private.rows("fill")) == 3
    assert private.gaps.snapshot() == []


def test_lists_of_indices_take_a_sequence_number(session_on):
    session = session_on("cfbenchmarks_value", 9)
    session.receive([data(frame("cfbenchmarks_value", "cfbenchmarks_value"))], NOW)
    session.receive([data({"id": 5, **frame("cfbenchmarks_value", "cfbenchmarks_value_indexlist", seq=2)})], NOW)
    session.receive([data(frame("cfbenchmarks_value", "cfbenchmarks_value", seq=3))], NOW)
    assert session.gaps.snapshot() == []
    assert len(session.rows("cfbenchmarks_value")) == 3


@pytest.fixture
def session_on(compiled):
    from random import Random

    from kalshi_nb._session.session import Session

    def make(channel, sid):
        session = Session(now_us=lambda: NOW, monotonic=lambda: 0.0, random=Random(1), compiled=compiled)
        session.connected()
        session.want(channel, ALL)
        session.listen(channel, on=True)
        number = json.loads(session.outgoing.popleft())["id"]
        session.receive([data({"type": "subscribed", "id": number, "msg": {"channel": channel, "sid": sid}})], NOW)
        return session

    return make


# commands


def params(raw):
    return json.loads(raw)["params"]


def test_reference_feeds_have_words_of_their_own():
    assert params(commands.subscribe(1, "cfbenchmarks_value", ["BRTI"])) == {
        "channels": ["cfbenchmarks_value"],
        "index_ids": ["BRTI"],
    }
    assert params(commands.subscribe(1, "cfbenchmarks_value_5hz", None))["index_ids"] == ["all"]
    assert params(commands.subscribe(1, "pyth_value", None))["underlying_tickers"] == ["all"]
    for channel, names, add, remove in (
        ("cfbenchmarks_value", "index_ids", "subscribe_indices", "unsubscribe_indices"),
        ("pyth_value", "underlying_tickers", "subscribe_underlyings", "unsubscribe_underlyings"),
    ):
        for action, word in (("add_markets", add), ("delete_markets", remove)):
            assert params(commands.update_subscription(2, 3, action, ["A"], channel=channel)) == {
                "sids": [3],
                "action": word,
                names: ["A"],
            }


def test_a_list_that_goes_on_is_not_to_be_repeated_in_each_answer():
    long = [f"KX-{number}" for number in range(commands.LARGEST_LIST)]
    assert params(commands.subscribe(1, "fill", long))["skip_ticker_ack"] is True
    assert "skip_ticker_ack" not in params(commands.subscribe(1, "fill", long[:-1]))
    assert "skip_ticker_ack" not in params(commands.subscribe(1, "orderbook_delta", long))


def test_further_parameters_are_passed_on():
    told = (("user_filter", "self"), ("shard_factor", 4), ("shard_key", 0))
    assert params(commands.subscribe(1, "communications", None, told)) == {
        "channels": ["communications"],
        **dict(told),
    }


def test_text_that_only_looks_like_a_number_is_refused_beside_real_ones():
    raw = data(frame("fill", "fill", yes_price_dollars="e")).replace(b'"5.52"', b"5.52")
    with pytest.raises(WireError, match="'e' is not a decimal number"):
        row(raw)
