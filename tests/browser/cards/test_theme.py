"""Light or dark by what is really behind a view, whatever host it is in; and legible there, untouched by its rules."""

import re

import pytest

from kalshi_nb._widgets.assets import bundle
from tests.browser.cards.board_pictures import board
from tests.browser.cards.dashboard_pictures import dashboard, source
from tests.browser.cards.few import crossed, few
from tests.browser.cards.pictures import ladder, states

HOSTS = {
    "JupyterLab, light": ({"body_tag": "<body data-jp-theme-light='true' style='background:#111'>"}, "light"),
    "JupyterLab, dark": ({"body_tag": "<body data-jp-theme-light='false' style='background:#fff'>"}, "dark"),
    "VS Code, dark, on its white panel": (
        {"body_tag": "<body class='vscode-dark'><div style='background:#fff'>"},
        "dark",
    ),
    "VS Code, light": ({"body_tag": "<body class='vscode-light'>"}, "light"),
    "VS Code, high contrast": ({"body_tag": "<body class='vscode-high-contrast'>"}, "dark"),
    "VS Code, light high contrast": (
        {"body_tag": "<body class='vscode-high-contrast vscode-high-contrast-light'>"},
        "light",
    ),
    "Colab, dark": ({"html_tag": "<html lang='en' theme='dark'>"}, "dark"),
    "Colab, light": ({"html_tag": "<html lang='en' theme='light'>"}, "light"),
    "a dark page": ({"body_tag": "<body style='background:oklch(0.25 0.02 250)'>"}, "dark"),
    "a light box on a dark page": (
        {"body_tag": "<body style='background:#111'><div style='background:hsl(40 50% 95%)'>"},
        "light",
    ),
    "a page that paints nothing": ({}, "light"),
    "a page that can be dark, for who wants it": ({"html_tag": "<html lang='en' style='color-scheme:dark'>"}, "dark"),
}
HOSTILE = """<style>
* { color: #f0f !important; font: 40px/1 serif !important; letter-spacing: 9px !important; direction: rtl; }
div, span, table, code { background: lime; border: 9px solid red; padding: 20px; text-transform: uppercase }
div, span { opacity: .9 }
button { display: none } body { line-height: 3; text-align: right; word-spacing: 20px; visibility: visible }
.card, .row, .price, .size { position: fixed !important; }
</style>"""
CONTRAST = """(card) => {
  const rgb = (text) => text.match(/[\\d.]+/g).map(Number);
  const linear = (v) => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4;
  const light = (c) => { const l = c.map((v) => linear(v / 255));
    return .2126 * l[0] + .7152 * l[1] + .0722 * l[2]; };
  const ground = (node) => { for (let at = node; at; at = at.parentElement) {
    const c = rgb(getComputedStyle(at).backgroundColor); if (c.length < 4 || c[3] === 1) return c.slice(0, 3); } };
  const low = [];
  let seen = 0;
  const walk = document.createTreeWalker(card, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const node = walk.currentNode.parentElement;
    if (!walk.currentNode.data.trim() || !node.checkVisibility() || node.closest(".unseen")) continue;
    seen += 1;
    const [a, b] = [rgb(getComputedStyle(node).color).slice(0, 3), ground(node)].map(light).sort((x, y) => y - x);
    if ((a + .05) / (b + .05) < 4.5) low.push([walk.currentNode.data, (a + .05) / (b + .05)]);
  }
  return [seen, low];
}"""
LOOK = """(card) => [card, ...card.querySelectorAll("*")].map((n) => { const s = getComputedStyle(n);
  return [n.className, s.color, s.backgroundColor, s.fontSize, s.fontFamily, s.lineHeight, s.letterSpacing,
          s.direction, s.position, s.display, s.padding, s.borderTopWidth, s.textTransform, s.opacity,
          n.offsetWidth].join(" "); })"""


@pytest.mark.parametrize(
    "name",
    few(
        HOSTS,
        [
            "JupyterLab, dark",
            "VS Code, dark, on its white panel",
            "Colab, dark",
            "a light box on a dark page",
            "a page that paints nothing",
        ],
    ),
)
def test_the_theme_is_that_of_the_host(host, name):
    page, theme = HOSTS[name]
    host.open(**page).show(ladder())
    assert host.data("theme") == theme
    assert host.page.locator(".card").evaluate(CONTRAST)[1] == []


NOT_RUN = [name for name in HOSTS if name.startswith(("VS Code", "Colab"))]
"""Hosts that no test runs: here are their pages' attributes."""


@pytest.mark.parametrize("name", few(NOT_RUN, ["VS Code, dark, on its white panel"]))
def test_a_board_and_a_dashboard_have_it_as_well(make_host, name):
    page, theme = HOSTS[name]
    for picture, text in ((board(), bundle("board").text), (dashboard(), source())):
        host = make_host().open(**page)
        host.show(picture, text=text)
        assert host.data("theme") == theme
        seen, low = host.page.locator(".card").evaluate(CONTRAST)
        assert seen > 10
        assert low == []
        assert host.errors == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_an_option_wins_over_the_host(host, theme):
    host.open(body_tag="<body data-jp-theme-light='false'>").show(ladder(), {"theme": theme})
    assert host.data("theme") == theme


def test_the_background_is_found_through_shadow_roots(host):
    root = "<template shadowrootmode='open'>"
    inner = f"<section id='inner'>{root}<div id='cell'></div></template></section>"
    shadow = f"<main id='outer' style='background:#141414'>{root}{inner}</template></main>"
    host.open(body=shadow).show(ladder(), at="#outer >> #inner >> #cell")
    assert host.data("theme") == "dark"
    assert host.page.locator(".card").evaluate(CONTRAST)[1] == []


def test_a_host_that_changes_its_theme_takes_the_view_along(host):
    host.open(body_tag="<body data-jp-theme-light='true'>").show(ladder())
    host.page.evaluate("document.body.dataset.jpThemeLight = 'false'")
    host.settle()
    assert host.data("theme") == "dark"
    assert host.page.locator(".card").evaluate(CONTRAST)[1] == []


def test_what_the_person_prefers_decides_where_the_page_leaves_it_open(make_host):
    host = make_host(color_scheme="dark").open(html_tag="<html lang='en' style='color-scheme:light dark'>")
    host.show(ladder())
    assert host.data("theme") == "dark"
    host.page.emulate_media(color_scheme="light")
    host.settle()
    assert host.data("theme") == "light"


@pytest.mark.parametrize(
    ("state", "theme", "palette"),
    crossed(
        states(),
        ["light", "dark"],
        ["default", "classic"],
        always=[
            ("live", "light", "classic"),
            ("owned", "dark", "default"),
            ("stale", "light", "default"),
            ("last-minute", "dark", "classic"),
            ("determined", "dark", "default"),
            ("unknown", "light", "default"),
        ],
    ),
)
def test_every_text_in_every_state_has_a_contrast_of_4_5(host, state, theme, palette):
    host.open().show(states()[state], {"theme": theme, "palette": palette})
    seen, low = host.page.locator(".card").evaluate(CONTRAST)
    assert seen > 10
    assert low == []


def test_no_rule_of_the_page_reaches_into_a_view_nor_out_of_it(make_host):
    looks = []
    cell = "<div id='cell' style='width:400px!important;padding:0!important;border:0!important'></div>"
    for head in ("", HOSTILE):
        host = make_host().open(head=head, body=f"<p>words</p>{cell}")
        before = host.page.locator("body > p").evaluate(
            "(n) => JSON.stringify(getComputedStyle(n).cssText + n.offsetHeight)"
        )
        host.show(ladder(), {"theme": "light"})
        after = host.page.locator("body > p").evaluate(
            "(n) => JSON.stringify(getComputedStyle(n).cssText + n.offsetHeight)"
        )
        assert after == before
        looks.append(host.page.locator(".card").evaluate(LOOK))
    assert looks[0] == looks[1]


def test_two_versions_of_the_kit_on_a_page_leave_each_other_alone(host):
    other = re.sub(r"--k-bid:#0b5cad", "--k-bid:#123456", bundle("ladder").text)
    host.open(body="<main><div id='cell'></div><div id='other'></div></main>")
    host.show(ladder())
    host.show(ladder(model="model-2"), at="#other", text=other)
    host.send(ladder(seq=2))
    host.send(ladder(seq=3, model="model-2"), model=1)
    colours = host.page.locator(".bids .price").evaluate_all(
        "(all) => [...new Set(all.map((n) => getComputedStyle(n).color))]"
    )
    assert {"rgb(11, 92, 173)", "rgb(18, 52, 86)"} <= {*colours}
    assert [host.data("seq", at) for at in (0, 1)] == ["2", "3"]
