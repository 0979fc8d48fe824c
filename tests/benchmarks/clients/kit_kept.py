"""What the kit keeps of the same: books, and frames of trades and tickers that hold all of them."""

import gc

from tests.benchmarks.clients.kit import Everything, connected
from tests.benchmarks.clients.protocol import Client, memory


def main():
    import polars as pl

    pl.DataFrame({"warm": ["up"]}).filter(pl.col("warm") == "up")  # its threads and its allocator are no rows
    client = Client()
    feed = connected(client)
    gc.collect()
    before = memory()
    everything = Everything(client, feed)
    client.ready()
    client.warm()
    everything.wait(client.parts[1])
    client.stop()
    gc.collect()
    kept = memory() - before
    client.done(everything.found(), everything.expected(client.parts[1]), kept=kept)
    feed.close()


if __name__ == "__main__":
    main()
