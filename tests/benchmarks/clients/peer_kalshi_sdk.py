"""kalshi-sdk: three loops of ``async for``, the books that it keeps itself, a frame of the trades."""

import asyncio

from cryptography.hazmat.primitives.asymmetric import rsa

from tests.benchmarks.clients.peer_pykalshi import trade_frame, wanted
from tests.benchmarks.clients.protocol import Client


async def run(client):
    from kalshi.auth import KalshiAuth
    from kalshi.config import KalshiConfig
    from kalshi.ws.client import KalshiWebSocket

    auth = KalshiAuth("benchmark", rsa.generate_private_key(public_exponent=65_537, key_size=2_048))
    config = KalshiConfig(ws_base_url=client.url, base_url="http://127.0.0.1:1/trade-api/v2", allow_unknown_host=True)
    async with KalshiWebSocket(auth=auth, config=config).connect() as session:
        trades, tickers, counts = [], [], {"books": 0}
        changed = asyncio.Event()

        async def collect(stream, kept):
            async for message in stream:
                kept.append(message)
                changed.set()

        async def follow(stream):
            async for _ in stream:
                counts["books"] += 1
                changed.set()

        # The books last: while it subscribes to one channel, it throws away what comes on the others.
        tasks = [asyncio.create_task(collect(await session.subscribe_trade(), trades))]
        tasks.append(asyncio.create_task(collect(await session.subscribe_ticker(), tickers)))
        books = await session.subscribe_orderbook_delta(tickers=client.session["tickers"])
        tasks.append(asyncio.create_task(follow(books)))

        async def wait(part, snapshots=client.session["snapshot_seqs"]):
            while counts["books"] < snapshots + part["deltas"] or len(trades) < part["trades"]:
                changed.clear()
                await asyncio.wait_for(changed.wait(), 60)

        await wait({"deltas": 0, "trades": 0})
        client.ready()
        await wait(client.parts[0])
        client.warm()
        await wait(client.parts[1])
        frame = trade_frame([message.msg for message in trades])
        client.stop()
        client.done(found(session, client, tickers, frame), wanted(client.parts[1]))
        for task in tasks:
            task.cancel()


def found(session, client, tickers, frame):
    sums = {"levels": 0, "quantity": 0, "value": 0, "best": 0}
    for ticker in client.session["tickers"]:
        book = session._orderbook_mgr.get(ticker)  # its books cannot be read otherwise without a loop for each
        for side in (book.yes, book.no):
            levels = {round(float(each.price) * 10_000): round(float(each.quantity) * 100) for each in side}
            sums["levels"] += len(levels)
            sums["quantity"] += sum(levels.values())
            sums["value"] += sum(price * size for price, size in levels.items())
            sums["best"] += max(levels, default=0)
    return sums | {"trades": frame.height, "tickers": len(tickers)}


if __name__ == "__main__":
    asyncio.run(run(Client()))
