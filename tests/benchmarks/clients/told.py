"""When each trade is known to whoever waits for it: a bare receive loop, one that hands it to a second thread, a
callback, or a cell that reads a frame.

Between the parts the client says what CPU time the last one took. In a part that is `busy` the main thread computes in
pure Python as well. In the end it leaves, for each part, when each of its trades was known, 64-bit nanoseconds.
"""

import asyncio
import contextlib
import json
import queue
import threading
import time
from array import array
from pathlib import Path

from websockets.asyncio.client import connect

from tests.benchmarks.clients.protocol import Client

PATIENCE = 60.0


class Listening:
    """What is known so far, and what of it belongs to which part."""

    def __init__(self, client):
        self.client = client
        self.heard = array("q")
        self.due = [part["trades"] for part in client.parts]

    def all_of(self, part):
        return len(self.heard) >= self.due[part]


class Loop(Listening):
    """The quick start's loop, which notes the time; on a thread of its own, so that a cell can compute beside it."""

    def __init__(self, client):
        super().__init__(client)
        self.subscribed = threading.Event()
        threading.Thread(target=lambda: asyncio.run(self.run()), daemon=True).start()
        self.subscribed.wait(PATIENCE)

    async def run(self):
        async with connect(self.client.url, max_size=None) as websocket:
            await websocket.send(json.dumps({"id": 1, "cmd": "subscribe", "params": {"channels": ["trade"]}}))
            json.loads(await websocket.recv())
            self.subscribed.set()
            take = self.taking()
            async for message in websocket:
                take(json.loads(message))

    def taking(self):
        heard, now = self.heard, time.monotonic_ns
        return lambda _trade: heard.append(now())

    def wait(self, part):
        while not self.all_of(part):
            time.sleep(0.01)

    def compute(self, part):
        while not self.all_of(part):
            _compute()


class Relay(Loop):
    """The same loop, which hands each trade to a second thread and lets that note the time."""

    def taking(self):
        trades, note = queue.SimpleQueue(), super().taking()

        def run():
            while True:
                note(trades.get())

        threading.Thread(target=run, daemon=True).start()
        return trades.put


class Callback(Loop):
    """A function that the feed calls with each trade."""

    def __init__(self, client):
        Listening.__init__(self, client)
        from tests.benchmarks.clients.kit import connected

        self.feed = connected(client)
        heard, now = self.heard, time.monotonic_ns

        @self.feed.on("trade")
        def note(_trade):
            heard.append(now())


class Frame(Listening):
    """A cell that waits for rows of a frame, and reads it."""

    def __init__(self, client):
        super().__init__(client)
        from tests.benchmarks.clients.kit import connected

        self.feed = connected(client)
        self.frame = self.feed.trades()
        self.spent = 0.0

    def read(self):
        total = self.frame.total
        seen = len(self.heard)
        if total > seen:
            df = self.frame.df
            now = time.monotonic_ns()
            assert df["seq"][-1] >= total  # trades are numbered from 1
            self.heard.extend([now] * (total - seen))

    def wait(self, part):
        while not self.all_of(part):
            with contextlib.suppress(TimeoutError):
                self.frame.wait(len(self.heard) + 1, timeout=1)
            self.read()

    def compute(self, part):
        while not self.all_of(part):
            _compute()
            self.read()


WAYS = {"loop": Loop, "relay": Relay, "callback": Callback, "frame": Frame}


def _compute():
    total = 0
    for number in range(2_000):
        total += number * number % 7
    return total


def main():
    client = Client()
    way = WAYS[client.options["way"]](client)
    client.ready()
    way.wait(0)
    client.warm()
    for part in range(1, len(client.parts)):
        before, cell = time.process_time(), time.thread_time()
        (way.compute if part in client.options["busy"] else way.wait)(part)
        # What the cell itself spends is the user's, and he may read as often as he likes.
        client.say(at="heard", part=part, cpu=time.process_time() - before - (time.thread_time() - cell))
    Path(client.options["heard"]).write_bytes(way.heard.tobytes())
    client.stop()
    client.done({"trades": len(way.heard)}, {"trades": client.parts[-1]["trades"]})


if __name__ == "__main__":
    main()
