"""The registry: fact by fact the newest wins, it is bounded, and its numbers tell when there is something to read."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kalshi_nb._markets.registry import MarketRegistry
from kalshi_nb._rows.market_facts import EventFacts, MarketFacts

MILLISECOND = 1_000


def test_what_nobody_spoke_of_is_a_record_of_nones_and_leaves_nothing_behind():
    registry = MarketRegistry()
    assert registry.get("KXA-1") == MarketFacts(market_ticker="KXA-1")
    assert registry.event("KXA") == EventFacts(event_ticker="KXA")
    assert registry.markets_of("KXA") == []
    assert registry.phase("KXA-1", 0) is None
    assert (len(registry), registry.version) == (0, 0)


def test_facts_are_merged_and_none_takes_nothing_back():
    registry = MarketRegistry()
    registry.update("KXA-1", 10 * MILLISECOND, {"title": "Will A?", "status": "active"})
    registry.update("KXA-1", 20 * MILLISECOND, {"title": None, "status": "inactive"})
    facts = registry.get("KXA-1")
    assert (facts.title, facts.status, facts.version) == ("Will A?", "inactive", 2)


def test_what_was_said_earlier_and_is_read_later_changes_only_what_nobody_said_since():
    registry = MarketRegistry()
    registry.update("KXA-1", 20 * MILLISECOND, {"status": "determined", "result": "yes"})
    registry.update("KXA-1", 10 * MILLISECOND, {"status": "active", "title": "Will A?"})
    facts = registry.get("KXA-1")
    assert (facts.status, facts.result, facts.title) == ("determined", "yes", "Will A?")


def test_of_two_of_one_millisecond_the_later_one_wins():
    # Messages tell milliseconds, other sources microseconds: the same moment must not look older for that.
    registry = MarketRegistry()
    registry.update("KXA-1", 20 * MILLISECOND + 999, {"status": "inactive"})
    registry.update("KXA-1", 20 * MILLISECOND, {"status": "active"})
    assert registry.get("KXA-1").status == "active"


@given(st.permutations(range(1, 9)), st.data())
def test_whatever_the_order_of_arrival_the_newest_of_each_fact_stands(moments, data):
    registry, expected = MarketRegistry(), {}
    for at in moments:
        facts = {name: f"{name} {at}" for name in ("title", "subtitle", "result") if data.draw(st.booleans())}
        registry.update("KXA-1", at * MILLISECOND, facts)
        for name in facts:
            expected[name] = max(expected.get(name, 0), at)
    kept = registry.get("KXA-1")
    assert {name: getattr(kept, name) for name in expected} == {name: f"{name} {at}" for name, at in expected.items()}


def test_numbers_stay_while_nothing_new_is_said():
    registry = MarketRegistry()
    registry.update("KXA-1", 1, {"title": "Will A?"})
    registry.update("KXB-1", 1, {"title": "Will B?"})
    before = registry.version, registry.get("KXA-1").version
    registry.update("KXA-1", 2 * MILLISECOND, {"title": "Will A?"})
    registry.update_event("KXC", 2 * MILLISECOND, {})
    assert registry.get("KXA-1").version == before[1]
    registry.update_event("KXC", 3 * MILLISECOND, {})
    assert registry.version == before[0] + 1, "that there is an event at all is new, once"
    registry.update("KXB-1", 3 * MILLISECOND, {"title": "Would B?"})
    assert registry.get("KXB-1").version == registry.version == before[0] + 2
    assert registry.get("KXA-1").version == before[1]


def test_an_event_s_facts_are_in_its_markets_whichever_came_first():
    registry = MarketRegistry()
    registry.update("KXA-1", 1, {"event_ticker": "KXA"})
    number = registry.get("KXA-1").version
    registry.update_event("KXA", 1, {"title": "A?", "mutually_exclusive": False})
    registry.update("KXA-2", 1, {"event_ticker": "KXA"})
    assert [(each.event_title, each.mutually_exclusive) for each in registry.markets_of("KXA")] == [("A?", False)] * 2
    assert registry.get("KXA-1").version > number
    registry.update_event("KXA", 2 * MILLISECOND, {"title": "A!"})
    assert [each.event_title for each in registry.markets_of("KXA")] == ["A!", "A!"]
    assert registry.event("KXA").title == "A!"


def test_a_market_that_turns_out_to_be_of_another_event_has_nothing_of_the_first():
    registry = MarketRegistry()
    registry.update_event("KXA", 1, {"title": "A?", "mutually_exclusive": True})
    registry.update("KXA-1", 1, {"event_ticker": "KXA"})
    registry.update("KXA-1", 2 * MILLISECOND, {"event_ticker": "KXB"})
    facts = registry.get("KXA-1")
    assert (facts.event_title, facts.mutually_exclusive) == (None, None)
    assert registry.markets_of("KXA") == []
    assert registry.markets_of("KXB") == [facts]


def test_it_is_bounded_and_counts_what_went():
    registry = MarketRegistry(most_markets=3, most_events=2)
    for number in range(5):
        registry.update(f"KXA-{number}", 1, {"event_ticker": f"KX{number}"})
        registry.update_event(f"KX{number}", 1, {"title": "?"})
    assert (len(registry), registry.dropped, registry.dropped_events) == (3, 2, 3)
    assert registry.get("KXA-0").version == 0
    assert registry.markets_of("KX0") == []
    assert registry.event("KX2").title is None
    assert registry.get("KXA-2").event_title == "?", "a market keeps what it was told of an event that went"


def test_paid_markets_go_first_and_then_those_that_nobody_looked_at():
    registry = MarketRegistry(most_markets=3)
    registry.update("KXA-1", 1, {"status": "active"})
    registry.update("KXA-2", 1, {"status": "finalized"})
    registry.update("KXA-3", 1, {"status": "active"})
    registry.update("KXA-4", 1, {})
    assert registry.get("KXA-2").status is None
    assert registry.get("KXA-1").status == "active"  # this read makes it the newest
    registry.update("KXA-5", 1, {})
    assert registry.get("KXA-3").status is None
    assert registry.get("KXA-1").status == "active"


def test_a_market_that_comes_back_from_its_end_is_kept_like_any_other():
    registry = MarketRegistry(most_markets=2)
    registry.update("KXA-1", 1, {"status": "finalized"})
    registry.update("KXA-1", 2 * MILLISECOND, {"status": "active"})
    registry.update("KXA-2", 1, {"status": "finalized"})
    registry.update("KXA-3", 1, {})
    assert (registry.get("KXA-1").status, registry.get("KXA-2").status) == ("active", None)


def test_texts_without_end_are_cut():
    registry = MarketRegistry()
    registry.update("KXA-1", 1, {"title": "x" * 100_000})
    assert len(registry.get("KXA-1").title) == 1_000


def test_a_fact_that_there_is_none_of_is_a_mistake_of_whoever_writes():
    with pytest.raises(KeyError):
        MarketRegistry().update("KXA-1", 1, {"event_title": "this is the event's"})


def test_records_are_of_one_moment_while_many_threads_write_and_read():
    registry = MarketRegistry(most_markets=50)
    stop = threading.Event()
    torn = []

    def write(thread):
        for number in range(3_000):
            ticker = f"KXA-{number % 80}"
            word = f"{thread}.{number}"
            registry.update(ticker, number * MILLISECOND, {"title": word, "subtitle": word, "event_ticker": "KXA"})
            registry.update_event("KXA", number * MILLISECOND, {"title": word, "subtitle": word})

    def read():
        while not stop.is_set():
            event = registry.event("KXA")
            if event.title != event.subtitle:
                torn.append(event)
            torn.extend(each for each in registry.markets_of("KXA") if each.title != each.subtitle)

    readers = [threading.Thread(target=read) for _ in range(2)]
    writers = [threading.Thread(target=write, args=(number,)) for number in range(3)]
    for each in readers + writers:
        each.start()
    for each in writers:
        each.join()
    stop.set()
    for each in readers:
        each.join()
    assert torn == []
    assert len(registry) == 50
    assert len(registry.markets_of("KXA")) == 50
