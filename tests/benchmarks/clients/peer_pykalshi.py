"""pykalshi: its Feed with handlers, its OrderbookManager as its documentation shows it, a frame of the trades."""

import sys
import threading
import types

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tests.benchmarks.clients.protocol import Client


class Account:
    """The part of its client that a feed needs; the client itself wants a key file and signs in the same way."""

    api_base = "https://demo-api.kalshi.co/trade-api/v2"
    api_key_id = "benchmark"

    def __init__(self):
        self.key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)

    def _sign_request(self, method, path):
        salt = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=32)
        return "1", self.key.sign(f"1{method}{path}".encode(), salt, hashes.SHA256()).hex()


def main():
    from pykalshi.feed import Feed, OrderbookSnapshotMessage
    from pykalshi.orderbook import OrderbookManager

    client = Client()
    feed = Feed(Account())
    feed._ws_url = client.url  # it has no other way to be sent elsewhere
    books, trades, tickers = {}, [], []
    expected = types.SimpleNamespace(trades=None, reached=threading.Event(), snapshots=0)

    @feed.on("orderbook_delta")
    def book(message):
        ticker = message.market_ticker
        if ticker not in books:
            books[ticker] = OrderbookManager(ticker)
        if isinstance(message, OrderbookSnapshotMessage):
            books[ticker].apply_snapshot(message.yes_dollars, message.no_dollars)
            expected.snapshots += 1
            if expected.snapshots == client.session["snapshot_seqs"]:
                expected.reached.set()
        else:
            books[ticker].apply_delta(message.side, message.price_dollars, message.delta_fp)

    feed.on("ticker", tickers.append)

    @feed.on("trade")
    def trade(message):
        trades.append(message)
        if len(trades) == expected.trades:
            expected.reached.set()

    def wait(count):
        expected.trades = count
        if len(trades) < count:
            expected.reached.wait()
        expected.reached.clear()

    for channel in client.channels:
        named = {"market_tickers": client.session["tickers"]} if channel == "orderbook_delta" else {}
        feed.subscribe(channel, **named)
    feed.start()
    expected.reached.wait()
    expected.reached.clear()
    client.ready()
    wait(client.parts[0]["trades"])
    client.warm()
    wait(client.parts[1]["trades"])
    frame = trade_frame(trades)
    client.stop()
    client.done(found(books, trades, tickers, frame), wanted(client.parts[1]))
    sys.stdout.flush()
    feed.stop()


def trade_frame(trades):
    import polars as pl

    return pl.DataFrame([each.model_dump() for each in trades])


def found(books, trades, tickers, frame):
    sums = {"levels": 0, "quantity": 0, "value": 0, "best": 0}
    for book in books.values():
        for side in (book.yes, book.no):
            levels = {round(float(price) * 10_000): round(float(size) * 100) for price, size in side.items()}
            sums["levels"] += len(levels)
            sums["quantity"] += sum(levels.values())
            sums["value"] += sum(price * size for price, size in levels.items())
            sums["best"] += max(levels, default=0)
    return sums | {"trades": frame.height, "tickers": len(tickers)}


def wanted(part):
    return {name: part[name] for name in ("levels", "quantity", "value", "best", "trades", "tickers")}


if __name__ == "__main__":
    main()
