"""Frames written for the tests, one of each type, with every field that the specification names."""

import json

SNAPSHOT = {
    "type": "orderbook_snapshot",
    "id": 7,
    "sid": 1,
    "seq": 1,
    "msg": {
        "market_ticker": "KXA-1",
        "market_id": "5c0c1f0e-7f2e-4c59-a6f5-2a8a52f7a001",
        "clock": 0,
        "yes_dollars_fp": [["0.0100", "12.00"], ["0.4700", "0.01"]],
        "no_dollars_fp": [["0.0005", "15576897.00"]],
    },
    "sending_ts_ms": 1_790_000_000_001,
}
DELTA = {
    "type": "orderbook_delta",
    "sid": 1,
    "seq": 2,
    "msg": {
        "market_ticker": "KXA-1",
        "market_id": "5c0c1f0e-7f2e-4c59-a6f5-2a8a52f7a001",
        "clock": 3,
        "price_dollars": "0.4705",
        "delta_fp": "-138.96",
        "side": "no",
        "client_order_id": "mine",
        "ts": "2026-09-21T14:13:20.12345Z",
        "ts_ms": 1_790_000_000_123,
        "subaccount": 0,
    },
    "sending_ts_ms": 1_790_000_000_124,
}
TICKER = {
    "type": "ticker",
    "sid": 3,
    "msg": {
        "market_id": "5c0c1f0e-7f2e-4c59-a6f5-2a8a52f7a001",
        "market_ticker": "KXA-1",
        "price_dollars": "0.1400",
        "yes_bid_dollars": "0.0400",
        "yes_ask_dollars": "0.9500",
        "volume_fp": "13446.00",
        "open_interest_fp": "892.25",
        "dollar_volume": 6723,
        "dollar_open_interest": -446,
        "yes_bid_size_fp": "14.00",
        "yes_ask_size_fp": "84.00",
        "last_trade_size_fp": "0.09",
        "ts": 1_790_000_000,
        "ts_ms": 1_790_000_000_123,
        "time": "2026-09-21T14:13:20.123Z",
    },
}
TRADE = {
    "type": "trade",
    "sid": 2,
    "seq": 10,
    "msg": {
        "trade_id": "a trade",
        "market_ticker": "KXA-1",
        "yes_price_dollars": "0.7700",
        "no_price_dollars": "0.2300",
        "count_fp": "75.01",
        "taker_side": "no",
        "taker_outcome_side": "no",
        "taker_book_side": "ask",
        "is_block_trade": True,
        "ts": 1_790_000_000,
        "ts_ms": 1_790_000_000_123,
    },
}
CREATED = {
    "type": "market_lifecycle_v2",
    "sid": 4,
    "seq": 279_597,
    "msg": {
        "market_ticker": "KXA-1",
        "exchange_index": 1,
        "open_ts": 1_790_000_000,
        "close_ts": 1_790_000_060,
        "additional_metadata": {
            "name": "A",
            "title": "Will A?",
            "event_ticker": "KXA",
            "can_close_early": True,
            "expected_expiration_ts": 1_790_000_120,
            "floor_strike": 80.5,
            "custom_strike": {"team": "A"},
        },
        "event_type": "created",
        "price_level_structure": "deci_cent",
        "price_ranges": [{"start": "0.0000", "end": "1.0000", "step": "0.0010"}],
    },
    "sending_ts_ms": 1_790_000_000_124,
}
METADATA_UPDATED = {
    "type": "market_lifecycle_v2",
    "sid": 4,
    "seq": 279_598,
    "msg": {
        "event_type": "metadata_updated",
        "market_ticker": "KXA-1",
        "strike_type": "between",
        "floor_strike": 80,
        "cap_strike": 81.5,
        "custom_strike": {"team": "A"},
        "yes_sub_title": "80 to 81",
    },
}
DETERMINED = {
    "type": "market_lifecycle_v2",
    "sid": 4,
    "seq": 279_599,
    "msg": {
        "market_ticker": "KXA-1",
        "determination_ts": 1_790_000_100,
        "settled_ts": 1_790_000_200,
        "result": "scalar",
        "settlement_value": "0.5000",
        "is_deactivated": False,
        "event_type": "determined",
    },
}
EVENT = {
    "type": "event_lifecycle",
    "sid": 4,
    "seq": 279_600,
    "msg": {
        "event_ticker": "KXA",
        "exchange_index": 1,
        "title": "A?",
        "subtitle": "",
        "collateral_return_type": "MECNET",
        "series_ticker": "KX",
        "strike_date": 1_790_000_300,
        "strike_period": "hourly",
    },
}
FEE_UPDATE = {
    "type": "event_fee_update",
    "sid": 4,
    "seq": 279_601,
    "msg": {"event_ticker": "KXA", "fee_type_override": "flat", "fee_multiplier_override": 0.5},
}
SUBSCRIBED = {"type": "subscribed", "id": 1, "msg": {"channel": "trade", "sid": 2}}
OK = {"type": "ok", "id": 4, "sid": 1, "seq": 3, "msg": {"market_tickers": ["KXA-1", "KXB-2"]}}
LIST = {"type": "ok", "id": 3, "msg": [{"channel": "orderbook_delta", "sid": 1}, {"channel": "trade", "sid": 2}]}
UNSUBSCRIBED = {"type": "unsubscribed", "id": 9, "sid": 1, "seq": 41}
ERROR = {"type": "error", "id": 99, "msg": {"code": 8, "msg": "Unknown channel name"}}
LIMIT = {
    "type": "error",
    "id": 12,
    "sid": 3,
    "seq": 88,
    "msg": {"code": 26, "msg": "Subscription market limit exceeded", "market_tickers": ["KXD-4"]},
}
OVERFLOW = {"type": "error", "sid": 1, "seq": 911, "msg": {"code": 25, "msg": "Subscription buffer overflow"}}

FRAMES = [
    SNAPSHOT,
    DELTA,
    TICKER,
    TRADE,
    CREATED,
    METADATA_UPDATED,
    DETERMINED,
    EVENT,
    FEE_UPDATE,
    SUBSCRIBED,
    OK,
    LIST,
    UNSUBSCRIBED,
    ERROR,
    LIMIT,
    OVERFLOW,
]


def data(frame):
    """As the exchange sends it: compact, with one line break at the end."""
    return json.dumps(frame, separators=(",", ":")).encode() + b"\n"


def with_msg(frame, **changes):
    msg = {key: value for key, value in {**frame["msg"], **changes}.items() if value is not ...}
    return {**frame, "msg": msg}
