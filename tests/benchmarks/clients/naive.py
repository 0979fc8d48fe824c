"""The receive loop of Kalshi's quick start: ``async for message in websocket: json.loads(message)``, nothing else."""

import asyncio
import json

from websockets.asyncio.client import connect

from tests.benchmarks.clients.protocol import Client


async def run(client):
    tickers = client.session["tickers"]
    async with connect(client.url, max_size=None) as websocket:
        for number, channel in enumerate(client.channels, 1):
            params = {"channels": [channel]} | ({"market_tickers": tickers} if channel == "orderbook_delta" else {})
            await websocket.send(json.dumps({"id": number, "cmd": "subscribe", "params": params}))
        books = client.session["snapshot_seqs"] if "orderbook_delta" in client.channels else 0
        for _ in range(books + len(client.channels)):
            json.loads(await websocket.recv())
        client.ready()
        left = client.parts[0]["frames"]
        if left:
            async for message in websocket:
                json.loads(message)
                left -= 1
                if not left:
                    break
        client.warm()
        async for message in websocket:
            data = json.loads(message)
        client.stop()
    # The loop keeps nothing, so all there is to check is that it came to the end.
    client.done({"last": data["type"]}, {"last": "trade" if client.parts[1]["trades"] else data["type"]})


if __name__ == "__main__":
    asyncio.run(run(Client()))
