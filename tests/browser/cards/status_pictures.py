"""Pictures of a feed's own views as the kernel would send them: the status strip, and the view of gaps."""

import time

HOSTILE = "<img src=x onerror=\"document.title='hit'\">\u202e" + "A" * 2_000
NO_VIEWS = "no other view is open; a book or a frame as a cell's last expression opens one"
TICKER = "KXHIGHNY-26NOV28-B52.5"


def _whole(kind, given):
    now = given.pop("sent", None) or time.time()
    return now, {
        "v": 1,
        "seq": 1,
        "sent": now,
        "clock": now,
        "kernel": "kernel-1",
        "model": "model-1",
        "kind": kind,
        "status": "live",
        "title": "wss://api.elections.kalshi.com/trade-api/ws/v2",
        "note": "",
    }


def gaps_of(now):
    return [
        [now - 41, "orderbook_delta", TICKER, "messages never arrived", "", "48,213 to 48,219 (7)", ""],
        [now - 600, "trade", "all markets", "connection lost", "14 s", "\u2013", "a new connection"],
        [now - 604, "orderbook_delta", "all markets", "connection lost", "14 s", "\u2013", "a new connection"],
        [now - 2_900, "trade", "all markets", "messages never arrived", "120 ms", "101", "nothing; data went on"],
    ]


def strip(**given):
    now, whole = _whole("status", given)
    return (
        whole
        | {
            "state": ["●", "live", "live"],
            "pieces": [
                ["rate", "1,412 msg/s", "", None],
                ["course", "▁▂▃▂▅▆▅▃▂▃▅█", "", None],
                ["lag", "lag 38 ms (p99 120)", "", None],
                ["books", "12 books", "", None],
                ["gaps", "4 gaps, last", "", now - 600],
                ["dropped", "0 dropped", "", None],
                ["memory", "212 MB", "", None],
                ["uptime", "up 2 h 10 min", "", None],
            ],
            "channels": [
                ["orderbook_delta", "12", "0 s ago", "1,204", "48,219", "2"],
                ["trade", "all", "3 s ago", "3.2", "10,403", "2"],
                ["ticker", "all", "0 s ago", "205", "\u2013", "0"],
                ["fill", "all", "\u2013", "\u2013", "\u2013", "0"],
            ],
            "gaps": [[*each[:4], each[4] or "22 s", *each[5:]] for each in gaps_of(now)],
            "gap_count": 4,
            "last_error": "",
            "last_error_at": None,
            "warnings": [],
            "views": f"views: ladder of {TICKER}, tape of trades",
        }
        | given
    )


def _pieces(now, **others):
    return [[name, *others.get(name, (words, tone, at))] for name, words, tone, at in strip(sent=now)["pieces"]]


def strip_states():
    """Every state of the strip by name."""
    now = time.time()
    amiss = _pieces(
        now,
        books=("3 of 12 books stale", "warn", None),
        gaps=("4 gaps, 1 open, last", "warn", now - 41),
        dropped=("1,204 dropped", "warn", None),
    )
    amiss.insert(-2, ["warnings", "2 warnings", "warn", None])
    nothing = [
        ["rate", "0 msg/s", "", None],
        ["course", "", "", None],
        ["lag", "lag \u2013", "", None],
        ["books", "no books", "", None],
        ["gaps", "no gaps", "", None],
        ["dropped", "0 dropped", "", None],
        ["uptime", "up 0 s", "", None],
    ]
    return {
        "live": strip(),
        "amiss": strip(
            state=["▲", "partly stale", "warn"],
            pieces=amiss,
            gaps=gaps_of(now),
            gap_count=1_204,
            last_error="the exchange ended the subscription of trade: error 10, internal error",
            last_error_at=now - 41,
            warnings=["a pipeline of yours is slow, and rows were dropped before it", "the lag has grown for 30 s"],
        ),
        "reconnecting": strip(state=["▲", "reconnecting", "warn"], pieces=amiss, gaps=gaps_of(now)),
        "refused": strip(state=["✕", "refused: the exchange does not take the credentials", "bad"]),
        "connecting": strip(
            status="connecting",
            state=["○", "connecting", "dim"],
            pieces=nothing,
            channels=[],
            gaps=[],
            gap_count=0,
            views=NO_VIEWS,
        ),
        "empty": strip(pieces=nothing, channels=[], gaps=[], gap_count=0, views=NO_VIEWS),
        "silent": strip(sent=now - 3_600),
        "paused": strip(status="paused", note="214 changes since"),
        "closed": strip(
            status="closed", state=["■", "closed", "dim"], views="no view is open: nothing moves any more"
        ),
        "hostile": strip(
            title=HOSTILE,
            state=["▲", HOSTILE, "warn"],
            channels=[[HOSTILE, "1", "0 s ago", "1", "1", "1"]] * 3,
            gaps=[[now, HOSTILE, HOSTILE, HOSTILE, "", HOSTILE, HOSTILE]] * 3,
            last_error=HOSTILE,
            last_error_at=now - 90_000,
            warnings=[HOSTILE],
            views=HOSTILE,
        ),
    }


def gaps(**given):
    now, whole = _whole("gaps", given)
    return (
        whole
        | {
            "state": ["▲", "a gap is open", "warn"],
            "began": now - 3_000,
            "lanes": [
                ["orderbook_delta", [[now - 604, now - 590, 1, "14 s"], [now - 41, None, 1, ""]]],
                ["trade", [[now - 2_900, now - 2_899.9, 1, "120 ms"], [now - 600, now - 586, 1, "14 s"]]],
                ["ticker", []],
                ["market_lifecycle_v2", [[now - 1_900, now - 1_500, 3, "6 min 40 s"]]],
            ],
            "gaps": gaps_of(now),
            "gap_count": 4,
            "summary": "4 gaps since 11:52 UTC, 1 open",
            "rows": 8,
        }
        | given
    )


def gaps_states():
    """Every state of the view of gaps by name."""
    now = time.time()
    none = {
        "state": ["●", "live", "live"],
        "lanes": [["orderbook_delta", []], ["trade", []]],
        "gaps": [],
        "gap_count": 0,
        "summary": "no gaps since 11:52 UTC, 1,412,003 messages",
    }
    many = [gaps_of(now)[1]] * 8
    lost = [["orderbook_delta", [[now - 1_300, None, 2, ""]]], ["trade", [[now - 1_300, None, 1, ""]]]]
    return {
        "live": gaps(),
        "none": gaps(**none),
        "connecting": gaps(
            **none
            | {"status": "connecting", "state": ["○", "connecting", "dim"], "lanes": [], "began": now}
            | {"summary": "no gaps since 11:52 UTC, 0 messages"}
        ),
        "reconnecting": gaps(state=["▲", "reconnecting", "warn"], lanes=lost),
        "many": gaps(
            gaps=many,
            gap_count=10_412,
            state=["●", "live", "live"],
            summary="10,412 gaps since Nov 27 23:52 UTC, none open",
        ),
        "silent": gaps(sent=now - 3_600),
        "paused": gaps(status="paused", note="214 changes since"),
        "closed": gaps(status="closed", state=["■", "closed", "dim"]),
        "hostile": gaps(
            title=HOSTILE,
            lanes=[[HOSTILE, [[now - 900, now - 400, 1, HOSTILE]]]],
            gaps=[[now, HOSTILE, HOSTILE, HOSTILE, "", HOSTILE, HOSTILE]] * 3,
            summary=HOSTILE,
        ),
    }
