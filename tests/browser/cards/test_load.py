"""A page full of views: how soon they are there, and that they keep nothing of what is past."""

import pytest

from kalshi_nb._widgets.assets import bundle
from tests.browser.cards.pictures import ladder
from tests.browser.cards.test_chart import price
from tests.browser.cards.test_motion import busy

pytestmark = pytest.mark.matrix
CHARTS, LADDERS = 4, 20
SLOWER = 6
GIVEN_UP_MS = 2000
"""After so long anywidget calls a model that is not there yet a failed one."""
LOAD = """async ([text, picture, count]) => {
  const took = [];
  for (let i = 0; i < count; i++) {
    const began = performance.now();
    const url = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
    const module = (await import(url)).default;
    const model = new HostModel({ picture: { ...picture, model: `m${i}` }, delta: {}, settings: {} });
    await module.initialize({ model });
    took.push(performance.now() - began);
    const el = document.querySelector("main").appendChild(document.createElement("div"));
    module.render({ model, el });
  }
  return took;
}"""
BUSY = """async ([pictures, prices, rounds]) => {
  const ladders = hosting.models.filter((each) => each.get("picture").kind === "ladder");
  const charts = hosting.models.filter((each) => each.get("picture").kind === "chart");
  const deltas = (window.deltas ??= charts.map(() => 1));
  for (let round = 0; round < rounds; round++) {
    const began = performance.now();
    const sent = Date.now() / 1000;
    for (const [i, model] of ladders.entries()) {
      model.arrive("picture", { ...pictures[(round + i) % pictures.length], seq: round + 2, sent, model: `l${i}` });
    }
    if (round % 5 < 2) {
      for (const [i, model] of charts.entries()) {
        const trades = [[], 1, prices.trades[0].length - 1, [[sent], [0.4 + (round % 7) / 100], [5]]];
        model.arrive("delta", { seq: ++deltas[i], sent, clock: sent, status: "live", trades });
      }
    }
    await new Promise((next) => setTimeout(next, 100 - (performance.now() - began)));
  }
}"""


def test_twenty_charts_on_a_slow_computer_are_each_there_before_they_are_given_up(host):
    host.open()
    session = host.page.context.new_cdp_session(host.page)
    session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    took = host.page.evaluate(LOAD, [bundle("chart").text, price(), LADDERS])
    session.send("Emulation.setCPUThrottlingRate", {"rate": 1})
    assert len(took) == LADDERS
    assert max(took) < GIVEN_UP_MS
    assert host.page.locator(".kalshi-nb").count() == LADDERS


def held_by(session):
    """Return what the page's heap holds that is still needed, in bytes."""
    session.send("HeapProfiler.collectGarbage")
    metrics = session.send("Performance.getMetrics")["metrics"]
    return next(each["value"] for each in metrics if each["name"] == "JSHeapUsedSize")


def test_twenty_ladders_and_four_charts_that_go_on_keep_nothing_of_what_is_past(make_host):
    host = make_host(viewport={"width": 1600, "height": 4000})
    places = "".join(
        f"<div id='p{i}' style='width:380px;display:inline-block'></div>" for i in range(CHARTS + LADDERS)
    )
    host.open(body=f"<main>{places}</main>")
    for i in range(LADDERS):
        host.show(ladder(model=f"l{i}"), at=f"#p{i}")
    for i in range(CHARTS):
        host.show(price(model=f"c{i}"), at=f"#p{LADDERS + i}", kind="chart")
    session = host.page.context.new_cdp_session(host.page)
    session.send("Performance.enable")
    play = [list(busy(40)), price(), 60]
    host.page.evaluate(BUSY, play)
    held = held_by(session)
    host.page.evaluate(BUSY, play)
    assert held_by(session) - held < 500_000
    host.settle()
    assert host.data("seq") == "61"
