"""Ticks merged: nothing is lost, nobody is promised a better price than there is, and both legs say the same."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kalshi_nb._widgets.ladder.groups import Group, grouped
from kalshi_nb._widgets.ladder.picture import LadderPicture, Market
from kalshi_nb._widgets.ladder.text import ladder_html, ladder_text
from kalshi_nb._widgets.ladder.view import GRID_ROWS, OPTIONS, LadderView
from kalshi_nb.errors import ConfigurationError
from tests.widgets.conftest import Presenter

TENTHS = ((0, 10_000, 10),)


def picture(bids, asks, ticks=TENTHS, **more):
    """A book by prices in hundredths of a cent and hundredths of contracts."""
    sides = {
        "bids": tuple((price / 10_000, size / 100) for price, size in sorted(bids.items(), reverse=True)),
        "asks": tuple((price / 10_000, size / 100) for price, size in sorted(asks.items())),
    }
    return LadderPicture(1, "live", 0.0, 0.0, Market("KX-1"), **sides, ticks=ticks, **({"decimals": 1} | more))


@given(
    touch=st.integers(2, 998),
    bids=st.dictionaries(st.integers(1, 998), st.integers(1, 10**9), max_size=40),
    asks=st.dictionaries(st.integers(1, 998), st.integers(1, 10**9), max_size=40),
    cents=st.sampled_from([0.1, 0.5, 1.0, 2.0, 5.0, 25.0]),
)
def test_sizes_add_up_to_what_they_were_on_either_leg(touch, bids, asks, cents):
    book = picture(
        {10 * price: size for price, size in bids.items() if price < touch},
        {10 * price: size for price, size in asks.items() if price >= touch},
    )
    merged = grouped(book, cents, 10_000)
    for side in ("bids", "asks"):
        sums = [sum(round(size * 100) for _, size in getattr(each, side)) for each in (book, merged)]
        assert sums[0] == sums[1]
    for (group, _), (price, _) in zip(merged.bids[:1], book.bids[:1], strict=True):
        assert 0 <= round((price - group) * 10_000) < 100 * cents
    for (group, _), (price, _) in zip(merged.asks[:1], book.asks[:1], strict=True):
        assert 0 <= round((group - price) * 10_000) < 100 * cents
    assert (merged.mid, merged.spread, merged.probability) == (book.mid, book.spread, book.probability)
    assert grouped(book.mirrored(), cents, 10_000) == merged.mirrored()


def test_what_is_ones_own_stands_with_the_level_it_is_part_of():
    book = picture(
        {4_725: 100},
        {4_855: 100},
        orders=(("yes", 0.4725, 1.0), ("no", 0.4855, 2.0)),
        fills=(("no", 0.4855, 3.0, 9.0),),
    )
    merged = grouped(book, 1.0, 10)
    assert merged.orders == (("yes", 0.47, 1.0), ("no", 0.49, 2.0))
    assert merged.fills == (("no", 0.49, 3.0, 9.0),)
    assert {merged.bids[0][0], merged.asks[0][0]} == {0.47, 0.49}


def test_where_ticks_are_as_coarse_as_the_groups_nothing_is_merged():
    whole = picture({4_700: 100, 4_600: 100}, {4_800: 100}, ticks=((0, 10_000, 100),))
    assert grouped(whole, 1.0, 1) == whole.best(1)
    edges = picture({4_700: 100}, {4_800: 100}, ticks=((0, 1_000, 10), (1_000, 9_000, 100), (9_000, 10_000, 10)))
    assert grouped(edges, 0.5, 9).ticks == ((0, 1_000, 50), (1_000, 9_000, 100), (9_000, 10_000, 50))


def test_as_text_best_prices_are_the_books_and_levels_those_of_the_groups():
    merged = grouped(picture({4_725: 110, 4_700: 220}, {4_850: 6_400, 4_900: 100}, decimals=2), 1.0, 10)
    said = ladder_text(merged)
    assert "YES bid 47.25¢ x 1.10  ask 48.5¢ x 64.00  spread 1.25¢" in said.splitlines()[0]
    assert [line.split()[:3] for line in said.splitlines()[2:4]] == [["ask", "49¢", "65.00"], ["bid", "47¢", "3.30"]]
    assert "mid 47.875¢" in said
    assert "47.25¢" in ladder_html(merged)


@pytest.mark.parametrize("cents", [1, 0.5, 0.1, 0.01, 25, 2.5, Decimal("0.25")])
def test_a_group_is_so_many_cents(cents):
    assert Group().check("group", cents) == float(cents)


@pytest.mark.parametrize("cents", [0, -1, 3, 0.3, 50, 0.001, True, "1", [], float("nan"), float("inf")])
def test_cents_that_do_not_go_into_a_dollar_are_refused_and_what_would_do_is_said(cents):
    with pytest.raises(ConfigurationError, match=r"group=.*: give cents that go into a dollar, up to 25; try 1"):
        Group().check("group", cents)


def test_a_ladder_asks_for_as_many_levels_as_it_shows():
    asked = []

    class Asked(Presenter):
        def picture(self, levels):
            asked.append(levels)
            return super().picture(levels)

    for options in ({"levels": 5}, {"levels": 5, "grid": True}, {"levels": 30, "grid": True}, {"group": 1}):
        LadderView.of(Asked(), options).take()
    assert asked[:3] == [5, GRID_ROWS, 30]
    assert asked[3] >= 9_999


def test_a_still_ladder_has_so_many_levels_whatever_the_grid_needs():
    bids = tuple((price / 100, 1.0) for price in range(47, 20, -1))
    source = Presenter()
    source.move(bids=bids)
    scene = LadderView.of(source, {"levels": 3, "grid": True})
    assert scene.text(scene.take()).count("\n  bid") == 3


@pytest.mark.parametrize("name", ["grid", "total"])
def test_a_ladder_has_a_grid_and_totals_where_they_are_asked_for(name):
    assert OPTIONS[name].default is False
    with pytest.raises(ConfigurationError, match=f"{name}=1: it is True or False"):
        LadderView.of(Presenter(), {name: 1})
