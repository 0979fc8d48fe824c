"""Row 10: how long ``trades.df`` takes in a cell while trades pour in."""

import time

from tests.benchmarks.clients.kit import Everything, connected
from tests.benchmarks.clients.protocol import Client

PAUSE = 0.003


def main():
    client = Client()
    feed = connected(client)
    everything = Everything(client, feed)
    trades = everything.frames["trades"]
    client.ready()
    everything.wait(client.parts[0])
    client.warm()
    taken, expected = [], client.parts[1]["trades"]
    while trades.total < expected:
        time.sleep(PAUSE)
        began = time.perf_counter()
        df = trades.df
        taken.append(time.perf_counter() - began)
        assert df.height <= 100_000
    client.stop()
    taken.sort()
    quantiles = {f"p{share}": taken[int(len(taken) * share / 100)] * 1e3 for share in (50, 99)}
    client.done(everything.found(), everything.expected(client.parts[1]), reads=len(taken), **quantiles)
    feed.close()


if __name__ == "__main__":
    main()
