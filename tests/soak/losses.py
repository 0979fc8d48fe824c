"""A line that loses a message now and then, and an exchange that answers: how much of the time books are live."""

import time
from dataclasses import asdict, dataclass

import kalshi_nb as kn
from tests.venue import books_of, kept_books, settle

ANSWER_AFTER = 0.05
LOOK = 0.01


@dataclass(frozen=True)
class LossesResult:
    every: float
    seconds: float
    losses: int
    gaps: int
    repaired: dict
    books: int
    live_percent: float
    longest_stale: float
    wrong_books: int

    def record(self):
        return asdict(self)


class Watch:
    """How long all of some books were live together, looked at a hundred times a second."""

    def __init__(self, books):
        self._books = list(books.values())
        self._last = time.monotonic()
        self._since = None
        self.passed = self.live = self.longest_stale = 0.0

    def look(self):
        now = time.monotonic()
        passed, self._last = now - self._last, now
        self.passed += passed
        if all(each.status == "live" for each in self._books):
            self.live += passed
            self._since = None
        else:
            self._since = now if self._since is None else self._since
            self.longest_stale = max(self.longest_stale, now - self._since)


def some_losses(seed, seconds, every):
    """Lose a message of books at every so many seconds, each answer being 50 ms away."""
    losses = 0
    with kn.sim.Exchange(seed=seed, speed=10.0) as exchange, kn.connect(exchange, new=True) as feed:
        books = feed.books(exchange.market_tickers).wait()
        exchange.faults.delay(ANSWER_AFTER)
        watch, began = Watch(books), time.monotonic()
        while (now := time.monotonic() - began) < seconds:
            if now >= losses * every:
                losses += 1
                exchange.faults.skip_frames("orderbook_delta", 1)
            time.sleep(LOOK)
            watch.look()
        exchange.faults.delay(0)
        of_books = feed.gaps.filter(channel="orderbook_delta")
    wrong = _wrong_books(seed)
    return LossesResult(
        every=every,
        seconds=round(watch.passed, 1),
        losses=losses,
        gaps=of_books.height,
        repaired=dict(of_books["repaired_by"].value_counts().iter_rows()),
        books=len(books),
        live_percent=round(100 * watch.live / watch.passed, 2),
        longest_stale=round(watch.longest_stale, 3),
        wrong_books=wrong,
    )


def _wrong_books(seed, losses=20):
    """How many books differ from the exchange's own after as many losses on a market that stands still then."""
    with kn.sim.Exchange(seed=seed, clock="manual") as exchange, kn.connect(exchange, new=True) as feed:
        books = feed.books(exchange.market_tickers).wait()
        for _ in range(losses):
            exchange.faults.skip_frames("orderbook_delta", 1)
            exchange.advance(5)
        settle(exchange, books)
        kept, own = kept_books(feed, books), books_of(exchange, list(books))
        return sum(kept[ticker] != own[ticker] for ticker in own)
