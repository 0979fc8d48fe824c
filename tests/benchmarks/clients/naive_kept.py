"""What a notebook without the kit keeps: dicts of dicts for books, and lists of dicts for trades and tickers."""

import asyncio
import gc
import json

from websockets.asyncio.client import connect

from tests.benchmarks.clients.protocol import Client, memory


async def run(client):
    tickers = client.session["tickers"]
    books, kept = {}, {"trade": [], "ticker": []}

    def take(text):
        data = json.loads(text)
        message, kind = data["msg"], data["type"]
        if kind == "orderbook_snapshot":
            books[message["market_ticker"]] = {
                side: {price: float(size) for price, size in message.get(f"{side}_dollars_fp", ())}
                for side in ("yes", "no")
            }
        elif kind == "orderbook_delta":
            side = books[message["market_ticker"]][message["side"]]
            size = round(side.get(message["price_dollars"], 0.0) + float(message["delta_fp"]), 2)
            if size:
                side[message["price_dollars"]] = size
            else:
                side.pop(message["price_dollars"], None)
        elif kind in kept:
            kept[kind].append(message)

    async with connect(client.url, max_size=None) as websocket:
        gc.collect()
        before = memory()
        for number, channel in enumerate(client.channels, 1):
            params = {"channels": [channel]} | ({"market_tickers": tickers} if channel == "orderbook_delta" else {})
            await websocket.send(json.dumps({"id": number, "cmd": "subscribe", "params": params}))
        for _ in range(client.session["snapshot_seqs"] + len(client.channels)):
            take(await websocket.recv())
        client.ready()
        client.warm()
        for _ in range(client.parts[1]["frames"]):
            take(await websocket.recv())
        client.stop()
    gc.collect()
    found = {"trades": len(kept["trade"]), "tickers": len(kept["ticker"]), "levels": 0}
    found["levels"] = sum(len(side) for book in books.values() for side in book.values())
    client.done(found, {name: client.parts[1][name] for name in found}, kept=memory() - before)


if __name__ == "__main__":
    asyncio.run(run(Client()))
