"""The ladder without a browser: golden plain text, escaped HTML, and what saved notebooks show."""

import textwrap
from html.parser import HTMLParser

import nbformat
import pytest
from nbconvert import HTMLExporter

from kalshi_nb._widgets.ladder.picture import LadderPicture
from kalshi_nb._widgets.ladder.text import contracts_text, ladder_html, ladder_text, mid_text, spread_text
from kalshi_nb._widgets.ladder.view import LadderView
from tests.widgets.conftest import Presenter

TICKER = "KXHIGHNY-26NOV22-B52.5"
NOON = 1_795_348_800.0  # 2026-11-22 12:00:00 UTC
WHOLE = LadderPicture(
    1,
    "live",
    NOON,
    asks=((0.50, 80.0), (0.52, 1200.0)),
    bids=((0.47, 120.0), (0.46, 33.0)),
    changed_at=NOON,
)
GOLDEN = {
    "two-sided": (
        WHOLE,
        """
        KXHIGHNY-26NOV22-B52.5  live  bid 0.47 x 120  ask 0.50 x 80  spread 0.03
          price (YES, $)  contracts  total
                    0.52      1,200  1,280
                    0.50         80     80
          --------------------------------
                    0.47        120    120
                    0.46         33    153
        """,
    ),
    "one-sided and stale": (
        WHOLE._replace(asks=(), status="stale", note="sequence gap"),
        """
        KXHIGHNY-26NOV22-B52.5  stale since 2026-11-22 12:00:00 UTC  bid 0.47 x 120  no asks  spread none
          price (YES, $)  contracts  total
                 no asks
          --------------------------------
                    0.47        120    120
                    0.46         33    153
        (sequence gap)
        """,
    ),
    "connecting": (
        LadderPicture(0, "connecting", NOON),
        """
        KXHIGHNY-26NOV22-B52.5  connecting  no bids yet  no asks yet  spread none
          price (YES, $)  contracts  total
             no asks yet
          --------------------------------
             no bids yet
        """,
    ),
    "unknown": (
        LadderPicture(0, "unknown", NOON),
        """
        KXHIGHNY-26NOV22-B52.5  no such market  no bids  no asks  spread none
          price (YES, $)  contracts  total
                 no asks
          --------------------------------
                 no bids
        """,
    ),
    "fractional and deci-cent": (
        LadderPicture(1, "live", NOON, ((0.503, 0.25), (0.504, 2.0)), ((0.498, 12345.5),), price_decimals=3),
        """
        KXHIGHNY-26NOV22-B52.5  live  bid 0.498 x 12,345.50  ask 0.503 x 0.25  spread 0.005
          price (YES, $)  contracts      total
                   0.504          2       2.25
                   0.503       0.25       0.25
          ------------------------------------
                   0.498  12,345.50  12,345.50
        """,
    ),
}


@pytest.mark.parametrize("case", GOLDEN)
def test_plain_text_is_aligned_and_says_it_all_in_its_first_line(case):
    picture, expected = GOLDEN[case]
    assert ladder_text(TICKER, picture) == textwrap.dedent(expected).strip("\n")


@pytest.mark.parametrize(
    ("size", "text"),
    [(1.0, "1"), (1234567.0, "1,234,567"), (0.5, "0.50"), (1234.25, "1,234.25"), (0.1 + 0.2, "0.30"), (2.999999, "3")],
)
def test_contracts_have_decimals_only_where_they_are_not_whole(size, text):
    assert contracts_text(size) == text


@pytest.mark.parametrize(
    ("bid", "ask", "decimals", "mid", "spread"),
    [
        (0.47, 0.50, 2, "0.485", "0.03"),
        (0.47, 0.49, 2, "0.48", "0.02"),
        (0.498, 0.503, 3, "0.5005", "0.005"),
        (0.50, 0.49, 2, "0.495", "-0.01"),
        (0.0001, 0.9999, 4, "0.5000", "0.9998"),
    ],
)
def test_mid_and_spread_are_exact_on_the_markets_grid(bid, ask, decimals, mid, spread):
    picture = LadderPicture(1, "live", 0.0, ((ask, 1.0),), ((bid, 1.0),), price_decimals=decimals)
    assert (mid_text(picture), spread_text(picture)) == (mid, spread)


class Tags(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.words = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)

    def handle_data(self, data):
        self.words.append(data)


HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(2)>&amp;'


def test_hostile_text_is_shown_and_never_becomes_markup():
    parsed = Tags(ladder_html(HOSTILE, WHOLE._replace(note=HOSTILE, status=HOSTILE)))
    assert set(parsed.tags) == {"style", "table", "caption", "code", "thead", "tbody", "tr", "th", "td"}
    assert "".join(parsed.words).count(HOSTILE) == 3


def test_static_html_shows_asks_worst_first_then_the_spread_then_bids_best_first():
    words = "".join(word + " " for word in Tags(ladder_html(TICKER, WHOLE)).words)
    order = ["0.52", "0.50", "spread 0.03", "0.47", "0.46"]
    places = [words.index(each) for each in order]
    assert places == sorted(places)
    assert "as of 2026-11-22 12:00:00 UTC" in words


@pytest.mark.parametrize("side", ["asks", "bids"])
def test_static_html_says_in_words_that_a_side_is_empty(side):
    html = ladder_html(TICKER, WHOLE._replace(**{side: ()}))
    assert f"no {side}" in html
    assert "no spread" in html


def test_a_saved_notebook_without_widget_state_exports_the_static_table(messages, thread):
    view = LadderView(Presenter("KX-SAVED"), thread=thread)
    notebook = nbformat.v4.new_notebook()
    notebook.cells = [nbformat.v4.new_code_cell("book", execution_count=1)]
    notebook.cells[0].outputs = [nbformat.v4.new_output("execute_result", view.mimebundle(), execution_count=1)]
    page, _resources = HTMLExporter().from_notebook_node(notebook)
    assert '<table class="kalshi-ladder-static"><caption><code>KX-SAVED</code> live' in page
