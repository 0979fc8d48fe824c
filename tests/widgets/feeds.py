"""A public feed on an engine that plays what a test lists, and rows to play."""

import contextlib

from kalshi_nb import Feed
from tests.feed.list_engine import BASE_US, ListEngine

SECOND = 1_000_000
MARKET = "KXHIGHNY-26NOV22-B52.5"


@contextlib.contextmanager
def feed_on_a_list():
    """A feed and its engine."""
    engine = ListEngine()
    with Feed(engine) as feed:
        feed._open(5.0)  # as connect() does
        yield feed, engine


def trade(number, market=MARKET, *, at=None, price=4_850, count=3_000, taker="yes", block=False, key=None):
    """A row of the channel; `at` in seconds after the beginning."""
    at = BASE_US + round((number if at is None else at) * SECOND)
    return (
        at,
        market,
        price,
        count,
        taker,
        "bid",
        10_000 - price,
        block,
        f"id-{number}" if key is None else key,
        at,
        number,
    )


def quote(number, bid, ask, market=MARKET):
    """A row of the best prices, `number` seconds after the beginning; None where a side is empty."""
    at = BASE_US + number * SECOND
    sizes = [None if each is None else 100 for each in (bid, ask)]
    is_both = None not in sizes
    middle = (bid + ask if is_both else None, ask - bid if is_both else None)
    return (at, market, bid, sizes[0], ask, sizes[1], *middle, at, number, "live")


def scene(frame, **options):
    """The scene of a frame's view."""
    return frame._live_view(**options)._scene
