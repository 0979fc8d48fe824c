"""What moves, how often, and what does not: flashes, rows, the layout of the page."""

import itertools
import random

import pytest

from tests.browser.cards import shifts
from tests.browser.cards.pictures import ASKS, BIDS, ladder
from tests.daily import some

COUNT = """() => {
  window.flashes = [];
  const animate = Element.prototype.animate;
  Element.prototype.animate = function (...given) {
    const price = this.closest('.row').querySelector('.price').innerText;
    flashes.push([price, document.timeline.currentTime, Math.max(...given[0].opacity)]);
    return animate.apply(this, given);
  };
}"""
PLAY = """async (pictures) => { for (const p of pictures) {
  hosting.models[0].arrive('picture', p); await new Promise((next) => setTimeout(next, 100)); } }"""


def busy(frames, seed=5):
    """Pictures of a market at work: sizes, levels and the touch move, sides come and go."""
    chance = random.Random(seed)
    bids, asks = dict(map(tuple, BIDS)), dict(map(tuple, ASKS))
    for seq in range(2, frames + 2):
        for side, low, high in ((bids, 0.30, 0.47), (asks, 0.48, 0.65)):
            for _ in range(2):
                price = round(chance.randint(round(low * 200), round(high * 200)) / 200, 3)
                if price in side and chance.random() < 0.4:
                    del side[price]
                else:
                    side[price] = chance.choice([3, 41, 980, 12_000, 1_234_567])
        yield ladder(
            seq=seq,
            bids=sorted(map(list, bids.items()), reverse=True),
            asks=sorted(map(list, asks.items())) if seq % 50 else [],
            last={"price": 0.47, "size": seq, "taker": "yes", "at": ladder()["sent"]},
            status="stale" if seq % 70 == 0 else "live",
        )


def test_a_changed_level_flashes_at_most_once_in_600_ms(host):
    host.open().show(ladder())
    host.page.evaluate(COUNT)
    host.page.evaluate(PLAY, [ladder(seq=n, bids=[[0.47, n], *BIDS[1:]]) for n in range(2, 32)])
    flashes = host.page.evaluate("flashes")
    assert len(flashes) >= 3
    assert {price.split()[-1] for price, _, _ in flashes} == {"47.0¢"}
    assert all(b[1] - a[1] >= 600 for a, b in itertools.pairwise(flashes))
    assert {peak for _, _, peak in flashes} == {0.36}


def test_a_book_that_comes_anew_does_not_flash(host):
    host.open().show(ladder())
    host.page.evaluate(COUNT)
    host.send(ladder(seq=2, bids=[[p, s + 1] for p, s in BIDS], asks=[[p, s + 1] for p, s in ASKS]))
    host.send(ladder(seq=3, status="stale"))
    host.send(ladder(seq=4, bids=[[0.47, 9], *BIDS[1:]]))
    host.page.keyboard.press("s")
    assert host.page.evaluate("flashes") == []


def test_nothing_flashes_on_coming_back_into_sight(host):
    host.open(body="<main><div id='cell'></div><div style='height:4000px'></div></main>")
    host.show(ladder())
    host.page.evaluate(COUNT)
    host.page.evaluate("scrollTo(0, 3500)")
    host.settle()
    paints = host.data("paints")
    host.send(ladder(seq=2, bids=[[0.47, 9], *BIDS[1:]]))
    assert host.data("paints") == paints  # out of sight nothing is painted
    assert host.data("seq") == "1"
    host.page.evaluate("scrollTo(0, 0)")
    host.settle()
    assert host.data("seq") == "2"
    assert host.page.evaluate("flashes") == []
    host.send(ladder(seq=3, bids=[[0.47, 8], *BIDS[1:]]))
    assert len(host.page.evaluate("flashes")) == 1


@pytest.mark.parametrize("frames", some([150, 300], 1))  # half a minute of a market at work
def test_a_busy_market_never_moves_the_page(host, frames):
    host.open(body="<main><div id='cell' style='width:400px'></div><p>below</p></main>")
    host.show(ladder())
    heights = set()
    began = shifts.begin(host)
    pictures = list(busy(frames))
    for start in range(0, frames, 50):
        host.page.evaluate(PLAY, pictures[start : start + 50])
        heights.add(host.page.locator(".kalshi-nb").evaluate("(n) => n.offsetHeight"))
    assert host.data("seq") == str(frames + 1)
    assert shifts.since(host, began) == []
    assert len(heights) == 1


IN_THE_VIEW = "document.querySelector('.kalshi-nb').shadowRoot.querySelector('.bids .price')"
SHOVES = {
    "page": "document.querySelector('#cell').style.paddingTop = '60px'",
    "view": f"{IN_THE_VIEW}.style.left = '4px'",
}


@pytest.mark.parametrize("where", SHOVES)
def test_a_shift_would_be_seen_of_the_page_and_within_a_view(host, where):
    host.open(body="<main><div id='cell' style='width:400px'></div><p>below</p></main>")
    host.show(ladder())
    began = shifts.begin(host, 0)
    host.page.evaluate(SHOVES[where])
    (seen,) = shifts.since(host, began)
    assert seen["value"] > 0
    assert ("> kalshi-nb" if where == "page" else "> price") in str(seen["moved"])


def test_many_messages_between_two_frames_are_one_paint(host):
    host.open().show(ladder())
    script = """async (all) => {
      const { dataset } = document.querySelector('.kalshi-nb');
      const before = +dataset.paints;
      for (const p of all) hosting.models[0].arrive('picture', p);
      for (let i = 0; i < 2; i++) await new Promise(requestAnimationFrame);
      return +dataset.paints - before;
    }"""
    assert host.page.evaluate(script, list(busy(100))) in (1, 2)  # the second's own may fall between
    assert host.data("seq") == "101"


def test_rows_are_reused(host):
    host.open().show(ladder())
    count = "document.querySelector('.kalshi-nb').shadowRoot.querySelectorAll('*').length"
    pictures = list(busy(60))
    host.page.evaluate(PLAY, pictures[:30])
    before = host.page.evaluate(count)
    host.page.evaluate(PLAY, pictures[30:])
    assert host.page.evaluate(count) < before + 40
