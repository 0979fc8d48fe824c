"""Lengths of time: one reader for all that take one."""

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kalshi_nb._durations import duration_us, seconds, written
from kalshi_nb.errors import ConfigurationError

UNITS = {"us": 1, "ms": 1_000, "s": 10**6, "m": 60 * 10**6, "h": 3_600 * 10**6, "d": 86_400 * 10**6}


@given(st.lists(st.tuples(st.integers(0, 999), st.sampled_from(sorted(UNITS))), min_size=1, max_size=6))
def test_text_is_the_sum_of_its_parts_as_polars_has_them(parts):
    text = "".join(f"{number}{unit}" for number, unit in parts)
    total = sum(number * UNITS[unit] for number, unit in parts)
    if total:
        assert duration_us("every", text) == total
    else:
        with pytest.raises(ConfigurationError):
            duration_us("every", text)


@given(st.integers(1, 10**15))
def test_what_is_written_is_read_as_the_same(us):
    assert duration_us("every", written(us)) == us
    assert duration_us("every", dt.timedelta(microseconds=us)) == us


@pytest.mark.parametrize(
    ("value", "us"), [(1, 10**6), (0.25, 250_000), (90, 90 * 10**6), ("1w", 604_800 * 10**6), ("1min", 60 * 10**6)]
)
def test_numbers_are_seconds(value, us):
    assert duration_us("every", value) == us


@pytest.mark.parametrize(
    "value",
    [
        *(
            "",
            "1",
            "s",
            "1.5s",
            "-1s",
            "1 s",
            "1mo",
            "1y",
            "1q",
            "5mins",
            "0s",
            "1s\n",
            "٣s",
            "9" * 100 + "s",
            "200000d",
        ),
        *(0, -1, True, None, [], float("nan"), float("inf"), 1e-9, 10**400, 1e300),
        *(dt.timedelta(0), dt.timedelta(days=-1), Decimal(1)),
    ],
)
def test_what_is_no_length_of_time_is_refused_with_the_form(value):
    with pytest.raises(ConfigurationError, match=r'every=.*"1s", "5m", "1h30m" or "1d".*seconds'):
        duration_us("every", value)


@pytest.mark.parametrize(("value", "found"), [("10m", 600), ("1min30s", 90), (dt.timedelta(0, 120), 120), (0.5, 0.5)])
def test_seconds_are_taken_in_the_same_words(value, found):
    assert seconds("seconds", value, "give some") == found


@pytest.mark.parametrize("value", ["soon", "", dt.timedelta(seconds=-1), -1])
def test_what_is_no_length_of_time_is_not_taken_for_none_at_all(value):
    with pytest.raises(ConfigurationError, match=r"timeout=.*: give some"):
        seconds("timeout", value, "give some", or_none=True)
