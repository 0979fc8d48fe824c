"""Which of many parameters are tried every day; the others are `make test-all`'s."""

import pytest


def some(values, daily):
    """Return parameters of which the first `daily` are tried by `make test`, or those that it names."""
    values = list(values)
    kept = values[:daily] if isinstance(daily, int) else daily
    return [each if each in kept else _not_daily(each) for each in values]


def _not_daily(value):
    given = value.values if isinstance(value, type(pytest.param())) else [value]
    marks = [*getattr(value, "marks", ()), pytest.mark.matrix]
    return pytest.param(*given, marks=marks, id=getattr(value, "id", None))
