"""A line that loses, doubles, swaps and cuts frames: whatever it does, every book settles to the exchange's own."""

from dataclasses import asdict, dataclass

import kalshi_nb as kn
from tests.venue import books_of, kept_books, settle

SPEED = 10.0
STEP = 10.0


@dataclass(frozen=True)
class LineResult:
    seed: int
    frames: int
    dropped: int
    duplicated: int
    reordered: int
    truncated: int
    gaps: int
    repaired: dict
    books: int
    wrong_books: int
    open_gaps: int
    levels: int

    def record(self):
        return asdict(self)


def one_line(seed, frames, *, rate=0.01):
    """Send at least `frames` frames over a faulty line, let it settle, and hold book against book."""
    with kn.sim.Exchange(seed=seed, clock="manual", speed=SPEED) as exchange, kn.connect(exchange, new=True) as feed:
        books = feed.books(exchange.market_tickers).wait()
        feed.trades(rows=1_000)
        plan = exchange.faults.plan(seed, drop=rate, duplicate=rate, reorder=rate, truncate=rate)
        while plan.counts["frames"] < frames:
            exchange.advance(STEP / SPEED)
        settle(exchange, books)
        feed.trades(rows=1_000).wait(rows=1)
        kept, own = kept_books(feed, books), books_of(exchange, list(books))
        gaps = feed.gaps
        of_books = gaps.filter(channel="orderbook_delta")
        return LineResult(
            seed=seed,
            frames=plan.counts["frames"],
            dropped=plan.counts["drop"],
            duplicated=plan.counts["duplicate"],
            reordered=plan.counts["reorder"],
            truncated=plan.counts["truncate"],
            gaps=gaps.height,
            repaired=dict(of_books["repaired_by"].value_counts().iter_rows()),
            books=len(own),
            wrong_books=sum(kept[ticker] != own[ticker] for ticker in own),
            open_gaps=of_books["closed_at"].null_count(),
            levels=sum(len(side) for book in own.values() for side in book),
        )
