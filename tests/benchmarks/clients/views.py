"""Row 20: what views on show take of the kernel's CPU while the feed runs at an ordinary rate.

In place of the browser's connection stands one that counts, and a page that says every few seconds, as a real one
does, that it sees them all: so each is sent what it would be. The option ``view`` is ``"dashboard"`` (of the first
market, five panels), ``"board"`` (of all markets), or none.
"""

import threading

import comm
from comm.base_comm import BaseComm

from tests.benchmarks.clients.kit import Everything, connected
from tests.benchmarks.clients.protocol import Client

PANELS = ("status", "ladder", "chart", "depth", "tape")
ACK_SECONDS = 4.0


class CountingComm(BaseComm):
    """Counts the updates that are sent."""

    sent = 0

    def publish_msg(self, msg_type, data=None, metadata=None, buffers=None, **keys):
        CountingComm.sent += msg_type == "comm_msg"


def opened(feed, client):
    """The view that was asked for, on show; None where there is to be none."""
    wanted = client.options.get("view")
    if wanted is None:
        return None
    view = feed.board() if wanted == "board" else feed.dashboard(client.session["tickers"][0], panels=PANELS)
    view.mimebundle()
    return view


class Page:
    """Says that it sees a view, until it is closed."""

    def __init__(self, view):
        self.view = view
        self.closed = threading.Event()
        if view is not None:
            threading.Thread(target=self.look, daemon=True).start()

    def look(self):
        widget = self.view.widget
        while True:
            said = {"ack": {widget.picture["model"]: widget.picture["seq"]}, "visible": [widget.picture["model"]]}
            content = {"data": {"method": "custom", "content": said}}
            widget._handle_msg({"header": {"session": "page"}, "content": content, "buffers": []})
            if self.closed.wait(ACK_SECONDS):
                return


def main():
    comm.create_comm = CountingComm
    client = Client()
    feed = connected(client)
    everything = Everything(client, feed)
    page = Page(opened(feed, client))
    client.ready()
    everything.wait(client.parts[0])
    CountingComm.sent = 0
    client.warm()
    everything.wait(client.parts[1])
    client.stop()
    page.closed.set()
    client.done(everything.found(), everything.expected(client.parts[1]), updates=CountingComm.sent)
    feed.close()


if __name__ == "__main__":
    main()
