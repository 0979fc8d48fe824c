"""Pictures of a tape and of a lifecycle list as the kernel would send them, one in each state."""

import time
from random import Random

TICKER = "KXHIGHNY-26NOV28-B52.5"
OTHERS = ("KXBTC15M-26NOV281015-15", "KXNFLGAME-26NOV28NYJBUF-NYJ", "KXSENATEOH-28-D", TICKER)
WAITING = {"lines": [], "total": 0, "large": None}


def trade(number, at, price=0.485, size=30, taker="yes", ticker=None, *, block=0, late=0):
    return [f"id-{number}", 0, at, price, size, taker, block, late, *([ticker] if ticker else [])]


def gap(number, opened, closed, *, seen=0, lost=None):
    return [f"gap {number}", 1, opened, closed, seen, lost, "connection lost"]


def head(kind, seq, given):
    now = given.pop("sent", None) or time.time()
    return {
        "v": 1,
        "seq": seq,
        "sent": now,
        "kernel": "kernel-1",
        "model": "model-1",
        "kind": kind,
        "status": "live",
        "age": 12,
        "note": "",
    }


def trades(now, number=200, ticker=None, *, seed=3):
    """So many trades, a second or two apart, newest first."""
    random = Random(seed)
    lines, at = [], now
    for place in range(number):
        at -= random.random() * 3
        size = round(random.expovariate(1 / 90) + 1, 2 if random.random() < 0.3 else 0)
        price = round(0.47 + random.randrange(6) * 0.005, 4)
        where = random.choice(OTHERS) if ticker == "several" else ticker
        lines.append(trade(number - place, at, price, size, random.choice(["yes", "no"]), where))
    return lines


def tape(seq=1, **given):
    picture = head("tape", seq, given)
    now = picture["sent"]
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
    lines = given.pop("lines", None)
    lines = trades(now) if lines is None else lines
    return picture | {"market": market, "lines": lines, "total": 1204, "large": 400, "decimals": {TICKER: 1}} | given


def several(seq=1, **given):
    picture = tape(seq, **given)
    del picture["market"]
    lines = given.get("lines", trades(picture["sent"], ticker="several"))
    decimals = {OTHERS[0]: 0, OTHERS[1]: 1, OTHERS[2]: 2, TICKER: 1}
    return picture | {"title": "Trades of all markets", "lines": lines, "decimals": decimals}


def marked(now):
    """Every kind of row."""
    return [
        trade(9, now - 1),
        trade(8, now - 3, 0.47, 1200, "no"),
        gap(1, now - 20, now - 6),
        trade(7, now - 20.5, 0.48, 5000, block=1),
        trade(6, now - 22, 0.48, 2, "no", late=1),
        gap(2, now - 25, now - 25, lost=3),
        trade(5, now - 26, 0.4, 0.5, None),
    ]


def event(number, at, kind, glyph, words, name="", ticker=TICKER, times=1):
    return [f"event {number}", at, kind, glyph, words, name, ticker, times]


def lifecycle(seq=1, **given):
    picture = head("lifecycle", seq, given)
    now = picture["sent"]
    asked = "Highest temperature in New York on Nov 28? · 52° to 53°"
    lines = [
        event(9, now - 4, "settled", "✓", "settled", asked),
        event(8, now - 64, "determined", "◆", "determined YES, pays $1.00", asked),
        event(7, now - 90, "created", "○", "+214 created in KXMVENFL", "", "KXMVENFL", 214),
        event(6, now - 100, "close_date_updated", "◷", "now closes 2026-11-28 21:00 UTC", asked),
        event(5, now - 130, "price_level_structure_updated", "·", "tick is now 0.1¢", "Ohio Senate?", OTHERS[2]),
        event(4, now - 133, "activated", "●", "open for trading", "BTC price up in the next 15 mins? · Up", OTHERS[0]),
        event(3, now - 140, "deactivated", "⊘", "halted by the exchange", "", OTHERS[1]),
        event(2, now - 150, "created", "○", "created, opens 2026-11-28 12:00 UTC", "", OTHERS[1]),
        event(1, now - 190, "event_lifecycle", "○", "new event", "Jets at Bills", "KXNFLGAME-26NOV28NYJBUF"),
    ]
    return picture | {"title": "Lifecycle of all markets", "lines": lines, "total": 1215} | given


def tapes():
    """Every state of a tape by name."""
    now = time.time()
    over = {"phase": "determined", "result": "yes", "settlement": 1.0}
    return {
        "live": tape(),
        "marked": tape(lines=marked(now), total=7),
        "gap-open": tape(lines=[gap(3, now - 14, None), *trades(now - 14)]),
        "connecting": tape(status="connecting", **WAITING),
        "stale": tape(status="stale", note="the connection is lost; connecting again"),
        "silent": tape(sent=now - 3600),
        "paused": tape(status="paused", note="12 changes since"),
        "handle-closed": tape(status="closed"),
        "empty": tape(**WAITING),
        "determined": tape(market=over),
        "several": several(),
        "large": tape(
            decimals={TICKER: 2}, lines=[trade(1, now, 0.9725, 1234567.89, "no"), trade(2, now, 0.01, 0.01)], total=2
        ),
    }


def lifecycles():
    """Every state of a lifecycle list by name."""
    return {
        "live": lifecycle(),
        "connecting": lifecycle(status="connecting", lines=[], total=0),
        "stale": lifecycle(status="stale"),
        "silent": lifecycle(sent=time.time() - 3600),
        "handle-closed": lifecycle(status="closed"),
        "empty": lifecycle(lines=[], total=0),
    }
