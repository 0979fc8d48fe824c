"""The view of gaps: where they lie in the last hour, which of them are open, and that there are none."""

import re

import pytest

from kalshi_nb._widgets.gaps.presenter import gaps_picture
from kalshi_nb._widgets.gaps.text import gaps_html, gaps_text
from kalshi_nb._widgets.gaps.view import GapsView
from kalshi_nb._widgets.status.picture import ChannelReading
from kalshi_nb._widgets.status.source import HealthSource
from kalshi_nb.errors import ConfigurationError, UsageError
from tests.widgets.test_status import HOSTILE, NOON, SECOND, gap, reading


def picture(rows=8, **given):
    return gaps_picture(HealthSource(lambda: reading(**given)), rows)


def lanes(shown):
    return {
        lane.channel: [(each.begins - NOON, each.ends and each.ends - NOON) for each in lane.spans]
        for lane in shown.lanes
    }


def test_that_there_are_none_is_told_with_since_when_and_of_how_many_messages():
    assert picture().summary == "no gaps since 12:00 UTC, 1,412,003 messages"
    assert gaps_text(picture()).startswith(
        "● live · no gaps since 12:00 UTC, 1,412,003 messages   (snapshot 2026-11-22 14:10:00 UTC)"
    )


def test_each_wanted_channel_has_a_lane_and_each_that_had_a_gap_in_the_hour():
    gaps = [gap(100, 200, channel="fill"), gap(7_000, 7_100, channel="user_orders"), gap(7_300, None)]
    assert lanes(picture(gaps=gaps)) == {"trade": [(7_300, None)], "ticker": [], "user_orders": [(7_000, 7_100)]}


def test_a_gap_that_ended_within_the_hour_is_there_from_its_beginning():
    assert lanes(picture(gaps=[gap(3_000, 4_300)]))["trade"] == [(3_000, 4_300)]
    assert lanes(picture(gaps=[gap(3_000, 4_100)]))["trade"] == []
    assert lanes(picture(gaps=[gap(3_000, None)]))["trade"] == [(3_000, None)]


def test_gaps_that_lie_too_close_to_be_told_apart_are_one_stretch_that_counts_them():
    close = [gap(7_000 + second, 7_001 + second) for second in range(0, 50, 5)]
    (trade, _) = picture(gaps=[*close, gap(7_200, 7_201)]).lanes
    assert [(each.number, each.lasted) for each in trade.spans] == [(10, "46 s"), (1, "1.0 s")]
    (trade, _) = picture(gaps=[gap(7_000, None), gap(7_100, 7_101)]).lanes
    assert [(each.number, each.ends) for each in trade.spans] == [(2, None)]


def test_an_hour_full_of_gaps_is_no_more_than_can_be_told_apart():
    gaps = [gap(4_300 + step / 3, 4_300 + step / 3 + 0.1) for step in range(10_000)]
    assert len(picture(gaps=gaps).lanes[0].spans) == 1
    gaps = [gap(4_300 + step * 13, 4_301 + step * 13) for step in range(269)]
    assert len(picture(gaps=gaps).lanes[0].spans) < 300


def test_a_clock_that_was_set_moves_no_gap():
    seen = gap(7_000, 7_100)
    seen.opened_at, seen.closed_at = seen.opened_at - 10**10, seen.closed_at - 10**10
    assert lanes(picture(gaps=[seen]))["trade"] == [(7_000, 7_100)]


def test_time_alone_is_no_news():
    gaps = [gap(7_000, 7_100), gap(7_300, None)]
    # Two clocks are read one after the other: between them lie some microseconds, and never as many.
    before, after = (picture(gaps=gaps, at=at, now=NOON + at + at * 1e-6, messages=at) for at in (7_800, 7_830))
    assert before.version == after.version
    gaps[1].close((NOON + 7_850) * SECOND, (NOON + 7_850) * SECOND, None)
    assert picture(gaps=gaps, at=7_860).version != after.version


def test_while_there_are_none_each_message_is_news():
    assert picture(messages=1).version != picture(messages=2).version


def test_the_newest_are_told_as_many_as_there_are_rows():
    shown = picture(rows=3, gaps=[gap(second, second + 1) for second in range(0, 100, 10)], gaps_dropped=7)
    assert [each.at - NOON for each in shown.gaps] == [90, 80, 70]
    assert (shown.gap_count, shown.open_count) == (17, 0)
    assert gaps_text(shown).endswith("14 older ones are in feed.gaps")


def test_text_has_an_hour_a_letter_a_minute_and_blank_before_the_feed():
    shown = picture(at=1_800, gaps=[gap(600, 661), gap(1_740, None)])
    hour = gaps_text(shown).splitlines()[1]
    assert hour == "  trade   " + " " * 30 + "·" * 10 + "##" + "·" * 17 + "#"
    assert gaps_text(shown).splitlines()[0].startswith("▲ a gap is open · 2 gaps since 12:00 UTC, 1 open")


@pytest.mark.parametrize(
    ("state", "begins"), [("closed", "■ closed"), ("reconnecting", "▲ reconnecting"), ("connected", "● live")]
)
def test_text_says_what_may_be_trusted(state, begins):
    assert gaps_text(picture(state=state)).startswith(f"{begins} · no gaps since")


def test_html_reads_without_style_and_hostile_texts_do_nothing():
    gaps = [gap(each, each + 1, channel=HOSTILE, market=HOSTILE) for each in range(7_000, 7_200)]
    channels = tuple(ChannelReading(f"{n}{HOSTILE}", 1, 0.0, 1, 1) for n in range(13))
    shown = picture(rows=100, gaps=gaps, channels=channels, url=HOSTILE)
    html = gaps_html(shown, "a note")
    assert not re.search(r"<img|<script|https?://|\bid=", html)
    assert len(html.encode()) < 20_000
    assert "160 older ones are in feed.gaps" in html
    for form in (html, gaps_text(shown)):
        assert not {"\u202e", "\u2066", "\x1b"} & set(form)
    assert "no gaps since 12:00 UTC" in gaps_html(picture())


def test_it_goes_at_two_messages_a_second_and_knows_its_options():
    assert GapsView.of(HealthSource(reading), {}).options["max_hz"] == 2
    assert GapsView.of(HealthSource(reading), {"rows": 20}).options["rows"] == 20
    with pytest.raises(UsageError, match=r"A view of gaps has no option 'row'. Did you mean 'rows'\?"):
        GapsView.of(HealthSource(reading), {"row": 3})
    with pytest.raises(ConfigurationError, match="1 to 100"):
        GapsView.of(HealthSource(reading), {"rows": 0})
