"""The trades that came last are few bytes each, and nobody can tell that they are packed."""

import threading
import tracemalloc
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kalshi_nb._markets import recent_trades
from kalshi_nb._markets.recent_trades import MOST_RECENT, Anchor, RecentTrades
from kalshi_nb._rows.gaps import GapRow
from kalshi_nb._rows.steering import ResetRow
from tests.frames.making import BASE_US, trade

STEPS = st.lists(st.sampled_from(["trade"] * 8 + ["two lines", "gap", "reset"]), max_size=120)


def named(number, name=None):
    row = list(trade(number, received_us=BASE_US + 10 * number))
    row[recent_trades._TIME] = BASE_US + number
    row[recent_trades._ID] = name or str(UUID(int=number))
    return tuple(row)


@pytest.fixture
def few_together(monkeypatch):
    monkeypatch.setattr(recent_trades, "_TOGETHER", 4)
    monkeypatch.setattr(recent_trades, "MOST_RECENT", 12)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS, at_once=st.integers(1, 7), span=st.tuples(st.integers(0, 125), st.integers(0, 125)).map(sorted))
def test_what_is_known_of_them_is_what_a_list_would_know(few_together, steps, at_once, span):
    recent, gaps = RecentTrades(), []
    recent.on_gap = lambda: gaps.append(1)
    rows, known = [], []
    for number, step in enumerate(steps):
        if step == "gap":
            rows.append(GapRow(None, 0, "sequence"))
        elif step == "reset":
            rows.append(ResetRow())
            known = []
        else:
            rows.append(named(number, "a\nb" if step == "two lines" else None))
            known.append(rows[-1])
    for first in range(0, len(rows), at_once):
        recent.learn(rows[first : first + at_once])
    assert len(gaps) == steps.count("gap")
    found = list(recent._all())
    anchors = [Anchor(row[recent_trades._TIME], row[recent_trades._ID], row[recent_trades._RECEIVED]) for row in known]
    # The newest dozen, and what is not packed yet; one whose id is two lines may be left out.
    kept = [each for each in anchors if each in found or "\n" not in each.trade_id]
    assert found == (kept[-len(found) :] if found else [])
    assert len(found) <= 12 + 3
    assert {each.trade_id for each in anchors[-12:] if "\n" not in each.trade_id} <= {each.trade_id for each in found}
    since, until = (BASE_US + each for each in span)
    assert recent.ids(since, until) == {each.trade_id for each in found if since <= each.at < until}
    opened, closed = (BASE_US + 10 * each for each in span)
    before = [each for each in found if each.received_at < opened]
    after = [each for each in found if each.received_at > closed]
    assert recent.around(opened, closed) == (before[-1] if before else None, after[0] if after else None)


@pytest.mark.usefixtures("few_together")
def test_who_reads_while_they_come_has_each_once_and_in_order():
    recent, over = RecentTrades(), threading.Event()

    def learn():
        for number in range(40_000):
            recent.learn([named(number)])
        over.set()

    thread = threading.Thread(target=learn)
    thread.start()
    looks = 0
    while not over.is_set():
        times = [each.at - BASE_US for each in recent._all()]
        assert not times or times == list(range(times[0], times[0] + len(times)))
        looks += 1
    thread.join()
    assert looks > 20
    assert [each.at - BASE_US for each in recent._all()] == list(range(40_000 - 12, 40_000))


def test_so_many_as_are_kept_take_two_megabytes():
    tracemalloc.start()
    try:
        recent, before = RecentTrades(), tracemalloc.get_traced_memory()[0]
        for number in range(2 * MOST_RECENT):
            recent.learn([named(number)])
        assert tracemalloc.get_traced_memory()[0] - before < 2 << 20
    finally:
        tracemalloc.stop()
    assert len(recent.ids(0, 1 << 62)) == MOST_RECENT
