"""The tape without a browser: golden plain text, escaped HTML, what is left of it without its style."""

import re
import textwrap

import pytest

from kalshi_nb._widgets.ladder.picture import Market
from kalshi_nb._widgets.tape.picture import Hole, TapePicture, Trade
from kalshi_nb._widgets.tape.text import tape_html, tape_text

NOON = 1_795_348_800.0  # 2026-11-22 12:00:00 UTC
A, B = "KXHIGHNY-26NOV22-B52.5", "KXBTC-1"


def at(seconds, price, size, taker, ticker=A, *, block=0, late=0):
    return Trade(f"{seconds}", 0, NOON - seconds, price, size, taker, block, late, ticker)


LINES = (
    at(1, 0.485, 30.0, "yes"),
    at(2, 0.47, 1200.0, "no"),
    Hole("gap", 1, NOON - 20, NOON - 6, 0, None, "connection lost"),
    at(21, 0.48, 5000.0, "yes", block=1),
    at(86_400, 0.48, 1.5, None, late=1),
)
ONE = TapePicture(1, "live", NOON, A, Market(A, "Highest temperature?", "52°"), LINES, 1204, 1000.0, {A: 1})
GOLDEN = {
    "one market": (
        ONE,
        {},
        """
        Trades of KXHIGHNY-26NOV22-B52.5  live, the last 4 of 1,204 trades   (snapshot 2026-11-22 12:00:00 UTC)
          Highest temperature? · 52°
          time (UTC)           taker     YES price  contracts
          11:59:59             YES ▲         48.5¢      30.00
          11:59:58             NO ▼          47.0¢   1,200.00  ★ large
          gap 14 s, 0 trades seen
          11:59:39             YES ▲         48.0¢   5,000.00  ★ large, block
          2026-11-21 12:00:00  not told      48.0¢       1.50  ↺ fetched later
        """,
    ),
    "the other leg": (
        ONE._replace(lines=LINES[:2], changes=2),
        {"side": "no", "unit": "dollars"},
        """
        Trades of KXHIGHNY-26NOV22-B52.5  live, 2 trades   (snapshot 2026-11-22 12:00:00 UTC)
          Highest temperature? · 52°
          time (UTC)  taker  NO price  contracts
          11:59:59    YES ▲     0.515         30
          11:59:58    NO ▼      0.530      1,200  ★ large
        """,
    ),
    "several markets, stale": (
        TapePicture(
            1,
            "stale",
            NOON,
            "Trades of all markets",
            None,
            (
                Hole("gap", 1, NOON - 12, None, 0, None, "connection lost"),
                at(13, 0.485, 30.0, "yes"),
                Hole("g", 1, NOON - 14, NOON - 14, None, 3, "sequence"),
                at(15, 0.4, 2.0, "no", B),
            ),
            2,
            None,
            {A: 1, B: 0},
            note="the connection is lost; connecting again",
        ),
        {},
        """
        Trades of all markets  stale, 2 trades   (snapshot 2026-11-22 12:00:00 UTC)
          time (UTC)  market                  taker  YES price  contracts
          gap 12 s, 0 trades seen so far
          11:59:47    KXHIGHNY-26NOV22-B52.5  YES ▲      48.5¢         30
          gap 3 messages lost
          11:59:45    KXBTC-1                 NO ▼         40¢          2
        (the connection is lost; connecting again)
        """,
    ),
    "nothing yet": (
        TapePicture(1, "live", NOON, "Trades of 3 markets", None, (), 0, None, {}),
        {},
        """
        Trades of 3 markets  live, 0 trades   (snapshot 2026-11-22 12:00:00 UTC)
          time (UTC)  market  taker  YES price  contracts
          no trades yet
        """,
    ),
}


@pytest.mark.parametrize("name", GOLDEN)
def test_a_tape_as_text(name):
    picture, options, golden = GOLDEN[name]
    assert tape_text(picture, **options) == textwrap.dedent(golden).strip()


@pytest.mark.parametrize("name", GOLDEN)
def test_all_that_the_text_says_stands_in_the_table_without_style_or_class(name):
    picture, options, golden = GOLDEN[name]
    html = tape_html(picture, note="A still picture.", **options)
    bare = re.sub(r"<style>.*?</style>| class=\"[^\"]*\"", "", html)
    words = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", bare))
    for cell in re.split(r"\s{2,}|\n|\(snapshot|,", textwrap.dedent(golden)):
        assert cell.strip(" ()") in words, cell
    assert "A still picture." in words
    assert not re.search(r"<script|http|\bid=", html)
    assert re.findall(r"<tr>", html).__len__() == html.count("</tr>")
    columns = 6 if picture.market is None else 5
    for row in re.findall(r"<tr>(.*?)</tr>", html.split("<tbody>")[1].split("</tbody>")[0]):
        assert len(re.findall(r"<t[dh] ", row)) == columns


def test_hostile_texts_do_nothing_and_stay_small():
    hostile = "<img src=x onerror=alert(1)>\u202e\u2066" + "W" * 10_000
    lines = tuple(at(n, 0.5, 1.0, "yes", f"{hostile}{n}") for n in range(200))
    picture = TapePicture(1, "live", NOON, hostile, None, lines, 200, None, {})
    html = tape_html(picture)
    assert "<img" not in html
    assert not {"\u202e", "\u2066"} & {*html, *tape_text(picture)}
    assert len(html) < 20_000
    assert len(tape_html(ONE._replace(market=Market(hostile, hostile, hostile)))) < 20_000
