"""A tape and a lifecycle list on a page: what stands in a row, what is left in peace, what moves, and what never."""

import itertools
import re
import time

import pytest

from kalshi_nb._widgets import assets
from tests.browser.cards.pictures import ladder
from tests.browser.cards.tape_pictures import (
    TICKER,
    event,
    gap,
    lifecycle,
    lifecycles,
    marked,
    several,
    tape,
    tapes,
    trade,
)
from tests.browser.cards.test_access import axe  # noqa: F401  # a fixture
from tests.feed.list_engine import BASE_US
from tests.widgets.feeds import SECOND, feed_on_a_list, scene
from tests.widgets.feeds import trade as row

ROWS = ".rows .entry"
MOVES = """() => {
  window.faded = [];
  const animate = Element.prototype.animate;
  Element.prototype.animate = function (...given) {
    faded.push([this.innerText.replace(/\\s+/g, " ").trim(), given[1].duration]);
    return animate.apply(this, given);
  };
}"""
CUT = (
    """(all) => all.filter((n) => n.checkVisibility() && n.scrollWidth > n.clientWidth + 1).map((n) => n.innerText)"""
)
WIDER = "document.documentElement.scrollWidth - innerWidth"


def show(host, picture):
    host.show(picture, kind=picture["kind"])


def rows(host, at=ROWS):
    """What can be read in the rows, top to bottom."""
    script = """(all) => all.filter((n) => n.checkVisibility())
        .sort((a, b) => a.getBoundingClientRect().top - b.getBoundingClientRect().top)
        .map((n) => n.innerText.replace(/\\s+/g, ' ').trim())"""
    return host.page.locator(at).evaluate_all(script)


def delta(seq, lines, *, length=200, **given):
    now = time.time()
    total = given.pop("total", 1204 + seq)
    return {"seq": seq, "sent": now, "clock": now, "status": "live", "lines": lines, "length": length} | {
        "total": total,
        **given,
    }


def new_trades(first, number, ticker=None):
    return [trade(n, time.time(), size=n, ticker=ticker) for n in range(first + number - 1, first - 1, -1)]


def clocked(at):
    return time.strftime("%H:%M:%S", time.gmtime(at))


def test_a_row_says_when_who_at_what_price_and_how_many_and_marks_what_is_out_of_the_ordinary(host):
    now = float(int(time.time()))
    show(host.open(), tape(sent=now, lines=marked(now), total=7))
    assert rows(host, ".heads .entry") == ["time (UTC) taker YES price contracts"]
    assert rows(host) == [
        f"{clocked(now - 1)} YES ▲ 48.5¢ 30.00",
        f"{clocked(now - 3)} NO ▼ 47.0¢ ★ 1,200.00",
        "gap 14 s, 0 trades seen",
        f"{clocked(now - 21)} YES ▲ 48.0¢ ★ block 5,000.00",
        f"{clocked(now - 22)} NO ▼ 48.0¢ ↺ 2.00",
        "gap 3 messages lost",
        f"{clocked(now - 26)} \u2013 40.0¢ 0.50",
    ]
    assert host.texts(".note") == ["last 5 of 7 trades · ★ ≥ 400"]
    host.page.get_by_role("button", name="Show the NO leg").click()
    host.settle()
    assert rows(host, ".heads .entry") == ["time (UTC) taker NO price contracts"]
    assert rows(host)[0] == f"{clocked(now - 1)} YES ▲ 51.5¢ 30.00"
    host.page.get_by_role("button", name="Prices in per cent").click()
    host.settle()
    assert "53.0\u202f%" in host.texts(".rows .price")
    host.focus()
    host.page.keyboard.press("r")
    assert host.page.locator(".unseen").text_content() == (
        f"{TICKER}: last trade: NO 51.5 cents for 30.00, taker bought YES, at {clocked(now - 1)} UTC, live"
    )


def test_every_state_is_told_and_what_there_is_stays_to_be_read(host):
    named = list(tapes())
    cells = "".join(f"<div id='s-{name}' style='width:420px'></div>" for name in named)
    host.open(
        body=f"<main style='display:flex;flex-wrap:wrap;height:900px;width:3000px'>{cells}</main>", is_still=True
    )
    host.page.set_viewport_size({"width": 3000, "height": 1800})
    for name in named:
        host.show({**tapes()[name], "model": name}, at=f"#s-{name}", kind="tape")
    said = {name: [" ".join(host.texts(f"#s-{name} {part}")) for part in (".chip", ROWS)] for name in named}
    starts = {
        "live": "● live",
        "connecting": "○ connecting",
        "stale": "▲ stale 1",
        "silent": "◌ saved picture",
        "paused": "❚❚ paused",
        "handle-closed": "■ ended, no more updates",
        "empty": "● live, no trades yet",
        "determined": "◆ YES · pays $1.00",
    }
    for name, start in starts.items():
        assert said[name][0].startswith(start), name
    assert said["connecting"][1] == "waiting for the exchange"
    assert said["empty"][1] == "no trades yet"
    for name in ("stale", "silent", "paused", "handle-closed", "determined"):
        assert "48.5¢" in said[name][1], name
    assert "so far" in said["gap-open"][1]
    assert f"of {TICKER}" in host.page.locator("#s-live .card").get_attribute("aria-label")
    assert rows(host, "#s-several .heads .entry") == ["time (UTC) market taker YES price contracts"]
    heights = host.page.locator(".list").evaluate_all("(all) => [...new Set(all.map((n) => n.offsetHeight))]")
    assert len(heights) == 1


def test_new_trades_come_on_top_each_once_and_of_many_the_rest_is_counted(host):
    show(host.open(), tape(lines=new_trades(1, 5), large=None))
    host.send(delta(2, new_trades(6, 2)), name="delta")
    assert host.texts(".rows .count") == ["7", "6", "5", "4", "3", "2", "1"]
    host.send(delta(2, new_trades(6, 2)), name="delta")
    host.send(delta(1, new_trades(1, 2)), name="delta")
    assert host.texts(".rows .count") == ["7", "6", "5", "4", "3", "2", "1"], "what came before comes again"
    host.send(delta(3, new_trades(45, 3), more=37), name="delta")
    assert rows(host)[3] == "+37 more"
    assert host.texts(".rows .count") == ["47", "46", "45", "7", "6", "5", "4", "3", "2", "1"]
    host.send(delta(4, [], length=4), name="delta")
    assert len(rows(host)) == 4
    host.send(tape(seq=5, lines=new_trades(1, 9)))
    assert host.texts(".rows .count") == ["9", "8", "7", "6", "5", "4", "3", "2", "1"]


def test_where_a_message_was_lost_the_list_says_so_until_the_whole_comes(host):
    show(host.open(), tape(lines=new_trades(1, 2), large=None))
    host.send(delta(3, new_trades(4, 1)), name="delta")
    assert rows(host)[0] == "lines were lost on the way here; all come again soon"
    assert host.texts(".rows .count") == ["2", "1"]
    host.send(tape(seq=4, lines=new_trades(1, 4)))
    assert host.texts(".rows .count") == ["4", "3", "2", "1"]


def test_a_gap_grows_by_the_second_and_ends_in_its_place(host):
    now = time.time()
    show(host.open(), tape(lines=[gap(1, now - 100, None), trade(1, now - 101)], sent=now, clock=now))
    assert rows(host)[0].startswith("gap 1 min, 0 trades seen so far")
    host.send(delta(2, [trade(2, now), gap(1, now - 100, now - 58)]), name="delta")
    assert rows(host)[1] == "gap 42 s, 0 trades seen"
    assert len(rows(host)) == 3


def test_who_has_scrolled_down_is_left_in_peace_and_told_how_many_came(host):
    old = tape()["lines"]
    show(host.open(), tape(lines=old))
    table = host.page.locator(".list")
    table.evaluate("(n) => { n.scrollTop = 480; }")
    host.settle()
    before, top = rows(host), table.evaluate("(n) => n.scrollTop")
    assert host.texts(".fresh") == []
    for seq in range(2, 6):
        host.send(delta(seq, new_trades(1000 + 10 * seq, 3), more=2 if seq == 5 else 0), name="delta")
    assert rows(host) == before
    assert table.evaluate("(n) => n.scrollTop") == top
    assert host.texts(".fresh") == ["↑ 14 new"]
    host.send(tape(seq=6, lines=[*new_trades(1052, 3), *new_trades(1020, 12), *old[:185]]))
    assert rows(host) == before
    host.page.locator(".fresh").click()
    host.settle()
    assert host.texts(".fresh") == []
    assert host.texts(".rows .count")[0] == "★ 1,054.00"
    host.send(delta(7, new_trades(2000, 1)), name="delta")
    assert host.texts(".rows .count")[0] == "★ 2,000.00"


def test_only_what_is_in_sight_has_rows_which_are_used_again_and_readers_are_told_which(host):
    show(host.open(), tape())
    host.page.evaluate(
        "window.made = 0; const make = document.createElement.bind(document);"
        "document.createElement = (...given) => { made += 1; return make(...given); };"
    )
    assert host.page.locator(ROWS).count() < 24
    assert host.page.locator(".list").get_attribute("aria-rowcount") == "201"
    for seq in range(2, 12):
        host.page.evaluate("(d) => hosting.models[0].arrive('delta', d)", delta(seq, new_trades(1000 + 3 * seq, 3)))
        host.settle(1)
    assert host.page.evaluate("made") <= 3 * 12, "each row but a few is one that was there"
    host.page.locator(".list").evaluate("(n) => { n.scrollTop = n.scrollHeight; }")
    host.settle()
    found = host.page.locator(ROWS).evaluate_all("(all) => all.map((n) => +n.getAttribute('aria-rowindex'))")
    assert found == sorted(found)
    assert found[-1] == 201
    assert host.page.locator(ROWS).last.inner_text() == rows(host)[-1] or rows(host)


def test_the_filter_is_the_browsers_own(host):
    now = time.time()
    lines = [trade(n, now - n, size=10 * n) for n in range(1, 11)]
    show(host.open(), tape(lines=[gap(1, now, None), *lines]))
    field = host.page.get_by_label("Trades of at least so many contracts")
    field.fill("80")
    host.settle()
    assert host.texts(".rows .count") == ["80", "90", "100"]
    assert rows(host)[0].startswith("gap "), "a gap is shown whatever is looked for"
    field.press("p")
    assert host.data("status") == "live", "keys in a field are none of the card's"
    host.send(tape(seq=2, lines=lines))
    field.fill("2000")
    host.settle()
    assert rows(host) == ["none of 2,000 contracts or more"]
    assert [each for each in host.sent() if "asked" in each] == []


def test_a_new_row_fades_once_and_nothing_does_where_that_would_say_nothing(host):
    show(host.open(), tape(lines=new_trades(1, 20)))
    host.page.evaluate(MOVES)
    host.send(tape(seq=2, lines=new_trades(1, 20)))
    assert host.page.evaluate("faded") == []
    host.send(delta(3, new_trades(21, 1)), name="delta")
    assert [duration for _, duration in host.page.evaluate("faded")] == [400]
    host.send(delta(4, []), name="delta")
    host.send(delta(5, new_trades(22, 20)), name="delta")
    host.page.get_by_label("Trades of at least so many contracts").fill("5")
    host.send(delta(6, [], status="stale"), name="delta")
    host.send(delta(7, new_trades(60, 1)), name="delta")
    assert len(host.page.evaluate("faded")) == 1, "many at once, other words, another status"
    assert host.page.locator("[aria-live], [role=status], [role=log]").count() == 1


def test_who_wants_no_motion_and_who_comes_back_see_none(make_host):
    host = make_host(reduced_motion="reduce").open()
    show(host, tape(lines=new_trades(1, 20)))
    host.page.evaluate(MOVES)
    host.send(delta(2, new_trades(21, 1)), name="delta")
    assert host.page.evaluate("faded") == []


@pytest.mark.parametrize("state", ["several", pytest.param("large", marks=pytest.mark.matrix)])
def test_nothing_scrolls_sideways_and_no_number_is_cut_off(make_host, state):
    host = make_host(viewport={"width": 1040, "height": 700}).open()
    show(host, tapes()[state])
    for width, unit in itertools.product((1040, 640, 320, 304), ("cents", "dollars")):
        host.page.set_viewport_size({"width": width, "height": 700})
        host.page.evaluate("(u) => hosting.models[0].arrive('settings', { unit: u })", unit)
        host.settle()
        assert host.page.evaluate(WIDER) <= 0
        cells = ".rows .time, .rows .taker, .rows .price, .rows .count, .heads .entry > *"
        assert host.page.locator(cells).evaluate_all(CUT) == [], (width, unit)
        assert host.page.locator(".list").evaluate("(n) => n.scrollWidth - n.clientWidth") <= 0


def test_hostile_texts_do_nothing_in_either_list(host):
    hostile = "<img src=x onerror=\"document.title='ran'\">\u202egnp.exe\u2066 " + "W" * 10_000
    host.open(body="<main><div id='cell'></div><div id='other'></div></main>")
    show(host, several(title=hostile, lines=[trade(1, time.time(), ticker=hostile), trade(hostile, 1.0, ticker="-")]))
    host.show(
        {**lifecycle(title=hostile), "model": "2", "lines": [event(1, 1.0, *[hostile] * 5)]},
        at="#other",
        kind="lifecycle",
    )
    assert host.page.title() == "host"
    assert host.page.locator(".card img").count() == 0
    shown = "".join(host.page.locator(".card").all_inner_texts())
    assert not {"\u202e", "\u2066"} & {*shown}
    assert host.page.evaluate(WIDER) <= 0


def test_a_list_is_a_table_that_a_keyboard_can_scroll(host):
    show(host.open(), tape())
    tree = host.page.locator("main").aria_snapshot()
    assert f'group "Trades of {TICKER}"' in tree
    assert 'table "Trades, newest first"' in tree
    assert 'columnheader "YES price"' in tree
    host.page.locator(".list").focus()
    host.page.keyboard.press("End")
    host.page.wait_for_selector(".entry[aria-rowindex='201']")
    host.page.keyboard.press("Home")
    host.page.wait_for_selector(".entry[aria-rowindex='2']")


def test_a_person_who_pauses_sees_that_moment_whatever_comes(host):
    show(host.open(), tape(lines=new_trades(1, 3), large=None))
    host.focus()
    host.page.keyboard.press("p")
    host.send(delta(2, new_trades(4, 2)), name="delta")
    host.page.keyboard.press("s")
    host.settle()
    assert host.texts(".rows .count") == ["3", "2", "1"]
    assert "51.5¢" in host.texts(".rows .price")
    host.page.keyboard.press("p")
    host.settle()
    assert host.texts(".rows .count") == ["5", "4", "3", "2", "1"]


def test_what_the_kernel_says_makes_on_a_page_the_list_that_the_kernel_has(host):
    host.open().show(ladder(), kind="ladder")
    source = "\n".join(assets._bare(assets._ROOM / "browser" / f"{name}.js") for name in ("text", "list"))
    with feed_on_a_list() as (feed, engine):
        view = scene(feed.trades())
        before = view.take()
        whole, wholes, deltas, gap = view.body(before), [], [], None
        for number in range(30):
            engine.clock.us = BASE_US + number * SECOND
            engine.play("trade", *(row(100 * number + i, at=number) for i in range(number % 7)))
            if number % 5 == 0:
                gap = engine.open_gap("trade", reason="connection_lost")
            if number % 5 == 3:
                engine.close_gap(gap)
            feed.flush()
            now = view.take()
            sent = view.delta(before, now)
            if sent is not None:
                deltas.append(sent)
                wholes.append(view.body(now)["lines"])
                before = now
    script = f"""([whole, deltas]) => {{ {source}
        const series = list.begin(whole);
        return deltas.map((delta) => {{ list.extend(series, delta); return series.lines; }}); }}"""
    assert host.page.evaluate(script, [whole, deltas]) == wholes
    assert any(line[1] == 1 and line[3] for line in wholes[-1]), (
        "a gap that was open when it was sent first, and is over"
    )


def test_events_are_told_a_line_each_and_filtered_by_their_kind(host):
    host.open().show(lifecycle(), kind="lifecycle")
    lines = lifecycle()["lines"]
    found = rows(host)
    assert len(found) == len(lines)
    assert re.search(rf"◆ determined YES, pays \$1\.00 .* on Nov 28\? ?· 52° to 53° {TICKER}$", found[1])
    assert found[2].endswith("○ +214 created in KXMVENFL")
    assert host.texts(".note") == ["1,215 changes"]
    choice = host.page.get_by_label("Which changes")
    assert choice.locator("option").all_inner_texts()[:3] == ["all changes", "settled", "determined"]
    choice.select_option("created")
    host.settle()
    assert [each.split(" ", 1)[1][:10] for each in rows(host)] == ["○ +214 cre", "○ created,"]
    changed = event(7, time.time(), "created", "○", "+215 created in KXMVENFL", "", "KXMVENFL", 215)
    host.send(delta(2, [event(10, time.time(), "determined", "◆", "determined NO"), changed], length=10), name="delta")
    assert [each.split(" ", 1)[1][:10] for each in rows(host)] == ["○ +215 cre", "○ created,"]
    choice.select_option("determined")
    host.settle()
    assert len(rows(host)) == 2


def test_events_are_readable_in_a_narrow_place_too(make_host):
    host = make_host(viewport={"width": 324, "height": 600}).open()
    host.show(lifecycle(), kind="lifecycle")
    assert host.page.evaluate(WIDER) <= 0
    assert host.page.locator(".rows .event").evaluate_all(CUT) == []
    tops = host.page.locator(ROWS).evaluate_all("(all) => all.map((n) => n.getBoundingClientRect().top)")
    assert {round(b - a) for a, b in itertools.pairwise(tops)} == {44}
    strike = host.page.locator(".rows .market .end").first
    assert strike.inner_text().strip() == "· 52° to 53°"
    assert strike.evaluate("(n) => n.getBoundingClientRect().right") < 310, "what tells markets of an event apart"


@pytest.mark.parametrize("theme", ["light", pytest.param("dark", marks=pytest.mark.matrix)])
def test_axe_finds_nothing_of_level_a_or_aa(host, axe, theme):  # noqa: F811  # the fixture
    names = {"marked": tapes()["marked"], "several": tapes()["several"], "stale": tapes()["stale"]}
    shown = [*((name, "tape", each) for name, each in names.items()), ("events", "lifecycle", lifecycles()["live"])]
    cells = "".join(f"<div id='s-{name}'></div>" for name, _, _ in shown)
    head = f"<style>body {{ background: {'#111' if theme == 'dark' else '#fff'} }}</style>"
    host.open(head=head, body=f"<main>{cells}</main>")
    host.page.set_viewport_size({"width": 760, "height": 2400})
    for name, kind, picture in shown:
        host.show({**picture, "model": name}, {"theme": theme}, at=f"#s-{name}", kind=kind)
    host.page.locator("#s-several .list").evaluate("(n) => { n.scrollTop = 100; }")
    host.page.evaluate(axe)
    tags = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}
    found = host.page.evaluate("(options) => axe.run('main', options)", tags)
    assert [(each["id"], [node["html"] for node in each["nodes"]]) for each in found["violations"]] == []
