"""What of a price chart is pixels: gaps to scale and hatched, both ends of a window, what a host does to a canvas."""

import itertools

import pytest

from tests.browser.cards.test_chart import COLOURS, INK, MARKS, after, price, several, show

STRIP = """(back) => {
  const root = document.querySelector(".kalshi-nb").shadowRoot;
  const canvas = root.querySelector("canvas");
  const over = root.querySelector(".u-over");
  const dot = devicePixelRatio;
  const [left, top] = [over.offsetLeft * dot, over.offsetTop * dot];
  const [wide, high] = [over.offsetWidth * dot, over.offsetHeight * dot];
  // A row near the top, below the words of a gap and above everything that is drawn of prices.
  const { data } = canvas.getContext("2d").getImageData(left, top + 24 * dot, wide, 1);
  const warm = [];
  for (let x = 0; x < wide; x++) {
    const [r, g, b, a] = data.slice(4 * x, 4 * x + 4);
    if (a > 10 && r > b + 20) warm.push([x / wide * back, a]);
  }
  return { warm, high, pixel: back / wide };
}"""
"""Where, in seconds behind the left edge, that row has the colour of a gap, and how much of it."""


def flat(**given):
    """A chart of 15 minutes whose prices lie low, so that nothing but gaps is drawn high up."""
    now = price()["clock"]
    at = [now - 900 + 20 * i for i in range(45)]
    gaps = given.get("gaps", [])
    known = [each for each in at if not any(since <= each and (to is None or each < to) for since, to in gaps)]
    trades = [known, [0.40] * len(known), [10.0] * len(known)]
    return price(status="stale", candles=[], quotes=[]) | {"trades": trades, "clock": now} | given


def bands(found):
    """Return the stretches of such a row: [from, to] in seconds."""
    made = []
    for x, _ in found["warm"]:
        if made and x - made[-1][1] < 2.5 * found["pixel"]:  # a line of the grid may stand in it
            made[-1][1] = x
        else:
            made.append([x, x])
    return [[since, to + found["pixel"]] for since, to in made]


def test_a_gap_is_as_wide_as_it_was_long_and_is_hatched(host):
    now = price()["clock"]
    show(host, flat(gaps=[[now - 700, now - 640], [now - 400, now - 100]], clock=now), {"y": "full"})
    found = host.page.evaluate(STRIP, 900)
    pixel = found["pixel"]
    assert bands(found) == [
        [pytest.approx(200, abs=2 * pixel), pytest.approx(260, abs=2 * pixel)],
        [pytest.approx(500, abs=2 * pixel), pytest.approx(800, abs=2 * pixel)],
    ]
    # Stripes: along a row it is darker and paler again, every six pixels.
    alphas = [a for x, a in found["warm"] if 505 < x < 795]
    middle = (min(alphas) + max(alphas)) / 2
    assert max(alphas) > 1.5 * min(alphas)
    turns = sum((one < middle) != (other < middle) for one, other in itertools.pairwise(alphas))
    assert turns == pytest.approx(len(alphas) / 3, rel=0.25)


def test_gaps_at_both_ends_of_the_window_end_at_its_edges_and_nothing_is_drawn_in_them(host):
    now = price()["clock"]
    show(host, flat(gaps=[[now - 5000, now - 700], [now - 100, None]], clock=now), {"y": "full"})
    found = host.page.evaluate(STRIP, 900)
    pixel = found["pixel"]
    assert bands(found) == [
        [pytest.approx(0, abs=2 * pixel), pytest.approx(200, abs=2 * pixel)],
        [pytest.approx(800, abs=2 * pixel), pytest.approx(900, abs=2 * pixel)],
    ]
    box = host.page.locator(".kalshi-nb canvas").bounding_box()
    over = host.page.locator(".kalshi-nb .u-over").bounding_box()

    def ink(since, to):
        return host.page.evaluate(
            INK, [(over["x"] - box["x"] + over["width"] * s / 900) / box["width"] for s in (since, to)]
        )

    assert ink(10, 190) == 0
    assert ink(810, 895) == 0
    assert ink(250, 750) > 20


def test_a_window_that_is_one_gap_has_a_finite_axis_and_no_line(host):
    now = price()["clock"]
    show(host, flat(gaps=[[now - 5000, None]], clock=now))
    assert len(bands(host.page.evaluate(STRIP, 900))) == 1
    assert "no trades in this time" in host.page.locator(".kalshi-nb .plot").inner_text()
    assert host.page.evaluate(INK, [0, 1]) == 0


def test_what_was_bid_until_a_gap_is_drawn_until_there_and_a_side_that_went_is_not_drawn_on(host):
    now = price()["clock"]
    quotes = [[now - 850, now - 600], [0.30, 0.30], [0.60, None]]
    show(host, price(status="stale", trades=[], candles=[], quotes=quotes, gaps=[[now - 400, now - 280]], clock=now))
    box = host.page.locator(".kalshi-nb canvas").bounding_box()
    over = host.page.locator(".kalshi-nb .u-over").bounding_box()

    def drawn(colour, since, to):
        ends = [(over["x"] - box["x"] + over["width"] * s / 900) / box["width"] for s in (since, to)]
        return host.page.evaluate(MARKS, [*ends, list(colour)])

    bid, ask = COLOURS[:2]
    assert drawn(ask, 60, 290) > 50
    assert drawn(ask, 310, 890) == 0
    assert drawn(bid, 310, 490) > 50
    assert drawn(bid, 510, 610) == 0


def test_a_theme_that_is_switched_switches_the_canvas(host):
    show(host)
    assert host.page.evaluate(INK, [0.3, 0.95]) > 20
    host.send({"theme": "dark"}, name="settings")
    assert host.page.evaluate(INK, [0.3, 0.95]) == 0
    assert host.page.evaluate(MARKS, [0.3, 0.95, [0xE8, 0xEA, 0xED]]) > 20


def test_a_chart_in_a_tab_that_was_hidden_is_drawn_when_it_is_shown(host):
    host.open(body="<main><div id='cell' style='display: none'></div></main>")
    host.show(price(), {"theme": "light"}, kind="chart")
    host.send(after(price(), 2, trades=[[], 1, 23, [[price()["clock"]], [0.45], [1.0]]]), name="delta")
    assert host.page.locator(".kalshi-nb canvas").count() == 0
    host.page.evaluate("() => { document.querySelector('#cell').style.display = ''; }")
    host.settle()
    assert host.page.evaluate(INK, [0.3, 0.95]) > 20


@pytest.mark.matrix
@pytest.mark.parametrize("picture", [price, several], ids=["one", "several"])
def test_fifty_resizes_leave_the_height_and_fill_the_width(host, picture):
    style = "<style>main { display: flex; flex-direction: column } #cell { width: 700px }</style>"
    host.open(head=style)
    host.show(picture(), {"theme": "light"}, kind="chart")
    script = """async () => {
      const cell = document.querySelector("#cell");
      const heights = new Set();
      for (let i = 0; i < 50; i++) {
        cell.style.width = `${320 + (i * 97) % 400}px`;
        await new Promise((next) => requestAnimationFrame(() => requestAnimationFrame(next)));
        heights.add(cell.offsetHeight);
      }
      cell.style.width = "640px";
      return [...heights];
    }"""
    assert len(host.page.evaluate(script)) == 1
    host.settle()
    wide = host.page.locator(".kalshi-nb .frame").evaluate("(n) => n.clientWidth")
    assert host.page.locator(".kalshi-nb canvas").evaluate("(n) => n.width / devicePixelRatio") == wide
    assert host.page.evaluate("() => document.scrollingElement.scrollWidth <= innerWidth")


@pytest.mark.matrix
def test_a_page_that_is_loaded_anew_draws_what_stood_there(make_host):
    first = price(status="stale")
    now = first["clock"]
    found = []
    for is_reloaded in (False, True):
        host = make_host()
        if is_reloaded:
            columns = [[*column, last] for column, last in zip(first["trades"], (now - 4, 0.44, 2.0), strict=True)]
            show(host, first | {"seq": 2, "trades": columns})
        else:
            show(host, first)
            change = [[], 0, len(first["trades"][0]), [[now - 4], [0.44], [2.0]]]
            host.send(after(first, 2, trades=change) | {"status": "stale"}, name="delta")
        found.append(host.page.locator(".kalshi-nb canvas").evaluate("(n) => n.toDataURL()"))
    assert found[0] == found[1]
