"""What the simulated exchange tells of an account, in amounts and names that nothing else has."""

TICKER = "KXHIGHNY-26NOV22-B52.5"
ORDER, TRADE, CLIENT, USER = "own-order-8431", "own-trade-8431", "own-name-8431", "own-user-8431"
LEFT, FILLED, HELD = "731.37", "853.19", "617.43"
SECRETS = (ORDER, TRADE, CLIENT, USER, LEFT, FILLED, HELD, "4311.27", "2911.17", "1217.47")


def tell(exchange, *, status="resting", left=LEFT, price=0.99):
    """Tell of a resting NO order, which stands at a price of YES, of a NO fill, and of a YES position."""
    now = exchange.now_us() // 1_000
    exchange.publish(
        "user_orders",
        "user_order",
        {
            "order_id": ORDER, "client_order_id": CLIENT, "user_id": USER, "ticker": TICKER, "status": status,
            "outcome_side": "no", "book_side": "ask", "yes_price_dollars": f"{price:.4f}", "fill_count_fp": "0.00",
            "remaining_count_fp": left, "initial_count_fp": "1217.47", "created_ts_ms": now, "subaccount_number": 0,
        },
    )  # fmt: skip
    exchange.publish(
        "fill",
        "fill",
        {
            "trade_id": TRADE, "order_id": ORDER, "client_order_id": CLIENT, "market_ticker": TICKER,
            "is_taker": True, "side": "no", "ts": now // 1_000, "ts_ms": now, "yes_price_dollars": "0.9800",
            "count_fp": FILLED, "fee_cost": "4311.270000", "action": "buy", "post_position_fp": "-" + FILLED,
            "purchased_side": "no", "outcome_side": "no", "book_side": "ask", "subaccount": 0,
        },
    )  # fmt: skip
    exchange.publish(
        "market_positions",
        "market_position",
        {
            "user_id": USER, "market_ticker": TICKER, "position_fp": HELD, "position_cost_dollars": "300.000000",
            "realized_pnl_dollars": "-2911.170000", "fees_paid_dollars": "1.250000",
            "position_fee_cost_dollars": "1.250000", "volume_fp": "700.00", "subaccount": 0,
        },
    )  # fmt: skip
    exchange.advance(0)
