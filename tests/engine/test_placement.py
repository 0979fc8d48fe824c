"""Books are spread over connections market by market; a market stays where it is while anybody wants it."""

from hypothesis import given
from hypothesis import strategies as st

from kalshi_nb._engine.placement import Placement
from kalshi_nb._rows.channels import BOOKS, CHANNELS

TICKERS = [f"KX-{number}" for number in range(12)]
some = st.sets(st.sampled_from(TICKERS), min_size=1)


def placed(found):
    return {ticker: home for home, tickers in found.items() for ticker in tickers}


def test_markets_are_spread_evenly():
    shares = Placement(4).place(TICKERS)
    assert sorted(len(share) for share in shares.values()) == [3, 3, 3, 3]


def test_a_market_that_is_wanted_twice_stays_until_nobody_wants_it():
    placement = Placement(2)
    first = placed(placement.place({"A", "B"}))
    assert placed(placement.place({"B"})) == {"B": first["B"]}
    placement.release({"B"})
    assert placement.homes(BOOKS, {"B"}) == {first["B"]}
    placement.release({"B"})
    assert placement.homes(BOOKS, {"B"}) == frozenset()


def test_what_is_freed_is_filled_first():
    placement = Placement(2)
    homes = placed(placement.place({"A", "B", "C", "D"}))
    freed = {ticker for ticker, home in homes.items() if home == 1}
    placement.release(freed)
    assert set(placement.place({"E", "F"})) == {1}


def test_every_other_channel_lives_whole_on_one_connection():
    placement = Placement(3)
    homes = {channel: placement.homes(channel, {"A"}) for channel in CHANNELS if channel != BOOKS}
    assert all(len(each) == 1 for each in homes.values())
    assert homes["trade"] == placement.homes("trade", None) == {placement.home("trade")}
    assert frozenset().union(*homes.values()) == {0, 1, 2}
    assert placement.homes(BOOKS, None) == {0, 1, 2}


def test_a_full_connection_gives_its_refused_markets_to_others_and_gets_no_more():
    placement = Placement(2)
    homes = placed(placement.place(TICKERS))
    refused = sorted(ticker for ticker, home in homes.items() if home == 0)[-2:]
    assert placed(placement.move(refused, 0)) == dict.fromkeys(refused, 1)
    assert placed(placement.place({"X", "Y"})) == {"X": 1, "Y": 1}
    placement.release({"KX-0"})
    assert placed(placement.place({"Z"})) == {"Z": homes["KX-0"]}


def test_where_every_connection_is_full_nothing_moves():
    placement = Placement(2)
    homes = placed(placement.place({"A", "B"}))
    assert placement.move({"A"}, homes["A"]) is not None
    assert placement.move({"A", "B"}, homes["B"]) is None


def test_a_market_that_was_moved_meanwhile_is_asked_for_where_it_is():
    placement = Placement(3)
    placement.place({"A"})
    (home,) = placement.homes(BOOKS, {"A"})
    moved = placement.move({"A"}, home)
    assert placement.move({"A"}, home) == moved


@given(st.integers(1, 5), st.lists(st.tuples(st.sampled_from(["place", "release", "move"]), some), max_size=40))
def test_whatever_is_asked_every_wanted_market_has_one_home_and_the_loads_are_theirs(connections, steps):
    placement, held = Placement(connections), []
    for step, tickers in steps:
        if step == "place":
            assert set(placed(placement.place(tickers))) == tickers
            held.append(tickers)
        elif step == "release" and held:
            placement.release(held.pop())
        elif step == "move" and held:
            mine = held[-1]
            home = min(placement.homes(BOOKS, mine))
            there = {each for each in mine if placement.homes(BOOKS, {each}) == {home}}
            moved = placement.move(there, home)
            assert moved is None or (home not in moved and set(placed(moved)) == there)
    wanted = set().union(*held)
    for ticker in TICKERS:
        assert len(placement.homes(BOOKS, {ticker})) == (ticker in wanted)
    assert sum(placement._load) == len(wanted)
    assert all(
        placement._load[home] == sum(placement.homes(BOOKS, {each}) == {home} for each in wanted)
        for home in range(connections)
    )
