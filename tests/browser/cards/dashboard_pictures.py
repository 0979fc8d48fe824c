"""Pictures of a dashboard as the kernel would send them, and a made-up kind of view that has deltas."""

import re
import time

from kalshi_nb._widgets.assets import bundle
from tests.browser.cards.pictures import ASKS, BIDS, ladder

COUNTING = """const counting = { kind: "counting",
  begin: (picture) => [...picture.points],
  extend: (series, delta) => { series.push(...delta.points); },
  mount(body, { make, write, state, ask }) {
    const words = make(body, "", "", "p");
    const button = make(body, "", "", "button");
    button.textContent = "ask";
    button.onclick = () => ask({ selected: ["KX-1"] });
    window.paints = [];
    return {
      paint(picture, look, calm) {
        if (picture.fails) throw new Error("of a test");
        window.paints.push([look.side, look.unit, calm]);
        write(words, `counted ${state.series.length}, ${look.side}${state.isBroken ? ", broken" : ""}`);
      },
      tick() { window.ticks = (window.ticks ?? 0) + 1; },
      label: () => "counting", note: () => "so far", aside: () => "", sentence: () => "counting",
    };
  } };"""


def source():
    """Return the dashboard's script with the made-up kind among its views."""
    return re.sub(
        r"export default card\.entry\(\{ ",
        COUNTING + r"\nexport default card.entry({ counting, ",
        bundle("dashboard").text,
    )


def panel(kind, heading, of=1, **body):
    return {"kind": kind, "heading": heading, "of": of, "status": "live", "settings": {}, "note": ""} | body


def dashboard(seq=1, *, panels=None, **given):
    """Return a dashboard of a ladder and of what counts."""
    whole = ladder(seq, **given)
    names = ("decimals", "ticks", "bids", "asks", "last", "orders", "fills", "changed", "status", "age", "note")
    body = {name: whole.pop(name) for name in names}
    parts = {
        "ladder": panel("ladder", "Order book", market=True, settings={"levels": 10}, **body),
        "counting": panel("counting", "Counting", points=[0, 1, 2]),
    }
    head = {name: body[name] for name in ("decimals", "last", "changed", "status", "age", "note")}
    minute = {"trades": 14, "contracts": 340.0, "first": 0.47, "last": 0.485, "gaps": 0}
    best = {"bids": body["bids"][:1], "asks": body["asks"][:1], "minute": minute}
    whole |= head | best | {"kind": "dashboard", "chosen": 1, "panels": parts if panels is None else panels}
    return whole


def delta(seq, panels, **head):
    now = time.time()
    told = {"bids": BIDS[:1], "asks": ASKS[:1], "decimals": 1, "last": None, "minute": None, "changed": now}
    return {
        "seq": seq,
        "sent": now,
        "clock": now,
        "status": "live",
        "note": "",
        "age": 0,
        **told,
        **head,
        "panels": panels,
    }
