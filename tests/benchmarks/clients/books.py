"""Row 7: one delta into a book, then best bid and ask read; the kit's book or a peer's, in rounds.

The messages are decoded beforehand, each by its own library, since decoding is row 6.
"""

import json
import sys
import time
from pathlib import Path

from tests.benchmarks.clients.protocol import messages_of


def kit(session, frames):
    from kalshi_nb._clock import WallClock
    from kalshi_nb._feed.book import Book
    from kalshi_nb._fixed_point import COUNTS
    from kalshi_nb._session.extension import ladders
    from kalshi_nb._wire.books import LEVEL_PRICES, levels
    from kalshi_nb._wire.decode import decode

    ladder_of = ladders()
    books = {}
    for body in session["snapshots"]:
        text = f'{{"type":"orderbook_snapshot","sid":1,"seq":1,"msg":{body}}}'
        message = decode(text.encode()).msg
        ladder = ladder_of(message.market_ticker)
        ladder.replace(levels(message.yes_dollars_fp), levels(message.no_dollars_fp), 0)
        books[message.market_ticker] = ladder, Book(ladder, clock=WallClock(), release=lambda: None)
    messages = [decode(each).msg for each in frames]

    def run():
        for msg in messages:
            ladder, book = books[msg.market_ticker]
            ladder.apply(msg.side, LEVEL_PRICES[msg.price_dollars], COUNTS[msg.delta_fp], 1)
            _ = book.best_bid, book.best_ask

    def reset():
        for body, (ladder, _) in zip(session["snapshots"], books.values(), strict=True):
            text = f'{{"type":"orderbook_snapshot","sid":1,"seq":1,"msg":{body}}}'
            message = decode(text.encode()).msg
            ladder.replace(levels(message.yes_dollars_fp), levels(message.no_dollars_fp), 0)

    def found():
        return [tuple(map(dict, ladder.levels())) for ladder, _ in books.values()]

    return run, reset, found


def pykalshi(session, frames):
    from pykalshi.feed import OrderbookSnapshotMessage, _parse_message
    from pykalshi.orderbook import OrderbookManager

    snapshots = [OrderbookSnapshotMessage.model_validate_json(body) for body in session["snapshots"]]
    books = {each.market_ticker: OrderbookManager(each.market_ticker) for each in snapshots}
    messages = [_parse_message(each)[2] for each in frames]

    def run():
        for msg in messages:
            book = books[msg.market_ticker]
            book.apply_delta(msg.side, msg.price_dollars, msg.delta_fp)
            _ = book.best_bid, book.best_ask

    def reset():
        for each in snapshots:
            books[each.market_ticker].apply_snapshot(each.yes_dollars, each.no_dollars)

    def found():
        return [tuple(map(_in_units, (book.yes, book.no))) for book in books.values()]

    return run, reset, found


def _in_units(side):
    return {round(float(price) * 10_000): round(float(size) * 100) for price, size in side.items()}


def main():
    options = json.loads(sys.argv[1])
    folder = Path(options["folder"])
    session = json.loads((folder / "session.json").read_text())
    frames = messages_of(folder)
    contestants = {each.__name__: each(session, frames) for each in (kit, pykalshi)}
    times = {name: [] for name in contestants}
    for number in range(options["rounds"] + 1):
        for name in list(contestants)[:: 1 if number % 2 else -1]:
            run, reset, _ = contestants[name]
            reset()
            began = time.perf_counter()
            run()
            if number:  # the first round warms up
                times[name].append((time.perf_counter() - began) / len(frames) * 1e6)
    last = session["parts"][-1]
    wrong = {}
    for name, (_, _, found) in contestants.items():
        sides = [side for book in found() for side in book]
        sums = {
            "levels": sum(map(len, sides)),
            "quantity": sum(sum(side.values()) for side in sides),
            "value": sum(price * size for side in sides for price, size in side.items()),
        }
        wrong |= {f"{name} {key}": [value, last[key]] for key, value in sums.items() if value != last[key]}
    print(json.dumps({**times, "wrong": wrong}))


if __name__ == "__main__":
    main()
