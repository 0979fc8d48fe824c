"""What a ladder says of each state of the feed, the market and the book, and what it never says."""

import time

import pytest

from kalshi_nb._widgets.view import FLEX
from tests.browser.cards.few import crossed, few
from tests.browser.cards.pictures import BIDS, ladder, states
from tests.browser.cards.test_chart import price

CHIPS = {
    "live": "● live",
    "connecting": "○ connecting",
    "stale": "▲ stale 1",
    "silent": "◌ saved picture",
    "no-asks": "● live, one-sided",
    "no-bids": "● live, one-sided",
    "empty": "● live, empty",
    "crossed": "● live",
    "unknown": "✕ no such market",
    "handle-closed": "■ ended, no more updates",
    "initialized": "○ not open, opens in 1 h 59 min",
    "inactive": "⊘ halted by the exchange",
    "closed": "■ closed, awaiting result",
    "closed-by-clock": "■ closed, awaiting result",
    "last-minute": "● live",
    "determined": "◆ YES · pays $1.00",
    "determined-no": "◆ NO · YES pays $0.00",
    "scalar": "◆ scalar · YES pays $0.5000",
    "disputed": "✕ result disputed",
    "finalized": "✓ settled ",
}
GREY = {"stale", "silent", "handle-closed", "inactive", "closed", "closed-by-clock"}
ALWAYS = ["live", "connecting", "stale", "unknown", "handle-closed", "closed-by-clock", "scalar", "finalized"]
"""States that differ most."""
OVER = {"determined", "determined-no", "scalar", "disputed", "finalized"}


def text(host, selector):
    return " ".join(host.texts(selector))


@pytest.mark.parametrize("state", few(CHIPS, ALWAYS))
def test_a_state_is_told_by_a_glyph_and_words(host, state):
    host.open().show(states()[state])
    said = text(host, ".chip")
    assert said.startswith(CHIPS[state][:3])
    assert said.startswith(CHIPS[state].replace("1 h 59 min", ""))


@pytest.mark.parametrize("state", few(CHIPS, ALWAYS[:6]))
def test_what_is_old_is_grey_and_what_is_over_shows_the_result(host, state):
    host.open().show(states()[state])
    filtered = host.page.locator(".body").evaluate("(n) => getComputedStyle(n).filter")
    assert (filtered != "none") == (state in GREY)
    assert bool(host.texts(".result")) == (state in OVER)
    assert bool(host.texts(".table")) == (state not in OVER)


@pytest.mark.parametrize(
    ("state", "middle"),
    [
        ("live", "mid 47.75¢ spread 1.5¢ imbalance +66\u202f%"),
        ("no-asks", "no mid no spread imbalance \u2013"),
        ("no-bids", "no mid no spread imbalance \u2013"),
        ("empty", "no resting orders"),
        ("connecting", "waiting for the snapshot"),
        ("unknown", "no such market"),
        ("crossed", "mid 46.75¢ crossed by 0.5¢ imbalance +98\u202f%"),
        ("large", "mid 97.50¢ spread 0.50¢ imbalance +100\u202f%"),
    ],
)
def test_the_middle_says_no_more_than_the_book_has(host, state, middle):
    host.open().show(states()[state])
    assert text(host, ".middle > *") == middle


def test_a_missing_side_says_so_in_its_own_place(host):
    host.open().show(states()["no-asks"])
    assert host.texts(".asks .missing") == ["no asks"]
    assert host.texts(".bids .missing") == []


def test_levels_stand_where_they_are_in_price(host):
    host.open().show(ladder())
    rows = host.page.locator(".asks .row, .bids .row").evaluate_all(
        "(all) => all.sort((a, b) => a.getBoundingClientRect().top - b.getBoundingClientRect().top)"
        ".map((n) => n.innerText.replace(/\\s+/g, ' ').trim())"
    )
    assert [row for row in rows if row] == [
        "53.5¢",
        "53.0¢ 41",
        "52.5¢",
        "52.0¢ 1,500",
        "⋯ 2 ticks empty ⋯",
        "50.5¢ 300",
        "50.0¢ 12",
        "49.5¢",
        "49.0¢ 980",
        "▲ 48.5¢ 64",
        "310 47.0¢",
        "2,210 46.5¢",
        "⋯ 2 ticks empty ⋯",
        "125 45.0¢",
        "44.5¢",
        "60 44.0¢",
        "18 43.5¢",
        "900 43.0¢",
        "⋯ 5 ticks empty ⋯",
        "33 40.0¢",
    ]


def test_a_screen_reader_reads_the_rows_in_the_order_in_which_they_stand(host):
    host.open().show(ladder())
    host.send(ladder(seq=2, bids=[[0.475, 5], *BIDS[1:]]))
    tops = host.page.locator(".row").evaluate_all(
        "(all) => all.filter((n) => n.checkVisibility()).map((n) => n.getBoundingClientRect().top)"
    )
    assert tops == sorted(tops)


def test_own_orders_and_fills_are_marked_at_their_price(host):
    host.open().show(states()["owned"])
    assert host.texts(".bids .mark:not(:empty)") == ["◆10", "▸25"]
    assert host.texts(".asks .mark:not(:empty)") == ["▸1.2k"]


def test_a_mark_is_short_enough_for_its_lane_and_says_all_on_demand(host):
    orders = [["no", 0.485, 731.37], ["no", 0.49, 99.99], ["yes", 0.47, 1234567.89]]
    host.open().show(ladder(orders=orders, fills=[["yes", 0.47, 10.5, time.time()]]))
    assert host.texts(".asks .mark:not(:empty)") == ["▸99.99", "▸731"]
    marks = host.page.locator(".mark:not(:empty)")
    titles = marks.evaluate_all("(all) => all.map((n) => n.title)")
    assert "own order, 731.37 remaining" in titles
    assert "own order, 1,234,567.89 remaining; own fills, 10.50" in titles
    covered = host.page.locator(".asks .row").evaluate_all(
        """(all) => all.filter((row) => {
            const mark = row.querySelector(".mark:not(:empty)");
            if (!mark) return false;
            const size = document.createRange();
            size.selectNodeContents(row.querySelector(".size"));
            return size.getBoundingClientRect().right > mark.getBoundingClientRect().left;
        }).length"""
    )
    assert covered == 0


def test_the_last_trade_is_marked_for_some_seconds(host):
    host.open().show(ladder(last={"price": 0.485, "size": 30, "taker": "no", "at": time.time()}))
    assert [each for each in host.texts(".taken") if each] == ["▼"]
    assert text(host, ".note").startswith("last 48.5¢ \u00d7 30 NO ▼ ")
    host.send(ladder(seq=2, last={"price": 0.485, "size": 30, "taker": "no", "at": time.time() - 9}))
    assert [each for each in host.texts(".taken") if each] == []


def test_the_no_leg_is_the_mirror_of_the_yes_leg(host):
    host.open(is_still=True).show(
        ladder(
            asks=[[0.485, 64.5], [0.4975, 1], [0.6, 3]],
            bids=[[0.47, 310], [0.01, 2.25]],
            decimals=2,
            ticks=[[0, 10000, 25]],
        )
    )
    read = (
        "(all) => all.filter((n) => n.checkVisibility() && n.querySelector('.size')?.textContent).map((n) => "
        "[n.querySelector('.price').innerText, n.querySelector('.size').textContent])"
    )
    sides = {name: host.page.locator(f".{name} .row").evaluate_all(read) for name in ("asks", "bids")}
    host.focus()
    host.page.keyboard.press("s")
    host.settle()
    mirrored = {name: host.page.locator(f".{name} .row").evaluate_all(read) for name in ("asks", "bids")}

    def hundredths(price):
        return round(100 * float(price.strip("▲▼ \n¢")))

    for one, other in (("asks", "bids"), ("bids", "asks")):
        assert [size for _, size in mirrored[other]] == [size for _, size in reversed(sides[one])]
        sums = [
            hundredths(a) + hundredths(b) for (a, _), (b, _) in zip(mirrored[other], reversed(sides[one]), strict=True)
        ]
        assert set(sums) == {10_000}
    assert host.texts(".columns .price") == ["NO price"]
    assert text(host, ".middle .spread") == "spread 1.50¢"
    host.page.keyboard.press("s")
    host.settle()
    assert {name: host.page.locator(f".{name} .row").evaluate_all(read) for name in ("asks", "bids")} == sides


def test_an_ask_tells_whose_bid_it_is(host):
    host.open().show(ladder())
    tips = host.page.locator(".asks .best").get_attribute("title")
    assert tips == "48.5¢ YES ask = NO bid at 51.5¢; 64 to here, $31.04 before fees"
    host.focus()
    host.page.keyboard.press("s")
    host.settle()
    assert (
        host.page.locator(".asks .best").get_attribute("title")
        == "53.0¢ NO ask = YES bid at 47.0¢; 310 to here, $164.30 before fees"
    )


def test_prices_are_shown_in_the_unit_that_is_chosen(host):
    host.open().show(ladder(), {"unit": "dollars"})
    assert "$0.4850" in text(host, ".asks .best .price")
    host.focus()
    host.page.keyboard.press("u")
    host.settle()
    assert "48.5\u202f%" in text(host, ".asks .best .price")
    host.page.keyboard.press("u")
    host.settle()
    assert "$0.4850" in text(host, ".asks .best .price")


def test_decimals_that_were_there_stay(host):
    host.open().show(ladder(decimals=0, ticks=None, bids=[[0.47, 1]], asks=[[0.485, 2.5]]))
    assert text(host, ".bids .price") == "47.0¢"
    assert text(host, ".bids .size") == "1.00"
    host.send(ladder(seq=2, decimals=0, ticks=None, bids=[[0.47, 1]], asks=[[0.48, 2]]))
    assert text(host, ".bids .price") == "47.0¢"
    assert text(host, ".bids .size") == "1.00"


def test_one_giant_level_leaves_the_others_visible(host):
    host.open().show(ladder(bids=[[0.47, 1e6], [0.46, 10], [0.45, 10], [0.44, 10]], asks=[]))
    shares = host.page.locator(".bids .row:not(.bare):not(.hole) .bar").evaluate_all(
        "(all) => all.map((n) => 1 - Math.abs(new DOMMatrix(n.style.transform.replace('%', 'px')).e) / 100)"
    )
    assert shares[0] == 1
    assert shares[1:] == pytest.approx([(1 / 12) ** 0.5] * 3)


def test_a_title_cannot_do_anything(host):
    hostile = "<img src=x onerror=\"document.title='ran'\">\u202egnp.exe\u2066 " + "W" * 10_000
    host.open().show(ladder(market={"title": hostile, "subtitle": hostile, "ticker": hostile}, note=hostile))
    assert host.page.title() == "host"
    assert host.page.locator(".card img").count() == 0
    shown = host.page.locator(".card").inner_text()
    assert not {"\u202e", "\u2066"} & {*shown}
    wide = host.page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert wide <= 0


@pytest.mark.parametrize("offset", few([-600, 0, 600], [600]))
def test_the_countdown_does_not_believe_the_browsers_clock(host, offset):
    # The kernel's clock is off from the browser's by ten minutes, as a browser's clock may be from the kernel's.
    host.open().show(ladder(sent=time.time() + offset))
    sent = time.time() + offset
    host.send(ladder(seq=2, sent=sent, market={"close_time": sent + 90}))
    minutes, seconds = text(host, ".close").removeprefix("closes in ").split(":")
    assert 60 * int(minutes) + int(seconds) == pytest.approx(sent + 90 - offset - time.time(), abs=2)


def test_a_market_closes_by_the_exchanges_clock_though_nothing_comes(host):
    now = time.time()
    host.open(is_still=True).show(ladder(clock=now - 7200, market={"close_time": now - 7200 + 2}))
    assert text(host, ".chip") == "● live"
    host.page.evaluate("hosting.passed = 2.5")
    host.page.wait_for_selector(".kalshi-nb[data-phase='closed']")
    assert text(host, ".chip") == "■ closed, awaiting result"
    assert text(host, ".close") == ""


@pytest.mark.parametrize(
    ("state", "width"),
    crossed(
        ["owned", "large", "unknown", "scalar", "silent"],
        [304, 320, 350, 640, 1040],
        always=[("owned", 350), ("large", 304), ("unknown", 320), ("silent", 640), ("large", 1040)],
    ),
)
def test_nothing_scrolls_sideways_and_no_number_is_cut_off(make_host, width, state):
    host = make_host(viewport={"width": width, "height": 800}).open()
    host.show(states()[state])
    assert host.page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    cut = host.page.locator(".size, .price, .mark, .middle > *").evaluate_all(
        "(all) => all.filter((n) => n.checkVisibility() && n.scrollWidth > n.clientWidth + 1).map((n) => n.innerText)"
    )
    assert cut == []


@pytest.mark.parametrize(
    "box",
    few(
        ["display:flex", "display:flex;flex-direction:column", "display:grid", "display:inline-block"],
        ["display:flex", "display:grid"],
    ),
)
def test_no_container_squeezes_a_view_to_a_sliver(host, box):
    host.open(body=f"<main style='{box}'><div id='cell'></div><div id='other'></div></main>")
    host.show(ladder())
    host.show(ladder(model="model-2"), at="#other")
    widths = host.page.locator(".kalshi-nb").evaluate_all("(all) => all.map((n) => n.getBoundingClientRect().width)")
    assert all(280 <= width <= 420 for width in widths)


def test_beside_others_in_a_row_each_has_what_it_needs_and_they_share_the_rest(make_host):
    host = make_host(viewport={"width": 1240, "height": 700})
    cells = "".join(f"<div id='{name}' style='flex:{FLEX}'></div>" for name in ("cell", "chart"))
    host.open(body=f"<main style='display:flex;width:1200px'>{cells}</main>")
    host.show(ladder())
    host.show(price(), at="#chart", kind="chart")
    left, right = host.page.locator(".kalshi-nb").evaluate_all("(all) => all.map((n) => n.offsetWidth)")
    assert left == 420
    assert right >= 700
    host.page.evaluate("document.querySelector('main').style.width = '720px'")
    left, right = host.page.locator(".kalshi-nb").evaluate_all("(all) => all.map((n) => n.offsetWidth)")
    assert left >= 280
    assert right >= 380
    assert host.errors == []
