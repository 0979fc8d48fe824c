"""The kit through its public names, as somebody in a notebook would use it."""

import contextlib
import inspect
import sys
import time

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

import kalshi_nb as kn
from tests.benchmarks.clients.protocol import Client

NO_SUCH_TRANSPORT = "not available"
SLICE = 1_000
PATIENCE = 5.0
"""Seconds without a row after which no more are waited for."""


def connected(client):
    """The feed, on the transport that was asked for; ends the process where there is none of that name."""
    transport = client.options.get("transport")
    options = {} if transport is None else {"transport": transport}
    if options and "transport" not in inspect.signature(kn.connect).parameters:
        client.say(at=NO_SUCH_TRANSPORT, why="connect() has no argument transport")
        sys.exit(0)
    return kn.connect(client.url, key_id="benchmark", private_key=Ed25519PrivateKey.generate(), **options)


def book_sums(books):
    """The sums of `tests.benchmarks.market.sums`, read from the books' public face."""
    found = {"levels": 0, "quantity": 0, "value": 0, "best": 0}
    for book in books.values():
        for side in ("yes", "no"):
            levels = [(round(price * 10_000), round(size * 100)) for price, size in book.levels(side)]
            found["levels"] += len(levels)
            found["quantity"] += sum(size for _, size in levels)
            found["value"] += sum(price * size for price, size in levels)
            found["best"] += levels[0][0] if levels else 0
    return found


def books_of(feed, tickers):
    """The books of all markets, asked for some at a time where there are very many: each call has 10 s."""
    asked = [feed.books(tickers[first : first + SLICE]) for first in range(0, len(tickers), SLICE)]
    return asked[0] if len(asked) == 1 else feed.books(tickers)


class Everything:
    """All books, frames of the channels, and pipelines on them."""

    def __init__(self, client, feed):
        self.feed = feed
        wanted = client.options
        channels = client.channels
        rows = wanted.get("rows")
        self.frames = {}
        for name, channel in (("tickers", "ticker"), ("trades", "trade")):
            if channel in channels:
                self.frames[name] = getattr(feed, name)(rows=rows)
        self.books = books_of(feed, client.session["tickers"]) if "orderbook_delta" in channels else {}
        if wanted.get("deltas"):
            self.frames["deltas"] = feed.deltas(rows=rows)
        self.pipelines = [self.pipeline(name) for name in wanted.get("pipelines", ())]
        self.recorder = feed.record(wanted["record"]) if "record" in wanted else None
        if self.books:
            self.books.wait(timeout=60 + len(self.books) / 50)

    def pipeline(self, channel):
        """Two nodes of streamz: one that computes on each batch, and one that ends it."""
        import polars as pl

        worth = (pl.col("yes_price") * pl.col("count")).alias("worth")
        compute = {"trade": lambda df: df.with_columns(worth)}.get(channel, lambda df: df.head(1))
        return self.feed.stream(channel).map(compute).rolling_frame(rows=10_000)

    def wait(self, part):
        """Wait until all rows have come, or none come any more; what is missing shows in `found`."""
        for name, frame in self.frames.items():
            came = -1
            while frame.total < part[name] and frame.total != came:
                came = frame.total
                with contextlib.suppress(kn.errors.WaitTimeoutError):
                    frame.wait(part[name], timeout=PATIENCE)

    def kept(self):
        """Wait until all is on the disk, too, where it is recorded."""
        if self.recorder is not None:
            self.recorder.flush(60)

    def recorded(self):
        """What the recording came to: bytes as they came and of the files, and how much of it is missing."""
        if self.recorder is None:
            return {}
        self.recorder.close()
        status = self.recorder.status
        return {"raw_bytes": status.raw_bytes, "file_bytes": status.written_bytes, "level": status.level}

    def found(self):
        feed = self.feed
        found = book_sums(self.books) if self.books else {}
        found |= {name: frame.total for name, frame in self.frames.items()}
        # `health()` counts every frame, acknowledgements and snapshots included.
        health = feed.health()
        found |= {"gaps": health.gaps, "rejects": health.rejects, "reconnects": health.reconnects}
        if self.recorder is not None:
            status = self.recorder.status
            found |= {"not recorded": status.dropped + status.messages - status.durable_messages}
        return found

    def expected(self, part):
        expected = {name: part[name] for name in self.frames} | {"gaps": 0, "rejects": 0, "reconnects": 0}
        if self.recorder is not None:
            expected["not recorded"] = 0
        return expected | (
            {name: part[name] for name in ("levels", "quantity", "value", "best")} if self.books else {}
        )


def busy(client, everything, part):
    """Wait for the end in a cell that computes in pure Python all the while; return its rounds a second."""
    frames = [(frame, part[name]) for name, frame in everything.frames.items()]
    began, rounds = time.perf_counter(), 0
    while any(frame.total < rows for frame, rows in frames):
        busy_round()
        rounds += 1
    return rounds / (time.perf_counter() - began)


def busy_round():
    total = 0
    for number in range(2_000):
        total += number * number % 7
    return total


def main():
    client = Client()
    feed = connected(client)
    everything = Everything(client, feed)
    client.ready()
    everything.wait(client.parts[0])
    client.warm()
    more = {}
    if client.options.get("busy"):
        more["cell"] = busy(client, everything, client.parts[1])
    everything.wait(client.parts[1])
    everything.kept()
    client.stop()
    found = everything.found()
    client.done(found, everything.expected(client.parts[1]), **more, **everything.recorded())
    feed.close()


if __name__ == "__main__":
    main()
