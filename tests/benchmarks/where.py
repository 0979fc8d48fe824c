"""``python -m tests.benchmarks.where``: where the time of one message goes, in memory, step by step.

Each step is timed alone over the same mixed messages, and its cost is given in µs a message of the mix. What receiving
costs is not in it: that is the row `receive alone` of the table of ``python -m tests.benchmarks.where --socket``.
"""

import argparse
import json
import random
import tempfile
import time
from pathlib import Path
from statistics import median

from kalshi_nb._frames.batch import Batch
from kalshi_nb._rows.wanted import ALL
from kalshi_nb._session.session import Session
from kalshi_nb._wire.decode import decode
from tests.benchmarks.clients.protocol import messages_of, unframed
from tests.benchmarks.frames import Size, prepare
from tests.benchmarks.running import measure, sending
from tests.benchmarks.sender import Line

READ = 500
"""Messages that one read brings while there are many: some 150 KiB."""

CHANNELS = {"orderbook_delta": None, "ticker": ALL, "trade": ALL}


class _Exchange(Line):
    """The sender's answers without a socket."""

    def __init__(self, session):
        super().__init__(None, session)
        self.said = []

    def write(self, data):
        self.said += unframed(data)


def subscribed(session, *, listen):
    """A session of the kit with all books live and rows of the channels in `listen`."""
    kit = Session(now_us=lambda: time.time_ns() // 1000, monotonic=time.monotonic, random=random.Random(1))
    exchange = _Exchange(session)
    kit.connected()
    for channel, wanted in CHANNELS.items():
        kit.want(channel, frozenset(session["tickers"]) if wanted is None else wanted)
        kit.listen(channel, on=channel in listen)
        while kit.outgoing:
            exchange.command(json.loads(kit.outgoing.popleft()))
            said, exchange.said = exchange.said, []
            for each in said:
                kit.receive([each], 1)
    ladders = [kit.ladder(ticker) for ticker in session["tickers"]]
    assert all(ladder.live for ladder in ladders)
    return kit


def _timed(function):
    began = time.process_time()
    function()
    return time.process_time() - began


def steps(folder, rounds):
    """Names of steps and the µs a message that each takes, medians of rounds."""
    session = json.loads((folder / "session.json").read_text())
    data = messages_of(folder)

    def run(function):
        return lambda: [function(each) for each in data] and None

    def through(*listen):
        kit = subscribed(session, listen=listen)
        receive, now = kit.receive, lambda: time.time_ns() // 1000

        def every():
            for first in range(0, len(data), READ):
                receive(data[first : first + READ], now())

        return every, kit

    times = {}
    for _ in range(rounds):
        taken = {"json.loads, for comparison": _timed(run(json.loads)), "decode": _timed(run(decode))}
        for name, listen in (
            ("decode, session and books", ()),
            ("the same and rows of trades and tickers", ("ticker", "trade")),
            ("the same and rows of deltas", ("ticker", "trade", "orderbook_delta")),
        ):
            every, kit = through(*listen)
            taken[name] = _timed(every)
        for channel in CHANNELS:
            rows = [row for row in kit.rows(channel) if type(row) is tuple]
            parts = [rows[at : at + 5_000] for at in range(0, len(rows), 5_000)]
            taken[f"batches of {channel} rows to polars"] = _timed(
                lambda channel=channel, parts=parts: [Batch(channel, part).df() for part in parts]
            )
        for name, seconds in taken.items():
            times.setdefault(name, []).append(seconds / len(data) * 1e6)
    return {name: median(each) for name, each in times.items()}


def over_the_socket(folder, rounds):
    """CPU µs a message of whole clients, of the quick start's loop, and of receiving alone."""
    cases = {
        "receive alone (`websockets`)": ("receiving", {}),
        "receive and json.loads (quick-start loop)": ("naive", {}),
        "books, no frames of deltas": ("kit", {}),
        "books and frames of deltas": ("kit", {"deltas": True}),
    }
    times = {name: [] for name in cases}
    with sending(folder) as sender:
        for _ in range(rounds):
            for name, (client, options) in cases.items():
                measured = measure(sender, folder, client, **options)
                times[name].append(measured.cpu / measured.messages * 1e6)
    return {name: median(each) for name, each in times.items()}


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.where", description=__doc__)
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--socket", action="store_true", help="whole clients, too")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = prepare(Size(options.messages, 0), Path(place))
        found = steps(folder, options.rounds)
        if options.socket:
            found |= over_the_socket(folder, options.rounds)
    for name, taken in found.items():
        print(f"{taken:8.2f} µs  {name}")


if __name__ == "__main__":
    main()
