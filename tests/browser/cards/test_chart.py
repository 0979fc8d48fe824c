"""The price chart on a page: what it draws where, that a gap is not bridged, and what each state says."""

import pytest

from tests.browser.cards.pictures import ladder
from tests.browser.cards.test_access import AXE

NOW = 1_795_348_800.0


def price(seq=1, **given):
    """A chart as the kernel would send it: ten minutes of trades with two of them missing."""
    head = {name: value for name, value in ladder(seq).items() if name in ("v", "sent", "kernel", "model", "market")}
    now = head["sent"]
    at = [now - 600 + 20 * i for i in range(30) if not 10 <= i < 16]
    prices = [0.40 + (i % 7) / 100 for i in range(len(at))]
    every = 60.0
    starts = [now - 600 + every * i for i in range(10) if i not in (4, 5)]
    picture = {
        "seq": seq,
        "kind": "chart",
        "status": "live",
        "clock": now,
        "age": 0,
        "note": "",
        "seconds": 900.0,
        "every": every,
        "trades": [at, prices, [10.0] * len(at)],
        "candles": [
            starts,
            [0.40] * len(starts),
            [0.46] * len(starts),
            [0.39] * len(starts),
            [0.44, 0.39] * (len(starts) // 2),
            [25.0] * len(starts),
            [1.0] * (len(starts) - 1) + [0.0],
        ],
        "quotes": [[at[0], at[8]], [0.38, 0.39], [0.48, None]],
        "gaps": [[now - 400, now - 280]],
        "traded": 240.0,
        "decimals": 0,
    }
    return head | picture | given


WORDS = ["50° to 51°", "52° to 53°", "a strike in more words than there is room for at the end of a line"]


def several(seq=1, **given):
    """Three markets: two as mids, of which the second has no price for a while, and one as trades."""
    picture = price(seq, trades=[], candles=[], quotes=[], **given)
    now = picture["clock"]
    at = [now - 600 + 20 * i for i in range(30)]
    prices = [
        [0.20 + i / 1000 for i in range(30)],
        [None if 20 <= i < 24 else 0.60 for i in range(30)],
        [0.40 + (i % 3) / 100 for i in range(30)],
    ]
    del picture["market"]
    lines = [[f"KX-{i}", WORDS[i], i < 2, [at, each]] for i, each in enumerate(prices)]
    return picture | {"title": "KXHIGHNY-26NOV28", "decimals": 1, "lines": lines}


INK = """([from, to]) => {
  const canvas = document.querySelector(".kalshi-nb").shadowRoot.querySelector("canvas");
  const { data, width, height } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  let found = 0;
  for (let y = 0; y < height - 40; y++) for (let x = Math.round(from * width); x < to * width; x++) {
    const [r, g, b, a] = data.slice(4 * (y * width + x), 4 * (y * width + x) + 4);
    if (a > 250 && Math.max(Math.abs(r - 0x1b), Math.abs(g - 0x1f), Math.abs(b - 0x24)) < 3) found++;
  }
  return found;
}"""


MARKS = """([from, to, colour]) => {
  const canvas = document.querySelector(".kalshi-nb").shadowRoot.querySelector("canvas");
  const { data, width, height } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  let found = 0;
  for (let y = 0; y < height; y++) for (let x = Math.round(from * width); x < to * width; x++) {
    const own = data.slice(4 * (y * width + x), 4 * (y * width + x) + 4);
    const near = colour.every((each, i) => Math.abs(each - own[i]) < 3);
    if (near && own[3] > 100) found++;
  }
  return found;
}"""


def show(host, picture=None, settings=None):
    host.open()
    return host.show(picture or price(), {"theme": "light"} | (settings or {}), kind="chart")


def test_a_line_is_drawn_on_both_sides_of_a_gap_and_not_in_it(host):
    # Of what is stale the edge stands still. 900 s are shown: the gap is from 500/900 to 620/900 behind the axis.
    show(host, price(quotes=[], status="stale"))
    assert host.page.evaluate(INK, [0.40, 0.54]) > 20
    assert host.page.evaluate(INK, [0.72, 0.95]) > 20
    assert host.page.evaluate(INK, [0.58, 0.66]) == 0


def test_what_is_pointed_at_is_read_and_the_numbers_can_be_had(host):
    show(host)
    frame = host.page.locator(".kalshi-nb .frame")
    assert frame.get_attribute("aria-label").startswith(
        "Price of YES: last 42¢, from 40¢ to 46¢, 240 contracts, 1 gap"
    )
    frame.focus()
    host.page.keyboard.press("ArrowLeft")
    host.page.keyboard.press("ArrowLeft")
    assert "42¢" in host.page.locator(".kalshi-nb .read").inner_text()
    host.page.get_by_role("button", name="Show data").click()
    assert host.page.locator(".kalshi-nb table tr").count() == 21


def test_what_happened_and_what_is_ones_own_is_marked_and_told(host):
    now = price()["clock"]
    marks, fills = [[now - 100, "halted"]], [["no", 0.45, 12.5, now - 200]]
    trades = [[now - 600, now - 100], [0.40, 0.41], [1.0, 1.0]]
    shown = {"trades": trades, "candles": [], "quotes": [], "gaps": [], "clock": now, "marks": marks, "fills": fills}
    show(host, price(status="stale", **shown))
    box = host.page.locator(".kalshi-nb canvas").bounding_box()
    over = host.page.locator(".kalshi-nb .u-over").bounding_box()

    def drawn(since, to, colour):
        ends = [(over["x"] - box["x"] + over["width"] * s / 900) / box["width"] for s in (since, to)]
        return host.page.evaluate(MARKS, [*ends, colour])

    assert drawn(690, 710, [0x1B, 0x1F, 0x24]) > 60  # the fill's line and mark, in ink
    assert drawn(795, 805, [0x57, 0x60, 0x6A]) > 60  # the halt's, dim
    label = host.page.locator(".kalshi-nb .frame").get_attribute("aria-label")
    assert "12.50 NO at" in label
    assert ", halted at" in label
    host.page.locator(".kalshi-nb .frame").focus()
    host.page.keyboard.press("ArrowLeft")
    assert "halted" in host.page.locator(".kalshi-nb .read").inner_text()


def test_the_no_leg_is_the_mirror(host):
    show(host, settings={"side": "no"})
    label = host.page.locator(".kalshi-nb .frame").get_attribute("aria-label")
    assert label.startswith("Price of NO: last 58¢, from 54¢ to 60¢")


def test_candles_are_told_one_by_one(host):
    show(host, settings={"bars": "1m"})
    host.page.locator(".kalshi-nb .frame").focus()
    host.page.keyboard.press("ArrowLeft")
    host.page.keyboard.press("ArrowLeft")
    assert "open 40¢, high 46¢, low 39¢" in host.page.locator(".kalshi-nb .read").inner_text()


@pytest.mark.parametrize(
    ("given", "word", "said"),
    [
        ({"trades": [], "quotes": [], "candles": [], "gaps": []}, "live", "no trades in this time"),
        ({"status": "connecting", "trades": [], "quotes": [], "candles": [], "gaps": []}, "connecting", "waiting for"),
        ({"status": "stale"}, "stale", ""),
        ({"status": "closed"}, "closed", ""),
    ],
    ids=["empty", "connecting", "stale", "closed"],
)
def test_each_state_says_what_it_is(host, given, word, said):
    show(host, price(**given))
    assert host.data("status") == word
    assert said in host.page.locator(".kalshi-nb .plot").inner_text()


@pytest.mark.parametrize("bars", [None, "1m"])
def test_what_each_sign_means_is_told_whole_however_narrow_it_is(make_host, bars):
    for width, words in ((320, "volume"), (560, "volume, 25 at most in 1 min")):
        host = make_host(viewport={"width": width, "height": 700})
        show(host, settings={"bars": bars})
        signs = host.page.locator(".kalshi-nb .rest")
        assert signs.evaluate("(n) => n.scrollWidth - n.clientWidth") <= 0
        assert signs.inner_text().endswith(words)


def test_new_trades_are_drawn_and_the_height_stays(host):
    show(host)
    before = host.page.locator(".kalshi-nb").bounding_box()["height"]
    for seq in range(2, 6):
        host.send(price(seq, trades=[[NOW], [0.9], [5.0]]))
    assert host.page.locator(".kalshi-nb").bounding_box()["height"] == before


COLOURS = [(0x0B, 0x5C, 0xAD), (0xA8, 0x43, 0x00), (0xB9, 0x72, 0x7B)]


def test_several_markets_are_lines_that_no_colour_is_needed_for(host):
    show(host, several(gaps=[]))
    drawn = [host.page.evaluate(MARKS, [0.35, 0.55, list(each)]) for each in COLOURS]
    named = [host.page.evaluate(MARKS, [0.85, 1, list(each)]) for each in COLOURS]
    assert min(drawn) > 30
    assert drawn[0] > 1.2 * drawn[1]  # solid and dashed, both of them flat
    assert min(named) > 10
    label = host.page.locator(".kalshi-nb .frame").get_attribute("aria-label")
    assert label == f"Prices of YES: {WORDS[0]} 22.9¢, {WORDS[1]} 60.0¢, {WORDS[2]} 42.0¢"


def test_a_market_without_a_price_has_no_line_there_and_says_so(host):
    show(host, several(gaps=[], status="stale"))
    # 900 s are shown: the second has none from 700/900 to 780/900 of what is left of its name.
    canvas = host.page.locator(".kalshi-nb canvas").bounding_box()
    over = host.page.locator(".kalshi-nb .u-over").bounding_box()
    place = [(over["x"] - canvas["x"] + over["width"] * each / 900) / canvas["width"] for each in (705, 775, 785)]
    assert host.page.evaluate(MARKS, [*place[:2], list(COLOURS[1])]) == 0
    assert host.page.evaluate(MARKS, [place[2], place[2] + 0.05, list(COLOURS[1])]) > 5
    host.page.mouse.move(over["x"] + over["width"] * 725 / 900, over["y"] + 40)
    read = host.page.locator(".kalshi-nb .read").inner_text()
    assert f"{WORDS[1]} \N{EN DASH}" in read
    assert f"{WORDS[0]} 22." in read


def test_a_gap_breaks_every_line_of_several(host):
    show(host, several(status="stale"))
    canvas = host.page.locator(".kalshi-nb canvas").bounding_box()
    over = host.page.locator(".kalshi-nb .u-over").bounding_box()
    # Points came again within the gap, of each line the first after 20 s.
    ends = [(over["x"] - canvas["x"] + over["width"] * each / 900) / canvas["width"] for each in (502, 518)]
    assert [host.page.evaluate(MARKS, [*ends, list(each)]) for each in COLOURS] == [0, 0, 0]


def after(picture, seq, **given):
    """What the kernel sends next."""
    return {"seq": seq, "sent": picture["sent"], "status": "live", "clock": picture["clock"], **given}


def test_deltas_make_the_chart_that_the_whole_would_have_made(make_host):
    first = price(status="stale")
    now = first["clock"]
    columns = first["trades"]
    grown = [[*columns[0][2:], now - 5], [*columns[1][2:], 0.55], [*columns[2][2:], 3.0]]
    candles = [
        [*column[1:-1], new]
        for column, new in zip(first["candles"], [now - 60, 0.4, 0.6, 0.4, 0.6, 9.0, 0.0], strict=True)
    ]
    changes = [
        {"trades": [[], 2, 22, [[now - 5], [0.55], [3.0]]]},
        {"candles": [[], 1, 6, [[now - 60], [0.4], [0.6], [0.4], [0.6], [9.0], [0.0]]], "traded": 243.0},
        {"gaps": [[now - 400, now - 300]]},
    ]
    wanted = {"trades": grown, "candles": candles, "traded": 243.0, "gaps": [[now - 400, now - 300]]}
    found = []
    for bars in (None, "1m"):
        for picture, deltas in ((first, changes), (first | wanted, [])):
            host = make_host()
            show(host, picture, {"bars": bars})
            for seq, change in enumerate(deltas, 2):
                host.send(after(first, seq, **change) | {"status": "stale"}, name="delta")
            host.page.get_by_role("button", name="Show data").click()
            canvas = host.page.evaluate(
                "() => document.querySelector('.kalshi-nb').shadowRoot.querySelector('canvas').toDataURL()"
            )
            label = host.page.locator(".kalshi-nb .frame").get_attribute("aria-label")
            found.append((canvas, label, host.texts(".kalshi-nb td")))
    assert found[0] == found[1] != found[2] == found[3]
    assert "last 55¢" in found[0][1]


def test_a_delta_of_one_of_several_markets_leaves_the_others(host):
    picture = several(gaps=[])
    show(host, picture)
    line = [[], 1, 29, [[picture["clock"]], [0.75]]]
    host.send(after(picture, 2, lines=[None, line, None]), name="delta")
    host.page.get_by_role("button", name="Show data").click()
    label = host.page.locator(".kalshi-nb .frame").get_attribute("aria-label")
    assert label == f"Prices of YES: {WORDS[0]} 22.9¢, {WORDS[1]} 75.0¢, {WORDS[2]} 42.0¢"


def test_a_chart_that_rests_rests_while_deltas_come(host):
    show(host)
    host.focus()
    host.page.keyboard.press("p")
    host.page.get_by_role("button", name="Show data").click()
    before = host.texts(".kalshi-nb td")
    host.send(after(price(), 2, trades=[[], 0, 24, [[price()["clock"]], [0.77], [1.0]]]), name="delta")
    host.page.wait_for_timeout(1_200)
    assert host.texts(".kalshi-nb td") == before
    host.focus()
    host.page.keyboard.press("p")
    host.page.wait_for_timeout(1_200)
    assert host.texts(".kalshi-nb td")[-2:] == ["77¢", "1"]


def pressed(host):
    return host.texts(".kalshi-nb .windows [aria-pressed=true]")


def asked(host):
    return [each["asked"] for each in host.sent() if "asked" in each]


def test_how_much_of_the_past_is_shown_is_chosen_on_the_page(host):
    show(host, price(status="stale", quotes=[]))
    assert pressed(host) == ["15m"]
    assert host.page.evaluate(INK, [0.72, 0.95]) > 20
    # Of 5 minutes the first 20 s are gap.
    host.page.get_by_role("button", name="5m of the past", exact=True).click()
    assert pressed(host) == ["5m"]
    assert asked(host) == [{"window": "5m"}]
    assert host.page.evaluate(INK, [0.12, 0.4]) > 20
    host.send(price(2, status="stale", quotes=[], seconds=300.0))
    assert pressed(host) == ["5m"]
    host.send(price(3, status="stale", quotes=[], seconds=None))  # another page of the same view
    assert pressed(host) == ["all"]


def test_more_of_the_past_is_asked_for_and_the_view_says_so(host):
    show(host)
    host.focus()
    host.page.keyboard.press("w")
    assert pressed(host) == ["1h"]
    assert asked(host) == [{"window": "1h"}]
    assert "asking for more of the past" in host.page.locator(".kalshi-nb .note").inner_text()
    host.send(after(price(), 2, seconds=3600.0), name="delta")
    assert "last 42¢" in host.page.locator(".kalshi-nb .note").inner_text()
    for _ in range(4):
        host.page.keyboard.press("w")
    assert [each["window"] for each in asked(host)] == ["1h", "6h", "all", "1m", "5m"]


def test_the_windows_are_one_tab_stop_and_the_arrows_go_between_them(host):
    show(host)
    first = host.page.get_by_role("button", name="1m of the past", exact=True)
    first.focus()
    host.page.keyboard.press("ArrowRight")
    host.page.keyboard.press("Enter")
    assert pressed(host) == ["5m"]
    assert host.page.locator(".kalshi-nb .windows [tabindex='0']").count() == 1
    host.page.keyboard.press("Tab")
    assert host.page.locator(".kalshi-nb .windows :focus").count() == 0


def test_nothing_stands_in_the_way_of_anybody(host):
    show(host)
    host.page.evaluate(AXE.read_text(encoding="utf-8"))
    rules = "{ runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa'] }"
    found = host.page.evaluate(f"async () => (await axe.run(document, {rules})).violations.map((v) => v.id)")
    assert found == []
