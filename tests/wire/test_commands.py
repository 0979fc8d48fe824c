"""Commands to bytes, exactly as the exchange's documentation has them."""

import json

from kalshi_nb._wire import commands


def test_subscribe_to_books_always_says_use_yes_price():
    assert commands.subscribe(1, "orderbook_delta", ["KXA-1", "KXB-2"]) == (
        b'{"id":1,"cmd":"subscribe","params":{"channels":["orderbook_delta"],"market_tickers":["KXA-1","KXB-2"],'
        b'"use_yes_price":false}}'
    )


def test_subscribe_to_tickers_asks_for_the_present_ones():
    assert commands.subscribe(2, "ticker", ("KXA-1",)) == (
        b'{"id":2,"cmd":"subscribe","params":{"channels":["ticker"],"market_tickers":["KXA-1"],'
        b'"send_initial_snapshot":true}}'
    )


def test_subscribe_to_all_markets_has_no_tickers():
    assert commands.subscribe(3, "trade", None) == b'{"id":3,"cmd":"subscribe","params":{"channels":["trade"]}}'
    assert commands.subscribe(3, "ticker", None) == b'{"id":3,"cmd":"subscribe","params":{"channels":["ticker"]}}'


def test_update_subscription():
    assert commands.update_subscription(5, 1, "add_markets", ["KXC-3"], channel="orderbook_delta") == (
        b'{"id":5,"cmd":"update_subscription","params":{"sids":[1],"action":"add_markets","market_tickers":["KXC-3"]}}'
    )
    assert commands.update_subscription(6, 1, "delete_markets", ["KXB-2"], channel="ticker") == (
        b'{"id":6,"cmd":"update_subscription","params":{"sids":[1],"action":"delete_markets",'
        b'"market_tickers":["KXB-2"]}}'
    )
    assert commands.update_subscription(7, 1, "get_snapshot", ["KXA-1"], channel="orderbook_delta") == (
        b'{"id":7,"cmd":"update_subscription","params":{"sids":[1],"action":"get_snapshot","market_tickers":["KXA-1"]}}'
    )
    added = json.loads(commands.update_subscription(8, 3, "add_markets", ["KXA-1"], channel="ticker"))
    assert added["params"]["send_initial_snapshot"] is True


def test_unsubscribe_and_list():
    assert commands.unsubscribe(9, 4) == b'{"id":9,"cmd":"unsubscribe","params":{"sids":[4]}}'
    assert commands.list_subscriptions(3) == b'{"id":3,"cmd":"list_subscriptions"}'
