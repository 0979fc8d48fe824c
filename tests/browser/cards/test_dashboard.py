"""A dashboard on a page: where its panels stand, and that each is a view as it would be alone."""

import base64
import itertools
import time

import pytest

import kalshi_nb as kn
from kalshi_nb._widgets.assets import bundle
from kalshi_nb._widgets.dashboard.panels import PANELS
from tests.browser.cards import shifts
from tests.browser.cards.dashboard_pictures import dashboard, delta, panel, source
from tests.browser.cards.event_pictures import event
from tests.browser.cards.pictures import ASKS, BIDS, TICKER, ladder
from tests.browser.cards.test_access import axe  # noqa: F401  # a fixture


@pytest.fixture
def board(make_host):
    """A dashboard of a ladder and of what counts, on a page that is wide enough for everything."""
    made = make_host(viewport={"width": 1200, "height": 1000})
    made.open().show(dashboard(), text=source())
    yield made
    assert made.errors == []


def paints(host):
    return host.page.evaluate("window.paints")


def counted(host):
    return host.texts(".of-counting p:not(.d-failed)")[0]


def test_a_panel_is_painted_when_it_changed_and_no_other(board):
    before = len(paints(board))
    board.send(delta(2, {"ladder": {**ladder_body(bids=[[0.46, 7]]), "of": 1}}, bids=[[0.46, 7]]), name="delta")
    assert board.texts(".of-ladder .bids .best .size") == ["7"]
    assert len(paints(board)) == before
    board.send(delta(3, {"counting": {"delta": {"status": "live", "points": [3, 4]}}}), name="delta")
    assert counted(board) == "counted 5, yes"
    assert len(paints(board)) == before + 1
    assert board.texts(".of-ladder .bids .best .size") == ["7"]


def ladder_body(**given):
    whole = ladder(**given)
    names = ("decimals", "ticks", "bids", "asks", "last", "orders", "fills", "changed", "age", "note")
    return {"kind": "ladder", "status": "live", "market": True} | {name: whole[name] for name in names}


def test_after_a_lost_message_what_is_whole_stands_and_what_only_adds_waits_for_the_whole(board):
    board.send(delta(4, {}), name="delta")
    assert [each["asked"] for each in board.sent() if "asked" in each] == [{"whole": True}]
    assert board.texts(".d-chip") == ["", "▲ a message was lost, asking for all"][-1:]
    changed = {"ladder": {**ladder_body(bids=[[0.46, 7]]), "of": 1}}
    board.send(delta(5, changed | {"counting": {"delta": {"points": [10]}}}), name="delta")
    assert counted(board) == "counted 3, yes"
    assert board.texts(".of-ladder .bids .best .size") == ["7"]
    board.send(
        dashboard(6, panels={**dashboard()["panels"], "counting": panel("counting", "Counting", points=[*range(9)])})
    )
    assert counted(board) == "counted 9, yes"


def test_a_panel_that_throws_says_so_and_the_others_go_on(make_host):
    host = make_host().open()
    panels = dashboard()["panels"]
    panels["counting"]["fails"] = True
    host.show(dashboard(panels=panels), text=source())
    assert host.texts(".d-failed") == ["this panel failed"]
    host.send(delta(2, {"ladder": {**ladder_body(bids=[[0.46, 7]]), "of": 1}}), name="delta")
    assert host.texts(".of-ladder .bids .best .size") == ["7"]
    (error,) = [each for each in host.errors if "of a test" in each]
    assert "kalshi_nb/dashboard.js:" in error  # where it happened, in a console that knows no file
    host.send(dashboard(3, panels={**panels, "counting": panel("counting", "Counting", of=2, points=[0])}))
    assert counted(host) == "counted 1, yes"
    assert host.texts(".d-failed") == []


def test_a_panel_that_failed_in_the_kernel_says_why_until_it_works(board):
    failed = {"kind": "counting", "of": 1, "status": "error", "note": "this panel failed: KeyError"}
    board.send(delta(2, {"counting": failed}), name="delta")
    assert board.texts(".d-failed") == ["this panel failed: KeyError"]
    board.send(delta(3, {"counting": {"kind": "counting", "of": 1, "status": "live", "points": [0]}}), name="delta")
    assert counted(board) == "counted 1, yes"
    assert board.texts(".d-failed") == []


def test_a_folded_panel_is_not_painted_and_stays_folded_on_this_page(board):
    fold = board.page.locator(".of-counting .d-fold")
    fold.click()
    assert board.page.locator(".of-counting .d-inside").is_hidden()
    assert fold.get_attribute("aria-expanded") == "false"
    before = len(paints(board))
    board.send(delta(2, {"counting": {"delta": {"status": "live", "points": [3]}}}), name="delta")
    assert len(paints(board)) == before
    fold.click()
    assert counted(board) == "counted 4, yes"
    fold.click()
    board.page.evaluate("hosting.ends[0]()")
    board.show(dashboard(model="model-2"), text=source())
    assert board.page.locator(".of-counting .d-inside").is_hidden()


def test_leg_and_unit_reach_every_panel(board):
    board.page.locator("button", has_text="NO").first.click()
    board.page.locator("button", has_text="%").click()
    assert paints(board)[-1][:2] == ["no", "probability"]
    assert counted(board) == "counted 3, no"
    assert board.texts(".of-ladder .columns .price") == ["NO price"]
    assert board.texts(".d-chance > *") == ["Chance of NO", "52\u202f%", "between bid and ask"]


def test_another_market_makes_its_panels_anew_and_leaves_the_others(board):
    panels = dashboard()["panels"]
    board.page.evaluate(
        "document.querySelector('.kalshi-nb').shadowRoot.querySelector('.of-counting p').dataset.mine = 1"
    )
    panels["ladder"]["of"] = 5
    board.send(dashboard(2, panels=panels, market={"ticker": "KX-OTHER", "title": "Another?"}))
    assert board.texts(".title span")[0] == "Another?"
    assert board.page.locator(".of-counting p[data-mine]").count() == 1
    assert board.page.locator(".of-ladder .table").count() == 1


FULL = [[0.47, 310], [0.465, 42_210], [0.455, 1_250.5], [0.45, 980_000], [0.44, 77_777.25], [0.43, 123_456.5]]
"""Levels that fill the columns of running totals."""


def test_running_totals_stand_apart_and_below_their_names_in_a_dashboards_ladder(make_host):
    asks = [[round(1.01 - price, 4), size] for price, size in FULL]
    for width in (1200, 1060, 800):  # 404, 352 and 350 pixels of a ladder
        host = make_host(viewport={"width": width, "height": 1000}).open()
        picture = dashboard(bids=FULL, asks=asks)
        picture["panels"]["ladder"]["settings"] = {"levels": 12, "total": True}
        names = ("chart", "depth", "tape")
        picture["panels"] |= {name: panel("counting", name, points=[0]) for name in names}
        host.show(picture, text=source())
        lines = host.page.locator(".of-ladder .row, .of-ladder .columns").evaluate_all(TEXTS_IN_LINE)
        ordered = [sorted(line, key=lambda each: each[1]) for line in lines]
        gaps = [after[1] - before[2] for line in ordered for before, after in itertools.pairwise(line)]
        assert len(gaps) > 24
        assert min(gaps) >= 3, (width, [line for line in lines if line])
        ends = [{name: right for name, _, right in line} for line in lines]
        (head,) = [each for each in ends if "bid" in each]
        assert head["total"] == pytest.approx(next(each["1.2M"] for each in ends if "1.2M" in each), abs=1)


TEXTS_IN_LINE = """(lines) => lines.map((line) => {
  const found = [];
  const walk = document.createTreeWalker(line, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const range = document.createRange();
    range.selectNodeContents(walk.currentNode);
    const { left, right, width } = range.getBoundingClientRect();
    const isSeen = width && walk.currentNode.parentElement.checkVisibility();
    if (isSeen) found.push([walk.currentNode.data.trim(), left, right]);
  }
  return found;
})"""
"""Each line's visible texts, with where they begin and end."""


def test_the_row_of_the_market_itself_is_marked_in_the_panel_of_its_event(board):
    def current():
        rows = board.page.locator(".of-event .legs > .leg")
        return [row.get_attribute("aria-current") for row in rows.all()]

    panels = dashboard()["panels"] | {"event": panel("event", "Event") | event()}
    board.send(dashboard(2, panels=panels))
    assert current() == [str(each["ticker"] == TICKER).lower() for each in event()["legs"]]
    marked = board.page.locator(".of-event [aria-current=true] > .words")
    edge = "(n) => { const s = getComputedStyle(n); return [s.borderLeftStyle, s.borderLeftWidth, s.fontWeight]; }"
    assert marked.evaluate(edge) == ["solid", "3px", "600"]
    board.page.emulate_media(forced_colors="active")
    assert marked.evaluate(edge) == ["solid", "3px", "600"]
    other = event()["legs"][0]["ticker"]
    board.send(dashboard(3, panels=panels, market={"ticker": other, "title": "Another?"}))
    assert current() == ["true", *["false"] * 5]


def test_what_is_asked_in_a_panel_says_which(board):
    board.page.locator(".of-counting .d-inside button").click()
    assert [each["asked"] for each in board.sent() if "asked" in each] == [
        {"panel": "counting", "asked": {"selected": ["KX-1"]}}
    ]


def test_the_head_says_what_yes_and_no_cost_now_and_what_the_last_minute_brought(board):
    assert board.texts(".d-chance b") == ["48\u202f%"]
    assert board.texts(".d-yes b, .d-no b") == ["48.5¢", "53.0¢"]
    assert board.texts(".d-yes > :last-child") == ["64 offered, sell for 47.0¢"]
    assert board.texts(".d-no > :last-child") == ["310 offered, sell for 51.5¢"]
    assert board.texts(".d-minute b") == ["14 trades"]
    assert board.texts(".d-minute > :last-child") == ["▲ 47.0¢ → 48.5¢ · 340 contracts"]
    board.send(
        delta(
            2,
            {},
            bids=[],
            asks=[[0.485, 64]],
            minute={"trades": 0, "contracts": 0, "first": 0.47, "last": None, "gaps": 1},
        ),
        name="delta",
    )
    assert board.texts(".d-chance b") == ["\u2013"]
    assert board.texts(".d-yes b, .d-no b") == ["48.5¢", "no offers"]
    assert board.texts(".d-minute > :last-child") == ["1 gap · price unchanged"]


def test_a_stale_panel_is_grey_and_named_beside_others_that_are_live(board):
    board.send(
        delta(2, {"counting": {"kind": "counting", "of": 1, "status": "stale", "points": [0], "note": "lost"}}),
        name="delta",
    )
    assert board.texts(".d-chip")[-1].startswith("▲ stale")
    assert board.page.locator(".of-counting").get_attribute("data-body") == "grey"
    assert board.page.locator(".of-ladder").get_attribute("data-body") == "normal"
    assert board.page.locator(".of-ladder .d-inside").evaluate("(n) => getComputedStyle(n).filter") == "none"
    assert board.page.locator(".of-counting .d-inside").evaluate("(n) => getComputedStyle(n).filter") == "grayscale(1)"


def test_a_stale_book_takes_the_colour_from_what_it_costs(board):
    board.send(delta(2, {}, status="stale", age=9), name="delta")
    assert board.texts(".d-chance > :last-child")[0].startswith("as it was last, stale ")
    colours = "(all) => all.map((n) => getComputedStyle(n).color)"
    tiles = board.page.locator(".d-tile > b").evaluate_all(colours)
    dim = board.page.locator(".d-chance > :last-child").evaluate_all(colours)
    assert tiles[:3] == dim * 3
    assert tiles[3] not in dim  # what happened has happened
    assert board.texts(".chip")[0].startswith("▲ stale 9 s")


def test_a_pause_keeps_every_panel_as_it_was(board):
    board.page.locator("button", has_text="❚❚").click()
    board.send(delta(2, {"ladder": {**ladder_body(bids=[[0.46, 7]]), "of": 1}}), name="delta")
    board.page.wait_for_timeout(1100)
    assert board.texts(".of-ladder .bids .best .size") == ["310"]
    assert board.texts(".note") == ["1 update since"]
    board.page.locator("button[aria-label='Go on']").click()
    assert board.texts(".of-ladder .bids .best .size") == ["7"]


def test_a_market_that_is_picked_while_the_page_is_paused_is_shown_and_the_page_goes_on(board):
    board.page.locator("button", has_text="❚❚").click()
    other = dashboard(2, market={"ticker": "KX-OTHER", "title": "Another?"})
    board.send(other)
    assert board.texts(".title span")[0] != "Another?"
    board.send(other | {"seq": 3, "chosen": 2})
    assert board.texts(".title span")[0] == "Another?"
    assert board.data("status") == "live"
    assert [each["paused"] for each in board.sent() if "paused" in each] == [True, False]


@pytest.mark.parametrize(("status", "says"), [("live", "● live · simulated"), ("stale", "▲ stale 9 s · simulated")])
def test_the_state_says_beside_it_where_the_data_is_not_the_real_thing(board, status, says):
    board.send(dashboard(2, status=status, age=9) | {"origin": "simulated"})
    assert board.texts(".chip") == [says]
    board.send(dashboard(3, status=status, age=9) | {"origin": ""})
    assert "simulated" not in board.texts(".chip")[0]


def test_where_the_data_is_from_is_told_whole_on_a_phone(make_host):
    host = make_host(viewport={"width": 336, "height": 900}).open()
    host.show(dashboard() | {"origin": "simulated"}, text=source())
    chip = host.page.locator(".chip").first
    assert chip.inner_text() == "● live · simulated"
    assert chip.evaluate("(n) => n.scrollWidth - n.clientWidth") <= 0


def test_a_minute_that_is_none_yet_says_since_when(board):
    assert board.texts(".d-minute > :first-child") == ["Last minute"]
    minute = {"trades": 2, "contracts": 5, "first": 0.47, "last": 0.47, "gaps": 0, "since": 1_795_359_612.3}
    board.send(delta(2, {}, minute=minute), name="delta")
    assert board.texts(".d-minute > :first-child") == ["Since 15:00:12 UTC"]


def test_without_a_market_it_asks_for_one(make_host):
    host = make_host().open()
    picture = dashboard(panels={"counting": panel("counting", "Counting", points=[0])})
    for name in ("market", "bids", "asks", "last", "minute"):
        del picture[name]
    host.show(picture | {"title": "no market chosen"}, text=source())
    assert "pick one above" in host.texts(".d-empty")[0]
    assert counted(host) == "counted 1, yes"
    assert host.texts(".title span")[0] == "no market chosen"
    assert host.errors == []


@pytest.mark.parametrize("width", [1180, 800, 360])
def test_nothing_scrolls_sideways_and_panels_fill_their_rows(make_host, width):
    host = make_host(viewport={"width": width + 20, "height": 1000}).open()
    names = ("status", "ladder", "chart", "depth", "tape", "event", "account", "board", "gaps")
    assert {*PANELS} <= {*names}
    panels = {name: panel("counting", name.title(), points=[0]) for name in names}
    panels["ladder"] = dashboard()["panels"]["ladder"]
    host.show(
        dashboard(panels=panels, market={"title": "<img src=x onerror=alert(1)> " + "long " * 90}), text=source()
    )
    assert host.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    box = {name: host.page.locator(f".d-panel[style*='{name}']").bounding_box() for name in panels}
    whole = host.page.locator(".d-grid").bounding_box()["width"]
    wide = {name for name in box if abs(box[name]["width"] - whole) < 1}
    assert {"status", "account", "board"} <= wide
    if width == 1180:
        assert box["chart"]["x"] > box["ladder"]["x"]
        assert box["chart"]["y"] == box["ladder"]["y"]
        assert box["depth"]["y"] == box["tape"]["y"] > box["chart"]["y"]
        assert box["event"]["y"] == box["gaps"]["y"]
        assert box["depth"]["y"] + box["depth"]["height"] == box["ladder"]["y"] + box["ladder"]["height"]
    elif width == 800:
        assert "chart" in wide
        assert box["depth"]["x"] == box["tape"]["x"] > box["ladder"]["x"]
    else:
        assert wide == {*panels}
    assert host.page.locator("img").count() == 0
    assert host.errors == []


def test_axe_finds_nothing_of_level_a_or_aa_in_a_dashboard(board, axe):  # noqa: F811
    board.page.evaluate(axe)
    tags = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}
    found = board.page.evaluate("(options) => axe.run('main', options)", tags)
    assert [(each["id"], [node["html"] for node in each["nodes"]]) for each in found["violations"]] == []


def test_nothing_jumps_while_the_market_is_busy(board):
    began = shifts.begin(board)
    for seq in range(2, 30):
        bids = [[price, size * seq % 5000 + 1] for price, size in BIDS[seq % 3 :]]
        asks = [[price, size * seq % 70_000 + 1] for price, size in ASKS[seq % 2 :]]
        minute = {
            "trades": seq * 37,
            "contracts": 12.5 * seq**3,
            "first": 0.47,
            "last": 0.4 + seq / 100,
            "gaps": seq % 3,
        }
        change = {"ladder": {**ladder_body(bids=bids, asks=asks), "of": 1}, "counting": {"delta": {"points": [seq]}}}
        board.page.evaluate(
            "(value) => hosting.models[0].arrive('delta', value)",
            delta(seq, change, bids=bids[:1], asks=asks[:1], minute=minute),
        )
        board.page.wait_for_timeout(60)
    board.settle()
    assert counted(board) == "counted 31, yes"
    assert shifts.since(board, began) == []


REVIVED = """(value) => {
  const bytes = (words) => new DataView(Uint8Array.from(atob(words), (each) => each.charCodeAt(0)).buffer);
  const revive = (v) => {
    if (!v || typeof v !== "object") return v;
    if ("bytes" in v) return bytes(v.bytes);
    for (const name of Object.keys(v)) v[name] = revive(v[name]);
    return v;
  };
  hosting.models[0].arrive("kind" in value ? "picture" : "delta", revive(value));
}"""


def packed(value):
    """Return what travels as JSON, buffers among it as text."""
    if isinstance(value, dict):
        return {name: packed(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [packed(each) for each in value]
    return {"bytes": base64.b64encode(value).decode()} if isinstance(value, bytes | bytearray | memoryview) else value


MOVING = [(1200, 5), *(pytest.param(width, 30, marks=pytest.mark.matrix) for width in (1200, 800, 360))]
"""Widths of a page, and for how many seconds nothing may move there."""


@pytest.mark.parametrize(("width", "seconds"), MOVING)
def test_a_real_market_is_shown_whole_and_moves_without_a_jump_or_a_barrier(make_host, axe, width, seconds):  # noqa: F811
    host = make_host(viewport={"width": width, "height": 1000}).open()
    with kn.sim.Exchange(seed=7, clock="manual") as exchange, kn.connect(exchange) as feed:
        view = feed.dashboard("KXHIGHNY-26NOV22-B52.5")
        exchange.advance(60)
        feed.flush()
        scene, before = view._scene, view._scene.take()
        head = {"v": 1, "seq": 0, "sent": time.time(), "kernel": "k", "model": "m", "kind": "dashboard"}
        host.show(head | {"status": "connecting", "panels": {}}, text=bundle("dashboard").text)
        host.page.evaluate(REVIVED, packed(head | {"status": before.status} | scene.body(before)))
        host.settle()
        began = shifts.begin(host)
        end = time.monotonic() + seconds
        for seq in itertools.count(1):
            exchange.advance(0.5)
            feed.flush()
            picture = scene.take()
            told = {"seq": seq, "sent": time.time(), "status": picture.status}
            host.page.evaluate(REVIVED, packed(told | scene.delta(before, picture)))
            host.page.wait_for_timeout(60)
            before = picture
            if time.monotonic() > end:
                break
        moved = shifts.since(host, began)
    assert host.errors == []
    assert moved == []
    assert seq > 3 * seconds  # a busy market: half a second of it each time
    assert host.texts(".d-failed") == []
    assert host.page.locator(".d-panel").count() == len(before.parts)
    assert {"ladder", "depth", "tape", "event", "gaps", "status"} <= {*before.parts}
    host.page.evaluate(axe)
    tags = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}
    found = host.page.evaluate("(options) => axe.run('main', options)", tags)
    assert [(each["id"], [node["html"] for node in each["nodes"]]) for each in found["violations"]] == []
    assert host.errors == []
