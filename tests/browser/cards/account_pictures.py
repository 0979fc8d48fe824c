"""Pictures of an account as the kernel would send them."""

import time

MARKETS = {
    "KXHIGHNY-26NOV28-B52.5": ["Highest temperature in New York on Nov 28?", "52° to 53°"],
    "KXHIGHNY-26NOV28-B54.5": ["Highest temperature in New York on Nov 28?", "54° to 55°"],
    "KXBTC15M-26NOV281015-15": ["Bitcoin price up in the next 15 minutes?", None],
    "KXSENATEOH-28-D": [None, None],
}
NEW_YORK, OTHER, BITCOIN, BARE = MARKETS
HOSTILE = "<img src=x onerror=\"document.title='run'\">\u202e\u2066" + "y" * 10_000


def holding(market, size, average, mark, by, unrealized, realized, fees, side):
    names = ("market", "size", "average", "mark", "by", "unrealized", "realized", "fees", "side")
    return dict(zip(names, (market, size, average, mark, by, unrealized, realized, fees, side), strict=True))


def working(market, side, price, left, initial, at, **more):
    made = {"market": market, "side": side, "price": price, "left": left, "initial": initial, "status": "resting"}
    return made | {"at": at, "is_over": False, "is_doubtful": False} | more


def deal(market, side, price, size, is_taker, fee, at):
    return {"market": market, "side": side, "price": price, "size": size, "is_taker": is_taker, "fee": fee, "at": at}


def sections(now):
    return {
        "positions": {
            "rows": [
                holding(BITCOIN, -397.74, 0.5644, 0.46, "last", -41.52, 27.26, 1.93, "no"),
                holding(NEW_YORK, 152.56, 0.24, 0.28, "bid", 6.1, 3.2, 2.08, "yes"),
                holding(OTHER, 25.0, 0.795, None, "", None, -4.06, 2.56, "yes"),
                holding(BARE, 0.0, None, None, "", None, 0.0, 0.02, "flat"),
            ],
            "more": 0,
        },
        "orders": {
            "rows": [
                working(NEW_YORK, "yes", 0.29, 9, 25, now - 17),
                working(NEW_YORK, "no", 0.655, 119.05, 119.05, now - 7_300),
                working(OTHER, "no", 0.78, 225, 300, now - 90_000, is_doubtful=True),
                working(BITCOIN, "yes", 0.52, 0, 78, now - 9, status="canceled", is_over=True),
            ],
            "more": 3,
        },
        "fills": {
            "rows": [
                deal(BITCOIN, "no", 0.46, 56, False, 0.0, now - 3),
                deal(NEW_YORK, "yes", 0.28, 1_250, True, 1.7642, now - 60),
                deal(OTHER, "no", 0.2, 52, True, 0.58, now - 400),
                deal(BARE, None, None, 3.5, None, None, now - 500),
            ],
            "more": 126,
        },
    }


TOTAL = {"unrealized": -35.42, "realized": 26.4, "fees": 6.59, "marked": 2, "held": 3}


def account(seq=1, **given):
    now = given.pop("sent", None) or time.time()
    picture = {
        "v": 1,
        "seq": seq,
        "sent": now,
        "clock": now,
        "kernel": "kernel-1",
        "model": "model-1",
        "kind": "account",
        "status": "live",
        "age": 12,
        "note": "",
        "title": "fills",
        "masked": False,
        "hidden": False,
        "markets": MARKETS,
        "sections": sections(now),
        "total": TOTAL,
    }
    return picture | given


def _without(names, picture):
    rows = [
        {**row, **{name: None for name in names if name in row}}
        for section in picture["sections"].values()
        for row in section["rows"]
    ]
    kept = iter(rows)
    made = {name: {**each, "rows": [next(kept) for _ in each["rows"]]} for name, each in picture["sections"].items()}
    return picture | {"sections": made, "total": None, "hidden": True}


def account_states():
    """Every state by name."""
    now = time.time()
    empty = {name: {"rows": [], "more": 0} for name in sections(now)}
    full = sections(now)
    for each in full.values():
        each["rows"] = each["rows"] * 5
    strange = {
        name: {**each, "rows": [{**row, "market": HOSTILE} for row in each["rows"]]} for name, each in full.items()
    }
    for row in strange["orders"]["rows"]:
        row["status"] = HOSTILE
    large = holding(NEW_YORK, -1_234_567.89, 0.9725, 0.9775, "last", -123_456.78, 1_234_567.89, 9_876.54, "no")
    just = holding(NEW_YORK, -99_999.99, 0.9725, 0.9775, "last", -99_999.99, -99_999.99, 9_999.99, "no")
    return {
        "live": account(),
        "fills-only": account(sections={"fills": sections(now)["fills"]}, total=None),
        "connecting": account(status="connecting", sections=empty, total=None),
        "empty": account(sections=empty, total=None),
        "stale": account(status="stale", note="the connection is lost; connecting again"),
        "silent": account(sent=now - 3600),
        "closed": account(status="closed"),
        "paused": account(status="paused", note="214 changes since"),
        "masked": account(sections=empty, total=None, masked=True, markets={}),
        "saved-masked": account(sections=empty, total=None, masked=True, markets={}, sent=now - 3600),
        "hidden": _without(("size", "average", "unrealized", "realized", "fees", "left", "initial", "fee"), account()),
        "full": account(sections=full),
        "hostile": account(title=HOSTILE, sections=strange, markets={HOSTILE: [HOSTILE, HOSTILE]}),
        "as-long-as-it-gets": account(
            sections={
                "positions": {"rows": [just], "more": 0},
                "orders": {"rows": [working(NEW_YORK, "no", 0.9725, 9_999.99, 9_999.99, now - 59)], "more": 0},
                "fills": {"rows": [deal(NEW_YORK, "yes", 0.9725, 99_999.99, True, 9_999.99, now)], "more": 0},
            },
            total={"unrealized": -99_999.99, "realized": -99_999.99, "fees": 9_999.99, "marked": 1, "held": 1},
        ),
        "large": account(
            sections={
                "positions": {"rows": [large], "more": 0},
                "orders": {"rows": [working(NEW_YORK, "no", 0.9725, 1_234_567.89, 1_234_567.89, now)], "more": 0},
                "fills": {"rows": [deal(NEW_YORK, "no", 0.9725, 1_234_567.89, True, 9_876.54, now)], "more": 0},
            },
            total={"unrealized": -123_456.78, "realized": 1_234_567.89, "fees": 9_876.54, "marked": 1, "held": 1},
        ),
    }
