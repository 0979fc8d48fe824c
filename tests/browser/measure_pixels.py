"""How long a change of a book takes to the page: a measurement, which asserts nothing of times, and so is no test.

``python -m pytest -s tests/browser/measure_pixels.py`` prints, for a ladder that changes 40 times a second in a real
JupyterLab in a real Chromium, the time from each change, and from the moment in which the kernel sends a picture, to
the end of the frame that shows it or a later one. Page and kernel share the machine's clock.
"""

import json
import re
from statistics import quantiles

import pytest

SECONDS = 30
MADE = """
from moving_ladder import *

class Noted(MovingLadder):
    made = []

    def show(self, *arguments, **fields):
        super().show(*arguments, **fields)
        self.made.append((self._picture.version, time.time() * 1000))

import time
source = Noted().start()
shown = Shown(source)
shown
"""
SEEN = """() => {
  window.seen = [];
  const ladder = document.querySelector('[data-kind="ladder"]');
  let last = ladder.dataset.seq;
  new MutationObserver(() => {
    const seq = ladder.dataset.seq;
    if (seq === last) return;
    last = seq;
    setTimeout(() => window.seen.push([+seq, performance.timeOrigin + performance.now()]));  // behind the frame
  }).observe(ladder, {attributes: true, attributeFilter: ['data-seq']});
}"""


def follow_pictures(page):
    """A list that grows by each picture that comes over the sockets: its number, version, and when it was sent."""
    sent = []

    def note(payload):
        payload = payload if isinstance(payload, bytes) else payload.encode()
        found = [re.search(rb'"%s": ?([\d.]+)' % name, payload) for name in (b"seq", b"version", b"sent")]
        if all(found):
            seq, version, at = (float(each[1]) for each in found)
            sent.append((int(seq), int(version), at * 1000))

    page.on("websocket", lambda socket: socket.on("framereceived", note))
    return sent


def until_seen(moments, seen):
    """Milliseconds from each picture's moment until it, or a later one, was seen."""
    return [
        next(at for seq, at in seen if seq >= number) - when
        for number, when in moments
        if seen[0][0] < number <= seen[-1][0]
    ]


@pytest.mark.parametrize(("cell", "meanwhile"), [("waits", "time.sleep(0.05)"), ("computes", "sum(range(20_000))")])
def test_from_a_change_to_the_page(lab, page, cell, meanwhile):
    sent = follow_pictures(page)
    wait = lab.until_looked(meanwhile=meanwhile)
    keep = "import json\npathlib.Path('made.json').write_text(json.dumps(source.made))"
    lab.show(page, f"{cell}.ipynb", MADE, f"{wait}source.stop()\n{keep}")
    page.evaluate(SEEN)
    page.wait_for_timeout(SECONDS * 1000)  # not a sleep: the sockets are followed meanwhile
    seen = page.evaluate("window.seen")
    lab.looked()
    lab.wait_until_run(page)
    made = json.loads((lab.root / "made.json").read_text())
    shown_in = [(next((seq for seq, version, _ in sent if version >= changed), 0), when) for changed, when in made]
    for name, moments in (("change", shown_in), ("picture sent", [(seq, at) for seq, _, at in sent])):
        took = until_seen(moments, seen)
        assert len(took) > 50
        hundredths = quantiles(took, n=100)
        print(f"\nthe cell {cell}, {name}: p50 {hundredths[49]:.0f} ms, p99 {hundredths[98]:.0f} ms of {len(took)}")
