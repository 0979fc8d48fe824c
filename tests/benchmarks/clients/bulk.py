"""Opens, repairs and closes so many books over loopback; prints what each of them cost the network thread.

The exchange runs in a process of its own: started with the name ``exchange`` in place of a number, this module is it.
"""

import json
import sys
import threading
import time
from asyncio import events

import kalshi_nb as kn
from tests.benchmarks.running import spoken_to

BOOKS = "orderbook_delta"
PATIENCE = 120.0
ONE_BY_ONE = 200


class Callbacks:
    """How long the network thread is busy without a break: the longest callback of its event loop, in CPU seconds."""

    def __init__(self):
        self.longest = 0.0
        run = events.Handle._run

        def timed(handle):
            began = time.thread_time()
            run(handle)
            if threading.current_thread().name == "kalshi-io":
                self.longest = max(self.longest, time.thread_time() - began)

        events.Handle._run = timed


def until(condition):
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError("the books did not come to rest")
        time.sleep(0.005)


class Bulk:
    """One feed with many books."""

    def __init__(self, feed, tickers, exchange):
        self.feed, self.tickers, self.exchange = feed, tickers, exchange
        self.callbacks = Callbacks()
        (io,) = [each for each in threading.enumerate() if each.name == "kalshi-io"]
        self._clock = time.pthread_getcpuclockid(io.ident)
        self.found = {}

    def measure(self, what, count, call):
        self.callbacks.longest = 0.0
        began, used = time.perf_counter(), time.clock_gettime(self._clock)
        call()
        used = time.clock_gettime(self._clock) - used
        self.found[what] = {
            "us": used / count * 1e6,
            "longest_ms": self.callbacks.longest * 1e3,
            "seconds": time.perf_counter() - began,
        }

    def run(self):
        count = len(self.tickers)
        self.measure("opened", count, self.open)
        self.measure("repaired", count, self.repair)
        self.measure("opened one more at a time", ONE_BY_ONE, self.open_one_by_one)
        self.measure("closed", count, self.close)
        return self.found

    def open(self):
        self.books = self.feed.books(self.tickers)
        until(lambda: all(each.status in ("live", "unknown") for each in self.books.values()))

    def repair(self):
        before = self.feed.health().gaps
        self.exchange.tell(skip=1)
        self.exchange.hear()
        until(lambda: self.feed.health().gaps > before and self.feed.health().open_gaps == 0)
        assert self.feed.gaps["repaired_by"][-1] == "get_snapshot"

    def open_one_by_one(self):
        self.more = [self.feed.book(f"KX-MORE-{number}") for number in range(ONE_BY_ONE)]

    def close(self):
        for each in self.more:
            each.close()
        self.books.close()
        until(lambda: self.feed.health().markets.get(BOOKS, 0) == 0)


def serve():
    from cryptography.hazmat.primitives import serialization as form

    with kn.sim.Exchange(seed=7) as exchange:
        pem = exchange.private_key.private_bytes(
            form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption()
        ).decode()
        answers = {"url": exchange.url, "key_id": exchange.key_id, "pem": pem, "tickers": exchange.market_tickers}
        print(json.dumps(answers), flush=True)
        for line in sys.stdin:
            exchange.faults.skip_frames(BOOKS, json.loads(line)["skip"])
            print("{}", flush=True)


def main(count):
    with spoken_to("tests.benchmarks.clients.bulk", "exchange") as exchange:
        told = exchange.hear()
        tickers = [*told["tickers"], *(f"KX-{number:06}" for number in range(count - len(told["tickers"])))]
        with kn.connect(told["url"], key_id=told["key_id"], private_key=told["pem"]) as feed:
            print(json.dumps(Bulk(feed, tickers, exchange).run()), flush=True)


if __name__ == "__main__":
    serve() if sys.argv[1] == "exchange" else main(int(sys.argv[1]))
