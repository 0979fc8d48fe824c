"""What messages of the lifecycle channels teach the registry, frame by frame as they are on the wire."""

import json

import pytest

from kalshi_nb._markets.lifecycle import learn
from kalshi_nb._markets.registry import MarketRegistry
from kalshi_nb._rows.channels import LAYOUTS
from kalshi_nb._rows.gaps import GapRow
from kalshi_nb._rows.market_facts import PriceRange
from kalshi_nb._rows.steering import ResetRow
from kalshi_nb._wire.decode import decode
from kalshi_nb._wire.lifecycle import FAMILY
from tests.wire.own_frames import CREATED, DETERMINED, EVENT, FEE_UPDATE, METADATA_UPDATED

SECOND = 1_000_000
RECEIVED_AT = 1_790_000_500 * SECOND
NAMES = [each.name for each in LAYOUTS["market_lifecycle_v2"]]


def rows_of(*frames):
    made = []
    for frame in frames:
        decoded = decode(json.dumps(frame).encode())
        made.append(FAMILY.conversions[type(decoded)].row(decoded, RECEIVED_AT))
    return made


def row(event_type, at=RECEIVED_AT, ticker="KXA-1", **values):
    return tuple({"ts": at, "market_ticker": ticker, "event_type": event_type, **values}.get(name) for name in NAMES)


def learned(*rows):
    registry = MarketRegistry()
    learn(registry, rows)
    return registry


def test_a_created_market_is_known_by_its_title_event_times_and_prices():
    facts = learned(*rows_of(CREATED)).get("KXA-1")
    assert (facts.title, facts.event_ticker, facts.floor_strike) == ("Will A?", "KXA", 80.5)
    assert (facts.open_time, facts.close_time) == (1_790_000_000 * SECOND, 1_790_000_060 * SECOND)
    assert facts.price_level_structure == "deci_cent"
    assert facts.price_ranges == (PriceRange(0, 10_000, 10),)
    assert facts.status == "initialized"
    assert (facts.phase(facts.open_time - 1), facts.phase(facts.open_time)) == ("initialized", "active")


def test_metadata_and_results_add_to_what_is_known():
    facts = learned(*rows_of(CREATED, METADATA_UPDATED, DETERMINED)).get("KXA-1")
    assert (facts.subtitle, facts.strike_type, facts.floor_strike, facts.cap_strike) == (
        "80 to 81",
        "between",
        80,
        81.5,
    )
    assert (facts.status, facts.result, facts.settlement_value) == ("determined", "scalar", 5_000)
    assert facts.determined_at == 1_790_000_100 * SECOND
    assert facts.title == "Will A?"


@pytest.mark.parametrize("order", [(CREATED, EVENT), (EVENT, CREATED)])
def test_an_event_is_known_by_its_title_and_that_its_markets_exclude_each_other(order):
    registry = learned(*rows_of(*order, FEE_UPDATE))
    assert (registry.event("KXA").title, registry.event("KXA").series_ticker) == ("A?", "KX")
    facts = registry.get("KXA-1")
    assert (facts.event_title, facts.mutually_exclusive) == ("A?", True)


@pytest.mark.parametrize("returned", ["DIRECNET", "", None, "NEWNET"])
def test_whatever_else_is_said_of_collateral_leaves_open_whether_they_do(returned):
    registry = learned(row("event_lifecycle", ticker=None, event_ticker="KXA", collateral_return_type=returned))
    assert registry.event("KXA").mutually_exclusive is None


def test_each_event_of_a_market_s_life_makes_its_phase():
    registry = MarketRegistry()
    seen = []
    for at, event_type in enumerate(
        ("created", "activated", "deactivated", "activated", "close_date_updated", "determined", "settled", "moved")
    ):
        learn(registry, [row(event_type, at * SECOND)])
        seen.append(registry.get("KXA-1").status)
    assert seen == [
        "initialized", "active", "inactive", "active", "active", "determined", "finalized", "finalized",
    ]  # fmt: skip


def test_a_close_that_is_moved_closes_by_the_new_time_and_a_closed_market_opens_again():
    registry = learned(row("created", 1, open_ts=10 * SECOND, close_ts=20 * SECOND))
    assert registry.phase("KXA-1", 20 * SECOND) == "closed"
    learn(registry, [row("close_date_updated", 21 * SECOND, close_ts=30 * SECOND), row("activated", 22 * SECOND)])
    assert (registry.phase("KXA-1", 29 * SECOND), registry.phase("KXA-1", 30 * SECOND)) == ("active", "closed")


def test_zero_is_a_value_that_a_market_may_be_worth():
    facts = learned(row("determined", result="no", settlement_value=0)).get("KXA-1")
    assert (facts.result, facts.settlement_value) == ("no", 0)


def test_whatever_is_no_row_is_passed_over():
    gap = GapRow(None, RECEIVED_AT, "connection_lost")
    registry = learned(ResetRow(), gap, row("activated"))
    assert len(registry) == 1


@pytest.mark.parametrize(
    "metadata",
    [
        "{", "[]", "7", '"text"', "null", "{}", "[" * 100_000, "1" * 5_000,
        '{"title":7,"yes_sub_title":"","strike_type":null,"floor_strike":true,"cap_strike":"81"}',
        '{"floor_strike":1e999,"cap_strike":NaN}',
        '{"floor_strike":1' + "0" * 400 + "}",
    ],
)  # fmt: skip
def test_metadata_that_make_no_sense_leave_unknown_what_they_are_about(metadata):
    facts = learned(row("metadata_updated", metadata=metadata)).get("KXA-1")
    assert (facts.title, facts.subtitle, facts.strike_type, facts.floor_strike, facts.cap_strike) == (None,) * 5


@pytest.mark.parametrize(
    "ranges",
    [
        "{", "[]", "{}", "[7]", "[{}]", "null",
        '[{"start":"0.0000","end":"1.0000"}]',
        '[{"start":"0.0000","end":"1.0000","step":"0.0000"}]',
        '[{"start":"1.0000","end":"0.0000","step":"0.0100"}]',
        '[{"start":"-1.0000","end":"0.0000","step":"0.0100"}]',
        '[{"start":"0.0000","end":"1.0000","step":"0.00001"}]',
        '[{"start":"0.0000","end":"1.0000","step":[]}]',
        '[{"start":0,"end":1,"step":0.01}]',
    ],
)  # fmt: skip
def test_a_grid_that_makes_no_sense_is_not_known(ranges):
    assert learned(row("price_level_structure_updated", price_ranges=ranges)).get("KXA-1").price_ranges is None
