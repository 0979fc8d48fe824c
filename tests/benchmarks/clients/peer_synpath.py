"""synpath: its one loop over all events, the books that it keeps itself, a frame of the trades."""

import asyncio

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.benchmarks.clients.peer_pykalshi import wanted
from tests.benchmarks.clients.protocol import Client


async def run(client):
    import polars as pl
    from synpath.ws.base import BookEvent, QuoteEvent, TradeEvent
    from synpath.ws.kalshi import KalshiStream

    names = [f"kalshi:{ticker}" for ticker in client.session["tickers"]]
    trades, counts = [], {"books": 0, "quotes": 0}
    async with KalshiStream(credentials(), url=client.url) as stream:
        await stream.watch_trades()
        await stream.watch_ticker()
        await stream.watch_order_book(names)
        events = stream.events()

        async def take(part):
            books = client.session["snapshot_seqs"] + part["deltas"]
            while counts["books"] < books or len(trades) < part["trades"] or counts["quotes"] < part["tickers"]:
                event = await anext(events)
                if isinstance(event, BookEvent):
                    counts["books"] += 1
                elif isinstance(event, TradeEvent):
                    trades.append(event)
                elif isinstance(event, QuoteEvent):
                    counts["quotes"] += 1

        await asyncio.wait_for(take({"deltas": 0, "trades": 0, "tickers": 0}), 60)
        client.ready()
        await take(client.parts[0])
        client.warm()
        await take(client.parts[1])
        kept = ("received_at", "market_id", "id", "price", "quantity", "taker_side", "timestamp")
        frame = pl.DataFrame([{name: getattr(each, name) for name in kept} for each in trades])
        client.stop()
        client.done(found(stream, names, counts, frame), wanted(client.parts[1]))


def credentials():
    from synpath.ws.kalshi import KalshiCredentials

    key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return KalshiCredentials(key_id="benchmark", private_key_pem=pem)


def found(stream, names, counts, frame):
    sums = {"levels": 0, "quantity": 0, "value": 0, "best": 0}
    for name in names:
        bids, asks = stream.book(name).levels()
        for side in ([each.price for each in bids], bids), ([1 - each.price for each in asks], asks):
            prices = [round(float(price) * 10_000) for price in side[0]]
            sizes = [round(float(each.size) * 100) for each in side[1]]
            sums["levels"] += len(prices)
            sums["quantity"] += sum(sizes)
            sums["value"] += sum(price * size for price, size in zip(prices, sizes, strict=True))
            sums["best"] += max(prices, default=0)
    return sums | {"trades": frame.height, "tickers": counts["quotes"]}


if __name__ == "__main__":
    asyncio.run(run(Client()))
