"""Which of many cases alike run always: a few that differ; all of them run with ``make test-all``."""

import itertools

import pytest


def few(cases, always):
    """Return the parameters of a test: those of `always` run with ``make test``, the others are marked matrix."""
    cases, always = list(cases), list(always)
    assert [each for each in always if each not in cases] == []
    return [each if each in always else _rare(each) for each in cases]


def crossed(*sides, always):
    """Return each case of one side with each of the others."""
    return few(itertools.product(*sides), always)


def _rare(case):
    values = case if isinstance(case, tuple) else (case,)
    return pytest.param(*values, marks=pytest.mark.matrix)
