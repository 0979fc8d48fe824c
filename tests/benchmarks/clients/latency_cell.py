"""What runs in the kernel: books on show, and a cell that reads ``trades.df`` whenever there is more of it."""

import json
import threading
import time
from collections import defaultdict

import comm
from ipykernel.comm.comm import BaseComm
from IPython.display import display

from kalshi_nb._widgets import view
from tests.benchmarks.clients.kinds import measured_part, places_of_changes
from tests.benchmarks.clients.kit import Everything, busy_round, connected
from tests.benchmarks.clients.protocol import Client

PATIENCE = 10.0
SHOWN = defaultdict(list)
"""For each ladder's comm, when each picture had left and which version of the book was in it."""


class NotingComm(BaseComm):
    """The kernel's own comm, which sends as ever; then it is noted when that was done."""

    def publish_msg(self, msg_type, data=None, metadata=None, buffers=None, **keys):
        super().publish_msg(msg_type, data=data, metadata=metadata, buffers=buffers, **keys)
        if msg_type == "comm_msg":
            note(self.comm_id, data)


def note(comm_id, data):
    """Note a picture that has left."""
    picture = ((data or {}).get("state") or {}).get("picture")
    if picture is not None:
        assert threading.current_thread().name == "kalshi-display"
        SHOWN[comm_id].append((time.monotonic_ns(), picture["version"]))


def noting_beside(send):
    """Return what sends as `send` does, which goes around `publish_msg`, and notes what has left."""

    def beside(comm, data, buffers, parent):
        sent = send(comm, data, buffers, parent)
        if sent:
            note(comm.comm_id, data)
        return sent

    return beside


class Cell:
    """One feed, its frame of trades, and ladders of its busiest markets."""

    def __init__(self):
        comm.create_comm = NotingComm
        view.send_beside = noting_beside(view.send_beside)
        self.client = Client()
        self.feed = connected(self.client)
        self.everything = Everything(self.client, self.feed)
        self.trades = self.everything.frames["trades"]
        self.ladders = {ticker: self.everything.books[ticker] for ticker in self.client.options["shown"]}
        for book in self.ladders.values():
            display(book)

    def warm(self):
        """Take in the first part; every version of a book that is shown from here on is of the second."""
        self.everything.wait(self.client.parts[0])
        self.before = self.versions()
        SHOWN.clear()

    def versions(self):
        # What numbers the pictures is the presenter's and the view's alone; no public name has it.
        return {ticker: book._presenter.picture(1).changes for ticker, book in self.ladders.items()}

    def read(self):
        """Read the frame as it grows, to its end; return when which row could be read and which change was shown."""
        frame, rows, busy = self.trades, self.client.parts[1]["trades"], self.client.options.get("busy")
        # Some of them may be there before the cell begins: it has to see those, too.
        readings, first = [], self.client.parts[0]["trades"]
        seen = first
        while seen < rows:
            if busy:
                busy_round()
            else:
                frame.wait(seen + 1, timeout=PATIENCE * 6)
            total = frame.total
            if total != seen:
                df = frame.df
                readings.append((time.monotonic_ns(), total - first))
                assert df["seq"][-1] >= total  # trades are numbered from 1
                seen = total
        return json.dumps({"readings": readings, "pictures": self.pictures(), **self.judged()})

    def pictures(self):
        """When how many changes of each ladder had been shown; the last one is waited for."""
        names = {book.widget().comm.comm_id: ticker for ticker, book in self.ladders.items()}
        newest = self.versions()
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and any(
            not SHOWN[number] or SHOWN[number][-1][1] < newest[ticker] for number, ticker in names.items()
        ):
            time.sleep(0.01)
        return {
            ticker: [(at, version - self.before[ticker]) for at, version in SHOWN[number]]
            for number, ticker in names.items()
        }

    def judged(self):
        """What came and what should have, the number of changes of each ladder among it."""
        self.everything.wait(self.client.parts[1])
        changes = places_of_changes(measured_part(self.client.options["folder"], self.client.session))
        came = {f"changes of {ticker}": now - self.before[ticker] for ticker, now in self.versions().items()}
        expected = {f"changes of {ticker}": len(changes[ticker]) for ticker in self.ladders}
        return {
            "found": self.everything.found() | came,
            "expected": self.everything.expected(self.client.parts[1]) | expected,
        }
