"""With gaps=True a gap comes between the messages where it happened, in the same list or callback."""

import datetime as dt

import msgspec
import pytest

import kalshi_nb as kn
from tests.feed.conftest import until
from tests.feed.list_engine import BASE_US, ListEngine
from tests.feed.test_another_engine import opened, trade
from tests.feed.test_resting import Database, play

MARKET = "KXHIGHNY-26NOV22-B52.5"
BEGAN = dt.datetime.fromtimestamp(BASE_US / 1e6, dt.UTC)


@pytest.fixture
def engine():
    return ListEngine()


@pytest.fixture
def listed(engine):
    with opened(engine) as feed:
        yield feed


def named(messages):
    return [each.reason if isinstance(each, kn.Gap) else each.trade_id for each in messages]


def test_a_gap_comes_at_its_place_and_only_where_it_was_asked_for(engine, listed):
    called, plain, lists, frames = [], [], [], []
    listed.on("trade", gaps=True)(called.append)
    listed.on("trade")(plain.append)
    listed.messages("trade", gaps=True).sink(lists.append)
    listed.stream("trade").sink(frames.append)
    engine.play("trade", trade(1))
    engine.open_gap("trade")
    engine.play("trade", trade(2))
    listed.flush()
    assert named(called) == ["id-1", "sequence", "id-2"]
    assert named([each for found in lists for each in found]) == ["id-1", "sequence", "id-2"]
    assert named(plain) == ["id-1", "id-2"]
    assert sum(each.height for each in frames) == 2
    assert called[1] == kn.Gap("trade", None, BEGAN, "sequence", None)
    assert [each.rows for each in listed.pipelines] == [2, 2, 2, 2]


def test_a_gap_of_one_market_is_told_to_those_who_want_that_market(engine, listed):
    a, b, everything = [], [], []
    listed.on("trade", "KXA-1", gaps=True)(a.append)
    listed.on("trade", "KXB-1", gaps=True)(b.append)
    listed.on("trade", gaps=True)(everything.append)
    engine.open_gap("trade", "KXA-1", "rejected")
    engine.open_gap("trade", None, "connection_lost")
    engine.open_gap("ticker", None, "resubscribed")
    listed.flush()
    assert [(each.market_ticker, each.reason) for each in a] == [("KXA-1", "rejected"), (None, "connection_lost")]
    assert named(b) == ["connection_lost"]
    assert named(everything) == ["rejected", "connection_lost"]


@pytest.mark.filterwarnings("ignore::kalshi_nb.errors.PipelineWarning")
def test_what_a_rest_dropped_comes_before_the_next_message_and_behind_it_what_the_feed_missed(engine, listed):
    database, lists = Database(), Database()
    listed.on("trade", gaps=True)(database)
    listed.messages("trade", gaps=True).sink(lists)
    for number in range(10):
        play(engine, listed, trade(number))
    play(engine, listed, trade(10), after=0.5)
    engine.open_gap("trade")
    play(engine, listed, trade(11))
    database.away = lists.away = False
    play(engine, listed, trade(12), after=0.5)
    assert named(database.taken) == named(lists.taken[0]) == ["sequence", "rested", "id-12"]
    rested = database.taken[1]
    assert rested == kn.Gap("trade", None, BEGAN + dt.timedelta(seconds=0.5), "rested", 2)
    assert [each.state for each in listed.pipelines] == ["running", "running"]


@pytest.mark.filterwarnings("ignore::kalshi_nb.errors.PipelineWarning")
def test_a_callback_that_leaves_gaps_alone_is_not_well_by_that(engine, listed):
    def broken(message):
        if not isinstance(message, kn.Gap):
            raise ConnectionError

    listed.on("trade", gaps=True)(broken)
    (pipeline,) = listed.pipelines
    for number in range(10):
        play(engine, listed, trade(number))
    for seconds in (1, 2, 4):
        play(engine, listed, trade(1))
        play(engine, listed, trade(2), after=seconds - 0.1)
        play(engine, listed, trade(3), after=0.1)
    assert pipeline.errors == 13
    assert pipeline.state == "resting"
    assert pipeline.gaps["rows"].to_list() == [2, 2, 2]


def test_messages_of_a_channel_about_no_market_have_their_gaps(engine, listed):
    seen = []
    listed.on("order_group_updates", gaps=True)(seen.append)
    engine.open_gap("order_group_updates")
    listed.flush()
    assert named(seen) == ["sequence"]


def test_a_lost_message_and_a_lost_connection_come_in_band(feed, exchange):
    seen = []
    feed.on("trade", gaps=True)(seen.append)
    exchange.advance(20)
    exchange.faults.skip_frames("trade", 1)
    exchange.advance(60)
    assert [each.reason for each in seen if isinstance(each, kn.Gap)] == ["sequence"]
    exchange.faults.drop_connections()
    until(lambda: feed.health().reconnects == 1, "connected again")
    exchange.advance(20)
    gaps = [each for each in seen if isinstance(each, kn.Gap)]
    assert [each.reason for each in gaps] == ["sequence", "connection_lost"]
    assert [each.opened_at for each in gaps] == feed.gaps["opened_at"].to_list()
    assert {each.channel for each in gaps} == {"trade"}


def test_a_gap_does_not_change_and_is_written_as_json_like_any_message():
    gap = kn.Gap("trade", None, BEGAN, "rested", 3)
    assert kn.messages.Gap is kn.Gap
    with pytest.raises(AttributeError):
        gap.rows = 4
    assert msgspec.json.decode(msgspec.json.encode(gap), type=kn.Gap) == gap
