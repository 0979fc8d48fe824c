"""A ladder of every tick, of merged ticks, with running totals, and as high as was asked for."""

import itertools

import pytest

from tests.browser.cards.few import few
from tests.browser.cards.pictures import ASKS, BIDS, ladder, states

ROWS = """(all) => all.filter((n) => n.checkVisibility() && !n.classList.contains('twin'))
  .map((n) => [n.getBoundingClientRect().top, n.querySelector('.price > :last-child').textContent])
  .filter((each) => each[1]).sort((a, b) => a[0] - b[0])"""
WHOLE = {"decimals": 0, "ticks": [[0, 10000, 100]]}


def rows(host):
    return host.page.locator(".side .row").evaluate_all(ROWS)


def prices(host):
    return [price for _, price in rows(host)]


def whole(seq=1, bid=47, ask=49, **more):
    bids = [[(bid - i) / 100, 10 + i] for i in range(min(20, bid))]
    return ladder(seq, **{"bids": bids, "asks": [[(ask + i) / 100, 10 + i] for i in range(20)], **WHOLE, **more})


def test_a_grid_shows_every_tick_in_its_place_and_stays_until_the_touch_leaves_it(host):
    host.open().show(whole(), {"grid": True})
    first = rows(host)
    assert [price for _, price in first] == [f"{price}¢" for price in range(58, 37, -1)]
    assert {round(b[0] - a[0]) for a, b in itertools.pairwise(first)} == {22}
    height = host.page.locator(".kalshi-nb").evaluate("(n) => n.offsetHeight")
    host.send(whole(2, bid=52, ask=55))
    assert rows(host) == first
    host.focus()
    host.page.keyboard.press("c")
    host.settle(1)
    assert prices(host)[0] == "64¢"
    host.page.locator("button[aria-label='Show the NO leg']").click()
    host.page.locator("button[aria-label='Centre the grid']").click()
    host.settle(1)
    assert prices(host) == [f"{price}¢" for price in range(56, 35, -1)]
    host.page.locator("button[aria-label='Show the YES leg']").click()
    host.send(whole(3, bid=20, ask=22))
    assert prices(host) == [f"{price}¢" for price in range(31, 10, -1)]
    host.send(whole(4, bid=2, ask=3))
    assert prices(host) == [f"{price}¢" for price in range(21, 0, -1)]
    assert host.page.locator(".kalshi-nb").evaluate("(n) => n.offsetHeight") == height


def test_a_grid_says_where_a_side_is_that_is_not_in_sight_and_shows_a_crossed_book_whole(host):
    host.open().show(whole(asks=[[0.9, 5]]), {"grid": True})
    assert host.texts(".asks .missing") == ["asks from 90¢"]
    host.send(whole(2, asks=[]))
    assert host.texts(".asks .missing") == ["no asks"]
    host.send(whole(3, bid=50, asks=[[0.49, 3], [0.5, 4], [0.51, 6]]))
    sizes = "(all) => all.filter((n) => n.checkVisibility()).map((n) => n.textContent).filter(Boolean)"
    assert host.page.locator(".asks .size").evaluate_all(sizes) == ["6", "4", "3"]
    assert host.page.locator(".bids .size").evaluate_all(sizes)[:2] == ["10", "11"]
    tops = rows(host)
    assert len({round(top) for top, _ in tops}) == len(tops) == 21
    host.send(ladder(4, status="connecting", bids=[], asks=[], last=None, changed=None))
    assert prices(host) == []
    assert host.texts(".middle > *") == ["waiting for the snapshot"]


def test_of_merged_levels_the_best_prices_are_told_and_the_last_trade_is_marked_where_it_belongs(host):
    merged = ladder(
        bids=[[0.47, 3.3], [0.46, 5]],
        asks=[[0.49, 65]],
        touch=[[0.4725, 1.1], [0.485, 64]],
        decimals=0,
        ticks=[[0, 10000, 100]],
    )
    host.open().show(merged, {"group": 1})
    assert " ".join(host.texts(".middle > *")).startswith("mid 47.875¢ spread 1.25¢")
    assert [each.split()[-1] for each in host.texts(".side .best .price")] == ["49¢", "47¢"]
    assert host.page.locator(".asks .best .taken").text_content() == "▲"
    host.focus()
    host.page.keyboard.press("r")
    assert "YES bid 47.25 cents for 1.10, ask 48.5 cents for 64" in host.page.locator(".unseen").text_content()


def test_running_totals_come_on_demand_and_are_right_on_either_leg(host):
    host.open().show(ladder(), {"total": False})
    assert host.texts(".sum") == []
    assert host.page.locator("button[aria-label='Running totals']").get_attribute("aria-pressed") == "false"
    host.focus()
    host.page.keyboard.press("t")
    host.settle(1)
    read = "(all) => all.map((n) => [...n.children].map((each) => each.textContent)).filter((each) => each[0])"
    assert host.page.locator(".asks .row .sum").evaluate_all(read)[-2:] == [["1k", "$511"], ["64", "$31.04"]]
    assert host.page.locator(".bids .row .sum").evaluate_all(read)[:2] == [["310", "$146"], ["2.5k", "$1.2k"]]
    host.page.keyboard.press("s")
    host.settle(1)
    assert host.page.locator(".bids .row .sum").evaluate_all(read)[0] == ["64", "$32.96"]
    assert host.page.locator("button[aria-label='Running totals']").get_attribute("aria-pressed") == "true"
    host.page.locator("button[aria-label='Running totals']").click()
    host.settle(1)
    assert host.texts(".sum") == []


@pytest.mark.parametrize(
    "options", few([{"total": True}, {"grid": True, "total": True}], [{"grid": True, "total": True}])
)
def test_totals_fit_however_narrow_it_is(make_host, options):
    for width in (304, 350, 440):
        host = make_host(viewport={"width": width, "height": 900}).open()
        for state in ("owned", "large"):
            host.show(states()[state], options)
        assert host.page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        script = (
            "(all) => all.filter((n) => n.checkVisibility() && n.scrollWidth > n.clientWidth + 1).map((n) => n.title)"
        )
        cut = host.page.locator(".size, .price, .mark, .sum > *, .middle > *, .columns > *").evaluate_all(script)
        assert cut == []


OVER = """(root) => {
  const box = (n) => {
    const range = document.createRange();
    range.selectNodeContents(n);
    return range.getBoundingClientRect();
  };
  const seen = (all) => [...all].filter((n) => n.checkVisibility() && n.textContent);
  const words = seen(root.querySelectorAll(".columns > * > span, .columns .sum > span"));
  return seen(root.querySelectorAll(".own > button")).flatMap((button) => words.filter((each) => {
    const [one, other] = [button.getBoundingClientRect(), box(each)];
    return one.left < other.right && other.left < one.right && one.top < other.bottom && other.top < one.bottom;
  }).map((each) => each.textContent));
}"""


@pytest.mark.parametrize("options", [{}, {"total": True}, {"grid": True}, {"grid": True, "total": True}])
def test_no_button_stands_over_the_name_of_a_side(make_host, options):
    for width in (304, 350, 400, 440):
        host = make_host(viewport={"width": width, "height": 900}).open()
        host.show(states()["owned"], options)
        assert host.page.locator(".card").evaluate(OVER) == [], width
        assert {"bid", "YES", "ask"} <= {*" ".join(host.texts(".columns > *")).split()}


@pytest.mark.parametrize("options", [{}, {"grid": True}])
def test_a_ladder_is_as_high_as_was_asked_for_and_has_fewer_rows_where_there_is_no_room(host, options):
    host.open(body="<main><div id='cell'></div><div id='other'></div></main>")
    host.show(ladder(), {"height": 340, **options})
    host.show(ladder(model="model-2"), {"height": 900, **options}, at="#other")
    cards = host.page.locator(".card").evaluate_all("(all) => all.map((n) => n.offsetHeight)")
    assert cards == [340, 900]
    shut = host.page.locator(".body").first.evaluate("(n) => n.scrollHeight - n.clientHeight")
    assert shut <= 0
    assert len(host.page.locator(".kalshi-nb").first.locator(".bids .best, .asks .best").all()) == 2
    assert "47.0¢" in " ".join(host.texts(".kalshi-nb >> nth=0 >> .bids .best"))


def test_what_has_no_room_at_all_scrolls_inside_and_can_be_reached_by_keys(host):
    host.open().show(ladder(), {"height": 60})
    body = host.page.locator(".body")
    assert body.evaluate("(n) => [n.scrollHeight > n.clientHeight, n.tabIndex, getComputedStyle(n).overflowY]") == [
        True,
        0,
        "auto",
    ]


def test_an_order_that_rests_beside_the_grid_is_shown_all_the_same(host):
    host.open().show(whole(bids=[[0.4755, 4], *BIDS], asks=ASKS[1:]), {"grid": True})
    assert "47.55¢" in prices(host)
