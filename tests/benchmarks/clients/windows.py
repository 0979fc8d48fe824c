"""A rolling frame of so many rows, full, read ten times a second while more come."""

import time

from tests.benchmarks.clients.kit import Everything, connected
from tests.benchmarks.clients.protocol import Client

PAUSE = 0.1


def main():
    client = Client()
    feed = connected(client)
    everything = Everything(client, feed)
    (frame,) = everything.frames.values()
    client.ready()
    everything.wait(client.parts[0])
    window = client.options["rows"]
    wrong_height = frame.df.height != min(window, client.parts[0]["trades"])
    client.warm()
    reads = 0
    while frame.total < client.parts[1]["trades"]:
        time.sleep(PAUSE)
        assert frame.df.height <= window
        reads += 1
    client.stop()
    expected = everything.expected(client.parts[1]) | {"full": True}
    client.done(everything.found() | {"full": not wrong_height}, expected, reads=reads)
    feed.close()


if __name__ == "__main__":
    main()
