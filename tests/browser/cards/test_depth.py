"""The depth chart on a page: what it draws where, what the cursor reads, and what each state says."""

import re

import pytest

from kalshi_nb._widgets.assets import bundle
from kalshi_nb._widgets.depth.curve import DISTANCES, reach
from tests.browser.cards import shifts
from tests.browser.cards.depth_pictures import depth, depth_states
from tests.browser.cards.pictures import ASKS, BIDS
from tests.browser.cards.test_access import AXE

CHIPS = {
    "deep": "● live",
    "connecting": "○ connecting",
    "stale": "▲ stale 1",
    "silent": "◌ saved picture",
    "no-asks": "● live, one-sided",
    "no-bids": "● live, one-sided",
    "empty": "● live, empty",
    "crossed": "● live",
    "unknown": "✕ no such market",
    "handle-closed": "■ ended, no more updates",
    "initialized": "○ not open",
    "inactive": "⊘ halted",
    "closed": "■ closed, awaiting result",
    "determined": "◆ YES · pays $1.00",
    "finalized": "✓ settled",
    "large": "● live",
}
CELL = "<div id='s-{}' style='width: {}px'></div>"
SMALL = {"bids": BIDS, "asks": ASKS}
COLOURS = """(canvas) => {
  const { data, width, height } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  const found = { bid: [], ask: [] };
  for (let y = 0; y < height - 32; y++) for (let x = 0; x < width; x++) {
    const [r, g, b, a] = data.slice(4 * (y * width + x), 4 * (y * width + x) + 4);
    if (a < 250) continue;
    if (r === 0x0b && g === 0x5c && b === 0xad) found.bid.push(x / width);
    if (r === 0xa8 && g === 0x43 && b === 0x00) found.ask.push(x / width);
  }
  return Object.fromEntries(Object.entries(found).map(([name, xs]) =>
    [name, xs.length ? [xs.length, Math.min(...xs), Math.max(...xs)] : [0, 1, 0]]));
}"""


def show(host, picture, settings=None):
    return host.open().show(picture, settings, kind="depth")


def show_all(host, width, names=tuple(CHIPS), **settings):
    """Put states on one page, all of them unless told, and return the text that can be seen of each."""
    host.page.set_viewport_size({"width": 1100, "height": 9000})
    head = f"<style>body {{ background: {'#111' if settings.get('theme') == 'dark' else '#fff'} }}</style>"
    host.open(head=head, body=f"<main>{''.join(CELL.format(name, width) for name in names)}</main>", is_still=True)
    found = {name: {**picture, "model": name} for name, picture in depth_states().items() if name in names}
    script = """async ([text, states, settings]) => { for (const [name, picture] of Object.entries(states))
        await hosting.open(text, { picture, delta: {}, settings }, document.querySelector(`#s-${name}`)); }"""
    host.page.evaluate(script, [bundle("depth").text, found, settings])
    host.settle()
    read = "(n) => n.shadowRoot.querySelector('.card').innerText.replace(/\\s+/g, ' ')"
    return {name: host.page.locator(f"#s-{name} > .kalshi-nb").evaluate(read) for name in found}


def told(host):
    return host.page.locator(".plot .read").text_content()


def data(host):
    """The rows that stand behind the button."""
    return host.page.locator(".plot table tr").evaluate_all(
        "(all) => all.map((row) => [...row.children].map((cell) => cell.textContent))"
    )


def test_each_state_is_told_by_a_glyph_and_words_and_a_missing_side_in_its_place(host):
    said = show_all(host, 560)
    for name, chip in CHIPS.items():
        assert chip in said[name], name
    assert "YES mid 47.75¢, spread 1.5¢" in said["deep"]
    assert "no asks" in said["no-asks"]
    assert "no bids" in said["no-bids"]
    assert "no resting orders" in said["empty"]
    assert "waiting for the snapshot" in said["connecting"]
    assert "no such market" in said["unknown"]
    assert "bid and ask are crossed" in said["crossed"]
    assert "◆ YES · pays $1.00" in said["determined"]
    for name in ("no-asks", "no-bids"):
        frame, words = (host.page.locator(f"#s-{name} {each}").bounding_box() for each in (".frame", ".missing"))
        middle = frame["x"] + frame["width"] / 2
        assert (words["x"] > middle) == (name == "no-asks")
        assert frame["y"] < words["y"] < frame["y"] + frame["height"]
    blank = "(all) => all.filter((n) => !n.shadowRoot.querySelector('canvas')).map((n) => n.parentNode.id)"
    assert host.page.locator(".kalshi-nb").evaluate_all(blank) == []


@pytest.mark.parametrize("width", [320, pytest.param(1040, marks=pytest.mark.matrix)])
def test_nothing_scrolls_sideways_in_any_state(host, width):
    show_all(host, width)
    wide = (
        "(all) => all.filter((n) => n.shadowRoot.querySelector('.card').scrollWidth > n.clientWidth).map((n) => n.id)"
    )
    assert host.page.locator(".kalshi-nb").evaluate_all(wide) == []
    assert host.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_bids_are_drawn_on_the_left_and_asks_on_the_right(host):
    show(host, depth())
    found = host.page.locator(".plot canvas").evaluate(COLOURS)
    assert found["bid"][0] > 100
    assert found["ask"][0] > 100
    assert found["bid"][2] < found["ask"][1]
    # A dashed line leaves gaps.
    assert found["ask"][0] < found["bid"][0]
    host.send(depth(seq=2, asks=[]))
    found = host.page.locator(".plot canvas").evaluate(COLOURS)
    assert found["ask"][0] == 0
    assert found["bid"][0] > 100
    assert found["bid"][2] < 0.6


def test_the_numbers_are_those_of_the_kernel(host):
    show(host, depth(**SMALL))
    bids, asks = ([tuple(level) for level in side] for side in (BIDS, ASKS))
    head, *rows = data(host)
    assert head == ["within", "bids", "sold at", "asks", "bought at"]
    assert len(rows) == 5
    for row, distance in zip(rows, DISTANCES, strict=True):
        sold, bought = reach(bids, distance), reach(asks, distance)
        assert row == [
            f"{distance * 100:.0f}¢",
            f"{sold.contracts:,.0f}",
            f"{sold.average * 100:.1f}¢",
            f"{bought.contracts:,.0f}",
            f"{bought.average * 100:.1f}¢",
        ]


def test_the_cursor_reads_both_sides_at_once_and_arrows_move_it(host):
    show(host, depth(**SMALL))
    assert told(host) == ""
    host.page.locator(".plot .frame").focus()
    host.page.keyboard.press("ArrowRight")
    first = told(host)
    for _ in range(40):
        host.page.keyboard.press("ArrowRight")
        if "sell 310 down to 47.0¢: average 47.0¢, $145.70 before fees" in told(host):
            break
    assert told(host) == (
        "sell 310 down to 47.0¢: average 47.0¢, $145.70 before fees\n"
        "buy 64 up to 48.5¢: average 48.5¢, $31.04 before fees"
    )
    host.page.keyboard.press("ArrowLeft")
    assert told(host) == (
        "sell 2,520 down to 46.5¢: average 46.6¢, $1,173.35 before fees\n"
        "buy 1,044 up to 49.0¢: average 49.0¢, $511.24 before fees"
    )
    assert first != told(host)
    host.page.keyboard.press("s")
    host.settle()
    assert re.fullmatch(r"sell [\d,]+ down to 5[01].\d¢.*\nbuy [\d,]+ up to 53.\d¢.*", told(host))


def test_what_both_sides_cost_is_told_whole_in_a_panel_of_a_phone(make_host):
    host = make_host(viewport={"width": 296, "height": 700}).open()
    host.show(depth(bids=[[0.32, 593], [0.27, 935.34]], asks=[[0.35, 34], [0.38, 60.04]]), kind="depth")
    said = host.page.locator(".plot .rest")
    assert said.inner_text().startswith("sell 1,528.34 down to 27.0¢: 28.9¢, $442.30\n")
    assert said.get_attribute("title").startswith("sell 1,528.34 down to 27.0¢: average 28.9¢, $442.30 before fees\n")
    assert said.evaluate("(n) => n.scrollWidth - n.clientWidth") <= 0


def test_the_mouse_reads_too(host):
    show(host, depth(**SMALL))
    box = host.page.locator(".plot .u-over").bounding_box()
    host.page.mouse.move(box["x"] + box["width"] * 0.1, box["y"] + 60)
    host.settle()
    assert told(host).startswith("sell ")
    assert "\nbuy " in told(host)


def test_the_no_leg_is_the_mirror(host):
    show(host, depth(**SMALL), {"side": "no"})
    (_, *no) = data(host)
    host.open().show(depth(**SMALL), kind="depth")
    (_, *yes) = data(host)
    for row, mirrored in zip(yes, no, strict=True):
        assert (row[1], row[3]) == (mirrored[3], mirrored[1])
        for price, other in ((row[2], mirrored[4]), (row[4], mirrored[2])):
            assert float(price.rstrip("¢")) + float(other.rstrip("¢")) == pytest.approx(100, abs=0.11)


def test_a_logarithmic_scale_draws_both_sides(host):
    show(host, depth(), {"scale": "log"})
    found = host.page.locator(".plot canvas").evaluate(COLOURS)
    assert found["bid"][0] > 100
    assert found["ask"][0] > 100


def test_a_chart_has_a_name_a_summary_and_its_numbers_as_a_table(host):
    show(host, depth(**SMALL))
    tree = host.page.locator("main").aria_snapshot()
    assert 'group "Depth of KXHIGHNY-26NOV28-B52.5"' in tree
    assert "Depth of the YES leg: 3,673 contracts bid from 47.0¢ to 37.0¢, 3,707 contracts asked from 48.5¢" in tree
    host.page.get_by_role("button", name="Show data").click()
    host.settle()
    assert host.page.locator(".plot table").is_visible()


def test_nothing_of_the_layout_shifts_and_the_window_stays_while_the_book_moves(host):
    show(host, depth())
    began = shifts.begin(host, 0)
    for seq in range(2, 7):
        bids = [[round(0.47 + (seq % 3) / 200 - at / 200, 4), 50 + at * seq] for at in range(80)]
        host.send(depth(seq=seq, bids=bids))
    host.send(depth(seq=8, asks=[]))
    host.send(depth(seq=9, bids=[], asks=[]))
    assert shifts.since(host, began) == []


FEW = ("deep", "no-asks")
MATRIX = [pytest.param(tuple(CHIPS), theme, marks=pytest.mark.matrix, id=theme) for theme in ("light", "dark")]


@pytest.mark.parametrize(("names", "theme"), [pytest.param(FEW, "light", id="few"), *MATRIX])
def test_axe_finds_nothing_of_level_a_or_aa_in_any_state(host, names, theme):
    show_all(host, 480, names, theme=theme)
    host.page.evaluate(AXE.read_text(encoding="utf-8"))
    tags = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}
    found = host.page.evaluate("(options) => axe.run('main', options)", tags)
    assert [(each["id"], [node["html"] for node in each["nodes"]]) for each in found["violations"]] == []
    assert len(found["passes"]) > 10


def test_what_is_drawn_at_a_price_is_what_lies_between_it_and_the_touch(host):
    host.open()
    host.page.add_script_tag(content=f"{bundle('depth').text.partition('export default')[0]}; window.depth = depth;")
    script = """([bids, asks, shown, isLog]) => {
        const read = (side) => depth.addUp(side.map(([p, size]) => [text.price(p), text.size(size)]));
        return depth.columns({ bids: read(bids), asks: read(asks) }, shown, isLog);
    }"""
    for bids, asks, is_log in ((BIDS, ASKS, False), (BIDS, [], False), ([], ASKS, False), (BIDS, ASKS, True)):
        prices, drawn_bids, drawn_asks = host.page.evaluate(script, [bids, asks, [3000, 6500], is_log])
        assert prices == sorted({*prices, 30, 65})
        both = bids and asks and not is_log
        for price, bid, ask in zip(prices, drawn_bids, drawn_asks, strict=True):
            below = sum(size for p, size in asks if round(p * 100, 2) <= price)
            above = sum(size for p, size in bids if round(p * 100, 2) >= price)
            # Between the best prices both lie on the ground, up to the other; beyond it there is nothing to draw.
            assert bid == (above or (0 if both and price == 48.5 else None)), price
            assert ask == (below or (0 if both and price == 47 else None)), price
