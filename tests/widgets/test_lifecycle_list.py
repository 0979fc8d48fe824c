"""The list of what happens to markets: which words an event is told in, how creations collapse, and what travels."""

import json
import re
import textwrap

import pytest

import kalshi_nb as kn
from kalshi_nb._rows.channels import LAYOUTS
from kalshi_nb._widgets.lifecycle.picture import LifecyclePicture, Line
from kalshi_nb._widgets.lifecycle.text import lifecycle_html, lifecycle_text
from tests.feed.list_engine import BASE_US
from tests.widgets.feeds import MARKET, SECOND, feed_on_a_list, scene
from tests.widgets.test_lists import applied

CHANNEL = "market_lifecycle_v2"
NOON = 1_795_348_800
NAMES = [each.name for each in LAYOUTS[CHANNEL]]


def event(number, event_type, ticker=MARKET, **values):
    at = BASE_US + number * SECOND
    values = {"ts": at, "received_at": at, "seq": number, "event_type": event_type, "market_ticker": ticker} | values
    return tuple(values.get(name) for name in NAMES)


def told(view):
    return [(line.glyph, line.words) for line in view.take().lines]


@pytest.fixture
def played():
    with feed_on_a_list() as (feed, engine):
        yield feed, engine


@pytest.mark.parametrize(
    ("row", "glyph", "words"),
    [
        (event(1, "created", open_ts=NOON * SECOND), "○", "created, opens 2026-11-22 12:00 UTC"),
        (event(1, "activated"), "●", "open for trading"),
        (event(1, "deactivated", is_deactivated=True), "⊘", "halted by the exchange"),
        (event(1, "close_date_updated", close_ts=NOON * SECOND), "◷", "now closes 2026-11-22 12:00 UTC"),
        (event(1, "determined", result="yes", settlement_value=10_000), "◆", "determined YES, pays $1.00"),
        (event(1, "determined", result="no", settlement_value=0), "◆", "determined NO, YES pays $0.00"),
        (event(1, "determined", result="scalar", settlement_value=5_025), "◆", "determined scalar, YES pays $0.5025"),
        (event(1, "determined"), "◆", "determined"),
        (event(1, "settled", settled_ts=NOON * SECOND), "✓", "settled"),
        (
            event(1, "price_level_structure_updated", price_ranges='[{"start":"0","end":"1","step":"0.0010"}]'),
            "·",
            "tick is now 0.1¢",
        ),
        (event(1, "price_level_structure_updated", price_ranges='{"odd": [[]]}'), "·", "has another tick now"),
        (event(1, "metadata_updated"), "·", "described anew"),
        (event(1, "event_lifecycle", None, event_ticker="KXA", title="Who wins?"), "○", "new event"),
        (event(1, "event_fee_update", None, event_ticker="KXA", fee_multiplier_override=0.5), "·", "fees: x 0.5"),
        (event(1, "event_fee_update", None, event_ticker="KXA"), "·", "fees as usual again"),
        (event(1, "something_of_tomorrow"), "·", "something of tomorrow"),
    ],
    ids=lambda each: each if isinstance(each, str) and "_" not in each and len(each) < 40 else "",
)
def test_an_event_is_told_by_a_glyph_and_in_words(played, row, glyph, words):
    feed, engine = played
    view = scene(feed.lifecycle())
    engine.play(CHANNEL, row)
    feed.flush()
    assert told(view) == [(glyph, words)]


def test_a_line_has_the_title_of_its_market_as_soon_as_it_is_known_and_its_ticker_always(played):
    feed, engine = played
    view = scene(feed.lifecycle())
    engine.play(CHANNEL, event(1, "activated"), event(2, "event_lifecycle", None, event_ticker="KXA", title="Who?"))
    feed.flush()
    before = view.take()
    assert [(line.ticker, line.name) for line in before.lines] == [("KXA", "Who?"), (MARKET, "")]
    feed._markets.update(MARKET, 1, {"title": "Highest temperature?", "subtitle": "52°"})
    now = view.take()
    assert now.lines[1].name == "Highest temperature? · 52°"
    assert [line[0] for line in view.delta(before, now)["lines"]] == [now.lines[1].key]


def test_creations_between_two_other_events_are_one_line_a_series(played):
    feed, engine = played
    view = scene(feed.lifecycle())
    engine.play(CHANNEL, *(event(n, "created", f"KXMVE-{n}") for n in range(10)), event(10, "activated"))
    engine.play(CHANNEL, *(event(20 + n, "created", f"{'KXA' if n % 2 else 'KXMVE'}-{n}") for n in range(5)))
    engine.play(CHANNEL, event(30, "created", "KXONE-1"))
    feed.flush()
    assert [(line.words, line.ticker, line.times) for line in view.take().lines] == [
        ("created", "KXONE-1", 1),
        ("+2 created in KXA", "KXA", 2),
        ("+3 created in KXMVE", "KXMVE", 3),
        ("open for trading", MARKET, 1),
        ("+10 created in KXMVE", "KXMVE", 10),
    ]


def test_what_travels_makes_of_the_list_before_the_one_after(played):
    feed, engine = played
    view = scene(feed.lifecycle())
    before = view.take()
    page = view.body(before)["lines"]
    for number in range(200):
        kind = "created" if number % 5 else "determined"
        engine.play(CHANNEL, event(number, kind, f"KX{'AB'[number % 2]}-{number}"))
        feed.flush()
        now = view.take()
        sent = view.delta(before, now)
        page = applied(page, sent["lines"], sent["length"])
        assert page == view.body(now)["lines"]
        before = now
    json.dumps(page)


def test_ten_thousand_creations_leave_what_else_happened_in_sight(played):
    feed, engine = played
    view = scene(feed.lifecycle())
    engine.play(CHANNEL, event(1, "determined", result="yes", settlement_value=10_000))
    engine.play(CHANNEL, *(event(2, "created", f"KXMVE-{n}") for n in range(10_000)))
    feed.flush()
    assert [words for _, words in told(view)] == ["+10,000 created in KXMVE", "determined YES, pays $1.00"]
    assert view.take().changes == 10_001


@pytest.mark.parametrize("multivariate", [False, True])
def test_both_lifecycle_channels_are_shown_so(played, multivariate):
    feed, engine = played
    frame = feed.lifecycle(multivariate=multivariate)
    engine.play("multivariate_market_lifecycle" if multivariate else CHANNEL, event(1, "activated"))
    feed.flush()
    assert told(scene(frame)) == [("●", "open for trading")]
    assert "open for trading" in frame._repr_mimebundle_()["text/plain"]


def test_the_life_of_the_simulated_markets_is_told_to_its_end():
    with kn.sim.Exchange(seed=7, clock="manual", closes_in=60) as exchange, kn.connect(exchange) as feed:
        view = scene(feed.lifecycle(), rows=1000)
        exchange.advance(240)
        words = [line.words for line in view.take().lines]
        names = {line.name for line in view.take().lines}
    assert any(re.fullmatch(r"determined (YES, pays \$1\.00|NO, YES pays \$0\.00)", each) for each in words)
    assert any(each.startswith("settled") for each in words)
    assert "" not in names


LINES = (
    Line("a", NOON - 1.0, "determined", "◆", "determined YES, pays $1.00", "Highest temperature? · 52°", MARKET),
    Line("b", NOON - 90_000.0, "created", "○", "+214 created in KXMVE", "", "KXMVE", 214),
)
PICTURE = LifecyclePicture(1, "live", NOON, "Lifecycle of all markets", LINES, 1215)


def test_the_list_as_text():
    golden = """
        Lifecycle of all markets  live, 1,215 changes   (snapshot 2026-11-22 12:00:00 UTC)
          time (UTC)           what happened                 market
          11:59:59             ◆ determined YES, pays $1.00  KXHIGHNY-26NOV22-B52.5 Highest temperature? · 52°
          2026-11-21 11:00:00  ○ +214 created in KXMVE
    """
    assert lifecycle_text(PICTURE) == textwrap.dedent(golden).strip()
    assert lifecycle_text(PICTURE._replace(lines=(), changes=0)).endswith("\n  nothing has happened yet")


def test_all_that_the_text_says_stands_in_the_table_and_hostile_texts_do_nothing_in_either():
    hostile = "<img src=x onerror=alert(1)>\u202e\u2066" + "W" * 10_000
    lines = tuple(Line(str(n), NOON, hostile, "·", hostile, hostile, hostile) for n in range(200))
    html = lifecycle_html(PICTURE, note="A still picture.")
    for words in ("determined YES, pays $1.00", "+214 created in KXMVE", "1,215 changes", "A still picture."):
        assert words in html
    picture = PICTURE._replace(lines=lines, title=hostile, note="")
    assert "<img" not in lifecycle_html(picture)
    assert len(lifecycle_html(picture)) < 20_000
    assert not {"\u202e", "\u2066"} & {*lifecycle_html(picture), *lifecycle_text(picture)}
