"""What every client tells the one who measures it, in lines of JSON on its standard output.

``ready`` (subscribed, all snapshots taken in), ``warm`` (has taken in the first part of the frames), ``done`` (has
taken in the second). Wall time goes from the sender's first byte, CPU time from ``warm``, both to ``stop()``.
"""

import json
import resource
import sys
import time
from pathlib import Path


class Client:
    """One measurement in this process: what it is to do, and what it has to say.

    The first argument is JSON with ``url``, ``folder``, ``channels`` and whatever else the client understands.
    """

    def __init__(self):
        self.options = json.loads(sys.argv[1])
        self.url = self.options["url"]
        self.channels = self.options.get("channels", ["orderbook_delta", "ticker", "trade"])
        self.session = json.loads((Path(self.options["folder"]) / "session.json").read_text())
        self.parts = self.session["parts"]
        self.cpu = self.began_cpu = 0.0
        self.at = 0

    def say(self, **message):
        print(json.dumps(message), flush=True)

    def ready(self):
        self.say(at="ready")

    def warm(self):
        self.memory = memory()
        self.began_cpu = time.process_time()
        self.say(at="warm")

    def stop(self):
        """The last message has been taken in."""
        self.at = time.monotonic_ns()
        self.cpu = time.process_time() - self.began_cpu

    def done(self, found, expected, **more):
        wrong = {name: [found.get(name), value] for name, value in expected.items() if found.get(name) != value}
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        self.say(at="done", ended=self.at, cpu=self.cpu, wrong=wrong, memory=self.memory, peak=peak * 1024, **more)


def memory():
    """Bytes of this process that are in memory now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


def messages_of(folder):
    """The prepared messages as bytes."""
    return unframed((folder / "frames.bin").read_bytes())


def unframed(data):
    """Messages out of their WebSocket frames."""
    found, at = [], 0
    while at < len(data):
        size, at = data[at + 1], at + 2
        if size >= 126:
            wide = 2 if size == 126 else 8
            size, at = int.from_bytes(data[at : at + wide], "big"), at + wide
        found.append(data[at : at + size])
        at += size
    return found
