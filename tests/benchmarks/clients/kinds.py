"""Which frame is what, told without decoding it: the generator writes every kind in one order."""

from pathlib import Path

from tests.benchmarks.clients.protocol import messages_of

DELTA, TRADE = b'{"type":"orderbook_delta"', b'{"type":"trade"'


def measured_part(folder, session):
    """The messages of the second part."""
    return messages_of(Path(folder))[session["parts"][0]["frames"] :]


def places_of_trades(messages):
    """Where among the messages the trades are."""
    return [at for at, each in enumerate(messages) if each.startswith(TRADE)]


def places_of_changes(messages):
    """Where among the messages each market's changes are."""
    found = {}
    for at, each in enumerate(messages):
        if each.startswith(DELTA):
            found.setdefault(each.split(b'"', 14)[13].decode(), []).append(at)
    return found
