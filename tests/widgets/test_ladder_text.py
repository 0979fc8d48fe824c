"""The ladder without a browser: golden plain text, escaped HTML, what is left of it without its style."""

# ruff: noqa: E501, RUF001  # golden texts stand as they are shown

import re
import textwrap
from html.parser import HTMLParser

import pytest

from kalshi_nb._widgets.ladder.picture import LadderPicture, Last, Market
from kalshi_nb._widgets.ladder.text import ladder_html, ladder_line, ladder_text
from tests.widgets.conftest import Presenter, ladder_view

TICKER = "KXHIGHNY-26NOV22-B52.5"
NOON = 1_795_348_800.0  # 2026-11-22 12:00:00 UTC
WHOLE = LadderPicture(
    1,
    "live",
    NOON,
    NOON,
    Market(TICKER),
    asks=((0.50, 80.0), (0.52, 1200.0)),
    bids=((0.47, 120.0), (0.46, 33.0)),
    changed_at=NOON,
)
GOLDEN = {
    "two-sided": (
        WHOLE,
        """
        KXHIGHNY-26NOV22-B52.5  live  YES bid 47¢ x 120  ask 50¢ x 80  spread 3¢  chance 49 %   (snapshot)
          side  price  contracts  total
          ask     52¢      1,200  1,280  ██████████
          ask     50¢         80     80  ██▌
          bid     47¢        120    120  ███
          bid     46¢         33    153  █▌
          mid 48.5¢ · imbalance +20 %
          changed 2026-11-22 12:00:00 UTC
        """,
    ),
    "with title, last trade and own order": (
        WHOLE._replace(
            market=Market(TICKER, "Highest temperature in NYC?", "52° to 53°", phase="active"),
            last=Last(0.48, 30.0, "yes", NOON),
            orders=(("yes", 0.46, 25.0),),
        ),
        """
        KXHIGHNY-26NOV22-B52.5  live  YES bid 47¢ x 120  ask 50¢ x 80  spread 3¢  chance 49 %   (snapshot)
          Highest temperature in NYC? · 52° to 53°
          side  price  contracts  total
          ask     52¢      1,200  1,280  ██████████
          ask     50¢         80     80  ██▌
          bid     47¢        120    120  ███
          bid     46¢         33    153  █▌ (own order: 25)
          mid 48.5¢ · imbalance +20 %
          last 48¢ x 30 YES taker at 2026-11-22 12:00:00 UTC
          changed 2026-11-22 12:00:00 UTC
        """,
    ),
    "one-sided and stale": (
        WHOLE._replace(asks=(), status="stale", note="sequence gap", last=Last(0.4, 1.0, None, NOON)),
        """
        KXHIGHNY-26NOV22-B52.5  stale since 2026-11-22 12:00:00 UTC  YES bid 47¢ x 120  no asks  no spread  chance –   (snapshot)
          side  price  contracts  total
          no asks
          bid     47¢        120    120  ██████████
          bid     46¢         33    153  █████
          last 40¢ x 1 at 2026-11-22 12:00:00 UTC
          changed 2026-11-22 12:00:00 UTC
        (sequence gap)
        """,
    ),
    "connecting": (
        LadderPicture(0, "connecting", NOON, NOON, Market(TICKER)),
        """
        KXHIGHNY-26NOV22-B52.5  connecting  YES no bids yet  no asks yet  no spread  chance –   (snapshot)
          side  price  contracts  total
          no asks yet
          no bids yet
        """,
    ),
    "unknown": (
        LadderPicture(0, "unknown", NOON, NOON, Market(TICKER)),
        """
        KXHIGHNY-26NOV22-B52.5  no such market  YES no bids  no asks  no spread  chance –   (snapshot)
          side  price  contracts  total
          no asks: no resting orders
          no bids: no resting orders
        """,
    ),
    "fractional and deci-cent": (
        WHOLE._replace(asks=((0.503, 0.25), (0.504, 2.0)), bids=((0.498, 12345.5),), decimals=1, changed_at=None),
        """
        KXHIGHNY-26NOV22-B52.5  live  YES bid 49.8¢ x 12,345.50  ask 50.3¢ x 0.25  spread 0.5¢  chance 50 %   (snapshot)
          side  price  contracts      total
          ask   50.4¢       2.00       2.25  ██▌
          ask   50.3¢       0.25       0.25  █
          bid   49.8¢  12,345.50  12,345.50  ██████████
          mid 50.05¢ · imbalance +100 %
        """,
    ),
}


def undated(text):
    return re.sub(r"snapshot \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", "snapshot", text)


@pytest.mark.parametrize("case", GOLDEN)
def test_plain_text_is_aligned_and_says_it_all_in_its_first_line(case):
    picture, expected = GOLDEN[case]
    assert undated(ladder_text(picture)) == textwrap.dedent(expected).strip("\n")


def test_a_size_that_is_far_above_the_others_leaves_them_visible():
    picture = WHOLE._replace(asks=((0.5, 1_000_000.0),))
    assert "bid     46¢         33        153  ▌" in ladder_text(picture).replace("█", "")


# What it is worth -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bids", "asks", "last", "says"),
    [
        (((0.47, 1.0),), ((0.50, 1.0),), 0.9, "chance 49 %"),
        (((0.45, 1.0),), ((0.55, 1.0),), 0.9, "chance 50 %"),
        (((0.45, 1.0),), ((0.56, 1.0),), 0.5, "last 50 %"),
        (((0.45, 1.0),), ((0.56, 1.0),), None, "chance –"),
        ((), ((0.05, 1.0),), 0.04, "last 4 %"),
        (((0.99, 1.0),), (), None, "chance –"),
        ((), (), None, "chance –"),
        (((0.50, 1.0),), ((0.49, 1.0),), 0.3, "chance –"),
        ((), ((0.01, 1.0),), 0.004, "last < 1 %"),
        (((0.99, 1.0),), ((1.0, 1.0),), None, "chance > 99 %"),
    ],
    ids=[
        "close",
        "ten cents",
        "eleven cents",
        "wide, no trade",
        "asks alone",
        "bids alone",
        "empty",
        "crossed",
        "nearly none",
        "nearly sure",
    ],
)
def test_a_probability_is_the_mid_of_a_close_book_else_the_last_trade_else_nothing(bids, asks, last, says):
    last = None if last is None else Last(last, 1.0, None, NOON)
    assert ladder_line(WHOLE._replace(bids=bids, asks=asks, last=last)).endswith(f"  {says}")


@pytest.mark.parametrize(
    ("phase", "more", "says"),
    [
        (None, {}, "live"),
        ("active", {}, "live"),
        ("initialized", {}, "not open yet"),
        ("inactive", {}, "halted by the exchange"),
        ("closed", {}, "closed, awaiting result"),
        ("determined", {"result": "yes", "settlement": 1.0}, "determined YES, pays $1.0000"),
        ("determined", {"result": "scalar", "settlement": 0.5}, "determined SCALAR, pays $0.5000"),
        ("disputed", {"result": "no"}, "result disputed"),
        ("finalized", {"result": "no", "settlement": 0.0}, "settled NO, pays $0.0000"),
    ],
)
def test_a_market_that_is_not_simply_open_is_never_called_live(phase, more, says):
    picture = WHOLE._replace(market=Market(TICKER, phase=phase, **more))
    for text in (ladder_line(picture), Tags(ladder_html(picture)).text):
        assert says in text
        assert ("live" in text) == (says == "live")


def test_what_a_decided_market_pays_is_its_probability():
    picture = WHOLE._replace(market=Market(TICKER, phase="determined", result="yes", settlement=1.0))
    assert ladder_line(picture).endswith("chance > 99 %")


# The other leg ----------------------------------------------------------------------------------------------------


def test_the_no_leg_is_the_mirror_level_by_level():
    for cents in range(1, 100):
        price = cents / 100
        picture = WHOLE._replace(bids=((price, 3.0),), asks=(), orders=(("yes", price, 1.0),))
        other = picture.mirrored()
        assert other.bids == ()
        assert round((other.asks[0][0] + price) * 100) == 100
        assert other.asks[0] == ((100 - cents) / 100, 3.0)
        assert other.mirrored() == picture
    text = undated(ladder_text(WHOLE, side="no"))
    assert "NO bid 50¢ x 80  ask 53¢ x 120  spread 3¢  chance 51 %" in text
    assert "imbalance −20 %" in text
    assert "price (NO)" in ladder_html(WHOLE, side="no")


@pytest.mark.parametrize(("unit", "says"), [("dollars", "bid 0.47 x"), ("probability", "bid 47 % x")])
def test_prices_stand_in_the_unit_that_was_asked_for(unit, says):
    assert says in ladder_line(WHOLE, unit=unit)


# HTML -------------------------------------------------------------------------------------------------------------


class Tags(HTMLParser):
    """What is in a piece of markup, and what a page that takes style, script, class and id away leaves of it."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.words, self.attributes, self.left = [], [], set(), []
        self._skips = False
        self.feed(text)

    @property
    def text(self):
        return " ".join(self.words)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}
        self._skips = tag in ("style", "script")
        kept = "".join(f' {name}="{value}"' for name, value in attrs if name not in ("class", "id", "style"))
        if not self._skips:
            self.left.append(f"<{tag}{kept}>")

    def handle_endtag(self, tag):
        if not self._skips:
            self.left.append(f"</{tag}>" + ("\n" if tag in ("caption", "tr", "thead", "tbody") else ""))
        self._skips = False

    def handle_data(self, data):
        if not self._skips:
            self.words.append(data)
            self.left.append(data)


STRIPPED = """
<table><caption><code>KXHIGHNY-26NOV22-B52.5</code><br>live · YES bid 47¢ x 120 · ask 50¢ x 80 · spread 3¢ · chance 49 %<br>snapshot</caption>
<thead><tr><th scope="col" align="left">side</th><th scope="col" align="right">price (YES)</th><th scope="col" align="right">contracts</th><th scope="col" align="right">total</th><th scope="col" align="left">size as a bar</th></tr>
</thead>
<tbody><tr><th scope="row" align="left">ask</th><td align="right">52¢</td><td align="right">1,200</td><td align="right">1,280</td><td align="left">██████████</td></tr>
<tr><th scope="row" align="left">ask</th><td align="right">50¢</td><td align="right">80</td><td align="right">80</td><td align="left">██▌</td></tr>
<tr><th scope="row" align="left">bid</th><td align="right">47¢</td><td align="right">120</td><td align="right">120</td><td align="left">███</td></tr>
<tr><th scope="row" align="left">bid</th><td align="right">46¢</td><td align="right">33</td><td align="right">153</td><td align="left">█▌</td></tr>
</tbody>
<tfoot><tr><td colspan="5" align="left">mid 48.5¢ · imbalance +20 %</td></tr>
<tr><td colspan="5" align="left">changed 2026-11-22 12:00:00 UTC</td></tr>
</tfoot></table>
"""


def test_a_page_that_takes_style_script_class_and_id_leaves_a_readable_table():
    assert undated("".join(Tags(ladder_html(WHOLE)).left)) == STRIPPED.strip()


def test_a_still_ladder_has_no_script_no_address_and_no_id():
    html = ladder_html(WHOLE, note="below")
    found = Tags(html)
    assert not {"script", "img", "link", "iframe", "a"} & set(found.tags)
    assert found.attributes <= {"class", "scope", "align", "colspan"}
    assert not re.search(r"https?:|url\(|@import", html)
    assert found.words[-1] == "below"


def test_the_longest_ladder_stays_under_twenty_kilobytes_and_says_what_it_left_out():
    levels = tuple((0.0001 * (i + 1), 1_234_567.89) for i in range(100))
    html = ladder_html(WHOLE._replace(asks=levels, bids=levels, decimals=2, note="n" * 200), note="n" * 300)
    assert len(html.encode()) < 20_000
    assert html.count("60 more") == 2


HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(2)>&amp;'
TURNED = "\u202egnorw\u2066\u2069 \u0007"


def test_hostile_text_is_shown_and_never_becomes_markup():
    market = Market(HOSTILE, HOSTILE + TURNED, HOSTILE, phase="determined", result=HOSTILE)
    picture = WHOLE._replace(market=market, note=HOSTILE, status=HOSTILE)
    found = Tags(ladder_html(picture, note=HOSTILE))
    allowed = {"style", "table", "caption", "code", "br", "thead", "tbody", "tfoot", "tr", "th", "td"}
    assert set(found.tags) <= allowed
    assert found.text.count(HOSTILE) >= 4
    for text in (found.text, ladder_text(picture)):
        assert not set("\u202e\u2066\u2069\u0007") & set(text)


def test_static_html_shows_asks_worst_first_then_bids_best_first():
    words = Tags(ladder_html(WHOLE)).words
    levels = [word for word in words if word in ("52¢", "50¢", "47¢", "46¢")]
    assert levels == ["52¢", "50¢", "47¢", "46¢"]


@pytest.mark.parametrize("side", ["asks", "bids"])
def test_static_html_says_in_words_that_a_side_is_empty(side):
    text = Tags(ladder_html(WHOLE._replace(**{side: ()}))).text
    assert f"no {side}" in text
    assert "no spread" in text
    assert "mid" not in text


def test_a_saved_notebook_without_widget_state_exports_the_static_table(messages, thread):
    view = ladder_view(Presenter("KX-SAVED"), thread=thread)
    import nbformat  # it takes seconds, and is needed here alone
    from nbconvert import HTMLExporter

    notebook = nbformat.v4.new_notebook()
    notebook.cells = [nbformat.v4.new_code_cell("book", execution_count=1)]
    notebook.cells[0].outputs = [nbformat.v4.new_output("execute_result", view.mimebundle(), execution_count=1)]
    page, _resources = HTMLExporter().from_notebook_node(notebook)
    assert re.search(r"<caption><code>KX-SAVED</code><br/?>live", page)
