"""The exchange's own books, read by a client that shares nothing with the kit: `websockets` and the json module."""

import base64
import json
import time

from websockets.sync.client import connect

PATH = "/trade-api/ws/v2"


def handshake_headers(exchange):
    """What lets a client of the exchange's own key in."""
    stamp = str(time.time_ns() // 1_000_000)
    signature = exchange.private_key.sign(f"{stamp}GET{PATH}".encode())
    return {
        "KALSHI-ACCESS-KEY": exchange.key_id,
        "KALSHI-ACCESS-TIMESTAMP": stamp,
        "KALSHI-ACCESS-SIGNATURE": base64.b64encode(signature).decode(),
    }


def _side(pairs):
    return {round(float(price) * 10_000): round(float(size) * 100) for price, size in pairs or ()}


def books_of(exchange, tickers):
    """Ticker to (YES bids, NO bids), in 1/10000 dollar and 1/100 contract, as the exchange has them now."""
    found = {}
    with connect(exchange.url, additional_headers=handshake_headers(exchange), compression=None, proxy=None) as socket:
        params = {"channels": ["orderbook_delta"], "market_tickers": list(tickers), "use_yes_price": False}
        socket.send(json.dumps({"id": 1, "cmd": "subscribe", "params": params}))
        while len(found) < len(tickers):
            message = json.loads(socket.recv(timeout=10))
            if message["type"] == "orderbook_snapshot":
                book = message["msg"]
                found[book["market_ticker"]] = (_side(book.get("yes_dollars_fp")), _side(book.get("no_dollars_fp")))
    return found


def kept_books(feed, tickers):
    """The same, as the feed keeps them."""
    ladders = {ticker: feed._engine.ladder(ticker) for ticker in tickers}
    return {ticker: tuple(map(dict, ladder.levels())) for ticker, ladder in ladders.items()}


def settle(exchange, books, timeout=60.0):
    """Let the market go on, on a line that is whole again, until every book is live and shown by a later frame."""
    exchange.faults.clear()
    end = time.monotonic() + timeout
    # A frame lost last of all shows only at the next one.
    for _ in range(3):
        exchange.advance(5)
        while not all(book.status == "live" for book in books.values()):
            if time.monotonic() > end:
                raise AssertionError({ticker: book.status for ticker, book in books.items()})
            time.sleep(0.02)
            exchange.advance(0.25)
