"""Row 11: sixty views of every kind on show while the feed runs at a high rate: how much leaves, and who waits.

In place of the browser's connection stands one that counts, and a page that says every few seconds, as a real one
does, that it sees them all. A view is due as soon as its kind's period is over since it was sent; what it waits for
beyond that it waits for the others.
"""

import threading
import time
from collections import defaultdict
from itertools import pairwise

import comm
from comm.base_comm import BaseComm

from kalshi_nb._widgets.kinds import KINDS
from tests.benchmarks.clients.kit import Everything, connected
from tests.benchmarks.clients.protocol import Client
from tests.benchmarks.clients.widgets import most_a_second

PANELS = ("status", "ladder", "chart", "depth", "tape")
BUSIEST = 12
"""Markets that have views of their own: those that most messages are about, so that each view always has news."""

ACK_SECONDS = 4.0
SENT = defaultdict(list)


class CountingComm(BaseComm):
    """Notes when each widget sends an update."""

    def publish_msg(self, msg_type, data=None, metadata=None, buffers=None, **keys):
        if msg_type == "comm_msg":
            SENT[self.comm_id].append(time.monotonic())


def opened(feed, client, everything):
    """Sixty views, each with its kind: of one market, and of many."""
    tickers = client.session["tickers"][:BUSIEST]
    views = [("ladder", everything.books[each]._live_view()) for each in tickers]
    views += [("depth", everything.books[each]._live_view(view="depth")) for each in tickers]
    for ticker in tickers:
        trades = feed.trades(ticker)
        views += [("chart", trades._live_view(view="chart")), ("tape", trades._live_view(view="tape"))]
    views += [("dashboard", feed.dashboard(each, panels=PANELS)) for each in tickers[:4]]
    views += [("event", feed.event(f"KXEVENT{n}", tickers[n : n + 6])) for n in range(4)]
    views += [("board", feed.board()), ("board", feed.board(sort="bid"))]
    views += [("books", feed.books(tickers[:4])._live_view()), ("status", feed._live_view())]
    for _, view in views:
        view.mimebundle()
    return views


def look(views, closed):
    """Say every few seconds, by the voice of one, that all views are in sight."""
    widgets = [view.widget for _, view in views]
    while True:
        seqs = {widget.picture["model"]: widget.picture["seq"] for widget in widgets}
        content = {"data": {"method": "custom", "content": {"ack": seqs, "visible": [*seqs]}}}
        widgets[0]._handle_msg({"header": {"session": "page"}, "content": content, "buffers": []})
        if closed.wait(ACK_SECONDS):
            return


def longest_waits(views, began, ended):
    """By kind, how many seconds one of it waited at most beyond its period."""
    waits = defaultdict(float)
    for kind, view in views:
        moments = [began, *(at for at in SENT[view.widget.comm.comm_id] if began <= at <= ended), ended]
        gap = max(later - earlier for earlier, later in pairwise(moments))
        waits[kind] = max(waits[kind], gap - 1 / KINDS[kind].hz)
    return {kind: round(wait, 3) for kind, wait in waits.items()}


def least_share(views, began, ended):
    """Return, of views of one kind, how many updates the one that was sent fewest had for each of the most."""
    counts = defaultdict(list)
    for kind, view in views:
        counts[kind].append(sum(began <= at <= ended for at in SENT[view.widget.comm.comm_id]))
    return min(min(each) / max(each) for each in counts.values() if max(each))


def main():
    comm.create_comm = CountingComm
    client = Client()
    feed = connected(client)
    everything = Everything(client, feed)
    views = opened(feed, client, everything)
    closed = threading.Event()
    threading.Thread(target=look, args=(views, closed), daemon=True).start()
    client.ready()
    everything.wait(client.parts[0])
    client.warm()
    began = time.monotonic()
    everything.wait(client.parts[1])
    client.stop()
    ended = time.monotonic()
    closed.set()
    sent = [list(times) for times in SENT.values()]
    together = sorted(at for times in sent for at in times if began <= at <= ended)
    waits = longest_waits(views, began, ended)
    client.done(
        everything.found(),
        everything.expected(client.parts[1]),
        kernel=most_a_second(together),
        wait=max(0.001, *waits.values()),
        waits=waits,
        share=least_share(views, began, ended),
        updates=len(together),
        views=len(views),
    )
    feed.close()


if __name__ == "__main__":
    main()
