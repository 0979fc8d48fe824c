"""Pictures of a ladder as the kernel would send them: one market in each state that a view must tell apart."""

import time

TICKER = "KXHIGHNY-26NOV28-B52.5"
ASKS = [
    [0.485, 64],
    [0.49, 980],
    [0.50, 12],
    [0.505, 300],
    [0.52, 1500],
    [0.53, 41],
    [0.54, 5],
    [0.55, 777],
    [0.60, 20],
    [0.61, 8],
]
BIDS = [
    [0.47, 310],
    [0.465, 2210],
    [0.45, 125],
    [0.44, 60],
    [0.435, 18],
    [0.43, 900],
    [0.40, 33],
    [0.39, 12],
    [0.38, 4],
    [0.37, 1],
]


def ladder(seq=1, **given):
    now = given.pop("sent", None) or time.time()
    market = {
        "ticker": TICKER,
        "title": "Highest temperature in New York on Nov 28?",
        "subtitle": "52° to 53°",
        "phase": "active",
        "open_time": None,
        "close_time": now + 3 * 3600 + 12 * 60 + 5,
        "settled_at": None,
        "result": None,
        "settlement": None,
    } | given.pop("market", {})
    picture = {
        "v": 1,
        "seq": seq,
        "sent": now,
        "kernel": "kernel-1",
        "model": "model-1",
        "kind": "ladder",
        "status": "live",
        "age": 12,
        "note": "",
        "market": market,
        "decimals": 1,
        "ticks": [[0, 10000, 50]],
        "bids": BIDS,
        "asks": ASKS,
        "last": {"price": 0.485, "size": 30, "taker": "yes", "at": now - 2},
        "orders": [],
        "fills": [],
        "changed": now - 1,
    }
    return picture | given


def states():
    """Every state by name: what a person must be able to tell apart."""
    now = time.time()
    return {
        "live": ladder(),
        "owned": ladder(
            orders=[["yes", 0.465, 25], ["no", 0.52, 1200]], fills=[["yes", 0.47, 10, now], ["yes", 0.485, 7, now]]
        ),
        "connecting": ladder(status="connecting", bids=[], asks=[], last=None, changed=None),
        "stale": ladder(status="stale"),
        "silent": ladder(sent=now - 3600),
        "no-asks": ladder(asks=[]),
        "no-bids": ladder(bids=[]),
        "empty": ladder(bids=[], asks=[], last=None),
        "crossed": ladder(asks=[[0.465, 3], *ASKS], note="bid and ask are crossed; so the exchange says itself"),
        "unknown": ladder(
            status="unknown",
            bids=[],
            asks=[],
            last=None,
            changed=None,
            market={"title": None, "subtitle": None, "close_time": None},
            note="did you mean KXHIGHNY-26NOV28-B54.5?",
        ),
        "handle-closed": ladder(status="closed"),
        "initialized": ladder(market={"phase": "initialized", "open_time": now + 7200}, bids=[], asks=[], last=None),
        "inactive": ladder(market={"phase": "inactive"}),
        "closed": ladder(market={"phase": "closed"}),
        "closed-by-clock": ladder(market={"close_time": now - 5}),
        "last-minute": ladder(market={"close_time": now + 42}),
        "determined": ladder(market={"phase": "determined", "result": "yes", "settlement": 1.0}),
        "determined-no": ladder(market={"phase": "determined", "result": "no", "settlement": 0.0}),
        "scalar": ladder(market={"phase": "determined", "result": "scalar", "settlement": 0.5}),
        "disputed": ladder(market={"phase": "disputed", "result": "yes", "settlement": 1.0}),
        "finalized": ladder(
            market={"phase": "finalized", "result": "yes", "settlement": 1.0, "settled_at": now - 600}
        ),
        "ticker-only": ladder(market={"title": None, "subtitle": None}),
        "large": ladder(
            decimals=2,
            ticks=[[0, 10000, 25]],
            bids=[[0.9725, 1234567.89], [0.97, 0.01], [0.9, 1e6]],
            asks=[[0.9775, 12.5]],
            orders=[["yes", 0.97, 250000]],
        ),
    }
