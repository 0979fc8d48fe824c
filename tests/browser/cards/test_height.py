"""Cards that are to be so many pixels high: what is in them fits, also where they were out of sight at first."""

import pytest

from tests.browser.cards.board_pictures import board, table
from tests.browser.cards.depth_pictures import depth_states
from tests.browser.cards.event_pictures import event_states
from tests.browser.cards.few import few
from tests.browser.cards.tape_pictures import tapes
from tests.browser.cards.test_chart import price

PICTURES = {
    "board": board,
    "chart": price,
    "depth": lambda: depth_states()["live"],
    "event": lambda: event_states()["many"],
    "table": table,
    "tape": lambda: tapes()["live"],
}
HIDDEN = "<main><div id='cell' style='display: none'></div></main>"


def bounds(host):
    """The card's height, that of its body, and how much of the body does not fit into it."""
    script = "(n) => [n.offsetHeight, ...[n.querySelector('.body')].map((b) => [b.clientHeight, b.scrollHeight])[0]]"
    card, room, needed = host.page.locator(".kalshi-nb .card").evaluate(script)
    return card, room, needed - room


@pytest.mark.parametrize(
    ("kind", "is_hidden"),
    few([(kind, hidden) for kind in PICTURES for hidden in (False, True)], [("board", False), ("chart", True)]),
)
@pytest.mark.parametrize("height", [400, 620])
def test_what_is_in_a_card_fits_into_its_height(host, kind, is_hidden, height):
    host.open(**({"body": HIDDEN} if is_hidden else {}))
    host.show(PICTURES[kind](), {"theme": "light", "height": height}, kind=kind)
    if is_hidden:
        host.page.evaluate("() => { document.querySelector('#cell').style.display = ''; }")
        host.settle()
    card, room, over = bounds(host)
    assert card == height
    assert over <= 0
    # What can fill its room does: no more is left than a row.
    inner = {"board": ".g-grid", "chart": ".frame", "depth": ".frame", "table": ".g-grid", "tape": ".list"}.get(kind)
    if inner:
        assert room - host.page.locator(f".kalshi-nb {inner}").first.evaluate("(n) => n.offsetHeight") < 90
