"""Sizes as they are told."""

import pytest

from kalshi_nb._sizes import size


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 bytes"),
        (999.4, "999 bytes"),
        (999.9, "1.0 KB"),
        (1_000, "1.0 KB"),
        (11_632, "11.6 KB"),
        (999_949, "999.9 KB"),
        (999_999, "1.0 MB"),
        (64 << 20, "67.1 MB"),
        (81_900_000_000, "81.9 GB"),
        (999_990_000_000, "1.0 TB"),
        (12_345_678_900_000_000, "12,345.7 TB"),
    ],
)
def test_a_size_is_told_in_steps_of_a_thousand(count, text):
    assert size(count) == text


def test_a_size_without_digits_behind_the_point():
    assert size(212_400_000, decimals=0) == "212 MB"
    assert size(999_600, decimals=0) == "1 MB"
