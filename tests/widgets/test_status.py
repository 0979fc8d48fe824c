"""The status strip: each thing a feed may be, in words; the worst of now has the glyph, and what is over has not."""

import re

import pytest

from kalshi_nb._rows.gaps import Gap
from kalshi_nb._widgets.gaps.words import lasted
from kalshi_nb._widgets.options import resolved
from kalshi_nb._widgets.status.picture import ChannelReading, FeedReading
from kalshi_nb._widgets.status.presenter import MOST_GAPS, status_picture
from kalshi_nb._widgets.status.source import MOST_RATES, HealthSource
from kalshi_nb._widgets.status.text import status_html, status_line, status_text
from kalshi_nb._widgets.status.view import StatusScene, StatusView
from kalshi_nb.errors import UsageError

NOON = 1_795_348_800  # 2026-11-22 12:00:00 UTC
SECOND = 1_000_000
HOSTILE = "<img src=x onerror=alert(1)>\u202e\u2066\n\x1b[31m" + "A" * 10_000


def gap(at, closed=None, *, channel="trade", market=None, reason="sequence", seq=(101, 103), repaired=None):
    """A gap that was seen so many seconds after noon."""
    moments = [None if each is None else (NOON + each) * SECOND for each in (at, closed)]
    return Gap(channel, market, *moments, reason, *seq, repaired)


def reading(at=7_800, **given):
    channels = (ChannelReading("trade", None, 0.2, 1_000, 1_000), ChannelReading("ticker", 3, None, 0, None))
    plain = {
        "state": "connected",
        "url": "wss://exchange.example/trade-api/ws/v2",
        "now": float(NOON + at),
        "steady": (NOON + at) * SECOND,
        "began": float(NOON),
        "uptime": float(at),
        "messages": 1_412_003,
        "rate": 1_412.3,
        "lag_p50": 0.038,
        "lag_p99": 0.120,
        "channels": channels,
        "books": 12,
        "memory": 212_300_000,
    }
    return FeedReading(**(plain | given))


def picture(*readings, **given):
    """What is shown after some readings, one unless told."""
    told = iter(readings or [reading(**given)])
    source = HealthSource(lambda: next(told))
    for _ in readings[:-1]:
        source.read()
    return status_picture(source)


def line(*readings, **given):
    return status_line(picture(*readings, **given))


def test_one_line_says_it_all():
    gaps = [gap(60, 70), gap(7_260, 7_261)]
    readings = [reading(7_800 + n, rate=1_412.3 * share, gaps=gaps) for n, share in enumerate((0.1, 0.5, 1))]
    assert line(*readings) == (
        "● live · 1,412 msg/s ▂▅█ · lag 38 ms (p99 120) · 12 books · 2 gaps, last 14:01 UTC · 0 dropped · 212 MB · "
        "up 2 h 10 min"
    )


@pytest.mark.parametrize(
    ("given", "begins"),
    [
        ({}, "● live · "),
        ({"gaps": [gap(60, 70)]}, "● live · "),
        ({"dropped_rows": 5, "warnings": ("look",)}, "● live · "),
        ({"lag_grows": True}, "▲ live, lag grows · "),
        ({"gaps": [gap(60)], "lag_grows": True}, "▲ a gap is open · "),
        ({"stale_books": 1, "gaps": [gap(60)]}, "▲ partly stale · "),
        ({"state": "connecting"}, "○ connecting · "),
        ({"state": "reconnecting", "stale_books": 12}, "▲ reconnecting · "),
        ({"state": "refused", "stale_books": 12}, "✕ refused: the exchange does not take the credentials · "),
        ({"state": "closed", "stale_books": 12}, "■ closed · "),
        ({"state": "forked"}, "■ stands still in this forked process · "),
    ],
)
def test_the_worst_of_now_has_the_glyph(given, begins):
    assert line(**given).startswith(begins)


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ("connected", "live"),
        ("connecting", "connecting"),
        ("reconnecting", "live"),
        ("refused", "live"),
        ("closed", "closed"),
        ("forked", "closed"),
    ],
)
def test_a_feeds_state_is_a_views_status(state, status):
    assert picture(state=state).status == status


@pytest.mark.parametrize(
    ("given", "piece", "tone"),
    [
        ({"stale_books": 3}, "3 of 12 books stale", "warn"),
        ({"books": 1}, "1 book", ""),
        ({"books": 0}, "no books", ""),
        ({}, "no gaps", ""),
        ({"gaps": [gap(60, 70)], "gaps_dropped": 41}, "42 gaps, last", ""),
        ({"gaps": [gap(60, 70), gap(7_000), gap(7_260)]}, "3 gaps, 2 open, last", "warn"),
        ({"dropped_rows": 1_000}, "1,000 dropped", "warn"),
        ({"warnings": ("one", "two")}, "2 warnings", "warn"),
        ({"rate": 0.0}, "0 msg/s", ""),
        ({"rate": 0.04}, "0 msg/s", ""),
        ({"rate": 3.21}, "3.2 msg/s", ""),
        ({"lag_p50": None, "lag_p99": None}, "lag \N{EN DASH}", ""),
        ({"lag_p50": -0.0052, "lag_p99": 0.0}, "lag \N{MINUS SIGN}5 ms (p99 0)", ""),
        ({"lag_p50": 12.2, "lag_p99": 70.0, "lag_grows": True}, "lag 12 s (p99 70)", "warn"),
        ({"uptime": 42.9}, "up 42 s", ""),
        ({"uptime": 119.0}, "up 1 min", ""),
        ({"uptime": 360_000.0}, "up 4 d 4 h", ""),
    ],
)
def test_each_thing_has_its_words_and_what_is_amiss_its_tone(given, piece, tone):
    assert {each.words: each.tone for each in picture(**given).pieces}[piece] == tone


def test_where_the_system_does_not_tell_memory_is_left_out():
    assert "MB" not in line(memory=None)


def test_the_day_is_told_of_a_gap_that_was_not_today():
    assert "last Nov 21 23:59 UTC" in line(gaps=[gap(-43_260, -43_000)])


def test_a_channels_rate_is_its_messages_over_the_last_seconds():
    counts = [0, 10, 20, 30, 40, 140, 240, 340, 440, 540, 640]
    channels = [(ChannelReading("trade", None, 0.0, each, each),) for each in counts]
    readings = [reading(100 + second, channels=each) for second, each in enumerate(channels)]
    assert picture(*readings).channels[0].rate == "100"
    assert picture(*readings[:6]).channels[0].rate == "28"
    assert picture(readings[0]).channels[0].rate == "\N{EN DASH}"


def test_a_channel_that_counts_anew_has_no_rate_below_nothing():
    channels = [(ChannelReading("trade", None, 0.0, each, each),) for each in (500, 3)]
    readings = [reading(100 + second, channels=each) for second, each in enumerate(channels)]
    assert picture(*readings).channels[0].rate == "\N{EN DASH}"


def test_the_course_is_sampled_once_a_second_and_bounded():
    told = iter([reading(1 + step / 10) for step in range(1_000)])
    source = HealthSource(lambda: next(told))
    for _ in range(1_000):
        _, course = source.read()
    assert len(course.rates) == MOST_RATES


def test_a_row_a_channel_says_which_markets_how_old_and_which_gaps():
    gaps = [gap(60, 70), gap(7_000, None), gap(80, 90, channel="orderbook_delta")]
    trade, ticker = picture(gaps=gaps).channels
    assert trade == ("trade", "all", "0 s ago", "\N{EN DASH}", "1,000", "2, 1 open")
    assert ticker == ("ticker", "3", "\N{EN DASH}", "\N{EN DASH}", "\N{EN DASH}", "0")


def test_the_newest_gaps_are_told_newest_first():
    shown = picture(gaps=[gap(second, second + 1) for second in range(0, 1_000, 10)])
    assert [each.at - NOON for each in shown.gaps] == list(range(990, 990 - 10 * MOST_GAPS, -10))
    assert shown.gap_count == 100


def test_a_gap_is_told_in_words():
    open_gap, closed = gap(7_000, seq=(7, 7)), gap(60, 74, market="KX-1", repaired="get_snapshot")
    first, second = picture(gaps=[closed, open_gap]).gaps
    assert first == (NOON + 7_000, "trade", "all markets", "messages never arrived", "", "7", "")
    assert second[1:] == ("trade", "KX-1", "messages never arrived", "14 s", "101 to 103 (3)", "a new snapshot")
    lost = gap(60, 70, reason="connection_lost", seq=(None, None))
    assert picture(gaps=[lost]).gaps[0][3:] == (
        "connection lost",
        "10 s",
        "\N{EN DASH}",
        "nothing; data went on",
    )


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-1, "0 ms"),
        (0.1204, "120 ms"),
        (2.34, "2.3 s"),
        (9.97, "10 s"),
        (59.6, "1 min 0 s"),
        (200, "3 min 20 s"),
        (7_800, "2 h 10 min"),
        (3 * 86_400 + 4 * 3_600, "3 d 4 h"),
    ],
)
def test_a_length_of_time_has_two_units_at_most(seconds, words):
    assert lasted(seconds) == words


def test_a_picture_is_news_only_where_something_that_is_shown_is_another():
    first, same, other = (picture(reading(7_800 + at, messages=n)) for at, n in ((0, 1), (3, 2), (60, 2)))
    assert first.version == same.version
    assert first.version != other.version
    assert first.changes != same.changes


def test_what_is_read_is_data_of_the_moment_and_what_ended_stands_still():
    now = [reading(100)]
    source = HealthSource(lambda: now[0])
    assert status_line(status_picture(source)).endswith("up 1 min")
    source.end()
    now[0] = reading(7_800)
    assert status_line(status_picture(source)).endswith("up 1 min")


def test_the_views_that_are_open_are_told_with_how_many_there_are():
    shown = picture(views=("ladder of KX-1", "tape of trades", "ladder of KX-1"))
    assert status_text(shown).splitlines()[1] == "  views: 2 \N{MULTIPLICATION SIGN} ladder of KX-1, tape of trades"
    assert "no other view is open" in status_text(picture())
    assert "nothing moves any more" in status_text(picture(state="closed"))


def test_html_reads_without_style_and_has_no_more_than_it_may():
    gaps = [gap(60, 70), gap(7_260)]
    html = status_html(picture(gaps=gaps, warnings=("slow",), last_error="bad", last_error_at=NOON + 61.0), "a note")
    bare = re.sub(r"<style>.*?</style>", "", html)
    assert not re.search(r"<script|https?://|\bid=|on\w+=", bare)
    words = re.sub(r"<[^>]+>", "|", bare)
    error = "last error, 12:01 UTC: bad"
    for told in ("▲ a gap is open", "trade", error, "warning: slow", "a note", "14:01 UTC", "open"):
        assert told in words
    assert html.count("<caption>") == 2
    assert 'scope="col"' in html
    assert 'scope="row"' in html


@pytest.mark.parametrize(
    ("at", "told"),
    [(NOON + 7_260.0, "last error, 14:01 UTC: bad"), (NOON - 43_260.0, "last error, Nov 21 23:59 UTC: bad")],
)
def test_of_the_last_error_it_is_told_when_it_came(at, told):
    shown = picture(last_error="bad", last_error_at=at)
    assert told in status_html(shown)
    assert shown.body()["last_error_at"] == at
    assert picture(last_error="bad", last_error_at=at + 1).version != shown.version


def test_hostile_texts_do_nothing_and_are_bounded():
    gaps = [gap(each, each + 1, channel=HOSTILE, market=HOSTILE) for each in range(200)]
    channels = tuple(ChannelReading(f"{n}{HOSTILE}", 1, 0.0, 1, 1) for n in range(13))
    shown = picture(
        gaps=gaps,
        channels=channels,
        url=HOSTILE,
        last_error=HOSTILE,
        warnings=(HOSTILE,) * 50,
        views=(HOSTILE,),
    )
    html = status_html(shown)
    assert "<img" not in html
    assert len(html.encode()) < 20_000
    for form in (html, status_text(shown)):
        assert not {"\u202e", "\u2066", "\x1b"} & set(form)


def test_a_strip_goes_at_one_message_a_second_and_knows_its_options():
    scene = StatusView.of(HealthSource(reading), {})
    assert isinstance(scene, StatusScene)
    assert scene.options["max_hz"] == 1
    assert resolved("A status strip", {}, {}, 1.0)["max_hz"] == 1
    with pytest.raises(UsageError, match="A status strip has no option 'levels'"):
        StatusView.of(HealthSource(reading), {"levels": 3})
