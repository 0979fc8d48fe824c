"""`websockets` receiving and nothing else: what there is to be won beyond the quick start's loop."""

import asyncio
import json

from websockets.asyncio.client import connect

from tests.benchmarks.clients.protocol import Client


async def run(client):
    async with connect(client.url, max_size=None, compression=None) as websocket:
        for number, channel in enumerate(client.channels, 1):
            params = {"channels": [channel], "market_tickers": client.session["tickers"]}
            await websocket.send(json.dumps({"id": number, "cmd": "subscribe", "params": params}))
        for _ in range(client.session["snapshot_seqs"] + len(client.channels)):
            await websocket.recv(decode=False)
        client.ready()
        for _ in range(client.parts[0]["frames"]):
            await websocket.recv(decode=False)
        client.warm()
        for _ in range(client.parts[1]["frames"] - client.parts[0]["frames"]):
            data = await websocket.recv(decode=False)
        client.stop()
    client.done({"last": json.loads(data)["type"]}, {"last": "trade"})


if __name__ == "__main__":
    asyncio.run(run(Client()))
