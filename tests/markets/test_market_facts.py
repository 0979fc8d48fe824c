"""What a market's record says by itself: nothing where nothing is known, and the phase by the clock."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kalshi_nb._rows.market_facts import PHASES, MarketFacts

OPEN, CLOSE = 1_000, 2_000
TOLD_AFTER_CLOSE = ("closed", "determined", "disputed", "amended", "finalized")


def market(**facts):
    return MarketFacts(market_ticker="KXA-1", **facts)


def test_of_an_unknown_market_all_is_none_but_the_ticker():
    facts = market()
    named = {name: getattr(facts, name) for name in facts.__slots__ if name not in ("market_ticker", "version")}
    assert set(named.values()) == {None}
    assert facts.version == 0
    assert facts.phase(OPEN) is None


@pytest.mark.parametrize(
    ("status", "before", "while_open", "after"),
    [
        ("initialized", "initialized", "active", "closed"),
        ("active", "active", "active", "closed"),
        ("inactive", "inactive", "inactive", "closed"),
        (None, "initialized", "active", "closed"),
        *[(told, told, told, told) for told in TOLD_AFTER_CLOSE],
    ],
)
def test_the_clock_opens_and_closes_what_nobody_said_more_about(status, before, while_open, after):
    facts = market(status=status, open_time=OPEN, close_time=CLOSE)
    assert [facts.phase(now) for now in (OPEN - 1, OPEN, CLOSE - 1, CLOSE)] == [before, while_open, while_open, after]


@pytest.mark.parametrize("status", [None, *PHASES])
def test_without_times_the_phase_is_what_was_told(status):
    assert market(status=status).phase(OPEN) == status


def test_a_market_of_which_only_its_opening_is_known_may_be_over_long_ago():
    assert market(open_time=OPEN).phase(OPEN) is None
    assert market(open_time=OPEN).phase(OPEN - 1) == "initialized"
    assert market(open_time=OPEN, status="initialized").phase(OPEN) == "active"
    assert market(close_time=CLOSE).phase(CLOSE - 1) is None
    assert market(close_time=CLOSE).phase(CLOSE) == "closed"


@given(
    st.sampled_from([None, *PHASES]),
    st.none() | st.integers(0, 100),
    st.none() | st.integers(0, 100),
    st.lists(st.integers(-10, 110), min_size=2, max_size=2),
)
def test_as_time_goes_by_a_phase_only_goes_on(status, open_time, close_time, times):
    facts = market(status=status, open_time=open_time, close_time=close_time)
    order = ["initialized", None, "active", "inactive", *TOLD_AFTER_CLOSE]
    first, second = (order.index(facts.phase(now)) for now in sorted(times))
    assert first <= second
