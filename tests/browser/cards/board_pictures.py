"""Pictures of a board, and of a table, as the kernel would send them: each state that a view must tell apart."""

import math
import time

NUMBERS = ("bid", "ask", "last", "volume", "open_interest", "closes", "state")
CITIES = ("NY", "CHI", "MIA", "AUS", "LAX", "DEN")
MINUTES = 60
NONE = 0xFFFF


def market(i, now):
    """Return a market: ticker, title, subtitle, and its numbers."""
    mid = round(0.5 + 0.42 * math.sin(i), 2)
    city = CITIES[i % len(CITIES)]
    return (
        f"KXHIGH{city}-26NOV28-B{40 + i}.5",
        f"Highest temperature in {city} on Nov 28?",
        f"{40 + i % 50}° to {41 + i % 50}°",
        {
            "bid": mid - 0.01,
            "ask": mid + 0.015 if i % 7 else mid + 0.02,
            "last": mid + 0.01,
            "volume": 12400.0 - 37 * i,
            "open_interest": 8900.0 - 11 * i,
            "closes": now + 3 * 3600 + 12 * 60 + 5 + 600 * i,
            "state": 0,
        },
    )


def spark(i, known=MINUTES):
    """Return the prices of an hour, of which so many minutes are known."""
    mid = 5000 + 4200 * math.sin(i)
    return [NONE if m < MINUTES - known else round(mid + 150 * math.sin(i + m / 7)) for m in range(MINUTES)]


def board(seq=1, count=40, **given):
    """Return a board of so many markets; `rows` changes the numbers of some, by place, and `known` minutes."""
    now = given.pop("sent", None) or time.time()
    changes, known = given.pop("rows", {}), given.pop("known", MINUTES)
    made = [market(i, now) for i in range(count)]
    for i, change in changes.items():
        made[i][3].update(change)
    picture = {
        "v": 1,
        "seq": seq,
        "sent": now,
        "clock": now,
        "kernel": "kernel-1",
        "model": "model-1",
        "kind": "board",
        "status": "live",
        "age": 12,
        "note": "",
        "title": "tickers",
        "order": 1,
        "total": max(count, given.pop("total", count)),
        "tickers": [each[0] for each in made],
        "titles": [each[1] for each in made],
        "subtitles": [each[2] for each in made],
        "columns": {name: [each[3][name] for each in made] for name in NUMBERS},
        "sparks": [price for i in range(count) for price in spark(i, known)],
        "minute": int(now // 60),
        "sort": "-volume",
        "filter": "",
        "selected": [],
    }
    return picture | given


def delta(seq, before, rows, **given):
    """Return what follows a board when some of its rows, by place, say something else."""
    columns = {name: list(column) for name, column in before["columns"].items()}
    for i, change in rows.items():
        for name, value in change.items():
            columns[name][i] = value
    now = time.time()
    return {
        "seq": seq,
        "sent": now,
        "clock": now,
        "status": before["status"],
        "note": "",
        "order": before["order"],
        "total": before["total"],
        "rows": list(rows),
        "columns": {name: [columns[name][i] for i in rows] for name in NUMBERS},
    } | given


def states():
    """Every state by name."""
    now = time.time()
    hostile = "<img src=x onerror=\"document.title='ran'\">\u202egnp.exe\u2066 " + "W" * 10_000
    some = {
        1: {"state": 2},
        2: {"closes": now - 5},
        3: {"state": 4},
        4: {"state": 7},
        5: {"state": 8},
        6: {"ask": None},
        7: {"bid": None, "ask": None, "last": None, "open_interest": None, "closes": None},
        8: {"bid": 0.3, "ask": 0.6},
        9: {"closes": now + 42},
        10: {"bid": 0.9725, "ask": 0.9775, "open_interest": 1234567.89},
        11: {"state": 1},
    }
    return {
        "live": board(count=60, total=48213),
        "states": board(rows=some),
        "begun": board(known=7),
        "connecting": board(count=0, status="connecting"),
        "empty": board(count=0),
        "stale": board(status="stale", note="the connection is lost; connecting again"),
        "silent": board(sent=now - 3600),
        "ended": board(status="closed"),
        "selected": board(selected=["KXHIGHCHI-26NOV28-B41.5"]),
        "hostile": board(
            count=3,
            tickers=[hostile, "KXA", hostile],
            titles=[hostile] * 3,
            subtitles=[hostile, "", "x"],
            title=hostile,
            note=hostile,
        ),
    }


COLUMNS = [
    ["ts", "left"],
    ["market_ticker", "left"],
    ["side", "left"],
    ["price", "right"],
    ["delta", "right"],
    ["client_order_id", "left"],
    ["subaccount", "right"],
    ["clock", "right"],
    ["received_at", "left"],
    ["seq", "right"],
]


def table(seq=1, count=50, total=1412, **given):
    """Return a table of the last rows of a frame of changes of books."""
    now = given.pop("sent", None) or time.time()
    rows = [
        [
            f"2026-11-28 14:03:{i % 60:02}.{i * 17 % 1000:03}",
            "KXHIGHNY-26NOV28-B52.5",
            "yes" if i % 3 else "no",
            f"0.{30 + i % 40}",
            f"{-120 + 7 * i}",
            "\u2013",
            "0",
            f"{20 * i}",
            f"2026-11-28 14:03:{i % 60:02}.{(i * 17 + 4) % 1000:03}",
            f"{total - count + i}",
        ]
        for i in range(count)
    ]
    return {
        "v": 1,
        "seq": seq,
        "sent": now,
        "clock": now,
        "kernel": "kernel-1",
        "model": "model-1",
        "kind": "table",
        "status": "live",
        "age": 12,
        "note": "",
        "title": "deltas",
        "columns": COLUMNS,
        "rows": rows,
        "total": total,
    } | given


def table_states():
    """Every state of a table by name."""
    now = time.time()
    hostile = "<img src=x onerror=\"document.title='ran'\">\u202egnp.exe\u2066 " + "W" * 10_000
    return {
        "t-live": table(),
        "t-few": table(count=3, total=3),
        "t-connecting": table(count=0, total=0, columns=[], status="connecting"),
        "t-empty": table(count=0, total=0),
        "t-stale": table(status="stale", note="the connection is lost; connecting again"),
        "t-silent": table(sent=now - 3600),
        "t-ended": table(status="closed"),
        "t-hostile": table(
            count=1, columns=[[hostile, "left"], ["b", "right"]], rows=[[hostile, hostile]], title=hostile
        ),
    }
