"""A board in the browser: a table of thousands of rows of which few are nodes, sorted, filtered and walked here."""

import time

import pytest

from kalshi_nb._widgets.assets import bundle
from tests.browser.cards.board_pictures import board, delta, states, table, table_states

ROWS = ".g-space > .g-row"


def show(host, picture, settings=None, **given):
    host.page.set_viewport_size({"width": 1240, "height": 760})  # wide enough for all columns
    return host.open().show(picture, settings, kind=picture["kind"], **given)


def column(host, name):
    """Return what the rows in sight say in a column, top to bottom as they stand."""
    return host.page.locator(f"{ROWS} > .g-{name}").evaluate_all("(all) => all.map((n) => n.textContent)")


def tickers(host):
    return host.page.locator(f"{ROWS} .b-ticker").evaluate_all("(all) => all.map((n) => n.textContent)")


def words(host, selector):
    return " ".join(host.texts(selector))


def asked(host, model=0):
    return [each["asked"] for each in host.sent(model) if "asked" in each]


def head(host, name):
    return host.page.locator(f".g-heads .g-{name} button")


def test_every_state_is_told_on_one_page(host):
    """All of them at once, so that none needs a page of its own."""
    every = {**states(), **table_states()}
    host.open(body="".join(f"<div id='s-{name}'></div>" for name in every), is_still=True)
    for name, picture in every.items():
        host.page.evaluate(
            """async ([text, state, at]) => hosting.open(text, state, document.querySelector(at))""",
            [
                bundle(picture["kind"]).text,
                {"picture": {**picture, "model": name}, "delta": {}, "settings": {}},
                f"#s-{name}",
            ],
        )
    for name in every:  # a view paints when it is in sight
        host.page.locator(f"#s-{name}").scroll_into_view_if_needed()
        host.page.wait_for_function(
            "(at) => document.querySelector(at + ' .kalshi-nb').dataset.paints > 0", arg=f"#s-{name}"
        )
    said = {name: words(host, f"#s-{name} .chip") for name in every}
    for prefix in ("", "t-"):
        assert said[f"{prefix}connecting"] == "○ connecting"
        assert said[f"{prefix}stale"].startswith("▲ stale")
        assert said[f"{prefix}silent"] == "◌ saved picture"
        assert said[f"{prefix}ended"] == "■ ended, no more updates"
        assert said[f"{prefix}live"] == "● live"
        grey = {
            each
            for each in ("live", "stale", "silent", "ended")
            if host.page.locator(f"#s-{prefix}{each} .body").evaluate("(n) => getComputedStyle(n).filter") != "none"
        }
        assert grey == {"stale", "silent", "ended"}
    assert words(host, "#s-connecting .g-none") == "waiting for the first ticker"
    assert words(host, "#s-empty .g-none") == "no market"
    assert words(host, "#s-t-empty .g-none") == "no rows"
    assert words(host, "#s-live .note") == "60 of 48,213 open markets, by volume"
    assert words(host, "#s-t-live .note") == "newest 50 of 1,412 rows, newest first"
    assert host.page.title() == "host"  # no text of a picture was run
    assert host.page.locator("main img, .card img").count() == 0
    shown = host.page.locator("#s-hostile .card").inner_text() + host.page.locator("#s-t-hostile .card").inner_text()
    assert not {"\u202e", "\u2066"} & {*shown}
    assert host.page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def test_nobody_is_told_an_age_that_nobody_knows(host):
    show(host, board(status="stale", age=None))
    assert words(host, ".chip") == "▲ stale"
    host.send(board(2, status="stale", age=12))
    assert words(host, ".chip").startswith("▲ stale 1")


def test_a_row_says_what_its_market_is_at(host):
    show(host, states()["states"])
    closes = column(host, "closes")
    assert closes[1:6] == ["⊘ halted", "■ closed", "◆ decided", "✓ settled", "▲ stale"]
    assert closes[0].startswith("3 h 12 min")
    assert closes[7] == "\u2013"
    assert column(host, "ask")[6:8] == ["\u2013", "\u2013"]
    assert column(host, "prob")[6] == "last 39\u202f%"  # a lone bid has no middle
    assert column(host, "prob")[7] == "\u2013"
    denied = host.page.locator(f"{ROWS} > .g-prob").nth(
        8
    )  # a wide book has none, and asks for less than was paid last
    assert (denied.inner_text(), denied.get_attribute("title")) == ("\u2013", "no price supports one")
    assert column(host, "prob")[3:5] == ["\u2013"] * 2  # there is no chance of what is decided
    assert column(host, "spread")[10] == "0.50"
    assert column(host, "bid")[10] == "97.25"
    assert column(host, "open_interest")[10] == "1.2M"
    old = host.page.locator(ROWS).evaluate_all("(all) => all.map((n) => n.classList.contains('b-old'))")
    assert old[:12] == [False, True, True, True, True, True, False, False, False, False, False, False]


@pytest.mark.matrix
def test_only_the_rows_in_sight_are_nodes_and_scrolling_shows_all_others(host):
    show(host, board(count=2000), {"sort": "-volume"})
    assert host.page.locator(ROWS).count() < 30
    assert host.page.locator(".g-grid").evaluate("(n) => n.scrollHeight") > 2000 * 28
    seen = host.page.locator(".g-grid").evaluate(
        """async (box) => {
            const seen = new Set();
            const rows = () => [...box.querySelectorAll(".g-space > .g-row")];
            for (let at = 0; at < 2000; at += 10) {
                box.scrollTop = 28 * at;
                const isThere = (place) => rows().some((row) => row.ariaRowIndex === `${place + 2}`);
                while (!isThere(at) || !isThere(Math.min(1999, at + 12))) await new Promise(requestAnimationFrame);
                for (const row of rows()) seen.add(row.querySelector(".b-ticker").textContent);
            }
            return [...seen];
        }"""
    )
    assert set(seen) == set(board(count=2000)["tickers"])
    assert host.page.locator(ROWS).count() < 30


def test_a_screen_reader_is_told_a_grid_with_places_and_orders(host):
    show(host, board(count=2000))
    box = host.page.locator(".g-grid")
    assert (box.get_attribute("role"), box.get_attribute("aria-rowcount")) == ("grid", "2001")
    assert host.page.locator(".g-heads .g-volume").get_attribute("aria-sort") == "descending"
    assert host.page.locator(".g-heads [aria-sort$='ending']").count() == 1
    places = host.page.locator(ROWS).evaluate_all("(all) => all.map((n) => n.getAttribute('aria-rowindex'))")
    assert places[:3] == ["2", "3", "4"]
    box.evaluate("(n) => { n.scrollTop = 28 * 1000 + 5; }")
    host.settle(1)
    places = [int(each) for each in host.page.locator(ROWS).evaluate_all("(all) => all.map((n) => n.ariaRowIndex)")]
    assert places == list(range(places[0], places[0] + len(places)))  # read in the order in which they stand
    tops = host.page.locator(ROWS).evaluate_all("(all) => all.map((n) => n.getBoundingClientRect().top)")
    assert tops == sorted(tops)
    assert places[0] <= 1002 <= places[-1]


def test_columns_sort_here_and_ask_the_kernel_only_for_what_it_has_beyond(host):
    show(host, board(count=30))
    by_volume = tickers(host)
    head(host, "bid").click()
    host.settle(1)
    bids = [float(each) for each in column(host, "bid")]
    assert bids == sorted(bids, reverse=True)
    assert host.page.locator(".g-heads .g-bid").get_attribute("aria-sort") == "descending"
    head(host, "bid").click()
    host.settle(1)
    assert [float(each) for each in column(host, "bid")][:5] == sorted(float(each) for each in column(host, "bid"))[:5]
    head(host, "volume").click()
    host.settle(1)
    assert tickers(host) == by_volume
    assert asked(host) == []


def test_a_sort_beyond_the_rows_says_so_until_the_kernel_has_answered(host):
    before = board(count=30, total=48213)
    show(host, before)
    head(host, "bid").click()
    host.settle(1)
    assert asked(host) == [{"sort": "-bid", "filter": "", "mine": False}]
    assert words(host, ".g-bar > span") == "re-sorting…"
    bids = [float(each) for each in column(host, "bid")]
    assert bids == sorted(bids, reverse=True)  # those that are here meanwhile
    host.send(board(seq=2, count=30, total=48213, sort="-bid", order=2))
    assert words(host, ".g-bar > span") == "by bid ▼"
    host.page.locator(".b-filter").fill("LAX")
    host.page.wait_for_function("() => hosting.models[0].sent.filter((each) => each.asked).length > 1")
    assert asked(host)[1:] == [{"sort": "-bid", "filter": "LAX", "mine": False}]
    assert all("LAX" in each for each in tickers(host))


@pytest.mark.matrix
def test_a_filter_leaves_rows_with_all_of_its_words_and_keys_typed_into_it_are_its_own(host):
    show(host, board(count=40))
    host.page.locator(".b-filter").click()
    host.page.keyboard.type("mia temp p?")
    host.settle(1)
    assert host.data("status") == "live"  # a p within it pauses nothing
    assert tickers(host) == []
    host.page.locator(".b-filter").fill("mia HIGHEST")
    host.settle(1)
    assert {each.split("-")[0] for each in tickers(host)} == {"KXHIGHMIA"}


def test_only_what_changed_is_written_and_a_change_of_the_last_price_has_an_arrow(host):
    before = board(count=40)
    show(host, before)
    host.page.evaluate(
        """() => { window.written = []; const root = document.querySelector('.kalshi-nb').shadowRoot;
        new MutationObserver((all) => written.push(...all.map((m) => m.target.className)))
            .observe(root.querySelector('.g-space'), { subtree: true, childList: true }); }"""
    )
    host.send(delta(2, before, {1: {"last": 0.99, "bid": 0.97}}), name="delta")
    assert column(host, "last")[1] == "▲99.0"
    assert column(host, "bid")[1] == "97.0"
    written = set(host.page.evaluate("written"))
    assert {"g-cell g-last", "g-cell g-bid"} <= written
    assert written <= {"g-cell g-last", "g-cell g-bid", "g-cell g-prob", "g-cell g-spread", "g-cell g-change"}
    host.send(delta(3, before, {1: {"last": 0.5, "bid": 0.97}}), name="delta")
    assert column(host, "last")[1] == "▼50.0"


@pytest.mark.matrix
def test_a_delta_that_is_lost_or_of_other_rows_writes_nothing(host):
    before = board(count=40)
    show(host, before)
    bids = column(host, "bid")
    host.send(delta(2, before, {0: {"bid": 0.11}}, order=2), name="delta")
    assert column(host, "bid") == bids
    assert asked(host) == []
    host.send(delta(4, before, {0: {"bid": 0.12}}), name="delta")
    assert column(host, "bid") == bids
    assert asked(host) == [{"whole": True}]
    host.send(board(seq=5, rows={0: {"bid": 0.13}}))
    assert column(host, "bid")[0] == "13.0"


def test_only_ones_own_markets_are_shown_where_they_are_known_and_asked_for(host):
    before = board(count=6)
    show(host, before)
    button = host.page.locator(".b-mine")
    assert not button.is_visible()
    mine = [before["tickers"][i] for i in (4, 1)]
    host.send(delta(2, before, {}) | {"mine": mine}, name="delta")
    button.click()
    assert sorted(tickers(host)) == sorted(mine)
    assert button.get_attribute("aria-pressed") == "true"
    assert asked(host) == []  # all of them are here
    host.send(delta(3, before, {}) | {"mine": mine[:1]}, name="delta")
    assert tickers(host) == mine[:1]
    button.click()
    assert len(tickers(host)) == 6


def test_where_the_kernel_has_more_markets_it_is_asked_for_ones_own(host):
    before = board(count=6, total=48_213, mine=["KX-NOT-HERE"])
    show(host, before)
    host.page.locator(".b-mine").click()
    assert tickers(host) == []
    assert asked(host) == [{"sort": "-volume", "filter": "", "mine": True}]
    assert words(host, ".g-bar") == "my markets\nre-sorting…"
    host.send(board(seq=2, count=1, total=48_213, mine=[before["tickers"][0]], is_mine=True, order=2))
    assert tickers(host) == before["tickers"][:1]
    assert "re-sorting" not in words(host, ".g-bar")


def test_rows_stay_under_the_pointer_until_it_leaves_or_a_person_lets_them_go(host):
    before = board(count=40)
    show(host, before)
    first = tickers(host)
    row = host.page.locator(ROWS).nth(3)
    row.hover()
    host.send(delta(2, before, {3: {"volume": 1e6}, 9: {"volume": 2e6}}), name="delta")
    assert tickers(host) == first
    assert words(host, ".b-chip") == "10 moved, resume order"
    host.page.locator(".b-chip").click()
    host.settle(1)
    assert tickers(host)[:3] == [first[9], first[3], first[0]]
    assert host.texts(".b-chip") == []
    host.page.locator(ROWS).nth(5).hover()
    host.send(delta(3, before, {20: {"volume": 3e6}}), name="delta")
    assert host.texts(".b-chip")
    host.page.mouse.move(2, 2)
    host.settle(1)
    assert tickers(host)[0] == before["tickers"][20]


@pytest.mark.matrix
def test_rows_stay_where_they_are_when_the_kernel_chooses_others_under_the_pointer(host):
    before = board(count=40)
    show(host, before)
    first = tickers(host)
    host.page.locator(ROWS).nth(2).hover()
    again = board(seq=2, count=41, order=2)
    for name in ("tickers", "titles", "subtitles"):
        again[name] = again[name][::-1]
    again["columns"] = {name: each[::-1] for name, each in again["columns"].items()}
    host.send(again)
    assert tickers(host)[:8] == first[:8]
    assert column(host, "volume")[0] == "12.4k"


def test_arrows_pages_and_ends_walk_the_rows_and_enter_chooses(host):
    picture = board(count=200)
    show(host, picture)
    order = picture["tickers"]
    host.page.locator(".g-grid").focus()

    def at():
        found = host.page.locator(".g-at .b-ticker")
        return found.inner_text() if found.count() else None

    for key, place in [("ArrowDown", 0), ("ArrowDown", 1), ("ArrowUp", 0), ("End", 199), ("Home", 0)]:
        host.page.keyboard.press(key)
        assert at() == order[place]
    host.page.keyboard.press("PageDown")
    place = order.index(at())
    assert 8 <= place <= 16
    named = host.page.locator(".g-grid").get_attribute("aria-activedescendant")
    assert host.page.locator(".g-at").get_attribute("id") == named
    host.page.keyboard.press("Enter")
    assert asked(host) == [{"select": [order[place]]}]
    assert host.page.locator(".g-at").get_attribute("aria-selected") == "true"
    host.page.keyboard.press("p")
    host.settle(1)
    assert host.data("status") == "paused"


@pytest.mark.matrix
def test_a_click_chooses_one_and_more_with_ctrl(host):
    picture = board(count=20)
    show(host, picture)
    rows = host.page.locator(ROWS)
    rows.nth(1).click()
    rows.nth(3).click(modifiers=["Control"])
    assert asked(host)[-1] == {"select": [picture["tickers"][1], picture["tickers"][3]]}
    rows.nth(0).click()
    assert asked(host)[-1] == {"select": [picture["tickers"][0]]}
    assert host.page.locator("[aria-selected='true']").count() == 1


def test_a_paused_board_stands_still_though_deltas_come(host):
    before = board(count=20)
    show(host, before)
    host.focus()
    host.page.keyboard.press("p")
    bids = column(host, "bid")
    host.send(delta(2, before, {0: {"bid": 0.11}}), name="delta")
    head(host, "market").click()
    head(host, "volume").click()
    host.settle(2)
    assert column(host, "bid") == bids
    host.focus()
    host.page.keyboard.press("p")
    host.settle(1)
    assert column(host, "bid")[0] == "11.0"


@pytest.mark.matrix
def test_an_hour_that_is_not_over_says_how_long_it_is(host):
    show(host, board(known=7))
    assert words(host, ".g-heads .g-change") == "Δ7m"
    assert words(host, ".g-heads .g-trend") == "7 min"
    assert host.page.locator(f"{ROWS} > .g-change").first.get_attribute("title") == "since 7 min ago"
    host.send(board(seq=2))
    assert words(host, ".g-heads .g-change") == "Δ1h"
    drawn = host.page.locator(f"{ROWS} path").first.get_attribute("d")
    assert drawn.startswith("M0 ")
    assert drawn.count("L") == 59


@pytest.mark.parametrize("width", [320, *(pytest.param(each, marks=pytest.mark.matrix) for each in (440, 640, 1040))])
def test_columns_go_before_anything_is_cut_off(make_host, width):
    host = make_host(viewport={"width": width, "height": 800}).open()
    host.show(states()["states"], kind="board")
    assert host.page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    cut = host.page.locator(f"{ROWS} > .g-cell, .g-heads .g-cell").evaluate_all(
        "(all) => all.filter((n) => n.checkVisibility() && !n.classList.contains('g-market')"
        " && n.scrollWidth > n.clientWidth + 1).map((n) => n.innerText)"
    )
    assert cut == []
    shown = set(
        host.page.locator(".g-heads .g-cell").evaluate_all(
            "(all) => all.filter((n) => n.checkVisibility()).map((n) => n.className)"
        )
    )
    assert {"g-cell g-prob", "g-cell g-bid", "g-cell g-ask", "g-cell g-closes"} <= shown
    assert host.page.locator(".g-bar > span").evaluate("(n) => n.scrollWidth - n.clientWidth") <= 1
    assert ("g-cell g-open_interest" in shown) == (width >= 1040)


@pytest.mark.matrix
def test_a_table_has_its_newest_row_on_top_and_moves_only_when_nobody_looks(host):
    show(host, table())
    cells = host.page.locator(f"{ROWS} > .g-c9")
    assert cells.first.inner_text() == "1411"
    cells.nth(2).hover()
    host.send(table(seq=2, total=1420))
    assert cells.first.inner_text() == "1411"
    assert words(host, ".note") == "newest 50 of 1,420 rows, newest first, 8 new while you look"
    host.page.mouse.move(2, 2)
    host.settle(1)
    assert cells.first.inner_text() == "1419"
    host.page.set_viewport_size({"width": 640, "height": 760})
    wide, seen = host.page.locator(".g-grid").evaluate("(n) => [n.scrollWidth, n.clientWidth]")
    assert wide > seen  # further columns are there, in a scroller of their own
    assert host.page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


@pytest.mark.matrix
def test_a_board_of_thousands_of_rows_is_painted_within_a_frame_or_two(host):
    """What is counted is work, not time: nodes made and rows written do not grow with the rows that there are."""
    show(host, board(count=2000))
    few = host.page.evaluate("document.querySelector('.kalshi-nb').shadowRoot.querySelectorAll('*').length")
    host.send(board(seq=2, count=20, order=2))
    many = host.page.evaluate("document.querySelector('.kalshi-nb').shadowRoot.querySelectorAll('*').length")
    assert few < 1.3 * many


@pytest.mark.matrix
def test_a_countdown_runs_and_a_market_closes_though_nothing_comes(host):
    now = time.time()
    show(host, board(count=3, rows={0: {"closes": now + 4}}))
    host.page.wait_for_function(
        "() => document.querySelector('.kalshi-nb').shadowRoot"
        ".querySelector('.g-space .g-closes').textContent.includes('closed')"
    )
