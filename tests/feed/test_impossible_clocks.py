"""A computer's clock may be set to what no calendar has: everything that tells a time goes on telling one."""

import datetime as dt

import pytest

from kalshi_nb._engine.port import ClockStep
from kalshi_nb._feed.feed import Feed
from kalshi_nb._moments import datetime_of
from kalshi_nb._rows.rejects import Reject
from tests.feed.conftest import until
from tests.feed.list_engine import ListEngine, ListLadder

FAR = {"year 33715": 10**18, "beyond all": 2**63, "before the first": -(10**18)}


@pytest.mark.parametrize("at", FAR.values(), ids=FAR)
def test_what_no_calendar_has_is_the_last_or_the_first_that_it_has(at):
    assert datetime_of(at).year == (9999 if at > 0 else 1)
    assert datetime_of(at).tzinfo is dt.UTC


def test_the_calendar_that_there_is_goes_to_the_microsecond():
    assert datetime_of(1_795_341_600_000_001) == dt.datetime(2026, 11, 22, 10, 0, 0, 1, tzinfo=dt.UTC)


@pytest.mark.parametrize("at", FAR.values(), ids=FAR)
@pytest.mark.filterwarnings("ignore::kalshi_nb.errors.PipelineWarning")
def test_a_feed_whose_clock_is_nowhere_tells_how_it_is(at):
    engine = ListEngine(
        ladders=[ListLadder("KXA-1", {4_700: 1_000}, {5_100: 300}, changed_at=at)],
        rejects=[Reject(at, "no type", b"{}")],
    )
    feed = Feed(engine)
    feed._open(5.0)  # as connect() does
    with feed:
        called = []

        @feed.on("trade")
        def wrong(trade):
            called.append(trade)
            raise ValueError("wrong")

        engine.set_clock(at - engine.clock.us)
        engine.steps = (ClockStep(at, at),)
        engine.play("trade", (at, "KXA-1", 4_700, 100, "yes", "bid", 5_300, False, "id-1", at, 1))
        until(lambda: feed.health().pipeline_errors, "the callback raised")
        assert called
        assert any("clock was set" in each for each in feed.health().warnings)
        assert feed.now().year in (1, 9999)
        assert feed.book("KXA-1").as_of.year in (1, 9999)
        assert "no type" in repr(feed.rejects[0])
        assert feed.pipelines[0].last_error.at.year in (1, 9999)
        assert repr(feed)
