"""The floors of the house, lowest first: what stands on each, and what it is about.

``python -m tests.house`` prints the table of ``docs/architecture.md``, which a test holds equal to this.
"""

FLOORS = [
    (
        [
            "errors",
            "_auth",
            "_clock",
            "_durations",
            "_environments",
            "_extensions",
            "_fixed_point",
            "_foreign_names",
            "_key_files",
            "_logging",
            "_moments",
            "_offload",
            "_private_keys",
            "_redaction",
            "_ringing",
            "_sealed",
            "_settings",
            "_shell",
            "_sizes",
            "_terminal",
            "_threads",
            "_usage",
            "_version",
            "_waiting",
            "_wakeup",
        ],
        "ground: one tree of errors, keys and signatures, what may be shown, time, hosts, units, threads, waits",
    ),
    (["_rows"], "what crosses the seam, as plain data: the table of channels, rows, gaps, what can be asked for"),
    (["_wire"], "bytes to typed messages to rows, and commands to bytes; one module a family of messages"),
    (["_session"], "one connection's subscriptions, counting, repair and ladders, sans I/O"),
    (["_engine"], "the io thread, its links and transports; `port` is all that the rooms above know of it"),
    (
        ["_frames", "_markets", "_messages", "messages"],
        "rows to columns to rolling frames; rows to what is known of markets; rows to typed messages",
    ),
    (["_streams"], "streamz graphs, their sources and nodes, and the two threads that run them"),
    (["_rest"], "the exchange over REST: one client, its pages, what it says as frames, tickers by words"),
    (["_widgets"], "one room a widget with its presenter, its text and its HTML; the display thread"),
    (
        ["_recording"],
        "recordings on a disk: lines under marks, segments, the thread that writes, the reader; exports, repair",
    ),
    (["_feed"], "the public handles: feed, frames, books, pipelines, health; `connect` builds a feed on an engine"),
    (["_cli", "__init__", "__main__"], "one module a command; the face of the package"),
]


def table():
    """Return the table of the document."""
    lines = ["| floor | rooms | what it is about |", "|---|---|---|"]
    for floor, (rooms, about) in enumerate(FLOORS):
        lines.append(f"| {floor} | {', '.join(f'`{each}`' for each in rooms)} | {about} |")
    lines.append("| beside | `sim` | a simulated exchange; imports only `errors` of the above |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
