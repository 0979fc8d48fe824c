"""What has just become different about a market is told at the foot of its ladder, for ten seconds of its time."""

import pytest

from kalshi_nb._rows.market_facts import MarketFacts, PriceRange
from kalshi_nb._session.extension import ladders
from kalshi_nb._widgets.ladder.news import NEWS_SECONDS, News
from kalshi_nb._widgets.ladder.presenter import LadderPresenter
from kalshi_nb._widgets.ladder.text import ladder_html, ladder_text
from tests.widgets.test_ladder_presenter import StandingClock
from tests.widgets.test_status import NOON, SECOND

CENTS = ((0, 10_000, 100),)
TENTHS = ((0, 10_000, 10),)
TAPERED = ((0, 1_000, 10), (1_000, 9_000, 100), (9_000, 10_000, 10))


def test_a_change_is_told_for_ten_seconds_and_what_is_first_known_is_none():
    news = News()
    assert news.of(None, None, NOON) == ""
    assert news.of(CENTS, NOON + 3_600, NOON + 1) == ""
    assert news.of(TENTHS, NOON + 3_600, NOON + 2) == "tick is now 0.1¢"
    assert news.of(TENTHS, NOON + 3_600, NOON + 2 + NEWS_SECONDS - 0.1) == "tick is now 0.1¢"
    assert news.of(TENTHS, NOON + 3_600, NOON + 2 + NEWS_SECONDS) == ""


def test_both_are_told_each_for_its_own_time():
    news = News()
    news.of(CENTS, NOON + 3_600, NOON)
    assert news.of(TAPERED, NOON + 3_600, NOON) == "ticks are now 0.1¢ to 1¢"
    both = news.of(TAPERED, NOON + 1_800, NOON + 5)
    assert both == "ticks are now 0.1¢ to 1¢; now closes 2026-11-22 12:30:00 UTC"
    assert news.of(TAPERED, NOON + 1_800, NOON + 12) == "now closes 2026-11-22 12:30:00 UTC"
    assert news.of(TAPERED, NOON + 1_800, NOON + 15) == ""


def test_what_is_not_known_for_a_moment_takes_nothing_back():
    news = News()
    news.of(CENTS, NOON + 3_600, NOON)
    assert news.of(None, None, NOON + 1) == ""
    assert news.of(CENTS, NOON + 3_600, NOON + 2) == ""
    assert news.of(TENTHS, NOON + 3_600, NOON + 3) == "tick is now 0.1¢"


def test_a_change_of_the_change_is_told_anew():
    news = News()
    news.of(CENTS, None, NOON)
    news.of(TENTHS, None, NOON + 1)
    assert news.of(CENTS, None, NOON + 9) == "tick is now 1¢"
    assert news.of(CENTS, None, NOON + 18) == "tick is now 1¢"


@pytest.mark.parametrize(
    ("ticks", "words"), [(((0, 10_000, 25),), "tick is now 0.25¢"), (((0, 10_000, 1),), "tick is now 0.01¢")]
)
def test_a_tick_is_written_as_what_it_is(ticks, words):
    news = News()
    news.of(CENTS, None, NOON)
    assert news.of(ticks, None, NOON) == words


def test_a_ladder_tells_it_in_every_form_and_the_end_of_it_is_news():
    ladder, clock = ladders(compiled=False)("KX-1"), StandingClock(NOON * SECOND)
    ladder.replace({4_700: 100}, {5_000: 200}, clock.now)
    known = [
        MarketFacts(market_ticker="KX-1", price_ranges=(PriceRange(0, 10_000, 100),), close_time=(NOON + 60) * SECOND)
    ]
    presenter = LadderPresenter("KX-1", ladder, clock, facts=lambda: known[-1])
    assert presenter.picture(5).note == ""
    known.append(
        MarketFacts(market_ticker="KX-1", price_ranges=(PriceRange(0, 10_000, 10),), close_time=(NOON + 60) * SECOND)
    )
    told = presenter.picture(5)
    for form in (ladder_text(told), ladder_html(told), told.body()["note"]):
        assert "tick is now 0.1¢" in form
    clock.now += 11 * SECOND
    quiet = presenter.picture(5)
    assert (quiet.note, quiet.decimals) == ("", 1)
    assert quiet.version != told.version
    assert quiet.version == presenter.picture(5).version


def test_that_messages_were_lost_is_told_first():
    ladder, clock = ladders(compiled=False)("KX-1"), StandingClock(NOON * SECOND)
    known = [MarketFacts(market_ticker="KX-1", close_time=(NOON + 60) * SECOND)]
    presenter = LadderPresenter("KX-1", ladder, clock, facts=lambda: known[-1])
    presenter.picture(5)
    known.append(MarketFacts(market_ticker="KX-1", close_time=(NOON + 90) * SECOND))
    assert presenter.picture(5).note == "now closes 2026-11-22 12:01:30 UTC"
    ladder.set_status("stale", clock.now, "sequence")
    assert presenter.picture(5).note == "messages were lost; asking for a new snapshot"
