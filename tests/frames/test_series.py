"""Columns made the straight way are those that polars makes the public way, or the public way is taken."""

import polars as pl
import pytest

from kalshi_nb._frames import series as module
from kalshi_nb._frames.series import frame, series, straight_constructors, straight_frame, straight_ways

VALUES = {
    pl.Int64: [1, None, -5, 2**62],
    pl.Float64: [0.47, None, -1e300, 0.1 + 0.2],
    pl.String: ["KXA-1", None, "", "é\n"],
    pl.Boolean: [True, None, False],
}


@pytest.fixture(params=["straight", "public"])
def way(request, monkeypatch):
    if request.param == "public":
        monkeypatch.setattr(module, "_straight", lambda *trial: None)
        monkeypatch.setattr(module, "_straight_frame", lambda: None)
    tried = (straight_constructors, straight_ways, straight_frame)
    for each in tried:
        each.cache_clear()
    yield request.param
    for each in tried:
        each.cache_clear()


@pytest.mark.parametrize("dtype", VALUES)
@pytest.mark.parametrize("kind", [list, tuple])
def test_a_series_is_as_polars_itself_makes_it(way, dtype, kind):
    made = series("price", kind(VALUES[dtype]), dtype)
    assert made.equals(pl.Series("price", VALUES[dtype], dtype=dtype), check_dtypes=True, check_names=True)
    assert series("price", kind(), dtype).equals(pl.Series("price", [], dtype=dtype), check_dtypes=True)


@pytest.mark.parametrize(("dtype", "wrong"), [(pl.Int64, "1"), (pl.Int64, 0.5), (pl.Float64, "x"), (pl.String, 1)])
def test_a_value_of_another_type_is_refused(way, dtype, wrong):
    with pytest.raises(TypeError):
        series("price", [wrong], dtype)


def test_a_frame_is_as_polars_itself_makes_it(way):
    columns = [pl.Series("price", [0.47, None]), pl.Series("side", ["yes", "no"], dtype=pl.Enum(["yes", "no"]))]
    made, expected = frame(columns), pl.DataFrame(columns)
    assert made.schema == expected.schema
    assert made.equals(expected)
    with pytest.raises(pl.exceptions.ShapeError):
        frame([columns[0], columns[1][:1]])


def test_a_frame_shares_no_column_with_what_it_was_made_of(way):
    price = pl.Series("price", [0.47, None])
    made = frame([price])
    price[0] = 0.5
    assert made["price"].to_list() == [0.47, None]


def test_the_straight_way_is_taken_with_the_polars_that_is_installed():
    straight_constructors.cache_clear()
    assert None not in straight_constructors().values()
    straight_frame.cache_clear()
    assert straight_frame().__qualname__ == "_straight_frame.<locals>.make"


@pytest.mark.parametrize("name", ["no_such", "new_str", "new_opt_u32"])
def test_a_constructor_that_does_something_else_is_not_trusted(name):
    values, wrong = (1, None, -5), "1"
    assert module._straight(pl.Int64, name, values, wrong) is None
