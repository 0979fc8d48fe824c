"""Connections that end in every way, with an exchange that stays away for a while: each time all comes back."""

import time
from dataclasses import asdict, dataclass
from random import Random

import kalshi_nb as kn
from tests.venue import books_of, kept_books, settle

KINDS = ("reset", "inside a frame", "going away", "internal error", "normal")
CEILING = 30.0 + 2.0


@dataclass(frozen=True)
class KillsResult:
    seed: int
    kills: int
    recovered: int
    longest_outage: float
    longest_recovery: float
    median_recovery: float
    connection_gaps: int
    wrong_books: int

    def record(self):
        return asdict(self)


def _kill(faults, kind):
    if kind == "reset":
        faults.drop_connections()
    elif kind == "inside a frame":
        faults.drop_connections(inside_a_frame=True)
    else:
        faults.close_connections({"going away": 1001, "internal error": 1011, "normal": 1000}[kind])


def wait(condition, seconds):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.005)
    return True


def some_kills(seed, kills, *, longest_outage=3.0):
    """Kill the connection again and again; measure from the exchange's return to the last book made right."""
    random = Random(seed)
    recoveries, outages, wrong = [], [], 0
    with kn.sim.Exchange(seed=seed, clock="manual") as exchange, kn.connect(exchange, new=True) as feed:
        books = feed.books(exchange.market_tickers).wait()
        feed.trades(rows=1_000)
        for number in range(kills):
            exchange.advance(5)
            outage = random.uniform(0, longest_outage)
            outages.append(outage)
            before = feed.health().reconnects
            exchange.faults.refuse_handshakes(503, count=100)  # or it may be back, and lost again, before that
            _kill(exchange.faults, KINDS[number % len(KINDS)])
            exchange.faults.begin_maintenance(status=random.choice((502, 503)))
            exchange._server.call(exchange._server.refusals.clear)
            time.sleep(outage)
            exchange.faults.end_maintenance()
            back = time.monotonic()
            if not wait(
                lambda n=before: (
                    feed.health().reconnects > n and all(each.status == "live" for each in books.values())
                ),
                CEILING,
            ):
                break
            recoveries.append(time.monotonic() - back)
            settle(exchange, books)
            kept, own = kept_books(feed, books), books_of(exchange, list(books))
            wrong += sum(kept[ticker] != own[ticker] for ticker in own)
        lost = feed.gaps.filter(channel="orderbook_delta", reason="connection_lost")
    recoveries.sort()
    return KillsResult(
        seed=seed,
        kills=kills,
        recovered=len(recoveries),
        longest_outage=round(max(outages), 2),
        longest_recovery=round(recoveries[-1], 2) if recoveries else float("nan"),
        median_recovery=round(recoveries[len(recoveries) // 2], 2) if recoveries else float("nan"),
        connection_gaps=lost.height,
        wrong_books=wrong,
    )
