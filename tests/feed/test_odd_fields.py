"""One odd field costs that field; a row that has to be set aside is a gap of its channel, numbered or not."""

import datetime as dt

import pytest

import kalshi_nb as kn
from tests import channel_frames
from tests.wire import own_frames

pytestmark = pytest.mark.usefixtures("nothing_before")

MESSAGES = {
    **channel_frames.MESSAGES,
    "trade": {"trade": own_frames.TRADE["msg"]},
    "ticker": {"ticker": own_frames.TICKER["msg"]},
    "market_lifecycle_v2": {
        "market_lifecycle_v2": {**own_frames.CREATED["msg"], "settlement_value": "0.5000", "result": "yes"},
        "event_lifecycle": own_frames.EVENT["msg"],
        "event_fee_update": own_frames.FEE_UPDATE["msg"],
    },
}
AVERAGE = {"avg_60s", "avg_60s_window_size", "avg_60s_window_start_ts", "avg_60s_window_end_ts"}
BATCH = MESSAGES["communications"]["batch_quote_created"]["quotes"][0]
LEG = channel_frames.LEG

# channel, kind, what the exchange writes instead, the columns that are null for it
STANDING = [
    ("trade", "trade", {"taker_side": "perhaps"}, set()),
    ("trade", "trade", {"taker_outcome_side": "maybe"}, set()),  # as taker_side says
    (
        "trade",
        "trade",
        {"taker_outcome_side": "maybe", "taker_side": 7, "taker_book_side": "middle"},
        {"taker_outcome_side", "taker_book_side"},
    ),
    ("trade", "trade", {"is_block_trade": "perhaps"}, {"is_block_trade"}),
    ("trade", "trade", {"ts_ms": {}}, set()),  # ts is in seconds, and stands
    ("trade", "trade", {"ts_ms": 10**15}, set()),
    ("ticker", "ticker", {"volume_fp": "many"}, {"volume"}),
    ("ticker", "ticker", {"volume_fp": "-1.00", "open_interest_fp": []}, {"volume", "open_interest"}),
    ("ticker", "ticker", {"yes_bid_size_fp": "1.005"}, {"yes_bid_size"}),
    ("ticker", "ticker", {"dollar_volume": "1.5", "market_id": 7}, {"dollar_volume", "market_id"}),
    ("fill", "fill", {"fee_cost": "0.0546011"}, {"fee_cost"}),
    ("fill", "fill", {"fee_cost": [], "post_position_fp": "x"}, {"fee_cost", "post_position"}),
    ("fill", "fill", {"outcome_side": "maybe", "book_side": "middle"}, {"outcome_side", "book_side"}),
    ("fill", "fill", {"is_taker": "who", "exchange_index": 10**30}, {"is_taker", "exchange_index"}),
    ("market_positions", "market_position", {"realized_pnl_dollars": "0.0000001"}, {"realized_pnl"}),
    ("market_positions", "market_position", {"user_id": 5, "volume_fp": "-1.00"}, {"user_id", "volume"}),
    ("user_orders", "user_order", {"maker_fees_dollars": "1.0000001"}, {"maker_fees"}),
    ("user_orders", "user_order", {"expiration_ts_ms": -5, "expiration_time": "never"}, {"expiration_ts"}),
    ("user_orders", "user_order", {"created_ts_ms": 10**17, "created_time": 5}, {"created_ts"}),
    ("user_orders", "user_order", {"status": 5, "outcome_side": "either"}, {"status", "outcome_side"}),
    ("order_group_updates", "order_group_updates", {"contracts_limit_fp": "1.005"}, {"contracts_limit"}),
    ("market_lifecycle_v2", "market_lifecycle_v2", {"close_ts": -1, "open_ts": "soon"}, {"close_ts", "open_ts"}),
    ("market_lifecycle_v2", "market_lifecycle_v2", {"settlement_value": "0.33333"}, {"settlement_value"}),
    ("market_lifecycle_v2", "market_lifecycle_v2", {"price_ranges": [{"start": []}]}, {"price_ranges"}),
    (
        "market_lifecycle_v2",
        "market_lifecycle_v2",
        {"additional_metadata": "none"},
        {"metadata", "event_ticker"},
    ),
    ("market_lifecycle_v2", "event_lifecycle", {"strike_date": "x", "title": {}}, {"strike_date", "title"}),
    (
        "multivariate_market_lifecycle",
        "multivariate_market_lifecycle",
        {"close_ts": 10**15, "exchange_index": "a"},
        {"close_ts", "exchange_index"},
    ),
    ("communications", "rfq_created", {"mve_selected_legs": "none"}, {"mve_selected_legs"}),
    ("communications", "rfq_created", {"mve_selected_legs": [{**LEG, "market_ticker": 5}]}, {"mve_selected_legs"}),
    ("communications", "quote_created", {"yes_contracts_offered_fp": "1.005"}, {"yes_contracts_offered"}),
    ("communications", "quote_accepted", {"accepted_side": "both"}, {"accepted_side"}),
    ("communications", "batch_quote_created", {"subaccount": "x"}, {"subaccount"}),
    ("communications", "batch_quote_created", {"quotes": [{**BATCH, "event_ticker": 5}]}, set()),
    ("cfbenchmarks_value", "cfbenchmarks_value", {"avg_60s_data": "x"}, AVERAGE),
    ("cfbenchmarks_value", "cfbenchmarks_value", {"data": 5}, {"value", "data", "source_ts"}),
    ("cfbenchmarks_value_5hz", "cfbenchmarks_value_5hz", {"source_ts_ms": -5}, {"source_ts"}),
    ("pyth_value", "pyth_value", {"source_ts_ms": "x"}, {"source_ts"}),
]

# channel, kind, what the exchange writes instead
SET_ASIDE = [
    ("trade", "trade", {"count_fp": "0.00"}),
    ("trade", "trade", {"count_fp": "-1.00"}),
    ("trade", "trade", {"yes_price_dollars": "1.2000"}),
    ("trade", "trade", {"no_price_dollars": "-0.2000"}),
    ("trade", "trade", {"ts_ms": 10**15, "ts": "yesterday"}),
    ("trade", "trade", {"ts_ms": [], "ts": ...}),
    ("trade", "trade", {"market_ticker": 5}),
    ("ticker", "ticker", {"yes_bid_dollars": "0.47001"}),
    ("ticker", "ticker", {"yes_ask_dollars": None}),
    ("ticker", "ticker", {"price_dollars": "-0.1000"}),
    ("ticker", "ticker", {"ts_ms": 10**15, "ts": ...}),
    ("fill", "fill", {"count_fp": "0.00"}),
    ("fill", "fill", {"count_fp": "-5.52"}),
    ("fill", "fill", {"yes_price_dollars": ""}),
    ("fill", "fill", {"yes_price_dollars": "0.17001"}),
    ("fill", "fill", {"order_id": None}),
    ("fill", "fill", {"ts_ms": -1, "ts": ...}),
    ("market_positions", "market_position", {"position_fp": "many"}),
    ("market_positions", "market_position", {"subaccount": "x"}),
    ("user_orders", "user_order", {"remaining_count_fp": "8.505"}),
    ("user_orders", "user_order", {"fill_count_fp": "-1.00"}),
    ("user_orders", "user_order", {"yes_price_dollars": "x"}),
    ("user_orders", "user_order", {"last_updated_ts_ms": 10**15, "last_update_time": ...}),
    ("order_group_updates", "order_group_updates", {"order_group_id": 5}),
    ("market_lifecycle_v2", "market_lifecycle_v2", {"event_type": 5}),
    ("market_lifecycle_v2", "event_fee_update", {"fee_multiplier_override": "twice"}),  # null would clear it
    ("communications", "rfq_created", {"target_cost_dollars": "x"}),
    ("communications", "rfq_created", {"created_ts": "yesterday"}),
    ("communications", "batch_quote_created", {"quotes": [{**BATCH, "no_bid_dollars": "0.41001"}]}),
    ("communications", "batch_quote_created", {"quotes": [{**BATCH, "rfq_id": 7}]}),
    ("cfbenchmarks_value", "cfbenchmarks_value", {"received_at": 10**15}),
    ("cfbenchmarks_value_5hz", "cfbenchmarks_value_5hz", {"value_usd": "0.000000001"}),
    ("pyth_value", "pyth_value", {"value_usd": ""}),
]


def say(exchange, channel, kind, **changes):
    """Publish a message with other fields; `...` takes one out."""
    body = {name: value for name, value in {**MESSAGES[channel][kind], **changes}.items() if value is not ...}
    exchange.publish(channel, kind, body)
    exchange.advance(0)


def last_of(frame):
    return frame.df.tail(1).to_dicts()[0]


@pytest.mark.parametrize(("channel", "kind", "changes", "null"), STANDING)
def test_what_cannot_be_read_is_null_counted_and_kept_and_the_row_stands(feed, exchange, channel, kind, changes, null):
    frame, seen = feed.frame(channel, exact=True), []
    feed.on(channel)(seen.append)
    say(exchange, channel, kind)
    whole = last_of(frame)
    say(exchange, channel, kind, **changes)
    odd = last_of(frame)
    assert frame.df.height == len(seen) == 2
    assert {name for name in odd if odd[name] is None} == {name for name in whole if whole[name] is None} | null
    for name in null & set(seen[1].__struct_fields__):
        assert getattr(seen[1], name) in (None, ())
    (reject,) = feed.rejects
    assert {each.partition("[")[0].partition(".")[0] for each in reject.fields} <= set(changes)
    assert all(field in reject.reason for field in reject.fields)
    assert reject.reason.endswith("; the row stands without")
    assert feed.health().rejects == 1
    assert feed.gaps.is_empty()
    assert frame.complete()


@pytest.mark.parametrize(("channel", "kind", "changes"), SET_ASIDE)
def test_a_row_that_does_not_stand_is_a_gap_of_its_channel_numbered_or_not(feed, exchange, channel, kind, changes):
    frame = feed.frame(channel)
    say(exchange, channel, kind, **changes)
    assert frame.df.is_empty()
    (reject,) = feed.rejects
    assert reject.fields == ()
    assert feed.gaps.select("channel", "reason").rows() == [(channel, "rejected")]
    assert not frame.complete()
    assert feed.health().rejects == 1
    assert feed.health().warnings
    say(exchange, channel, kind)
    assert frame.df.height == 1
    assert feed.gaps["closed_at"].null_count() == 0


def test_a_cancel_with_a_fee_of_seven_decimals_is_seen(feed, exchange):
    orders = feed.orders()
    say(exchange, "user_orders", "user_order")
    say(exchange, "user_orders", "user_order", status="canceled", taker_fees_dollars="0.0262501")
    assert orders.latest()["status"].to_list() == ["canceled"]
    assert orders.df["taker_fees"].to_list() == [0.02625, None]


@pytest.mark.parametrize("none", ["", None])
@pytest.mark.parametrize("field", ["taker_side", "taker_outcome_side", "taker_book_side"])
def test_an_empty_side_of_a_trade_is_none_and_nothing_odd(feed, exchange, field, none):
    trades = feed.trades("KXA-1")
    say(exchange, "trade", "trade", **{field: none})
    assert trades.df.select("taker_outcome_side", "taker_book_side").rows() == [("no", "ask")]
    assert feed.rejects == []


@pytest.mark.parametrize(
    ("seconds", "close"),
    [
        (0, None),
        (1_790_000_060, dt.datetime(2026, 9, 21, 14, 14, 20, tzinfo=dt.UTC)),
        (4_102_444_800, dt.datetime(2100, 1, 1, tzinfo=dt.UTC)),
        (253_402_300_799, dt.datetime(9999, 12, 31, 23, 59, 59, tzinfo=dt.UTC)),
    ],
)
@pytest.mark.parametrize("field", ["close_ts", "open_ts", "determination_ts", "settled_ts"])
def test_a_time_of_a_market_is_any_date_and_0_is_none(feed, exchange, field, seconds, close):
    lifecycle, seen = feed.lifecycle(), []
    feed.on("market_lifecycle_v2")(seen.append)
    say(exchange, "market_lifecycle_v2", "market_lifecycle_v2", **{field: seconds})
    assert lifecycle.df[field].to_list() == [close]
    assert getattr(seen[0], field) == close
    assert feed.rejects == []


def test_frames_of_one_market_are_complete_though_a_row_of_another_was_set_aside(feed, exchange):
    every, one, other = feed.fills(), feed.fills("KXA-1"), feed.fills("KXB-2")
    say(exchange, "fill", "fill", count_fp="0.00")
    assert feed.gaps["market_ticker"].to_list() == ["KXA-1"]
    assert (one.complete(), other.complete(), every.complete()) == (False, True, False)


def test_a_gap_without_numbers_is_one_until_data_goes_on(feed, exchange):
    fills = feed.fills()
    for _ in range(5):
        say(exchange, "fill", "fill", count_fp="0.00")
    assert feed.gaps.height == 1
    assert feed.health().rejects == 5
    say(exchange, "fill", "fill")
    assert feed.gaps["closed_at"].is_null().to_list() == [False]
    say(exchange, "fill", "fill", count_fp="0.00")
    assert feed.gaps["closed_at"].is_null().to_list() == [True]  # of one moment nothing would tell two of them apart
    say(exchange, "fill", "fill")
    exchange.advance(0.001)
    say(exchange, "fill", "fill", count_fp="0.00")
    assert feed.gaps["closed_at"].is_null().to_list() == [False, True]
    assert fills.df.height == 2


def test_a_book_keeps_its_delta_though_whose_order_it_was_cannot_be_read(feed, exchange):
    ticker = exchange.market_tickers[0]
    deltas = feed.deltas(ticker)
    book = feed.book(ticker)
    exchange.advance(0)
    before = dict(book.levels("yes"))
    body = {"market_ticker": ticker, "price_dollars": "0.0100", "delta_fp": "5.00", "side": "yes"}
    exchange.publish("orderbook_delta", "orderbook_delta", {**body, "client_order_id": 7, "clock": "late"})
    exchange.advance(0)
    assert dict(book.levels("yes"))[0.01] == before.get(0.01, 0) + 5
    assert book.status == "live"
    assert deltas.df.select("client_order_id", "clock").rows() == [(None, None)]
    assert [each.fields for each in feed.rejects] == [("client_order_id", "clock")]


def test_a_snapshot_with_a_side_that_cannot_be_read_is_no_book_of_one_side(feed, exchange):
    ticker = exchange.market_tickers[0]
    book = feed.book(ticker)
    exchange.advance(0)
    before = book.levels("yes"), book.levels("no")
    exchange.publish(
        "orderbook_delta",
        "orderbook_snapshot",
        {"market_ticker": ticker, "market_id": "", "yes_dollars_fp": 5, "no_dollars_fp": [["0.0100", "1.00"]]},
    )
    exchange.advance(0)
    assert (book.levels("yes"), book.levels("no")) == before
    assert "rejected" in feed.gaps["reason"].to_list()


def test_messages_say_what_was_left_out_by_none(feed, exchange):
    seen = []
    feed.on("fill")(seen.append)
    say(exchange, "fill", "fill", fee_cost="0.0546011", outcome_side="maybe")
    (fill,) = seen
    assert type(fill) is kn.messages.Fill
    assert (fill.fee_cost, fill.outcome_side, fill.count) == (None, None, 5.52)
