"""What a view and its kernel say to each other, and what a view knows when nothing comes."""

import pytest

from kalshi_nb._widgets.assets import bundle
from tests.browser.cards.pictures import BIDS, ladder

TWO = "<main><div id='cell'></div><div id='other'></div></main>"


def acks(host, model=0):
    return [each for each in host.sent(model) if "ack" in each]


def test_one_model_answers_for_all_of_its_kernel(host):
    host.open(body=TWO).show(ladder())
    host.show(ladder(seq=7, model="model-2"), at="#other")
    host.page.wait_for_timeout(12_000)
    said = [acks(host, 0), acks(host, 1)]
    assert min(len(each) for each in said) == 0 or sum(len(each) for each in said) <= 4
    newest = max(said[0] + said[1], key=lambda each: each["at"])
    assert newest["ack"] == {"model-1": 1, "model-2": 7}
    assert sorted(newest["visible"]) == ["model-1", "model-2"]
    times = sorted(each["at"] for each in said[0] + said[1])
    assert 3 <= len(times) <= 5
    assert times[-1] - times[-2] >= 4_900


def test_models_of_two_kernels_answer_apart(host):
    host.open(body=TWO).show(ladder())
    host.show(ladder(model="model-2", kernel="kernel-2"), at="#other")
    host.page.wait_for_timeout(400)
    assert [list(acks(host, n)[-1]["ack"]) for n in (0, 1)] == [["model-1"], ["model-2"]]


def test_what_is_in_sight_is_told_at_once_when_it_changes(host):
    host.open(body="<main><div id='cell'></div><div style='height:4000px'></div></main>")
    host.show(ladder())
    host.page.wait_for_timeout(400)
    assert acks(host)[-1]["visible"] == ["model-1"]
    host.page.evaluate("scrollTo(0, 3500)")
    host.page.wait_for_timeout(600)
    assert acks(host)[-1]["visible"] == []
    host.page.evaluate("scrollTo(0, 0)")
    host.page.wait_for_timeout(600)
    assert acks(host)[-1]["visible"] == ["model-1"]
    assert len(acks(host)) == 3


def test_a_host_that_cannot_send_hinders_nothing(host):
    host.open().show(ladder())
    host.page.evaluate("() => { hosting.models[0].send = () => { throw new Error('no line'); }; }")
    host.focus()
    host.page.keyboard.press("p")
    assert host.data("status") == "paused"
    host.page.keyboard.press("p")
    host.send(ladder(seq=2))
    assert host.data("seq") == "2"


def test_a_pause_stops_the_picture_and_tells_the_kernel(host):
    host.open().show(ladder())
    host.page.locator("button", has_text="❚❚").click()
    for seq in (2, 3):
        host.send(ladder(seq=seq, bids=[[0.47, 1000 + seq], *BIDS[1:]]))
    host.page.wait_for_timeout(1100)
    assert host.texts(".bids .best .size") == ["310"]
    assert host.texts(".chip")[0].startswith("❚❚ paused ")
    assert host.texts(".note") == ["2 updates since"]
    assert host.page.locator(".body").evaluate("(n) => getComputedStyle(n).filter") == "none"
    assert [each["paused"] for each in host.sent() if "paused" in each] == [True]
    host.page.locator("button[aria-label='Go on']").click()
    assert host.texts(".bids .best .size") == ["1,003"]
    assert [each["paused"] for each in host.sent() if "paused" in each] == [True, False]


def test_a_view_is_silent_after_six_seconds_without_a_message_and_live_with_the_next(host):
    host.open().show(ladder())
    host.page.wait_for_timeout(4_500)
    assert host.data("status") == "live"
    host.page.wait_for_selector(".kalshi-nb[data-status='silent']")
    assert host.texts(".chip")[0].startswith("◌ no news for ")
    assert host.texts(".close") == [""]
    host.send(ladder(seq=2))
    assert host.data("status") == "live"


def test_a_page_that_was_saved_opens_silent_with_its_date(host):
    host.open().show(ladder(sent=1_780_000_000))
    assert host.texts(".chip") == ["◌ saved picture"]
    assert host.texts(".note") == ["of 2026-05-28 20:26 UTC; run the cell anew"]
    host.page.wait_for_timeout(600)
    assert host.sent() == []  # nobody is there to hear
    host.send(ladder(seq=2))
    assert host.data("status") == "live"
    host.page.wait_for_timeout(600)
    assert acks(host)


def test_two_views_of_a_model_show_the_same_and_close_apart(host):
    host.open(body=TWO).show(ladder())
    host.page.evaluate(
        "(at) => { const [model] = hosting.models; const el = document.querySelector(at);"
        " window.second = model.module.render({ model, el }); }",
        "#other",
    )
    host.send(ladder(seq=2))
    assert [host.data("seq", at) for at in (0, 1)] == ["2", "2"]
    host.page.evaluate("second()")
    host.send(ladder(seq=3))
    assert host.page.locator(".kalshi-nb").count() == 1
    assert host.data("seq") == "3"


def test_a_hundred_views_that_come_and_go_leave_nothing_behind(host):
    host.open()
    text = bundle("ladder").text
    script = """async ([text, picture]) => {
      const el = document.querySelector('#cell');
      for (let i = 0; i < 100; i++) {
        await hosting.open(text, { picture: { ...picture, model: `m${i}` }, settings: {} }, el);
        hosting.ends.at(-1)();
      }
      await new Promise((next) => setTimeout(next, 1200));
      return [el.childElementCount, hosting.models.reduce((all, each) => all + each.listeners, 0)];
    }"""
    assert host.page.evaluate(script, [text, ladder()]) == [0, 0]
    before = sum(len(host.sent(n)) for n in range(100))
    host.page.wait_for_timeout(6_000)
    assert sum(len(host.sent(n)) for n in range(100)) == before


def test_settings_that_python_changes_stand_again_over_what_a_person_chose(host):
    host.open().show(ladder(), {"side": "yes"})
    host.focus()
    host.page.keyboard.press("s")
    host.send({"side": "yes", "theme": "dark"}, name="settings")
    assert host.texts(".columns .price") == ["NO price"]
    assert host.data("theme") == "dark"
    host.send({"side": "no"}, name="settings")
    host.send({"side": "yes"}, name="settings")
    assert host.texts(".columns .price") == ["YES price"]


@pytest.mark.parametrize("levels", [3, 15])
def test_a_ladder_has_as_many_rows_a_side_as_it_is_told_to(host, levels):
    host.open().show(ladder(), {"levels": levels})
    assert host.page.locator(".asks").evaluate("(n) => n.offsetHeight") == 22 * levels
    assert host.page.locator(".asks .row").count() <= levels + 1


def test_deltas_are_taken_in_order_and_once_and_a_missing_one_is_a_hole(host):
    # A kind of view that counts: what its series says must be what was sent, or be called broken.
    counting = """const counting = { kind: "counting", begin: (p) => [...p.points], extend: (s, d) => s.push(d.point),
      mount: () => ({ paint() {}, label: () => "counting", note: () => "", aside: () => "", sentence: () => "" }) };"""
    source = bundle("ladder").text.replace(
        "export default card.entry({ ladder }",
        counting + "\nglobalThis.peek = store;\nexport default card.entry({ counting }",
    )
    host.open()
    begin = {**ladder(), "kind": "counting", "points": [1], "market": {}}
    host.show(begin, text=source)
    script = """(begin) => {
      const model = hosting.models[0];
      const state = peek.hold(model, {});
      let seed = 3; const chance = () => (seed = (seed * 48271) % 2147483647) / 2147483647;
      let wrong = 0, seq = 1, all = [1], taken = 1, broken = false;
      for (let n = 0; n < 10000; n++) {
        seq += 1; all.push(seq);
        if (chance() < .02) continue;                                   // lost
        if (chance() < .005) {
          model.arrive('picture', { ...begin, seq, points: [...all] });
          taken = seq;
          broken = false;
        } else {
          const delta = { seq, point: seq };
          model.arrive('delta', delta);
          if (chance() < .05) model.arrive('delta', { ...delta });      // doubled
          if (chance() < .02) model.arrive('delta', { seq: seq - 2, point: 0 });  // late
          if (seq !== taken + 1) broken = true;
          taken = seq;
        }
        if (state.isBroken !== broken) wrong += 1;
        if (!broken && state.series.length !== seq) wrong += 1;
      }
      return [wrong, all.length];
    }"""
    assert host.page.evaluate(script, begin) == [0, 10001]
