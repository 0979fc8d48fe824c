"""Pictures of an event as the kernel would send them: its markets in each state that a view must tell apart."""

import time

EVENT = "KXHIGHNY-26NOV28"
WORDS = ["47° or below", "48° to 49°", "50° to 51°", "52° to 53°", "54° to 55°", "56° or above"]
BIDS = [0.01, 0.035, 0.115, 0.47, 0.275, 0.08]
ASKS = [0.02, 0.05, 0.125, 0.485, 0.29, 0.095]


def legs(**changes):
    """Six markets; changes by the place of one, as ``_3={…}``, None takes a field away."""
    made = []
    for at, (words, bid, ask) in enumerate(zip(WORDS, BIDS, ASKS, strict=True)):
        leg = {
            "ticker": f"{EVENT}-B{46.5 + 2 * at}",
            "words": words,
            "status": "live",
            "phase": "active",
            "bid": bid,
            "bid_size": 310 * (at + 1),
            "ask": ask,
            "ask_size": 64,
            "chance": [round((bid + ask) / 2, 5), "mid"],
        } | changes.get(f"_{at}", {})
        made.append({name: value for name, value in leg.items() if value is not None})
    return made


def sums(some=6, count=6):
    return {"mid": [1.025, some], "bid": [0.985, some], "ask": [1.065, some], "markets": count}


def event(seq=1, **given):
    now = given.pop("sent", None) or time.time()
    market = {
        "ticker": EVENT,
        "title": "Highest temperature in NYC on Nov 28?",
        "subtitle": None,
        "phase": "active",
        "close_time": now + 3 * 3600 + 12 * 60 + 5,
    } | given.pop("market", {})
    picture = {
        "v": 1,
        "seq": seq,
        "sent": now,
        "kernel": "kernel-1",
        "model": "model-1",
        "kind": "event",
        "status": "live",
        "clock": now,
        "age": 12,
        "note": "",
        "market": market,
        "decimals": 1,
        "exclusive": True,
        "sums": sums(),
        "unnormalised": None,
        "changed": now - 1,
        "legs": legs(),
    }
    return picture | given


NO_ASKS = {"ask": None, "ask_size": None, "chance": [0.09, "last"], "last": 0.09}
EMPTY = {"bid": None, "bid_size": None, "ask": None, "ask_size": None, "chance": None}
OVER = {"phase": "determined", "over": True, "result": "no", "settlement": 0.0, "chance": [0.0, "paid"]}
LONG = "<img src=x onerror=alert(1)> \u202e" + "very long words " * 700


def over(last="finalized"):
    """Six markets of which all are decided."""
    found = legs(**{f"_{at}": OVER | EMPTY | {"phase": last} for at in range(6)})
    found[3] |= {"result": "yes", "settlement": 1.0}
    return found


def event_states():
    """Every state by name: what a person must be able to tell apart."""
    now = time.time()
    everywhere = {f"_{at}": {"status": "stale", "age": 12} for at in range(6)}
    share = {f"_{at}": {"share": (BIDS[at] + ASKS[at]) / 2 / 1.025} for at in range(6)}
    decided = legs(_1=NO_ASKS)
    decided = [decided[0], *decided[2:], decided[1] | OVER]
    return {
        "live": event(),
        "normalised": event(legs=legs(**share), unnormalised=""),
        "not-normalised": event(
            legs=legs(_5=NO_ASKS), unnormalised="not normalised: 56° or above without both sides", sums=sums(5)
        ),
        "one-sided": event(
            legs=legs(_0=EMPTY, _1={"bid": None, "bid_size": None, "chance": None}, _5=NO_ASKS), sums=sums(3)
        ),
        "stale-leg": event(legs=legs(_3={"status": "stale", "age": 7}), note="1 of 6 books stale"),
        "decided-leg": event(legs=decided, sums=sums(5, 5)),
        "phases": event(
            legs=legs(_0={"phase": "inactive"}, _1={"phase": "closed"}, _2={"phase": "initialized"}, _5=EMPTY)
        ),
        "not-exclusive": event(exclusive=False, sums=None),
        "unknown-exclusive": event(exclusive=None, sums=None, market={"title": None, "close_time": None}),
        "connecting": event(
            status="connecting",
            legs=legs(**{f"_{at}": EMPTY | {"status": "connecting"} for at in range(6)}),
            changed=None,
            sums={"mid": [0, 0], "bid": [0, 0], "ask": [0, 0], "markets": 6},
        ),
        "stale": event(status="stale", legs=legs(**everywhere), note="6 of 6 books stale: asking again"),
        "silent": event(sent=now - 3600),
        "unknown-leg": event(legs=legs(_5=EMPTY | {"status": "unknown"}), note="no such market: KX…", sums=sums(5)),
        "closed": event(market={"phase": "closed"}, legs=legs(**{f"_{at}": {"phase": "closed"} for at in range(6)})),
        "handle-closed": event(status="closed"),
        "decided": event(
            legs=over(), sums=None, market={"phase": "finalized", "result": "52° to 53°", "settlement": 1.0}
        ),
        "none-won": event(legs=[decided[-1]], sums=None, exclusive=False, market={"phase": "finalized"}),
        "hostile": event(
            market={"ticker": EVENT, "title": LONG, "subtitle": LONG},
            legs=legs(_0={"words": LONG}, _1={"words": "\u202eabc"}, _2={"status": LONG[:40], "phase": "x"}),
            note=LONG,
        ),
        "many": event(
            legs=[
                leg | {"ticker": f"{leg['ticker']}-{n}", "words": f"{leg['words']} {n}"}
                for n in range(8)
                for leg in legs()
            ]
        ),
    }
