"""A page full of views: how soon they are there, and that they keep nothing of what is past."""

import statistics

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
BUSY = """async ([pictures, prices, seconds]) => {
  const ladders = hosting.models.filter((each) => each.get("picture").kind === "ladder");
  const charts = hosting.models.filter((each) => each.get("picture").kind === "chart");
  const deltas = (window.deltas ??= charts.map(() => 1));
  const end = performance.now() + 1000 * seconds;
  let round = 0;
  for (; performance.now() < end; round++) {
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
  return round;
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


class FullPage:
    """Twenty ladders and four charts, which messages come to as fast as a kernel sends them."""

    def __init__(self, host):
        self.host = host
        self._session = host.page.context.new_cdp_session(host.page)
        # What else the machine does is not counted: the time of the page's thread, not of the wall.
        self._session.send("Performance.enable", {"timeDomain": "threadTicks"})
        self._pictures = [list(busy(40)), price()]

    def play(self, seconds):
        """Have messages come for some seconds, and return how many each ladder got."""
        return self.host.page.evaluate(BUSY, [*self._pictures, seconds])

    def metrics(self):
        return {each["name"]: each["value"] for each in self._session.send("Performance.getMetrics")["metrics"]}

    def held(self):
        """Return what the page's heap holds that is still needed, in bytes, less what the host took down."""
        self.host.page.evaluate("hosting.models.forEach((model) => model.sent.splice(0))")
        self._session.send("HeapProfiler.collectGarbage")
        return self.metrics()["JSHeapUsedSize"]

    def paints(self):
        return [int(self.host.data("paints", at)) for at in range(LADDERS + CHARTS)]


@pytest.fixture
def full_page(make_host):
    host = make_host(viewport={"width": 1600, "height": 4000})
    places = "".join(
        f"<div id='p{i}' style='width:380px;display:inline-block'></div>" for i in range(CHARTS + LADDERS)
    )
    host.open(body=f"<main>{places}</main>")
    for i in range(CHARTS):
        host.show(price(model=f"c{i}"), at=f"#p{i}", kind="chart")
    for i in range(LADDERS):
        host.show(ladder(model=f"l{i}"), at=f"#p{CHARTS + i}")
    yield FullPage(host)
    assert host.errors == []


def test_twenty_ladders_and_four_charts_leave_the_page_most_of_its_time(full_page):
    full_page.host.page.set_viewport_size({"width": 1600, "height": 1000})  # all charts and two rows of ladders
    full_page.play(5)
    before, painted = full_page.metrics(), full_page.paints()
    played = full_page.play(20)
    after = full_page.metrics()
    paints = [now - was for now, was in zip(full_page.paints(), painted, strict=True)]
    # Painting is the browser's own, and dear where there is no graphics card.
    worked = sum(after[name] - before[name] for name in ("ScriptDuration", "RecalcStyleDuration", "LayoutDuration"))
    assert worked / (played / 10) < 0.4
    assert min(paints[CHARTS : CHARTS + 8]) > 0.9 * played  # in sight, each message is painted
    assert min(paints[:CHARTS]) > 0.35 * played
    assert max(paints[CHARTS + 12 :]) == 0  # and out of sight none


@pytest.mark.timeout(60 * 60)
@pytest.mark.parametrize("minutes", [3, 30])
def test_twenty_ladders_and_four_charts_that_go_on_keep_nothing_of_what_is_past(full_page, minutes):
    full_page.play(60)
    held = []
    for _ in range(2 * minutes):
        full_page.play(30)
        held.append(full_page.held())
    # What is kept for good is there after the first third; what is kept of each message would go on growing.
    third = len(held) // 3
    first, last = (statistics.median(each) for each in (held[third : 2 * third], held[-third:]))
    assert last - first < 500_000, held
    assert min(full_page.paints()) > 100 * minutes
