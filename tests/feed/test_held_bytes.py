"""``health()`` says how much each handle holds, and what came of it is said so that people read it."""

import datetime as dt
import gc

import pytest

from kalshi_nb._rows.rejects import Reject
from tests.feed.list_engine import BASE_US, ListEngine, ListLadder
from tests.feed.test_another_engine import opened, trade

MARKET = "KXHIGHNY-26NOV22-B52.5"


@pytest.fixture
def engine():
    return ListEngine(
        ladders=[ListLadder("KXA-1", {4_700: 1_000}, {5_100: 300}), ListLadder("KXB-1", {}, {})],
        rejects=[Reject(BASE_US, "no type", b"{}")],
    )


@pytest.fixture
def feed(engine):
    with opened(engine) as feed:
        yield feed


def test_every_frame_and_book_has_its_bytes_by_name_and_markets(engine, feed):
    feed.trades(), feed.trades(rows=10), feed.trades("KXA-1"), feed.deltas(["KXA-1", "KXB-1"])
    mine = feed.stream("trade").rolling_frame()
    feed.books(["KXA-1", "KXB-1"])
    assert set(feed.health().handles) == {
        *("trades", "trades (2)", "trades KXA-1", "deltas 2 markets"),
        *(each.name for each in feed.pipelines),
        *("book KXA-1", "book KXB-1"),
    }
    del mine
    gc.collect()
    assert len(feed.health().handles) == 6


def test_what_a_frame_holds_grows_with_its_rows_and_not_beyond_its_window(engine, feed):
    wide, narrow = feed.trades(rows=100_000), feed.trades(rows=1_000)
    sizes = []
    for number in range(0, 30_000, 3_000):
        engine.play("trade", *(trade(each) for each in range(number, number + 3_000)))
        feed.flush()
        sizes.append(tuple(feed.health().handles.values()))
    assert wide.total == narrow.total == 30_000
    assert [wide for wide, _ in sizes] == sorted(wide for wide, _ in sizes)
    assert 0.5 < sizes[-1][0] / wide.df.estimated_size() < 2
    assert sizes[-1][1] < 10 * narrow.df.estimated_size()
    assert max(narrow for _, narrow in sizes) < 3 * min(narrow for _, narrow in sizes)


def test_rows_that_are_not_columns_yet_count_too(engine, feed):
    feed.trades()
    assert feed.health().handles == {"trades": 0}
    engine.play("trade", trade(1), trade(2))
    while not feed.trades().total:
        pass
    assert feed.health().handles["trades"] > 100


def test_a_book_holds_what_its_levels_take(engine, feed):
    feed.books(["KXA-1", "KXB-1"])
    handles = feed.health().handles
    assert handles["book KXB-1"] < handles["book KXA-1"] < 5_000


def test_a_closed_handle_holds_nothing_for_the_feed(engine, feed):
    trades, book = feed.trades(), feed.book("KXA-1")
    assert len(feed.health().handles) == 2
    trades.close()
    book.close()
    assert feed.health().handles == {}


@pytest.mark.parametrize(
    ("handles", "text"),
    [
        ({}, "none"),
        ({"trades": 999}, "999 bytes: trades 999 bytes"),
        ({"trades": 1_500, "book KXA-1": 12}, "1.5 KB: trades 1.5 KB, book KXA-1 12 bytes"),
        ({"a": 3 * 10**9}, "3.0 GB: a 3.0 GB"),
        (
            {f"book {number}": 1_000 * number for number in range(1, 9)},
            "36.0 KB: book 8 8.0 KB, book 7 7.0 KB, book 6 6.0 KB, book 5 5.0 KB, book 4 4.0 KB, 3 more 6.0 KB",
        ),
    ],
)
def test_people_read_it_in_units_the_largest_first(feed, handles, text):
    import dataclasses

    health = dataclasses.replace(feed.health(), handles=handles)
    (line,) = [each for each in repr(health).splitlines() if each.startswith("handles")]
    assert line.split("  ", 1)[1].strip() == text
    assert text in health._repr_html_()


def test_rejects_bear_a_time_that_people_and_frames_can_read(feed):
    (reject,) = feed.rejects
    assert reject.received_at == dt.datetime.fromtimestamp(BASE_US / 1e6, dt.UTC)
    assert repr(reject) == f"<Reject {reject.received_at:%Y-%m-%d %H:%M:%S}.000000 UTC, no type: b'{{}}'>"
