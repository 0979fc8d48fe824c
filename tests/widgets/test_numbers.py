"""Numbers are written exactly, on every grid, and never rounded to what is not so."""

from decimal import Decimal

import pytest

from kalshi_nb._widgets import numbers


def test_every_tick_of_every_grid_is_written_exactly():
    for tick in range(1, 10_000):
        exact = Decimal(tick) / 100
        for decimals in range(3):
            if tick % 10 ** (2 - decimals) == 0:
                assert numbers.price(tick / 10_000, decimals) == f"{exact:.{decimals}f}¢"
                assert numbers.price(tick / 10_000, decimals, "dollars") == f"{exact / 100:.{decimals + 2}f}"
                assert numbers.price(tick / 10_000, decimals, "probability") == f"{exact:.{decimals}f} %"


def test_a_crossed_spread_has_a_minus_and_no_hyphen():
    assert numbers.price(-0.01, 0) == "\N{MINUS SIGN}1¢"


@pytest.mark.parametrize(
    ("sizes", "texts"),
    [
        ((1.0, 1234567.0), ("1", "1,234,567")),
        ((1.0, 0.01), ("1.00", "0.01")),
        ((0.1 + 0.2, 1234.25), ("0.30", "1,234.25")),
        ((2.999999,), ("3",)),
        ((49.999,), ("50",)),
    ],
)
def test_sizes_have_two_decimals_where_one_of_them_is_not_whole(sizes, texts):
    whole = numbers.whole_sizes(sizes)
    assert tuple(numbers.size(size, whole=whole) for size in sizes) == texts


@pytest.mark.parametrize(
    ("chance", "text"),
    [
        (0.0, "< 1 %"),
        (0.0099, "< 1 %"),
        (0.01, "1 %"),
        (0.485, "49 %"),
        (0.045, "5 %"),
        (0.285, "29 %"),
        (0.4849, "48 %"),
        (0.99, "99 %"),
        (0.991, "> 99 %"),
    ],
)
def test_what_is_nearly_none_or_nearly_sure_is_not_rounded_to_it(chance, text):
    assert numbers.percent(chance) == text


@pytest.mark.parametrize("yes", [0.315, 0.3175, 0.01, 0.5, 0.685, 0.985])
def test_the_chances_of_both_legs_as_they_are_written_add_up_to_a_hundred(yes):
    written = numbers.percent(yes), numbers.percent(round(1 - yes, 4), of_no=True)
    assert sum(int(each.removesuffix(" %")) for each in written) == 100


@pytest.mark.parametrize(("share", "text"), [(0.124, "+12 %"), (-0.5, "\N{MINUS SIGN}50 %"), (0.001, "0 %")])
def test_a_share_has_its_sign(share, text):
    assert numbers.signed_percent(share) == text


@pytest.mark.parametrize(("share", "halves"), [(0, 0), (1, 20), (2, 20), (-1, 0), (0.25, 5), (0.5, 10), (0.999, 19)])
def test_a_bar_is_as_long_as_its_share_in_halves_and_never_longer(share, halves):
    bar = numbers.bar(share)
    assert 2 * bar.count("█") + bar.count("▌") == halves
    assert "▌" not in bar[:-1]
