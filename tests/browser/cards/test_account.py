"""What a view of an account says of each state, what it never says, and that it fits where it stands."""

# ruff: noqa: RUF001  # texts stand as they are shown

import time

import pytest

from tests.browser.cards.account_pictures import HOSTILE, account, account_states, deal, sections
from tests.browser.cards.test_access import AXE

CHIPS = {
    "live": "● live",
    "fills-only": "● live",
    "connecting": "○ connecting",
    "empty": "● live",
    "stale": "▲ stale 1",
    "silent": "◌ saved picture",
    "closed": "■ ended",
    "paused": "❚❚ paused",
    "masked": "● live",
    "saved-masked": "◌ saved picture",
    "hidden": "● live",
    "full": "● live",
    "hostile": "● live",
    "as-long-as-it-gets": "● live",
    "large": "● live",
}
GREY = {"stale", "silent", "saved-masked", "closed"}
NUMBERS = ".size, .average, .mark, .gain, .won, .fees, .price, .left, .side, .role, .when"
PARTS = {
    "chip": ".chip",
    "name": ".name",
    "missing": ".missing",
    "rows": ".rows .row",
    "note": ".note",
    "market": ".market",
    "amounts": ".size, .average, .gain, .won, .fees, .left",
    "images": "img",
}
LOOK = """(parts) => Object.fromEntries([...document.querySelectorAll(".kalshi-nb")].map((view) => {
    const root = view.shadowRoot;
    const seen = (part) => [...root.querySelectorAll(part)].filter((n) => n.checkVisibility());
    const texts = (part) => seen(part).map((n) => n.innerText.trim());
    const found = Object.fromEntries(Object.entries(parts).map(([name, part]) => [name, texts(part)]));
    const grey = getComputedStyle(root.querySelector(".body")).filter !== "none";
    return [view.parentNode.id.slice(2), { ...found, grey }];
}))"""
"""What all views of a page show, looked at in one moment: what nobody speaks to for six seconds is silent."""


def all_states(make_host, width):
    """Put every state on one page, below each other."""
    host = make_host(viewport={"width": width, "height": 900})
    states = account_states()
    cells = "".join(f"<div id='s-{name}'></div>" for name in states)
    host.open(body=f"<main>{cells}</main>", is_still=True)
    for name, picture in states.items():
        host.show({**picture, "model": name}, at=f"#s-{name}", kind="account")
    return host


def of(host, state, selector):
    return host.texts(f"#s-{state} {selector}")


def hear_again(host):
    """Have all of them hear once more, but for those that nobody speaks to: what is silent for long says so."""
    again = [{**picture, "model": name, "seq": 2, "sent": time.time()} for name, picture in account_states().items()]
    script = """(all) => all.forEach((each, i) => {
        if (!["silent", "saved-masked"].includes(each.model)) hosting.models[i].arrive("picture", each);
    })"""
    host.page.evaluate(script, again)
    host.settle()


def row(host, selector, index=0):
    return " ".join(host.page.locator(selector).nth(index).inner_text().split())


def test_every_state_is_told_by_a_glyph_and_words_and_no_row_is_shown_that_is_masked(make_host):
    host = all_states(make_host, 1040)
    hear_again(host)
    seen = host.page.evaluate(LOOK, PARTS)
    assert set(seen) == set(CHIPS)
    for state, chip in CHIPS.items():
        assert seen[state]["chip"][0].startswith(chip)
        assert seen[state]["grey"] == (state in GREY)
    assert seen["fills-only"]["name"] == ["fills 130, 126 not shown"]
    assert seen["live"]["name"] == ["positions 4", "orders 7, 3 not shown", "fills 130, 126 not shown"]
    missing = {
        "empty": "none heard of yet",
        "connecting": "waiting for the first",
        "masked": "not shown until this page has answered",
        "saved-masked": "left out of what a notebook stores",
    }
    for state, words in missing.items():
        assert seen[state]["missing"] == [words] * 3
        assert seen[state]["rows"] == []
    assert not [each for each in seen["hidden"]["amounts"] if any(sign.isdigit() for sign in each)]
    assert seen["hidden"]["note"] == ["amounts are masked"]
    assert seen["hostile"]["images"] == []
    assert not [each for each in seen["hostile"]["market"] if "\u202e" in each or "\u2066" in each]
    assert "run" not in host.page.title()
    assert host.errors == []


def test_a_row_says_what_it_means_without_its_colour(host):
    host.open(is_still=True).show(account(), kind="account")
    host.page.set_viewport_size({"width": 1040, "height": 900})
    host.settle()
    assert row(host, ".positions .rows .row", 0) == (
        "Bitcoin price up in the next 15 minutes? 397.74 NO 56.4¢ 46.0¢ last \u2212$41.52 ▼ +$27.26 ▲ $1.93"
    )
    assert row(host, ".positions .rows .row", 1).endswith("152.56 YES 24.0¢ 28.0¢ bid +$6.10 ▲ +$3.20 ▲ $2.08")
    assert row(host, ".positions .rows .row", 2).endswith("25.00 YES 79.5¢ – – \u2212$4.06 ▼ $2.56")
    assert row(host, ".positions .rows .row", 3) == "KXSENATEOH-28-D flat – – – $0.00 $0.02"
    assert row(host, ".total .row") == "total, 2 of 3 marked \u2212$35.42 ▼ +$26.40 ▲ $6.59"
    assert row(host, ".orders .rows .row", 0).endswith("YES 29.0¢ 9.00 of 25.00 resting 17 s")
    assert row(host, ".orders .rows .row", 2).endswith("NO 78.0¢ ? 225.00 of 300.00 resting 1 d")
    assert " canceled" in row(host, ".orders .rows .row", 3)
    assert row(host, ".fills .rows .row", 1).endswith("YES 28.0¢ 1,250.00 taker $1.76")
    assert row(host, ".fills .rows .row", 0).endswith("NO 46.0¢ 56.00 maker $0.00")
    shares = host.page.locator(".lane .bar").evaluate_all(
        "(all) => all.map((n) => n.getBoundingClientRect().width / n.parentNode.getBoundingClientRect().width)"
    )
    assert shares == pytest.approx([9 / 25, 1, 0.75, 0], abs=0.02)
    assert "over" in host.page.locator(".orders .rows .row").nth(3).get_attribute("class")


def test_what_comes_is_shown_on_top_and_nothing_moves_but_the_rows(host):
    host.open().show(account(), kind="account")
    before = host.page.locator(".part").evaluate_all("(all) => all.map((n) => n.getBoundingClientRect().top)")
    later = sections(time.time())
    later["fills"]["rows"].insert(0, deal("KXSENATEOH-28-D", "yes", 0.5, 7, True, 0.1, time.time()))
    later["fills"]["rows"].pop()
    later["orders"]["rows"] = []
    host.send(account(seq=2, sections=later))
    assert row(host, ".fills .rows .row", 0).startswith("KXSENATEOH-28-D")
    assert host.texts(".orders .missing") == ["none heard of yet"]
    assert host.page.locator(".part").evaluate_all(
        "(all) => all.map((n) => n.getBoundingClientRect().top)"
    ) == pytest.approx(before)


def test_a_masked_view_fills_as_soon_as_it_may(host):
    empty = {name: {"rows": [], "more": 0} for name in ("positions", "orders", "fills")}
    host.open().show(account(masked=True, sections=empty, total=None), kind="account")
    host.page.wait_for_function("() => hosting.models[0].sent.some((each) => 'model-1' in (each.ack ?? {}))")
    host.send(account(seq=2))
    assert host.texts(".missing") == []
    assert len(host.texts(".rows .row")) == 12


def test_the_unit_of_prices_is_a_persons_choice_and_what_is_read_aloud_has_no_table(host):
    host.open().show(account(), kind="account")
    host.focus()
    host.page.keyboard.press("u")
    host.settle()
    assert "46.0 % last" in row(host, ".positions .rows .row", 0)
    host.page.keyboard.press("r")
    said = host.page.locator("[role=status]").text_content()
    assert "4 positions, 7 orders, 130 fills, unrealized minus $35.42, live" in said


@pytest.mark.parametrize("width", [320, 640, pytest.param(1040, marks=pytest.mark.matrix)])
def test_nothing_scrolls_sideways_and_no_number_is_cut_off(make_host, width):
    host = all_states(make_host, width)
    assert host.page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    cut = host.page.locator(NUMBERS).evaluate_all(
        "(all) => all.filter((n) => n.checkVisibility() && n.clientWidth > 0 && n.scrollWidth > n.clientWidth + 1"
        " && !n.getRootNode().host.closest('#s-hostile')).map((n) => n.className + ': ' + n.innerText)"
    )
    assert sorted(set(cut)) == []
    assert HOSTILE[:4] in of(host, "hostile", ".positions .question")[0]


@pytest.mark.parametrize(
    ("theme", "states"),
    [
        ("light", ("live", "masked")),
        pytest.param("dark", ("live", "stale", "masked", "hidden", "full"), marks=pytest.mark.matrix),
        pytest.param("light", ("stale", "empty", "hidden", "full"), marks=pytest.mark.matrix),
    ],
)
def test_axe_finds_nothing_of_level_a_or_aa(host, theme, states):
    states = {name: account_states()[name] for name in states}
    cells = "".join(f"<div id='s-{name}'></div>" for name in states)
    head = f"<style>body {{ background: {'#111' if theme == 'dark' else '#fff'} }}</style>"
    host.open(head=head, body=f"<main>{cells}</main>")
    for name, picture in states.items():
        host.show({**picture, "model": name}, {"theme": theme}, at=f"#s-{name}", kind="account")
    host.page.evaluate(AXE.read_text(encoding="utf-8"))
    tags = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}
    found = host.page.evaluate("(options) => axe.run('main', options)", tags)
    assert [(each["id"], [node["html"][:200] for node in each["nodes"]]) for each in found["violations"]] == []
    assert len(found["passes"]) > 10
