"""The event panel on a page: what each state says, in what order, and that nothing breaks it."""

# ruff: noqa: RUF001  # a dash stands where there is no price

import re

import pytest

from kalshi_nb._widgets.assets import bundle
from tests.browser.cards import shifts
from tests.browser.cards.event_pictures import EMPTY, EVENT, NO_ASKS, OVER, event, event_states, legs, sums
from tests.browser.cards.test_access import AXE

CHIPS = {
    "live": "● live",
    "normalised": "● live",
    "not-normalised": "● live",
    "one-sided": "● live",
    "stale-leg": "● live, 1 stale",
    "decided-leg": "● live",
    "phases": "● live",
    "not-exclusive": "● live",
    "unknown-exclusive": "● live",
    "connecting": "○ connecting",
    "stale": "▲ stale 1",
    "silent": "◌ saved picture",
    "unknown-leg": "● live",
    "closed": "■ closed, awaiting result",
    "handle-closed": "■ ended, no more updates",
    "decided": "✓ settled 52° to 53°",
    "none-won": "✓ settled",
    "hostile": "● live",
    "many": "● live",
}
CELL = "<div id='s-{}' style='width: {}px'></div>"


def show_all(host, width, names=tuple(CHIPS), **settings):
    """Put states on one page, all of them unless told, and return the text that can be seen of each."""
    host.page.set_viewport_size({"width": 1100, "height": 9000})
    head = f"<style>body {{ background: {'#111' if settings.get('theme') == 'dark' else '#fff'} }}</style>"
    host.open(head=head, body=f"<main>{''.join(CELL.format(name, width) for name in names)}</main>", is_still=True)
    found = {name: {**picture, "model": name} for name, picture in event_states().items() if name in names}
    script = """async ([text, states, settings]) => { for (const [name, picture] of Object.entries(states))
        await hosting.open(text, { picture, delta: {}, settings }, document.querySelector(`#s-${name}`)); }"""
    host.page.evaluate(script, [bundle("event").text, found, settings])
    host.settle()
    read = "(n) => n.shadowRoot.querySelector('.card').innerText.replace(/\\s+/g, ' ')"
    return {name: host.page.locator(f"#s-{name} > .kalshi-nb").evaluate(read) for name in found}


def rows(host):
    return host.texts(".legs > .leg > .words")


def test_each_state_is_told_by_a_glyph_and_words_and_each_market_by_its_own(host):
    said = show_all(host, 640)
    for name, chip in CHIPS.items():
        assert chip in said[name], name
    assert "mutually exclusive sum of mids 102.50 % sum of bids 98.5¢ sum of asks 106.5¢" in said["live"]
    assert "52° to 53° 48 % 47.0¢ 48.5¢" in said["live"]
    assert "46.6 %" in said["normalised"]
    assert "not normalised: 56° or above" in said["not-normalised"]
    assert "sum of 5 mids" in said["not-normalised"]
    assert "no asks last 9 % 8.0¢ –" in said["one-sided"]
    assert "no bids" in said["one-sided"]
    assert "no orders – – –" in said["one-sided"]
    assert re.search(r"▲52° to 53° stale \d+ s 48", said["stale-leg"])
    assert "◆48° to 49° NO · YES pays $0.00" in said["decided-leg"]
    assert all(word in said["phases"] for word in ("⊘47° or below halted", "■48° to 49° closed", "not open"))
    assert "not mutually exclusive: no sum" in said["not-exclusive"]
    assert "sum of" not in said["not-exclusive"]
    assert "not known to be mutually exclusive" in said["unknown-exclusive"]
    assert "waiting" in said["connecting"]
    assert "no such market" in said["unknown-leg"]
    assert "52° to 53° settled: YES · pays $1.00" in said["decided"]
    assert "✓ settled ¢" in said["none-won"]  # and nothing of a result that there is none of


@pytest.mark.parametrize("width", [320, *(pytest.param(each, marks=pytest.mark.matrix) for each in (480, 1040))])
def test_nothing_is_cut_off_or_scrolls_sideways_in_any_state(host, width):
    show_all(host, width)
    wide = """(all) => all.filter((n) => n.shadowRoot.firstElementChild.scrollWidth > n.clientWidth
        || [...n.shadowRoot.querySelectorAll('.prices > *, .share, .chance, .total')].some(
            (each) => each.checkVisibility() && each.scrollWidth > each.clientWidth + 1))
        .map((n) => n.parentNode.id)"""
    assert host.page.locator(".kalshi-nb").evaluate_all(wide) == []
    assert host.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_name_that_has_no_room_is_shortened_and_how_a_market_ended_is_told_whole(host):
    show_all(host, 286, ("stale", "decided", "none-won"))  # as wide as a panel of a dashboard on a phone
    names = host.page.locator("#s-stale .legs .pick")
    assert names.count() == 6
    assert min(names.evaluate_all("(all) => all.map((n) => n.offsetWidth)")) > 35
    cut = """(all) => all.map((n) => [n, n.parentNode].map((each) => each.getBoundingClientRect().right))
        .filter(([own, room]) => own > room + 0.5)"""
    said = host.page.locator("#s-decided .over .say, #s-none-won .over .say")
    assert said.count() == 7
    assert said.evaluate_all(cut) == []


def test_markets_stand_by_strike_and_on_demand_by_probability(host):
    *others, decided = event_states()["decided-leg"]["legs"]
    decided |= {"result": "yes", "settlement": 1.0, "chance": [1.0, "paid"]}  # likelier than all, and over
    host.open().show(event(legs=[*others, decided]), kind="event")
    assert rows(host)[0] == "47° or below"
    assert rows(host)[-1] == "◆48° to 49°"
    host.page.locator(".heads button").nth(1).click()
    host.settle()
    assert rows(host) == ["52° to 53°", "54° to 55°", "50° to 51°", "56° or above", "47° or below", "◆48° to 49°"]
    tops = host.page.locator(".legs > .leg").evaluate_all("(all) => all.map((n) => n.getBoundingClientRect().top)")
    assert tops == sorted(tops)
    assert host.page.locator(".heads > [aria-sort]").evaluate_all("(all) => all.map((n) => n.ariaSort)") == [
        "none", "descending",
    ]  # fmt: skip
    host.page.locator(".heads button").nth(0).focus()
    host.page.keyboard.press("Enter")
    host.settle()
    assert rows(host)[0] == "47° or below"


def test_what_python_asks_for_is_the_order_until_a_person_chooses(host):
    host.open().show(event(), {"sort": "probability"}, kind="event")
    assert rows(host)[0] == "52° to 53°"


def test_rows_do_not_move_under_the_pointer(host):
    host.open().show(event(), {"sort": "probability"}, kind="event")
    host.page.locator(".legs > .leg").nth(1).hover()
    before = rows(host)
    turned = legs(_0={"chance": [0.9, "mid"], "bid": 0.89, "ask": 0.91})
    host.send(event(seq=2, legs=turned))
    assert rows(host) == before
    assert "90" in host.texts(".legs > .leg > .chance")[-1]
    host.page.mouse.move(5, 5)
    host.settle()
    assert rows(host)[0] == "47° or below"


def test_one_picture_after_the_other_leaves_what_a_fresh_view_would_show(host):
    host.open().show(event(), kind="event")
    for seq, changes in enumerate(({"_3": NO_ASKS}, {"_3": EMPTY}, {"_3": OVER}, {}), 2):
        host.send(event(seq=seq, legs=legs(**changes), sums=sums(5)))
    host.send(event(seq=9))
    again = "(n) => n.shadowRoot.querySelector('.card .body').innerText"
    moved = host.page.locator("#cell > .kalshi-nb").evaluate(again)
    host.open().show(event(), kind="event")
    assert host.page.locator("#cell > .kalshi-nb").evaluate(again) == moved


def test_a_screen_reader_is_told_of_a_table_whose_rows_have_names(host):
    host.open().show(event_states()["one-sided"], kind="event")
    tree = host.page.locator("main").aria_snapshot()
    assert f'group "Markets of {EVENT}"' in tree
    assert 'table "Markets of the event, 6"' in tree
    assert 'rowheader "52° to 53°"' in tree
    assert 'columnheader "market' in tree
    host.focus()
    host.page.keyboard.press("r")
    said = host.texts("[role=status]")[0]
    assert said.startswith(f"{EVENT}: 6 markets: 52° to 53° 48\u202f%, 54° to 55° 28\u202f%")


def test_prices_are_in_the_unit_that_is_chosen(host):
    host.open().show(event(), kind="event")
    host.focus()
    host.page.keyboard.press("u")
    assert "47.0\u202f%" in host.texts(".legs .bid")
    host.page.keyboard.press("s")  # there is one leg only, and no key for another
    assert "47.0\u202f%" in host.texts(".legs .bid")


def test_nothing_of_the_layout_shifts_while_prices_move(host):
    host.open().show(event(), kind="event")
    began = shifts.begin(host, 0)
    for seq in range(2, 8):
        host.send(event(seq=seq, legs=legs(_3={"bid": 0.4 + seq / 100, "chance": [0.5, "mid"]}, _5=NO_ASKS)))
    assert shifts.since(host, began) == []


FEW = ("normalised", "one-sided", "decided-leg")
MATRIX = [pytest.param(tuple(CHIPS), theme, marks=pytest.mark.matrix, id=theme) for theme in ("light", "dark")]


@pytest.mark.parametrize(("names", "theme"), [pytest.param(FEW, "light", id="few"), *MATRIX])
def test_axe_finds_nothing_of_level_a_or_aa_in_any_state(host, names, theme):
    show_all(host, 480, names, theme=theme)
    host.page.evaluate(AXE.read_text(encoding="utf-8"))
    tags = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}
    found = host.page.evaluate("(options) => axe.run('main', options)", tags)
    assert [(each["id"], [node["html"] for node in each["nodes"]]) for each in found["violations"]] == []
    assert len(found["passes"]) > 10


def test_a_market_is_chosen_by_a_click_in_its_row_or_by_its_name(host):
    picture = event(1)
    host.open().show(picture, kind="event")
    tickers = [each["ticker"] for each in picture["legs"]]
    host.page.locator(".legs > .leg > .lane").nth(1).click()
    host.page.locator(".legs .pick").nth(2).focus()
    host.page.keyboard.press("Enter")
    assert [each["asked"] for each in host.sent() if "asked" in each] == [
        {"select": [tickers[1]]},
        {"select": [tickers[2]]},
    ]
