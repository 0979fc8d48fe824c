"""Row 6: one mixed message decoded, by the kit and by ``json.loads``, in alternating rounds."""

import json
import sys
import time
from pathlib import Path

from kalshi_nb._wire.decode import decode
from tests.benchmarks.clients.protocol import messages_of


def main():
    options = json.loads(sys.argv[1])
    data = messages_of(Path(options["folder"]))
    texts = [each.decode() for each in data]  # what a WebSocket client hands to the quick start's loop
    cases = {"kit": (decode, data), "json": (json.loads, texts)}
    found = {name: [] for name in cases}
    for number in range(options["rounds"] + 1):
        for name in list(cases)[:: 1 if number % 2 else -1]:
            function, given = cases[name]
            began = time.perf_counter()
            for each in given:
                function(each)
            if number:  # the first round warms up
                found[name].append((time.perf_counter() - began) / len(given) * 1e6)
    same = [
        _essence(decode(one)) == _essence_of_json(json.loads(other)) for one, other in zip(data, texts, strict=True)
    ]
    print(json.dumps({**found, "wrong": {} if all(same) else {"decoded": same.count(False)}}))


def _essence(frame):
    return frame.msg.market_ticker, frame.msg.ts_ms, getattr(frame, "seq", None)


def _essence_of_json(frame):
    return frame["msg"]["market_ticker"], frame["msg"]["ts_ms"], frame.get("seq")


if __name__ == "__main__":
    main()
