"""One frame of each type beyond market data, every field that the exchange's specification names in its order."""

LEG = {"event_ticker": "KXA", "market_ticker": "KXA-1", "side": "yes", "yes_settlement_value_dollars": "1.0000"}
BATCH_RFQ = {
    "id": "rfq-1",
    "market_ticker": "KXMVE-1",
    "event_ticker": "KXMVE",
    "contracts_fp": "12.50",
    "target_cost_dollars": "0.000001",
    "mve_collection_ticker": "KXMVE-R",
    "leg_indices": [0, 1],
}
BEST_QUOTE = {
    "rfq_id": "rfq-1",
    "market_ticker": "KXMVE-1",
    "event_ticker": "KXMVE",
    "yes_bid_dollars": "0.4100",
    "no_bid_dollars": "0.5500",
    "contracts_fp": "12.50",
    "yes_contracts_offered_fp": "3.00",
    "no_contracts_offered_fp": "4.00",
    "rfq_target_cost_dollars": "10.000000",
}
BATCH_QUOTE = {
    "quote_id": "quote-1",
    "rfq_id": "rfq-1",
    "market_ticker": "KXMVE-1",
    "event_ticker": "KXMVE",
    "yes_bid_dollars": "0.4100",
    "no_bid_dollars": "0.5500",
    "contracts_accepted_fp": "2.00",
    "yes_contracts_offered_fp": "3.00",
    "no_contracts_offered_fp": "4.00",
    "rfq_target_cost_dollars": "10.000000",
}
PARTIES = {"quote_creator_id": "maker", "rfq_creator_id": "asker"}
QUOTE = {"quote_id": "quote-1", "rfq_id": "rfq-1", **PARTIES}
OFFERED = {
    "yes_contracts_offered_fp": "3.00",
    "no_contracts_offered_fp": "4.25",
    "rfq_target_cost_dollars": "10.000001",
}
BIDS = {"market_ticker": "KXA-1", "event_ticker": "KXA", "yes_bid_dollars": "0.4100", "no_bid_dollars": "0.5500"}
STAMP = "2026-09-21T14:13:20.12345Z"
DONE = {
    "rfq_creator_id": "asker",
    "executed_rfq_ids": ["rfq-1"],
    "failed_rfq_ids": ["rfq-2"],
    "executed_ts": STAMP,
    "close_reason": "partially executed",
    "subaccount": 3,
}

# By channel, by type: the message.
MESSAGES = {
    "fill": {
        "fill": {
            "trade_id": "50e18226-f10d-6545-cd2c-77bed448a872",
            "order_id": "order-1",
            "client_order_id": "mine",
            "market_ticker": "KXA-1",
            "exchange_index": 1,
            "is_taker": True,
            "side": "no",
            "ts": 1_790_000_000,
            "ts_ms": 1_790_000_000_123,
            "yes_price_dollars": "0.1700",
            "count_fp": "5.52",
            "fee_cost": "0.054601",
            "action": "buy",
            "post_position_fp": "-5.52",
            "purchased_side": "no",
            "outcome_side": "no",
            "book_side": "ask",
            "subaccount": 0,
        }
    },
    "market_positions": {
        "market_position": {
            "user_id": "user-1",
            "market_ticker": "KXA-1",
            "position_fp": "-4.36",
            "position_cost_dollars": "1.234567",
            "realized_pnl_dollars": "-0.000001",
            "fees_paid_dollars": "0.054600",
            "position_fee_cost_dollars": "0.0001",
            "volume_fp": "10.00",
            "subaccount": 2,
        }
    },
    "user_orders": {
        "user_order": {
            "order_id": "order-1",
            "user_id": "user-1",
            "ticker": "KXA-1",
            "exchange_index": 1,
            "status": "resting",
            "side": "yes",
            "is_yes": True,
            "outcome_side": "yes",
            "book_side": "bid",
            "yes_price_dollars": "0.4705",
            "fill_count_fp": "1.50",
            "remaining_count_fp": "8.50",
            "initial_count_fp": "10.00",
            "taker_fill_cost_dollars": "0.705750",
            "maker_fill_cost_dollars": "0.000000",
            "taker_fees_dollars": "0.026250",
            "maker_fees_dollars": "0.000001",
            "client_order_id": "mine",
            "order_group_id": "group-1",
            "self_trade_prevention_type": "maker",
            "created_time": "2026-09-21T14:13:20Z",
            "last_update_time": "2026-09-21T14:13:21Z",
            "expiration_time": "2026-09-21T14:13:22Z",
            "expiration_ts_ms": 1_790_000_002_000,
            "created_ts_ms": 1_790_000_000_123,
            "last_updated_ts_ms": 1_790_000_001_123,
            "last_update_reason": "Trade",
            "subaccount_number": 2,
        }
    },
    "order_group_updates": {
        "order_group_updates": {
            "event_type": "limit_updated",
            "order_group_id": "group-1",
            "contracts_limit_fp": "100.00",
            "ts_ms": 1_790_000_000_123,
        }
    },
    "multivariate_market_lifecycle": {
        "multivariate_market_lifecycle": {
            "market_ticker": "KXMVE-1",
            "exchange_index": 1,
            "open_ts": 1_790_000_000,
            "close_ts": 1_790_000_060,
            "additional_metadata": {"name": "A", "event_ticker": "KXMVE"},
            "event_type": "created",
            "price_level_structure": "linear_cent",
        }
    },
    "communications": {
        "rfq_created": {
            "id": "rfq-1",
            "creator_id": "asker",
            "market_ticker": "KXA-1",
            "event_ticker": "KXA",
            "contracts_fp": "12.50",
            "target_cost_dollars": "10.000001",
            "created_ts": STAMP,
            "mve_collection_ticker": "KXMVE-R",
            "mve_selected_legs": [LEG, {"event_ticker": "KXB", "market_ticker": "KXB-1", "side": "no"}],
        },
        "rfq_deleted": {
            "id": "rfq-1",
            "creator_id": "asker",
            "market_ticker": "KXA-1",
            "event_ticker": "KXA",
            "contracts_fp": "12.50",
            "target_cost_dollars": "10.000001",
            "deleted_ts": STAMP,
        },
        "quote_created": {**QUOTE, **BIDS, **OFFERED, "created_ts": STAMP, "subaccount": 3},
        "quote_accepted": {
            **QUOTE,
            **BIDS,
            "accepted_side": "no",
            "contracts_accepted_fp": "2.00",
            **OFFERED,
            "subaccount": 3,
        },
        "quote_executed": {
            **QUOTE,
            "order_id": "order-1",
            "client_order_id": "mine",
            "market_ticker": "KXA-1",
            "executed_ts": STAMP,
            "subaccount": 3,
            "rfq_batch_id": "batch-1",
        },
        "rfq_batch_created": {
            "id": "batch-1",
            "creator_id": "asker",
            "created_ts": STAMP,
            "legs": [LEG],
            "rfqs": [BATCH_RFQ],
        },
        "rfq_batch_deleted": {
            "id": "batch-1",
            "creator_id": "asker",
            "rfq_ids": ["rfq-1", "rfq-2"],
            "deleted_ts": STAMP,
        },
        "batch_quote_created": {
            "batch_quote_id": "bq-1",
            "rfq_batch_id": "batch-1",
            "quote_creator_id": "maker",
            "created_ts": STAMP,
            "quotes": [BATCH_QUOTE],
            "subaccount": 3,
        },
        "rfq_batch_best_quotes": {
            "rfq_batch_id": "batch-1",
            "client_batch_id": "my batch",
            "version": 7,
            "updated_ts": STAMP,
            "yes_complete": True,
            "no_complete": False,
            "rfqs": [BEST_QUOTE],
            "subaccount": 3,
        },
        "batch_quote_accepted": {
            "batch_quote_id": "bq-1",
            "rfq_batch_id": "batch-1",
            **PARTIES,
            "accepted_side": "yes",
            "accepted_ts": STAMP,
            "quotes": [BATCH_QUOTE],
            "subaccount": 3,
        },
        "rfq_batch_executed": {"rfq_batch_id": "batch-1", "client_batch_id": "my batch", **DONE},
        "batch_quote_executed": {"batch_quote_id": "bq-1", "rfq_batch_id": "batch-1", **DONE},
    },
    "cfbenchmarks_value": {
        "cfbenchmarks_value": {
            "index_id": "BRTI",
            "received_at": 1_790_000_000_123,
            "data": '{"type":"value","id":"BRTI","time":1790000000100,"value":"64123.12345678"}',
            "avg_60s_data": {
                "value": "64120.00000001",
                "window_size": 60,
                "window_start_ts_ms": 1_789_999_940_123,
                "window_end_ts_exclusive": 1_790_000_000_123,
            },
            "last_60s_windowed_average_15min": {
                "value": "64121.50000000",
                "window_size": 12,
                "window_start_ts_ms": 1_789_999_988_000,
                "window_end_ts_exclusive": 1_790_000_048_000,
            },
        },
        "cfbenchmarks_value_indexlist": {"index_ids": ["BRTI", "ETHUSD_RTI"]},
    },
    "cfbenchmarks_value_5hz": {
        "cfbenchmarks_value_5hz": {
            "index_id": "BRTI",
            "value_usd": "64123.12345678",
            "source_ts_ms": 1_790_000_000_100,
            "received_at": 1_790_000_000_123,
            "data": "{}",
        },
        "cfbenchmarks_value_5hz_indexlist": {"index_ids": ["BRTI"]},
    },
    "pyth_value": {
        "pyth_value": {
            "underlying_ticker": "Metal.XAU/USD",
            "value_usd": "4012.00000001",
            "source_ts_ms": 1_790_000_000_100,
            "received_at": 1_790_000_000_123,
        },
        "pyth_value_underlying_list": {"underlying_tickers": ["Metal.XAU/USD"]},
    },
}

UNSEQUENCED = {"fill", "market_positions", "user_orders"}
EVERY = [(channel, kind) for channel, kinds in MESSAGES.items() for kind in kinds]


def frame(channel, kind, sid=9, seq=1, **changes):
    """A frame as the exchange sends it; `...` takes a field out."""
    msg = {key: value for key, value in {**MESSAGES[channel][kind], **changes}.items() if value is not ...}
    found = {"type": kind, "sid": sid, "seq": seq, "msg": msg, "sending_ts_ms": 1_790_000_000_200}
    if channel in UNSEQUENCED:
        del found["seq"]
    return found
