"""Row 11: messages that ladders on show send to the browser while the feed runs at a high rate.

In place of the browser's connection stands one that counts.
"""

import time
from bisect import bisect_left
from collections import defaultdict

import comm
from comm.base_comm import BaseComm

from tests.benchmarks.clients.kit import Everything, connected
from tests.benchmarks.clients.protocol import Client

SENT = defaultdict(list)


class CountingComm(BaseComm):
    """Notes when each widget sends an update."""

    def publish_msg(self, msg_type, data=None, metadata=None, buffers=None, **keys):
        if msg_type == "comm_msg":
            SENT[self.comm_id].append(time.monotonic())


def most_a_second(times):
    """The most that fall into any second, its end left out."""
    return max((bisect_left(times, at + 1.0) - number for number, at in enumerate(times)), default=0)


def main():
    comm.create_comm = CountingComm
    client = Client()
    feed = connected(client)
    everything = Everything(client, feed)
    shown = list(everything.books.values())[: client.options["ladders"]]
    bundles = [book._repr_mimebundle_() for book in shown]
    client.ready()
    everything.wait(client.parts[0])
    SENT.clear()  # what is shown first is not what a feed's rate makes
    client.warm()
    everything.wait(client.parts[1])
    client.stop()
    sent = [list(times) for times in SENT.values()]
    together = sorted(at for times in sent for at in times)
    client.done(
        everything.found(),
        everything.expected(client.parts[1]),
        widget=max(map(most_a_second, sent), default=0),
        kernel=most_a_second(together),
        updates=len(together),
        ladders=len(bundles),
    )
    feed.close()


if __name__ == "__main__":
    main()
